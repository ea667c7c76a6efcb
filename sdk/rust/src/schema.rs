//! JSON Schema (2020-12) from types.

use crate::Arguments;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use schemars::transform::RestrictFormats;
use serde_json::{Map, Value};

pub use schemars::Schema;

/// The schema of an argument struct.
#[must_use]
pub fn input_schema<T: Arguments>() -> Schema {
    generate::<T>(SchemaSettings::draft2020_12())
}

/// The schema of a structured result.
#[must_use]
pub fn output_schema<T: JsonSchema>() -> Option<Schema> {
    Some(generate::<T>(SchemaSettings::draft2020_12().for_serialize()))
}

/// The schema of a tool without arguments.
#[must_use]
pub fn no_input() -> Schema {
    schemars::json_schema!({ "type": "object", "additionalProperties": false })
}

/// Written where it is used: `$defs` appear only for types that contain themselves, because many clients do not follow
/// references. The name of the Rust type (`title`) says nothing to a model. Formats that JSON Schema does not define, such as
/// `uint32`, go too: some clients warn about them and some models' interfaces refuse them.
fn generate<T: JsonSchema>(settings: SchemaSettings) -> Schema {
    let settings =
        settings.with(|settings| settings.inline_subschemas = true).with_transform(RestrictFormats::default());
    // A type that writes its own schema may name the dialect; every other schema is of the dialect that goes without saying.
    let names_dialect = T::json_schema(&mut settings.clone().into_generator()).get("$schema").is_some();
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    if !names_dialect {
        // It was there only to tell the transform above which formats are defined.
        schema.remove("$schema");
    }
    schema.remove("title");
    schema
}

/// The text of an argument schema, whose root has `"type": "object"`.
///
/// # Errors
/// What the arguments are instead of an object.
pub(crate) fn of_arguments(mut schema: Schema) -> Result<String, String> {
    match schema.get("type").map(Value::as_str) {
        Some(Some("object")) => Ok(text(schema)),
        // An enum, for example: the alternatives are objects, and only the root does not say it.
        None => {
            let object = schema.ensure_object();
            let rest = std::mem::take(object);
            *object = Map::from_iter([("type".to_owned(), "object".into())]);
            object.extend(rest);
            Ok(text(schema))
        }
        Some(Some(other)) => Err(format!("of the JSON type `{other}`")),
        Some(None) => Err("of several JSON types".to_owned()),
    }
}

/// The text of a schema.
pub(crate) fn text(schema: Schema) -> String {
    schema.to_value().to_string()
}

/// The text of the schema of a form.
pub(crate) fn form<T: JsonSchema>() -> String {
    text(generate::<T>(SchemaSettings::draft2020_12()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    fn arguments<T: Arguments>() -> String {
        of_arguments(input_schema::<T>()).unwrap()
    }

    #[derive(Deserialize, JsonSchema)]
    struct None {}

    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Search {
        /// What to look for.
        query: String,
        /// At most this many.
        #[serde(default = "ten")]
        limit: u32,
        /// Where to look.
        ///
        /// All of it if not said.
        inside: Option<String>,
        order: Order,
        places: Vec<Place>,
        weights: BTreeMap<String, f64>,
        #[schemars(range(min = 1, max = 5))]
        stars: u8,
    }

    fn ten() -> u32 {
        10
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    #[allow(dead_code)]
    enum Order {
        NewestFirst,
        OldestFirst,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[allow(dead_code)]
    struct Place {
        city_name: String,
    }

    /// A note and what hangs on it.
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Note {
        text: String,
        replies: Vec<Note>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Thread {
        first: Note,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    #[allow(dead_code)]
    enum Shape {
        Circle { radius: f64 },
        Point,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Answer {
        #[serde(default)]
        count: u64,
    }

    #[test]
    fn a_struct_is_written_out_in_the_order_of_its_fields() {
        let expected = concat!(
            r#"{"type":"object","properties":{"#,
            r#""query":{"type":"string","description":"What to look for."},"#,
            r#""limit":{"type":"integer","default":10,"minimum":0,"description":"At most this many."},"#,
            r#""inside":{"type":["string","null"],"description":"Where to look.\n\nAll of it if not said."},"#,
            r#""order":{"type":"string","enum":["newestFirst","oldestFirst"]},"#,
            r#""places":{"type":"array","items":{"type":"object","properties":{"cityName":{"type":"string"}},"#,
            r#""additionalProperties":false,"required":["cityName"]}},"#,
            r#""weights":{"type":"object","additionalProperties":{"type":"number"}},"#,
            r#""stars":{"type":"integer","maximum":5,"minimum":1}"#,
            r#"},"required":["query","order","places","weights","stars"]}"#,
        );
        assert_eq!(arguments::<Search>(), expected);
    }

    #[test]
    fn only_a_type_that_holds_itself_is_referred_to() {
        let note = concat!(
            r#"{"type":"object","properties":{"text":{"type":"string"},"#,
            r##""replies":{"type":"array","items":{"$ref":"#"}}},"required":["text","replies"],"##,
            r#""description":"A note and what hangs on it."}"#,
        );
        assert_eq!(arguments::<Note>(), note);
        let thread: Value = serde_json::from_str(&arguments::<Thread>()).unwrap();
        assert_eq!(thread.pointer("/properties/first/properties/replies/items/$ref"), Some(&"#/$defs/Note".into()));
        assert!(thread.pointer("/$defs/Note/properties/text").is_some(), "{thread}");
    }

    #[test]
    fn the_root_of_arguments_says_object() {
        let shape = arguments::<Shape>();
        assert!(shape.starts_with(r#"{"type":"object","oneOf":["#), "{shape}");
        assert_eq!(arguments::<None>(), r#"{"type":"object"}"#);
        assert_eq!(of_arguments(no_input()).unwrap(), r#"{"type":"object","additionalProperties":false}"#);
    }

    #[test]
    fn arguments_that_are_no_object_are_refused() {
        assert_eq!(of_arguments(input_schema::<Vec<u8>>()), Err("of the JSON type `array`".into()));
        assert_eq!(of_arguments(input_schema::<Option<bool>>()), Err("of several JSON types".into()));
    }

    #[test]
    fn a_result_describes_what_is_written_and_not_what_may_be_left_out() {
        let expected = r#"{"type":"object","properties":{"count":{"type":"integer","default":0,"minimum":0}},"required":["count"]}"#;
        assert_eq!(output_schema::<Answer>().map(text).as_deref(), Some(expected));
        assert!(!arguments::<Answer>().contains("required"));
    }
}
