//! Why a caller was not let in. As text it holds nothing of the credential, so it may be logged and sent.

use thiserror::Error;

/// A request was refused. [`Challenges::answer`](crate::Challenges::answer) makes the HTTP answer of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No credential was sent.
    #[error("no credential was sent")]
    Missing,
    /// The request carries more than one credential, or one that cannot be read: 400.
    #[error("{0}")]
    Malformed(&'static str),
    /// The API key is unknown, wrong, expired or revoked; which of them is not said.
    #[error("the API key is not valid")]
    Key,
    /// The access token is not good.
    #[error("the access token is refused: {0}")]
    Token(&'static str),
    /// The proof beside the access token is not good.
    #[error("the DPoP proof is refused: {0}")]
    Proof(&'static str),
    /// The proof must be made again with this nonce.
    #[error("the DPoP proof needs the nonce of this server")]
    Nonce {
        /// For the header `DPoP-Nonce`.
        nonce: String,
    },
    /// The client certificate is not good, or nobody's.
    #[error("the client certificate is refused: {0}")]
    Certificate(&'static str),
    /// The credential is good, but not for this: 403.
    #[error("more scopes are needed: {}", .required.join(" "))]
    Scope {
        /// All scopes the operation needs, those already held among them.
        required: Vec<String>,
    },
    /// The credential cannot be judged now: 503.
    #[error("the credential cannot be checked now: {0}")]
    Unavailable(&'static str),
}

impl Refusal {
    /// One word for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed(_) => "malformed",
            Self::Key => "key",
            Self::Token(_) => "token",
            Self::Proof(_) => "proof",
            Self::Nonce { .. } => "nonce",
            Self::Certificate(_) => "certificate",
            Self::Scope { .. } => "scope",
            Self::Unavailable(_) => "unavailable",
        }
    }
}
