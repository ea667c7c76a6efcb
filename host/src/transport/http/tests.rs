//! The endpoint, called in this process: no sockets.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{Body, HttpConfig, Service};
use crate::protocol::testing::{Outcome, described, registry, text, tool, tool_fn};
use crate::protocol::{Principal, Server, ServerInfo};
use crate::registry::types::{
    FormAnswer, FormRequest, InputAnswer, InputKind, InputRequest, InputRequired, Level, ToolOutcome,
};
use crate::registry::{CallCtx, CallEvent, Registry, ToolEntry};
use crate::transport::Limits;

const META: &str = "io.modelcontextprotocol/";

struct Endpoint {
    service: Service,
    registry: Registry,
    shutdown: CancellationToken,
}

/// A response that has ended.
#[derive(Debug)]
struct Answer {
    status: u16,
    session: Option<String>,
    kind: String,
    body: String,
}

impl Answer {
    async fn of(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let header = |name| head.headers.get(name).map(|value: &http::HeaderValue| value.to_str().unwrap().to_owned());
        let (session, kind) = (header("mcp-session-id"), header("content-type").unwrap_or_default());
        let body = body.collect().await.unwrap().to_bytes();
        Self { status: head.status.as_u16(), session, kind, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The HTTP status and the JSON-RPC error code.
    fn code(&self) -> (u16, i64) {
        (
            self.status,
            serde_json::from_str::<Value>(&self.body).map_or(0, |json| json["error"]["code"].as_i64().unwrap_or(0)),
        )
    }
}

/// The messages of a stream, one by one.
struct Events(Body, String);

impl Events {
    fn of(response: Response<Body>) -> Self {
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Self(response.into_body(), String::new())
    }

    /// The next event as it is, comments included.
    async fn raw(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.1.split_once("\n\n") {
                let event = event.to_owned();
                self.1 = rest.to_owned();
                return Some(event);
            }
            let frame = self.0.frame().await?.unwrap();
            self.1.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }

    async fn next(&mut self) -> Option<Value> {
        let event = self.raw().await?;
        let data = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap_or_else(|| panic!("{event}"));
        Some(serde_json::from_str(data).unwrap_or(Value::Null))
    }
}

fn endpoint_with(tools: Vec<Arc<ToolEntry>>, limits: Limits) -> Endpoint {
    let registry = registry(tools);
    let shutdown = CancellationToken::new();
    let server = Server::new(registry.clone(), ServerInfo::default());
    let config =
        HttpConfig { allowed_origins: vec!["https://app.example.com".to_owned()], limits, ..HttpConfig::default() };
    Endpoint { service: Service::new(server, config, shutdown.clone()), registry, shutdown }
}

fn endpoint(tools: Vec<Arc<ToolEntry>>) -> Endpoint {
    endpoint_with(tools, Limits::default())
}

fn request(method: &str, headers: &[(&str, &str)], body: &str) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri("/mcp");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::from(body.to_owned())).unwrap()
}

const HEAD: [(&str, &str); 3] =
    [("host", "localhost"), ("content-type", "application/json"), ("accept", "application/json, text/event-stream")];

/// A request that stands alone, with the headers that go with it.
fn alone(id: u32, method: &str, mut params: Value) -> Request<Full<Bytes>> {
    let meta = params.as_object_mut().unwrap().entry("_meta").or_insert_with(|| json!({}));
    let meta = meta.as_object_mut().unwrap();
    for (key, value) in [("protocolVersion", json!("2026-07-28")), ("clientCapabilities", json!({}))] {
        meta.entry(format!("{META}{key}")).or_insert(value);
    }
    let mut headers = HEAD.to_vec();
    headers.extend([("mcp-protocol-version", "2026-07-28"), ("mcp-method", method)]);
    let name = params["name"].as_str().unwrap_or_default().to_owned();
    if method == "tools/call" {
        headers.push(("mcp-name", &name));
    }
    request("POST", &headers, &json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string())
}

fn in_session(session: &str, message: &Value) -> Request<Full<Bytes>> {
    let mut headers = HEAD.to_vec();
    headers.push(("mcp-session-id", session));
    request("POST", &headers, &message.to_string())
}

fn initialize(version: &str, capabilities: &Value) -> String {
    let client = json!({"name": "test", "version": "1"});
    let params = json!({"protocolVersion": version, "capabilities": capabilities, "clientInfo": client});
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}).to_string()
}

impl Endpoint {
    async fn respond(&self, request: Request<Full<Bytes>>) -> Response<Body> {
        self.service.respond(request).await
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Answer {
        Answer::of(self.respond(request).await).await
    }

    /// Opens a session and says that the client is ready.
    async fn open(&self, version: &str, capabilities: Value) -> String {
        let opened = self.answer(self::request("POST", &HEAD, &initialize(version, &capabilities))).await;
        assert_eq!(opened.json()["result"]["protocolVersion"], version);
        let session = opened.session.unwrap();
        let ready = in_session(&session, &json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        assert_eq!(self.answer(ready).await.status, 202);
        session
    }

    async fn listen(&self, session: &str, last_event: Option<&str>) -> Response<Body> {
        let mut headers = vec![("host", "localhost"), ("accept", "text/event-stream"), ("mcp-session-id", session)];
        headers.extend(last_event.map(|id| ("last-event-id", id)));
        self.respond(self::request("GET", &headers, "")).await
    }
}

fn call(id: u32, name: &str, meta: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": name, "arguments": {}, "_meta": meta}})
}

#[tokio::test]
async fn requests_that_stand_alone_are_answered_with_json() {
    let endpoint = endpoint(vec![tool("echo"), tool("other")]);
    let discovered = endpoint.answer(alone(1, "server/discover", json!({}))).await;
    assert_eq!((discovered.status, discovered.kind.as_str()), (200, "application/json"));
    let result = &discovered.json()["result"];
    assert_eq!(result["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(result["capabilities"], json!({"logging": {}, "tools": {"listChanged": true}}));
    assert_eq!(result["_meta"][format!("{META}serverInfo")]["name"], "toolcell");

    let listed = endpoint.answer(alone(2, "tools/list", json!({}))).await.json();
    assert_eq!(listed["result"]["tools"][1]["name"], "other");
    assert_eq!(listed["result"]["ttlMs"], 60_000);
    assert_eq!(listed["result"]["cacheScope"], "public");
    assert_eq!(listed["result"]["resultType"], "complete");

    let called = endpoint.answer(alone(3, "tools/call", json!({"name": "echo", "arguments": {"a": [1, 2]}}))).await;
    assert_eq!(called.session, None);
    assert_eq!(called.json()["id"], 3);
    assert_eq!(called.json()["result"]["content"][0]["text"], r#"{"a":[1,2]}"#);
}

#[tokio::test]
async fn a_request_that_stands_alone_is_refused_by_its_first_fault() {
    let endpoint = endpoint(vec![tool("echo")]);
    let version = format!("{META}protocolVersion");
    let capabilities = format!("{META}clientCapabilities");
    let full = json!({&version: "2026-07-28", &capabilities: {}});
    let newest = ("mcp-protocol-version", "2026-07-28");
    let list = ("mcp-method", "tools/list");
    let call = ("mcp-method", "tools/call");
    let echo = json!({"name": "echo", "_meta": full});
    for (what, headers, method, params, expected) in [
        ("nothing at all", &[][..], "tools/list", json!({}), (400, -32602)),
        ("no _meta", &[newest, list], "tools/list", json!({}), (400, -32602)),
        ("no _meta and no method", &[newest], "tools/list", json!({}), (400, -32602)),
        ("no version", &[newest, list], "tools/list", json!({"_meta": {&capabilities: {}}}), (400, -32602)),
        ("no capabilities", &[newest, list], "tools/list", json!({"_meta": {&version: "2026-07-28"}}), (400, -32602)),
        (
            "unknown version",
            &[("mcp-protocol-version", "v9"), list],
            "tools/list",
            json!({"_meta": {&version: "v9", &capabilities: {}}}),
            (400, -32022),
        ),
        (
            "unknown version in the head",
            &[("mcp-protocol-version", "v9"), list],
            "tools/list",
            json!({}),
            (400, -32022),
        ),
        (
            "older version",
            &[("mcp-protocol-version", "2025-11-25"), list],
            "tools/list",
            json!({"_meta": {&version: "2025-11-25", &capabilities: {}}}),
            (400, -32022),
        ),
        (
            "two versions",
            &[newest, list],
            "tools/list",
            json!({"_meta": {&version: "v9", &capabilities: {}}}),
            (400, -32020),
        ),
        ("no version in the head", &[list], "tools/list", json!({"_meta": full}), (400, -32020)),
        ("no method in the head", &[newest], "tools/list", json!({"_meta": full}), (400, -32020)),
        (
            "another method",
            &[newest, ("mcp-method", "prompts/list")],
            "tools/list",
            json!({"_meta": full}),
            (400, -32020),
        ),
        ("another case", &[newest, ("mcp-method", "TOOLS/LIST")], "tools/list", json!({"_meta": full}), (400, -32020)),
        ("method twice", &[newest, list, list], "tools/list", json!({"_meta": full}), (400, -32020)),
        ("no name in the head", &[newest, call], "tools/call", echo.clone(), (400, -32020)),
        ("another name", &[newest, call, ("mcp-name", "other")], "tools/call", echo.clone(), (400, -32020)),
        ("name as base64", &[newest, call, ("mcp-name", "=?base64?ZWNobw==?=")], "tools/call", echo.clone(), (200, 0)),
        ("blanks around the name", &[newest, call, ("mcp-name", "  echo  ")], "tools/call", echo.clone(), (200, 0)),
        (
            "unknown tool",
            &[newest, call, ("mcp-name", "no")],
            "tools/call",
            json!({"name": "no", "_meta": full}),
            (200, -32602),
        ),
        ("no tool", &[newest, call], "tools/call", json!({"_meta": full}), (200, -32602)),
        (
            "arguments of the wrong type",
            &[newest, call, ("mcp-name", "echo")],
            "tools/call",
            json!({"name": "echo", "arguments": [], "_meta": full}),
            (200, -32602),
        ),
        (
            "a cursor of someone else",
            &[newest, list],
            "tools/list",
            json!({"cursor": "x", "_meta": full}),
            (200, -32602),
        ),
        ("unknown method", &[newest, ("mcp-method", "a/b")], "a/b", json!({"_meta": full}), (404, -32601)),
        (
            "removed: initialize",
            &[newest, ("mcp-method", "initialize")],
            "initialize",
            json!({"_meta": full}),
            (404, -32601),
        ),
        ("removed: ping", &[newest, ("mcp-method", "ping")], "ping", json!({"_meta": full}), (404, -32601)),
        (
            "removed: logging/setLevel",
            &[newest, ("mcp-method", "logging/setLevel")],
            "logging/setLevel",
            json!({"_meta": full}),
            (404, -32601),
        ),
        (
            "no such capability",
            &[newest, ("mcp-method", "prompts/list")],
            "prompts/list",
            json!({"_meta": full}),
            (404, -32601),
        ),
    ] {
        let headers: Vec<_> = HEAD.into_iter().chain(headers.iter().copied()).collect();
        let body = json!({"jsonrpc": "2.0", "id": 41, "method": method, "params": params}).to_string();
        let answer = endpoint.answer(request("POST", &headers, &body)).await;
        assert_eq!(answer.code(), expected, "{what}: {answer:?}");
        assert_eq!(answer.json()["id"], 41, "{what}");
    }
}

#[tokio::test]
async fn what_is_no_request_of_ours_gets_a_status_of_http() {
    let limits = Limits { message_bytes: 200, ..Limits::default() };
    let endpoint = endpoint_with(vec![tool("echo")], limits);
    let long = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{}"}}"#, "x".repeat(300));
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let host = ("host", "localhost");
    let kind = ("content-type", "application/json");
    let accept = ("accept", "application/json, text/event-stream");
    for (what, method, headers, body, expected) in [
        ("no host", "POST", &[kind, accept][..], ping, (403, 0)),
        ("foreign host", "POST", &[("host", "evil.example.com"), kind, accept], ping, (403, 0)),
        ("foreign origin", "POST", &[host, ("origin", "http://evil.example.com"), kind, accept], ping, (403, 0)),
        ("no type", "POST", &[host, accept], ping, (415, 0)),
        ("text", "POST", &[host, ("content-type", "text/plain"), accept], ping, (415, 0)),
        ("takes no events", "POST", &[host, kind, ("accept", "application/json")], ping, (406, 0)),
        ("takes no JSON", "POST", &[host, kind, ("accept", "text/event-stream")], ping, (406, 0)),
        ("too long", "POST", &[host, kind, accept], &long, (413, -32600)),
        ("not JSON", "POST", &[host, kind, accept], "{", (400, -32700)),
        ("empty", "POST", &[host, kind, accept], "", (400, -32700)),
        ("no message", "POST", &[host, kind, accept], "{}", (400, -32600)),
        (
            "null identifier",
            "POST",
            &[host, kind, accept],
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            (400, -32600),
        ),
        ("a batch", "POST", &[host, kind, accept], &format!("[{ping}]"), (400, -32600)),
        (
            "a batch of the newest",
            "POST",
            &[host, kind, accept, ("mcp-protocol-version", "2026-07-28")],
            &format!("[{ping}]"),
            (400, -32600),
        ),
        (
            "an answer to nothing",
            "POST",
            &[host, kind, accept],
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            (400, -32600),
        ),
        ("a notification of nobody", "POST", &[host, kind, accept], r#"{"jsonrpc":"2.0","method":"x"}"#, (400, -32600)),
        (
            "a notification of the newest",
            "POST",
            &[host, kind, accept, ("mcp-protocol-version", "2026-07-28")],
            r#"{"jsonrpc":"2.0","method":"x"}"#,
            (202, 0),
        ),
        ("another verb", "PUT", &[host, kind, accept], ping, (405, 0)),
        (
            "a stream of the newest",
            "GET",
            &[host, ("accept", "text/event-stream"), ("mcp-protocol-version", "2026-07-28")],
            "",
            (405, 0),
        ),
        ("an end of the newest", "DELETE", &[host, ("mcp-protocol-version", "2026-07-28")], "", (405, 0)),
        ("a stream of nobody", "GET", &[host, ("accept", "text/event-stream")], "", (400, -32600)),
        ("a stream for a browser", "GET", &[host, ("accept", "text/html")], "", (406, 0)),
        ("an end of nobody", "DELETE", &[host], "", (400, -32600)),
    ] {
        let answer = endpoint.answer(request(method, headers, body)).await;
        assert_eq!(answer.code(), expected, "{what}: {answer:?}");
    }
    let elsewhere = endpoint.service.clone().at("/mcp");
    let request = Request::builder().uri("/other").header("host", "localhost").body(Full::<Bytes>::default()).unwrap();
    assert_eq!(elsewhere.respond(request).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_trusted_page_may_read_what_it_gets() {
    let endpoint = endpoint(vec![]);
    let origin = ("origin", "https://app.example.com");
    let asked = ("access-control-request-headers", "content-type, mcp-param-region");
    let response = endpoint.respond(request("OPTIONS", &[("host", "localhost"), origin, asked], "")).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(response.headers()["access-control-allow-origin"], origin.1);
    assert_eq!(response.headers()["access-control-allow-headers"], asked.1);
    let headers: Vec<_> = HEAD.into_iter().chain([origin]).collect();
    let response = endpoint.respond(request("POST", &headers, &initialize("2025-11-25", &json!({})))).await;
    assert_eq!(response.headers()["access-control-allow-origin"], origin.1);
    assert_eq!(response.headers()["access-control-expose-headers"], "mcp-session-id");
}

#[tokio::test]
async fn every_revision_with_a_handshake_is_served_in_a_session() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let endpoint = endpoint(vec![tool("echo")]);
        let session = endpoint.open(version, json!({})).await;
        assert!(session.bytes().all(|byte| byte.is_ascii_graphic()), "{session}");
        for (message, key) in [
            (json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}), None),
            (json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}), Some("tools")),
            (call(3, "echo", json!({})), Some("content")),
            (json!({"jsonrpc": "2.0", "id": 4, "method": "logging/setLevel", "params": {"level": "info"}}), None),
        ] {
            let answer = endpoint.answer(in_session(&session, &message)).await;
            let result = &answer.json()["result"];
            let keys: Vec<_> = result.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(keys, key.into_iter().collect::<Vec<_>>(), "{version}: {message}");
        }
        for method in ["server/discover", "subscriptions/listen", "prompts/list", "nonsense"] {
            let message = json!({"jsonrpc": "2.0", "id": 9, "method": method});
            assert_eq!(
                endpoint.answer(in_session(&session, &message)).await.code(),
                (200, -32601),
                "{version} {method}"
            );
        }
    }
}

#[tokio::test]
async fn an_initialize_that_is_none_opens_no_session() {
    let endpoint = endpoint(vec![]);
    let client = json!({"name": "test", "version": "1"});
    for params in [
        json!({}),
        json!({"protocolVersion": 5, "capabilities": {}, "clientInfo": client}),
        json!({"protocolVersion": "2025-11-25", "clientInfo": client}),
        json!({"protocolVersion": "2025-11-25", "capabilities": {}}),
        json!({"protocolVersion": "2025-11-25", "capabilities": [], "clientInfo": client}),
    ] {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).to_string();
        let answer = endpoint.answer(request("POST", &HEAD, &body)).await;
        assert_eq!(answer.code(), (200, -32602), "{params}");
        assert_eq!(answer.session, None);
    }
    assert_eq!(endpoint.service.shared.sessions.len(), 0);
}

#[tokio::test]
async fn a_session_ends_when_its_client_says_so() {
    let endpoint = endpoint(vec![tool("echo")]);
    let session = endpoint.open("2025-11-25", json!({})).await;
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let with = |version: &'static str| {
        let mut headers = HEAD.to_vec();
        headers.extend([("mcp-session-id", session.as_str()), ("mcp-protocol-version", version)]);
        request("POST", &headers, &ping.to_string())
    };
    assert_eq!(endpoint.answer(with("2025-11-25")).await.status, 200);
    assert_eq!(endpoint.answer(with("1900-01-01")).await.code(), (400, -32600));
    assert_eq!(endpoint.answer(in_session("unknown", &ping)).await.code(), (404, -32600));
    let again: Value = serde_json::from_str(&initialize("2025-11-25", &json!({}))).unwrap();
    assert_eq!(endpoint.answer(in_session(&session, &again)).await.code(), (400, -32600));

    let mut stream = Events::of(endpoint.listen(&session, None).await);
    let end = || request("DELETE", &[("host", "localhost"), ("mcp-session-id", session.as_str())], "");
    assert_eq!(endpoint.answer(end()).await.status, 204);
    assert_eq!(stream.next().await, None);
    assert_eq!(endpoint.answer(in_session(&session, &ping)).await.status, 404);
    assert_eq!(endpoint.answer(end()).await.status, 404);
}

#[tokio::test]
async fn a_session_belongs_to_who_opened_it() {
    let endpoint = endpoint(vec![]);
    let of = |mut request: Request<Full<Bytes>>, id: &str| {
        request.extensions_mut().insert(Arc::new(Principal { id: id.to_owned(), claims: "{}".to_owned() }));
        request
    };
    let opening = of(request("POST", &HEAD, &initialize("2025-11-25", &json!({}))), "alice");
    let session = endpoint.answer(opening).await.session.unwrap();
    let ping = || in_session(&session, &json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}));
    assert_eq!(endpoint.answer(of(ping(), "alice")).await.status, 200);
    assert_eq!(endpoint.answer(of(ping(), "mallory")).await.status, 404);
    assert_eq!(endpoint.answer(ping()).await.status, 404);
}

#[tokio::test]
async fn one_session_too_many_is_refused() {
    let endpoint = endpoint_with(vec![], Limits { sessions: 1, ..Limits::default() });
    let session = endpoint.open("2025-11-25", json!({})).await;
    let another = || request("POST", &HEAD, &initialize("2025-11-25", &json!({})));
    assert_eq!(endpoint.answer(another()).await.code(), (429, -32603));
    endpoint.answer(request("DELETE", &[("host", "localhost"), ("mcp-session-id", &session)], "")).await;
    assert_eq!(endpoint.answer(another()).await.status, 200);
}

#[tokio::test]
async fn a_change_of_the_list_reaches_a_session_once_and_also_between_streams() {
    let endpoint = endpoint(vec![tool("a")]);
    let session = endpoint.open("2025-06-18", json!({})).await;
    let changed = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});

    let mut first = Events::of(endpoint.listen(&session, None).await);
    endpoint.registry.replace(vec![tool("b")]);
    assert_eq!(first.next().await, Some(changed.clone()));

    let mut second = Events::of(endpoint.listen(&session, None).await);
    assert_eq!(first.next().await, None, "the newer stream takes the place of the older");
    drop(first);
    endpoint.registry.replace(vec![tool("c")]);
    assert_eq!(second.next().await, Some(changed.clone()));
    drop(second);

    endpoint.registry.replace(vec![tool("d")]);
    let mut third = Events::of(endpoint.listen(&session, None).await);
    assert_eq!(third.next().await, Some(changed));
    endpoint.shutdown.cancel();
    assert_eq!(third.next().await, None);
}

/// A tool that reports twice and then answers.
fn chatty() -> Arc<ToolEntry> {
    tool_fn("chatty", |_, ctx: CallCtx| async move {
        if let Some(events) = &ctx.events {
            for progress in [1.0, 2.0] {
                let message = Some("step".to_owned());
                events.try_send(CallEvent::Progress { progress, total: Some(2.0), message }).unwrap();
            }
            for level in [Level::Debug, Level::Error] {
                events.try_send(CallEvent::Log { level, logger: None, data: "{\n\"a\":1}".to_owned() }).unwrap();
            }
        }
        text("done")
    })
}

#[tokio::test]
async fn reports_make_a_stream_and_come_before_the_answer() {
    let endpoint = endpoint(vec![chatty()]);
    for (meta, reports) in [
        (json!({}), &[][..]),
        (json!({"progressToken": "t"}), &["notifications/progress", "notifications/progress"]),
        (json!({format!("{META}logLevel"): "warning"}), &["notifications/message"]),
        (
            json!({"progressToken": 7, format!("{META}logLevel"): "debug"}),
            &["notifications/progress", "notifications/progress", "notifications/message", "notifications/message"],
        ),
    ] {
        let token = meta.get("progressToken").cloned();
        let response = endpoint.respond(alone(1, "tools/call", json!({"name": "chatty", "_meta": meta}))).await;
        if reports.is_empty() {
            assert_eq!(Answer::of(response).await.json()["id"], 1);
            continue;
        }
        let mut events = Events::of(response);
        for report in reports {
            let message = events.next().await.unwrap();
            assert_eq!(message["method"], *report);
            if *report == "notifications/progress" {
                assert_eq!(Some(&message["params"]["progressToken"]), token.as_ref());
            } else {
                assert_eq!(message["params"]["data"], json!({"a": 1}));
            }
        }
        assert_eq!(events.next().await.unwrap()["result"]["content"][0]["text"], "done");
        assert_eq!(events.next().await, None);
    }
}

#[tokio::test]
async fn a_stream_of_a_session_can_be_fetched_again() {
    let endpoint = endpoint(vec![chatty()]);
    let session = endpoint.open("2025-11-25", json!({})).await;
    let mut events =
        Events::of(endpoint.respond(in_session(&session, &call(1, "chatty", json!({"progressToken": 1})))).await);
    assert_eq!(events.raw().await.unwrap(), "id: 1-0\ndata: ");
    assert!(events.raw().await.unwrap().starts_with("id: 1-1\ndata: {"));
    drop(events);

    let mut again = Events::of(endpoint.listen(&session, Some("1-1")).await);
    assert_eq!(again.next().await.unwrap()["params"]["progress"], 2.0);
    assert_eq!(again.next().await.unwrap()["result"]["content"][0]["text"], "done");
    assert_eq!(again.next().await, None);
    for unknown in ["2-0", "x", "1", "-"] {
        assert_eq!(endpoint.listen(&session, Some(unknown)).await.status(), 400, "{unknown}");
    }
}

#[tokio::test]
async fn only_the_revision_that_wants_it_gets_an_event_without_data() {
    for (version, primed) in [("2025-03-26", false), ("2025-06-18", false), ("2025-11-25", true)] {
        let endpoint = endpoint(vec![chatty()]);
        let session = endpoint.open(version, json!({})).await;
        let mut events =
            Events::of(endpoint.respond(in_session(&session, &call(1, "chatty", json!({"progressToken": 1})))).await);
        assert_eq!(events.raw().await.unwrap() == "id: 1-0\ndata: ", primed, "{version}");
    }
}

/// A tool that waits for a word, and says when it begins, when it ends, and when it was dropped before its end.
fn waiting() -> (Arc<ToolEntry>, mpsc::UnboundedReceiver<&'static str>, mpsc::UnboundedSender<()>) {
    struct Dropped(mpsc::UnboundedSender<&'static str>, bool);
    impl Drop for Dropped {
        fn drop(&mut self) {
            let _ = self.0.send(if self.1 { "ended" } else { "dropped" });
        }
    }
    let (say, said) = mpsc::unbounded_channel();
    let (go, gone) = mpsc::unbounded_channel::<()>();
    let gone = Arc::new(tokio::sync::Mutex::new(gone));
    let tool = tool_fn("waiting", move |_, _| {
        let (say, gone) = (say.clone(), Arc::clone(&gone));
        async move {
            let mut guard = Dropped(say.clone(), false);
            let _ = say.send("begun");
            gone.lock().await.recv().await;
            guard.1 = true;
            text("waited")
        }
    });
    (tool, said, go)
}

#[tokio::test]
async fn a_client_that_leaves_ends_a_request_that_stands_alone() {
    for meta in [json!({}), json!({"progressToken": 1})] {
        let (tool, mut said, _go) = waiting();
        let endpoint = endpoint(vec![tool]);
        let request = alone(1, "tools/call", json!({"name": "waiting", "_meta": meta}));
        let service = endpoint.service.clone();
        let client = tokio::spawn(async move { service.respond(request).await.status() });
        assert_eq!(said.recv().await, Some("begun"));
        client.abort();
        assert_eq!(said.recv().await, Some("dropped"));
    }
}

#[tokio::test]
async fn a_client_that_leaves_does_not_end_a_request_of_its_session() {
    for meta in [json!({}), json!({"progressToken": 1})] {
        let (tool, mut said, go) = waiting();
        let endpoint = endpoint(vec![tool]);
        let session = endpoint.open("2025-11-25", json!({})).await;
        let request = in_session(&session, &call(1, "waiting", meta));
        let service = endpoint.service.clone();
        let client = tokio::spawn(async move { service.respond(request).await.status() });
        assert_eq!(said.recv().await, Some("begun"));
        client.abort();
        assert!(client.await.unwrap_err().is_cancelled());
        go.send(()).unwrap();
        assert_eq!(said.recv().await, Some("ended"));
    }
}

#[tokio::test]
async fn a_cancelled_request_of_a_session_is_told_no_more() {
    let (tool, mut said, _go) = waiting();
    let endpoint = endpoint(vec![tool]);
    let session = endpoint.open("2025-11-25", json!({})).await;
    let cancel = |id: u32| {
        in_session(
            &session,
            &json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}),
        )
    };
    assert_eq!(endpoint.answer(cancel(5)).await.status, 202, "before there is anything to cancel");
    let (request, service) = (in_session(&session, &call(5, "waiting", json!({}))), endpoint.service.clone());
    let client = tokio::spawn(async move { Answer::of(service.respond(request).await).await });
    assert_eq!(said.recv().await, Some("begun"));

    let twice = endpoint.answer(in_session(&session, &call(5, "waiting", json!({})))).await;
    assert_eq!(twice.code(), (400, -32600), "the identifier is taken");
    assert_eq!(endpoint.answer(cancel(6)).await.status, 202);
    assert_eq!(endpoint.answer(cancel(5)).await.status, 202);
    assert_eq!(said.recv().await, Some("dropped"));
    let answer = client.await.unwrap();
    assert_eq!((answer.status, answer.kind.as_str(), answer.body.as_str()), (200, "text/event-stream", ""));
    assert_eq!(endpoint.answer(cancel(5)).await.status, 202, "after the end");
}

#[tokio::test]
async fn a_subscription_is_acknowledged_told_and_closed() {
    let endpoint = endpoint(vec![tool("a")]);
    let listen = |wanted: Value| alone(9, "subscriptions/listen", json!({"notifications": wanted}));
    let tag = format!("{META}subscriptionId");

    let mut tools =
        Events::of(endpoint.respond(listen(json!({"toolsListChanged": true, "promptsListChanged": true}))).await);
    let mut prompts = Events::of(endpoint.respond(listen(json!({"promptsListChanged": true}))).await);
    let acknowledged = tools.next().await.unwrap();
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(acknowledged["params"], json!({"_meta": {&tag: 9}, "notifications": {"toolsListChanged": true}}));
    assert_eq!(prompts.next().await.unwrap()["params"]["notifications"], json!({}));

    endpoint.registry.replace(vec![tool("b")]);
    let told = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": {"_meta": {&tag: 9}}});
    assert_eq!(tools.next().await, Some(told));

    endpoint.shutdown.cancel();
    for events in [&mut tools, &mut prompts] {
        let closed = events.next().await.unwrap();
        assert_eq!(closed["id"], 9);
        assert_eq!(closed["result"]["resultType"], "complete");
        assert_eq!(closed["result"]["_meta"][&tag], 9);
        assert_eq!(events.next().await, None);
    }
    for wrong in [json!({"notifications": {"toolsListChanged": 1}}), json!({"notifications": []}), json!({})] {
        assert_eq!(endpoint.answer(alone(1, "subscriptions/listen", wrong)).await.code(), (200, -32602));
    }
}

#[tokio::test]
async fn a_silent_stream_says_that_it_is_there() {
    let endpoint = endpoint_with(vec![], Limits { keep_alive: Duration::from_millis(1), ..Limits::default() });
    let session = endpoint.open("2025-11-25", json!({})).await;
    let listen = alone(1, "subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}));
    let mut streams = [Events::of(endpoint.respond(listen).await), Events::of(endpoint.listen(&session, None).await)];
    streams[0].next().await.unwrap();
    for events in &mut streams {
        assert_eq!(events.raw().await.unwrap(), ":");
        assert_eq!(events.raw().await.unwrap(), ":");
    }
}

#[tokio::test]
async fn a_batch_is_answered_as_one_where_the_revision_has_it() {
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "method": "notifications/whatever"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
        {"jsonrpc": "2.0", "id": 3, "method": "nonsense"},
        {"jsonrpc": "2.0", "id": 4, "method": "initialize"},
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        17,
    ]);
    for (version, welcome) in [("2024-11-05", true), ("2025-03-26", true), ("2025-06-18", false), ("2025-11-25", false)]
    {
        let endpoint = endpoint(vec![tool("echo")]);
        let session = endpoint.open(version, json!({})).await;
        let answer = endpoint.answer(in_session(&session, &batch)).await;
        if !welcome {
            assert_eq!(answer.code(), (400, -32600), "{version}");
            continue;
        }
        let mut codes: Vec<_> = answer
            .json()
            .as_array()
            .unwrap()
            .iter()
            .map(|reply| (reply["id"].as_u64().unwrap_or(0), reply["error"]["code"].as_i64().unwrap_or(0)))
            .collect();
        codes.sort_unstable();
        assert_eq!(codes, [(0, -32600), (1, -32600), (1, 0), (2, 0), (3, -32601), (4, -32600)], "{version}");
        let quiet = json!([{"jsonrpc": "2.0", "method": "notifications/whatever"}]);
        assert_eq!(endpoint.answer(in_session(&session, &quiet)).await.status, 202);
        let many: Vec<_> = (0..100).map(|id| json!({"jsonrpc": "2.0", "id": id, "method": "ping"})).collect();
        assert_eq!(endpoint.answer(in_session(&session, &json!(many))).await.code(), (400, -32600));
    }
}

#[tokio::test]
async fn a_mirrored_argument_is_compared_with_its_header() {
    let mut described = described("query");
    described.input_schema = json!({
        "type": "object",
        "properties": {"region": {"type": "string", "x-mcp-header": "Region"}, "limit": {"type": "integer", "x-mcp-header": "Limit"}}
    })
    .to_string();
    let endpoint = endpoint(vec![ToolEntry::fake(described, |arguments, _| async move { text(&arguments) })]);
    for (arguments, headers, expected) in [
        (json!({"region": "eu"}), &[("mcp-param-region", "eu")][..], (200, 0)),
        (json!({"region": "eu"}), &[("MCP-Param-REGION", "=?base64?ZXU=?=")], (200, 0)),
        (json!({"region": "eu", "limit": 42}), &[("mcp-param-region", "eu"), ("mcp-param-limit", "42.0")], (200, 0)),
        (json!({"region": "eu"}), &[], (400, -32020)),
        (json!({"region": "eu"}), &[("mcp-param-region", "us")], (400, -32020)),
        (json!({"region": "eu"}), &[("mcp-param-region", "=?base64?ZXU?=")], (400, -32020)),
        (json!({"region": null}), &[], (200, 0)),
        (json!({}), &[], (200, 0)),
        (json!({}), &[("mcp-param-region", "eu")], (400, -32020)),
        (json!({}), &[("mcp-param-unknown", "eu")], (200, 0)),
    ] {
        let mut request = alone(1, "tools/call", json!({"name": "query", "arguments": arguments}));
        for (name, value) in headers {
            request
                .headers_mut()
                .append(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        assert_eq!(endpoint.answer(request).await.code(), expected, "{arguments} {headers:?}");
    }
}

/// A tool that asks for a name and greets whoever answers.
fn asking() -> Arc<ToolEntry> {
    tool_fn("asking", |_, ctx: CallCtx| async move { greet(ctx) })
}

fn greet(ctx: CallCtx) -> Outcome {
    let Some(continuation) = ctx.continuation else {
        let schema = r#"{"type":"object","properties":{"name":{"type":"string"}}}"#.to_owned();
        let form = FormRequest { message: "who are you?".to_owned(), schema, meta: None };
        let request = InputRequest { key: "who".to_owned(), kind: InputKind::Form(form) };
        return Ok(ToolOutcome::InputRequired(InputRequired {
            requests: vec![request],
            state: Some(b"secret".to_vec()),
        }));
    };
    assert!(continuation.state.is_none_or(|state| state == b"secret"));
    match continuation.responses.first().map(|response| &response.answer) {
        Some(InputAnswer::Form(FormAnswer::Accept(Some(json)))) => text(&format!("hello {json}")),
        other => text(&format!("no name: {other:?}")),
    }
}

#[tokio::test]
async fn what_a_tool_needs_is_the_result_of_a_request_that_stands_alone() {
    let endpoint = endpoint(vec![asking(), tool("echo")]);
    let capabilities = format!("{META}clientCapabilities");
    let form = json!({&capabilities: {"elicitation": {}}});
    let first =
        |meta: &Value| alone(1, "tools/call", json!({"name": "asking", "arguments": {"a": 1, "b": 2}, "_meta": meta}));

    let refused = endpoint.answer(first(&json!({}))).await;
    assert_eq!(refused.code(), (400, -32021));
    assert_eq!(refused.json()["error"]["data"]["requiredCapabilities"], json!({"elicitation": {"form": {}}}));

    let needed = endpoint.answer(first(&form)).await.json();
    assert_eq!(needed["result"]["resultType"], "input_required");
    assert_eq!(needed["result"]["inputRequests"]["who"]["method"], "elicitation/create");
    assert_eq!(needed["result"]["inputRequests"]["who"]["params"]["mode"], "form");
    let state = needed["result"]["requestState"].as_str().unwrap();
    assert!(!state.contains("secret"));

    let answers = json!({"who": {"action": "accept", "content": {"name": "Ada"}}});
    let tampered = format!("{state}x");
    for (what, name, arguments, state, answers, expected) in [
        ("the same call", "asking", json!({"b": 2, "a": 1}), Some(state), &answers, Ok(r#"hello {"name":"Ada"}"#)),
        ("answers alone", "asking", json!({"a": 1, "b": 2}), None, &answers, Ok(r#"hello {"name":"Ada"}"#)),
        ("other arguments", "asking", json!({"a": 2, "b": 2}), Some(state), &answers, Err(-32602)),
        ("another tool", "echo", json!({"a": 1, "b": 2}), Some(state), &answers, Err(-32602)),
        ("changed state", "asking", json!({"a": 1, "b": 2}), Some(tampered.as_str()), &answers, Err(-32602)),
        ("no answer at all", "asking", json!({"a": 1, "b": 2}), None, &json!({"who": 5}), Err(-32602)),
    ] {
        let mut params = json!({"name": name, "arguments": arguments, "inputResponses": answers, "_meta": form});
        if let Some(state) = state {
            params["requestState"] = json!(state);
        }
        let answer = endpoint.answer(alone(2, "tools/call", params)).await.json();
        match expected {
            Ok(greeting) => assert_eq!(answer["result"]["content"][0]["text"], greeting, "{what}"),
            Err(code) => assert_eq!(answer["error"]["code"], code, "{what}: {answer}"),
        }
    }
}

#[tokio::test]
async fn a_client_of_a_session_is_asked_on_the_stream_of_its_request() {
    for (version, mode) in [("2025-06-18", Value::Null), ("2025-11-25", json!("form"))] {
        let endpoint = endpoint(vec![asking()]);
        let session = endpoint.open(version, json!({"elicitation": {}})).await;
        let mut events = Events::of(endpoint.respond(in_session(&session, &call(1, "asking", json!({})))).await);
        let mut question = events.next().await.unwrap();
        if question.is_null() {
            question = events.next().await.unwrap();
        }
        assert_eq!(question["method"], "elicitation/create");
        assert_eq!(question["params"]["mode"], mode, "{version}");
        let answer =
            json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {"name": "Ada"}}});
        assert_eq!(endpoint.answer(in_session(&session, &answer)).await.status, 202);
        assert_eq!(events.next().await.unwrap()["result"]["content"][0]["text"], r#"hello {"name":"Ada"}"#);
        assert_eq!(events.next().await, None);

        let mute = endpoint.open(version, json!({})).await;
        let answer = endpoint.answer(in_session(&mute, &call(1, "asking", json!({})))).await.json();
        assert_eq!(answer["result"]["isError"], true, "a client that cannot be asked");
    }
}

#[tokio::test]
async fn both_services_answer() {
    let endpoint = endpoint(vec![tool("echo")]);
    let list = || alone(1, "tools/list", json!({}));
    let response = hyper::service::Service::call(&endpoint.service, list()).await.unwrap();
    assert_eq!(response.status(), 200);
    let response = tower_service::Service::call(&mut endpoint.service.clone(), list()).await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn a_listener_serves_until_it_is_told_to_stop() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (tool, mut said, go) = waiting();
    let endpoint = endpoint(vec![tool]);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stopped, has_stopped) = oneshot::channel();
    let (service, shutdown) = (endpoint.service.clone(), endpoint.shutdown.clone());
    tokio::spawn(async move { stopped.send(super::serve(listener, service, shutdown).await) });

    let body = String::from_utf8(
        alone(1, "tools/call", json!({"name": "waiting"})).into_body().collect().await.unwrap().to_bytes().to_vec(),
    )
    .unwrap();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\naccept: */*\r\nmcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: waiting\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(body.as_bytes()).await.unwrap();
    assert_eq!(said.recv().await, Some("begun"));

    let mut gone = tokio::net::TcpStream::connect(address).await.unwrap();
    gone.write_all(head.as_bytes()).await.unwrap();
    gone.write_all(body.as_bytes()).await.unwrap();
    assert_eq!(said.recv().await, Some("begun"));
    drop(gone);
    assert_eq!(said.recv().await, Some("dropped"), "a connection that is closed ends its request");

    endpoint.shutdown.cancel();
    go.send(()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("waited"), "{answer}");
    has_stopped.await.unwrap().unwrap();
}
