//! One HTTP request, from its head to its answer.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::StreamExt as _;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::answers::not_allowed;
use super::body::{self, Body, Unread};
use super::doorkeeper::Peer;
use super::exchange::{Exchange, Step};
use super::handshake::{delete, get, in_session, initialize, session, take_batch};
use super::standing::{self, lease, tie};
use super::{Place, Service, Shared, answers, cors, doorkeeper, headers, pair, sse};
use crate::protocol::{
    self, Carrier, Error, Incoming, Message, Notes, Notification, Principal, Rejected, Reply, Request, Revision, Route,
    Rules, Scope,
};
use crate::transport::channel::answer;

/// Bytes that are read of a body nobody wants, and the time for them.
const DREGS: usize = 64 * 1024;
const DREGS_TIME: Duration = Duration::from_secs(1);
/// A request that is answered within this was not worth watching what its caller showed.
const SOON: Duration = Duration::from_secs(1);

pub(super) async fn respond<B>(service: &Service, request: http::Request<B>) -> Response<Body>
where
    B: http_body::Body<Data: Buf + Send> + Send,
{
    let response = response_to(service, request).await;
    let traffic = &service.shared.traffic;
    traffic.answer(response.status());
    response.map(|body| body.counted(|| traffic.stream()))
}

async fn response_to<B>(service: &Service, request: http::Request<B>) -> Response<Body>
where
    B: http_body::Body<Data: Buf + Send> + Send,
{
    let (mut head, body) = request.into_parts();
    let shared = &service.shared;
    let place = service.place(head.uri.path());
    let peer = doorkeeper::peer(&head);
    if let Err(refusal) = cors::let_in(&shared.gate, &head, peer.host.as_deref()) {
        if let Place::Nowhere(path) = place {
            return nothing_at(path);
        }
        tracing::warn!(%refusal, "request refused");
        return answers::text(StatusCode::FORBIDDEN, format!("{refusal}\n"));
    }
    if head.method == Method::OPTIONS {
        return cors::preflight(&head);
    }
    if let Place::Nowhere(path) = place {
        let page = doorkeeper::page(shared, &head, &peer);
        return cors::readable(&head, page.unwrap_or_else(|| nothing_at(path)));
    }
    if let Err(refusal) = doorkeeper::admit(shared, &mut head, &peer).await {
        // What a refused client still sends is taken, as far as it is little: else its connection would break, and
        // with it perhaps the refusal.
        let _ = tokio::time::timeout(DREGS_TIME, body::read(body, DREGS)).await;
        return cors::readable(&head, *refusal);
    }
    let response = match (place, &head.method) {
        (Place::Endpoint | Place::Nowhere(_), &Method::POST) => post(shared, &head, body).await,
        (Place::Endpoint | Place::Nowhere(_), &Method::GET) => get(shared, &head),
        (Place::Endpoint | Place::Nowhere(_), &Method::DELETE) => delete(shared, &head),
        (Place::Endpoint | Place::Nowhere(_), _) => not_allowed("GET, POST, DELETE, OPTIONS"),
        (Place::Events(messages), &Method::GET) => pair::open(shared, &head, messages),
        (Place::Events(_), _) => not_allowed("GET, OPTIONS"),
        (Place::Messages, &Method::POST) => pair::post(shared, &head, body).await,
        (Place::Messages, _) => not_allowed("POST, OPTIONS"),
    };
    cors::readable(&head, response)
}

fn nothing_at(path: &str) -> Response<Body> {
    answers::text(StatusCode::NOT_FOUND, format!("nothing is here; the MCP endpoint is {path}\n"))
}

/// Who asks, if whoever stands before this service has found out.
pub(super) fn principal(head: &Parts) -> Option<Arc<Principal>> {
    head.extensions.get::<Arc<Principal>>().cloned()
}

/// How a request came.
pub(super) fn route(head: &Parts) -> Route {
    let peer = head.extensions.get::<Arc<Peer>>();
    let client = peer.and_then(|peer| peer.address).map(|address| address.ip());
    Route { protocol: None, carrier: Some(Carrier::Http), client, trace: headers::trace(&head.headers) }
}

pub(super) fn refuse(status: StatusCode, error: &Error) -> Response<Body> {
    answers::json(status, Reply::failure(None, error).bytes)
}

pub(super) fn bad_request(text: &str) -> Response<Body> {
    refuse(StatusCode::BAD_REQUEST, &Error::InvalidRequest(text.to_owned()))
}

/// Whether the head speaks of a revision whose requests stand alone.
pub(super) fn stands_alone(head: &Parts) -> bool {
    let version = headers::one(&head.headers, headers::PROTOCOL_VERSION.as_str()).ok().flatten();
    version.and_then(Revision::parse).is_some_and(Revision::is_per_request)
}

async fn post<B>(shared: &Arc<Shared>, head: &Parts, body: B) -> Response<Body>
where
    B: http_body::Body<Data: Buf + Send> + Send,
{
    if !headers::is_json(&head.headers) {
        return not_json();
    }
    if !headers::accepts(&head.headers, answers::JSON) || !headers::accepts(&head.headers, answers::EVENTS) {
        let text = "`Accept` must list application/json and text/event-stream\n";
        return answers::text(StatusCode::NOT_ACCEPTABLE, text.to_owned());
    }
    let bytes = match take_body(shared, body).await {
        Ok(bytes) => bytes,
        Err(refusal) => return *refusal,
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

pub(super) fn not_json() -> Response<Body> {
    let text = "`Content-Type` must be application/json\n";
    answers::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, text.to_owned())
}

/// The body, if it is not too long and does not take too long.
pub(super) async fn take_body<B>(shared: &Shared, body: B) -> Result<Bytes, Box<Response<Body>>>
where
    B: http_body::Body<Data: Buf + Send> + Send,
{
    let limits = &shared.limits;
    let (status, text) = match tokio::time::timeout(limits.body_time, body::read(body, limits.message_bytes)).await {
        Ok(Ok(bytes)) => return Ok(bytes),
        Ok(Err(Unread::TooLong)) => {
            let text = format!("a message must not be longer than {} bytes", limits.message_bytes);
            (StatusCode::PAYLOAD_TOO_LARGE, text)
        }
        Ok(Err(Unread::Broken)) => (StatusCode::BAD_REQUEST, "the body ended early".to_owned()),
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "the body came too slowly".to_owned()),
    };
    Err(refuse(status, &Error::InvalidRequest(text)).into())
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

fn answered(shared: &Shared, mut reply: Reply) -> Response<Body> {
    let scopes = std::mem::take(&mut reply.scopes);
    doorkeeper::challenge(shared, &scopes, answers::reply(reply))
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
        route: route(head),
    };
    if !shared.server.may_notify(request, &scope.rules) {
        let mut answer = pin!(shared.server.answer(request, &scope));
        let reply = match tokio::time::timeout(SOON, answer.as_mut()).await {
            Ok(reply) => reply,
            Err(_) => {
                let _guard = lease(shared, head).map(|lease| tie(lease, |lease| &lease.revoked, scope.cancel.clone()));
                answer.await
            }
        };
        return reply.map_or_else(answers::silence, |reply| answered(shared, reply));
    }
    // A stream without an end of its own goes on only as long as what its caller showed is good.
    let (mut seat, mut guard) = (None, None);
    if request.has_no_end() {
        seat = match standing::seat(shared, head) {
            Ok(seat) => seat,
            Err(error) => return answers::reply(Reply::failure(Some(&request.id), &error)),
        };
        scope.closing = shared.shutdown.child_token();
        guard = lease(shared, head).map(|lease| tie(lease, |lease| &lease.ended, scope.closing.clone()));
    }
    let cancel = scope.cancel.clone();
    let (notes, told) = mpsc::channel(shared.limits.outbox);
    scope.notes = Notes::to(notes);
    let mut exchange = Exchange::new(answer(Arc::clone(&shared.server), bytes.clone(), scope), Some(told));
    let soon = tokio::time::timeout(SOON, exchange.next()).await.ok();
    // The rest goes on only until what its caller showed is taken back.
    if guard.is_none() && !matches!(soon, Some(Step::Done(_))) {
        guard = lease(shared, head).map(|lease| tie(lease, |lease| &lease.revoked, cancel));
    }
    let first = match soon {
        Some(step) => step,
        None => exchange.next().await,
    };
    match first {
        Step::Note(first) => {
            let events = sse::of_exchange(exchange, first, shared.limits.keep_alive).map(move |event| {
                let _held = (&seat, &guard);
                event
            });
            answers::events(sse::beside(events, shared.limits.write_time))
        }
        Step::Done(Some(reply)) => answered(shared, reply),
        Step::Done(None) => answers::silence(),
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
