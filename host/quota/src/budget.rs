//! How much in a day: CPU time, bytes and calls of each caller, from midnight to midnight UTC.
//!
//! A call is counted when it is let in. What it cost is known when it has ended, and charged then; so calls that run at the
//! same time can pass the budget together, each by what it costs.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use hashlink::LruCache;
use serde::{Deserialize, Serialize};

use crate::config::ConfigError;
use crate::facts::CallFacts;
use crate::print::{Prehashed, Print, Printer};
use crate::rule::Only;

/// How many callers have an account. Beyond that the one that was heard of longest ago begins anew.
const MAX_ACCOUNTS: usize = 65_536;

/// Accounts of an earlier day that go when a new caller comes.
const STALE_AT_ONCE: usize = 2;

const DAY_SECS: u64 = 86_400;

/// What each caller may use in one day. All rules that are for a caller hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BudgetRule {
    /// Whom it is for; `plugins` and `tools` are empty, because an account is of all a caller does. Default is everybody.
    pub only: Only,
    /// CPU time, in milliseconds. Default is any.
    pub cpu_ms: Option<u64>,
    /// Bytes, in and out. Default is any.
    pub bytes: Option<u64>,
    /// Calls. Default is any.
    pub calls: Option<u64>,
}

impl BudgetRule {
    /// What of the rule is used up, with how much it was: for the model.
    fn used_up(&self, day: &Day) -> Option<String> {
        let over = |spent: u64, limit: Option<u64>| limit.filter(|it| spent >= *it);
        if let Some(limit) = over(day.calls, self.calls) {
            return Some(format!("{limit} calls"));
        }
        if let Some(limit) = over(day.cpu_us / 1_000, self.cpu_ms) {
            return Some(format!("{limit} ms of CPU time"));
        }
        over(day.bytes, self.bytes).map(|limit| format!("{limit} bytes"))
    }

    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |problem: &str| Err(ConfigError::Rule { rule: self.to_string(), problem: problem.to_owned() });
        if !self.only.plugins.is_empty() || !self.only.tools.is_empty() {
            return wrong("a budget is of all a caller does; leave out plugins and tools, or write a rate");
        }
        if [self.cpu_ms, self.bytes, self.calls].contains(&Some(0)) {
            return wrong("0 would refuse every call; write at least 1");
        }
        if self.cpu_ms.or(self.bytes).or(self.calls).is_none() {
            return wrong("it limits nothing; write cpu-ms, bytes or calls");
        }
        Ok(())
    }
}

/// As the configuration writes it.
impl fmt::Display for BudgetRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { only, cpu_ms, bytes, calls } = self;
        let limits = [("cpu-ms", cpu_ms), ("bytes", bytes), ("calls", calls)];
        let limits: Vec<_> =
            limits.iter().filter_map(|(key, limit)| limit.map(|limit| format!("{key} = {limit}"))).collect();
        write!(f, "{{ {}{only} }}", limits.join(", "))
    }
}

/// What a call cost, from its receipt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// CPU time.
    pub cpu: Duration,
    /// Bytes, in and out.
    pub bytes: u64,
}

/// A caller has used up what it may use today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverBudget<'a> {
    /// The rule that says so.
    pub rule: &'a BudgetRule,
    /// What is used up, such as `1000 calls`.
    pub what: String,
    /// How long it is to midnight UTC.
    pub retry_after: Duration,
}

/// What all callers have spent on one day: what a host keeps over a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Days since 1970-01-01.
    pub day: u64,
    /// In no order.
    pub callers: Vec<SpentBy>,
}

/// What one caller has spent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpentBy {
    /// Who; none is all callers without a name.
    pub principal: Option<String>,
    /// Calls.
    pub calls: u64,
    /// CPU time, in microseconds.
    pub cpu_us: u64,
    /// Bytes.
    pub bytes: u64,
}

/// One caller's use of one day.
#[derive(Clone, Copy, Debug, Default)]
struct Day {
    day: u64,
    calls: u64,
    cpu_us: u64,
    bytes: u64,
}

impl Day {
    /// Begins anew where a day has begun. A clock that is set back a little does not give a day twice; one that was far
    /// ahead and is right again does not hold the old day for ever.
    fn at(&mut self, day: u64) -> &mut Self {
        if day > self.day {
            *self = Self { day, ..Self::default() };
        } else if day.saturating_add(1) < self.day {
            self.day = day;
        }
        self
    }
}

/// One caller's account.
#[derive(Debug)]
pub(crate) struct Account {
    principal: Option<Box<str>>,
    spent: Mutex<Day>,
}

impl Account {
    fn lock(&self) -> MutexGuard<'_, Day> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what a call cost.
    pub(crate) fn charge(&self, cost: Cost, now: SystemTime) {
        let mut spent = self.lock();
        let spent = spent.at(day_of(now));
        spent.cpu_us = spent.cpu_us.saturating_add(u64::try_from(cost.cpu.as_micros()).unwrap_or(u64::MAX));
        spent.bytes = spent.bytes.saturating_add(cost.bytes);
    }

    /// Takes a call back that did not run.
    pub(crate) fn give_back(&self) {
        let mut spent = self.lock();
        spent.calls = spent.calls.saturating_sub(1);
    }
}

/// All budgets and accounts. Clones share them. Without rules there are no accounts.
#[derive(Clone, Debug)]
pub struct Budgets {
    rules: Arc<[BudgetRule]>,
    accounts: Arc<Mutex<LruCache<Print, Arc<Account>, Prehashed>>>,
    printer: Printer,
}

impl Budgets {
    /// Rules, and nothing spent.
    ///
    /// # Errors
    ///
    /// A rule that refuses everything, or nothing.
    pub fn new(rules: Vec<BudgetRule>) -> Result<Self, ConfigError> {
        rules.iter().try_for_each(BudgetRule::check)?;
        let accounts = LruCache::with_hasher(MAX_ACCOUNTS, Prehashed::default());
        Ok(Self { rules: rules.into(), accounts: Arc::new(Mutex::new(accounts)), printer: Printer::default() })
    }

    /// Counts a call, if its caller has something left by each rule that is for it. None where no rule is.
    ///
    /// # Errors
    ///
    /// The first rule by which nothing is left. The call is not counted then.
    pub(crate) fn take(&self, call: &CallFacts<'_>) -> Result<Option<Arc<Account>>, OverBudget<'_>> {
        let mut rules = self.rules.iter().filter(|it| it.only.fits(call)).peekable();
        if rules.peek().is_none() {
            return Ok(None);
        }
        let day = day_of(call.now);
        let account = self.account(call.principal, day);
        {
            let mut spent = account.lock();
            let spent = spent.at(day);
            for rule in rules {
                if let Some(what) = rule.used_up(spent) {
                    return Err(OverBudget { rule, what, retry_after: until_midnight(call.now) });
                }
            }
            spent.calls = spent.calls.saturating_add(1);
        }
        Ok(Some(account))
    }

    fn account(&self, principal: Option<&str>, day: u64) -> Arc<Account> {
        let key = self.printer.of(principal);
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = accounts.get(&key) {
            return Arc::clone(account);
        }
        for _ in 0..STALE_AT_ONCE {
            if accounts.iter().next().is_none_or(|(_, oldest)| oldest.lock().day >= day) {
                break;
            }
            accounts.remove_lru();
        }
        let account = Arc::new(Account {
            principal: principal.map(Into::into),
            spent: Mutex::new(Day { day, ..Day::default() }),
        });
        accounts.insert(key, Arc::clone(&account));
        account
    }

    /// What was spent on the day of `now`, to be kept over a restart.
    pub fn export(&self, now: SystemTime) -> Spent {
        let day = day_of(now);
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let callers = accounts.iter().filter_map(|(_, account)| {
            let spent = *account.lock();
            let Day { day: of, calls, cpu_us, bytes } = spent;
            (of == day).then(|| SpentBy {
                principal: account.principal.as_deref().map(str::to_owned),
                calls,
                cpu_us,
                bytes,
            })
        });
        Spent { day, callers: callers.collect() }
    }

    /// Adds what was exported. It is forgotten if it is of another day than `now`, or if there are no rules.
    pub fn import(&self, spent: &Spent, now: SystemTime) {
        let day = day_of(now);
        if spent.day != day || self.rules.is_empty() {
            return;
        }
        for SpentBy { principal, calls, cpu_us, bytes } in spent.callers.iter().take(MAX_ACCOUNTS) {
            let account = self.account(principal.as_deref(), day);
            let mut spent = account.lock();
            let spent = spent.at(day);
            spent.calls = spent.calls.saturating_add(*calls);
            spent.cpu_us = spent.cpu_us.saturating_add(*cpu_us);
            spent.bytes = spent.bytes.saturating_add(*bytes);
        }
    }
}

fn since_epoch(now: SystemTime) -> Duration {
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn day_of(now: SystemTime) -> u64 {
    since_epoch(now).as_secs() / DAY_SECS
}

fn until_midnight(now: SystemTime) -> Duration {
    let midnight = Duration::from_secs(day_of(now).saturating_add(1).saturating_mul(DAY_SECS));
    midnight.saturating_sub(since_epoch(now))
}

#[cfg(test)]
mod tests;
