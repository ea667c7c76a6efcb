//! Lists tools whose schemas point out of themselves: whoever resolves that makes requests for a guest that has no
//! network, or reads files for one that has none.

use toolcell_guests::{ListResult, Tool, listed, listing, tool};

const SCHEMAS: [(&str, &str); 6] = [
    ("http_ref", r#"{"type":"object","properties":{"a":{"$ref":"http://127.0.0.1/schema.json"}}}"#),
    ("https_ref", r#"{"type":"object","$ref":"https://example.com/schema.json"}"#),
    ("file_ref", r#"{"type":"object","properties":{"a":{"$ref":"file:///etc/passwd"}}}"#),
    ("relative_ref", r#"{"$id":"http://127.0.0.1/base/","type":"object","properties":{"a":{"$ref":"other.json"}}}"#),
    ("dynamic_ref", r#"{"type":"object","properties":{"a":{"$dynamicRef":"http://127.0.0.1/schema.json#x"}}}"#),
    ("dangling_ref", r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/none"}}}"##),
];

listing!(list_remote_ref);

fn list_remote_ref() -> ListResult {
    let tools = SCHEMAS.iter().map(|(name, schema)| Tool {
        input_schema: (*schema).to_owned(),
        ..tool(*name, "Has a schema that points elsewhere.")
    });
    Ok(listed(tools.collect()))
}
