//! The fixtures that the official conformance suite (`@modelcontextprotocol/conformance`) asks of a server, as one plugin:
//! tools with fixed names and fixed answers. A host serves this plugin alone, and then the suite calls it.
//!
//! [`fixture`] holds the bytes and the schemas, [`questions`] what the tools ask that need input, [`rounds`] those of them
//! that remember something between two calls. Names and texts are the suite's, because it compares them.

mod fixture;
mod questions;
mod rounds;

use fixture::{Contact, Listed, PIXEL, SAMPLE};
use questions::{action, field, filled_in, form, one_field, prompt, roots, said};
use std::thread::sleep;
use std::time::Duration;
use toolcell_sdk::prelude::*;
use toolcell_sdk::types::ClientAbilities;

/// Between two notifications: about what the suite asks for, and no faster than the twenty a second that the host passes on.
const PAUSE: Duration = Duration::from_millis(60);

#[derive(Deserialize, JsonSchema)]
struct PromptArgs {
    /// What to ask the model.
    prompt: String,
}

#[derive(Deserialize, JsonSchema)]
struct MessageArgs {
    /// What to tell the person.
    message: String,
}

#[derive(Deserialize, JsonSchema)]
struct HeaderArgs {
    /// Where to run. Clients over HTTP repeat it in the header `Mcp-Param-Region`.
    #[schemars(extend("x-mcp-header" = "Region"))]
    region: String,
    /// How often to try. In the header `Mcp-Param-Tries`.
    #[serde(default)]
    #[schemars(extend("x-mcp-header" = "Tries"))]
    tries: u32,
    /// Whether only to pretend. In the header `Mcp-Param-Dry-Run`.
    #[serde(default)]
    #[schemars(extend("x-mcp-header" = "Dry-Run"))]
    dry_run: bool,
}

#[derive(Deserialize, JsonSchema)]
struct SlowArgs {
    /// How long to work, in milliseconds.
    #[serde(default = "a_second")]
    ms: u64,
}

fn a_second() -> u64 {
    1000
}

#[derive(Default)]
struct Conformance;

/// The fixtures that the official conformance suite asks of a server.
#[plugin]
impl Conformance {
    /// Returns one text.
    #[tool]
    fn test_simple_text(&self) -> &'static str {
        "This is a simple text response for testing."
    }

    /// Returns one picture.
    #[tool]
    fn test_image_content(&self) -> ToolResult {
        ToolResult::empty().with_image(PIXEL, "image/png")
    }

    /// Returns one sound.
    #[tool]
    fn test_audio_content(&self) -> ToolResult {
        ToolResult::empty().with_audio(SAMPLE, "audio/wav")
    }

    /// Returns one resource with its contents.
    #[tool]
    fn test_embedded_resource(&self) -> ToolResult {
        ToolResult::empty().with_embedded_text(
            "test://embedded-resource",
            "text/plain",
            "This is an embedded resource content.",
        )
    }

    /// Returns a text, a picture and a resource.
    #[tool]
    fn test_multiple_content_types(&self) -> ToolResult {
        ToolResult::text("Multiple content types test:").with_image(PIXEL, "image/png").with_embedded_text(
            "test://mixed-content-resource",
            "application/json",
            r#"{"test":"data","value":123}"#,
        )
    }

    /// Writes three messages to the log while it works.
    #[tool]
    fn test_tool_with_logging(&self) -> &'static str {
        log::info("Tool execution started");
        sleep(PAUSE);
        log::info("Tool processing data");
        sleep(PAUSE);
        log::info("Tool execution completed");
        "Tool with logging executed successfully"
    }

    /// Reports its progress three times while it works.
    #[tool]
    fn test_tool_with_progress(&self) -> &'static str {
        for done in [0.0, 50.0, 100.0] {
            if done > 0.0 {
                sleep(PAUSE);
            }
            progress::report(done, Some(100.0), Some(&format!("Completed step {done} of 100")));
        }
        "Tool with progress executed successfully"
    }

    /// Fails, always.
    #[tool]
    fn test_error_handling(&self) -> Result<(), ToolError> {
        tool_bail!("This tool intentionally returns an error for testing")
    }

    /// Has a schema that uses what JSON Schema 2020-12 has beyond properties, and returns its arguments.
    #[tool]
    fn json_schema_2020_12_tool(&self, args: Contact) -> Result<String, ToolError> {
        Ok(format!("JSON Schema 2020-12 tool called with: {}", serde_json::to_string(&args)?))
    }

    /// Has arguments that clients over HTTP repeat in headers, and returns them.
    #[tool]
    fn test_x_mcp_header(&self, args: HeaderArgs) -> String {
        let HeaderArgs { region, tries, dry_run } = args;
        format!("region={region}, tries={tries}, dry_run={dry_run}")
    }

    /// Works for a while, in small steps, until it is done or nobody waits for it any more.
    #[tool]
    fn test_slow_tool(&self, args: SlowArgs) -> Result<String, ToolError> {
        let SlowArgs { ms } = args;
        let mut left = Duration::from_millis(ms);
        while !left.is_zero() {
            let step = left.min(Duration::from_millis(20));
            sleep(step);
            left = left.saturating_sub(step);
            if context::is_cancelled() {
                tool_bail!("cancelled with {} ms to go", left.as_millis());
            }
        }
        Ok(format!("worked for {ms} ms"))
    }

    /// Works long enough for the server to close the stream and for the client to come back (SEP-1699).
    #[tool]
    fn test_reconnection(&self) -> &'static str {
        sleep(Duration::from_millis(100));
        "Reconnection test completed successfully. If you received this, the client properly reconnected after stream closure."
    }

    /// Writes to the log; a client that asked for no log must not get it.
    #[tool]
    fn test_logging_tool(&self) -> &'static str {
        log::info("Diagnostic trace logging activated");
        "Logging evaluated"
    }

    /// Says that the list of tools changed. The schema of this tool changes with each listing.
    #[tool]
    fn test_trigger_tool_change(&self, args: Listed) -> &'static str {
        let Listed {} = args;
        #[cfg(target_family = "wasm")]
        toolcell_sdk::bindings::tools::toolcell::plugin::changes::tools_changed();
        "Mutation triggered"
    }

    /// Says that the list of prompts changed.
    #[tool]
    fn test_trigger_prompt_change(&self) -> &'static str {
        #[cfg(target_family = "wasm")]
        toolcell_sdk::bindings::tools::toolcell::plugin::changes::prompts_changed();
        "Mutation triggered"
    }

    /// Asks the client's model and returns its answer.
    #[tool]
    fn test_sampling(&self, args: PromptArgs, call: &Call) -> Outcome {
        match said(call, "sample") {
            Some(text) => ToolResult::text(format!("LLM response: {text}")).into(),
            None => InputRequired::new().sample("sample", prompt(&args.prompt, 100)).into(),
        }
    }

    /// Asks the person for a name and an address and returns them.
    #[tool]
    fn test_elicitation(&self, args: MessageArgs, call: &Call) -> Outcome {
        let schema = serde_json::json!({
            "type": "object",
            "properties": {
                "username": { "type": "string", "description": "User's response" },
                "email": { "type": "string", "description": "User's email address" }
            },
            "required": ["username", "email"]
        });
        match action(call, "user") {
            Some(action) => ToolResult::text(format!("User response: {action}")).into(),
            None => form(InputRequired::new(), "user", &args.message, &schema).into(),
        }
    }

    /// Asks the person to review a form with defaults (SEP-1034).
    #[tool]
    fn test_elicitation_sep1034_defaults(&self, call: &Call) -> Outcome {
        let message = "Please review and update the form fields with defaults";
        elicited(call, message, &questions::defaults())
    }

    /// Asks the person to choose in every way there is (SEP-1330).
    #[tool]
    fn test_elicitation_sep1330_enums(&self, call: &Call) -> Outcome {
        elicited(call, "Please select options from the enum fields", &questions::choices())
    }

    /// Reports progress, then asks the person.
    #[tool]
    fn test_streaming_elicitation(&self, call: &Call) -> Outcome {
        progress::report(50.0, Some(100.0), None);
        match action(call, "value") {
            Some(_) => ToolResult::text("Streaming complete").into(),
            None => {
                let schema = one_field("value", "string");
                form(InputRequired::new(), "value", "Please continue", &schema).into()
            }
        }
    }

    /// Needs the client's model.
    #[tool]
    fn test_missing_capability(&self, call: &Call) -> Outcome {
        match said(call, "sample") {
            Some(_) => ToolResult::text("Success").into(),
            None => InputRequired::new().sample("sample", prompt("Say anything.", 10)).into(),
        }
    }

    /// Asks the person for a name.
    #[tool]
    fn test_input_required_result_elicitation(&self, call: &Call) -> Outcome {
        match field(call, "user_name", "name") {
            Some(name) => ToolResult::text(format!("Hello, {name}!")).into(),
            None => ask_name(InputRequired::new(), "user_name", "What is your name?").into(),
        }
    }

    /// Asks the client's model.
    #[tool]
    fn test_input_required_result_sampling(&self, call: &Call) -> Outcome {
        const KEY: &str = "capital_question";
        match said(call, KEY) {
            Some(text) => ToolResult::text(format!("Sampling result: {text}")).into(),
            None => {
                let question = prompt("What is the capital of France?", 100);
                InputRequired::new().sample(KEY, question).into()
            }
        }
    }

    /// Asks for the client's roots.
    #[tool]
    fn test_input_required_result_list_roots(&self, call: &Call) -> Outcome {
        const KEY: &str = "client_roots";
        match roots(call, KEY) {
            Some(roots) => {
                let uris: Vec<_> = roots.iter().map(|root| &*root.uri).collect();
                ToolResult::text(format!("Found {} root(s): {}", uris.len(), uris.join(", "))).into()
            }
            None => InputRequired::new().roots(KEY).into(),
        }
    }

    /// Asks the person to confirm, and remembers that it asked.
    #[tool]
    fn test_input_required_result_request_state(&self, call: &Call) -> Outcome {
        rounds::confirmed(call, b"request-state", "state-ok: requestState validated")
    }

    /// Asks the person to confirm, and remembers that it asked; the host refuses a state that was changed.
    #[tool]
    fn test_input_required_result_tampered_state(&self, call: &Call) -> Outcome {
        rounds::confirmed(call, b"tamper-test", "integrity-ok: state verified")
    }

    /// Asks person, model and client at once.
    #[tool]
    fn test_input_required_result_multiple_inputs(&self, call: &Call) -> Outcome {
        rounds::several(call)
    }

    /// Asks twice, the second time knowing the first answer.
    #[tool]
    fn test_input_required_result_multi_round(&self, call: &Call) -> Result<Outcome, ToolError> {
        rounds::two_steps(call)
    }

    /// Asks only what the client said it can answer.
    #[tool]
    fn test_input_required_result_capabilities(&self, call: &Call) -> Outcome {
        let abilities = context::current().abilities;
        let mut asked = InputRequired::new().state(*b"capabilities");
        if abilities.contains(ClientAbilities::FORM) {
            let schema = one_field("value", "string");
            asked = form(asked, "elicit_input", "Elicitation input", &schema);
        }
        if abilities.contains(ClientAbilities::SAMPLE) {
            asked = asked.sample("sample_input", prompt("Sample request", 50));
        }
        let answered: Vec<_> = asked
            .requests
            .iter()
            .filter(|request| call.answer(&request.key).is_some())
            .map(|request| &*request.key)
            .collect();
        if asked.requests.is_empty() {
            ToolResult::text("No supported capabilities declared").into()
        } else if answered.is_empty() {
            asked.into()
        } else {
            ToolResult::text(format!("capabilities-ok: received {}", answered.join(","))).into()
        }
    }
}

/// Asks with a form, and says what became of it.
fn elicited(call: &Call, message: &str, schema: &serde_json::Value) -> Outcome {
    match action(call, "form") {
        Some(action) => ToolResult::text(format!("Elicitation completed: {action}")).into(),
        None => form(InputRequired::new(), "form", message, schema).into(),
    }
}

fn ask_name(asked: InputRequired, key: &str, message: &str) -> InputRequired {
    form(asked, key, message, &one_field("name", "string"))
}

/// Whether the person ticked `ok` in the form under `key`.
fn is_confirmed(call: &Call, key: &str) -> bool {
    filled_in(call, key).is_some_and(|values| values.get("ok") == Some(&true.into()))
}

#[cfg(test)]
mod tests;
