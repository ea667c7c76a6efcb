//! Letting in browsers, as far as their pages are trusted. A page that was let in must be told so, or its browser will
//! not show it the answer. Source: the Fetch standard, "HTTP extensions".

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, HOST, HeaderValue, ORIGIN,
    VARY,
};
use http::request::Parts;
use http::{Response, StatusCode};

use super::answers;
use super::body::Body;
use super::origin::{Gate, Refusal};

/// What pages may read of a response besides its body: the session's name, why it was refused, and when to come back.
const EXPOSED: &str = "mcp-session-id, mcp-protocol-version, www-authenticate, dpop-nonce, retry-after";

/// Checks who the request was sent to and from which page. `asked` is the host as the client sees it, which a proxy may
/// have said.
pub(super) fn let_in(gate: &Gate, head: &Parts, asked: Option<&str>) -> Result<(), Refusal> {
    // HTTP/2, and an HTTP/1.1 request in absolute form, name the host in the URL. Where both are there, both count.
    let authority = head.uri.authority().map(|authority| authority.as_str());
    let mut hosts = head.headers.get_all(HOST).iter().map(|host| host.to_str().unwrap_or_default()).chain(authority);
    gate.check_host(hosts.next())?;
    hosts.try_for_each(|host| gate.check_host(Some(host)))?;
    if let Some(asked) = asked.filter(|asked| head.headers.get(HOST).is_none_or(|host| host != *asked)) {
        gate.check_host(Some(asked))?;
    }
    let mut origins = head.headers.get_all(ORIGIN).iter();
    origins.try_for_each(|origin| gate.check_origin(Some(origin.to_str().unwrap_or_default())))
}

/// Lets the page read the response, which it may: its origin has been checked.
pub(super) fn readable(head: &Parts, mut response: Response<Body>) -> Response<Body> {
    if let Some(origin) = head.headers.get(ORIGIN) {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
    response
}

/// Tells a browser what the page may send.
pub(super) fn preflight(head: &Parts) -> Response<Body> {
    let mut response = readable(head, answers::status(StatusCode::NO_CONTENT));
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, DELETE"));
    // Which headers a call has depends on its tool, so whatever the browser asks for is allowed; a list of those of the
    // protocol, of tokens and of traces would be old before it is released.
    if let Some(wanted) = head.headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        headers.append(VARY, HeaderValue::from_static("access-control-request-headers"));
    }
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}
