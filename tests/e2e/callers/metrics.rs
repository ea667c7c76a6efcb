//! `/metrics` as Prometheus reads it: by its own parser, family by family.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use toolcell_tests::artifacts;
use toolcell_tests::host::Host;
use toolcell_tests::http::Http;
use toolcell_tests::mcp::Modern;
use toolcell_tests::site::Site;
use toolcell_tests::web::Web;

use super::{new_key, with_key};

/// What Prometheus' parser makes of a text: families by name.
fn parsed(text: &str) -> Value {
    let mut reader = Command::new(artifacts::client("python-observers"))
        .arg(artifacts::client_sources().join("python/metrics.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the parser starts");
    reader.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
    let output = reader.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it writes JSON")
}

/// The value of a sample.
fn value(families: &Value, family: &str, sample: &str, labels: &Value) -> Option<f64> {
    let samples = families[family]["samples"].as_array()?;
    samples.iter().find(|it| it["name"] == sample && &it["labels"] == labels)?["value"].as_f64()
}

/// Every family there is: its name, type and unit, and whether there are samples after what the test did.
const FAMILIES: [(&str, &str, &str); 20] = [
    ("toolcell_audit_failures", "counter", ""),
    ("toolcell_audit_head_seq", "gauge", ""),
    ("toolcell_audit_lines", "counter", ""),
    ("toolcell_audit_lost", "counter", ""),
    ("toolcell_auth", "counter", ""),
    ("toolcell_call_bytes", "counter", ""),
    ("toolcell_call_cpu_seconds", "counter", ""),
    ("toolcell_call_duration_seconds", "histogram", ""),
    ("toolcell_call_instantiate_seconds", "histogram", ""),
    ("toolcell_call_queue_seconds", "histogram", ""),
    ("toolcell_calls", "counter", ""),
    ("toolcell_calls_in_flight", "gauge", ""),
    ("toolcell_http_requests", "counter", ""),
    ("toolcell_outgoing_requests", "counter", ""),
    ("toolcell_plugins", "gauge", ""),
    ("toolcell_rate_limited", "counter", ""),
    ("toolcell_refusals", "counter", ""),
    ("toolcell_reloads", "counter", ""),
    ("toolcell_sessions", "gauge", ""),
    ("toolcell_streams", "gauge", ""),
];

#[test]
fn prometheus_reads_every_family_with_the_right_values() {
    let site = Site::new();
    let web = Web::serve(BTreeMap::from([("/page", ("text/plain", "the page".to_owned()))]));
    let key = new_key(&site, "alice", &[]);
    let config = "[server]\nadmin = '127.0.0.1:0'\n[auth]\nkeys = 'keys.json'\n[audit]\ndir = 'audit'\n\
                  [[allow]]\nprincipals = ['alice']\ntools = ['echo', 'fetch', 'fs_*']\n\
                  [[quotas.rates]]\nat-most = 1\nevery = 'hour'\nonly = { tools = ['fs_list_directory'] }\n";
    let fetch = format!(
        "hosts = ['{}']\naddresses = ['127.0.0.1/32']\nenv = {{ FETCH_IGNORE_ROBOTS_TXT = '1' }}",
        web.origin()
    );
    let plugins =
        [Site::plugin("echo", ""), Site::plugin("fetch", &fetch), Site::plugin("filesystem", "prefix = 'fs_'")];
    let host = Host::serve(&site.config(&format!("{config}{}", plugins.concat())));
    let mut alice = with_key(&host, &key);
    for _ in 0..10 {
        alice.say("echo", &json!({ "message": "hello" }));
    }
    alice.call("fs_read_file", &json!({ "path": "/nowhere" }));
    for _ in 0..2 {
        alice.ask("tools/call", &json!({ "name": "fs_list_directory", "arguments": { "path": "/" } }));
    }
    alice.call("fetch", &json!({ "url": format!("{}/page", web.origin()), "raw": true }));
    alice.call("fetch", &json!({ "url": "http://elsewhere.example/", "raw": true }));
    let mut nobody = Modern::new(host.connect()).with_header("Authorization", "Bearer tck_nobody");
    assert_eq!(nobody.answer("tools/list", &json!({})).head.status, 401);

    let answer = Http::connect(host.admin()).request("GET", "/metrics", &[], b"");
    let kind = answer.head.header("content-type").unwrap_or_default();
    assert_eq!((answer.head.status, kind), (200, "application/openmetrics-text; version=1.0.0; charset=utf-8"));
    let families = parsed(&answer.text());
    let all = families.as_object().expect("families");
    let found: Vec<_> = all
        .iter()
        .map(|(name, family)| {
            let help = family["help"].as_str().unwrap_or_default();
            assert!(help.ends_with('.') && help.len() > 8, "{name} says what it is: {help:?}");
            (name.as_str(), family["type"].as_str().unwrap_or_default(), family["unit"].as_str().unwrap_or_default())
        })
        .collect();
    let mut found = found;
    found.sort_unstable();
    assert_eq!(found, FAMILIES);

    let echo = json!({ "plugin": "echo", "tool": "echo" });
    let outcome = |plugin: &str, tool: &str, outcome: &str| json!({ "plugin": plugin, "tool": tool, "kind": "tool", "outcome": outcome });
    let flow = |direction: &str| json!({ "plugin": "echo", "tool": "echo", "direction": direction });
    for (family, sample, labels, expected) in [
        ("calls", "calls_total", outcome("echo", "echo", "ok"), 10.0),
        ("calls", "calls_total", outcome("echo", "echo", "tool-error"), 0.0),
        ("calls", "calls_total", outcome("filesystem", "fs_read_file", "tool-error"), 1.0),
        ("calls", "calls_total", outcome("fetch", "fetch", "ok"), 1.0),
        ("calls", "calls_total", outcome("fetch", "fetch", "tool-error"), 1.0),
        // {"message":"hello"} ten times.
        ("call_bytes", "call_bytes_total", flow("in"), 190.0),
        ("call_duration_seconds", "call_duration_seconds_count", echo.clone(), 10.0),
        ("call_queue_seconds", "call_queue_seconds_count", echo.clone(), 10.0),
        ("call_instantiate_seconds", "call_instantiate_seconds_count", echo.clone(), 10.0),
        ("calls_in_flight", "calls_in_flight", json!({}), 0.0),
        ("plugins", "plugins", json!({}), 3.0),
        ("reloads", "reloads_total", json!({ "outcome": "ok" }), 1.0),
        ("outgoing_requests", "outgoing_requests_total", json!({ "plugin": "fetch", "outcome": "ok" }), 1.0),
        ("outgoing_requests", "outgoing_requests_total", json!({ "plugin": "fetch", "outcome": "refused" }), 1.0),
        ("refusals", "refusals_total", json!({ "plugin": "fetch", "rule": "host-not-granted" }), 1.0),
        ("audit_lost", "audit_lost_total", json!({}), 0.0),
        ("audit_failures", "audit_failures_total", json!({}), 0.0),
        ("sessions", "sessions", json!({}), 0.0),
        ("streams", "streams", json!({}), 0.0),
        ("auth", "auth_total", json!({ "method": "key", "outcome": "ok" }), 15.0),
    ] {
        let found = value(&families, &format!("toolcell_{family}"), &format!("toolcell_{sample}"), &labels);
        assert_eq!(found, Some(expected), "{sample} {labels} in\n{}", answer.text());
    }
    let limited = families["toolcell_rate_limited"]["samples"].as_array().expect("samples");
    assert_eq!(limited.iter().filter_map(|it| it["value"].as_f64()).sum::<f64>(), 1.0, "{limited:?}");

    let buckets: Vec<(f64, f64)> = families["toolcell_call_duration_seconds"]["samples"]
        .as_array()
        .expect("samples")
        .iter()
        .filter(|it| it["name"] == "toolcell_call_duration_seconds_bucket" && it["labels"]["tool"] == "echo")
        .map(|it| {
            let bound = it["labels"]["le"].as_str().expect("a bound");
            (bound.replace("+Inf", "inf").parse().expect("a number"), it["value"].as_f64().expect("a count"))
        })
        .collect();
    assert_eq!(buckets.len(), 18);
    assert!(buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1), "{buckets:?}");
    assert_eq!(buckets.last(), Some(&(f64::INFINITY, 10.0)));
    let sum = value(&families, "toolcell_call_duration_seconds", "toolcell_call_duration_seconds_sum", &echo);
    assert!(sum.is_some_and(|sum| sum > 0.0), "{sum:?}");
    let principals = answer.text();
    assert!(!principals.contains("alice"), "nobody's name is a label");
}
