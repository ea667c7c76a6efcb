//! The client on `wasi:http`.

use super::target::{Scheme, Target};
use super::{Error, Request, Response};
use std::time::Duration;
use wasip2::clocks::monotonic_clock::{self, Instant};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    self as wasi, ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse,
    OutgoingBody, OutgoingRequest, RequestOptions,
};
use wasip2::io::poll::{self, Pollable};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

/// What is taken from a stream at once at most, in bytes.
const CHUNK: usize = 64 * 1024;

/// A body being read. Fields are dropped in this order: a stream has to go before what it came from.
pub struct Body {
    stream: InputStream,
    _body: IncomingBody,
    _response: IncomingResponse,
    deadline: Deadline,
}

impl Body {
    /// The next bytes, at least one and at most `room`; none at the end.
    pub fn read(&mut self, room: usize) -> Result<Option<Vec<u8>>, Error> {
        loop {
            match self.stream.read(room.min(CHUNK) as u64) {
                Ok(chunk) if chunk.is_empty() => {
                    self.deadline.wait_for(&self.stream.subscribe())?
                }
                Ok(chunk) => return Ok(Some(chunk)),
                Err(StreamError::Closed) => return Ok(None),
                Err(StreamError::LastOperationFailed(error)) => {
                    return Err(match wasi::http_error_code(&error) {
                        Some(code) => refusal(code),
                        None => Error::Failed(error.to_debug_string()),
                    });
                }
            }
        }
    }
}

pub fn send(request: &Request, target: &Target<'_>) -> Result<Response, Error> {
    let deadline = Deadline::after(request.timeout);
    let outgoing = head(request, target)?;
    // The body is taken before the request is given away, and written after: nobody reads it earlier.
    let body = outgoing.body().map_err(|()| unexpected("body"))?;
    let future = outgoing_handler::handle(outgoing, options(request.timeout)).map_err(refusal)?;
    write(body, &request.body, &deadline)?;
    let response = head_of_response(&future, &deadline)?;
    let headers = response.headers().entries();
    let body = response.consume().map_err(|()| unexpected("response"))?;
    let stream = body.stream().map_err(|()| unexpected("response body"))?;
    Ok(Response {
        status: response.status(),
        headers,
        body: Body {
            stream,
            _body: body,
            _response: response,
            deadline,
        },
    })
}

fn head(request: &Request, target: &Target<'_>) -> Result<OutgoingRequest, Error> {
    let headers = Fields::new();
    for (name, value) in &request.headers {
        headers
            .append(name, value)
            .map_err(|_| Error::Header(name.clone()))?;
    }
    let outgoing = OutgoingRequest::new(headers);
    outgoing
        .set_method(&method(&request.method))
        .map_err(|()| Error::Header(request.method.clone()))?;
    let scheme = match target.scheme {
        Scheme::Http => wasi::Scheme::Http,
        Scheme::Https => wasi::Scheme::Https,
    };
    outgoing
        .set_scheme(Some(&scheme))
        .map_err(|()| Error::Url("its scheme".to_owned()))?;
    outgoing
        .set_authority(Some(target.authority))
        .map_err(|()| Error::Url(format!("`{}` is not a host", target.authority)))?;
    outgoing
        .set_path_with_query(Some(&target.path_with_query))
        .map_err(|()| Error::Url(format!("`{}` is not a path", target.path_with_query)))?;
    Ok(outgoing)
}

fn method(name: &str) -> wasi::Method {
    match name.to_ascii_uppercase().as_str() {
        "GET" => wasi::Method::Get,
        "HEAD" => wasi::Method::Head,
        "POST" => wasi::Method::Post,
        "PUT" => wasi::Method::Put,
        "DELETE" => wasi::Method::Delete,
        "CONNECT" => wasi::Method::Connect,
        "OPTIONS" => wasi::Method::Options,
        "TRACE" => wasi::Method::Trace,
        "PATCH" => wasi::Method::Patch,
        _ => wasi::Method::Other(name.to_owned()),
    }
}

/// The host's own limits hold beside these; one it does not know is no reason to fail, because [`Deadline`] holds anyway.
fn options(timeout: Option<Duration>) -> Option<RequestOptions> {
    let nanoseconds = nanoseconds(timeout?);
    let options = RequestOptions::new();
    let _ = options.set_connect_timeout(Some(nanoseconds));
    let _ = options.set_first_byte_timeout(Some(nanoseconds));
    let _ = options.set_between_bytes_timeout(Some(nanoseconds));
    Some(options)
}

/// A server may answer before it has read everything; so a body that nobody takes is no failure yet, the response tells.
fn write(body: OutgoingBody, bytes: &[u8], deadline: &Deadline) -> Result<(), Error> {
    let stream = body.write().map_err(|()| unexpected("request body"))?;
    let complete = write_all(&stream, bytes, deadline)?;
    drop(stream);
    match complete {
        // What goes wrong from here on is in the response too.
        true => drop(OutgoingBody::finish(body, None)),
        false => drop(body),
    }
    Ok(())
}

/// Whether all of it was taken.
fn write_all(stream: &OutputStream, mut bytes: &[u8], deadline: &Deadline) -> Result<bool, Error> {
    while !bytes.is_empty() {
        let Ok(room) = stream.check_write() else {
            return Ok(false);
        };
        let (now, later) = bytes.split_at(bytes.len().min(usize::try_from(room).unwrap_or(CHUNK)));
        if now.is_empty() {
            deadline.wait_for(&stream.subscribe())?;
        } else if stream.write(now).is_err() {
            return Ok(false);
        }
        bytes = later;
    }
    Ok(stream.flush().is_ok())
}

fn head_of_response(
    future: &FutureIncomingResponse,
    deadline: &Deadline,
) -> Result<IncomingResponse, Error> {
    loop {
        match future.get() {
            Some(Ok(Ok(response))) => return Ok(response),
            Some(Ok(Err(code))) => return Err(refusal(code)),
            Some(Err(())) => return Err(unexpected("response")),
            None => deadline.wait_for(&future.subscribe())?,
        }
    }
}

/// What the host says, as an error.
fn refusal(code: ErrorCode) -> Error {
    match code {
        ErrorCode::HttpRequestDenied => Error::Denied(
            "the operator did not grant it; the host's log has the line to add".to_owned(),
        ),
        ErrorCode::DestinationIpProhibited => Error::Denied(
            "its address is in a private network; the host's log has the line to add".to_owned(),
        ),
        ErrorCode::DnsTimeout
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => Error::Timeout,
        ErrorCode::DnsError(_) => Error::Failed("no such host".to_owned()),
        ErrorCode::ConnectionRefused => Error::Failed("nobody listens there".to_owned()),
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => {
            Error::Failed("the connection broke off".to_owned())
        }
        ErrorCode::TlsCertificateError => {
            Error::Failed("the server's certificate is not valid".to_owned())
        }
        ErrorCode::InternalError(Some(text)) => Error::Failed(text),
        other => Error::Failed(format!("{other:?}")),
    }
}

/// A resource that was used once already, which this file never does.
fn unexpected(what: &str) -> Error {
    Error::Failed(format!("the host gave the {what} away twice"))
}

/// When everything has to be over; none means the host decides.
struct Deadline(Option<Instant>);

impl Deadline {
    fn after(timeout: Option<Duration>) -> Self {
        Self(timeout.map(|timeout| monotonic_clock::now().saturating_add(nanoseconds(timeout))))
    }

    fn wait_for(&self, ready: &Pollable) -> Result<(), Error> {
        let Self(Some(deadline)) = *self else {
            ready.block();
            return Ok(());
        };
        let bell = monotonic_clock::subscribe_instant(deadline);
        // The first entry wins if both are ready: what has arrived in time is used.
        match poll::poll(&[ready, &bell]).first() {
            Some(0) => Ok(()),
            _ => Err(Error::Timeout),
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
