//! Asks the client for input in ways the contract forbids.

use toolcell_guests::{
    Args, CallResult, FormRequest, InputKind, InputRequest, InputRequired, ToolCall, ToolOutcome, UrlRequest, raw,
};

raw!(
    bad_input_required,
    "Asks for input. `kind`: `nothing` (default), `same-key`, `empty-key`, `bad-schema`, `bad-url`, `bad-sample`, \
     `many`, `huge-state`, `again` (the same question for ever)."
);

fn bad_input_required(call: &ToolCall) -> CallResult {
    let args = Args::parse(&call.arguments);
    let ask = |requests| (requests, None);
    let (requests, state) = match args.text("kind", "nothing") {
        "same-key" => ask(vec![form("key", "{\"type\":\"object\",\"properties\":{}}"), roots("key")]),
        "empty-key" => ask(vec![roots("")]),
        "bad-schema" => ask(vec![form("key", "not json")]),
        "bad-url" => ask(vec![url("javascript:alert(1)")]),
        "bad-sample" => ask(vec![InputRequest { key: "key".to_owned(), kind: InputKind::Sample("[]".to_owned()) }]),
        "many" => ask((0..10_000).map(|n| roots(&n.to_string())).collect()),
        "huge-state" => (vec![roots("key")], Some(vec![0; 16 << 20])),
        "again" => (vec![roots("key")], Some(b"again".to_vec())),
        _ => ask(Vec::new()),
    };
    Ok(ToolOutcome::InputRequired(InputRequired { requests, state }))
}

fn form(key: &str, schema: &str) -> InputRequest {
    InputRequest {
        key: key.to_owned(),
        kind: InputKind::Form(FormRequest { message: "Fill in.".to_owned(), schema: schema.to_owned(), meta: None }),
    }
}

fn url(url: &str) -> InputRequest {
    InputRequest {
        key: "key".to_owned(),
        kind: InputKind::Url(UrlRequest { message: "Visit.".to_owned(), url: url.to_owned(), meta: None }),
    }
}

fn roots(key: &str) -> InputRequest {
    InputRequest { key: key.to_owned(), kind: InputKind::Roots }
}
