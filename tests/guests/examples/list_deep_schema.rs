//! Lists tools whose schemas are deeper, longer or more tangled than a reader should follow.

use toolcell_guests::{ListResult, Tool, listed, listing, tool};

listing!(list_deep_schema);

fn list_deep_schema() -> ListResult {
    Ok(listed(vec![
        with_schema("deep_schema", nested(100_000)),
        with_schema("somewhat_deep_schema", nested(200)),
        with_schema("wide_schema", wide(100_000)),
        with_schema("loop_schema", r##"{"type":"object","$ref":"#"}"##.to_owned()),
    ]))
}

fn with_schema(name: &str, schema: String) -> Tool {
    Tool { input_schema: schema, ..tool(name, "Has a schema nobody needs.") }
}

/// `depth` objects, each inside the last.
fn nested(depth: usize) -> String {
    let open = r#"{"type":"object","properties":{"a":"#.repeat(depth);
    format!("{open}{{}}{}", "}}".repeat(depth))
}

/// `count` properties side by side.
fn wide(count: usize) -> String {
    let properties: Vec<_> = (0..count).map(|n| format!("\"p{n}\":{{}}")).collect();
    format!(r#"{{"type":"object","properties":{{{}}}}}"#, properties.join(","))
}
