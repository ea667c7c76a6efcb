//! `[audit]`, `[telemetry]` and `[quotas]`: what is written down of calls, and how much callers may use.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use toolcell_quota::{BudgetRule, ConcurrencyRule, Every, Only, Per, QueueConfig, RateRule, RepeatConfig, ShedConfig};

use super::diagnostic::Faults;
use super::written::{At, Expected, Size, Table};

/// What is written down.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RecordConfig {
    /// The audit log.
    pub audit: Option<AuditSettings>,
    /// Where usage is kept, by day.
    pub usage: Option<PathBuf>,
    /// The collector of traces, metrics and logs.
    pub otlp: Option<OtlpSettings>,
}

/// The audit log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditSettings {
    /// Its folder.
    pub dir: PathBuf,
    /// The file of the key that makes the chain one only its holder can write.
    pub key: Option<PathBuf>,
    /// Whether events are dropped, and counted, where the disk cannot keep up. Otherwise calls wait.
    pub drop_when_full: bool,
    /// Closed files that are kept.
    pub keep: Option<usize>,
    /// Size at which a file is closed.
    pub max_bytes: Option<u64>,
}

/// The collector.
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpSettings {
    /// Its base address.
    pub endpoint: String,
    /// Headers, by the variables that hold their values.
    pub headers_env: Vec<(String, String)>,
    /// The share of calls that is traced, from 0 to 1.
    pub ratio: Option<f64>,
    /// Whether arguments are recorded in spans.
    pub contents: bool,
    /// Members of arguments that are taken out before.
    pub redact: Vec<String>,
}

/// The audit log: every call, refusal, reload, change of grants and administrative act, a line each, chained by hashes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("required" = ["dir"]))]
pub(super) struct AuditTable {
    /// Its folder; made if it is not there.
    pub(super) dir: Option<At<String>>,
    /// File with a key of 64 hexadecimal digits, readable by the server's user alone: without it nobody can write the
    /// chain anew. Default is a chain that anyone who may write the folder can.
    pub(super) key: Option<At<String>>,
    /// What happens when the disk cannot keep up: `"wait"` lets calls wait, `"drop"` drops lines and counts them. Default
    /// is `"wait"`.
    pub(super) when_full: Option<FullWord>,
    /// Closed files that are kept; 0 keeps all. Default is 90.
    pub(super) keep: Option<usize>,
    /// Size at which a file is closed. Default is 64 MiB.
    pub(super) max_bytes: Option<At<Size>>,
}

/// What happens when the disk cannot keep up.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FullWord {
    /// Calls wait.
    Wait,
    /// Lines are dropped and counted.
    Drop,
}

/// What is measured and where it goes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TelemetryTable {
    /// Folder in which the cost of calls is kept by principal, plugin, tool and day, for `toolcell usage`.
    pub(super) usage: Option<At<String>>,
    /// The collector for OpenTelemetry (OTLP over HTTP), such as `http://127.0.0.1:4318`.
    pub(super) otlp: Option<At<String>>,
    /// Headers for the collector, each with the variable of the host's environment that holds its value.
    pub(super) headers_env: IndexMap<String, String>,
    /// The share of calls that is traced, from 0 to 1; those whose callers trace them are always. Default is 0.1.
    pub(super) trace_ratio: Option<At<f64>>,
    /// Whether arguments and results are recorded in traces. Default is false.
    pub(super) contents: bool,
    /// What is taken out of them before, as paths such as `/**/token`.
    pub(super) redact: Vec<String>,
}

/// How much callers may use.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct QuotasTable {
    /// How often.
    pub(super) rates: Vec<At<Table<RateTable>>>,
    /// How many at once, running or waiting. Default is 1000 of each caller.
    pub(super) concurrency: Option<Vec<At<Table<ConcurrencyTable>>>>,
    /// How much in a day (UTC).
    pub(super) budgets: Vec<Table<BudgetTable>>,
    /// The queue in which calls wait for their turn, each caller's for itself.
    pub(super) queue: Table<QueueTable>,
    /// Refuses the same call of the same caller again and again, which a model in a loop makes. Default is not to.
    pub(super) repeat: Option<Table<RepeatTable>>,
}

/// Whom a rule is for.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct OnlyTable {
    /// Callers by their identifiers. Default is all, as for the others.
    pub(super) principals: Vec<String>,
    /// Callers in one of these groups.
    pub(super) groups: Vec<String>,
    /// Callers in none of these groups.
    pub(super) except_groups: Vec<String>,
    /// Plugins.
    pub(super) plugins: Vec<String>,
    /// Tools, by the names clients see.
    pub(super) tools: Vec<String>,
}

/// How often something may be called.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("required" = ["at-most", "every"]))]
pub(super) struct RateTable {
    /// What is counted together: `"principal"` (the default), `"tool"`, `"plugin"` or `"principal-and-tool"`.
    pub(super) per: Option<At<String>>,
    /// Calls.
    pub(super) at_most: Option<At<u32>>,
    /// In a `"second"`, `"minute"`, `"hour"` or `"day"`.
    pub(super) every: Option<At<String>>,
    /// Calls at once, after a pause. Default is as many as in that time.
    pub(super) burst: Option<u32>,
    /// Whom it is for. Default is everyone.
    pub(super) only: Table<OnlyTable>,
}

/// How many calls there may be at once.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("required" = ["at-most"]))]
pub(super) struct ConcurrencyTable {
    /// What is counted together: `"principal"` (the default), `"tool"`, `"plugin"` or `"principal-and-tool"`.
    pub(super) per: Option<At<String>>,
    /// Calls.
    pub(super) at_most: Option<At<u32>>,
    /// Whom it is for. Default is everyone.
    pub(super) only: Table<OnlyTable>,
}

/// How much each caller may use in a day.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct BudgetTable {
    /// Milliseconds of processor time.
    pub(super) cpu_ms: Option<u64>,
    /// Bytes of arguments and results.
    pub(super) bytes: Option<u64>,
    /// Calls.
    pub(super) calls: Option<u64>,
    /// Whom it is for. Default is everyone.
    pub(super) only: Table<OnlyTable>,
}

/// The queue.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct QueueTable {
    /// Calls that run at once. Default is 256.
    pub(super) places: Option<usize>,
    /// Calls of one caller that run at once. Default is three quarters of `places`.
    pub(super) per_caller: Option<usize>,
    /// Calls of one caller that wait. Default is 1000.
    pub(super) waiting_per_caller: Option<usize>,
    /// Calls that wait in all. Default is 10000.
    pub(super) waiting: Option<usize>,
    /// Milliseconds a call waits. Default is 30000.
    pub(super) max_wait_ms: Option<u64>,
    /// Turns in a row of callers in a group. Default is 1.
    pub(super) weights: IndexMap<String, u32>,
}

/// What is a loop.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RepeatTable {
    /// The same calls. Default is 20.
    pub(super) at_most: Option<u32>,
    /// Milliseconds within which they come. Default is 60000.
    pub(super) within_ms: Option<u64>,
    /// Milliseconds for which the call is refused then. Default is 10000.
    pub(super) pause_ms: Option<u64>,
}

impl Expected for AuditTable {
    const EXPECTED: &'static str = "a table, [audit] with dir = \"audit\"";
}
impl Expected for TelemetryTable {
    const EXPECTED: &'static str = "a table, [telemetry] with otlp = \"http://127.0.0.1:4318\"";
}
impl Expected for QuotasTable {
    const EXPECTED: &'static str = "a table, [quotas]";
}
impl Expected for OnlyTable {
    const EXPECTED: &'static str = "a table like { groups = [\"guests\"] }";
}
impl Expected for RateTable {
    const EXPECTED: &'static str = "a table, [[quotas.rates]] with at-most = 100 and every = \"minute\"";
}
impl Expected for ConcurrencyTable {
    const EXPECTED: &'static str = "a table, [[quotas.concurrency]] with at-most = 10";
}
impl Expected for BudgetTable {
    const EXPECTED: &'static str = "a table, [[quotas.budgets]] with calls = 10000";
}
impl Expected for QueueTable {
    const EXPECTED: &'static str = "a table, [quotas.queue]";
}
impl Expected for RepeatTable {
    const EXPECTED: &'static str = "a table, [quotas.repeat] with at-most = 20";
}

pub(super) fn resolve(
    audit: Option<&Table<AuditTable>>,
    Table(telemetry): &Table<TelemetryTable>,
    base: &Path,
    faults: &mut Faults,
) -> RecordConfig {
    let path = |written: &At<String>| base.join(written.get()).components().collect::<PathBuf>();
    let audit = audit.and_then(|Table(table)| match &table.dir {
        Some(dir) if !dir.get().is_empty() => Some(AuditSettings {
            dir: path(dir),
            key: table.key.as_ref().map(path),
            drop_when_full: matches!(table.when_full, Some(FullWord::Drop)),
            keep: table.keep,
            max_bytes: table.max_bytes.as_ref().map(|size| size.get().0),
        }),
        _ => {
            faults.push(0..0, "[audit] has no `dir`", "add dir = \"audit\", the folder of the log");
            None
        }
    });
    if let Some(ratio) = &telemetry.trace_ratio
        && !(0.0..=1.0).contains(ratio.get())
    {
        faults.push(ratio.span(), format!("`trace-ratio` is {}", ratio.get()), "write 0 to 1, such as 0.1");
    }
    let otlp = telemetry.otlp.as_ref().map(|endpoint| OtlpSettings {
        endpoint: endpoint.get().clone(),
        headers_env: telemetry.headers_env.iter().map(|(name, env)| (name.clone(), env.clone())).collect(),
        ratio: telemetry.trace_ratio.as_ref().map(|ratio| *ratio.get()),
        contents: telemetry.contents,
        redact: telemetry.redact.clone(),
    });
    RecordConfig { audit, usage: telemetry.usage.as_ref().map(path), otlp }
}

/// None where nothing is said of quotas: then calls are not counted.
pub(super) fn resolve_quotas(
    table: Option<&Table<QuotasTable>>,
    faults: &mut Faults,
) -> Option<toolcell_quota::Config> {
    let Table(QuotasTable { rates, concurrency, budgets, queue: Table(queue), repeat }) = table?;
    let mut config = toolcell_quota::Config::default();
    for table in rates {
        let Table(RateTable { per, at_most, every, burst, only: Table(only) }) = table.get();
        let (Some(at_most), Some(every)) = (at_most, every) else {
            faults.push_missing(table.span(), "the rate is not complete", "write at-most = 100 and every = \"minute\"");
            continue;
        };
        let per = word(per.as_ref(), Per::Principal, faults);
        let mut rule = RateRule::new(per, *at_most.get(), word(Some(every), Every::Minute, faults));
        rule.burst = *burst;
        rule.only = only_of(only);
        config.rates.push(rule);
    }
    if let Some(tables) = concurrency {
        config.concurrency.clear();
        for table in tables {
            let Table(ConcurrencyTable { per, at_most, only: Table(only) }) = table.get();
            let Some(at_most) = at_most else {
                faults.push_missing(table.span(), "the rule has no `at-most`", "add at-most = 10");
                continue;
            };
            let mut rule = ConcurrencyRule::new(word(per.as_ref(), Per::Principal, faults), *at_most.get());
            rule.only = only_of(only);
            config.concurrency.push(rule);
        }
    }
    for Table(BudgetTable { cpu_ms, bytes, calls, only: Table(only) }) in budgets {
        config.budgets.push(BudgetRule { only: only_of(only), cpu_ms: *cpu_ms, bytes: *bytes, calls: *calls });
    }
    let default = QueueConfig::default();
    config.queue = Some(QueueConfig {
        places: queue.places.unwrap_or(default.places),
        per_caller: queue.per_caller,
        waiting_per_caller: queue.waiting_per_caller.unwrap_or(default.waiting_per_caller),
        waiting: queue.waiting.unwrap_or(default.waiting),
        max_wait: queue.max_wait_ms.map_or(default.max_wait, Duration::from_millis),
        weights: queue.weights.iter().map(|(group, weight)| (group.clone(), *weight)).collect(),
    });
    config.repeat = repeat.as_ref().map(|Table(RepeatTable { at_most, within_ms, pause_ms })| {
        let default = RepeatConfig::default();
        RepeatConfig {
            at_most: at_most.unwrap_or(default.at_most),
            within: within_ms.map_or(default.within, Duration::from_millis),
            pause: pause_ms.map_or(default.pause, Duration::from_millis),
        }
    });
    config.shed = ShedConfig::default();
    if let Err(error) = toolcell_quota::Quotas::new(config.clone()) {
        faults.push(0..0, format!("[quotas] cannot hold: {error}"), "correct it");
        return None;
    }
    Some(config)
}

fn word<T: FromStr<Err: ToString>>(written: Option<&At<String>>, default: T, faults: &mut Faults) -> T {
    let Some(written) = written else { return default };
    written.get().parse().unwrap_or_else(|error: T::Err| {
        faults.push(written.span(), error.to_string(), "write one of these");
        default
    })
}

fn only_of(only: &OnlyTable) -> Only {
    let OnlyTable { principals, groups, except_groups, plugins, tools } = only.clone();
    Only { principals, groups, except_groups, plugins, tools }
}
