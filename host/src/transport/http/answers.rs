//! Responses, by what they mean.

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

use super::body::Body;
use crate::protocol::{Class, Reply};

/// One message.
pub(super) const JSON: &str = "application/json";
/// A stream of messages.
pub(super) const EVENTS: &str = "text/event-stream";
/// Tells proxies not to hold events back.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Nothing but a status.
pub(super) fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// A notification or an answer was taken.
pub(super) fn accepted() -> Response<Body> {
    status(StatusCode::ACCEPTED)
}

/// Words for a person, where there is no message to answer.
pub(super) fn text(code: StatusCode, text: String) -> Response<Body> {
    with(code, "text/plain; charset=utf-8", Body::full(text))
}

/// Another method is wanted here.
pub(super) fn not_allowed(instead: &'static str) -> Response<Body> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "this method is not offered here\n".to_owned());
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(instead));
    response
}

/// One message under that status.
pub(super) fn json(code: StatusCode, message: Bytes) -> Response<Body> {
    with(code, JSON, Body::full(message))
}

/// The answer to a request that stands alone; its status tells intermediaries what the message tells the client.
/// Source: 2026-07-28, Streamable HTTP, "Protocol Version Header" and "Server Validation".
pub(super) fn reply(reply: Reply) -> Response<Body> {
    let code = match reply.class {
        Class::Answered => StatusCode::OK,
        Class::Refused => StatusCode::BAD_REQUEST,
        Class::UnknownMethod => StatusCode::NOT_FOUND,
        Class::Busy | Class::Limited(_) => StatusCode::TOO_MANY_REQUESTS,
        Class::Forbidden => StatusCode::FORBIDDEN,
    };
    later(json(code, reply.bytes), reply.class)
}

/// Says when to come again.
fn later(mut response: Response<Body>, class: Class) -> Response<Body> {
    if let Class::Limited(seconds) = class {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The answer to a request of the handshake era, where 404 means that the session is gone.
pub(super) fn reply_in_session(reply: Reply) -> Response<Body> {
    let code = match reply.class {
        Class::Answered | Class::UnknownMethod => StatusCode::OK,
        Class::Refused => StatusCode::BAD_REQUEST,
        Class::Busy | Class::Limited(_) => StatusCode::TOO_MANY_REQUESTS,
        Class::Forbidden => StatusCode::FORBIDDEN,
    };
    later(json(code, reply.bytes), reply.class)
}

/// A request that was cancelled: a stream on which nothing comes, for it must be told no more.
pub(super) fn silence() -> Response<Body> {
    events(stream::empty())
}

/// Messages as they come.
pub(super) fn events(messages: impl Stream<Item = Bytes> + Send + 'static) -> Response<Body> {
    let mut response = with(StatusCode::OK, EVENTS, Body::events(messages));
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert(BUFFERING, HeaderValue::from_static("no"));
    response
}

fn with(code: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
