//! Guests that misbehave on purpose: each call ends with an error that names the limit or the refusal, and the next
//! call is fine.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toolcell_tests::artifacts::plugin;
use toolcell_tests::host::Host;
use toolcell_tests::log::Mark;
use toolcell_tests::mcp::text_of;
use toolcell_tests::site::Site;
use toolcell_tests::web::Web;

/// Limits small enough that a test need not wait for them.
const SOON: &str = "limits = { cpu-ms = 300, wall-ms = 900, memory-mib = 32, output-bytes = 100000 }";

/// A guest that runs into a limit: its name, its arguments, and what the error must say.
#[test]
fn a_limit_ends_one_call_and_names_itself() {
    let cases: &[(&str, Value, &[&str])] = &[
        ("spin", json!({}), &["spin", "300 ms", "CPU", "limits.cpu-ms"]),
        ("spin_host", json!({}), &["spin_host", "ms"]),
        ("sleep", json!({}), &["sleep", "900 ms", "limits.wall-ms"]),
        ("memory_hog", json!({ "how": "abort" }), &["memory_hog"]),
        ("recursion", json!({}), &["recursion", "stack"]),
        ("recursion", json!({ "stack": "memory" }), &["recursion"]),
        ("panic", json!({}), &["panic", "this guest panics on purpose"]),
        ("panic", json!({ "how": "abort" }), &["panic"]),
        ("panic", json!({ "how": "exit", "code": 3 }), &["panic"]),
        ("huge_output", json!({ "bytes": 1_000_000 }), &["huge_output", "100000 bytes", "limits.output-bytes"]),
        ("huge_output", json!({ "bytes": 1_000_000, "kind": "blocks" }), &["limits.output-bytes"]),
        ("huge_output", json!({ "bytes": 1_000_000, "kind": "image" }), &["limits.output-bytes"]),
        ("huge_output", json!({ "bytes": 1_000_000, "kind": "structured" }), &["limits.output-bytes"]),
    ];
    let site = Site::new();
    let mut names: Vec<&str> = cases.iter().map(|(name, ..)| *name).collect();
    names.dedup();
    let guests: String = names.iter().map(|name| Site::guest(name, SOON)).collect();
    let config = site.config(&format!("{guests}{}", Site::plugin("echo", "")));
    let host = Host::serve(&config);
    let mut client = host.modern();
    for (name, arguments, parts) in cases {
        let begun = Instant::now();
        let result = client.call(name, arguments);
        assert_eq!(result["isError"], true, "{name} {arguments}: {result}");
        let text = text_of(&result);
        for part in *parts {
            assert!(text.contains(part), "{name} {arguments}: {part:?} is not in {text:?}");
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{name} took {:?}", begun.elapsed());
        assert_eq!(client.say("echo", &json!({ "message": "next" })), "next", "after {name}");
    }
}

#[test]
fn memory_is_refused_at_the_limit() {
    let site = Site::new();
    let host = Host::serve(&site.config(&Site::guest("memory_hog", SOON)));
    let text = host.modern().say("memory_hog", &json!({}));
    assert!(text.contains("32 MiB") || text.starts_with("grow:memory:refused:"), "{text}");
}

#[test]
fn no_path_leads_out_of_a_granted_directory() {
    let site = Site::new();
    let secret = site.write("secret.txt", "secret");
    site.write("data/inside.txt", "inside");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&secret, site.path("data/link")).expect("a link can be made");
    for access in ["read-only", "read-write"] {
        let grant = format!("dirs = [{{ host = 'data', guest = '/data', access = '{access}' }}]");
        let host = Host::serve(&site.config(&Site::guest("path_escape", &grant)));
        let arguments = json!({ "dir": "/data", "target": secret, "write": "written.txt" });
        let report = host.modern().say("path_escape", &arguments);
        for line in report.lines().filter(|line| line.contains(":done:")) {
            // What it may do with what is inside is not what this is about.
            let inside = line.starts_with("write:/data/written.txt") || !line.contains("6 bytes");
            assert!(inside, "it read the secret: {line}\n{report}");
        }
        let wrote = report.lines().any(|line| line.starts_with("write:/data/written.txt:done"));
        assert_eq!(wrote, access == "read-write", "{report}");
        assert_eq!(fs::read_to_string(&secret).ok().as_deref(), Some("secret"));
    }
}

#[test]
fn nothing_is_given_that_was_not_granted() {
    let site = Site::new();
    let host = Host::serve(&site.config(&format!("{}{}", Site::guest("env_peek", ""), Site::guest("path_escape", ""))));
    let report = host.modern().say("env_peek", &json!({}));
    for line in ["env-count::done:0", "dir-count::done:0"] {
        assert!(report.lines().any(|found| found == line), "{line} is not in {report}");
    }
    let report = host.modern().say("path_escape", &json!({ "write": "new.txt" }));
    assert!(!report.contains("write:/data/new.txt:done"), "{report}");
}

#[test]
fn undeclared_hosts_and_private_addresses_are_refused_with_the_line_that_would_grant_them() {
    let site = Site::new();
    let web = Web::serve(BTreeMap::from([("/", ("text/plain", "hello".to_owned()))]));
    let config = format!(
        "{}{}{}",
        Site::guest("undeclared_host", ""),
        Site::guest("private_address", "hosts = ['http://*:*']"),
        Site::guest("raw_sockets", "hosts = ['http://*:*', 'https://*:*']"),
    );
    let host = Host::serve(&site.config(&config));
    let mut client = host.modern();
    let port = web.address.port();

    let url = format!("{}/", web.origin());
    let report = client.say("undeclared_host", &json!({ "urls": [url, "https://undeclared.example/"] }));
    assert_eq!(report.lines().filter(|line| line.contains(":refused:")).count(), 2, "{report}");
    let said = host.log.wait_for(Mark::START, &["undeclared_host", "hosts = [", "not granted"]);
    assert!(said.contains("toolcell.toml"), "{said}");

    // The name is granted, so only the address stands between the guest and this machine.
    let report = client.say("private_address", &json!({ "port": port }));
    assert!(report.lines().count() > 10 && report.lines().all(|line| line.contains(":refused:")), "{report}");
    host.log.wait_for(Mark::START, &["private_address", "127.0.0.1", "addresses"]);

    let report = client.say("raw_sockets", &json!({ "port": port }));
    assert!(!report.lines().any(|line| line.starts_with("tcp-connect") && line.contains(":done:")), "{report}");
    assert_eq!(web.asked(), [""; 0], "nothing may have arrived");
}

#[test]
fn a_granted_address_is_reached() {
    let site = Site::new();
    let web = Web::serve(BTreeMap::from([("/", ("text/plain", "hello".to_owned()))]));
    let host = Host::serve(&site.config(&Site::guest("undeclared_host", &format!("hosts = ['{}']", web.origin()))));
    let report = host.modern().say("undeclared_host", &json!({ "urls": [format!("{}/", web.origin())] }));
    assert!(report.contains(":done:"), "{report}");
    assert_eq!(web.asked(), ["/"]);
}

#[test]
fn no_state_survives_a_call() {
    let host = Host::serve_paths(&[&toolcell_tests::artifacts::guest("state")]);
    let mut client = host.modern();
    for _ in 0..3 {
        assert_eq!(client.say("state", &json!({})), "1");
    }
}

#[test]
fn a_flood_of_log_lines_is_cut_and_the_log_says_so() {
    let site = Site::new();
    let host = Host::serve(&site.config(&Site::guest("log_flood", "")));
    let mut client = host.modern();
    for to in ["log", "stderr", "stdout"] {
        let mark = host.log.mark();
        client.call("log_flood", &json!({ "lines": 20_000, "to": to }));
        let said = host.log.since(mark).len();
        assert!(said < 2_000_000, "{to}: {said} bytes");
    }
}

#[test]
fn lists_that_are_attacks_leave_the_other_plugins_alone() {
    for name in [
        "list_hangs",
        "list_sleeps",
        "list_many",
        "list_panics",
        "list_fails",
        "list_huge_description",
        "list_deep_schema",
    ] {
        let host = Host::serve_paths(&[&toolcell_tests::artifacts::guest(name), &plugin("echo")]);
        host.log.wait_for(Mark::START, &["ERROR", name]);
        let mut client = host.modern();
        assert!(client.tools().contains(&"echo".to_owned()), "{name}");
        assert_eq!(client.say("echo", &json!({ "message": name })), name);
    }
}

#[test]
fn a_result_that_breaks_its_own_schema_is_an_error() {
    let host = Host::serve_paths(&[&toolcell_tests::artifacts::guest("bad_structured")]);
    let mut client = host.modern();
    for kind in ["type", "missing", "not-json", "none", "array"] {
        let result = client.call("bad_structured", &json!({ "kind": kind }));
        assert_eq!(result["isError"], true, "{kind}: {result}");
        assert!(result["structuredContent"].is_null(), "{kind}: {result}");
    }
    let result = client.call("bad_structured", &json!({ "kind": "valid" }));
    assert_eq!(result["structuredContent"], json!({ "n": 1 }), "{result}");
}

#[test]
fn the_words_of_a_guest_stay_words() {
    let host = Host::serve_paths(&[&toolcell_tests::artifacts::guest("call_errors")]);
    let mut client = host.modern();
    for kind in ["denied", "unavailable", "other", "invalid-arguments", "is-error"] {
        let result = client.call("call_errors", &json!({ "kind": kind, "text": "words of the guest" }));
        assert_eq!(result["isError"], true, "{kind}: {result}");
        assert!(text_of(&result).contains("words of the guest"), "{kind}: {result}");
    }
}
