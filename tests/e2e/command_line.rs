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
fn arguments_are_pairs_or_json() {
    let echo = plugin("echo");
    for words in [&["call", "echo", "message=hi"][..], &["call", "echo", "{\"message\":\"hi\"}"]] {
        let ran = run(words.iter().map(OsStr::new).chain([echo.as_os_str()]));
        assert_eq!((ran.status.code(), ran.stdout.trim()), (Some(0), "hi"), "{ran:?}");
    }
}

#[test]
fn call_shows_the_result_as_clients_get_it() {
    let echo = plugin("echo");
    let call = |arguments: &str| {
        let words = ["call", "echo", arguments, "--json"].map(OsStr::new);
        run(words.into_iter().chain([echo.as_os_str()]))
    };
    let ran = call("message=hi");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    assert_eq!((ran.status.code(), &told["content"][0]["text"]), (Some(0), &Value::from("hi")), "{ran:?}");
    let ran = call("other=hi");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    assert_eq!((ran.status.code(), &told["isError"]), (Some(1), &Value::from(true)), "{ran:?}");
}

#[test]
fn a_trace_shows_times_and_the_stack_of_a_crash_by_names() {
    let echo = plugin("echo");
    let ran =
        toolcell(&["call".as_ref(), "echo".as_ref(), "message=hi".as_ref(), echo.as_os_str(), "--trace".as_ref()]);
    assert_eq!(ran.stdout.trim(), "hi", "the result stands alone: {ran:?}");
    for part in ["loaded", "made an instance in", "of memory", "ended"] {
        assert!(ran.stderr.contains(part), "{part} is not in {}", ran.stderr);
    }
    let panic = guest("panic");
    let ran = toolcell(&["call".as_ref(), "panic".as_ref(), panic.as_os_str(), "--trace".as_ref()]);
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    for part in ["crashed", "at std::panicking", "panics on purpose"] {
        assert!(ran.stderr.contains(part), "{part} is not in {}", ran.stderr);
    }
    let is_hash = |rest: &str| rest.len() >= 16 && rest.bytes().take(16).all(|byte| byte.is_ascii_hexdigit());
    assert!(!ran.stderr.split("::h").skip(1).any(is_hash), "names have no hashes: {}", ran.stderr);
}

#[test]
fn a_trace_shows_what_was_refused() {
    let guest = guest("undeclared_host");
    let inspected = toolcell(&["inspect".as_ref(), "--json".as_ref(), guest.as_os_str()]);
    let told: Value = serde_json::from_str(&inspected.stdout).unwrap_or_default();
    let tool = told["tools"][0]["name"].as_str().unwrap_or_default().to_owned();
    let ran = toolcell(&["call".as_ref(), tool.as_ref(), guest.as_os_str(), "--trace".as_ref()]);
    assert!(ran.stderr.contains("refused") && ran.stderr.contains("may not send"), "{ran:?}");
}

#[test]
fn inspect_says_what_would_grant_it_all_and_what_is_vague() {
    let filesystem = plugin("filesystem");
    let ran = toolcell(&["inspect".as_ref(), filesystem.as_os_str()]);
    for part in ["add to toolcell.toml", "[plugins.filesystem]", "dirs = [{ host = ", "read-write"] {
        assert!(ran.stdout.contains(part), "{part} is not in {}", ran.stdout);
    }
    let guest = guest("list_none");
    let ran = toolcell(&["inspect".as_ref(), guest.as_os_str(), "--json".as_ref()]);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    assert!(told["findings"].is_array() && told["grant"].is_null(), "{}", ran.stdout);
}

#[test]
fn check_can_be_read_by_programs() {
    let site = Site::new();
    let config = site.config(&format!("{}\n[plugins.gone]\npath = 'gone.wasm'\n", Site::plugin("echo", "")));
    let ran = toolcell(&["check".as_ref(), "--json".as_ref(), "--config".as_ref(), config.as_os_str()]);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    assert_eq!((ran.status.code(), &told["ok"]), (Some(1), &Value::from(false)), "{ran:?}");
    assert!(told["problems"][0].as_str().is_some_and(|text| text.contains("gone")), "{told}");
    assert_eq!(told["plugins"][0]["tools"], serde_json::json!(["echo"]), "{told}");
}

#[test]
fn every_command_teaches_by_example_and_says_its_exit_codes() {
    for command in ["serve", "dev", "test", "inspect", "call", "check", "man"] {
        let ran = toolcell(&[command.as_ref(), "--help".as_ref()]);
        assert!(ran.status.success() && ran.stdout.contains("Examples:"), "{command}: {}", ran.stdout);
        assert!(ran.stdout.contains("Exit codes:"), "{command}: {}", ran.stdout);
    }
}

#[test]
fn shells_complete_and_the_manual_has_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = toolcell(&["completions".as_ref(), shell.as_ref()]);
        assert!(ran.status.success() && ran.stdout.contains("inspect"), "{shell}");
    }
    let ran = toolcell(&["man".as_ref()]);
    assert!(ran.stdout.starts_with(".") && ran.stdout.contains("toolcell"), "{}", ran.stdout);
    let site = Site::new();
    let ran = toolcell(&["man".as_ref(), site.path("man1").as_os_str()]);
    assert!(ran.status.success(), "{ran:?}");
    for page in ["toolcell.1", "toolcell-call.1", "toolcell-dev.1"] {
        assert!(site.path("man1").join(page).is_file(), "{page}");
    }
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
