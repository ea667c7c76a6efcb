//! `toolcell test`: what every plugin must do, judged on plugins that do and guests that do not.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::Value;
use toolcell_tests::artifacts::{guest, plugin};
use toolcell_tests::host::{Ran, run};

/// Runs it; what it found, by the names of the checks.
fn judged(component: &Path, more: &[&str]) -> (Ran, Value) {
    let words = ["test", "--json"].into_iter().chain(more.iter().copied()).map(OsStr::new);
    let ran = run(words.chain([component.as_os_str()]));
    let told = serde_json::from_str(&ran.stdout).unwrap_or_else(|why| panic!("no JSON ({why}): {ran:?}"));
    (ran, told)
}

fn check<'a>(told: &'a Value, name: &str) -> &'a Value {
    let checks = told["checks"].as_array().map(Vec::as_slice).unwrap_or_default();
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("there is no check {name} in {told:#}"))
}

#[test]
fn first_party_plugins_pass() {
    for name in ["echo", "time", "filesystem", "memory", "sequential-thinking", "fetch"] {
        let (ran, told) = judged(&plugin(name), &[]);
        assert_eq!(told["failed"], 0, "{name}: {told:#}");
        assert_eq!(ran.status.code(), Some(0), "{name}");
        for name in ["loads", "manifest", "schemas", "descriptions", "deterministic", "errors", "limits", "access"] {
            assert_ne!(check(&told, name)["verdict"], "skip", "{told:#}");
        }
    }
}

#[test]
fn what_a_guest_does_wrong_is_found_and_named() {
    for (name, found, part) in [
        ("panic", "edges", "crashes"),
        ("panic", "edges", "  at "),
        ("list_duplicate", "loads", "listed twice"),
        ("list_bad_schema", "loads", "schema"),
        ("list_bad_names", "loads", "name"),
        ("huge_output", "limits", "output-bytes"),
        ("undeclared_host", "access", "may not send"),
    ] {
        let (ran, told) = judged(&guest(name), &["--all"]);
        assert_eq!(ran.status.code(), Some(1), "{name}: {told:#}");
        let check = check(&told, found);
        assert_eq!(check["verdict"], "fail", "{name}: {told:#}");
        assert!(check["notes"].to_string().contains(part), "{name}: {part} is not in {check:#}");
    }
}

#[test]
fn what_does_not_load_fails_and_what_is_not_there_cannot_be_tried() {
    for name in ["list_panics", "list_fails"] {
        let (ran, told) = judged(&guest(name), &[]);
        assert_eq!((ran.status.code(), &check(&told, "loads")["verdict"]), (Some(1), &Value::from("fail")), "{told:#}");
    }
    for words in [["test", "/nowhere/it.wasm"], ["test", "/"]] {
        let ran = run(words.iter().map(OsStr::new));
        assert_eq!(ran.status.code(), Some(2), "{ran:?}");
        assert!(ran.stderr.contains("toolcell new") || ran.stderr.contains("/nowhere"), "{ran:?}");
    }
}

#[test]
fn in_words_each_check_is_a_line_and_each_fault_says_how_to_mend_it() {
    let panic = guest("panic");
    let ran = run(["test".as_ref(), panic.as_os_str()]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines.iter().any(|line| line.starts_with("pass  loads")), "{}", ran.stdout);
    assert!(lines.iter().any(|line| line.starts_with("fail  edges")), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("→ ") && ran.stdout.contains("why: ") && ran.stdout.contains(" failed, "),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains('\u{1b}'), "no colours without a terminal: {}", ran.stdout);
}
