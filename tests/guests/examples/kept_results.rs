//! Says that it changes nothing and that asking again changes nothing, and answers differently each time.

use toolcell_guests::bindings::exports::toolcell::plugin::tools::ToolAnnotations;
use toolcell_guests::{
    Args, CallError, CallResult, InputKind, InputRequest, InputRequired, Tool, ToolCall, ToolOutcome, ToolResult, text,
    tool, tools,
};
use wasip2::random::random::get_random_u64;

tools!(list, call);

fn list() -> Vec<Tool> {
    let hints =
        |read_only, idempotent| Some(ToolAnnotations { read_only, destructive: None, idempotent, open_world: None });
    let description = "Returns its arguments and a random number. `kind`: `error`, `is-error`, `ask`, `large`.";
    vec![
        Tool { annotations: hints(Some(true), Some(true)), ..tool("kept", description) },
        Tool { annotations: hints(Some(true), None), ..tool("read_only", description) },
        Tool { annotations: hints(None, Some(true)), ..tool("idempotent", description) },
        tool("unmarked", description),
    ]
}

fn call(call: &ToolCall) -> CallResult {
    let args = Args::parse(&call.arguments);
    let said = format!("{} {} {}", call.name, call.arguments, get_random_u64());
    match args.text("kind", "") {
        "error" => Err(CallError::Other(said)),
        "is-error" => match text(said) {
            ToolOutcome::Complete(result) => Ok(ToolOutcome::Complete(ToolResult { is_error: true, ..result })),
            other => Ok(other),
        },
        "ask" if call.continuation.is_none() => {
            let requests = vec![InputRequest { key: "key".to_owned(), kind: InputKind::Roots }];
            Ok(ToolOutcome::InputRequired(InputRequired { requests, state: None }))
        }
        "large" => Ok(text(said + &"x".repeat(usize::try_from(args.number("bytes", 1 << 20)).unwrap_or(0)))),
        _ => Ok(text(said)),
    }
}
