//! Why there is no response.

use std::fmt::{self, Display, Formatter};

/// Why there is no response, or no body. The text of each is made for the model that reads the tool's result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The URL cannot be right; the text says why.
    Url(String),
    /// This header, or the method, cannot be sent.
    Header(String),
    /// The host refused the request, and its code says no more than this.
    Denied(String),
    /// What the host said in its own words, which are passed on unchanged: often a refusal, with the line that would
    /// allow the request.
    Host(String),
    /// Time is up; the text says for what.
    Timeout(String),
    /// The body is longer than this many bytes.
    TooLarge {
        /// The limit that was given.
        limit: usize,
    },
    /// The answers pointed elsewhere more often than was to be followed.
    TooManyRedirects {
        /// The limit that was given.
        limit: u32,
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
            Self::Denied(why) => write!(f, "the host refused the request: {why}"),
            Self::Host(text) => f.write_str(text),
            Self::Timeout(what) => write!(f, "time is up: {what}"),
            Self::TooLarge { limit } => write!(f, "the response is longer than {limit} bytes"),
            Self::TooManyRedirects { limit: 1 } => {
                f.write_str("the answer to the one redirect followed was another redirect")
            }
            Self::TooManyRedirects { limit } => {
                write!(f, "{limit} redirects were followed, and there was another")
            }
            Self::Failed(why) => write!(f, "the request failed: {why}"),
            Self::NoHost => f.write_str("requests are sent by the host, and this does not run in one"),
        }
    }
}

impl std::error::Error for Error {}
