//! What is not a plugin, not a config or not a message: one clear answer each, and nothing else is harmed.

use std::fs;
use std::fs::File;
use std::path::PathBuf;

use serde_json::json;
use toolcell_tests::artifacts::{guest, plugin};
use toolcell_tests::host::{Host, run};
use toolcell_tests::http::Http;
use toolcell_tests::log::Mark;
use toolcell_tests::mcp::{ACCEPT, HANDSHAKE, MODERN, modern_request};
use toolcell_tests::site::Site;

/// The same component with one text in place of another of the same length, wherever it is.
fn patched(component: &PathBuf, old: &str, new: &str) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let mut bytes = fs::read(component).expect("a component can be read");
    let mut found = 0;
    let mut at = 0;
    while let Some(next) = bytes[at..].windows(old.len()).position(|window| window == old.as_bytes()) {
        at += next;
        bytes[at..at + new.len()].copy_from_slice(new.as_bytes());
        found += 1;
    }
    assert!(found > 0, "{} has no {old:?}", component.display());
    bytes
}

#[test]
fn a_bad_component_is_one_message_with_file_plugin_and_fix_and_the_others_load() {
    let echo = plugin("echo");
    let site = Site::new();
    let newer = patched(&echo, "\"wit\":\"0.1.0\"", "\"wit\":\"0.2.0\"");
    let alien = patched(&echo, "wasi:cli/environment", "wasi:cli/envirunment");
    for (name, bytes, parts) in [
        ("text", b"no component at all".to_vec(), vec!["not a WebAssembly component", "wasm32-wasip2"]),
        ("empty", Vec::new(), vec!["not a"]),
        ("module", b"\0asm\x01\0\0\0".to_vec(), vec!["core", "wasm32-wasip2"]),
        (
            "cut",
            fs::read(&echo).map(|bytes| bytes[..bytes.len() / 2].to_vec()).unwrap_or_default(),
            vec!["not a valid component"],
        ),
        ("newer", newer, vec!["needs toolcell:plugin 0.2", "this host has 0.1"]),
        ("alien", alien, vec!["wasi:cli/envirunment"]),
    ] {
        let file = site.write(&format!("{name}.wasm"), bytes);
        let host = Host::serve_paths(&[&file, &echo]);
        let mut wanted = vec!["ERROR", name, ".wasm"];
        wanted.extend(parts);
        let line = host.log.wait_for(Mark::START, &wanted);
        assert!(line.contains(&file.display().to_string()), "{line}");
        let said = host.log.all().lines().filter(|line| line.contains("ERROR")).count();
        assert_eq!(said, 1, "{}", host.log.all());
        assert_eq!(host.modern().tools(), ["echo"], "{name}");
    }
}

#[test]
fn a_component_of_200_mb_is_refused_before_it_is_read() {
    let site = Site::new();
    let path = site.path("huge.wasm");
    let file = File::create(&path).expect("a file can be made");
    file.set_len(200_000_000).expect("a file can be made long");
    let host = Host::serve_paths(&[&path, &plugin("echo")]);
    host.log.wait_for(Mark::START, &["ERROR", "huge.wasm", "200000000", "component-bytes"]);
    assert_eq!(host.modern().tools(), ["echo"]);
}

#[test]
fn bad_tools_are_left_out_and_good_ones_stay() {
    for (name, parts) in [
        ("list_duplicate", vec!["twice"]),
        ("list_bad_schema", vec!["left out", "schema"]),
        ("list_bad_names", vec!["left out", "name"]),
    ] {
        let host = Host::serve_paths(&[&guest(name), &plugin("echo")]);
        let mut wanted = vec!["ERROR", name];
        wanted.extend(parts);
        host.log.wait_for(Mark::START, &wanted);
        let tools = host.modern().tools();
        assert!(tools.contains(&"echo".to_owned()), "{tools:?}");
        let mut unique = tools.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), tools.len(), "{tools:?}");
    }
}

#[test]
fn a_taken_name_is_never_shadowed_and_the_message_shows_the_way() {
    let site = Site::new();
    let echo = plugin("echo");
    let config = site.config(&format!("{}{}", Site::entry("first", &echo, ""), Site::entry("second", &echo, "")));
    let host = Host::serve(&config);
    host.log.wait_for(Mark::START, &["ERROR", "second", "echo", "prefix"]);
    assert_eq!(host.modern().tools(), ["echo"]);
    host.reload(|| {
        site.config(&format!("{}{}", Site::entry("first", &echo, ""), Site::entry("second", &echo, "prefix = 'b_'")))
    });
    assert_eq!(host.modern().tools(), ["echo", "b_echo"]);
}

#[test]
fn a_bad_config_is_one_message_with_file_line_and_fix() {
    let site = Site::new();
    let echo = Site::plugin("echo", "");
    for (text, parts) in [
        ("[plugins.echo\n".to_owned(), vec!["toolcell.toml:1"]),
        (format!("{echo}colour = 'red'\n"), vec!["toolcell.toml:4", "colour"]),
        (format!("{echo}limits = {{ wall-ms = 'long' }}\n"), vec!["toolcell.toml", "wall-ms"]),
        (format!("{echo}hosts = ['ftp://example.com']\n"), vec!["toolcell.toml", "ftp"]),
        ("[plugins.echo]\n".to_owned(), vec!["toolcell.toml", "path"]),
    ] {
        let config = site.config(&text);
        let ran = run(["check".as_ref(), "--config".as_ref(), config.as_os_str()]);
        assert!(!ran.status.success(), "{text}: {ran:?}");
        for part in parts {
            assert!(ran.stdout.contains(part) || ran.stderr.contains(part), "{part} is not said of {text}: {ran:?}");
        }
    }
}

#[test]
fn a_granted_directory_that_does_not_exist_is_one_message_and_the_others_load() {
    let site = Site::new();
    let grant = "dirs = [{ host = 'nowhere', guest = '/docs', access = 'read-only' }]";
    let config = site.config(&format!("{}{}", Site::plugin("filesystem", grant), Site::plugin("echo", "")));
    let host = Host::serve(&config);
    host.log.wait_for(Mark::START, &["filesystem", "nowhere"]);
    assert!(host.modern().tools().contains(&"echo".to_owned()));
}

/// Bodies no client should send, by era: what comes back, and that the server is none the worse.
#[test]
fn a_body_that_is_no_request_is_answered_with_the_right_error() {
    let host = Host::serve_paths(&[&plugin("echo")]);
    let modern = vec![("MCP-Protocol-Version", MODERN), ("Mcp-Method", "tools/list")];
    let session = host.session(HANDSHAKE);
    let handshake = vec![("MCP-Protocol-Version", HANDSHAKE), ("Mcp-Session-Id", session.id().unwrap_or_default())];
    let deep = "[".repeat(100_000);
    for era in [&modern, &handshake] {
        for (body, codes) in [
            ("", vec![-32700, -32600]),
            ("{", vec![-32700]),
            ("\u{fffd}", vec![-32700]),
            ("[]", vec![-32600]),
            ("[1]", vec![-32600]),
            ("42", vec![-32600]),
            ("{}", vec![-32600]),
            (deep.as_str(), vec![-32700, -32600]),
            (r#"{"jsonrpc":"2.0","id":1}"#, vec![-32600]),
            (r#"{"jsonrpc":"1.0","id":1,"method":"tools/list"}"#, vec![-32600]),
            (r#"{"jsonrpc":"2.0","id":[],"method":"tools/list"}"#, vec![-32600]),
            (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, vec![-32600]),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]}"#, vec![-32600, -32602]),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":5}"#, vec![-32600, -32602]),
        ] {
            let mut headers = vec![("Content-Type", "application/json"), ("Accept", ACCEPT)];
            headers.extend(era.iter().copied());
            let answer = host.connect().request("POST", "/mcp", &headers, body.as_bytes());
            let short: String = body.chars().take(80).collect();
            assert_eq!(answer.head.status, 400, "{era:?} {short}: {}", answer.text());
            let code = answer.json()["error"]["code"].as_i64().unwrap_or_default();
            assert!(codes.contains(&code), "{era:?} {short}: {}", answer.text());
        }
    }
    let invalid = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}";
    let headers = [("Content-Type", "application/json"), ("Accept", ACCEPT), ("MCP-Protocol-Version", MODERN)];
    assert_eq!(host.connect().request("POST", "/mcp", &headers, invalid).head.status, 400);
    assert_eq!(host.modern().say("echo", &json!({ "message": "hi" })), "hi");
}

#[test]
fn the_wrong_media_type_is_refused() {
    let host = Host::serve_paths(&[&plugin("echo")]);
    let list = modern_request(1, "tools/list", &json!({})).to_string();
    let base = [("MCP-Protocol-Version", MODERN), ("Mcp-Method", "tools/list")];
    for (content_type, accept, status) in [
        ("application/json", ACCEPT, 200),
        ("application/json; charset=utf-8", "text/event-stream, application/json", 200),
        ("text/plain", ACCEPT, 415),
        ("application/json", "text/html", 406),
    ] {
        let mut headers = vec![("Content-Type", content_type), ("Accept", accept)];
        headers.extend(base);
        let answer = host.connect().request("POST", "/mcp", &headers, list.as_bytes());
        assert_eq!(answer.head.status, status, "{content_type} {accept}: {}", answer.text());
    }
}

#[test]
fn an_oversize_body_is_refused_without_being_read() {
    let host = Host::serve_paths(&[&plugin("echo")]);
    let headers = [
        ("Content-Type", "application/json"),
        ("Accept", ACCEPT),
        ("MCP-Protocol-Version", MODERN),
        ("Mcp-Method", "tools/list"),
        ("Content-Length", "10000000000"),
    ];
    let mut http = host.connect();
    http.send("POST", "/mcp", &headers, b"{").expect("the head can be sent");
    assert_eq!(http.response().head.status, 413);

    // Without a length it is refused when it has become too much.
    let mut http = host.connect();
    let mut headers = headers;
    headers[4] = ("Transfer-Encoding", "chunked");
    http.send("POST", "/mcp", &headers, b"").expect("the head can be sent");
    let chunk = format!("100000\r\n{}\r\n", " ".repeat(0x10_0000));
    let refused = (0..256).any(|_| http.send_raw(chunk.as_bytes()).is_err());
    let status = http.head().map(|head| head.status);
    assert!(refused || status.as_ref().is_ok_and(|status| *status == 413), "{status:?}");
    assert_eq!(host.modern().say("echo", &json!({ "message": "hi" })), "hi");
}

#[test]
fn what_is_not_http_does_no_harm() {
    let host = Host::serve_paths(&[&plugin("echo")]);
    let head = "X: y\r\n".repeat(100_000);
    let many = format!("POST /mcp HTTP/1.1\r\nHost: localhost\r\n{head}\r\n");
    for bytes in [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"GET\r\n\r\n", b"POST /mcp HTTP/9.9\r\n\r\n", many.as_bytes()]
    {
        let mut http = host.connect();
        // It may be refused while it is being sent.
        let _ = http.send_raw(bytes);
        let answer = http.head().map(|head| head.status);
        assert!(answer.as_ref().map_or(true, |status| (400..500).contains(status)), "{answer:?}");
    }
    let slow: Vec<Http> = (0..50).map(|_| host.connect()).collect();
    assert_eq!(host.modern().say("echo", &json!({ "message": "hi" })), "hi");
    drop(slow);
}

#[test]
fn arguments_nobody_can_follow_are_a_tool_error() {
    let host = Host::serve_paths(&[&plugin("echo")]);
    let mut deep = json!("bottom");
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let mut client = host.modern();
    let result = client.call("echo", &json!({ "message": deep }));
    assert_eq!(result["isError"], true, "{result}");
    let large = "x".repeat(3 << 20);
    let text = client.say("echo", &json!({ "message": large }));
    assert_eq!(text.len(), large.len());
}

#[test]
fn a_config_that_is_not_there_is_one_message() {
    let site = Site::new();
    let ran = run(["serve".as_ref(), "--config".as_ref(), site.path("toolcell.toml").as_os_str()]);
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
    assert!(ran.stderr.contains(&site.path("toolcell.toml").display().to_string()), "{ran:?}");
}
