//! Other tools of the same host, as far as the operator granted them by name.
//!
//! The plugin asks for them with `#[plugin(request(tool = "weather*", why = "…"))]`, by the names clients see; the operator
//! grants them with `tools = ["weather*"]`. The other tool runs for the same caller, within the time this call has left.
//!
//! ```no_run
//! use serde_json::json;
//! use toolcell_sdk::{ToolError, peers};
//!
//! fn is_warm(city: &str) -> Result<bool, ToolError> {
//!     let weather: serde_json::Value = peers::call_json("weather", &json!({ "city": city }))?;
//!     Ok(weather["celsius"].as_f64().is_some_and(|celsius| celsius > 20.0))
//! }
//! ```
//!
//! On the machine itself there is no other tool; [`testing::peer`](crate::testing::peer) puts one there.

use crate::types::{Content, ToolResult};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::{self, Display, Formatter};

/// Why the other tool gave no result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerError {
    /// The operator did not grant that tool; the text is the line that would.
    Denied(String),
    /// There is no such tool.
    NotFound(String),
    /// The arguments do not fit its schema.
    InvalidArguments(String),
    /// Calls between tools went too deep, or time is up.
    Limit(String),
    /// Anything else.
    Other(String),
    /// It ran, and its result is an error: this text. Only from [`call_json`] and [`call_text`].
    Tool(String),
    /// Its result is not what was expected. Only from [`call_json`].
    Result(String),
}

impl Display for PeerError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(text)
            | Self::NotFound(text)
            | Self::InvalidArguments(text)
            | Self::Limit(text)
            | Self::Other(text)
            | Self::Tool(text)
            | Self::Result(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for PeerError {}

/// Runs another tool with anything that becomes a JSON object. A result that is an error is returned like any other.
///
/// # Errors
/// See [`PeerError`].
pub fn call(tool: &str, arguments: &impl Serialize) -> Result<ToolResult, PeerError> {
    let arguments = serde_json::to_string(arguments).map_err(|error| PeerError::InvalidArguments(error.to_string()))?;
    #[cfg(target_family = "wasm")]
    return Ok(crate::bindings::tools::toolcell::plugin::peers::call(tool, &arguments)?);
    #[cfg(not(target_family = "wasm"))]
    fake::call(tool, &arguments)
}

/// The same, for a tool whose result is structured: its structured content as a `T`.
///
/// # Errors
/// [`PeerError::Tool`] if the result is an error, [`PeerError::Result`] if it holds no `T`; see [`PeerError`].
pub fn call_json<T: DeserializeOwned>(tool: &str, arguments: &impl Serialize) -> Result<T, PeerError> {
    let result = succeeded(call(tool, arguments)?)?;
    let structured = result
        .structured
        .ok_or_else(|| PeerError::Result(format!("the result of {tool} has no structured content")))?;
    serde_json::from_str(&structured)
        .map_err(|error| PeerError::Result(format!("the result of {tool} is not what was expected: {error}")))
}

/// The same, for a tool whose result is text: its text blocks, with an empty line between them.
///
/// # Errors
/// [`PeerError::Tool`] if the result is an error; see [`PeerError`].
pub fn call_text(tool: &str, arguments: &impl Serialize) -> Result<String, PeerError> {
    Ok(text_of(&succeeded(call(tool, arguments)?)?))
}

fn succeeded(result: ToolResult) -> Result<ToolResult, PeerError> {
    if result.is_error { Err(PeerError::Tool(text_of(&result))) } else { Ok(result) }
}

fn text_of(result: &ToolResult) -> String {
    let texts = result.content.iter().filter_map(|content| match content {
        Content::Text(text) => Some(&*text.text),
        _ => None,
    });
    texts.collect::<Vec<_>>().join("\n\n")
}

#[cfg(target_family = "wasm")]
impl From<crate::bindings::tools::toolcell::plugin::peers::PeerError> for PeerError {
    fn from(error: crate::bindings::tools::toolcell::plugin::peers::PeerError) -> Self {
        use crate::bindings::tools::toolcell::plugin::peers::PeerError as Host;
        match error {
            Host::Denied(text) => Self::Denied(text),
            Host::NotFound(text) => Self::NotFound(text),
            Host::InvalidArguments(text) => Self::InvalidArguments(text),
            Host::Limit(text) => Self::Limit(text),
            Host::Other(text) => Self::Other(text),
        }
    }
}

/// The other tools of a test.
#[cfg(not(target_family = "wasm"))]
pub(crate) mod fake {
    use super::PeerError;
    use crate::types::ToolResult;
    use std::cell::RefCell;
    use std::collections::HashMap;
    use std::rc::Rc;

    type Tool = Rc<dyn Fn(serde_json::Value) -> Result<ToolResult, PeerError>>;

    thread_local! {
        // One per thread, because each test has a thread of its own.
        static TOOLS: RefCell<HashMap<String, Tool>> = RefCell::new(HashMap::new());
    }

    pub(crate) fn put(name: &str, tool: Tool) {
        TOOLS.with_borrow_mut(|tools| tools.insert(name.to_owned(), tool));
    }

    pub(super) fn call(name: &str, arguments: &str) -> Result<ToolResult, PeerError> {
        // Not borrowed while it runs: it may call another one.
        let Some(tool) = TOOLS.with_borrow(|tools| tools.get(name).cloned()) else {
            return Err(PeerError::NotFound(format!(
                "there is no tool named {name}; a test puts one there with `testing::peer`"
            )));
        };
        match serde_json::from_str(arguments) {
            Ok(arguments @ serde_json::Value::Object(_)) => tool(arguments),
            _ => Err(PeerError::InvalidArguments(format!("the arguments of {name} must be a JSON object"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use serde_json::json;

    #[test]
    fn a_test_puts_tools_there() {
        testing::peer("add", |arguments| {
            let (a, b) = (arguments["a"].as_i64().unwrap_or(0), arguments["b"].as_i64().unwrap_or(0));
            let mut result = ToolResult::text(format!("{}", a + b));
            result.structured = Some(json!({ "sum": a + b }).to_string());
            Ok(result)
        });
        testing::peer("twice", |arguments| call("add", &json!({ "a": arguments["n"], "b": arguments["n"] })));
        testing::peer("fails", |_| Ok(ToolResult::text("no").error()));
        testing::peer("secret", |_| Err(PeerError::Denied("add tools = [\"secret\"]".into())));

        assert_eq!(call_text("add", &json!({ "a": 1, "b": 2 })).unwrap(), "3");
        assert_eq!(call_json::<serde_json::Value>("twice", &json!({ "n": 4 })).unwrap(), json!({ "sum": 8 }));
        assert!(matches!(call_json::<u8>("add", &json!({})), Err(PeerError::Result(_))));
        assert!(call("fails", &json!({})).unwrap().is_error);
        assert_eq!(call_text("fails", &json!({})), Err(PeerError::Tool("no".into())));
        assert_eq!(call_text("secret", &json!({})).unwrap_err().to_string(), "add tools = [\"secret\"]");
        assert!(matches!(call("none", &json!({})), Err(PeerError::NotFound(_))));
        assert!(matches!(call("add", &3), Err(PeerError::InvalidArguments(_))));
    }
}
