//! Tasks and what their clients are asked for: a task's id, leaked or guessed, is nothing to anybody else.

use serde_json::{Value, json};
use toolcell_tests::DEADLINE;
use toolcell_tests::host::Host;
use toolcell_tests::mcp::{HANDSHAKE, Modern, Session, text_of};
use toolcell_tests::site::Site;

use super::super::{new_key, with_key};
use super::tally::{Tally, alike, bearer};

fn able() -> Value {
    json!({ "roots": {}, "elicitation": {}, "extensions": { "io.modelcontextprotocol/tasks": {} } })
}

/// Looks at a task until it does not work any more.
fn settled(client: &mut Modern, id: &str) -> Value {
    let late = std::time::Instant::now() + DEADLINE;
    loop {
        let task = client.ask("tasks/get", &json!({ "taskId": id }))["result"].clone();
        if task["status"] != "working" {
            return task;
        }
        assert!(std::time::Instant::now() < late, "{task}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn no_tenant_sees_answers_or_ends_a_task_of_the_other() {
    let site = Site::new();
    let state = "[server]\nstate = 'state.db'\n[auth]\nkeys = 'keys.json'\n";
    let (alice_key, mallory_key) = (new_key(&site, "alice", &[]), new_key(&site, "mallory", &[]));
    let config = site.config(&format!("{state}{}", Site::guest("bad_task", "")));
    let mut host = Host::serve(&config);
    let clients =
        |host: &Host| (with_key(host, &alice_key).declaring(able()), with_key(host, &mallory_key).declaring(able()));
    let (mut alice, mut mallory) = clients(&host);
    let start = |client: &mut Modern, kind: &str| {
        let made = client.call("bad_task", &json!({ "kind": kind }));
        made["taskId"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    };
    let asking = start(&mut alice, "ask-once");
    let running = start(&mut alice, "sleep");
    let done = start(&mut alice, "fine");
    let open = settled(&mut alice, &asking);
    settled(&mut alice, &done);
    let own = start(&mut mallory, "ask-once");

    let mut tally = Tally::new("tasks", &["fine after", "inputRequests", "\"status\""]);
    let answers = json!({ "same": { "roots": [] }, "other": { "roots": [{ "uri": "file:///mallory" }] } });
    // Also after a restart: whose task it is, is written down with it.
    for restarted in [false, true] {
        if restarted {
            drop(host);
            host = Host::serve(&config);
            (alice, mallory) = clients(&host);
        }
        let mut unknown = mallory.ask("tasks/get", &json!({ "taskId": "A".repeat(own.len()) }))["error"].clone();
        for id in [&asking, &running, &done] {
            for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
                for name in std::iter::once(id.clone()).chain(alike(id)) {
                    let params = json!({ "taskId": name, "inputResponses": answers });
                    let answer = mallory.ask(method, &params);
                    tally.refused(&format!("{method} {name}"), &answer.to_string(), &["there is no such task"]);
                    // It cannot even be told from one that never was.
                    assert_eq!(answer["error"]["code"], unknown["code"].take(), "{answer}");
                    unknown["code"] = answer["error"]["code"].clone();
                    assert_eq!(answer["error"]["message"], unknown["message"], "{answer}");
                }
            }
            for method in ["tasks/result", "tasks/list", "tasks/delete"] {
                let answer = mallory.ask(method, &json!({ "taskId": id }));
                tally.refused(method, &answer.to_string(), &["-32601"]);
            }
            // Without a key, and by hand in the other era.
            let refused = host.modern().declaring(able()).answer("tasks/get", &json!({ "taskId": id }));
            tally.status("without a key", &refused, &[401]);
            let mut session = Session::with_headers(host.address, HANDSHAKE, &json!({}), bearer(&mallory_key));
            let answer = session.ask("tasks/get", &json!({ "taskId": id }));
            tally.refused("in a session", &answer.to_string(), &["-32601"]);
        }
        // Listening to them is granted for one's own only.
        let wanted = json!({ "taskIds": [asking, own, running, done] });
        let (_, granted) = with_key(&host, &mallory_key).declaring(able()).listen_to_some(&wanted);
        assert_eq!(granted, json!({ "taskIds": [own] }));
        for _ in 0..3 {
            tally.refused("listening", &granted.to_string(), &["taskIds"]);
        }
    }
    tally.at_least(200);
    // Nothing of that reached a task: each is as it was, and goes on with its owner's answers.
    let now = settled(&mut alice, &asking);
    assert_eq!((&now["status"], &now["inputRequests"]), (&json!("input_required"), &open["inputRequests"]), "{now}");
    alice.ask("tasks/update", &json!({ "taskId": asking, "inputResponses": answers }));
    let task = settled(&mut alice, &asking);
    assert_eq!(text_of(&task["result"]), "fine after 1 rounds with 2 answers", "{task}");
    assert_eq!(settled(&mut alice, &done)["status"], "completed");
    // A task that cannot be repeated ends with the host it ran in, and neither with a stranger's word.
    assert_ne!(settled(&mut alice, &running)["status"], "cancelled");
    assert_eq!(settled(&mut mallory, &own)["status"], "input_required");
}
