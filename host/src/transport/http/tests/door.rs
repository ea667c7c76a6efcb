//! A doorkeeper before the endpoint: whom it lets in, what it is told, and that sessions are their principals'.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use futures_util::stream;
use http::request::Parts;
use http_body_util::StreamBody;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::{Doorkeeper, Lease, Peer, Proxies};
use super::*;

/// Takes the value of `authorization` for a name, and remembers whom it saw.
#[derive(Default)]
struct Names {
    seen: Mutex<Vec<Peer>>,
    asked: AtomicUsize,
    lease: Arc<Lease>,
}

impl Doorkeeper for Names {
    fn admit<'a>(
        &'a self,
        head: &'a Parts,
        peer: &'a Peer,
    ) -> BoxFuture<'a, Result<Option<Arc<Principal>>, Response<Body>>> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.seen.lock().unwrap().push(peer.clone());
            match head.headers.get("authorization").map(|name| name.to_str().unwrap()) {
                Some("anonymous") => Ok(None),
                Some(id) => Ok(Some(Arc::new(Principal::new(id)))),
                None => {
                    let refusal = Response::builder().status(401).header("www-authenticate", "Bearer");
                    Err(refusal.body(Body::full("who are you?")).unwrap())
                }
            }
        })
    }

    fn lease(&self, _: &Principal) -> Option<Arc<Lease>> {
        Some(Arc::clone(&self.lease))
    }

    fn page(&self, path: &str, peer: &Peer) -> Option<Response<Body>> {
        let host = peer.host.clone().unwrap_or_default();
        (path == "/.well-known/oauth-protected-resource/mcp").then(|| Response::new(Body::full(host)))
    }
}

fn guarded_with(tools: Vec<Arc<ToolEntry>>, proxies: &[&str]) -> (Endpoint, Arc<Names>) {
    let (registry, shutdown, names) = (registry(tools), CancellationToken::new(), Arc::new(Names::default()));
    let server = Server::new(registry.clone(), ServerInfo::default());
    let config = HttpConfig {
        allowed_origins: vec!["https://app.example.com".to_owned()],
        allowed_hosts: vec!["tools.example.com".to_owned()],
        doorkeeper: Some(Arc::clone(&names) as _),
        proxies: Proxies::new(proxies.iter().map(|network| network.parse().unwrap()).collect()),
        ..HttpConfig::default()
    };
    (Endpoint { service: Service::new(server, config, shutdown.clone()).at("/mcp"), registry, shutdown }, names)
}

fn guarded() -> (Endpoint, Arc<Names>) {
    guarded_with(vec![tool("echo")], &[])
}

fn as_of(mut request: Request<Full<Bytes>>, name: &str) -> Request<Full<Bytes>> {
    request.headers_mut().insert("authorization", name.parse().unwrap());
    request
}

fn at(path: &str, method: &str, headers: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut request = request(method, headers, "");
    *request.uri_mut() = path.parse().unwrap();
    request
}

const HOST: (&str, &str) = ("host", "localhost");
const PAGE: (&str, &str) = ("origin", "https://app.example.com");

#[tokio::test]
async fn nobody_comes_in_unasked_and_a_refusal_is_the_doorkeepers() {
    let (endpoint, names) = guarded();
    let events = ("accept", "text/event-stream");
    for (method, path) in
        [("POST", "/mcp"), ("GET", "/mcp"), ("DELETE", "/mcp"), ("PUT", "/mcp"), ("GET", "/sse"), ("POST", "/messages")]
    {
        let before = names.asked.load(Ordering::SeqCst);
        let response = endpoint.respond(at(path, method, &[HOST, PAGE, events])).await;
        assert_eq!(response.status(), 401, "{method} {path}");
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        assert_eq!(response.headers()["access-control-allow-origin"], PAGE.1, "or no page could read it");
        let exposed = response.headers()["access-control-expose-headers"].to_str().unwrap();
        for name in ["mcp-session-id", "www-authenticate", "retry-after"] {
            assert!(exposed.contains(name), "{exposed}");
        }
        assert_eq!(names.asked.load(Ordering::SeqCst), before + 1, "{method} {path}");
    }
    let asked = names.asked.load(Ordering::SeqCst);
    for (request, status) in [
        (at("/mcp", "OPTIONS", &[HOST, PAGE]), 204),
        (at("/nowhere", "GET", &[HOST]), 404),
        (at("/mcp", "GET", &[("host", "evil.example.com")]), 403),
        (at("/mcp", "GET", &[HOST, ("origin", "https://evil.example.com")]), 403),
    ] {
        assert_eq!(endpoint.answer(request).await.status, status);
    }
    assert_eq!(names.asked.load(Ordering::SeqCst), asked, "none of this is the doorkeeper's business");
    assert_eq!(endpoint.answer(as_of(alone(1, "tools/list", json!({})), "alice")).await.status, 200);
    assert_eq!(endpoint.answer(as_of(alone(2, "tools/list", json!({})), "anonymous")).await.status, 200);
}

#[tokio::test]
async fn a_body_is_not_waited_for_before_the_doorkeeper_has_spoken() {
    let (endpoint, names) = guarded();
    let head = alone(1, "tools/list", json!({})).into_parts().0;
    let never = stream::pending::<Result<http_body::Frame<Bytes>, std::convert::Infallible>>();
    let service = endpoint.service.clone();
    let response = service.respond(Request::from_parts(head, StreamBody::new(Box::pin(never)))).await;
    assert_eq!((response.status().as_u16(), names.asked.load(Ordering::SeqCst)), (401, 1));
}

#[tokio::test]
async fn pages_for_everybody_are_for_everybody() {
    let (endpoint, names) = guarded();
    let path = "/.well-known/oauth-protected-resource/mcp";
    let response = endpoint.respond(at(path, "GET", &[("host", "tools.example.com"), PAGE])).await;
    assert_eq!(response.headers()["access-control-allow-origin"], PAGE.1);
    assert_eq!(Answer::of(response).await.body, "tools.example.com");
    let asked = ("access-control-request-headers", "mcp-protocol-version");
    let response = endpoint.respond(at(path, "OPTIONS", &[HOST, PAGE, asked])).await;
    assert_eq!(response.headers()["access-control-allow-headers"], asked.1);
    assert_eq!(endpoint.answer(at(path, "POST", &[HOST])).await.status, 405);
    assert_eq!(endpoint.answer(at(path, "GET", &[("host", "evil.example.com")])).await.status, 404);
    assert_eq!(endpoint.answer(at("/.well-known/other", "GET", &[HOST])).await.status, 404);
    assert_eq!(names.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_stood_among_the_extensions_is_not_believed() {
    let (endpoint, _) = guarded();
    let opened = endpoint.answer(as_of(request("POST", &HEAD, &initialize("2025-11-25", &json!({}))), "alice")).await;
    let session = opened.session.unwrap();
    let mut forged = as_of(in_session(&session, &json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})), "anonymous");
    forged.extensions_mut().insert(Arc::new(Principal::new("alice")));
    assert_eq!(endpoint.answer(forged).await.status, 404);
}

/// Every way into a session, for its owner, for others, and for a session that is not there.
#[tokio::test]
async fn to_others_a_session_is_one_that_is_not_there() {
    let (endpoint, _) = guarded();
    for version in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let opened = endpoint.answer(as_of(request("POST", &HEAD, &initialize(version, &json!({}))), "alice")).await;
        let session = opened.session.unwrap();
        let ways = |session: &str| {
            let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
            let mut initialize = request("POST", &HEAD, &initialize(version, &json!({})));
            initialize.headers_mut().insert("mcp-session-id", session.parse().unwrap());
            let listen = |more: &[(&str, &str)]| {
                let mut headers = vec![HOST, ("accept", "text/event-stream"), ("mcp-session-id", session)];
                headers.extend(more);
                request("GET", &headers, "")
            };
            [
                ("request", in_session(session, &ping)),
                ("batch", in_session(session, &json!([ping]))),
                (
                    "notification",
                    in_session(session, &json!({"jsonrpc": "2.0", "method": "notifications/initialized"})),
                ),
                ("answer", in_session(session, &json!({"jsonrpc": "2.0", "id": 1, "result": {}}))),
                ("initialize", initialize),
                ("listen", listen(&[])),
                ("resume", listen(&[("last-event-id", "1-0")])),
                ("resume news", listen(&[("last-event-id", "n1-0")])),
                ("delete", request("DELETE", &[HOST, ("mcp-session-id", session)], "")),
            ]
        };
        let absent = "A".repeat(session.len());
        let known = ways(&session);
        for ((way, there), (_, not_there)) in known.into_iter().zip(ways(&absent)) {
            let there = endpoint.respond(as_of(there, "mallory")).await;
            let not_there = endpoint.respond(as_of(not_there, "mallory")).await;
            assert_eq!(there.status(), 404, "{version} {way}");
            assert_eq!(there.headers(), not_there.headers(), "{version} {way}");
            assert_eq!(Answer::of(there).await.body, Answer::of(not_there).await.body, "{version} {way}");
        }
        let anonymous = in_session(&session, &json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}));
        assert_eq!(endpoint.answer(as_of(anonymous, "anonymous")).await.status, 404, "{version}");
        let owner = in_session(&session, &json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}));
        assert_eq!(endpoint.answer(as_of(owner, "alice")).await.status, 200, "{version}: it is still there");
    }
}

#[tokio::test]
async fn the_pair_is_its_principals_too() {
    let (endpoint, _) = guarded();
    let open = at("/sse", "GET", &[HOST, ("accept", "text/event-stream")]);
    let mut events = Events::of(endpoint.respond(as_of(open, "alice")).await);
    let first = events.raw().await.unwrap();
    let post_to = first.strip_prefix("event: endpoint\ndata: ").unwrap().to_owned();
    let absent = "/messages?session=AAAAAAAAAAAAAAAAAAAAAA";
    let post = |path: &str, name: &str| {
        let mut post = as_of(request("POST", &HEAD, &initialize("2024-11-05", &json!({}))), name);
        *post.uri_mut() = path.parse().unwrap();
        post
    };
    let (stolen, none) =
        (endpoint.answer(post(&post_to, "mallory")).await, endpoint.answer(post(absent, "mallory")).await);
    assert_eq!((stolen.status, &stolen.body), (404, &none.body));
    assert_eq!(endpoint.answer(post(&post_to, "anonymous")).await.status, 404);
    assert_eq!(endpoint.answer(post(&post_to, "alice")).await.status, 202);
    assert!(events.raw().await.unwrap().contains("protocolVersion"));
}

/// What a doorkeeper is told of requests that come over a real socket, from this machine.
#[tokio::test]
async fn the_peer_is_the_connection_unless_a_trusted_proxy_says_otherwise() {
    let said = "x-forwarded-for: 203.0.113.7\r\nx-forwarded-proto: https\r\nx-forwarded-host: tools.example.com";
    for (proxies, header, status, expected) in [
        (&[][..], "", 401, Some(("127.0.0.1", "http", "localhost"))),
        (&[], said, 401, Some(("127.0.0.1", "http", "localhost"))),
        (&["192.0.2.0/24"], said, 401, Some(("127.0.0.1", "http", "localhost"))),
        (&["127.0.0.1/32"], "", 401, Some(("127.0.0.1", "http", "localhost"))),
        (&["127.0.0.1/32"], said, 401, Some(("203.0.113.7", "https", "tools.example.com"))),
        (&["127.0.0.1/32"], "x-forwarded-host: evil.example.com", 403, None),
        (&["127.0.0.1/32"], "forwarded: for=1.2.3.4\r\nx-forwarded-for: 5.6.7.8", 400, None),
        (
            &["192.0.2.0/24"],
            "forwarded: for=1.2.3.4\r\nx-forwarded-for: 5.6.7.8",
            401,
            Some(("127.0.0.1", "http", "localhost")),
        ),
        // Through a proxy a page of somebody's loopback is a stranger's.
        (&["127.0.0.1/32"], "origin: http://localhost:3000", 403, None),
        (&[], "origin: http://localhost:3000", 401, Some(("127.0.0.1", "http", "localhost"))),
    ] {
        let (endpoint, names) = guarded_with(vec![tool("echo")], proxies);
        let address = serve(&endpoint).await;
        let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
        let line = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
        let request = format!("GET /mcp HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{line}\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{proxies:?} {header}: {answer}");
        let seen = names.seen.lock().unwrap().pop();
        let seen =
            seen.map(|peer| (peer.address.unwrap().ip().to_string(), peer.scheme.to_string(), peer.host.unwrap()));
        let expected = expected.map(|(ip, scheme, host)| (ip.to_owned(), scheme.to_owned(), host.to_owned()));
        assert_eq!(seen, expected, "{proxies:?} {header}");
    }
}

#[tokio::test]
async fn one_address_has_its_share_of_connections_and_no_more() {
    let limits = Limits { connections_per_address: 2, ..Limits::default() };
    let endpoint = endpoint_with(vec![tool("echo")], limits);
    let address = serve(&endpoint).await;
    let ask = b"GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
        client.write_all(ask).await.unwrap();
        assert_eq!(client.read(&mut [0; 12]).await.unwrap(), 12);
        held.push(client);
    }
    let mut third = tokio::net::TcpStream::connect(address).await.unwrap();
    let _ = third.write_all(ask).await;
    assert!(!matches!(third.read(&mut [0; 12]).await, Ok(1..)), "a third connection was served");
    held.pop();
    // The server learns of the end when it next looks.
    loop {
        let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
        let _ = client.write_all(ask).await;
        if matches!(client.read(&mut [0; 12]).await, Ok(12)) {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_stands_alone_ends_when_what_its_caller_showed_is_taken_back() {
    for meta in [json!({}), json!({"progressToken": 1})] {
        let (tool, mut said, _go) = waiting();
        let (endpoint, names) = guarded_with(vec![tool], &[]);
        let mut request = alone(1, "tools/call", json!({"name": "waiting", "_meta": meta}));
        request.headers_mut().insert("authorization", http::HeaderValue::from_static("alice"));
        let service = endpoint.service.clone();
        let client = tokio::spawn(async move { service.respond(request).await.status() });
        assert_eq!(said.recv().await, Some("begun"));
        tokio::time::sleep(Duration::from_secs(2)).await;
        names.lease.revoked.cancel();
        assert_eq!(said.recv().await, Some("dropped"));
        assert_eq!(client.await.unwrap(), StatusCode::OK);
    }
}
