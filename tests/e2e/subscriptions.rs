//! Who is told of what: subscriptions to resources in the handshake era, `subscriptions/listen` after it.

use serde_json::{Value, json};
use toolcell_tests::artifacts::plugin;
use toolcell_tests::host::Host;
use toolcell_tests::http::Events;
use toolcell_tests::mcp::{HANDSHAKE, MODERN, Session, modern_request};
use toolcell_tests::site::Site;
use toolcell_tests::stdio::Pipe;

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

fn serve() -> Host {
    Host::serve_paths(&[&plugin("conformance")])
}

fn touch(id: &str) -> Value {
    json!({ "name": "touch_note", "arguments": { "id": id } })
}

fn updated(events: &mut Events) -> Value {
    let told = events.next_message().expect("the stream stays open");
    assert_eq!(told["method"], "notifications/resources/updated", "{told}");
    told["params"].clone()
}

#[test]
fn a_session_is_told_of_the_resources_it_subscribed_to() {
    let host = serve();
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut session = host.session(version);
        let mut events = session.listen();
        let mut result = |method: &str, params: &Value| {
            let answer = session.ask(method, params);
            assert!(answer["error"].is_null(), "{version} {method}: {answer}");
            answer["result"].clone()
        };
        assert_eq!(result("resources/subscribe", &json!({ "uri": "note://beta" })), json!({}), "{version}");
        result("tools/call", &touch("alpha"));
        result("tools/call", &touch("beta"));
        assert_eq!(updated(&mut events), json!({ "uri": "note://beta" }), "{version}");
        assert_eq!(result("resources/unsubscribe", &json!({ "uri": "note://beta" })), json!({}), "{version}");
        result("resources/subscribe", &json!({ "uri": "note://gamma" }));
        result("tools/call", &touch("beta"));
        result("tools/call", &touch("gamma"));
        assert_eq!(updated(&mut events)["uri"], "note://gamma", "{version}");
        for params in [json!({}), json!({ "uri": 5 })] {
            assert_eq!(session.ask("resources/subscribe", &params)["error"]["code"], -32602, "{version} {params}");
        }
    }
}

#[test]
fn a_session_is_not_told_of_what_another_subscribed_to() {
    let host = serve();
    let (mut one, mut other) = (host.session(HANDSHAKE), host.session(HANDSHAKE));
    let (mut to_one, mut to_other) = (one.listen(), other.listen());
    one.ask("resources/subscribe", &json!({ "uri": "note://alpha" }));
    other.ask("resources/subscribe", &json!({ "uri": "note://beta" }));
    // Whoever changes it, each hears of its own.
    host.modern().call("touch_note", &json!({ "id": "alpha" }));
    host.modern().call("touch_note", &json!({ "id": "beta" }));
    assert_eq!(updated(&mut to_one)["uri"], "note://alpha");
    assert_eq!(updated(&mut to_other)["uri"], "note://beta");
    // A session that has ended leaves nothing behind.
    assert!(matches!(one.delete(), 200 | 204));
    assert_eq!(to_one.next_message(), None);
    host.modern().call("touch_note", &json!({ "id": "beta" }));
    assert_eq!(updated(&mut to_other)["uri"], "note://beta");
}

#[test]
fn over_stdio_a_session_is_told_on_the_same_pipe() {
    let conformance = plugin("conformance");
    let mut pipe = Pipe::start([conformance.as_os_str()]);
    pipe.shake_hands(HANDSHAKE);
    pipe.ask_in_session(1, "resources/subscribe", &json!({ "uri": "note://beta" }));
    let mut told = Vec::new();
    let mut touch_and_hear = |pipe: &mut Pipe, id: u64, note: &str, news: usize| {
        pipe.send(&toolcell_tests::mcp::request(id, "tools/call", &touch(note)));
        let (mut answered, mut heard) = (false, 0);
        while !answered || heard < news {
            let message = pipe.receive();
            match message["method"].as_str() {
                Some("notifications/resources/updated") => {
                    heard += 1;
                    told.push(message["params"]["uri"].clone());
                }
                None => answered = message["id"] == id,
                Some(other) => panic!("{other}: {message}"),
            }
        }
    };
    touch_and_hear(&mut pipe, 2, "beta", 1);
    pipe.ask_in_session(3, "resources/unsubscribe", &json!({ "uri": "note://beta" }));
    pipe.ask_in_session(4, "resources/subscribe", &json!({ "uri": "note://alpha" }));
    touch_and_hear(&mut pipe, 5, "beta", 0);
    touch_and_hear(&mut pipe, 6, "alpha", 1);
    assert_eq!(told, ["note://beta", "note://alpha"]);
}

#[test]
fn a_listener_is_told_of_the_resources_it_named_and_of_nothing_else() {
    let host = serve();
    let mut one = host.modern().listen_to(&json!({ "resourceSubscriptions": ["note://alpha"] }));
    let mut two = host.modern().listen_to(&json!({ "resourceSubscriptions": ["note://beta", "note://gamma"] }));
    let mut client = host.modern();
    for note in ["alpha", "beta", "gamma", "alpha"] {
        client.call("touch_note", &json!({ "id": note }));
    }
    for uri in ["note://alpha", "note://alpha"] {
        assert_eq!(updated(&mut one), json!({ "uri": uri, "_meta": { SUBSCRIPTION: 1 } }));
    }
    for uri in ["note://beta", "note://gamma"] {
        assert_eq!(updated(&mut two)["uri"], uri);
    }
    one.hang_up();
    client.call("touch_note", &json!({ "id": "beta" }));
    assert_eq!(updated(&mut two)["uri"], "note://beta");
}

#[test]
fn over_stdio_listeners_are_told_apart_by_their_id_and_end_when_cancelled() {
    let conformance = plugin("conformance");
    let mut pipe = Pipe::start([conformance.as_os_str()]);
    let listen = |pipe: &mut Pipe, id: u64, note: &str| {
        let filter = json!({ "resourceSubscriptions": [note] });
        pipe.send(&modern_request(id, "subscriptions/listen", &json!({ "notifications": filter })));
        let first = pipe.receive();
        assert_eq!(first["method"], "notifications/subscriptions/acknowledged", "{first}");
        assert_eq!(first["params"], json!({ "_meta": { SUBSCRIPTION: id }, "notifications": filter }));
    };
    let touch = |pipe: &mut Pipe, id: u64, note: &str, listeners: &[u64]| {
        pipe.send(&modern_request(id, "tools/call", &touch(note)));
        let (mut answered, mut heard) = (false, Vec::new());
        while !answered || heard.len() < listeners.len() {
            let message = pipe.receive();
            match message["method"].as_str() {
                None => answered = message["id"] == id,
                Some(_) => heard.extend(message["params"]["_meta"][SUBSCRIPTION].as_u64()),
            }
        }
        heard.sort_unstable();
        assert_eq!(heard, listeners, "{note}");
    };
    listen(&mut pipe, 10, "note://alpha");
    listen(&mut pipe, 11, "note://alpha");
    listen(&mut pipe, 12, "note://beta");
    touch(&mut pipe, 1, "alpha", &[10, 11]);
    touch(&mut pipe, 2, "beta", &[12]);
    pipe.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 11 } }));
    touch(&mut pipe, 3, "alpha", &[10]);
    touch(&mut pipe, 4, "beta", &[12]);
}

#[test]
fn a_listener_hears_of_the_lists_it_named_and_of_no_other() {
    let site = Site::new();
    site.put("it.wasm", &plugin("conformance"));
    let host = Host::serve(&site.config("[plugins.it]\npath = 'it.wasm'\n"));
    let filters = [
        (json!({ "toolsListChanged": true }), "notifications/tools/list_changed"),
        (json!({ "promptsListChanged": true }), "notifications/prompts/list_changed"),
        (json!({ "resourcesListChanged": true }), "notifications/resources/list_changed"),
    ];
    let mut listeners: Vec<_> =
        filters.iter().map(|(filter, method)| (host.modern().listen_to(filter), *method)).collect();
    let session = host.session(HANDSHAKE);
    let mut everything = session.listen();
    host.reload(|| site.put("it.wasm", &plugin("echo")));
    let mut heard: Vec<String> = Vec::new();
    for _ in 0..3 {
        let told = everything.next_message().expect("the stream stays open");
        heard.extend(told["method"].as_str().map(str::to_owned));
    }
    heard.sort();
    let mut wanted: Vec<&str> = filters.iter().map(|(_, method)| *method).collect();
    wanted.sort_unstable();
    assert_eq!(heard, wanted);
    for (events, method) in &mut listeners {
        let told = events.next_message().expect("the stream stays open");
        assert_eq!(told["method"], *method, "{told}");
    }
    // The second change is told once more to each, so nothing else came between.
    host.reload(|| site.put("it.wasm", &plugin("conformance")));
    for (events, method) in &mut listeners {
        let told = events.next_message().expect("the stream stays open");
        assert_eq!(told["method"], *method, "{told}");
    }
    let client = &mut host.modern();
    let lists = ["resources/list", "prompts/list"].map(|method| client.ask(method, &json!({}))["result"].clone());
    assert!(lists[0]["resources"].as_array().is_some_and(|all| !all.is_empty()), "{lists:?}");
    assert!(lists[1]["prompts"].as_array().is_some_and(|all| !all.is_empty()), "{lists:?}");
}

#[test]
fn a_plugin_may_say_itself_that_its_lists_changed() {
    let host = serve();
    for (tool, filter, method) in [
        ("test_trigger_tool_change", "toolsListChanged", "notifications/tools/list_changed"),
        ("test_trigger_prompt_change", "promptsListChanged", "notifications/prompts/list_changed"),
        ("test_trigger_resource_change", "resourcesListChanged", "notifications/resources/list_changed"),
    ] {
        let mut events = host.modern().listen_to(&json!({ filter: true }));
        host.modern().call(tool, &json!({}));
        let told = events.next_message().expect("the stream stays open");
        assert_eq!(told["method"], method, "{told}");
        assert!(told["params"]["_meta"][SUBSCRIPTION].is_u64(), "{told}");
    }
}

#[test]
fn what_a_listener_may_ask_for() {
    let host = serve();
    let mut client = host.modern();
    // Nothing at all is fine; what is no filter is not.
    for (filter, code) in [
        (json!({ "resourceSubscriptions": "note://alpha" }), -32602),
        (json!({ "toolsListChanged": "yes" }), -32602),
        (json!("everything"), -32602),
        (Value::Null, -32602),
    ] {
        let answer = client.ask("subscriptions/listen", &json!({ "notifications": filter }));
        assert_eq!(answer["error"]["code"], code, "{filter}: {answer}");
    }
    drop(host.modern().listen_to(&json!({})));
    // Tasks are for clients that say that they know them.
    let filter = json!({ "taskIds": ["no-such-task"] });
    let answer = client.ask("subscriptions/listen", &json!({ "notifications": filter }));
    assert_eq!(answer["error"]["code"], -32021, "{answer}");
    let needed = &answer["error"]["data"]["requiredCapabilities"]["extensions"];
    assert!(needed["io.modelcontextprotocol/tasks"].is_object(), "{answer}");
    // The handshake era has no such method, and the era after it no other.
    let answer = Session::open(host.address, HANDSHAKE).ask("subscriptions/listen", &json!({ "notifications": {} }));
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
    for method in ["resources/subscribe", "resources/unsubscribe"] {
        let answer = host.modern().ask(method, &json!({ "uri": "note://alpha" }));
        assert_eq!(answer["error"]["code"], -32601, "{MODERN} {method}: {answer}");
    }
}
