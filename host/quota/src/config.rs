//! What a host is told about how much its callers may use.

use thiserror::Error;

use crate::budget::BudgetRule;
use crate::concurrency::ConcurrencyRule;
use crate::fair::QueueConfig;
use crate::rate::RateRule;
use crate::repeat::RepeatConfig;
use crate::rule::Per;
use crate::shed::ShedConfig;

/// The most rules of one kind: each call asks them one by one.
pub(crate) const MAX_RULES: usize = 256;

/// How many calls one caller may have in, running or waiting, by default: more than a person's clients ever have, and few
/// enough that their arguments fit into memory.
const CALLS_AT_ONCE: u32 = 1_000;

/// How much callers may use. What is empty or none costs nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How often. Default is no rule.
    pub rates: Vec<RateRule>,
    /// How many calls at once, running or waiting. Default is 1,000 of each caller.
    pub concurrency: Vec<ConcurrencyRule>,
    /// How much in a day. Default is no rule.
    pub budgets: Vec<BudgetRule>,
    /// The queue before the engine's places. Default is one with its own defaults; none lets every call in at once.
    pub queue: Option<QueueConfig>,
    /// What is no call but a loop. Default is none, because a program that polls looks the same; on where models call.
    pub repeat: Option<RepeatConfig>,
    /// When to refuse although nobody is over a limit.
    pub shed: ShedConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rates: Vec::new(),
            concurrency: vec![ConcurrencyRule::new(Per::Principal, CALLS_AT_ONCE)],
            budgets: Vec::new(),
            queue: Some(QueueConfig::default()),
            repeat: None,
            shed: ShedConfig::default(),
        }
    }
}

impl Config {
    pub(crate) fn check_counts(&self) -> Result<(), ConfigError> {
        let counts =
            [("rates", self.rates.len()), ("concurrency", self.concurrency.len()), ("budgets", self.budgets.len())];
        match counts.into_iter().find(|(_, count)| *count > MAX_RULES) {
            Some((list, count)) => Err(ConfigError::TooManyRules { list, count }),
            None => Ok(()),
        }
    }
}

/// A configuration that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A rule makes no sense.
    #[error("rule {rule}: {problem}")]
    Rule {
        /// The rule as the configuration writes it.
        rule: String,
        /// What is wrong, and what to write instead.
        problem: String,
    },
    /// A number that must not be zero is.
    #[error("`{key}` is 0, which would refuse every call; write at least 1")]
    Zero {
        /// Its key.
        key: &'static str,
    },
    /// A number is larger than it can be.
    #[error("`{key}` is {value}; write at most {most}")]
    TooLarge {
        /// Its key.
        key: &'static str,
        /// What it is.
        value: u64,
        /// What it may be.
        most: u64,
    },
    /// A list is longer than is asked for each call.
    #[error("`{list}` has {count} rules; write at most 256, and put callers into groups")]
    TooManyRules {
        /// Its key.
        list: &'static str,
        /// How many it has.
        count: usize,
    },
}

/// A number from 1 to `most`.
pub(crate) fn within(key: &'static str, value: u64, most: u64) -> Result<(), ConfigError> {
    match value {
        0 => Err(ConfigError::Zero { key }),
        value if value > most => Err(ConfigError::TooLarge { key, value, most }),
        _ => Ok(()),
    }
}
