//! The exports of a component, answered by a [`Plugin`]. One implementation per world of [`crate::bindings`].

use crate::bindings::tools::exports::toolcell::plugin::tools::{Guest, ToolCall, ToolList};
use crate::plugin::ToolDefinition;
use crate::types::{CallError, Outcome};
use crate::{Call, Plugin};

impl<P: Plugin> Guest for P {
    fn list_tools() -> Result<ToolList, CallError> {
        let tools = P::tools().iter().map(ToolDefinition::describe).collect::<Result<_, _>>()?;
        Ok(ToolList { tools, cache: None })
    }

    fn call_tool(call: ToolCall) -> Result<Outcome, CallError> {
        P::default().call(&Call::from(call))
    }
}
