//! How much a caller may use.

use serde_json::json;
use toolcell_tests::host::Host;
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
