//! How many at once: a count for each key, of calls that are in.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use crate::config::ConfigError;
use crate::facts::CallFacts;
use crate::print::{Prehashed, Print, Printer};
use crate::rule::{Only, Per};

/// At most so many calls at once, running or waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConcurrencyRule {
    /// What is counted together.
    pub per: Per,
    /// Whom and what it is for. Default is everybody.
    pub only: Only,
    /// How many calls. At least 1.
    pub at_most: u32,
}

impl ConcurrencyRule {
    /// A rule for everybody.
    pub fn new(per: Per, at_most: u32) -> Self {
        Self { per, only: Only::default(), at_most }
    }
}

/// As the configuration writes it.
impl fmt::Display for ConcurrencyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { per, only, at_most } = self;
        write!(f, "{{ per = \"{per}\", at-most = {at_most}{only} }}")
    }
}

/// As many calls as the rule allows are in already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooMany<'a> {
    /// The rule that says so.
    pub rule: &'a ConcurrencyRule,
}

/// All rules on calls at once. Clones share what they count. A key with no call in is forgotten, so what is kept is
/// bounded by the calls that are in.
#[derive(Clone, Debug)]
pub struct Concurrency(Arc<[Counter]>, Printer);

#[derive(Debug)]
struct Counter {
    rule: ConcurrencyRule,
    inside: Mutex<HashMap<Print, u32, Prehashed>>,
}

impl Counter {
    fn lock(&self) -> MutexGuard<'_, HashMap<Print, u32, Prehashed>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, key: Print) -> bool {
        let mut inside = self.lock();
        let count = inside.entry(key).or_insert(0);
        let free = *count < self.rule.at_most;
        *count += u32::from(free);
        free
    }

    fn leave(&self, key: Print) {
        let mut inside = self.lock();
        if let Some(count) = inside.get_mut(&key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                inside.remove(&key);
            }
        }
    }
}

/// A call that is in. Dropping it lets the next one in.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    counters: Arc<[Counter]>,
    held: SmallVec<[(usize, Print); 4]>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        for (index, key) in self.held.drain(..) {
            if let Some(counter) = self.counters.get(index) {
                counter.leave(key);
            }
        }
    }
}

impl Concurrency {
    /// Rules that nobody has made use of yet.
    ///
    /// # Errors
    ///
    /// A rule that refuses everything.
    pub fn new(rules: Vec<ConcurrencyRule>) -> Result<Self, ConfigError> {
        if let Some(rule) = rules.iter().find(|it| it.at_most == 0) {
            let problem = "0 would refuse every call; write at least 1".to_owned();
            return Err(ConfigError::Rule { rule: rule.to_string(), problem });
        }
        let counters = rules.into_iter().map(|rule| Counter { rule, inside: Mutex::default() }).collect();
        Ok(Self(counters, Printer::default()))
    }

    /// Lets a call in, by each rule that is for it, or by none.
    ///
    /// # Errors
    ///
    /// The first rule that has no room.
    pub fn enter(&self, call: &CallFacts<'_>) -> Result<Permit, TooMany<'_>> {
        let mut permit = Permit { counters: Arc::clone(&self.0), held: SmallVec::new() };
        for (index, counter) in self.0.iter().enumerate() {
            if !counter.rule.only.fits(call) {
                continue;
            }
            let key = counter.rule.per.print(&self.1, call);
            if !counter.enter(key) {
                return Err(TooMany { rule: &counter.rule });
            }
            permit.held.push((index, key));
        }
        Ok(permit)
    }

    /// How many keys are remembered, of all rules.
    pub fn keys(&self) -> usize {
        self.0.iter().map(|it| it.lock().len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn call<'a>(principal: &'a str, tool: &'a str) -> CallFacts<'a> {
        CallFacts::new(Some(principal), "p", tool, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn the_count_is_of_calls_that_are_in() {
        let rules = vec![ConcurrencyRule::new(Per::Principal, 2), ConcurrencyRule::new(Per::Tool, 3)];
        let all = Concurrency::new(rules.clone()).unwrap();
        let one = all.enter(&call("ada", "a")).unwrap();
        let two = all.enter(&call("ada", "a")).unwrap();
        assert_eq!(all.enter(&call("ada", "b")).unwrap_err().rule, &rules[0]);
        let three = all.enter(&call("bob", "a")).unwrap();
        assert_eq!(all.enter(&call("bob", "a")).unwrap_err().rule, &rules[1]);
        // What the second rule refused is not in by the first.
        let four = all.enter(&call("bob", "b")).unwrap();
        assert_eq!(all.enter(&call("bob", "b")).unwrap_err().rule, &rules[0]);
        drop(one);
        let five = all.enter(&call("ada", "a")).unwrap();
        drop((two, three, four, five));
        assert_eq!(all.keys(), 0);
    }

    #[test]
    fn zero_is_no_rule() {
        let error = Concurrency::new(vec![ConcurrencyRule::new(Per::Plugin, 0)]).unwrap_err();
        assert!(error.to_string().ends_with("write at least 1"), "{error}");
    }
}
