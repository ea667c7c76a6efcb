//! A plugin in a unit test, called as the host calls it: schema, arguments, result and error are those of the component.
//!
//! ```
//! # use toolcell_sdk::prelude::*;
//! # #[derive(Default)] struct Hello;
//! # #[derive(Deserialize, JsonSchema)] struct GreetArgs { name: String }
//! # #[plugin]
//! # impl Hello { #[tool] fn greet(&self, args: GreetArgs) -> String { format!("Hello, {}!", args.name) } }
//! # fn main() {
//! use toolcell_sdk::testing;
//!
//! let result = testing::call::<Hello>("greet", serde_json::json!({ "name": "Ada" })).unwrap();
//! assert_eq!(testing::text(&result), "Hello, Ada!");
//! # }
//! ```

use crate::changes::Change;
use crate::key_value::StoreError;
use crate::peers::PeerError;
use crate::types::{
    CallError, Completion, CompletionRequest, CompletionTarget, Content, Outcome, Prompt, PromptOutcome, ReadOutcome,
    ResourceBody, ResourceInfo, ResourceTemplate, Tool, ToolResult,
};
use crate::{Call, Completing, Plugin};
use serde::Serialize;

/// The tools, as the host lists them.
///
/// # Errors
/// Those of [`Plugin::tools`].
pub fn tools<P: Plugin>() -> Result<Vec<Tool>, CallError> {
    Ok(P::default().tools()?.tools)
}

/// The resources, as the host lists them.
///
/// # Errors
/// Those of [`Plugin::resources`].
pub fn resources<P: Plugin>() -> Result<Vec<ResourceInfo>, CallError> {
    Ok(P::default().resources()?.resources)
}

/// The URI templates, as the host lists them.
///
/// # Errors
/// Those of [`Plugin::templates`].
pub fn templates<P: Plugin>() -> Result<Vec<ResourceTemplate>, CallError> {
    Ok(P::default().templates()?.templates)
}

/// The prompts, as the host lists them.
///
/// # Errors
/// Those of [`Plugin::prompts`].
pub fn prompts<P: Plugin>() -> Result<Vec<Prompt>, CallError> {
    Ok(P::default().prompts()?.prompts)
}

/// Calls a tool with anything that becomes a JSON object, on a new plugin value.
///
/// # Errors
/// Those of [`Plugin::call`], and arguments that cannot be written as JSON.
pub fn call<P: Plugin>(name: &str, arguments: impl Serialize) -> Result<Outcome, CallError> {
    let arguments =
        serde_json::to_string(&arguments).map_err(|error| CallError::InvalidArguments(error.to_string()))?;
    P::default().call(&Call::new(name, arguments))
}

/// Reads a resource, on a new plugin value.
///
/// # Errors
/// Those of [`Plugin::read`].
pub fn read<P: Plugin>(uri: &str) -> Result<ReadOutcome, CallError> {
    P::default().read(&Call::read(uri))
}

/// Fills in a prompt, on a new plugin value.
///
/// # Errors
/// Those of [`Plugin::prompt`].
pub fn prompt<P: Plugin>(name: &str, arguments: &[(&str, &str)]) -> Result<PromptOutcome, CallError> {
    P::default().prompt(&Call::prompt(name, owned(arguments)))
}

/// Completes what was typed of an argument of a prompt; `settled` are the values of other arguments.
///
/// # Errors
/// Those of [`Plugin::complete`].
pub fn complete_prompt<P: Plugin>(
    prompt: &str,
    argument: &str,
    typed: &str,
    settled: &[(&str, &str)],
) -> Result<Completion, CallError> {
    complete::<P>(CompletionTarget::Prompt(prompt.to_owned()), argument, typed, settled)
}

/// Completes what was typed of a variable of a URI template; `settled` are the values of other variables.
///
/// # Errors
/// Those of [`Plugin::complete`].
pub fn complete_template<P: Plugin>(
    template: &str,
    variable: &str,
    typed: &str,
    settled: &[(&str, &str)],
) -> Result<Completion, CallError> {
    complete::<P>(CompletionTarget::ResourceTemplate(template.to_owned()), variable, typed, settled)
}

fn complete<P: Plugin>(
    target: CompletionTarget,
    argument: &str,
    typed: &str,
    settled: &[(&str, &str)],
) -> Result<Completion, CallError> {
    let request = CompletionRequest {
        target,
        argument: argument.to_owned(),
        value: typed.to_owned(),
        context: owned(settled).collect(),
    };
    P::default().complete(&Completing::new(request))
}

fn owned(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
}

/// What was said with [`changes`](crate::changes) on this thread since this was asked last. In a component nothing: there the
/// host is told.
#[must_use]
pub fn changes() -> Vec<Change> {
    #[cfg(target_family = "wasm")]
    return Vec::new();
    #[cfg(not(target_family = "wasm"))]
    crate::changes::kept::take()
}

/// Lets every use of [`key_value`](crate::key_value) on this thread fail with this error, as where the operator grants no
/// store; with `None` it works again. In a component nothing: there the host decides.
pub fn store_fails(failure: Option<StoreError>) {
    #[cfg(target_family = "wasm")]
    let _ = failure;
    #[cfg(not(target_family = "wasm"))]
    crate::key_value::fake::fail_with(failure);
}

/// Puts a tool there for [`peers`](crate::peers) on this thread: `tool` gets the arguments, a JSON object. In a component
/// nothing: there the host has tools.
pub fn peer(name: &str, tool: impl Fn(serde_json::Value) -> Result<ToolResult, PeerError> + 'static) {
    #[cfg(target_family = "wasm")]
    let _ = (name, tool);
    #[cfg(not(target_family = "wasm"))]
    crate::peers::fake::put(name, std::rc::Rc::new(tool));
}

/// The text of a result: its text blocks, with an empty line between them. Empty if the tool asks for input.
#[must_use]
pub fn text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Complete(result) => joined(result.content.iter().filter_map(said)),
        Outcome::InputRequired(_) => String::new(),
    }
}

/// The text of a resource: its text contents, with an empty line between them. Empty if the read asks for input.
#[must_use]
pub fn read_text(outcome: &ReadOutcome) -> String {
    let ReadOutcome::Complete(result) = outcome else {
        return String::new();
    };
    joined(result.contents.iter().filter_map(|contents| match &contents.body {
        ResourceBody::Text(text) => Some(&**text),
        ResourceBody::Blob(_) => None,
    }))
}

/// The text of a filled-in prompt: its messages that are text, with an empty line between them. Empty if it asks for input.
#[must_use]
pub fn prompt_text(outcome: &PromptOutcome) -> String {
    match outcome {
        PromptOutcome::Complete(result) => joined(result.messages.iter().filter_map(|message| said(&message.content))),
        PromptOutcome::InputRequired(_) => String::new(),
    }
}

fn said(content: &Content) -> Option<&str> {
    match content {
        Content::Text(text) => Some(&text.text),
        _ => None,
    }
}

fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.collect::<Vec<_>>().join("\n\n")
}
