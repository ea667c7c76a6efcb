//! Tools that call tools: only those that were granted, as deep as it goes and no deeper, and never so that calls wait for
//! each other for ever.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toolcell_tests::DEADLINE;
use toolcell_tests::host::Host;
use toolcell_tests::mcp::text_of;
use toolcell_tests::site::Site;

fn config(site: &Site, tools: &str, more: &str) -> PathBuf {
    let peers = Site::guest("peers_abuse", &format!("tools = [{tools}]\n{more}"));
    site.config(&[peers, Site::plugin("echo", "prefix = 'my_'")].concat())
}

#[test]
fn only_granted_tools_are_called_and_as_clients_call_them() {
    let site = Site::new();
    let more = [
        Site::guest("bad_input_required", ""),
        Site::guest("bad_structured", ""),
        Site::guest("panic", ""),
        Site::guest("huge_output", "limits = { output-bytes = 1000 }"),
    ];
    let config = config(&site, "'my_*', 'bad_*', 'panic', 'huge_output', 'gone'", "");
    let text = fs::read_to_string(&config).unwrap() + &more.concat();
    let host = Host::serve(&site.config(&text));
    let mut client = host.modern();
    let mut call =
        |tool: &str, arguments: Value| client.say("peers_abuse", &json!({ "tool": tool, "arguments": arguments }));
    for (tool, arguments, expected) in [
        ("my_echo", json!({ "message": "hi" }), "call:my_echo:done:hi"),
        ("my_echo", json!({ "message": 5 }), "invalid-arguments: invalid arguments for my_echo"),
        ("my_echo", json!("no json"), "invalid-arguments"),
        ("my_echo", json!("[]"), "invalid-arguments"),
        (
            "echo",
            json!({}),
            "denied: plugin `peers_abuse` may not call the tool \"echo\": the operator has not granted it, add to toolcell.toml: [plugins.peers_abuse] tools = [\"echo\"]",
        ),
        ("gone", json!({}), "not-found: there is no tool named gone"),
        ("panic", json!({}), "this guest panics on purpose"),
        ("huge_output", json!({}), "limits.output-bytes"),
        ("bad_structured", json!({}), "broken result"),
    ] {
        let said = call(tool, arguments.clone());
        assert!(said.contains(expected), "{tool} {arguments}: {said}");
    }
    let said = call("bad_input_required", json!({ "kind": "same" }));
    assert!(
        said.contains("other: bad_input_required asks its client for input") || said.contains("refused:other"),
        "{said}"
    );
    let said = call(&"x".repeat(1_000_000), json!({}));
    assert!(said.len() < 1_100_000 && said.contains("denied"), "{}", said.len());

    let tools = client.list("tools/list", "tools");
    let listed =
        tools.iter().find(|tool| tool["name"] == "peers_abuse").unwrap()["description"].as_str().unwrap_or_default();
    assert!(listed.starts_with("call:while-listed:refused:denied"), "{listed}");
}

#[test]
fn a_tool_that_calls_itself_ends_at_the_depth_and_needs_no_second_place() {
    let site = Site::new();
    let host = Host::serve(&config(&site, "'peers_abuse'", "limits = { concurrency = 1 }"));
    let said = host.modern().say("peers_abuse", &json!({ "how": "down" }));
    assert_eq!(said.matches("down:peers_abuse").count(), 5, "{said}");
    assert!(said.contains("refused:limit: calls between tools go 4 deep and no deeper"), "{said}");
    // Many at once wait for each other's end, but not for ever.
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                let said = host.modern().say("peers_abuse", &json!({ "how": "down" }));
                assert!(said.contains("4 deep"), "{said}");
            });
        }
    });
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn the_time_of_the_call_is_the_time_of_what_it_calls() {
    let site = Site::new();
    let peers = Site::guest("peers_abuse", "tools = ['*']\nlimits = { wall-ms = 900 }");
    let host = Host::serve(&site.config(&[peers, Site::guest("sleep", ""), Site::guest("context_peek", "")].concat()));
    let mut client = host.modern();
    let begun = Instant::now();
    let result = client.call("peers_abuse", &json!({ "tool": "sleep", "arguments": { "ms": 60_000 } }));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let said = text_of(&result);
    assert!(said.contains("wall-ms") || said.contains("limit"), "{said}");
    let said = client.say("peers_abuse", &json!({ "tool": "peers_abuse", "arguments": { "how": "context" } }));
    assert!(said.contains("nobody abilities 0 within true"), "{said}");
}

/// The client hangs up on the outer call: the inner one, which has the only place of its plugin, is gone at once.
#[test]
fn who_ends_a_call_ends_what_it_called() {
    let site = Site::new();
    site.folder("gate");
    let gate = "dirs = [{ host = 'gate', guest = '/gate', access = 'read-write' }]\n\
                limits = { concurrency = 1, wall-ms = 600000, cpu-ms = 600000 }";
    let peers =
        Site::guest("peers_abuse", "tools = ['gate', 'through']\nlimits = { wall-ms = 600000, cpu-ms = 600000 }");
    let host = Host::serve(&site.config(&[peers, Site::guest("gate", gate)].concat()));
    for (how, times) in [("spin", 1), ("wait", 2), ("poll", 3)] {
        let mut client = host.modern();
        client.send(
            "tools/call",
            &json!({ "name": "peers_abuse", "arguments": { "tool": "gate", "arguments": { "how": how } } }),
        );
        let late = Instant::now() + DEADLINE;
        while fs::read_to_string(site.path("gate/gate")).unwrap_or_default().lines().count() < times {
            assert!(Instant::now() < late, "{how}: it does not begin");
            thread::sleep(Duration::from_millis(5));
        }
        drop(client);
        let gone = Instant::now();
        let said = host.modern().say("peers_abuse", &json!({ "tool": "through" }));
        assert_eq!(said, "call:through:done:through", "{how}");
        assert!(gone.elapsed() < Duration::from_secs(2), "{how}: {:?}", gone.elapsed());
    }
}

#[test]
fn what_is_neither_asked_for_nor_granted_is_refused_with_both_lines() {
    let site = Site::new();
    let host = Host::serve(&site.config(&[Site::guest("store_and_peers", ""), Site::plugin("echo", "")].concat()));
    let said = host.modern().say("store_and_peers", &json!({}));
    assert_eq!(said.lines().count(), 6, "{said}");
    for line in said.lines() {
        assert!(line.contains(":refused:") && line.contains("Denied("), "{line}");
    }
    assert!(said.contains("[plugins.store_and_peers] tools = ["), "{said}");
}
