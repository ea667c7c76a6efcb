//! A call that nobody waits for any more: its guest is gone at once, and nothing more is said of it.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toolcell_tests::DEADLINE;
use toolcell_tests::host::Host;
use toolcell_tests::mcp::{HANDSHAKE, Modern, modern_request, request};
use toolcell_tests::site::Site;
use toolcell_tests::stdio::Pipe;

/// How soon the guest's place must be free for another call, as a median.
const GONE_WITHIN: Duration = Duration::from_millis(50);
const TIMES: usize = 11;
/// How a guest can be stuck: in its own code, in one long host call, in many short ones.
const STUCK: [&str; 3] = ["spin", "wait", "poll"];

/// A host whose only plugin has room for one call: the next one is answered when the first is gone.
fn config(site: &Site) -> std::path::PathBuf {
    site.folder("gate");
    let dirs = "dirs = [{ host = 'gate', guest = '/gate', access = 'read-write' }]";
    let text =
        Site::guest("gate", &format!("{dirs}\nlimits = {{ concurrency = 1, wall-ms = 600000, cpu-ms = 600000 }}"));
    site.config(&text)
}

fn call(how: &str) -> Value {
    json!({ "name": "gate", "arguments": { "how": how }, "_meta": { "progressToken": "begun" } })
}

/// How long it takes from `cancel` until the plugin answers another call; `begin` returns when the guest runs.
fn assert_gone<T>(what: &str, mut client: Modern, mut begin: impl FnMut() -> T, mut cancel: impl FnMut(T)) {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let running = begin();
        let cancelled = Instant::now();
        cancel(running);
        assert_eq!(client.say("through", &json!({})), "through");
        times.push(cancelled.elapsed());
    }
    times.sort();
    println!("{what}: gone within {:?} (median), {:?} (worst)", times[TIMES / 2], times[TIMES - 1]);
    assert!(times[TIMES / 2] <= GONE_WITHIN, "{what}: the place was free after {times:?}");
}

#[test]
fn under_load_a_call_is_gone_when_its_client_hangs_up() {
    let site = Site::new();
    let host = Host::serve(&config(&site));
    for how in STUCK {
        let begin = || {
            let mut client = host.modern();
            client.send("tools/call", &call(how));
            let mut events = client.into_http().events();
            let first = events.next_message().unwrap_or_default();
            assert_eq!(first["method"], "notifications/progress", "{first}");
            events
        };
        assert_gone(&format!("hung up, {how}"), host.modern(), begin, |events| events.hang_up());
    }
}

#[test]
fn under_load_a_call_is_gone_when_its_session_cancels_it_and_is_not_answered() {
    let site = Site::new();
    let host = Host::serve(&config(&site));
    for how in STUCK {
        let mut session = host.session(HANDSHAKE);
        let mut streams = Vec::new();
        let begin = || {
            let id = 100 + streams.len();
            let mut events = session.start(&request(id as u64, "tools/call", &call(how)));
            let first = events.next_message().unwrap_or_default();
            assert_eq!(first["method"], "notifications/progress", "{first}");
            streams.push(events);
            id
        };
        let mut canceller = host.connect();
        let headers = session.headers();
        let cancel = |id: usize| {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let note = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } });
            let answer = canceller.request("POST", "/mcp", &headers, note.to_string().as_bytes());
            assert_eq!(answer.head.status, 202, "{}", answer.text());
        };
        assert_gone(&format!("session cancelled, {how}"), host.modern(), begin, cancel);
        for events in &mut streams {
            assert_eq!(events.next_message(), None, "nothing is said of a cancelled call");
        }
        assert_eq!(session.say("through", &json!({})), "through");
    }
}

#[test]
fn under_load_a_call_is_gone_when_it_is_cancelled_over_stdio_and_is_not_answered() {
    for modern in [true, false] {
        let site = Site::new();
        let config = config(&site);
        let mut pipe = Pipe::start(["--config".as_ref(), config.as_os_str()]);
        if !modern {
            pipe.shake_hands(HANDSHAKE);
        }
        let message = |id: u64, params: &Value| match modern {
            true => modern_request(id, "tools/call", params),
            false => request(id, "tools/call", params),
        };
        for how in STUCK {
            let mut times = Vec::new();
            for turn in 0..TIMES as u64 {
                let (gone, next) = (1000 + turn * 2, 1001 + turn * 2);
                pipe.send(&message(gone, &call(how)));
                assert_eq!(pipe.receive()["method"], "notifications/progress");
                let cancelled = Instant::now();
                pipe.send(&json!({
                    "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": gone },
                }));
                pipe.send(&message(next, &json!({ "name": "through", "arguments": {} })));
                // The very next message is the next call's.
                let answer = pipe.receive();
                times.push(cancelled.elapsed());
                assert_eq!((&answer["id"], &answer["error"]), (&json!(next), &Value::Null), "{answer}");
            }
            times.sort();
            println!("stdio, modern {modern}, {how}: {:?} (median), {:?} (worst)", times[TIMES / 2], times[TIMES - 1]);
            assert!(times[TIMES / 2] <= GONE_WITHIN, "modern {modern}, {how}: the place was free after {times:?}");
        }
    }
}

#[test]
fn under_load_a_task_is_gone_when_it_is_cancelled() {
    let site = Site::new();
    let host = Host::serve(&config(&site));
    for how in STUCK {
        let mut client = host.tasks();
        let begin = || {
            // Left over from the task before.
            let _ = fs::remove_file(site.path("gate/gate"));
            let created = client.call("gate", &json!({ "how": how }));
            assert_eq!(created["resultType"], "task", "{created}");
            let late = Instant::now() + DEADLINE;
            while !site.path("gate/gate").exists() {
                assert!(Instant::now() < late, "the task never began");
                thread::sleep(Duration::from_millis(1));
            }
            created["taskId"].clone()
        };
        let mut canceller = host.tasks();
        let cancel = |id: Value| {
            let answer = canceller.ask("tasks/cancel", &json!({ "taskId": id }));
            assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
        };
        assert_gone(&format!("task cancelled, {how}"), host.modern(), begin, cancel);
    }
}
