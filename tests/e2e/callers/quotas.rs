//! How much a caller may use.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use toolcell_tests::host::{Host, run};
use toolcell_tests::site::Site;

use super::{new_key, with_key};

#[test]
fn each_caller_has_its_own_share_and_is_told_when_to_come_again() {
    let site = Site::new();
    let (alice, bob) = (new_key(&site, "alice", &[]), new_key(&site, "bob", &[]));
    let quotas = "[[quotas.rates]]\nat-most = 3\nevery = 'hour'\nonly = { principals = ['alice'] }\n\
                  [quotas.repeat]\nat-most = 4\n";
    let host = Host::serve(&site.config(&format!("[auth]\nkeys = 'keys.json'\n{quotas}{}", Site::plugin("echo", ""))));
    let (mut alice, mut bob) = (with_key(&host, &alice), with_key(&host, &bob));
    let call = |n: usize| json!({ "name": "echo", "arguments": { "message": format!("{n}") } });
    for n in 0..3 {
        assert_eq!(alice.answer("tools/call", &call(n)).head.status, 200);
    }
    let limited = alice.answer("tools/call", &call(3));
    assert_eq!(limited.head.status, 429, "{}", limited.text());
    let seconds: u64 = limited.head.header("retry-after").expect("when").parse().expect("seconds");
    assert!((1..=1200).contains(&seconds), "{seconds}");
    assert!(limited.json()["error"]["data"]["retryAfterMs"].as_u64() > Some(0), "{}", limited.text());
    assert_eq!(alice.answer("tools/list", &json!({})).head.status, 200, "lists are not calls");
    for n in 0..20 {
        assert_eq!(bob.answer("tools/call", &call(n)).head.status, 200, "another caller has its own share");
    }
    // The same call again and again is a loop, and the model is told so.
    let last = (0..6).map(|_| bob.call("echo", &json!({ "message": "same" }))).last().expect("an answer");
    assert!(last["isError"] == true && last.to_string().contains("same call"), "{last}");
    assert_eq!(bob.say("echo", &json!({ "message": "another" })), "another");
}

#[test]
fn what_was_spent_stays_spent_over_a_restart() {
    let site = Site::new();
    let (alice, bob) = (new_key(&site, "alice", &[]), new_key(&site, "bob", &[]));
    let config = site.config(&format!(
        "[server]\nstate = 'state.db'\n[auth]\nkeys = 'keys.json'\n[[quotas.budgets]]\ncalls = 5\n{}",
        Site::plugin("echo", "")
    ));
    let call = |host: &Host, key: &str, n: usize| {
        with_key(host, key).call("echo", &json!({ "message": n.to_string() }))["isError"] != true
    };
    let mut host = Host::serve(&config);
    assert!((0..3).all(|n| call(&host, &alice, n)));
    host.terminate();
    let kept = site.path("state.db.spent.json");
    let text = fs::read_to_string(&kept).expect("it is kept");
    assert!(text.contains("alice") && !text.contains("tck_"), "{text}");
    assert_eq!(fs::metadata(&kept).expect("it is there").permissions().mode() & 0o077, 0, "for nobody else to read");

    let mut host = Host::serve(&config);
    let left = (0..5).filter(|n| call(&host, &alice, 10 + n)).count();
    assert_eq!(left, 2, "five a day, in two lives");
    // A change of the configuration gives nothing back.
    host.reload(|| site.config(&fs::read_to_string(&config).expect("it reads").replace("calls = 5", "calls = 6")));
    assert!(call(&host, &alice, 20) && !call(&host, &alice, 21));
    assert!((0..6).all(|n| call(&host, &bob, n)), "each caller has its own");
    host.terminate();

    // A file that makes no sense is no reason to give everyone a new budget.
    let whole = fs::read(&kept).expect("it reads");
    for broken in [&whole[..whole.len() / 2], b"", b"{}", b"\xff\xfe", b"[1,2]"] {
        fs::write(&kept, broken).expect("it is written");
        let ran =
            run(["serve".as_ref(), "--config".as_ref(), config.as_os_str(), "--http".as_ref(), "127.0.0.1:0".as_ref()]);
        assert!(ran.status.code() == Some(2) && ran.stderr.contains("remove it"), "{}", ran.stderr);
    }
    fs::remove_file(&kept).expect("it is removed");
    let host = Host::serve(&config);
    assert!(call(&host, &alice, 30), "as the operator said");
}
