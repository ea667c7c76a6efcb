//! JSON Schema (2020-12) of shapes.

use super::shape::{Case, Field, Float, Name, Shape};
use serde_json::{Map, Value, json};

/// The shortest decimal that reads as the largest `f32`, which is how that is written. As an `f64` it is a little larger.
const MAX_F32: f64 = 3.402_823_5e38;

/// Which way the values go.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Way {
    /// From the client to the guest.
    In,
    /// From the guest to the client: there a float may be no number.
    Out,
}

/// The schema of a function's parameters: an object with a property for each, and no others.
pub(super) fn parameters(parameters: &[Field]) -> String {
    record(parameters, Way::In).to_string()
}

/// The schema of a function's structured result: an object whose `result` is the value.
pub(super) fn result(shape: &Shape) -> String {
    json!({"type": "object", "properties": {"result": schema(shape, Way::Out)}, "required": ["result"]}).to_string()
}

fn schema(shape: &Shape, way: Way) -> Value {
    match shape {
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Int(int) => {
            let (least, most) = int.bounds();
            json!({"type": "integer", "minimum": number(least), "maximum": number(most)})
        }
        Shape::Float(float) => {
            let finite = match float {
                Float::F32 => json!({"type": "number", "minimum": -MAX_F32, "maximum": MAX_F32}),
                Float::F64 => json!({"type": "number"}),
            };
            match way {
                Way::In => finite,
                Way::Out => json!({"anyOf": [finite, {"enum": super::write::NOT_FINITE}]}),
            }
        }
        Shape::Char => json!({"type": "string", "minLength": 1, "maxLength": 1}),
        Shape::Text => json!({"type": "string"}),
        Shape::List(of) => json!({"type": "array", "items": schema(of, way)}),
        Shape::Array(of, length) => {
            json!({"type": "array", "items": schema(of, way), "minItems": length, "maxItems": length})
        }
        Shape::Map(key, value) if **key == Shape::Text => {
            json!({"type": "object", "additionalProperties": schema(value, way)})
        }
        Shape::Map(key, value) => json!({"type": "array", "items": tuple(&[schema(key, way), schema(value, way)])}),
        Shape::Record(fields) => record(fields, way),
        Shape::Tuple(shapes) => tuple(&shapes.iter().map(|shape| schema(shape, way)).collect::<Vec<_>>()),
        Shape::Variant(cases) => {
            json!({"oneOf": cases.iter().map(|case| variant_case(case, way)).collect::<Vec<_>>()})
        }
        Shape::Enum(names) => described(json!({"type": "string", "enum": texts(names)}), names_doc(names)),
        Shape::Flags(names) => {
            let items = json!({"type": "string", "enum": texts(names)});
            described(json!({"type": "array", "items": items, "uniqueItems": true}), names_doc(names))
        }
        Shape::Option(of) if of.can_be_null() => {
            let some = json!({"type": "object", "properties": {"some": schema(of, way)}, "required": ["some"], "additionalProperties": false});
            json!({"anyOf": [some, {"type": "null"}]})
        }
        Shape::Option(of) => json!({"anyOf": [schema(of, way), {"type": "null"}]}),
        Shape::Result(ok, err) => {
            let part = |key: &str, shape: &Option<Box<Shape>>| {
                let value = shape.as_ref().map_or_else(|| json!({"type": "null"}), |shape| schema(shape, way));
                json!({"type": "object", "properties": {key: value}, "required": [key], "additionalProperties": false})
            };
            json!({"oneOf": [part("ok", ok), part("err", err)]})
        }
    }
}

/// Every bound of a WIT integer is an `i64` or a `u64`.
fn number(bound: i128) -> Value {
    i64::try_from(bound).map(Value::from).or_else(|_| u64::try_from(bound).map(Value::from)).unwrap_or_default()
}

fn record(fields: &[Field], way: Way) -> Value {
    let property = |field: &Field| (field.name.clone(), described(schema(&field.shape, way), field.doc.clone()));
    let properties: Map<String, Value> = fields.iter().map(property).collect();
    let needed = |field: &&Field| way == Way::Out || !field.shape.can_be_null();
    let required: Vec<&str> = fields.iter().filter(needed).map(|field| field.name.as_str()).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn tuple(items: &[Value]) -> Value {
    json!({"type": "array", "prefixItems": items, "items": false, "minItems": items.len(), "maxItems": items.len()})
}

fn variant_case(case: &Case, way: Way) -> Value {
    let mut properties = Map::new();
    properties.insert("tag".to_owned(), json!({"const": case.name}));
    let mut required = vec!["tag"];
    if let Some(shape) = &case.shape {
        properties.insert("val".to_owned(), schema(shape, way));
        required.push("val");
    }
    let object =
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
    described(object, case.doc.clone())
}

fn texts(names: &[Name]) -> Vec<&str> {
    names.iter().map(|name| name.name.as_str()).collect()
}

/// JSON Schema has no place for the meaning of one value of an enum, so they stand together.
fn names_doc(names: &[Name]) -> Option<String> {
    let line = |name: &Name| name.doc.as_ref().map(|doc| format!("{}: {}", name.name, doc.trim()));
    let lines: Vec<String> = names.iter().filter_map(line).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn described(mut schema: Value, doc: Option<String>) -> Value {
    if let (Some(object), Some(doc)) = (schema.as_object_mut(), doc) {
        // A field's own comment stands before that of its type.
        let text = match object.get("description").and_then(Value::as_str) {
            Some(of_type) => format!("{}\n{of_type}", doc.trim()),
            None => doc.trim().to_owned(),
        };
        object.insert("description".to_owned(), text.into());
    }
    schema
}
