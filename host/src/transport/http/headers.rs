//! What the headers of a request must say, and what they must not say differently from its body.

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::protocol::{Error, MirroredValue, Request, Server, TraceContext};

/// Names the session of a request of the handshake era.
pub(super) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// Names the revision a request is written in.
pub(super) const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// Names the last event a client saw of a stream.
pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The longest header of a trace that is looked at, in bytes: as much as W3C Baggage asks for.
const MAX_TRACE: usize = 8_192;
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// Whether the body is said to be JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| essence(value).eq_ignore_ascii_case("application/json"))
}

/// Whether the client takes an answer of this type. One that does not say takes everything.
/// Source: RFC 9110, section 12.5.1.
pub(super) fn accepts(headers: &HeaderMap, wanted: &str) -> bool {
    let mut values = headers.get_all(ACCEPT).iter().peekable();
    if values.peek().is_none() {
        return true;
    }
    let family = wanted.split('/').next().unwrap_or_default();
    values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|range| {
        let kind = essence(range);
        let matches = kind.eq_ignore_ascii_case(wanted)
            || kind == "*/*"
            || kind.strip_suffix("/*").is_some_and(|range| range.eq_ignore_ascii_case(family));
        matches && !is_refused(range)
    })
}

fn essence(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim_ascii()
}

/// Whether a media range carries the weight 0, which means "not this one".
fn is_refused(range: &str) -> bool {
    range.split(';').skip(1).any(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case("q")
            && value.trim_ascii().parse::<f32>().is_ok_and(|weight| weight <= 0.0)
    })
}

/// The one value of a header.
///
/// # Errors
/// [`Error::HeaderMismatch`] if it is there twice, or holds what no header may hold.
pub(super) fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Error> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Error::HeaderMismatch(format!("`{name}` is there more than once")));
    }
    let value = value.to_str().map_err(|_| Error::HeaderMismatch(format!("`{name}` holds invalid characters")))?;
    Ok(Some(value.trim_ascii()))
}

/// The trace that a request belongs to. Source: W3C Trace Context, "Trace Context HTTP Headers Format". What is not well
/// formed is told apart by whoever follows traces; here it is only kept short.
pub(super) fn trace(headers: &HeaderMap) -> Option<TraceContext> {
    // Whoever traces nothing sends nothing of it.
    let traceparent = one(headers, "traceparent").ok().flatten().filter(|it| it.len() <= MAX_TRACE)?;
    let joined = |name: &str| {
        let values: Vec<&str> = headers.get_all(name).iter().map_while(|value| value.to_str().ok()).collect();
        Some(values.join(",")).filter(|joined| !joined.is_empty() && joined.len() <= MAX_TRACE)
    };
    let (tracestate, baggage) = (joined("tracestate"), joined("baggage"));
    Some(TraceContext { traceparent: traceparent.to_owned(), tracestate, baggage })
}

/// Checks that the headers repeat the body of a request that stands alone, word for word.
/// Source: 2026-07-28, Streamable HTTP, "Server Validation".
///
/// # Errors
/// [`Error::HeaderMismatch`] naming the first header that does not.
pub(super) fn check(headers: &HeaderMap, request: &Request<'_>, server: &Server) -> Result<(), Error> {
    // Without a version in the body there is nothing to compare; the body itself is refused for that.
    if let Some(version) = request.declared_version() {
        same(headers, PROTOCOL_VERSION.as_str(), Some(&version))?;
    }
    same(headers, METHOD.as_str(), Some(&request.method))?;
    if let Some(member) = name_member(&request.method) {
        let value = request.params.text(member)?;
        repeated(headers, NAME.as_str(), value.map(MirroredValue::Text).as_ref())?;
    }
    if request.method == "tools/call" {
        for mirrored in server.mirrored(request) {
            repeated(headers, &mirrored.header, mirrored.value.as_ref())?;
        }
    }
    Ok(())
}

/// Checks what a notification says twice. It need not say it twice.
pub(super) fn check_notification(headers: &HeaderMap, method: &str) -> Result<(), Error> {
    match one(headers, METHOD.as_str())? {
        Some(_) => same(headers, METHOD.as_str(), Some(method)),
        None => Ok(()),
    }
}

/// Which member of the parameters `Mcp-Name` repeats.
fn name_member(method: &str) -> Option<&'static str> {
    match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
        _ => None,
    }
}

fn same(headers: &HeaderMap, name: &str, body: Option<&str>) -> Result<(), Error> {
    match (one(headers, name)?, body) {
        (Some(header), Some(body)) if header != body => Err(Error::HeaderMismatch(format!(
            "`{name}` says `{}` and the body says `{}`",
            header.escape_debug(),
            body.escape_debug()
        ))),
        (None, Some(_)) => Err(Error::HeaderMismatch(format!("`{name}` is missing"))),
        _ => Ok(()),
    }
}

/// The same for a header whose value may be encoded.
fn repeated(headers: &HeaderMap, name: &str, body: Option<&MirroredValue<'_>>) -> Result<(), Error> {
    let header = one(headers, name)?;
    let mismatch = |why: &str| Err(Error::HeaderMismatch(format!("`{name}` {why}")));
    let decoded = match header.map(decode) {
        Some(None) => return mismatch("is not valid base64"),
        Some(Some(decoded)) => Some(decoded),
        None => None,
    };
    match (decoded, body) {
        (None, None) | (_, Some(MirroredValue::Other)) => Ok(()),
        (Some(header), Some(body)) if agree(&header, body) => Ok(()),
        (Some(_), Some(_)) => mismatch("and the body say different things"),
        (None, Some(_)) => mismatch("is missing"),
        (Some(_), None) => mismatch("repeats what the body does not say"),
    }
}

/// The value behind `=?base64?…?=`, or the value itself; none if it is encoded wrongly.
/// Source: 2026-07-28, Streamable HTTP, "Value Encoding".
fn decode(value: &str) -> Option<String> {
    match value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        Some(encoded) => String::from_utf8(STANDARD.decode(encoded).ok()?).ok(),
        None => Some(value.to_owned()),
    }
}

fn agree(header: &str, body: &MirroredValue<'_>) -> bool {
    match body {
        MirroredValue::Text(text) => header == text,
        MirroredValue::Flag(flag) => header == if *flag { "true" } else { "false" },
        MirroredValue::Number(number) => header == *number || same_number(header, number),
        MirroredValue::Other => true,
    }
}

/// Whether two decimals mean one number: `42.0` is `42`.
fn same_number(header: &str, body: &str) -> bool {
    let is_decimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    match (header.parse::<i64>(), body.parse::<i64>()) {
        (Ok(header), Ok(body)) => header == body,
        _ if is_decimal(header) => match (header.parse::<f64>(), body.parse::<f64>()) {
            (Ok(header), Ok(body)) => header == body,
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::{MirroredValue, accepts, is_json, one, repeated};

    fn with(name: &'static str, values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn accept() {
        for (values, json, events) in [
            (&[][..], true, true),
            (&["application/json, text/event-stream"], true, true),
            (&["application/json", "text/event-stream"], true, true),
            (&["text/event-stream;q=0.5,application/json ; charset=utf-8"], true, true),
            (&["*/*"], true, true),
            (&["application/*"], true, false),
            (&["application/json"], true, false),
            (&["text/event-stream"], false, true),
            (&["application/json, text/event-stream;q=0"], true, false),
            (&["text/html"], false, false),
            (&[""], false, false),
        ] {
            let headers = with("accept", values);
            assert_eq!(accepts(&headers, "application/json"), json, "{values:?}");
            assert_eq!(accepts(&headers, "text/event-stream"), events, "{values:?}");
        }
    }

    #[test]
    fn content_type() {
        for (value, json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/json-seq", false),
            ("text/plain", false),
            ("", false),
        ] {
            assert_eq!(is_json(&with("content-type", &[value])), json, "{value}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }

    #[test]
    fn a_header_agrees_with_the_body_or_is_refused() {
        let text = |text: &'static str| Some(MirroredValue::Text(text.into()));
        let number = |text: &'static str| Some(MirroredValue::Number(text));
        for (header, body, fits) in [
            (Some("us-west1"), text("us-west1"), true),
            (Some("US-west1"), text("us-west1"), false),
            (Some("=?base64?SGVsbG8=?="), text("Hello"), true),
            (Some("=?base64?SGVsbG8sIOS4lueVjA==?="), text("Hello, 世界"), true),
            (Some("=?base64?IHBhZGRlZCA=?="), text(" padded "), true),
            (Some("=?base64?SGVsbG8?="), text("Hello"), false),
            (Some("=?base64?SGVs!!!bG8=?="), text("Hello"), false),
            (Some("=?base64?/w==?="), text("\u{ff}"), false),
            (Some("SGVsbG8="), text("SGVsbG8="), true),
            (Some("=?base64?SGVsbG8="), text("=?base64?SGVsbG8="), true),
            (Some("=?BASE64?SGVsbG8=?="), text("Hello"), false),
            (Some("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="), text("=?base64?literal?="), true),
            (None, text("x"), false),
            (None, None, true),
            (Some("x"), None, false),
            (Some("42"), number("42"), true),
            (Some("42.0"), number("42"), true),
            (Some("42"), number("42.0"), true),
            (Some("4.2e1"), number("42"), true),
            (Some("-7"), number("-7"), true),
            (Some("43"), number("42"), false),
            (Some("nan"), number("42"), false),
            (Some("0x2a"), number("42"), false),
            (Some("9007199254740993"), number("9007199254740992"), false),
            (Some("true"), Some(MirroredValue::Flag(true)), true),
            (Some("True"), Some(MirroredValue::Flag(true)), false),
        ] {
            let headers = header.map_or_else(HeaderMap::new, |value| with("mcp-param-x", &[value]));
            let outcome = repeated(&headers, "mcp-param-x", body.as_ref());
            assert_eq!(outcome.is_ok(), fits, "{header:?} against {body:?}: {outcome:?}");
            assert!(outcome.is_ok_and(|()| true) || !fits);
        }
    }

    #[test]
    fn a_header_has_one_readable_value() {
        assert_eq!(one(&with("mcp-name", &["  a  "]), "mcp-name").unwrap(), Some("a"));
        assert_eq!(one(&with("mcp-name", &["a", "a"]), "mcp-name").unwrap_err().code(), -32020);
        let bytes = HeaderMap::from_iter([("mcp-name".parse().unwrap(), HeaderValue::from_bytes(b"\xe9").unwrap())]);
        assert_eq!(one(&bytes, "mcp-name").unwrap_err().code(), -32020);
    }
}
