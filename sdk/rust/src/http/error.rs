//! Why there is no response.

use std::fmt::{self, Display, Formatter};

/// Why there is no response, or no body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The URL cannot be right; the text says why.
    Url(String),
    /// This header, or the method, cannot be sent.
    Header(String),
    /// The operator did not grant this request; the text is what the host says of it.
    Denied(String),
    /// Time is up.
    Timeout,
    /// The body is longer than this many bytes.
    TooLarge {
        /// The limit that was given.
        limit: usize,
    },
    /// The connection failed or broke off, or the other side does not speak HTTP; the text says which.
    Failed(String),
    /// This is no component, so there is no host to send it.
    NoHost,
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(why) => write!(f, "this URL cannot be asked for: {why}"),
            Self::Header(name) => write!(f, "`{name}` cannot be sent in a request"),
            Self::Denied(why) => write!(f, "the request was refused: {why}"),
            Self::Timeout => f.write_str("the server did not answer in time"),
            Self::TooLarge { limit } => write!(f, "the response is longer than {limit} bytes"),
            Self::Failed(why) => write!(f, "the request failed: {why}"),
            Self::NoHost => {
                f.write_str("requests are sent by the host, and this does not run in one")
            }
        }
    }
}

impl std::error::Error for Error {}
