//! What the Rust components share: an HTTP GET over `wasi:http`, as any component would do it.

use std::env;

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{ErrorCode, Fields, IncomingBody, IncomingResponse, OutgoingRequest, Scheme};
use wasip2::io::streams::StreamError;

/// An answer of the web.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The media type, as sent.
    pub kind: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text, if the status says that all went well.
    ///
    /// # Errors
    /// What the status was.
    pub fn text(self) -> Result<String, String> {
        Ok(String::from_utf8_lossy(&self.bytes()?).into_owned())
    }

    /// The body, if the status says that all went well.
    ///
    /// # Errors
    /// What the status was.
    pub fn bytes(self) -> Result<Vec<u8>, String> {
        if (200..300).contains(&self.status) { Ok(self.body) } else { Err(format!("the answer was {}", self.status)) }
    }
}

/// `GET url` with these header fields.
///
/// # Errors
/// What is wrong with the URL, or what the host said.
pub fn get(url: &str, headers: &[(&str, &str)]) -> Result<Answer, String> {
    let (scheme, rest) = url.split_once("://").ok_or_else(|| format!("`{url}` is no URL"))?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let fields = Fields::new();
    for (name, value) in headers {
        fields.append(name, value.as_bytes()).map_err(|why| format!("{name}: {why}"))?;
    }
    let request = OutgoingRequest::new(fields);
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    request
        .set_scheme(Some(&scheme))
        .and_then(|()| request.set_authority(Some(authority)))
        .and_then(|()| request.set_path_with_query(Some(if path.is_empty() { "/" } else { path })))
        .map_err(|()| format!("`{url}` is no URL"))?;
    let future = handle(request, None).map_err(|code| describe(&code))?;
    future.subscribe().block();
    let response = future.get().ok_or("no answer")?.map_err(|()| "no answer")?.map_err(|code| describe(&code))?;
    let status = response.status();
    let kind = response.headers().get("content-type").first().map(|value| String::from_utf8_lossy(value).into_owned());
    Ok(Answer { status, kind: kind.unwrap_or_default(), body: read(&response)? })
}

fn read(response: &IncomingResponse) -> Result<Vec<u8>, String> {
    let body: IncomingBody = response.consume().map_err(|()| "no body")?;
    let stream = body.stream().map_err(|()| "no body")?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(why)) => return Err(why.to_debug_string()),
        }
    }
}

/// The host's own words where it has any, else the name of the code.
fn describe(code: &ErrorCode) -> String {
    match code {
        ErrorCode::InternalError(Some(text)) => text.clone(),
        code => format!("{code:?}"),
    }
}

/// An environment variable, or `default` where it is not set: where an API is, so that a test can be its server.
#[must_use]
pub fn variable(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// A text as it may stand in a query.
#[must_use]
pub fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// What stands between two marks, for the first time.
#[must_use]
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    Some(text.split_once(before)?.1.split_once(after)?.0.trim())
}
