//! Answers with each of the errors a plugin can answer with, in whatever words the test chooses.

use toolcell_guests::{Args, CallError, CallResult, ToolCall, ToolOutcome, ToolResult, raw, text};

raw!(
    call_errors,
    "Fails. `kind`: `not-found`, `invalid-arguments`, `denied`, `unavailable`, `cancelled`, `other` (default), \
     `is-error`, `empty-is-error`; `text`: in these words."
);

fn call_errors(call: &ToolCall) -> CallResult {
    let args = Args::parse(&call.arguments);
    let words = args.text("text", "words of the guest").to_owned();
    Err(match args.text("kind", "other") {
        "not-found" => CallError::NotFound(words),
        "invalid-arguments" => CallError::InvalidArguments(words),
        "denied" => CallError::Denied(words),
        "unavailable" => CallError::Unavailable(words),
        "cancelled" => CallError::Cancelled,
        "is-error" => return Ok(as_error(text(words))),
        "empty-is-error" => {
            return Ok(as_error(toolcell_guests::completed(Vec::new())));
        }
        _ => CallError::Other(words),
    })
}

fn as_error(outcome: ToolOutcome) -> ToolOutcome {
    match outcome {
        ToolOutcome::Complete(result) => ToolOutcome::Complete(ToolResult { is_error: true, ..result }),
        other => other,
    }
}
