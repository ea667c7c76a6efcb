//! Building one [`Content`]: a block of a result or of a prompt.

use crate::types::{
    Annotations, Content, EmbeddedResource, MediaContent, ResourceBody, ResourceContents, ResourceInfo, TextContent,
};

impl Content {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(TextContent { text: text.into(), annotations: None, meta: None })
    }

    /// A picture: its raw bytes and their media type, such as `image/png`.
    #[must_use]
    pub fn image(data: impl Into<Vec<u8>>, mime_type: impl Into<String>) -> Self {
        Self::Image(media(data.into(), mime_type.into()))
    }

    /// A sound: its raw bytes and their media type, such as `audio/wav`.
    #[must_use]
    pub fn audio(data: impl Into<Vec<u8>>, mime_type: impl Into<String>) -> Self {
        Self::Audio(media(data.into(), mime_type.into()))
    }

    /// A pointer to a resource that the client can read.
    #[must_use]
    pub fn link(uri: impl Into<String>, name: impl Into<String>) -> Self {
        ResourceInfo::new(uri, name).into()
    }

    /// A resource whose contents are text.
    #[must_use]
    pub fn embedded_text(uri: impl Into<String>, mime_type: impl Into<String>, text: impl Into<String>) -> Self {
        ResourceContents::text(uri, text).mime_type(mime_type).into()
    }

    /// A resource whose contents are raw bytes.
    #[must_use]
    pub fn embedded_blob(uri: impl Into<String>, mime_type: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        ResourceContents::blob(uri, data).mime_type(mime_type).into()
    }

    /// The same block with display hints.
    #[must_use]
    pub fn annotated(mut self, annotations: Annotations) -> Self {
        let slot = match &mut self {
            Self::Text(text) => &mut text.annotations,
            Self::Image(media) | Self::Audio(media) => &mut media.annotations,
            Self::ResourceLink(info) => &mut info.annotations,
            Self::Resource(resource) => &mut resource.annotations,
        };
        *slot = Some(annotations);
        self
    }

    /// The same block with `_meta`, the text of a JSON object.
    #[must_use]
    pub fn meta(mut self, json: impl Into<String>) -> Self {
        let slot = match &mut self {
            Self::Text(text) => &mut text.meta,
            Self::Image(media) | Self::Audio(media) => &mut media.meta,
            Self::ResourceLink(info) => &mut info.meta,
            Self::Resource(resource) => &mut resource.meta,
        };
        *slot = Some(json.into());
        self
    }
}

impl ResourceContents {
    /// Text under a URI.
    #[must_use]
    pub fn text(uri: impl Into<String>, text: impl Into<String>) -> Self {
        Self { uri: uri.into(), mime_type: None, body: ResourceBody::Text(text.into()), meta: None }
    }

    /// Raw bytes under a URI.
    #[must_use]
    pub fn blob(uri: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self { uri: uri.into(), mime_type: None, body: ResourceBody::Blob(data.into()), meta: None }
    }

    /// Sets the media type.
    #[must_use]
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Sets `_meta`, the text of a JSON object.
    #[must_use]
    pub fn meta(mut self, json: impl Into<String>) -> Self {
        self.meta = Some(json.into());
        self
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<ResourceInfo> for Content {
    fn from(info: ResourceInfo) -> Self {
        Self::ResourceLink(info)
    }
}

impl From<ResourceContents> for Content {
    fn from(contents: ResourceContents) -> Self {
        Self::Resource(EmbeddedResource { contents, annotations: None, meta: None })
    }
}

fn media(data: Vec<u8>, mime_type: String) -> MediaContent {
    MediaContent { data, mime_type, annotations: None, meta: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Role;

    #[test]
    fn hints_and_meta_go_to_the_block_of_any_kind() {
        let blocks = [
            Content::text("a"),
            Content::image([1], "image/png"),
            Content::audio([1], "audio/wav"),
            Content::link("x:1", "one"),
            Content::embedded_blob("x:2", "a/b", [1]),
        ];
        for block in blocks {
            let hints = Annotations::none().audience(Role::User).priority(0.5).last_modified("2026-01-01");
            let block = block.annotated(hints.clone()).meta("{}");
            let (annotations, meta) = match block {
                Content::Text(text) => (text.annotations, text.meta),
                Content::Image(media) | Content::Audio(media) => (media.annotations, media.meta),
                Content::ResourceLink(info) => (info.annotations, info.meta),
                Content::Resource(resource) => (resource.annotations, resource.meta),
            };
            assert_eq!((annotations, meta.as_deref()), (Some(hints), Some("{}")));
        }
    }
}
