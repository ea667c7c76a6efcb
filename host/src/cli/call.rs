//! `toolcell call`.

use super::{Call, say, tell};
use crate::registry::types::{Content, ResourceBody, ToolOutcome, ToolResult};
use crate::registry::{CallCtx, CallEvent, CallFailure};
use anyhow::bail;
use std::io::Read;
use std::process::ExitCode;
use tokio::sync::mpsc;

pub(super) async fn run(call: Call) -> anyhow::Result<ExitCode> {
    let Call { tool, arguments, sources } = call;
    let arguments =
        if arguments == "-" { std::io::read_to_string(std::io::stdin().take(64 << 20))? } else { arguments };
    let settings = sources.settings()?;
    let host = sources.host(&settings, None)?.build().await?;
    let snapshot = host.snapshot();
    for problem in snapshot.problems() {
        tell(&format!("warning: {problem}"));
    }
    if snapshot.tool(&tool).is_none() {
        let names: Vec<&str> = snapshot.tools().iter().map(|tool| tool.name.as_str()).collect();
        bail!("there is no tool named {tool}; there are: {}", names.join(", "));
    }
    let (events, mut heard) = mpsc::channel(64);
    let ctx =
        CallCtx { request_id: "cli".to_owned(), wants_progress: true, events: Some(events), ..CallCtx::default() };
    let listening = async {
        while let Some(event) = heard.recv().await {
            if let CallEvent::Progress { progress, total, message } = event {
                let total = total.map_or_else(String::new, |total| format!("/{total}"));
                tell(&format!("{progress}{total} {}", message.unwrap_or_default()));
            }
        }
    };
    let (outcome, ()) = tokio::join!(host.call_tool(&tool, &arguments, ctx), listening);
    match outcome {
        Ok(ToolOutcome::Complete(result)) => {
            show(&result)?;
            Ok(if result.is_error { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Ok(ToolOutcome::InputRequired(_)) => {
            bail!("{tool} asks for input that only an MCP client can give; serve it instead")
        }
        Err(failure @ CallFailure::Internal(_)) => bail!("{failure}"),
        Err(failure) => {
            tell(&failure.to_string());
            Ok(ExitCode::FAILURE)
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
