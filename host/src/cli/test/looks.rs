//! Checks that only look at what the plugin says of itself.

use super::super::lint;
use super::super::terminal::bytes;
use super::generate::{Maker, kind};
use super::report::Check;
use super::subject::Subject;
use crate::policy::Limits;
use crate::registry::{Plugin, Schema};
use crate::sandbox::inspect::MAX_MANIFEST_BYTES;
use serde_json::Value;

/// The draft schemas are written in.
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The component loads, and everything it lists is served.
pub(super) fn loads(subject: &Subject) -> Check {
    let mut check =
        Check::new("loads", "a host leaves out what it cannot load or what breaks the rules of the protocol");
    let offers = &subject.plugin.offers;
    check.summary = format!(
        "{}, {} tools, {} resources and templates, {} prompts",
        bytes(subject.plugin.size),
        offers.tools.len(),
        offers.resources.len() + offers.templates.len(),
        offers.prompts.len()
    );
    for problem in &subject.problems {
        check.fail(problem.clone(), "");
    }
    check
}

pub(super) fn manifest_of(subject: &Subject) -> Check {
    manifest(&subject.plugin)
}

fn manifest(plugin: &Plugin) -> Check {
    let mut check = Check::new("manifest", "an operator decides by it what to grant, and a host shows it");
    let manifest = &plugin.manifest;
    let Some(requested) = &manifest.requested else {
        check.fail(
            "the component has no manifest",
            format!(
                "build it with `toolcell build` or a Toolcell SDK; both embed one (at most {MAX_MANIFEST_BYTES} bytes)"
            ),
        );
        return check;
    };
    let said =
        |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    for (what, value, fix) in [
        ("name", &manifest.name, "set `name` in plugin.toml, or in Cargo.toml for Rust"),
        ("version", &manifest.version, "set `version`, such as \"0.1.0\""),
        ("description", &manifest.description, "set `description`: one sentence on what it is for"),
    ] {
        if said(value).is_none() {
            check.warn(format!("the manifest has no {what}"), fix);
        }
    }
    if let Some(version) = said(&manifest.version).filter(|version| !is_version(version)) {
        check.warn(
            format!("the version {version} is no semantic version"),
            "write it like \"0.1.0\" (https://semver.org)",
        );
    }
    let mut unexplained = |what: String, why: &str| {
        if why.trim().is_empty() {
            check.warn(
                format!("it asks for {what} and does not say why"),
                "add `why`: the operator reads it and decides",
            );
        }
    };
    requested.dirs.iter().for_each(|it| unexplained(format!("the directory {}", it.path), &it.why));
    requested.hosts.iter().for_each(|it| unexplained(format!("the host {}", it.pattern), &it.why));
    requested.env.iter().for_each(|it| unexplained(format!("the variable {}", it.name), &it.why));
    requested.key_value.iter().for_each(|it| unexplained("a store of its own".to_owned(), &it.why));
    requested.tools.iter().for_each(|it| unexplained(format!("the tool {}", it.pattern), &it.why));
    let asked = requested.dirs.len()
        + requested.hosts.len()
        + requested.env.len()
        + usize::from(requested.key_value.is_some())
        + requested.tools.len();
    check.summary = format!(
        "{} {}, asks for {asked} capabilities",
        said(&manifest.name).unwrap_or_default(),
        said(&manifest.version).unwrap_or_default()
    );
    check
}

fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = core.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()))
}

pub(super) fn schemas(subject: &Subject) -> Check {
    let mut check = Check::new("schemas", "clients build forms from them, and models build calls");
    check.summary = format!(
        "{} input, {} output",
        subject.tools.len(),
        subject.tools.iter().filter(|tool| tool.output.is_some()).count()
    );
    for tool in &subject.tools {
        let name = tool.name();
        let schema = &tool.input;
        if let Some(draft) =
            schema.get("$schema").and_then(Value::as_str).filter(|draft| draft.trim_end_matches('#') != DRAFT)
        {
            check.warn(
                format!("the schema of {name} is written in {draft}"),
                format!("write it in {DRAFT}: newer clients know no other"),
            );
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        for required in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        {
            if properties.is_none_or(|all| !all.contains_key(required)) {
                check.fail(
                    format!("{name} requires {required}, which is none of its properties"),
                    format!("describe {required} under `properties`, or take it out of `required`"),
                );
            }
        }
        for (parameter, property) in properties.into_iter().flatten() {
            let property = lint::resolve(schema, property).unwrap_or(property);
            let says = ["const", "enum", "$ref", "$dynamicRef", "anyOf", "oneOf", "allOf", "not", "if"];
            if kind(property).is_empty() && !says.iter().any(|key| property.get(key).is_some()) {
                check.warn(
                    format!("{parameter} of {name} accepts anything"),
                    "give it a `type`: a model has to guess otherwise",
                );
            }
        }
        let output = tool.entry.tool.output_schema.as_deref().map(serde_json::from_str::<Value>);
        if let Some(Ok(output)) = output
            && kind(&output) != "object"
        {
            check.warn(
                format!("the output schema of {name} describes no object"),
                "wrap the value in an object: clients before 2026-07-28 get no structured content otherwise",
            );
        }
        if Maker::new(schema).minimal().is_none_or(|made| !tool.accepts(&made)) {
            check.warn(
                format!("no valid arguments for {name} could be made from its schema, so it is not called here"),
                "add `examples` to the schema; models use them as well",
            );
        }
    }
    check
}

/// What the author gives as examples and defaults is valid.
pub(super) fn examples(subject: &Subject) -> Check {
    let mut check = Check::new("examples", "a model copies them");
    let mut count = 0;
    for tool in &subject.tools {
        let schemas = [(&tool.input, "input"), (&output_of(subject, tool.name()), "output")]
            .map(|(schema, what)| (schema.clone(), what));
        for (root, what) in schemas {
            let mut todo = vec![(String::new(), &root)];
            while let Some((path, schema)) = todo.pop() {
                for (key, value) in given(schema) {
                    count += 1;
                    if let Err(error) = judged(&root, schema, value) {
                        let place = if path.is_empty() {
                            what.to_owned()
                        } else {
                            format!("{} in the {what}", path.trim_start_matches('.'))
                        };
                        check.fail(
                            format!("{key} {value} of {place} of {} does not fit its own schema: {error}", tool.name()),
                            "correct the example, or the schema",
                        );
                    }
                }
                for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
                    todo.push((format!("{path}.{name}"), property));
                }
                for (name, definition) in schema.get("$defs").and_then(Value::as_object).into_iter().flatten() {
                    todo.push((format!("{path}.{name}"), definition));
                }
                if let Some(items) = schema.get("items") {
                    todo.push((format!("{path}[]"), items));
                }
            }
        }
    }
    match count {
        0 => check.skip("there are none; a few in the schemas help models"),
        n => check.summary = format!("{n} in the schemas"),
    }
    check
}

fn output_of(subject: &Subject, name: &str) -> Value {
    let tool = subject.tools.iter().find(|tool| tool.name() == name);
    let text = tool.and_then(|tool| tool.entry.tool.output_schema.as_deref());
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// The examples and the default of one schema. A default of nothing says that there is none.
fn given(schema: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    let examples =
        schema.get("examples").and_then(Value::as_array).into_iter().flatten().map(|value| ("the example", value));
    examples.chain(schema.get("default").filter(|value| !value.is_null()).map(|value| ("the default", value)))
}

/// Judges a value by a part of a schema, which may point to definitions of the whole.
fn judged(root: &Value, part: &Value, value: &Value) -> Result<(), String> {
    let mut part = part.clone();
    if let (Some(part), Some(definitions)) = (part.as_object_mut(), root.get("$defs")) {
        part.insert("$defs".to_owned(), definitions.clone());
    }
    Schema::new(&part.to_string(), &Limits::default())?.check(value)
}

pub(super) fn descriptions(subject: &Subject) -> Check {
    let mut check =
        Check::new("descriptions", "they are all a model knows: it chooses tools and fills in arguments by them");
    for finding in lint::offers(&subject.plugin.offers) {
        if finding.missing {
            check.fail(finding.what, finding.fix);
        } else {
            check.warn(finding.what, finding.fix);
        }
    }
    let parameters: usize = subject
        .tools
        .iter()
        .map(|tool| tool.input.get("properties").and_then(Value::as_object).map_or(0, serde_json::Map::len))
        .sum();
    check.summary = format!("{} tools, {parameters} parameters", subject.tools.len());
    check
}

/// What tools say they do to the world.
pub(super) fn annotations(subject: &Subject) -> Check {
    let mut check = Check::new("annotations", "a client asks its person before calling what may destroy something");
    let mut said = 0;
    for tool in &subject.tools {
        let name = tool.name();
        let hints = tool.entry.tool.annotations.as_ref();
        let Some(hints) = hints.filter(|hints| hints.read_only.is_some() || hints.destructive.is_some()) else {
            check.warn(
                format!("{name} does not say whether it changes anything"),
                "set read-only, or destructive to true or false: clients assume the worst otherwise",
            );
            continue;
        };
        said += 1;
        if hints.read_only == Some(true) && hints.destructive == Some(true) {
            check.fail(format!("{name} is read-only and destructive"), "it cannot be both; take one away");
        }
    }
    match subject.tools.len() {
        0 => check.skip("it has no tools"),
        all => check.summary = format!("{said} of {all} tools say what they do"),
    }
    check
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn examples_are_judged_by_their_own_part_of_the_schema() {
        let root = json!({"$defs": {"Id": {"type": "integer", "minimum": 1}}});
        let part = json!({"$ref": "#/$defs/Id"});
        assert_eq!(judged(&root, &part, &json!(4)), Ok(()));
        assert!(judged(&root, &part, &json!(0)).is_err());
        let schema = json!({"examples": [1, 2], "default": 3});
        assert_eq!(given(&schema).map(|(_, value)| value.clone()).collect::<Vec<_>>(), [json!(1), json!(2), json!(3)]);
    }

    #[test]
    fn versions_have_three_numbers() {
        for (text, is) in [("0.1.0", true), ("1.2.3-rc.1+5", true), ("1.0", false), ("v1.0.0", false), ("", false)] {
            assert_eq!(is_version(text), is, "{text}");
        }
    }
}
