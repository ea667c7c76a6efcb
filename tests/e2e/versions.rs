//! Several versions of a plugin beside each other, and one after the other: what a new version changes, what the operator wants
//! of it, and what callers of the old one see.

use std::fs;

use serde_json::{Value, json};
use toolcell_tests::artifacts::guest;
use toolcell_tests::component::{Nested, crowd, stamped, strange};
use toolcell_tests::host::Host;
use toolcell_tests::log::Mark;
use toolcell_tests::mcp::Modern;
use toolcell_tests::site::Site;

/// One of the two guests of the reload tests, with a manifest that says this version.
fn versioned(name: &str, version: &str) -> Vec<u8> {
    stamped(&fs::read(guest(name)).expect("a component can be read"), version, &json!({}))
}

/// Functions `f1`, `f2` and so on, as this version of a plugin.
fn functions(count: usize, version: &str) -> Vec<u8> {
    stamped(&crowd(count), version, &json!({}))
}

/// A config with one plugin, `it.wasm`.
fn config(more: &str) -> String {
    format!("[plugins.it]\npath = 'it.wasm'\n{more}\n")
}

fn tool(client: &mut Modern, name: &str) -> Value {
    let tools = client.list("tools/list", "tools");
    tools.into_iter().find(|tool| tool["name"] == name).unwrap_or_else(|| panic!("there is no tool {name}"))
}

#[test]
fn versions_run_side_by_side_and_the_newest_has_the_plain_names() {
    let site = Site::new();
    site.write("one.wasm", versioned("versioned_v1", "1.4.0"));
    site.write("two.wasm", versioned("versioned_v2", "2.0.1"));
    let both = |of_one: &str, of_two: &str| {
        format!("[plugins.\"it@1\"]\npath = 'one.wasm'\n{of_one}\n[plugins.\"it@2\"]\npath = 'two.wasm'\n{of_two}\n")
    };
    let host = Host::serve(&site.config(&both("", "")));
    host.log.wait_for(Mark::START, &["plugin loaded", "it@1", "1.4.0"]);
    let mut client = host.modern();
    assert_eq!(client.tools(), ["version_v1", "slow_v1", "version", "slow"]);
    assert_eq!(client.say("version", &json!({})), "v2");
    assert_eq!(client.say("version_v1", &json!({})), "v1");

    // A prefix tells them apart, too.
    host.reload(|| site.config(&both("prefix = 'old_'", "")));
    assert_eq!(client.tools(), ["old_version", "old_slow", "version", "slow"]);

    // Without the newer one, the older one has the plain names.
    host.reload(|| site.config(&both("", "enabled = false")));
    assert_eq!(client.tools(), ["version", "slow"]);
    assert_eq!(client.say("version", &json!({})), "v1");
}

#[test]
fn a_version_that_does_not_load_leaves_its_names_to_nobody() {
    let site = Site::new();
    site.write("one.wasm", versioned("versioned_v1", "1.4.0"));
    site.write("two.wasm", "no component");
    let text = "[plugins.\"it@1\"]\npath = 'one.wasm'\n[plugins.\"it@2\"]\npath = 'two.wasm'\n";
    let host = Host::serve(&site.config(text));
    let mut client = host.modern();
    assert_eq!(client.tools(), ["version_v1", "slow_v1"]);
    host.reload(|| site.replace("two.wasm", versioned("versioned_v2", "2.0.0")));
    assert_eq!(client.tools(), ["version_v1", "slow_v1", "version", "slow"]);
}

#[test]
fn a_component_of_another_version_is_refused_with_the_line_to_change() {
    let site = Site::new();
    site.write("it.wasm", versioned("versioned_v2", "2.0.1"));
    site.write("unsaid.wasm", crowd(1));
    site.folder("many");
    let host = Host::serve(&site.config(
        "[plugins.\"it@1\"]\npath = 'it.wasm'\n[plugins.\"unsaid@1\"]\npath = 'unsaid.wasm'\n[plugins.\"many@1\"]\npath = 'many'\n",
    ));
    for parts in [
        ["it is version \"2.0.1\"", "[plugins.\"it@1\"] to [plugins.\"it@2\"]"],
        ["says no version", "[plugins.\"unsaid@1\"] to [plugins.unsaid]"],
        ["many@1", "give the path of a component"],
    ] {
        host.log.wait_for(Mark::START, &parts);
    }
    assert_eq!(host.modern().tools(), [""; 0]);
}

#[test]
fn what_a_new_version_changes_is_logged() {
    let site = Site::new();
    site.write("it.wasm", functions(3, "1.0.0"));
    let host = Host::serve(&site.config(&config("")));
    let said = host.reload(|| site.replace("it.wasm", functions(2, "1.1.0")));
    for part in ["WARN", "breaking change", "f3", "it is no longer there", "1.1.0", "1.0.0"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = host.reload(|| site.replace("it.wasm", functions(3, "1.2.0")));
    assert!(said.contains("compatible change") && said.contains("it is new"), "{said}");
    assert!(!said.contains("WARN"), "{said}");

    host.reload(|| site.replace("it.wasm", stamped(&strange(Nested::Wide(2)), "2.0.0", &json!({}))));
    let said = host.reload(|| site.replace("it.wasm", stamped(&strange(Nested::Wide(3)), "2.1.0", &json!({}))));
    assert!(said.contains("WARN") && said.contains("strange") && said.contains("value"), "{said}");
    assert!(!said.contains("tool=\"plain\""), "what is the same is not told of: {said}");

    let asking = json!({ "requests": { "env": [{ "name": "TZ", "why": "local time" }] } });
    let said = host.reload(|| site.replace("it.wasm", stamped(&strange(Nested::Wide(3)), "2.2.0", &asking)));
    assert!(said.contains("grant change: it asks for the variable \"TZ\""), "{said}");
}

#[test]
fn a_breaking_version_is_refused_where_the_operator_wants_that() {
    let site = Site::new();
    site.write("it.wasm", functions(3, "1.0.0"));
    let host = Host::serve(&site.config(&config("on-breaking = 'refuse'")));
    let mut client = host.modern();
    let said = host.reload(|| site.replace("it.wasm", functions(2, "2.0.0")));
    for part in ["ERROR", "stays in service", "\"f3\": it is no longer there", "[plugins.it] on-breaking = \"warn\""] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(client.tools(), ["f1", "f2", "f3"]);
    assert_ne!(client.call("f3", &json!({}))["isError"], true);
    // What the operator wants besides holds for the version that stays.
    host.reload(|| site.config(&config("on-breaking = 'refuse'\nprefix = 'x_'")));
    assert_eq!(client.tools(), ["x_f1", "x_f2", "x_f3"]);
    host.reload(|| site.replace("it.wasm", functions(4, "1.1.0")));
    assert_eq!(client.tools(), ["x_f1", "x_f2", "x_f3", "x_f4"]);
    // The line that was shown helps.
    host.reload(|| site.replace("it.wasm", functions(2, "2.0.0")));
    assert_eq!(client.tools(), ["x_f1", "x_f2", "x_f3", "x_f4"]);
    host.reload(|| site.config(&config("on-breaking = 'warn'\nprefix = 'x_'")));
    assert_eq!(client.tools(), ["x_f1", "x_f2"]);
}

#[test]
fn both_versions_are_kept_where_the_operator_wants_that() {
    let site = Site::new();
    site.write("it.wasm", versioned("versioned_v1", "1.2.0"));
    let text = site.config(&config("on-breaking = 'keep-both'"));
    let host = Host::serve(&text);
    let mut client = host.modern();
    assert_eq!(client.tools(), ["version", "slow"]);
    host.reload(|| site.replace("it.wasm", functions(2, "2.0.0")));
    assert_eq!(client.tools(), ["f1", "f2", "version_v1_2_0", "slow_v1_2_0"]);
    assert_eq!(client.say("version_v1_2_0", &json!({})), "v1");
    let kept = tool(&mut client, "version_v1_2_0");
    let description = kept["description"].as_str().unwrap_or_default();
    assert!(description.starts_with("Deprecated: this is version 1.2.0, and newer ones have no such tool\n"), "{kept}");
    assert!(kept["_meta"]["io.toolcell/deprecated"].is_string(), "{kept}");

    // A compatible change leaves them, a breaking one puts others in their place.
    host.reload(|| site.replace("it.wasm", functions(3, "2.1.0")));
    assert_eq!(client.tools(), ["f1", "f2", "f3", "version_v1_2_0", "slow_v1_2_0"]);
    host.reload(|| site.replace("it.wasm", functions(1, "3.0.0")));
    assert_eq!(client.tools(), ["f1", "f2_v2_1_0", "f3_v2_1_0"]);
    assert_ne!(client.call("f3_v2_1_0", &json!({}))["isError"], true);

    // They are served as the operator wants the plugin served now, or not at all.
    host.reload(|| site.config(&config("on-breaking = 'keep-both'\nprefix = 'x_'")));
    assert_eq!(client.tools(), ["x_f1", "x_f2_v2_1_0", "x_f3_v2_1_0"]);
    host.reload(|| site.config(&config("")));
    assert_eq!(client.tools(), ["f1"]);
}

#[test]
fn a_deprecated_tool_says_so() {
    let site = Site::new();
    let deprecated = json!({ "deprecated": { "f1": "use f2 instead" } });
    site.write("it.wasm", stamped(&crowd(2), "1.0.0", &deprecated));
    let host = Host::serve(&site.config(&config("")));
    let mut client = host.modern();
    let (old, new) = (tool(&mut client, "f1"), tool(&mut client, "f2"));
    assert!(old["description"].as_str().is_some_and(|text| text.starts_with("Deprecated: use f2 instead")), "{old}");
    assert_eq!(old["_meta"]["io.toolcell/deprecated"], "use f2 instead", "{old}");
    assert!(new["_meta"].is_null(), "{new}");
    assert_ne!(client.call("f1", &json!({}))["isError"], true);
}
