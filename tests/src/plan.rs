//! What the official clients are told to do: one plan for all languages, made from `tests/clients/cases.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::artifacts;
use crate::host::Host;
use crate::log::{Log, Mark};
use crate::site::{Site, quoted};
use crate::web::Web;

/// Few enough that the tools of the first-party plugins need several pages.
const PAGE_SIZE: usize = 10;
/// The tools of the conformance plugin are not the subject here; they carry this prefix.
const IGNORED: &str = "conf_";
/// The smallest PNG: one transparent pixel.
const PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8,
    6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0d, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x62, 0, 1, 0, 0, 5, 0, 1,
    0x0d, 0x0a, 0x2d, 0xb4, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

/// How a client reaches the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// The client starts the host and speaks over its stdin and stdout.
    Stdio,
    /// The host runs already; the client gets a URL.
    Http,
}

/// All first-party plugins in one host, with files, a web server and a plugin to swap: what one client needs.
pub struct Scene {
    site: Site,
    web: Web,
    config: PathBuf,
    /// There if the transport is HTTP.
    host: Option<Host>,
}

impl Scene {
    /// Sets it up; starts the host if the transport is HTTP.
    #[must_use]
    pub fn new(transport: Transport) -> Self {
        let site = Site::new();
        let web = Web::serve(pages());
        site.write("docs/hello.txt", "hello from outside\n");
        site.write("docs/dot.png", PNG);
        site.folder("memory");
        site.put("slot.wasm", &artifacts::plugin("echo"));
        let config = site.config(&config(&web));
        let host = (transport == Transport::Http).then(|| Host::serve(&config));
        Self { site, web, config, host }
    }

    /// The plan for a client that should speak this revision.
    #[must_use]
    pub fn plan(&self, version: &str) -> Value {
        let cases = cases(&self.web.origin());
        let mut tools: BTreeSet<String> =
            cases.iter().filter_map(|case| Some(case["tool"].as_str()?.to_owned())).collect();
        tools.extend(["progress_flood".to_owned(), "slot_echo".to_owned()]);
        let mut plan = json!({
            "version": version,
            "pageSize": PAGE_SIZE,
            "ignore": IGNORED,
            "tools": tools,
            "cases": cases,
            "progress": { "tool": "conf_test_tool_with_progress", "arguments": {}, "steps": [0, 50, 100] },
            "cancel": {
                "tool": "progress_flood",
                "arguments": { "times": 9_000_000_000_000_u64, "width": 1 },
                "after": { "tool": "echo", "arguments": { "message": "still here" }, "expect": { "text": "still here" } },
            },
            "swap": {
                "from": artifacts::plugin("time"),
                "to": self.site.path("slot.wasm"),
                "before": "slot_echo",
                "after": "slot_convert_time",
            },
        });
        match &self.host {
            Some(host) => plan["url"] = host.url().into(),
            None => plan["command"] = command(&self.config),
        }
        plan
    }

    /// The config file, for clients that are told on their command line.
    #[must_use]
    pub fn config(&self) -> &PathBuf {
        &self.config
    }

    /// The running host, if the transport is HTTP.
    #[must_use]
    pub fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    /// Runs a client program to its end, with the plan in a file as its last argument.
    ///
    /// # Panics
    ///
    /// If it does not end well; the text has all that it said.
    pub fn run(&self, program: Command, version: &str) {
        run(&self.site, program, &self.plan(version));
    }
}

/// What a client starts to get a stdio server with this config.
#[must_use]
pub fn command(config: &Path) -> Value {
    json!([artifacts::toolcell(), "serve", "--config", config])
}

/// Runs a client program to its end, with the plan in a file as its last argument.
///
/// # Panics
///
/// If it does not end well; the text has all that it said.
pub fn run(site: &Site, mut program: Command, plan: &Value) {
    program.arg(site.write("plan.json", plan.to_string()));
    let ran = finish(program);
    assert!(ran.0 && ran.1.lines().last() == Some("done"), "the client failed:\n{}\n{}", ran.1, ran.2);
}

/// Runs a program to its end: whether it ended well, what it wrote to stdout, and to stderr.
///
/// # Panics
///
/// If it cannot be started or does not end.
#[must_use]
pub fn finish(mut program: Command) -> (bool, String, String) {
    let mut process = program
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|why| panic!("cannot start {program:?}: {why}"));
    let output = Log::follow(process.stdout.take().expect("stdout is piped"));
    let log = Log::follow(process.stderr.take().expect("stderr is piped"));
    output.wait_for_end();
    log.wait_for_end();
    let status = process.wait().expect("a client can be waited for");
    (status.success(), output.since(Mark::START), log.all())
}

/// The shared table of calls and what must come of them.
///
/// # Panics
///
/// If the file is not there or is not such a table.
#[must_use]
pub fn cases(web: &str) -> Vec<Value> {
    let path = artifacts::client_sources().join("cases.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    serde_json::from_str(&text.replace("{web}", web)).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

fn config(web: &Web) -> String {
    let mut text = format!("[server]\npage-size = {PAGE_SIZE}\n\n");
    text += &Site::plugin("echo", "");
    text += &Site::plugin("time", "");
    text += &Site::plugin("sequential-thinking", "");
    text += &Site::plugin("filesystem", "dirs = [{ host = 'docs', guest = '/docs', access = 'read-write' }]");
    text += &Site::plugin("memory", "dirs = [{ host = 'memory', guest = '/memory', access = 'read-write' }]");
    text += &Site::plugin("fetch", &format!("hosts = ['{}']", web.origin()));
    text += &Site::plugin("conformance", &format!("prefix = '{IGNORED}'"));
    text += &Site::guest("progress_flood", "");
    text += &format!("[plugins.slot]\npath = {}\nprefix = 'slot_'\n", quoted("slot.wasm".as_ref()));
    text
}

fn pages() -> BTreeMap<&'static str, (&'static str, String)> {
    let page = "<!doctype html><html><head><title>A page</title></head><body><article><h1>A heading</h1>\
        <p>Some text with <a href=\"/long.txt\">a link</a>, and enough of it to be taken for an article: \
        the extraction of the main content wants more than a line.</p></article></body></html>";
    BTreeMap::from([
        ("/robots.txt", ("text/plain", "User-agent: *\nDisallow: /private/\n".to_owned())),
        ("/page.html", ("text/html", page.to_owned())),
        ("/private/page.html", ("text/html", page.to_owned())),
        ("/long.txt", ("text/plain", "0123456789".repeat(10))),
    ])
}

/// Compares a tool's result with what a case expects.
///
/// # Panics
///
/// If it is not that; the text has the case and the result.
pub fn check(case: &Value, result: &Value) {
    let expect = &case["expect"];
    let said = || format!("\nthe case was {case}\nthe result was {result}");
    let blocks: Vec<&Value> = result["content"].as_array().into_iter().flatten().collect();
    let texts: Vec<&str> = blocks.iter().filter_map(|block| block["text"].as_str()).collect();
    let text = texts.join("\n");
    assert_eq!(result["isError"] == true, expect["error"] == true, "isError{}", said());
    if let Some(wanted) = expect["text"].as_str() {
        assert_eq!(text, wanted, "the text{}", said());
    }
    for part in expect["contains"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        assert!(text.contains(part), "the text lacks {part:?}{}", said());
    }
    if !expect["structured"].is_null() {
        assert_eq!(result["structuredContent"], expect["structured"], "the structured content{}", said());
    }
    if let Some(kinds) = expect["blocks"].as_array() {
        let found: Vec<&Value> = blocks.iter().map(|block| &block["type"]).collect();
        assert_eq!(found, kinds.iter().collect::<Vec<_>>(), "the blocks{}", said());
    }
}
