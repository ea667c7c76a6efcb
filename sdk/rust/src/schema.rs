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
    Some(generate::<T>(
        SchemaSettings::draft2020_12().for_serialize(),
    ))
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
    let settings = settings
        .with(|settings| settings.inline_subschemas = true)
        .with_transform(RestrictFormats::default());
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    // `$schema` is what told the transform above which formats are defined.
    schema.remove("$schema");
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
