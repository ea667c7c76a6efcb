//! Uses the key-value store and other tools without having been granted either.

use toolcell_guests::bindings::toolcell::plugin::{key_value, peers};
use toolcell_guests::{Args, Report, tool};

tool!(store_and_peers, "Writes, reads and lists keys, and calls the tool `peer` (default echo).");

fn store_and_peers(args: &Args) -> Report {
    let peer = args.text("peer", "echo");
    let mut report = Report::new();
    let words = |error: key_value::StoreError| format!("{error:?}");
    report.add("set", "key", key_value::set("key", b"value").map(|()| "set").map_err(words));
    report.add("get", "key", key_value::get("key").map(|value| format!("{value:?}")).map_err(words));
    let swapped = key_value::compare_and_set("key", None, Some(b"value"));
    report.add("swap", "key", swapped.map(|()| "swapped").map_err(words));
    report.add("delete", "key", key_value::delete("key").map(|()| "deleted").map_err(words));
    let listed = key_value::list_keys("", None).map(|page| page.keys.join(","));
    report.add("list", "keys", listed.map_err(words));
    let called = peers::call(peer, r#"{"message":"hello"}"#);
    report.add(
        "call",
        peer,
        called.map(|result| format!("{} blocks", result.content.len())).map_err(|error| format!("{error:?}")),
    );
    report
}
