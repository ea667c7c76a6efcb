//! What a new version of a plugin changes for those who call its tools, and whether they can go on as they are.
//!
//! Arguments that were taken must go on being taken, and results must go on being what was promised: what a tool takes may
//! become wider, what it gives may become narrower. Both are one question about two schemas, asked the other way round:
//! is what fits the one sure to fit the other? Where that cannot be told keyword by keyword, the answer is no.
//!
//! One change is compatible although it is not by the letter: a property that was not named before may be named now. Who
//! sends properties that a tool does not know expects nothing of them.

use crate::sandbox::types::{Tool, ToolAnnotations};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashSet};
use std::ptr;

/// What a change means for those who call the tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// They can go on as they are.
    Compatible,
    /// What they do now may fail, or give them what they do not expect.
    Breaking,
}

/// One change of one tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// The tool, as its plugin calls it.
    pub(super) tool: String,
    pub(super) effect: Effect,
    /// What is different, in words for the operator.
    pub(super) reason: String,
}

/// How deep schemas are compared. Loading them refuses any that are deeper, but `$ref` can make them so.
const MAX_DEPTH: usize = 64;
/// How many parts of two schemas are compared before they count as different; `$ref` can double them with every level.
const MAX_STEPS: usize = 20_000;
/// How many references may lead to the next before anything else comes.
const MAX_HOPS: usize = 16;
/// How many values of an `enum` are looked for one by one.
const MANY_VALUES: usize = 64;
/// How many reasons one tool has at most, and how many values one of them names; nobody reads more.
const MAX_REASONS: usize = 16;

/// All changes, tool by tool: first of the tools that were there before, then those that are new.
pub(super) fn changes<'a>(before: impl Iterator<Item = &'a Tool>, after: &[&'a Tool]) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut known = HashSet::new();
    for old in before {
        known.insert(old.name.as_str());
        let mut push = |effect, reason: String| changes.push(Change { tool: old.name.clone(), effect, reason });
        let Some(new) = after.iter().find(|new| new.name == old.name) else {
            push(Effect::Breaking, "it is no longer there".to_owned());
            continue;
        };
        let broken = broken(old, new);
        if broken.is_empty() {
            compatible(old, new).into_iter().for_each(|reason| push(Effect::Compatible, reason));
        }
        broken.into_iter().for_each(|reason| push(Effect::Breaking, reason));
    }
    for new in after.iter().filter(|new| !known.contains(new.name.as_str())) {
        let (tool, reason) = (new.name.clone(), "it is new".to_owned());
        changes.push(Change { tool, effect: Effect::Compatible, reason });
    }
    changes
}

/// What a tool says of itself in its hints.
type Says = fn(&ToolAnnotations) -> bool;

/// What no longer works for those who use the old tool.
fn broken(old: &Tool, new: &Tool) -> Vec<String> {
    let mut reasons = of_schemas(Side::Input, &old.input_schema, &new.input_schema);
    match (&old.output_schema, &new.output_schema) {
        (Some(old), Some(new)) => reasons.append(&mut of_schemas(Side::Output, old, new)),
        (Some(_), None) => reasons.push("its results no longer have a schema".to_owned()),
        (None, _) => {}
    }
    // What clients call without asking anybody, they choose by these.
    let says = |tool: &Tool, hint: fn(&ToolAnnotations) -> bool| tool.annotations.as_ref().is_some_and(hint);
    let hints: [(Says, &str); 2] = [
        (|hints| hints.read_only == Some(true), "it no longer says that it only reads"),
        (|hints| hints.destructive == Some(false), "it no longer says that it destroys nothing"),
    ];
    let lost = hints.into_iter().filter(|(hint, _)| says(old, *hint) && !says(new, *hint));
    // What only reads destroys nothing, whatever else it says.
    let lost = lost.filter(|_| !says(new, |hints| hints.read_only == Some(true)));
    reasons.extend(lost.map(|(_, reason)| reason.to_owned()));
    reasons
}

/// What is different all the same.
fn compatible(old: &Tool, new: &Tool) -> Vec<String> {
    let schemas = |one: &str, two: &str| read(one) != read(two);
    let outputs = match (&old.output_schema, &new.output_schema) {
        (Some(old), Some(new)) => schemas(old, new),
        (old, new) => old != new,
    };
    let looks =
        (&old.title, &old.annotations, &old.icons, &old.meta) != (&new.title, &new.annotations, &new.icons, &new.meta);
    let found = [
        (schemas(&old.input_schema, &new.input_schema), "it takes all that it took, and its input schema is another"),
        (outputs, "its results are what they were, and their schema is another"),
        (old.description != new.description, "it has another description"),
        (looks, "it has another title, other annotations, icons or `_meta`"),
    ];
    found.into_iter().filter(|(is, _)| *is).map(|(_, reason)| reason.to_owned()).collect()
}

/// Which schema of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// What it takes: what fitted the old schema must fit the new one.
    Input,
    /// What it gives: what fits the new schema must fit the old one.
    Output,
}

fn read(schema: &str) -> Value {
    // A schema that does not read is not in service.
    serde_json::from_str(schema).unwrap_or_default()
}

fn of_schemas(side: Side, old: &str, new: &str) -> Vec<String> {
    let (old, new) = (read(old), read(new));
    let (narrow, wide) = match side {
        Side::Input => (&old, &new),
        Side::Output => (&new, &old),
    };
    let nothing = Map::new();
    let mut comparison = Comparison::new(side, narrow, wide, &nothing);
    if narrow != wide {
        comparison.fits(narrow, wide, "", 0);
    }
    let mut reasons = comparison.reasons;
    let more = reasons.len().saturating_sub(MAX_REASONS);
    reasons.truncate(MAX_REASONS);
    if more > 0 {
        reasons.push(format!("and {more} changes more of its schema"));
    }
    reasons
}

/// Keywords that only refuse something, each by a rule of its own.
const CONSTRAINTS: &[&str] = &["pattern", "format", "contentEncoding", "contentMediaType"];
/// Keywords whose meaning depends on others or is not looked into: they must be the same.
const OPAQUE: &[&str] = &[
    "$dynamicRef",
    "$recursiveRef",
    "additionalItems",
    "allOf",
    "anyOf",
    "contains",
    "contentSchema",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "disallow",
    "else",
    "extends",
    "if",
    "maxContains",
    "minContains",
    "not",
    "oneOf",
    "patternProperties",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// The schema of a part of which none is given.
static ANYTHING: Value = Value::Bool(true);
/// All types there are.
const TYPES: &[&str] = &["array", "boolean", "integer", "null", "number", "object", "string"];

/// Asks whether all that fits one schema fits another.
struct Comparison<'a> {
    side: Side,
    narrow: &'a Value,
    wide: &'a Value,
    /// A schema that refuses nothing.
    nothing: &'a Map<String, Value>,
    /// Whether a reference means the same in both.
    same_definitions: bool,
    /// The pairs of parts that were compared, by where they are: a pair met again says nothing new, by whatever names of
    /// references it was reached. Without this a few lines of aliases make a large part be compared a thousand times.
    met: HashSet<(*const Value, *const Value)>,
    steps: usize,
    reasons: Vec<String>,
}

impl<'a> Comparison<'a> {
    fn new(side: Side, narrow: &'a Value, wide: &'a Value, nothing: &'a Map<String, Value>) -> Self {
        let definitions = |root: &'a Value| (root.get("$defs"), root.get("definitions"));
        let same_definitions =
            definitions(narrow) == definitions(wide) && stays_in_definitions(narrow) && stays_in_definitions(wide);
        let (met, steps, reasons) = (HashSet::new(), 0, Vec::new());
        let mut this = Self { side, narrow, wide, nothing, same_definitions, met, steps, reasons };
        if narrow.get("$schema") != wide.get("$schema") {
            this.say("", "its schema is of another draft of JSON Schema");
        }
        this
    }

    /// Notes that something that fits `narrow` may not fit `wide`.
    fn fits(&mut self, narrow: &'a Value, wide: &'a Value, at: &str, depth: usize) {
        self.steps += 1;
        if depth > MAX_DEPTH || self.steps > MAX_STEPS {
            // Said once of many parts.
            if self.steps <= MAX_STEPS + 1 {
                self.say(at, "is too large to be compared");
            }
            return;
        }
        if narrow == wide && (self.same_definitions || !has_reference(narrow)) {
            return;
        }
        let (Some(narrow), Some(wide)) = (follow(self.narrow, narrow), follow(self.wide, wide)) else {
            return self.say(at, "has a `$ref` that cannot be compared");
        };
        if !self.met.insert((ptr::from_ref(narrow), ptr::from_ref(wide))) {
            return;
        }
        let (narrow, wide) = match (narrow, wide) {
            (Value::Bool(false), _) | (_, Value::Bool(true)) => return,
            (_, Value::Bool(false)) => return self.differs(at, "is no longer taken", "may be there now"),
            (Value::Object(narrow), Value::Object(wide)) => (narrow, wide),
            (_, Value::Object(wide)) => (self.nothing, wide),
            _ => return self.say(at, "has a schema that cannot be compared"),
        };
        self.types(narrow, wide, at);
        self.values(narrow, wide, at);
        self.limits(narrow, wide, at);
        for key in CONSTRAINTS {
            if wide.contains_key(*key) && narrow.get(*key) != wide.get(*key) {
                self.say(at, &format!("has another `{key}`"));
            }
        }
        for key in OPAQUE {
            let (one, two) = (narrow.get(*key), wide.get(*key));
            if one != two || (!self.same_definitions && one.is_some_and(has_reference)) {
                self.say(at, &format!("has another `{key}`"));
            }
        }
        self.properties(narrow, wide, at, depth);
        match (narrow.get("items"), wide.get("items")) {
            (_, None) => {}
            // One schema for each item, which older drafts have.
            (one @ Some(Value::Array(_)), two) | (one, two @ Some(Value::Array(_))) => {
                if one != two || (!self.same_definitions && one.is_some_and(has_reference)) {
                    self.say(at, "has other `items`");
                }
            }
            (one, Some(two)) => self.fits(one.unwrap_or(&ANYTHING), two, &format!("{at}[]"), depth + 1),
        }
    }

    fn types(&mut self, narrow: &Map<String, Value>, wide: &Map<String, Value>, at: &str) {
        if !wide.contains_key("type") {
            return;
        }
        let taken = types(wide);
        let mut lost: Vec<&str> = types(narrow)
            .into_iter()
            .filter(|name| !(taken.contains(name) || *name == "integer" && taken.contains("number")))
            .collect();
        // Of what was not told apart before, the whole is enough to say.
        if lost.contains(&"number") {
            lost.retain(|name| *name != "integer");
        }
        if !lost.is_empty() {
            let lost = lost.join(", ");
            self.differs(at, &format!("no longer takes {lost}"), &format!("may be {lost} now"));
        }
    }

    fn values(&mut self, narrow: &Map<String, Value>, wide: &Map<String, Value>, at: &str) {
        let Some(taken) = values(wide) else { return };
        let Some(given) = values(narrow) else {
            return self.differs(at, "takes only some values now", "may have values now that it had not");
        };
        // Each with each is quick for a few and takes minutes for thousands.
        let known: Option<HashSet<String>> =
            (given.len() > MANY_VALUES).then(|| taken.iter().map(|value| value.to_string()).collect());
        let is_taken = |value: &Value| match &known {
            Some(known) => known.contains(&value.to_string()),
            None => taken.contains(&value),
        };
        let lost = given.iter().filter(|value| !is_taken(value)).take(MAX_REASONS);
        let lost: Vec<String> = lost.map(|value| shown(&value.to_string())).collect();
        if !lost.is_empty() {
            let lost = lost.join(", ");
            self.differs(at, &format!("no longer takes {lost}"), &format!("may be {lost} now"));
        }
    }

    fn limits(&mut self, narrow: &Map<String, Value>, wide: &Map<String, Value>, at: &str) {
        let number = |schema: &Map<String, Value>, key: &str| schema.get(key).and_then(Value::as_f64);
        let mut stricter = Vec::new();
        for (keys, upper) in [(["maximum", "exclusiveMaximum"], true), (["minimum", "exclusiveMinimum"], false)] {
            // The oldest drafts say with a word whether a limit is itself excluded.
            if keys.iter().any(|key| narrow.get(*key).or(wide.get(*key)).is_some_and(Value::is_boolean)) {
                let same = keys.iter().all(|key| narrow.get(*key) == wide.get(*key));
                stricter.extend((!same).then_some(keys[0]));
                continue;
            }
            let bound = |schema: &Map<String, Value>| {
                let sign = if upper { 1.0 } else { -1.0 };
                let [included, excluded] = keys.map(|key| number(schema, key).map(|bound| bound * sign));
                // The lower one holds, and of two that are equal the one that is itself excluded.
                match (included, excluded) {
                    (Some(included), Some(excluded)) if excluded <= included => Some((excluded, true)),
                    (Some(included), _) => Some((included, false)),
                    (None, excluded) => excluded.map(|excluded| (excluded, true)),
                }
            };
            let holds = match (bound(narrow), bound(wide)) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some((one, one_excluded)), Some((two, two_excluded))) => {
                    one < two || (one == two && (one_excluded || !two_excluded))
                }
            };
            stricter.extend((!holds).then_some(keys[0]));
        }
        for key in ["maxLength", "maxItems", "maxProperties"] {
            let holds = match (number(narrow, key), number(wide, key)) {
                (_, None) => true,
                (one, Some(two)) => one.is_some_and(|one| one <= two),
            };
            stricter.extend((!holds).then_some(key));
        }
        for key in ["minLength", "minItems", "minProperties"] {
            let holds = number(narrow, key).unwrap_or(0.0) >= number(wide, key).unwrap_or(0.0);
            stricter.extend((!holds).then_some(key));
        }
        if wide.get("uniqueItems") == Some(&Value::Bool(true)) && narrow.get("uniqueItems") != Some(&Value::Bool(true))
        {
            stricter.push("uniqueItems");
        }
        let multiple = |schema: &Map<String, Value>| schema.get("multipleOf").cloned();
        if let Some(two) = multiple(wide) {
            let whole = |value: &Value| value.as_u64().filter(|number| *number > 0);
            let holds = multiple(narrow).is_some_and(|one| match (whole(&one), whole(&two)) {
                (Some(one), Some(two)) => one % two == 0,
                _ => one == two,
            });
            stricter.extend((!holds).then_some("multipleOf"));
        }
        for key in stricter {
            self.differs(at, &format!("has a stricter `{key}`"), &format!("has a wider `{key}`"));
        }
    }

    fn properties(&mut self, narrow: &'a Map<String, Value>, wide: &'a Map<String, Value>, at: &str, depth: usize) {
        let names = |schema: &'a Map<String, Value>| -> BTreeSet<&'a str> {
            let names = schema.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            names.iter().filter_map(Value::as_str).collect()
        };
        let properties = |schema: &'a Map<String, Value>| schema.get("properties").and_then(Value::as_object);
        let place = |name: &str| if at.is_empty() { shown(name) } else { format!("{at}.{}", shown(name)) };
        for name in names(wide).difference(&names(narrow)) {
            self.differs(&place(name), "is required now", "may be missing now");
        }
        let (given, taken) = (properties(narrow), properties(wide));
        let (given_besides, taken_besides) = (narrow.get("additionalProperties"), wide.get("additionalProperties"));
        for (name, schema) in taken.into_iter().flatten() {
            match (given.and_then(|given| given.get(name)), given_besides) {
                (Some(given), _) => self.fits(given, schema, &place(name), depth + 1),
                (None, Some(besides @ Value::Object(_))) => self.fits(besides, schema, &place(name), depth + 1),
                // It could not be there, or it was nothing that anybody knew.
                (None, _) => {}
            }
        }
        let unknown =
            given.into_iter().flatten().filter(|(name, _)| taken.is_none_or(|taken| !taken.contains_key(*name)));
        for (name, schema) in unknown {
            if let Some(besides) = taken_besides {
                self.fits(schema, besides, &place(name), depth + 1);
            }
        }
        match (given_besides.unwrap_or(&ANYTHING), taken_besides) {
            (_, None | Some(Value::Bool(true))) | (Value::Bool(false), _) => {}
            (_, Some(Value::Bool(false))) => {
                self.differs(at, "takes no other properties any more", "may have other properties now");
            }
            (given, Some(taken)) => self.fits(given, taken, &place("*"), depth + 1),
        }
    }

    /// Notes a difference: what to say of what a tool takes, and of what it gives.
    fn differs(&mut self, at: &str, input: &str, output: &str) {
        match self.side {
            Side::Input => self.say(at, input),
            Side::Output => self.say(at, output),
        }
    }

    fn say(&mut self, at: &str, what: &str) {
        let whose = match (self.side, at) {
            (Side::Input, "") => "its input".to_owned(),
            (Side::Input, at) => format!("`{at}`"),
            (Side::Output, "") => "its result".to_owned(),
            (Side::Output, at) => format!("`{at}` of its result"),
        };
        self.reasons.push(format!("{whose} {what}"));
    }
}

/// A name or a value as it is shown: the beginning, without what a terminal would obey.
fn shown(text: &str) -> String {
    text.chars().take(64).map(|c| if c.is_control() || c == '`' { ' ' } else { c }).collect()
}

/// The schema that a reference leads to; none if it cannot be told. What stands beside a reference must mean nothing.
fn follow<'a>(root: &'a Value, mut schema: &'a Value) -> Option<&'a Value> {
    for _ in 0..MAX_HOPS {
        let Some(reference) = schema.get("$ref") else { return Some(schema) };
        let means = |key: &String| {
            let plain = ["type", "enum", "const", "items", "properties", "required", "additionalProperties"];
            let limits = ["aximum", "inimum", "Length", "Items", "Properties", "multipleOf"];
            plain.contains(&key.as_str())
                || CONSTRAINTS.contains(&key.as_str())
                || OPAQUE.contains(&key.as_str())
                || limits.iter().any(|limit| key.ends_with(limit))
        };
        if schema.as_object()?.keys().any(means) {
            return None;
        }
        let pointer = reference.as_str()?.strip_prefix('#')?;
        if pointer.contains('%') {
            return None;
        }
        schema = root.pointer(pointer)?;
    }
    None
}

fn has_reference(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => {
            members.iter().any(|(key, member)| key.ends_with("Ref") || key == "$ref" || has_reference(member))
        }
        Value::Array(items) => items.iter().any(has_reference),
        _ => false,
    }
}

/// Whether all references of a schema lead into its definitions.
fn stays_in_definitions(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => members.iter().all(|(key, member)| match (key.as_str(), member) {
            ("$ref", Value::String(target)) => target.starts_with("#/$defs/") || target.starts_with("#/definitions/"),
            ("$dynamicRef" | "$recursiveRef", _) => false,
            _ => stays_in_definitions(member),
        }),
        Value::Array(items) => items.iter().all(stays_in_definitions),
        _ => true,
    }
}

/// The types a schema takes; if it names values only, theirs.
fn types(schema: &Map<String, Value>) -> BTreeSet<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => BTreeSet::from([name.as_str()]),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => match values(schema) {
            Some(values) => values.into_iter().map(type_of).collect(),
            None => TYPES.iter().copied().collect(),
        },
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The values a schema is limited to, if it is.
fn values(schema: &Map<String, Value>) -> Option<Vec<&Value>> {
    let one = schema.get("const").map(|value| vec![value]);
    one.or_else(|| schema.get("enum").and_then(Value::as_array).map(|values| values.iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tool(name: &str, input: &Value) -> Tool {
        Tool {
            name: name.to_owned(),
            title: None,
            description: None,
            input_schema: input.to_string(),
            output_schema: None,
            annotations: None,
            icons: Vec::new(),
            meta: None,
        }
    }

    /// What breaks if the old schema is replaced by the new one, on one side.
    fn breaks(side: Side, old: &Value, new: &Value) -> Vec<String> {
        of_schemas(side, &old.to_string(), &new.to_string())
    }

    /// A schema of an object with one property `p`.
    fn with(schema: Value) -> Value {
        json!({ "type": "object", "properties": { "p": schema } })
    }

    /// The two schemas of `p`, and what is said when the first becomes the second in arguments, and when it does in results;
    /// nothing where that breaks nothing.
    #[test]
    fn a_property_becomes_another() {
        let table = [
            (json!({"type": "string"}), json!({"type": "string", "description": "d", "x-mine": 1}), None, None),
            (json!({"type": "string"}), json!({"type": ["string", "null"]}), None, Some("may be null now")),
            (json!({"type": "integer"}), json!({"type": "number"}), None, Some("may be number now")),
            (
                json!({"type": "string"}),
                json!({"type": "integer"}),
                Some("no longer takes string"),
                Some("may be integer"),
            ),
            (json!({"type": "string"}), json!({}), None, Some("may be array, boolean, null, number, object now")),
            (json!({"type": "string"}), json!(true), None, Some("may be array")),
            (json!({"type": "string"}), json!(false), Some("is no longer taken"), None),
            (json!({"enum": ["a"]}), json!({"enum": ["a", "b"]}), None, Some("may be \"b\" now")),
            (json!({"enum": ["a", "b"]}), json!({"const": "a"}), Some("no longer takes \"b\""), None),
            (json!({"enum": ["a"]}), json!({"type": "string"}), None, Some("values now that it had not")),
            (json!({"enum": ["a", 1]}), json!({"type": "string"}), Some("no longer takes integer"), Some("values")),
            (json!({"maximum": 5}), json!({"maximum": 7}), None, Some("wider `maximum`")),
            (json!({"maximum": 5}), json!({}), None, Some("wider `maximum`")),
            (json!({"maximum": 5}), json!({"exclusiveMaximum": 5}), Some("stricter `maximum`"), None),
            (json!({"exclusiveMaximum": 5}), json!({"maximum": 4.5}), Some("stricter `maximum`"), None),
            (json!({"minimum": 1}), json!({"minimum": -1}), None, Some("wider `minimum`")),
            (json!({"minimum": 1}), json!({"exclusiveMinimum": 0}), None, Some("wider `minimum`")),
            (
                json!({"maximum": 5, "exclusiveMaximum": true}),
                json!({"maximum": 5}),
                Some("`maximum`"),
                Some("`maximum`"),
            ),
            (json!({"multipleOf": 4}), json!({"multipleOf": 2}), None, Some("wider `multipleOf`")),
            (json!({"multipleOf": 0.5}), json!({"multipleOf": 0.25}), Some("`multipleOf`"), Some("`multipleOf`")),
            (json!({"maxLength": 9}), json!({"maxLength": 8}), Some("stricter `maxLength`"), None),
            (json!({"minLength": 0}), json!({}), None, None),
            (json!({}), json!({"minLength": 1}), Some("stricter `minLength`"), None),
            (
                json!({"maxItems": 2, "minItems": 1}),
                json!({"maxItems": 3, "minItems": 1}),
                None,
                Some("wider `maxItems`"),
            ),
            (json!({"uniqueItems": true}), json!({"uniqueItems": false}), None, Some("wider `uniqueItems`")),
            (json!({"minProperties": 1}), json!({"minProperties": 2}), Some("stricter `minProperties`"), None),
            (json!({"pattern": "a"}), json!({}), None, Some("another `pattern`")),
            (json!({"pattern": "a"}), json!({"pattern": "b"}), Some("another `pattern`"), Some("another `pattern`")),
            (json!({}), json!({"format": "date"}), Some("another `format`"), None),
            // Arrays.
            (json!({"items": {"type": "integer"}}), json!({"items": {"type": "number"}}), None, Some("`p[]`")),
            (json!({}), json!({"items": {"type": "integer"}}), Some("`p[]` no longer takes array"), None),
            (
                json!({"items": [{"type": "integer"}]}),
                json!({"items": {"type": "integer"}}),
                Some("other `items`"),
                Some("`items`"),
            ),
            (
                json!({"prefixItems": [{}]}),
                json!({"prefixItems": [{}, {}]}),
                Some("`prefixItems`"),
                Some("`prefixItems`"),
            ),
            (
                json!({"items": {"items": {"maxLength": 2}}}),
                json!({"items": {"items": {"maxLength": 1}}}),
                Some("`p[][]`"),
                None,
            ),
            // Nested objects.
            (json!({"properties": {}}), json!({"properties": {"q": {"type": "string"}}}), None, None),
            (json!({"properties": {"q": {}}}), json!({"properties": {}}), None, None),
            (
                json!({"properties": {"q": {}}}),
                json!({"properties": {}, "additionalProperties": false}),
                Some("`p.q` is no longer taken"),
                None,
            ),
            (
                json!({"properties": {}, "additionalProperties": false}),
                json!({"properties": {"q": {}}, "additionalProperties": false}),
                None,
                Some("`p.q` of its result may be there now"),
            ),
            (json!({"additionalProperties": false}), json!({}), None, Some("may have other properties now")),
            (json!({"required": ["q"]}), json!({}), None, Some("`p.q` of its result may be missing now")),
            (json!({"required": ["q"]}), json!({"required": ["q", "r"]}), Some("`p.r` is required now"), None),
            (
                json!({"additionalProperties": {"type": "integer"}}),
                json!({"additionalProperties": {"type": "number"}}),
                None,
                Some("`p.*` of its result"),
            ),
            (
                json!({"additionalProperties": {"type": "integer"}}),
                json!({"properties": {"q": {"type": "string"}}, "additionalProperties": {"type": "integer"}}),
                Some("`p.q` no longer takes integer"),
                Some("`p.q` of its result may be string"),
            ),
            (
                json!({"properties": {"q": {"properties": {"r": {"enum": [1, 2]}}}}}),
                json!({"properties": {"q": {"properties": {"r": {"enum": [1]}}}}}),
                Some("`p.q.r` no longer takes 2"),
                None,
            ),
            (
                json!({"patternProperties": {"a": {}}}),
                json!({}),
                Some("`patternProperties`"),
                Some("`patternProperties`"),
            ),
            // What is not looked into.
            (json!({"anyOf": [{"type": "string"}]}), json!({"anyOf": [{"type": "string"}], "title": "t"}), None, None),
            (json!({"anyOf": [{"type": "string"}]}), json!({"anyOf": [{}]}), Some("`anyOf`"), Some("`anyOf`")),
            (json!({"anyOf": [{"type": "string"}]}), json!({"type": "string"}), Some("`anyOf`"), Some("`anyOf`")),
            (json!({"oneOf": [{}]}), json!({}), Some("`oneOf`"), Some("`oneOf`")),
            (json!({"not": {"type": "null"}}), json!({}), Some("`not`"), Some("`not`")),
            (json!({"if": {}, "then": {}}), json!({"if": {}}), Some("`then`"), Some("`then`")),
        ];
        for (old, new, input, output) in table {
            for (side, expected) in [(Side::Input, input), (Side::Output, output)] {
                let found = breaks(side, &with(old.clone()), &with(new.clone())).join("; ");
                match expected {
                    None => assert_eq!(found, "", "{side:?}: {old} -> {new}"),
                    Some(part) => assert!(found.contains(part), "{side:?}: {old} -> {new}: {found:?}"),
                }
            }
            // What is wider one way is narrower the other.
            for side in [Side::Input, Side::Output] {
                let other = if side == Side::Input { Side::Output } else { Side::Input };
                let (forth, back) = (with(old.clone()), with(new.clone()));
                let (one, two) = (breaks(side, &forth, &back), breaks(other, &back, &forth));
                assert_eq!(one.is_empty(), two.is_empty(), "{old} -> {new}");
            }
        }
    }

    #[test]
    fn references_are_followed() {
        let schema = |defs: Value, p: Value| json!({"type": "object", "$defs": defs, "properties": {"p": p}});
        let to = |name: &str| json!({"$ref": format!("#/$defs/{name}"), "description": "d"});
        let tree = |more: Value| json!({"T": {"properties": {"next": {"$ref": "#/$defs/T"}, "more": more}}});
        let table = [
            (schema(json!({"A": {"type": "string"}}), to("A")), schema(json!({}), json!({"type": "string"})), None),
            (schema(json!({"A": {"maxLength": 2}}), to("A")), schema(json!({"A": {}}), to("A")), None),
            (
                schema(json!({"A": {}}), to("A")),
                schema(json!({"A": {"maxLength": 2}}), to("A")),
                Some("`p` has a stricter"),
            ),
            (schema(tree(json!({})), to("T")), schema(tree(json!({"description": "d"})), to("T")), None),
            (schema(tree(json!({})), to("T")), schema(tree(json!({"maxLength": 1})), to("T")), Some("`p.more`")),
            // The text is the same, and what it means is not.
            (
                schema(json!({"A": {}}), json!({"anyOf": [to("A")]})),
                schema(json!({"A": {"maxLength": 2}}), json!({"anyOf": [to("A")]})),
                Some("another `anyOf`"),
            ),
            (schema(json!({"A": to("A")}), to("A")), schema(json!({"A": to("A"), "B": 1}), to("A")), Some("`$ref`")),
            (schema(json!({}), to("A")), schema(json!({}), to("B")), Some("`$ref`")),
            (
                schema(json!({"A": {}}), json!({"$ref": "#/$defs/A", "type": "string"})),
                schema(json!({"A": {}}), json!({"$ref": "#/$defs/A"})),
                Some("`$ref`"),
            ),
        ];
        for (old, new, expected) in table {
            let found = breaks(Side::Input, &old, &new).join("; ");
            match expected {
                None => assert_eq!(found, "", "{old} -> {new}"),
                Some(part) => assert!(found.contains(part), "{old} -> {new}: {found:?}"),
            }
        }
        let draft = json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"});
        assert_eq!(breaks(Side::Input, &draft, &json!({"type": "object"})).len(), 1);
    }

    #[test]
    fn schemas_that_double_end() {
        let level = |next: u32| {
            let to = json!({"$ref": format!("#/$defs/L{next}")});
            json!({"properties": {"a": to, "b": to}})
        };
        let levels = |last: Value| {
            let mut defs: Map<String, Value> = (0..60).map(|n| (format!("L{n}"), level(n + 1))).collect();
            defs.insert("L60".to_owned(), last);
            json!({"type": "object", "$defs": defs, "properties": {"p": {"$ref": "#/$defs/L0"}}})
        };
        let found = breaks(Side::Input, &levels(json!({})), &levels(json!({"maxLength": 1})));
        assert!(!found.is_empty() && found.len() <= MAX_REASONS + 1);
    }

    #[test]
    fn tools_come_and_go() {
        let (object, closed) = (json!({"type": "object"}), json!({"type": "object", "additionalProperties": false}));
        let says = |tool: Tool, read_only, destructive| {
            let (read_only, destructive) = (Some(read_only), Some(destructive));
            let annotations = ToolAnnotations { read_only, destructive, idempotent: None, open_world: None };
            Tool { annotations: Some(annotations), ..tool }
        };
        let gives = |tool: Tool, schema: &str| Tool { output_schema: Some(schema.to_owned()), ..tool };
        let t = || tool("t", &object);
        let spaced = Tool { input_schema: "{ \"type\" : \"object\" }".to_owned(), ..t() };
        use Effect::{Breaking, Compatible};
        type Row<'a> = (Tool, Tool, &'a [(Effect, &'a str)]);
        let table: [Row<'_>; 13] = [
            (t(), t(), &[]),
            (t(), spaced, &[]),
            (t(), tool("u", &object), &[(Breaking, "no longer there"), (Compatible, "it is new")]),
            (t(), Tool { description: Some("d".to_owned()), ..t() }, &[(Compatible, "another description")]),
            (t(), Tool { title: Some("T".to_owned()), ..t() }, &[(Compatible, "another title")]),
            (t(), tool("t", &closed), &[(Breaking, "its input takes no other properties any more")]),
            (tool("t", &closed), t(), &[(Compatible, "it takes all that it took")]),
            (t(), gives(t(), "{}"), &[(Compatible, "their schema is another")]),
            (gives(t(), "{}"), t(), &[(Breaking, "no longer have a schema")]),
            (gives(t(), r#"{"type":"object"}"#), gives(t(), "{}"), &[(Breaking, "its result may be")]),
            (says(t(), true, false), t(), &[(Breaking, "only reads"), (Breaking, "destroys nothing")]),
            (says(t(), false, false), says(t(), true, true), &[(Compatible, "annotations")]),
            (says(t(), true, false), says(t(), false, false), &[(Breaking, "only reads")]),
        ];
        for (old, new, expected) in &table {
            let found = changes([old].into_iter(), &[new]);
            assert_eq!(found.len(), expected.len(), "{old:?} -> {new:?}: {found:?}");
            for (change, (effect, reason)) in found.iter().zip(*expected) {
                assert!(change.effect == *effect && change.reason.contains(reason), "{change:?}: {reason}");
            }
        }
    }

    #[test]
    fn schemas_made_to_be_slow_to_compare_are_not() {
        // Thousands of values, and as many names for them.
        let slow = |version: u32| {
            let values: Vec<String> = (0..6_000).map(|n| format!("{version}{n}")).collect();
            let mut definitions = Map::from_iter([("all".to_owned(), json!({ "enum": values }))]);
            let mut properties = Map::new();
            for n in 0..800 {
                definitions.insert(format!("d{n}"), json!({ "$ref": "#/$defs/all" }));
                properties.insert(format!("p{n}"), json!({ "$ref": format!("#/$defs/d{n}") }));
            }
            json!({ "type": "object", "properties": properties, "$defs": definitions })
        };
        let (old, new) = (tool("slow", &slow(1)), tool("slow", &slow(2)));
        assert!(old.input_schema.len() < 128 << 10, "{} bytes", old.input_schema.len());
        let begun = std::time::Instant::now();
        let found = changes([&old].into_iter(), &[&new]);
        assert!(begun.elapsed().as_millis() < 500, "it took {:?}", begun.elapsed());
        assert!(found.iter().any(|change| change.effect == Effect::Breaking), "{found:?}");
        assert!(found.iter().all(|change| change.reason.len() < 4_000));
    }
}
