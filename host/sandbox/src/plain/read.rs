//! From JSON to the values a function takes.

use super::shape::{Field, Float, Int, Shape};
use serde_json::{Map, Value};
use std::fmt::Write as _;
use wasmtime::component::Val;

/// The arguments of one call, in the order of the parameters.
///
/// # Errors
/// What does not fit, beginning with where it stands.
pub(super) fn arguments(parameters: &[Field], json: &str) -> Result<Vec<Val>, String> {
    let value: Value = serde_json::from_str(json).map_err(|error| format!("the arguments are no JSON: {error}"))?;
    let object = value.as_object().ok_or("the arguments must be a JSON object")?;
    let fields = fields(parameters, object, "")?;
    Ok(fields.into_iter().map(|(_, value)| value).collect())
}

/// `path` says where the object stands; it is empty at the top.
fn fields(fields: &[Field], object: &Map<String, Value>, path: &str) -> Result<Vec<(String, Val)>, String> {
    if let Some(unknown) = object.keys().find(|key| fields.iter().all(|field| field.name != **key)) {
        let known: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        return Err(format!("{}: there is no such property; there are: {}", inside(path, unknown), known.join(", ")));
    }
    let read = |field: &Field| {
        let path = inside(path, &field.name);
        let value = match object.get(&field.name) {
            Some(given) => value(&field.shape, given, &path)?,
            None if field.shape.can_be_null() => Val::Option(None),
            None => return Err(format!("{path}: is missing")),
        };
        Ok((field.name.clone(), value))
    };
    fields.iter().map(read).collect()
}

fn inside(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn value(shape: &Shape, json: &Value, path: &str) -> Result<Val, String> {
    let wrong = |expected: &str| Err(format!("{path}: must be {expected}"));
    Ok(match shape {
        Shape::Bool => match json {
            Value::Bool(is) => Val::Bool(*is),
            _ => return wrong("true or false"),
        },
        Shape::Int(int) => match integer(json).filter(|value| in_bounds(*int, *value)) {
            Some(value) => int_val(*int, value),
            None => {
                let (least, most) = int.bounds();
                return wrong(&format!("an integer from {least} to {most}"));
            }
        },
        Shape::Float(Float::F64) => match json.as_f64() {
            Some(number) => Val::Float64(number),
            None => return wrong("a number"),
        },
        #[allow(
            clippy::cast_possible_truncation,
            reason = "rounding to the nearest f32 is what is meant; too large is refused"
        )]
        Shape::Float(Float::F32) => match json.as_f64().map(|number| number as f32).filter(|number| number.is_finite())
        {
            Some(number) => Val::Float32(number),
            None => return wrong(&format!("a number from {} to {}", f32::MIN, f32::MAX)),
        },
        Shape::Char => {
            let mut characters = json.as_str().unwrap_or_default().chars();
            match (characters.next(), characters.next()) {
                (Some(one), None) => Val::Char(one),
                _ => return wrong("a string of one character"),
            }
        }
        Shape::Text => match json {
            Value::String(text) => Val::String(text.clone()),
            _ => return wrong("a string"),
        },
        Shape::List(of) => match json {
            Value::Array(items) => Val::List(list(of, items, path)?),
            _ => return wrong("an array"),
        },
        Shape::Array(of, length) => match json {
            Value::Array(items) if items.len() == *length as usize => Val::FixedLengthList(list(of, items, path)?),
            _ => return wrong(&format!("an array of {length}")),
        },
        Shape::Map(key, of) => match (&**key, json) {
            (Shape::Text, Value::Object(entries)) => {
                let entry = |(key, json): (&String, &Value)| {
                    Ok((Val::String(key.clone()), value(of, json, &inside(path, key))?))
                };
                Val::Map(entries.iter().map(entry).collect::<Result<_, String>>()?)
            }
            (Shape::Text, _) => return wrong("an object"),
            (_, Value::Array(entries)) => {
                let entry = |(at, json): (usize, &Value)| match json.as_array().map(Vec::as_slice) {
                    Some([first, second]) => {
                        let path = at_index(path, at);
                        Ok((value(key, first, &path)?, value(of, second, &path)?))
                    }
                    _ => Err(format!("{}: must be an array of 2", at_index(path, at))),
                };
                Val::Map(entries.iter().enumerate().map(entry).collect::<Result<_, String>>()?)
            }
            _ => return wrong("an array of pairs"),
        },
        Shape::Record(shapes) => match json {
            Value::Object(object) => Val::Record(fields(shapes, object, path)?),
            _ => return wrong("an object"),
        },
        Shape::Tuple(shapes) => match json {
            Value::Array(items) if items.len() == shapes.len() => {
                let item = |(at, (shape, json)): (usize, (&Shape, &Value))| value(shape, json, &at_index(path, at));
                Val::Tuple(shapes.iter().zip(items).enumerate().map(item).collect::<Result<_, String>>()?)
            }
            _ => return wrong(&format!("an array of {}", shapes.len())),
        },
        Shape::Variant(cases) => {
            let tag = json.get("tag").and_then(Value::as_str).unwrap_or_default();
            let Some(case) = cases.iter().find(|case| case.name == tag) else {
                let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
                return wrong(&format!("an object whose `tag` is one of {}", names.join(", ")));
            };
            let held = match (&case.shape, json.get("val")) {
                (Some(shape), Some(held)) => Some(Box::new(value(shape, held, &inside(path, "val"))?)),
                (None, None) => None,
                (Some(_), None) => return Err(format!("{}: is missing", inside(path, "val"))),
                (None, Some(_)) => return Err(format!("{}: {tag} holds nothing, leave it out", inside(path, "val"))),
            };
            Val::Variant(case.name.clone(), held)
        }
        Shape::Enum(names) => match json.as_str().filter(|given| names.iter().any(|name| name.name == *given)) {
            Some(name) => Val::Enum(name.to_owned()),
            None => return wrong(&one_of(names.iter().map(|name| name.name.as_str()))),
        },
        Shape::Flags(names) => {
            let known = |given: &Value| {
                given.as_str().filter(|given| names.iter().any(|name| name.name == *given)).map(str::to_owned)
            };
            match json.as_array().and_then(|given| given.iter().map(known).collect::<Option<Vec<_>>>()) {
                Some(set) => Val::Flags(set),
                None => {
                    let names = one_of(names.iter().map(|name| name.name.as_str()));
                    return wrong(&format!("an array, each {names}"));
                }
            }
        }
        Shape::Option(_) if json.is_null() => Val::Option(None),
        Shape::Option(of) if of.can_be_null() => match json.get("some") {
            Some(some) => Val::Option(Some(Box::new(value(of, some, &inside(path, "some"))?))),
            None => return wrong("null, or an object with `some`"),
        },
        Shape::Option(of) => Val::Option(Some(Box::new(value(of, json, path)?))),
        Shape::Result(ok, err) => {
            let part = |shape: &Option<Box<Shape>>, key: &str| -> Result<Option<Box<Val>>, String> {
                let held = json.get(key).unwrap_or(&Value::Null);
                shape.as_ref().map(|shape| value(shape, held, &inside(path, key)).map(Box::new)).transpose()
            };
            match (json.get("ok").is_some(), json.get("err").is_some()) {
                (true, false) => Val::Result(Ok(part(ok, "ok")?)),
                (false, true) => Val::Result(Err(part(err, "err")?)),
                _ => return wrong("an object with either `ok` or `err`"),
            }
        }
    })
}

fn list(of: &Shape, items: &[Value], path: &str) -> Result<Vec<Val>, String> {
    items.iter().enumerate().map(|(at, json)| value(of, json, &at_index(path, at))).collect()
}

fn at_index(path: &str, at: usize) -> String {
    format!("{path}[{at}]")
}

fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut text = "one of".to_owned();
    for (at, name) in names.enumerate() {
        let _ = write!(text, "{} {name}", if at == 0 { "" } else { "," });
    }
    text
}

/// A number that is whole; `1.0` is, as JSON Schema has it.
fn integer(json: &Value) -> Option<i128> {
    let Value::Number(number) = json else { return None };
    if let Some(whole) = number.as_i64() {
        return Some(whole.into());
    }
    if let Some(whole) = number.as_u64() {
        return Some(whole.into());
    }
    // An integer beyond 64 bits arrives as a float as well, rounded to one that would fit.
    #[allow(clippy::cast_possible_truncation, reason = "a whole number below 2^63 fits")]
    number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 2_f64.powi(63)).map(|whole| whole as i128)
}

fn in_bounds(int: Int, value: i128) -> bool {
    let (least, most) = int.bounds();
    (least..=most).contains(&value)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is within the bounds of the type"
)]
fn int_val(int: Int, value: i128) -> Val {
    match int {
        Int::S8 => Val::S8(value as i8),
        Int::U8 => Val::U8(value as u8),
        Int::S16 => Val::S16(value as i16),
        Int::U16 => Val::U16(value as u16),
        Int::S32 => Val::S32(value as i32),
        Int::U32 => Val::U32(value as u32),
        Int::S64 => Val::S64(value as i64),
        Int::U64 => Val::U64(value as u64),
    }
}
