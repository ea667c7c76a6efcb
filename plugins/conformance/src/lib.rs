//! The fixtures that the official conformance suite (`@modelcontextprotocol/conformance`) asks of a server, as one plugin:
//! tools, resources and prompts with fixed names and fixed answers. A host serves this plugin alone, and then the suite
//! calls it. At the end are a few more, for the tests with real clients.
//!
//! [`fixture`] holds the bytes and the schemas, [`questions`] what is asked of the client, [`rounds`] the tools that
//! remember something between two calls, [`tasks`] those that run as tasks, [`prompts`] what the prompts say. Names and texts
//! are the suite's, because it compares them.

mod fixture;
mod prompts;
mod questions;
mod rounds;
mod tasks;

use fixture::{Contact, PIXEL, SAMPLE};
use questions::{action, field, filled_in, form, is_refused, one_field, prompt, roots, said};
use std::thread::sleep;
use std::time::Duration;
use tasks::{ComputeArgs, DeleteArgs, TableArgs};
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

#[derive(Deserialize, JsonSchema)]
struct NameArgs {
    /// Whom to greet.
    name: String,
}

#[derive(Deserialize, JsonSchema)]
struct NoteArgs {
    /// Which note.
    id: String,
}

#[derive(Serialize, JsonSchema)]
struct Template {
    id: String,
    #[serde(rename = "templateTest")]
    template_test: bool,
    data: String,
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
        work(Duration::from_millis(ms))?;
        Ok(format!("worked for {ms} ms"))
    }

    /// Works long enough for the server to close the stream and for the client to come back (SEP-1699).
    #[tool]
    fn test_reconnection(&self) -> &'static str {
        // A stream begins after 1 s and is closed after 5 s more; the suite waits 5 s for the rest.
        sleep(Duration::from_millis(7_500));
        "Reconnection test completed successfully. If you received this, the client properly reconnected after stream closure."
    }

    /// Writes to the log; a client that asked for no log must not get it.
    #[tool]
    fn test_logging_tool(&self) -> &'static str {
        log::info("Diagnostic trace logging activated");
        "Logging evaluated"
    }

    /// Says that the list of tools changed.
    #[tool]
    fn test_trigger_tool_change(&self) -> &'static str {
        changes::tools_changed();
        "Mutation triggered"
    }

    /// Says that the list of resources changed.
    #[tool]
    fn test_trigger_resource_change(&self) -> &'static str {
        changes::resources_changed();
        "Mutation triggered"
    }

    /// Says that the list of prompts changed.
    #[tool]
    fn test_trigger_prompt_change(&self) -> &'static str {
        changes::prompts_changed();
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

    /// Greets someone, at once.
    #[tool(task = "forbidden")]
    fn greet(&self, args: NameArgs) -> String {
        format!("Hello, {}!", args.name)
    }

    /// Computes for a while.
    #[tool(task = "optional")]
    fn slow_compute(&self, args: ComputeArgs) -> Result<String, ToolError> {
        tasks::compute(&args)
    }

    /// Works for a second and fails.
    #[tool(task = "required")]
    fn failing_job(&self) -> Result<(), ToolError> {
        work(Duration::from_secs(1))?;
        tool_bail!("This job always fails")
    }

    /// Fails the call itself, so that there is no result.
    #[tool(task = "optional")]
    fn protocol_error_job(&self) -> Result<(), ToolError> {
        work(Duration::from_millis(200))?;
        Err(ToolError::not_found("This job always ends in a protocol error"))
    }

    /// Asks the person to confirm before it deletes nothing.
    #[tool(task = "optional")]
    fn confirm_delete(&self, args: DeleteArgs, call: &Call) -> Outcome {
        tasks::delete(&args, call)
    }

    /// Asks two things at once.
    #[tool(task = "optional")]
    fn multi_input(&self, call: &Call) -> Outcome {
        tasks::several(call)
    }

    /// Asks for a name, then works.
    #[tool(task = "required", meta = r#"{"io.toolcell/asks-first":true}"#)]
    fn test_tool_with_task(&self, call: &Call) -> Result<Outcome, ToolError> {
        tasks::named_work(call)
    }

    /// A text that stays the same.
    #[resource("test://static-text", cache(ttl = "1h", scope = "public"))]
    fn static_text(&self) -> &'static str {
        "This is the content of the static text resource."
    }

    /// A picture that stays the same.
    #[resource("test://static-binary", mime_type = "image/png", cache(ttl = "1h", scope = "public"))]
    fn static_binary(&self) -> &'static [u8] {
        PIXEL
    }

    /// A resource to watch; `test_update_watched` says that it changed.
    #[resource("test://watched-resource")]
    fn watched_resource(&self) -> &'static str {
        "Watched resource content"
    }

    /// A resource for prompts and links to point to.
    #[resource("test://example-resource")]
    fn example_resource(&self) -> &'static str {
        "Example resource content"
    }

    /// Data of any number.
    #[resource("test://template/{id}/data", cache(ttl = "1h", scope = "public"))]
    fn template(&self, id: String) -> Json<Template> {
        Json(Template { data: format!("Data for ID: {id}"), template_test: true, id })
    }

    /// Says that `test://watched-resource` changed.
    #[tool]
    fn test_update_watched(&self) -> &'static str {
        changes::resource_updated("test://watched-resource");
        "Update sent"
    }

    /// A prompt without arguments.
    #[prompt]
    fn test_simple_prompt(&self) -> &'static str {
        "This is a simple prompt for testing."
    }

    /// A prompt with arguments.
    #[prompt]
    fn test_prompt_with_arguments(
        &self,
        /// First test argument
        arg1: String,
        /// Second test argument
        arg2: String,
    ) -> String {
        format!("Prompt with arguments: arg1='{arg1}', arg2='{arg2}'")
    }

    #[complete(prompt = "test_prompt_with_arguments", argument = "arg1")]
    fn first_arguments(&self) -> [&'static str; 5] {
        ["paris", "park", "party", "testValue1", "testing"]
    }

    /// A prompt with a resource in it.
    #[prompt]
    #[allow(non_snake_case, reason = "the suite's name of the argument")]
    fn test_prompt_with_embedded_resource(
        &self,
        /// URI of the resource to embed
        resourceUri: String,
    ) -> PromptResult {
        prompts::with_resource(&resourceUri)
    }

    /// A prompt with a picture in it.
    #[prompt]
    fn test_prompt_with_image(&self) -> PromptResult {
        prompts::with_image()
    }

    /// A prompt that asks the person for its context.
    #[prompt]
    fn test_input_required_result_prompt(&self, call: &Call) -> PromptOutcome {
        prompts::with_context(call)
    }

    /// Asks the person for a name and greets by it.
    #[tool]
    fn ask_name(&self, call: &Call) -> Outcome {
        match field(call, "name", "name") {
            Some(name) => ToolResult::text(format!("Hello, {name}!")).into(),
            None if is_refused(call, "name") => ToolResult::text("nobody answered").into(),
            None => ask_name(InputRequired::new(), "name", "What is your name?").into(),
        }
    }

    /// Asks the client's model a sum.
    #[tool]
    fn ask_model(&self, call: &Call) -> Outcome {
        match said(call, "sum") {
            Some(text) => ToolResult::text(format!("The model says: {text}")).into(),
            None if is_refused(call, "sum") => ToolResult::text("the model did not answer").error().into(),
            None => InputRequired::new().sample("sum", prompt("What is 2+2?", 50)).into(),
        }
    }

    /// Books a table at the time the person says.
    #[tool(task = "optional")]
    fn book_table(&self, args: TableArgs, call: &Call) -> Outcome {
        tasks::book(&args, call)
    }

    /// Says that a note changed.
    #[tool]
    fn touch_note(&self, args: NoteArgs) -> String {
        let uri = format!("note://{}", args.id);
        changes::resource_updated(&uri);
        format!("touched {uri}")
    }

    /// A note.
    #[resource("note://{id}")]
    fn note(&self, id: String) -> String {
        format!("Note {id}")
    }

    #[complete(resource = "note://{id}", argument = "id")]
    fn note_ids(&self) -> [&'static str; 3] {
        ["alpha", "beta", "gamma"]
    }

    /// The first note.
    #[resource("note://alpha")]
    fn first_note(&self) -> String {
        self.note("alpha".to_owned())
    }

    /// Asks for a review of code.
    #[prompt]
    fn review_code(
        &self,
        /// The language the code is in.
        language: String,
        /// The rules to judge it by.
        style: Option<String>,
    ) -> String {
        prompts::review(&language, style.as_deref())
    }

    #[complete(prompt = "review_code", argument = "language")]
    fn languages(&self) -> [&'static str; 3] {
        ["python", "rust", "typescript"]
    }

    #[complete(prompt = "review_code", argument = "style")]
    fn styles(&self, typed: &Completing) -> Vec<&'static str> {
        match typed.settled("language") {
            Some("rust") => vec!["clippy", "rustfmt"],
            _ => vec!["plain"],
        }
    }
}

/// Works in small steps, until it is done or nobody waits for it any more.
fn work(time: Duration) -> Result<(), ToolError> {
    let mut left = time;
    while !left.is_zero() {
        let step = left.min(Duration::from_millis(20));
        sleep(step);
        left = left.saturating_sub(step);
        if context::is_cancelled() {
            return Err(ToolError::cancelled());
        }
    }
    Ok(())
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
