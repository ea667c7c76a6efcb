//! Batches: 2025-03-26 has them, over every transport; later revisions refuse them.

use serde_json::{Value, json};
use toolcell_tests::artifacts::plugin;
use toolcell_tests::host::Host;
use toolcell_tests::mcp::request;
use toolcell_tests::stdio::Pipe;

/// The revisions that take batches: JSON-RPC 2.0 has them, and the first two revisions took nothing away.
const TAKEN: [&str; 2] = ["2024-11-05", "2025-03-26"];
const REFUSED: [&str; 2] = ["2025-06-18", "2025-11-25"];

fn batch() -> Value {
    json!([
        request(1, "ping", &json!({})),
        { "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 99 } },
        request(2, "tools/call", &json!({ "name": "echo", "arguments": { "message": "hi" } })),
        request(3, "no/such/method", &json!({})),
        { "jsonrpc": "2.0", "id": 77, "result": {} },
    ])
}

/// The answers by their ids, from one array or one by one.
fn answers(messages: &[Value]) -> Vec<Value> {
    let mut all: Vec<Value> = messages
        .iter()
        .flat_map(|message| message.as_array().cloned().unwrap_or_else(|| vec![message.clone()]))
        .filter(|message| message["method"].is_null())
        .collect();
    all.sort_by_key(|message| message["id"].as_u64());
    all
}

fn assert_answered(version: &str, answers: &[Value]) {
    let ids: Vec<Option<u64>> = answers.iter().map(|answer| answer["id"].as_u64()).collect();
    assert_eq!(ids, [Some(1), Some(2), Some(3)], "{version}: {answers:?}");
    assert_eq!(answers[0]["result"], json!({}), "{version}");
    assert_eq!(answers[1]["result"]["content"][0]["text"], "hi", "{version}");
    assert_eq!(answers[2]["error"]["code"], -32601, "{version}");
}

#[test]
fn over_http_each_request_of_a_batch_is_answered() {
    let host = Host::serve_paths(&[&plugin("echo")]);
    for version in TAKEN {
        let mut session = host.session(version);
        let answer = session.post(&batch());
        assert_eq!(answer.head.status, 200, "{version}: {}", answer.text());
        assert_answered(version, &answers(&answer.messages()));
        // What has no requests has no answer.
        let notes = json!([{ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 99 } }]);
        let answer = session.post(&notes);
        assert_eq!((answer.head.status, answer.text().as_str()), (202, ""), "{version}");
        let answer = session.post(&json!([]));
        assert_eq!(answer.head.status, 400, "{version}: {}", answer.text());
        // A handshake is never part of a batch.
        let params = json!({
            "protocolVersion": version, "capabilities": {}, "clientInfo": { "name": "raw", "version": "1" },
        });
        let answer = session.post(&json!([request(5, "initialize", &params), request(6, "ping", &json!({}))]));
        let refused =
            answers(&answer.messages()).into_iter().all(|answer| answer["result"]["protocolVersion"].is_null());
        assert!(refused, "{version}: {}", answer.text());
    }
    for version in REFUSED {
        let answer = host.session(version).post(&batch());
        assert_eq!(answer.head.status, 400, "{version}: {}", answer.text());
        assert_eq!(answer.json()["error"]["code"], -32600, "{version}: {}", answer.text());
    }
}

#[test]
fn over_stdio_each_request_of_a_batch_is_answered() {
    let echo = plugin("echo");
    for version in TAKEN {
        let mut pipe = Pipe::start([echo.as_os_str()]);
        pipe.shake_hands(version);
        pipe.send(&batch());
        let mut received = Vec::new();
        while answers(&received).len() < 3 {
            received.push(pipe.receive());
        }
        assert_answered(version, &answers(&received));
        let called = pipe.ask_in_session(9, "tools/call", &json!({ "name": "echo", "arguments": { "message": "on" } }));
        assert_eq!(called["result"]["content"][0]["text"], "on", "{version}");
    }
    for version in REFUSED {
        let mut pipe = Pipe::start([echo.as_os_str()]);
        pipe.shake_hands(version);
        pipe.send(&batch());
        assert_eq!(pipe.receive()["error"]["code"], -32600, "{version}");
        assert_eq!(pipe.ask_in_session(9, "ping", &json!({}))["result"], json!({}), "{version}");
    }
}

/// Messages in one batch; the limit of the transport.
const MOST: u64 = 64;

#[test]
fn a_batch_is_answered_whole_or_not_at_all() {
    let host = Host::serve_paths(&[&plugin("echo")]);
    let calls = |count: u64| -> Value {
        let call = |n| request(n, "tools/call", &json!({ "name": "echo", "arguments": { "message": n.to_string() } }));
        (0..count).map(call).collect()
    };
    let mut session = host.session("2025-03-26");
    let answer = session.post(&calls(MOST));
    let answers = answers(&answer.messages());
    assert_eq!(answers.len() as u64, MOST, "{}", answer.text());
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(answer["result"]["content"][0]["text"], n.to_string());
    }
    let answer = session.post(&calls(MOST + 1));
    assert_eq!((answer.head.status, &answer.json()["error"]["code"]), (400, &json!(-32600)), "{}", answer.text());
}
