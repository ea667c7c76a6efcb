//! Plugins that offer more than tools. A guest says in [`Offers`] only what it abuses; of the rest it offers nothing.

use crate::bindings::toolcell::plugin as host;
use crate::{Tool, ToolCall, ToolOutcome};

#[allow(missing_docs, unsafe_code, clippy::all, reason = "generated from wit/v0.1, where every item is documented")]
pub mod bindings {
    //! What the contract exports besides tools, generated from `wit/v0.1`.
    wit_bindgen::generate!({
        path: "../../wit/v0.1",
        inline: "
            package toolcell:guests;
            world offers {
                include toolcell:plugin/host@0.1.0;
                export toolcell:plugin/resources@0.1.0;
                export toolcell:plugin/prompts@0.1.0;
                export toolcell:plugin/completions@0.1.0;
            }
        ",
        world: "toolcell:guests/offers",
        pub_export_macro: true,
        default_bindings_module: "toolcell_guests::offers::bindings",
        with: {
            "toolcell:plugin/types@0.1.0": crate::bindings::toolcell::plugin::types,
            "toolcell:plugin/context@0.1.0": crate::bindings::toolcell::plugin::context,
            "toolcell:plugin/progress@0.1.0": crate::bindings::toolcell::plugin::progress,
            "toolcell:plugin/log@0.1.0": crate::bindings::toolcell::plugin::log,
            "toolcell:plugin/changes@0.1.0": crate::bindings::toolcell::plugin::changes,
            "toolcell:plugin/key-value@0.1.0": crate::bindings::toolcell::plugin::key_value,
            "toolcell:plugin/peers@0.1.0": crate::bindings::toolcell::plugin::peers,
        },
    });
}

use crate::bindings::exports::toolcell::plugin::tools;
use bindings::exports::toolcell::plugin::{completions, prompts, resources};
pub use completions::{Completion, CompletionRequest, CompletionTarget};
pub use host::types::{
    CallError, Content, FormRequest, Icon, InputKind, InputRequest, InputRequired, MediaContent, ResourceBody,
    ResourceContents, ResourceInfo, TextContent,
};
pub use prompts::{Prompt, PromptArgument, PromptGet, PromptMessage, PromptOutcome, PromptResult};
pub use resources::{ReadOutcome, ReadResult, ResourceRead, ResourceTemplate};

/// What a function of the contract answers.
pub type Answer<T> = Result<T, CallError>;

/// All a plugin can be asked for.
#[allow(missing_docs, reason = "each is the function of the contract that has its name")]
pub trait Offers {
    fn list_tools() -> Answer<Vec<Tool>> {
        Ok(Vec::new())
    }
    fn call_tool(call: &ToolCall) -> Answer<ToolOutcome> {
        Err(CallError::NotFound(call.name.clone()))
    }
    fn list_resources() -> Answer<Vec<ResourceInfo>> {
        Ok(Vec::new())
    }
    fn list_templates() -> Answer<Vec<ResourceTemplate>> {
        Ok(Vec::new())
    }
    fn read_resource(read: &ResourceRead) -> Answer<ReadOutcome> {
        Err(CallError::NotFound(read.uri.clone()))
    }
    fn list_prompts() -> Answer<Vec<Prompt>> {
        Ok(Vec::new())
    }
    fn get_prompt(get: &PromptGet) -> Answer<PromptOutcome> {
        Err(CallError::NotFound(get.name.clone()))
    }
    fn complete(_: &CompletionRequest) -> Answer<Completion> {
        Ok(Completion { values: Vec::new(), total: None, has_more: false })
    }
}

impl<T: Offers> tools::Guest for T {
    fn list_tools() -> Answer<tools::ToolList> {
        Ok(tools::ToolList { tools: T::list_tools()?, cache: None })
    }
    fn call_tool(call: ToolCall) -> Answer<ToolOutcome> {
        T::call_tool(&call)
    }
}

impl<T: Offers> resources::Guest for T {
    fn list_resources() -> Answer<resources::ResourceList> {
        Ok(resources::ResourceList { resources: T::list_resources()?, cache: None })
    }
    fn list_templates() -> Answer<resources::TemplateList> {
        Ok(resources::TemplateList { templates: T::list_templates()?, cache: None })
    }
    fn read_resource(read: ResourceRead) -> Answer<ReadOutcome> {
        T::read_resource(&read)
    }
}

impl<T: Offers> prompts::Guest for T {
    fn list_prompts() -> Answer<prompts::PromptList> {
        Ok(prompts::PromptList { prompts: T::list_prompts()?, cache: None })
    }
    fn get_prompt(get: PromptGet) -> Answer<PromptOutcome> {
        T::get_prompt(&get)
    }
}

impl<T: Offers> completions::Guest for T {
    fn complete(request: CompletionRequest) -> Answer<Completion> {
        T::complete(&request)
    }
}

/// A variable the operator granted, which is how a list is told what to do; empty where there is none.
#[must_use]
pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// A well-formed resource.
#[must_use]
pub fn resource(uri: impl Into<String>) -> ResourceInfo {
    ResourceInfo {
        uri: uri.into(),
        name: "r".to_owned(),
        title: None,
        description: None,
        mime_type: None,
        size: None,
        annotations: None,
        icons: Vec::new(),
        meta: None,
    }
}

/// A well-formed template.
#[must_use]
pub fn template(uri_template: impl Into<String>) -> ResourceTemplate {
    ResourceTemplate {
        uri_template: uri_template.into(),
        name: "t".to_owned(),
        title: None,
        description: None,
        mime_type: None,
        annotations: None,
        icons: Vec::new(),
        meta: None,
    }
}

/// A well-formed prompt whose arguments, all optional, have these names.
#[must_use]
pub fn prompt(name: impl Into<String>, arguments: &[&str]) -> Prompt {
    let argument =
        |name: &&str| PromptArgument { name: (*name).to_owned(), title: None, description: None, required: false };
    Prompt {
        name: name.into(),
        title: None,
        description: None,
        arguments: arguments.iter().map(argument).collect(),
        icons: Vec::new(),
        meta: None,
    }
}

/// The value of one argument of a prompt; empty where it is missing.
#[must_use]
pub fn argument<'a>(get: &'a PromptGet, name: &str) -> &'a str {
    get.arguments.iter().find(|(given, _)| given == name).map_or("", |(_, value)| value)
}

/// A block of text.
#[must_use]
pub fn block(text: impl Into<String>) -> Content {
    Content::Text(TextContent { text: text.into(), annotations: None, meta: None })
}

/// What was read, of that URI.
#[must_use]
pub fn contents(uri: &str, body: ResourceBody) -> ResourceContents {
    ResourceContents { uri: uri.to_owned(), mime_type: None, body, meta: None }
}

/// A complete read.
#[must_use]
pub fn read(contents: Vec<ResourceContents>) -> ReadOutcome {
    ReadOutcome::Complete(ReadResult { contents, cache: None, meta: None })
}

/// A filled-in prompt of these messages of the person's.
#[must_use]
pub fn filled(content: Vec<Content>) -> PromptOutcome {
    let message = |content| PromptMessage { role: host::types::Role::User, content };
    let messages = content.into_iter().map(message).collect();
    PromptOutcome::Complete(PromptResult { description: None, messages, meta: None })
}

/// Suggestions.
#[must_use]
pub fn suggested(values: Vec<String>) -> Completion {
    Completion { values, total: None, has_more: false }
}

/// A question for the client's roots, with some state.
#[must_use]
pub fn asks(key: &str) -> InputRequired {
    let request = InputRequest { key: key.to_owned(), kind: InputKind::Roots };
    InputRequired { requests: vec![request], state: Some(b"again".to_vec()) }
}

/// Exports a plugin that [`Offers`] something.
#[macro_export]
macro_rules! offering {
    ($plugin:ident) => {
        #[cfg(target_os = "wasi")]
        $crate::bindings::export!($plugin with_types_in $crate::bindings);
        #[cfg(target_os = "wasi")]
        $crate::offers::bindings::export!($plugin with_types_in $crate::offers::bindings);
    };
}
