//! Arguments made from a schema: the smallest that are valid, all of them, and those at the edges of what is allowed.
//!
//! What comes out is a proposal: whoever uses it has it judged by the schema first.

use super::super::lint::resolve;
use regex_syntax::hir::{Class, Hir, HirKind};
use serde_json::{Map, Number, Value, json};

/// How deep values are made inside values. A schema may contain itself.
const MAX_DEPTH: usize = 12;
/// How long a text is made where nothing limits it, in characters: longer than any buffer of a careless program.
const LONG_TEXT: usize = 10_000;
/// The longest text that is made, and the longest list, whatever the schema allows.
const MOST_TEXT: u64 = 100_000;
const MOST_ITEMS: u64 = 100;

/// Makes values for one schema.
pub(super) struct Maker<'a> {
    root: &'a Value,
}

impl<'a> Maker<'a> {
    pub(super) fn new(root: &'a Value) -> Self {
        Self { root }
    }

    /// Arguments with nothing in them that may be left out.
    pub(super) fn minimal(&self) -> Option<Value> {
        self.example(self.root).or_else(|| self.make(self.root, false, 0))
    }

    /// Arguments with every property there is.
    pub(super) fn full(&self) -> Option<Value> {
        self.make(self.root, true, 0)
    }

    /// One set of arguments for each edge: the shortest and the longest text, the least and the greatest number, each
    /// choice, and what is in no alphabet. Each has a name.
    pub(super) fn edges(&self) -> Vec<(String, Value)> {
        let Some(base) = self.minimal() else { return Vec::new() };
        let root = resolve(self.root, self.root).unwrap_or(self.root);
        let mut edges = Vec::new();
        for (name, property) in root.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let property = resolve(self.root, property).unwrap_or(property);
            for (what, value) in self.edges_of(property) {
                let mut arguments = base.clone();
                if let Some(arguments) = arguments.as_object_mut() {
                    arguments.insert(name.clone(), value);
                }
                edges.push((format!("{name}: {what}"), arguments));
            }
        }
        edges
    }

    fn edges_of(&self, schema: &Value) -> Vec<(String, Value)> {
        let number = |key: &str| schema.get(key).filter(|value| value.is_number()).cloned();
        let count = |key: &str| schema.get(key).and_then(Value::as_u64);
        if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
            return choices.iter().map(|choice| (format!("the choice {choice}"), choice.clone())).collect();
        }
        let mut edges = Vec::new();
        let mut add = |what: &str, value: Value| edges.push((what.to_owned(), value));
        match kind(schema) {
            "string" => {
                add("an empty text", json!(""));
                if let Some(least) = count("minLength") {
                    add("the shortest text", json!("a".repeat(usize::try_from(least.min(MOST_TEXT)).unwrap_or(0))));
                }
                let longest = count("maxLength").map_or(LONG_TEXT as u64, |most| most.min(MOST_TEXT));
                add("the longest text", json!("a".repeat(usize::try_from(longest).unwrap_or(LONG_TEXT))));
                add("text beyond ASCII", json!("Grüße, 世界 \u{1f980} \u{202e}"));
                add("control characters", json!("a\u{0}b\u{1b}[2J\r\n"));
                add("quotes and brackets", json!("'; --\"</script>{{}}../../%00"));
            }
            what @ ("integer" | "number") => {
                for (name, key) in [("the least", "minimum"), ("the greatest", "maximum")] {
                    if let Some(edge) = number(key) {
                        add(name, edge);
                    }
                }
                for value in [json!(0), json!(-1), json!(9_007_199_254_740_991_i64), json!(-9_007_199_254_740_991_i64)]
                {
                    add(&value.to_string(), value);
                }
                if what == "number" {
                    add("1e300", json!(1e300));
                    add("a fraction", json!(0.1));
                }
            }
            "boolean" => {
                add("true", json!(true));
                add("false", json!(false));
            }
            "array" => {
                add("an empty list", json!([]));
                let many = count("maxItems").unwrap_or(MOST_ITEMS).min(MOST_ITEMS);
                let items = self.items(schema, usize::try_from(many).unwrap_or(0), 0);
                add("a long list", items.map_or(Value::Null, Value::Array));
            }
            "object" => {
                if let Some(full) = self.make(schema, true, 0) {
                    add("all its members", full);
                }
            }
            _ => {}
        }
        edges
    }

    /// The author's own example, where there is one: it means more than what can be made up.
    fn example(&self, schema: &Value) -> Option<Value> {
        schema.get("examples")?.as_array()?.first().cloned()
    }

    fn make(&self, schema: &Value, full: bool, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        let schema = resolve(self.root, schema)?;
        if let Value::Bool(allowed) = schema {
            return allowed.then(|| json!("text"));
        }
        if let Some(value) = schema.get("const").or_else(|| schema.get("enum")?.get(0)) {
            return Some(value.clone());
        }
        if depth > 0
            && let Some(value) =
                self.example(schema).or_else(|| schema.get("default").filter(|it| !it.is_null()).cloned())
        {
            return Some(value);
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            let whole = parts
                .iter()
                .try_fold(without(schema, "allOf"), |whole, part| Some(merged(whole, resolve(self.root, part)?)))?;
            return self.make(&whole, full, depth + 1);
        }
        for key in ["oneOf", "anyOf"] {
            if let Some(choices) = schema.get(key).and_then(Value::as_array) {
                let rest = without(schema, key);
                let mut made = choices.iter().filter_map(|choice| {
                    self.make(&merged(rest.clone(), resolve(self.root, choice)?), full, depth + 1)
                });
                // "Nothing" is the least telling choice.
                let first = made.next();
                return if first == Some(Value::Null) { made.next().or(first) } else { first };
            }
        }
        match kind(schema) {
            "object" => self.object(schema, full, depth),
            "array" => {
                let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(u64::from(full)).min(MOST_ITEMS);
                self.items(schema, usize::try_from(least).unwrap_or(0), depth).map(Value::Array)
            }
            "string" => text(schema).map(Value::String),
            "integer" => integer(schema).map(Value::Number),
            "number" => number(schema).map(Value::Number),
            "boolean" => Some(json!(false)),
            "null" => Some(Value::Null),
            _ => Some(json!("text")),
        }
    }

    fn object(&self, schema: &Value, full: bool, depth: usize) -> Option<Value> {
        let none = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let mut object = Map::new();
        for (name, property) in properties {
            let needed = required.contains(&name.as_str());
            // What contains itself ends where it may.
            if !needed && (!full || depth > MAX_DEPTH / 2) {
                continue;
            }
            match self.make(property, full, depth + 1) {
                Some(value) => {
                    object.insert(name.clone(), value);
                }
                None if needed => return None,
                None => {}
            }
        }
        for name in required {
            object.entry(name).or_insert_with(|| json!("text"));
        }
        Some(Value::Object(object))
    }

    fn items(&self, schema: &Value, count: usize, depth: usize) -> Option<Vec<Value>> {
        let given = schema.get("prefixItems").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let rest = schema.get("items").cloned().unwrap_or(Value::Bool(true));
        let unique = schema.get("uniqueItems") == Some(&Value::Bool(true));
        let mut items = Vec::with_capacity(count);
        for at in 0..count.max(if depth == 0 { 0 } else { given.len() }) {
            let mut item = self.make(given.get(at).unwrap_or(&rest), false, depth + 1)?;
            if unique && items.contains(&item) {
                item = match item {
                    Value::String(text) => json!(format!("{text}{at}")),
                    Value::Number(number) => json!(number.as_i64().unwrap_or_default() + i64::try_from(at).ok()?),
                    _ => break,
                };
            }
            items.push(item);
        }
        Some(items)
    }
}

/// The type a schema names, or the one its keywords are for.
pub(super) fn kind(schema: &Value) -> &str {
    let named = match schema.get("type") {
        Some(Value::String(name)) => Some(name.as_str()),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => None,
    };
    let has = |keys: &[&str]| keys.iter().any(|key| schema.get(key).is_some());
    match named {
        Some(name) => name,
        None if has(&["properties", "required", "additionalProperties"]) => "object",
        None if has(&["items", "prefixItems", "minItems"]) => "array",
        None if has(&["pattern", "format", "minLength", "maxLength"]) => "string",
        None if has(&["minimum", "maximum", "multipleOf"]) => "number",
        None => "",
    }
}

fn without(schema: &Value, key: &str) -> Value {
    let mut schema = schema.clone();
    if let Some(schema) = schema.as_object_mut() {
        schema.remove(key);
    }
    schema
}

/// Both schemas at once, as far as making a value needs it: properties and requirements add up, and of anything else the
/// later one counts.
fn merged(mut one: Value, two: &Value) -> Value {
    let (Some(whole), Some(part)) = (one.as_object_mut(), two.as_object()) else { return two.clone() };
    for (key, value) in part {
        match (whole.get_mut(key), value) {
            (Some(Value::Object(ours)), Value::Object(theirs)) => ours.extend(theirs.clone()),
            (Some(Value::Array(ours)), Value::Array(theirs)) if key == "required" => ours.extend(theirs.clone()),
            _ => {
                whole.insert(key.clone(), value.clone());
            }
        }
    }
    one
}

fn text(schema: &Value) -> Option<String> {
    let count = |key: &str| schema.get(key).and_then(Value::as_u64).map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let least = count("minLength").unwrap_or(0);
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
        let parsed = regex_syntax::ParserBuilder::new().utf8(true).build().parse(pattern).ok()?;
        let mut made = String::new();
        matching(&parsed, 0, &mut made)?;
        if made.chars().count() < least {
            made.clear();
            matching(&parsed, least, &mut made)?;
        }
        return Some(made);
    }
    let formatted = match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => "2026-01-02T03:04:05Z",
        Some("date") => "2026-01-02",
        Some("time") => "03:04:05Z",
        Some("duration") => "PT1H",
        Some("email" | "idn-email") => "name@example.com",
        Some("hostname" | "idn-hostname") => "example.com",
        Some("ipv4") => "192.0.2.1",
        Some("ipv6") => "2001:db8::1",
        Some("uri" | "iri" | "url" | "uri-reference" | "iri-reference") => "https://example.com/",
        Some("uri-template") => "https://example.com/{id}",
        Some("uuid") => "123e4567-e89b-12d3-a456-426614174000",
        Some("json-pointer") => "/a",
        Some("regex") => "a",
        _ => "text",
    };
    let most = count("maxLength").unwrap_or(usize::MAX);
    let mut made: String = formatted.chars().take(most).collect();
    if least <= usize::try_from(MOST_TEXT).unwrap_or(usize::MAX) {
        made.extend(std::iter::repeat_n('t', least.saturating_sub(made.chars().count())));
    }
    Some(made)
}

/// The shortest text that matches, where what may be repeated is repeated `least` times.
fn matching(pattern: &Hir, least: usize, made: &mut String) -> Option<()> {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => made.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => made.push(member(class)?),
        HirKind::Capture(capture) => matching(&capture.sub, least, made)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| matching(part, least, made))?,
        HirKind::Alternation(choices) => matching(choices.first()?, least, made)?,
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            let times = repetition.min.max(most.min(u32::try_from(least).unwrap_or(u32::MAX)));
            for _ in 0..times.min(u32::try_from(MOST_TEXT).unwrap_or(u32::MAX)) {
                matching(&repetition.sub, 0, made)?;
            }
        }
    }
    Some(())
}

/// A letter if the class has one, else its first member.
fn member(class: &Class) -> Option<char> {
    let has = |c: char| match class {
        Class::Unicode(class) => class.ranges().iter().any(|range| range.start() <= c && c <= range.end()),
        Class::Bytes(class) => class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&(c as u8))),
    };
    ['a', 'A', '1', '-', ' '].into_iter().find(|c| has(*c)).or_else(|| match class {
        Class::Unicode(class) => class.ranges().first().map(|range| range.start()),
        Class::Bytes(class) => class.ranges().first().map(|range| char::from(range.start())),
    })
}

fn bound(schema: &Value, inclusive: &str, exclusive: &str, step: f64) -> Option<f64> {
    let at = |key: &str| schema.get(key).and_then(Value::as_f64);
    at(inclusive).or_else(|| at(exclusive).map(|edge| edge + step))
}

fn integer(schema: &Value) -> Option<Number> {
    let least = bound(schema, "minimum", "exclusiveMinimum", 1.0);
    let most = bound(schema, "maximum", "exclusiveMaximum", -1.0);
    let wanted = least.map_or_else(|| most.map_or(1.0, |most| most.min(1.0)), |least| least.max(least.ceil()));
    let step = schema.get("multipleOf").and_then(Value::as_f64).filter(|step| *step > 0.0).unwrap_or(1.0);
    let value = (wanted / step).ceil() * step;
    // Larger ones are no integers of JSON's common ground anyway.
    #[allow(clippy::cast_possible_truncation, reason = "it was bounded to what both types hold")]
    (value.abs() <= 9_007_199_254_740_991.0).then(|| Number::from(value as i64))
}

fn number(schema: &Value) -> Option<Number> {
    let least = bound(schema, "minimum", "exclusiveMinimum", 0.5);
    let most = bound(schema, "maximum", "exclusiveMaximum", -0.5);
    let wanted = least.unwrap_or_else(|| most.map_or(1.0, |most| most.min(1.0)));
    match schema.get("multipleOf").and_then(Value::as_f64).filter(|step| *step > 0.0) {
        Some(step) => Number::from_f64((wanted / step).ceil() * step),
        None => Number::from_f64(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Limits;
    use crate::registry::Schema;

    fn judged(schema: &Value, value: &Value) -> Result<(), String> {
        Schema::new(&schema.to_string(), &Limits::default()).unwrap().check(value)
    }

    #[test]
    fn what_is_made_is_valid() {
        for property in [
            json!({"type": "string"}),
            json!({"type": "string", "minLength": 9, "maxLength": 12}),
            json!({"type": "string", "maxLength": 2}),
            json!({"type": "string", "pattern": "^[a-z0-9-]+$"}),
            json!({"type": "string", "pattern": r"^\d{4}-(jan|feb)-\w{2,}$", "minLength": 4}),
            json!({"type": "string", "pattern": "^[a-z]*$", "minLength": 3}),
            json!({"type": "string", "format": "date-time"}),
            json!({"type": "string", "format": "uri"}),
            json!({"enum": ["b", "a"]}),
            json!({"const": 4}),
            json!({"type": "integer", "minimum": 1}),
            json!({"type": "integer", "exclusiveMinimum": 4, "maximum": 9}),
            json!({"type": "integer", "maximum": -3}),
            json!({"type": "integer", "multipleOf": 5, "minimum": 7}),
            json!({"type": "number", "exclusiveMinimum": 0, "maximum": 1}),
            json!({"type": ["null", "boolean"]}),
            json!({"type": "array", "items": {"type": "integer"}, "minItems": 2, "uniqueItems": true}),
            json!({"type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": true}),
            json!({"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]}),
            json!({"anyOf": [{"type": "null"}, {"type": "integer"}]}),
            json!({"oneOf": [{"type": "object", "properties": {"k": {"const": "x"}}, "required": ["k"]}, {"type": "string"}]}),
            json!({"allOf": [{"type": "string"}, {"minLength": 6}]}),
            json!({"$ref": "#/$defs/Id"}),
            json!({"type": "string", "examples": ["example"], "pattern": "(?=e)e.*"}),
            json!(true),
        ] {
            let schema = json!({
                "type": "object", "properties": {"x": property}, "required": ["x"],
                "$defs": {"Id": {"type": "string", "pattern": "^id:[0-9]+$"}},
            });
            let maker = Maker::new(&schema);
            for made in [maker.minimal(), maker.full()] {
                let made = made.unwrap();
                assert_eq!(judged(&schema, &made), Ok(()), "{property}: {made}");
            }
        }
    }

    #[test]
    fn a_schema_that_contains_itself_ends() {
        let tree = json!({
            "type": "object", "required": ["name"],
            "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}},
        });
        let maker = Maker::new(&tree);
        assert_eq!(maker.minimal().unwrap(), json!({"name": "text"}));
        assert_eq!(judged(&tree, &maker.full().unwrap()), Ok(()));
        let endless = json!({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}});
        assert_eq!(Maker::new(&endless).minimal(), None);
    }

    #[test]
    fn edges_are_the_ends_of_what_is_allowed() {
        let schema = json!({
            "type": "object", "required": ["title"],
            "properties": {
                "title": {"type": "string", "minLength": 1, "maxLength": 200},
                "state": {"enum": ["open", "done"]},
                "days": {"type": "integer", "minimum": 1, "maximum": 7},
            },
        });
        let valid: Vec<Value> = Maker::new(&schema)
            .edges()
            .into_iter()
            .map(|(_, arguments)| arguments)
            .filter(|arguments| judged(&schema, arguments).is_ok())
            .collect();
        let has = |wanted: Value| valid.contains(&wanted);
        assert!(has(json!({"title": "a"})) && has(json!({"title": "a".repeat(200)})));
        assert!(has(json!({"title": "text", "state": "done"})) && has(json!({"title": "text", "days": 7})));
        assert!(!has(json!({"title": "text", "days": 0})) && !has(json!({"title": ""})));
    }

    #[test]
    fn the_authors_own_example_comes_first() {
        let schema = json!({"type": "object", "examples": [{"a": 7}], "properties": {"a": {"type": "integer"}}});
        assert_eq!(Maker::new(&schema).minimal(), Some(json!({"a": 7})));
    }
}
