//! Plain `wasi:http`, without the manners of a client library: no timeouts, no limits, whatever URL is given.

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    Scheme,
};
use wasip2::io::streams::StreamError;

/// Splits `scheme://authority/path` and does nothing else to it: what the authority means is for the host to decide.
///
/// # Errors
/// Where a header, a method or a part of the URL is not accepted, in words.
pub fn request(url: &str, headers: &[(String, Vec<u8>)]) -> Result<OutgoingRequest, String> {
    let (scheme, rest) = url.split_once("://").ok_or("no scheme")?;
    let at = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    let fields = Fields::new();
    for (name, value) in headers {
        fields.append(name, value).map_err(|error| format!("header {name}: {error:?}"))?;
    }
    let request = OutgoingRequest::new(fields);
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    request
        .set_method(&Method::Get)
        .and_then(|()| request.set_scheme(Some(&scheme)))
        .map_err(|()| "scheme not accepted")?;
    request.set_authority(Some(authority)).map_err(|()| "authority not accepted")?;
    let path = if path.is_empty() { "/" } else { path };
    request.set_path_with_query(Some(path)).map_err(|()| "path not accepted")?;
    Ok(request)
}

/// Sends a request and returns at once.
///
/// # Errors
/// What the host said, in words.
pub fn start(request: OutgoingRequest) -> Result<FutureIncomingResponse, String> {
    handle(request, None).map_err(|code| describe(&code))
}

/// Waits for the head of a response.
///
/// # Errors
/// What the host said, in words.
pub fn wait(future: &FutureIncomingResponse) -> Result<IncomingResponse, String> {
    future.subscribe().block();
    match future.get() {
        Some(Ok(Ok(response))) => Ok(response),
        Some(Ok(Err(code))) => Err(describe(&code)),
        Some(Err(())) => Err("response already taken".to_owned()),
        None => Err("ready, but no response".to_owned()),
    }
}

/// `GET url`: status and the number of body bytes, as `200 12 bytes`.
///
/// # Errors
/// What the host said, in words.
pub fn get(url: &str) -> Result<String, String> {
    let response = wait(&start(request(url, &[])?)?)?;
    let status = response.status();
    let body = response.consume().map_err(|()| "no body")?;
    let bytes = drain(&body)?;
    Ok(format!("{status} {bytes} bytes"))
}

/// Reads a body to its end and throws it away; the number of bytes.
///
/// # Errors
/// What the host said, in words.
pub fn drain(body: &IncomingBody) -> Result<u64, String> {
    let stream = body.stream().map_err(|()| "stream already taken")?;
    let mut bytes = 0;
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => bytes += chunk.len() as u64,
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(format!("after {bytes} bytes: {}", error.to_debug_string()));
            }
        }
    }
}

/// Reads a body to its end, as text.
///
/// # Errors
/// What the host said, in words.
pub fn text(body: &IncomingBody) -> Result<String, String> {
    let stream = body.stream().map_err(|()| "stream already taken")?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed) => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(StreamError::LastOperationFailed(error)) => return Err(error.to_debug_string()),
        }
    }
}

/// Writes `chunk` again and again until `total` bytes are gone; how many went.
///
/// # Errors
/// What the host said, in words, after how many bytes.
pub fn pour(body: &OutgoingBody, chunk: &[u8], total: u64) -> Result<u64, String> {
    let stream = body.write().map_err(|()| "stream already taken")?;
    let mut sent = 0;
    while sent < total {
        stream.blocking_write_and_flush(chunk).map_err(|error| format!("after {sent} bytes: {error:?}"))?;
        sent += chunk.len() as u64;
    }
    Ok(sent)
}

/// The host's own words where it has any, else the name of the code.
#[must_use]
pub fn describe(code: &ErrorCode) -> String {
    match code {
        ErrorCode::InternalError(Some(text)) => text.clone(),
        code => format!("{code:?}"),
    }
}
