//! What can be wrong with the configuration.

use std::path::PathBuf;

use thiserror::Error;

/// The configuration cannot be used. The text ends with what to change.
#[derive(Debug, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the texts say it")]
pub enum ConfigError {
    #[error("`{0}` cannot be a scope: write printable ASCII without space, quote and backslash")]
    Scope(String),
    #[error("too many scopes: name at most {}", crate::limits::MAX_SCOPES)]
    TooManyScopes,
    #[error("`{url}` cannot be used as {what}: {problem}")]
    Url { what: &'static str, url: String, problem: &'static str },
    #[error(
        "`{0}` cannot name an issuer: write a name of its own in lower case letters, digits, `-` and `_`, other than `cert` and `local`"
    )]
    IssuerName(String),
    #[error("the issuer `{0}` is configured twice: write it once, with all its audiences")]
    IssuerTwice(String),
    #[error("`{0}` has no audience: name the resource its tokens must be made for")]
    NoAudience(String),
    #[error("`{0}` allows no algorithm: name at least one")]
    NoAlgorithm(String),
    #[error("the leeway of `{0}` is more than 300 s: write less")]
    Leeway(String),
    #[error("DPoP allows no algorithm: name at least one")]
    NoProofAlgorithm,
    #[error("DPoP proofs may be at most 600 s old: write less")]
    ProofAge,
    #[error("the secret for nonces is shorter than 32 bytes: write a longer one")]
    NonceSecret,
    #[error("no way to tell who is calling: configure a key file, an issuer, introspection or client certificates")]
    NoMethod,
    #[error("{path}: {problem}")]
    Authority { path: PathBuf, problem: String },
    #[error("no usable TLS version: {0}")]
    Tls(String),
    #[error("the system gives no random bytes: {0}")]
    Random(String),
    #[error(transparent)]
    Keys(#[from] crate::keys::KeyError),
}
