//! What almost every plugin uses: `use toolcell_sdk::prelude::*;`.

pub use crate::types::{InputRequired, Outcome, ToolResult};
pub use crate::{Call, Context, IntoOutcome, Json, ToolError, context, log, plugin, progress, tool, tool_bail};
pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};
