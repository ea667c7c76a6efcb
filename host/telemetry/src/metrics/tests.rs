use std::collections::HashMap;
use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::receipt::Kind;

/// Reads OpenMetrics text strictly: every sample belongs to a family that was described before, names and labels are
/// well-formed, no series is there twice, and the text ends with `# EOF`.
fn parse(text: &str) -> HashMap<String, f64> {
    let mut samples = HashMap::new();
    let mut kinds: HashMap<String, String> = HashMap::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line == "# EOF" {
            assert!(lines.peek().is_none(), "text after the end");
            return samples;
        }
        if let Some(meta) = line.strip_prefix("# ") {
            let (word, rest) = meta.split_once(' ').unwrap();
            let (name, value) = rest.split_once(' ').unwrap();
            match word {
                "TYPE" => assert!(kinds.insert(name.into(), value.into()).is_none(), "{name} twice"),
                "HELP" | "UNIT" => {}
                other => panic!("{other}"),
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        let family = ["_total", "_bucket", "_sum", "_count"]
            .iter()
            .filter_map(|suffix| name.strip_suffix(suffix))
            .find(|family| kinds.contains_key(*family))
            .unwrap_or(name);
        let kind = kinds.get(family).unwrap_or_else(|| panic!("{name} was not described"));
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
        if let Some(labels) = series.strip_prefix(name).filter(|labels| !labels.is_empty()) {
            assert!(labels.starts_with('{') && labels.ends_with("\"}"), "{labels}");
        }
        assert!(samples.insert(series.to_owned(), value.parse().unwrap()).is_none(), "{series} twice");
    }
    panic!("no end");
}

fn receipt(plugin: &str, tool: &str, outcome: Outcome) -> Receipt {
    Receipt::builder(plugin, tool, Kind::Tool, UNIX_EPOCH)
        .outcome(outcome)
        .times(Duration::from_millis(3), Duration::from_micros(20), Duration::from_micros(40), Duration::ZERO)
        .cpu_ms(2)
        .bytes_in(10)
        .bytes_out(100)
        .build()
}

#[test]
fn calls_are_counted_under_their_names() {
    let metrics = Metrics::new();
    metrics.call_began();
    metrics.call(&receipt("weather", "forecast", Outcome::Ok));
    metrics.call(&receipt("weather", "forecast", Outcome::ToolError));
    metrics.call(&receipt("weather", "forecast", Outcome::Refused { rule: "rate".into() }));
    metrics.let_in("key");
    metrics.rate_limited("principal");
    metrics.reload("ok");
    metrics.set_plugins(3);
    metrics.set_traffic([0, 5, 0, 1, 0], 2, 0);
    metrics.outgoing_requests("weather", "ok", 1);
    metrics.outgoing_requests("weather", "error", 0);
    metrics.set_audit(AuditCounts { lines: 7, lost: 1, failures: 0 }, 9);
    let samples = parse(&metrics.render().unwrap());
    let tool = r#"plugin="weather",tool="forecast""#;
    for (series, value) in [
        (format!("toolcell_calls_total{{{tool},kind=\"tool\",outcome=\"ok\"}}"), 1.0),
        (format!("toolcell_calls_total{{{tool},kind=\"tool\",outcome=\"tool-error\"}}"), 1.0),
        (format!("toolcell_calls_total{{{tool},kind=\"tool\",outcome=\"refused\"}}"), 1.0),
        (format!("toolcell_calls_total{{{tool},kind=\"tool\",outcome=\"failed\"}}"), 0.0),
        (format!("toolcell_call_duration_seconds_count{{{tool}}}"), 3.0),
        (format!("toolcell_call_duration_seconds_sum{{{tool}}}"), 0.009),
        (format!("toolcell_call_duration_seconds_bucket{{le=\"0.0025\",{tool}}}"), 0.0),
        (format!("toolcell_call_duration_seconds_bucket{{le=\"0.005\",{tool}}}"), 3.0),
        (format!("toolcell_call_duration_seconds_bucket{{le=\"+Inf\",{tool}}}"), 3.0),
        (format!("toolcell_call_queue_seconds_count{{{tool}}}"), 2.0),
        (format!("toolcell_call_instantiate_seconds_count{{{tool}}}"), 2.0),
        (format!("toolcell_call_cpu_seconds_total{{{tool}}}"), 0.006),
        (format!("toolcell_call_bytes_total{{{tool},direction=\"in\"}}"), 30.0),
        (format!("toolcell_call_bytes_total{{{tool},direction=\"out\"}}"), 300.0),
        ("toolcell_calls_in_flight".into(), 1.0),
        ("toolcell_refusals_total{plugin=\"weather\",rule=\"rate\"}".into(), 1.0),
        ("toolcell_auth_total{method=\"key\",outcome=\"ok\"}".into(), 1.0),
        ("toolcell_rate_limited_total{what=\"principal\"}".into(), 1.0),
        ("toolcell_reloads_total{outcome=\"ok\"}".into(), 1.0),
        ("toolcell_plugins".into(), 3.0),
        ("toolcell_sessions".into(), 2.0),
        ("toolcell_streams".into(), 0.0),
        ("toolcell_http_requests_total{class=\"4xx\"}".into(), 1.0),
        ("toolcell_outgoing_requests_total{plugin=\"weather\",outcome=\"ok\"}".into(), 1.0),
        ("toolcell_audit_lines_total".into(), 7.0),
        ("toolcell_audit_lost_total".into(), 1.0),
        ("toolcell_audit_head_seq".into(), 9.0),
    ] {
        let found = samples.get(&series).unwrap_or_else(|| panic!("no {series} in {samples:#?}"));
        assert!((found - value).abs() < 1e-9, "{series} is {found}");
    }
}

#[test]
fn names_beyond_the_bound_are_other() {
    let metrics = Metrics::new();
    for n in 0..MAX_TOOLS + 50 {
        metrics.call(&receipt("p", &format!("t{n}"), Outcome::Ok));
    }
    for n in 0..MAX_SETS + 50 {
        metrics.auth(&format!("m{n}"), "ok");
    }
    let samples = parse(&metrics.render().unwrap());
    assert_eq!(samples[r#"toolcell_calls_total{plugin="other",tool="other",kind="tool",outcome="ok"}"#], 50.0);
    assert_eq!(samples[r#"toolcell_auth_total{method="other",outcome="other"}"#], 50.0);
    let series = samples.keys().filter(|name| name.starts_with("toolcell_call_cpu_seconds_total")).count();
    assert_eq!(series, MAX_TOOLS + 1);
}

#[test]
fn a_resource_is_no_label_and_names_are_escaped() {
    let metrics = Metrics::new();
    for uri in ["file:///alice", "file:///bob"] {
        metrics.call(&Receipt::builder("fs\"\n\\", uri, Kind::Resource, UNIX_EPOCH).build());
    }
    let text = metrics.render().unwrap();
    let samples = parse(&text);
    assert_eq!(samples[r#"toolcell_calls_total{plugin="fs\"\n\\",tool="",kind="resource",outcome="ok"}"#], 2.0);
    assert!(!text.contains("alice"));
}
