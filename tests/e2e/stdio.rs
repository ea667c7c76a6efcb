//! The stdio server: one message a line, both eras in one process, and nothing else on stdout.

use std::ffi::OsStr;

use serde_json::{Value, json};
use toolcell_tests::artifacts::{guest, plugin};
use toolcell_tests::mcp::{HANDSHAKE, MODERN, modern_request, names_of, request};
use toolcell_tests::stdio::Pipe;

fn serve(paths: &[&OsStr]) -> Pipe {
    Pipe::start(paths.iter().copied())
}

fn initialize(id: u64) -> Value {
    request(
        id,
        "initialize",
        &json!({
            "protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": { "name": "raw", "version": "1" },
        }),
    )
}

#[test]
fn both_eras_are_spoken_in_one_process() {
    let echo = plugin("echo");
    let mut pipe = serve(&[echo.as_os_str()]);
    let discovered = pipe.ask(1, "server/discover", &json!({}));
    let versions = discovered["result"]["supportedVersions"].as_array().cloned().unwrap_or_default();
    assert!(versions.contains(&MODERN.into()), "{discovered}");

    pipe.send(&initialize(2));
    assert_eq!(pipe.receive_response(2)["result"]["protocolVersion"], HANDSHAKE);
    pipe.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    pipe.send(&request(3, "tools/list", &json!({})));
    assert_eq!(names_of(&pipe.receive_response(3)["result"]), ["echo"]);

    let called = pipe.ask(4, "tools/call", &json!({ "name": "echo", "arguments": { "message": "hi" } }));
    assert_eq!(called["result"]["content"][0]["text"], "hi");
    assert_eq!(called["result"]["resultType"], "complete");
}

#[test]
fn it_ends_well_when_stdin_ends() {
    let echo = plugin("echo");
    let mut pipe = serve(&[echo.as_os_str()]);
    pipe.ask(1, "server/discover", &json!({}));
    let status = pipe.close();
    assert!(status.success(), "{status}");
}

#[test]
fn lines_that_are_no_messages_are_answered_and_do_no_harm() {
    let echo = plugin("echo");
    let mut pipe = serve(&[echo.as_os_str()]);
    for (line, code) in [
        ("this is not JSON", -32700),
        ("{\"jsonrpc\":\"2.0\",", -32700),
        ("[]", -32600),
        ("42", -32600),
        ("{}", -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600),
    ] {
        pipe.send_line(line);
        let answer = pipe.receive();
        assert_eq!(answer["error"]["code"], code, "{line}: {answer}");
    }
    let unknown = pipe.ask(7, "no/such/method", &json!({}));
    assert_eq!(unknown["error"]["code"], -32601, "{unknown}");
    pipe.send(&request(8, "tools/list", &json!({})));
    let answer = pipe.receive_response(8);
    assert!(answer["error"]["code"].is_i64(), "no handshake and no _meta: {answer}");
    let called = pipe.ask(9, "tools/call", &json!({ "name": "echo", "arguments": { "message": "hi" } }));
    assert_eq!(called["result"]["content"][0]["text"], "hi");
}

#[test]
fn a_guest_cannot_write_to_the_protocol() {
    let path = guest("stdio");
    let mut pipe = serve(&[path.as_os_str()]);
    let called = pipe.ask(1, "tools/call", &json!({ "name": "stdio", "arguments": {} }));
    assert!(called["result"]["content"].is_array(), "{called}");
    assert!(pipe.close().success());
    let output = pipe.output.all();
    assert_eq!(output.lines().count(), 1, "{output}");
}

#[test]
fn a_cancelled_call_is_not_answered_and_the_next_one_is() {
    let (spin, echo) = (guest("sleep"), plugin("echo"));
    let mut pipe = serve(&[spin.as_os_str(), echo.as_os_str()]);
    pipe.send(&modern_request(1, "tools/call", &json!({ "name": "sleep", "arguments": {} })));
    pipe.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } }));
    pipe.send(&modern_request(2, "tools/call", &json!({ "name": "echo", "arguments": { "message": "hi" } })));
    assert_eq!(pipe.receive()["id"], 2);
    assert!(pipe.close().success(), "nothing keeps it alive");
    assert_eq!(pipe.output.all().lines().count(), 1);
}
