//! Clients that do not read what they are sent, over real sockets.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::*;

/// More than the system takes on its own account.
const MUCH: usize = 16 * 1024 * 1024;

fn big() -> Arc<ToolEntry> {
    tool_fn("big", |_, _| async { text(&"x".repeat(MUCH)) })
}

/// One place for a connection: whoever holds it keeps all others out.
fn limits() -> Limits {
    let soon = Duration::from_millis(20);
    Limits { connections: 1, write_time: soon, keep_alive: soon, ..Limits::default() }
}

/// A client that takes little at a time.
async fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(address).await.unwrap()
}

/// Whether there is a place for someone else; waits until there is.
async fn someone_else_is_served(address: SocketAddr) {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET /nowhere HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[tokio::test]
async fn a_client_that_reads_nothing_loses_its_place() {
    let endpoint = endpoint_with(vec![big()], limits());
    let address = serve(&endpoint).await;
    let mut client = connect(address).await;
    client.write_all(&on_the_wire(alone(1, "tools/call", json!({"name": "big"}))).await).await.unwrap();
    someone_else_is_served(address).await;
    drop(client);
}

#[tokio::test]
async fn a_stream_that_nobody_reads_loses_its_place_and_ends_its_call() {
    let (tool, mut said, _shown) = cancel::reporting(100_000);
    let endpoint = endpoint_with(vec![tool], limits());
    let address = serve(&endpoint).await;
    let mut client = connect(address).await;
    let params = json!({"name": "reporting", "_meta": {"progressToken": 1}});
    client.write_all(&on_the_wire(alone(1, "tools/call", params)).await).await.unwrap();
    someone_else_is_served(address).await;
    assert_eq!(said.recv().await, Some("begun"));
    assert_eq!(said.recv().await, Some("dropped"));
    drop(client);
}

/// Whoever mounts the service may have a server that waits for its clients for ever.
#[tokio::test]
async fn a_response_that_is_never_asked_for_more_ends_its_call() {
    let (tool, mut said, _shown) = cancel::reporting(1);
    let endpoint = endpoint_with(vec![tool], limits());
    let params = json!({"name": "reporting", "_meta": {"progressToken": 1}});
    let response = endpoint.respond(alone(1, "tools/call", params)).await;
    assert_eq!(said.recv().await, Some("begun"));
    assert_eq!(said.recv().await, Some("dropped"));
    drop(response);
}

#[tokio::test]
async fn a_pair_whose_stream_nobody_reads_ends() {
    let (waiting, mut said, _go) = waiting();
    let endpoint = endpoint_with(vec![big(), waiting], Limits { connections: 2, ..limits() });
    let address = serve(&endpoint).await;
    let mut stream = connect(address).await;
    stream.write_all(b"GET /sse HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut seen = String::new();
    while !seen.ends_with("\n\n\r\n") {
        seen.push(char::from(stream.read_u8().await.unwrap()));
    }
    let post_to = seen.lines().find_map(|line| line.strip_prefix("data: ")).unwrap().to_owned();

    let mut poster = TcpStream::connect(address).await.unwrap();
    for message in [
        serde_json::from_str(&initialize("2024-11-05", &json!({}))).unwrap(),
        call(1, "waiting", json!({})),
        call(2, "big", json!({})),
    ] {
        let mut request = request("POST", &HEAD, &message.to_string());
        *request.uri_mut() = post_to.parse().unwrap();
        poster.write_all(&on_the_wire(request).await).await.unwrap();
    }
    assert_eq!(said.recv().await, Some("begun"));
    assert_eq!(said.recv().await, Some("dropped"), "the client of the stream reads nothing");
    assert_eq!(endpoint.service.shared.pairs.len(), 0);
    drop((stream, poster));
}

#[tokio::test]
async fn a_client_of_http2_that_lets_nothing_through_loses_its_place() {
    let endpoint = endpoint_with(vec![big()], limits());
    let address = serve(&endpoint).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(&stalled_http2(alone(1, "tools/call", json!({"name": "big"}))).await).await.unwrap();
    // It reads, and so its connection is alive; only the one response gets no room.
    let (mut reads, _writes) = client.split();
    let mut sink = Vec::new();
    let (read, ()) = tokio::join!(reads.read_to_end(&mut sink), someone_else_is_served(address));
    assert!(read.is_err() || !sink.is_empty());
    assert!(sink.len() < 1024, "nothing of the answer came through");
}

/// A request in HTTP/2 of a client that opens no window for its answer. Source: RFC 9113, sections 3.4, 4.1, 6.5.2.
async fn stalled_http2(request: Request<Full<Bytes>>) -> Vec<u8> {
    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
    }
    // Literal fields that are not indexed. Source: RFC 7541, section 6.2.2.
    fn field(name: &str, value: &str) -> Vec<u8> {
        let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        [vec![0], text(name), text(value)].concat()
    }
    let (head, body) = request.into_parts();
    let mut block = Vec::new();
    for (name, value) in [(":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", "/mcp")] {
        block.extend(field(name, value));
    }
    for (name, value) in head.headers.iter().filter(|(name, _)| *name != "host") {
        block.extend(field(name.as_str(), value.to_str().unwrap()));
    }
    let body = body.collect().await.unwrap().to_bytes();
    let no_window = [0, 4, 0, 0, 0, 0];
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(4, 0, 0, &no_window),
        frame(1, 4, 1, &block),
        frame(0, 1, 1, &body),
    ]
    .concat()
}

#[tokio::test]
async fn a_large_answer_arrives_whole() {
    let endpoint = endpoint_with(vec![big()], Limits { connections: 1, ..Limits::default() });
    let address = serve(&endpoint).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    let mut request = alone(1, "tools/call", json!({"name": "big"}));
    request.headers_mut().insert("connection", http::HeaderValue::from_static("close"));
    client.write_all(&on_the_wire(request).await).await.unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    let answer: Value = serde_json::from_slice(&answer[end..]).unwrap();
    assert_eq!(answer["result"]["content"][0]["text"].as_str().map(str::len), Some(MUCH));
}
