//! On the machine itself there is no host to send a request: a plugin compiles, and its own tests see [`Error::NoHost`].

use super::target::Target;
use super::{Error, Request, Response, Timeouts};
use std::time::Duration;

/// No body ever comes, except in the tests of this module.
pub enum Body {
    #[cfg(test)]
    Chunks(std::collections::VecDeque<Vec<u8>>),
}

impl Body {
    #[cfg_attr(not(test), allow(clippy::unused_self, reason = "the twin of the client on `wasi:http`"))]
    pub fn read(&mut self, _room: usize) -> Result<Option<Vec<u8>>, Error> {
        match *self {
            #[cfg(test)]
            Self::Chunks(ref mut chunks) => Ok(chunks.pop_front()),
        }
    }
}

/// Without a clock of the host's, no time is ever up.
#[derive(Clone, Copy)]
pub struct Deadline;

impl Deadline {
    pub fn after(_timeout: Option<Duration>) -> Self {
        Self
    }
}

pub fn send(request: &Request, target: &Target<'_>, _deadline: Deadline) -> Result<Response, Error> {
    let Timeouts { total, connect, first_byte, between_bytes } = request.timeouts;
    // What the client on `wasi:http` reads, so that the compiler does not take it for dead here.
    let _ = (target, total, connect, first_byte, between_bytes);
    Err(Error::NoHost)
}
