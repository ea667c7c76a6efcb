//! One tool in service, and the way of a call through policy and validation into the cell.

use super::schema::{self, Schema};
use crate::policy::{CallFacts, Limits, Policy};
use crate::sandbox::types::{Content, Tool, ToolOutcome, ToolResult};
use crate::sandbox::{CallCtx, CallFailure, Cell};
use serde_json::Value;
use std::sync::Arc;

/// Arguments larger than this are parsed and judged on a thread of their own, in bytes, so that they do not hold up
/// other calls.
const JUDGE_ASIDE: usize = 64 * 1024;

/// A tool that clients can call.
pub struct ToolEntry {
    /// Its name as clients see it: the plugin's prefix and the tool's own name.
    pub name: String,
    /// The plugin it belongs to.
    pub plugin: String,
    /// Its definition; `tool.name` is its own name, without the prefix.
    pub tool: Tool,
    input: Arc<Schema>,
    output: Option<Schema>,
    runner: Runner,
    policy: Arc<dyn Policy>,
}

/// What runs a tool.
enum Runner {
    Cell(Arc<Cell>),
    /// A closure, where a test of a layer above wants a tool without a component.
    #[cfg(test)]
    Closure(super::fake::Run),
}

impl ToolEntry {
    /// Judges a tool's definition.
    ///
    /// # Errors
    /// A text that says what is wrong with it.
    pub(super) fn new(
        plugin: &str,
        prefix: &str,
        tool: Tool,
        cell: &Arc<Cell>,
        policy: &Arc<dyn Policy>,
    ) -> Result<Self, String> {
        let limits = cell.limits();
        let name = format!("{prefix}{}", tool.name);
        check_name(&name)?;
        check_texts(&tool, limits)?;
        if !schema::describes_object(&tool.input_schema) {
            return Err("its input schema must be a JSON object with `\"type\": \"object\"` at its root".to_owned());
        }
        let input = Schema::new(&tool.input_schema, limits)
            .map_err(|error| format!("its input schema is not valid: {error}"))?;
        let output = match &tool.output_schema {
            Some(text) => {
                Some(Schema::new(text, limits).map_err(|error| format!("its output schema is not valid: {error}"))?)
            }
            None => None,
        };
        let (plugin, input) = (plugin.to_owned(), Arc::new(input));
        let runner = Runner::Cell(Arc::clone(cell));
        Ok(Self { name, plugin, tool, input, output, runner, policy: Arc::clone(policy) })
    }

    /// A tool that is a closure and takes anything.
    #[cfg(test)]
    pub(super) fn of_closure(tool: Tool, run: super::fake::Run) -> Self {
        let anything = Schema::new("{}", &Limits::default()).expect("the empty schema is one");
        Self {
            name: tool.name.clone(),
            plugin: "test".to_owned(),
            tool,
            input: Arc::new(anything),
            output: None,
            runner: Runner::Closure(run),
            policy: Arc::new(crate::policy::AllowAll),
        }
    }

    /// Judges the arguments, asks the policy, and runs the tool in a fresh cell.
    ///
    /// `arguments` is the text of a JSON object. Dropping the future ends the guest.
    ///
    /// # Errors
    /// See [`CallFailure`].
    pub async fn call(&self, arguments: &str, ctx: CallCtx) -> Result<ToolOutcome, CallFailure> {
        let cell = match &self.runner {
            Runner::Cell(cell) => cell,
            #[cfg(test)]
            Runner::Closure(run) => return run(arguments.to_owned(), ctx).await,
        };
        self.check_arguments(arguments, cell.limits()).await?;
        let principal = ctx.caller.as_ref().map(|caller| caller.principal.as_str());
        let facts = CallFacts::new(&self.plugin, &self.tool.name, arguments).with_principal(principal);
        self.policy.decide(&facts).map_err(|reason| {
            tracing::warn!(plugin = %self.plugin, tool = %self.name, "call refused by policy: {reason}");
            CallFailure::Failed(format!("the host's policy refuses this call: {reason}"))
        })?;
        let outcome = cell.call_tool(&self.tool.name, arguments.to_owned(), ctx).await?;
        if let ToolOutcome::Complete(result) = &outcome {
            self.check_result(result)?;
        }
        Ok(outcome)
    }

    async fn check_arguments(&self, arguments: &str, limits: &Limits) -> Result<(), CallFailure> {
        let limit = limits.argument_bytes;
        if arguments.len() > limit {
            let text = format!(
                "the arguments of {} are {} bytes long, at most {limit} are accepted; send less, or the operator can raise `limits.argument-bytes`",
                self.name,
                arguments.len()
            );
            return Err(CallFailure::InvalidArguments(text));
        }
        let verdict = if arguments.len() > JUDGE_ASIDE {
            let (schema, arguments) = (Arc::clone(&self.input), arguments.to_owned());
            let judged = tokio::task::spawn_blocking(move || judge(&schema, &arguments)).await;
            judged.map_err(|error| CallFailure::Internal(format!("judging arguments: {error}")))?
        } else {
            judge(&self.input, arguments)
        };
        verdict.map_err(|error| CallFailure::InvalidArguments(format!("invalid arguments for {}: {error}", self.name)))
    }

    /// A plugin's structured content must be what its output schema promises: clients build on it.
    fn check_result(&self, result: &ToolResult) -> Result<(), CallFailure> {
        let broken = |what: String| {
            tracing::warn!(plugin = %self.plugin, tool = %self.name, "broken result: {what}");
            CallFailure::Failed(format!("{} of plugin {} returned a broken result: {what}", self.name, self.plugin))
        };
        check_metas(result).map_err(broken)?;
        let structured = match &result.structured {
            Some(text) => Some(
                serde_json::from_str::<Value>(text)
                    .map_err(|error| broken(format!("its structured content is not JSON: {error}")))?,
            ),
            None => None,
        };
        match (&self.output, structured) {
            (Some(_), None) if result.is_error => Ok(()),
            (Some(_), None) => Err(broken("it has an output schema but returned no structured content".to_owned())),
            (Some(schema), Some(value)) if !result.is_error => schema
                .check(&value)
                .map_err(|error| broken(format!("its structured content does not fit its output schema: {error}"))),
            _ => Ok(()),
        }
    }
}

fn judge(schema: &Schema, arguments: &str) -> Result<(), String> {
    let value: Value = serde_json::from_str(arguments).map_err(|error| format!("they are not JSON: {error}"))?;
    if !value.is_object() {
        return Err("they must be a JSON object".to_owned());
    }
    schema.check(&value)
}

/// Tool names as the specification asks for them (server/tools, "Tool Names").
fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > 128 {
        return Err(format!("its name is {} characters long; it must have 1 to 128", name.len()));
    }
    match name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))) {
        Some(c) => Err(format!("its name contains {c:?}; only A-Z, a-z, 0-9, `_`, `-` and `.` are allowed")),
        None => Ok(()),
    }
}

fn check_texts(tool: &Tool, limits: &Limits) -> Result<(), String> {
    let texts = [("title", &tool.title), ("description", &tool.description)];
    for (what, text) in texts {
        let Some(text) = text else { continue };
        if text.len() > limits.description_bytes {
            return Err(format!(
                "its {what} is {} bytes long, at most {} are accepted",
                text.len(),
                limits.description_bytes
            ));
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')) {
            return Err(format!("its {what} contains control characters"));
        }
    }
    match &tool.meta {
        Some(meta) if meta.len() > limits.meta_bytes => {
            Err(format!("its meta is {} bytes long, at most {} are accepted", meta.len(), limits.meta_bytes))
        }
        Some(meta) if !schema::is_object(meta) => Err("its meta is not a JSON object".to_owned()),
        _ => Ok(()),
    }
}

/// Every `meta` of a result must be a JSON object: it is put on the wire as it is.
fn check_metas(result: &ToolResult) -> Result<(), String> {
    let of_content = result.content.iter().flat_map(|content| match content {
        Content::Text(text) => [text.meta.as_deref(), None],
        Content::Image(media) | Content::Audio(media) => [media.meta.as_deref(), None],
        Content::ResourceLink(info) => [info.meta.as_deref(), None],
        Content::Resource(resource) => [resource.meta.as_deref(), resource.contents.meta.as_deref()],
    });
    match of_content.flatten().chain(result.meta.as_deref()).find(|meta| !schema::is_object(meta)) {
        Some(_) => Err("one of its `meta` fields is not a JSON object".to_owned()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_outside_the_allowed_characters_are_refused() {
        for (name, fits) in [
            ("getUser", true),
            ("a.b-c_D9", true),
            ("", false),
            ("a b", false),
            ("naïve", false),
            ("a\0", false),
            ("x/y", false),
        ] {
            assert_eq!(check_name(name).is_ok(), fits, "{name:?}");
        }
        assert!(check_name(&"x".repeat(129)).is_err());
    }
}
