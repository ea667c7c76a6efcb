//! Text to [`Document`], through every mistake.
//!
//! serde stops at the first mistake. So whatever it stops at is taken out of the parsed tree, noted, and the rest is
//! read again, until it reads through. What remains is a document without the parts that were wrong; whoever uses it
//! looks at the collected problems first.

use std::ops::Range;

use serde::Deserialize;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use super::diagnostic::Faults;
use super::hint;
use super::written::Document;

/// Nobody corrects more than this at once.
const MAX_PROBLEMS: usize = 200;

pub(super) fn read(text: &str, faults: &mut Faults) -> Document {
    let (tree, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // What was recovered may be anything, so only the syntax is spoken of.
        for error in errors.iter().take(MAX_PROBLEMS) {
            let span = error.span().unwrap_or_default();
            faults.push(span, format!("this is not TOML: {}", error.message()), "correct the syntax");
        }
        return Document::default();
    }
    let mut tree = tree;
    for _ in 0..MAX_PROBLEMS {
        match Document::deserialize(Deserializer::from(tree.clone())) {
            Ok(document) => return document,
            Err(error) => {
                let span = error.span().unwrap_or_default();
                let mut path = Vec::new();
                let Some(part) = take_out(tree.get_mut(), &span, &mut path) else {
                    let problem = format!("the file cannot be read: {}", error.message());
                    faults.push(span, problem, "correct this part");
                    return Document::default();
                };
                note(&error, span, &path, &part, faults);
            }
        }
    }
    faults.push(0..0, format!("there are more than {MAX_PROBLEMS} problems"), "correct the others first");
    Document::default()
}

/// What was taken out of the tree.
struct Part {
    /// Whether it was the key that was wrong, not the value.
    by_key: bool,
    is_table: bool,
}

/// Takes out the innermost entry whose key or value stands at `span`, and leaves the keys on the way to it in `path`,
/// its own last. For an element of an array that is the array's key.
fn take_out(table: &mut DeTable<'_>, span: &Range<usize>, path: &mut Vec<String>) -> Option<Part> {
    let mut found = None;
    for (key, value) in table.iter_mut() {
        path.push(key.get_ref().to_string());
        let here = value.span() == *span;
        let is_table = matches!(value.get_ref(), DeValue::Table(_));
        let inner = match value.get_mut() {
            DeValue::Table(inner) => take_out(inner, span, path),
            DeValue::Array(inner) => take_out_of_array(inner, span, path),
            _ => None,
        };
        if inner.is_some() {
            return inner;
        }
        if here || key.span() == *span {
            found = Some((key.clone(), Part { by_key: !here, is_table }));
            break;
        }
        path.pop();
    }
    let (key, part) = found?;
    table.remove(&key).map(|_| part)
}

fn take_out_of_array(array: &mut toml::de::DeArray<'_>, span: &Range<usize>, path: &mut Vec<String>) -> Option<Part> {
    for value in array.iter_mut() {
        let inner = match value.get_mut() {
            DeValue::Table(inner) => take_out(inner, span, path),
            DeValue::Array(inner) => take_out_of_array(inner, span, path),
            _ => None,
        };
        if inner.is_some() {
            return inner;
        }
    }
    let is_table = matches!(array.iter().find(|value| value.span() == *span)?.get_ref(), DeValue::Table(_));
    let all = std::mem::replace(array, toml::de::DeArray::new());
    *array = all.into_iter().filter(|value| value.span() != *span).collect();
    Some(Part { by_key: false, is_table })
}

/// Notes one mistake, for the plugin in whose table it stands, or for the whole file.
fn note(error: &Error, span: Range<usize>, path: &[String], part: &Part, faults: &mut Faults) {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let (key, table) = path.split_last().map_or(("", [].as_slice()), |(key, table)| (*key, table));
    let mut own = match path.as_slice() {
        ["plugins", plugin, ..] => Faults::within(plugin),
        _ => Faults::default(),
    };
    if part.by_key && error.message().starts_with("unknown field") {
        let known: Vec<&str> = quoted(error.message()).skip(1).collect();
        let fix = hint::for_unknown_key(table, key, part.is_table, &known);
        own.push(span, format!("unknown key `{key}`{}", within(table)), fix);
    } else {
        let (problem, expected) = error.message().split_once(", expected ").unwrap_or((error.message(), ""));
        own.push(span, format!("`{key}`: {problem}"), format!("write {}", in_toml(expected, key)));
    }
    faults.append(own);
}

fn within(table: &[&str]) -> String {
    if table.is_empty() { String::new() } else { format!(" in `{}`", table.join(".")) }
}

/// The words between backquotes, which is how serde writes the names of fields.
fn quoted(message: &str) -> impl Iterator<Item = &str> {
    message.split('`').skip(1).step_by(2)
}

/// What serde expected, in the words of TOML.
fn in_toml<'a>(expected: &'a str, key: &str) -> std::borrow::Cow<'a, str> {
    match expected {
        "u64" => "a whole number that is not negative".into(),
        "a string" => "a text in quotes".into(),
        "a boolean" => "true or false".into(),
        "a sequence" => format!("a list, {key} = [ … ]").into(),
        "a map" if key == "plugins" => "a table for each plugin, [plugins.NAME]".into(),
        "a map" => format!("a table, {key} = {{ … }}").into(),
        "" => "something else".into(),
        // Names of variants, which TOML writes in quotes.
        variants if variants.starts_with('`') => variants.replace('`', "\"").into(),
        other => other.into(),
    }
}
