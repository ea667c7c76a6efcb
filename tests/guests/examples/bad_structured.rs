//! Declares what it will return and returns something else.

use toolcell_guests::{Args, CallResult, ToolCall, ToolOutcome, ToolResult, raw};

raw!(
    bad_structured,
    "Returns structured content that breaks its output schema. `kind`: `type` (default), `missing`, `not-json`, \
     `none`, `array`, `valid`, `error-with-none`.",
    output: r#"{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}"#
);

fn bad_structured(call: &ToolCall) -> CallResult {
    let args = Args::parse(&call.arguments);
    let kind = args.text("kind", "type");
    let structured = match kind {
        "missing" => Some("{}"),
        "not-json" => Some("{\"n\":"),
        "none" | "error-with-none" => None,
        "array" => Some("[1]"),
        "valid" => Some("{\"n\":1}"),
        _ => Some("{\"n\":\"not a number\"}"),
    };
    Ok(ToolOutcome::Complete(ToolResult {
        content: Vec::new(),
        structured: structured.map(str::to_owned),
        is_error: kind == "error-with-none",
        meta: None,
    }))
}
