//! Traces, metrics and logs of the built host, as a collector of standing passes them on: field by field.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};
use toolcell_tests::collector::{
    AggregationTemporality, Collector, Data, Got, Span, SpanKind, StatusCode, attributes, hex, number_data_point, shown,
};
use toolcell_tests::host::Host;
use toolcell_tests::mcp::{MODERN, Modern};
use toolcell_tests::site::Site;
use toolcell_tests::web::Web;

use super::{new_key, toolcell, with_key};

/// Traces that callers began: one for `_meta`, one for HTTP headers, and a caller that does not record.
const META: (&str, &str) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
const HEADER: (&str, &str) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
const QUIET: &str = "00-11111111111111111111111111111111-2222222222222222-00";

fn traceparent((trace, span): (&str, &str)) -> String {
    format!("00-{trace}-{span}-01")
}

/// Calls that are counted, the one that another tool makes among them.
const CALLS: u64 = 7;
/// Spans of those that are recorded: five for each of six calls, three requests, and six calls to the host.
const SPANS: usize = 6 * 5 + 3 + 6;

/// What was left behind by one call of each sort.
struct Scene {
    site: Site,
    web: Web,
    got: Got,
}

/// How many calls the metrics know of.
fn counted(got: &Got) -> u64 {
    match got.metric("mcp.server.operation.duration").and_then(|metric| metric.data.as_ref()) {
        Some(Data::Histogram(histogram)) => histogram.data_points.iter().map(|point| point.count).sum(),
        _ => 0,
    }
}

/// Makes one call of each sort, ends the host and waits until all that it sent has come through.
fn scene() -> Scene {
    let site = Site::new();
    let pages = [("/page", ("text/plain", "the page".to_owned()))];
    let web = Web::serve(BTreeMap::from(pages));
    let collector = Collector::start();
    let key = new_key(&site, "alice", &[]);
    let allowed = "[[allow]]\nprincipals = ['alice']\ntools = ['echo', 'fetch', 'store_and_peers', 'fs_*']\n";
    let config = format!(
        "[auth]\nkeys = 'keys.json'\n[audit]\ndir = 'audit'\n{allowed}\
         [telemetry]\notlp = '{}'\ntrace-ratio = 1.0\ncontents = true\nredact = ['/**/url']\n",
        collector.endpoint()
    );
    let fetch = format!("hosts = ['{}']\naddresses = ['127.0.0.1/32']", web.origin());
    let plugins = [
        Site::plugin("echo", ""),
        Site::plugin("fetch", &fetch),
        Site::plugin("filesystem", "prefix = 'fs_'"),
        Site::guest("store_and_peers", "key-value = true\ntools = ['echo']"),
    ];
    let mut host = Host::serve(&site.config(&format!("{config}{}", plugins.concat())));

    let in_both = |client: Modern| {
        let client = client.with_header("traceparent", &traceparent(HEADER));
        client.with_meta("traceparent", json!(traceparent(META))).with_meta("tracestate", json!("rojo=1"))
    };
    let in_header = |client: Modern| client.with_header("traceparent", &traceparent(HEADER));
    in_both(with_key(&host, &key)).say("echo", &json!({ "message": "hello" }));
    let page = format!("{}/page?token=hunter2", web.origin());
    let said = in_header(with_key(&host, &key)).say("fetch", &json!({ "url": page, "raw": true }));
    assert!(said.contains("the page"), "{said}");
    let elsewhere = json!({ "url": "http://elsewhere.example/", "raw": true });
    assert_eq!(with_key(&host, &key).call("fetch", &elsewhere)["isError"], true);
    let said = with_key(&host, &key).say("store_and_peers", &json!({}));
    assert!(said.contains("call:echo:done"), "{said}");
    let failed = with_key(&host, &key).call("fs_read_file", &json!({ "path": "/nowhere" }));
    assert_eq!(failed["isError"], true, "{failed}");
    // Its caller records nothing, so neither does the host.
    with_key(&host, &key).with_meta("traceparent", json!(QUIET)).say("echo", &json!({ "message": "quiet" }));
    // One that is not let in.
    let mut refused = Modern::new(host.connect()).with_header("Authorization", "Bearer tck_nobody");
    assert_eq!(refused.answer("tools/list", &json!({})).head.status, 401);

    host.terminate();
    let lines = fs::read_to_string(site.path("audit/audit.jsonl")).expect("the log reads").lines().count();
    let got = collector.wait_for("all spans, all audit lines, and the last of the metrics", |got| {
        got.spans().count() >= SPANS && got.records().count() >= lines && counted(got) >= CALLS
    });
    Scene { site, web, got }
}

#[test]
fn a_collector_of_standing_gets_traces_metrics_and_logs() {
    let scene = scene();
    resources(&scene.got);
    spans(&scene);
    metrics(&scene.got);
    logs(&scene);
}

/// All that is sent says who sent it.
fn resources(got: &Got) {
    let traces = got.traces.iter().map(|it| (&it.resource, it.scope_spans.iter().map(|it| &it.scope).collect()));
    let metrics = got.metrics.iter().map(|it| (&it.resource, it.scope_metrics.iter().map(|it| &it.scope).collect()));
    let logs = got.logs.iter().map(|it| (&it.resource, it.scope_logs.iter().map(|it| &it.scope).collect()));
    let all: Vec<(_, Vec<_>)> = traces.chain(metrics).chain(logs).collect();
    assert!(all.len() >= 3);
    for (resource, scopes) in all {
        let found = attributes(&resource.as_ref().expect("a resource").attributes);
        assert_eq!(found["service.name"], "toolcell");
        assert_eq!(found["service.version"], env!("CARGO_PKG_VERSION"));
        for scope in scopes {
            assert_eq!(scope.as_ref().expect("a scope").name, "toolcell");
        }
    }
}

/// Spans by parent.
struct Tree<'a>(Vec<&'a Span>);

impl<'a> Tree<'a> {
    fn root(&self, name: &str, nth: usize) -> &'a Span {
        let mut roots: Vec<_> = self.0.iter().filter(|span| span.name == name).copied().collect();
        roots.sort_by_key(|span| span.start_time_unix_nano);
        roots.get(nth).unwrap_or_else(|| panic!("no {name} {nth}"))
    }

    fn below(&self, parent: &Span) -> Vec<&'a Span> {
        let mut below: Vec<_> = self.0.iter().filter(|span| span.parent_span_id == parent.span_id).copied().collect();
        below.sort_by_key(|span| span.start_time_unix_nano);
        for span in &below {
            assert_eq!(span.trace_id, parent.trace_id, "{} is in its parent's trace", span.name);
            assert!(span.start_time_unix_nano >= parent.start_time_unix_nano, "{} begins after its parent", span.name);
            assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
        }
        below
    }

    /// The cell of a call, and what the guest had done in it.
    fn cell(&self, root: &Span) -> (&'a Span, Vec<&'a Span>) {
        let below = self.below(root);
        let [cell] = below[..] else { panic!("{} has one cell: {below:#?}", root.name) };
        assert_eq!(cell.kind, SpanKind::Internal as i32);
        let parts = self.below(cell);
        let names: BTreeSet<&str> = parts.iter().map(|span| span.name.as_str()).collect();
        assert_eq!(names, BTreeSet::from(["queue", "instantiate", "guest"]), "{}", root.name);
        let guest = parts.into_iter().find(|span| span.name == "guest").expect("a guest");
        (cell, self.below(guest))
    }
}

fn status(span: &Span) -> i32 {
    span.status.as_ref().map_or(StatusCode::Unset as i32, |status| status.code)
}

/// Exactly these attributes.
fn assert_attributes(span: &Span, expected: &[(&str, &str)]) {
    let found = attributes(&span.attributes);
    let expected: BTreeMap<String, String> =
        expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    assert_eq!(found, expected, "{}", span.name);
}

fn spans(Scene { web, got, .. }: &Scene) {
    let all: Vec<&Span> = got.spans().collect();
    assert_eq!(all.len(), SPANS, "{:?}", all.iter().map(|span| &span.name).collect::<Vec<_>>());
    let ids: BTreeSet<&[u8]> = all.iter().map(|span| span.span_id.as_slice()).collect();
    assert_eq!(ids.len(), all.len(), "every span has an identifier of its own");
    assert!(all.iter().all(|span| hex(&span.trace_id) != QUIET[3..35]), "nothing of a caller that records nothing");
    // What the page's tool says of the address in its result is content, which the operator wants recorded.
    let told = |span: &&Span| span.kind == SpanKind::Client as i32 && format!("{span:?}").contains("hunter2");
    assert!(!all.iter().any(told), "a query's values");
    let tree = Tree(all);
    let server = |span: &Span, outcome: StatusCode| {
        assert_eq!((span.kind, status(span)), (SpanKind::Server as i32, outcome as i32), "{}", span.name);
    };

    let echo = tree.root("tools/call echo", 0);
    server(echo, StatusCode::Unset);
    assert_eq!((hex(&echo.trace_id), hex(&echo.parent_span_id)), (META.0.into(), META.1.into()), "from `_meta`");
    let links: Vec<_> = echo.links.iter().map(|link| (hex(&link.trace_id), hex(&link.span_id))).collect();
    assert_eq!(links, [(HEADER.0.to_owned(), HEADER.1.to_owned())], "the request that carried it");
    assert_eq!(echo.trace_state, "rojo=1");
    let mut found = attributes(&echo.attributes);
    let result: Value =
        serde_json::from_str(&found.remove("gen_ai.tool.call.result").expect("a result")).expect("JSON");
    assert_eq!(result["content"], json!([{ "type": "text", "text": "hello" }]));
    let expected = [
        ("mcp.method.name", "tools/call"),
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.tool.name", "echo"),
        ("mcp.protocol.version", MODERN),
        ("network.transport", "tcp"),
        ("jsonrpc.request.id", "1"),
        ("client.address", "127.0.0.1"),
        ("gen_ai.tool.call.arguments", r#"{"message":"hello"}"#),
    ];
    assert_eq!(found, BTreeMap::from(expected.map(|(name, value)| (name.to_owned(), value.to_owned()))));
    let (cell, done) = tree.cell(echo);
    assert!(done.is_empty(), "{done:#?}");
    let found = attributes(&cell.attributes);
    assert_eq!(cell.name, "cell echo");
    for (name, value) in [("toolcell.plugin", "echo"), ("toolcell.outcome", "ok"), ("enduser.id", "alice")] {
        assert_eq!(found[name], value);
    }
    let digest = found["toolcell.component.digest"].strip_prefix("sha256:").expect("a digest");
    assert!(digest.len() == 64 && digest.bytes().all(|digit| digit.is_ascii_hexdigit()), "{digest}");
    assert!(found["toolcell.memory.peak"].parse::<u64>().is_ok_and(|bytes| bytes >= 65_536), "{found:?}");

    let fetch = tree.root("tools/call fetch", 0);
    server(fetch, StatusCode::Unset);
    assert_eq!((hex(&fetch.trace_id), hex(&fetch.parent_span_id)), (HEADER.0.into(), HEADER.1.into()), "from headers");
    assert!(fetch.links.is_empty());
    let arguments: Value =
        serde_json::from_str(&attributes(&fetch.attributes)["gen_ai.tool.call.arguments"]).expect("JSON");
    assert_eq!(arguments, json!({ "raw": true, "url": "[redacted]" }));
    let (_, requests) = tree.cell(fetch);
    let [robots, page] = requests[..] else { panic!("two requests: {requests:#?}") };
    let (host, port) = (web.address.ip().to_string(), web.address.port().to_string());
    for (span, path, code, size, error) in [
        // The guest does not read what such an answer says.
        (robots, "/robots.txt", "404", "0", Some("404")),
        (page, "/page?token=REDACTED", "200", "8", None),
    ] {
        let url = format!("{}{path}", web.origin());
        let mut expected = vec![
            ("http.request.method", "GET"),
            ("url.scheme", "http"),
            ("url.full", &url),
            ("server.address", &host),
            ("server.port", &port),
            ("http.response.status_code", code),
            ("http.request.body.size", "0"),
            ("http.response.body.size", size),
        ];
        expected.extend(error.map(|error| ("error.type", error)));
        assert_attributes(span, &expected);
        let code = if error.is_some() { StatusCode::Error } else { StatusCode::Unset };
        assert_eq!((span.name.as_str(), span.kind, status(span)), ("GET", SpanKind::Client as i32, code as i32));
        assert!(span.end_time_unix_nano > span.start_time_unix_nano, "{url} took time");
    }

    let refused = tree.root("tools/call fetch", 1);
    server(refused, StatusCode::Error);
    assert!(refused.parent_span_id.is_empty(), "its caller traces nothing");
    let (cell, requests) = tree.cell(refused);
    let [request] = requests[..] else { panic!("one request: {requests:#?}") };
    let found = attributes(&request.attributes);
    assert_eq!(
        (found["error.type"].as_str(), found["server.address"].as_str()),
        ("host-not-granted", "elsewhere.example")
    );
    assert!(!found.contains_key("http.response.status_code"), "{found:?}");
    assert_eq!(status(request), StatusCode::Error as i32);
    assert_eq!(attributes(&cell.attributes)["toolcell.refusals"], "1");

    let peers = tree.root("tools/call store_and_peers", 0);
    server(peers, StatusCode::Unset);
    let (_, calls) = tree.cell(peers);
    let names: Vec<&str> = calls.iter().map(|span| span.name.as_str()).collect();
    let expected = ["store.put", "store.get", "store.put", "store.put", "store.keys", "tools.call", "tools/call echo"];
    assert_eq!(names, expected, "calls to the host, and the call of another tool below the guest that made it");
    let nested = calls[6];
    assert_eq!(tree.cell(nested).0.name, "cell echo");
    assert!(nested.end_time_unix_nano <= calls[5].end_time_unix_nano, "within the call to the host");

    let failed = tree.root("tools/call fs_read_file", 0);
    server(failed, StatusCode::Error);
    let found = attributes(&failed.attributes);
    assert_eq!((found["error.type"].as_str(), found["gen_ai.tool.name"].as_str()), ("tool_error", "fs_read_file"));
    let (cell, _) = tree.cell(failed);
    assert_eq!(attributes(&cell.attributes)["toolcell.outcome"], "tool-error");
}

fn metrics(got: &Got) {
    let metric = |name: &str| got.metric(name).unwrap_or_else(|| panic!("no {name}"));
    let cumulative = AggregationTemporality::Cumulative as i32;

    let duration = metric("mcp.server.operation.duration");
    assert_eq!(duration.unit, "s");
    assert!(duration.description.starts_with("MCP request or notification duration"), "{}", duration.description);
    let Some(Data::Histogram(histogram)) = &duration.data else { panic!("{duration:?}") };
    assert_eq!(histogram.aggregation_temporality, cumulative);
    let mut counts = BTreeMap::new();
    for point in &histogram.data_points {
        let bounds = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];
        assert_eq!(point.explicit_bounds, bounds, "those of the conventions");
        assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
        assert!(point.sum.is_some_and(|sum| sum > 0.0));
        let found = attributes(&point.attributes);
        assert_eq!(found["mcp.method.name"], "tools/call");
        assert_eq!(found["gen_ai.operation.name"], "execute_tool");
        assert!(!found.contains_key("enduser.id"), "nobody's name: {found:?}");
        let protocol = found.get("mcp.protocol.version").cloned();
        let transport = found.get("network.transport").cloned();
        assert!(protocol.is_none() == transport.is_none(), "{found:?}");
        let key = (found["gen_ai.tool.name"].clone(), found.get("error.type").cloned(), transport);
        assert!(counts.insert(key, point.count).is_none());
    }
    let key = |tool: &str, error: Option<&str>, transport: Option<&str>| {
        (tool.to_owned(), error.map(str::to_owned), transport.map(str::to_owned))
    };
    let tcp = Some("tcp");
    let expected = BTreeMap::from([
        (key("echo", None, tcp), 2),
        (key("echo", None, None), 1),
        (key("fetch", None, tcp), 1),
        (key("fetch", Some("tool_error"), tcp), 1),
        (key("store_and_peers", None, tcp), 1),
        (key("fs_read_file", Some("tool_error"), tcp), 1),
    ]);
    assert_eq!(counts, expected, "calls that are recorded in no trace are counted all the same");

    let io = metric("toolcell.call.io");
    assert_eq!(io.unit, "By");
    let Some(Data::Sum(sum)) = &io.data else { panic!("{io:?}") };
    assert!(sum.is_monotonic && sum.aggregation_temporality == cumulative);
    let echoed = sum.data_points.iter().find_map(|point| {
        let found = attributes(&point.attributes);
        (found["toolcell.plugin"] == "echo" && found["network.io.direction"] == "receive").then_some(point.value)
    });
    // {"message":"hello"} twice, once from the other tool, and {"message":"quiet"}.
    assert_eq!(echoed, Some(Some(number_data_point::Value::AsInt(57))));

    let cpu = metric("toolcell.call.cpu.time");
    assert_eq!(cpu.unit, "s");
    let Some(Data::Sum(sum)) = &cpu.data else { panic!("{cpu:?}") };
    assert!(sum.is_monotonic && sum.aggregation_temporality == cumulative);
    let active = metric("toolcell.calls.active");
    assert_eq!(active.unit, "{call}");
    let Some(Data::Sum(sum)) = &active.data else { panic!("{active:?}") };
    assert!(!sum.is_monotonic);
    assert_eq!(sum.data_points[0].value, Some(number_data_point::Value::AsInt(0)), "all calls have ended");
}

/// Every line of the audit log, as it stands in the file.
fn logs(Scene { site, got, .. }: &Scene) {
    let text = fs::read_to_string(site.path("audit/audit.jsonl")).expect("the log reads");
    let mut by_number: BTreeMap<u64, _> = BTreeMap::new();
    for record in got.records() {
        let seq = attributes(&record.attributes)["toolcell.audit.seq"].parse().expect("a number");
        assert!(by_number.insert(seq, record).is_none(), "line {seq} twice");
    }
    let bodies: Vec<String> = by_number.values().map(|record| shown(record.body.as_ref())).collect();
    assert_eq!(bodies, text.lines().collect::<Vec<_>>());
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for (record, line) in by_number.values().zip(text.lines()) {
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        let found = attributes(&record.attributes);
        let kind = line["event"].as_str().expect("a kind");
        assert_eq!(record.event_name, format!("toolcell.audit.{kind}"));
        assert_eq!(found["toolcell.audit.hash"], line["hash"]);
        assert_eq!(found.get("enduser.id").map(String::as_str), line["principal"].as_str());
        let good = kind != "refusal" && line["data"]["outcome"]["is"].as_str().is_none_or(|outcome| outcome == "ok");
        let severity = if good { ("INFO", 9) } else { ("WARN", 13) };
        assert_eq!((record.severity_text.as_str(), record.severity_number), severity, "{line}");
        assert!(record.time_unix_nano > 0);
        if kind == "invocation" {
            assert_eq!(found["toolcell.plugin"], line["data"]["plugin"]);
            assert_eq!(hex(&record.trace_id), line["trace"], "{line}");
            assert_eq!(hex(&record.span_id), line["data"]["span_id"], "{line}");
        }
        *kinds.entry(kind_of(kind)).or_default() += 1;
    }
    for (kind, count) in [("start", 1), ("stop", 1), ("invocation", 7), ("refusal", 1)] {
        assert_eq!(kinds.get(kind), Some(&count), "{kind} in {text}");
    }
    let fetched = text
        .lines()
        .find(|line| line.contains("\"event\":\"invocation\"") && line.contains("\"name\":\"fetch\""))
        .expect("a line");
    let fetched: Value = serde_json::from_str(fetched).expect("it is JSON");
    let hosts = fetched["data"]["hosts"].as_array().expect("hosts");
    assert_eq!(hosts.len(), 1);
    assert_eq!((&hosts[0]["count"], &hosts[0]["sent"], &hosts[0]["received"]), (&json!(2), &json!(0), &json!(8)));
    let (code, said) = toolcell(&site.path(""), &["audit", "verify"]);
    assert!(code == 0 && said.contains("whole"), "{said}");
}

fn kind_of(kind: &str) -> &'static str {
    ["start", "stop", "invocation", "refusal", "reload", "admin"].into_iter().find(|it| *it == kind).unwrap_or("other")
}
