//! The exports of a component, answered by a [`Plugin`]. One implementation per world of [`crate::bindings`].

use crate::bindings::completions::exports::toolcell::plugin::completions;
use crate::bindings::prompts::exports::toolcell::plugin::prompts;
use crate::bindings::resources::exports::toolcell::plugin::resources;
use crate::bindings::tools::exports::toolcell::plugin::tools;
use crate::types::{
    CallError, Completion, CompletionRequest, Outcome, PromptList, PromptOutcome, ReadOutcome, ResourceList,
    TemplateList, ToolList,
};
use crate::{Call, Completing, Plugin};

impl<P: Plugin> tools::Guest for P {
    fn list_tools() -> Result<ToolList, CallError> {
        P::default().tools()
    }

    fn call_tool(call: tools::ToolCall) -> Result<Outcome, CallError> {
        P::default().call(&Call::from(call))
    }
}

impl<P: Plugin> resources::Guest for P {
    fn list_resources() -> Result<ResourceList, CallError> {
        P::default().resources()
    }

    fn list_templates() -> Result<TemplateList, CallError> {
        P::default().templates()
    }

    fn read_resource(read: resources::ResourceRead) -> Result<ReadOutcome, CallError> {
        P::default().read(&Call::from(read))
    }
}

impl<P: Plugin> prompts::Guest for P {
    fn list_prompts() -> Result<PromptList, CallError> {
        P::default().prompts()
    }

    fn get_prompt(get: prompts::PromptGet) -> Result<PromptOutcome, CallError> {
        P::default().prompt(&Call::from(get))
    }
}

impl<P: Plugin> completions::Guest for P {
    fn complete(request: CompletionRequest) -> Result<Completion, CallError> {
        P::default().complete(&Completing::from(request))
    }
}
