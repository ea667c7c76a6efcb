//! The vocabulary of the contract: results and their contents, questions to the client, and what surrounds a call.

pub use crate::bindings::completions::exports::toolcell::plugin::completions::{
    Completion, CompletionRequest, CompletionTarget,
};
pub use crate::bindings::prompts::exports::toolcell::plugin::prompts::{
    Prompt, PromptArgument, PromptList, PromptMessage, PromptOutcome, PromptResult,
};
pub use crate::bindings::resources::exports::toolcell::plugin::resources::{
    ReadOutcome, ReadResult, ResourceList, ResourceTemplate, TemplateList,
};
pub use crate::bindings::tools::exports::toolcell::plugin::tools::{
    Tool, ToolAnnotations, ToolList, ToolOutcome as Outcome,
};
pub use crate::bindings::tools::toolcell::plugin::context::{
    CallContext, Caller, Client, ClientAbilities, TraceContext,
};
pub use crate::bindings::tools::toolcell::plugin::log::Level;
pub use crate::bindings::tools::toolcell::plugin::types::{
    Annotations, CacheHint, CacheScope, CallError, Content, Continuation, EmbeddedResource, FormAnswer, FormRequest,
    Icon, IconTheme, InputAnswer, InputKind, InputRequest, InputRequired, InputResponse, MediaContent, ResourceBody,
    ResourceContents, ResourceInfo, Role, Root, TextContent, ToolResult, UrlRequest,
};
