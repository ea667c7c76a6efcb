//! Building a [`ToolResult`].

use crate::ToolError;
use crate::types::{Content, ToolResult};
use serde::Serialize;

impl ToolResult {
    /// A result with nothing in it.
    #[must_use]
    pub fn empty() -> Self {
        Self { content: Vec::new(), structured: None, is_error: false, meta: None }
    }

    /// A result of one text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::empty().with_text(text)
    }

    /// `value` as structured content, and as indented JSON for models that read only text.
    ///
    /// # Errors
    /// `value` cannot be written as JSON.
    pub fn pretty_json<T: Serialize + ?Sized>(value: &T) -> Result<Self, ToolError> {
        Self::text(serde_json::to_string_pretty(value)?).with_structured(value)
    }

    /// Adds any block.
    #[must_use]
    pub fn with(mut self, content: Content) -> Self {
        self.content.push(content);
        self
    }

    /// Adds a text.
    #[must_use]
    pub fn with_text(self, text: impl Into<String>) -> Self {
        self.with(Content::text(text))
    }

    /// Adds a picture: its raw bytes and their media type, such as `image/png`.
    #[must_use]
    pub fn with_image(self, data: impl Into<Vec<u8>>, mime_type: impl Into<String>) -> Self {
        self.with(Content::image(data, mime_type))
    }

    /// Adds a sound: its raw bytes and their media type, such as `audio/wav`.
    #[must_use]
    pub fn with_audio(self, data: impl Into<Vec<u8>>, mime_type: impl Into<String>) -> Self {
        self.with(Content::audio(data, mime_type))
    }

    /// Adds a pointer to a resource that the client can read. [`ToolResult::with`] takes one with more said about it.
    #[must_use]
    pub fn with_resource_link(self, uri: impl Into<String>, name: impl Into<String>) -> Self {
        self.with(Content::link(uri, name))
    }

    /// Adds a resource whose contents are text.
    #[must_use]
    pub fn with_embedded_text(
        self,
        uri: impl Into<String>,
        mime_type: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        self.with(Content::embedded_text(uri, mime_type, text))
    }

    /// Adds a resource whose contents are raw bytes.
    #[must_use]
    pub fn with_embedded_blob(
        self,
        uri: impl Into<String>,
        mime_type: impl Into<String>,
        data: impl Into<Vec<u8>>,
    ) -> Self {
        self.with(Content::embedded_blob(uri, mime_type, data))
    }

    /// Sets the structured content. The tool says its type with `#[tool(output = T)]`.
    ///
    /// # Errors
    /// `value` cannot be written as JSON.
    pub fn with_structured<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Self, ToolError> {
        self.structured = Some(serde_json::to_string(value)?);
        Ok(self)
    }

    /// Sets `_meta`, a JSON object.
    ///
    /// # Errors
    /// `value` cannot be written as JSON.
    pub fn with_meta<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Self, ToolError> {
        self.meta = Some(serde_json::to_string(value)?);
        Ok(self)
    }

    /// Says that the tool tried and failed, and that the content tells the model what to do about it.
    #[must_use]
    pub fn error(mut self) -> Self {
        self.is_error = true;
        self
    }
}

impl Default for ToolResult {
    fn default() -> Self {
        Self::empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_stay_in_the_order_added() {
        let result = ToolResult::text("a")
            .with_image([1], "image/png")
            .with_audio([2], "audio/wav")
            .with_resource_link("x:1", "one")
            .with_embedded_text("x:2", "text/plain", "two")
            .with_embedded_blob("x:3", "application/zip", [3]);
        let kinds: Vec<_> = result
            .content
            .iter()
            .map(|content| match content {
                Content::Text(text) => text.text.clone(),
                Content::Image(media) | Content::Audio(media) => media.mime_type.clone(),
                Content::ResourceLink(info) => info.uri.clone(),
                Content::Resource(resource) => resource.contents.uri.clone(),
            })
            .collect();
        assert_eq!(kinds, ["a", "image/png", "audio/wav", "x:1", "x:2", "x:3"]);
        assert!(!result.is_error);
    }

    #[test]
    fn structured_content_and_meta_are_json_text() {
        let result = ToolResult::empty().with_structured(&[1, 2]).unwrap().with_meta(&("a", 1)).unwrap().error();
        assert_eq!((result.structured.as_deref(), result.meta.as_deref()), (Some("[1,2]"), Some(r#"["a",1]"#)));
        assert!(result.is_error);
    }

    #[test]
    fn pretty_json_says_it_twice() {
        let result = ToolResult::pretty_json(&[1]).unwrap();
        assert_eq!(result, ToolResult::text("[\n  1\n]").with_structured(&[1]).unwrap());
    }
}
