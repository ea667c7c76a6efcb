//! Answers to what a tool asks for while it is called: those given with the command, and those of the person at the
//! terminal.

use super::lint::resolve;
use super::tell;
use crate::policy::Limits;
use crate::protocol::answer_from_json;
use crate::registry::Schema;
use crate::registry::types::{FormAnswer, FormRequest, InputAnswer, InputKind, InputRequest, InputResponse, Root};
use anyhow::bail;
use serde_json::{Map, Value, json};
use std::io::{self, BufRead, IsTerminal, Write};

/// What answers there are.
pub(super) struct Answers {
    given: Vec<(String, InputAnswer)>,
    /// Whether there is a person to ask.
    person: bool,
}

impl Answers {
    /// Reads `KEY=JSON` pairs.
    ///
    /// # Errors
    /// If one is no answer.
    pub(super) fn read(given: &[String]) -> anyhow::Result<Self> {
        let given = given.iter().map(|text| answer(text)).collect::<anyhow::Result<_>>()?;
        Ok(Self { given, person: io::stdin().is_terminal() && io::stderr().is_terminal() })
    }

    /// The answers to some questions.
    ///
    /// # Errors
    /// If one has no answer and nobody is there to ask.
    pub(super) fn to(&mut self, tool: &str, requests: &[InputRequest]) -> anyhow::Result<Vec<InputResponse>> {
        let mut responses = Vec::new();
        for request in requests {
            let given = self.given.iter().position(|(key, _)| *key == request.key);
            let answer = match given {
                Some(at) => self.given.remove(at).1,
                None if self.person => ask(&request.kind)?,
                None => bail!(
                    "{tool} asks {}; answer it: {}",
                    question(&request.kind),
                    how_to_answer(&request.key, &request.kind)
                ),
            };
            responses.push(InputResponse { key: request.key.clone(), answer });
        }
        Ok(responses)
    }
}

fn answer(text: &str) -> anyhow::Result<(String, InputAnswer)> {
    let Some((key, value)) = text.split_once('=') else {
        bail!("--answer {text}: write KEY=JSON, KEY=decline or KEY=cancel");
    };
    let answer = match value {
        "accept" => InputAnswer::Form(FormAnswer::Accept(None)),
        "decline" => InputAnswer::Form(FormAnswer::Decline),
        "cancel" => InputAnswer::Form(FormAnswer::Cancel),
        json => match (answer_from_json(json), serde_json::from_str::<Map<String, Value>>(json)) {
            (Some(answer), _) => answer,
            // The values alone: that the form is accepted goes without saying.
            (None, Ok(values)) => InputAnswer::Form(FormAnswer::Accept(Some(Value::Object(values).to_string()))),
            (None, Err(error)) => bail!("--answer {text}: what stands behind = is no JSON object: {error}"),
        },
    };
    Ok((key.to_owned(), answer))
}

fn question(kind: &InputKind) -> String {
    match kind {
        InputKind::Form(form) => format!("“{}”", form.message),
        InputKind::Url(page) => format!("to visit {}: “{}”", page.url, page.message),
        InputKind::Sample(_) => "the client's model".to_owned(),
        InputKind::Roots => "for the client's roots".to_owned(),
    }
}

fn how_to_answer(key: &str, kind: &InputKind) -> String {
    match kind {
        InputKind::Form(form) => {
            let schema: Value = serde_json::from_str(&form.schema).unwrap_or_default();
            let values = super::test::example(&schema).unwrap_or_else(|| json!({}));
            format!("--answer {key}='{values}', --answer {key}=decline, or run it on a terminal")
        }
        InputKind::Url(_) => format!("--answer {key}=accept or --answer {key}=decline"),
        InputKind::Sample(_) => format!(
            "--answer {key}='{}'",
            json!({"role": "assistant", "content": {"type": "text", "text": "…"}, "model": "none"})
        ),
        InputKind::Roots => format!("--answer {key}='{}'", json!({"roots": [{"uri": "file:///path"}]})),
    }
}

/// Asks the person at the terminal.
fn ask(kind: &InputKind) -> anyhow::Result<InputAnswer> {
    tell(&format!("the tool asks {}", question(kind)));
    Ok(match kind {
        InputKind::Form(form) => InputAnswer::Form(fill_in(form)?),
        InputKind::Url(_) => InputAnswer::Form(match line("done? [Y/n] ")?.as_deref() {
            None => FormAnswer::Cancel,
            Some(text) if no(text) => FormAnswer::Decline,
            Some(_) => FormAnswer::Accept(None),
        }),
        InputKind::Sample(params) => {
            tell(params);
            match line("answer as the model: ")? {
                Some(text) => InputAnswer::Sample(
                    json!({"role": "assistant", "content": {"type": "text", "text": text}, "model": "person"})
                        .to_string(),
                ),
                None => InputAnswer::Failed("the person gave no answer".to_owned()),
            }
        }
        InputKind::Roots => {
            let mut roots = Vec::new();
            while let Some(uri) =
                line("a root, as file:///path (nothing for no more): ")?.filter(|text| !text.is_empty())
            {
                roots.push(Root { uri, name: None });
            }
            InputAnswer::Roots(roots)
        }
    })
}

/// Asks for each value of a form, until they fit its schema.
fn fill_in(form: &FormRequest) -> anyhow::Result<FormAnswer> {
    let schema: Value = serde_json::from_str(&form.schema).unwrap_or_default();
    let judge = Schema::new(&form.schema, &Limits::default()).map_err(anyhow::Error::msg)?;
    let empty = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let required = |name: &str| {
        let names = schema.get("required").and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|it| it == name))
    };
    loop {
        let mut values = Map::new();
        for (name, property) in properties {
            let property = resolve(&schema, property).unwrap_or(property);
            let Some(text) = line(&prompt(name, property, required(name)))? else { return Ok(FormAnswer::Cancel) };
            let default = property.get("default").filter(|_| text.is_empty());
            match default {
                Some(value) => drop(values.insert(name.clone(), value.clone())),
                None if text.is_empty() && !required(name) => {}
                None => drop(values.insert(name.clone(), value_of(property, &text))),
            }
        }
        match judge.check(&Value::Object(values.clone())) {
            Err(error) => tell(&format!("that does not fit: {error}")),
            Ok(()) => match line("send it? [Y/n] ")? {
                None => return Ok(FormAnswer::Cancel),
                Some(text) if no(&text) => return Ok(FormAnswer::Decline),
                Some(_) => return Ok(FormAnswer::Accept(Some(Value::Object(values).to_string()))),
            },
        }
    }
}

fn prompt(name: &str, property: &Value, required: bool) -> String {
    let text = |key: &str| property.get(key).and_then(Value::as_str);
    let title = text("title").unwrap_or(name);
    let choices = property.get("enum").and_then(Value::as_array).map(|choices| {
        choices
            .iter()
            .map(|choice| choice.as_str().map_or_else(|| choice.to_string(), str::to_owned))
            .collect::<Vec<_>>()
    });
    let kind = match (choices, text("type")) {
        (Some(choices), _) => choices.join("|"),
        (None, Some("boolean")) => "y|n".to_owned(),
        (None, kind) => kind.unwrap_or("any").to_owned(),
    };
    let rest = match property.get("default") {
        Some(default) => format!(", default {default}"),
        None if !required => ", may be empty".to_owned(),
        None => String::new(),
    };
    let description = text("description").map_or_else(String::new, |text| format!("  {text}\n"));
    format!("{description}  {title} ({kind}{rest}): ")
}

fn value_of(property: &Value, text: &str) -> Value {
    match property.get("type").and_then(Value::as_str) {
        Some("string") => json!(text),
        Some("boolean") => match text.to_lowercase().as_str() {
            "y" | "yes" | "true" => json!(true),
            "n" | "no" | "false" => json!(false),
            _ => json!(text),
        },
        _ => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
    }
}

fn no(text: &str) -> bool {
    matches!(text.to_lowercase().as_str(), "n" | "no")
}

/// One line from the terminal; none at its end (Ctrl-D).
fn line(prompt: &str) -> anyhow::Result<Option<String>> {
    write!(io::stderr().lock(), "{prompt}")?;
    let mut text = String::new();
    let length = io::stdin().lock().read_line(&mut text)?;
    Ok((length > 0).then(|| text.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_values_or_whole_results_or_words() {
        let accepted = |json: &str| InputAnswer::Form(FormAnswer::Accept(Some(json.to_owned())));
        for (text, expected) in [
            (r#"k={"remove":true}"#, accepted(r#"{"remove":true}"#)),
            (r#"k={"action":"accept","content":{"a":1}}"#, accepted(r#"{"a":1}"#)),
            (r#"k={"action":"decline"}"#, InputAnswer::Form(FormAnswer::Decline)),
            ("k=decline", InputAnswer::Form(FormAnswer::Decline)),
            ("k=cancel", InputAnswer::Form(FormAnswer::Cancel)),
            (
                r#"k={"roots":[{"uri":"file:///a"}]}"#,
                InputAnswer::Roots(vec![Root { uri: "file:///a".to_owned(), name: None }]),
            ),
        ] {
            let (key, answer) = answer(text).unwrap();
            assert_eq!((key.as_str(), &answer), ("k", &expected), "{text}");
        }
        for wrong in ["k", "k=5", "k={"] {
            assert!(answer(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_typed_becomes_what_the_form_wants() {
        for (kind, text, expected) in [
            ("string", "5", json!("5")),
            ("integer", "5", json!(5)),
            ("boolean", "Yes", json!(true)),
            ("boolean", "n", json!(false)),
            ("number", "x", json!("x")),
        ] {
            assert_eq!(value_of(&json!({"type": kind}), text), expected, "{kind} {text}");
        }
        let prompt = prompt("remove", &json!({"type": "boolean", "title": "Remove them"}), true);
        assert_eq!(prompt, "  Remove them (y|n): ");
    }
}
