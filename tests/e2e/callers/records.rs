//! What is written down: the audit log and its chain, metrics, usage, receipts.

use std::fs;
use std::net::SocketAddr;

use serde_json::{Value, json};
use toolcell_tests::host::Host;
use toolcell_tests::http::Http;
use toolcell_tests::site::Site;

use super::{new_key, toolcell, with_key};

fn page(address: SocketAddr, path: &str) -> String {
    let answer = Http::connect(address).request("GET", path, &[], b"");
    assert_eq!(answer.head.status, 200, "{path}");
    answer.text()
}

#[test]
fn every_call_is_written_down_and_what_is_changed_afterwards_shows() {
    let site = Site::new();
    let key = new_key(&site, "alice", &[]);
    let config = "[server]\nadmin = '127.0.0.1:0'\n[auth]\nkeys = 'keys.json'\n[audit]\ndir = 'audit'\n\
                  [telemetry]\nusage = 'usage'\n[[allow]]\nprincipals = ['alice']\ntools = ['echo']\n";
    let echo = Site::plugin("echo", "");
    let files = Site::plugin("filesystem", "prefix = 'fs_'");
    let mut host = Host::serve(&site.config(&format!("{config}{echo}{files}")));
    let mut alice = with_key(&host, &key).with_meta("io.toolcell/receipt", json!(true));
    let called = alice.call("echo", &json!({ "message": "hello" }));
    let receipt = &called["_meta"]["io.toolcell/receipt"];
    assert_eq!((&receipt["plugin"], &receipt["principal"]), (&json!("echo"), &json!("alice")), "{called}");
    for _ in 0..9 {
        alice.say("echo", &json!({ "message": "hello" }));
    }
    alice.ask("tools/call", &json!({ "name": "fs_read_file", "arguments": { "path": "/" } }));

    let metrics = page(host.admin(), "/metrics");
    let line = |name: &str, labels: &[&str]| {
        let found = metrics.lines().find(|line| {
            line.starts_with(name) && labels.iter().all(|label| line.contains(label)) && !line.starts_with('#')
        });
        found.unwrap_or_else(|| panic!("no {name} {labels:?} in {metrics}")).rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!(line("toolcell_calls_total", &["plugin=\"echo\"", "outcome=\"ok\""]), "10");
    assert!(page(host.admin(), "/livez").len() < 200);
    page(host.admin(), "/readyz");

    host.terminate();
    let (code, said) = toolcell(&site.path(""), &["audit", "verify"]);
    assert!(code == 0 && said.contains("whole"), "{said}");
    let file = site.path("audit/audit.jsonl");
    let text = fs::read_to_string(&file).expect("the log reads");
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let of = |kind: &str| events.iter().filter(|event| event["event"] == kind).count();
    assert_eq!((of("start"), of("stop"), of("invocation")), (1, 1, 10), "{text}");
    assert!(of("reload") >= 1, "{text}");
    let invocation = events.iter().find(|event| event["event"] == "invocation").expect("one");
    assert!(invocation.to_string().contains("alice"), "{invocation}");

    // One character, one line, an order: each shows.
    let lines: Vec<&str> = text.lines().collect();
    let without: String =
        lines.iter().enumerate().filter(|(at, _)| *at != 3).map(|(_, line)| format!("{line}\n")).collect();
    let swapped = text.replace(lines[2], "\u{1}").replace(lines[3], lines[2]).replace('\u{1}', lines[3]);
    for (what, changed) in [("a name", text.replacen("alice", "alicf", 1)), ("a line", without), ("the order", swapped)]
    {
        fs::write(&file, changed).expect("it is written");
        let (code, said) = toolcell(&site.path(""), &["audit", "verify"]);
        assert!(code == 1 && said.contains("NOT WHOLE"), "{what}: {said}");
    }
    fs::write(&file, &text).expect("it is written");
    let (code, _) = toolcell(&site.path(""), &["audit", "verify"]);
    assert_eq!(code, 0);
    let (code, usage) = toolcell(&site.path(""), &["usage", "--json"]);
    assert!(code == 0 && usage.contains("alice"), "{usage}");
}
