//! What a plugin offers besides tools, as it is on the wire: resources, templates, prompts and completions, in both
//! eras, with their pages and their errors.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use toolcell_tests::artifacts::plugin;
use toolcell_tests::host::Host;
use toolcell_tests::mcp::{HANDSHAKE, MODERN, Modern, Session};
use toolcell_tests::site::Site;

const HANDSHAKES: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

/// A client of any revision.
enum Client {
    Modern(Box<Modern>),
    Session(Box<Session>),
}

impl Client {
    fn ask(&mut self, method: &str, params: &Value) -> Value {
        match self {
            Self::Modern(client) => client.ask(method, params),
            Self::Session(client) => client.ask(method, params),
        }
    }

    fn result(&mut self, method: &str, params: &Value) -> Value {
        let answer = self.ask(method, params);
        assert!(answer["error"].is_null(), "{method} {params}: {answer}");
        answer["result"].clone()
    }

    /// The code of the error, and its data.
    fn error(&mut self, method: &str, params: &Value) -> (i64, Value) {
        let answer = self.ask(method, params);
        let code = answer["error"]["code"].as_i64();
        (code.unwrap_or_else(|| panic!("{method} {params}: {answer}")), answer["error"]["data"].clone())
    }
}

fn serve() -> Host {
    Host::serve_paths(&[&plugin("conformance")])
}

/// Every revision's client, each with the name of its revision.
fn everyone(host: &Host) -> Vec<(&'static str, Client)> {
    let sessions = HANDSHAKES.map(|version| (version, Client::Session(Box::new(host.session(version)))));
    sessions.into_iter().chain([(MODERN, Client::Modern(Box::new(host.modern())))]).collect()
}

fn names<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().into_iter().flatten().filter_map(|item| item[key].as_str()).collect()
}

#[test]
fn what_is_offered_is_declared() {
    let host = serve();
    for (version, mut client) in everyone(&host) {
        let declared = match &mut client {
            Client::Modern(client) => client.ask("server/discover", &json!({}))["result"]["capabilities"].clone(),
            Client::Session(client) => client.initialized["capabilities"].clone(),
        };
        assert_eq!(declared["resources"]["subscribe"], true, "{version}: {declared}");
        assert_eq!(declared["resources"]["listChanged"], true, "{version}: {declared}");
        assert_eq!(declared["prompts"]["listChanged"], true, "{version}: {declared}");
        // The first revision completes as well, but has no capability for it.
        assert!(declared["completions"].is_object() || version == "2024-11-05", "{version}: {declared}");
        let extension = &declared["extensions"]["io.modelcontextprotocol/tasks"];
        assert_eq!(extension.is_object(), version == MODERN, "{version}: {declared}");
    }
}

#[test]
fn resources_are_listed_and_read_in_every_revision() {
    let host = serve();
    for (version, mut client) in everyone(&host) {
        let list = client.result("resources/list", &json!({}));
        assert!(names(&list["resources"], "uri").contains(&"note://alpha"), "{version}: {list}");
        assert_eq!(list["ttlMs"].is_u64(), version == MODERN, "{version}: {list}");
        let list = client.result("resources/templates/list", &json!({}));
        assert!(names(&list["resourceTemplates"], "uriTemplate").contains(&"note://{id}"), "{version}: {list}");
        for (uri, text) in [("note://alpha", "Note alpha"), ("note://beta", "Note beta")] {
            let read = client.result("resources/read", &json!({ "uri": uri }));
            let content = &read["contents"][0];
            assert_eq!((&content["uri"], &content["text"]), (&json!(uri), &json!(text)), "{version}: {read}");
            assert_eq!(
                read["ttlMs"].is_u64() && read["cacheScope"].is_string(),
                version == MODERN,
                "{version}: {read}"
            );
        }
        // The schema holds its blob to base64.
        let read = client.result("resources/read", &json!({ "uri": "test://static-binary" }));
        let blob = read["contents"][0]["blob"].as_str().unwrap_or_default();
        assert!(!blob.is_empty() && read["contents"][0]["text"].is_null(), "{version}: {read}");
    }
}

#[test]
fn an_unknown_uri_is_the_error_that_its_revision_has_for_it() {
    let host = serve();
    for (version, mut client) in everyone(&host) {
        let wanted = if version == MODERN { -32602 } else { -32002 };
        for uri in ["note:///", "nothing://here", "test://static-textt"] {
            let (code, data) = client.error("resources/read", &json!({ "uri": uri }));
            assert_eq!((code, &data["uri"]), (wanted, &json!(uri)), "{version}");
        }
        for params in [json!({}), json!({ "uri": 5 }), json!({ "uri": null })] {
            let (code, _) = client.error("resources/read", &params);
            // What is no URI cannot be what the header says either.
            assert!(code == -32602 || (version == MODERN && code == -32020), "{version} {params}: {code}");
        }
    }
}

#[test]
fn prompts_are_listed_and_filled_in_every_revision() {
    let host = serve();
    for (version, mut client) in everyone(&host) {
        let list = client.result("prompts/list", &json!({}));
        let prompts = list["prompts"].as_array().cloned().unwrap_or_default();
        let review = prompts.iter().find(|prompt| prompt["name"] == "review_code").cloned().unwrap_or_default();
        let arguments = &review["arguments"];
        assert_eq!(names(arguments, "name"), ["language", "style"], "{version}: {review}");
        assert_eq!(arguments[0]["required"], true, "{version}: {review}");
        assert_ne!(arguments[1]["required"], true, "{version}: {review}");
        let got = client.result("prompts/get", &json!({ "name": "review_code", "arguments": { "language": "rust" } }));
        let text = &got["messages"][0]["content"]["text"];
        assert_eq!(text, "Please review this rust code (style default).", "{version}: {got}");
        for params in [
            json!({ "name": "no_such_prompt" }),
            json!({ "name": "review_code" }),
            json!({ "name": "review_code", "arguments": {} }),
            json!({ "name": "review_code", "arguments": { "style": "clippy" } }),
            json!({ "name": "review_code", "arguments": { "language": 5 } }),
            json!({ "name": "review_code", "arguments": ["rust"] }),
            json!({ "name": 5 }),
            json!({}),
        ] {
            let (code, _) = client.error("prompts/get", &params);
            // A name that is no string cannot be what the header says either.
            assert!(code == -32602 || (version == MODERN && code == -32020), "{version} {params}: {code}");
        }
    }
}

#[test]
fn arguments_are_completed_by_prefix_and_by_what_is_settled() {
    let host = serve();
    let prompt = |argument: &str, value: &str| {
        json!({
            "ref": { "type": "ref/prompt", "name": "review_code" }, "argument": { "name": argument, "value": value },
        })
    };
    for (version, mut client) in everyone(&host) {
        let mut complete = |params: &Value| client.result("completion/complete", params)["completion"].clone();
        for (value, wanted) in [("", vec!["alpha", "beta", "gamma"]), ("g", vec!["gamma"]), ("x", vec![])] {
            let done = complete(&json!({
                "ref": { "type": "ref/resource", "uri": "note://{id}" }, "argument": { "name": "id", "value": value },
            }));
            assert_eq!(done["values"], json!(wanted), "{version} {value}");
            assert_ne!(done["hasMore"], true, "{version} {value}");
        }
        assert_eq!(complete(&prompt("language", "py"))["values"], json!(["python"]), "{version}");
        assert_eq!(complete(&prompt("style", ""))["values"], json!(["plain"]), "{version}");
        // Earlier revisions have no context; what they do not know must not break them.
        if version >= "2025-06-18" {
            let mut params = prompt("style", "");
            params["context"] = json!({ "arguments": { "language": "rust" } });
            assert_eq!(complete(&params)["values"], json!(["clippy", "rustfmt"]), "{version}");
        }
        for params in [
            json!({ "ref": { "type": "ref/prompt", "name": "nothing" }, "argument": { "name": "a", "value": "" } }),
            json!({ "ref": { "type": "ref/resource", "uri": "no://{id}" }, "argument": { "name": "id", "value": "" } }),
            json!({ "ref": { "type": "ref/tool", "name": "ask_name" }, "argument": { "name": "a", "value": "" } }),
            json!({ "ref": { "type": "ref/prompt", "name": "review_code" } }),
            json!({ "argument": { "name": "a", "value": "" } }),
        ] {
            assert_eq!(client.error("completion/complete", &params).0, -32602, "{version} {params}");
        }
    }
}

#[test]
fn all_four_lists_come_in_pages() {
    let site = Site::new();
    let plugins = Site::plugin("conformance", "");
    let whole = Host::serve(&site.config(&plugins));
    let paged = Site::new();
    let paged = Host::serve(&paged.config(&format!("[server]\npage-size = 3\n\n{plugins}")));
    for (method, key, name) in [
        ("tools/list", "tools", "name"),
        ("resources/list", "resources", "uri"),
        ("resources/templates/list", "resourceTemplates", "uriTemplate"),
        ("prompts/list", "prompts", "name"),
    ] {
        for ((version, mut all), (_, mut client)) in everyone(&whole).into_iter().zip(everyone(&paged)) {
            let all = all.result(method, &json!({}));
            assert!(all["nextCursor"].is_null(), "{version} {method}: {all}");
            let wanted: Vec<String> = names(&all[key], name).into_iter().map(str::to_owned).collect();
            let (mut found, mut params) = (Vec::new(), json!({}));
            loop {
                let page = client.result(method, &params);
                let part = names(&page[key], name);
                assert!(!part.is_empty() && part.len() <= 3, "{version} {method}: {page}");
                found.extend(part.into_iter().map(str::to_owned));
                let Some(cursor) = page["nextCursor"].as_str() else { break };
                params = json!({ "cursor": cursor });
            }
            assert_eq!(found, wanted, "{version} {method}");
            assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len(), "{version} {method}");
            for cursor in [json!("no cursor of ours"), json!(""), json!(5)] {
                let (code, _) = client.error(method, &json!({ "cursor": cursor }));
                assert_eq!(code, -32602, "{version} {method} {cursor}");
            }
        }
    }
}

#[test]
fn what_is_asked_for_is_asked_again_until_it_is_answered() {
    let host = serve();
    let asking = json!({ "elicitation": {}, "sampling": {} });
    let mut client = host.modern().declaring(asking.clone());
    for (action, wanted) in [("accept", "Hello, Ada!"), ("decline", "nobody answered"), ("cancel", "nobody answered")] {
        let asked = client.call("ask_name", &json!({}));
        assert_eq!(asked["resultType"], "input_required", "{asked}");
        let (key, request) = asked["inputRequests"].as_object().and_then(|all| all.iter().next()).expect("it asks");
        assert_eq!(request["method"], "elicitation/create", "{asked}");
        let mut answer = json!({ "action": action });
        if action == "accept" {
            answer["content"] = json!({ "name": "Ada" });
        }
        let params = json!({
            "name": "ask_name", "arguments": {}, "inputResponses": { key: answer },
            "requestState": asked["requestState"],
        });
        let done = client.ask("tools/call", &params);
        assert_eq!(toolcell_tests::mcp::text_of(&done["result"]), wanted, "{action}: {done}");

        // In the handshake era the server asks while the call runs.
        let mut session = Session::declaring(host.address, HANDSHAKE, &asking);
        let call = toolcell_tests::mcp::request(9, "tools/call", &json!({ "name": "ask_name", "arguments": {} }));
        let mut events = session.start(&call);
        let asked = events.next_message().expect("it asks");
        assert_eq!(asked["method"], "elicitation/create", "{asked}");
        let reply = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": answer });
        assert_eq!(session.post(&reply).head.status, 202, "{action}");
        let done = events.next_message().expect("it answers");
        assert_eq!(toolcell_tests::mcp::text_of(&done["result"]), wanted, "{action}: {done}");
    }
}
