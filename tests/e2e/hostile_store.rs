//! Plugins that keep values, and what they keep: each limit names itself, no plugin sees another's, and nothing that was
//! acknowledged is lost.

use std::fs;
use std::path::PathBuf;
use std::thread;

use serde_json::json;
use toolcell_tests::artifacts::guest;
use toolcell_tests::host::Host;
use toolcell_tests::mcp::Modern;
use toolcell_tests::site::Site;

/// Two plugins from one component, each with a store of its own, and one without.
fn config(site: &Site, more: &str) -> PathBuf {
    let entry =
        |name: &str, more: &str| Site::entry(name, &guest("store_abuse"), &format!("prefix = '{name}_'\n{more}"));
    site.config(&format!(
        "[server]\nstate = 'state.db'\n{}{}{}",
        entry("one", &format!("key-value = {{ max-bytes = 100000 }}\n{more}")),
        entry("two", "key-value = true"),
        entry("none", ""),
    ))
}

fn keep(client: &mut Modern, plugin: &str, value: &str) -> String {
    client.say(&format!("{plugin}_store_abuse"), &json!({ "kind": "keep", "value": value }))
}

#[test]
fn every_limit_of_a_store_names_itself() {
    let site = Site::new();
    let limits = "limits = { store-key-bytes = 100, store-value-bytes = 20000, store-keys = 50, store-writes = 60 }";
    let host = Host::serve(&config(&site, limits));
    let mut client = host.modern();
    let mut abuse = |arguments: serde_json::Value| client.say("one_store_abuse", &arguments);
    for (arguments, parts) in [
        (json!({ "kind": "huge-key", "bytes": 100 }), &["set:huge-key:done"][..]),
        (json!({ "kind": "huge-key", "bytes": 101 }), &["limit: the key is 101 bytes long", "limits.store-key-bytes"]),
        (json!({ "kind": "huge-key", "bytes": 8_000_000 }), &["limits.store-key-bytes"]),
        (json!({ "kind": "huge-value", "bytes": 20_000 }), &["set:huge-value:done"]),
        (
            json!({ "kind": "huge-value", "bytes": 20_001 }),
            &["the value is 20001 bytes long", "limits.store-value-bytes"],
        ),
        (json!({ "kind": "clear" }), &["clear:store:done:2 keys"]),
        // 9 values of 10,011 bytes fit into 100,000.
        (
            json!({ "kind": "fill", "bytes": 10_000 }),
            &["after 9: limit", "100000 bytes", "[plugins.one] key-value = { max-bytes = 200000 }"],
        ),
        (json!({ "kind": "clear" }), &["9 keys"]),
        (json!({ "kind": "fill", "bytes": 1 }), &["after 50: limit", "its 50 keys", "limits.store-keys"]),
        (json!({ "kind": "fill", "bytes": 2, "count": 50 }), &["fill:store:done:50 values"]),
        (json!({ "kind": "storm", "count": 100 }), &["its 50 keys"]),
        (json!({ "kind": "clear" }), &["50 keys"]),
        (json!({ "kind": "storm", "count": 100 }), &["changed its store too often", "limits.store-writes"]),
    ] {
        let said = abuse(arguments.clone());
        for part in parts {
            assert!(said.contains(part), "{arguments}: {part:?} is not in {said:?}");
        }
    }
    assert_eq!(keep(&mut host.modern(), "two", "fine"), "set:k:done:set\nget:k:done:fine");
}

#[test]
fn a_store_is_granted_and_belongs_to_one_plugin() {
    let site = Site::new();
    let config = config(&site, "");
    let mut host = Host::serve(&config);
    let mut client = host.modern();
    assert_eq!(keep(&mut client, "one", "secret"), "set:k:done:set\nget:k:done:secret");
    let said = keep(&mut client, "none", "x");
    let line = "the operator has not granted it, add to toolcell.toml: [plugins.none] key-value = true";
    assert!(said.lines().count() == 2 && said.lines().all(|said| said.ends_with(line)), "{said}");
    let peek = client.say("two_store_abuse", &json!({ "kind": "peek", "plugin": "one" }));
    assert!(
        !peek.contains("secret") && peek.lines().filter(|line| line.contains(":refused:nothing there")).count() == 5,
        "{peek}"
    );
    assert!(peek.ends_with("list:all:done:"), "{peek}");

    // What the tools say they could do while they were listed: nothing, whatever is granted.
    let tools = client.list("tools/list", "tools");
    for tool in &tools {
        let report = tool["description"].as_str().unwrap_or_default();
        assert!(report.lines().count() == 3 && report.lines().all(|line| line.contains(":refused:denied")), "{report}");
    }
    assert!(
        tools
            .iter()
            .any(|tool| tool["description"].as_str().unwrap_or_default().contains("no store while it is asked"))
    );

    // The host goes, what is kept stays; under another name it is another plugin's.
    drop(client);
    host.terminate();
    drop(host);
    let text = fs::read_to_string(&config).unwrap().replace("[plugins.two]", "[plugins.other]");
    let host = Host::serve(&site.config(&text));
    assert_eq!(keep(&mut host.modern(), "one", ""), "get:k:done:secret");
    assert_eq!(host.modern().say("two_store_abuse", &json!({ "kind": "keep" })), "get:k:done:nothing");
}

#[test]
fn a_grant_that_is_taken_back_holds_at_once() {
    let site = Site::new();
    let config = config(&site, "");
    let host = Host::serve(&config);
    assert!(keep(&mut host.modern(), "one", "kept").contains("done:kept"));
    let text = fs::read_to_string(&config).unwrap();
    host.reload(|| site.config(&text.replace("key-value = { max-bytes = 100000 }", "key-value = false")));
    assert!(keep(&mut host.modern(), "one", "").contains("denied"), "a reload takes it");
    host.reload(|| site.config(&text));
    assert_eq!(keep(&mut host.modern(), "one", ""), "get:k:done:kept", "and gives it back with what was in it");
}

#[test]
fn a_storm_of_comparisons_loses_no_count() {
    const CALLS: usize = 8;
    let site = Site::new();
    let host = Host::serve(&config(&site, ""));
    thread::scope(|scope| {
        for _ in 0..CALLS {
            scope.spawn(|| {
                let said = host.modern().say("two_store_abuse", &json!({ "kind": "storm", "count": 25 }));
                assert!(said.starts_with("storm:n:done:25 times"), "{said}");
            });
        }
    });
    let said = host.modern().say("two_store_abuse", &json!({ "kind": "keep", "key": "n" }));
    assert_eq!(said, format!("get:n:done:{}", CALLS * 25));
}

#[test]
fn pages_are_bounded_whatever_the_cursor() {
    let site = Site::new();
    // In memory: a thousand values, each brought to the disk before the next, take longer than one call may.
    let text = fs::read_to_string(config(&site, "")).unwrap().replace("state = 'state.db'", "");
    let host = Host::serve(&site.config(&text));
    let mut client = host.modern();
    for key in ["p/1", "p/2", "q"] {
        client.say("two_store_abuse", &json!({ "kind": "keep", "key": key, "value": "x" }));
    }
    client.say("two_store_abuse", &json!({ "kind": "fill", "count": 1_100, "bytes": 1 }));
    let said = client.say("two_store_abuse", &json!({ "kind": "pages" }));
    for line in [
        "page:p/,a:done:p/1 p/2",
        "page:p/,z:done:",
        "page:,\\u{10ffff}:done:",
        "page:long,none:done:",
        "page:p/,long:done:",
        "walk:fill/:done:1100 keys on 2 pages",
    ] {
        assert!(said.lines().any(|found| found == line), "{line} is not in {said}");
    }
}

#[test]
fn call_keeps_what_serve_keeps_but_not_while_it_serves() {
    let site = Site::new();
    let config = config(&site, "");
    let call = || {
        let words = ["call", "one_store_abuse", r#"{"kind":"keep","value":"v"}"#, "--config"];
        toolcell_tests::host::run(words.iter().map(std::ffi::OsStr::new).chain([config.as_os_str()]))
    };
    assert_eq!(call().stdout.trim(), "set:k:done:set\nget:k:done:v");
    let host = Host::serve(&config);
    assert_eq!(keep(&mut host.modern(), "one", ""), "get:k:done:v");
    let beside = call();
    assert!(beside.stdout.contains("set:k:refused:other: the host's store failed"), "{beside:?}");
    assert!(beside.stderr.contains("is open in another process"), "{beside:?}");
}

#[test]
fn guests_of_other_hosts_find_their_drafts() {
    let site = Site::new();
    let granted = "key-value = true\nenv = { TZ = 'UTC' }";
    let host = Host::serve(&site.config(&format!(
        "{}{}{}",
        Site::guest("drafts", granted),
        Site::guest("drafts_older", granted),
        Site::entry("bare", &guest("drafts"), "prefix = 'bare_'"),
    )));
    let mut client = host.modern();
    let said = client.say("drafts", &json!({}));
    for line in [
        "config:TZ:done:Some(\"UTC\")",
        "config:all:done:[(\"TZ\", \"UTC\")]",
        "open:other:refused:Error::NoSuchStore",
        "set:a:done:set",
        "get:a:done:Some([49])",
        "exists:b:done:false",
        "delete:b:done:deleted",
        "list::done:[\"a\"] None",
        "list:past:done:[]",
        "own:a:done:None",
    ] {
        assert!(said.lines().any(|found| found == line), "{line} is not in {said}");
    }
    assert!(said.contains("set:huge:refused:Error::Other(\"the value is 2000000 bytes long"), "{said}");
    host.log.wait_for(toolcell_tests::log::Mark::START, &["a \\\"message\\\" \\u001b[31m"]);

    let said = client.say("drafts_older", &json!({ "count": 1_200 }));
    assert_eq!(said, "config:TZ:done:Some(\"UTC\")\nwalk:bucket:done:1200 keys on 2 pages, sorted true, 0 beyond");

    let said = client.say("bare_drafts", &json!({}));
    assert!(said.contains("config:TZ:done:None") && said.contains("[plugins.bare] key-value = true"), "{said}");
}
