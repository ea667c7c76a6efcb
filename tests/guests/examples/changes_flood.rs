//! Says that things have changed, as often as it can and whether they have or not; also while it is asked for its lists.
//!
//! Its resources are the lines of `/data/uris` where that is granted; while `/data/fail` is there it cannot list them.

use std::fs;
use std::path::Path;

use toolcell_guests::bindings::toolcell::plugin::changes;
use toolcell_guests::offers::{
    Answer, CallError, Offers, Prompt, ReadOutcome, ResourceBody, ResourceInfo, ResourceRead, ResourceTemplate,
    contents, prompt, read, resource, template,
};
use toolcell_guests::{Args, Tool, ToolCall, ToolOutcome, offering, text, tool};

/// The plugin.
pub struct Plugin;
offering!(Plugin);

/// Whoever asks for a list is told that it has just changed.
fn announce_all() {
    for _ in 0..100 {
        changes::tools_changed();
        changes::resources_changed();
        changes::prompts_changed();
        changes::resource_updated("flood://1");
    }
    // The mark by which a test counts how often it was asked.
    eprintln!("asked for a list");
}

impl Offers for Plugin {
    fn list_tools() -> Answer<Vec<Tool>> {
        announce_all();
        let description =
            "Announces `what` (`tools`, `resources`, `prompts`, `updated`) `times` times; `uris` changed.";
        Ok(vec![tool("changes_flood", description)])
    }

    fn call_tool(call: &ToolCall) -> Answer<ToolOutcome> {
        let args = Args::parse(&call.arguments);
        let uris = args.list("uris");
        let times = args.number("times", 1);
        for _ in 0..times {
            match args.text("what", "updated") {
                "tools" => changes::tools_changed(),
                "resources" => changes::resources_changed(),
                "prompts" => changes::prompts_changed(),
                "long" => changes::resource_updated(&"x".repeat(1_000_000)),
                _ => uris.iter().for_each(|uri| changes::resource_updated(uri)),
            }
        }
        Ok(text(format!("announced {times} times")))
    }

    fn list_resources() -> Answer<Vec<ResourceInfo>> {
        announce_all();
        if Path::new("/data/fail").exists() {
            return Err(CallError::Unavailable("this guest fails on purpose".to_owned()));
        }
        let uris = fs::read_to_string("/data/uris").unwrap_or_else(|_| "flood://1".to_owned());
        Ok(uris.split_whitespace().map(resource).collect())
    }

    fn list_templates() -> Answer<Vec<ResourceTemplate>> {
        announce_all();
        Ok(vec![template("flood://many/{n}")])
    }

    fn read_resource(asked: &ResourceRead) -> Answer<ReadOutcome> {
        Ok(read(vec![contents(&asked.uri, ResourceBody::Text("flood".to_owned()))]))
    }

    fn list_prompts() -> Answer<Vec<Prompt>> {
        announce_all();
        Ok(vec![prompt("flood", &[])])
    }
}
