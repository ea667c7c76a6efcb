//! A tool's arguments as they are typed: `name=value` pairs, one JSON object, or standard input.

use super::lint::resolve;
use anyhow::{Context, bail};
use serde_json::{Map, Value};
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

/// More than any tool takes, in bytes.
const MOST: u64 = 64 << 20;

/// What stood on the command line behind the tool's name.
pub(super) struct Typed {
    pub(super) arguments: Arguments,
    pub(super) paths: Vec<PathBuf>,
}

/// Arguments before it is known what the tool takes.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    object: Option<String>,
    pairs: Vec<(String, String)>,
}

/// Tells arguments from paths.
///
/// # Errors
/// If there are two JSON objects, or standard input cannot be read.
pub(super) fn read(words: Vec<OsString>) -> anyhow::Result<Typed> {
    let (mut arguments, mut paths) = (Arguments::default(), Vec::new());
    for word in words {
        match word.to_str() {
            Some(text) if text == "-" || text.trim_start().starts_with('{') => {
                if arguments.object.is_some() {
                    bail!("there are two sets of arguments; give one JSON object");
                }
                arguments.object = Some(match text {
                    "-" => std::io::read_to_string(std::io::stdin().take(MOST)).context("standard input")?,
                    text => text.to_owned(),
                });
            }
            Some(text) => match text.split_once('=').filter(|(name, _)| is_name(name) && !Path::new(text).exists()) {
                Some((name, value)) => arguments.pairs.push((name.to_owned(), value.to_owned())),
                None => paths.push(PathBuf::from(word)),
            },
            None => paths.push(PathBuf::from(word)),
        }
    }
    Ok(Typed { arguments, paths })
}

/// Whether it can be a parameter's name and is no path.
fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('.') && !text.contains(['/', '\\'])
}

impl Arguments {
    /// The text of a JSON object. What stands behind `=` is taken as it is for a parameter that is a text, and as JSON for
    /// any other.
    ///
    /// # Errors
    /// If pairs are to go into what is no JSON object.
    pub(super) fn into_json(self, schema: &str) -> anyhow::Result<String> {
        let text = self.object.unwrap_or_else(|| "{}".to_owned());
        if self.pairs.is_empty() {
            return Ok(text);
        }
        let mut object: Map<String, Value> =
            serde_json::from_str(&text).with_context(|| format!("the arguments {text} are no JSON object"))?;
        let schema: Value = serde_json::from_str(schema).unwrap_or_default();
        let properties = resolve(&schema, &schema).and_then(|root| root.get("properties"));
        for (name, value) in self.pairs {
            let property = properties.and_then(|all| all.get(&name)).and_then(|it| resolve(&schema, it));
            object.insert(name, typed(property, value));
        }
        Ok(Value::Object(object).to_string())
    }
}

fn typed(schema: Option<&Value>, text: String) -> Value {
    let may_be = |kind: &str| match schema.and_then(|schema| schema.get("type")) {
        Some(Value::String(name)) => name == kind,
        Some(Value::Array(names)) => names.iter().any(|name| name == kind),
        _ => false,
    };
    match serde_json::from_str(&text) {
        // A text that looks like a number stays a text where one is wanted.
        Ok(value) if !may_be("string") || (value == Value::Null && may_be("null")) => value,
        _ => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(words: &[&str], schema: &str) -> String {
        let typed = read(words.iter().map(OsString::from).collect()).unwrap();
        assert_eq!(typed.paths, Vec::<PathBuf>::new());
        typed.arguments.into_json(schema).unwrap()
    }

    #[test]
    fn pairs_become_what_the_schema_wants() {
        let schema = r##"{"properties": {"s": {"type": "string"}, "n": {"type": "integer"}, "r": {"$ref": "#/$defs/S"},
            "o": {"type": ["string", "null"]}}, "$defs": {"S": {"type": "string"}}}"##;
        for (words, expected) in [
            (vec!["s=5"], r#"{"s":"5"}"#),
            (vec!["r=5"], r#"{"r":"5"}"#),
            (vec!["n=5"], r#"{"n":5}"#),
            (vec!["n=five"], r#"{"n":"five"}"#),
            (vec!["o=null"], r#"{"o":null}"#),
            (vec!["x=[1,2]", "s=a=b"], r#"{"s":"a=b","x":[1,2]}"#),
            (vec![r#"{"n":1,"s":"a"}"#, "n=2"], r#"{"n":2,"s":"a"}"#),
            (vec![], "{}"),
        ] {
            let made: Value = serde_json::from_str(&json(&words, schema)).unwrap();
            assert_eq!(made, serde_json::from_str::<Value>(expected).unwrap(), "{words:?}");
        }
    }

    #[test]
    fn paths_are_no_arguments() {
        let words = ["./a=b/x.wasm", "echo.wasm", "message=hi", "dir/a=b"].map(OsString::from);
        let typed = read(words.to_vec()).unwrap();
        assert_eq!(typed.paths, ["./a=b/x.wasm", "echo.wasm", "dir/a=b"].map(PathBuf::from));
        assert_eq!(typed.arguments.pairs, [("message".to_owned(), "hi".to_owned())]);
        assert!(read(vec!["{}".into(), "{}".into()]).is_err());
    }
}
