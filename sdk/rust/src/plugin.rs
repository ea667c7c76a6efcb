//! What `#[plugin]` implements.

use crate::describe::{self, IconDefinition};
use crate::types::{
    CallError, Completion, Outcome, PromptList, PromptOutcome, ReadOutcome, ResourceList, TemplateList, Tool,
    ToolAnnotations, ToolList,
};
use crate::{Call, Completing, complete, prompt, resource, schema};

/// A plugin with tools, resources, prompts or completions. Implemented by `#[plugin]`, not by hand; what a plugin does not
/// offer is empty here, and not exported by its component.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a plugin",
    note = "put `#[plugin]` on its `impl` block, and `#[derive(Default)]` on the type: the host makes one for each call"
)]
pub trait Plugin: Default {
    /// Its tools, in the order shown to clients.
    ///
    /// # Errors
    /// The arguments of a tool are not a JSON object, or a list cannot be made.
    fn tools(&self) -> Result<ToolList, CallError> {
        Ok(ToolList { tools: Vec::new(), cache: None })
    }

    /// Runs the tool that `call` names.
    ///
    /// # Errors
    /// There is no such tool, the arguments do not fit its struct, or its result cannot be written as JSON. A tool that ran
    /// and failed is an [`Outcome`] with `is_error`.
    fn call(&self, call: &Call) -> Result<Outcome, CallError> {
        Err(unknown_tool(call.name()))
    }

    /// Its resources that can be listed, in the order shown to clients.
    ///
    /// # Errors
    /// The list cannot be made.
    fn resources(&self) -> Result<ResourceList, CallError> {
        Ok(ResourceList { resources: Vec::new(), cache: None })
    }

    /// Its URI templates, in the order shown to clients.
    ///
    /// # Errors
    /// The list cannot be made.
    fn templates(&self) -> Result<TemplateList, CallError> {
        Ok(TemplateList { templates: Vec::new(), cache: None })
    }

    /// Reads the resource whose URI is in `call`.
    ///
    /// # Errors
    /// There is no such resource, or it cannot be read.
    fn read(&self, call: &Call) -> Result<ReadOutcome, CallError> {
        Err(resource::unknown_resource(call.uri()))
    }

    /// Its prompts, in the order shown to clients.
    ///
    /// # Errors
    /// The arguments of a prompt have no names, or the list cannot be made.
    fn prompts(&self) -> Result<PromptList, CallError> {
        Ok(PromptList { prompts: Vec::new(), cache: None })
    }

    /// Fills in the prompt that `call` names.
    ///
    /// # Errors
    /// There is no such prompt, an argument is missing or wrong, or the prompt cannot be filled in.
    fn prompt(&self, call: &Call) -> Result<PromptOutcome, CallError> {
        Err(prompt::unknown_prompt(call.name()))
    }

    /// Suggests values for one argument.
    ///
    /// # Errors
    /// There is no such prompt or argument, or the values cannot be found.
    fn complete(&self, typed: &Completing) -> Result<Completion, CallError> {
        complete::uncompleted(self, typed)
    }
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
    pub icons: &'static [IconDefinition],
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
    pub fn describe(&self) -> Result<Tool, CallError> {
        let Self {
            name,
            title,
            description,
            read_only,
            destructive,
            idempotent,
            open_world,
            icons,
            meta,
            input,
            output,
        } = *self;
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
            icons: describe::icons(icons),
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
    let _ = (P::default as fn() -> P, P::tools as fn(&P) -> Result<ToolList, CallError>);
}
