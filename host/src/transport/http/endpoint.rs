//! One HTTP request, from its head to its answer.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures_util::future::join_all;
use futures_util::stream;
use http::header::{ALLOW, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::body::{self, Body, Unread};
use super::exchange::{Exchange, Step};
use super::session::InUse;
use super::{Service, Shared, answers, cors, headers, sse};
use crate::protocol::{
    self, Class, Error, InFlight, Incoming, Message, Notes, Notification, Principal, Rejected, Reply, Request,
    Revision, Rules, Scope,
};
use crate::transport::channel::answer;

pub(super) async fn respond<B>(service: &Service, request: http::Request<B>) -> Response<Body>
where
    B: http_body::Body<Data: Buf + Send> + Send,
{
    let (head, body) = request.into_parts();
    if let Some(path) = service.path.as_deref()
        && head.uri.path().trim_end_matches('/') != path
    {
        return answers::text(StatusCode::NOT_FOUND, format!("nothing is here; the MCP endpoint is {path}\n"));
    }
    let shared = &service.shared;
    if let Err(refusal) = cors::let_in(&shared.gate, &head) {
        tracing::warn!(%refusal, "request refused");
        return answers::text(StatusCode::FORBIDDEN, format!("{refusal}\n"));
    }
    let response = match head.method {
        Method::POST => post(shared, &head, body).await,
        Method::GET => get(shared, &head),
        Method::DELETE => delete(shared, &head),
        Method::OPTIONS => return cors::preflight(&head),
        _ => not_allowed("GET, POST, DELETE, OPTIONS"),
    };
    cors::readable(&head, response)
}

/// Who asks, if whoever stands before this service has found out.
fn principal(head: &Parts) -> Option<Arc<Principal>> {
    head.extensions.get::<Arc<Principal>>().cloned()
}

fn not_allowed(instead: &'static str) -> Response<Body> {
    let mut response = answers::text(StatusCode::METHOD_NOT_ALLOWED, "this method is not offered here\n".to_owned());
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(instead));
    response
}

fn refuse(status: StatusCode, error: &Error) -> Response<Body> {
    answers::json(status, Reply::failure(None, error).bytes)
}

fn bad_request(text: &str) -> Response<Body> {
    refuse(StatusCode::BAD_REQUEST, &Error::InvalidRequest(text.to_owned()))
}

/// Whether the head speaks of a revision whose requests stand alone.
fn stands_alone(head: &Parts) -> bool {
    let version = headers::one(&head.headers, headers::PROTOCOL_VERSION.as_str()).ok().flatten();
    version.and_then(Revision::parse).is_some_and(Revision::is_per_request)
}

async fn post<B>(shared: &Arc<Shared>, head: &Parts, body: B) -> Response<Body>
where
    B: http_body::Body<Data: Buf + Send> + Send,
{
    if !headers::is_json(&head.headers) {
        let text = "`Content-Type` must be application/json\n";
        return answers::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, text.to_owned());
    }
    if !headers::accepts(&head.headers, answers::JSON) || !headers::accepts(&head.headers, answers::EVENTS) {
        let text = "`Accept` must list application/json and text/event-stream\n";
        return answers::text(StatusCode::NOT_ACCEPTABLE, text.to_owned());
    }
    let limits = &shared.limits;
    let bytes = match tokio::time::timeout(limits.body_time, body::read(body, limits.message_bytes)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(Unread::TooLong)) => {
            let error =
                Error::InvalidRequest(format!("a message must not be longer than {} bytes", limits.message_bytes));
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, &error);
        }
        Ok(Err(Unread::Broken)) => return bad_request("the body ended early"),
        Err(_) => {
            return refuse(StatusCode::REQUEST_TIMEOUT, &Error::InvalidRequest("the body came too slowly".to_owned()));
        }
    };
    match protocol::read(&bytes) {
        Ok(Incoming::One(Message::Request(request))) => take_request(shared, head, &request, &bytes).await,
        Ok(Incoming::One(Message::Notification(notification))) => take_notification(shared, head, &notification),
        Ok(Incoming::One(Message::Response(response))) => match session(shared, head) {
            Ok(session) => {
                session.session.answered(&response);
                answers::accepted()
            }
            Err(refusal) => *refusal,
        },
        Ok(Incoming::Batch(members)) => {
            let members = members.iter().map(|member| bytes.slice_ref(member.get().as_bytes())).collect();
            take_batch(shared, head, members).await
        }
        Err(Rejected { id, error }) => {
            answers::json(StatusCode::BAD_REQUEST, Reply::failure(id.as_ref(), &error).bytes)
        }
    }
}

async fn take_request(shared: &Arc<Shared>, head: &Parts, request: &Request<'_>, bytes: &Bytes) -> Response<Body> {
    if request.stands_alone() {
        return alone(shared, head, request, bytes).await;
    }
    if request.method == "initialize" {
        return initialize(shared, head, request);
    }
    let fail = |error| answers::json(StatusCode::BAD_REQUEST, Reply::failure(Some(&request.id), &error).bytes);
    if stands_alone(head) {
        // The head promises what the body does not hold; answering says what is missing.
        return alone(shared, head, request, bytes).await;
    }
    if !head.headers.contains_key(headers::SESSION_ID) {
        return match headers::one(&head.headers, headers::PROTOCOL_VERSION.as_str()) {
            Err(error) => fail(error),
            Ok(Some(version)) if Revision::parse(version).is_none() => {
                fail(Error::UnsupportedVersion(version.to_owned()))
            }
            Ok(_) => match protocol::lifecycle::terms(request, &Rules::Unopened) {
                Err(error) => fail(error),
                Ok(_) => fail(Error::Internal),
            },
        };
    }
    match session(shared, head) {
        Ok(session) => in_session(shared, head, session, request, bytes).await,
        Err(refusal) => *refusal,
    }
}

/// A request of the era in which each stands alone. Dropping the future, or the stream it may return, ends it.
async fn alone(shared: &Arc<Shared>, head: &Parts, request: &Request<'_>, bytes: &Bytes) -> Response<Body> {
    if let Err(mismatch) = headers::check(&head.headers, request, &shared.server) {
        // What is missing from the body comes first: it is what the headers would have to repeat.
        let error = match protocol::lifecycle::terms(request, &Rules::PerRequest) {
            Err(error @ Error::Malformed(_)) => error,
            _ => mismatch,
        };
        return answers::reply(Reply::failure(Some(&request.id), &error));
    }
    let mut scope = Scope {
        rules: Rules::PerRequest,
        principal: principal(head),
        cancel: CancellationToken::new(),
        closing: shared.shutdown.clone(),
        notes: Notes::none(),
    };
    if !shared.server.may_notify(request, &scope.rules) {
        let reply = shared.server.answer(request, &scope).await;
        return reply.map_or_else(answers::silence, answers::reply);
    }
    let (notes, told) = mpsc::channel(shared.limits.outbox);
    scope.notes = Notes::to(notes);
    let mut exchange = Exchange::new(answer(Arc::clone(&shared.server), bytes.clone(), scope), Some(told));
    match exchange.next().await {
        Step::Note(first) => answers::events(sse::of_exchange(exchange, first, shared.limits.keep_alive)),
        Step::Done(Some(reply)) => answers::reply(reply),
        Step::Done(None) => answers::silence(),
    }
}

fn initialize(shared: &Arc<Shared>, head: &Parts, request: &Request<'_>) -> Response<Body> {
    let fail = |status, error| answers::json(status, Reply::failure(Some(&request.id), &error).bytes);
    if head.headers.contains_key(headers::SESSION_ID) {
        return match session(shared, head) {
            Ok(_) => {
                let error = Error::InvalidRequest("the session is open already; leave `Mcp-Session-Id` out".to_owned());
                fail(StatusCode::BAD_REQUEST, error)
            }
            Err(refusal) => *refusal,
        };
    }
    let told = shared.server.changes().borrow().tools;
    let in_flight = InFlight::new(shared.limits.in_flight);
    match shared.server.initialize(request, principal(head), in_flight) {
        Err(error) => answers::reply_in_session(Reply::failure(Some(&request.id), &error)),
        Ok((session, reply)) => match shared.sessions.open(session, told) {
            Some(name) => {
                let mut response = answers::reply_in_session(reply);
                response.headers_mut().insert(headers::SESSION_ID, name);
                response
            }
            None => {
                tracing::warn!(limit = shared.limits.sessions, "a session was refused, there are too many");
                fail(StatusCode::TOO_MANY_REQUESTS, Error::Busy(shared.limits.sessions))
            }
        },
    }
}

/// The session a request names, or why there is none.
fn session(shared: &Arc<Shared>, head: &Parts) -> Result<InUse, Box<Response<Body>>> {
    let name = headers::one(&head.headers, headers::SESSION_ID.as_str())
        .map_err(|_| bad_request("`Mcp-Session-Id` is not readable"))?
        .ok_or_else(|| bad_request("`Mcp-Session-Id` is missing; send `initialize` first"))?;
    let session = shared.sessions.find(name, principal(head).as_deref()).ok_or_else(|| {
        let error = Error::InvalidRequest("there is no such session; send `initialize` without one".to_owned());
        refuse(StatusCode::NOT_FOUND, &error)
    })?;
    let version = headers::one(&head.headers, headers::PROTOCOL_VERSION.as_str())
        .map_err(|_| bad_request("`MCP-Protocol-Version` is not readable"))?;
    match version {
        Some(version) if Revision::parse(version).is_none_or(Revision::is_per_request) => {
            let settled = session.session.revision();
            Err(bad_request(&format!("this session speaks {settled}, say that in `MCP-Protocol-Version`")).into())
        }
        _ => Ok(session),
    }
}

/// A request of the handshake era. It runs on if its client leaves.
async fn in_session(
    shared: &Arc<Shared>,
    head: &Parts,
    session: InUse,
    request: &Request<'_>,
    bytes: &Bytes,
) -> Response<Body> {
    let rules = Rules::Session(Arc::clone(&session.session));
    let (notes, told) = match shared.server.may_notify(request, &rules) {
        true => {
            let (notes, told) = mpsc::channel(shared.limits.outbox);
            (Notes::to(notes), Some(told))
        }
        false => (Notes::none(), None),
    };
    let call = match begin(shared, head, &session, request, bytes, notes) {
        Ok(call) => call,
        Err(error) => return answers::reply_in_session(Reply::failure(Some(&request.id), &error)),
    };
    let exchange = Exchange::that_runs_on(call, told);
    finish(shared, session, exchange).await
}

/// Takes the request's place among the open ones of its session, and makes the future that answers it.
fn begin(
    shared: &Arc<Shared>,
    head: &Parts,
    session: &InUse,
    request: &Request<'_>,
    bytes: &Bytes,
    notes: Notes,
) -> Result<impl Future<Output = Option<Reply>> + Send + use<>, Error> {
    let ticket = session.session.in_flight().begin(&request.id)?;
    let scope = Scope {
        rules: Rules::Session(Arc::clone(&session.session)),
        principal: principal(head),
        cancel: ticket.cancel().clone(),
        closing: shared.shutdown.clone(),
        notes,
    };
    let answer = answer(Arc::clone(&shared.server), bytes.clone(), scope);
    let session = session.clone();
    Ok(async move {
        let reply = answer.await;
        drop((ticket, session));
        reply
    })
}

async fn finish(shared: &Arc<Shared>, session: InUse, mut exchange: Exchange) -> Response<Body> {
    match exchange.next().await {
        Step::Done(Some(reply)) => answers::reply_in_session(reply),
        Step::Done(None) => answers::silence(),
        Step::Note(first) => {
            let primed = session.session.revision().has_priming_event();
            let stream = session.kept.open(primed, shared.limits.kept_streams, shared.limits.kept_bytes);
            let reader = stream.reader(0);
            tokio::spawn(async move {
                sse::keep(exchange, first, stream).await;
                drop(session);
            });
            answers::events(sse::of_kept(reader, shared.limits.keep_alive))
        }
    }
}

fn take_notification(shared: &Arc<Shared>, head: &Parts, notification: &Notification<'_>) -> Response<Body> {
    if stands_alone(head) {
        // This era has no notification that does anything here: its clients cancel by leaving.
        return match headers::check_notification(&head.headers, &notification.method) {
            Ok(()) => answers::accepted(),
            Err(error) => refuse(StatusCode::BAD_REQUEST, &error),
        };
    }
    match session(shared, head) {
        Ok(session) => {
            session.session.notified(notification);
            answers::accepted()
        }
        Err(refusal) => *refusal,
    }
}

async fn take_batch(shared: &Arc<Shared>, head: &Parts, members: Vec<Bytes>) -> Response<Body> {
    let none = || bad_request("batches are not part of this protocol revision");
    if stands_alone(head) || !head.headers.contains_key(headers::SESSION_ID) {
        return none();
    }
    let session = match session(shared, head) {
        Ok(session) => session,
        Err(refusal) => return *refusal,
    };
    if !session.session.revision().has_batches() {
        return none();
    }
    if members.len() > shared.limits.batch {
        return bad_request(&format!("a batch holds at most {} messages", shared.limits.batch));
    }
    let (notes, told) = mpsc::channel(shared.limits.outbox);
    let (mut calls, mut done) = (Vec::new(), Vec::new());
    for bytes in members {
        match protocol::read_one(std::str::from_utf8(&bytes).unwrap_or_default()) {
            Ok(Message::Request(request)) if request.method == "initialize" => {
                let error = Error::InvalidRequest("`initialize` must not be part of a batch".to_owned());
                done.push(Reply::failure(Some(&request.id), &error));
            }
            Ok(Message::Request(request)) => {
                match begin(shared, head, &session, &request, &bytes, Notes::to(notes.clone())) {
                    Ok(call) => calls.push(call),
                    Err(error) => done.push(Reply::failure(Some(&request.id), &error)),
                }
            }
            Ok(Message::Notification(notification)) => session.session.notified(&notification),
            Ok(Message::Response(response)) => session.session.answered(&response),
            Err(Rejected { id, error }) => done.push(Reply::failure(id.as_ref(), &error)),
        }
    }
    drop(notes);
    if calls.is_empty() && done.is_empty() {
        return answers::accepted();
    }
    let all = async move {
        done.extend(join_all(calls).await.into_iter().flatten());
        let answered = !done.is_empty();
        answered.then(|| Reply { bytes: protocol::reply::batch(&done), class: Class::Answered })
    };
    finish(shared, session, Exchange::that_runs_on(all, Some(told))).await
}

/// The stream for what nobody asked for, or the rest of one that broke.
fn get(shared: &Arc<Shared>, head: &Parts) -> Response<Body> {
    if stands_alone(head) {
        return not_allowed("POST");
    }
    if !headers::accepts(&head.headers, answers::EVENTS) {
        return answers::text(StatusCode::NOT_ACCEPTABLE, "`Accept` must list text/event-stream\n".to_owned());
    }
    let session = match session(shared, head) {
        Ok(session) => session,
        Err(refusal) => return *refusal,
    };
    if let Ok(Some(id)) = headers::one(&head.headers, headers::LAST_EVENT_ID.as_str()) {
        let reader = sse::parse_id(id).and_then(|(stream, event)| session.kept.after(stream, event));
        return match reader {
            Some(reader) => answers::events(sse::of_kept(reader, shared.limits.keep_alive)),
            None => bad_request("what came after `Last-Event-ID` is no longer kept; send the request again"),
        };
    }
    let messages = unasked(Arc::clone(shared), session);
    answers::events(sse::of_messages(messages, shared.limits.keep_alive))
}

/// What a session is told without asking: that the list of tools has changed, even if that was between two streams.
fn unasked(shared: Arc<Shared>, session: InUse) -> impl stream::Stream<Item = Bytes> + Send + 'static {
    let over = session.listen();
    let changes = shared.server.changes();
    stream::unfold((shared, session, changes), move |(shared, session, mut changes)| {
        let over = over.clone();
        async move {
            loop {
                let tools = changes.borrow_and_update().tools;
                if session.session.is_ready() && session.is_news(tools) {
                    let message = shared.server.tools_changed();
                    return Some((message, (shared, session, changes)));
                }
                tokio::select! {
                    biased;
                    () = over.cancelled() => return None,
                    () = shared.shutdown.cancelled() => return None,
                    changed = changes.changed() => changed.ok()?,
                }
            }
        }
    })
}

fn delete(shared: &Arc<Shared>, head: &Parts) -> Response<Body> {
    if stands_alone(head) {
        return not_allowed("POST");
    }
    let name = match headers::one(&head.headers, headers::SESSION_ID.as_str()) {
        Ok(Some(name)) => name,
        _ => return bad_request("`Mcp-Session-Id` is missing"),
    };
    if shared.sessions.close(name, principal(head).as_deref()) {
        return answers::status(StatusCode::NO_CONTENT);
    }
    refuse(StatusCode::NOT_FOUND, &Error::InvalidRequest("there is no such session".to_owned()))
}
