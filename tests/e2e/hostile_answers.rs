//! Reads, prompts, completions and questions that go wrong: each is an error that says why, to clients of either era, and
//! the next call is fine.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toolcell_tests::artifacts::guest;
use toolcell_tests::host::Host;
use toolcell_tests::mcp::{HANDSHAKE, Modern, Session, request, text_of};
use toolcell_tests::site::Site;

/// Limits small enough that a test need not wait for them.
const SOON: &str = "limits = { cpu-ms = 300, wall-ms = 900, list-wall-ms = 700, output-bytes = 100000 }";

/// A client of either era.
enum Client {
    PerRequest(Modern),
    Session(Session),
}

impl Client {
    fn ask(&mut self, method: &str, params: &Value) -> Value {
        match self {
            Self::PerRequest(client) => client.ask(method, params),
            Self::Session(session) => session.ask(method, params),
        }
    }

    /// A tool that is not the guest's.
    fn echoes(&mut self, after: &str) {
        let called = self.ask("tools/call", &json!({ "name": "echo", "arguments": { "message": after } }));
        assert_eq!(text_of(&called["result"]), after);
    }
}

fn both(host: &Host) -> [Client; 2] {
    [Client::PerRequest(host.modern()), Client::Session(host.session(HANDSHAKE))]
}

fn serve(site: &Site) -> Host {
    let others = "env = { NAME = 'other', RESOURCES = 'other://theirs' }";
    let config = Site::guest("bad_answers", SOON) + &Site::guest("offers", others) + &Site::plugin("echo", "");
    Host::serve(&site.config(&config))
}

fn read(kind: &str) -> (&'static str, Value) {
    ("resources/read", json!({ "uri": format!("bad://{kind}") }))
}

fn get(kind: &str) -> (&'static str, Value) {
    ("prompts/get", json!({ "name": "bad", "arguments": { "kind": kind } }))
}

fn complete(kind: &str) -> (&'static str, Value) {
    let reference = json!({ "type": "ref/prompt", "name": "bad" });
    ("completion/complete", json!({ "ref": reference, "argument": { "name": "kind", "value": kind } }))
}

fn assert_error(response: &Value, code: i64, parts: &[&str]) {
    assert_eq!(response["error"]["code"], code, "{response}");
    let message = response["error"]["message"].as_str().unwrap_or_default();
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
    assert!(message.len() < 4_000, "{} bytes of error", message.len());
}

#[test]
fn what_goes_wrong_in_any_way_is_an_error_that_says_so() {
    type Ask = fn(&str) -> (&'static str, Value);
    let asks: [(Ask, &str); 3] = [(read, "limits.wall-ms"), (get, "limits.wall-ms"), (complete, "limits.list-wall-ms")];
    let site = Site::new();
    let host = serve(&site);
    for mut client in both(&host) {
        for (ask, wall) in asks {
            let cases: [(&str, i64, &[&str]); 10] = [
                ("spin", -32603, &["bad_answers", "300 ms", "CPU", "limits.cpu-ms"]),
                ("sleep", -32603, &["bad_answers", "longer than", wall]),
                ("panic", -32603, &["bad_answers", "crashed", "this guest panics on purpose"]),
                ("exit", -32603, &["bad_answers"]),
                ("error", -32603, &["words of the guest"]),
                ("denied", -32603, &["refused", "words of the guest"]),
                ("invalid", -32602, &["words of the guest"]),
                ("cancelled", -32603, &["nobody cancelled it"]),
                ("text", -32603, &["bad_answers", "100000 bytes", "limits.output-bytes"]),
                ("huge-error", -32603, &["bad_answers", "100000 bytes", "limits.output-bytes"]),
            ];
            for (kind, code, parts) in cases {
                let (method, params) = ask(kind);
                let begun = Instant::now();
                let response = client.ask(method, &params);
                assert_error(&response, code, parts);
                assert!(begun.elapsed() < Duration::from_secs(20), "{method} {kind} took {:?}", begun.elapsed());
                client.echoes(kind);
                let (method, params) = ask("fine");
                let response = client.ask(method, &params);
                assert!(response.to_string().contains("fine"), "after {kind}: {response}");
            }
        }
    }
}

#[test]
fn a_read_that_is_none_is_refused() {
    let site = Site::new();
    let host = serve(&site);
    for (mut client, not_found) in both(&host).into_iter().zip([-32602, -32002]) {
        for (kind, parts) in [
            ("blob", ["bad_answers", "limits.output-bytes"]),
            ("many", ["bad_answers", "limits.output-bytes"]),
            ("meta-huge", ["bad_answers", "limits.output-bytes"]),
            ("meta", ["broken result", "`meta` fields is not a JSON object"]),
            ("own-meta", ["broken result", "`meta` fields is not a JSON object"]),
            ("other", ["plugin bad_answers returned contents of other://theirs", "plugin offers's"]),
        ] {
            let (method, params) = read(kind);
            assert_error(&client.ask(method, &params), -32603, &parts);
        }
        // Nothing is not the same as something empty.
        for kind in ["nothing", "not-found"] {
            let (method, params) = read(kind);
            let response = client.ask(method, &params);
            assert_error(&response, not_found, &["resource not found"]);
            assert_eq!(response["error"]["data"]["uri"], format!("bad://{kind}"), "{response}");
        }
        // A resource may come in parts with URIs of their own.
        let (method, params) = read("parts");
        let response = client.ask(method, &params);
        let parts: Vec<_> = response["result"]["contents"].as_array().into_iter().flatten().collect();
        assert_eq!(parts.iter().map(|part| &part["uri"]).collect::<Vec<_>>(), ["bad://parts/1", "bad://parts"]);
        client.echoes("reads");
    }
}

#[test]
fn a_prompt_that_is_none_is_refused() {
    let site = Site::new();
    let host = serve(&site);
    for mut client in both(&host) {
        for (kind, parts) in [
            ("blob", ["bad_answers", "limits.output-bytes"]),
            ("many", ["bad_answers", "limits.output-bytes"]),
            ("meta-huge", ["bad_answers", "limits.output-bytes"]),
            ("meta", ["broken result", "`meta` fields is not a JSON object"]),
            ("own-meta", ["broken result", "`meta` fields is not a JSON object"]),
        ] {
            let (method, params) = get(kind);
            assert_error(&client.ask(method, &params), -32603, &parts);
        }
        let (method, params) = get("not-found");
        assert_error(&client.ask(method, &params), -32602, &["words of the guest"]);
        let (method, params) = get("nothing");
        assert_eq!(client.ask(method, &params)["result"]["messages"], json!([]));
        // What the prompt does not declare does not reach it.
        let undeclared = json!({ "name": "bad", "arguments": { "other": "spin" } });
        assert_error(&client.ask("prompts/get", &undeclared), -32602, &["no argument \"other\"", "kind"]);
        client.echoes("prompts");
    }
}

#[test]
fn at_most_a_hundred_suggestions_arrive() {
    let site = Site::new();
    let host = serve(&site);
    for mut client in both(&host) {
        let (method, params) = complete("many");
        let completion = client.ask(method, &params)["result"]["completion"].take();
        assert_eq!(completion["values"].as_array().map(Vec::len), Some(100), "{completion}");
        assert_eq!((&completion["values"][99], &completion["hasMore"]), (&json!("99"), &json!(true)));
        let (method, params) = complete("total");
        let completion = client.ask(method, &params)["result"]["completion"].take();
        assert_eq!(completion, json!({ "values": [], "total": u32::MAX, "hasMore": true }));
        client.echoes("completions");
    }
}

/// A read and a prompt that ask the same question for ever, and a tool that does.
fn endless() -> [(&'static str, Value); 3] {
    let tool = json!({ "name": "bad_input_required", "arguments": { "kind": "again" } });
    [read("ask"), get("ask"), ("tools/call", tool)]
}

#[test]
fn a_client_that_is_asked_for_ever_decides_how_often() {
    let site = Site::new();
    let config = Site::guest("bad_answers", SOON) + &Site::guest("bad_input_required", "");
    let host = Host::serve(&site.config(&config));
    let mut client = host.modern().declaring(json!({ "roots": {} }));
    for (method, params) in endless() {
        let (mut state, mut again) = (Value::Null, params.clone());
        for _ in 0..20 {
            let result = client.ask(method, &again)["result"].take();
            assert_eq!(result["resultType"], "input_required", "{method}: {result}");
            let sizes = [&state, &result["requestState"]].map(|state| state.as_str().map_or(0, str::len));
            assert!(state.is_null() || sizes[0] == sizes[1], "the state grows from {} to {}", sizes[0], sizes[1]);
            state = result["requestState"].clone();
            again["requestState"] = state.clone();
            let keys = result["inputRequests"].as_object().into_iter().flatten().map(|(key, _)| key.clone());
            again["inputResponses"] =
                keys.map(|key| (key, json!({ "roots": [] }))).collect::<serde_json::Map<_, _>>().into();
        }
        // Whoever cannot be asked is not asked.
        let response = host.modern().ask(method, &params);
        assert_error(&response, -32021, &["capability"]);
        assert_eq!(response["error"]["data"]["requiredCapabilities"], json!({ "roots": {} }));
    }
}

#[test]
fn a_session_that_is_asked_for_ever_is_asked_so_often_and_no_more() {
    let site = Site::new();
    let config = Site::guest("bad_answers", SOON) + &Site::guest("bad_input_required", "") + &Site::plugin("echo", "");
    let host = Host::serve(&site.config(&config));
    for (method, params) in endless() {
        let mut session = Session::declaring(host.address, HANDSHAKE, &json!({ "roots": {} }));
        let headers = session.headers();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut http = host.connect();
        http.send("POST", "/mcp", &headers, request(7, method, &params).to_string().as_bytes()).expect("it is sent");
        let (mut events, mut asked) = (http.events(), 0);
        let answer = loop {
            let message = events.next_message().expect("it ends with an answer");
            if message["method"].is_null() {
                break message;
            }
            assert_eq!(message["method"], "roots/list", "{message}");
            asked += 1;
            let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": { "roots": [] } });
            assert_eq!(session.post(&answer).head.status, 202);
        };
        assert_eq!(asked, 16, "{method}");
        assert!(answer.to_string().contains("it asked for input too many times in one call"), "{answer}");
        let next = session.ask("tools/call", &json!({ "name": "echo", "arguments": { "message": "next" } }));
        assert_eq!(text_of(&next["result"]), "next");
    }
}

#[test]
fn questions_that_are_none_are_not_passed_on() {
    let site = Site::new();
    let config = Site::entry("asks", &guest("bad_input_required"), "") + &Site::plugin("echo", "");
    let host = Host::serve(&site.config(&config));
    let able = json!({ "roots": {}, "sampling": {}, "elicitation": { "form": {}, "url": {} } });
    let clients = [
        Client::PerRequest(host.modern().declaring(able.clone())),
        Client::Session(Session::declaring(host.address, HANDSHAKE, &able)),
    ];
    for mut client in clients {
        for (kind, why) in [
            ("nothing", "it asks for nothing"),
            ("same-key", "two questions under the key \"key\""),
            ("empty-key", "no proper key"),
            ("bad-schema", "a form whose schema is not a JSON object"),
            ("bad-url", "a page whose URL does not begin with `https://`"),
            ("bad-sample", "a model in what is not a JSON object"),
            ("many", "10000 questions at once"),
            ("huge-state", "limits.output-bytes"),
        ] {
            let params = json!({ "name": "bad_input_required", "arguments": { "kind": kind } });
            let result = client.ask("tools/call", &params)["result"].take();
            assert_eq!(result["isError"], true, "{kind}: {result}");
            assert!(text_of(&result).contains(why), "{kind}: {result}");
            client.echoes(kind);
        }
    }
}
