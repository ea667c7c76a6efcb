//! A plugin that says its results may be kept and answers differently each time: a result is given again for the same
//! call only, and what is kept stays within its bound.

use std::thread;

use serde_json::{Value, json};
use toolcell_tests::host::Host;
use toolcell_tests::mcp::{HANDSHAKE, Modern, text_of};
use toolcell_tests::site::Site;

fn serve(site: &Site, cache: &str) -> Host {
    Host::serve(&site.config(&(Site::guest("kept_results", cache) + &Site::plugin("echo", ""))))
}

const KEPT: &str = "cache = { results-ms = 600000 }";

fn say(client: &mut Modern, tool: &str, arguments: &Value) -> String {
    let said = client.say(tool, arguments);
    assert!(said.starts_with(&format!("{tool} {{")), "{said}");
    said
}

#[test]
fn a_result_is_given_again_for_the_same_call_and_for_no_other() {
    let site = Site::new();
    let host = serve(&site, KEPT);
    let mut client = host.modern();
    let first = say(&mut client, "kept", &json!({ "a": 1, "b": [2] }));
    assert_eq!(say(&mut client, "kept", &json!({ "a": 1, "b": [2] })), first);
    // Where nobody is authenticated all clients are one caller.
    assert_eq!(host.session(HANDSHAKE).say("kept", &json!({ "a": 1, "b": [2] })), first);
    for other in [
        json!({}),
        json!({ "a": 1 }),
        json!({ "a": "1", "b": [2] }),
        json!({ "a": 1, "b": ["2"] }),
        json!({ "a": 1, "b": [[2]] }),
        json!({ "a": 1, "b": 2 }),
        json!({ "a": 1.5, "b": [2] }),
        json!({ "a": 1, "b": [2], "c": null }),
        json!({ "a": { "b": [2] } }),
        json!({ "a": "1,\"b\":[2]" }),
        json!({ "a": [1, 2], "b": [] }),
        json!({ "a": [1], "b": [2] }),
    ] {
        let said = say(&mut client, "kept", &other);
        assert!(said.contains(&format!(" {other} ")), "{other} was answered with {said}");
        assert_eq!(say(&mut client, "kept", &other), said);
    }
    // Half a promise is none.
    for tool in ["read_only", "idempotent", "unmarked"] {
        let first = say(&mut client, tool, &json!({ "a": 1 }));
        assert_ne!(say(&mut client, tool, &json!({ "a": 1 })), first, "{tool} was not asked again");
    }
    let by_default = Site::new();
    let host = serve(&by_default, "");
    let mut client = host.modern();
    let first = say(&mut client, "kept", &json!({}));
    assert_ne!(say(&mut client, "kept", &json!({})), first, "nobody wanted it kept");
}

#[test]
fn failures_and_questions_are_never_kept() {
    let site = Site::new();
    let host = serve(&site, KEPT);
    let mut client = host.modern().declaring(json!({ "roots": {} }));
    for kind in ["error", "is-error"] {
        let results = [(); 2].map(|()| client.call("kept", &json!({ "kind": kind })));
        assert!(results.iter().all(|result| result["isError"] == true), "{kind}: {results:?}");
        assert_ne!(text_of(&results[0]), text_of(&results[1]), "{kind}");
    }
    let params = json!({ "name": "kept", "arguments": { "kind": "ask" } });
    let mut said = Vec::new();
    for _ in 0..2 {
        let asked = client.ask("tools/call", &params)["result"].take();
        assert_eq!(asked["resultType"], "input_required", "{asked}");
        let mut again = params.clone();
        again["requestState"] = asked["requestState"].clone();
        again["inputResponses"] = json!({ "key": { "roots": [] } });
        // What came of answers is for whoever gave them.
        for _ in 0..2 {
            said.push(text_of(&client.ask("tools/call", &again)["result"]));
        }
    }
    said.sort();
    said.dedup();
    assert_eq!(said.len(), 4, "{said:#?}");
}

#[test]
fn calls_at_the_same_time_are_not_mixed_up() {
    let site = Site::new();
    let host = serve(&site, KEPT);
    let round = |n: u64| {
        let mut client = host.modern();
        (0..50).map(move |k| say(&mut client, "kept", &json!({ "n": (n + k) % 10 }))).collect::<Vec<_>>()
    };
    let all = thread::scope(|scope| {
        let callers: Vec<_> = (0..8).map(|n| scope.spawn(move || round(n))).collect();
        callers.into_iter().flat_map(|caller| caller.join().expect("it is answered")).collect::<Vec<_>>()
    });
    let mut different = all.clone();
    different.sort();
    different.dedup();
    assert_eq!((all.len(), different.len()), (400, 10), "{different:#?}");
}

/// What a process holds in memory, in MiB.
#[cfg(target_os = "linux")]
fn resident(host: &Host) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", host.id())).expect("its status can be read");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number of KiB") / 1024
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_kept_stays_within_its_bound() {
    const CALLS: u64 = 10_000;
    const BYTES: u64 = 64 << 10;
    let site = Site::new();
    let host = serve(&site, KEPT);
    let mut client = host.modern();
    let call = |client: &mut Modern, n: u64| {
        let said = client.say("kept", &json!({ "kind": "large", "bytes": BYTES, "n": n }));
        assert!(said.len() as u64 > BYTES, "{} bytes", said.len());
        said
    };
    // What the host takes for itself is taken by now.
    for n in 0..100 {
        call(&mut client, CALLS + n);
    }
    let before = resident(&host);
    for n in 0..CALLS {
        call(&mut client, n);
    }
    let (after, all) = (resident(&host), (CALLS * BYTES) >> 20);
    assert!(after < before + all / 4, "it grew from {before} to {after} MiB over {all} MiB of results");
    let last = call(&mut client, CALLS);
    assert_eq!(call(&mut client, CALLS), last, "it still keeps what is new");
    assert_eq!(client.say("echo", &json!({ "message": "next" })), "next");
}
