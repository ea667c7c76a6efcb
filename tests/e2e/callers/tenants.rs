//! Two tenants and one plugin: each has its own directory, its own store and its own list, and none reaches the other's. Files,
//! stores and lists are here, the rest is below. Everywhere the tenant itself succeeds where the other fails.

mod hosts;
mod offered;
mod sealed;
mod secrets;
mod sessions;
mod tally;
mod tasks;

use std::fs;

use serde_json::{Value, json};
use toolcell_tests::artifacts::guest;
use toolcell_tests::host::Host;
use toolcell_tests::mcp::text_of;
use toolcell_tests::site::Site;

use super::{new_key, with_key};

/// What is worth stealing.
const TREASURE: &str = "the-treasure-of-alice";

#[test]
fn one_tenant_never_reaches_what_is_the_others() {
    let site = Site::new();
    site.folder("tenants");
    let (alice, mallory) = (new_key(&site, "alice", &[]), new_key(&site, "mallory", &[]));
    let files = Site::plugin(
        "filesystem",
        "prefix = 'fs_'\ndirs = [{ host = 'tenants/{principal}', guest = '/data', access = 'read-write' }]",
    );
    let store = Site::entry("store", &guest("store_abuse"), "key-value = { per-caller = true }");
    let reads = "cache = { results-ms = 60000 }";
    let kept = Site::entry("kept", &guest("context_peek"), reads);
    let host = Host::serve(&site.config(&format!("[auth]\nkeys = 'keys.json'\n{files}{store}{kept}")));
    let (mut alice, mut mallory) = (with_key(&host, &alice), with_key(&host, &mallory));

    alice.call("fs_write_file", &json!({ "path": "/data/secret.txt", "content": TREASURE }));
    assert_eq!(fs::read_to_string(site.path("tenants/alice/secret.txt")).expect("it is there"), TREASURE);
    alice.say("store_abuse", &json!({ "kind": "keep", "value": TREASURE }));
    mallory.call("fs_write_file", &json!({ "path": "/data/own.txt", "content": "mallory's" }));

    let ways = [
        "/data/secret.txt",
        "/data/../alice/secret.txt",
        "/data/../../tenants/alice/secret.txt",
        "../alice/secret.txt",
        "/tenants/alice/secret.txt",
        "/alice/secret.txt",
        "/data/./../alice/secret.txt",
        "/data//../alice/secret.txt",
        "/data/alice/secret.txt",
        "/data/..%2falice/secret.txt",
        "/data/%2e%2e/alice/secret.txt",
        "\\data\\..\\alice",
        "/data/link/secret.txt",
        "/proc/self/cwd/tenants/alice/secret.txt",
        "/proc/self/root/etc/passwd",
        "/etc/passwd",
        "file:///data/../alice/secret.txt",
        "/data/secret.txt\0",
        "/data/../alice",
        "/data/..",
        "/",
        "..",
        ".",
        "/data/{principal}/../alice/secret.txt",
        "{principal}/secret.txt",
        "/data/\u{2025}/alice/secret.txt",
    ];
    // A link that the tenant cannot make by itself, but that somebody may have left there.
    std::os::unix::fs::symlink(site.path("tenants/alice"), site.path("tenants/mallory/link")).expect("a link is made");
    let tools = [
        ("fs_read_text_file", "path"),
        ("fs_read_file", "path"),
        ("fs_read_media_file", "path"),
        ("fs_list_directory", "path"),
        ("fs_directory_tree", "path"),
        ("fs_get_file_info", "path"),
        ("fs_list_directory_with_sizes", "path"),
    ];
    let mut attempts = 0;
    let mut check = |what: &str, result: &Value| {
        attempts += 1;
        assert!(!result.to_string().contains(TREASURE), "{what}: {result}");
        // Its own folder it may list, and it finds no more there than it left.
        let shown = result.to_string();
        assert!(!shown.contains("root:x:0") && !shown.contains("keys.json"), "{what}: {result}");
    };
    for (tool, key) in tools {
        for way in ways {
            let answer = mallory.ask("tools/call", &json!({ "name": tool, "arguments": { key: way } }));
            check(&format!("{tool} {way:?}"), &answer);
        }
    }
    for way in ways {
        let many =
            mallory.ask("tools/call", &json!({ "name": "fs_read_multiple_files", "arguments": { "paths": [way] } }));
        check(way, &many);
        let moved = json!({ "name": "fs_move_file", "arguments": { "source": way, "destination": "/data/mine.txt" } });
        check(way, &mallory.ask("tools/call", &moved));
        let over =
            json!({ "name": "fs_write_file", "arguments": { "path": format!("{way}/x"), "content": "overwritten" } });
        check(way, &mallory.ask("tools/call", &over));
    }
    for kind in ["get", "list", "keep", "read", "scan", "clear", "fill"] {
        let arguments = json!({ "kind": kind, "value": "x", "key": "keep", "count": 1 });
        check(kind, &mallory.ask("tools/call", &json!({ "name": "store_abuse", "arguments": arguments })));
    }
    assert!(attempts >= 200, "{attempts} attempts");
    assert_eq!(fs::read_to_string(site.path("tenants/alice/secret.txt")).expect("it is there"), TREASURE);
    let own = alice.call("fs_read_text_file", &json!({ "path": "/data/secret.txt" }));
    assert!(text_of(&own).contains(TREASURE), "{own}");
    // Keyed by who asks: what was kept for one is not given to the other.
    let who = |client: &mut toolcell_tests::mcp::Modern| {
        client.ask("tools/call", &json!({ "name": "context_peek", "arguments": {} }))
    };
    let (first, second) = (who(&mut alice).to_string(), who(&mut mallory).to_string());
    assert!(first.contains("alice") && second.contains("mallory") && !second.contains("alice"), "{first} {second}");
}

#[test]
fn each_caller_sees_what_it_may_call_and_calls_what_it_sees() {
    let site = Site::new();
    site.write("docs/a.txt", "text");
    let [admin, guest, nobody] = [
        new_key(&site, "root", &["--group", "admins"]),
        new_key(&site, "guest", &["--scope", "files"]),
        new_key(&site, "nobody", &[]),
    ];
    let files = Site::plugin("filesystem", "prefix = 'fs_'\ndirs = [{ host = 'docs', guest = '/docs' }]");
    let rules = "[[allow]]\ngroups = ['admins']\n[[allow]]\nprincipals = ['guest']\nscopes = ['files', 'read']\ntools = ['fs_read*']\n\
                 [[allow]]\nprincipals = ['guest', 'nobody']\ntools = ['echo']\n";
    let config = |rules: &str| format!("[auth]\nkeys = 'keys.json'\n{rules}{files}{}", Site::plugin("echo", ""));
    let host = Host::serve(&site.config(&config(rules)));
    let (mut admin, mut guest, mut nobody) =
        (with_key(&host, &admin), with_key(&host, &guest), with_key(&host, &nobody));

    assert!(admin.tools().len() > 10);
    assert_eq!(nobody.tools(), ["echo"]);
    assert_eq!(guest.tools(), ["echo"], "one scope is lacking");
    let listed = nobody.ask("tools/list", &json!({}));
    assert_eq!(listed["result"]["cacheScope"], "private");
    assert_eq!(nobody.say("echo", &json!({ "message": "x" })), "x");
    // What is not in the list is not there, whatever one knows of it.
    let hidden = nobody.ask("tools/call", &json!({ "name": "fs_read_file", "arguments": { "path": "/docs/a.txt" } }));
    let unknown = nobody.ask("tools/call", &json!({ "name": "fs_no_such", "arguments": {} }));
    assert_eq!(hidden["error"]["code"], unknown["error"]["code"]);
    let text =
        |answer: &Value| answer["error"]["message"].as_str().unwrap_or_default().replace("fs_no_such", "fs_read_file");
    assert_eq!(text(&hidden), text(&unknown));
    // What could be had with more scopes is said, all of them at once.
    let params = json!({ "name": "fs_read_file", "arguments": { "path": "/docs/a.txt" } });
    let lacking = guest.answer("tools/call", &params);
    assert_eq!(lacking.head.status, 403);
    let challenge = lacking.head.header("www-authenticate").expect("a challenge").to_owned();
    assert!(challenge.contains("insufficient_scope") && challenge.contains("files read"), "{challenge}");

    // Rules change while the server runs.
    let wider = rules.replace("tools = ['echo']", "tools = ['echo', 'fs_list_directory']");
    let said = host.reload(|| site.config(&config(&wider)));
    assert_eq!(nobody.tools().len(), 2, "{said}");
}
