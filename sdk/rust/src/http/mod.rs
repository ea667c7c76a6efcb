//! A small blocking HTTP client over `wasi:http` (feature `http`).
//!
//! The host does the rest: it resolves names, checks the request against what the operator granted, and speaks TLS. What it
//! does not do is follow redirects; [`Response::header`] has the `location`.
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

mod error;
mod target;
#[cfg(target_family = "wasm")]
mod wasi;
#[cfg(not(target_family = "wasm"))]
#[path = "no_host.rs"]
mod wasi;

pub use error::Error;

use std::fmt::{self, Debug, Formatter};
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
    timeout: Option<Duration>,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: None,
        }
    }

    /// Adds a header. `host` and `content-length` are the host's business.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the time for everything: connecting, sending, waiting and reading the body to its end. Default is what the
    /// host allows.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends the request and waits for the head of the response, whatever its status.
    ///
    /// # Errors
    /// The URL or a header cannot be right, the operator did not grant the request, or there is no answer in time.
    pub fn send(self) -> Result<Response, Error> {
        let target = Target::parse(&self.url)?;
        wasi::send(&self, &target)
    }
}

/// A response whose body is still to be read.
pub struct Response {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: wasi::Body,
}

impl Response {
    /// The status, 100 to 599.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first value of a header, if it is text. Upper and lower case of the name are the same.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// All headers in the order received.
    #[must_use]
    pub fn headers(&self) -> &[(String, Vec<u8>)] {
        &self.headers
    }

    /// The body, if it is no longer than `limit` bytes.
    ///
    /// # Errors
    /// It is longer, does not arrive in time, or breaks off.
    pub fn bytes(self, limit: usize) -> Result<Vec<u8>, Error> {
        match self.prefix(limit)? {
            (body, false) => Ok(body),
            (_, true) => Err(Error::TooLarge { limit }),
        }
    }

    /// The body as text, if it is no longer than `limit` bytes. What is not UTF-8 is replaced by U+FFFD.
    ///
    /// # Errors
    /// Those of [`Response::bytes`].
    pub fn text(self, limit: usize) -> Result<String, Error> {
        Ok(match String::from_utf8(self.bytes(limit)?) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })
    }

    /// The first `limit` bytes of the body, and whether there was more.
    ///
    /// # Errors
    /// The body does not arrive in time, or breaks off.
    pub fn prefix(mut self, limit: usize) -> Result<(Vec<u8>, bool), Error> {
        let mut body = Vec::new();
        // One byte more than asked for tells whether there is more.
        while body.len() <= limit {
            let room = limit.saturating_add(1) - body.len();
            match self.body.read(room)? {
                Some(chunk) => body.extend_from_slice(&chunk),
                None => return Ok((body, false)),
            }
        }
        body.truncate(limit);
        Ok((body, true))
    }
}

impl Debug for Response {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
