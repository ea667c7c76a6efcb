use super::read;
use super::schema;
use super::shape::{Case, Field, Float, Int, Name, Shape};
use super::write::{self, Unwritable};
use serde_json::{Value, json};

fn text() -> Box<Shape> {
    Box::new(Shape::Text)
}

fn names(names: &[&str]) -> Vec<Name> {
    names.iter().map(|name| Name { name: (*name).to_owned(), doc: None }).collect()
}

fn field(name: &str, shape: Shape) -> Field {
    Field { name: name.to_owned(), doc: None, shape }
}

fn case(name: &str, shape: Option<Shape>) -> Case {
    Case { name: name.to_owned(), doc: None, shape }
}

/// Into the guest and out again.
fn round(shape: &Shape, json: &Value) -> Result<String, String> {
    let parameters = [field("it", shape.clone())];
    let values = read::arguments(&parameters, &json!({ "it": json }).to_string())?;
    Ok(write::json(shape, &values[0], 1000).unwrap())
}

#[test]
fn what_goes_in_comes_out() {
    let option = Shape::Option(text());
    let variant = Shape::Variant(vec![case("one", Some(Shape::Bool)), case("none", None)]);
    let record = Shape::Record(vec![field("a", Shape::Text), field("b-c", option.clone())]);
    #[rustfmt::skip] // a table: one row, one line
    let table = [
        (Shape::Bool, json!(true)),
        (Shape::Float(Float::F32), json!(0.5)),
        (Shape::Float(Float::F64), json!(-1.5e300)),
        (Shape::Char, json!("🦀")),
        (Shape::Text, json!("a\u{0}\"\\\n")),
        (Shape::List(text()), json!(["a", "b"])),
        (Shape::List(Box::new(Shape::List(text()))), json!([[], ["a"]])),
        (Shape::Array(text(), 2), json!(["a", "b"])),
        (Shape::Map(text(), Box::new(Shape::Bool)), json!({"a": true, "": false})),
        (Shape::Map(Box::new(Shape::Char), text()), json!([["x", "y"]])),
        (record.clone(), json!({"a": "1", "b-c": "2"})),
        (record, json!({"a": "1", "b-c": null})),
        (Shape::Record(vec![]), json!({})),
        (Shape::Tuple(vec![Shape::Bool, Shape::Text]), json!([true, "a"])),
        (variant.clone(), json!({"tag": "one", "val": true})),
        (variant, json!({"tag": "none"})),
        (Shape::Enum(names(&["x", "y"])), json!("y")),
        (Shape::Flags(names(&["x", "y"])), json!(["y"])),
        (option.clone(), json!("a")),
        (option.clone(), json!(null)),
        (Shape::Option(Box::new(option.clone())), json!(null)),
        (Shape::Option(Box::new(option.clone())), json!({"some": null})),
        (Shape::Option(Box::new(option)), json!({"some": "a"})),
        (Shape::Result(Some(text()), None), json!({"ok": "a"})),
        (Shape::Result(Some(text()), None), json!({"err": null})),
    ];
    for (shape, json) in table {
        let out: Value = serde_json::from_str(&round(&shape, &json).unwrap()).unwrap();
        assert_eq!(out, json, "{shape:?}");
    }
}

#[test]
fn every_integer_has_its_bounds() {
    for int in [Int::S8, Int::U8, Int::S16, Int::U16, Int::S32, Int::U32, Int::S64, Int::U64] {
        let (least, most) = int.bounds();
        for inside in [least, 0, 1, most] {
            let json: Value = serde_json::from_str(&inside.to_string()).unwrap();
            assert_eq!(round(&Shape::Int(int), &json).unwrap(), inside.to_string(), "{int:?}");
        }
        for outside in [(least - 1).to_string(), (most + 1).to_string(), "1.5".to_owned(), "1e300".to_owned()] {
            let json: Value = serde_json::from_str(&outside).unwrap();
            let error = round(&Shape::Int(int), &json).unwrap_err();
            assert_eq!(error, format!("it: must be an integer from {least} to {most}"), "{outside}");
        }
        // JSON Schema says that 1.0 is an integer.
        assert_eq!(round(&Shape::Int(int), &json!(1.0)).unwrap(), "1");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let record = Shape::Record(vec![field("inner", Shape::List(Box::new(Shape::Char)))]);
    #[rustfmt::skip] // a table: one row, one line
    let table = [
        (Shape::Bool, json!(1), "it: must be true or false"),
        (Shape::Text, json!(null), "it: must be a string"),
        (Shape::Char, json!("ab"), "it: must be a string of one character"),
        (Shape::Float(Float::F32), json!(1e39), "it: must be a number from -340282350000000000000000000000000000000 to 340282350000000000000000000000000000000"),
        (record.clone(), json!({"inner": ["a", ""]}), "it.inner[1]: must be a string of one character"),
        (record.clone(), json!({"innr": []}), "it.innr: there is no such property; there are: inner"),
        (record, json!({}), "it.inner: is missing"),
        (Shape::Array(text(), 2), json!(["a"]), "it: must be an array of 2"),
        (Shape::Enum(names(&["x", "y"])), json!("z"), "it: must be one of x, y"),
        (Shape::Flags(names(&["x", "y"])), json!(["x", "z"]), "it: must be an array, each one of x, y"),
        (Shape::Variant(vec![case("a", None)]), json!({"tag": "a", "val": 1}), "it.val: a holds nothing, leave it out"),
        (Shape::Variant(vec![case("a", Some(Shape::Bool))]), json!({"tag": "a"}), "it.val: is missing"),
        (Shape::Variant(vec![case("a", None)]), json!("a"), "it: must be an object whose `tag` is one of a"),
        (Shape::Result(None, None), json!({"ok": null, "err": null}), "it: must be an object with either `ok` or `err`"),
    ];
    for (shape, json, error) in table {
        assert_eq!(round(&shape, &json).unwrap_err(), error);
    }
    assert_eq!(read::arguments(&[], "[]").unwrap_err(), "the arguments must be a JSON object");
    assert_eq!(read::arguments(&[field("a", Shape::Option(text()))], "{}").unwrap().len(), 1);
}

#[test]
fn a_schema_accepts_what_is_written_and_read() {
    use wasmtime::component::Val;
    for (number, json) in
        [(f64::NAN, r#""NaN""#), (f64::INFINITY, r#""Infinity""#), (f64::NEG_INFINITY, r#""-Infinity""#), (0.1, "0.1")]
    {
        assert_eq!(write::json(&Shape::Float(Float::F64), &Val::Float64(number), 100).unwrap(), json);
    }
    assert_eq!(write::json(&Shape::Float(Float::F32), &Val::Float32(0.1), 100).unwrap(), "0.1");
    let schema: Value = serde_json::from_str(&schema::result(&Shape::Float(Float::F64))).unwrap();
    assert_eq!(schema["properties"]["result"]["anyOf"][1], json!({"enum": ["NaN", "Infinity", "-Infinity"]}));
    let parameters = [
        Field { name: "a".to_owned(), doc: Some("First.".to_owned()), shape: Shape::Int(Int::U64) },
        field("b", Shape::Option(text())),
    ];
    let schema: Value = serde_json::from_str(&schema::parameters(&parameters)).unwrap();
    let expected = json!({
        "type": "object",
        "properties": {
            "a": {"type": "integer", "minimum": 0, "maximum": u64::MAX, "description": "First."},
            "b": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["a"],
        "additionalProperties": false,
    });
    assert_eq!(schema, expected);
}

#[test]
fn a_result_has_a_limit() {
    use wasmtime::component::Val;
    let long = Val::String("x".repeat(100));
    assert_eq!(write::json(&Shape::Text, &long, 101), Err(Unwritable::TooLarge));
    assert_eq!(write::json(&Shape::Text, &long, 102).unwrap().len(), 102);
    // Escaping makes it six times as long.
    let escaped = Val::String("\u{1}".repeat(20));
    assert_eq!(write::json(&Shape::Text, &escaped, 100), Err(Unwritable::TooLarge));
    assert_eq!(write::json(&Shape::Text, &Val::Bool(true), 100), Err(Unwritable::Mismatch));
}
