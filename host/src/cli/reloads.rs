//! What is written down of each load: what is in service since, what plugins were granted or not granted any more, and
//! whether the rules for callers changed.

use crate::Host;
use crate::policy::Grant;
use crate::registry::Snapshot;
use crate::registry::oversight::Rulebook;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;
use toolcell_telemetry::Telemetry;
use toolcell_telemetry::audit::{Event, EventKind};

/// Writes down what each load changed, until nobody serves any more. What holds at the start counts as granted then: what
/// was changed while no server ran shows there.
pub(super) async fn tell(host: Host, telemetry: Telemetry) {
    let mut reloads = host.reloads();
    let mut known = Known::default();
    loop {
        let snapshot = host.snapshot();
        if let Some(metrics) = telemetry.metrics() {
            metrics.reload(if snapshot.problems().is_empty() { "ok" } else { "problems" });
            metrics.set_plugins(i64::try_from(snapshot.plugins().len()).unwrap_or(i64::MAX));
        }
        if telemetry.audit().is_some() {
            let mut events = vec![(EventKind::Reload, in_service(&snapshot))];
            events.extend(known.changes(&snapshot, host.rules()).into_iter().map(|it| (EventKind::GrantChange, it)));
            drop(snapshot);
            for (kind, payload) in events {
                if let Err(error) = telemetry.record(Event::new(kind, SystemTime::now(), payload)).await {
                    tracing::error!("a reload is missing in the audit log: {error}");
                }
            }
        } else {
            drop(snapshot);
        }
        if reloads.changed().await.is_err() {
            return;
        }
    }
}

fn in_service(snapshot: &Snapshot) -> Value {
    let plugins: Vec<Value> = snapshot
        .plugins()
        .iter()
        .map(
            |plugin| json!({ "name": plugin.name(), "version": plugin.version(), "digest": plugin.digest.to_string() }),
        )
        .collect();
    let problems: Vec<String> = snapshot.problems().iter().map(ToString::to_string).collect();
    json!({ "generation": snapshot.generation(), "plugins": plugins, "problems": problems })
}

/// What held after the load before.
#[derive(Default)]
struct Known {
    grants: BTreeMap<String, Grant>,
    rules: Arc<Rulebook>,
}

impl Known {
    /// What holds now and did not, or the other way round: an entry for each plugin whose grant changed, and one for the
    /// rules for callers.
    fn changes(&mut self, snapshot: &Snapshot, rules: Arc<Rulebook>) -> Vec<Value> {
        let generation = snapshot.generation();
        let now: BTreeMap<String, Grant> =
            snapshot.plugins().iter().map(|plugin| (plugin.name().to_owned(), plugin.granted())).collect();
        let before = std::mem::replace(&mut self.grants, now);
        let (none, names) = (Grant::default(), before.keys().chain(self.grants.keys()));
        let mut told: Vec<Value> = names
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .filter_map(|name| {
                let (then, now) = (before.get(name).unwrap_or(&none), self.grants.get(name).unwrap_or(&none));
                let changes = now.changes_since(then);
                let data =
                    json!({ "generation": generation, "plugin": name, "added": changes.added, "removed": changes.removed });
                (!changes.is_empty()).then_some(data)
            })
            .collect();
        if *self.rules != *rules {
            let Rulebook { access, approvals } = &*rules;
            told.push(json!({
                "generation": generation, "rules": "callers",
                "access": format!("{access:?}"), "approvals": format!("{approvals:?}"),
            }));
            self.rules = rules;
        }
        told
    }
}
