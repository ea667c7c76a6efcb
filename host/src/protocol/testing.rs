//! A registry of tools that are closures, for the tests of this layer and of the transports.

use std::future::Future;
use std::sync::Arc;

use super::{InFlight, Revision, Session};
use crate::registry::types::{ClientAbilities, Content, TextContent, Tool, ToolOutcome, ToolResult};
use crate::registry::{CallCtx, CallFailure, Registry, ToolEntry};

/// What a tool returns.
pub(crate) type Outcome = Result<ToolOutcome, CallFailure>;

/// A tool of that name that takes anything.
pub(crate) fn described(name: &str) -> Tool {
    Tool {
        name: name.to_owned(),
        title: None,
        description: None,
        input_schema: r#"{"type":"object"}"#.to_owned(),
        output_schema: None,
        annotations: None,
        icons: Vec::new(),
        meta: None,
    }
}

/// A tool that answers with its arguments.
pub(crate) fn tool(name: &str) -> Arc<ToolEntry> {
    ToolEntry::fake(described(name), |arguments, _| async move { text(&arguments) })
}

/// A tool that does what `run` does.
pub(crate) fn tool_fn<F, Fut>(name: &str, run: F) -> Arc<ToolEntry>
where
    F: Fn(String, CallCtx) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    ToolEntry::fake(described(name), run)
}

/// A finished result that holds one text.
pub(crate) fn text(text: &str) -> Outcome {
    let text = TextContent { text: text.to_owned(), annotations: None, meta: None };
    complete(ToolResult { content: vec![Content::Text(text)], structured: None, is_error: false, meta: None })
}

/// A finished result.
pub(crate) fn complete(result: ToolResult) -> Outcome {
    Ok(ToolOutcome::Complete(result))
}

/// A session of a client that can do nothing.
pub(crate) fn session() -> Arc<Session> {
    let server = super::Server::new(registry(Vec::new()), super::ServerInfo::default());
    Session::new(&server, Revision::V2025_11_25, None, ClientAbilities::empty(), None, InFlight::new(4))
}

/// A registry of these tools.
pub(crate) fn registry(tools: Vec<Arc<ToolEntry>>) -> Registry {
    Registry::fake(tools)
}
