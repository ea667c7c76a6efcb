//! The judge itself: what it lets pass, and that it refuses one broken message of each kind.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use serde_json::{Value, json};

use super::{Ledger, REVISIONS};
use crate::http::Http;
use crate::mcp::{HANDSHAKE, MODERN, modern_request, request};

/// A ledger in which request 1 asked for `method` in this revision.
fn asked(version: &str, method: &str) -> Ledger {
    let mut ledger = Ledger::default();
    match version == MODERN {
        true => ledger.sent(&modern_request(1, method, &json!({})), None),
        false => ledger.sent(&request(1, method, &json!({})), Some(version)),
    }
    ledger
}

fn result(result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "result": result })
}

fn error(code: i64, data: Value) -> Value {
    let mut message = json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": code, "message": "no" } });
    if !data.is_null() {
        message["error"]["data"] = data;
    }
    message
}

fn note(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

fn call(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": "s1", "method": method, "params": params })
}

fn task(status: &str, more: &Value) -> Value {
    let mut task = json!({
        "resultType": "complete", "taskId": "t", "status": status, "ttlMs": null,
        "createdAt": "2026-07-28T00:00:00Z", "lastUpdatedAt": "2026-07-28T00:00:00Z",
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        task[name] = value.clone();
    }
    task
}

#[test]
fn right_messages_pass() {
    let text = json!([{ "type": "text", "text": "hi" }]);
    let form = json!({
        "mode": "form", "message": "Who?",
        "requestedSchema": { "type": "object", "properties": { "name": { "type": "string" } } },
    });
    for (version, method, message) in [
        (HANDSHAKE, "tools/call", result(json!({ "content": text }))),
        (HANDSHAKE, "ping", result(json!({}))),
        (HANDSHAKE, "resources/subscribe", result(json!({}))),
        (HANDSHAKE, "tools/call", call("elicitation/create", form.clone())),
        (HANDSHAKE, "resources/read", error(-32002, json!({ "uri": "note://x" }))),
        (MODERN, "tools/call", result(json!({ "resultType": "complete", "content": text }))),
        (
            MODERN,
            "tools/call",
            result(json!({ "resultType": "input_required", "requestState": "s",
            "inputRequests": { "a": { "method": "elicitation/create", "params": form } } })),
        ),
        (MODERN, "tools/call", result(task("working", &json!({ "resultType": "task" })))),
        (MODERN, "tasks/get", result(task("completed", &json!({ "result": { "content": text } })))),
        (MODERN, "tasks/cancel", result(json!({ "resultType": "complete" }))),
        (MODERN, "tools/call", error(-32021, json!({ "requiredCapabilities": { "elicitation": {} } }))),
        (
            MODERN,
            "subscriptions/listen",
            note(
                "notifications/subscriptions/acknowledged",
                json!({
                    "_meta": { "io.modelcontextprotocol/subscriptionId": 1 }, "notifications": { "toolsListChanged": true },
                }),
            ),
        ),
        (MODERN, "subscriptions/listen", note("notifications/tasks", task("working", &json!({})))),
        (MODERN, "tools/call", json!({ "jsonrpc": "2.0", "error": { "code": -32700, "message": "no" } })),
        ("2025-03-26", "ping", json!([result(json!({}))])),
    ] {
        assert_eq!(asked(version, method).judge(&message), Ok(()), "{version} {method}: {message}");
    }
    for version in REVISIONS {
        let message = note("notifications/progress", json!({ "progressToken": 1, "progress": 0.5 }));
        assert_eq!(asked(version, "tools/call").judge(&message), Ok(()), "{version}");
    }
}

#[test]
fn a_broken_message_of_each_kind_is_refused() {
    let content = json!([{ "type": "text", "text": "hi" }]);
    for (version, method, message, why) in [
        // Envelopes.
        (HANDSHAKE, "ping", json!({ "id": 1, "result": {} }), "JSONRPCMessage"),
        (HANDSHAKE, "ping", json!({ "jsonrpc": "2.0", "id": null, "result": {} }), "JSONRPCMessage"),
        (HANDSHAKE, "ping", json!({ "jsonrpc": "2.0", "id": 2, "result": {} }), "nobody asked"),
        (
            MODERN,
            "tools/call",
            json!({ "jsonrpc": "2.0", "id": null, "error": { "code": 1, "message": "" } }),
            "JSONRPC",
        ),
        (MODERN, "tools/call", json!("hi"), "JSONRPCMessage"),
        (HANDSHAKE, "ping", json!([result(json!({}))]), "batch"),
        ("2025-03-26", "ping", json!([]), "batch"),
        ("2025-03-26", "ping", json!([{ "id": 1 }]), "EmptyResult"),
        // Results.
        (HANDSHAKE, "tools/call", result(json!({})), "CallToolResult"),
        (HANDSHAKE, "tools/call", result(json!({ "content": [{ "type": "telepathy" }] })), "CallToolResult"),
        (
            HANDSHAKE,
            "tools/call",
            result(json!({ "content": [
            { "type": "image", "data": "not base64", "mimeType": "image/png" }] })),
            "CallToolResult",
        ),
        (
            "2024-11-05",
            "tools/call",
            result(json!({ "content": [
            { "type": "audio", "data": "QQ==", "mimeType": "audio/wav" }] })),
            "CallToolResult",
        ),
        (HANDSHAKE, "resources/list", result(json!({ "resources": [{ "name": "no URI" }] })), "ListResourcesResult"),
        (HANDSHAKE, "resources/list", result(json!({ "resources": [{ "name": "a", "uri": "no URI" }] })), "uri"),
        (HANDSHAKE, "prompts/get", result(json!({ "messages": "hi" })), "GetPromptResult"),
        (HANDSHAKE, "server/discover", result(json!({})), "no such method"),
        (MODERN, "tools/call", result(json!({ "content": content })), "resultType"),
        (MODERN, "tools/call", result(json!({ "resultType": "later", "content": content })), "resultType"),
        (MODERN, "tools/list", result(json!({ "resultType": "complete", "tools": [] })), "ListToolsResult"),
        (
            MODERN,
            "completion/complete",
            result(json!({ "resultType": "complete", "completion": {
            "values": vec!["x"; 101] } })),
            "CompleteResult",
        ),
        (MODERN, "tools/list", result(json!({ "resultType": "input_required", "requestState": "s" })), "resultType"),
        (
            MODERN,
            "tools/call",
            result(json!({ "resultType": "input_required", "inputRequests": {
            "a": { "method": "elicitation/create", "params": { "mode": "form" } } } })),
            "InputRequiredResult",
        ),
        (MODERN, "ping", result(json!({ "resultType": "complete" })), "no such method"),
        // Tasks.
        (MODERN, "tools/call", result(task("asleep", &json!({ "resultType": "task" }))), "CreateTaskResult"),
        (MODERN, "tasks/get", result(task("completed", &json!({}))), "GetTaskResult"),
        (MODERN, "tasks/get", result(task("completed", &json!({ "result": {} }))), "CallToolResult"),
        (MODERN, "tasks/get", result(task("input_required", &json!({}))), "GetTaskResult"),
        (MODERN, "prompts/get", result(task("working", &json!({ "resultType": "task" }))), "resultType"),
        (MODERN, "tasks/get", note("notifications/tasks", json!({ "taskId": "t" })), "TaskStatusNotification"),
        (HANDSHAKE, "tools/call", note("notifications/tasks", task("working", &json!({}))), "no notification"),
        // Errors.
        (MODERN, "tools/call", error(-32021, Value::Null), "MissingRequiredClientCapability"),
        (MODERN, "tools/call", error(-32022, json!({})), "UnsupportedProtocolVersion"),
        (HANDSHAKE, "tools/call", json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": "x" } }), "JSONRPCMessage"),
        ("2025-03-26", "ping", json!({ "jsonrpc": "2.0", "id": 1, "error": "no" }), "JSONRPCMessage"),
        // Notifications.
        (HANDSHAKE, "tools/call", note("notifications/progress", json!({ "progress": 1 })), "ProgressNotification"),
        (HANDSHAKE, "tools/call", note("notifications/message", json!({ "level": "loud", "data": 1 })), "Logging"),
        (HANDSHAKE, "tools/call", note("notifications/resources/updated", json!({})), "ResourceUpdated"),
        (HANDSHAKE, "tools/call", note("notifications/initialized", json!({})), "no notification"),
        (MODERN, "subscriptions/listen", note("notifications/subscriptions/acknowledged", json!({})), "Acknowledged"),
        (HANDSHAKE, "tools/call", note("notifications/subscriptions/acknowledged", json!({})), "no notification"),
        // Requests.
        (HANDSHAKE, "tools/call", call("elicitation/create", json!({})), "ElicitRequest"),
        (HANDSHAKE, "tools/call", call("sampling/createMessage", json!({ "messages": [] })), "CreateMessageRequest"),
        (HANDSHAKE, "tools/call", call("tools/list", json!({})), "no request"),
        ("2025-03-26", "tools/call", call("elicitation/create", json!({})), "no request"),
        (MODERN, "tools/call", call("sampling/createMessage", json!({ "messages": [], "maxTokens": 1 })), "no request"),
    ] {
        let verdict = asked(version, method).judge(&message);
        let said = format!("{version} {method}: {message}: {verdict:?}");
        assert!(verdict.is_err_and(|reason| reason.contains(why)), "{said}");
    }
}

#[test]
fn the_revision_is_what_the_handshake_agreed_on() {
    let audio = json!({ "content": [{ "type": "audio", "data": "QQ==", "mimeType": "audio/wav" }] });
    for (agreed, right) in [("2025-03-26", true), ("2024-11-05", false)] {
        let mut ledger = Ledger::default();
        ledger.sent(&request(0, "initialize", &json!({ "protocolVersion": "1999-01-01" })), None);
        let initialized = json!({
            "protocolVersion": agreed, "capabilities": {}, "serverInfo": { "name": "s", "version": "1" },
        });
        let answer = json!({ "jsonrpc": "2.0", "id": 0, "result": initialized });
        assert_eq!(ledger.judge(&answer), Ok(()));
        ledger.sent(&request(1, "tools/call", &json!({})), None);
        assert_eq!(ledger.judge(&result(audio.clone())).is_ok(), right, "{agreed}");
    }
}

/// Answers one request with this, whatever it is.
fn answer_once(kind: &str, body: &str) -> Http {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("a listener has an address");
    let length = body.len();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}");
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody connects");
        // The request is small enough to come in one piece.
        let _ = stream.read(&mut [0; 4096]);
        stream.write_all(answer.as_bytes()).expect("the answer can be sent");
    });
    Http::connect(address)
}

#[test]
fn a_client_fails_on_what_the_judge_refuses() {
    let list = modern_request(1, "tools/list", &json!({})).to_string();
    let right = json!({ "resultType": "complete", "tools": [], "ttlMs": 0, "cacheScope": "public" });
    for (answer, fine) in [(result(right), true), (result(json!({ "tools": [] })), false)] {
        let mut http = answer_once("application/json", &answer.to_string());
        let received = catch_unwind(AssertUnwindSafe(|| http.request("POST", "/mcp", &[], list.as_bytes())));
        assert_eq!(received.is_ok(), fine, "{answer}");
        let mut http = answer_once("text/event-stream", &format!("data: {answer}\n\n"));
        http.send("POST", "/mcp", &[], list.as_bytes()).expect("the request can be sent");
        let mut events = http.events();
        let received = catch_unwind(AssertUnwindSafe(|| events.next_message()));
        assert_eq!(received.is_ok(), fine, "{answer}");
    }
}
