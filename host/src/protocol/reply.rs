//! Answers, as finished bytes.

use bytes::Bytes;
use serde::Serialize;

use super::error::{Class, Error};
use super::jsonrpc::Id;

/// One JSON-RPC response without a line break in it, and what it means to a transport.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The message.
    pub bytes: Bytes,
    /// What it means.
    pub class: Class,
    /// The scopes its caller lacks.
    pub scopes: Vec<String>,
}

#[derive(Serialize)]
struct Success<'a, T> {
    jsonrpc: &'static str,
    id: &'a Id<'a>,
    result: T,
}

#[derive(Serialize)]
struct Failure<'a> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Id<'a>>,
    error: &'a Error,
}

impl Reply {
    /// A result.
    ///
    /// # Errors
    /// What `result` says when it cannot be written.
    pub fn success(id: &Id<'_>, result: impl Serialize) -> Result<Self, serde_json::Error> {
        // Most results are small; one that is not pays for growing with its own size.
        let mut bytes = Vec::with_capacity(512);
        serde_json::to_writer(&mut bytes, &Success { jsonrpc: "2.0", id, result })?;
        Ok(Self::written(bytes))
    }

    /// A result that has been written elsewhere.
    pub(crate) fn written(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.into(), class: Class::Answered, scopes: Vec::new() }
    }

    /// An error. Where the identifier could not be read there is none: the member is left out, as the revisions since
    /// `2025-11-25` say, and no revision's schema allows the null of plain JSON-RPC.
    pub fn failure(id: Option<&Id<'_>>, error: &Error) -> Self {
        let class = error.class();
        let bytes = serde_json::to_vec(&Failure { jsonrpc: "2.0", id, error }).unwrap_or_else(|_| INTERNAL.to_vec());
        let scopes = match error {
            Error::NeedsScopes(scopes) => scopes.clone(),
            _ => Vec::new(),
        };
        Self { bytes: bytes.into(), class, scopes }
    }
}

const INTERNAL: &[u8] = br#"{"jsonrpc":"2.0","error":{"code":-32603,"message":"internal error"}}"#;

#[derive(Serialize)]
struct Note<'a, T> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<T>,
}

/// A notification of ours; none if `params` cannot be written.
pub(crate) fn notification(method: &str, params: Option<impl Serialize>) -> Option<Bytes> {
    serde_json::to_vec(&Note { jsonrpc: "2.0", id: None, method, params }).ok().map(Bytes::from)
}

/// A request of ours; none if `params` cannot be written.
pub(crate) fn request(id: &str, method: &str, params: Option<impl Serialize>) -> Option<Bytes> {
    serde_json::to_vec(&Note { jsonrpc: "2.0", id: Some(id), method, params }).ok().map(Bytes::from)
}

/// The answers to a batch, as one array.
pub fn batch(replies: &[Reply]) -> Bytes {
    let mut bytes = Vec::with_capacity(replies.iter().map(|reply| reply.bytes.len() + 1).sum::<usize>() + 1);
    bytes.push(b'[');
    for (index, reply) in replies.iter().enumerate() {
        if index > 0 {
            bytes.push(b',');
        }
        bytes.extend_from_slice(&reply.bytes);
    }
    bytes.push(b']');
    bytes.into()
}
