//! What is written down of each load: what is in service since, what plugins were granted or not granted any more, and
//! whether the rules for callers changed.

use crate::Host;
use crate::policy::Grant;
use crate::registry::oversight::Rulebook;
use crate::registry::{Load, Snapshot};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::broadcast::error::RecvError;
use toolcell_telemetry::Telemetry;
use toolcell_telemetry::audit::{Event, EventKind};

/// Writes down what each load changed, until nobody serves any more. What holds at the start counts as granted then: what
/// was changed while no server ran shows there.
pub(super) async fn tell(host: Host, telemetry: Telemetry) {
    let mut loads = host.loads();
    let mut load = Load { snapshot: host.snapshot(), rules: host.rules() };
    drop(host);
    let mut known = Known::default();
    loop {
        let Load { snapshot, rules } = load;
        let generation = snapshot.generation();
        if let Some(metrics) = telemetry.metrics() {
            metrics.reload(if snapshot.problems().is_empty() { "ok" } else { "problems" });
            metrics.set_plugins(i64::try_from(snapshot.plugins().len()).unwrap_or(i64::MAX));
        }
        let mut events = Vec::new();
        if telemetry.audit().is_some() {
            events.push((EventKind::Reload, in_service(&snapshot)));
            events.extend(known.changes(&snapshot, rules).into_iter().map(|it| (EventKind::GrantChange, it)));
        }
        // A log that makes one wait must not keep what is not in service any more.
        drop(snapshot);
        for (kind, payload) in events {
            if let Err(error) = telemetry.record(Event::new(kind, SystemTime::now(), payload)).await {
                tracing::error!("a reload is missing in the audit log: {error}");
            }
        }
        load = loop {
            match loads.recv().await {
                // What was in service when this began is told already.
                Ok(next) if next.snapshot.generation() <= generation => {}
                Ok(next) => break next,
                Err(RecvError::Lagged(missed)) => {
                    tracing::error!(
                        missed,
                        "loads are missing in the audit log; what they changed is told with the next"
                    );
                }
                Err(RecvError::Closed) => return,
            }
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};
    use toolcell_telemetry::audit::AuditConfig;

    #[tokio::test]
    async fn each_of_many_quick_loads_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let config = toolcell_telemetry::Config { audit: Some(AuditConfig::new(folder.path())), ..Default::default() };
        let telemetry = Telemetry::new(config).unwrap();
        let host = Host::builder().build().await.unwrap();
        let first = host.snapshot().generation();
        let telling = tokio::spawn(tell(host.clone(), telemetry.clone()));
        tokio::task::yield_now().await;
        for _ in 0..20 {
            host.load(&[]).await;
        }
        let late = Instant::now() + Duration::from_secs(30);
        let told = loop {
            let text = std::fs::read_to_string(folder.path().join("audit.jsonl")).unwrap_or_default();
            let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let told: Vec<u64> = events
                .filter(|event| event["event"] == "reload")
                .filter_map(|event| event["data"]["generation"].as_u64())
                .collect();
            if told.len() > 20 || Instant::now() > late {
                break told;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        assert_eq!(told, (first..=first + 20).collect::<Vec<_>>());
        drop(host);
        telling.await.unwrap();
    }
}
