//! The command line of the MCP Inspector: one process for each request.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use toolcell_tests::artifacts;
use toolcell_tests::mcp::{self, HANDSHAKE, MODERN};
use toolcell_tests::plan::{Scene, Transport, check, finish};
use toolcell_tests::site::Site;

struct Inspector {
    scene: Scene,
    home: Site,
    servers: PathBuf,
    era: &'static str,
    plan: Value,
}

impl Inspector {
    fn new(transport: Transport, era: &'static str, version: &str) -> Self {
        let scene = Scene::new(transport);
        let plan = scene.plan(version);
        let server = match transport {
            Transport::Http => json!({ "type": "streamable-http", "url": plan["url"] }),
            Transport::Stdio => {
                let command = plan["command"].as_array().expect("a plan for stdio has a command");
                json!({ "command": command[0], "args": command[1..] })
            }
        };
        let home = Site::new();
        let servers = home.write("servers.json", json!({ "mcpServers": { "toolcell": server } }).to_string());
        Self { scene, home, servers, era, plan }
    }

    fn ask(&self, method: &str, more: &[&str]) -> Value {
        let folder = artifacts::client("js");
        let mut node = Command::new(artifacts::client("node"));
        node.arg(folder.join("node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"))
            .args(["--cli", "--config"])
            .arg(&self.servers)
            .args(["--server", "toolcell", "--protocol-era", self.era, "--method", method])
            .args(more)
            .env("HOME", self.home.path(""))
            .env("MCP_INSPECTOR_SECRET_STORE", "memory");
        // Its exit code says whether a tool's result is an error; the result says so too.
        let (_, output, log) = finish(node);
        let said = || {
            let host = self.scene.host().map(|host| host.log.all()).unwrap_or_default();
            format!("{method} {more:?}:\n{output}\n{log}\n{host}")
        };
        serde_json::from_str(&output).unwrap_or_else(|why| panic!("no JSON ({why}) from {}", said()))
    }

    fn list(&self) {
        let own = mcp::names_of(&self.ask("tools/list", &[]));
        let ignored = self.plan["ignore"].as_str().unwrap_or_default();
        let own: BTreeSet<&str> = own.iter().map(String::as_str).filter(|name| !name.starts_with(ignored)).collect();
        let tools = self.plan["tools"].as_array().into_iter().flatten().filter_map(Value::as_str);
        assert_eq!(own, tools.collect());
    }

    fn call(&self, case: &Value) {
        let tool = case["tool"].as_str().unwrap_or_default();
        let arguments = case["arguments"].to_string();
        let result = self.ask("tools/call", &["--tool-name", tool, "--tool-args-json", &arguments]);
        check(case, &result);
    }

    fn cases(&self) -> impl Iterator<Item = &Value> {
        self.plan["cases"].as_array().into_iter().flatten()
    }
}

/// Lists the tools and calls each of them once; every request is a process of the Inspector's, so not every case.
fn list_and_call(transport: Transport, era: &'static str, version: &str) {
    let inspector = Inspector::new(transport, era, version);
    inspector.list();
    let mut called = BTreeSet::new();
    for case in inspector.cases() {
        let succeeds = case["expect"]["error"] != true;
        if succeeds && called.insert(case["tool"].as_str()) {
            inspector.call(case);
        }
    }
}

#[test]
fn inspector_http() {
    list_and_call(Transport::Http, "modern", MODERN);
}

#[test]
fn inspector_stdio() {
    list_and_call(Transport::Stdio, "legacy", HANDSHAKE);
}
