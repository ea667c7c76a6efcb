//! Who is calling a Toolcell host over HTTP.
//!
//! [`Authenticator`] takes what a request shows ([`Presented`]) and says who it is ([`Identity`]) or why not
//! ([`Refusal`]), which becomes an HTTP answer with its challenge. What a caller may do is decided elsewhere.
//!
//! Modules, in reading order:
//!
//! - [`identity`]: the answer, and how principals are named.
//! - `authenticator`: all methods at once; `presented`: the one credential of a request.
//! - [`keys`]: API keys.
//! - `jwt`, `introspect`: access tokens that say everything, and those that must be asked about; `access`: what both
//!   come down to.
//! - `dpop`: proofs that a token is its caller's.
//! - `certificate`: client certificates.
//! - [`scopes`]: which scope holds which.
//! - `refusal`, `challenge`, `metadata`: the way to say no, and where to go from there.
//! - `exchange`: a token for somewhere else.
//! - `jose`, `json`, `outgoing`, `secret`, [`limits`]: what these are made of.
//!
//! The time is always given. Nothing a stranger sends or a server answers is without a limit, and no text of this crate
//! holds a secret.

#![warn(missing_docs)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod access;
mod authenticator;
mod certificate;
mod challenge;
mod dpop;
mod error;
mod exchange;
pub mod identity;
mod introspect;
mod jose;
mod json;
mod jwt;
pub mod keys;
pub mod limits;
mod metadata;
mod outgoing;
mod presented;
mod refusal;
pub mod scopes;
mod secret;
#[cfg(test)]
mod testing;

pub use authenticator::{Authenticator, Config};
pub use certificate::{CertificateConfig, CertificateName, Mapped};
pub use challenge::{Answer, Challenges};
pub use dpop::DpopConfig;
pub use error::ConfigError;
pub use exchange::{ExchangeConfig, ExchangeError, Exchanged, Subject, TokenExchange};
pub use identity::{Identity, Method, Standing};
pub use introspect::IntrospectionConfig;
pub use jose::Algorithm;
pub use jwt::JwtIssuer;
pub use keys::{KeyError, KeyFile, KeyRecord, Keys, NewKey};
pub use metadata::{Metadata, MetadataConfig};
pub use outgoing::{ClientSecret, HttpConfig};
pub use presented::{Presented, access_token};
pub use refusal::Refusal;
pub use scopes::Scopes;
pub use secret::Secret;
