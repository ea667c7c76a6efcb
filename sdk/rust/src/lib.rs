//! Write tools, resources and prompts for Model Context Protocol clients as WebAssembly components that run in Toolcell.
//!
//! A plugin is a type, a few methods and their doc comments:
//!
//! ```
//! use toolcell_sdk::prelude::*;
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct GreetArgs {
//!     /// Whom to greet.
//!     name: String,
//! }
//!
//! #[derive(Default)]
//! struct Hello;
//!
//! /// Greets people.
//! #[plugin]
//! impl Hello {
//!     /// Says hello to someone.
//!     #[tool(read_only)]
//!     fn greet(&self, args: GreetArgs) -> String {
//!         format!("Hello, {}!", args.name)
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! Modules in the order a call passes through them: [`bindings`] is the contract as `wit-bindgen` generates it,
//! [`Plugin`] what `#[plugin]` implements, [`Call`] and [`Completing`] what a method may ask about its call, [`schema`](Json) and
//! [`types`] the vocabulary, [`IntoOutcome`], [`IntoRead`], [`IntoPrompt`] and [`IntoCompletion`] what a method may return,
//! [`ToolError`] how it fails; [`progress`], [`log`], [`changes`] and [`context`] speak with the host while it runs,
//! [`key_value`] keeps what outlives a call, [`peers`] calls other tools, and [`testing`] does all of it in a unit test.
//!
//! Everything here also compiles for the machine itself, where there is no host: messages and progress go nowhere and
//! the context is empty, values are kept for the thread. So a plugin's tests are ordinary `cargo test`.
#![deny(missing_docs)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

// So that the attributes, which write `::toolcell_sdk::…`, work in this crate's own tests too.
#[cfg(test)]
extern crate self as toolcell_sdk;

pub mod bindings;
mod call;
pub mod changes;
mod complete;
mod content;
pub mod context;
mod describe;
mod error;
mod export;
#[cfg(feature = "http")]
pub mod http;
mod input;
pub mod key_value;
mod list;
pub mod log;
mod outcome;
pub mod peers;
mod plugin;
pub mod prelude;
pub mod progress;
mod prompt;
mod resource;
mod result;
mod schema;
pub mod testing;
mod text;
pub mod types;
mod uri;

pub use call::{Arguments, Call};
pub use complete::{Completing, IntoCompletion};
pub use describe::APP_MIME_TYPE;
pub use error::{Context, ToolError};
pub use list::IntoList;
pub use outcome::{IntoOutcome, Json};
pub use plugin::Plugin;
pub use prompt::IntoPrompt;
pub use resource::{About, IntoRead};
pub use toolcell_sdk_macros::{complete, list, plugin, prompt, resource, tool};
pub use types::{InputRequired, Outcome, ToolResult};

/// What the code written by `#[plugin]` needs. No part of the interface: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::bindings::completions::export as export_completions;
    pub use crate::bindings::prompts::export as export_prompts;
    pub use crate::bindings::resources::export as export_resources;
    pub use crate::bindings::tools::export as export_tools;
    pub use crate::complete::uncompleted;
    pub use crate::describe::{Hints, IconDefinition};
    pub use crate::plugin::{ToolDefinition, is_plugin, unknown_tool};
    pub use crate::prompt::{PromptArguments, PromptDefinition, arguments_of, unknown_prompt};
    pub use crate::resource::{ResourceDefinition, matching, unknown_resource};
    pub use crate::schema::{input_schema, no_input, output_schema};
    pub use crate::uri::{Operator, Part, UriTemplate};

    use crate::Call;
    use crate::types::CallError;
    use serde::de::DeserializeOwned;

    /// One argument of a prompt, or one variable of a URI.
    ///
    /// # Errors
    /// It is missing, or no `T`.
    pub fn text<T: DeserializeOwned>(call: &Call, name: &str) -> Result<T, CallError> {
        call.text(name)
    }
}
