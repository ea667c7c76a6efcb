//! How long the parts of one call took, for whoever traces it.

use super::ledger::Ledger;
use std::time::{Duration, Instant};

/// What is told under: `toolcell::cell` at debug.
const TARGET: &str = "toolcell::cell";

/// A stopwatch that stands still unless somebody listens.
pub(super) struct Times(Option<Laps>);

struct Laps {
    started: Instant,
    placed: Instant,
    instantiated: Option<Instant>,
}

impl Times {
    /// Starts it.
    pub(super) fn start(ledger: Option<&Ledger>) -> Self {
        let heard = ledger.is_some() || tracing::enabled!(target: TARGET, tracing::Level::DEBUG);
        Self(heard.then(Instant::now).map(|now| Laps { started: now, placed: now, instantiated: None }))
    }

    /// The call has its place among those that run.
    pub(super) fn placed(&mut self) {
        if let Some(laps) = &mut self.0 {
            laps.placed = Instant::now();
        }
    }

    /// The instance is made.
    pub(super) fn instantiated(&mut self) {
        if let Some(laps) = &mut self.0 {
            laps.instantiated = Some(Instant::now());
        }
    }

    /// The guest is done. What it waited for in host functions counts as time of the guest.
    pub(super) fn report(
        self,
        plugin: &str,
        what: &str,
        request_id: &str,
        memory_bytes: usize,
        ledger: Option<&Ledger>,
    ) {
        let Some(Laps { started, placed, instantiated }) = self.0 else { return };
        let entered = instantiated.unwrap_or_else(Instant::now);
        if let Some(ledger) = ledger {
            ledger.note(|spent| {
                spent.queued += placed.duration_since(started);
                spent.instantiating += entered.duration_since(placed);
                spent.inside += entered.elapsed();
                spent.memory_bytes = spent.memory_bytes.max(memory_bytes);
            });
        }
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(
            target: TARGET,
            plugin,
            tool = what,
            request_id,
            waited_us = micros(placed.duration_since(started)),
            instantiated_us = micros(entered.duration_since(placed)),
            guest_us = micros(entered.elapsed()),
            memory_bytes,
            "left the cell"
        );
    }
}
