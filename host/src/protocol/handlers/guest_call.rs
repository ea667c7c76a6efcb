//! One request that a guest answers: what it brings into the cell, what it reports meanwhile, and the rounds in which it
//! asks its client for more. Source: 2026-07-28, patterns, "Progress", "Multi Round-Trip Requests".

use std::borrow::Cow;

use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::protocol::error::Error;
use crate::protocol::input::{self, Asked, Bond};
use crate::protocol::jsonrpc::{Id, Request, text};
use crate::protocol::lifecycle::{Rules, Terms, gravity};
use crate::protocol::reply::{Reply, notification};
use crate::protocol::types::{Frame, LogMessage, Progress};
use crate::protocol::{Scope, Server};
use crate::registry::types::{Continuation, InputRequired, Level, TraceContext};
use crate::registry::{CallCtx, CallEvent, CallFailure, Route};

/// Reports of one call that may wait to be passed on. The cell drops what does not fit, so there is room for a burst; it
/// also keeps the rate down.
const EVENTS: usize = 256;

/// How often one call may ask a client of the handshake era for something, so that a plugin cannot ask for ever.
const ROUNDS: usize = 16;

/// Whether the client gave a progress token.
pub(in crate::protocol) fn wants_progress(request: &Request<'_>) -> bool {
    request.meta.get("progressToken").is_some()
}

/// How one entry into the guest ended, if it did not fail.
pub(super) enum Round<T> {
    /// It is done.
    Complete(T),
    /// It needs more from the client.
    InputRequired(InputRequired),
}

/// How the whole call ended.
pub(super) enum End<T> {
    /// With a result.
    Complete(T),
    /// With a request for input, which is an answer of its own.
    Asks(Reply),
    /// Without a result; the text of the failure is for the caller.
    Failed(CallFailure),
    /// The client wants no answer any more.
    Cancelled,
}

pub(super) struct GuestCall<'a> {
    pub(super) server: &'a Server,
    pub(super) request: &'a Request<'a>,
    pub(super) scope: &'a Scope,
    pub(super) terms: &'a Terms,
    /// What a continuation of this call is bound to.
    pub(super) bond: Bond<'a>,
    token: Option<&'a RawValue>,
}

impl<'a> GuestCall<'a> {
    /// `subject` is what is called, by the name clients know it by; `arguments` is the text of a JSON object.
    ///
    /// # Errors
    /// [`Error::InvalidParams`] for a progress token that is none.
    pub(super) fn new(
        server: &'a Server,
        request: &'a Request<'a>,
        scope: &'a Scope,
        terms: &'a Terms,
        subject: &'a str,
        arguments: &'a str,
    ) -> Result<Self, Error> {
        let principal = scope.principal.as_deref().map(|it| it.id.as_str());
        let bond = Bond { method: &request.method, principal, subject, arguments };
        Ok(Self { server, request, scope, terms, bond, token: progress_token(request)? })
    }

    /// What the call brings along from an earlier round.
    ///
    /// # Errors
    /// [`Error::InvalidParams`] for a state that is not of this call.
    pub(super) fn continuation(&self) -> Result<Option<Continuation>, Error> {
        match self.scope.rules {
            Rules::PerRequest => input::resume(self.server, self.request, self.bond),
            _ => Ok(None),
        }
    }

    /// Runs the guest until it is done, asking the client in between as its era wants to be asked.
    ///
    /// # Errors
    /// As for [`GuestCall::continuation`], and [`Error::MissingCapability`] if the guest needs what the client has not.
    pub(super) async fn run<T, F>(&self, enter: impl Fn(CallCtx) -> F) -> Result<End<T>, Error>
    where
        F: Future<Output = Result<Round<T>, CallFailure>>,
    {
        let mut continuation = self.continuation()?;
        for _ in 0..ROUNDS {
            let needed = match self.enter(&enter, continuation.take()).await {
                None | Some(Err(CallFailure::Cancelled)) => return Ok(End::Cancelled),
                Some(Err(failure)) => return Ok(End::Failed(failure)),
                Some(Ok(Round::Complete(result))) => return Ok(End::Complete(result)),
                Some(Ok(Round::InputRequired(needed))) => needed,
            };
            let Rules::Session(session) = &self.scope.rules else { return self.ask(&needed).map(End::Asks) };
            match input::ask_on_stream(session, self.scope, needed).await {
                Asked::Answered(answers) => continuation = Some(answers),
                Asked::Cancelled => return Ok(End::Cancelled),
                Asked::Impossible(why) => return Ok(End::Failed(CallFailure::Failed(why))),
            }
        }
        Ok(End::Failed(CallFailure::Failed("it asked for input too many times in one call".to_owned())))
    }

    /// "Not yet", for a client that calls again.
    pub(super) fn ask(&self, needed: &InputRequired) -> Result<Reply, Error> {
        input::ask_in_result(self.server, self.request, self.terms, self.bond, needed)
    }

    /// One entry into the guest; none if the client cancelled.
    async fn enter<T, F>(
        &self,
        enter: &impl Fn(CallCtx) -> F,
        continuation: Option<Continuation>,
    ) -> Option<Result<Round<T>, CallFailure>>
    where
        F: Future<Output = Result<Round<T>, CallFailure>>,
    {
        let (events, reported) = self.reports();
        let call = enter(self.ctx(events, continuation, self.scope.cancel.clone()));
        let cancelled = self.scope.cancel.cancelled();
        tokio::select! {
            biased;
            () = cancelled => None,
            outcome = self.attend(call, reported) => Some(outcome),
        }
    }

    /// A channel for what the guest reports, if anyone wants to hear it.
    pub(super) fn reports(&self) -> (Option<mpsc::Sender<CallEvent>>, Option<mpsc::Receiver<CallEvent>>) {
        if self.token.is_none() && self.terms.log_level.is_none() {
            return (None, None);
        }
        let (events, reported) = mpsc::channel(EVENTS);
        (Some(events), Some(reported))
    }

    /// Waits for `call` and passes on what it reports meanwhile.
    pub(super) async fn attend<T>(
        &self,
        call: impl Future<Output = T>,
        mut reported: Option<mpsc::Receiver<CallEvent>>,
    ) -> T {
        tokio::pin!(call);
        loop {
            tokio::select! {
                biased;
                Some(event) = next(&mut reported) => {
                    // A client that is slow to read must not stop the guest's clocks.
                    let report = self.report(event);
                    tokio::pin!(report);
                    tokio::select! {
                        biased;
                        () = &mut report => {}
                        outcome = &mut call => {
                            report.await;
                            self.report_rest(reported).await;
                            return outcome;
                        }
                    }
                }
                outcome = &mut call => {
                    self.report_rest(reported).await;
                    return outcome;
                }
            }
        }
    }

    /// What the guest said before it ended belongs before the answer.
    async fn report_rest(&self, mut reported: Option<mpsc::Receiver<CallEvent>>) {
        while let Some(Ok(event)) = reported.as_mut().map(mpsc::Receiver::try_recv) {
            self.report(event).await;
        }
    }

    pub(super) fn ctx(
        &self,
        events: Option<mpsc::Sender<CallEvent>>,
        continuation: Option<Continuation>,
        cancel: CancellationToken,
    ) -> CallCtx {
        CallCtx {
            request_id: self.request.id.to_string(),
            caller: self.scope.principal.clone(),
            client: self.terms.client.clone(),
            abilities: self.terms.abilities,
            trace: self.trace(),
            meta: self.request.meta_text().to_owned(),
            wants_progress: self.token.is_some(),
            log_level: self.terms.log_level,
            events,
            cancel,
            continuation,
            route: Route { protocol: Some(self.terms.revision.as_str()), ..self.scope.route.clone() },
            ..CallCtx::default()
        }
    }

    /// The trace of the message; that of the request which carried it if it names none.
    fn trace(&self) -> Option<TraceContext> {
        let member = |name| self.request.meta.get(name).and_then(text).map(Cow::into_owned);
        match member("traceparent") {
            None => self.scope.route.trace.clone(),
            Some(traceparent) => {
                Some(TraceContext { traceparent, tracestate: member("tracestate"), baggage: member("baggage") })
            }
        }
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

    /// What goes around the result.
    pub(super) fn frame(&self) -> Frame<'a> {
        let revision = self.terms.revision;
        Frame { revision, server: self.server.identity.in_results(revision) }
    }

    /// A result, unless the plugin put something into it that is not JSON where it must be.
    pub(super) fn written(&self, reply: Result<Reply, serde_json::Error>) -> Result<Reply, Error> {
        reply.map_err(|error| {
            tracing::warn!(subject = self.bond.subject, %error, "the result is not JSON where it must be");
            Error::Failed("the plugin returned text that is not JSON where JSON belongs; this is its fault".to_owned())
        })
    }

    /// The error for a call that is not a tool's: there is no result for the model to read.
    pub(super) fn error(&self, failure: CallFailure) -> Error {
        match failure {
            CallFailure::InvalidArguments(why) | CallFailure::NotFound(why) => Error::InvalidParams(why),
            CallFailure::Failed(why) => Error::Failed(why),
            CallFailure::NeedsScopes(scopes) => Error::NeedsScopes(scopes),
            CallFailure::Limited { why, retry_after } => Error::Limited { why, retry_after },
            CallFailure::Cancelled | CallFailure::Internal(_) => Error::Internal,
        }
    }
}

fn progress_token<'a>(request: &Request<'a>) -> Result<Option<&'a RawValue>, Error> {
    let Some(token) = request.meta.get("progressToken") else { return Ok(None) };
    match Id::read(token) {
        Some(_) => Ok(Some(token)),
        None => Err(Error::InvalidParams("`progressToken` must be a string or an integer".to_owned())),
    }
}

/// The next report; none, and never asked again by `select!`, where there can be none.
async fn next(reported: &mut Option<mpsc::Receiver<CallEvent>>) -> Option<CallEvent> {
    reported.as_mut()?.recv().await
}
