//! What is wrong with descriptions. They are all a model knows of a tool, so a vague one costs wrong calls.
//!
//! `inspect` shows the findings, `test` judges by them.

use crate::registry::Offers;
use crate::registry::types::Tool;
use serde_json::Value;
use std::collections::HashMap;

/// A description shorter than this tells a model too little to choose the tool, in characters.
const SHORT_DESCRIPTION: usize = 20;
/// A description longer than this crowds out others: every request of every client carries it, in characters.
const LONG_DESCRIPTION: usize = 2_000;
/// The same for a parameter, which has its name and type beside it.
const SHORT_PARAMETER: usize = 5;

/// Words that say nothing: whoever reads them knows no more than before.
const VAGUE: &[&str] = &[
    "stuff",
    "things",
    "misc",
    "miscellaneous",
    "various",
    "etc",
    "somehow",
    "tbd",
    "fixme",
    "lorem ipsum",
    "helper function",
    "utility function",
    "self-explanatory",
    "see documentation",
    "see the documentation",
    "see docs",
];

/// Something to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// Whether it is missing altogether, not only poor.
    pub(super) missing: bool,
    /// What is wrong.
    pub(super) what: String,
    /// What to do about it.
    pub(super) fix: String,
}

impl Finding {
    fn missing(what: String, fix: &str) -> Self {
        Self { missing: true, what, fix: fix.to_owned() }
    }

    fn poor(what: String, fix: &str) -> Self {
        Self { missing: false, what, fix: fix.to_owned() }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; {}", self.what, self.fix)
    }
}

/// All there is to mend in what a plugin offers.
pub(super) fn offers(offers: &Offers) -> Vec<Finding> {
    let tools: Vec<&Tool> = offers.tools.iter().map(|entry| &entry.tool).collect();
    let mut findings: Vec<Finding> = tools.iter().flat_map(|of| tool(of)).collect();
    findings.extend(twins(&tools));
    let described = |what: &str, name: &str, description: &Option<String>| {
        let text = description.as_deref().unwrap_or_default();
        text.trim().is_empty().then(|| {
            Finding::missing(format!("{what} {name} has no description"), "say what is in it and what it is good for")
        })
    };
    for entry in &offers.resources {
        findings.extend(described("resource", &entry.info.uri, &entry.info.description));
    }
    for entry in &offers.templates {
        findings.extend(described("resource template", &entry.template.uri_template, &entry.template.description));
    }
    for entry in &offers.prompts {
        findings.extend(described("prompt", &entry.name, &entry.prompt.description));
        for argument in &entry.prompt.arguments {
            let name = format!("{} of prompt {}", argument.name, entry.name);
            findings.extend(described("argument", &name, &argument.description));
        }
    }
    findings
}

/// What there is to mend in one tool.
pub(super) fn tool(tool: &Tool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = &tool.name;
    let description = tool.description.as_deref().unwrap_or_default().trim();
    let length = description.chars().count();
    if length == 0 {
        let fix = "say what it does and when to use it: a model cannot know otherwise";
        findings.push(Finding::missing(format!("tool {name} has no description"), fix));
    } else if same_words(description, name) {
        let fix = "say what it does, with what, and what it returns";
        findings.push(Finding::poor(format!("the description of tool {name} only repeats its name"), fix));
    } else if length < SHORT_DESCRIPTION {
        let fix = "say what it does and when to use it";
        findings.push(Finding::poor(format!("the description of tool {name} has only {length} characters"), fix));
    } else if length > LONG_DESCRIPTION {
        let fix =
            "shorten it: every request of every client carries it; long instructions belong into a prompt or resource";
        findings.push(Finding::poor(format!("the description of tool {name} has {length} characters"), fix));
    }
    if let Some(word) = vague(description) {
        let fix = "name what is meant";
        findings.push(Finding::poor(format!("the description of tool {name} says “{word}”, which is vague"), fix));
    }
    let schema: Value = serde_json::from_str(&tool.input_schema).unwrap_or_default();
    let mut parameters = Vec::new();
    collect(&schema, &schema, "", &mut Vec::new(), &mut parameters);
    for (path, parameter) in parameters {
        let place = format!("parameter {path} of tool {name}");
        let description = parameter
            .get("description")
            .or_else(|| resolve(&schema, parameter)?.get("description"))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .trim();
        let leaf = path.rsplit('.').next().unwrap_or(&path).trim_end_matches("[]");
        if description.is_empty() {
            let fix = "say what it means, its unit or format, and give an example";
            findings.push(Finding::missing(format!("{place} has no description"), fix));
        } else if same_words(description, leaf) {
            let fix = "say what it means, its unit or format";
            findings.push(Finding::poor(format!("the description of {place} only repeats its name"), fix));
        } else if description.chars().count() < SHORT_PARAMETER {
            findings.push(Finding::poor(format!("the description of {place} is {description:?}"), "say what it means"));
        }
        if let Some(word) = vague(description) {
            let fix = "name what is meant";
            findings.push(Finding::poor(format!("the description of {place} says “{word}”, which is vague"), fix));
        }
    }
    findings
}

/// Tools that are described in the same words: a model cannot tell them apart.
fn twins(tools: &[&Tool]) -> Vec<Finding> {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    let mut findings = Vec::new();
    for tool in tools {
        let Some(description) = tool.description.as_deref().map(str::trim).filter(|text| !text.is_empty()) else {
            continue;
        };
        if let Some(other) = seen.insert(description, &tool.name) {
            let what = format!("tools {other} and {} have the same description", tool.name);
            findings.push(Finding::poor(what, "say how they differ"));
        }
    }
    findings
}

/// Every parameter and every parameter inside one, by its path; a schema that contains itself is entered once.
fn collect<'a>(
    root: &'a Value,
    schema: &'a Value,
    path: &str,
    entered: &mut Vec<*const Value>,
    found: &mut Vec<(String, &'a Value)>,
) {
    let schema = resolve(root, schema).unwrap_or(schema);
    if entered.contains(&std::ptr::from_ref(schema)) {
        return;
    }
    entered.push(schema);
    for (name, parameter) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        found.push((path.clone(), parameter));
        collect(root, parameter, &path, entered, found);
    }
    if let Some(items) = schema.get("items").filter(|_| !path.is_empty()) {
        collect(root, items, &format!("{path}[]"), entered, found);
    }
    entered.pop();
}

/// What a `$ref` into the same schema leads to.
pub(super) fn resolve<'a>(root: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    let mut schema = schema;
    // A chain longer than this is a loop.
    for _ in 0..16 {
        let Some(target) = schema.get("$ref").and_then(Value::as_str) else { return Some(schema) };
        let pointer = target.strip_prefix('#')?;
        schema = root.pointer(pointer)?;
    }
    None
}

fn vague(description: &str) -> Option<&'static str> {
    let text: String = description.to_lowercase().chars().map(|c| if is_part(c) { c } else { ' ' }).collect();
    let text = format!(" {} ", text.split_whitespace().collect::<Vec<_>>().join(" "));
    VAGUE.iter().find(|word| text.contains(&format!(" {word} "))).copied()
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '\''
}

/// Whether a description has no word that is not in the name: `Get the weather` for `get_weather`.
fn same_words(description: &str, name: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let mut spaced = String::new();
        let mut before = ' ';
        for c in text.chars() {
            if c.is_uppercase() && before.is_lowercase() {
                spaced.push(' ');
            }
            spaced.extend(if c.is_alphanumeric() { Some(c) } else { Some(' ') });
            before = c;
        }
        spaced.to_lowercase().split_whitespace().map(|word| word.trim_end_matches('s').to_owned()).collect()
    };
    let own = words(name);
    let said = words(description);
    !said.is_empty()
        && said.iter().all(|word| own.contains(word) || matches!(word.as_str(), "the" | "a" | "an" | "tool"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn named(name: &str, description: &str, schema: &Value) -> Tool {
        Tool {
            name: name.to_owned(),
            title: None,
            description: Some(description.to_owned()),
            input_schema: schema.to_string(),
            output_schema: None,
            annotations: None,
            icons: Vec::new(),
            meta: None,
        }
    }

    #[test]
    fn a_description_that_says_too_little_is_found() {
        let none = json!({"type": "object"});
        for (name, description, part) in [
            ("t", "", "no description"),
            ("get_weather", "Gets the weather.", "only repeats its name"),
            ("getWeather", "Get weather", "only repeats its name"),
            ("weather", "By city.", "8 characters"),
            ("weather", "Does stuff with the weather of a city.", "“stuff”"),
            ("weather", "The weather of cities, regions, etc.", "“etc”"),
        ] {
            let found = tool(&named(name, description, &none));
            assert!(found.iter().any(|finding| finding.what.contains(part)), "{description}: {found:?}");
        }
        let good = "The weather of the next days in a city, as one line for each day.";
        assert_eq!(tool(&named("weather", good, &none)), []);
    }

    #[test]
    fn every_parameter_is_looked_at_wherever_it_is() {
        let schema = json!({
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "The city's name."},
                "days": {"type": "integer"},
                "unit": {"type": "string", "description": "Unit"},
                "stops": {"type": "array", "description": "On the way.", "items": {"$ref": "#/$defs/Stop"}},
            },
            "$defs": {"Stop": {"type": "object", "properties": {"at": {"type": "string"}}}},
        });
        let found = tool(&named("weather", "The weather in a city for some days.", &schema));
        let mut whats: Vec<&str> = found.iter().map(|finding| finding.what.as_str()).collect();
        // Whether serde_json keeps the order of properties is up to whoever else is built with it.
        whats.sort_unstable();
        assert_eq!(
            whats,
            [
                "parameter days of tool weather has no description",
                "parameter stops[].at of tool weather has no description",
                "the description of parameter unit of tool weather only repeats its name",
            ]
        );
        assert_eq!(found.iter().filter(|finding| finding.missing).count(), 2);
    }

    #[test]
    fn a_schema_that_contains_itself_is_looked_at_once() {
        let schema = json!({"type": "object", "properties": {"a": {"$ref": "#"}}});
        assert!(!tool(&named("tree", "Walks a tree from its root to its leaves.", &schema)).is_empty());
        let schema = json!({"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}});
        assert!(!tool(&named("loop", "Walks a tree from its root to its leaves.", &schema)).is_empty());
    }

    #[test]
    fn tools_in_the_same_words_are_twins() {
        let (one, two) = (named("a", "Finds it.", &json!({})), named("b", "Finds it. ", &json!({})));
        assert_eq!(twins(&[&one, &two])[0].what, "tools a and b have the same description");
    }
}
