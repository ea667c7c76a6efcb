//! Whole files, from text to messages.

use std::path::Path;
use std::time::Duration;

use expect_test::{Expect, expect};

use super::*;
use crate::policy::{Access, Grant, Limits};
use crate::registry::{CacheRules, OnBreaking, Serving, TaskMode};
use crate::transport;
use crate::transport::http::ClientAuth;

fn no_env(_: &str) -> Option<String> {
    None
}

fn read(text: &str) -> Config {
    match parse(text, Path::new("/etc/toolcell.toml"), &no_env) {
        Ok(config) if config.problems.is_empty() => config,
        Ok(config) => panic!("{}", diagnostic::lines(&config.problems)),
        Err(error) => panic!("{error}"),
    }
}

/// All messages, after a word on whether the rest of the file is used.
fn check(text: &str, expected: Expect) {
    let got = match parse(text, Path::new("toolcell.toml"), &no_env) {
        Ok(config) => {
            let names: Vec<_> = config.plugins.iter().map(|plugin| plugin.name.as_str()).collect();
            format!("loads [{}]\n{}\n", names.join(", "), diagnostic::lines(&config.problems))
        }
        Err(error) => format!("fatal\n{error}\n"),
    };
    expected.assert_eq(&got);
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(read(""), Config::default());
    assert_eq!(read("\u{feff}# saved by an editor on Windows\r\n"), Config::default());
    assert_eq!(read("[server]\n[limits]\n[plugins]\n"), Config::default());
    let config = Config::default();
    assert_eq!((config.server.page_size, config.server.list_ttl_ms, config.server.http), (100, 60_000, None));
    let plugin = read("plugins.a.path = 'a.wasm'").plugins.remove(0);
    assert_eq!(plugin, PluginConfig::new("a", "/etc/a.wasm"));
}

#[test]
fn everything_written_arrives() {
    let text = r#"
        [server]
        http = "127.0.0.1:8080"
        allowed-hosts = ["Tools.Example.com"]
        allowed-origins = ["https://app.example.com/"]
        page-size = 50
        list-ttl-ms = 0
        state = "tasks.db"
        max-tasks = 50
        instructions = "be brief"

        [limits]
        memory-mib = 32
        log-bytes = "1 MiB"

        [plugins.zeta]
        path = "./plugins/../zeta.wasm"
        prefix = "z_"
        dirs = [{ host = "./docs", guest = "/docs" }, { host = "/srv", guest = "/srv", access = "read-write" }]
        hosts = ["GET https://*.example.com:8443/v1/*"]
        addresses = ["10.1.0.0/16", "::1"]
        env = { TZ = "UTC", TOKEN = { from-env = "MY_TOKEN" } }
        tasks = { after-ms = 1000 }
        key-value = { max-bytes = "1 MiB" }
        tools = ["weather*", "time"]
        cache = { read-ttl-ms = 5, scope = "public", results-ms = 7 }
        instances = "warm"
        on-breaking = "keep-both"
        limits = { wall-ms = 5000, log-bytes = 1024 }

        [plugins.off]
        path = "off.wasm"
        enabled = false

        [plugins.alpha]
        path = "/opt/alpha"
    "#;
    let env = |name: &str| (name == "MY_TOKEN").then(|| "s3cret".to_owned());
    let config = parse(text, Path::new("/etc/toolcell.toml"), &env).unwrap();
    assert_eq!(config.problems, []);
    let ServerConfig {
        http,
        allowed_hosts,
        allowed_origins,
        page_size,
        list_ttl_ms,
        state,
        max_tasks,
        instructions,
        ..
    } = &config.server;
    assert_eq!(*http, Some("127.0.0.1:8080".parse().unwrap()));
    assert_eq!(
        (allowed_hosts.as_slice(), allowed_origins.as_slice()),
        (["tools.example.com".into()].as_slice(), ["https://app.example.com".into()].as_slice())
    );
    assert_eq!((*page_size, *list_ttl_ms, instructions.as_deref()), (50, 0, Some("be brief")));
    assert_eq!((state.as_deref(), *max_tasks), (Some(Path::new("/etc/tasks.db")), 50));
    assert_eq!(config.disabled, ["off"]);

    let names: Vec<_> = config.plugins.iter().map(|plugin| plugin.name.as_str()).collect();
    assert_eq!(names, ["zeta", "alpha"], "in the order of the file");
    let PluginConfig { name: _, path, prefix, grant, limits, serving } = &config.plugins[0];
    assert_eq!((path.as_path(), prefix.as_str()), (Path::new("/etc/plugins/../zeta.wasm"), "z_"));
    let dirs: Vec<_> =
        grant.dirs.iter().map(|dir| (dir.host.to_str().unwrap(), dir.guest.as_str(), dir.access)).collect();
    assert_eq!(dirs, [("/etc/docs", "/docs", Access::ReadOnly), ("/srv", "/srv", Access::ReadWrite)]);
    assert_eq!(grant.hosts[0].to_string(), "GET https://*.example.com:8443/v1/*");
    assert_eq!(grant.addresses, ["10.1.0.0/16".parse().unwrap(), "::1/128".parse().unwrap()]);
    assert_eq!(grant.env["TOKEN"], "s3cret");
    assert_eq!(grant.key_value.map(|store| store.max_bytes), Some(1 << 20));
    assert_eq!(grant.tools.iter().map(ToString::to_string).collect::<Vec<_>>(), ["weather*", "time"]);
    assert_eq!(config.plugins[1].grant, Grant::default());
    let shared = Limits { memory_bytes: 32 << 20, log_bytes: 1 << 20, ..Limits::default() };
    assert_eq!(*limits, Limits { wall_ms: 5_000, log_bytes: 1_024, ..shared.clone() });
    assert_eq!((&config.plugins[1].limits, &config.limits), (&shared, &shared));
    let cache = CacheRules { read_ttl_ms: Some(5), private: Some(false), results_ms: Some(7), ..CacheRules::default() };
    let (tasks, on_breaking) = (TaskMode::After(Duration::from_secs(1)), OnBreaking::KeepBoth);
    assert_eq!(*serving, Serving { tasks, cache, warm: true, on_breaking });
    assert_eq!(config.plugins[1].serving, Serving::default());
    assert!(!format!("{config:?}").contains("s3cret"));
}

#[test]
fn syntax_errors() {
    check(
        "[server\nhttp = 1\n[plugins.a]\npath = \n",
        expect![[r#"
        fatal
        toolcell.toml:1:8: this is not TOML: unclosed table, expected `]`, correct the syntax
        toolcell.toml:4:8: this is not TOML: string values must be quoted, expected literal string, correct the syntax
    "#]],
    );
    check(
        "[plugins.a]\npath = 'a'\n[plugins.a]\npath = 'b'\n",
        expect![[r#"
        fatal
        toolcell.toml:3:10: this is not TOML: duplicate key, correct the syntax
        toolcell.toml:4:1: this is not TOML: duplicate key, correct the syntax
    "#]],
    );
}

#[test]
fn unknown_keys_and_wrong_types_are_all_found() {
    check(
        r#"
[server]
htpp = "127.0.0.1:1"
page-size = "many"
http = 8080
[limit]
[filesystem]
path = "x"
[limits]
memory-bytes = 5
wall-ms = -1
output-bytes = "8 MB"
[plugins.a]
path = "a.wasm"
host = []
env = { A = 1, B = { env = "C" }, D = {} }
dirs = ["./docs", { host = 1, guset = "/x" }]
wall-ms = 5
enabled = "yes"
[plugins.b]
path = "b.wasm"
dirs = [{ host = "/x", guest = "/x", access = "rw" }]
limits = 5
hosts = "https://*"
[plugins.c]
path = "c.wasm"
"#,
        expect![[r#"
            fatal
            toolcell.toml:3:1: unknown key `htpp` in `server`, write `http`
            toolcell.toml:4:13: `page-size`: invalid type: string "many", write a whole number that is not negative
            toolcell.toml:5:8: `http`: invalid type: integer `8080`, write a text in quotes
            toolcell.toml:6:2: unknown key `limit`, write `limits`
            toolcell.toml:7:2: unknown key `filesystem`, write [plugins.filesystem] if it is a plugin
            toolcell.toml:10:1: unknown key `memory-bytes` in `limits`, write `memory-mib`
            toolcell.toml:11:11: `wall-ms`: invalid value: integer `-1`, write a whole number that is not negative
            toolcell.toml:12:16: `output-bytes`: invalid value: string "8 MB", write a number of bytes or a text like "8 MiB" (B, KiB, MiB, GiB)
            toolcell.toml:15:1: plugin `a`: unknown key `host` in `plugins.a`, write `hosts`
            toolcell.toml:16:13: plugin `a`: `A`: invalid type: integer `1`, write a text in quotes or { from-env = "NAME" }
            toolcell.toml:16:22: plugin `a`: unknown key `env` in `plugins.a.env.B`, write `from-env`
            toolcell.toml:16:39: plugin `a`: D has no value, write { from-env = "D" } or a text
            toolcell.toml:17:9: plugin `a`: `dirs`: invalid type: string "./docs", write a table like { host = "./docs", guest = "/docs" }
            toolcell.toml:17:28: plugin `a`: `host`: invalid type: integer `1`, write a text in quotes
            toolcell.toml:17:31: plugin `a`: unknown key `guset` in `plugins.a.dirs`, write `guest`
            toolcell.toml:18:1: plugin `a`: unknown key `wall-ms` in `plugins.a`, write [plugins.a.limits] above it
            toolcell.toml:19:11: plugin `a`: `enabled`: invalid type: string "yes", write true or false
            toolcell.toml:22:47: plugin `b`: `access`: unknown variant `rw`, write "read-only" or "read-write"
            toolcell.toml:23:10: plugin `b`: `limits`: invalid type: integer `5`, write a table like { wall-ms = 5000 }
            toolcell.toml:24:9: plugin `b`: `hosts`: invalid type: string "https://*", write a list, hosts = [ … ]
        "#]],
    );
}

#[test]
fn serving_that_is_off() {
    check(
        "[plugins.a]\npath = 'a.wasm'\ntasks = 'sometimes'\n[plugins.b]\npath = 'b.wasm'\ntasks = { after-ms = 0 }\ncache = { results-ms = 0, scope = 'mine' }\n[plugins.c]\npath = 'c.wasm'\ncache = { list-ttl-ms = 86400001 }\n",
        expect![[r#"
            loads []
            toolcell.toml:3:9: plugin `a`: `tasks`: invalid value: string "sometimes", write "plugin", "always", "never" or { after-ms = 10000 }
            toolcell.toml:6:22: plugin `b`: `after-ms` is 0, write 1 to 86400000, which is a day
            toolcell.toml:7:24: plugin `b`: `results-ms` is 0, write 1 to 86400000, which is a day
            toolcell.toml:7:35: plugin `b`: `scope`: unknown variant `mine`, write "public" or "private"
            toolcell.toml:10:25: plugin `c`: `list-ttl-ms` is 86400001, write 0 to 86400000, which is a day
        "#]],
    );
}

#[test]
fn nesting_that_is_off() {
    check(
        "[[plugins]]\npath = 'a'\n[[plugins]]\npath = 'b'\n",
        expect![[r#"
        fatal
        toolcell.toml:1:1: `plugins`: invalid type: sequence, write a table for each plugin, [plugins.NAME]
    "#]],
    );
    check(
        "[plugins]\npath = 'a'\n",
        expect![[r#"
        loads []
        toolcell.toml:2:8: plugin `path`: `path`: invalid type: string "a", write a table, [plugins.NAME] with path = "….wasm"
    "#]],
    );
    check(
        "plugins = ['a.wasm']\nhttp = '127.0.0.1:1'\n",
        expect![[r#"
        fatal
        toolcell.toml:1:11: `plugins`: invalid type: sequence, write a table for each plugin, [plugins.NAME]
        toolcell.toml:2:1: unknown key `http`, move it to [server]
    "#]],
    );
    check(
        "server = []\nlimits = [1]\n[plugins.a]\npath = 'a'\ndirs = [['a', '/a']]\n",
        expect![[r#"
        fatal
        toolcell.toml:1:10: `server`: invalid type: sequence, write a table, [server]
        toolcell.toml:2:10: `limits`: invalid type: sequence, write a table like { wall-ms = 5000 }
        toolcell.toml:5:9: plugin `a`: `dirs`: invalid type: sequence, write a table like { host = "./docs", guest = "/docs" }
    "#]],
    );
    check(
        "[[plugins.a]]\npath = 'a'\n",
        expect![[r#"
        loads []
        toolcell.toml:1:1: plugin `a`: `a`: invalid type: sequence, write a table, [plugins.NAME] with path = "….wasm"
    "#]],
    );
}

#[test]
fn one_plugin_in_error_leaves_the_others() {
    check(
        r#"
[plugins.good]
path = "good.wasm"
[plugins."Bad Name"]
path = "~/x.wasm"
[plugins.nothing]
[plugins.many]
path = ""
prefix = "a/"
dirs = [{}, { host = "a", guest = "docs" }, { host = "a", guest = "/a" }, { host = "b", guest = "/a" }]
hosts = ["example.com", "https://a.example:0", "https://ok.example"]
addresses = ["10.1.2.3/8", "example.com"]
env = { "A=B" = "", TOKEN = { from-env = "NOT_SET" }, NOTHING = {} }
limits = { cpu-ms = 0, tools = 99999999 }
[plugins.off]
path = "off.wasm"
enabled = false
hosts = ["example.com"]
"#,
        expect![[r#"
            loads [good]
            toolcell.toml:4:10: plugin `Bad Name`: "Bad Name" is no plugin name (`a-z 0-9 - _`, at first a letter or digit and at most 64), write `bad-name`
            toolcell.toml:5:8: plugin `Bad Name`: "~/x.wasm" begins with `~`, which only a shell replaces, write the whole path
            toolcell.toml:6:10: plugin `nothing`: it has no `path`, add path = "nothing.wasm"
            toolcell.toml:8:8: plugin `many`: the path is empty, name a file or a directory
            toolcell.toml:9:10: plugin `many`: prefix "a/" cannot begin a tool name, write at most 64 of `A-Z a-z 0-9 _ - .`
            toolcell.toml:10:9: plugin `many`: the directory has no `host`, add host = "./docs", a directory on the host
            toolcell.toml:10:9: plugin `many`: the directory has no `guest`, add guest = "/docs", where the plugin sees it
            toolcell.toml:10:35: plugin `many`: guest path "docs" is not absolute, begin it with `/`
            toolcell.toml:10:97: plugin `many`: two directories have the guest path "/a", give one another path
            toolcell.toml:11:10: plugin `many`: host pattern "example.com": it has no scheme, write it like "https://example.com"
            toolcell.toml:11:25: plugin `many`: host pattern "https://a.example:0": port 0 is no port, use 1 to 65535
            toolcell.toml:12:14: plugin `many`: "10.1.2.3/8" is neither one address nor a whole network, write "10.0.0.0/8" or "10.1.2.3"
            toolcell.toml:12:28: plugin `many`: "example.com" is no address and no network, write it like "10.1.0.0/16" or "fd00::1", and names under `hosts`
            toolcell.toml:13:9: plugin `many`: variable name "A=B" holds `=` or a NUL, leave it out
            toolcell.toml:13:29: plugin `many`: the variable NOT_SET is not set for the server, so TOKEN has no value, set NOT_SET where the server is started
            toolcell.toml:13:65: plugin `many`: NOTHING has no value, write { from-env = "NOTHING" } or a text
            toolcell.toml:14:21: plugin `many`: `cpu-ms` is 0 and no limit can be switched off, write 1 to 3600000 or leave the line out for 10000
            toolcell.toml:14:32: plugin `many`: `tools` is 99999999 and at most 10000 is allowed, write 1 to 10000 or leave the line out for 512
            toolcell.toml:18:10: plugin `off`: host pattern "example.com": it has no scheme, write it like "https://example.com"
        "#]],
    );
}

#[test]
fn server_problems_are_fatal_and_all_listed() {
    check(
        r#"
[server]
http = "localhost:8080"
allowed-hosts = ["*.example.com"]
allowed-origins = ["app.example.com"]
page-size = 0
list-ttl-ms = 99999999999
[limits]
memory-mib = 8192
concurrency = 0
[plugins.a]
"#,
        expect![[r#"
            fatal
            toolcell.toml:3:8: `http` is "localhost:8080" and needs an address and a port, write "127.0.0.1:8080"
            toolcell.toml:4:18: allowed host "*.example.com" has a wildcard and would let any page rebind its name to this server, write it like "tools.example.com"
            toolcell.toml:5:20: allowed origin "app.example.com" is no URL, write it like "https://app.example.com"
            toolcell.toml:6:13: `page-size` is 0, write 1 to 1000
            toolcell.toml:7:15: `list-ttl-ms` is 99999999999, write 0 to 86400000, which is a day
            toolcell.toml:9:14: `memory-mib` is 8192 and at most 4096 is allowed, write 1 to 4096 or leave the line out for 64
            toolcell.toml:10:15: `concurrency` is 0 and no limit can be switched off, write 1 to 10000 or leave the line out for 64
            toolcell.toml:11:10: plugin `a`: it has no `path`, add path = "a.wasm"
        "#]],
    );
}

#[test]
fn the_disk_is_asked_about_directories_only() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("toolcell.toml");
    std::fs::create_dir(dir.path().join("docs")).unwrap();
    let text = r#"
        plugins.a = { path = "later.wasm", dirs = [{ host = "docs", guest = "/docs" }] }
        plugins.b = { path = "later.wasm", dirs = [{ host = "gone", guest = "/docs" }] }
        plugins.c = { path = "later.wasm", dirs = [{ host = "toolcell.toml", guest = "/docs" }] }
        plugins.d = { path = "later.wasm", enabled = false, dirs = [{ host = "gone", guest = "/docs" }] }
    "#;
    std::fs::write(&file, text).unwrap();
    let config = load(&file, &no_env).unwrap();
    let names: Vec<_> = config.plugins.iter().map(|plugin| plugin.name.as_str()).collect();
    assert_eq!(names, ["a"]);
    assert_eq!(config.absent, [dir.path().join("gone")]);
    let messages = diagnostic::lines(&config.problems).replace(dir.path().to_str().unwrap(), "DIR");
    expect![[r#"
        DIR/toolcell.toml:3:61: plugin `b`: granted directory DIR/gone does not exist, create it or correct `host`
        DIR/toolcell.toml:4:61: plugin `c`: granted directory DIR/toolcell.toml is not a directory, name the directory it is in"#]].assert_eq(&messages);

    std::fs::create_dir(dir.path().join("gone")).unwrap();
    assert_eq!(load(&file, &no_env).unwrap().plugins.len(), 2);
}

#[test]
fn a_file_that_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let error = load(&dir.path().join("none.toml"), &no_env).unwrap_err().to_string();
    assert!(error.contains("none.toml") && error.ends_with("name another with --config"), "{error}");
    std::fs::write(dir.path().join("latin1.toml"), b"a = '\xfc'").unwrap();
    let error = load(&dir.path().join("latin1.toml"), &no_env).unwrap_err().to_string();
    assert!(error.contains("UTF-8"), "{error}");
}

/// Run with `UPDATE_SCHEMA=1` to write the file.
#[test]
fn the_checked_in_schema_is_the_schema() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../toolcell.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&file, json_schema()).unwrap();
    }
    let checked_in = std::fs::read_to_string(&file).unwrap_or_default();
    let hint = "run `UPDATE_SCHEMA=1 cargo test -p toolcell --lib config` and commit toolcell.schema.json";
    assert!(checked_in == json_schema(), "toolcell.schema.json is out of date, {hint}");
}

#[test]
fn the_example_teaches_every_option_and_loads() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/toolcell.toml");
    let config = load(&file, &no_env).unwrap();
    assert_eq!(config.problems, []);
    let names: Vec<_> = config.plugins.iter().map(|plugin| plugin.name.as_str()).collect();
    assert_eq!(names, ["filesystem", "fetch", "time", "memory", "sequential-thinking", "echo"]);

    let text = std::fs::read_to_string(&file).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&json_schema()).unwrap();
    let tables = schema["definitions"].as_object().unwrap();
    let keys = tables.values().filter_map(|table| table["properties"].as_object()).flat_map(|keys| keys.keys());
    for key in keys {
        assert!(text.contains(key), "the example does not show `{key}`");
    }

    // With every option switched on it still loads, and the limits it shows are the defaults.
    let option = |line: &str| line.starts_with(|c: char| c.is_ascii_lowercase() || c == '[');
    let switched_on = text.lines().map(|line| line.strip_prefix('#').filter(|line| option(line)).unwrap_or(line));
    let config = read(&switched_on.collect::<Vec<_>>().join("\n"));
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.server.page_size, Config::default().server.page_size);
    assert_eq!(config.server.list_ttl_ms, Config::default().server.list_ttl_ms);
    assert_eq!(config.server.listen.limits, Config::default().server.listen.limits);
    for limit in Limits::ALL {
        assert!(text.contains(&format!("\n#{} = ", limit.key().0)), "the example does not show {}", limit.name);
    }
}

#[test]
fn versions_side_by_side() {
    let text = "[plugins.'weather@1']\npath = 'one.wasm'\n[plugins.'weather@2.1']\npath = 'two.wasm'\n[plugins.weather]\npath = 'w.wasm'\non-breaking = 'refuse'\n";
    let config = read(text);
    let found: Vec<_> =
        config.plugins.iter().map(|plugin| (plugin.name.as_str(), plugin.serving.on_breaking)).collect();
    let expected =
        [("weather@1", OnBreaking::Warn), ("weather@2.1", OnBreaking::Warn), ("weather", OnBreaking::Refuse)];
    assert_eq!(found, expected);
    check(
        "[plugins.'a@1.x']\npath = 'a.wasm'\n[plugins.'b@1']\npath = 'b.wasm'\nwall-ms = 5\n[plugins.'c@1']\n",
        expect![[r#"
            loads []
            toolcell.toml:1:10: plugin `a@1.x`: "1.x" says no version (one to three numbers), write `a@1`, `a@1.2` or `a`
            toolcell.toml:5:1: plugin `b@1`: unknown key `wall-ms` in `plugins.b@1`, write [plugins."b@1".limits] above it
            toolcell.toml:6:10: plugin `c@1`: it has no `path`, add path = "c-1.wasm"
        "#]],
    );
}

#[test]
fn stores_and_peers() {
    check(
        "[plugins.a]\npath = 'a.wasm'\nkey-value = 5\n[plugins.b]\npath = 'b.wasm'\nkey-value = { max-bytes = 0 }\n[plugins.c]\npath = 'c.wasm'\ntools = ['a b']\n[plugins.d]\npath = 'd.wasm'\nkey-value = { max-byte = 1 }\n[plugins.e]\npath = 'e.wasm'\nkey-value = false\n",
        expect![[r#"
        loads [e]
        toolcell.toml:3:13: plugin `a`: `key-value`: invalid type: integer `5`, write true, false or { max-bytes = "16 MiB", per-caller = true }
        toolcell.toml:6:27: plugin `b`: `max-bytes` is 0, write 1 to 1073741824 or "1 GiB"
        toolcell.toml:9:10: plugin `c`: tool "a b" is no name, write at most 128 of `A-Z a-z 0-9 _ - .`
        toolcell.toml:12:15: plugin `d`: unknown key `max-byte` in `plugins.d.key-value`, write `max-bytes`
    "#]],
    );
    let grants: Vec<_> = read("[plugins.a]\npath = 'a'\nkey-value = true\n[plugins.b]\npath = 'b'\nkey-value = {}\n[plugins.c]\npath = 'c'\nkey-value = false\n")
        .plugins
        .iter()
        .map(|plugin| plugin.grant.key_value.map(|store| store.max_bytes))
        .collect();
    assert_eq!(grants, [Some(16 << 20), Some(16 << 20), None]);
}

#[test]
fn how_the_server_is_reached() {
    let text = r#"
        [server]
        http = "0.0.0.0:8443"
        tls = { cert = "tls/cert.pem", key = "/run/key.pem", client-ca = "ca.pem", client-auth = "optional" }
        unauthenticated = "anyone"
        trusted-proxies = ["10.0.0.0/8", "::1"]
        admin = "127.0.0.1:9090"
        drain-ms = 500

        [server.limits]
        connections = 10
        connections-per-address = 5
        requests-in-flight = 7
        message-bytes = "1 MiB"
        header-bytes = "16 KiB"
        handshake-ms = 1
        header-ms = 2
        body-ms = 3
        write-ms = 4
        sessions = 6
        session-idle-ms = 8
    "#;
    let listen = parse(text, Path::new("/etc/toolcell.toml"), &no_env).unwrap().server.listen;
    let tls = listen.tls.unwrap();
    assert_eq!((tls.cert, tls.key), ("/etc/tls/cert.pem".into(), "/run/key.pem".into()));
    assert_eq!((tls.client_ca, tls.client_auth), (Some("/etc/ca.pem".into()), ClientAuth::Optional));
    assert_eq!((listen.unauthenticated, listen.admin_unauthenticated), (true, false));
    assert_eq!(listen.trusted_proxies, ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
    assert_eq!(listen.admin, Some("127.0.0.1:9090".parse().unwrap()));
    let ms = Duration::from_millis;
    let expected = transport::Limits {
        connections: 10,
        connections_per_address: 5,
        in_flight: 7,
        message_bytes: 1 << 20,
        header_bytes: 16 << 10,
        handshake_time: ms(1),
        header_time: ms(2),
        body_time: ms(3),
        write_time: ms(4),
        sessions: 6,
        session_idle: ms(8),
        drain: ms(500),
        ..transport::Limits::default()
    };
    assert_eq!(listen.limits, expected);
}

#[test]
fn mistakes_about_how_the_server_is_reached() {
    check(
        "[server]\ntls = { cert = 'c.pem', client-auth = 'required' }\nunauthenticated = true\ntrusted-proxies = ['0.0.0.0/0', 'nginx']\nadmin = '9090'\ndrain-ms = 99999999\nadmin-unauthenticated = 'loopback'\nlimits = { connections = 0, header-bytes = 1, conections = 5 }\n",
        expect![[r#"
            fatal
            toolcell.toml:2:39: `client-auth` without authorities to judge clients by, add client-ca = "ca.pem"
            toolcell.toml:3:19: `unauthenticated`: invalid type: boolean `true`, write "anyone"
            toolcell.toml:4:20: trusted proxy "0.0.0.0/0" is everyone, who could then name any client, write "10.0.0.0/8"
            toolcell.toml:4:33: trusted proxy "nginx" is neither address nor network, write "10.0.0.0/8"
            toolcell.toml:5:9: `admin` is "9090" and needs an address and a port, write "127.0.0.1:9090"
            toolcell.toml:6:12: `drain-ms` is 99999999, write 0 to 3600000
            toolcell.toml:7:25: `admin-unauthenticated`: invalid value: string "loopback", write "anyone"
            toolcell.toml:8:26: `connections` is 0, write 1 to 1000000
            toolcell.toml:8:44: `header-bytes` is 1, write 8192 to 1048576
            toolcell.toml:8:47: unknown key `conections` in `server.limits`, write `connections`
        "#]],
    );
}

#[test]
fn certificates_and_exchanges() {
    let auth = "[auth]\nkeys = 'k'\n[auth.issuers.idp]\nissuer = 'https://idp.example'\naudiences = ['me']\n";
    let print = "0a".repeat(32);
    let config = read(&format!(
        "{auth}[auth.certificates]\nnames-from = ['subject-cn']\nonly-listed = true\nscopes = ['s']\n\
         groups = {{ a = ['g'] }}\nnames = {{ b = {{ principal = 'bob' }} }}\n\
         fingerprints = {{ '{print}' = {{ principal = 'carol', scopes = ['t'] }} }}\n\
         [secrets.s]\nexchange = {{ issuer = 'idp', token-endpoint = 'https://idp.example/token', client-id = 'c', \
         client-secret-env = 'SECRET', audience = 'api' }}\nprincipals.alice = {{ env = 'OF_ALICE' }}\n"
    ));
    let rules = config.auth.certificates.as_ref().unwrap();
    assert_eq!((rules.names_from.as_slice(), rules.only_listed), (&[CertificatePlace::SubjectCn][..], true));
    let owner = |name: &str| rules.names[name].clone();
    assert_eq!((owner("a").principal, owner("a").scopes), (None, ["s".to_owned()].into()));
    assert_eq!((owner("b").principal.as_deref(), owner("b").scopes), (Some("bob"), [].into()));
    assert_eq!(rules.fingerprints[&[10; 32]].principal.as_deref(), Some("carol"));
    let exchange = config.secrets["s"].exchange.as_ref().unwrap();
    assert_eq!((exchange.issuer.as_str(), exchange.audience.as_deref()), ("idp", Some("api")));
    assert!(config.tells_callers_apart() && !Config::default().tells_callers_apart());

    let text = "[auth]\nkeys = 'k'\n[auth.certificates]\nnames-from = []\ngroups = { a = [] }\nnames = { a = {} }\n\
                fingerprints = { 'zz' = {} }\n[server]\ntls = { cert = 'c', key = 'k', client-crl = 'r' }\n\
                [secrets.one]\nenv = 'A'\nexchange = { issuer = 'idp' }\n\
                [secrets.two]\nexchange = { issuer = 'idp', token-endpoint = 'x', client-id = 'c', client-secret-env = 'S' }\n\
                [secrets.three]\nexchange = { issuer = 'mine' }\n\
                [secrets.four]\nexchange = { issuer = 'mine', token-endpoint = 'x', client-id = 'c', client-secret-env = 'S' }\n\
                [auth.issuers.mine]\nissuer = 'https://idp.example'\naudiences = ['me']\n";
    let refused = parse(text, Path::new("toolcell.toml"), &no_env).unwrap_err().to_string();
    for (line, part) in [
        (4, "`names-from` names no place, write [\"san-uri\"]"),
        (6, "\"a\" is in `groups` and in `names`, write its groups in `names`"),
        (7, "\"zz\" is no fingerprint of a certificate"),
        (9, "`client-crl` without authorities to judge clients by, add client-ca"),
        (12, "the secret \"one\" comes from two places"),
        (14, "no issuer is named \"idp\""),
        (16, "`exchange` is not complete, write all of `issuer`"),
        (18, "does not say who the new token is for, add audience"),
    ] {
        let says = |said: &str| said.starts_with(&format!("toolcell.toml:{line}:")) && said.contains(part);
        assert!(refused.lines().any(says), "{line} {part}: {refused}");
    }
}
