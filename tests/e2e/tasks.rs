//! The extension `io.modelcontextprotocol/tasks`: calls that outlive their request, and the host that runs them.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toolcell_tests::DEADLINE;
use toolcell_tests::artifacts::plugin;
use toolcell_tests::host::Host;
use toolcell_tests::mcp::{HANDSHAKE, Modern, text_of};
use toolcell_tests::site::Site;

fn serve() -> Host {
    Host::serve_paths(&[&plugin("conformance")])
}

/// Starts a task; returns its id.
fn start(client: &mut Modern, tool: &str, arguments: &Value) -> String {
    let created = client.call(tool, arguments);
    assert_eq!(created["resultType"], "task", "{tool}: {created}");
    assert!(created["ttlMs"].is_u64() || created["ttlMs"].is_null(), "{created}");
    let id = created["taskId"].as_str().unwrap_or_default().to_owned();
    // At least 128 bits in letters and digits.
    assert!(id.len() >= 22, "{id:?} can be guessed");
    // It is there from the moment its id is told.
    get(client, &id);
    id
}

fn get(client: &mut Modern, id: &str) -> Value {
    let answer = client.ask("tasks/get", &json!({ "taskId": id }));
    assert_eq!(answer["result"]["taskId"], id, "{answer}");
    answer["result"].clone()
}

/// Looks at a task until it is in this state.
fn wait(client: &mut Modern, id: &str, status: &str) -> Value {
    let late = Instant::now() + DEADLINE;
    loop {
        let task = get(client, id);
        if task["status"] == status {
            return task;
        }
        let over = ["completed", "failed", "cancelled"].iter().any(|end| task["status"] == *end);
        assert!(!over && Instant::now() < late, "waiting for {status}: {task}");
        thread::sleep(Duration::from_millis(task["pollIntervalMs"].as_u64().unwrap_or(10).min(50)));
    }
}

fn update(client: &mut Modern, id: &str, responses: &Value) -> Value {
    client.ask("tasks/update", &json!({ "taskId": id, "inputResponses": responses }))
}

/// The key of the only question.
fn key(task: &Value) -> String {
    let asked = task["inputRequests"].as_object().expect("it asks");
    assert_eq!(asked.len(), 1, "{task}");
    asked.keys().next().cloned().unwrap_or_default()
}

#[test]
fn a_task_asks_waits_and_ends() {
    let host = serve();
    let mut client = host.tasks();
    let id = start(&mut client, "book_table", &json!({ "guests": 4 }));
    let asked = wait(&mut client, &id, "input_required");
    let key = key(&asked);
    assert_eq!(asked["inputRequests"][&key]["method"], "elicitation/create", "{asked}");
    // Looking again changes nothing, and answers to what was not asked are ignored.
    assert_eq!(get(&mut client, &id)["inputRequests"], asked["inputRequests"]);
    let answer = update(&mut client, &id, &json!({ "no-such-key": { "action": "cancel" } }));
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    assert_eq!(get(&mut client, &id)["inputRequests"], asked["inputRequests"]);
    let accepted = json!({ key: { "action": "accept", "content": { "time": "19:00" } } });
    let answer = update(&mut client, &id, &accepted);
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    let done = wait(&mut client, &id, "completed");
    assert_eq!(text_of(&done["result"]), "Booked a table for 4 at 19:00");
    // The end is the end.
    update(&mut client, &id, &accepted);
    client.ask("tasks/cancel", &json!({ "taskId": id }));
    assert_eq!(get(&mut client, &id)["status"], "completed");
}

#[test]
fn a_declined_question_and_a_failing_tool_complete_with_what_the_tool_says() {
    let host = serve();
    let mut client = host.tasks();
    let id = start(&mut client, "book_table", &json!({ "guests": 2 }));
    let key = key(&wait(&mut client, &id, "input_required"));
    update(&mut client, &id, &json!({ key: { "action": "decline" } }));
    assert_eq!(text_of(&wait(&mut client, &id, "completed")["result"]), "No table was booked");
    let id = start(&mut client, "failing_job", &json!({}));
    assert_eq!(wait(&mut client, &id, "completed")["result"]["isError"], true);
}

#[test]
fn without_the_extension_there_are_no_tasks() {
    let host = serve();
    let mut client = host.modern().declaring(json!({ "elicitation": {} }));
    let asked = client.call("book_table", &json!({ "guests": 4 }));
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let id = start(&mut host.tasks(), "book_table", &json!({ "guests": 4 }));
    for (method, params) in [
        ("tasks/get", json!({ "taskId": id })),
        ("tasks/update", json!({ "taskId": id, "inputResponses": {} })),
        ("tasks/cancel", json!({ "taskId": id })),
    ] {
        let answer = client.ask(method, &params);
        assert_eq!(answer["error"]["code"], -32021, "{method}: {answer}");
        let needed = &answer["error"]["data"]["requiredCapabilities"]["extensions"];
        assert!(needed["io.modelcontextprotocol/tasks"].is_object(), "{method}: {answer}");
        let answer = host.session(HANDSHAKE).ask(method, &params);
        assert_eq!(answer["error"]["code"], -32601, "{method}: {answer}");
    }
}

#[test]
fn an_unknown_task_is_invalid_params() {
    let host = serve();
    let mut client = host.tasks();
    for id in ["", "no-such-task", "../../etc/passwd"] {
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            let answer = client.ask(method, &json!({ "taskId": id, "inputResponses": {} }));
            assert_eq!(answer["error"]["code"], -32602, "{method} {id:?}: {answer}");
        }
    }
}

#[test]
fn a_listener_is_told_of_its_tasks() {
    let host = serve();
    let mut client = host.tasks();
    let id = start(&mut client, "book_table", &json!({ "guests": 4 }));
    let other = start(&mut client, "book_table", &json!({ "guests": 5 }));
    let asked = wait(&mut client, &id, "input_required");
    wait(&mut client, &other, "input_required");
    let mut events = host.tasks().listen_to(&json!({ "taskIds": [id] }));
    let answer = |key: &str| json!({ key: { "action": "accept", "content": { "time": "19:00" } } });
    let other_key = key(&get(&mut client, &other));
    update(&mut client, &other, &answer(&other_key));
    wait(&mut client, &other, "completed");
    update(&mut client, &id, &answer(&key(&asked)));
    loop {
        let told = events.next_message().expect("the stream stays open");
        assert_eq!((&told["method"], &told["params"]["taskId"]), (&json!("notifications/tasks"), &json!(id)), "{told}");
        assert!(told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"].is_u64(), "{told}");
        if told["params"]["status"] == "completed" {
            assert_eq!(text_of(&told["params"]["result"]), "Booked a table for 4 at 19:00");
            break;
        }
    }
}

#[test]
fn the_operator_decides_what_becomes_a_task() {
    for (setting, greets, computes) in [
        ("", "complete", "task"),
        ("tasks = 'plugin'", "complete", "task"),
        ("tasks = 'always'", "task", "task"),
        ("tasks = 'never'", "complete", "complete"),
        ("tasks = { after-ms = 60000 }", "complete", "complete"),
        // What is done at once may or may not be done before a clock of one millisecond has run.
        ("tasks = { after-ms = 1 }", "complete or task", "task"),
    ] {
        let site = Site::new();
        let host = Host::serve(&site.config(&Site::plugin("conformance", setting)));
        let mut client = host.tasks();
        for (tool, arguments, wanted) in [
            ("test_simple_text", json!({}), greets),
            ("slow_compute", json!({ "seconds": 0.3, "label": "it" }), computes),
        ] {
            let result = client.call(tool, &arguments);
            assert!(wanted.split(" or ").any(|one| result["resultType"] == one), "{setting} {tool}: {result}");
            if let Some(id) = result["taskId"].as_str() {
                wait(&mut client, id, "completed");
            }
        }
    }
}

/// How often a guest was begun, by what it wrote down.
fn begun(site: &Site, tool: &str) -> usize {
    fs::read_to_string(site.path("gate").join(tool)).unwrap_or_default().lines().count()
}

fn wait_until_begun(site: &Site, tool: &str, times: usize) {
    let late = Instant::now() + DEADLINE;
    while begun(site, tool) < times {
        assert!(Instant::now() < late, "{tool} was not begun {times} times");
        thread::sleep(Duration::from_millis(5));
    }
}

fn gate(more: &str) -> String {
    Site::guest("gate", &format!("dirs = [{{ host = 'gate', guest = '/gate', access = 'read-write' }}]\n{more}"))
}

#[test]
fn tasks_outlive_a_host_that_is_killed() {
    let site = Site::new();
    site.folder("gate");
    let text = format!("[server]\nstate = 'tasks'\n\n{}{}", Site::plugin("conformance", ""), gate(""));
    let config = site.config(&text);
    let host = Host::serve(&config);
    let mut client = host.tasks();
    let finished = start(&mut client, "slow_compute", &json!({ "seconds": 0, "label": "it" }));
    let result = wait(&mut client, &finished, "completed");
    let asking = start(&mut client, "book_table", &json!({ "guests": 4 }));
    let asked = wait(&mut client, &asking, "input_required");
    let resumed = start(&mut client, "gate", &json!({}));
    let lost = start(&mut client, "gate_once", &json!({}));
    wait_until_begun(&site, "gate", 1);
    wait_until_begun(&site, "gate_once", 1);
    // It is not asked to end: this is `kill -9`.
    drop(host);

    let host = Host::serve(&config);
    let mut client = host.tasks();
    assert_eq!(get(&mut client, &finished)["result"], result["result"]);
    assert_eq!(get(&mut client, &finished)["lastUpdatedAt"], result["lastUpdatedAt"]);
    // One that waits for a person has nothing to repeat: it still waits, and goes on with the answer.
    let task = wait(&mut client, &asking, "input_required");
    assert_eq!(task["inputRequests"], asked["inputRequests"]);
    update(&mut client, &asking, &json!({ key(&task): { "action": "accept", "content": { "time": "20:00" } } }));
    assert_eq!(text_of(&wait(&mut client, &asking, "completed")["result"]), "Booked a table for 4 at 20:00");
    // One that can be repeated is begun again; one that cannot is not, and says why.
    wait_until_begun(&site, "gate", 2);
    assert_eq!(get(&mut client, &resumed)["status"], "working");
    site.write("gate/open", "");
    assert_eq!(text_of(&wait(&mut client, &resumed, "completed")["result"]), "gate was begun 2 times");
    let failed = wait(&mut client, &lost, "failed");
    let why = failed["error"]["message"].as_str().unwrap_or_default();
    assert!(why.contains("restart") || why.contains("stopped") || why.contains("ended"), "{failed}");
    assert_eq!(begun(&site, "gate_once"), 1);
}

#[test]
fn the_state_file_can_be_named_on_the_command_line_and_holds_what_was_acknowledged() {
    let site = Site::new();
    let (conformance, state) = (plugin("conformance"), site.path("state.redb"));
    let serve = || {
        let arguments: [&OsStr; 3] = [conformance.as_os_str(), "--state".as_ref(), state.as_os_str()];
        Host::start(arguments)
    };
    let (mut waiting, mut acknowledged): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let host = serve();
        let mut client = host.tasks();
        for id in &waiting {
            assert_eq!(get(&mut client, id)["status"], "input_required");
        }
        for id in &acknowledged {
            get(&mut client, id);
        }
        for _ in 0..20 {
            waiting.push(start(&mut client, "book_table", &json!({ "guests": 4 })));
        }
        for id in &waiting {
            wait(&mut client, id, "input_required");
        }
        // This one is acknowledged, and the host is killed at once.
        let created = client.call("book_table", &json!({ "guests": 4 }));
        acknowledged.extend(created["taskId"].as_str().map(str::to_owned));
    }
    assert_eq!(acknowledged.len(), 3);
    assert!(Path::new(&state).exists());
}

#[test]
fn without_a_state_file_tasks_end_with_the_host() {
    let host = serve();
    let id = start(&mut host.tasks(), "slow_compute", &json!({ "seconds": 0 }));
    drop(host);
    let host = serve();
    let answer = host.tasks().ask("tasks/get", &json!({ "taskId": id }));
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
}

#[test]
fn a_task_ends_when_it_is_cancelled_and_stays_so() {
    let site = Site::new();
    site.folder("gate");
    let host = Host::serve(&site.config(&gate("")));
    let mut client = host.tasks();
    for how in ["poll", "wait", "spin"] {
        let id = start(&mut client, "gate", &json!({ "how": how }));
        let answer = client.ask("tasks/cancel", &json!({ "taskId": id }));
        assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
        let task = wait(&mut client, &id, "cancelled");
        assert!(task["result"].is_null() && task["error"].is_null(), "{task}");
        // Again is no error, and changes nothing.
        client.ask("tasks/cancel", &json!({ "taskId": id }));
        assert_eq!(get(&mut client, &id)["status"], "cancelled");
    }
}
