//! What the audit log has besides calls: keys made and revoked, loads, grants that changed, rules that changed; and calls that
//! got what an earlier one had left.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toolcell_tests::DEADLINE;
use toolcell_tests::host::Host;
use toolcell_tests::site::Site;

use super::{new_key, toolcell, with_key};

/// All events of a kind, once there are that many.
fn events(site: &Site, kind: &str, count: usize) -> Vec<Value> {
    let late = Instant::now() + DEADLINE;
    loop {
        let text = fs::read_to_string(site.path("audit/audit.jsonl")).unwrap_or_default();
        let found: Vec<Value> = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|event| event["event"] == kind)
            .collect();
        if found.len() >= count {
            return found;
        }
        assert!(Instant::now() < late, "waiting for {count} of {kind}: time is up\n{text}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn grants_rules_keys_and_kept_results_are_written_down() {
    let site = Site::new();
    let data = site.folder("data");
    let base = "[auth]\nkeys = 'keys.json'\n[audit]\ndir = 'audit'\n";
    let config = |rules: &str, fetch: &str| {
        let files = format!("prefix = 'fs_'\ndirs = [{{ host = '{}', guest = '/data' }}]", data.display());
        let echo = "cache = { results-ms = 600000 }";
        let plugins =
            [Site::plugin("echo", echo), Site::plugin("fetch", fetch), Site::plugin("filesystem", &files)].concat();
        site.config(&format!("{base}{rules}{plugins}"))
    };
    let alone = "[[allow]]\nprincipals = ['alice']\ntools = ['*']\n";
    let one = "hosts = ['https://one.example']\nenv = { FETCH_USER_AGENT = 'hunter2' }";
    let file = config(alone, one);
    let (alice, bob) = (new_key(&site, "alice", &[]), new_key(&site, "bob", &["--group", "guests"]));
    let id = toolcell(&site.path(""), &["key", "list"])
        .1
        .lines()
        .find(|line| line.contains("bob"))
        .unwrap_or_default()
        .to_owned();
    let id = id.split(' ').next().expect("a key has an identifier");
    let (code, said) = toolcell(&site.path(""), &["key", "revoke", id]);
    assert_eq!(code, 0, "{said}");
    let acts = events(&site, "admin", 3);
    let acts: Vec<_> = acts.iter().map(|act| (act["data"]["act"].as_str(), act["data"]["of"].as_str())).collect();
    let expected =
        [("key made", "alice"), ("key made", "bob"), ("key revoked", "bob")].map(|(act, of)| (Some(act), Some(of)));
    assert_eq!(acts, expected);

    let mut host = Host::serve(&file);
    // What holds at the start was given to nobody before.
    let granted = events(&site, "grant-change", 3);
    let of = |events: &[Value], plugin: &str| {
        events
            .iter()
            .find(|event| event["data"]["plugin"] == plugin)
            .map(|event| event["data"].clone())
            .unwrap_or_default()
    };
    let fetch = of(&granted, "fetch");
    let expected = json!(["requests to https://one.example", "variable FETCH_USER_AGENT"]);
    assert_eq!((&fetch["added"], &fetch["removed"]), (&expected, &json!([])), "{granted:?}");
    let directory = of(&granted, "filesystem")["added"][0].as_str().unwrap_or_default().to_owned();
    assert!(directory.starts_with("directory /data from ") && directory.ends_with("(read-only)"), "{directory}");
    assert_eq!(of(&granted, "echo"), Value::Null, "it was granted nothing");
    assert_eq!(granted[2]["data"]["rules"], "callers", "{granted:?}");

    let mut alice = with_key(&host, &alice).with_meta("io.toolcell/receipt", json!(true));
    let receipts: Vec<Value> = (0..2)
        .map(|_| alice.call("echo", &json!({ "message": "hello" }))["_meta"]["io.toolcell/receipt"].clone())
        .collect();
    assert_eq!((&receipts[0]["cached"], &receipts[1]["cached"]), (&Value::Null, &json!(true)), "{receipts:?}");
    assert_eq!((&receipts[1]["cpu_ms"], &receipts[1]["peak_memory"]), (&json!(0), &json!(0)), "no guest ran");
    assert!(receipts[0]["peak_memory"].as_u64() > Some(0), "{receipts:?}");

    // Files by the guest's names, those that are there and were opened.
    site.write("data/a.txt", "a");
    site.write("data/b.txt", "b");
    let read = alice.call("fs_read_file", &json!({ "path": "/data/a.txt" }));
    let receipt = &read["_meta"]["io.toolcell/receipt"];
    let files: Vec<&str> = receipt["files"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert!(files.contains(&"/data/a.txt") && !files.contains(&"/data/b.txt"), "{read}");
    assert!(receipt["generation"].as_u64() > Some(0), "{receipt}");
    let outside = alice.call("fs_read_file", &json!({ "path": "/data/../secret.txt" }));
    assert_eq!(outside["isError"], true, "{outside}");

    // Another grant for one plugin, and other rules.
    let (rules, more) = (
        "[[allow]]\nprincipals = ['alice']\ntools = ['echo']\n",
        "hosts = ['https://two.example']\nenv = { FETCH_USER_AGENT = 'hunter3' }",
    );
    host.reload(|| config(rules, more));
    let changed = events(&site, "grant-change", 5);
    let last = &changed[3..];
    let fetch = of(last, "fetch");
    let expected = json!({
        "generation": fetch["generation"], "plugin": "fetch",
        "added": ["requests to https://two.example", "variable FETCH_USER_AGENT"],
        "removed": ["requests to https://one.example", "variable FETCH_USER_AGENT"],
    });
    assert_eq!(fetch, expected);
    assert!(fetch["generation"].as_u64() > Some(1), "{fetch}");
    assert!(last.iter().any(|event| event["data"]["access"].as_str().is_some_and(|rules| rules.contains("echo"))));
    let loads = events(&site, "reload", 2);
    assert_eq!(loads[0]["data"]["plugins"].as_array().map(Vec::len), Some(3), "{loads:?}");

    host.terminate();
    let (code, said) = toolcell(&site.path(""), &["audit", "verify"]);
    assert!(code == 0 && said.contains("whole"), "{said}");
    let text = fs::read_to_string(site.path("audit/audit.jsonl")).expect("the log reads");
    for secret in ["hunter2", "hunter3", bob.as_str()] {
        assert!(!text.contains(secret), "neither values of variables nor keys");
    }
    let calls: Vec<Value> = events(&site, "invocation", 4);
    assert_eq!(calls.iter().filter(|call| call["data"]["cached"] == true).count(), 1, "{calls:?}");
}
