//! The revisions with a handshake, over HTTP: sessions, their stream, and their end.

use serde_json::json;
use toolcell_tests::artifacts::{guest, plugin};
use toolcell_tests::host::Host;
use toolcell_tests::mcp::{ACCEPT, HANDSHAKE, request, response_of};

const REVISIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

fn serve_echo() -> Host {
    Host::serve_paths(&[&plugin("echo")])
}

#[test]
fn every_revision_is_agreed_on_and_served() {
    let host = serve_echo();
    for version in REVISIONS {
        let mut session = host.session(version);
        assert_eq!(session.initialized["protocolVersion"], version);
        assert_eq!(session.initialized["serverInfo"]["name"], "toolcell");
        assert_eq!(session.initialized["capabilities"]["tools"]["listChanged"], true);
        assert_eq!(session.ask("ping", &json!({}))["result"], json!({}), "{version}");
        let listed = session.ask("tools/list", &json!({}));
        assert_eq!(listed["result"]["tools"][0]["name"], "echo", "{version}: {listed}");
        assert!(listed["result"]["ttlMs"].is_null() && listed["result"]["resultType"].is_null(), "{version}: {listed}");
        assert_eq!(session.say("echo", &json!({ "message": version })), version);
    }
}

#[test]
fn an_unknown_revision_is_answered_with_one_we_have() {
    let host = serve_echo();
    for version in ["1999-01-01", "2999-01-01", "nonsense"] {
        let session = host.session(version);
        assert_eq!(session.initialized["protocolVersion"], HANDSHAKE, "{version}");
    }
}

#[test]
fn a_session_ends_when_it_is_deleted() {
    let host = serve_echo();
    let mut session = host.session(HANDSHAKE);
    let id = session.id().unwrap_or_default().to_owned();
    // At least 128 bits, in characters that a header may carry.
    assert!(id.len() >= 22 && id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)), "{id:?}");
    assert_ne!(host.session(HANDSHAKE).id(), Some(id.as_str()));
    assert!(matches!(session.delete(), 200 | 204));
    let answer = session.post(&request(1, "ping", &json!({})));
    assert_eq!(answer.head.status, 404, "{}", answer.text());
    assert_eq!(session.delete(), 404);
}

#[test]
fn a_request_outside_a_session_is_refused() {
    let host = serve_echo();
    let ping = request(1, "ping", &json!({})).to_string();
    let base = [("Content-Type", "application/json"), ("Accept", ACCEPT), ("MCP-Protocol-Version", HANDSHAKE)];
    let with =
        |id: Option<&'static str>| base.iter().copied().chain(id.map(|id| ("Mcp-Session-Id", id))).collect::<Vec<_>>();
    for (method, id, body, status) in [
        ("POST", None, ping.as_bytes(), 400),
        ("POST", Some("no-session-of-ours"), ping.as_bytes(), 404),
        ("GET", None, b"", 400),
        ("GET", Some("no-session-of-ours"), b"", 404),
        ("DELETE", Some("no-session-of-ours"), b"", 404),
    ] {
        let answer = host.connect().request(method, "/mcp", &with(id), body);
        assert_eq!(answer.head.status, status, "{method} {id:?}: {}", answer.text());
    }
}

#[test]
fn a_wrong_protocol_version_header_is_refused() {
    let host = serve_echo();
    let session = host.session(HANDSHAKE);
    let id = session.id().unwrap_or_default();
    let headers = [
        ("Content-Type", "application/json"),
        ("Accept", ACCEPT),
        ("MCP-Protocol-Version", "1999-01-01"),
        ("Mcp-Session-Id", id),
    ];
    let answer =
        host.connect().request("POST", "/mcp", &headers, request(1, "ping", &json!({})).to_string().as_bytes());
    assert_eq!(answer.head.status, 400, "{}", answer.text());
}

#[test]
fn a_batch_is_served_by_the_revision_that_has_batches_and_refused_by_the_others() {
    let host = serve_echo();
    let batch = json!([request(1, "ping", &json!({})), request(2, "tools/list", &json!({}))]);
    for version in REVISIONS {
        let answer = host.session(version).post(&batch);
        if version == "2025-03-26" {
            assert_eq!(answer.head.status, 200, "{version}: {}", answer.text());
            assert!(answer.text().contains("\"id\":1") && answer.text().contains("\"id\":2"), "{}", answer.text());
        } else if version != "2024-11-05" {
            assert_eq!(answer.head.status, 400, "{version}: {}", answer.text());
        }
    }
}

#[test]
fn a_cancelled_call_is_not_answered() {
    let host = Host::serve_paths(&[&guest("progress_flood"), &plugin("echo")]);
    let mut session = host.session(HANDSHAKE);
    let mut call = request(
        7,
        "tools/call",
        &json!({
            "name": "progress_flood", "arguments": { "times": 9_000_000_000_000_u64, "width": 1 },
        }),
    );
    call["params"]["_meta"]["progressToken"] = "steps".into();
    let headers = session.headers();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut running = host.connect();
    running.send("POST", "/mcp", &headers, call.to_string().as_bytes()).expect("the request can be sent");
    let mut events = running.events();
    let first = events.next_message().unwrap_or_default();
    assert_eq!(first["method"], "notifications/progress", "{first}");
    assert_eq!(first["params"]["progressToken"], "steps", "{first}");

    let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 7 } });
    assert_eq!(session.post(&cancel).head.status, 202);
    while let Some(message) = events.next_message() {
        assert_eq!(message["method"], "notifications/progress", "a cancelled call was answered: {message}");
    }
    assert_eq!(session.say("echo", &json!({ "message": "hi" })), "hi");
}

#[test]
fn answers_to_errors_are_json_rpc() {
    let host = serve_echo();
    let mut session = host.session(HANDSHAKE);
    for (message, code) in [
        (request(5, "no/such/method", &json!({})), -32601),
        (request(5, "tools/call", &json!({ "name": "ohce" })), -32602),
        (request(5, "tools/call", &json!({ "name": 5 })), -32602),
    ] {
        let answer = response_of(&session.post(&message));
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &json!(5)), "{message}: {answer}");
    }
}
