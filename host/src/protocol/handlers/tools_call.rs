//! `tools/call`. Source: 2026-07-28, server, "Calling Tools"; the tasks extension, "Task Creation".

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

use super::guest_call::{End, GuestCall, Round};
use crate::protocol::error::Error;
use crate::protocol::jsonrpc::Request;
use crate::protocol::lifecycle::{Rules, Terms};
use crate::protocol::reply::Reply;
use crate::protocol::tasks::{Begun, Origin, Shown, pending_of};
use crate::protocol::types::Completed;
use crate::protocol::{Scope, Server};
use crate::registry::types::{Content, TextContent, ToolOutcome, ToolResult};
use crate::registry::{CallCtx, CallFailure, TaskRule, ToolEntry};

pub(in crate::protocol) async fn tools_call(
    server: &Server,
    request: &Request<'_>,
    terms: &Terms,
    scope: &Scope,
) -> Result<Option<Reply>, Error> {
    let name = request.params.required_text("name")?;
    let arguments = arguments(request)?;
    let snapshot = server.registry.snapshot();
    let tool = Arc::clone(snapshot.tool(&name).ok_or_else(|| Error::UnknownTool(name.clone().into_owned()))?);
    // A call may run for long; it must keep its own tool and not the whole list it came from.
    drop(snapshot);
    let call = GuestCall::new(server, request, scope, terms, &tool.name, arguments)?;
    if let Err(failure) = tool.may_be_used_by(scope.principal.as_deref()) {
        return failed(&call, failure).map(Some);
    }
    if matches!(scope.rules, Rules::PerRequest) {
        let first = request.params.get("requestState").is_none();
        match tool.task {
            TaskRule::Required if !terms.tasks => return Err(Error::NeedsTasks),
            // What it asks for first is asked for on the call itself, as if there were no tasks.
            _ if !terms.tasks || (tool.asks_first && first) => {}
            TaskRule::Never => {}
            TaskRule::Required | TaskRule::Optional => return as_task(&call, &tool, None).await.map(Some),
            TaskRule::After(time) => return as_task_after(&call, &tool, time).await,
        }
    }
    let end = call.run(|ctx| async { tool.call(arguments, ctx).await.map(round) }).await?;
    answer(&call, end)
}

fn answer(call: &GuestCall<'_>, end: End<ToolResult>) -> Result<Option<Reply>, Error> {
    match end {
        End::Complete(result) => complete(call, &result).map(Some),
        End::Asks(reply) => Ok(Some(reply)),
        End::Failed(failure) => failed(call, failure).map(Some),
        End::Cancelled => Ok(None),
    }
}

/// Makes the call a task and answers with its handle.
async fn as_task(call: &GuestCall<'_>, tool: &Arc<ToolEntry>, begun: Option<Begun>) -> Result<Reply, Error> {
    let tasks = &call.server.tasks;
    let origin = Origin::of(&call.ctx(None, None, CancellationToken::new()));
    let pending = call.continuation()?.map(|given| pending_of(call.request, &given)).transpose()?;
    let record = tasks.create(tool, call.bond.arguments, &origin, pending, begun).await?;
    super::written(Reply::success(&call.request.id, tasks.view(&record, Shown::Created)))
}

/// Waits for the result for some time; a call that takes longer goes on as a task.
async fn as_task_after(call: &GuestCall<'_>, tool: &Arc<ToolEntry>, time: Duration) -> Result<Option<Reply>, Error> {
    let cancel = CancellationToken::new();
    let (events, reported) = call.reports();
    let ctx = CallCtx { is_task: true, ..call.ctx(events, call.continuation()?, cancel.clone()) };
    let (entry, arguments) = (Arc::clone(tool), call.bond.arguments.to_owned());
    let mut running = tokio::spawn(async move { entry.call(&arguments, ctx).await });
    // A client that leaves before there is a task ends the call, and so does a task that cannot be kept.
    let cancel = cancel.drop_guard();
    let outcome = tokio::select! {
        biased;
        () = call.scope.cancel.cancelled() => return Ok(None),
        outcome = call.attend(&mut running, reported) => outcome,
        () = tokio::time::sleep(time) => {
            return as_task(call, tool, Some(Begun { call: running, cancel })).await.map(Some);
        }
    };
    let end = match outcome.unwrap_or_else(|_| Err(CallFailure::Internal("the call panicked".to_owned()))) {
        Ok(ToolOutcome::Complete(result)) => End::Complete(result),
        Ok(ToolOutcome::InputRequired(needed)) => End::Asks(call.ask(&needed)?),
        Err(CallFailure::Cancelled) => End::Cancelled,
        Err(failure) => End::Failed(failure),
    };
    answer(call, end)
}

pub(super) fn round(outcome: ToolOutcome) -> Round<ToolResult> {
    match outcome {
        ToolOutcome::Complete(result) => Round::Complete(result),
        ToolOutcome::InputRequired(needed) => Round::InputRequired(needed),
    }
}

/// The arguments as they came; none means an empty object.
fn arguments<'a>(request: &Request<'a>) -> Result<&'a str, Error> {
    match request.params.get("arguments").map(RawValue::get) {
        None => Ok("{}"),
        Some(text) if text.starts_with('{') => Ok(text),
        Some(_) => Err(Error::InvalidParams("`arguments` must be an object".to_owned())),
    }
}

fn complete(call: &GuestCall<'_>, result: &ToolResult) -> Result<Reply, Error> {
    let completed = Completed { result, frame: call.frame() };
    Reply::success(&call.request.id, completed).or_else(|error| {
        tracing::warn!(tool = call.bond.subject, %error, "the result is not JSON where it must be");
        tool_error(call, "the tool returned text that is not JSON where JSON belongs; this is a fault of the plugin")
    })
}

fn failed(call: &GuestCall<'_>, failure: CallFailure) -> Result<Reply, Error> {
    match failure {
        CallFailure::InvalidArguments(why) | CallFailure::Failed(why) => tool_error(call, &why),
        CallFailure::NotFound(what) => Err(Error::UnknownTool(what)),
        failure @ (CallFailure::NeedsScopes(_) | CallFailure::Limited { .. }) => Err(call.error(failure)),
        CallFailure::Cancelled | CallFailure::Internal(_) => Err(Error::Internal),
    }
}

fn tool_error(call: &GuestCall<'_>, why: &str) -> Result<Reply, Error> {
    let result = error_result(why);
    super::written(Reply::success(&call.request.id, Completed { result: &result, frame: call.frame() }))
}

/// A failure the model can read.
pub(in crate::protocol) fn error_result(why: &str) -> ToolResult {
    let text = TextContent { text: why.to_owned(), annotations: None, meta: None };
    ToolResult { content: vec![Content::Text(text)], structured: None, is_error: true, meta: None }
}
