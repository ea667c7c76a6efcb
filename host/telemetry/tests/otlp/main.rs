//! What a real collector receives: requests over HTTP, decoded by the protocol's own messages and asserted field by field.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod collector;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use collector::{Got, assert_all, attributes, collector, shown};
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use tokio::net::TcpListener;
use toolcell_telemetry::audit::{AuditConfig, Event, EventKind};
use toolcell_telemetry::otlp::{OtlpConfig, OutgoingEnd, OutgoingFacts, Sampling, SpanFacts, Transport};
use toolcell_telemetry::redact::Redactor;
use toolcell_telemetry::trace::Carry;
use toolcell_telemetry::{Config, Kind, Outcome, Receipt, Telemetry, TraceContext, UsageConfig};

fn otlp(address: SocketAddr) -> OtlpConfig {
    OtlpConfig {
        headers: HashMap::from([("x-key".to_owned(), "sesame".to_owned())]),
        sampling: Sampling { ratio: 0.0, follow_parent: true },
        instance: "host-1".into(),
        contents: Some(Redactor::new(&["/**/token"], &[] as &[&str]).unwrap()),
        ..OtlpConfig::new(format!("http://{address}/"))
    }
}

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const LINK: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn receipt(started: SystemTime, outcome: Outcome) -> Receipt {
    Receipt::builder("weather", "forecast", Kind::Tool, started)
        .component("sha256:ab")
        .generation(3)
        .principal(Some("alice"))
        .outcome(outcome)
        .times(
            Duration::from_micros(1_000),
            Duration::from_micros(100),
            Duration::from_micros(200),
            Duration::from_micros(50),
        )
        .cpu_ms(2)
        .peak_memory(65_536)
        .bytes_in(10)
        .bytes_out(20)
        .build()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_gets_everything() {
    let (address, got) = collector().await;
    let dir = tempfile::tempdir().unwrap();
    let telemetry = Telemetry::new(Config {
        metrics: true,
        audit: Some(AuditConfig::new(dir.path().join("audit"))),
        usage: Some(UsageConfig { dir: dir.path().join("usage"), save_every: Duration::from_secs(60), keep_days: 0 }),
        otlp: Some(otlp(address)),
    })
    .unwrap();
    let started = UNIX_EPOCH + Duration::from_secs(1_795_435_200);
    let parent = TraceContext::parse(PARENT, Some("rojo=1"), None).unwrap();
    let link = TraceContext::parse(LINK, None, None).unwrap();
    let facts = SpanFacts {
        parent: Some(&parent),
        link: Some(&link),
        session: Some("s-1"),
        protocol: Some("2025-11-25"),
        transport: Some(Transport::Tcp),
        request_id: Some("7"),
        client: Some("10.1.2.80".parse().unwrap()),
        ..SpanFacts::new("tools/call", Kind::Tool, "forecast", started)
    };
    let call = telemetry.call_started(&facts);
    assert!(call.span().sampled());
    call.span().input(r#"{"city":"Oslo","token":"secret"}"#);
    call.span().output(r#"{"ok":true}"#);
    let at = started + Duration::from_micros(400);
    call.span().host_call("store.get", at, Duration::from_micros(30));
    let request = OutgoingFacts {
        method: "GET",
        scheme: "https",
        host: "api.example",
        port: 443,
        url: "https://api.example/v1?q=REDACTED",
    };
    let outgoing = call.span().outgoing(request, at);
    let sent = outgoing.fields(Carry::OUTGOING);
    outgoing.end(OutgoingEnd { took: Duration::from_micros(200), status: Some(Ok(503)), sent: 5, received: 9 });
    let told = call.span().guest().unwrap();
    let receipt = telemetry.call_ended(call, receipt(started, Outcome::ToolError)).await;
    assert_eq!(receipt.trace_id.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));

    // A caller that does not record is followed, and so is no caller with a share of zero.
    let quiet = parent.clone().with_sampled(false);
    for parent in [Some(&quiet), None] {
        let call = telemetry.call_started(&SpanFacts { parent, ..facts });
        assert!(!call.span().sampled());
        telemetry.call_ended(call, self::receipt(started, Outcome::Ok)).await;
    }
    telemetry.operation(&SpanFacts::new("tools/list", Kind::Tool, "", started), Duration::from_millis(3), None);
    telemetry.record(Event::new(EventKind::Reload, started, serde_json::json!({"plugin": "weather"}))).await.unwrap();
    let text = telemetry.render().unwrap();
    assert!(text.contains("toolcell_calls_in_flight 0"), "{text}");
    telemetry.shutdown(Duration::from_secs(20)).await.unwrap();

    let got = got.lock().unwrap();
    assert!(got.keys.iter().all(|key| key.as_deref() == Some("sesame")));
    check_spans(&got, &sent, &told);
    check_metrics(&got);
    check_logs(&got, receipt.span_id.as_deref().unwrap(), dir.path());
}

fn check_spans(got: &Got, sent: &[(&str, String)], told: &TraceContext) {
    let mut spans: HashMap<&str, &Span> = HashMap::new();
    for resource in got.traces.iter().flat_map(|request| &request.resource_spans) {
        let found = attributes(&resource.resource.as_ref().unwrap().attributes);
        assert_all(&found, &[("service.name", "toolcell"), ("service.instance.id", "host-1")]);
        assert!(found.contains_key("service.version"));
        for scope in &resource.scope_spans {
            assert_eq!(scope.scope.as_ref().unwrap().name, "toolcell");
            for span in &scope.spans {
                assert!(spans.insert(&span.name, span).is_none(), "{} twice", span.name);
            }
        }
    }
    let mut names: Vec<&str> = spans.keys().copied().collect();
    names.sort_unstable();
    assert_eq!(names, ["GET", "cell weather", "guest", "instantiate", "queue", "store.get", "tools/call forecast"]);

    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let root = spans["tools/call forecast"];
    assert_eq!(hex(&root.parent_span_id), "00f067aa0ba902b7");
    assert_eq!(root.trace_state, "rojo=1");
    assert_eq!(root.kind, SpanKind::Server as i32);
    assert_eq!((root.links.len(), hex(&root.links[0].span_id).as_str()), (1, "b7ad6b7169203331"));
    let base = 1_795_435_200_000_000_000;
    let status = |span: &Span| span.status.as_ref().map_or(0, |status| status.code);
    assert_eq!(status(root), StatusCode::Error as i32);
    assert_all(
        &attributes(&root.attributes),
        &[
            ("mcp.method.name", "tools/call"),
            ("gen_ai.operation.name", "execute_tool"),
            ("gen_ai.tool.name", "forecast"),
            ("mcp.session.id", "s-1"),
            ("mcp.protocol.version", "2025-11-25"),
            ("network.transport", "tcp"),
            ("jsonrpc.request.id", "7"),
            ("client.address", "10.1.2.80"),
            ("error.type", "tool_error"),
            ("gen_ai.tool.call.arguments", r#"{"city":"Oslo","token":"[redacted]"}"#),
            ("gen_ai.tool.call.result", r#"{"ok":true}"#),
        ],
    );
    let cell = spans["cell weather"];
    assert_all(
        &attributes(&cell.attributes),
        &[
            ("toolcell.plugin", "weather"),
            ("toolcell.component.digest", "sha256:ab"),
            ("toolcell.generation", "3"),
            ("toolcell.cpu.time_ms", "2"),
            ("toolcell.memory.peak", "65536"),
            ("toolcell.outcome", "tool-error"),
            ("enduser.id", "alice"),
        ],
    );
    let guest = spans["guest"];
    for (name, parent, start, end) in [
        ("tools/call forecast", None, 0, 1_000),
        ("cell weather", Some(root), 0, 1_000),
        ("queue", Some(cell), 0, 100),
        ("instantiate", Some(cell), 100, 300),
        ("guest", Some(cell), 300, 1_000),
        ("store.get", Some(guest), 400, 430),
        ("GET", Some(guest), 400, 600),
    ] {
        let span = spans[name];
        assert_eq!(hex(&span.trace_id), "4bf92f3577b34da6a3ce929d0e0e4736", "{name}");
        if let Some(parent) = parent {
            assert_eq!(span.parent_span_id, parent.span_id, "{name}");
        }
        assert_eq!(span.start_time_unix_nano, base + start * 1_000, "{name}");
        assert_eq!(span.end_time_unix_nano, base + end * 1_000, "{name}");
    }
    assert_eq!(told.span_id().to_string(), hex(&guest.span_id), "the guest was told its own span");
    let get = spans["GET"];
    assert_eq!(get.kind, SpanKind::Client as i32);
    assert_eq!(status(get), StatusCode::Error as i32);
    assert_eq!(status(spans["queue"]), StatusCode::Unset as i32);
    let carried = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01", hex(&get.span_id));
    assert_eq!(sent, [("traceparent", carried)], "the request carried its own span and nothing of the caller's");
    assert_all(
        &attributes(&get.attributes),
        &[
            ("http.request.method", "GET"),
            ("url.scheme", "https"),
            ("server.address", "api.example"),
            ("server.port", "443"),
            ("http.response.status_code", "503"),
            ("url.full", "https://api.example/v1?q=REDACTED"),
            ("http.request.body.size", "5"),
            ("http.response.body.size", "9"),
            ("error.type", "503"),
        ],
    );
}

fn check_metrics(got: &Got) {
    let last = got.metrics.last().unwrap();
    let scope = &last.resource_metrics[0].scope_metrics[0];
    let metric =
        |name: &str| scope.metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("{name}"));
    let duration = metric("mcp.server.operation.duration");
    assert_eq!(duration.unit, "s");
    let Some(Data::Histogram(histogram)) = &duration.data else { panic!("{duration:?}") };
    let mut points: Vec<_> = histogram
        .data_points
        .iter()
        .map(|point| {
            let set = attributes(&point.attributes);
            assert_eq!(point.explicit_bounds.len(), 14);
            (set["mcp.method.name"].clone(), set.get("error.type").cloned(), point.count, set)
        })
        .collect();
    points.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    let seen: Vec<_> =
        points.iter().map(|(method, error, count, _)| (method.as_str(), error.as_deref(), *count)).collect();
    assert_eq!(seen, [("tools/call", None, 2), ("tools/call", Some("tool_error"), 1), ("tools/list", None, 1)]);
    assert_all(
        &points[0].3,
        &[
            ("gen_ai.operation.name", "execute_tool"),
            ("gen_ai.tool.name", "forecast"),
            ("mcp.protocol.version", "2025-11-25"),
            ("network.transport", "tcp"),
            ("toolcell.plugin", "weather"),
        ],
    );
    let Some(Data::Sum(cpu)) = &metric("toolcell.call.cpu.time").data else { panic!() };
    let Some(number_data_point::Value::AsDouble(seconds)) = cpu.data_points[0].value else { panic!() };
    assert!((seconds - 0.006).abs() < 1e-9 && cpu.is_monotonic, "{seconds}");
    let Some(Data::Sum(io)) = &metric("toolcell.call.io").data else { panic!() };
    for point in &io.data_points {
        let way = attributes(&point.attributes)["network.io.direction"].clone();
        let bytes = if way == "receive" { 30 } else { 60 };
        assert_eq!(point.value, Some(number_data_point::Value::AsInt(bytes)), "{way}");
    }
    let Some(Data::Sum(active)) = &metric("toolcell.calls.active").data else { panic!() };
    assert_eq!(active.data_points[0].value, Some(number_data_point::Value::AsInt(0)));
}

fn check_logs(got: &Got, span: &str, dir: &std::path::Path) {
    let records: Vec<_> = got
        .logs
        .iter()
        .flat_map(|request| &request.resource_logs)
        .flat_map(|resource| &resource.scope_logs)
        .flat_map(|scope| &scope.log_records)
        .collect();
    let text = std::fs::read_to_string(dir.join("audit").join("audit.jsonl")).unwrap();
    let bodies: Vec<String> = records.iter().map(|record| shown(record.body.as_ref())).collect();
    assert_eq!(bodies, text.lines().collect::<Vec<_>>(), "every line, in order");
    let names: Vec<&str> = records.iter().map(|record| record.event_name.as_str()).collect();
    assert_eq!(
        names,
        ["start", "invocation", "invocation", "invocation", "reload", "stop"]
            .map(|name| format!("toolcell.audit.{name}"))
    );
    let call = records[1];
    assert_eq!(call.severity_text, "WARN", "a tool error");
    assert_eq!(records[2].severity_text, "INFO");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!((hex(&call.trace_id).as_str(), hex(&call.span_id).as_str()), ("4bf92f3577b34da6a3ce929d0e0e4736", span));
    let found = attributes(&call.attributes);
    assert_all(
        &found,
        &[
            ("toolcell.audit.seq", "2"),
            ("enduser.id", "alice"),
            ("toolcell.plugin", "weather"),
            ("toolcell.outcome", "tool-error"),
        ],
    );
    assert!(bodies[1].contains(&format!("\"hash\":\"{}\"", found["toolcell.audit.hash"])));
    let report = toolcell_telemetry::audit::verify(&dir.join("audit"), &Default::default()).unwrap();
    assert!(report.ok() && report.lines == 6, "{report:?}");
    let usage =
        toolcell_telemetry::usage::load(&dir.join("usage"), toolcell_telemetry::usage::By::Principal, None).unwrap();
    assert_eq!((usage.total().calls, usage.total().errors), (3, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_json_rpc_error_is_the_error_type_and_a_dropped_call_is_no_longer_in_flight() {
    let (address, got) = collector().await;
    let sampling = Sampling { ratio: 1.0, follow_parent: false };
    let config = OtlpConfig { sampling, contents: None, ..otlp(address) };
    let telemetry = Telemetry::new(Config { otlp: Some(config), ..Config::default() }).unwrap();
    let facts = SpanFacts::new("resources/read", Kind::Resource, "file:///a", SystemTime::now());
    let mut call = telemetry.call_started(&facts);
    let url = "http://h/hunter2";
    let request = OutgoingFacts { method: "PUT", scheme: "http", host: "h", port: 80, url };
    let end = OutgoingEnd { took: Duration::from_millis(1), status: Some(Ok(200)), sent: 0, received: 0 };
    call.span().outgoing(request, facts.started).end(end);
    call.answered_with_error(-32602, "no such resource");
    let metrics = telemetry.metrics().unwrap();
    let dropped = telemetry.call_started(&facts);
    assert_eq!(metrics.in_flight(), 2);
    drop(dropped);
    assert_eq!(metrics.in_flight(), 1);
    let receipt = Receipt::builder("fs", "file:///a", Kind::Resource, facts.started).build();
    telemetry.call_ended(call, receipt).await;
    telemetry.shutdown(Duration::from_secs(20)).await.unwrap();
    let got = got.lock().unwrap();
    let spans = &got.traces[0].resource_spans[0].scope_spans[0].spans;
    let root = spans.iter().find(|span| span.name == "resources/read").unwrap();
    assert_all(
        &attributes(&root.attributes),
        &[("error.type", "-32602"), ("rpc.response.status_code", "-32602"), ("mcp.resource.uri", "file:///a")],
    );
    assert_eq!(root.status.as_ref().unwrap().message, "no such resource");
    assert!(root.parent_span_id.is_empty());
    let put = attributes(&spans.iter().find(|span| span.name == "PUT").unwrap().attributes);
    assert_all(&put, &[("server.address", "h"), ("server.port", "80"), ("url.scheme", "http")]);
    assert!(!put.contains_key("url.full"), "contents are not recorded, and a path may hold them: {put:?}");
}

#[tokio::test]
async fn off_is_off_and_a_context_passes_through() {
    let telemetry = Telemetry::off();
    let parent = TraceContext::parse(PARENT, None, None).unwrap();
    let facts = SpanFacts { parent: Some(&parent), ..SpanFacts::new("tools/call", Kind::Tool, "t", SystemTime::now()) };
    let call = telemetry.call_started(&facts);
    assert_eq!(call.span().guest().as_ref(), Some(&parent));
    let request = OutgoingFacts { method: "GET", scheme: "http", host: "h", port: 80, url: "http://h/" };
    let outgoing = call.span().outgoing(request, SystemTime::now());
    assert_eq!(outgoing.fields(Carry::OUTGOING), [("traceparent", PARENT.to_owned())]);
    telemetry.call_ended(call, receipt(SystemTime::now(), Outcome::Ok)).await;
    assert!(telemetry.render().is_none() && telemetry.audit().is_none() && telemetry.usage().is_none());
    telemetry.shutdown(Duration::ZERO).await.unwrap();
}

/// Nobody listens at the address: calls do not notice, and the shutdown ends in time and says what it could not do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_collector_calls_do_not_wait() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let config = OtlpConfig { sampling: Sampling { ratio: 1.0, follow_parent: false }, queue: 16, ..otlp(address) };
    let telemetry = Telemetry::new(Config { otlp: Some(config), ..Config::default() }).unwrap();
    let began = std::time::Instant::now();
    for _ in 0..1_000 {
        let call = telemetry.call_started(&SpanFacts::new("tools/call", Kind::Tool, "t", SystemTime::now()));
        telemetry.call_ended(call, receipt(SystemTime::now(), Outcome::Ok)).await;
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let began = std::time::Instant::now();
    let _ = telemetry.shutdown(Duration::from_secs(3)).await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

#[test]
fn endpoints_and_headers_that_are_none_are_refused() {
    for endpoint in ["", "127.0.0.1:4318", "ftp://host", "http://", "http://user:pass@host:4318"] {
        let config = Config { otlp: Some(OtlpConfig::new(endpoint)), ..Config::default() };
        assert!(Telemetry::new(config).is_err(), "{endpoint}");
    }
    let mut config = OtlpConfig::new("http://127.0.0.1:1");
    config.headers.insert("x".into(), "secret\n".into());
    let error = Telemetry::new(Config { otlp: Some(config), ..Config::default() }).unwrap_err().to_string();
    assert!(!error.contains("secret"), "{error}");
}

/// The least of many rounds, so that a busy machine does not count.
#[tokio::test]
async fn a_call_that_is_not_recorded_costs_next_to_nothing() {
    let config = OtlpConfig { metrics: false, logs: false, ..otlp("127.0.0.1:1".parse().unwrap()) };
    let telemetry = Telemetry::new(Config { otlp: Some(config), ..Config::default() }).unwrap();
    let facts = SpanFacts::new("tools/call", Kind::Tool, "forecast", SystemTime::now());
    let round = || {
        let began = std::time::Instant::now();
        for _ in 0..1_000 {
            drop(std::hint::black_box(telemetry.call_started(&facts)));
        }
        began.elapsed() / 1_000
    };
    let least = (0..50).map(|_| round()).min().unwrap();
    let bound = if cfg!(debug_assertions) { Duration::from_micros(20) } else { Duration::from_micros(1) };
    assert!(least < bound, "{least:?}");
}
