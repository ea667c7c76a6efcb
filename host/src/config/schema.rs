//! The JSON Schema from which editors complete and check `toolcell.toml`.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::written::{Document, PluginTable};
use crate::policy::Limits;

/// The JSON Schema of `toolcell.toml`, indented, with a newline at the end. The file `toolcell.schema.json` of the
/// repository holds the same text.
pub fn json_schema() -> String {
    // The draft that editors' TOML extensions know.
    let settings = SchemaSettings::draft07().with_transform(RecursiveTransform(as_toml));
    let mut schema = settings.into_generator().into_root_schema_for::<Document>();
    schema.insert("title".to_owned(), "toolcell.toml".into());
    let mut schema = schema.to_value();
    // The order must not depend on which features of serde_json some other crate of a build asks for.
    schema.sort_all_objects();
    let mut text = format!("{schema:#}");
    text.push('\n');
    text
}

/// TOML has no null, and editors show `format`, null and the line breaks of a doc comment as if they meant something.
fn as_toml(schema: &mut Schema) {
    let null = json!("null");
    schema.remove("format");
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| *name != null);
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(mut choices)) = schema.remove("anyOf") {
        choices.retain(|choice| choice.get("type") != Some(&null));
        // A reference stands in a list, because this draft ignores what stands beside it.
        let key = if choices.len() == 1 { "allOf" } else { "anyOf" };
        schema.insert(key.to_owned(), choices.into());
    }
}

/// The plugins by name, with the rule for names.
pub(super) fn plugins(generator: &mut SchemaGenerator) -> Schema {
    let plugin = generator.subschema_for::<PluginTable>();
    schemars::json_schema!({
        "type": "object",
        "propertyNames": { "pattern": "^[a-z0-9][a-z0-9_-]{0,63}(@[0-9]{1,9}([.][0-9]{1,9}){0,2})?$" },
        "additionalProperties": plugin,
    })
}

/// Adds to each limit what it is by default and between which numbers it lies.
pub(super) fn bounds(schema: &mut Schema) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    for limit in Limits::ALL {
        let (key, unit) = limit.key();
        let Some(Value::Object(property)) = properties.get_mut(&key) else {
            continue;
        };
        let (default, max) = (limit.default / unit, limit.max / unit);
        let docs = property.get("description").and_then(Value::as_str).unwrap_or_default();
        let docs = format!("{docs} Default is {}, at most {}.", shown(&key, default), shown(&key, max));
        property.insert("description".to_owned(), docs.into());
        property.insert("default".to_owned(), json!(default));
        property.insert("minimum".to_owned(), json!(1));
        property.insert("maximum".to_owned(), json!(max));
    }
}

/// A number as a person would write it: sizes in the largest unit without a fraction.
fn shown(key: &str, number: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let whole = units.into_iter().find(|(shift, _)| number.trailing_zeros() >= *shift);
    match whole.filter(|_| key.ends_with("-bytes")) {
        Some((shift, unit)) => format!("{} {unit}", number >> shift),
        None => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_null() {
        assert!(!json_schema().contains("null"));
    }

    #[test]
    fn every_limit_has_its_bounds_and_every_key_its_words() {
        let schema: Value = serde_json::from_str(&json_schema()).unwrap();
        let limits = &schema["definitions"]["LimitsConfig"]["properties"];
        for limit in Limits::ALL {
            let (key, unit) = limit.key();
            assert_eq!(limits[&key]["maximum"], limit.max / unit, "{key}");
        }
        assert_eq!(
            limits["log-bytes"]["description"],
            "Size of what one call may log; the rest is dropped. Default is 256 KiB, at most 64 MiB."
        );
        assert_eq!(limits.as_object().map(|limits| limits.len()), Some(Limits::ALL.len()));
        for (name, definition) in schema["definitions"].as_object().unwrap() {
            let Some(properties) = definition["properties"].as_object() else {
                continue;
            };
            for (key, property) in properties {
                assert!(property["description"].is_string(), "{name}.{key}");
            }
        }
    }
}
