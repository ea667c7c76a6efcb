//! What goes wrong in this layer, as the client sees it: a JSON-RPC error.
//!
//! A tool that fails is none of this: that is a result with `isError`, for the model to read.

use std::time::Duration;

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use super::lifecycle::TASKS;
use super::version::Revision;
use crate::registry::types::ClientAbilities;

/// Why a message was not served. Made by this layer only; the text goes to the client, so it never holds anything of
/// the host's inside.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The bytes are not JSON (-32700).
    #[error("parse error: {0}")]
    Parse(String),
    /// JSON, but not a message this peer may send now (-32600).
    #[error("invalid request: {0}")]
    InvalidRequest(String),
    /// No such method in this revision, or its capability is not declared (-32601).
    #[error("method not found: {0}")]
    UnknownMethod(String),
    /// A field that every request must carry is missing or wrong (-32602, refused before anything was done).
    #[error("invalid params: {0}")]
    Malformed(String),
    /// The parameters do not fit the method (-32602).
    #[error("invalid params: {0}")]
    InvalidParams(String),
    /// No tool of that name (-32602).
    #[error("unknown tool: {0}")]
    UnknownTool(String),
    /// No prompt of that name (-32602).
    #[error("unknown prompt: {0}")]
    UnknownPrompt(String),
    /// No resource of that URI (-32602; -32002 before `2026-07-28`).
    #[error("resource not found: {uri}")]
    UnknownResource {
        /// What was asked for.
        uri: String,
        /// For whom.
        revision: Revision,
    },
    /// The plugin could not do it (-32603). The text says why, and is meant for the caller.
    #[error("{0}")]
    Failed(String),
    /// HTTP headers and body say different things (-32020).
    #[error("header mismatch: {0}")]
    HeaderMismatch(String),
    /// The plugin needs what the client did not declare (-32021).
    #[error("the client declared no capability for what this must ask of it")]
    MissingCapability(ClientAbilities),
    /// The client did not declare that it can follow tasks (-32021).
    #[error("the client did not declare the extension {TASKS}, which this needs")]
    NeedsTasks,
    /// The revision asked for is not one whose requests stand alone here (-32022).
    #[error("unsupported protocol version: {0}")]
    UnsupportedVersion(String),
    /// More at once than one peer may have (-32603).
    #[error("too many requests in flight (limit {0}); wait for answers before sending more")]
    Busy(usize),
    /// The caller lacks these scopes, all of them (-32603; HTTP says it with 403).
    #[error("this needs the scopes {}, get a token that has them", .0.join(", "))]
    NeedsScopes(Vec<String>),
    /// The caller has used up what it may use for now (-32603; HTTP says it with 429).
    #[error("{why}")]
    Limited {
        /// What, and what to do.
        why: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// The host failed; the log knows more (-32603).
    #[error("internal error")]
    Internal,
}

/// What an answer means to a transport that has a status of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A result, or an error that is an ordinary answer to a well-formed request.
    Answered,
    /// The message itself was refused.
    Refused,
    /// There is no such method.
    UnknownMethod,
    /// The peer has too much going on.
    Busy,
    /// The caller lacks scopes.
    Forbidden,
    /// The caller has used up what it may use, and may come again in so many seconds.
    Limited(u64),
}

impl Error {
    /// The JSON-RPC error code. Source: JSON-RPC 2.0, section 5.1; 2026-07-28, basic, "Error Codes".
    pub fn code(&self) -> i32 {
        match self {
            Self::Parse(_) => -32700,
            Self::InvalidRequest(_) => -32600,
            Self::UnknownMethod(_) => -32601,
            Self::UnknownResource { revision, .. } if !revision.is_per_request() => -32002,
            Self::Malformed(_) | Self::InvalidParams(_) | Self::UnknownTool(_) => -32602,
            Self::UnknownPrompt(_) | Self::UnknownResource { .. } => -32602,
            Self::Busy(_) | Self::Internal | Self::Failed(_) | Self::NeedsScopes(_) | Self::Limited { .. } => -32603,
            Self::HeaderMismatch(_) => -32020,
            Self::MissingCapability(_) | Self::NeedsTasks => -32021,
            Self::UnsupportedVersion(_) => -32022,
        }
    }

    /// What it means to a transport.
    pub fn class(&self) -> Class {
        match self {
            Self::InvalidParams(_) | Self::UnknownTool(_) | Self::UnknownPrompt(_) => Class::Answered,
            Self::UnknownResource { .. } | Self::Failed(_) | Self::Internal => Class::Answered,
            Self::UnknownMethod(_) => Class::UnknownMethod,
            Self::Busy(_) => Class::Busy,
            Self::NeedsScopes(_) => Class::Forbidden,
            Self::Limited { retry_after, .. } => {
                Class::Limited(retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0))
            }
            _ => Class::Refused,
        }
    }
}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut error = serializer.serialize_struct("Error", 3)?;
        error.serialize_field("code", &self.code())?;
        error.serialize_field("message", &self.to_string())?;
        match self {
            Self::UnsupportedVersion(requested) => {
                error.serialize_field("data", &UnsupportedData { requested })?;
            }
            Self::MissingCapability(missing) => {
                error.serialize_field("data", &MissingData(*missing))?;
            }
            Self::NeedsTasks => error.serialize_field("data", &NeedsTasks)?,
            Self::UnknownResource { uri, .. } => error.serialize_field("data", &UnknownData { uri })?,
            Self::NeedsScopes(scopes) => error.serialize_field("data", &ScopesData { scopes })?,
            Self::Limited { retry_after, .. } => {
                let retry_after_ms = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX);
                error.serialize_field("data", &RetryData { retry_after_ms })?;
            }
            _ => error.skip_field("data")?,
        }
        error.end()
    }
}

struct UnsupportedData<'a> {
    requested: &'a str,
}

impl Serialize for UnsupportedData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut data = serializer.serialize_struct("Data", 2)?;
        data.serialize_field("supported", &Revision::PER_REQUEST.map(Revision::as_str))?;
        data.serialize_field("requested", self.requested)?;
        data.end()
    }
}

#[derive(serde::Serialize)]
struct UnknownData<'a> {
    uri: &'a str,
}

#[derive(serde::Serialize)]
struct ScopesData<'a> {
    scopes: &'a [String],
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct RetryData {
    retry_after_ms: u64,
}

/// The capability in the shape in which a client declares it.
struct NeedsTasks;

impl Serialize for NeedsTasks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        type Level<T> = std::collections::BTreeMap<&'static str, T>;
        let nothing = Level::<()>::new();
        let extensions = Level::from([(TASKS, nothing)]);
        Level::from([("requiredCapabilities", Level::from([("extensions", extensions)]))]).serialize(serializer)
    }
}

struct MissingData(ClientAbilities);

impl Serialize for MissingData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut data = serializer.serialize_struct("Data", 1)?;
        data.serialize_field("requiredCapabilities", &Capabilities(self.0))?;
        data.end()
    }
}

/// Abilities in the shape in which a client declares them.
struct Capabilities(ClientAbilities);

impl Serialize for Capabilities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Nested(&'static [(ClientAbilities, &'static str)], ClientAbilities);
        impl Serialize for Nested {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                for (ability, name) in self.0 {
                    if self.1.contains(*ability) {
                        map.serialize_entry(name, &Nested(&[], self.1))?;
                    }
                }
                map.end()
            }
        }
        const MODES: &[(ClientAbilities, &str)] = &[(ClientAbilities::FORM, "form"), (ClientAbilities::URL, "url")];
        const SAMPLING: &[(ClientAbilities, &str)] = &[(ClientAbilities::SAMPLE_TOOLS, "tools")];

        let wanted = self.0;
        let mut map = serializer.serialize_map(None)?;
        if wanted.contains(ClientAbilities::FORM) || wanted.contains(ClientAbilities::URL) {
            map.serialize_entry("elicitation", &Nested(MODES, wanted))?;
        }
        if wanted.contains(ClientAbilities::SAMPLE) || wanted.contains(ClientAbilities::SAMPLE_TOOLS) {
            map.serialize_entry("sampling", &Nested(SAMPLING, wanted))?;
        }
        if wanted.contains(ClientAbilities::ROOTS) {
            map.serialize_entry("roots", &Nested(&[], wanted))?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::{ClientAbilities, Error, Revision};

    #[test]
    fn data_has_the_shape_of_the_schema() {
        for (error, json) in [
            (
                Error::UnsupportedVersion("1900-01-01".into()),
                r#"{"code":-32022,"message":"unsupported protocol version: 1900-01-01","data":{"supported":["2026-07-28"],"requested":"1900-01-01"}}"#,
            ),
            (
                Error::MissingCapability(ClientAbilities::FORM | ClientAbilities::SAMPLE),
                r#"{"code":-32021,"message":"the client declared no capability for what this must ask of it","data":{"requiredCapabilities":{"elicitation":{"form":{}},"sampling":{}}}}"#,
            ),
            (
                Error::NeedsTasks,
                r#"{"code":-32021,"message":"the client did not declare the extension io.modelcontextprotocol/tasks, which this needs","data":{"requiredCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}}}"#,
            ),
            (
                Error::UnknownResource { uri: "x://y".into(), revision: Revision::V2026_07_28 },
                r#"{"code":-32602,"message":"resource not found: x://y","data":{"uri":"x://y"}}"#,
            ),
            (
                Error::UnknownResource { uri: "x://y".into(), revision: Revision::V2025_11_25 },
                r#"{"code":-32002,"message":"resource not found: x://y","data":{"uri":"x://y"}}"#,
            ),
            (Error::Internal, r#"{"code":-32603,"message":"internal error"}"#),
        ] {
            assert_eq!(serde_json::to_string(&error).unwrap(), json);
        }
    }
}
