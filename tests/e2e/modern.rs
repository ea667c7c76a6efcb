//! Revision 2026-07-28 over HTTP: every request stands alone, and its headers say what its body says.

use serde_json::{Value, json};
use toolcell_tests::artifacts::{guest, plugin};
use toolcell_tests::host::Host;
use toolcell_tests::http::Response;
use toolcell_tests::mcp::{ACCEPT, MODERN, modern_request, request};

fn serve_echo() -> Host {
    Host::serve_paths(&[&plugin("echo")])
}

/// Posts a body with headers; `-Name` leaves out a header that is otherwise there.
fn post(host: &Host, body: &[u8], method: &str, changes: &[(&str, &str)]) -> Response {
    let mut headers = vec![
        ("Content-Type", "application/json"),
        ("Accept", ACCEPT),
        ("MCP-Protocol-Version", MODERN),
        ("Mcp-Method", method),
    ];
    for (name, value) in changes {
        let bare = name.trim_start_matches('-');
        headers.retain(|(given, _)| !given.eq_ignore_ascii_case(bare));
        if bare == *name {
            headers.push((name, value));
        }
    }
    host.connect().request("POST", "/mcp", &headers, body)
}

#[test]
fn discover_says_who_and_what_this_is() {
    let answer = serve_echo().modern().ask("server/discover", &json!({}));
    let result = &answer["result"];
    assert_eq!(result["resultType"], "complete", "{answer}");
    assert!(result["supportedVersions"].as_array().is_some_and(|all| all.contains(&MODERN.into())), "{answer}");
    assert_eq!(result["capabilities"]["tools"]["listChanged"], true, "{answer}");
    assert!(result["ttlMs"].is_u64() && result["cacheScope"].is_string(), "{answer}");
    assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "toolcell", "{answer}");
}

#[test]
fn a_list_of_tools_says_how_long_it_stays_fresh() {
    let answer = serve_echo().modern().ask("tools/list", &json!({}));
    let result = &answer["result"];
    assert!(result["ttlMs"].is_u64() && result["cacheScope"].is_string(), "{answer}");
    assert!(result["nextCursor"].is_null(), "{answer}");
    assert_eq!(result["tools"][0]["inputSchema"]["type"], "object", "{answer}");
}

#[test]
fn what_headers_and_body_say_must_be_the_same() {
    let host = serve_echo();
    let list = modern_request(1, "tools/list", &json!({})).to_string();
    let call =
        modern_request(1, "tools/call", &json!({ "name": "echo", "arguments": { "message": "hi" } })).to_string();
    let old = list.replace(MODERN, "2999-01-01");
    for (body, method, changes, status, code) in [
        (&list, "tools/list", vec![], 200, None),
        (&call, "tools/call", vec![("Mcp-Name", "echo")], 200, None),
        (&call, "tools/call", vec![("mcp-name", "=?base64?ZWNobw==?=")], 200, None),
        (&call, "tools/call", vec![], 400, Some(-32020)),
        (&call, "tools/call", vec![("Mcp-Name", "ohce")], 400, Some(-32020)),
        (&call, "tools/call", vec![("Mcp-Name", "=?base64?!!?=")], 400, Some(-32020)),
        (&list, "tools/list", vec![("-Mcp-Method", "")], 400, Some(-32020)),
        (&list, "tools/call", vec![], 400, Some(-32020)),
        (&list, "tools/list", vec![("-MCP-Protocol-Version", "")], 400, Some(-32020)),
        (&list, "tools/list", vec![("MCP-Protocol-Version", "2025-11-25")], 400, Some(-32020)),
        (&old, "tools/list", vec![("MCP-Protocol-Version", "2999-01-01")], 400, Some(-32022)),
    ] {
        let answer = post(&host, body.as_bytes(), method, &changes);
        let said = format!("{method} {changes:?}: {} {}", answer.head.status, answer.text());
        assert_eq!(answer.head.status, status, "{said}");
        if let Some(code) = code {
            assert_eq!(answer.json()["error"]["code"], code, "{said}");
            assert_eq!(answer.json()["id"], 1, "{said}");
        }
    }
}

#[test]
fn a_request_without_what_meta_must_have_is_refused() {
    let host = serve_echo();
    for missing in ["io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/clientCapabilities"] {
        let mut message = modern_request(1, "tools/list", &json!({}));
        if let Some(meta) = message["params"]["_meta"].as_object_mut() {
            meta.remove(missing);
        }
        let answer = post(&host, message.to_string().as_bytes(), "tools/list", &[]);
        assert_eq!(answer.head.status, 400, "{missing}: {}", answer.text());
        assert!(answer.json()["error"]["code"].is_i64(), "{missing}: {}", answer.text());
    }
    let mut message = modern_request(1, "tools/list", &json!({}));
    message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!("all of them");
    let answer = post(&host, message.to_string().as_bytes(), "tools/list", &[]);
    assert_eq!((answer.head.status, &answer.json()["error"]["code"]), (400, &json!(-32602)), "{}", answer.text());
}

#[test]
fn an_unknown_method_is_not_found() {
    let host = serve_echo();
    for method in ["no/such/method", "initialize", "ping", "logging/setLevel"] {
        let message = modern_request(1, method, &json!({})).to_string();
        let answer = post(&host, message.as_bytes(), method, &[]);
        assert_eq!(answer.head.status, 404, "{method}: {}", answer.text());
        assert_eq!(answer.json()["error"]["code"], -32601, "{method}: {}", answer.text());
    }
}

#[test]
fn an_unknown_tool_and_a_bad_cursor_are_invalid_params() {
    let host = serve_echo();
    for (method, params) in [
        ("tools/call", json!({ "name": "ohce", "arguments": {} })),
        ("tools/call", json!({ "name": 5 })),
        ("tools/call", json!({})),
        ("tools/call", json!({ "name": "echo", "arguments": [] })),
        ("tools/list", json!({ "cursor": "no cursor of ours" })),
        ("tools/list", json!({ "cursor": 5 })),
    ] {
        let name = params["name"].as_str().unwrap_or_default().to_owned();
        let message = modern_request(1, method, &params).to_string();
        let answer = post(&host, message.as_bytes(), method, &[("Mcp-Name", name.as_str())]);
        assert!(
            matches!(answer.json()["error"]["code"].as_i64(), Some(-32602 | -32020)),
            "{params}: {}",
            answer.text()
        );
    }
}

#[test]
fn arguments_that_break_the_schema_are_a_result_a_model_can_act_on() {
    let host = serve_echo();
    let mut client = host.modern();
    for arguments in [json!({}), json!({ "message": 5 }), json!({ "massage": "hi" })] {
        let result = client.call("echo", &arguments);
        assert_eq!(result["isError"], true, "{arguments}: {result}");
        assert!(toolcell_tests::mcp::text_of(&result).contains("message"), "{arguments}: {result}");
    }
}

#[test]
fn foreign_hosts_and_origins_are_refused() {
    let host = serve_echo();
    let list = modern_request(1, "tools/list", &json!({})).to_string();
    let port = host.address.port();
    let (local, named) = (format!("127.0.0.1:{port}"), format!("localhost:{port}"));
    let origin = format!("http://{named}");
    for (changes, status) in [
        (vec![("Host", local.as_str())], 200),
        (vec![("Host", named.as_str())], 200),
        (vec![("Origin", origin.as_str())], 200),
        (vec![("Host", "evil.example")], 403),
        (vec![("Host", "127.0.0.1.evil.example")], 403),
        (vec![("Origin", "http://evil.example")], 403),
        (vec![("Origin", "null")], 403),
        (vec![("Host", "evil.example"), ("Origin", "http://evil.example")], 403),
    ] {
        let answer = post(&host, list.as_bytes(), "tools/list", &changes);
        assert_eq!(answer.head.status, status, "{changes:?}: {}", answer.text());
    }
}

#[test]
fn only_post_is_spoken_and_only_at_mcp() {
    let host = serve_echo();
    let modern = [("MCP-Protocol-Version", MODERN), ("Accept", ACCEPT)];
    for (method, path, status) in
        [("GET", "/mcp", 405), ("DELETE", "/mcp", 405), ("PUT", "/mcp", 405), ("GET", "/nowhere", 404)]
    {
        let answer = host.connect().request(method, path, &modern, b"");
        assert_eq!(answer.head.status, status, "{method} {path}: {}", answer.text());
    }
}

#[test]
fn a_client_that_hangs_up_takes_its_call_with_it() {
    let host = Host::serve_paths(&[&guest("sleep"), &plugin("echo")]);
    for _ in 0..50 {
        let mut client = host.modern();
        client.send("tools/call", &json!({ "name": "sleep", "arguments": {} }));
        client.into_http().hang_up();
    }
    assert_eq!(host.modern().say("echo", &json!({ "message": "hi" })), "hi");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_and_tells_subscribers() {
    let mut host = serve_echo();
    let mut events = host.modern().listen();
    let status = host.terminate();
    assert!(status.success(), "{status}");
    // What ends a subscription gracefully is its response.
    let last: Option<Value> = events.next_message();
    assert!(last.as_ref().is_some_and(|last| last["result"]["resultType"] == "complete"), "{last:?}");
    assert_eq!(events.next_message(), None);
}

#[test]
fn the_handshake_is_no_business_of_this_revision() {
    let host = serve_echo();
    // An Mcp-Session-Id means nothing here, and none is given.
    let list = modern_request(1, "tools/list", &json!({})).to_string();
    let answer = post(&host, list.as_bytes(), "tools/list", &[("Mcp-Session-Id", "whatever")]);
    assert_eq!(answer.head.status, 200, "{}", answer.text());
    assert_eq!(answer.head.header("mcp-session-id"), None);
    // Without _meta, and claiming this revision, a request is malformed rather than of another era.
    let bare = request(1, "tools/list", &json!({})).to_string();
    assert_eq!(post(&host, bare.as_bytes(), "tools/list", &[]).head.status, 400);
}
