//! Ten thousand tools: a page of a long list must not cost more than the page of a short one.

use std::time::{Duration, Instant};

use serde_json::json;
use toolcell_tests::host::Host;
use toolcell_tests::mcp::{Modern, names_of};
use toolcell_tests::site::Site;

const CROWD: usize = 10_000;
const PAGE: usize = 20;
/// How many times the page of a short list the page of a long one may take, as medians.
const RATIO: u32 = 3;

/// Walks all pages; returns the names, and how long a page took, sorted.
fn walk(client: &mut Modern) -> (Vec<String>, Vec<Duration>) {
    let (mut names, mut times, mut params) = (Vec::new(), Vec::new(), json!({}));
    loop {
        let begun = Instant::now();
        let page = client.ask("tools/list", &params)["result"].clone();
        times.push(begun.elapsed());
        names.extend(names_of(&page));
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        params = json!({ "cursor": cursor });
    }
    times.sort();
    (names, times)
}

#[test]
fn under_load_a_page_of_ten_thousand_tools_takes_no_longer_than_one_of_a_hundred() {
    let site = Site::new();
    let serve = |name: &str, entry: &str| {
        let text = format!("[server]\npage-size = {PAGE}\n\n{entry}");
        Host::serve(&site.replace(name, text))
    };
    let crowd = serve("crowd.toml", &Site::guest("list_crowd", "limits = { tools = 10000 }"));
    let few = serve("few.toml", &Site::plugin("conformance", ""));
    let (names, long) = walk(&mut crowd.modern());
    assert_eq!(names.len(), CROWD);
    assert_eq!(long.len(), CROWD / PAGE);
    assert_eq!((names[0].as_str(), names[CROWD - 1].as_str()), ("tool_0", "tool_9999"));
    // Every tool of it can be called, the last as quickly as the first.
    let mut client = crowd.modern();
    assert_eq!(client.say("tool_0", &json!({})), "called:tool_0");
    assert_eq!(client.say("tool_9999", &json!({})), "called:tool_9999");
    // A full page of the short list, as often as the long one has pages.
    let mut client = few.modern();
    let mut short: Vec<Duration> = (0..long.len())
        .map(|_| {
            let begun = Instant::now();
            assert_eq!(names_of(&client.ask("tools/list", &json!({}))["result"]).len(), PAGE);
            begun.elapsed()
        })
        .collect();
    short.sort();
    let (long, short) = (long[long.len() / 2], short[short.len() / 2]);
    println!("a page of {PAGE}: {long:?} in a list of {CROWD}, {short:?} in a short one");
    assert!(long <= short * RATIO, "a page takes {long:?} in a list of {CROWD}, and {short:?} in a short one");
}
