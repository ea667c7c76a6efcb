//! Tools that remember something until the answers come. The state is plain bytes: the host seals it, so that what comes
//! back is what was given, or the call never arrives.

use crate::questions::{field, form, one_field, prompt, roots, said};
use crate::{ask_name, is_confirmed};
use toolcell_sdk::prelude::*;

/// Asks to confirm; done with `text` once the person did and the state is there again.
pub fn confirmed(call: &Call, state: &[u8], text: &str) -> Outcome {
    if call.state() == Some(state) && is_confirmed(call, "confirm") {
        return ToolResult::text(text).into();
    }
    let asked = InputRequired::new().state(state);
    form(asked, "confirm", "Please confirm", &one_field("ok", "boolean")).into()
}

/// Asks person, model and client; done when all three have answered.
pub fn several(call: &Call) -> Outcome {
    const STATE: &[u8] = b"multiple-inputs";
    let name = field(call, "user_name", "name");
    let greeting = said(call, "greeting");
    let roots = roots(call, "client_roots");
    if let (Some(STATE), Some(name), Some(greeting), Some(roots)) = (call.state(), name, greeting, roots) {
        let roots = roots.len();
        return ToolResult::text(format!("Name: {name}; Greeting: {greeting}; Roots: {roots}")).into();
    }
    ask_name(InputRequired::new().state(STATE), "user_name", "What is your name?")
        .sample("greeting", prompt("Generate a greeting", 50))
        .roots("client_roots")
        .into()
}

/// What is known between the rounds of [`two_steps`].
#[derive(Serialize, Deserialize)]
struct Steps {
    /// The answer to the first question, once it is there.
    name: Option<String>,
}

/// Asks for a name, then for a colour.
pub fn two_steps(call: &Call) -> Result<Outcome, ToolError> {
    let before =
        call.state().and_then(|state| serde_json::from_slice::<Steps>(state).ok()).and_then(|steps| steps.name);
    let name = before.clone().or_else(|| field(call, "step1", "name"));
    let state = serde_json::to_vec(&Steps { name: name.clone() })?;
    let asked = InputRequired::new().state(state);
    Ok(match (name, field(call, "step2", "color")) {
        (Some(name), Some(color)) if before.is_some() => {
            ToolResult::text(format!("Multi-round complete for {name} who likes {color}")).into()
        }
        (Some(_), _) => {
            let schema = one_field("color", "string");
            form(asked, "step2", "Step 2: What is your favorite color?", &schema).into()
        }
        (None, _) => ask_name(asked, "step1", "Step 1: What is your name?").into(),
    })
}
