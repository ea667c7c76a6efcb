//! What is open ends when its caller's key is revoked, and nobody has too much open.

use std::time::Instant;

use serde_json::json;
use toolcell_tests::DEADLINE;
use toolcell_tests::host::Host;
use toolcell_tests::http::{Events, Http};
use toolcell_tests::mcp::{ACCEPT, HANDSHAKE, Session, request};
use toolcell_tests::site::Site;

use super::oauth::{Scene, node};
use super::{new_key, toolcell, with_key};

/// The old pair's stream.
fn pair(host: &Host, key: &str) -> Events {
    let mut http = host.connect();
    http.speaks("2024-11-05");
    let bearer = format!("Bearer {key}");
    http.send("GET", "/sse", &[("Accept", "text/event-stream"), ("Authorization", &bearer)], b"").expect("it is sent");
    let mut events = http.events();
    assert!(events.next_data().is_some_and(|place| place.contains("session=")), "{:?}", events.head);
    events
}

fn session(host: &Host, key: &str) -> Session {
    Session::with_headers(host.address, HANDSHAKE, &json!({}), vec![("Authorization", format!("Bearer {key}"))])
}

/// All that can be open: a subscription, a call, a session and its streams, and the old pair.
fn streams(host: &Host, key: &str, session: &Session) -> Vec<(&'static str, Events)> {
    let endless = json!({ "times": 9_000_000_000_000_u64, "width": 1 });
    let mut params = json!({ "name": "progress_flood", "arguments": endless, "_meta": { "progressToken": 1 } });
    let old = session.start(&request(99, "tools/call", &params));
    let mut call = with_key(host, key);
    params["_meta"] = json!({ "progressToken": 2 });
    call.send("tools/call", &params);
    let mut call = call.into_http().events();
    assert!(call.next_message().is_some(), "it runs");
    vec![
        ("a subscription", with_key(host, key).listen()),
        ("a call", call),
        ("a session's call", old),
        ("a session's news", session.listen()),
        ("the old pair", pair(host, key)),
    ]
}

#[test]
fn a_revoked_key_ends_what_it_opened() {
    let site = Site::new();
    let (alice, bob) = (new_key(&site, "alice", &[]), new_key(&site, "bob", &[]));
    let plugins = format!(
        "{}{}",
        Site::guest("progress_flood", "limits = { wall-ms = 120000, cpu-ms = 120000 }"),
        Site::plugin("echo", "")
    );
    let host = Host::serve(&site.config(&format!("[auth]\nkeys = 'keys.json'\n{plugins}")));
    let (mut of_alice, mut of_bob) = (session(&host, &alice), session(&host, &bob));
    let open = streams(&host, &alice, &of_alice);
    let news = of_bob.listen();
    let (subscribed, paired) = (with_key(&host, &bob).listen(), pair(&host, &bob));

    let id = alice.split('_').nth(1).expect("a key has an identifier");
    let (code, said) = toolcell(&site.path(""), &["key", "revoke", id, "--file", "keys.json"]);
    assert_eq!(code, 0, "{said}");
    let revoked = Instant::now();
    for (what, stream) in open {
        stream.ends();
        assert!(revoked.elapsed().as_secs() < 5, "{what} went on for {:?}", revoked.elapsed());
    }
    // The session itself is over, whoever comes with its name.
    assert_eq!(of_alice.post(&request(7, "tools/list", &json!({}))).head.status, 401);
    let again = new_key(&site, "alice", &[]);
    let late = Instant::now() + DEADLINE;
    while with_key(&host, &again).answer("tools/list", &json!({})).head.status != 200 {
        assert!(Instant::now() < late, "a new key is taken");
    }
    let bearer = format!("Bearer {again}");
    let headers = [
        ("Content-Type", "application/json"),
        ("Accept", ACCEPT),
        ("MCP-Protocol-Version", HANDSHAKE),
        ("Mcp-Session-Id", of_alice.id().expect("it had a name")),
        ("Authorization", bearer.as_str()),
    ];
    let list = request(8, "tools/list", &json!({})).to_string();
    assert_eq!(host.connect().request("POST", "/mcp", &headers, list.as_bytes()).head.status, 404);

    // Others notice nothing: what is new reaches them on what they have open.
    assert_eq!(of_bob.say("echo", &json!({ "message": "still here" })), "still here");
    host.reload(|| {
        site.config(&format!(
            "[auth]\nkeys = 'keys.json'\n{}",
            plugins.replace("[plugins.echo]", "[plugins.echo]\nprefix = 'x_'")
        ))
    });
    for mut stream in [news, subscribed] {
        let told = stream.next_message().expect("the stream goes on");
        assert_eq!(told["method"], "notifications/tools/list_changed", "{told}");
    }
    paired.hang_up();
}

/// The text of a refusal, if it is one because there is too much.
fn too_much(status: u16, text: &str, line: &str) -> bool {
    assert!(status != 429 || text.contains(line), "{text}");
    status == 429
}

#[test]
fn one_caller_has_no_more_open_than_it_may_and_others_have_theirs() {
    let site = Site::new();
    let (alice, bob) = (new_key(&site, "alice", &[]), new_key(&site, "bob", &[]));
    let limits = "[server.limits]\nsessions-per-caller = 3\nstreams-per-caller = 2\n[auth]\nkeys = 'keys.json'\n";
    let host = Host::serve(&site.config(&format!("{limits}{}", Site::plugin("echo", ""))));
    let initialize = |key: &str| {
        let params = json!({
            "protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": { "name": "raw", "version": "1" },
        });
        let bearer = format!("Bearer {key}");
        let headers = [("Content-Type", "application/json"), ("Accept", ACCEPT), ("Authorization", bearer.as_str())];
        let message = request(0, "initialize", &params).to_string();
        host.connect().request("POST", "/mcp", &headers, message.as_bytes())
    };
    let mut sessions: Vec<Session> = (0..3).map(|_| session(&host, &alice)).collect();
    for _ in 0..20 {
        let refused = initialize(&alice);
        assert!(too_much(refused.head.status, &refused.text(), "raise `sessions-per-caller` under [server.limits]"));
        assert!(refused.json()["error"].is_object(), "{}", refused.text());
    }
    assert_eq!(initialize(&bob).head.status, 200, "others have theirs");
    assert_eq!(sessions[0].delete(), 204);
    assert_eq!(initialize(&alice).head.status, 200, "one that was closed makes room");

    let line = "raise `streams-per-caller` under [server.limits]";
    let listen = |key: &str| with_key(&host, key).answer("subscriptions/listen", &json!({ "notifications": {} }));
    let get = |session: &Session| {
        let mut http = Http::connect(host.address);
        let headers = session.headers();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        http.send("GET", "/mcp", &headers, b"").expect("it is sent");
        http
    };
    let held = (with_key(&host, &alice).listen_to(&json!({ "toolsListChanged": true })), sessions[1].listen());
    let refused = listen(&alice);
    assert!(too_much(refused.head.status, &refused.text(), line));
    let refused = get(&sessions[2]).response();
    assert!(too_much(refused.head.status, &refused.text(), line));
    let bearer = format!("Bearer {alice}");
    let old = host.connect().request("GET", "/sse", &[("Accept", ACCEPT), ("Authorization", &bearer)], b"");
    assert!(too_much(old.head.status, &old.text(), line));
    drop(with_key(&host, &bob).listen());
    // What ends makes room, as soon as the server knows.
    held.0.hang_up();
    let late = Instant::now() + DEADLINE;
    let opened = loop {
        let mut http = get(&sessions[2]);
        let head = http.head().expect("an answer");
        if head.status == 200 {
            break http;
        }
        assert!(Instant::now() < late && head.status == 429, "{head:?}");
    };
    drop((opened, held.1));
}

#[test]
fn what_a_token_opened_ends_with_it_unless_its_caller_comes_with_a_newer_one() {
    let scene = Scene::new("{}", &[]);
    let plan = json!({ "url": scene.resource, "issuer": scene.issuer.url() });
    scene.run(node("expiry.mjs"), &plan);
}
