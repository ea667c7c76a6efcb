//! Takes out of inputs and outputs what the operator does not want recorded.
//!
//! A rule is a path of field names, or a regular expression over strings. What cannot be judged is not recorded: text that
//! is too long or is no JSON becomes a note of its size.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

/// The most rules of each kind.
pub const MAX_RULES: usize = 64;
/// The longest text that is looked at, in bytes.
pub const MAX_INPUT: usize = 256 * 1024;
/// How large a compiled expression may be, in bytes.
const MAX_REGEX: usize = 256 * 1024;
/// The longest text that is given back, in bytes.
pub const MAX_OUTPUT: usize = 8 * 1024;
/// The most steps of a path.
const MAX_STEPS: usize = 32;
/// How often JSON inside a string of JSON is looked into.
const MAX_NESTED: u8 = 2;
const GONE: &str = "[redacted]";

/// Why a rule cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedactError {
    /// More than [`MAX_RULES`].
    #[error("{0} redaction rules are too many; use at most {MAX_RULES} of a kind")]
    TooMany(usize),
    /// A path that is none.
    #[error(
        "redaction path {0:?} is none; write steps after slashes, such as `/arguments/password`, `/*/token` or `/**/secret`"
    )]
    Path(String),
    /// An expression that is none, or is too large.
    #[error("redaction pattern {pattern:?}: {source}; write a smaller or a right one")]
    Pattern {
        /// As written.
        pattern: String,
        /// What is wrong.
        source: Box<regex::Error>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// A field of this name, in any case, or an element of this index.
    Name(String),
    /// `*`: any one field or element.
    Any,
    /// `**`: any number of them.
    Deep,
}

/// The operator's rules, ready.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    paths: Vec<Vec<Step>>,
    patterns: Vec<Regex>,
}

impl Redactor {
    /// Reads the rules. A path is `/step/step`: a name (ASCII case does not matter), an index, `*` for any one, `**` for
    /// any number. A pattern is a regular expression; what it matches in any string is replaced.
    ///
    /// # Errors
    ///
    /// If there are too many, or one is not what it must be.
    pub fn new<P: AsRef<str>, R: AsRef<str>>(paths: &[P], patterns: &[R]) -> Result<Self, RedactError> {
        let most = paths.len().max(patterns.len());
        if most > MAX_RULES {
            return Err(RedactError::TooMany(most));
        }
        let paths = paths.iter().map(|path| steps(path.as_ref())).collect::<Result<_, _>>()?;
        let patterns =
            patterns
                .iter()
                .map(|pattern| {
                    let pattern = pattern.as_ref();
                    RegexBuilder::new(pattern).size_limit(MAX_REGEX).dfa_size_limit(MAX_REGEX).build().map_err(
                        |source| RedactError::Pattern { pattern: pattern.to_owned(), source: Box::new(source) },
                    )
                })
                .collect::<Result<_, _>>()?;
        Ok(Self { paths, patterns })
    }

    /// The JSON text without what the rules take out, at most [`MAX_OUTPUT`] bytes of it.
    pub fn apply(&self, json: &str) -> String {
        if json.len() > MAX_INPUT {
            return format!("[omitted: {} bytes]", json.len());
        }
        let Ok(mut value) = serde_json::from_str::<Value>(json) else {
            return format!("[omitted: {} bytes that are no JSON]", json.len());
        };
        let active: Vec<&[Step]> = self.paths.iter().map(Vec::as_slice).collect();
        self.walk(&mut value, &active, MAX_NESTED);
        let text = serde_json::to_string(&value).unwrap_or_default();
        crate::text::clip(text, MAX_OUTPUT)
    }

    fn walk(&self, value: &mut Value, active: &[&[Step]], nested: u8) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.enter(name, value, active, nested);
                }
            }
            Value::Array(elements) => {
                for (index, value) in elements.iter_mut().enumerate() {
                    self.enter(&index.to_string(), value, active, nested);
                }
            }
            Value::String(text) => self.string(text, nested),
            _ => {}
        }
    }

    fn enter(&self, name: &str, value: &mut Value, active: &[&[Step]], nested: u8) {
        let mut inside = Vec::with_capacity(active.len());
        for path in active {
            if advance(path, name, &mut inside) {
                *value = Value::String(GONE.to_owned());
                return;
            }
        }
        self.walk(value, &inside, nested);
    }

    /// Tools return JSON as text, so what is JSON in a string is held against the same rules.
    fn string(&self, text: &mut String, nested: u8) {
        let json = text.trim_start().starts_with(['{', '[']);
        if let Some(deeper) = nested.checked_sub(1).filter(|_| json)
            && let Ok(mut value) = serde_json::from_str::<Value>(text)
        {
            let active: Vec<&[Step]> = self.paths.iter().map(Vec::as_slice).collect();
            self.walk(&mut value, &active, deeper);
            *text = serde_json::to_string(&value).unwrap_or_default();
        }
        for pattern in &self.patterns {
            if pattern.is_match(text) {
                *text = pattern.replace_all(text, regex::NoExpand(GONE)).into_owned();
            }
        }
    }
}

/// What is left of a path behind a field; `true` if the path ends there.
fn advance<'a>(path: &'a [Step], name: &str, inside: &mut Vec<&'a [Step]>) -> bool {
    match path {
        [] => false,
        [Step::Deep, rest @ ..] => {
            push(inside, path);
            advance(rest, name, inside)
        }
        [step, rest @ ..] => {
            let matches = match step {
                Step::Name(wanted) => wanted.eq_ignore_ascii_case(name),
                Step::Any | Step::Deep => true,
            };
            if matches && rest.is_empty() {
                return true;
            }
            if matches {
                push(inside, rest);
            }
            false
        }
    }
}

/// Two ways to the same rest are one.
fn push<'a>(inside: &mut Vec<&'a [Step]>, path: &'a [Step]) {
    if !inside.iter().any(|known| std::ptr::eq(*known, path)) {
        inside.push(path);
    }
}

fn steps(path: &str) -> Result<Vec<Step>, RedactError> {
    let bad = || RedactError::Path(path.to_owned());
    let steps: Vec<Step> = path
        .strip_prefix('/')
        .ok_or_else(bad)?
        .split('/')
        .map(|step| match step {
            "*" => Step::Any,
            "**" => Step::Deep,
            name => Step::Name(name.replace("~1", "/").replace("~0", "~")),
        })
        .collect();
    let empty = steps.iter().any(|step| matches!(step, Step::Name(name) if name.is_empty()));
    if empty || steps.len() > MAX_STEPS || steps.last() == Some(&Step::Deep) {
        return Err(bad());
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        let none: [&str; 0] = [];
        for (paths, patterns, json, expected) in [
            (vec!["/password"], vec![], r#"{"a":1,"password":"x"}"#, r#"{"a":1,"password":"[redacted]"}"#),
            (vec!["/password"], vec![], r#"{"Password":{"deep":1}}"#, r#"{"Password":"[redacted]"}"#),
            (vec!["/password"], vec![], r#"{"a":{"password":1}}"#, r#"{"a":{"password":1}}"#),
            (
                vec!["/*/token"],
                vec![],
                r#"{"a":{"token":1},"b":[{"token":2}]}"#,
                r#"{"a":{"token":"[redacted]"},"b":[{"token":2}]}"#,
            ),
            (
                vec!["/**/token"],
                vec![],
                r#"{"token":0,"b":[{"token":2}]}"#,
                r#"{"b":[{"token":"[redacted]"}],"token":"[redacted]"}"#,
            ),
            (vec!["/**/a/**/b"], vec![], r#"{"b":1,"a":{"c":[{"b":2}]}}"#, r#"{"a":{"c":[{"b":"[redacted]"}]},"b":1}"#),
            (vec!["/list/1"], vec![], r#"{"list":[1,2,3]}"#, r#"{"list":[1,"[redacted]",3]}"#),
            (vec!["/a~1b"], vec![], r#"{"a/b":1}"#, r#"{"a/b":"[redacted]"}"#),
            (vec![], vec![r"\b\d{16}\b"], r#"{"card":"no 1234567812345678!"}"#, r#"{"card":"no [redacted]!"}"#),
            (vec!["/**/token"], vec![], r#"{"text":"{\"token\":\"x\"}"}"#, r#"{"text":"{\"token\":\"[redacted]\"}"}"#),
            (vec!["/x"], vec![], "not json", "[omitted: 8 bytes that are no JSON]"),
        ] {
            let redactor = Redactor::new(&paths, if patterns.is_empty() { &none } else { &patterns[..] }).unwrap();
            // The order of members is the parser's affair.
            let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
            assert_eq!(read(&redactor.apply(json)), read(expected), "{paths:?} {patterns:?} {json}");
        }
    }

    #[test]
    fn what_is_too_much_is_left_out() {
        let redactor = Redactor::new(&["/a"], &[] as &[&str]).unwrap();
        let long = format!("{{\"b\":\"{}\"}}", "x".repeat(MAX_INPUT));
        assert_eq!(redactor.apply(&long), format!("[omitted: {} bytes]", long.len()));
        let long = format!("{{\"b\":\"{}\"}}", "x".repeat(MAX_OUTPUT * 2));
        assert!(redactor.apply(&long).len() <= MAX_OUTPUT);
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        assert!(redactor.apply(&deep).starts_with("[omitted"), "deeper than the parser goes");
    }

    #[test]
    fn rules_that_are_none_are_refused() {
        for bad in ["", "a", "/", "/a//b", "/a/**"] {
            assert!(matches!(Redactor::new(&[bad], &[] as &[&str]), Err(RedactError::Path(_))), "{bad}");
        }
        for bad in ["(", r"\w{1000}{1000}"] {
            assert!(matches!(Redactor::new(&[] as &[&str], &[bad]), Err(RedactError::Pattern { .. })), "{bad}");
        }
        assert!(matches!(Redactor::new(&["/a"; 65], &[] as &[&str]), Err(RedactError::TooMany(65))));
    }

    /// Paths with many `**` over deep text would grow without bound if two ways to the same rest were two.
    #[test]
    fn many_stars_are_not_many_ways() {
        let path = "/**/a".repeat(15);
        let redactor = Redactor::new(&vec![path; 64], &[] as &[&str]).unwrap();
        let json = format!("{}1{}", r#"{"a":"#.repeat(100), "}".repeat(100));
        assert!(redactor.apply(&json).contains(GONE));
    }
}
