//! The compact form: `header.payload.signature`, each part base64url.

use serde_json::{Map, Value};

use super::{Algorithm, PublicKey, decode};
use crate::json;
use crate::limits::MAX_KID_BYTES;

/// A signed text taken apart. Nothing in it is true before [`Compact::verified_by`] says so.
pub(crate) struct Compact<'a> {
    /// The header. Its `jku`, `x5u`, `x5c` and, but for a proof, `jwk` are never looked at.
    pub(crate) header: Map<String, Value>,
    /// The payload's members.
    pub(crate) payload: Map<String, Value>,
    /// The header's `alg`.
    pub(crate) algorithm: Algorithm,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// # Errors
    /// What is wrong with it, in words for the caller.
    pub(crate) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let (signed, signature) = text.rsplit_once('.').ok_or("it is not a JWT")?;
        let (header, payload) = signed.split_once('.').ok_or("it is not a JWT")?;
        if payload.contains('.') {
            return Err("it is not a signed JWT");
        }
        let read = |part| decode(part).and_then(|bytes| json::object(&bytes));
        let header = read(header).ok_or("its header is not plain JSON")?;
        // Both change what the signature is over, or how it is to be read; none is understood here (RFC 7515, 4.1.11).
        if ["crit", "zip", "b64", "enc"].iter().any(|name| header.contains_key(*name)) {
            return Err("its header asks for an extension that is not supported");
        }
        let algorithm = header.get("alg").and_then(Value::as_str).ok_or("its header names no algorithm")?;
        let algorithm = algorithm.parse().map_err(|()| "its algorithm is not allowed")?;
        let payload = read(payload).ok_or("its claims are not plain JSON")?;
        let signature = decode(signature).ok_or("its signature is not base64url")?;
        Ok(Self { header, payload, algorithm, signed, signature })
    }

    /// Whether `key` made the signature, with the header's algorithm.
    pub(crate) fn verified_by(&self, key: &PublicKey) -> bool {
        key.verifies(self.algorithm, self.signed.as_bytes(), &self.signature)
    }

    /// The header's `kid`: a name to look up, and never a path or a URL.
    ///
    /// # Errors
    /// What is wrong with it, in words for the caller.
    pub(crate) fn kid(&self) -> Result<Option<&str>, &'static str> {
        match self.header.get("kid") {
            None => Ok(None),
            Some(Value::String(kid)) if kid.len() <= MAX_KID_BYTES => Ok(Some(kid)),
            Some(_) => Err("its key id is not a short text"),
        }
    }

    /// The header's `typ` in lower case without `application/`.
    ///
    /// # Errors
    /// What is wrong with it, in words for the caller.
    pub(crate) fn kind(&self) -> Result<Option<String>, &'static str> {
        match self.header.get("typ") {
            None => Ok(None),
            Some(Value::String(kind)) => {
                let kind = kind.to_ascii_lowercase();
                Ok(Some(kind.strip_prefix("application/").unwrap_or(&kind).to_owned()))
            }
            Some(_) => Err("its type is not a text"),
        }
    }
}
