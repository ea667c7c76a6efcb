//! One tool in service, and the way of a call through policy and validation into the cell.

use super::approval::{Next, marked};
use super::check;
use super::guest::Owner;
use super::oversight::{Called, of_tool};
use super::plugin::{Serving, TaskMode};
use super::schema::{self, Schema};
use crate::policy::{Approvable, CallKind, Limits, Principal};
use crate::sandbox::types::{Content, Tool, ToolOutcome, ToolResult};
use crate::sandbox::{CallCtx, CallFailure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Arguments larger than this are parsed and judged on a thread of their own, in bytes, so that they do not hold up
/// other calls.
const JUDGE_ASIDE: usize = 64 * 1024;

/// Where each call is told of, at debug: who develops a plugin follows its calls there.
const TARGET: &str = "toolcell::call";

/// How much of a call's arguments and of its result is told there, in characters.
const MAX_SHOWN: usize = 300;

/// The key of a tool's `_meta` in which its plugin says whether it may run as a task: `forbidden`, `optional` or
/// `required`.
pub const TASK_KEY: &str = "io.toolcell/task";

/// The key by which a plugin says that what the tool asks for on its first call comes before the task: `true`.
pub const ASKS_FIRST_KEY: &str = "io.toolcell/asks-first";

/// The key by which a tool says that it should no longer be used, and what instead: a text.
pub const DEPRECATED_KEY: &str = "io.toolcell/deprecated";

/// Whether a call of a tool becomes a task for a client that can follow tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskRule {
    /// Never.
    Never,
    /// Always; a client that cannot follow tasks waits for the result.
    Optional,
    /// Always; a client that cannot follow tasks cannot call it.
    Required,
    /// When it takes longer than this.
    After(Duration),
}

/// What is said of a plugin's tools besides what they say themselves.
pub(super) struct Listing<'a> {
    /// Put before their names.
    pub(super) prefix: &'a str,
    /// Put after their names.
    pub(super) suffix: &'a str,
    pub(super) serving: &'a Serving,
    /// Those that should no longer be used, by their own names, and what instead.
    pub(super) deprecated: &'a BTreeMap<String, String>,
}

/// A tool that clients can call.
#[derive(Clone)]
pub struct ToolEntry {
    /// Its name as clients see it: the plugin's prefix, the tool's own name, and what tells versions apart.
    pub name: String,
    /// The same without what tells versions apart.
    plain_name: String,
    /// The plugin it belongs to.
    pub plugin: String,
    /// Its definition; `tool.name` is its own name, without the prefix.
    pub tool: Tool,
    /// Whether its calls become tasks.
    pub task: TaskRule,
    /// Whether what it asks for on its first call is asked for before there is a task.
    pub asks_first: bool,
    input: Arc<Schema>,
    output: Option<Arc<Schema>>,
    owner: Arc<Owner>,
}

impl ToolEntry {
    /// Judges a tool's definition.
    ///
    /// # Errors
    /// A text that says what is wrong with it.
    pub(super) fn new(owner: &Arc<Owner>, listing: &Listing<'_>, mut tool: Tool) -> Result<Self, String> {
        let Listing { prefix, suffix, serving, deprecated } = listing;
        let limits = owner.limits();
        let plain_name = format!("{prefix}{}", tool.name);
        let name = format!("{plain_name}{suffix}");
        check::tool_name(&name)?;
        check::text("title", &tool.title, limits)?;
        check::text("description", &tool.description, limits)?;
        check::icons(&tool.icons)?;
        check::meta(&tool.meta, limits)?;
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
        if let Some(instead) = deprecation(&tool, deprecated)? {
            deprecate(&mut tool, &instead);
            check::text("description with the deprecation", &tool.description, limits)?;
        }
        let task = task_rule(&tool, serving.tasks)?;
        let asks_first = said(&tool, ASKS_FIRST_KEY) == Some(Value::Bool(true));
        Ok(Self {
            name,
            plain_name,
            plugin: owner.plugin.clone(),
            tool,
            task,
            asks_first,
            input: Arc::new(input),
            output: output.map(Arc::new),
            owner: Arc::clone(owner),
        })
    }

    /// The same tool under its plain name and this suffix, as one that should no longer be used.
    ///
    /// # Errors
    /// If no tool can have that name.
    pub(super) fn kept(&self, suffix: &str, instead: &str) -> Result<Self, String> {
        let name = format!("{}{suffix}", self.plain_name);
        check::tool_name(&name)?;
        let mut kept = Self { name, ..self.clone() };
        if said(&kept.tool, DEPRECATED_KEY).is_none() {
            deprecate(&mut kept.tool, instead);
        }
        Ok(kept)
    }

    /// How many calls of its plugin run at once.
    pub fn concurrency(&self) -> usize {
        self.owner.limits().concurrency
    }

    /// Whether the plugin says that calling it again changes nothing, so that a call that was cut off may be made again.
    pub fn is_idempotent(&self) -> bool {
        let hints = self.tool.annotations.as_ref();
        hints.is_some_and(|hints| hints.read_only == Some(true) || hints.idempotent == Some(true))
    }

    /// Judges the arguments, asks the policy, and runs the tool in a fresh cell.
    ///
    /// `arguments` is the text of a JSON object. Dropping the future ends the guest.
    ///
    /// # Errors
    /// See [`CallFailure`].
    pub async fn call(&self, arguments: &str, ctx: CallCtx) -> Result<ToolOutcome, CallFailure> {
        if !tracing::enabled!(target: TARGET, tracing::Level::DEBUG) {
            return self.judge_and_run(arguments, ctx).await;
        }
        let (started, request_id) = (Instant::now(), ctx.request_id.clone());
        let outcome = self.judge_and_run(arguments, ctx).await;
        let elapsed_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let (plugin, tool, arguments) = (&self.plugin, &self.name, one_line(arguments));
        let (ended, said) = match &outcome {
            Ok(ToolOutcome::Complete(result)) if result.is_error => ("tool error", text_of(result)),
            Ok(ToolOutcome::Complete(result)) => ("done", text_of(result)),
            Ok(ToolOutcome::InputRequired(_)) => ("asks for input", String::new()),
            Err(failure) => ("failed", one_line(&failure.to_string())),
        };
        tracing::debug!(target: TARGET, plugin, tool, request_id, arguments, outcome = ended, said, elapsed_us, "called");
        outcome
    }

    /// Whether the caller may use it.
    ///
    /// # Errors
    /// [`CallFailure::NotFound`] if it is not there for this caller, [`CallFailure::NeedsScopes`] if it could be.
    pub fn may_be_used_by(&self, caller: Option<&Principal>) -> Result<(), CallFailure> {
        self.owner.may_use(CallKind::Tool, &self.name, caller)
    }

    async fn judge_and_run(&self, arguments: &str, ctx: CallCtx) -> Result<ToolOutcome, CallFailure> {
        self.may_be_used_by(ctx.caller.as_deref())?;
        self.check_arguments(arguments, self.owner.limits()).await?;
        let listed = CallKind::Tool;
        let called = Called { kind: listed, listed, name: &self.name, own_name: &self.tool.name, arguments };
        let (tool, plain_tool) = (self.name.as_str(), self.plain_name.as_str());
        let approvable = Approvable { plugin: &self.plugin, tool, plain_tool, destructive: self.may_destroy() };
        let oversight = &self.owner.oversight;
        if !oversight.rules().approvals.must_be(ctx.caller.as_deref(), &approvable) {
            return self.overseen(called, ctx, |ctx| self.answer(arguments, ctx)).await;
        }
        self.overseen(called, ctx, |ctx| self.approved(called, ctx)).await
    }

    /// Runs it once a person has approved the call. To ask is a call like any other: it is counted, and refused where the
    /// call itself would be.
    async fn approved(&self, called: Called<'_>, ctx: CallCtx) -> Result<ToolOutcome, CallFailure> {
        let record = self.owner.record(&called, &ctx);
        match self.owner.oversight.approval(&record, self.effect(), ctx) {
            Next::Enter(ctx) => {
                self.answer(called.arguments, *ctx).await.map(|outcome| marked(outcome, &self.owner.digest))
            }
            Next::Answer(answer) => answer,
        }
    }

    /// Runs it, and hands out the receipt to a caller that asked for it.
    async fn overseen<F>(
        &self,
        called: Called<'_>,
        ctx: CallCtx,
        run: impl FnOnce(CallCtx) -> F,
    ) -> Result<ToolOutcome, CallFailure>
    where
        F: Future<Output = Result<ToolOutcome, CallFailure>>,
    {
        let (mut outcome, receipt) = self.owner.oversee(called, ctx, of_tool, run).await?;
        if let (Some(receipt), ToolOutcome::Complete(result)) = (receipt, &mut outcome) {
            result.meta = with_receipt(result.meta.take(), &receipt);
        }
        Ok(outcome)
    }

    async fn answer(&self, arguments: &str, ctx: CallCtx) -> Result<ToolOutcome, CallFailure> {
        match &self.owner.results {
            Some(results) if self.may_be_kept() => {
                results.get_or_call(&self.tool.name, arguments, ctx, |ctx| self.run(arguments, ctx)).await
            }
            _ => self.run(arguments, ctx).await,
        }
    }

    async fn run(&self, arguments: &str, ctx: CallCtx) -> Result<ToolOutcome, CallFailure> {
        let outcome = self.owner.guest.call_tool(&self.tool.name, arguments.to_owned(), ctx).await?;
        match &outcome {
            ToolOutcome::Complete(result) => self.check_result(result)?,
            ToolOutcome::InputRequired(needed) => self.owner.check_questions(&self.name, needed)?,
        }
        Ok(outcome)
    }

    /// Whether it may destroy something, as far as the plugin says. Source: 2026-07-28, schema, `ToolAnnotations`.
    fn may_destroy(&self) -> bool {
        let hints = self.tool.annotations.as_ref();
        hints.is_none_or(|hints| hints.read_only != Some(true) && hints.destructive != Some(false))
    }

    /// The same, for the person who is asked.
    fn effect(&self) -> &'static str {
        let hints = self.tool.annotations.as_ref();
        match (self.may_destroy(), hints.and_then(|hints| hints.read_only)) {
            (true, _) => "It may change or delete something.",
            (false, Some(true)) => "Its plugin says that it only reads.",
            (false, _) => "Its plugin says that it adds something and deletes nothing.",
        }
    }

    /// Whether the plugin says that the tool changes nothing, and that asking again would change nothing.
    fn may_be_kept(&self) -> bool {
        let hints = self.tool.annotations.as_ref();
        hints.is_some_and(|hints| hints.read_only == Some(true) && hints.idempotent == Some(true))
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
        let broken = |what: String| self.owner.broken(&self.name, &what);
        check::metas_of(result.content.iter(), &result.meta).map_err(|what| broken(what.to_owned()))?;
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

/// The beginning of a text as one line: nobody reads a log for the rest.
fn one_line(text: &str) -> String {
    let line = |c: char| if c.is_control() { ' ' } else { c };
    let mut shown: String = text.chars().take(MAX_SHOWN).map(line).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

fn text_of(result: &ToolResult) -> String {
    one_line(first_text(result))
}

/// What a result says first.
pub(super) fn first_text(result: &ToolResult) -> &str {
    let text = result.content.iter().find_map(|content| match content {
        Content::Text(text) => Some(text.text.as_str()),
        _ => None,
    });
    text.or(result.structured.as_deref()).unwrap_or_default()
}

fn judge(schema: &Schema, arguments: &str) -> Result<(), String> {
    let value: Value = serde_json::from_str(arguments).map_err(|error| format!("they are not JSON: {error}"))?;
    if !value.is_object() {
        return Err("they must be a JSON object".to_owned());
    }
    schema.check(&value)
}

/// What the plugin says of its tool, and over it what the operator says; but a tool that may not run as a task never does.
fn task_rule(tool: &Tool, operator: TaskMode) -> Result<TaskRule, String> {
    let said = said(tool, TASK_KEY);
    let plugin = match said.as_ref().map(Value::as_str) {
        None => None,
        Some(Some("forbidden")) => return Ok(TaskRule::Never),
        Some(Some("optional")) => Some(TaskRule::Optional),
        Some(Some("required")) => Some(TaskRule::Required),
        Some(_) => return Err(format!("its `{TASK_KEY}` is none of \"forbidden\", \"optional\", \"required\"")),
    };
    Ok(match (operator, plugin) {
        (TaskMode::Never, _) => TaskRule::Never,
        (TaskMode::Always, Some(TaskRule::Required)) => TaskRule::Required,
        (TaskMode::Always, _) => TaskRule::Optional,
        (TaskMode::After(time), _) => TaskRule::After(time),
        (TaskMode::AsPlugin, said) => said.unwrap_or(TaskRule::Never),
    })
}

/// Under which key of its `_meta` a request asks for the receipt of its call, and the result has it.
pub const RECEIPT_KEY: &str = "io.toolcell/receipt";

pub(super) fn wants_receipt(meta: &str) -> bool {
    // Most requests do not, and need not be read for it.
    meta.contains(RECEIPT_KEY)
        && serde_json::from_str::<Value>(meta).is_ok_and(|meta| meta.get(RECEIPT_KEY) == Some(&Value::Bool(true)))
}

fn with_receipt(meta: Option<String>, receipt: &str) -> Option<String> {
    let mut members: serde_json::Map<String, Value> = match &meta {
        Some(text) => match serde_json::from_str(text) {
            Ok(members) => members,
            Err(_) => return meta,
        },
        None => serde_json::Map::new(),
    };
    members.insert(RECEIPT_KEY.to_owned(), serde_json::from_str(receipt).unwrap_or(Value::Null));
    Some(Value::Object(members).to_string())
}

/// What stands in place of a tool that should no longer be used: as the tool itself says, or the plugin's manifest of it.
fn deprecation(tool: &Tool, by_manifest: &BTreeMap<String, String>) -> Result<Option<String>, String> {
    match said(tool, DEPRECATED_KEY) {
        Some(Value::String(instead)) => Ok(Some(instead)),
        Some(_) => Err(format!("its `{DEPRECATED_KEY}` is not a text")),
        None => Ok(by_manifest.get(&tool.name).cloned()),
    }
}

/// Says in the first line of the description, and in `_meta`, that a tool should no longer be used.
fn deprecate(tool: &mut Tool, instead: &str) {
    let line = format!("Deprecated: {}", instead.split_whitespace().collect::<Vec<_>>().join(" "));
    tool.description = Some(match tool.description.take() {
        Some(description) if !description.is_empty() => format!("{line}\n{description}"),
        _ => line,
    });
    if said(tool, DEPRECATED_KEY).is_none() {
        let meta = tool.meta.as_deref().and_then(|meta| serde_json::from_str(meta).ok());
        let mut meta: serde_json::Map<String, Value> = meta.unwrap_or_default();
        meta.insert(DEPRECATED_KEY.to_owned(), instead.into());
        tool.meta = Some(Value::Object(meta).to_string());
    }
}

/// What stands under a key of the tool's `_meta`.
fn said(tool: &Tool, key: &str) -> Option<Value> {
    let mut meta: serde_json::Map<String, Value> = serde_json::from_str(tool.meta.as_deref()?).ok()?;
    meta.remove(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(meta: Option<&str>) -> Tool {
        Tool {
            name: "t".to_owned(),
            title: None,
            description: None,
            input_schema: "{}".to_owned(),
            output_schema: None,
            annotations: None,
            icons: Vec::new(),
            meta: meta.map(str::to_owned),
        }
    }

    #[test]
    fn a_deprecated_tool_says_so_first() {
        let by_manifest = BTreeMap::from([("t".to_owned(), "use\nu  instead".to_owned())]);
        let own = r#"{"io.toolcell/deprecated":"use v instead","x":1}"#;
        let both = r#"{"io.toolcell/deprecated":"use\nu  instead","x":1}"#;
        for (meta, manifest, description, line, expected) in [
            (None, true, None, "Deprecated: use u instead", r#"{"io.toolcell/deprecated":"use\nu  instead"}"#),
            (Some(r#"{"x":1}"#), true, Some("d"), "Deprecated: use u instead\nd", both),
            (Some(own), true, Some("d\ne"), "Deprecated: use v instead\nd\ne", own),
            (Some(own), false, Some(""), "Deprecated: use v instead", own),
        ] {
            let mut tool = Tool { description: description.map(str::to_owned), ..tool(meta) };
            let known = if manifest { by_manifest.clone() } else { BTreeMap::new() };
            let instead = deprecation(&tool, &known).unwrap().unwrap();
            deprecate(&mut tool, &instead);
            assert_eq!(tool.description.as_deref(), Some(line));
            let meta = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            assert_eq!(meta(&tool.meta.unwrap()), meta(expected));
        }
        assert_eq!(deprecation(&tool(None), &BTreeMap::new()), Ok(None));
        assert!(deprecation(&tool(Some(r#"{"io.toolcell/deprecated":true}"#)), &by_manifest).is_err());
    }

    #[test]
    fn a_kept_tool_has_another_name_and_says_what_replaced_it() {
        let described =
            Tool { input_schema: r#"{"type":"object"}"#.to_owned(), description: Some("d".to_owned()), ..tool(None) };
        let deprecated = Tool { meta: Some(r#"{"io.toolcell/deprecated":"use v"}"#.to_owned()), ..described.clone() };
        for (tool, description) in [(described, "Deprecated: use t\nd"), (deprecated, "Deprecated: use v\nd")] {
            let entry = ToolEntry::fake(tool, |_, _| async { Err(CallFailure::Cancelled) });
            let kept = entry.kept("_v1_2_0", "use t").unwrap();
            assert_eq!((kept.name.as_str(), kept.tool.name.as_str(), kept.plain_name.as_str()), ("t_v1_2_0", "t", "t"));
            assert_eq!(kept.tool.description.as_deref(), Some(description));
            assert_eq!(entry.name, "t");
            assert!(entry.kept(&"x".repeat(128), "use t").is_err());
        }
    }

    #[test]
    fn operator_and_plugin_decide_what_becomes_a_task() {
        let says = |word: &str| format!(r#"{{"{TASK_KEY}":"{word}"}}"#);
        let soon = Duration::from_secs(1);
        use TaskMode as Mode;
        use TaskRule as Rule;
        for (said, operator, rule) in [
            (None, Mode::AsPlugin, Rule::Never),
            (Some("optional"), Mode::AsPlugin, Rule::Optional),
            (Some("required"), Mode::AsPlugin, Rule::Required),
            (Some("forbidden"), Mode::Always, Rule::Never),
            (Some("forbidden"), Mode::After(soon), Rule::Never),
            (None, Mode::Always, Rule::Optional),
            (Some("required"), Mode::Always, Rule::Required),
            (Some("required"), Mode::Never, Rule::Never),
            (None, Mode::After(soon), Rule::After(soon)),
        ] {
            let tool = tool(said.map(says).as_deref());
            assert_eq!(task_rule(&tool, operator), Ok(rule), "{said:?} {operator:?}");
        }
        assert!(task_rule(&tool(Some(&says("maybe"))), Mode::AsPlugin).is_err());
        assert!(task_rule(&tool(Some(&format!(r#"{{"{TASK_KEY}":1}}"#))), Mode::AsPlugin).is_err());
    }
}
