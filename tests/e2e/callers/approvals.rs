//! Calls that a person must approve, in both eras, and what does not pass for an approval.

use serde_json::{Value, json};
use toolcell_tests::host::Host;
use toolcell_tests::site::Site;

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
