//! `tools/call`. Source: 2026-07-28, server, "Calling Tools"; patterns, "Progress".

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::value::RawValue;
use tokio::sync::mpsc;

use crate::protocol::error::Error;
use crate::protocol::input::{self, Asked};
use crate::protocol::jsonrpc::{Id, Request, text};
use crate::protocol::lifecycle::{Rules, Terms, gravity};
use crate::protocol::reply::{Reply, notification};
use crate::protocol::types::{Completed, LogMessage, Progress};
use crate::protocol::{Scope, Server};
use crate::registry::types::{
    Caller, Content, Continuation, Level, TextContent, ToolOutcome, ToolResult, TraceContext,
};
use crate::registry::{CallCtx, CallEvent, CallFailure, ToolEntry};

/// Reports of one call that may wait to be passed on. The cell drops what does not fit, so there is room for a burst; it
/// also keeps the rate down.
const EVENTS: usize = 256;

/// How often one call may ask a client of the handshake era for something, so that a plugin cannot ask for ever.
const ROUNDS: usize = 16;

/// Whether the client gave a progress token.
pub(in crate::protocol) fn wants_progress(request: &Request<'_>) -> bool {
    request.meta.get("progressToken").is_some()
}

pub(in crate::protocol) async fn tools_call(
    server: &Server,
    request: &Request<'_>,
    terms: Terms,
    scope: &Scope,
) -> Result<Option<Reply>, Error> {
    let name = request.params.required_text("name")?;
    let arguments = arguments(request)?;
    let snapshot = server.registry.snapshot();
    let tool = Arc::clone(snapshot.tool(&name).ok_or_else(|| Error::UnknownTool(name.clone().into_owned()))?);
    // A call may run for long; it must keep its own tool and not the whole list it came from.
    drop(snapshot);

    let call = Call { server, request, scope, terms, tool: &tool, arguments, token: progress_token(request)? };
    let mut continuation = match scope.rules {
        Rules::PerRequest => input::resume(server, request, call.bond())?,
        _ => None,
    };
    for _ in 0..ROUNDS {
        let outcome = match call.run(continuation.take()).await {
            None | Some(Err(CallFailure::Cancelled)) => return Ok(None),
            Some(outcome) => outcome,
        };
        let needed = match outcome {
            Ok(ToolOutcome::Complete(result)) => return call.complete(&result).map(Some),
            Ok(ToolOutcome::InputRequired(needed)) => needed,
            Err(failure) => return call.failed(failure).map(Some),
        };
        let Rules::Session(session) = &scope.rules else {
            return input::ask_in_result(server, request, &call.terms, call.bond(), &needed).map(Some);
        };
        match input::ask_on_stream(session, scope, needed).await {
            Asked::Answered(answers) => continuation = Some(answers),
            Asked::Cancelled => return Ok(None),
            Asked::Impossible(why) => return call.tool_error(&why).map(Some),
        }
    }
    call.tool_error("the tool asked for input too many times in one call").map(Some)
}

/// The arguments as they came; none means an empty object.
fn arguments<'a>(request: &Request<'a>) -> Result<&'a str, Error> {
    match request.params.get("arguments").map(RawValue::get) {
        None => Ok("{}"),
        Some(text) if text.starts_with('{') => Ok(text),
        Some(_) => Err(Error::InvalidParams("`arguments` must be an object".to_owned())),
    }
}

fn progress_token<'a>(request: &Request<'a>) -> Result<Option<&'a RawValue>, Error> {
    let Some(token) = request.meta.get("progressToken") else { return Ok(None) };
    match Id::read(token) {
        Some(_) => Ok(Some(token)),
        None => Err(Error::InvalidParams("`progressToken` must be a string or an integer".to_owned())),
    }
}

struct Call<'a> {
    server: &'a Server,
    request: &'a Request<'a>,
    scope: &'a Scope,
    terms: Terms,
    tool: &'a ToolEntry,
    arguments: &'a str,
    token: Option<&'a RawValue>,
}

impl<'a> Call<'a> {
    /// Runs the tool once; none if the client cancelled.
    async fn run(&self, continuation: Option<Continuation>) -> Option<Result<ToolOutcome, CallFailure>> {
        let cancelled = self.scope.cancel.cancelled();
        let (events, mut reported) = match self.reports() {
            true => {
                let (events, reported) = mpsc::channel(EVENTS);
                (Some(events), Some(reported))
            }
            false => (None, None),
        };
        let call = self.tool.call(self.arguments, self.ctx(events, continuation));
        let work = async {
            tokio::pin!(call);
            loop {
                tokio::select! {
                    biased;
                    Some(event) = next(&mut reported) => self.report(event).await,
                    outcome = &mut call => {
                        // What the guest said before it ended belongs before the answer.
                        while let Some(Ok(event)) = reported.as_mut().map(mpsc::Receiver::try_recv) {
                            self.report(event).await;
                        }
                        return outcome;
                    }
                }
            }
        };
        tokio::select! {
            biased;
            () = cancelled => None,
            outcome = work => Some(outcome),
        }
    }

    fn reports(&self) -> bool {
        self.token.is_some() || self.terms.log_level.is_some()
    }

    fn ctx(&self, events: Option<mpsc::Sender<CallEvent>>, continuation: Option<Continuation>) -> CallCtx {
        let caller = self.scope.principal.as_deref();
        CallCtx {
            request_id: self.request.id.to_string(),
            caller: caller.map(|it| Caller { principal: it.id.clone(), claims: it.claims.clone() }),
            client: self.terms.client.clone(),
            abilities: self.terms.abilities,
            trace: self.trace(),
            meta: self.request.meta_text().to_owned(),
            wants_progress: self.token.is_some(),
            log_level: self.terms.log_level,
            events,
            cancel: self.scope.cancel.clone(),
            continuation,
        }
    }

    fn trace(&self) -> Option<TraceContext> {
        let member = |name| self.request.meta.get(name).and_then(text).map(Cow::into_owned);
        Some(TraceContext {
            traceparent: member("traceparent")?,
            tracestate: member("tracestate"),
            baggage: member("baggage"),
        })
    }

    /// Passes on what the guest reports, as far as the client asked for it.
    async fn report(&self, event: CallEvent) {
        let revision = self.terms.revision;
        let message = match (&event, self.token) {
            (CallEvent::Progress { progress, total, message }, Some(token)) if progress.is_finite() => {
                let (total, message) = (*total, message.as_deref());
                let params = Progress { token, progress: *progress, total, message, revision };
                notification("notifications/progress", Some(params))
            }
            (CallEvent::Log { level, logger, data }, _) if self.wants_log(*level) => {
                let params = LogMessage { level: *level, logger: logger.as_deref(), data };
                notification("notifications/message", Some(params))
            }
            _ => None,
        };
        self.scope.notes.send(message).await;
    }

    fn wants_log(&self, level: Level) -> bool {
        self.terms.log_level.is_some_and(|least| gravity(level) >= gravity(least))
    }

    fn complete(&self, result: &ToolResult) -> Result<Reply, Error> {
        let server = self.server.identity.in_results(self.terms.revision);
        let completed = Completed { result, revision: self.terms.revision, server };
        Reply::success(&self.request.id, completed).or_else(|error| {
            tracing::warn!(plugin = self.tool.plugin, tool = self.tool.name, %error, "the result is not JSON where it must be");
            self.tool_error("the tool returned text that is not JSON where JSON belongs; this is a fault of the plugin")
        })
    }

    fn failed(&self, failure: CallFailure) -> Result<Reply, Error> {
        match failure {
            CallFailure::InvalidArguments(why) | CallFailure::Failed(why) => self.tool_error(&why),
            CallFailure::NotFound(what) => Err(Error::UnknownTool(what)),
            CallFailure::Cancelled | CallFailure::Internal(_) => Err(Error::Internal),
        }
    }

    /// A failure the model can read.
    fn tool_error(&self, why: &str) -> Result<Reply, Error> {
        let text = TextContent { text: why.to_owned(), annotations: None, meta: None };
        let result = ToolResult { content: vec![Content::Text(text)], structured: None, is_error: true, meta: None };
        let server = self.server.identity.in_results(self.terms.revision);
        super::written(Reply::success(
            &self.request.id,
            Completed { result: &result, revision: self.terms.revision, server },
        ))
    }

    /// What a continuation of this call is bound to.
    fn bond(&self) -> input::Bond<'a> {
        let principal = self.scope.principal.as_deref();
        input::Bond { principal: principal.map(|it| it.id.as_str()), tool: &self.tool.name, arguments: self.arguments }
    }
}

/// The next report; none, and never asked again by `select!`, where there can be none.
async fn next(reported: &mut Option<mpsc::Receiver<CallEvent>>) -> Option<CallEvent> {
    reported.as_mut()?.recv().await
}
