//! API keys: made by the operator, shown once, kept as hashes.
//!
//! A key is `tck_<id>_<secret>`. The secret is 256 random bits, so a plain SHA-256 of it is all that need be kept: there
//! is nothing to guess that salt or a slow hash would protect, and looking one up costs next to nothing.

mod file;
mod reader;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use file::KeyFile;
pub use reader::Keys;
pub(crate) use text::KeyText;

/// A key as it is kept. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRecord {
    /// The part of the key that is no secret: 12 letters and digits.
    pub id: String,
    /// SHA-256 of the secret, base64url.
    pub hash: String,
    /// Whose key it is.
    pub principal: String,
    /// Their groups.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<String>,
    /// What the key may be used for.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub scopes: BTreeSet<String>,
    /// When it was made.
    pub created: u64,
    /// From when on it is not good any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// Since when it is not good any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<u64>,
    /// What the operator wants to remember.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A key to be made.
#[derive(Clone, Debug, Default)]
pub struct NewKey {
    /// Whose key it is. Write `<issuer>:<sub>` only to mean the caller whom that issuer's tokens name.
    pub principal: String,
    /// Their groups.
    pub groups: BTreeSet<String>,
    /// What the key may be used for.
    pub scopes: BTreeSet<String>,
    /// How long it is good; `None` for ever.
    pub lifetime: Option<Duration>,
    /// What the operator wants to remember.
    pub note: String,
}

/// What can go wrong with the key file. The text ends with what to change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the texts say it")]
pub enum KeyError {
    #[error("{path}: {error}")]
    File { path: PathBuf, error: std::io::Error },
    #[error("{path}: not a key file: {problem}; restore it from a copy")]
    Broken { path: PathBuf, problem: String },
    #[error("{path}: others than its owner may write it: run chmod go-w on it")]
    Writable { path: PathBuf },
    #[error("{path}: too many keys: remove revoked and expired ones, at most {max} fit", max = crate::limits::MAX_KEYS)]
    Full { path: PathBuf },
    #[error("`{0}` cannot be a principal, a group or a scope: write a short text without control characters")]
    Name(String),
    #[error("the note is longer than {} bytes: write a shorter one", crate::limits::MAX_NOTE_BYTES)]
    Note,
    #[error("no key has the id `{0}`: list the keys to see their ids")]
    Unknown(String),
    #[error("the system gives no random bytes: {0}")]
    Random(String),
}
