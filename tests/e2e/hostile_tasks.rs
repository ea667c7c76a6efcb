//! Tools that misbehave as tasks, and clients that do: each task ends with words that say why, and the others go on.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use toolcell_tests::DEADLINE;
use toolcell_tests::host::Host;
use toolcell_tests::mcp::{Modern, declaring, modern_request, tasks, text_of};
use toolcell_tests::site::{Site, quoted};
use toolcell_tests::stdio::Pipe;

/// A client of tasks that can be asked for anything.
fn able() -> Value {
    json!({
        "roots": {}, "sampling": {}, "elicitation": { "form": {}, "url": {} },
        "extensions": { "io.modelcontextprotocol/tasks": {} },
    })
}

fn config(site: &Site, server: &str, more: &str) -> std::path::PathBuf {
    site.config(&[server.to_owned(), Site::guest("bad_task", more), Site::plugin("echo", "")].concat())
}

/// Starts a task; returns its id.
fn start(client: &mut Modern, tool: &str, arguments: &Value) -> String {
    let created = client.call(tool, arguments);
    assert_eq!(created["resultType"], "task", "{tool} {arguments}: {created}");
    created["taskId"].as_str().unwrap_or_default().to_owned()
}

fn misbehave(client: &mut Modern, kind: &str) -> String {
    start(client, "bad_task", &json!({ "kind": kind }))
}

fn get(client: &mut Modern, id: &str) -> Value {
    let answer = client.ask("tasks/get", &json!({ "taskId": id }));
    assert_eq!(answer["result"]["taskId"], id, "{answer}");
    answer["result"].clone()
}

/// Looks at a task until it does not work any more.
fn wait(client: &mut Modern, id: &str) -> Value {
    let late = Instant::now() + DEADLINE;
    loop {
        let task = get(client, id);
        if task["status"] != "working" {
            return task;
        }
        assert!(Instant::now() < late, "waiting: {task}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn update(client: &mut Modern, id: &str, responses: &Value) -> Value {
    client.ask("tasks/update", &json!({ "taskId": id, "inputResponses": responses }))
}

fn cancel(client: &mut Modern, id: &str) -> Value {
    client.ask("tasks/cancel", &json!({ "taskId": id }))
}

/// The keys of the questions that are open.
fn keys(task: &Value) -> Vec<String> {
    let asked = task["inputRequests"].as_object().unwrap_or_else(|| panic!("it asks for nothing: {task}"));
    asked.keys().cloned().collect()
}

/// An answer to each question that is open.
fn answers(task: &Value) -> Value {
    keys(task).into_iter().map(|key| (key, json!({ "roots": [] }))).collect::<Map<_, _>>().into()
}

fn is_fine(client: &mut Modern) {
    let id = misbehave(client, "fine");
    let task = wait(client, &id);
    assert_eq!(text_of(&task["result"]), "fine after 0 rounds with 0 answers", "{task}");
    assert_eq!(client.say("echo", &json!({ "message": "next" })), "next");
}

#[test]
fn a_task_that_misbehaves_ends_with_the_reason() {
    let site = Site::new();
    let limits = "limits = { cpu-ms = 300, task-wall-ms = 900, output-bytes = 100000 }";
    let host = Host::serve(&config(&site, "", limits));
    let mut client = host.modern().declaring(able());
    assert!(!client.tools().contains(&"odd_rule".to_owned()));
    host.log.wait_for(
        toolcell_tests::log::Mark::START,
        &["ERROR", "odd_rule", "none of \"forbidden\", \"optional\", \"required\""],
    );
    let cases: [(&str, &[&str]); 11] = [
        ("sleep", &["bad_task", "900 ms", "limits.task-wall-ms"]),
        ("spin", &["bad_task", "300 ms", "limits.cpu-ms"]),
        ("panic", &["bad_task", "crashed", "this guest panics on purpose"]),
        ("text", &["bad_task", "100000 bytes", "limits.output-bytes"]),
        ("error", &["words of the guest"]),
        ("ask-same", &["two questions under the key \"same\""]),
        ("ask-much", &["bad_task"]),
        ("ask-state", &["bad_task", "limits.output-bytes"]),
        ("ask-script", &["does not begin with `https://`"]),
        ("ask-schema", &["schema is not a JSON object"]),
        ("ask-sample", &["a model in what is not a JSON object"]),
    ];
    let begun = Instant::now();
    let ids = cases.map(|(kind, _)| misbehave(&mut client, kind));
    for ((kind, parts), id) in cases.iter().zip(&ids) {
        let task = wait(&mut client, id);
        // What a tool cannot do is its result, and no error of the protocol.
        assert_eq!(
            (&task["status"], &task["result"]["isError"]),
            (&json!("completed"), &json!(true)),
            "{kind}: {task}"
        );
        let text = text_of(&task["result"]);
        for part in *parts {
            assert!(text.contains(part), "{kind}: {part:?} is not in {text:?}");
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(30), "it took {:?}", begun.elapsed());
    let id = start(&mut client, "promises", &json!({}));
    let task = wait(&mut client, &id);
    assert_eq!(task["result"]["isError"], true, "{task}");
    assert!(text_of(&task["result"]).contains("does not fit its output schema"), "{task}");
    assert!(task["result"]["structuredContent"].is_null(), "{task}");
    let id = misbehave(&mut client, "ask-nothing");
    let task = wait(&mut client, &id);
    assert_eq!(task["status"], "failed", "{task}");
    assert!(task.to_string().contains("asked for nothing"), "{task}");
    is_fine(&mut client);
}

#[test]
fn many_tasks_that_never_end_leave_room_for_calls() {
    let site = Site::new();
    let host = Host::serve(&config(&site, "", "limits = { concurrency = 4 }"));
    let mut client = host.modern().declaring(able());
    let ids: Vec<String> = (0..20).map(|n| misbehave(&mut client, if n % 2 == 0 { "sleep" } else { "spin" })).collect();
    // Without the extension the same tool is called at once; half of its places are not for tasks.
    assert_eq!(host.modern().say("bad_task", &json!({})), "fine after 0 rounds with 0 answers");
    assert_eq!(client.say("echo", &json!({ "message": "next" })), "next");
    for id in &ids {
        assert!(cancel(&mut client, id)["error"].is_null());
        assert_eq!(get(&mut client, id)["status"], "cancelled");
    }
    is_fine(&mut client);
}

#[test]
fn a_task_that_asks_for_ever_is_stopped_and_no_key_means_two_things() {
    let site = Site::new();
    let host = Host::serve(&config(&site, "", ""));
    let mut client = host.modern().declaring(able());
    let id = misbehave(&mut client, "ask");
    let mut seen = std::collections::BTreeSet::new();
    let ended = loop {
        let task = wait(&mut client, &id);
        if task["status"] != "input_required" {
            break task;
        }
        let asked = keys(&task);
        assert_eq!(asked.len(), 1, "{task}");
        assert!(seen.insert(asked[0].clone()), "{} was asked before", asked[0]);
        assert!(update(&mut client, &id, &answers(&task))["error"].is_null());
    };
    assert_eq!((&ended["status"], seen.len()), (&json!("failed"), 256), "{ended}");
    assert!(ended.to_string().contains("the tool asked for too much"), "{ended}");
    is_fine(&mut client);
}

#[test]
fn whoever_cannot_be_asked_is_not_asked() {
    let site = Site::new();
    let host = Host::serve(&config(&site, "", ""));
    let mut client = host.modern().declaring(json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } }));
    let id = misbehave(&mut client, "ask");
    let task = wait(&mut client, &id);
    assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failed"), &json!(-32021)), "{task}");
    assert_eq!(task["error"]["data"]["requiredCapabilities"], json!({ "roots": {} }), "{task}");
}

#[test]
fn answers_nobody_asked_for_change_nothing() {
    let site = Site::new();
    let host = Host::serve(&config(&site, "", ""));
    let mut client = host.modern().declaring(able());
    let id = misbehave(&mut client, "ask-once");
    let task = wait(&mut client, &id);
    assert_eq!(keys(&task), ["other", "same"]);
    let roots = json!({ "roots": [] });
    for unasked in [
        json!({}),
        json!({ "never": roots }),
        json!({ "": roots, "same\u{0}": roots, "__proto__": roots }),
        json!({ "never": 1, "nor": null, "this": [[]] }),
    ] {
        let answer = update(&mut client, &id, &unasked);
        assert!(answer["error"].is_null(), "{unasked}: {answer}");
        assert_eq!(get(&mut client, &id)["lastUpdatedAt"], task["lastUpdatedAt"], "after {unasked}");
    }
    // What is no answer to an open question is refused as a whole.
    for wrong in
        [json!(null), json!(1), json!("x"), json!([]), json!({}), json!({ "action": "maybe" }), json!({ "roots": 1 })]
    {
        let answer = update(&mut client, &id, &json!({ "other": roots, "same": wrong }));
        assert_eq!(answer["error"]["code"], -32602, "{wrong}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("`inputResponses.same` is not an answer"), "{message}");
    }
    for wrong in [json!(null), json!(1), json!([]), json!("x")] {
        let answer = update(&mut client, &id, &wrong);
        assert_eq!(answer["error"]["code"], -32602, "{wrong}: {answer}");
    }
    let task = get(&mut client, &id);
    assert_eq!((&task["status"], keys(&task).len()), (&json!("input_required"), 2), "{task}");

    // One at a time, and one of them twice.
    assert!(update(&mut client, &id, &json!({ "same": roots }))["error"].is_null());
    assert!(update(&mut client, &id, &json!({ "same": { "action": "maybe" } }))["error"].is_null());
    assert_eq!(keys(&get(&mut client, &id)), ["other"]);
    assert!(update(&mut client, &id, &json!({ "other": roots }))["error"].is_null());
    let task = wait(&mut client, &id);
    assert_eq!(text_of(&task["result"]), "fine after 1 rounds with 2 answers", "{task}");
    // It is over, and stays so.
    assert!(update(&mut client, &id, &json!({ "same": roots, "other": roots }))["error"].is_null());
    assert_eq!(get(&mut client, &id), task);
}

#[test]
fn a_task_is_cancelled_once_whenever_it_is_asked_for() {
    let site = Site::new();
    let host = Host::serve(&config(&site, "", ""));
    let mut client = host.modern().declaring(able());
    for kind in ["ask-once", "sleep", "spin", "fine"] {
        let id = misbehave(&mut client, kind);
        if matches!(kind, "ask-once" | "fine") {
            wait(&mut client, &id);
        }
        assert_eq!(cancel(&mut client, &id)["result"]["resultType"], "complete", "{kind}");
        let task = get(&mut client, &id);
        assert_eq!(task["status"], if kind == "fine" { "completed" } else { "cancelled" }, "{kind}: {task}");
        assert!(task["inputRequests"].is_null(), "{kind}: {task}");
        assert_eq!(cancel(&mut client, &id)["result"]["resultType"], "complete", "{kind}");
        let roots = json!({ "roots": [] });
        assert!(update(&mut client, &id, &json!({ "same": roots, "other": roots }))["error"].is_null());
        assert_eq!(get(&mut client, &id), task, "{kind}: it changed after its end");
    }
    is_fine(&mut client);
}

#[test]
fn a_task_that_is_none_is_invalid_params_whatever_it_is_called() {
    let site = Site::new();
    let config = config(&site, "", "");
    let mut pipe = Pipe::start(["--config".as_ref(), config.as_os_str()]);
    let mut last = 0;
    let mut ask = |pipe: &mut Pipe, method: &str, params: &Value| {
        last += 1;
        pipe.send(&declaring(&tasks(), modern_request(last, method, params)));
        pipe.receive_response(last)
    };
    let long = "x".repeat(1_000_000);
    let ids = ["", " ", "\u{0}", "0", "../../etc/passwd", "/", "%2e%2e", "*", "'; DROP TABLE tasks", "\u{202e}", &long];
    for id in ids {
        for method in ["tasks/get", "tasks/cancel", "tasks/update"] {
            let answer = ask(&mut pipe, method, &json!({ "taskId": id, "inputResponses": {} }));
            assert_eq!(answer["error"]["code"], -32602, "{method}: {answer}");
            let message = answer["error"]["message"].as_str().unwrap_or_default();
            assert!(message.contains("there is no such task"), "{method}: {message}");
        }
    }
    for id in [json!(null), json!(1), json!([]), json!({})] {
        let answer = ask(&mut pipe, "tasks/get", &json!({ "taskId": id }));
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    // One that has ended is not found under a name that only looks like its own.
    let created = ask(&mut pipe, "tools/call", &json!({ "name": "bad_task", "arguments": {} }));
    let id = created["result"]["taskId"].as_str().unwrap_or_default().to_owned();
    for alike in [format!("{id} "), format!("{id}\u{0}"), id[..id.len() - 1].to_owned(), format!("{id}/../{id}")] {
        let answer = ask(&mut pipe, "tasks/get", &json!({ "taskId": alike }));
        assert_eq!(answer["error"]["code"], -32602, "{alike:?}: {answer}");
    }
    assert_eq!(ask(&mut pipe, "tasks/get", &json!({ "taskId": id }))["result"]["taskId"], id.as_str());

    // Answers of 5 MB are more than one message may hold.
    let huge = json!({ "roots": [{ "uri": format!("file:///{}", "x".repeat(5_000_000)) }] });
    let params = json!({ "taskId": id, "inputResponses": { "same": huge } });
    pipe.send(&declaring(&tasks(), modern_request(9_999, "tasks/update", &params)));
    let refused = pipe.receive();
    assert_eq!(refused["error"]["code"], -32600, "{refused}");
    assert!(refused["error"]["message"].as_str().is_some_and(|text| text.contains("longer than")), "{refused}");
    assert_eq!(ask(&mut pipe, "tasks/get", &json!({ "taskId": id }))["result"]["taskId"], id.as_str());
    assert!(pipe.close().success());
}

#[test]
fn a_client_with_too_many_tasks_is_told_which_setting_bounds_them() {
    let site = Site::new();
    let state = format!("state = {}\n", quoted(&site.path("tasks.db")));
    for kept in ["", &state] {
        let host = Host::serve(&config(&site, &format!("[server]\nmax-tasks = 1000\n{kept}\n"), ""));
        let mut client = host.modern().declaring(able());
        let first = misbehave(&mut client, "ask-once");
        // Each of them is kept after its end, and so counts.
        let ids: Vec<String> = (1..1_000).map(|_| misbehave(&mut client, "fine")).collect();
        let answer = client.ask("tools/call", &json!({ "name": "bad_task", "arguments": {} }));
        assert_eq!(answer["error"]["code"], -32603, "{answer}");
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        for part in ["no room for another task", "`[server] max-tasks` above 1000", "io.modelcontextprotocol/tasks"] {
            assert!(message.contains(part), "{part:?} is not in {message:?}");
        }
        // Those that are there go on, and calls that are no tasks are served.
        for id in [&ids[0], &ids[998]] {
            let task = wait(&mut client, id);
            assert_eq!(text_of(&task["result"]), "fine after 0 rounds with 0 answers", "{task}");
        }
        let task = wait(&mut client, &first);
        assert!(update(&mut client, &first, &answers(&task))["error"].is_null());
        let task = wait(&mut client, &first);
        assert_eq!(text_of(&task["result"]), "fine after 1 rounds with 2 answers", "{task}");
        assert_eq!(host.modern().say("bad_task", &json!({})), "fine after 0 rounds with 0 answers");
        assert_eq!(client.say("echo", &json!({ "message": "next" })), "next");
    }
}

#[test]
fn results_that_fill_the_store_end_their_own_task() {
    let site = Site::new();
    // Each result is as large as may be; together they are more than one client's records may be.
    let more = format!("limits = {{ output-bytes = {}, memory-mib = 128 }}", 16 << 20);
    let host = Host::serve(&config(&site, "", &more));
    let mut client = host.modern().declaring(able());
    let early = misbehave(&mut client, "fine");
    wait(&mut client, &early);
    let mut full = None;
    for _ in 0..24 {
        let id = start(&mut client, "bad_task", &json!({ "kind": "text", "bytes": 12 << 20 }));
        let task = wait(&mut client, &id);
        if task["status"] == "failed" {
            full = Some(task);
            break;
        }
    }
    let full = full.expect("256 MiB are not enough for all of them");
    assert!(full.to_string().contains("its result could not be kept"), "{full}");
    assert_eq!(get(&mut client, &early)["status"], "completed");
    assert_eq!(client.say("echo", &json!({ "message": "next" })), "next");
}
