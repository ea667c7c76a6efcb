//! Counters, gauges and histograms for a Prometheus endpoint, in the OpenMetrics text format.
//!
//! A call finds its tool's series once, by a look-up that copies nothing, and adds to them without a lock. Plugins and
//! tools are the operator's names and their number is bounded all the same; principals, hosts and resources are never
//! labels. Beyond [`MAX_TOOLS`] and [`MAX_SETS`] everything is counted under `other`.
//!
//! `kind` tells tools from prompts of the same name in `toolcell_calls_total` only: the other series of a name are added
//! up. Resources have an empty `tool`.

mod histogram;
mod labels;
#[cfg(test)]
mod tests;
mod tool;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use self::histogram::Durations;
use self::labels::{
    AuthLabels, Bound, CallLabels, ClassLabels, FlowLabels, OutcomeLabels, PluginOutcomeLabels, RuleLabels, ToolLabels,
    WhatLabels,
};
pub use self::labels::{MAX_SETS, MAX_TOOLS, OTHER};
use self::tool::Cache;
pub(crate) use self::tool::Total;
use crate::audit::AuditCounts;
use crate::receipt::{Outcome, Receipt};

/// The `Content-Type` of [`Metrics::render`]'s text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type DurationFamily = Family<ToolLabels, Durations, fn() -> Durations>;

pub(crate) struct Families {
    calls: Family<CallLabels, Counter>,
    duration: DurationFamily,
    queue: DurationFamily,
    instantiate: DurationFamily,
    cpu: Family<ToolLabels, Counter<f64, AtomicU64>>,
    bytes: Family<FlowLabels, Counter>,
    refusals: Family<RuleLabels, Counter>,
    auth: Family<AuthLabels, Counter>,
    limited: Family<WhatLabels, Counter>,
    reloads: Family<OutcomeLabels, Counter>,
    http: Family<ClassLabels, Counter>,
    outgoing: Family<PluginOutcomeLabels, Counter>,
}

/// All metrics of a host. Shared by reference; every method may be called from any thread.
pub struct Metrics {
    registry: Mutex<Registry>,
    families: Families,
    cache: Cache,
    rules: Bound<(String, String)>,
    auths: Bound<(String, String)>,
    /// The series of those who were let in: every request finds its own without copying a name.
    let_in: RwLock<BTreeMap<&'static str, Counter>>,
    limits: Bound<String>,
    reloads: Bound<String>,
    outgoing: Bound<(String, String)>,
    in_flight: Gauge,
    plugins: Gauge,
    sessions: Gauge,
    streams: Gauge,
    audit_lines: Counter,
    audit_lost: Counter,
    audit_failures: Counter,
    audit_head: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// All of them at zero.
    pub fn new() -> Self {
        let families = Families {
            calls: Family::default(),
            duration: Family::new_with_constructor(Durations::calls),
            queue: Family::new_with_constructor(Durations::steps),
            instantiate: Family::new_with_constructor(Durations::steps),
            cpu: Family::default(),
            bytes: Family::default(),
            refusals: Family::default(),
            auth: Family::default(),
            limited: Family::default(),
            reloads: Family::default(),
            http: Family::default(),
            outgoing: Family::default(),
        };
        let metrics = Self {
            registry: Mutex::new(Registry::with_prefix("toolcell")),
            families,
            cache: Cache::default(),
            rules: Bound::new(MAX_SETS),
            auths: Bound::new(MAX_SETS),
            let_in: RwLock::default(),
            limits: Bound::new(MAX_SETS),
            reloads: Bound::new(MAX_SETS),
            outgoing: Bound::new(MAX_SETS),
            in_flight: Gauge::default(),
            plugins: Gauge::default(),
            sessions: Gauge::default(),
            streams: Gauge::default(),
            audit_lines: Counter::default(),
            audit_lost: Counter::default(),
            audit_failures: Counter::default(),
            audit_head: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let Families {
            calls,
            duration,
            queue,
            instantiate,
            cpu,
            bytes,
            refusals,
            auth,
            limited,
            reloads,
            http,
            outgoing,
        } = &self.families;
        registry.register("calls", "Calls that ended, by how", calls.clone());
        registry.register("call_duration_seconds", "From a call's coming in to its answer", duration.clone());
        registry.register("call_queue_seconds", "Waiting for a place", queue.clone());
        registry.register("call_instantiate_seconds", "Making a call's instance", instantiate.clone());
        registry.register("call_cpu_seconds", "Processor time of guests", cpu.clone());
        registry.register("call_bytes", "Arguments (in) and results (out)", bytes.clone());
        registry.register("calls_in_flight", "Calls that have not ended", self.in_flight.clone());
        registry.register("refusals", "Calls and guests' requests refused, by rule", refusals.clone());
        registry.register("auth", "Attempts to authenticate", auth.clone());
        registry.register("rate_limited", "Requests over a limit", limited.clone());
        registry.register("reloads", "Loads of plugins, by how they ended", reloads.clone());
        registry.register("plugins", "Plugins in service", self.plugins.clone());
        registry.register("sessions", "Sessions", self.sessions.clone());
        registry.register("streams", "Open event streams", self.streams.clone());
        registry.register("http_requests", "HTTP requests answered, by class of status", http.clone());
        registry.register("outgoing_requests", "HTTP requests of guests", outgoing.clone());
        registry.register("audit_lines", "Lines written since the start", self.audit_lines.clone());
        registry.register("audit_lost", "Events lost to a full queue since the start", self.audit_lost.clone());
        registry.register("audit_failures", "Failed writes since the start", self.audit_failures.clone());
        registry.register("audit_head_seq", "Number of the last line", self.audit_head.clone());
    }

    /// A call began.
    pub fn call_began(&self) {
        self.in_flight.inc();
    }

    /// A call that began is over, whether it has a receipt or not.
    pub fn call_over(&self) {
        self.in_flight.dec();
    }

    /// How many calls have not ended.
    pub fn in_flight(&self) -> i64 {
        self.in_flight.get()
    }

    /// What each plugin's calls have cost.
    pub(crate) fn totals(&self) -> BTreeMap<String, Total> {
        self.cache.totals()
    }

    /// Counts a call that ended.
    pub fn call(&self, receipt: &Receipt) {
        self.cache.get(&self.families, &receipt.plugin, &receipt.name, receipt.kind).add(receipt);
        if let Outcome::Refused { rule } = &receipt.outcome {
            self.refusal(&receipt.plugin, rule);
        }
        for refusal in &receipt.refusals {
            self.refusal(&receipt.plugin, &refusal.code);
        }
    }

    /// Something was refused, by which rule.
    pub fn refusal(&self, plugin: &str, rule: &str) {
        let (plugin, rule) = pair(&self.rules, plugin, rule);
        self.families.refusals.get_or_create_owned(&RuleLabels::new(plugin, rule)).inc();
    }

    /// Someone who was not let in tried to authenticate, by which method and with what outcome.
    pub fn auth(&self, method: &str, outcome: &str) {
        let (method, outcome) = pair(&self.auths, method, outcome);
        self.families.auth.get_or_create_owned(&AuthLabels::new(method, outcome)).inc();
    }

    /// Someone was let in, by which method.
    pub fn let_in(&self, method: &'static str) {
        let known = |all: &BTreeMap<&'static str, Counter>| all.get(method).map(Counter::inc).is_some();
        if !known(&self.let_in.read().unwrap_or_else(PoisonError::into_inner)) {
            let mut all = self.let_in.write().unwrap_or_else(PoisonError::into_inner);
            let labels = AuthLabels::new(method, "ok");
            all.entry(method).or_insert_with(|| self.families.auth.get_or_create_owned(&labels)).inc();
        }
    }

    /// A limit was reached: `principal`, `tool`, `plugin`, `budget`, `load`.
    pub fn rate_limited(&self, what: &str) {
        let what = single(&self.limits, what);
        self.families.limited.get_or_create_owned(&WhatLabels::new(what)).inc();
    }

    /// A plugin was loaded, or not.
    pub fn reload(&self, outcome: &str) {
        let outcome = single(&self.reloads, outcome);
        self.families.reloads.get_or_create_owned(&OutcomeLabels::new(outcome)).inc();
    }

    /// What the HTTP endpoint has done: requests answered so far by the first digit of their status, sessions and streams
    /// that are open. Called before rendering.
    pub fn set_traffic(&self, answered: [u64; 5], sessions: i64, streams: i64) {
        for (class, count) in ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().zip(answered) {
            // The endpoint keeps these counts itself.
            let counter = self.families.http.get_or_create_owned(&ClassLabels::new(class));
            counter.inner().store(count, Ordering::Relaxed);
        }
        self.sessions.set(sessions);
        self.streams.set(streams);
    }

    /// So many HTTP requests of guests ended: `ok`, `error`, `refused`.
    pub fn outgoing_requests(&self, plugin: &str, outcome: &str, count: u64) {
        if count > 0 {
            let (plugin, outcome) = pair(&self.outgoing, plugin, outcome);
            self.families.outgoing.get_or_create_owned(&PluginOutcomeLabels::new(plugin, outcome)).inc_by(count);
        }
    }

    /// How many plugins are in service.
    pub fn set_plugins(&self, count: i64) {
        self.plugins.set(count);
    }

    /// What the audit log has done. Called before rendering.
    pub fn set_audit(&self, counts: AuditCounts, head: u64) {
        // The log keeps these counts itself.
        self.audit_lines.inner().store(counts.lines, Ordering::Relaxed);
        self.audit_lost.inner().store(counts.lost, Ordering::Relaxed);
        self.audit_failures.inner().store(counts.failures, Ordering::Relaxed);
        self.audit_head.set(i64::try_from(head).unwrap_or(i64::MAX));
    }

    /// The OpenMetrics text of everything, to be sent as [`CONTENT_TYPE`].
    ///
    /// # Errors
    ///
    /// If the text cannot be written into memory, which does not happen.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

fn single<'a>(bound: &Bound<String>, value: &'a str) -> &'a str {
    if bound.admits(value.to_owned()) { value } else { OTHER }
}

fn pair<'a>(bound: &Bound<(String, String)>, one: &'a str, two: &'a str) -> (&'a str, &'a str) {
    if bound.admits((one.to_owned(), two.to_owned())) { (one, two) } else { (OTHER, OTHER) }
}
