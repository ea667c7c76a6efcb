//! All of it, in order.
//!
//! A call is asked what costs nothing first, and waits last:
//!
//! 1. memory: one number
//! 2. budget: counts the call
//! 3. calls at once: counts the call
//! 4. repetition: counts the call
//! 5. rates: take their tokens
//! 6. the queue: waits
//!
//! A call that any step refuses, or that is given up while it waits, gets back from all earlier ones what they took: also the
//! tokens of the rates. So a caller that comes back as it is told is not punished for having been told.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;

use crate::budget::{Account, Budgets, Cost, Spent};
use crate::concurrency::{Concurrency, Permit};
use crate::config::{Config, ConfigError};
use crate::facts::CallFacts;
use crate::fair::{FairQueue, Place, QueueState};
use crate::rate::{Rates, Ticket};
use crate::refusal::Refusal;
use crate::repeat::{RepeatConfig, Repeats, Series};
use crate::shed::MemoryGauge;

/// How much every caller may use, and has. Clones are the same.
#[derive(Clone, Debug)]
pub struct Quotas(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    memory: Option<u64>,
    gauge: MemoryGauge,
    budgets: Option<Budgets>,
    concurrency: Option<Concurrency>,
    repeats: Option<(Repeats, RepeatConfig)>,
    rates: Option<Rates>,
    queue: Option<FairQueue>,
}

impl Quotas {
    /// Quotas that nobody has made use of yet.
    ///
    /// # Errors
    ///
    /// A rule that cannot be meant.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check_counts()?;
        let Config { rates, concurrency, budgets, queue, repeat, shed } = config;
        Ok(Self(Arc::new(Inner {
            memory: shed.memory_bytes,
            gauge: MemoryGauge::default(),
            budgets: some(budgets).map(Budgets::new).transpose()?,
            concurrency: some(concurrency).map(Concurrency::new).transpose()?,
            repeats: match repeat {
                Some(config) => Some((Repeats::new(config.clone())?, config)),
                None => None,
            },
            rates: some(rates).map(Rates::new).transpose()?,
            queue: queue.map(FairQueue::new).transpose()?,
        })))
    }

    /// Lets a client's call in, when its turn comes.
    ///
    /// Cancel safe: dropped while it waits, it leaves the queue, and nothing was spent.
    ///
    /// # Errors
    ///
    /// The first step that refuses it.
    pub async fn admit(&self, call: &CallFacts<'_>, deadline: Instant) -> Result<Admission, Refusal> {
        let mut pending = self.check(call, true)?;
        let place = match &self.0.queue {
            None => None,
            Some(queue) => match queue.enter(call.principal, queue.weight(call), deadline).await {
                Ok(place) => Some(place),
                Err(refused) => return Err(Refusal::queue(&refused, queue.config())),
            },
        };
        Ok(pending.settle(place))
    }

    /// Lets a call in that another call makes. The one that makes it holds a place and is counted among the calls at once, so
    /// this one needs neither: it would wait for the one that waits for it.
    ///
    /// # Errors
    ///
    /// The first step that refuses it.
    pub fn admit_nested(&self, call: &CallFacts<'_>) -> Result<Admission, Refusal> {
        Ok(self.check(call, false)?.settle(None))
    }

    /// Whether repeated calls are counted, for which each call needs a hash of its arguments.
    pub fn counts_repetition(&self) -> bool {
        self.0.repeats.is_some()
    }

    /// Where the host says how much memory is in use, for `shed.memory_bytes`.
    pub fn memory(&self) -> MemoryGauge {
        self.0.gauge.clone()
    }

    /// What all callers have spent on the day of `now`; nothing where there are no budgets.
    pub fn export_spent(&self, now: SystemTime) -> Spent {
        self.0.budgets.as_ref().map(|it| it.export(now)).unwrap_or_default()
    }

    /// Adds what was exported earlier on the day of `now`: after a start, or from the quotas these replace.
    pub fn import_spent(&self, spent: &Spent, now: SystemTime) {
        if let Some(budgets) = &self.0.budgets {
            budgets.import(spent, now);
        }
    }

    /// What the queue is doing, for metrics; none where there is none.
    pub fn queue(&self) -> Option<QueueState> {
        self.0.queue.as_ref().map(FairQueue::state)
    }

    fn check(&self, call: &CallFacts<'_>, of_client: bool) -> Result<Pending<'_>, Refusal> {
        let Inner { memory, gauge, budgets, concurrency, repeats, rates, queue: _ } = &*self.0;
        if let Some(limit) = memory {
            let used = gauge.get();
            if used > *limit {
                return Err(Refusal::memory(*limit, used));
            }
        }
        let mut pending = Pending::default();
        pending.rates = rates.as_ref();
        if let Some(budgets) = budgets {
            pending.account = budgets.take(call).map_err(|no| Refusal::budget(&no))?;
        }
        if let Some(concurrency) = concurrency.as_ref().filter(|_| of_client) {
            pending.permit = Some(concurrency.enter(call).map_err(|no| Refusal::concurrency(&no))?);
        }
        if let Some((repeats, config)) = repeats {
            pending.series = repeats.count(call).map_err(|no| Refusal::repeat(&no, config))?;
        }
        if let Some(rates) = rates {
            pending.ticket = rates.take(call).map_err(|no| Refusal::rate(&no))?;
        }
        Ok(pending)
    }
}

/// A list of rules, if there are any.
fn some<T>(rules: Vec<T>) -> Option<Vec<T>> {
    Some(rules).filter(|it| !it.is_empty())
}

/// What a call has taken so far. Dropped, it gives all of it back.
#[derive(Default)]
struct Pending<'a> {
    rates: Option<&'a Rates>,
    account: Option<Arc<Account>>,
    permit: Option<Permit>,
    series: Option<Series>,
    ticket: Ticket,
}

impl Pending<'_> {
    fn settle(&mut self, place: Option<Place>) -> Admission {
        let _spent = std::mem::take(&mut self.ticket);
        Admission {
            account: self.account.take(),
            series: self.series.take(),
            _permit: self.permit.take(),
            _place: place,
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some(rates) = self.rates {
            rates.give_back(std::mem::take(&mut self.ticket));
        }
        if let Some(series) = &self.series {
            series.give_back();
        }
        if let Some(account) = &self.account {
            account.give_back();
        }
    }
}

/// A call that was let in. Keep it until the call has ended: dropping it gives its place to the next.
#[derive(Debug)]
#[must_use]
pub struct Admission {
    account: Option<Arc<Account>>,
    series: Option<Series>,
    // In this order: the count of calls goes down before the place wakes the next.
    _permit: Option<Permit>,
    _place: Option<Place>,
}

impl Admission {
    /// Adds what the call cost to what its caller has spent on the day of `now`. A call that is never charged costs its
    /// count alone, so charge one that failed or was cancelled too.
    pub fn charge(&self, cost: Cost, now: SystemTime) {
        if let Some(account) = &self.account {
            account.charge(cost, now);
        }
    }

    /// Says what the result was, as a hash: one that differs from the last of the same call means that it is no loop.
    pub fn result(&self, hash: u128) {
        if let Some(series) = &self.series {
            series.result(hash);
        }
    }

    /// Whether anybody wants to know the result.
    pub fn wants_result(&self) -> bool {
        self.series.is_some()
    }
}
