//! The queue before the engine's places: a line for each caller, served in turn, so that one caller's flood costs another a
//! turn and not its place behind the flood.
//!
//! Three things together keep another caller's wait short. Lines are served in turn, not calls. A caller whose line was empty is
//! served before those whose lines never are, once in each round, as in FQ-CoDel (RFC 8290 §4.2). And one caller alone never
//! holds the last places, so that calls that take minutes do not lock out others for minutes.
//!
//! Who waits holds nothing. A wait that is given up leaves the line at once, and a place that was given in that moment goes to
//! the next. All steps are O(1), whatever waits. A caller with no call in is forgotten, so what is kept is bounded by the places
//! and the calls that wait.
//!
//! - `lines`: who is next. Knows no clock and no future.
//! - `place`: what a call holds, and what gives it back.

mod lines;
mod place;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::config::{ConfigError, MAX_RULES, within};
use crate::facts::CallFacts;
use crate::print::Printer;
use lines::{Bounds, Entered, Full, Lines};
pub use place::Place;
use place::Waiting;

/// The most places and the most waiting calls a configuration may ask for.
const MAX_CALLS: u64 = 1_000_000;

/// The most turns in a row: a line that has more is no longer in turn with the others.
const MAX_WEIGHT: u32 = 100;

/// How many calls run, and how many wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueConfig {
    /// Calls that run at once. Default is 256, as many as the engine has places.
    pub places: usize,
    /// Calls of one caller that run at once, while more wait. Default is three quarters of `places`, at least one. Where
    /// tools mostly compute, a number near that of the cores keeps a flood from taking the cores as well as the places.
    pub per_caller: Option<usize>,
    /// Calls of one caller that wait. Default is 1,000.
    pub waiting_per_caller: usize,
    /// Calls that wait in all. Default is 10,000.
    pub waiting: usize,
    /// How long a call waits at most, and is expected to wait when it comes. Default is 30 s, half of what clients wait.
    pub max_wait: Duration,
    /// Turns in a row of callers in a group; the highest of a caller's groups holds. Default is one for everybody.
    pub weights: Vec<(String, u32)>,
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            places: 256,
            per_caller: None,
            waiting_per_caller: 1_000,
            waiting: 10_000,
            max_wait: Duration::from_secs(30),
            weights: Vec::new(),
        }
    }
}

impl QueueConfig {
    fn bounds(&self) -> Result<Bounds, ConfigError> {
        let Self { places, per_caller, waiting_per_caller, waiting, max_wait, weights } = self;
        let number = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        within("queue.places", number(*places), MAX_CALLS)?;
        within("queue.waiting-per-caller", number(*waiting_per_caller), MAX_CALLS)?;
        within("queue.waiting", number(*waiting), MAX_CALLS)?;
        let share = per_caller.unwrap_or(places - places / 4);
        within("queue.per-caller", number(share), number(*places))?;
        within("queue.max-wait", u64::try_from(max_wait.as_millis()).unwrap_or(u64::MAX), 3_600_000)?;
        for (_, weight) in weights {
            within("queue.weights", (*weight).into(), MAX_WEIGHT.into())?;
        }
        if weights.len() > MAX_RULES {
            return Err(ConfigError::TooManyRules { list: "queue.weights", count: weights.len() });
        }
        Ok(Bounds { places: *places, share, waiting_per_caller: *waiting_per_caller, waiting: *waiting })
    }
}

/// Why a call did not get a place. Each says when to come back.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refused {
    /// The caller's line is full.
    #[error("{waiting} calls of this caller wait already")]
    LineFull {
        /// How many wait in it.
        waiting: usize,
        /// When there will be room.
        retry_after: Duration,
    },
    /// The queue is full.
    #[error("{waiting} calls wait already")]
    QueueFull {
        /// How many wait.
        waiting: usize,
        /// When there will be room.
        retry_after: Duration,
    },
    /// The wait would be longer than the call may wait.
    #[error("the call would wait for {} ms", expected.as_millis())]
    TooSlow {
        /// How long.
        expected: Duration,
        /// When it will be short.
        retry_after: Duration,
    },
    /// The call has waited as long as it may.
    #[error("the call has waited for {} ms", waited.as_millis())]
    Waited {
        /// How long.
        waited: Duration,
        /// When to try again.
        retry_after: Duration,
    },
}

impl Refused {
    /// When to come back, from now on.
    pub fn retry_after(&self) -> Duration {
        match self {
            Self::LineFull { retry_after, .. }
            | Self::QueueFull { retry_after, .. }
            | Self::TooSlow { retry_after, .. }
            | Self::Waited { retry_after, .. } => *retry_after,
        }
    }
}

/// What the queue is doing, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueState {
    /// Calls that run.
    pub running: usize,
    /// Calls that wait.
    pub waiting: usize,
    /// Callers with a call that runs or waits, and a few that were just served.
    pub callers: usize,
}

/// The queue. Clones are the same queue.
#[derive(Clone, Debug)]
pub struct FairQueue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    lines: Mutex<Lines<oneshot::Sender<Place>>>,
    printer: Printer,
    config: QueueConfig,
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Lines<oneshot::Sender<Place>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FairQueue {
    /// A queue in which nobody waits.
    ///
    /// # Errors
    ///
    /// A number is 0 or too large.
    pub fn new(config: QueueConfig) -> Result<Self, ConfigError> {
        let lines = Mutex::new(Lines::new(config.bounds()?));
        Ok(Self(Arc::new(Inner { lines, printer: Printer::default(), config })))
    }

    /// Waits for a place in the line of `principal`; all without a name share one line. `weight` is how many turns in a row
    /// the line has, from 1 to 100.
    ///
    /// Cancel safe: dropped while it waits, it leaves the line.
    ///
    /// # Errors
    ///
    /// The line or the queue is full, the wait would go beyond `deadline` or the queue's longest wait, or has.
    pub async fn enter(&self, principal: Option<&str>, weight: u32, deadline: Instant) -> Result<Place, Refused> {
        let caller = self.0.printer.of(principal);
        let weight = weight.clamp(1, MAX_WEIGHT);
        if let Some(entered) = self.0.lock().enter_now(caller, weight) {
            return Ok(Place::new(Arc::clone(&self.0), entered));
        }

        let came = Instant::now();
        let deadline = deadline.min(came + self.0.config.max_wait);
        let (sender, receiver) = oneshot::channel();
        let entered = self.0.lock().enter(caller, weight, deadline.duration_since(came), sender);
        let (line, ticket) = match entered {
            Ok(Entered::Now(entered)) => return Ok(Place::new(Arc::clone(&self.0), entered)),
            Ok(Entered::Waits { line, ticket }) => (line, ticket),
            Err(full) => return Err(full.into()),
        };
        let waiting = Waiting { queue: &self.0, line, ticket };
        // A place that comes while the wait is given up is in the receiver, and goes back with it.
        let place = timeout_at(deadline, receiver).await;
        drop(waiting);
        match place {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => {
                let retry_after = self.0.lock().retry_after();
                Err(Refused::Waited { waited: came.elapsed(), retry_after })
            }
        }
    }

    /// What it is doing now.
    pub fn state(&self) -> QueueState {
        self.0.lock().state()
    }

    /// Turns in a row of a caller in these groups.
    pub(crate) fn weight(&self, call: &CallFacts<'_>) -> u32 {
        let mine = self.0.config.weights.iter().filter(|(group, _)| call.is_in(group));
        mine.map(|(_, weight)| *weight).max().unwrap_or(1)
    }

    pub(crate) fn config(&self) -> &QueueConfig {
        &self.0.config
    }
}

impl From<Full> for Refused {
    fn from(full: Full) -> Self {
        match full {
            Full::Line { waiting, retry_after } => Self::LineFull { waiting, retry_after },
            Full::All { waiting, retry_after } => Self::QueueFull { waiting, retry_after },
            Full::TooSlow { expected, retry_after } => Self::TooSlow { expected, retry_after },
        }
    }
}
