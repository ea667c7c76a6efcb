//! Sessions of the handshake era, their streams, and the old pair: their names open nothing to anybody else.

use serde_json::{Value, json};
use toolcell_tests::host::Host;
use toolcell_tests::http::Response;
use toolcell_tests::mcp::{HANDSHAKE, Session, request};
use toolcell_tests::site::Site;

use super::super::new_key;
use super::tally::{Tally, alike, bearer, borrowed, in_session};

struct Scene {
    host: Host,
    alice: String,
    mallory: String,
    _site: Site,
}

impl Scene {
    fn new() -> Self {
        let site = Site::new();
        let (alice, mallory) = (new_key(&site, "alice", &[]), new_key(&site, "mallory", &[]));
        let plugins = Site::plugin("echo", "") + &Site::guest("kept_results", "");
        let host = Host::serve(&site.config(&format!("[auth]\nkeys = 'keys.json'\n{plugins}")));
        Self { host, alice, mallory, _site: site }
    }

    fn session(&self, key: &str) -> Session {
        Session::with_headers(self.host.address, HANDSHAKE, &json!({ "roots": {} }), bearer(key))
    }

    fn raw(&self, method: &str, path: &str, headers: &[(&'static str, String)], body: &Value) -> Response {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.host.connect().request(method, path, &borrowed(headers), body.as_bytes())
    }
}

#[test]
fn no_tenant_speaks_hears_or_ends_in_a_session_of_the_other() {
    let scene = Scene::new();
    let mut alice = scene.session(&scene.alice);
    let mut own = scene.session(&scene.mallory);
    let id = alice.id().expect("it has a name").to_owned();
    // A call of alice's that waits for an answer of her client.
    let call = json!({ "name": "kept", "arguments": { "kind": "ask", "note": "for alice only" } });
    let mut stream = alice.start(&request(70, "tools/call", &call));
    let question = stream.next_message().expect("it asks");
    assert_eq!(question["method"], "roots/list", "{question}");
    let last = stream.last_id().expect("events can be resumed").to_owned();
    let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "roots": [] } });

    let mut tally = Tally::new("sessions", &["for alice only", "roots/list"]);
    let bodies = [
        request(1, "tools/call", &json!({ "name": "echo", "arguments": { "message": "x" } })),
        request(2, "tools/list", &json!({})),
        request(70, "ping", &json!({})),
        answer.clone(),
        json!({ "jsonrpc": "2.0", "id": question["id"], "error": { "code": -1, "message": "no" } }),
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 70 } }),
        json!({ "jsonrpc": "2.0", "method": "notifications/roots/list_changed" }),
    ];
    let unknown = scene.raw("POST", "/mcp", &in_session(Some(&scene.mallory), "AAAAAAAAAAAAAAAAAAAAAA"), &bodies[1]);
    assert_eq!(unknown.head.status, 404, "{}", unknown.text());
    for name in std::iter::once(id.clone()).chain(alike(&id)) {
        let headers = in_session(Some(&scene.mallory), &name);
        for body in &bodies {
            let refused = scene.raw("POST", "/mcp", &headers, body);
            tally.status(&format!("{name} {body}"), &refused, &[404]);
            assert_eq!(refused.body, unknown.body, "one that is another's is like one that never was");
        }
        tally.status("DELETE", &scene.raw("DELETE", "/mcp", &headers, &Value::Null), &[404]);
        tally.status("GET", &scene.raw("GET", "/mcp", &headers, &Value::Null), &[404]);
        for event in [last.as_str(), "0", "", &alike(&last)[5]] {
            let mut resumed = headers.clone();
            resumed.push(("Last-Event-ID", event.to_owned()));
            tally.status("resume", &scene.raw("GET", "/mcp", &resumed, &Value::Null), &[404]);
        }
    }
    for method in ["POST", "GET", "DELETE"] {
        let refused = scene.raw(method, "/mcp", &in_session(None, &id), &bodies[1]);
        tally.status("without a key", &refused, &[401]);
        // Both names at once, and both keys.
        let mut both = in_session(Some(&scene.mallory), own.id().expect("it has a name"));
        both.push(("Mcp-Session-Id", id.clone()));
        tally.status("two names", &scene.raw(method, "/mcp", &both, &bodies[1]), &[400]);
        let mut both = in_session(Some(&scene.mallory), &id);
        both.extend(bearer(&scene.alice[..scene.alice.len() - 1]));
        tally.status("two keys", &scene.raw(method, "/mcp", &both, &bodies[1]), &[400, 401]);
    }
    // In a session of one's own the other's events, questions and requests are not there either.
    let headers = in_session(Some(&scene.mallory), own.id().expect("it has a name"));
    for body in &bodies[3..] {
        tally.status("in its own", &scene.raw("POST", "/mcp", &headers, body), &[202]);
    }
    let mut resumed = headers.clone();
    resumed.push(("Last-Event-ID", last.clone()));
    tally.status("resume in its own", &scene.raw("GET", "/mcp", &resumed, &Value::Null), &[400]);
    tally.at_least(150);

    // Alice's call still waits for her, and her answer ends it; and what was said may be heard again by her.
    assert_eq!(alice.post(&answer).head.status, 202);
    let done: Value = serde_json::from_str(&stream.next_data().expect("it ends")).expect("a message");
    assert!(done["id"] == 70 && done.to_string().contains("for alice only"), "{done}");
    let mut resumed = in_session(Some(&scene.alice), &id);
    resumed.push(("Last-Event-ID", last));
    resumed.push(("Connection", "close".to_owned()));
    let mut http = scene.host.connect();
    http.send("GET", "/mcp", &borrowed(&resumed), b"").expect("it is sent");
    let heard = String::from_utf8(http.rest().expect("it ends")).expect("it is text");
    assert!(heard.starts_with("HTTP/1.1 200") && heard.contains("for alice only"), "{heard}");
    assert_eq!(own.say("echo", &json!({ "message": "own" })), "own");
    assert_eq!(alice.delete(), 204);
}

#[test]
fn no_tenant_posts_to_the_stream_of_the_other() {
    let scene = Scene::new();
    let open = |key: &str| {
        let mut http = scene.host.connect();
        http.speaks("2024-11-05");
        let mut headers = bearer(key);
        headers.push(("Accept", "text/event-stream".to_owned()));
        http.send("GET", "/sse", &borrowed(&headers), b"").expect("it is sent");
        let mut events = http.events();
        let place = events.next_data().expect("the first event says where to post");
        (events, place)
    };
    let ((mut heard, place), (_own, own_place)) = (open(&scene.alice), open(&scene.mallory));
    let headers = |key: Option<&str>| {
        let mut headers = vec![("Content-Type", "application/json".to_owned())];
        headers.extend(key.into_iter().flat_map(bearer));
        headers
    };
    let params =
        json!({ "protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": { "name": "raw", "version": "1" } });
    let hello = request(1, "initialize", &params);
    let (path, name) = place.split_once("session=").expect("a place with a name");
    let mut tally = Tally::new("the old pair", &["protocolVersion"]);
    for name in std::iter::once(name.to_owned()).chain(alike(name)) {
        for body in [&hello, &request(2, "tools/list", &json!({})), &request(3, "ping", &json!({}))] {
            for place in [
                format!("{path}session={name}"),
                format!("{path}x=1&session={name}"),
                format!("{place}&session={name}"),
            ] {
                let refused = scene.raw("POST", &place, &headers(Some(&scene.mallory)), body);
                tally.status(&place, &refused, &[404]);
            }
        }
        let mixed = format!("{path}session={name}&{}", own_place.split_once('?').expect("a query").1);
        tally.status(&mixed, &scene.raw("POST", &mixed, &headers(Some(&scene.mallory)), &hello), &[404]);
    }
    tally.status("without a key", &scene.raw("POST", &place, &headers(None), &hello), &[401]);
    tally.at_least(100);
    // Nothing came to alice but the answer to what she herself says.
    assert_eq!(scene.raw("POST", &place, &headers(Some(&scene.alice)), &hello).head.status, 202);
    let answer: Value = serde_json::from_str(&heard.next_data().expect("she is answered")).expect("a message");
    assert!(answer["id"] == 1 && answer["result"]["protocolVersion"] == "2024-11-05", "{answer}");
}
