//! Plugins and grants change while the host runs: what clients see, and what they must not see.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toolcell_tests::artifacts::{guest, plugin};
use toolcell_tests::host::Host;
use toolcell_tests::mcp::{HANDSHAKE, Modern};
use toolcell_tests::site::{Site, quoted};
use toolcell_tests::stdio::Pipe;

fn version(client: &mut Modern) -> String {
    client.say("version", &json!({}))
}

#[test]
fn a_file_dropped_into_a_served_folder_is_served_and_leaves_with_the_file() {
    let site = Site::new();
    let folder = site.folder("plugins");
    let host = Host::serve_paths(&[&folder]);
    let mut client = host.modern();
    assert_eq!(client.tools(), [""; 0]);

    let mut modern = host.modern().listen();
    let session = host.session(HANDSHAKE);
    let mut handshake = session.listen();

    site.put("plugins/echo.wasm", &plugin("echo"));
    for events in [&mut modern, &mut handshake] {
        let told = events.next_message().expect("the stream stays open");
        assert_eq!(told["method"], "notifications/tools/list_changed");
    }
    assert_eq!(client.tools(), ["echo"]);
    assert_eq!(client.say("echo", &json!({ "message": "hi" })), "hi");

    fs::remove_file(site.path("plugins/echo.wasm")).expect("a file can be removed");
    for events in [&mut modern, &mut handshake] {
        let told = events.next_message().expect("the stream stays open");
        assert_eq!(told["method"], "notifications/tools/list_changed");
    }
    assert_eq!(client.tools(), [""; 0]);
    let gone = client.ask("tools/call", &json!({ "name": "echo", "arguments": { "message": "hi" } }));
    assert_eq!(gone["error"]["code"], -32602, "{gone}");
}

#[test]
fn a_replaced_file_is_served_and_clients_hear_of_it_only_if_the_list_changed() {
    let site = Site::new();
    site.put("plugins/it.wasm", &guest("versioned_v1"));
    let mut pipe = Pipe::start([site.path("plugins").as_os_str()]);
    pipe.send(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": { "name": "raw", "version": "1" },
    }}));
    pipe.receive_response(1);
    pipe.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    let mut call = |id: u64| {
        pipe.send(&json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": "version" } }));
        let message = pipe.receive();
        assert_eq!(message["id"], id, "nothing but the response was due: {message}");
        message["result"]["content"][0]["text"].as_str().map(str::to_owned)
    };
    assert_eq!(call(2).as_deref(), Some("v1"));
    site.put("plugins/it.wasm", &guest("versioned_v2"));
    // The two versions list the same tools, so the only sign is the answer itself.
    let swapped = (3..).find(|id| call(*id).as_deref() == Some("v2"));
    assert!(swapped.is_some());
    site.put("plugins/it.wasm", &plugin("echo"));
    assert_eq!(pipe.receive()["method"], "notifications/tools/list_changed");
}

#[test]
fn a_half_written_file_leaves_the_old_version_until_it_is_complete() {
    let site = Site::new();
    let file = site.put("it.wasm", &guest("versioned_v1"));
    let host = Host::serve_paths(&[&file]);
    let mut client = host.modern();
    assert_eq!(version(&mut client), "v1");

    let new = fs::read(guest("versioned_v2")).expect("a component can be read");
    let (half, _) = new.split_at(new.len() / 2);
    let mark = host.log.mark();
    site.write("it.wasm", half);
    host.log.wait_for(mark, &["plugin it", "it.wasm", "stays in service"]);
    assert_eq!(version(&mut client), "v1");

    let mark = host.log.mark();
    site.write("it.wasm", &new);
    host.log.wait_for(mark, &["plugin replaced"]);
    host.log.wait_for(mark, &["INFO", "in service"]);
    assert_eq!(version(&mut client), "v2");
}

#[test]
fn a_broken_build_leaves_the_old_version_and_says_so() {
    let site = Site::new();
    site.put("plugins/it.wasm", &guest("versioned_v1"));
    let host = Host::serve_paths(&[&site.path("plugins")]);
    let mut client = host.modern();
    for broken in [&b"not a component at all"[..], b"\0asm\x01\0\0\0", b""] {
        let said = host.reload(|| site.replace("plugins/it.wasm", broken));
        assert!(said.contains("plugin it") && said.contains("stays in service"), "{said}");
        assert_eq!(version(&mut client), "v1");
    }
    let guests = [guest("list_panics"), guest("list_fails")];
    for broken in &guests {
        let said = host.reload(|| site.put("plugins/it.wasm", broken));
        assert!(said.contains("plugin it") && said.contains("stays in service"), "{said}");
        assert_eq!(version(&mut client), "v1");
    }
    host.reload(|| site.put("plugins/it.wasm", &guest("versioned_v2")));
    assert_eq!(version(&mut client), "v2");
}

#[test]
fn a_call_in_flight_ends_on_the_version_it_began_with() {
    let site = Site::new();
    site.put("plugins/it.wasm", &guest("versioned_v1"));
    let host = Host::serve_paths(&[&site.path("plugins")]);
    let mut slow = host.modern();
    slow.send("tools/call", &json!({ "name": "slow", "arguments": { "ms": 2_000 } }));
    // A later request has been answered, so the earlier one is being worked on.
    let mut client = host.modern();
    assert_eq!(version(&mut client), "v1");
    host.reload(|| site.put("plugins/it.wasm", &guest("versioned_v2")));
    assert_eq!(version(&mut client), "v2");
    let answer = toolcell_tests::mcp::response_of(&slow.into_http().response());
    assert_eq!(answer["result"]["content"][0]["text"], "v1");
}

#[cfg(unix)]
#[test]
fn a_symlinked_folder_is_followed_when_the_link_moves() {
    let site = Site::new();
    site.put("one/it.wasm", &guest("versioned_v1"));
    site.put("two/it.wasm", &guest("versioned_v2"));
    let link = |to: &str| {
        let fresh = site.path("link.new");
        std::os::unix::fs::symlink(site.path(to), &fresh).expect("a link can be made");
        fs::rename(fresh, site.path("link")).expect("a link can be moved");
    };
    link("one");
    let host = Host::serve_paths(&[&site.path("link")]);
    let mut client = host.modern();
    assert_eq!(version(&mut client), "v1");
    host.reload(|| link("two"));
    assert_eq!(version(&mut client), "v2");
    // The folder behind the new link is watched as well.
    let mut events = host.modern().listen();
    site.put("two/echo.wasm", &plugin("echo"));
    assert_eq!(events.next_message().unwrap_or_default()["method"], "notifications/tools/list_changed");
}

#[test]
fn an_edited_config_is_live_and_a_broken_one_changes_nothing() {
    let site = Site::new();
    let echo = Site::plugin("echo", "");
    let config = site.config(&echo);
    let host = Host::serve(&config);
    let mut client = host.modern();
    assert_eq!(client.tools(), ["echo"]);

    host.reload(|| site.config(&format!("{echo}{}", Site::guest("versioned_v1", "prefix = 'a_'"))));
    assert_eq!(client.tools(), ["echo", "a_version", "a_slow"]);

    let unclear = format!("{}{}", Site::plugin("echo", "colour = 'red'"), Site::guest("versioned_v1", "prefix = 'a_'"));
    for (broken, parts) in
        [("[plugins.echo\npath = 'x'", ["toolcell.toml", "1"]), (&unclear, ["toolcell.toml", "colour"])]
    {
        let mark = host.log.mark();
        site.config(broken);
        host.log.wait_for(mark, &parts);
        assert_eq!(client.tools(), ["echo", "a_version", "a_slow"]);
    }

    let mark = host.log.mark();
    site.config(&format!("{echo}{}", Site::guest("versioned_v2", "prefix = 'b_'")));
    host.log.wait_for(mark, &["INFO", "plugin loaded", "versioned_v2"]);
    assert_eq!(client.tools(), ["echo", "b_version", "b_slow"]);
}

#[test]
fn an_edited_grant_is_live() {
    let site = Site::new();
    site.write("docs/hello.txt", "hello\n");
    let entry = |more: &str| Site::plugin("filesystem", more);
    let config = site.config(&entry(""));
    let host = Host::serve(&config);
    let mut client = host.modern();
    let read = json!({ "path": "/docs/hello.txt" });
    assert_eq!(client.call("read_text_file", &read)["isError"], true);

    host.reload(|| site.config(&entry("dirs = [{ host = 'docs', guest = '/docs', access = 'read-only' }]")));
    assert_eq!(client.say("read_text_file", &read), "hello\n");
    let write = json!({ "path": "/docs/new.txt", "content": "new" });
    assert_eq!(client.call("write_file", &write)["isError"], true);
    assert!(!site.path("docs/new.txt").exists());

    host.reload(|| site.config(&entry("dirs = [{ host = 'docs', guest = '/docs', access = 'read-write' }]")));
    assert_ne!(client.call("write_file", &write)["isError"], true);
    assert_eq!(fs::read_to_string(site.path("docs/new.txt")).ok().as_deref(), Some("new"));

    host.reload(|| site.config(&entry("")));
    assert_eq!(client.call("read_text_file", &read)["isError"], true);
}

/// Calls a second, all clients together.
const RATE: u64 = 1_000;
const CLIENTS: u64 = 4;
const SWAPS: usize = 20;
/// Calls between one swap and the next: 20 swaps then take at least two seconds of load.
const BETWEEN: usize = 100;
/// How soon the new version must answer after the file is in place, as a median.
const LIVE_WITHIN: Duration = Duration::from_millis(250);

#[test]
fn under_load_no_call_fails_while_the_plugin_is_replaced() {
    let site = Site::new();
    let versions = [guest("versioned_v1"), guest("versioned_v2")];
    site.put("plugins/it.wasm", &versions[0]);
    let host = Host::serve_paths(&[&site.path("plugins")]);
    let (done, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
    let begun = Instant::now();
    let latencies = thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| call_steadily(host.modern(), &done, &calls));
        }
        let mut client = host.modern();
        let mut latencies = Vec::new();
        for swap in 1..=SWAPS {
            let due = calls.load(Ordering::Relaxed) + BETWEEN;
            while calls.load(Ordering::Relaxed) < due {
                assert_eq!(version(&mut client), ["v1", "v2"][(swap - 1) % 2]);
            }
            latencies.push(live_after(&site, &versions[swap % 2], swap % 2, &mut client));
        }
        done.store(true, Ordering::Relaxed);
        latencies
    });
    let seconds = begun.elapsed().as_secs_f64();
    let mut sorted = latencies.clone();
    sorted.sort();
    let median = sorted[SWAPS / 2];
    let calls = calls.load(Ordering::Relaxed);
    println!(
        "{calls} calls in {seconds:.1} s, {SWAPS} swaps, live within {median:?} (median), {:?} (worst)",
        sorted[SWAPS - 1]
    );
    assert!(median <= LIVE_WITHIN, "the new version answered after {latencies:?}");
}

/// Calls at an even pace until told to stop; every call must succeed.
fn call_steadily(mut client: Modern, done: &AtomicBool, calls: &AtomicUsize) {
    let pace = Duration::from_micros(1_000_000 * CLIENTS / RATE);
    let begun = Instant::now();
    let mut due = Duration::ZERO;
    while !done.load(Ordering::Relaxed) {
        let answer = version(&mut client);
        assert!(answer == "v1" || answer == "v2", "{answer}");
        calls.fetch_add(1, Ordering::Relaxed);
        due += pace;
        thread::sleep(due.saturating_sub(begun.elapsed()));
    }
}

/// Puts a version in place; returns how long it took until it answered.
fn live_after(site: &Site, component: &Path, index: usize, client: &mut Modern) -> Duration {
    let wanted = ["v1", "v2"][index];
    let part = site.write("new.part", fs::read(component).expect("a component can be read"));
    let begun = Instant::now();
    fs::rename(part, site.path("plugins/it.wasm")).expect("a component can be put in place");
    while version(client) != wanted {
        assert!(begun.elapsed() < toolcell_tests::DEADLINE, "{wanted} never answered");
    }
    begun.elapsed()
}

#[test]
fn a_config_is_found_by_the_path_of_its_own_folder() {
    let site = Site::new();
    site.put("inner/echo.wasm", &plugin("echo"));
    let text = format!("[plugins.echo]\npath = {}\n", quoted("echo.wasm".as_ref()));
    let config = site.write("inner/toolcell.toml", text);
    let host = Host::serve(&config);
    let tools: Vec<Value> = host.modern().tools().into_iter().map(Value::from).collect();
    assert_eq!(tools, ["echo"]);
}
