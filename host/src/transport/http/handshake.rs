//! Requests of the handshake era: sessions, and the streams their clients may come back to.
//! Source: 2025-11-25, transports, "Streamable HTTP"; 2025-03-26, the same, for batches.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::{self, Stream};
use http::request::Parts;
use http::{Response, StatusCode};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::answers::not_allowed;
use super::body::Body;
use super::doorkeeper;
use super::endpoint::{bad_request, principal, refuse, route, stands_alone};
use super::exchange::{Exchange, Step};
use super::kept::{EventId, Purpose, Reader};
use super::session::{Full, InUse};
use super::sse::{self, Polling};
use super::standing::{lease, over, seat};
use super::{Shared, answers, headers};
use crate::protocol::{self, Class, Error, InFlight, Message, Notes, Rejected, Reply, Request, Revision, Rules, Scope};
use crate::transport::channel::answer;

/// When a caller that has too much open may come again.
const RETRY: Duration = Duration::from_secs(10);

pub(super) fn initialize(shared: &Arc<Shared>, head: &Parts, request: &Request<'_>) -> Response<Body> {
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
    // Before the handshake nothing has been settled, so any revision we know will do.
    match headers::one(&head.headers, headers::PROTOCOL_VERSION.as_str()) {
        Ok(Some(version)) if Revision::parse(version).is_none() => {
            return fail(StatusCode::BAD_REQUEST, Error::UnsupportedVersion(version.to_owned()));
        }
        Ok(_) => {}
        Err(error) => return fail(StatusCode::BAD_REQUEST, error),
    }
    let in_flight = InFlight::new(shared.limits.in_flight);
    let caller = principal(head);
    match shared.server.initialize(request, caller.clone(), in_flight) {
        Err(error) => answers::reply_in_session(Reply::failure(Some(&request.id), &error)),
        Ok((session, reply)) => match shared.sessions.open(session, caller.as_deref(), lease(shared, head)) {
            Ok(name) => {
                let mut response = answers::reply_in_session(reply);
                response.headers_mut().insert(headers::SESSION_ID, name);
                response
            }
            Err(Full::All) => {
                tracing::warn!(limit = shared.limits.sessions, "a session was refused, there are too many");
                fail(StatusCode::TOO_MANY_REQUESTS, Error::Busy(shared.limits.sessions))
            }
            Err(Full::Caller(most)) => fail(StatusCode::TOO_MANY_REQUESTS, too_many("sessions", most)),
        },
    }
}

/// A caller has all it may have of something.
pub(super) fn too_many(what: &str, most: usize) -> Error {
    tracing::warn!(most, "a caller has too many {what}, one was refused");
    let why = format!(
        "this caller has {most} {what} open, which is all it may have; close one, or have the operator raise \
         `{what}-per-caller` under [server.limits]"
    );
    Error::Limited { why, retry_after: RETRY }
}

/// The session a request names, or why there is none.
pub(super) fn session(shared: &Arc<Shared>, head: &Parts) -> Result<InUse, Box<Response<Body>>> {
    let name = headers::one(&head.headers, headers::SESSION_ID.as_str())
        .map_err(|_| bad_request("`Mcp-Session-Id` is not readable"))?
        .ok_or_else(|| bad_request("`Mcp-Session-Id` is missing; send `initialize` first"))?;
    let session = shared.sessions.find(name, principal(head).as_deref()).ok_or_else(|| {
        let error = Error::InvalidRequest("there is no such session; send `initialize` without one".to_owned());
        refuse(StatusCode::NOT_FOUND, &error)
    })?;
    session.standing.renew(lease(shared, head));
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
pub(super) async fn in_session(
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
    let (cancel, call) = match begin(shared, head, &session, request, bytes, notes) {
        Ok(begun) => begun,
        Err(error) => return answers::reply_in_session(Reply::failure(Some(&request.id), &error)),
    };
    let exchange = Exchange::that_runs_on(call, told);
    finish(shared, session, cancel, exchange).await
}

/// Takes the request's place among the open ones of its session, and makes the future that answers it. The token says
/// when nobody wants that any more.
fn begin(
    shared: &Arc<Shared>,
    head: &Parts,
    session: &InUse,
    request: &Request<'_>,
    bytes: &Bytes,
    notes: Notes,
) -> Result<(CancellationToken, impl Future<Output = Option<Reply>> + Send + use<>), Error> {
    let ticket = session.session.in_flight().begin(&request.id)?;
    let cancel = ticket.cancel().clone();
    let scope = Scope {
        rules: Rules::Session(Arc::clone(&session.session)),
        principal: principal(head),
        cancel: cancel.clone(),
        closing: shared.shutdown.clone(),
        notes,
        route: route(head),
    };
    let answer = answer(Arc::clone(&shared.server), bytes.clone(), scope);
    let session = session.clone();
    let call = async move {
        let reply = answer.await;
        drop((ticket, session));
        reply
    };
    Ok((cancel, call))
}

/// The answer alone if it comes soon and nothing before it, or else a stream.
async fn finish(
    shared: &Arc<Shared>,
    session: InUse,
    cancel: CancellationToken,
    mut exchange: Exchange,
) -> Response<Body> {
    let limits = &shared.limits;
    let first = match tokio::time::timeout(limits.stream_after, exchange.next()).await {
        Ok(Step::Done(Some(mut reply))) => {
            let scopes = std::mem::take(&mut reply.scopes);
            return doorkeeper::challenge(shared, &scopes, answers::reply_in_session(reply));
        }
        Ok(Step::Done(None)) => return answers::silence(),
        Ok(Step::Note(first)) => Some(first),
        Err(_) => None,
    };
    let primed = session.session.revision().has_priming_event();
    let stream = session.kept.open(Purpose::Request, primed, limits);
    let response = carry(shared, &session, stream.reader(0), None);
    tokio::spawn(async move {
        sse::keep(exchange, first, cancel, stream).await;
        drop(session);
    });
    response
}

/// Sends what is kept of a request's stream, and what comes. Clients that know to come back do not hold the connection.
fn carry(shared: &Shared, session: &InUse, reader: Reader, last: Option<EventId>) -> Response<Body> {
    let limits = &shared.limits;
    let polling = Polling { age: limits.stream_age, retry: limits.retry };
    let polling = session.session.revision().has_priming_event().then_some(polling);
    let events = reminder(session, last).chain(sse::read(reader));
    answers::events(sse::of_kept(events, limits.keep_alive, polling))
}

/// The last event of a client that comes back, once more and without data: some clients forget it with the connection,
/// and would not find back a second time.
fn reminder(session: &InUse, last: Option<EventId>) -> impl Stream<Item = (EventId, Bytes)> + Send + use<> {
    let last = last.filter(|_| session.session.revision().has_priming_event());
    stream::iter(last.map(|id| (id, Bytes::new())))
}

pub(super) async fn take_batch(shared: &Arc<Shared>, head: &Parts, members: Vec<Bytes>) -> Response<Body> {
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
                    Ok((_, call)) => calls.push(call),
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
        answered.then(|| Reply { bytes: protocol::reply::batch(&done), class: Class::Answered, scopes: Vec::new() })
    };
    // Its requests are cancelled one by one.
    finish(shared, session, CancellationToken::new(), Exchange::that_runs_on(all, Some(told))).await
}

/// The stream for what nobody asked for, or the rest of one that broke.
pub(super) fn get(shared: &Arc<Shared>, head: &Parts) -> Response<Body> {
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
    let last = headers::one(&head.headers, headers::LAST_EVENT_ID.as_str()).ok().flatten().map(EventId::parse);
    let (reader, last) = match last {
        None => (None, None),
        Some(Some(id)) => match (session.kept.after(id), id.purpose) {
            // The answer to whoever asks for a stream where there is none. A stream without events would be asked for
            // again and again by clients that count only results as answers, not errors.
            (Some(reader), Purpose::Request) if reader.is_through() => return not_allowed("POST, DELETE"),
            (Some(reader), Purpose::Request) => return carry(shared, &session, reader, Some(id)),
            (None, Purpose::Request) => return no_longer_kept(),
            (Some(reader), Purpose::News) => (Some(reader), Some(id)),
            // What it missed is lost, what comes is not.
            (None, Purpose::News) => (None, None),
        },
        Some(None) => return no_longer_kept(),
    };
    let seat = match seat(shared, head) {
        Ok(seat) => seat,
        Err(error) => return refuse(StatusCode::TOO_MANY_REQUESTS, &error),
    };
    let over = over(lease(shared, head), Arc::clone(&session.standing));
    let primed = session.session.revision().has_priming_event();
    let reader = reader.unwrap_or_else(|| session.kept.open(Purpose::News, primed, &shared.limits).reader(0));
    let events = reminder(&session, last).chain(news(Arc::clone(shared), session, reader));
    let events = events.take_until(Box::pin(over)).map(move |event| {
        let _held = &seat;
        event
    });
    answers::events(sse::of_kept(events, shared.limits.keep_alive, None))
}

fn no_longer_kept() -> Response<Body> {
    // Not 404, which would say that the session is gone.
    bad_request("what came after `Last-Event-ID` is no longer kept; send the request again")
}

/// What a session is told without asking, even what happened between two connections.
fn news(shared: Arc<Shared>, session: InUse, reader: Reader) -> impl Stream<Item = (EventId, Bytes)> + Send + 'static {
    let over = session.listen(reader.stream());
    stream::unfold((shared, session, reader), move |(shared, session, mut reader)| {
        let over = over.clone();
        async move {
            loop {
                let message = tokio::select! {
                    biased;
                    () = over.cancelled() => return None,
                    said = reader.next() => return Some((said?, (shared, session, reader))),
                    () = shared.shutdown.cancelled() => return None,
                    message = session.session.news(&shared.server) => message,
                };
                reader.stream().push(message);
            }
        }
    })
}

pub(super) fn delete(shared: &Arc<Shared>, head: &Parts) -> Response<Body> {
    if stands_alone(head) {
        return not_allowed("POST");
    }
    if let Err(refusal) = session(shared, head) {
        return *refusal;
    }
    let name = headers::one(&head.headers, headers::SESSION_ID.as_str()).ok().flatten().unwrap_or_default();
    shared.sessions.close(name, principal(head).as_deref());
    answers::status(StatusCode::NO_CONTENT)
}
