//! The commands other than `serve`.

use std::ffi::OsStr;

use serde_json::Value;
use toolcell_tests::artifacts::{guest, plugin};
use toolcell_tests::host::{Ran, run};
use toolcell_tests::site::Site;

fn toolcell(words: &[&OsStr]) -> Ran {
    run(words.iter().copied())
}

#[test]
fn inspect_shows_what_is_in_a_component() {
    let filesystem = plugin("filesystem");
    let ran = toolcell(&["inspect".as_ref(), filesystem.as_os_str()]);
    assert!(ran.status.success(), "{ran:?}");
    for part in ["read_text_file", "sha256:", "wasi:", "directory"] {
        assert!(ran.stdout.contains(part), "{part} is not in {}", ran.stdout);
    }
    let ran = toolcell(&["inspect".as_ref(), "--json".as_ref(), filesystem.as_os_str()]);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    let tools = told["tools"].as_array().map_or(0, Vec::len);
    assert_eq!(tools, 14, "{}", ran.stdout);
}

#[test]
fn call_runs_one_tool() {
    let echo = plugin("echo");
    let call =
        |tool: &str, arguments: &str| toolcell(&["call".as_ref(), tool.as_ref(), arguments.as_ref(), echo.as_os_str()]);
    let ran = call("echo", r#"{"message":"hi"}"#);
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(ran.stdout.trim(), "hi");

    let ran = call("echo", r#"{"message":5}"#);
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    assert!(ran.stderr.contains("message") || ran.stdout.contains("message"), "{ran:?}");

    let ran = call("ohce", "{}");
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
    assert!(ran.stderr.contains("ohce") && ran.stderr.contains("echo"), "{ran:?}");
}

#[test]
fn check_says_everything_that_is_wrong_at_once() {
    let site = Site::new();
    site.write("text.wasm", "no component");
    let text = format!(
        "{}\n[plugins.text]\npath = 'text.wasm'\n\n[plugins.gone]\npath = 'gone.wasm'\n\n{}",
        Site::plugin("echo", ""),
        Site::guest("list_duplicate", ""),
    );
    let config = site.config(&text);
    let ran = toolcell(&["check".as_ref(), "--config".as_ref(), config.as_os_str()]);
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    for part in ["text.wasm", "gone.wasm", "list_duplicate", "echo: 1 tools"] {
        assert!(ran.stdout.contains(part), "{part} is not in {}", ran.stdout);
    }

    let config = site.config(&Site::plugin("echo", ""));
    let ran = toolcell(&["check".as_ref(), "--config".as_ref(), config.as_os_str()]);
    assert!(ran.status.success(), "{ran:?}");
}

#[test]
fn the_schema_of_the_config_is_json_schema() {
    let ran = toolcell(&["schema".as_ref()]);
    assert!(ran.status.success(), "{ran:?}");
    let schema: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    assert!(schema["properties"]["plugins"].is_object(), "{}", ran.stdout);
}

#[test]
fn errors_of_usage_are_one_message_and_exit_code_2() {
    let v1 = guest("versioned_v1");
    for (words, parts) in [
        (vec!["serve".as_ref(), "--http".as_ref(), "nowhere".as_ref(), v1.as_os_str()], vec!["nowhere"]),
        (
            vec!["serve".as_ref(), "--config".as_ref(), "/nowhere/toolcell.toml".as_ref()],
            vec!["/nowhere/toolcell.toml"],
        ),
        (vec!["inspect".as_ref(), "/nowhere/it.wasm".as_ref()], vec!["/nowhere/it.wasm"]),
        (vec!["serv".as_ref()], vec!["serv"]),
    ] {
        let ran = toolcell(&words);
        assert_eq!(ran.status.code(), Some(2), "{ran:?}");
        for part in parts {
            assert!(ran.stderr.contains(part), "{part} is not in {}", ran.stderr);
        }
        assert!(!ran.stderr.contains("panicked"), "{ran:?}");
    }
}
