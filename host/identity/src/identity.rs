//! Who is calling.
//!
//! A principal is a text. Principals of different methods never meet by accident:
//!
//! - key: as the operator wrote it when the key was made;
//! - access token: `<issuer's name>:<sub>`, unless the operator made that issuer's principals plain, and then a `sub`
//!   that starts with the prefix of another method or issuer is refused;
//! - client certificate: `cert:<name>`, unless the operator wrote another prefix, or the principal itself into a table;
//! - this machine's user: `local:<user>`.

use std::collections::BTreeSet;
use std::fmt;
use std::time::SystemTime;

use crate::limits::{MAX_CLAIMS_BYTES, MAX_NAME_BYTES};

/// How the caller was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// An API key.
    Key,
    /// An access token that says everything itself.
    Jwt,
    /// An access token that its server was asked about.
    Introspection,
    /// A client certificate.
    Certificate,
    /// The user who started the process.
    Local,
}

impl Method {
    /// The word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Jwt => "jwt",
            Self::Introspection => "introspection",
            Self::Certificate => "certificate",
            Self::Local => "local",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What has become of a credential that was good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It still is.
    Good,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

/// Who is calling, and what their credential says they may ask for. Holds no credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The caller's name; see the module's text for its form.
    pub principal: String,
    /// How they were told.
    pub via: Method,
    /// The groups the credential puts them in.
    pub groups: BTreeSet<String>,
    /// What the credential is good for, with all that implies.
    pub scopes: BTreeSet<String>,
    /// The token's claims, a JSON object; `{}` for other methods, or if they are too long to be kept.
    pub claims: String,
    /// When the credential ends.
    pub expires: Option<SystemTime>,
    /// The id of the API key.
    pub key_id: Option<String>,
    /// The operator's name for the issuer, or the server that was asked, of an access token.
    pub issuer: Option<String>,
}

impl Identity {
    /// The user who started the process, for stdio and for a host without authentication on loopback.
    pub fn local(user: &str) -> Self {
        Self { principal: format!("{LOCAL_PREFIX}:{user}"), ..Self::new(String::new(), Method::Local) }
    }

    pub(crate) fn new(principal: String, via: Method) -> Self {
        Self {
            principal,
            via,
            groups: BTreeSet::new(),
            scopes: BTreeSet::new(),
            claims: "{}".to_owned(),
            expires: None,
            key_id: None,
            issuer: None,
        }
    }

    /// Roughly how much memory it takes, in bytes.
    pub(crate) fn weight(&self) -> usize {
        let names: usize = self.groups.iter().chain(&self.scopes).map(|name| name.len() + 64).sum();
        256 + self.principal.len() + self.claims.len() + names
    }
}

/// What principals of this machine's users start with.
pub(crate) const LOCAL_PREFIX: &str = "local";

/// Whether `text` can be a principal or a group: not empty, not long, no control characters.
pub fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// The claims as text, or `{}` if that is too long.
pub(crate) fn claims_text(claims: &serde_json::Map<String, serde_json::Value>) -> String {
    serde_json::to_string(claims).ok().filter(|text| text.len() <= MAX_CLAIMS_BYTES).unwrap_or_else(|| "{}".to_owned())
}
