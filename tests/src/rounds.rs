//! The other plan for the official clients: what a server asks back and offers besides tools, all of it from the
//! conformance plugin.

use std::process::Command;

use serde_json::{Value, json};

use crate::host::Host;
use crate::plan::{Transport, command, run};
use crate::site::Site;

/// One host with the conformance plugin.
pub struct Rounds {
    site: Site,
    /// There if the transport is HTTP.
    host: Option<Host>,
}

impl Rounds {
    /// Sets it up; starts the host if the transport is HTTP.
    #[must_use]
    pub fn new(transport: Transport) -> Self {
        let site = Site::new();
        let config = site.config(&Site::plugin("conformance", ""));
        let host = (transport == Transport::Http).then(|| Host::serve(&config));
        Self { site, host }
    }

    /// The plan for a client that should speak this revision.
    #[must_use]
    pub fn plan(&self, version: &str) -> Value {
        let mut plan = json!({ "version": version, "rounds": steps() });
        match &self.host {
            Some(host) => plan["url"] = host.url().into(),
            None => plan["command"] = command(&self.site.path("toolcell.toml")),
        }
        plan
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

fn steps() -> Value {
    let prompt = json!({ "type": "ref/prompt", "name": "review_code" });
    let template = json!({ "type": "ref/resource", "uri": "note://{id}" });
    json!({
        "answers": { "name": "Ada", "time": "19:00" },
        "model": "four",
        "calls": [
            { "tool": "ask_name", "arguments": {}, "text": "Hello, Ada!" },
            { "tool": "ask_model", "arguments": {}, "text": "The model says: four" },
        ],
        "progress": { "tool": "test_tool_with_progress", "steps": [0, 50, 100] },
        "log": { "tool": "test_tool_with_logging" },
        "resources": { "listed": "note://alpha", "template": "note://{id}", "uri": "note://beta", "text": "Note beta" },
        "prompts": {
            "name": "review_code",
            "cases": [
                { "arguments": { "language": "rust" }, "text": "Please review this rust code (style default)." },
                {
                    "arguments": { "language": "rust", "style": "clippy" },
                    "text": "Please review this rust code (style clippy).",
                },
            ],
            "completions": [
                { "ref": template, "argument": { "name": "id", "value": "" }, "values": ["alpha", "beta", "gamma"] },
                { "ref": template, "argument": { "name": "id", "value": "be" }, "values": ["beta"] },
                { "ref": prompt, "argument": { "name": "language", "value": "ty" }, "values": ["typescript"] },
                { "ref": prompt, "argument": { "name": "style", "value": "" }, "values": ["plain"] },
                {
                    "ref": prompt, "argument": { "name": "style", "value": "" },
                    "context": { "arguments": { "language": "rust" } }, "values": ["clippy", "rustfmt"],
                },
            ],
        },
        "watch": {
            "tool": "touch_note",
            "first": { "id": "beta", "uri": "note://beta", "text": "touched note://beta" },
            "second": { "id": "alpha", "uri": "note://alpha", "text": "touched note://alpha" },
        },
        "task": {
            "tool": "book_table",
            "arguments": { "guests": 4 },
            "text": "Booked a table for 4 at 19:00",
            "statuses": ["task", "input_required", "completed"],
        },
    })
}
