//! What a call leaves with its client between two rounds: sealed for this caller, this call and this process.

use serde_json::{Value, json};
use toolcell_tests::host::Host;
use toolcell_tests::mcp::Modern;
use toolcell_tests::site::Site;

use super::super::{new_key, with_key};
use super::tally::Tally;

const OTHERS: &str = "belongs to another call";
const BROKEN: &str = "was not given by this server, or was changed";

fn again(mut params: Value, state: &str) -> Value {
    params["requestState"] = state.into();
    params["inputResponses"] = json!({ "key": { "roots": [] } });
    params
}

#[test]
fn no_tenant_goes_on_with_a_round_of_the_other() {
    let site = Site::new();
    let (alice_key, mallory_key) = (new_key(&site, "alice", &[]), new_key(&site, "mallory", &[]));
    let plugins =
        Site::guest("bad_input_required", "") + &Site::guest("bad_answers", "") + &Site::guest("kept_results", "");
    let config = site.config(&format!("[auth]\nkeys = 'keys.json'\n{plugins}"));
    let mut host = Host::serve(&config);
    let client = |host: &Host, key: &str| with_key(host, key).declaring(json!({ "roots": {}, "elicitation": {} }));
    let (mut alice, mut mallory) = (client(&host, &alice_key), client(&host, &mallory_key));

    let tool = json!({ "name": "bad_input_required", "arguments": { "kind": "again" } });
    let calls = [
        ("tools/call", tool.clone()),
        ("tools/call", json!({ "name": "kept", "arguments": { "kind": "ask" } })),
        ("resources/read", json!({ "uri": "bad://ask" })),
        ("prompts/get", json!({ "name": "bad", "arguments": { "kind": "ask" } })),
    ];
    let begin = |client: &mut Modern, method: &str, params: &Value| -> String {
        let asked = client.ask(method, params);
        asked["result"]["requestState"].as_str().unwrap_or_else(|| panic!("{method} asks: {asked}")).to_owned()
    };
    let states: Vec<String> = calls.iter().map(|(method, params)| begin(&mut alice, method, params)).collect();
    let mut tally = Tally::new("sealed state", &["resultType"]);

    // The same call by another; any other call by the same or another.
    for (from, state) in states.iter().enumerate() {
        for (to, (method, params)) in calls.iter().enumerate() {
            let what = format!("{from} as {to}");
            tally.refused(&what, &mallory.ask(method, &again(params.clone(), state)).to_string(), &[OTHERS]);
            if from != to {
                tally.refused(&what, &alice.ask(method, &again(params.clone(), state)).to_string(), &[OTHERS]);
            }
        }
    }
    for arguments in
        [json!({}), json!({ "kind": "again", "x": 1 }), json!({ "kind": "nothing" }), json!({ "Kind": "again" })]
    {
        let params = again(json!({ "name": "bad_input_required", "arguments": arguments }), &states[0]);
        for client in [&mut alice, &mut mallory] {
            tally.refused(&arguments.to_string(), &client.ask("tools/call", &params).to_string(), &[OTHERS]);
        }
    }
    // Every byte changed, every length, and what is no state at all.
    let state = &states[0];
    let mut damaged: Vec<String> = (0..state.len())
        .map(|at| {
            let mut bytes = state.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            String::from_utf8(bytes).expect("it is ASCII")
        })
        .collect();
    damaged.extend((0..state.len()).step_by(16).map(|length| state[..length].to_owned()));
    damaged.extend([format!("{state}A"), format!("{state}="), format!("A{state}"), format!("{state}{state}")]);
    damaged.push(format!("{}{}", &states[1][..16], &state[16..]));
    damaged.push("{\"method\":\"tools/call\",\"principal\":\"mallory\"}".to_owned());
    for (at, state) in damaged.iter().enumerate() {
        let client = if at % 2 == 0 { &mut alice } else { &mut mallory };
        let answer = client.ask("tools/call", &again(tool.clone(), state)).to_string();
        tally.refused(&format!("damaged {at}"), &answer, &[BROKEN]);
    }
    // Nobody who shows no key gets as far.
    let refused = host.modern().answer("tools/call", &again(tool.clone(), state));
    tally.status("without a key", &refused, &[401]);

    // The tenant itself goes on, in each of its calls.
    for ((method, params), state) in calls.iter().zip(&states) {
        let answer = alice.ask(method, &again(params.clone(), state));
        assert!(answer["error"].is_null(), "{method}: {answer}");
    }
    // Another process has another key.
    drop(host);
    host = Host::serve(&config);
    let mut alice = client(&host, &alice_key);
    for ((method, params), state) in calls.iter().zip(&states) {
        let answer = alice.ask(method, &again(params.clone(), state)).to_string();
        tally.refused("of another process", &answer, &[BROKEN]);
    }
    tally.at_least(200);
}

#[test]
fn no_tenant_approves_for_the_other_and_no_approval_is_for_another_build() {
    let site = Site::new();
    let (alice_key, mallory_key) = (new_key(&site, "alice", &[]), new_key(&site, "mallory", &[]));
    site.put("plugin.wasm", &toolcell_tests::artifacts::guest("versioned_v1"));
    let entry = Site::entry("versioned", &site.path("plugin.wasm"), "");
    let config = format!("[auth]\nkeys = 'keys.json'\n[[approve]]\ntools = ['version']\n{entry}");
    let host = Host::serve(&site.config(&config));
    let client = |key: &str| with_key(&host, key).declaring(json!({ "elicitation": {} }));
    let (mut alice, mut mallory) = (client(&alice_key), client(&mallory_key));
    let call = json!({ "name": "version", "arguments": {} });
    let agreed = |state: &Value| {
        let mut params = call.clone();
        params["requestState"] = state.clone();
        params["inputResponses"] =
            json!({ "toolcell-approval": { "action": "accept", "content": { "approve": true } } });
        params
    };
    let asked = alice.ask("tools/call", &call)["result"]["requestState"].clone();
    let foreign = mallory.ask("tools/call", &agreed(&asked));
    assert!(foreign.to_string().contains(OTHERS), "{foreign}");
    assert_eq!(alice.ask("tools/call", &agreed(&asked))["result"]["content"][0]["text"], "v1", "it was not used up");
    // What the person agreed to was this build of the plugin; another one is asked about again.
    let asked = alice.ask("tools/call", &call)["result"]["requestState"].clone();
    host.reload(|| site.put("plugin.wasm", &toolcell_tests::artifacts::guest("versioned_v2")));
    let answer = alice.ask("tools/call", &agreed(&asked));
    assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
    let again = answer["result"]["requestState"].clone();
    assert_eq!(alice.ask("tools/call", &agreed(&again))["result"]["content"][0]["text"], "v2");
}
