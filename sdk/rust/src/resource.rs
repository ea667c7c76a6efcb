//! Resources: what `#[resource]` describes, and what its method may return.

use crate::call::Call;
use crate::describe::{self, Hints, IconDefinition};
use crate::types::{
    CacheHint, CallError, InputRequired, ReadOutcome, ReadResult, ResourceBody, ResourceContents, ResourceInfo,
    ResourceTemplate,
};
use crate::uri::UriTemplate;
use crate::{Json, ToolError};
use serde::Serialize;

/// Anything the method of a resource may return: text, bytes, [`Json`], [`ResourceContents`] or several of them,
/// [`ReadResult`], [`InputRequired`], [`ReadOutcome`]; an `Option` of one of them, where none means that there is no such
/// resource; or a `Result` whose error converts into [`ToolError`].
#[diagnostic::on_unimplemented(
    message = "a resource cannot be `{Self}`",
    label = "not something a client can read",
    note = "return `String`, `Vec<u8>`, `Json<T>`, `ResourceContents`, `ReadResult`, `ReadOutcome`, or an `Option` or `Result<_, ToolError>` of one of them"
)]
pub trait IntoRead: Sized {
    /// How the read ended.
    ///
    /// # Errors
    /// There is no such resource, it cannot be written as JSON, or the method returned an error.
    fn into_read(self, about: &About<'_>) -> Result<ReadOutcome, CallError>;

    /// The media type, where the attribute names none and the type tells.
    #[must_use]
    fn mime_type() -> Option<&'static str> {
        None
    }
}

/// What is known of a resource before its method runs.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The URI that is read.
    pub uri: &'a str,
    /// The media type that the attribute names.
    pub mime_type: Option<&'static str>,
    /// `_meta` for contents that have none.
    pub meta: Option<&'static str>,
    /// How long it stays fresh, where the method does not say.
    pub cache: Option<CacheHint>,
}

impl About<'_> {
    fn contents(&self, body: ResourceBody, mime_type: Option<&'static str>) -> ResourceContents {
        ResourceContents {
            uri: self.uri.to_owned(),
            mime_type: self.mime_type.or(mime_type).map(str::to_owned),
            body,
            meta: None,
        }
    }
}

impl IntoRead for ReadResult {
    fn into_read(mut self, about: &About<'_>) -> Result<ReadOutcome, CallError> {
        self.cache = self.cache.or(about.cache);
        for contents in &mut self.contents {
            if contents.meta.is_none() {
                contents.meta = about.meta.map(str::to_owned);
            }
        }
        Ok(ReadOutcome::Complete(self))
    }
}

impl IntoRead for Vec<ResourceContents> {
    fn into_read(self, about: &About<'_>) -> Result<ReadOutcome, CallError> {
        ReadResult { contents: self, cache: None, meta: None }.into_read(about)
    }
}

impl IntoRead for ResourceContents {
    fn into_read(self, about: &About<'_>) -> Result<ReadOutcome, CallError> {
        vec![self].into_read(about)
    }
}

impl IntoRead for String {
    fn into_read(self, about: &About<'_>) -> Result<ReadOutcome, CallError> {
        about.contents(ResourceBody::Text(self), Self::mime_type()).into_read(about)
    }

    fn mime_type() -> Option<&'static str> {
        Some("text/plain")
    }
}

impl IntoRead for &str {
    fn into_read(self, about: &About<'_>) -> Result<ReadOutcome, CallError> {
        self.to_owned().into_read(about)
    }

    fn mime_type() -> Option<&'static str> {
        String::mime_type()
    }
}

impl IntoRead for Vec<u8> {
    fn into_read(self, about: &About<'_>) -> Result<ReadOutcome, CallError> {
        about.contents(ResourceBody::Blob(self), Self::mime_type()).into_read(about)
    }

    fn mime_type() -> Option<&'static str> {
        Some("application/octet-stream")
    }
}

impl IntoRead for &[u8] {
    fn into_read(self, about: &About<'_>) -> Result<ReadOutcome, CallError> {
        self.to_owned().into_read(about)
    }

    fn mime_type() -> Option<&'static str> {
        <Vec<u8>>::mime_type()
    }
}

impl<T: Serialize> IntoRead for Json<T> {
    fn into_read(self, about: &About<'_>) -> Result<ReadOutcome, CallError> {
        let json = serde_json::to_string(&self.0)
            .map_err(|error| CallError::Other(format!("the resource cannot be written as JSON: {error}")))?;
        about.contents(ResourceBody::Text(json), Self::mime_type()).into_read(about)
    }

    fn mime_type() -> Option<&'static str> {
        Some("application/json")
    }
}

impl IntoRead for InputRequired {
    fn into_read(self, _: &About<'_>) -> Result<ReadOutcome, CallError> {
        Ok(ReadOutcome::InputRequired(self))
    }
}

impl IntoRead for ReadOutcome {
    fn into_read(self, about: &About<'_>) -> Result<ReadOutcome, CallError> {
        match self {
            Self::Complete(result) => result.into_read(about),
            Self::InputRequired(questions) => questions.into_read(about),
        }
    }
}

impl<T: IntoRead> IntoRead for Option<T> {
    fn into_read(self, about: &About<'_>) -> Result<ReadOutcome, CallError> {
        self.ok_or_else(|| unknown_resource(about.uri))?.into_read(about)
    }

    fn mime_type() -> Option<&'static str> {
        T::mime_type()
    }
}

impl<T: IntoRead, E: Into<ToolError>> IntoRead for Result<T, E> {
    fn into_read(self, about: &About<'_>) -> Result<ReadOutcome, CallError> {
        self.map_err(|error| CallError::from(error.into()))?.into_read(about)
    }

    fn mime_type() -> Option<&'static str> {
        T::mime_type()
    }
}

impl ReadResult {
    /// These contents, for a URI that stands for several resources.
    #[must_use]
    pub fn new(contents: impl IntoIterator<Item = ResourceContents>) -> Self {
        Self { contents: contents.into_iter().collect(), cache: None, meta: None }
    }

    /// Says how long it stays fresh, where only the method knows: [`CacheHint::public`] or [`CacheHint::private`].
    #[must_use]
    pub fn fresh(mut self, cache: CacheHint) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Sets `_meta`, the text of a JSON object.
    #[must_use]
    pub fn meta(mut self, json: impl Into<String>) -> Self {
        self.meta = Some(json.into());
        self
    }
}

impl From<ReadResult> for ReadOutcome {
    fn from(result: ReadResult) -> Self {
        Self::Complete(result)
    }
}

impl From<ResourceContents> for ReadOutcome {
    fn from(contents: ResourceContents) -> Self {
        ReadResult::new([contents]).into()
    }
}

impl From<InputRequired> for ReadOutcome {
    fn from(questions: InputRequired) -> Self {
        Self::InputRequired(questions)
    }
}

/// A resource or a template as the attributes describe it.
#[doc(hidden)]
pub struct ResourceDefinition {
    /// The URI, or the template's text.
    pub uri: &'static str,
    pub name: &'static str,
    pub title: Option<&'static str>,
    pub description: Option<&'static str>,
    pub mime_type: Option<&'static str>,
    pub size: Option<u64>,
    pub hints: Hints,
    pub icons: &'static [IconDefinition],
    pub meta: Option<&'static str>,
}

impl ResourceDefinition {
    /// As a resource that is listed.
    #[must_use]
    pub fn resource(&self) -> ResourceInfo {
        let Self { uri, name, title, description, mime_type, size, hints, icons, meta } = self;
        ResourceInfo {
            uri: (*uri).to_owned(),
            name: (*name).to_owned(),
            title: title.map(str::to_owned),
            description: description.map(str::to_owned),
            mime_type: mime_type.map(str::to_owned),
            size: *size,
            annotations: hints.describe(),
            icons: describe::icons(icons),
            meta: meta.map(str::to_owned),
        }
    }

    /// As a template.
    #[must_use]
    pub fn template(&self) -> ResourceTemplate {
        let ResourceInfo { uri, name, title, description, mime_type, annotations, icons, meta, .. } = self.resource();
        ResourceTemplate { uri_template: uri, name, title, description, mime_type, annotations, icons, meta }
    }
}

/// The read of a URI that `template` leads to, with its variables for arguments.
#[doc(hidden)]
#[must_use]
pub fn matching(template: &UriTemplate, call: &Call) -> Option<Call> {
    template.variables(call.uri()).map(|variables| call.clone().with_texts(variables))
}

/// The answer to a URI that is none of the plugin's.
#[doc(hidden)]
#[must_use]
pub fn unknown_resource(uri: &str) -> CallError {
    CallError::NotFound(format!("this plugin has no resource `{uri}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn read(value: impl IntoRead) -> Result<ReadOutcome, CallError> {
        let cache = Some(CacheHint::public(Duration::from_secs(1)));
        value.into_read(&About { uri: "x:1", mime_type: None, meta: Some("{}"), cache })
    }

    fn complete(value: impl IntoRead) -> ReadResult {
        match read(value) {
            Ok(ReadOutcome::Complete(result)) => result,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn bodies_have_the_media_type_of_their_kind() {
        let cases = [
            (complete("a"), ResourceBody::Text("a".into()), "text/plain"),
            (complete(b"a".as_slice()), ResourceBody::Blob(vec![b'a']), "application/octet-stream"),
            (complete(Some(Json([1]))), ResourceBody::Text("[1]".into()), "application/json"),
        ];
        for (result, body, mime_type) in cases {
            let expected = ResourceContents {
                uri: "x:1".into(),
                mime_type: Some(mime_type.into()),
                body,
                meta: Some("{}".into()),
            };
            assert_eq!(result.contents, [expected]);
            assert_eq!(result.cache, Some(CacheHint { ttl_ms: 1000, scope: crate::types::CacheScope::Public }));
        }
    }

    #[test]
    fn what_the_method_says_wins() {
        let own = CacheHint::private(Duration::from_millis(5));
        let result = ReadResult::new([ResourceContents::text("x:2", "b").meta(r#"{"a":1}"#)]).fresh(own).meta("{}");
        assert_eq!(complete(result.clone()), result);
    }

    #[test]
    fn nothing_is_not_found_and_errors_are_errors() {
        assert_eq!(read(None::<String>), Err(CallError::NotFound("this plugin has no resource `x:1`".into())));
        let failed: Result<String, _> = "x".parse::<u8>().map(|n| n.to_string());
        assert_eq!(read(failed), Err(CallError::Other("invalid digit found in string".into())));
        let failed: Result<String, _> = Err(ToolError::unavailable("asleep"));
        assert_eq!(read(failed), Err(CallError::Unavailable("asleep".into())));
        assert!(matches!(read(InputRequired::new()), Ok(ReadOutcome::InputRequired(_))));
    }
}
