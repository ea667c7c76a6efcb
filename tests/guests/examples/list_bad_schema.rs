//! Lists tools whose schemas are not JSON, not JSON Schema, or not what a tool's schema has to be. The last one is
//! good: whether it is still offered is for the host's rules to say.

use toolcell_guests::{ListResult, Tool, listed, listing, tool};

const SCHEMAS: [(&str, &str); 12] = [
    ("not_json", "{\"type\":"),
    ("empty", ""),
    ("not_an_object", "[]"),
    ("null", "null"),
    ("boolean", "true"),
    ("root_is_array", r#"{"type":"array"}"#),
    ("root_has_no_type", r#"{"properties":{}}"#),
    ("type_is_number", r#"{"type":1}"#),
    ("unknown_type", r#"{"type":"object","properties":{"a":{"type":"objekt"}}}"#),
    ("properties_is_list", r#"{"type":"object","properties":[]}"#),
    ("bad_pattern", r#"{"type":"object","properties":{"a":{"type":"string","pattern":"("}}}"#),
    ("unknown_dialect", r#"{"$schema":"https://example.com/no-such-dialect","type":"object"}"#),
];

listing!(list_bad_schema);

fn list_bad_schema() -> ListResult {
    let bad = SCHEMAS
        .iter()
        .map(|(name, schema)| Tool { input_schema: (*schema).to_owned(), ..tool(*name, "Has a schema that is none.") });
    let bad_output = Tool {
        output_schema: Some(r#"{"type":1}"#.to_owned()),
        ..tool("bad_output_schema", "Has an output schema that is none.")
    };
    let bad_meta = Tool { meta: Some("[1".to_owned()), ..tool("bad_meta", "Has metadata that is no JSON.") };
    Ok(listed(bad.chain([bad_output, bad_meta, tool("good", "Is as it should be.")]).collect()))
}
