//! Rules about the source itself. Each reads files and names file and line of what breaks it.

use std::fs;
use std::path::{Path, PathBuf};

/// Files longer than this are refused: a reader gets lost.
const MAX_LINES: usize = 800;

/// Which layer lies where below `host`, and which others it may name. The order is the way of a call.
const LAYERS: &[(&str, &str, &[&str])] = &[
    ("transport", "src/transport", &["protocol"]),
    ("protocol", "src/protocol", &["registry", "state"]),
    ("registry", "src/registry", &["sandbox", "policy"]),
    ("state", "state/src", &[]),
    ("sandbox", "sandbox/src", &["policy"]),
    ("policy", "policy/src", &[]),
    ("identity", "identity/src", &[]),
    ("quota", "quota/src", &[]),
    ("telemetry", "telemetry/src", &[]),
    ("author", "author/src", &["policy"]),
];

/// Crates that only the named places may use; a place is a folder or a file below `host`.
const EXTERNAL: &[(&str, &[&str])] = &[
    ("wasmtime", &["sandbox"]),
    ("wasmtime_wasi", &["sandbox"]),
    ("wasmtime_wasi_http", &["sandbox"]),
    ("wasmparser", &["sandbox", "author"]),
    ("wasm_encoder", &["author"]),
    ("wit_parser", &["author"]),
    ("wit_component", &["author"]),
    ("redb", &["state"]),
    ("notify", &["src/registry"]),
    ("moka", &["src/registry/results.rs", "src/registry/approval.rs", "identity"]),
    ("regex", &["src/registry/pattern.rs", "telemetry"]),
    ("hyper", &["src/transport", "sandbox", "identity"]),
    ("hyper_util", &["src/transport", "sandbox", "identity"]),
    ("reqwest", &["telemetry"]),
    ("opentelemetry", &["telemetry"]),
    ("prost", &["telemetry"]),
    ("prometheus_client", &["telemetry"]),
    ("governor", &["quota"]),
    ("x509_parser", &["identity"]),
    (
        "serde_json",
        &[
            "src/protocol",
            "src/registry/schema.rs",
            "src/registry/manifest.rs",
            "src/registry/tool.rs",
            "src/registry/results.rs",
            "src/registry/approval.rs",
            "src/registry/compare.rs",
            "src/host/overseer.rs",
            "src/host/door.rs",
            "identity",
            "telemetry",
            "src/transport/http/admin.rs",
            "src/config",
            "src/cli",
            "state",
            "sandbox/src/plain",
            "author",
        ],
    ),
    ("jsonschema", &["src/registry/schema.rs"]),
    ("toml", &["src/config", "author"]),
    ("clap", &["src/cli"]),
    ("clap_complete", &["src/cli"]),
    ("clap_mangen", &["src/cli"]),
    ("tempfile", &["src/cli", "identity", "telemetry"]),
    ("regex_syntax", &["src/cli"]),
    ("toolcell_author", &["src/cli", "author"]),
    ("toolcell_identity", &["src/host", "src/cli", "identity"]),
    ("toolcell_telemetry", &["src/host", "src/cli", "telemetry"]),
    ("toolcell_quota", &["src/host", "src/cli", "src/config", "quota"]),
    ("anyhow", &["src/cli", "src/main.rs", "author/src/bindings.rs"]),
    ("url", &["policy", "src/config", "identity"]),
    ("ipnet", &["policy", "src/config", "src/transport/http/proxies.rs"]),
    ("tokio_rustls", &["src/transport/http", "sandbox"]),
    ("listenfd", &["src/cli/listen.rs"]),
    ("sd_notify", &["src/cli/serve.rs"]),
];

/// What the host never says, why, and who may say it all the same.
const NEVER: &[(&str, &str, &[&str])] = &[
    ("inherit_", "a guest inherits nothing of the process", &[]),
    ("set_var(", "the environment is shared by all threads", &[]),
    (
        "Command::new(",
        "the host starts no programs; builds do, and who keeps secrets in one",
        &["author", "src/cli/secrets.rs"],
    ),
    ("println!(", "standard output belongs to the protocol", &["author/build.rs"]),
    ("eprintln!(", "what the host has to say goes through tracing or the command line's own writer", &[]),
    ("default_send_request", "that sender opens its own sockets and asks no policy", &[]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository").to_path_buf()
}

/// Every tracked-looking source file below `folder` with one of these endings.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(folder) = todo.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                if !matches!(name.as_str(), "target" | "node_modules" | ".git" | ".toolcell" | "deps" | "vendor") {
                    todo.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A file without its unit tests and comments, as numbered lines. A file of tests, or an example, has none.
fn code(path: &Path) -> Vec<(usize, String)> {
    let below = path.strip_prefix(root().join("host")).unwrap_or(path);
    let is_test = |part: &str| matches!(part, "tests" | "examples" | "tests.rs" | "testing.rs" | "fake.rs");
    if below.iter().filter_map(|part| part.to_str()).any(is_test) {
        return Vec::new();
    }
    let text = fs::read_to_string(path).expect("a source file reads");
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.to_owned()));
    lines
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .collect()
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn assert_none(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

#[test]
fn a_layer_imports_only_what_the_table_allows() {
    let mut found = Vec::new();
    for (layer, folder, allowed) in LAYERS {
        let below = files(&root().join("host").join(folder), &[".rs"]);
        assert!(!below.is_empty(), "layer {layer} is there");
        for file in below {
            for (at, line) in code(&file) {
                let others = LAYERS.iter().map(|(other, ..)| *other).chain(["host", "cli", "config"]);
                for other in others.filter(|other| other != layer && !allowed.contains(other)) {
                    // In a crate of its own `crate::` is the layer itself.
                    let inside = [format!("crate::{other}::"), format!("crate::{other};")];
                    let inside = folder.starts_with("src/") && inside.iter().any(|named| line.contains(named));
                    if inside || line.contains(&format!("toolcell_{other}::")) {
                        found.push(format!("{}:{at} names {other}", relative(&file)));
                    }
                }
            }
        }
    }
    assert_none(found, "a layer may import only what the table in ARCHITECTURE.md allows");
}

#[test]
fn external_crates_stay_in_their_layer() {
    let source = root().join("host");
    let mut found = Vec::new();
    for file in files(&source, &[".rs"]) {
        let place = file.strip_prefix(&source).expect("below host").display().to_string();
        for (at, line) in code(&file) {
            for (name, places) in EXTERNAL {
                let used = line.contains(&format!("use {name}::")) || names_crate(&line, name);
                if used && !places.iter().any(|allowed| place == *allowed || place.starts_with(&format!("{allowed}/")))
                {
                    found.push(format!("{}:{at} uses {name}", relative(&file)));
                }
            }
        }
    }
    assert_none(found, "a crate is used only where the table allows");
}

/// Whether `name::` stands in the line as a path of its own, not as the end of a longer one.
fn names_crate(line: &str, name: &str) -> bool {
    let path = format!("{name}::");
    line.match_indices(&path).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        before.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '"')))
    })
}

#[test]
fn the_host_never_says_certain_things() {
    let mut found = Vec::new();
    let source = root().join("host");
    for file in files(&source, &[".rs"]) {
        let place = file.strip_prefix(&source).expect("below host");
        for (at, line) in code(&file) {
            for (words, why, except) in NEVER {
                if line.contains(words) && !except.iter().any(|except| place.starts_with(except)) {
                    found.push(format!("{}:{at} says {words}…: {why}", relative(&file)));
                }
            }
        }
    }
    assert_none(found, "what the host never does");
}

#[test]
fn no_test_is_switched_off() {
    let (ignore, panics) = (format!("#[{}", "ignore"), format!("#[should_{}", "panic"));
    let mut found = Vec::new();
    for file in files(&root(), &[".rs"]) {
        let text = fs::read_to_string(&file).expect("a source file reads");
        for (at, line) in text.lines().enumerate() {
            if line.contains(&ignore) || line.contains(&panics) {
                found.push(format!("{}:{}", relative(&file), at + 1));
            }
        }
    }
    assert_none(found, "a test that does not run, or that passes for any panic");
}

#[test]
fn files_are_short_enough_to_read() {
    let long = files(&root(), &[".rs", ".py", ".mjs", ".ts", ".wit"]).into_iter().filter_map(|file| {
        let lines = fs::read_to_string(&file).ok()?.lines().count();
        (lines > MAX_LINES).then(|| format!("{} has {lines} lines", relative(&file)))
    });
    assert_none(long.collect(), "files have at most 800 lines");
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md reads");
    assert!(map.lines().count() <= 200, "ARCHITECTURE.md has at most 200 lines");
}

#[test]
fn every_plugin_explains_its_capabilities() {
    let plugins = fs::read_dir(root().join("plugins")).expect("plugins/ reads").flatten();
    let silent = plugins.filter(|plugin| plugin.path().is_dir()).filter_map(|plugin| {
        let readme = fs::read_to_string(plugin.path().join("README.md")).unwrap_or_default();
        (!readme.to_lowercase().contains("capabilit")).then(|| relative(&plugin.path()))
    });
    assert_none(silent.collect(), "each plugin's README lists the capabilities it asks for and why");
}
