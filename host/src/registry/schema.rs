//! JSON Schema: a plugin's schemas are judged once, when it is loaded, and every call is judged by them before the guest
//! runs. The schemas come from strangers, so their size and depth are bounded and nothing they point to is fetched.
//!
//! Together with `manifest` this is the only place below `protocol` that looks into JSON.

use crate::policy::Limits;
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

/// How many violations one message lists. A model mends the first few and tries again.
const MAX_LISTED: usize = 8;
/// How much of one violation's text is shown, in bytes: it may quote the offending value.
const MAX_VIOLATION: usize = 300;
/// Steps a backtracking pattern may take on one string before it counts as not matching.
const BACKTRACK_LIMIT: usize = 20_000;
/// Subschemas one schema may have. The largest honest ones seen have a few hundred.
const MAX_NODES: usize = 20_000;

/// A schema, ready to judge.
#[derive(Debug)]
pub(crate) struct Schema(Validator);

impl Schema {
    /// Reads a schema: 2020-12 unless its `$schema` names another draft (4, 6, 7, 2019-09).
    ///
    /// # Errors
    /// A text that says what is wrong with it.
    pub(crate) fn new(text: &str, limits: &Limits) -> Result<Self, String> {
        if text.len() > limits.schema_bytes {
            return Err(format!("it is {} bytes long, at most {} are accepted", text.len(), limits.schema_bytes));
        }
        let value: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
        check_bounds(&value, limits)?;
        let draft = draft(&value)?;
        jsonschema::options()
            .with_draft(draft)
            .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(BACKTRACK_LIMIT))
            .offline()
            .build(&value)
            .map(Self)
            .map_err(|error| {
                format!("at `{}`: {}", pointer(&error.instance_path().to_string()), shorten(error.to_string()))
            })
    }

    /// # Errors
    /// A text that names each offending field and what would be right.
    pub(crate) fn check(&self, value: &Value) -> Result<(), String> {
        if self.0.is_valid(value) {
            return Ok(());
        }
        let mut errors = self.0.iter_errors(value);
        let mut lines: Vec<String> = errors
            .by_ref()
            .take(MAX_LISTED)
            .map(|error| format!("`{}`: {}", pointer(&error.instance_path().to_string()), shorten(error.to_string())))
            .collect();
        if errors.next().is_some() {
            lines.push("and more".to_owned());
        }
        Err(lines.join("; "))
    }
}

/// The root of a tool's `inputSchema` must describe an object, in words: `"type": "object"`.
pub(super) fn describes_object(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|value| value.get("type").and_then(Value::as_str) == Some("object"))
}

/// Whether a text is one JSON object, for `_meta`.
pub(super) fn is_object(text: &str) -> bool {
    serde_json::from_str::<serde_json::Map<String, Value>>(text).is_ok()
}

fn draft(schema: &Value) -> Result<Draft, String> {
    let Some(named) = schema.get("$schema") else { return Ok(Draft::Draft202012) };
    let name = named.as_str().ok_or("its `$schema` is not a string")?;
    match name.trim_end_matches('#').trim_start_matches("http://").trim_start_matches("https://") {
        "json-schema.org/draft/2020-12/schema" => Ok(Draft::Draft202012),
        "json-schema.org/draft/2019-09/schema" => Ok(Draft::Draft201909),
        "json-schema.org/draft-07/schema" => Ok(Draft::Draft7),
        "json-schema.org/draft-06/schema" => Ok(Draft::Draft6),
        "json-schema.org/draft-04/schema" => Ok(Draft::Draft4),
        _ => Err(format!(
            "its `$schema` is {}; drafts 2020-12, 2019-09, 7, 6 and 4 are supported",
            shorten(name.to_owned())
        )),
    }
}

/// Depth and number of nodes, and that every `$ref` stays inside the document.
fn check_bounds(schema: &Value, limits: &Limits) -> Result<(), String> {
    let most = limits.schema_depth;
    let mut todo = vec![(schema, 1_usize)];
    let mut nodes = 0_usize;
    while let Some((value, depth)) = todo.pop() {
        nodes += 1;
        if nodes > MAX_NODES {
            return Err(format!("it has more than {MAX_NODES} parts"));
        }
        // A level of schema is two levels of JSON: the keyword and what it holds.
        if depth > most.saturating_mul(2) {
            return Err(format!("it is nested more than {most} schemas deep"));
        }
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    check_reference(key, member)?;
                    todo.push((member, depth + 1));
                }
            }
            Value::Array(items) => todo.extend(items.iter().map(|item| (item, depth + 1))),
            _ => {}
        }
    }
    Ok(())
}

fn check_reference(key: &str, value: &Value) -> Result<(), String> {
    if !matches!(key, "$ref" | "$dynamicRef" | "$recursiveRef") {
        return Ok(());
    }
    match value.as_str() {
        Some(target) if !target.starts_with('#') => Err(format!(
            "its `{key}` points to {}, outside the schema; nothing is fetched, put the definition into `$defs`",
            shorten(target.to_owned())
        )),
        _ => Ok(()),
    }
}

fn pointer(path: &str) -> &str {
    if path.is_empty() { "arguments" } else { path.trim_start_matches('/') }
}

fn shorten(mut text: String) -> String {
    if text.len() > MAX_VIOLATION {
        let end = (0..=MAX_VIOLATION).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn new(schema: &Value) -> Result<Schema, String> {
        Schema::new(&schema.to_string(), &Limits::default())
    }

    #[test]
    fn a_violation_names_its_field() {
        let schema = new(
            &json!({"type": "object", "required": ["city"], "properties": {"days": {"type": "integer", "maximum": 7}}}),
        )
        .unwrap();
        assert!(schema.check(&json!({"city": "Oslo", "days": 3})).is_ok());
        let error = schema.check(&json!({"days": 9})).unwrap_err();
        assert!(error.contains("city") && error.contains("`days`") && error.contains('7'), "{error}");
    }

    #[test]
    fn refused_schemas_say_why() {
        let deep = (0..40).fold(json!({}), |inner, _| json!({"properties": {"a": inner}}));
        for (schema, reason) in [
            (json!({"type": "objekt"}), "objekt"),
            (json!({"$ref": "http://example.com/schema.json"}), "outside the schema"),
            (json!({"$ref": "file:///etc/passwd"}), "outside the schema"),
            (json!({"properties": {"a": {"$ref": "other.json"}}}), "outside the schema"),
            (json!({"$schema": "https://example.com/mine"}), "drafts 2020-12"),
            (json!({"pattern": "("}), "pattern"),
            (deep, "deep"),
        ] {
            let error = new(&schema).unwrap_err();
            assert!(error.contains(reason), "{schema}: {error}");
        }
        assert!(Schema::new("{", &Limits::default()).unwrap_err().contains("not JSON"));
    }

    #[test]
    fn a_hostile_pattern_costs_little() {
        let schema = new(&json!({"type": "string", "pattern": "^(?=(a+)+$)b"})).unwrap();
        let started = std::time::Instant::now();
        assert!(schema.check(&json!("a".repeat(5_000) + "!")).is_err());
        assert!(started.elapsed().as_secs() < 5);
    }

    #[test]
    fn older_drafts_are_understood() {
        assert!(new(&json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"})).is_ok());
    }
}
