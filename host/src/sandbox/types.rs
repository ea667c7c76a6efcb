//! The domain types every layer above speaks: the records of the newest contract (`wit/v0.1`), under short names.
//!
//! An older contract, once there is one, is translated to these; nothing above the sandbox knows that it exists.

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
