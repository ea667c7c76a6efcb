//! The result of a tool.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::{Meta, Raw, View};
use crate::protocol::version::Revision;
use crate::registry::types::ToolResult;

/// A finished result.
pub(in crate::protocol) struct Completed<'a> {
    /// What the tool said.
    pub(in crate::protocol) result: &'a ToolResult,
    /// For whom.
    pub(in crate::protocol) revision: Revision,
    /// Who answers, where the revision wants it said.
    pub(in crate::protocol) server: Option<&'a RawValue>,
}

impl Serialize for Completed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { result, revision, server } = *self;
        let mut map = serializer.serialize_map(None)?;
        if revision.is_per_request() {
            map.serialize_entry("resultType", "complete")?;
        }
        match result.structured.as_deref() {
            // Whoever reads only text must find something, and so must a client whose revision has nothing else.
            Some(json) if result.content.is_empty() => map.serialize_entry("content", &[JsonAsText(json)])?,
            _ => map.serialize_entry("content", &View(&result.content, revision))?,
        }
        if let Some(json) = result.structured.as_deref().filter(|json| shows_structure(revision, json)) {
            map.serialize_entry("structuredContent", &Raw(json))?;
        }
        if result.is_error {
            map.serialize_entry("isError", &true)?;
        }
        let meta = Meta { plugin: result.meta.as_deref(), server };
        if !meta.is_empty() {
            map.serialize_entry("_meta", &meta)?;
        }
        map.end()
    }
}

/// Structured results had to be objects before `2026-07-28`.
fn shows_structure(revision: Revision, json: &str) -> bool {
    revision.has_any_structure() || (revision.has_structure() && json.trim_ascii_start().starts_with('{'))
}

struct JsonAsText<'a>(&'a str);

impl Serialize for JsonAsText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("type", "text")?;
        map.serialize_entry("text", self.0.trim_ascii())?;
        map.end()
    }
}
