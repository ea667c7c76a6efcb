//! The client on `wasi:http`.

use super::target::{Scheme, Target};
use super::{Error, Request, Response, Timeouts, code};
use std::time::Duration;
use wasip2::clocks::monotonic_clock::{self, Instant};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    self as wasi, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingBody, OutgoingRequest,
    RequestOptions,
};
use wasip2::io::poll::{self, Pollable};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

/// What is taken from a stream at once at most, in bytes.
const CHUNK: usize = 64 * 1024;

const LENGTH: &str = "content-length";

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
            self.deadline.check()?;
            match self.stream.read(room.min(CHUNK) as u64) {
                Ok(chunk) if chunk.is_empty() => self.deadline.wait_for(&self.stream.subscribe())?,
                Ok(chunk) => return Ok(Some(chunk)),
                Err(StreamError::Closed) => return Ok(None),
                Err(StreamError::LastOperationFailed(error)) => {
                    return Err(match wasi::http_error_code(&error) {
                        Some(code) => code::error(code),
                        None => Error::Failed(error.to_debug_string()),
                    });
                }
            }
        }
    }
}

pub fn send(request: &Request, target: &Target<'_>, deadline: Deadline) -> Result<Response, Error> {
    let outgoing = head(request, target)?;
    // The body is taken before the request is given away, and written after: nobody reads it earlier. A request whose
    // body was never taken has none, and says so to the server.
    let body = match request.body.is_empty() {
        true => None,
        false => Some(outgoing.body().map_err(|()| unexpected("body"))?),
    };
    let future = outgoing_handler::handle(outgoing, options(request.timeouts)).map_err(code::error)?;
    if let Some(body) = body {
        write(body, &request.body, &future, deadline)?;
    }
    let response = head_of_response(&future, deadline)?;
    let headers = response.headers().entries();
    let body = response.consume().map_err(|()| unexpected("response"))?;
    let stream = body.stream().map_err(|()| unexpected("response body"))?;
    Ok(Response {
        url: String::new(),
        status: response.status(),
        headers,
        body: Body { stream, _body: body, _response: response, deadline },
    })
}

fn head(request: &Request, target: &Target<'_>) -> Result<OutgoingRequest, Error> {
    let headers = Fields::new();
    for (name, value) in &request.headers {
        headers.append(name, value).map_err(|_| Error::Header(name.clone()))?;
    }
    // Many servers want the length beforehand. A host that sees to it itself refuses this header, which is as good.
    if !request.body.is_empty() && !headers.has(LENGTH) {
        let _ = headers.append(LENGTH, request.body.len().to_string().as_bytes());
    }
    // With a length the server need not be able to read a body in chunks, and some want one even of nothing (RFC 9110,
    // section 8.6).
    let expected = matches!(&*request.method, "POST" | "PUT" | "PATCH");
    if (expected || !request.body.is_empty()) && !headers.has("content-length") {
        let length = request.body.len().to_string();
        let _ = headers.append("content-length", length.as_bytes());
    }
    let outgoing = OutgoingRequest::new(headers);
    outgoing.set_method(&method(&request.method)).map_err(|()| Error::Header(request.method.clone()))?;
    let scheme = match target.scheme {
        Scheme::Http => wasi::Scheme::Http,
        Scheme::Https => wasi::Scheme::Https,
    };
    outgoing.set_scheme(Some(&scheme)).map_err(|()| Error::Url("its scheme".to_owned()))?;
    outgoing
        .set_authority(Some(target.authority))
        .map_err(|()| Error::Url(format!("`{}` is not a host", target.authority)))?;
    outgoing
        .set_path_with_query(Some(&target.path_with_query))
        .map_err(|()| Error::Url(format!("`{}` is not a path", target.path_with_query)))?;
    Ok(outgoing)
}

fn method(name: &str) -> wasi::Method {
    match name {
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
fn options(timeouts: Timeouts) -> Option<RequestOptions> {
    let Timeouts { total, connect, first_byte, between_bytes } = timeouts;
    let options = RequestOptions::new();
    let mut any = false;
    let mut set = |timeout: Option<Duration>, set: fn(&RequestOptions, Option<u64>) -> Result<(), ()>| {
        if let Some(timeout) = timeout.or(total) {
            let _ = set(&options, Some(nanoseconds(timeout)));
            any = true;
        }
    };
    set(connect, RequestOptions::set_connect_timeout);
    set(first_byte, RequestOptions::set_first_byte_timeout);
    set(between_bytes, RequestOptions::set_between_bytes_timeout);
    any.then_some(options)
}

/// A server may answer before it has read everything, or instead of it; so a body that nobody takes is no failure yet, the
/// response tells.
fn write(body: OutgoingBody, bytes: &[u8], answer: &FutureIncomingResponse, deadline: Deadline) -> Result<(), Error> {
    let stream = body.write().map_err(|()| unexpected("request body"))?;
    let complete = write_all(&stream, bytes, answer, deadline)?;
    drop(stream);
    match complete {
        // What goes wrong from here on is in the response too.
        true => drop(OutgoingBody::finish(body, None)),
        false => drop(body),
    }
    Ok(())
}

/// Whether all of it was taken.
fn write_all(
    stream: &OutputStream,
    mut bytes: &[u8],
    answer: &FutureIncomingResponse,
    deadline: Deadline,
) -> Result<bool, Error> {
    let answered = answer.subscribe();
    while !bytes.is_empty() {
        let Ok(room) = stream.check_write() else {
            return Ok(false);
        };
        let (now, later) = bytes.split_at(bytes.len().min(usize::try_from(room).unwrap_or(CHUNK)));
        if now.is_empty() {
            deadline.wait_for_any(&[&stream.subscribe(), &answered])?;
            // Answered, and there is still no room: the server has heard enough.
            if answered.ready() && stream.check_write().is_ok_and(|room| room == 0) {
                return Ok(false);
            }
        } else if stream.write(now).is_err() {
            return Ok(false);
        }
        bytes = later;
    }
    Ok(stream.flush().is_ok())
}

fn head_of_response(future: &FutureIncomingResponse, deadline: Deadline) -> Result<IncomingResponse, Error> {
    loop {
        match future.get() {
            Some(Ok(Ok(response))) => return Ok(response),
            Some(Ok(Err(code))) => return Err(code::error(code)),
            Some(Err(())) => return Err(unexpected("response")),
            None => deadline.wait_for(&future.subscribe())?,
        }
    }
}

/// A resource that was used once already, which this file never does.
fn unexpected(what: &str) -> Error {
    Error::Failed(format!("the host gave the {what} away twice"))
}

/// When everything has to be over; none means the host decides.
#[derive(Clone, Copy)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    pub fn after(timeout: Option<Duration>) -> Self {
        Self(timeout.map(|timeout| monotonic_clock::now().saturating_add(nanoseconds(timeout))))
    }

    fn wait_for(self, ready: &Pollable) -> Result<(), Error> {
        self.wait_for_any(&[ready])
    }

    fn wait_for_any(self, ready: &[&Pollable]) -> Result<(), Error> {
        let Self(Some(deadline)) = self else {
            poll::poll(ready);
            return Ok(());
        };
        let bell = monotonic_clock::subscribe_instant(deadline);
        let mut awaited = ready.to_vec();
        awaited.push(&bell);
        // The first entry wins if several are ready: what has arrived in time is used.
        match poll::poll(&awaited).first() {
            Some(&first) if (first as usize) < ready.len() => Ok(()),
            _ => Err(Error::Timeout("the exchange took too long".to_owned())),
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
