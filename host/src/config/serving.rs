//! How a plugin is served, besides what it may do: its tasks, the life of copies, and what of a new version.

use std::time::Duration;

use super::diagnostic::Faults;
use super::written::{At, CacheTable, InstancesWord, OnBreakingWord, ScopeWord, TasksValue, TasksWord};
use crate::registry::{CacheRules, OnBreaking, Serving, TaskMode};

/// Milliseconds: a day. Nobody should trust a copy, or wait with a call, for longer.
const MAX_MS: u64 = 86_400_000;

pub(super) fn resolve(
    tasks: Option<&TasksValue>,
    cache: &CacheTable,
    instances: Option<InstancesWord>,
    on_breaking: Option<OnBreakingWord>,
    faults: &mut Faults,
) -> Serving {
    let tasks = match tasks {
        None | Some(TasksValue::Word(TasksWord::Plugin)) => TaskMode::AsPlugin,
        Some(TasksValue::Word(TasksWord::Always)) => TaskMode::Always,
        Some(TasksValue::Word(TasksWord::Never)) => TaskMode::Never,
        Some(TasksValue::After(table)) => {
            let ms = bounded(Some(&table.after_ms), "after-ms", 1, faults);
            ms.map_or(TaskMode::AsPlugin, |ms| TaskMode::After(Duration::from_millis(ms)))
        }
    };
    let CacheTable { list_ttl_ms, read_ttl_ms, scope, results_ms } = cache;
    let cache = CacheRules {
        list_ttl_ms: bounded(list_ttl_ms.as_ref(), "list-ttl-ms", 0, faults),
        read_ttl_ms: bounded(read_ttl_ms.as_ref(), "read-ttl-ms", 0, faults),
        private: scope.map(|scope| matches!(scope, ScopeWord::Private)),
        results_ms: bounded(results_ms.as_ref(), "results-ms", 1, faults),
    };
    let on_breaking = match on_breaking {
        Some(OnBreakingWord::Allow) => OnBreaking::Allow,
        None | Some(OnBreakingWord::Warn) => OnBreaking::Warn,
        Some(OnBreakingWord::Refuse) => OnBreaking::Refuse,
        Some(OnBreakingWord::KeepBoth) => OnBreaking::KeepBoth,
    };
    Serving { tasks, cache, warm: matches!(instances, Some(InstancesWord::Warm)), on_breaking }
}

fn bounded(written: Option<&At<u64>>, key: &str, least: u64, faults: &mut Faults) -> Option<u64> {
    let written = written?;
    let ms = *written.get();
    if (least..=MAX_MS).contains(&ms) {
        return Some(ms);
    }
    faults.push(written.span(), format!("`{key}` is {ms}"), format!("write {least} to {MAX_MS}, which is a day"));
    None
}
