//! The deprecated HTTP+SSE pair.

use super::*;

/// One client: the stream it listens to, and where it posts.
struct Client<'a> {
    endpoint: &'a Endpoint,
    events: Events,
    post_to: String,
}

fn open_request() -> Request<Full<Bytes>> {
    let mut request = request("GET", &[("host", "localhost"), ("accept", "text/event-stream")], "");
    *request.uri_mut() = "/sse".parse().unwrap();
    request
}

fn post_request(post_to: &str, message: &Value) -> Request<Full<Bytes>> {
    let mut request =
        request("POST", &[("host", "localhost"), ("content-type", "application/json")], &message.to_string());
    *request.uri_mut() = post_to.parse().unwrap();
    request
}

fn of(mut request: Request<Full<Bytes>>, id: &str) -> Request<Full<Bytes>> {
    request.extensions_mut().insert(Arc::new(Principal::new(id.to_owned())));
    request
}

fn beside(mut endpoint: Endpoint) -> Endpoint {
    endpoint.service = endpoint.service.at("/mcp");
    endpoint
}

async fn connect_with(endpoint: &Endpoint, request: Request<Full<Bytes>>) -> Client<'_> {
    let mut events = Events::of(endpoint.respond(request).await);
    let first = events.raw().await.unwrap();
    let post_to = first.strip_prefix("event: endpoint\ndata: ").unwrap_or_else(|| panic!("{first}")).to_owned();
    Client { endpoint, events, post_to }
}

async fn connect(endpoint: &Endpoint) -> Client<'_> {
    connect_with(endpoint, open_request()).await
}

impl Client<'_> {
    async fn post(&self, message: &Value) {
        let answer = self.endpoint.answer(post_request(&self.post_to, message)).await;
        assert_eq!((answer.status, answer.body.as_str()), (202, ""), "{message}");
    }

    async fn next(&mut self) -> Value {
        let event = self.events.raw().await.expect("the stream is open");
        let message = event.strip_prefix("event: message\ndata: ").unwrap_or_else(|| panic!("{event}"));
        serde_json::from_str(message).unwrap()
    }

    async fn ask(&mut self, message: &Value) -> Value {
        self.post(message).await;
        self.next().await
    }

    async fn open(&mut self, version: &str, capabilities: &Value) {
        let opened = self.ask(&serde_json::from_str(&initialize(version, capabilities)).unwrap()).await;
        assert_eq!(opened["result"]["protocolVersion"], version);
        self.post(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    }
}

fn ping(id: u32) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "ping"})
}

#[tokio::test]
async fn every_revision_with_a_handshake_is_served_over_the_pair() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let endpoint = beside(endpoint(vec![tool("echo")]));
        let mut client = connect(&endpoint).await;
        assert!(client.post_to.starts_with("/messages?session="), "{}", client.post_to);
        client.open(version, &json!({})).await;
        assert_eq!(client.ask(&ping(1)).await["result"], json!({}));
        let called = client.ask(&call(2, "echo", json!({}))).await;
        assert_eq!(called["result"]["content"][0]["text"], "{}");
        let batch = client.ask(&json!([ping(3), ping(4)])).await;
        assert_eq!(batch.as_array().map(Vec::len), (version < "2025-06-18").then_some(2), "{batch}");
        let listed = json!({"jsonrpc": "2.0", "id": 5, "method": "tools/list"});
        assert_eq!(client.ask(&listed).await["result"]["tools"][0]["name"], "echo");
    }
}

#[tokio::test]
async fn the_pair_is_guarded_like_the_endpoint() {
    let limits = Limits { message_bytes: 200, in_flight: 1, ..Limits::default() };
    let (tool, mut said, _go) = waiting();
    let endpoint = beside(endpoint_with(vec![tool], limits));
    let mut client = connect(&endpoint).await;
    let here = client.post_to.clone();
    let (host, kind, events) =
        (("host", "localhost"), ("content-type", "application/json"), ("accept", "text/event-stream"));
    let long = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{}"}}"#, "x".repeat(300));
    let ping = ping(1).to_string();
    for (what, method, path, headers, body, status) in [
        ("no host", "GET", "/sse", &[events][..], "", 403),
        ("foreign host", "GET", "/sse", &[("host", "evil.example.com"), events], "", 403),
        ("foreign origin", "GET", "/sse", &[host, ("origin", "http://evil.example.com"), events], "", 403),
        ("takes no events", "GET", "/sse", &[host, ("accept", "application/json")], "", 406),
        ("a newer client that looks around", "POST", "/sse", &[host, kind], &ping, 405),
        ("no way to listen", "GET", "/messages", &[host, events], "", 405),
        ("an end", "DELETE", "/sse", &[host], "", 405),
        ("no session", "POST", "/messages", &[host, kind], &ping, 400),
        ("another name for it", "POST", "/messages?id=1", &[host, kind], &ping, 400),
        ("no such session", "POST", "/messages?session=x", &[host, kind], &ping, 404),
        ("no session at all", "POST", "/messages?session=", &[host, kind], &ping, 404),
        ("foreign host", "POST", &here, &[("host", "evil.example.com"), kind], &ping, 403),
        ("foreign origin", "POST", &here, &[host, kind, ("origin", "null")], &ping, 403),
        ("text", "POST", &here, &[host, ("content-type", "text/plain")], &ping, 415),
        ("too long", "POST", &here, &[host, kind], &long, 413),
        ("elsewhere", "POST", "/other", &[host, kind], &ping, 404),
        ("from a browser", "OPTIONS", &here, &[host, ("origin", "https://app.example.com")], "", 204),
    ] {
        let mut request = request(method, headers, body);
        *request.uri_mut() = path.parse().unwrap();
        assert_eq!(endpoint.answer(request).await.status, status, "{what}");
    }
    assert_eq!(client.ask(&json!("no message")).await["error"]["code"], -32600);
    client.open("2024-11-05", &json!({})).await;
    client.post(&call(1, "waiting", json!({}))).await;
    assert_eq!(said.recv().await, Some("begun"));
    assert_eq!(client.ask(&call(2, "waiting", json!({}))).await["error"]["code"], -32603, "one too many");
}

#[tokio::test]
async fn a_request_that_stands_alone_does_not_get_around_its_headers() {
    let endpoint = beside(endpoint(vec![tool("echo")]));
    let mut client = connect(&endpoint).await;
    let (_, body) = alone(1, "tools/call", json!({"name": "echo"})).into_parts();
    let message = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(client.ask(&message).await["error"]["code"], -32600);
}

#[tokio::test]
async fn a_connection_ends_with_its_stream() {
    let (tool, mut said, _go) = waiting();
    let endpoint = beside(endpoint_with(vec![tool], Limits { sessions: 1, ..Limits::default() }));
    let mut client = connect(&endpoint).await;
    client.open("2024-11-05", &json!({})).await;
    assert_eq!(endpoint.answer(open_request()).await.code(), (429, -32603), "one too many");
    client.post(&call(1, "waiting", json!({}))).await;
    assert_eq!(said.recv().await, Some("begun"));
    let Client { events, post_to, .. } = client;
    drop(events);
    assert_eq!(said.recv().await, Some("dropped"));
    assert_eq!(endpoint.answer(post_request(&post_to, &ping(2))).await.code(), (404, -32600));
    assert_eq!(endpoint.service.shared.pairs.len(), 0);
    connect(&endpoint).await;
}

#[tokio::test]
async fn a_connection_belongs_to_who_opened_it() {
    let whose = tool_fn("whose", |_, ctx: CallCtx| async move { text(&ctx.caller.unwrap().id) });
    let endpoint = beside(endpoint(vec![whose]));
    let mut client = connect_with(&endpoint, of(open_request(), "alice")).await;
    let opening = serde_json::from_str(&initialize("2024-11-05", &json!({}))).unwrap();
    for message in [opening, call(1, "whose", json!({}))] {
        let post = || post_request(&client.post_to, &message);
        assert_eq!(endpoint.answer(post()).await.status, 404);
        assert_eq!(endpoint.answer(of(post(), "mallory")).await.status, 404);
        assert_eq!(endpoint.answer(of(post(), "alice")).await.status, 202);
    }
    assert_eq!(client.next().await["id"], 0);
    assert_eq!(client.next().await["result"]["content"][0]["text"], "alice");
}

#[tokio::test]
async fn what_is_cancelled_is_told_no_more() {
    let (tool, mut said, _go) = waiting();
    let endpoint = beside(endpoint(vec![tool]));
    let mut client = connect(&endpoint).await;
    client.open("2024-11-05", &json!({})).await;
    client.post(&call(1, "waiting", json!({}))).await;
    assert_eq!(said.recv().await, Some("begun"));
    client.post(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})).await;
    assert_eq!(said.recv().await, Some("dropped"));
    assert_eq!(client.ask(&ping(2)).await["id"], 2);
}

#[tokio::test]
async fn news_and_questions_come_over_the_stream() {
    let endpoint = beside(endpoint(vec![input::asking()]));
    let mut client = connect(&endpoint).await;
    client.open("2025-06-18", &json!({"elicitation": {}})).await;
    client.post(&call(1, "asking", json!({}))).await;
    let question = client.next().await;
    assert_eq!(question["method"], "elicitation/create");
    let answer =
        json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {"name": "Ada"}}});
    assert_eq!(client.ask(&answer).await["result"]["content"][0]["text"], r#"hello {"name":"Ada"}"#);

    endpoint.registry.replace(vec![tool("b")]);
    assert_eq!(client.next().await, json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
}

#[tokio::test]
async fn the_stream_lives_as_long_as_the_server() {
    let (tool, mut said, go) = waiting();
    let endpoint =
        beside(endpoint_with(vec![tool], Limits { keep_alive: Duration::from_millis(1), ..Limits::default() }));
    let mut client = connect(&endpoint).await;
    assert_eq!(client.events.raw().await.unwrap(), ":");
    client.post(&serde_json::from_str(&initialize("2024-11-05", &json!({}))).unwrap()).await;
    client.post(&call(1, "waiting", json!({}))).await;
    assert_eq!(said.recv().await, Some("begun"));
    endpoint.shutdown.cancel();
    go.send(()).unwrap();
    let mut seen = Vec::new();
    while let Some(event) = client.events.raw().await {
        seen.extend((event != ":").then_some(event));
    }
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen[1].contains("waited"), "what was open has been answered: {seen:?}");
    assert_eq!(endpoint.answer(post_request(&client.post_to, &ping(2))).await.status, 404);
}

#[tokio::test]
async fn the_pair_lies_where_the_endpoint_or_its_owner_says() {
    let bare = endpoint(vec![]);
    let off = {
        let server = Server::new(bare.registry.clone(), ServerInfo::default());
        Service::new(server, HttpConfig { sse: false, ..HttpConfig::default() }, bare.shutdown.clone())
    };
    for (what, service, path, post_to) in [
        ("mounted alone", bare.service.clone(), "/sse", None),
        ("beside", bare.service.clone().at("/mcp"), "/sse", Some("/messages")),
        ("beside, with a slash", bare.service.clone().at("/mcp"), "/sse/", Some("/messages")),
        ("beside, deeper", bare.service.clone().at("/tools/mcp"), "/tools/sse", Some("/tools/messages")),
        ("not above", bare.service.clone().at("/tools/mcp"), "/sse", None),
        ("switched off", off.at("/mcp"), "/sse", None),
        ("mounted", bare.service.clone().with_sse("/old/events", "/old/post"), "/old/events", Some("/old/post")),
        ("its owner's word counts", bare.service.clone().with_sse("/a", "/b").at("/mcp"), "/a", Some("/b")),
    ] {
        let mut request = open_request();
        *request.uri_mut() = path.parse().unwrap();
        let response = service.respond(request).await;
        let Some(post_to) = post_to else {
            assert_ne!(response.status(), StatusCode::OK, "{what}");
            continue;
        };
        let first = Events::of(response).raw().await.unwrap();
        let expected = format!("event: endpoint\ndata: {post_to}?session=");
        assert_eq!(first.strip_prefix(&expected).map(str::len), Some(22), "{what}: {first}");
    }
}
