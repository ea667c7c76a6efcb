//! Lists, resources, prompts, completions, subscriptions and kept results: what is not in one tenant's list is not there for it,
//! by whatever way it is asked for.

use serde_json::{Value, json};
use toolcell_tests::host::Host;
use toolcell_tests::mcp::{HANDSHAKE, Session};
use toolcell_tests::site::Site;

use super::super::{new_key, with_key};
use super::tally::{Tally, bearer};

/// Whether a client of the newest revision can say it: there the name stands in a header too, where blanks at the ends and
/// control characters have no place.
fn fits_a_header(name: &str) -> bool {
    name.trim() == name && !name.contains(char::is_control)
}

#[test]
fn no_tenant_finds_what_is_offered_to_the_other_only() {
    let site = Site::new();
    let (alice_key, mallory_key) = (new_key(&site, "alice", &[]), new_key(&site, "mallory", &[]));
    let offers = Site::guest(
        "offers",
        "env = { NAME = 'plugin', RESOURCES = 'alice://plan alice://list both://x', TEMPLATES = 'alice://notes/{id} both://{id}', \
         PROMPTS = 'alice_prompt both_prompt' }",
    );
    let rules = "[[allow]]\nprincipals = ['alice']\n\
                 [[allow]]\nprincipals = ['mallory']\nresources = ['both://*']\nprompts = ['both_prompt']\ntools = ['echo']\n";
    let server = "[server]\npage-size = 1\n[auth]\nkeys = 'keys.json'\n";
    let plugins = offers + &Site::plugin("echo", "") + &Site::guest("context_peek", "");
    let host = Host::serve(&site.config(&format!("{server}{rules}{plugins}")));
    let mut session = Session::with_headers(host.address, HANDSHAKE, &json!({}), bearer(&mallory_key));
    let (mut alice, mut mallory) = (with_key(&host, &alice_key), with_key(&host, &mallory_key));

    let mut tally = Tally::new("what is offered", &["plugin read alice", "plugin filled alice", "plugin completes"]);
    let uris = [
        "alice://plan",
        "alice://list",
        "alice://notes/1",
        "ALICE://plan",
        "Alice://plan",
        "alice:plan",
        "alice:///plan",
        "alice://plan?",
        "alice://plan#",
        "alice://plan/",
        "alice://plan/..",
        "alice://./plan",
        "alice://%70lan",
        "alice%3A//plan",
        " alice://plan",
        "alice://plan ",
        "both://x/../../alice://plan",
        "alice://notes/%31",
        "alice://notes/{id}",
        "alice://notes/",
        "both:alice://plan",
        "alice://plan\u{0}",
    ];
    let unknown = "not found";
    for uri in uris {
        if fits_a_header(uri) {
            let answer = mallory.ask("resources/read", &json!({ "uri": uri })).to_string();
            tally.refused(uri, &answer, &[unknown]);
        }
        let answer = session.ask("resources/read", &json!({ "uri": uri })).to_string();
        tally.refused(uri, &answer, &[unknown]);
        let answer = session.ask("resources/subscribe", &json!({ "uri": uri })).to_string();
        tally.refused(uri, &answer, &["\"error\""]);
    }
    let wanted = json!({ "resourceSubscriptions": uris });
    let (_, granted) = with_key(&host, &mallory_key).listen_to_some(&wanted);
    assert_eq!(granted, json!({}), "none of them");
    tally.refused("listening", &granted.to_string(), &["{}"]);
    for name in [
        "alice_prompt",
        "ALICE_PROMPT",
        "offers.alice_prompt",
        "offers/alice_prompt",
        "alice_prompt ",
        "alice_prompt\u{0}",
    ] {
        if fits_a_header(name) {
            let answer = mallory.ask("prompts/get", &json!({ "name": name })).to_string();
            tally.refused(name, &answer, &["\"error\""]);
        }
        let answer = session.ask("prompts/get", &json!({ "name": name })).to_string();
        tally.refused(name, &answer, &["\"error\""]);
        let reference = json!({ "type": "ref/prompt", "name": name });
        let params = json!({ "ref": reference, "argument": { "name": "a", "value": "" } });
        tally.refused(name, &mallory.ask("completion/complete", &params).to_string(), &["\"error\""]);
        tally.refused(name, &session.ask("completion/complete", &params).to_string(), &["\"error\""]);
    }
    for uri in ["alice://notes/{id}", "alice://plan", "alice://{id}", "{+any}"] {
        let reference = json!({ "type": "ref/resource", "uri": uri });
        let params = json!({ "ref": reference, "argument": { "name": "id", "value": "" } });
        tally.refused(uri, &mallory.ask("completion/complete", &params).to_string(), &["\"error\"", "\"values\":[]"]);
    }
    for tool in ["context_peek", "CONTEXT_PEEK", "context_peek ", "context-peek", "context_peek@1", "*", ""] {
        let params = json!({ "name": tool, "arguments": {} });
        if fits_a_header(tool) {
            tally.refused(tool, &mallory.ask("tools/call", &params).to_string(), &["\"error\""]);
        }
        tally.refused(tool, &session.ask("tools/call", &params).to_string(), &["\"error\""]);
    }
    // Pages that were alice's: a cursor says where, never what.
    let lists = [
        ("tools/list", "tools"),
        ("resources/list", "resources"),
        ("prompts/list", "prompts"),
        ("resources/templates/list", "resourceTemplates"),
    ];
    for (method, member) in lists {
        let mut cursor = alice.ask(method, &json!({}))["result"]["nextCursor"].clone();
        while let Some(at) = cursor.as_str() {
            for from in lists {
                let answer = mallory.ask(from.0, &json!({ "cursor": at }));
                let shown = answer.to_string();
                assert!(!shown.contains("alice") && !shown.contains("context_peek"), "{method}: {shown}");
                tally.refused(method, &shown, &[""]);
            }
            cursor = alice.ask(method, &json!({ "cursor": at }))["result"]["nextCursor"].clone();
        }
        let shown = Value::from(mallory.list(method, member)).to_string();
        assert!(!shown.contains("alice") && !shown.contains("context_peek"), "{shown}");
    }
    tally.at_least(100);
    // All of it is there, for alice; and mallory has what is for both.
    for uri in ["alice://plan", "alice://notes/1", "both://x"] {
        let read = alice.ask("resources/read", &json!({ "uri": uri }));
        assert!(read.to_string().contains(&format!("plugin read {uri}")), "{read}");
    }
    assert!(alice.ask("prompts/get", &json!({ "name": "alice_prompt" })).to_string().contains("plugin filled alice"));
    assert!(mallory.ask("resources/read", &json!({ "uri": "both://y" })).to_string().contains("plugin read both"));
    assert!(mallory.ask("prompts/get", &json!({ "name": "both_prompt" })).to_string().contains("plugin filled both"));
    assert_eq!(mallory.tools(), ["echo"]);
}

#[test]
fn no_tenant_is_given_a_result_that_was_kept_for_the_other() {
    let site = Site::new();
    let keys = [
        new_key(&site, "alice", &["--group", "staff"]),
        new_key(&site, "mallory", &["--group", "staff"]),
        // The same person with a lesser key.
        new_key(&site, "alice", &[]),
        // Names made so that a careless join of them is another's.
        new_key(&site, "alic", &["--group", "e", "--group", "staff"]),
        new_key(&site, "alice_staff", &[]),
    ];
    let kept = Site::guest("kept_results", "cache = { results-ms = 600000 }");
    let host = Host::serve(&site.config(&format!("[auth]\nkeys = 'keys.json'\n{kept}")));
    let mut clients = keys.map(|key| with_key(&host, &key));
    let mut count = 0;
    for number in 0..20 {
        let arguments = json!({ "n": number });
        let said: Vec<String> = clients.iter_mut().map(|client| client.say("kept", &arguments)).collect();
        for (at, one) in said.iter().enumerate() {
            assert!(said[at + 1..].iter().all(|other| other != one), "kept for one and given to another: {said:?}");
            count += said.len() - at - 1;
        }
        // And it was kept at all: each gets its own again.
        let again: Vec<String> = clients.iter_mut().map(|client| client.say("kept", &arguments)).collect();
        assert_eq!(said, again);
    }
    assert!(count >= 200, "{count}");
}
