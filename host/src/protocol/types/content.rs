//! Content blocks.

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::{Meta, View};
use crate::protocol::version::Revision;
use crate::registry::types::{
    Annotations, Content, EmbeddedResource, Icon, IconTheme, MediaContent, ResourceBody, ResourceContents,
    ResourceInfo, Role, TextContent,
};

impl Serialize for View<'_, Vec<Content>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut blocks = serializer.serialize_seq(Some(self.0.len()))?;
        for block in self.0 {
            blocks.serialize_element(&View(block, self.1))?;
        }
        blocks.end()
    }
}

impl Serialize for View<'_, Content> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(block, revision) = *self;
        let mut map = serializer.serialize_map(None)?;
        match block {
            Content::Text(text) => self.text(&mut map, text)?,
            Content::Image(media) => self.media(&mut map, "image", media)?,
            Content::Audio(media) if revision.has_tool_annotations() => self.media(&mut map, "audio", media)?,
            Content::Audio(media) => {
                let (kind, length) = (&media.mime_type, media.data.len());
                self.instead(&mut map, &format!("[{kind}, {length} bytes: this client's protocol has no audio]"))?;
            }
            Content::ResourceLink(info) if revision.has_structure() => self.link(&mut map, info)?,
            Content::ResourceLink(info) => self.instead(&mut map, &format!("{}: {}", info.name, info.uri))?,
            Content::Resource(resource) => self.resource(&mut map, resource)?,
        }
        map.end()
    }
}

impl View<'_, Content> {
    fn text<M: SerializeMap>(&self, map: &mut M, text: &TextContent) -> Result<(), M::Error> {
        map.serialize_entry("type", "text")?;
        map.serialize_entry("text", &text.text)?;
        self.hints(map, &text.annotations, &text.meta)
    }

    /// Says in words what the revision has no block for.
    fn instead<M: SerializeMap>(&self, map: &mut M, text: &str) -> Result<(), M::Error> {
        map.serialize_entry("type", "text")?;
        map.serialize_entry("text", text)
    }

    fn media<M: SerializeMap>(&self, map: &mut M, kind: &str, media: &MediaContent) -> Result<(), M::Error> {
        map.serialize_entry("type", kind)?;
        map.serialize_entry("data", &Encoded(&media.data))?;
        map.serialize_entry("mimeType", &media.mime_type)?;
        self.hints(map, &media.annotations, &media.meta)
    }

    fn link<M: SerializeMap>(&self, map: &mut M, info: &ResourceInfo) -> Result<(), M::Error> {
        map.serialize_entry("type", "resource_link")?;
        describe(map, info, self.1)?;
        self.hints(map, &info.annotations, &info.meta)
    }

    fn resource<M: SerializeMap>(&self, map: &mut M, resource: &EmbeddedResource) -> Result<(), M::Error> {
        map.serialize_entry("type", "resource")?;
        map.serialize_entry("resource", &View(&resource.contents, self.1))?;
        self.hints(map, &resource.annotations, &resource.meta)
    }

    fn hints<M: SerializeMap>(
        &self,
        map: &mut M,
        annotations: &Option<Annotations>,
        meta: &Option<String>,
    ) -> Result<(), M::Error> {
        hints(map, annotations, meta, self.1)
    }
}

/// Annotations and `_meta`, as far as the revision has them.
pub(super) fn hints<M: SerializeMap>(
    map: &mut M,
    annotations: &Option<Annotations>,
    meta: &Option<String>,
    revision: Revision,
) -> Result<(), M::Error> {
    if let Some(annotations) = annotations {
        map.serialize_entry("annotations", &View(annotations, revision))?;
    }
    if meta.is_some() && revision.has_structure() {
        map.serialize_entry("_meta", &Meta::plugin(meta))?;
    }
    Ok(())
}

/// What a resource is, in a list or in a link, but for its hints.
pub(super) fn describe<M: SerializeMap>(map: &mut M, info: &ResourceInfo, revision: Revision) -> Result<(), M::Error> {
    map.serialize_entry("uri", &info.uri)?;
    map.serialize_entry("name", &info.name)?;
    if revision.has_structure() {
        optional(map, "title", &info.title)?;
    }
    optional(map, "description", &info.description)?;
    optional(map, "mimeType", &info.mime_type)?;
    optional(map, "size", &info.size)?;
    icons(map, &info.icons, revision)
}

/// Pictures, for revisions that have them.
pub(super) fn icons<M: SerializeMap>(map: &mut M, icons: &[Icon], revision: Revision) -> Result<(), M::Error> {
    match revision.has_icons() && !icons.is_empty() {
        true => map.serialize_entry("icons", &Icons(icons)),
        false => Ok(()),
    }
}

impl Serialize for View<'_, ResourceContents> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(contents, revision) = *self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("uri", &contents.uri)?;
        optional(&mut map, "mimeType", &contents.mime_type)?;
        match &contents.body {
            ResourceBody::Text(text) => map.serialize_entry("text", text)?,
            ResourceBody::Blob(bytes) => map.serialize_entry("blob", &Encoded(bytes))?,
        }
        if contents.meta.is_some() && revision.has_structure() {
            map.serialize_entry("_meta", &Meta::plugin(&contents.meta))?;
        }
        map.end()
    }
}

impl Serialize for View<'_, Annotations> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Audience<'a>(&'a [Role]);
        impl Serialize for Audience<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.0.iter().map(|role| match role {
                    Role::User => "user",
                    Role::Assistant => "assistant",
                }))
            }
        }
        let Self(annotations, revision) = *self;
        let mut map = serializer.serialize_map(None)?;
        if !annotations.audience.is_empty() {
            map.serialize_entry("audience", &Audience(&annotations.audience))?;
        }
        // JSON has no word for NaN and the infinities, and the schema bounds the rest.
        if let Some(priority) = annotations.priority.filter(|priority| priority.is_finite()) {
            map.serialize_entry("priority", &priority.clamp(0.0, 1.0))?;
        }
        if revision.has_structure() {
            optional(&mut map, "lastModified", &annotations.last_modified)?;
        }
        map.end()
    }
}

struct Icons<'a>(&'a [Icon]);

impl Serialize for Icons<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct One<'a>(&'a Icon);
        impl Serialize for One<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let icon = self.0;
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("src", &icon.src)?;
                optional(&mut map, "mimeType", &icon.mime_type)?;
                if !icon.sizes.is_empty() {
                    map.serialize_entry("sizes", &icon.sizes)?;
                }
                match icon.theme {
                    Some(IconTheme::Light) => map.serialize_entry("theme", "light")?,
                    Some(IconTheme::Dark) => map.serialize_entry("theme", "dark")?,
                    None => {}
                }
                map.end()
            }
        }
        serializer.collect_seq(self.0.iter().map(One))
    }
}

/// Bytes in base64, encoded while they are written.
struct Encoded<'a>(&'a [u8]);

impl Serialize for Encoded<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Base64Display::new(self.0, &STANDARD))
    }
}

/// A member that is left out while there is nothing to say.
pub(super) fn optional<M: SerializeMap>(
    map: &mut M,
    name: &'static str,
    value: &Option<impl Serialize>,
) -> Result<(), M::Error> {
    match value {
        Some(value) => map.serialize_entry(name, value),
        None => Ok(()),
    }
}
