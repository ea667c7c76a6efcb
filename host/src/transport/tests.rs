//! Connections of two channels, and lines on byte streams.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Channel, Limits, memory, serve_channel_within, stdio};
use crate::protocol::testing::{registry, text, tool, tool_fn};
use crate::protocol::{Server, ServerInfo};
use crate::registry::{CallCtx, CallEvent, Registry, ToolEntry};

const META: &str = "io.modelcontextprotocol/";

struct Peer {
    channel: Channel,
    registry: Registry,
    shutdown: CancellationToken,
    served: tokio::task::JoinHandle<()>,
}

fn peer_within(tools: Vec<Arc<ToolEntry>>, limits: Limits) -> Peer {
    let registry = registry(tools);
    let server = Server::new(registry.clone(), ServerInfo::default());
    let (ours, channel) = memory::pair(16);
    let shutdown = CancellationToken::new();
    let served = tokio::spawn(serve_channel_within(server, ours, limits, shutdown.clone()));
    Peer { channel, registry, shutdown, served }
}

fn peer(tools: Vec<Arc<ToolEntry>>) -> Peer {
    peer_within(tools, Limits::default())
}

fn alone(id: u32, method: &str, mut params: Value) -> Value {
    let meta = params.as_object_mut().unwrap().entry("_meta").or_insert_with(|| json!({}));
    meta[format!("{META}protocolVersion")] = json!("2026-07-28");
    meta[format!("{META}clientCapabilities")] = json!({});
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

fn call(id: u32, name: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": name}})
}

fn cancelled(id: u32) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})
}

impl Peer {
    async fn send(&self, message: &Value) {
        self.channel.outgoing.send(Bytes::from(message.to_string())).await.unwrap();
    }

    async fn receive(&mut self) -> Value {
        let bytes = self.channel.incoming.recv().await.expect("the connection is open");
        assert!(!bytes.contains(&b'\n'));
        serde_json::from_slice(&bytes).unwrap()
    }

    async fn ask(&mut self, message: &Value) -> Value {
        self.send(message).await;
        self.receive().await
    }

    async fn open(&mut self, version: &str) {
        let client = json!({"name": "test", "version": "1"});
        let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": client});
        let opened = self.ask(&json!({"jsonrpc": "2.0", "id": "open", "method": "initialize", "params": params})).await;
        assert_eq!(opened["result"]["protocolVersion"], version);
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    }
}

/// A tool that waits for as many words as it is called, and says what becomes of it.
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
async fn both_eras_share_a_connection() {
    let mut peer = peer(vec![tool("echo")]);
    assert_eq!(peer.ask(&alone(1, "server/discover", json!({}))).await["result"]["resultType"], "complete");
    let early = peer.ask(&call(2, "echo")).await;
    assert_eq!(early["error"]["code"], -32602, "neither a handshake nor `_meta`: {early}");
    assert_eq!(peer.ask(&json!({"jsonrpc": "2.0", "id": 3, "method": "ping"})).await["result"], json!({}));

    peer.open("2025-06-18").await;
    assert_eq!(peer.ask(&call(4, "echo")).await["result"], json!({"content": [{"type": "text", "text": "{}"}]}));
    let modern = peer.ask(&alone(5, "tools/call", json!({"name": "echo"}))).await;
    assert_eq!(modern["result"]["resultType"], "complete");
    let again = json!({"jsonrpc": "2.0", "id": 6, "method": "initialize", "params": {}});
    assert_eq!(peer.ask(&again).await["error"]["code"], -32600);
    assert_eq!(peer.ask(&alone(7, "ping", json!({}))).await["error"]["code"], -32601);
}

#[tokio::test]
async fn what_is_no_message_is_answered_and_the_connection_goes_on() {
    let mut peer = peer(vec![]);
    for (bytes, code) in [("{", -32700), ("\u{fffd}", -32700), ("[]", -32600), ("[1]", -32600), ("{}", -32600)] {
        peer.channel.outgoing.send(Bytes::from(bytes)).await.unwrap();
        let answer = peer.receive().await;
        assert_eq!(answer["error"]["code"], code, "{bytes}");
        assert_eq!(answer.get("id"), None);
    }
    for quiet in
        [json!({"jsonrpc": "2.0", "method": "unknown"}), json!({"jsonrpc": "2.0", "id": 1, "result": {}}), cancelled(1)]
    {
        peer.send(&quiet).await;
    }
    assert_eq!(peer.ask(&json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})).await["result"], json!({}));
}

#[tokio::test]
async fn an_open_identifier_is_refused_and_a_cancelled_request_is_silent() {
    let (waiting, mut said, go) = waiting();
    let mut peer = peer(vec![waiting]);
    peer.open("2025-11-25").await;
    peer.send(&cancelled(1)).await;
    peer.send(&call(1, "waiting")).await;
    assert_eq!(said.recv().await, Some("begun"));
    assert_eq!(peer.ask(&call(1, "waiting")).await["error"]["code"], -32600);
    peer.send(&cancelled(2)).await;
    peer.send(&cancelled(1)).await;
    assert_eq!(said.recv().await, Some("dropped"));
    peer.send(&cancelled(1)).await;

    peer.send(&alone(1, "tools/call", json!({"name": "waiting"}))).await;
    assert_eq!(said.recv().await, Some("begun"), "the identifier is free again");
    go.send(()).unwrap();
    let answer = peer.receive().await;
    assert_eq!((&answer["id"], &answer["result"]["content"][0]["text"]), (&json!(1), &json!("waited")));
}

#[tokio::test]
async fn one_peer_has_only_so_much_open() {
    let (waiting, mut said, _go) = waiting();
    let mut peer = peer_within(vec![waiting], Limits { in_flight: 2, ..Limits::default() });
    peer.open("2025-11-25").await;
    for id in [1, 2] {
        peer.send(&call(id, "waiting")).await;
        assert_eq!(said.recv().await, Some("begun"));
    }
    assert_eq!(peer.ask(&call(3, "waiting")).await["error"]["code"], -32603);
    peer.send(&cancelled(2)).await;
    assert_eq!(said.recv().await, Some("dropped"));
}

#[tokio::test]
async fn changes_reach_a_session_that_is_ready_and_each_subscription() {
    let mut peer = peer(vec![tool("a")]);
    peer.send(&alone(7, "subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}))).await;
    assert_eq!(peer.receive().await["method"], "notifications/subscriptions/acknowledged");
    peer.open("2025-03-26").await;
    assert_eq!(peer.ask(&json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})).await["id"], 1);
    peer.registry.replace(vec![tool("b")]);
    // Every list counts as changed: three for the session, one for the subscription.
    let mut told = Vec::new();
    for _ in 0..4 {
        told.push(peer.receive().await);
    }
    told.sort_by_key(|message| message.get("params").is_some());
    assert_eq!(told[0], json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
    assert_eq!(told[3]["params"]["_meta"][format!("{META}subscriptionId")], 7);

    peer.send(&cancelled(7)).await;
    assert_eq!(peer.ask(&json!({"jsonrpc": "2.0", "id": 2, "method": "ping"})).await["id"], 2);
    peer.registry.replace(vec![tool("c")]);
    for _ in 0..3 {
        assert_eq!(peer.receive().await.get("params"), None, "only the session hears of it now");
    }
    assert_eq!(peer.ask(&json!({"jsonrpc": "2.0", "id": 3, "method": "ping"})).await["id"], 3);
}

#[tokio::test]
async fn reports_go_between_the_messages() {
    let chatty = tool_fn("chatty", |_, ctx: CallCtx| async move {
        let events = ctx.events.expect("someone listens");
        for progress in [1.0, f64::NAN, 2.0] {
            events.send(CallEvent::Progress { progress, total: None, message: Some("m".to_owned()) }).await.unwrap();
        }
        text("done")
    });
    for (version, message) in [("2024-11-05", None), ("2025-03-26", Some("m"))] {
        let mut peer = peer(vec![Arc::clone(&chatty)]);
        peer.open(version).await;
        let mut request = call(1, "chatty");
        request["params"]["_meta"] = json!({"progressToken": "t"});
        peer.send(&request).await;
        for progress in [1.0, 2.0] {
            let params = &peer.receive().await["params"];
            assert_eq!(params["progress"], progress);
            assert_eq!(params["message"].as_str(), message, "{version}");
        }
        assert_eq!(peer.receive().await["id"], 1);
        request["params"]["_meta"] = json!({"progressToken": {}});
        assert_eq!(peer.ask(&request).await["error"]["code"], -32602);
    }
}

#[tokio::test]
async fn a_batch_comes_back_as_one_where_the_revision_has_it() {
    let mut peer = peer(vec![tool("echo")]);
    let batch =
        json!([call(1, "echo"), {"jsonrpc": "2.0", "method": "x"}, {"jsonrpc": "2.0", "id": 2, "method": "ping"}, 5]);
    assert_eq!(peer.ask(&batch).await["error"]["code"], -32600, "no handshake yet");
    peer.open("2025-03-26").await;
    let answers = peer.ask(&batch).await;
    assert_eq!(answers.as_array().unwrap().len(), 3, "{answers}");
    peer.send(&json!([{"jsonrpc": "2.0", "method": "x"}])).await;
    assert_eq!(peer.ask(&json!({"jsonrpc": "2.0", "id": 3, "method": "ping"})).await["id"], 3, "nothing to answer");
}

#[tokio::test]
async fn a_peer_that_leaves_is_answered_what_it_asked() {
    let (waiting, mut said, go) = waiting();
    let mut peer = peer(vec![waiting]);
    peer.send(&alone(1, "tools/call", json!({"name": "waiting"}))).await;
    peer.send(&alone(2, "subscriptions/listen", json!({"notifications": {}}))).await;
    assert_eq!(peer.receive().await["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(said.recv().await, Some("begun"));
    let Peer { channel: Channel { mut incoming, outgoing }, served, .. } = peer;
    drop(outgoing);
    let closed: Value = serde_json::from_slice(&incoming.recv().await.unwrap()).unwrap();
    assert_eq!(closed["id"], 2, "the subscription ends at once");
    go.send(()).unwrap();
    let answer: Value = serde_json::from_slice(&incoming.recv().await.unwrap()).unwrap();
    assert_eq!(answer["result"]["content"][0]["text"], "waited");
    assert_eq!(incoming.recv().await, None);
    served.await.unwrap();
}

#[tokio::test]
async fn what_does_not_end_is_dropped_when_the_server_stops() {
    let (waiting, mut said, _go) = waiting();
    let peer = peer_within(vec![waiting], Limits { drain: Duration::from_millis(1), ..Limits::default() });
    peer.send(&alone(1, "tools/call", json!({"name": "waiting"}))).await;
    assert_eq!(said.recv().await, Some("begun"));
    peer.shutdown.cancel();
    peer.served.await.unwrap();
    assert_eq!(said.recv().await, Some("dropped"));
}

#[tokio::test]
async fn a_peer_that_is_gone_is_waited_for_no_longer() {
    let (waiting, mut said, _go) = waiting();
    let peer = peer(vec![waiting]);
    peer.send(&alone(1, "tools/call", json!({"name": "waiting"}))).await;
    assert_eq!(said.recv().await, Some("begun"));
    drop(peer.channel);
    peer.served.await.unwrap();
    assert_eq!(said.recv().await, Some("dropped"));
}

struct Process {
    input: WriteHalf<DuplexStream>,
    output: Lines<BufReader<ReadHalf<DuplexStream>>>,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
}

fn process(tools: Vec<Arc<ToolEntry>>, limits: Limits) -> Process {
    let server = Server::new(registry(tools), ServerInfo::default());
    let (ours, theirs) = tokio::io::duplex(1024);
    let (reads, writes) = tokio::io::split(ours);
    let served =
        tokio::spawn(
            async move { stdio::serve_streams(server, reads, writes, limits, CancellationToken::new()).await },
        );
    let (output, input) = tokio::io::split(theirs);
    Process { input, output: BufReader::new(output).lines(), served }
}

impl Process {
    async fn line(&mut self) -> Value {
        serde_json::from_str(&self.output.next_line().await.unwrap().expect("a line")).unwrap()
    }
}

#[tokio::test]
async fn lines_are_messages_and_a_long_one_is_skipped() {
    let mut process = process(vec![], Limits { message_bytes: 100, ..Limits::default() });
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    process.input.write_all(format!("\n  \r\n{ping}\r\n").as_bytes()).await.unwrap();
    assert_eq!(process.line().await["id"], 1);
    process.input.write_all(format!("{}\n", "x".repeat(5000)).as_bytes()).await.unwrap();
    assert_eq!(process.line().await["error"]["code"], -32600);
    process.input.write_all(&[b'"', 0xff, b'"', b'\n']).await.unwrap();
    assert_eq!(process.line().await["error"]["code"], -32700);
    process.input.write_all(ping.as_bytes()).await.unwrap();
    process.input.shutdown().await.unwrap();
    assert_eq!(process.line().await["id"], 1, "the last line needs no end");
    process.served.await.unwrap().unwrap();
    assert_eq!(process.output.next_line().await.unwrap(), None);
}

#[tokio::test]
async fn a_process_whose_client_reads_nothing_ends_all_the_same() {
    let big = tool_fn("big", |_, _| async { text(&"x".repeat(100_000)) });
    let mut process = process(vec![big], Limits { drain: Duration::from_millis(1), ..Limits::default() });
    let request = alone(1, "tools/call", json!({"name": "big"})).to_string();
    process.input.write_all(format!("{request}\n").as_bytes()).await.unwrap();
    process.input.shutdown().await.unwrap();
    process.served.await.unwrap().unwrap();
}
