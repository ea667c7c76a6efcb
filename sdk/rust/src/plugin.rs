//! What `#[plugin]` implements.

use crate::types::{CallError, Outcome, Tool, ToolAnnotations};
use crate::{Call, schema};

/// A plugin with tools. Implemented by `#[plugin]`, not by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a plugin",
    note = "put `#[plugin]` on its `impl` block, and `#[derive(Default)]` on the type: the host makes one for each call"
)]
pub trait Plugin: Default {
    /// Its tools, in the order shown to clients.
    fn tools() -> Vec<ToolDefinition>;

    /// Runs the tool that `call` names.
    ///
    /// # Errors
    /// There is no such tool, the arguments do not fit its struct, or its result cannot be written as JSON. A tool that ran
    /// and failed is an [`Outcome`] with `is_error`.
    fn call(&self, call: &Call) -> Result<Outcome, CallError>;
}

/// A tool as the attributes describe it.
#[doc(hidden)]
pub struct ToolDefinition {
    pub name: &'static str,
    pub title: Option<&'static str>,
    pub description: Option<&'static str>,
    pub read_only: Option<bool>,
    pub destructive: Option<bool>,
    pub idempotent: Option<bool>,
    pub open_world: Option<bool>,
    pub meta: Option<&'static str>,
    /// The schema of the arguments; a function, because only `list-tools` needs it.
    pub input: fn() -> schema::Schema,
    /// The schema of the structured result, if there is one.
    pub output: fn() -> Option<schema::Schema>,
}

impl ToolDefinition {
    /// The tool as the contract describes it.
    ///
    /// # Errors
    /// The arguments are not a JSON object.
    pub(crate) fn describe(&self) -> Result<Tool, CallError> {
        let Self { name, title, description, read_only, destructive, idempotent, open_world, meta, input, output } =
            *self;
        let annotations = ToolAnnotations { read_only, destructive, idempotent, open_world };
        let said = [read_only, destructive, idempotent, open_world].iter().any(Option::is_some);
        Ok(Tool {
            name: name.to_owned(),
            title: title.map(str::to_owned),
            description: description.map(str::to_owned),
            input_schema: schema::of_arguments(input()).map_err(|what| {
                CallError::Other(format!(
                    "the arguments of the tool `{name}` are {what}; make them a struct with named fields"
                ))
            })?,
            output_schema: output().map(schema::text),
            annotations: said.then_some(annotations),
            icons: Vec::new(),
            meta: meta.map(str::to_owned),
        })
    }
}

/// The answer to a name that is none of the plugin's tools.
#[doc(hidden)]
#[must_use]
pub fn unknown_tool(name: &str) -> CallError {
    CallError::NotFound(format!("this plugin has no tool `{name}`"))
}

/// Uses a plugin where there is no host to use it, so that the compiler checks it there too.
#[doc(hidden)]
pub fn is_plugin<P: Plugin>() {
    let _ = (P::default as fn() -> P, P::tools as fn() -> Vec<ToolDefinition>);
}
