//! What the input-required tools ask, and how they read the answers. Every question is asked again until its answer is
//! there and fits: an answer that is missing or makes no sense is no error of the call (SEP-2322).

use serde_json::{Value, json};
use toolcell_sdk::prelude::*;
use toolcell_sdk::types::{FormAnswer, FormRequest, InputAnswer, InputKind, Root};

/// Adds a form to what is asked.
pub fn form(asked: InputRequired, key: &str, message: &str, schema: &Value) -> InputRequired {
    asked.ask(key, InputKind::Form(FormRequest { message: message.to_owned(), schema: schema.to_string(), meta: None }))
}

/// The schema of a form with one required field.
pub fn one_field(name: &str, kind: &str) -> Value {
    json!({ "type": "object", "properties": { name: { "type": kind } }, "required": [name] })
}

/// The parameters of `sampling/createMessage` with one message of the person's.
pub fn prompt(text: &str, max_tokens: u32) -> String {
    json!({
        "messages": [{ "role": "user", "content": { "type": "text", "text": text } }],
        "maxTokens": max_tokens
    })
    .to_string()
}

/// The values of the form under `key`, if the person filled it in.
pub fn filled_in(call: &Call, key: &str) -> Option<Value> {
    match call.answer(key)? {
        InputAnswer::Form(FormAnswer::Accept(Some(values))) => serde_json::from_str(values).ok(),
        _ => None,
    }
}

/// A text field of the form under `key`.
pub fn field(call: &Call, key: &str, name: &str) -> Option<String> {
    Some(filled_in(call, key)?.get(name)?.as_str()?.to_owned())
}

/// What the person did with the form under `key`, in the words the suite expects; none if there is no answer that makes
/// sense.
pub fn action(call: &Call, key: &str) -> Option<String> {
    let InputAnswer::Form(answer) = call.answer(key)? else {
        return None;
    };
    let (action, values) = match answer {
        FormAnswer::Accept(values) => ("accept", values.as_deref().unwrap_or("{}")),
        FormAnswer::Decline => ("decline", "{}"),
        FormAnswer::Cancel => ("cancel", "{}"),
    };
    Some(format!("action={action}, content={values}"))
}

/// Whether there will be no answer under `key`: the person said no, or the client cannot ask.
pub fn is_refused(call: &Call, key: &str) -> bool {
    matches!(
        call.answer(key),
        Some(InputAnswer::Form(FormAnswer::Decline | FormAnswer::Cancel) | InputAnswer::Failed(_))
    )
}

/// The text the client's model answered with under `key`.
pub fn said(call: &Call, key: &str) -> Option<String> {
    let InputAnswer::Sample(message) = call.answer(key)? else {
        return None;
    };
    let message: Value = serde_json::from_str(message).ok()?;
    let content = message.get("content")?;
    // Since 2025-11-25 the content may be a list.
    let block = content.get(0).unwrap_or(content);
    Some(block.get("text")?.as_str()?.to_owned())
}

/// The client's roots under `key`.
pub fn roots<'a>(call: &'a Call, key: &str) -> Option<&'a [Root]> {
    match call.answer(key)? {
        InputAnswer::Roots(roots) => Some(roots),
        _ => None,
    }
}

/// A form whose fields have defaults of every primitive type (SEP-1034).
pub fn defaults() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "description": "User name", "default": "John Doe" },
            "age": { "type": "integer", "description": "User age", "default": 30 },
            "score": { "type": "number", "description": "User score", "default": 95.5 },
            "status": {
                "type": "string",
                "description": "User status",
                "enum": ["active", "inactive", "pending"],
                "default": "active"
            },
            "verified": { "type": "boolean", "description": "Verification status", "default": true }
        },
        "required": []
    })
}

/// A form with all five kinds of choice (SEP-1330).
pub fn choices() -> Value {
    let titled = |ordinals: [&str; 3], noun: &str| -> Value {
        let choices = ["value1", "value2", "value3"];
        let pairs = choices.iter().zip(ordinals);
        pairs.map(|(value, ordinal)| json!({ "const": value, "title": format!("{ordinal} {noun}") })).collect()
    };
    let options = json!(["option1", "option2", "option3"]);
    json!({
        "type": "object",
        "properties": {
            "untitledSingle": { "type": "string", "description": "Choose one", "enum": options },
            "titledSingle": {
                "type": "string",
                "description": "Choose one by its title",
                "oneOf": titled(["First", "Second", "Third"], "Option")
            },
            "legacyEnum": {
                "type": "string",
                "description": "Choose one, the old way",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"]
            },
            "untitledMulti": {
                "type": "array",
                "description": "Choose some",
                "minItems": 1,
                "maxItems": 3,
                "items": { "type": "string", "enum": options }
            },
            "titledMulti": {
                "type": "array",
                "description": "Choose some by their titles",
                "minItems": 1,
                "maxItems": 3,
                "items": { "anyOf": titled(["First", "Second", "Third"], "Choice") }
            }
        },
        "required": []
    })
}
