//! A tool in a list.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::content::{icons, optional};
use super::{Meta, Raw, View};
use crate::protocol::jsonrpc::{Fields, text};
use crate::registry::ToolEntry;
use crate::registry::types::{Tool, ToolAnnotations};

impl Serialize for View<'_, ToolEntry> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(entry, revision) = *self;
        let tool = &entry.tool;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &entry.name)?;
        if revision.has_structure() {
            optional(&mut map, "title", &tool.title)?;
        }
        optional(&mut map, "description", &tool.description)?;
        map.serialize_entry("inputSchema", &Raw(&tool.input_schema))?;
        if let Some(schema) = tool.output_schema.as_deref().filter(|_| self.shows_output_schema()) {
            map.serialize_entry("outputSchema", &Raw(schema))?;
        }
        if revision.has_tool_annotations() {
            // The first revision with annotations had its only title there.
            let title = tool.title.as_deref().filter(|_| !revision.has_structure());
            if let Some(hints) = Hints::of(tool.annotations.as_ref(), title) {
                map.serialize_entry("annotations", &hints)?;
            }
        }
        icons(&mut map, &tool.icons, revision)?;
        if revision.has_structure() && tool.meta.is_some() {
            map.serialize_entry("_meta", &Meta::plugin(&tool.meta))?;
        }
        map.end()
    }
}

impl View<'_, ToolEntry> {
    fn shows_output_schema(&self) -> bool {
        self.1.has_any_structure() || (self.1.has_structure() && describes_object(&self.0.tool))
    }
}

/// Whether the output schema is one of an object, which it had to be before `2026-07-28`.
fn describes_object(tool: &Tool) -> bool {
    let schema = tool.output_schema.as_deref().and_then(|schema| serde_json::from_str::<Fields<'_>>(schema).ok());
    schema.and_then(|schema| schema.get("type").and_then(text)).is_some_and(|kind| kind == "object")
}

struct Hints<'a> {
    title: Option<&'a str>,
    annotations: Option<&'a ToolAnnotations>,
}

impl<'a> Hints<'a> {
    fn of(annotations: Option<&'a ToolAnnotations>, title: Option<&'a str>) -> Option<Self> {
        (annotations.is_some() || title.is_some()).then_some(Self { title, annotations })
    }
}

impl Serialize for Hints<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        optional(&mut map, "title", &self.title)?;
        if let Some(hints) = self.annotations {
            optional(&mut map, "readOnlyHint", &hints.read_only)?;
            optional(&mut map, "destructiveHint", &hints.destructive)?;
            optional(&mut map, "idempotentHint", &hints.idempotent)?;
            optional(&mut map, "openWorldHint", &hints.open_world)?;
        }
        map.end()
    }
}
