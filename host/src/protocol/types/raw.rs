//! JSON that was text already and stays it.

use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;

/// Checked JSON, written on one line: both stdio and SSE end a message at a line break. Inside JSON a raw line break
/// can only be white space between tokens, so a blank takes its place.
pub(in crate::protocol) struct OneLine<'a>(pub(in crate::protocol) &'a RawValue);

impl Serialize for OneLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.get();
        if text.bytes().any(|byte| byte == b'\n' || byte == b'\r') {
            RawValue::from_string(text.replace(['\n', '\r'], " ")).map_err(S::Error::custom)?.serialize(serializer)
        } else {
            self.0.serialize(serializer)
        }
    }
}

/// JSON from below. Writing it fails where it is not JSON, for nothing else may reach a client.
pub(in crate::protocol) struct Raw<'a>(pub(in crate::protocol) &'a str);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(self.0).map_err(S::Error::custom)?;
        OneLine(raw).serialize(serializer)
    }
}
