//! Plugins that say without end that something has changed. Who listens hears a bounded number of it and nothing of what
//! is not the plugin's; everybody else notices nothing.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toolcell_tests::host::Host;
use toolcell_tests::http::Events;
use toolcell_tests::log::Mark;
use toolcell_tests::mcp::HANDSHAKE;
use toolcell_tests::site::Site;

const UPDATED: &str = "notifications/resources/updated";
/// How often lists are read again at most.
const PAUSE: Duration = Duration::from_millis(250);

fn config(site: &Site, more: &str) -> PathBuf {
    site.folder("data");
    let dirs = "dirs = [{ host = 'data', guest = '/data' }]";
    let first = "env = { NAME = 'first', RESOURCES = 'note://a', TEMPLATES = 'note://t/{x}' }";
    site.config(
        &[
            Site::guest("offers", first),
            Site::guest("changes_flood", &format!("{dirs}\n{more}")),
            Site::plugin("echo", ""),
        ]
        .concat(),
    )
}

fn announce(host: &Host, what: &str, times: u64, uris: &[&str]) -> String {
    host.modern().say("changes_flood", &json!({ "what": what, "times": times, "uris": uris }))
}

/// How often a plugin was asked for a list since then.
fn listed(host: &Host, since: Mark) -> usize {
    host.log.since(since).lines().filter(|line| line.contains("asked for a list")).count()
}

/// The URIs a stream tells of, up to and including this one.
fn told_until(events: &mut Events, last: &str) -> Vec<String> {
    let mut told = Vec::new();
    while told.last().is_none_or(|uri| uri != last) {
        let message = events.next_message().expect("the stream goes on");
        assert_eq!(message["method"], UPDATED, "{message}");
        told.push(message["params"]["uri"].as_str().unwrap_or_default().to_owned());
    }
    told
}

#[test]
fn a_flood_of_announcements_is_cut_and_the_host_goes_on_answering() {
    let site = Site::new();
    site.write("data/uris", "flood://1 flood://end");
    let host = Host::serve(&config(&site, "limits = { log-lines = 50 }"));
    let mut session = host.session(HANDSHAKE);
    for uri in ["flood://1", "flood://end"] {
        assert_eq!(session.ask("resources/subscribe", &json!({ "uri": uri }))["result"], json!({}));
    }
    let mut streams =
        [host.modern().listen_to(&json!({ "resourceSubscriptions": ["flood://1", "flood://end"] })), session.listen()];
    let mark = host.log.mark();
    thread::scope(|scope| {
        let flood = scope.spawn(|| announce(&host, "updated", 1_000_000, &["flood://1"]));
        let (mut other, mut answers) = (host.modern(), 0);
        while !flood.is_finished() || answers == 0 {
            assert_eq!(other.say("echo", &json!({ "message": "next" })), "next");
            answers += 1;
        }
        assert_eq!(flood.join().expect("it comes back"), "announced 1000000 times");
    });
    host.log.wait_for(mark, &["log limit reached", "changes_flood", "limits.log-lines"]);
    announce(&host, "updated", 1, &["flood://end"]);
    for events in &mut streams {
        let told = told_until(events, "flood://end");
        assert!((2..=51).contains(&told.len()), "{} messages", told.len());
    }
    // What is too long for a URI is not even announced.
    assert_eq!(announce(&host, "long", 1_000, &[]), "announced 1000 times");
}

#[test]
fn nobody_is_told_of_what_is_not_the_plugins_own() {
    let site = Site::new();
    let host = Host::serve(&config(&site, ""));
    let mut session = host.session(HANDSHAKE);
    for uri in ["note://a", "note://t/1", "flood://1"] {
        assert_eq!(session.ask("resources/subscribe", &json!({ "uri": uri }))["result"], json!({}));
    }
    let refused = session.ask("resources/subscribe", &json!({ "uri": "nobody://x" }));
    assert_eq!(refused["error"]["code"], -32002, "{refused}");
    let wanted = ["flood://1", "nobody://x", "note://a", "note://t/1"];
    let (events, granted) = host.modern().listen_to_some(&json!({ "resourceSubscriptions": wanted }));
    assert_eq!(granted, json!({ "resourceSubscriptions": ["flood://1", "note://a", "note://t/1"] }));
    let mut streams = [events, session.listen()];
    announce(&host, "updated", 10, &["note://a", "note://t/1", "nobody://x", "", "no uri", "flood://1"]);
    announce(&host, "updated", 1, &["note://a"]);
    for events in &mut streams {
        for _ in 0..10 {
            assert_eq!(told_until(events, "flood://1"), ["flood://1"]);
        }
    }
}

#[test]
fn announcements_while_it_is_listed_are_not_heard() {
    let site = Site::new();
    let host = Host::serve(&config(&site, ""));
    host.log.wait_for(Mark::START, &["in service"]);
    assert_eq!(listed(&host, Mark::START), 4, "one for each list");
    let mut changes = host.modern().listen_to(&json!({
        "toolsListChanged": true, "resourcesListChanged": true, "promptsListChanged": true,
    }));
    // Each announcement leads to one more listing. A listing that led to another would show by the third.
    for (round, what) in ["tools", "resources", "prompts"].into_iter().enumerate() {
        let mark = host.log.mark();
        announce(&host, what, 1, &[]);
        host.log.wait_for(mark, &["in service", "a plugin says its lists have changed"]);
        assert_eq!(listed(&host, Mark::START), 4 * (round + 2), "after {what}");
        let message = changes.next_message().unwrap_or_default();
        assert_eq!(message["method"], format!("notifications/{what}/list_changed"), "{message}");
    }
}

#[test]
fn under_load_lists_are_read_again_only_so_often() {
    let site = Site::new();
    let host = Host::serve(&config(&site, ""));
    let mut client = host.modern();
    let (mark, begun) = (host.log.mark(), Instant::now());
    let mut calls = 0;
    while begun.elapsed() < 8 * PAUSE {
        client.say("changes_flood", &json!({ "what": "tools", "times": 100 }));
        calls += 1;
    }
    // The first listing is at once; each other one comes after a pause.
    let most = begun.elapsed().as_millis() / PAUSE.as_millis() + 2;
    let times = host.log.since(mark).lines().filter(|line| line.contains("in service")).count();
    assert!(times as u128 <= most && times >= 2, "{times} listings for {calls} calls in {:?}", begun.elapsed());
    assert!(calls > 2 * times, "only {calls} calls for {times} listings");
    assert_eq!(client.say("echo", &json!({ "message": "next" })), "next");
}

#[test]
fn a_list_that_cannot_be_read_again_stays_as_it_was() {
    let site = Site::new();
    site.write("data/uris", "flood://1");
    let host = Host::serve(&config(&site, ""));
    let mut client = host.modern();
    let uris = |client: &mut toolcell_tests::mcp::Modern| -> Vec<Value> {
        client.list("resources/list", "resources").iter().map(|item| item["uri"].clone()).collect()
    };
    assert_eq!(uris(&mut client), ["note://a", "flood://1"]);
    site.write("data/uris", "flood://2 flood://3");
    let fail = site.write("data/fail", "");
    let mark = host.log.mark();
    announce(&host, "resources", 1, &[]);
    host.log.wait_for(
        mark,
        &[
            "ERROR",
            "changes_flood",
            "list-resources failed",
            "this guest fails on purpose",
            "the version loaded before stays in service",
        ],
    );
    assert_eq!(uris(&mut client), ["note://a", "flood://1"]);
    let read = client.ask("resources/read", &json!({ "uri": "flood://1" }));
    assert_eq!(read["result"]["contents"][0]["text"], "flood", "{read}");
    // Said once, however often it happens.
    let mark = host.log.mark();
    announce(&host, "resources", 1, &[]);
    let said = host.log.wait_for(mark, &["in service"]);
    assert!(said.contains("problems=1"), "{said}");
    assert!(!host.log.since(mark).contains("ERROR"), "{}", host.log.since(mark));

    fs::remove_file(fail).expect("it can be removed");
    let mut changes = host.modern().listen_to(&json!({ "resourcesListChanged": true }));
    announce(&host, "resources", 1, &[]);
    let message = changes.next_message().unwrap_or_default();
    assert_eq!(message["method"], "notifications/resources/list_changed", "{message}");
    assert_eq!(uris(&mut client), ["note://a", "flood://2", "flood://3"]);
    assert_eq!(client.say("echo", &json!({ "message": "next" })), "next");
}
