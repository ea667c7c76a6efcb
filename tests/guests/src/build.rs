//! Shorthand for the records of the contract.

use crate::bindings::exports::toolcell::plugin::tools::{Tool, ToolList, ToolOutcome, ToolResult};
use crate::bindings::toolcell::plugin::types::{Content, TextContent};

/// A well-formed tool that takes any object.
#[must_use]
pub fn tool(name: impl Into<String>, description: impl Into<String>) -> Tool {
    Tool {
        name: name.into(),
        title: None,
        description: Some(description.into()),
        input_schema: r#"{"type":"object"}"#.to_owned(),
        output_schema: None,
        annotations: None,
        icons: Vec::new(),
        meta: None,
    }
}

/// A list without a cache hint.
#[must_use]
pub fn listed(tools: Vec<Tool>) -> ToolList {
    ToolList { tools, cache: None }
}

/// A complete outcome with these blocks and nothing else.
#[must_use]
pub fn completed(content: Vec<Content>) -> ToolOutcome {
    ToolOutcome::Complete(ToolResult { content, structured: None, is_error: false, meta: None })
}

/// A complete outcome of one text block.
#[must_use]
pub fn text(text: impl Into<String>) -> ToolOutcome {
    completed(vec![Content::Text(TextContent { text: text.into(), annotations: None, meta: None })])
}
