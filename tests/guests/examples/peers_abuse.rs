//! Calls other tools, and itself, as often and as deep as it may: `tool` with `arguments`, `times` times; `how` is `down` to
//! go on below. While it is listed it calls a tool as well; what came of that is its description.

use serde_json::{Value, json};
use toolcell_guests::bindings::toolcell::plugin::context;
use toolcell_guests::bindings::toolcell::plugin::peers::{self, PeerError};
use toolcell_guests::bindings::toolcell::plugin::types::{Content, ToolResult};
use toolcell_guests::{Args, CallResult, Report, ToolCall, text, tool, tools};

tools!(list, call);

fn list() -> Vec<toolcell_guests::Tool> {
    let mut report = Report::new();
    report.add("call", "while-listed", peers::call("echo", r#"{"message":"x"}"#).map(|_| "called").map_err(words));
    vec![tool("peers_abuse", report.to_string())]
}

fn call(call: &ToolCall) -> CallResult {
    let args = Args::parse(&call.arguments);
    let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
    let mut report = Report::new();
    let name = args.text("tool", "peers_abuse");
    match args.text("how", "call") {
        // Itself below itself, until the host says that it is deep enough; the report of each is in the one above.
        "down" => {
            let below = peers::call(name, &json!({ "tool": name, "how": "down" }).to_string());
            report.add("down", name, below.map(|result| said(&result)).map_err(words));
        }
        "context" => {
            let seen = context::current();
            let caller = seen.caller.map_or("nobody".to_owned(), |caller| caller.principal);
            let line = format!("{caller} abilities {} within {}", seen.abilities.bits(), seen.remaining_ms <= 900);
            report.add("context", "call", Ok::<_, String>(line));
        }
        _ => {
            let given = arguments.get("arguments").cloned().unwrap_or(json!({}));
            // A text goes as it is, so that it need not be JSON.
            let given = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
            for _ in 0..args.number("times", 1) {
                report.add("call", name, peers::call(name, &given).map(|result| said(&result)).map_err(words));
            }
        }
    }
    Ok(text(report.to_string()))
}

fn said(result: &ToolResult) -> String {
    let texts = result.content.iter().map(|content| match content {
        Content::Text(text) => text.text.as_str(),
        _ => "(no text)",
    });
    let error = if result.is_error { "error " } else { "" };
    format!("{error}{}", texts.collect::<Vec<_>>().join(" "))
}

fn words(error: PeerError) -> String {
    match error {
        PeerError::Denied(text) => format!("denied: {text}"),
        PeerError::NotFound(text) => format!("not-found: {text}"),
        PeerError::InvalidArguments(text) => format!("invalid-arguments: {text}"),
        PeerError::Limit(text) => format!("limit: {text}"),
        PeerError::Other(text) => format!("other: {text}"),
    }
}
