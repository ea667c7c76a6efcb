//! API keys: without one nothing is answered, and a revoked one is refused by a running server.

use std::time::Instant;

use serde_json::json;
use toolcell_tests::DEADLINE;
use toolcell_tests::host::Host;
use toolcell_tests::mcp::HANDSHAKE;
use toolcell_tests::site::Site;

use super::{new_key, toolcell, with_key};

#[test]
fn a_key_opens_and_revoking_it_closes() {
    let site = Site::new();
    let key = new_key(&site, "alice", &["--group", "developers", "--days", "1"]);
    let host = Host::serve(&site.config(&format!("[auth]\nkeys = 'keys.json'\n{}", Site::plugin("echo", ""))));

    let refused = host.modern().answer("tools/list", &json!({}));
    assert_eq!(refused.head.status, 401, "{}", refused.text());
    assert!(refused.head.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer")));
    for wrong in ["tck_", &key[..key.len() - 1], &format!("{key}x"), &key.replace("tck_", "tcl_"), "tck_a_b"] {
        assert_eq!(with_key(&host, wrong).answer("tools/list", &json!({})).head.status, 401, "{wrong:?}");
    }
    let body = br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#;
    for (method, path) in
        [("GET", "/mcp"), ("POST", "/mcp"), ("DELETE", "/mcp"), ("GET", "/sse"), ("POST", "/messages")]
    {
        let headers = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")];
        let answer = host.connect().request(method, path, &headers, body);
        assert_eq!(answer.head.status, 401, "{method} {path} of {HANDSHAKE}: {}", answer.text());
    }

    let mut alice = with_key(&host, &key);
    assert_eq!(alice.say("echo", &json!({ "message": "hello" })), "hello");
    let kept = std::fs::read_to_string(site.path("keys.json")).expect("the file reads");
    let secret = key.rsplit('_').next().expect("a key has a secret");
    assert!(!kept.contains(secret), "only a hash is kept");
    assert!(!host.log.all().contains(secret), "and nothing of it is logged");

    let id = key.split('_').nth(1).expect("a key has an identifier");
    let (code, listed) = toolcell(&site.path(""), &["key", "list", "--file", "keys.json"]);
    assert!(code == 0 && listed.contains(id) && listed.contains("alice") && !listed.contains(secret), "{listed}");
    let (code, said) = toolcell(&site.path(""), &["key", "revoke", id, "--file", "keys.json"]);
    assert_eq!(code, 0, "{said}");
    let revoked = Instant::now();
    loop {
        let status = with_key(&host, &key).answer("tools/list", &json!({})).head.status;
        if status == 401 {
            break;
        }
        assert!(status == 200 && revoked.elapsed() < DEADLINE, "{status}");
    }
    assert!(revoked.elapsed().as_secs() < 5, "a second was promised, {:?} it took", revoked.elapsed());
}
