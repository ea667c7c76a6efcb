//! Arguments that a client repeats in HTTP headers, so that intermediaries can route on them (`x-mcp-header`).
//!
//! This layer says which headers a call must have and with which values; comparing them with the headers that came is
//! the transport's part. Source: 2026-07-28, Streamable HTTP, "Custom Headers from Tool Parameters".

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::jsonrpc::{Fields, text};

/// One annotated argument of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mirror {
    /// The header's name, in lower case.
    header: String,
    /// The chain of property names that leads to the argument.
    path: Vec<String>,
}

/// A header that a call must have, must not have, or must have with this value.
#[derive(Debug, PartialEq)]
pub struct Mirrored<'a> {
    /// The header's name, in lower case.
    pub header: String,
    /// The argument; none if the call has none, and then the header must not be there.
    pub value: Option<MirroredValue<'a>>,
}

/// The value of an argument, as far as a header can hold one.
#[derive(Debug, PartialEq)]
pub enum MirroredValue<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// A number, as the client wrote it.
    Number(&'a str),
    /// True or false.
    Flag(bool),
    /// Something no header can hold; the schema will refuse it.
    Other,
}

/// The annotated arguments of a tool. Empty if there are none, or if an annotation breaks the rules: then the whole
/// definition is void for a client, and there is nothing it could be held to.
pub(super) fn of_schema(schema: &str) -> Box<[Mirror]> {
    // Nearly every schema ends here.
    if !schema.contains("x-mcp-header") {
        return Box::default();
    }
    let mut mirrors = Vec::new();
    let valid = serde_json::from_str::<Value>(schema)
        .is_ok_and(|schema| collect(&schema, &mut Vec::new(), &mut mirrors).is_some());
    let mut names: Vec<&str> = mirrors.iter().map(|mirror| mirror.header.as_str()).collect();
    names.sort_unstable();
    let unique = names.windows(2).all(|pair| pair.first() != pair.last());
    if valid && unique { mirrors.into() } else { Box::default() }
}

fn collect(schema: &Value, path: &mut Vec<String>, mirrors: &mut Vec<Mirror>) -> Option<()> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Some(()) };
    for (name, property) in properties {
        path.push(name.clone());
        if let Some(annotation) = property.get("x-mcp-header") {
            let kind = property.get("type").and_then(Value::as_str)?;
            let header = annotation.as_str().filter(|header| is_token(header))?;
            if !matches!(kind, "string" | "integer" | "boolean") {
                return None;
            }
            let header = format!("mcp-param-{}", header.to_ascii_lowercase());
            mirrors.push(Mirror { header, path: path.clone() });
        }
        collect(property, path, mirrors)?;
        path.pop();
    }
    Some(())
}

/// Source: RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// The headers a call with these arguments must have.
pub(super) fn of_call<'a>(mirrors: &[Mirror], arguments: Option<&'a RawValue>) -> Vec<Mirrored<'a>> {
    let mut levels = Levels { arguments, read: HashMap::new() };
    mirrors
        .iter()
        .map(|mirror| Mirrored { header: mirror.header.clone(), value: levels.at(&mirror.path).map(value) })
        .collect()
}

/// The objects along the paths, each read once however many paths lead through it: a stranger decides how long they are.
struct Levels<'a, 'p> {
    arguments: Option<&'a RawValue>,
    read: HashMap<&'p [String], Option<Fields<'a>>>,
}

impl<'a, 'p> Levels<'a, 'p> {
    fn at(&mut self, path: &'p [String]) -> Option<&'a RawValue> {
        let Some((name, parent)) = path.split_last() else { return self.arguments };
        if !self.read.contains_key(parent) {
            let fields = self.at(parent).and_then(Fields::read);
            self.read.insert(parent, fields);
        }
        self.read.get(parent)?.as_ref()?.get(name)
    }
}

fn value(raw: &RawValue) -> MirroredValue<'_> {
    match raw.get() {
        "true" => MirroredValue::Flag(true),
        "false" => MirroredValue::Flag(false),
        number if number.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
            MirroredValue::Number(number)
        }
        _ => text(raw).map_or(MirroredValue::Other, MirroredValue::Text),
    }
}

#[cfg(test)]
mod tests {
    use super::{MirroredValue, of_call, of_schema};

    #[test]
    fn annotations_are_found_along_properties_only_and_only_valid_ones() {
        for (schema, headers) in [
            (r#"{"type":"object","properties":{"a":{"type":"string"}}}"#, &[][..]),
            (r#"{"properties":{"a":{"type":"string","x-mcp-header":"Region"}}}"#, &["mcp-param-region"]),
            (
                r#"{"properties":{"o":{"type":"object","properties":{"n":{"type":"integer","x-mcp-header":"N"}}}}}"#,
                &["mcp-param-n"],
            ),
            (r#"{"properties":{"a":{"type":"number","x-mcp-header":"X"}}}"#, &[]),
            (r#"{"properties":{"a":{"type":"string","x-mcp-header":""}}}"#, &[]),
            (r#"{"properties":{"a":{"type":"string","x-mcp-header":"a b"}}}"#, &[]),
            (
                r#"{"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}}"#,
                &[],
            ),
        ] {
            let found = of_schema(schema);
            assert_eq!(found.iter().map(|mirror| mirror.header.as_str()).collect::<Vec<_>>(), headers, "{schema}");
        }
    }

    #[test]
    fn values_are_read_at_their_place() {
        let mirrors = of_schema(
            r#"{"properties":{"o":{"properties":{"n":{"type":"integer","x-mcp-header":"n"}}},"s":{"type":"string","x-mcp-header":"s"}}}"#,
        );
        for (arguments, n, s) in [
            (r#"{"o":{"n":42},"s":"é"}"#, Some(MirroredValue::Number("42")), Some(MirroredValue::Text("é".into()))),
            (r#"{"o":{"n":null}}"#, None, None),
            (r#"{"o":7,"s":[1]}"#, None, Some(MirroredValue::Other)),
            (r#"{"s":true}"#, None, Some(MirroredValue::Flag(true))),
        ] {
            let raw = serde_json::from_str(arguments).unwrap();
            let mut found = of_call(&mirrors, Some(raw)).into_iter();
            assert_eq!(found.next().map(|mirrored| mirrored.value), Some(n), "{arguments}");
            assert_eq!(found.next().map(|mirrored| mirrored.value), Some(s), "{arguments}");
        }
    }
}
