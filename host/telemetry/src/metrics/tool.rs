//! A tool's own metrics, found once for each call.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;

use super::Families;
use super::histogram::Durations;
use super::labels::{CallLabels, FlowLabels, MAX_TOOLS, OTHER, ToolLabels};
use crate::receipt::{Kind, Outcome, Receipt};

/// The outcomes in the order of `Handles::calls`.
const OUTCOMES: [&str; 5] = ["ok", "tool-error", "refused", "failed", "cancelled"];

/// The series of one plugin's tool, ready to be added to.
#[derive(Debug)]
pub(crate) struct Handles {
    calls: [Counter; 5],
    cpu: Counter<f64, std::sync::atomic::AtomicU64>,
    bytes_in: Counter,
    bytes_out: Counter,
    duration: Durations,
    queue: Durations,
    instantiate: Durations,
}

impl Handles {
    fn new(families: &Families, plugin: &str, tool: &str, kind: Kind) -> Self {
        let set = ToolLabels::new(plugin, tool);
        let calls = OUTCOMES
            .map(|outcome| families.calls.get_or_create_owned(&CallLabels::new(plugin, tool, kind.as_str(), outcome)));
        let bytes = |direction| families.bytes.get_or_create_owned(&FlowLabels::new(plugin, tool, direction));
        Self {
            calls,
            cpu: families.cpu.get_or_create_owned(&set),
            bytes_in: bytes("in"),
            bytes_out: bytes("out"),
            duration: families.duration.get_or_create_owned(&set),
            queue: families.queue.get_or_create_owned(&set),
            instantiate: families.instantiate.get_or_create_owned(&set),
        }
    }

    pub(crate) fn add(&self, receipt: &Receipt) {
        let [ok, tool_error, refused, failed, cancelled] = &self.calls;
        match &receipt.outcome {
            Outcome::Ok => ok,
            Outcome::ToolError => tool_error,
            Outcome::Refused { .. } => refused,
            Outcome::Failed { .. } => failed,
            Outcome::Cancelled => cancelled,
        }
        .inc();
        if receipt.cpu_ms > 0 {
            self.cpu.inc_by(Duration::from_millis(receipt.cpu_ms).as_secs_f64());
        }
        self.bytes_in.inc_by(receipt.bytes_in);
        self.bytes_out.inc_by(receipt.bytes_out);
        self.duration.observe(Duration::from_micros(receipt.wall_us));
        // What was refused never waited for a place nor got an instance.
        if !matches!(receipt.outcome, Outcome::Refused { .. }) {
            self.queue.observe(Duration::from_micros(receipt.queue_us));
            self.instantiate.observe(Duration::from_micros(receipt.instantiate_us));
        }
    }
}

/// What the calls of one plugin have cost since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Total {
    /// Processor time in seconds.
    pub(crate) cpu: f64,
    /// Arguments, in bytes.
    pub(crate) bytes_in: u64,
    /// Results, in bytes.
    pub(crate) bytes_out: u64,
}

type Tools = HashMap<String, Arc<Handles>>;

/// Finds a tool's handles by names that are not copied for it.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    kinds: [RwLock<Found>; 4],
}

#[derive(Debug, Default)]
struct Found {
    plugins: HashMap<String, Tools>,
    count: usize,
    other: Option<Arc<Handles>>,
}

impl Found {
    fn get(&self, plugin: &str, tool: &str) -> Option<Arc<Handles>> {
        self.plugins.get(plugin)?.get(tool).cloned()
    }
}

impl Cache {
    /// What each plugin's calls have cost.
    pub(crate) fn totals(&self) -> BTreeMap<String, Total> {
        // A tool and a prompt of one name share their series.
        let mut series: BTreeMap<(String, String), Arc<Handles>> = BTreeMap::new();
        for kind in &self.kinds {
            let found = kind.read().unwrap_or_else(PoisonError::into_inner);
            let other = found.other.iter().map(|handles| (OTHER, OTHER, handles));
            let named = found.plugins.iter().flat_map(|(plugin, tools)| {
                tools.iter().map(|(tool, handles)| (plugin.as_str(), tool.as_str(), handles))
            });
            for (plugin, tool, handles) in named.chain(other) {
                series.entry((plugin.to_owned(), tool.to_owned())).or_insert_with(|| Arc::clone(handles));
            }
        }
        let mut totals: BTreeMap<String, Total> = BTreeMap::new();
        for ((plugin, _), handles) in series {
            let total = totals.entry(plugin).or_default();
            total.cpu += handles.cpu.get();
            total.bytes_in = total.bytes_in.saturating_add(handles.bytes_in.get());
            total.bytes_out = total.bytes_out.saturating_add(handles.bytes_out.get());
        }
        totals
    }

    pub(crate) fn get(&self, families: &Families, plugin: &str, tool: &str, kind: Kind) -> Arc<Handles> {
        let [tools, resources, prompts, completions] = &self.kinds;
        let slot = match kind {
            Kind::Tool => tools,
            Kind::Resource => resources,
            Kind::Prompt => prompts,
            Kind::Completion => completions,
        };
        // A resource's URI is the caller's to choose within a template, so it is no label.
        let tool = if kind == Kind::Resource { "" } else { tool };
        if let Some(found) = slot.read().unwrap_or_else(PoisonError::into_inner).get(plugin, tool) {
            return found;
        }
        let mut found = slot.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = found.get(plugin, tool) {
            return found;
        }
        if found.count >= MAX_TOOLS {
            let other = found.other.get_or_insert_with(|| Arc::new(Handles::new(families, OTHER, OTHER, kind)));
            return Arc::clone(other);
        }
        let handles = Arc::new(Handles::new(families, plugin, tool, kind));
        found.plugins.entry(plugin.to_owned()).or_default().insert(tool.to_owned(), Arc::clone(&handles));
        found.count = found.count.saturating_add(1);
        handles
    }
}
