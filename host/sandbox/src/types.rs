//! The domain types every layer above speaks: the records of the newest contract (`wit/v0.1`), under short names.
//!
//! An older contract, once there is one, is translated to these; nothing above the sandbox knows that it exists.

pub use super::bindings::v0_1::exports::toolcell::plugin::completions::{
    Completion, CompletionRequest, CompletionTarget,
};
pub use super::bindings::v0_1::exports::toolcell::plugin::prompts::{
    Prompt, PromptArgument, PromptGet, PromptList, PromptMessage, PromptOutcome, PromptResult,
};
pub use super::bindings::v0_1::exports::toolcell::plugin::resources::{
    ReadOutcome, ReadResult, ResourceList, ResourceRead, ResourceTemplate, TemplateList,
};
pub use super::bindings::v0_1::exports::toolcell::plugin::tools::{
    Tool, ToolAnnotations, ToolCall, ToolList, ToolOutcome,
};
pub use super::bindings::v0_1::toolcell::plugin::context::{Caller, Client, ClientAbilities, TraceContext};
pub use super::bindings::v0_1::toolcell::plugin::log::Level;
pub use super::bindings::v0_1::toolcell::plugin::types::{
    Annotations, CacheHint, CacheScope, CallError, Content, Continuation, EmbeddedResource, FormAnswer, FormRequest,
    Icon, IconTheme, InputAnswer, InputKind, InputRequest, InputRequired, InputResponse, MediaContent, ResourceBody,
    ResourceContents, ResourceInfo, Role, Root, TextContent, ToolResult, UrlRequest,
};

/// All that a plugin offers, in its own order, and for how long it says that each list stays fresh.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "each is the list it is named after")]
pub struct Lists {
    pub tools: Vec<Tool>,
    pub tools_cache: Option<CacheHint>,
    pub resources: Vec<ResourceInfo>,
    pub resources_cache: Option<CacheHint>,
    pub templates: Vec<ResourceTemplate>,
    pub templates_cache: Option<CacheHint>,
    pub prompts: Vec<Prompt>,
    pub prompts_cache: Option<CacheHint>,
    /// Exported functions that cannot be tools, each with the reason.
    pub refused: Vec<String>,
}
