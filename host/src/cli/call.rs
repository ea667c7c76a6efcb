//! `toolcell call`.

use super::arguments::{self, Typed};
use super::ask::Answers;
use super::heard::Listening;
use super::source::Sources;
use super::trace::Trace;
use super::{say, tell};
use crate::policy::Principal;
use crate::protocol;
use crate::registry::types::{ClientAbilities, Content, Continuation, Level, ResourceBody, ToolOutcome, ToolResult};
use crate::registry::{CallCtx, CallEvent, CallFailure, ToolEntry};
use crate::sandbox::CallCtx as Ctx;
use anyhow::bail;
use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;

/// How often one call may ask for something, as for a client.
const ROUNDS: usize = 16;

#[derive(Args)]
#[command(
    after_help = "Without PATH and --config, toolcell.toml in the current folder says which plugins there are, with their grants.
Plugins given as PATH get no grants.

Examples:
  toolcell call echo message=hi echo.wasm                 One argument, as name=value
  toolcell call echo '{\"message\":\"hi\"}' echo.wasm         All of them, as JSON
  toolcell call add title=Milk --trace                    What happens meanwhile, and how long it takes
  toolcell call clear --answer confirm='{\"remove\":true}'  Answer what the tool asks for
  toolcell call clear --answer confirm=decline            Say no to it
  toolcell call list state=open --json | jq .structuredContent
  cat arguments.json | toolcell call import -             JSON from standard input

Exit codes: 0 the tool answered, 1 it answered with an error, 2 it could not be called."
)]
pub(super) struct Call {
    /// The tool's name, with its prefix if it has one
    tool: String,

    /// Arguments as NAME=VALUE, or all of them as one JSON object, or - to read that from standard input; then
    /// components or folders of them
    #[arg(value_name = "NAME=VALUE|JSON|PATH")]
    words: Vec<OsString>,

    /// The configuration to use instead of ./toolcell.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Keep plugins' values in this file; instead of `[server] state`
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Print the result as JSON, as an MCP client gets it
    #[arg(long)]
    json: bool,

    /// Show on standard error what happens meanwhile: progress, logs, refusals, requests, stack traces, and times
    #[arg(long)]
    pub(super) trace: bool,

    /// Answer a question of the tool: KEY=JSON with the values of the form, KEY=decline or KEY=cancel. On a terminal, what
    /// is not answered here is asked for
    #[arg(long = "answer", value_name = "KEY=JSON")]
    answers: Vec<String>,
}

pub(super) async fn run(call: Call, listening: Option<Listening>) -> anyhow::Result<ExitCode> {
    let Call { tool, words, config, state, json, trace: _, answers } = call;
    let Typed { arguments, paths } = arguments::read(words)?;
    if !paths.is_empty() && config.is_some() {
        bail!(
            "--config and {} do not go together; leave out one of them",
            paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
        );
    }
    let mut answers = Answers::read(&answers)?;
    let sources = Sources::of(paths, config);
    let settings = sources.settings()?;
    let started = Instant::now();
    let state = Sources::state_beside(&settings, state).await?;
    let host = state.keep_for(sources.host(&settings, None)?).build().await?;
    let mut trace = listening.map(|listening| Trace::new(listening, started));
    let snapshot = host.snapshot();
    for problem in snapshot.problems() {
        tell(&format!("warning: {problem}"));
    }
    let Some(entry) = snapshot.tool(&tool) else {
        let names: Vec<&str> = snapshot.tools().iter().map(|tool| tool.name.as_str()).collect();
        bail!("there is no tool named {tool}; there are: {}", names.join(", "));
    };
    if let Some(trace) = &mut trace {
        trace.loaded(&snapshot);
    }
    let arguments = arguments.into_json(&entry.tool.input_schema)?;
    let caller = settings.local_user.clone();
    let outcome = rounds(entry, &arguments, caller, &mut answers, trace.as_mut()).await?;
    if let Some(trace) = trace {
        trace.end();
    }
    match outcome {
        Ok(result) => {
            if json {
                say(&protocol::result_as_json(&result)?)?;
            } else {
                show(&result)?;
            }
            Ok(if result.is_error { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Err(failure @ CallFailure::Internal(_)) => bail!("{failure}"),
        Err(failure) => {
            if json {
                say(&protocol::failure_as_json(&failure.to_string())?)?;
            } else {
                tell(&failure.to_string());
            }
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Calls until the tool is done, answering what it asks for in between.
async fn rounds(
    entry: &Arc<ToolEntry>,
    arguments: &str,
    caller: Option<Arc<Principal>>,
    answers: &mut Answers,
    mut trace: Option<&mut Trace>,
) -> anyhow::Result<Result<ToolResult, CallFailure>> {
    let mut continuation = None;
    for round in 1..=ROUNDS {
        match once(entry, arguments, caller.clone(), continuation.take(), round, trace.as_deref_mut()).await {
            Ok(ToolOutcome::Complete(result)) => return Ok(Ok(result)),
            Err(failure) => return Ok(Err(failure)),
            Ok(ToolOutcome::InputRequired(needed)) => {
                let responses = answers.to(&entry.name, &needed.requests)?;
                continuation = Some(Continuation { responses, state: needed.state });
            }
        }
    }
    bail!("{} asked for input {ROUNDS} times in one call and has no result yet", entry.name)
}

async fn once(
    entry: &Arc<ToolEntry>,
    arguments: &str,
    caller: Option<Arc<Principal>>,
    continuation: Option<Continuation>,
    round: usize,
    mut trace: Option<&mut Trace>,
) -> Result<ToolOutcome, CallFailure> {
    let (events, mut heard) = mpsc::channel(256);
    let ctx = Ctx {
        request_id: format!("cli-{round}"),
        caller,
        wants_progress: true,
        log_level: trace.as_ref().map(|_| Level::Debug),
        abilities: ClientAbilities::all(),
        events: Some(events),
        continuation,
        ..CallCtx::default()
    };
    let call = entry.call(arguments, ctx);
    tokio::pin!(call);
    loop {
        tokio::select! {
            biased;
            Some(event) = heard.recv() => match (&mut trace, event) {
                (Some(trace), event) => trace.event(&event),
                (None, CallEvent::Progress { progress, total, message }) => {
                    let total = total.map_or_else(String::new, |total| format!("/{total}"));
                    tell(&format!("{progress}{total} {}", message.unwrap_or_default()));
                }
                (None, CallEvent::Log { .. }) => {}
            },
            () = async { match &mut trace { Some(trace) => trace.heard().await, None => std::future::pending().await } } => {}
            outcome = &mut call => {
                if let Some(trace) = trace {
                    trace.catch_up();
                }
                return outcome;
            }
        }
    }
}

fn show(result: &ToolResult) -> anyhow::Result<()> {
    for content in &result.content {
        match content {
            Content::Text(text) => say(&text.text)?,
            Content::Image(media) => say(&format!("[image {}, {} bytes]", media.mime_type, media.data.len()))?,
            Content::Audio(media) => say(&format!("[audio {}, {} bytes]", media.mime_type, media.data.len()))?,
            Content::ResourceLink(info) => say(&format!("[link {}]", info.uri))?,
            Content::Resource(resource) => match &resource.contents.body {
                ResourceBody::Text(text) => say(&format!("[{}]\n{text}", resource.contents.uri))?,
                ResourceBody::Blob(bytes) => say(&format!("[{}, {} bytes]", resource.contents.uri, bytes.len()))?,
            },
        }
    }
    match &result.structured {
        Some(structured) if result.content.is_empty() => say(structured),
        _ => Ok(()),
    }
}
