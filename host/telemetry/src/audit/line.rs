//! The bytes of a line, and its place in the chain.

use std::fmt;
use std::io::Write as _;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::AuditError;
use super::event::{Data, Event};
use crate::text::{Stamp, hex, unhex};

/// The longest line, in bytes. The largest receipt there can be, every character escaped, stays below.
pub const MAX_LINE: usize = 512 * 1024;

/// `prev` of the very first line.
pub(crate) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Digits of a hash.
pub(crate) const HASH: usize = 64;
const HASH_FIELD: &str = ",\"hash\":\"";
const PREV_FIELD: &str = ",\"prev\":\"";
const END: &str = "\"}";
/// `,"hash":"<64>"}`
const TAIL: usize = HASH_FIELD.len() + HASH + END.len();

/// The number and hash of the last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    /// Its number; the first line is 1, and 0 is an empty log.
    pub seq: u64,
    /// Its hash, 64 digits.
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { seq: 0, hash: GENESIS.to_owned() }
    }
}

/// 32 secret bytes that make the chain one nobody else can write.
#[derive(Clone)]
pub struct AuditKey([u8; 32]);

impl AuditKey {
    /// From the bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// From a file of 64 hexadecimal digits (blanks around them do not matter) or 32 bytes.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, holds something else, or, on Unix, can be read by others.
    pub fn from_file(path: &Path) -> Result<Self, AuditError> {
        let bad = |why: &str| AuditError::Key { path: path.to_owned(), why: why.to_owned() };
        let size = std::fs::metadata(path).map_err(|error| bad(&error.to_string()))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            if size.permissions().mode() & 0o077 != 0 {
                return Err(bad("others than its owner may use it"));
            }
        }
        if size.len() > 1_024 {
            return Err(bad("it is too long for a key"));
        }
        let bytes = std::fs::read(path).map_err(|error| bad(&error.to_string()))?;
        if let Ok(raw) = <[u8; 32]>::try_from(bytes.as_slice()) {
            return Ok(Self(raw));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| bad("it is neither 32 bytes nor hexadecimal"))?;
        unhex(&text.trim().to_ascii_lowercase()).map(Self).ok_or_else(|| bad("it is neither 32 bytes nor hexadecimal"))
    }
}

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKey(…)")
    }
}

/// The hash of a line's bytes before `,"hash"`.
pub(crate) fn seal(body: &[u8], key: Option<&AuditKey>) -> String {
    match key {
        None => hex(&Sha256::digest(body)),
        Some(key) => {
            // A key of any length is good for HMAC; 32 bytes always are.
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key.0) else { return GENESIS.to_owned() };
            mac.update(body);
            hex(&mac.finalize().into_bytes())
        }
    }
}

/// Writes a line with its line feed into `out` and returns the new head.
pub(crate) fn write(out: &mut Vec<u8>, after: &Head, event: &Event, key: Option<&AuditKey>) -> Head {
    let begin = out.len();
    let seq = after.seq.saturating_add(1);
    // Writing to memory cannot fail.
    let _ = write!(out, "{{\"seq\":{seq},\"time\":\"{}\",\"event\":\"{}\"", Stamp(event.time), event.kind.as_str());
    out.extend_from_slice(b",\"principal\":");
    text(out, event.principal.as_deref());
    out.extend_from_slice(b",\"trace\":");
    text(out, event.trace.as_deref());
    out.extend_from_slice(b",\"data\":");
    payload(out, event);
    out.extend_from_slice(PREV_FIELD.as_bytes());
    out.extend_from_slice(after.hash.as_bytes());
    out.push(b'"');
    let hash = seal(out.get(begin..).unwrap_or_default(), key);
    out.extend_from_slice(HASH_FIELD.as_bytes());
    out.extend_from_slice(hash.as_bytes());
    out.extend_from_slice(END.as_bytes());
    out.push(b'\n');
    Head { seq, hash }
}

/// Room for the fields around the data.
const AROUND: usize = 4 * 1024;

fn payload(out: &mut Vec<u8>, event: &Event) {
    let begin = out.len();
    let written = match &event.data {
        Data::Receipt(receipt) => serde_json::to_writer(&mut *out, &**receipt),
        Data::Json(value) => serde_json::to_writer(&mut *out, value),
    };
    let length = out.len().saturating_sub(begin);
    if written.is_err() {
        out.truncate(begin);
        out.extend_from_slice(b"{\"omitted\":\"not json\"}");
    } else if length > MAX_LINE - AROUND {
        out.truncate(begin);
        let _ = write!(out, "{{\"omitted_bytes\":{length}}}");
    }
}

fn text(out: &mut Vec<u8>, value: Option<&str>) {
    let begin = out.len();
    if serde_json::to_writer(&mut *out, &value).is_err() {
        out.truncate(begin);
        out.extend_from_slice(b"null");
    }
}

/// A line taken apart, by the places of its fields and not by its JSON.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub seq: u64,
    pub prev: &'a str,
    pub hash: &'a str,
    pub body: &'a [u8],
}

/// Takes a line without its line feed apart. The error says what is not where it must be.
pub(crate) fn split(line: &[u8]) -> Result<Parts<'_>, &'static str> {
    let edge = line.len().checked_sub(TAIL).ok_or("the line is too short")?;
    let (body, tail) = line.split_at(edge);
    let hash = tail
        .strip_prefix(HASH_FIELD.as_bytes())
        .and_then(|rest| rest.strip_suffix(END.as_bytes()))
        .and_then(digits)
        .ok_or("the line does not end with its hash")?;
    let edge = body.len().checked_sub(PREV_FIELD.len() + HASH + 1).ok_or("the line is too short")?;
    let prev = body
        .split_at(edge)
        .1
        .strip_prefix(PREV_FIELD.as_bytes())
        .and_then(|rest| rest.strip_suffix(b"\""))
        .and_then(digits)
        .ok_or("the line does not name the line before")?;
    let seq = body.strip_prefix(b"{\"seq\":").ok_or("the line does not begin with its number")?;
    let end = seq.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(0);
    let seq = seq
        .get(..end)
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse().ok())
        .ok_or("the line does not begin with its number")?;
    Ok(Parts { seq, prev, hash, body })
}

/// Whether a line's hash is that of its bytes.
pub(crate) fn sealed(parts: &Parts<'_>, key: Option<&AuditKey>) -> bool {
    seal(parts.body, key).as_bytes().ct_eq(parts.hash.as_bytes()).into()
}

fn digits(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    unhex::<32>(text).map(|_| text)
}
