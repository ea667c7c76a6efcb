//! Calls that a person must approve, in both eras, and what does not pass for an approval.

use serde_json::{Value, json};
use toolcell_tests::host::Host;
use toolcell_tests::mcp::{HANDSHAKE, Session, request};
use toolcell_tests::site::Site;

use super::{new_key, with_key};

fn host(site: &Site) -> Host {
    site.folder("work");
    let files = "prefix = 'fs_'\ndirs = [{ host = 'work', guest = '/work', access = 'read-write' }]";
    let rules = "[[approve]]\nonly-destructive = true\n";
    Host::serve(&site.config(&format!("{rules}{}", Site::plugin("filesystem", files))))
}

fn write() -> Value {
    json!({ "name": "fs_write_file", "arguments": { "path": "/work/a.txt", "content": "text" } })
}

fn answered(state: &Value, approve: Value) -> Value {
    let mut params = write();
    params["requestState"] = state.clone();
    params["inputResponses"] =
        json!({ "toolcell-approval": { "action": "accept", "content": { "approve": approve } } });
    params
}

#[test]
fn a_call_waits_for_the_person_and_an_approval_is_good_once() {
    let site = Site::new();
    let host = host(&site);
    let mut client = host.modern().declaring(json!({ "elicitation": {} }));
    let file = site.path("work/a.txt");

    let asked = client.ask("tools/call", &write())["result"].clone();
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let question = asked["inputRequests"]["toolcell-approval"]["params"]["message"].as_str().expect("a question");
    for part in ["fs_write_file", "filesystem", "/work/a.txt", "change or delete"] {
        assert!(question.contains(part), "{question}");
    }
    assert!(!file.exists(), "nothing has run");

    // Answers without the state, and with one that is somebody's own.
    for state in [Value::Null, json!("forged"), json!("")] {
        let mut forged = answered(&state, json!(true));
        if state.is_null() {
            forged.as_object_mut().expect("an object").remove("requestState");
        }
        client.ask("tools/call", &forged);
        assert!(!file.exists(), "{state}");
    }
    let state = asked["requestState"].clone();
    let mut other = answered(&state, json!(true));
    other["arguments"]["path"] = "/work/b.txt".into();
    client.ask("tools/call", &other);
    assert!(!site.path("work/b.txt").exists(), "an approval is for these arguments");

    let done = client.ask("tools/call", &answered(&state, json!(true)))["result"].clone();
    assert_eq!(done["resultType"], "complete", "{done}");
    assert!(file.exists());
    std::fs::remove_file(&file).expect("it is removed");
    let again = client.ask("tools/call", &answered(&state, json!(true)))["result"].clone();
    assert_eq!(again["resultType"], "input_required", "it asks again: {again}");
    assert!(!file.exists());

    let declined = client.ask("tools/call", &answered(&again["requestState"], json!(false)))["result"].clone();
    assert_eq!(declined["isError"], true, "{declined}");
    assert!(!file.exists());

    // What only reads is not held, and a client that cannot ask is told so.
    assert_eq!(client.call("fs_list_allowed_directories", &json!({}))["resultType"], "complete");
    let cannot = host.modern().call("fs_write_file", &write()["arguments"]);
    assert!(cannot["isError"] == true && cannot.to_string().contains("cannot ask"), "{cannot}");
    assert!(!file.exists());
}

/// A client that asks and is asked, over the stream of its call.
fn ask(session: &mut Session, call: &Value, answer: impl FnOnce(&Value) -> Value) -> Value {
    let mut events = session.start(call);
    let asked = events.next_message().expect("a question");
    assert_eq!(asked["method"], "elicitation/create", "{asked}");
    let said = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": answer(&asked["params"]) });
    assert_eq!(session.post(&said).head.status, 202);
    events.next_message().expect("a result")["result"].clone()
}

#[test]
fn approvals_are_asked_for_over_the_stream_of_the_handshake_era() {
    let site = Site::new();
    let host = host(&site);
    let file = site.path("work/a.txt");
    let params = write();
    for version in ["2025-06-18", HANDSHAKE] {
        let mut session = Session::declaring(host.address, version, &json!({ "elicitation": {} }));
        let noes = [
            json!({ "action": "decline" }),
            json!({ "action": "cancel" }),
            json!({ "action": "accept", "content": { "approve": false } }),
            json!({ "action": "accept", "content": {} }),
        ];
        for (at, no) in noes.iter().enumerate() {
            let said = ask(&mut session, &request(10 + at as u64, "tools/call", &params), |_| no.clone());
            assert_eq!(said["isError"], true, "{version} {no}: {said}");
            assert!(!file.exists(), "{version} {no}");
        }
        let done = ask(&mut session, &request(20, "tools/call", &params), |question| {
            let message = question["message"].as_str().unwrap_or_default();
            for part in ["fs_write_file", "filesystem", "/work/a.txt", "change or delete"] {
                assert!(message.contains(part), "{question}");
            }
            assert!(!file.exists(), "nothing has run");
            json!({ "action": "accept", "content": { "approve": true } })
        });
        assert!(done["isError"] != true && file.exists(), "{version}: {done}");
        std::fs::remove_file(&file).expect("it is removed");

        let mut cannot = Session::open(host.address, version);
        let said = cannot.ask("tools/call", &params)["result"].clone();
        assert!(said["isError"] == true && said.to_string().contains("cannot ask"), "{version}: {said}");
        assert!(!file.exists());
        // What only reads is not held.
        assert!(cannot.say("fs_list_allowed_directories", &json!({})).contains("/work"));
    }
}

#[test]
fn questions_count_as_calls() {
    let site = Site::new();
    let key = new_key(&site, "alice", &[]);
    let rules =
        "[auth]\nkeys = 'keys.json'\n[[approve]]\ntools = ['echo']\n[[quotas.rates]]\nat-most = 3\nevery = 'hour'\n";
    let host = Host::serve(&site.config(&format!("{rules}{}", Site::plugin("echo", ""))));
    let mut alice = with_key(&host, &key).declaring(json!({ "elicitation": {} }));
    let mut ask = |n: usize| {
        let params = json!({ "name": "echo", "arguments": { "message": n.to_string() } });
        let answer = alice.answer("tools/call", &params);
        (answer.head.status, answer.text().contains("toolcell-approval"))
    };
    let asked: Vec<(u16, bool)> = (0..6).map(&mut ask).collect();
    assert_eq!(asked[..3], [(200, true); 3]);
    assert_eq!(asked[3..], [(429, false); 3]);
}
