//! What almost every plugin uses: `use toolcell_sdk::prelude::*;`.

pub use crate::types::{
    Content, InputRequired, Outcome, PromptOutcome, PromptResult, ReadOutcome, ReadResult, ResourceContents,
    ResourceInfo, ToolResult,
};
pub use crate::{Call, Completing, Context, IntoOutcome, Json, ToolError};
pub use crate::{changes, context, key_value, log, peers, progress, tool_bail};
pub use crate::{complete, list, plugin, prompt, resource, tool};
pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};
