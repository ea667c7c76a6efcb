//! The endpoint, called in this process: no sockets.

mod cancel;
mod door;
mod input;
mod pair;
mod polling;
mod sessions;
mod slow;
mod streams;

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
    assert_eq!(result["capabilities"]["tools"], json!({"listChanged": true}));
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
    let names = "authorization, content-type, dpop, last-event-id, mcp-method, mcp-name, mcp-param-region, \
                 mcp-protocol-version, mcp-session-id, traceparent, tracestate";
    let asked = ("access-control-request-headers", names);
    let response = endpoint.respond(request("OPTIONS", &[("host", "localhost"), origin, asked], "")).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(response.headers()["access-control-allow-origin"], origin.1);
    assert_eq!(response.headers()["access-control-allow-headers"], asked.1);
    let headers: Vec<_> = HEAD.into_iter().chain([origin]).collect();
    let response = endpoint.respond(request("POST", &headers, &initialize("2025-11-25", &json!({})))).await;
    assert_eq!(response.headers()["access-control-allow-origin"], origin.1);
    let exposed = response.headers()["access-control-expose-headers"].to_str().unwrap().split(", ");
    assert_eq!(
        exposed.collect::<Vec<_>>(),
        ["mcp-session-id", "mcp-protocol-version", "www-authenticate", "dpop-nonce", "retry-after"]
    );
    // And of other pages, none is told anything.
    let stranger = ("origin", "https://evil.example.com");
    let response = endpoint.respond(request("OPTIONS", &[("host", "localhost"), stranger, asked], "")).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(response.headers().keys().all(|name| !name.as_str().starts_with("access-control-")));
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

#[tokio::test]
async fn both_services_answer() {
    let endpoint = endpoint(vec![tool("echo")]);
    let list = || alone(1, "tools/list", json!({}));
    let response = hyper::service::Service::call(&endpoint.service, list()).await.unwrap();
    assert_eq!(response.status(), 200);
    let response = tower_service::Service::call(&mut endpoint.service.clone(), list()).await.unwrap();
    assert_eq!(response.status(), 200);
}

/// Serves the endpoint over sockets.
async fn serve(endpoint: &Endpoint) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(super::serve(listener, endpoint.service.clone(), endpoint.shutdown.clone()));
    address
}

/// A request as HTTP/1.1 has it.
async fn on_the_wire(request: Request<Full<Bytes>>) -> Vec<u8> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut bytes = format!("{} {} HTTP/1.1\r\ncontent-length: {}\r\n", head.method, head.uri, body.len()).into_bytes();
    for (name, value) in &head.headers {
        bytes.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    bytes
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
