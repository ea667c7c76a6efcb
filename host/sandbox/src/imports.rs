//! The host's side of `toolcell:plugin`: what a plugin can learn about its call, and how it can speak meanwhile.

use super::bindings::v0_1::toolcell::plugin::{changes, context, key_value, log, peers, progress};
use super::ctx::{CallCtx, CallEvent, Change};
use super::log::{GuestLog, printable};
use super::net::Rules;
use super::secrets::Held;
use super::state::CellState;
use super::types::{Caller, Level};
use std::sync::Arc;
use std::time::{Duration, Instant};
use toolcell_policy::DenyReason;
use wasmtime::component::{HasData, Linker};

/// A progress message longer than this is cut, in bytes.
const MAX_PROGRESS_MESSAGE: usize = 1_024;
/// An update of a URI longer than this is announced to nobody, in bytes: no list holds one.
const MAX_URI: usize = 8_192;

/// One call's [`CallCtx`] and what has been said in it so far.
pub(super) struct Voice {
    pub(super) rules: Arc<Rules>,
    pub(super) log: GuestLog,
    pub(super) ctx: CallCtx,
    pub(super) deadline: Instant,
    pub(super) store_writes: usize,
    /// The secrets of the call, which must not be told.
    pub(super) held: Option<Arc<Held>>,
    last_progress: f64,
    reported: Option<Instant>,
}

impl Voice {
    pub(super) fn new(
        rules: Arc<Rules>,
        log: GuestLog,
        ctx: CallCtx,
        deadline: Instant,
        held: Option<Arc<Held>>,
    ) -> Self {
        Self { rules, log, ctx, deadline, held, store_writes: 0, last_progress: f64::NEG_INFINITY, reported: None }
    }

    /// Hands an event to the client's side. One that finds the channel full is dropped: a guest that talks faster than
    /// its client listens must not make the host store its words.
    fn tell(&self, event: CallEvent) {
        if let Some(events) = &self.ctx.events {
            let _ = events.try_send(event);
        }
    }

    fn announce(&mut self, bytes: usize, change: Change) {
        if let Some(on_change) = &self.rules.on_change
            && self.log.charge(bytes)
        {
            on_change(change);
        }
    }

    /// The text of a refusal, for the guest; the operator's log gets it too.
    pub(super) fn refused(&self, reason: &DenyReason) -> String {
        let text = reason.to_string();
        if let Some(ledger) = &self.ctx.ledger {
            ledger.refused(reason.code(), &text);
        }
        // A guest that retries in a loop must not fill the log: its refusals count as its own words.
        if self.log.charge(text.len()) {
            tracing::warn!(plugin = %self.rules.plugin, error.type = "refused", rule = reason.code(), "refused: {text}");
        }
        text
    }

    /// What names the call in logs.
    pub(super) fn request_id(&self) -> &str {
        &self.ctx.request_id
    }

    fn client_wants(&self, level: Level) -> bool {
        self.ctx.events.is_some() && self.ctx.log_level.is_some_and(|least| level as u8 >= least as u8)
    }
}

struct HasVoice;

impl HasData for HasVoice {
    type Data<'a> = &'a mut Voice;
}

/// Adds what this file and its neighbours implement.
pub(super) fn add_to_linker(linker: &mut Linker<CellState>) -> wasmtime::Result<()> {
    let voice: fn(&mut CellState) -> &mut Voice = |state| &mut state.voice;
    super::bindings::v0_1::toolcell::plugin::types::add_to_linker::<CellState, HasVoice>(linker, voice)?;
    context::add_to_linker::<CellState, HasVoice>(linker, voice)?;
    progress::add_to_linker::<CellState, HasVoice>(linker, voice)?;
    log::add_to_linker::<CellState, HasVoice>(linker, voice)?;
    changes::add_to_linker::<CellState, HasVoice>(linker, voice)?;
    key_value::add_to_linker::<CellState, HasVoice>(linker, voice)?;
    peers::add_to_linker::<CellState, HasVoice>(linker, voice)
}

impl super::bindings::v0_1::toolcell::plugin::types::Host for Voice {}

impl context::Host for Voice {
    fn current(&mut self) -> wasmtime::Result<context::CallContext> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        Ok(context::CallContext {
            caller: self
                .ctx
                .caller
                .as_deref()
                .map(|caller| Caller { principal: caller.id.clone(), claims: caller.claims.clone() }),
            client: self.ctx.client.clone(),
            abilities: self.ctx.abilities,
            remaining_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
            trace: self.ctx.trace.clone(),
            meta: self.ctx.meta.clone(),
        })
    }

    fn is_cancelled(&mut self) -> wasmtime::Result<bool> {
        Ok(self.ctx.cancel.is_cancelled())
    }
}

impl progress::Host for Voice {
    fn is_wanted(&mut self) -> wasmtime::Result<bool> {
        Ok(self.ctx.wants_progress && self.ctx.events.is_some())
    }

    fn report(&mut self, progress: f64, total: Option<f64>, message: Option<String>) -> wasmtime::Result<()> {
        let pace =
            Duration::from_secs(1) / u32::try_from(self.rules.limits.progress_per_second.max(1)).unwrap_or(u32::MAX);
        let now = Instant::now();
        let in_pace = self.reported.is_none_or(|last| now.duration_since(last) >= pace);
        // The last report, at 100 %, always passes: a client that shows a bar waits for it.
        let is_last = total.is_some_and(|total| progress >= total);
        if !self.ctx.wants_progress || !progress.is_finite() || progress <= self.last_progress || !(in_pace || is_last)
        {
            return Ok(());
        }
        self.last_progress = progress;
        self.reported = Some(now);
        let total = total.filter(|total| total.is_finite());
        let message = message.map(|mut text| {
            self.held.iter().for_each(|held| held.mask_text(&mut text));
            cut(text, MAX_PROGRESS_MESSAGE)
        });
        self.tell(CallEvent::Progress { progress, total, message });
        Ok(())
    }
}

impl log::Host for Voice {
    fn is_enabled(&mut self, level: Level) -> wasmtime::Result<bool> {
        let operator = match level {
            Level::Debug => tracing::enabled!(target: "toolcell::guest", tracing::Level::DEBUG),
            Level::Info | Level::Notice => tracing::enabled!(target: "toolcell::guest", tracing::Level::INFO),
            Level::Warning => tracing::enabled!(target: "toolcell::guest", tracing::Level::WARN),
            _ => tracing::enabled!(target: "toolcell::guest", tracing::Level::ERROR),
        };
        Ok(operator || self.client_wants(level))
    }

    fn write(&mut self, level: Level, mut logger: Option<String>, mut data: String) -> wasmtime::Result<()> {
        if let Some(held) = &self.held {
            held.mask_text(&mut data);
            logger.iter_mut().for_each(|logger| held.mask_text(logger));
        }
        if !self.log.charge(data.len() + logger.as_ref().map_or(0, String::len)) {
            return Ok(());
        }
        let plugin = &self.rules.plugin;
        let request_id = &self.ctx.request_id;
        let text = printable(data.as_bytes());
        let name = logger.as_ref().map(|name| printable(name.as_bytes())).unwrap_or_default();
        match level {
            Level::Debug => tracing::debug!(target: "toolcell::guest", %plugin, %request_id, logger = name, "{text}"),
            Level::Info | Level::Notice => {
                tracing::info!(target: "toolcell::guest", %plugin, %request_id, logger = name, "{text}")
            }
            Level::Warning => tracing::warn!(target: "toolcell::guest", %plugin, %request_id, logger = name, "{text}"),
            _ => tracing::error!(target: "toolcell::guest", %plugin, %request_id, logger = name, "{text}"),
        }
        if self.client_wants(level) {
            self.tell(CallEvent::Log { level, logger, data });
        }
        Ok(())
    }
}

/// A change costs the guest some of its log, so that it cannot keep the host busy announcing.
impl changes::Host for Voice {
    fn resource_updated(&mut self, uri: String) -> wasmtime::Result<()> {
        if uri.len() <= MAX_URI {
            self.announce(uri.len(), Change::Resource(uri));
        }
        Ok(())
    }

    fn resources_changed(&mut self) -> wasmtime::Result<()> {
        self.announce(0, Change::Resources);
        Ok(())
    }

    fn prompts_changed(&mut self) -> wasmtime::Result<()> {
        self.announce(0, Change::Prompts);
        Ok(())
    }

    fn tools_changed(&mut self) -> wasmtime::Result<()> {
        self.announce(0, Change::Tools);
        Ok(())
    }
}

/// At most `most` bytes of a text, cut between characters.
fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("aé".to_owned(), 2), "a");
        assert_eq!(cut("aé".to_owned(), 3), "aé");
    }
}
