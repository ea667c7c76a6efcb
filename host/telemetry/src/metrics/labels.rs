//! Label sets, and the bound on how many there are.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{PoisonError, RwLock};

use prometheus_client::encoding::EncodeLabelSet;

/// How many pairs of plugin and tool have series of their own; the rest share `other`.
pub const MAX_TOOLS: usize = 1_000;
/// How many label sets any other metric has; the rest share `other`.
pub const MAX_SETS: usize = 500;
/// What stands in a label for everything beyond the bound.
pub const OTHER: &str = "other";

macro_rules! labels {
    ($($name:ident { $($field:ident),* })*) => {
        $(#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
        pub(crate) struct $name {
            $(pub $field: String,)*
        }

        impl $name {
            pub(crate) fn new($($field: &str),*) -> Self {
                Self { $($field: $field.to_owned()),* }
            }
        })*
    };
}

labels! {
    CallLabels { plugin, tool, kind, outcome }
    ToolLabels { plugin, tool }
    FlowLabels { plugin, tool, direction }
    RuleLabels { plugin, rule }
    AuthLabels { method, outcome }
    WhatLabels { what }
    OutcomeLabels { outcome }
    PluginOutcomeLabels { plugin, outcome }
    ClassLabels { class }
}

/// Lets the first so many label sets through and says `false` to all others.
#[derive(Debug)]
pub(crate) struct Bound<K> {
    max: usize,
    seen: RwLock<HashSet<K>>,
}

impl<K: Eq + Hash> Bound<K> {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, seen: RwLock::new(HashSet::new()) }
    }

    pub(crate) fn admits(&self, key: K) -> bool {
        if self.seen.read().unwrap_or_else(PoisonError::into_inner).contains(&key) {
            return true;
        }
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= self.max {
            return seen.contains(&key);
        }
        seen.insert(key);
        true
    }
}
