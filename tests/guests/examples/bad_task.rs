//! A tool that may run as a task, and is none that anyone would want.

use toolcell_guests::{
    Args, CallError, CallResult, FormRequest, InputKind, InputRequest, InputRequired, Tool, ToolCall, ToolOutcome,
    ToolResult, UrlRequest, text, time, tool, tools,
};

tools!(list, call);

fn list() -> Vec<Tool> {
    let description = "Misbehaves as a task. `kind`: `fine` (default), `sleep`, `spin`, `panic`, `text`, `structured`, \
        `error`, `ask`, `ask-same`, `ask-much`, `ask-nothing`, `ask-state`, `ask-script`, `ask-schema`, `ask-sample`.";
    let may = |rule: &str, tool| Tool { meta: Some(format!(r#"{{"io.toolcell/task":"{rule}"}}"#)), ..tool };
    vec![
        may("optional", tool("bad_task", description)),
        may(
            "optional",
            Tool {
                output_schema: Some(r#"{"type":"object","required":["n"]}"#.to_owned()),
                ..tool("promises", "Promises `n` and returns something else.")
            },
        ),
        may("sometimes", tool("odd_rule", "Has a rule that is none.")),
    ]
}

fn call(call: &ToolCall) -> CallResult {
    if call.name == "promises" {
        let structured = Some(r#"{"m":1}"#.to_owned());
        return Ok(ToolOutcome::Complete(ToolResult { content: Vec::new(), structured, is_error: false, meta: None }));
    }
    let args = Args::parse(&call.arguments);
    let given = call.continuation.as_ref();
    let rounds = given.and_then(|given| given.state.as_ref()).map_or(0, Vec::len);
    let state = vec![0; rounds + 1];
    let ask = |requests, state| Ok(ToolOutcome::InputRequired(InputRequired { requests, state: Some(state) }));
    let roots = |key: &str| InputRequest { key: key.to_owned(), kind: InputKind::Roots };
    let one = |kind| vec![InputRequest { key: "key".to_owned(), kind }];
    match args.text("kind", "fine") {
        "sleep" => time::wait_ns(u64::MAX),
        "spin" => loop {
            std::hint::spin_loop();
        },
        "panic" => panic!("this guest panics on purpose"),
        "error" => return Err(CallError::Other("words of the guest".to_owned())),
        "text" => return Ok(text("x".repeat(usize::try_from(args.number("bytes", 32 << 20)).unwrap_or(0)))),
        "ask" => return ask(vec![roots("same")], state),
        "ask-once" if given.is_none() => return ask(vec![roots("same"), roots("other")], state),
        "ask-same" => return ask(vec![roots("same"), roots("same")], state),
        "ask-much" => return ask((0..100_000).map(|_| roots("same")).collect(), state),
        "ask-nothing" => return ask(Vec::new(), state),
        "ask-state" => return ask(vec![roots("key")], vec![0; 16 << 20]),
        "ask-script" => {
            let (message, url) = ("Visit.".to_owned(), "javascript:alert(1)".to_owned());
            return ask(one(InputKind::Url(UrlRequest { message, url, meta: None })), state);
        }
        "ask-schema" => {
            let (message, schema) = ("Fill in.".to_owned(), "not json".to_owned());
            return ask(one(InputKind::Form(FormRequest { message, schema, meta: None })), state);
        }
        "ask-sample" => return ask(one(InputKind::Sample("[]".to_owned())), state),
        _ => {}
    }
    let answers = given.map_or(0, |given| given.responses.len());
    Ok(text(format!("fine after {rounds} rounds with {answers} answers")))
}
