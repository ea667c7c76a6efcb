//! Waits until a file is there, on the host's clock or on its own, and keeps count of how often it was begun.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use toolcell_guests::bindings::exports::toolcell::plugin::tools::{Guest, ToolAnnotations};
use toolcell_guests::bindings::toolcell::plugin::progress;
use toolcell_guests::{Args, CallResult, ListResult, ToolCall, listed, text, time, tool};

/// The plugin.
pub struct Plugin;

impl Guest for Plugin {
    fn list_tools() -> ListResult {
        let waiting = |name: &str, idempotent: bool| {
            let mut tool = tool(name, "Returns when /gate/open is there. `how`: `poll` (default), `wait`, `spin`.");
            tool.annotations = Some(ToolAnnotations {
                read_only: Some(false),
                destructive: Some(!idempotent),
                idempotent: Some(idempotent),
                open_world: Some(false),
            });
            tool.meta = Some(r#"{"io.toolcell/task":"optional"}"#.to_owned());
            tool
        };
        Ok(listed(vec![waiting("gate", true), waiting("gate_once", false), tool("through", "Returns at once.")]))
    }

    fn call_tool(call: ToolCall) -> CallResult {
        if call.name == "through" {
            return Ok(text("through"));
        }
        let begun = format!("/gate/{}", call.name);
        let mut file = OpenOptions::new().create(true).append(true).open(&begun).expect("the gate's folder is granted");
        file.write_all(b"begun\n").expect("the gate's folder can be written to");
        drop(file);
        progress::report(1.0, None, None);
        match Args::parse(&call.arguments).text("how", "poll") {
            "wait" => time::wait_ns(u64::MAX),
            "spin" => loop {
                std::hint::black_box(());
            },
            _ => {
                while !Path::new("/gate/open").exists() {
                    time::wait_ms(5);
                }
            }
        }
        let times = fs::read_to_string(begun).unwrap_or_default().lines().count();
        Ok(text(format!("{} was begun {times} times", call.name)))
    }
}

#[cfg(target_os = "wasi")]
toolcell_guests::bindings::export!(Plugin with_types_in toolcell_guests::bindings);
