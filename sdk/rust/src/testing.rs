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

use crate::bindings::tools::exports::toolcell::plugin::tools::Guest;
use crate::types::{CallError, Content, Outcome, Tool};
use crate::{Call, Plugin};
use serde::Serialize;

/// The tools, as the host lists them.
///
/// # Errors
/// A tool's arguments are not a JSON object.
pub fn tools<P: Plugin>() -> Result<Vec<Tool>, CallError> {
    Ok(P::list_tools()?.tools)
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

/// The text of a result: its text blocks, with an empty line between them. Empty if the tool asks for input.
#[must_use]
pub fn text(outcome: &Outcome) -> String {
    let Outcome::Complete(result) = outcome else {
        return String::new();
    };
    let texts = result.content.iter().filter_map(|content| match content {
        Content::Text(text) => Some(&*text.text),
        _ => None,
    });
    texts.collect::<Vec<_>>().join("\n\n")
}
