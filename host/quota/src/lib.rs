//! Says how much a caller of a Toolcell host may use: how often, how many calls at once, how much in a day, and in whose
//! turn.
//!
//! Who is calling and what they may do was decided before. A yes is an [`Admission`], which holds the call's place and
//! gives everything back when it is dropped. A no is a [`Refusal`], whose text tells the model what to do now and the
//! operator which line to change. A call that is refused by a later check has spent nothing at an earlier one.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use tokio::time::Instant;
//! use toolcell_quota::{CallFacts, Config, Cost, Every, Per, Quotas, RateRule};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let rates = vec![RateRule::new(Per::Principal, 1, Every::Minute)];
//! let quotas = Quotas::new(Config { rates, ..Config::default() })?;
//!
//! let call = CallFacts::new(Some("ada"), "weather", "forecast", SystemTime::now());
//! let deadline = Instant::now() + Duration::from_secs(5);
//! let admission = quotas.admit(&call, deadline).await?;
//! admission.charge(Cost { cpu: Duration::from_millis(3), bytes: 512 }, SystemTime::now());
//! drop(admission);
//!
//! let refusal = quotas.admit(&call, deadline).await.expect_err("one per minute");
//! assert_eq!(refusal.code, "rate-limited");
//! assert_eq!(refusal.retry_after_seconds(), Some(60));
//! # Ok(())
//! # }
//! ```
//!
//! The crate knows no protocol and no WebAssembly, starts no task and no thread, and asks two clocks: tokio's, which tests
//! stop and move, and the wall clock the caller gives it. Everything it keeps about callers is bounded by a constant.
//!
//! Modules, in reading order:
//!
//! - `rule`: what a rule counts by, and whom it is for.
//! - `config`: [`Config`], and what is wrong with one.
//! - `print`: callers and tools as numbers of one size.
//! - `rate`: how often.
//! - `concurrency`: how many at once.
//! - `budget`: how much in a day.
//! - `repeat`: a model in a loop.
//! - `fair`: the queue before the engine's places, one line for each caller.
//! - `shed`: when waiting makes no sense.
//! - `refusal`: [`Refusal`].
//! - `quotas`: all of it, in order.

#![warn(missing_docs)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod budget;
mod concurrency;
mod config;
mod facts;
mod fair;
mod print;
mod quotas;
mod rate;
mod refusal;
mod repeat;
mod rule;
mod shed;

pub use budget::{BudgetRule, Budgets, Cost, OverBudget, Spent, SpentBy};
pub use concurrency::{Concurrency, ConcurrencyRule, Permit, TooMany};
pub use config::{Config, ConfigError};
pub use facts::CallFacts;
pub use fair::{FairQueue, Place, QueueConfig, QueueState, Refused};
pub use quotas::{Admission, Quotas};
pub use rate::{MAX_RATE_KEYS, RateRule, Rates, Ticket, TooFast};
pub use refusal::Refusal;
pub use repeat::{RepeatConfig, Repeating, Repeats, Series};
pub use rule::{Every, Only, Per};
pub use shed::{MemoryGauge, ShedConfig};
