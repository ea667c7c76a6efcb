//! What a call reports while it runs.

use bytes::Bytes;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::Raw;
use super::content::optional;
use crate::protocol::lifecycle::level_name;
use crate::protocol::reply::notification;
use crate::protocol::version::Revision;
use crate::registry::types::Level;

/// The parameters of `notifications/progress`.
pub(in crate::protocol) struct Progress<'a> {
    /// The token the client gave, as it wrote it.
    pub(in crate::protocol) token: &'a RawValue,
    /// How far.
    pub(in crate::protocol) progress: f64,
    /// Of how much.
    pub(in crate::protocol) total: Option<f64>,
    /// In words.
    pub(in crate::protocol) message: Option<&'a str>,
    /// For whom.
    pub(in crate::protocol) revision: Revision,
}

impl Serialize for Progress<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("progressToken", self.token)?;
        map.serialize_entry("progress", &self.progress)?;
        optional(&mut map, "total", &self.total.filter(|total| total.is_finite()))?;
        if self.revision.has_tool_annotations() {
            optional(&mut map, "message", &self.message)?;
        }
        map.end()
    }
}

/// The parameters of `notifications/message`.
pub(in crate::protocol) struct LogMessage<'a> {
    /// How grave.
    pub(in crate::protocol) level: Level,
    /// Which part of the plugin speaks.
    pub(in crate::protocol) logger: Option<&'a str>,
    /// What it says: JSON text.
    pub(in crate::protocol) data: &'a str,
}

impl Serialize for LogMessage<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("level", level_name(self.level))?;
        optional(&mut map, "logger", &self.logger)?;
        map.serialize_entry("data", &Raw(self.data))?;
        map.end()
    }
}

/// The parameters of `notifications/resources/updated`.
#[derive(Serialize)]
pub(in crate::protocol) struct ResourceUpdated<'a> {
    uri: &'a str,
}

impl ResourceUpdated<'_> {
    /// The whole notification, for a session.
    pub(in crate::protocol) fn message(uri: &str) -> Option<Bytes> {
        notification("notifications/resources/updated", Some(ResourceUpdated { uri }))
    }
}
