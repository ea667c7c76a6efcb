//! The plugin under test: how it is called, and a record of every call.

use super::super::heard::{Heard, Kind, Listening};
use crate::host::values::Door;
use crate::policy::{DirGrant, Grant, Limits, Requested, StoreGrant};
use crate::registry::types::{
    ClientAbilities, Continuation, FormAnswer, InputAnswer, InputKind, InputRequired, InputResponse, Lists,
    ToolOutcome, ToolResult,
};
use crate::registry::{CallCtx, CallFailure, Plugin, Schema, ToolEntry};
use crate::sandbox::{Cell, Doors, LoadError};
use crate::state::{self, MemoryStore};
use anyhow::Context;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// How often one call may ask for something before the test gives up on it.
const ROUNDS: usize = 4;

/// A plugin, with a cell that grants it nothing and one that grants it what it asks for.
pub(super) struct Subject {
    pub(super) plugin: Arc<Plugin>,
    /// What is wrong with what it lists, in the host's words.
    pub(super) problems: Vec<String>,
    pub(super) tools: Vec<Subtool>,
    pub(super) limits: Limits,
    bare: Cell,
    granted: Cell,
    listening: Listening,
    pub(super) calls: Vec<Call>,
    /// The folders it is granted.
    _scratch: TempDir,
}

/// One of its tools.
pub(super) struct Subtool {
    pub(super) entry: Arc<ToolEntry>,
    pub(super) input: Value,
    judge: Schema,
    pub(super) output: Option<Schema>,
    /// Whether it may be called: nothing is destroyed or reached by a test unless it was asked for.
    pub(super) called: bool,
}

impl Subtool {
    pub(super) fn name(&self) -> &str {
        &self.entry.tool.name
    }

    pub(super) fn accepts(&self, arguments: &Value) -> bool {
        self.judge.check(arguments).is_ok()
    }
}

/// Which cell a call runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Where {
    /// Nothing is granted.
    Bare,
    /// What it asks for is granted: empty folders, and the variables of toolcell.toml.
    Granted,
    /// Through the host's own checks, with nothing granted.
    Host,
}

/// A call that was made.
pub(super) struct Call {
    pub(super) tool: String,
    /// What was tried, in words.
    pub(super) what: String,
    pub(super) outcome: Result<ToolResult, CallFailure>,
    pub(super) heard: Vec<Heard>,
}

impl Call {
    fn of(&self, kind: Kind) -> Option<&Heard> {
        self.heard.iter().find(|heard| heard.kind == kind)
    }

    pub(super) fn crash(&self) -> Option<&Heard> {
        self.of(Kind::Crash)
    }

    pub(super) fn limit(&self) -> Option<&Heard> {
        self.of(Kind::Limit)
    }

    /// What a model would read of it.
    pub(super) fn text(&self) -> String {
        match &self.outcome {
            Ok(result) => text_of(result),
            Err(failure) => failure.to_string(),
        }
    }
}

pub(super) fn text_of(result: &ToolResult) -> String {
    let texts = result.content.iter().filter_map(|content| match content {
        crate::registry::types::Content::Text(text) => Some(text.text.as_str()),
        _ => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// How the plugin is tried.
pub(super) struct Terms {
    /// Call tools that destroy or reach out too, and let them.
    pub(super) all: bool,
    pub(super) limits: Limits,
    pub(super) env: BTreeMap<String, String>,
}

impl Subject {
    pub(super) fn new(
        plugin: Arc<Plugin>,
        problems: Vec<String>,
        terms: &Terms,
        listening: Listening,
    ) -> anyhow::Result<Self> {
        let scratch = tempfile::tempdir().context("a folder for the plugin to work in")?;
        let requested = plugin.manifest.requested.clone();
        // What it keeps it keeps in memory; other plugins' tools are not there.
        let values = Arc::new(MemoryStore::new(state::Limits::default()));
        let doors = Doors { values: Some(Arc::new(Door(values))), peers: None, secrets: None };
        let cell = |grant: &Grant| {
            let on_change = Arc::new(|_| {});
            let compiled = plugin.compiled().clone();
            Cell::new(compiled, plugin.name(), grant, requested.clone(), terms.limits.clone(), on_change, doors.clone())
        };
        let bare = cell(&Grant::default());
        let granted = cell(&grant(requested.as_ref(), terms, &scratch)?);
        let tools = plugin.offers.tools.iter().map(|entry| subtool(entry, terms)).collect::<anyhow::Result<_>>()?;
        let limits = terms.limits.clone();
        let mut subject =
            Self { plugin, problems, tools, limits, bare, granted, listening, calls: Vec::new(), _scratch: scratch };
        subject.heard();
        Ok(subject)
    }

    /// All that was said since the last time.
    fn heard(&mut self) -> Vec<Heard> {
        std::iter::from_fn(|| self.listening.try_recv().ok()).collect()
    }

    /// Its lists, read in fresh instances, and how long the longest of them took, in microseconds.
    pub(super) async fn lists(&mut self, place: Where, ahead: Duration) -> (Result<Lists, LoadError>, u64) {
        let cell = if place == Where::Granted { &self.granted } else { &self.bare };
        let lists = cell.lists_at(ahead).await;
        let took = self.heard().iter().map(|heard| heard.number("guest_us") + heard.number("instantiated_us")).max();
        (lists, took.unwrap_or_default())
    }

    /// Calls a tool to its end: whatever it asks for is declined. Returns the place of the record.
    pub(super) async fn call(&mut self, place: Where, tool: usize, what: &str, arguments: &Value) -> usize {
        let Some(entry) = self.tools.get(tool).map(|tool| Arc::clone(&tool.entry)) else { return 0 };
        let mut outcome = self.once(place, &entry, &entry.tool.name, arguments, None).await;
        for _ in 1..ROUNDS {
            let Ok(ToolOutcome::InputRequired(needed)) = &outcome else { break };
            let declined = Continuation { responses: declined(needed), state: needed.state.clone() };
            outcome = self.once(place, &entry, &entry.tool.name, arguments, Some(declined)).await;
        }
        self.record(entry.tool.name.clone(), what, outcome)
    }

    /// Calls a tool that it does not have.
    pub(super) async fn call_unknown(&mut self, name: &str) -> usize {
        let ctx = CallCtx { abilities: ClientAbilities::all(), ..CallCtx::default() };
        let outcome = self.bare.call_tool(name, "{}".to_owned(), ctx).await;
        self.record(name.to_owned(), "a tool it does not have", outcome)
    }

    async fn once(
        &self,
        place: Where,
        entry: &Arc<ToolEntry>,
        name: &str,
        arguments: &Value,
        continuation: Option<Continuation>,
    ) -> Result<ToolOutcome, CallFailure> {
        let ctx = CallCtx {
            request_id: "test".to_owned(),
            abilities: ClientAbilities::all(),
            wants_progress: true,
            continuation,
            ..CallCtx::default()
        };
        match place {
            Where::Bare => self.bare.call_tool(name, arguments.to_string(), ctx).await,
            Where::Granted => self.granted.call_tool(name, arguments.to_string(), ctx).await,
            Where::Host => entry.call(&arguments.to_string(), ctx).await,
        }
    }

    fn record(&mut self, tool: String, what: &str, outcome: Result<ToolOutcome, CallFailure>) -> usize {
        let outcome = outcome.and_then(|outcome| match outcome {
            ToolOutcome::Complete(result) => Ok(result),
            ToolOutcome::InputRequired(_) => {
                Err(CallFailure::Failed("it asks again and again, although the client declines".to_owned()))
            }
        });
        let heard = self.heard();
        self.calls.push(Call { tool, what: what.to_owned(), outcome, heard });
        self.calls.len() - 1
    }
}

fn subtool(entry: &Arc<ToolEntry>, terms: &Terms) -> anyhow::Result<Subtool> {
    let tool = &entry.tool;
    let judge = |text: &str| Schema::new(text, &terms.limits).map_err(anyhow::Error::msg);
    let hints = tool.annotations.as_ref();
    let destroys = hints.is_some_and(|hints| hints.destructive == Some(true) && hints.read_only != Some(true));
    let reaches_out = hints.is_some_and(|hints| hints.open_world == Some(true));
    Ok(Subtool {
        entry: Arc::clone(entry),
        input: serde_json::from_str(&tool.input_schema)?,
        judge: judge(&tool.input_schema)?,
        output: tool.output_schema.as_deref().map(judge).transpose()?,
        called: terms.all || !(destroys || reaches_out),
    })
}

/// What it asks for. The network is only granted where the whole of the plugin is to be tried.
fn grant(requested: Option<&Requested>, terms: &Terms, scratch: &TempDir) -> anyhow::Result<Grant> {
    let mut grant = Grant { env: terms.env.clone(), ..Grant::default() };
    let Some(requested) = requested else { return Ok(grant) };
    for (at, dir) in requested.dirs.iter().enumerate() {
        let host = scratch.path().join(at.to_string());
        std::fs::create_dir(&host).context("a folder for the plugin to work in")?;
        grant.dirs.push(DirGrant { host, guest: dir.example().to_owned(), access: dir.access });
    }
    grant.key_value = requested.key_value.as_ref().map(|_| StoreGrant::default());
    if terms.all {
        grant.hosts = requested.hosts.iter().map(|host| host.pattern.clone()).collect();
    }
    Ok(grant)
}

fn declined(needed: &InputRequired) -> Vec<InputResponse> {
    let answer = |kind: &InputKind| match kind {
        InputKind::Form(_) | InputKind::Url(_) => InputAnswer::Form(FormAnswer::Decline),
        InputKind::Sample(_) => InputAnswer::Failed("the person declined".to_owned()),
        InputKind::Roots => InputAnswer::Roots(Vec::new()),
    };
    needed.requests.iter().map(|it| InputResponse { key: it.key.clone(), answer: answer(&it.kind) }).collect()
}
