//! Strangers at the second door: huge values, deep JSON, thousands of exports, types without end.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use serde_json::json;
use toolcell_tests::DEADLINE;
use toolcell_tests::component::{Nested, crowd, documented, strange};
use toolcell_tests::host::Host;
use toolcell_tests::log::Mark;
use toolcell_tests::mcp::{ACCEPT, HANDSHAKE};
use toolcell_tests::site::Site;

use super::{Door, nothing};

/// A config with one made-up component.
fn made_up(site: &Site, component: &[u8], more: &str) -> std::path::PathBuf {
    site.write("made-up.wasm", component);
    site.config(&format!("[plugins.made-up]\npath = 'made-up.wasm'\n{more}\n"))
}

#[test]
fn huge_and_deep_arguments_end_one_call_and_no_more() {
    let site = Site::new();
    let config =
        Site::foreign("types", "limits = { memory-mib = 32, output-bytes = 100000, argument-bytes = '2 MiB' }");
    let host = Host::serve(&site.config(&config));
    let mut door = Door::of(&host);
    // A million bytes are a million numbers in JSON; within the limits they go through.
    let bytes = json!({ "value": [vec![7; 500_000]] });
    assert_eq!(door.call("outcomes_count", &bytes), 1);
    let empty = json!({ "value": vec![json!([]); 300_000] });
    assert_eq!(door.call("outcomes_count", &empty), 300_000);
    // Beyond them the limit has its name.
    let answer = door
        .client
        .ask("tools/call", &json!({ "name": "outcomes_count", "arguments": { "value": [vec![7; 1_053_000]] } }));
    assert!(answer.to_string().contains("argument-bytes"), "{answer}");
    let text = door.refusal("outcomes_repeat", &json!({ "times": 200_000 }));
    assert!(text.contains("limits.output-bytes"), "{text}");
    let text = door.refusal("outcomes_repeat", &json!({ "times": u32::MAX }));
    assert!(text.contains("outcomes_repeat"), "{text}");

    for depth in [20, 1_000, 100_000] {
        let deep = "[".repeat(depth) + &"]".repeat(depth);
        let answer = post(host.address, &format!(r#"{{"name":"same_a-table","arguments":{{"value":{deep}}}}}"#));
        assert!(answer.contains(r#""error""#) || answer.contains(r#""isError":true"#), "{depth}: {answer}");
        assert_eq!(door.call("same_a-bool", &json!({ "value": true })), true, "after {depth}");
    }
}

/// A call with these parameters as they are, and the whole answer: what is nested so deep is no JSON for the harness.
fn post(address: SocketAddr, params: &str) -> String {
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
    let mut stream = TcpStream::connect(address).expect("it listens");
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\naccept: {ACCEPT}\r\n\
         content-type: application/json\r\nmcp-protocol-version: {HANDSHAKE}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

#[test]
fn ten_thousand_exports_are_too_many_unless_the_operator_says_otherwise() {
    let site = Site::new();
    let config = made_up(&site, &crowd(10_000), "");
    let ran = toolcell_tests::host::run(["check".as_ref(), "--config".as_ref(), config.as_os_str()]);
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    assert!(ran.stdout.contains("10000 tools") && ran.stdout.contains("limits.tools"), "{ran:?}");

    let config = made_up(&site, &crowd(10_000), "limits = { tools = 10000 }");
    let begun = Instant::now();
    let host = Host::serve(&config);
    let mut door = Door::of(&host);
    assert_eq!(door.names().len(), 10_000);
    for tool in ["f1", "f5000", "f10000"] {
        assert_eq!(door.call(tool, &nothing()), 7, "{tool}");
    }
    assert!(begun.elapsed() < DEADLINE, "{:?}", begun.elapsed());
}

#[test]
fn types_without_end_are_no_tool_and_take_no_time() {
    for (nested, served, reason) in [
        (Nested::Lists(8), true, ""),
        (Nested::Lists(60), false, "nested"),
        (Nested::Pairs(5), true, ""),
        (Nested::Pairs(15), false, "parts"),
        (Nested::Wide(1_000), true, ""),
        (Nested::Wide(5_000), false, "parts"),
    ] {
        let site = Site::new();
        let config = made_up(&site, &strange(nested), "");
        let begun = Instant::now();
        let host = Host::serve(&config);
        let mut door = Door::of(&host);
        assert_eq!(door.names().contains(&"strange"), served, "{nested:?}: {}", host.log.all());
        assert_eq!(door.call("plain", &nothing()), 7, "{nested:?}");
        if served {
            let text = door.refusal("strange", &json!({ "value": "nothing like it" }));
            assert!(text.contains("value"), "{nested:?}: {text}");
        } else {
            host.log.wait_for(Mark::START, &["strange", "value", reason]);
        }
        assert!(begun.elapsed() < DEADLINE, "{nested:?} took {:?}", begun.elapsed());
    }
}

#[test]
fn comments_are_words_and_nothing_more() {
    let site = Site::new();
    let component = crowd(4);
    let huge = "x".repeat(20_000);
    let comments = [("f1", "One."), ("f2", huge.as_str()), ("f3", "Three.\u{7}\u{202e}"), ("no-such", "Nothing.")];
    let host = Host::serve(&made_up(&site, &documented(&component, "world", &comments), ""));
    let mut door = Door::of(&host);
    assert_eq!(door.schema("f1", "description"), "One.");
    // A comment that no description may be costs the tool, not the plugin.
    assert_eq!(door.names(), ["f1", "f4"]);
    host.log.wait_for(Mark::START, &["f2", "description"]);
    host.log.wait_for(Mark::START, &["f3", "description", "control characters"]);
    for tool in ["f1", "f4"] {
        assert_eq!(door.call(tool, &nothing()), 7, "{tool}");
    }
    // A section that is no JSON says nothing, and does no harm.
    let mut broken = documented(&component, "world", &[("f1", "One.")]);
    broken.pop();
    broken.push(b'x');
    let host = Host::serve(&made_up(&site, &broken, ""));
    let mut door = Door::of(&host);
    assert!(door.schema("f1", "description").is_null());
    assert_eq!(door.call("f1", &nothing()), 7);
}
