//! The answer no.

use std::time::Duration;

use thiserror::Error;

use crate::budget::OverBudget;
use crate::concurrency::TooMany;
use crate::fair::{QueueConfig, Refused};
use crate::rate::TooFast;
use crate::repeat::{RepeatConfig, Repeating};

/// Why a call was not let in. Its text is for the model and ends with what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct Refusal {
    /// What kind of no it is: `rate-limited`, `too-many-calls`, `over-budget`, `overloaded` or `repeating`.
    pub code: &'static str,
    /// The rule, as the configuration writes it.
    pub what: String,
    /// When to come back, from now on.
    pub retry_after: Option<Duration>,
    /// For the model.
    pub message: String,
    /// For the operator's log: what to change so that the call is let in.
    pub operator: String,
}

impl Refusal {
    /// When to come back, in whole seconds and never 0, as `Retry-After` says it (RFC 9110 §10.2.3).
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after.map(whole_seconds)
    }

    pub(crate) fn rate(no: &TooFast<'_>) -> Self {
        let rule = no.rule;
        let message = format!(
            "{} may be {} per {}, and have been; wait {} and call again, or go on without this call",
            rule.per.whose(),
            rule.at_most,
            rule.every,
            in_words(no.retry_after)
        );
        Self::new(
            "rate-limited",
            no.rule,
            Some(no.retry_after),
            message,
            "raise `at-most` or `burst` of [[quotas.rates]]",
        )
    }

    pub(crate) fn concurrency(no: &TooMany<'_>) -> Self {
        let message = format!(
            "{} may be {} at once, and are; wait until one of them has ended and call again, one after the other",
            no.rule.per.whose(),
            no.rule.at_most
        );
        let raise = "raise `at-most` of [[quotas.concurrency]]";
        // When one ends is not known; a second is what a client would wait anyway.
        Self::new("too-many-calls", no.rule, Some(Duration::from_secs(1)), message, raise)
    }

    pub(crate) fn budget(no: &OverBudget<'_>) -> Self {
        let message = format!(
            "today's budget of {} is used up; it begins anew at midnight UTC, in {}; do not call again before, tell the person",
            no.what,
            in_words(no.retry_after)
        );
        let raise = "raise it in [[quotas.budgets]], or put the caller into a group with another budget";
        Self::new("over-budget", no.rule, Some(no.retry_after), message, raise)
    }

    pub(crate) fn repeat(no: &Repeating, config: &RepeatConfig) -> Self {
        let same = if no.same_result { " with the same result" } else { "" };
        let message = format!(
            "the same call was made {} times in {}{same}; repeating it will not change that: try other arguments or \
             another tool, or tell the person",
            no.count,
            in_words(no.over)
        );
        let RepeatConfig { at_most, within, pause } = config;
        let rule = format!(
            "{{ at-most = {at_most}, within-s = {}, pause-s = {} }}",
            whole_seconds(*within),
            whole_seconds(*pause)
        );
        let raise = "raise `at-most` of [quotas.repeat], or mark the tool as one that is polled";
        Self::new("repeating", &rule, Some(no.retry_after), message, raise)
    }

    pub(crate) fn queue(no: &Refused, config: &QueueConfig) -> Self {
        let retry = no.retry_after();
        let (rule, raise) = match no {
            Refused::LineFull { .. } => {
                (format!("waiting-per-caller = {}", config.waiting_per_caller), "raise it in [quotas.queue]")
            }
            Refused::QueueFull { .. } => (
                format!("waiting = {}", config.waiting),
                "raise `waiting` or `places` in [quotas.queue], or give the host more cores",
            ),
            Refused::TooSlow { .. } | Refused::Waited { .. } => (
                format!("max-wait-ms = {}", config.max_wait.as_millis()),
                "raise `max-wait-ms` or `places` in [quotas.queue], or give the host more cores",
            ),
        };
        let message = format!("the server is busy: {no}; wait {} and call again, fewer at once", in_words(retry));
        Self::new("overloaded", &rule, Some(retry), message, raise)
    }

    pub(crate) fn memory(limit: u64, used: u64) -> Self {
        let retry = Duration::from_secs(5);
        let message = format!("the server is short of memory; wait {} and call again", in_words(retry));
        let raise = format!("{used} bytes are in use; raise it in [quotas.shed], or lower `places` in [quotas.queue]");
        Self::new("overloaded", &format!("memory-bytes = {limit}"), Some(retry), message, &raise)
    }

    fn new(
        code: &'static str,
        rule: &impl ToString,
        retry_after: Option<Duration>,
        message: String,
        raise: &str,
    ) -> Self {
        let what = rule.to_string();
        let operator = format!("{code} by {what}; {raise}");
        Self { code, what, retry_after, message, operator }
    }
}

fn whole_seconds(time: Duration) -> u64 {
    let more = u64::from(time.subsec_nanos() > 0);
    time.as_secs().saturating_add(more).max(1)
}

/// A time as one says it: `12 s`, `4 min`, `3 h 12 min`. Rounded up.
fn in_words(time: Duration) -> String {
    let seconds = whole_seconds(time);
    let minutes = seconds.div_ceil(60);
    match (seconds, minutes / 60, minutes % 60) {
        (..120, _, _) => format!("{seconds} s"),
        (_, ..2, _) => format!("{minutes} min"),
        (_, hours, 0) => format!("{hours} h"),
        (_, hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_one_says_them_and_never_too_short() {
        for (time, words) in [
            (Duration::ZERO, "1 s"),
            (Duration::from_millis(1_001), "2 s"),
            (Duration::from_secs(119), "119 s"),
            (Duration::from_secs(120), "2 min"),
            (Duration::from_secs(121), "3 min"),
            (Duration::from_secs(7_140), "119 min"),
            (Duration::from_secs(7_200), "2 h"),
            (Duration::from_secs(3 * 3_600 + 11 * 60 + 1), "3 h 12 min"),
        ] {
            assert_eq!(in_words(time), words);
        }
    }
}
