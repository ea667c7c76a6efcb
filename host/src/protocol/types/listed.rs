//! Resources, templates and prompts in a list.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::View;
use super::content::{describe, hints, icons, optional};
use crate::registry::types::PromptArgument;
use crate::registry::{PromptEntry, ResourceEntry, TemplateEntry};

impl Serialize for View<'_, ResourceEntry> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(ResourceEntry { info, .. }, revision) = *self;
        let mut map = serializer.serialize_map(None)?;
        describe(&mut map, info, revision)?;
        hints(&mut map, &info.annotations, &info.meta, revision)?;
        map.end()
    }
}

impl Serialize for View<'_, TemplateEntry> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(TemplateEntry { template, .. }, revision) = *self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("uriTemplate", &template.uri_template)?;
        map.serialize_entry("name", &template.name)?;
        if revision.has_structure() {
            optional(&mut map, "title", &template.title)?;
        }
        optional(&mut map, "description", &template.description)?;
        optional(&mut map, "mimeType", &template.mime_type)?;
        icons(&mut map, &template.icons, revision)?;
        hints(&mut map, &template.annotations, &template.meta, revision)?;
        map.end()
    }
}

impl Serialize for View<'_, PromptEntry> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(PromptEntry { name, prompt, .. }, revision) = *self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", name)?;
        if revision.has_structure() {
            optional(&mut map, "title", &prompt.title)?;
        }
        optional(&mut map, "description", &prompt.description)?;
        if !prompt.arguments.is_empty() {
            let arguments: Vec<_> = prompt.arguments.iter().map(|argument| View(argument, revision)).collect();
            map.serialize_entry("arguments", &arguments)?;
        }
        icons(&mut map, &prompt.icons, revision)?;
        hints(&mut map, &None, &prompt.meta, revision)?;
        map.end()
    }
}

impl Serialize for View<'_, PromptArgument> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(argument, revision) = *self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &argument.name)?;
        if revision.has_structure() {
            optional(&mut map, "title", &argument.title)?;
        }
        optional(&mut map, "description", &argument.description)?;
        map.serialize_entry("required", &argument.required)?;
        map.end()
    }
}
