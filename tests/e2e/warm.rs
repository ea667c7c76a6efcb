//! Instances that are kept for the next call, `instances = "warm"`: what stays and what must not.

use serde_json::{Value, json};
use toolcell_tests::host::Host;
use toolcell_tests::log::Mark;
use toolcell_tests::mcp::text_of;
use toolcell_tests::site::Site;

const WARM: &str = "instances = \"warm\"
limits = { cpu-ms = 500, wall-ms = 5000, memory-mib = 128, log-lines = 10 }";

fn serve(site: &Site) -> Host {
    Host::serve(&site.config(&Site::guest("state", WARM)))
}

#[test]
fn an_instance_is_kept_until_a_call_ends_badly() {
    let site = Site::new();
    let host = serve(&site);
    let mut client = host.modern();
    for count in ["1", "2", "3"] {
        assert_eq!(client.say("state", &json!({})), count);
    }
    for end in ["panic", "spin"] {
        let result = client.call("state", &json!({ "then": end }));
        assert_eq!(result["isError"], true, "{end}: {result}");
        assert_eq!(client.say("state", &json!({})), "1", "after {end}");
        assert_eq!(client.say("state", &json!({})), "2", "after {end}");
    }
}

#[test]
fn limits_count_for_one_call_and_memory_for_the_instance() {
    let site = Site::new();
    let host = serve(&site);
    let mut client = host.modern();
    // Together they would be far beyond the limits on CPU time and on log lines.
    for count in 1..=5 {
        let mark = host.log.mark();
        assert_eq!(client.say("state", &json!({ "work": 300, "lines": 8 })), count.to_string());
        host.log.wait_for(mark, &[&format!("call {count} line 7")]);
    }
    // One that has grown large is not kept ...
    assert_eq!(client.say("state", &json!({ "grow": 80 })), "6");
    assert_eq!(client.say("state", &json!({})), "1");
    // ... and what one call has taken is missing to the next.
    assert_eq!(client.say("state", &json!({ "grow": 50 })), "2");
    let result: Value = client.call("state", &json!({ "grow": 100 }));
    assert!(text_of(&result).contains("limits.memory-mib"), "{result}");
    assert_eq!(client.say("state", &json!({})), "1");
    assert!(host.log.since(Mark::START).contains("call 1 line 0"));
}

#[test]
fn calls_at_once_never_share_an_instance() {
    let site = Site::new();
    let host = serve(&site);
    let counts: Vec<u64> = std::thread::scope(|scope| {
        let call = |_| {
            let host = &host;
            scope.spawn(move || host.modern().say("state", &json!({ "work": 100 })).parse::<u64>().expect("a count"))
        };
        let calls: Vec<_> = (0..4).map(call).collect();
        calls.into_iter().map(|call| call.join().expect("a call")).collect()
    });
    // However they met, no instance counted two at the same time: the counts of one instance are 1, 2, 3 …
    for count in &counts {
        assert!((1..=*count).all(|lower| counts.contains(&lower)), "{counts:?}");
    }
}
