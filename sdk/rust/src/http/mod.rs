//! A small blocking HTTP client over `wasi:http` (feature `http`).
//!
//! The host does the rest: it resolves names, checks each request against what the operator granted, and speaks TLS.
//! Redirects are followed only on demand, see [`Request::redirects`], and every one of them is checked like the first
//! request.
//!
//! ```no_run
//! use std::time::Duration;
//! use toolcell_sdk::{ToolError, http};
//!
//! fn weather(city: &str) -> Result<String, ToolError> {
//!     let response = http::Request::new("GET", format!("https://wttr.example/{city}"))
//!         .header("accept", "text/plain")
//!         .timeout(Duration::from_secs(5))
//!         .send()?;
//!     Ok(response.text(64 * 1024)?)
//! }
//! ```

#[cfg(any(target_family = "wasm", test))]
mod code;
mod error;
mod redirect;
mod response;
mod target;
#[cfg(target_family = "wasm")]
mod wasi;
#[cfg(not(target_family = "wasm"))]
#[path = "no_host.rs"]
mod wasi;

pub use error::Error;
pub use response::Response;

use std::time::Duration;
use target::Target;

/// Asks for a page.
///
/// # Errors
/// Those of [`Request::send`].
pub fn get(url: impl Into<String>) -> Result<Response, Error> {
    Request::new("GET", url).send()
}

/// A request that is being put together. Nothing in it is checked before [`Request::send`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct Request {
    method: String,
    url: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    timeouts: Timeouts,
    redirects: u32,
}

/// How long each part of an exchange may take; none leaves it to the host.
#[derive(Clone, Copy, Debug, Default)]
struct Timeouts {
    total: Option<Duration>,
    connect: Option<Duration>,
    first_byte: Option<Duration>,
    between_bytes: Option<Duration>,
}

impl Request {
    /// A request without headers and body. The methods everyone knows may be written in lower case.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        let mut method = method.into();
        const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
        if KNOWN.iter().any(|known| method.eq_ignore_ascii_case(known)) {
            method.make_ascii_uppercase();
        }
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeouts: Timeouts::default(),
            redirects: 0,
        }
    }

    /// Adds a header. `host` and what concerns the connection is the host's business, and `content-length` is set.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the time for everything: connecting, sending, waiting and reading the body to its end, redirects included.
    /// Default is what the host allows.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.total = Some(timeout);
        self
    }

    /// Sets the time for making a connection. Default is the time for everything.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.connect = Some(timeout);
        self
    }

    /// Sets the time from the end of the request to the first byte of the response. Default is the time for everything.
    pub fn first_byte_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.first_byte = Some(timeout);
        self
    }

    /// Sets the time the response may pause. Default is the time for everything.
    pub fn between_bytes_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.between_bytes = Some(timeout);
        self
    }

    /// Follows at most so many redirects. Default is none: the response is then the redirect itself.
    ///
    /// Each one is a new request that the host checks against the grants. Credentials (`authorization`, `cookie`) are not
    /// taken along to another origin, and a `POST` becomes a `GET` where browsers make it one.
    pub fn redirects(mut self, limit: u32) -> Self {
        self.redirects = limit;
        self
    }

    /// Sends the request and waits for the head of the response, whatever its status.
    ///
    /// # Errors
    /// The URL or a header cannot be right, the host refused the request, there is no answer in time, or the answers point
    /// elsewhere too often.
    pub fn send(self) -> Result<Response, Error> {
        let limit = self.redirects;
        let deadline = wasi::Deadline::after(self.timeouts.total);
        let mut request = self;
        let mut followed = 0;
        loop {
            let mut response = wasi::send(&request, &Target::parse(&request.url)?, deadline)?;
            let next = match limit {
                0 => None,
                _ => redirect::next(&request, response.status(), response.header("location"))?,
            };
            match next {
                None => {
                    response.url = request.url;
                    return Ok(response);
                }
                Some(_) if followed == limit => return Err(Error::TooManyRedirects { limit }),
                Some(next) => request = next,
            }
            followed += 1;
        }
    }
}
