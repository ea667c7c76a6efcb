//! What is known of a call before it runs.

use std::collections::BTreeSet;
use std::time::SystemTime;

/// A call that wants to be let in. Made by the host, after it knows who is calling and that they may.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallFacts<'a> {
    /// Who is calling; all callers without a name count as one.
    pub principal: Option<&'a str>,
    /// The groups the caller is in.
    pub groups: Option<&'a BTreeSet<String>>,
    /// The plugin that would run.
    pub plugin: &'a str,
    /// The tool by the name its plugin gave it.
    pub tool: &'a str,
    /// A hash of the arguments, equal for equal arguments; none where repeating the call is what the tool is for, or
    /// where the answer is kept and costs nothing.
    pub arguments_hash: Option<u128>,
    /// The wall clock, which says what day it is.
    pub now: SystemTime,
}

impl<'a> CallFacts<'a> {
    /// The facts of a call by somebody in no group.
    pub fn new(principal: Option<&'a str>, plugin: &'a str, tool: &'a str, now: SystemTime) -> Self {
        Self { principal, groups: None, plugin, tool, arguments_hash: None, now }
    }

    /// The same with the caller's groups.
    #[must_use]
    pub fn with_groups(self, groups: &'a BTreeSet<String>) -> Self {
        Self { groups: Some(groups), ..self }
    }

    /// Whether the caller is in a group.
    pub(crate) fn is_in(&self, group: &str) -> bool {
        self.groups.is_some_and(|groups| groups.contains(group))
    }

    /// The same with a hash of the arguments, so that repetition is noticed.
    #[must_use]
    pub fn with_arguments_hash(self, hash: u128) -> Self {
        Self { arguments_hash: Some(hash), ..self }
    }
}
