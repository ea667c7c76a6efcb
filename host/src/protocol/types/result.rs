//! The results of tools, reads, prompts and completions.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::content::optional;
use super::{Meta, Raw, View};
use crate::protocol::version::Revision;
use crate::registry::types::{
    CacheHint, CacheScope, Completion, PromptMessage, PromptResult, ReadResult, Role, ToolResult,
};

/// What every result of a plugin carries besides its own.
#[derive(Clone, Copy)]
pub(in crate::protocol) struct Frame<'a> {
    /// For whom.
    pub(in crate::protocol) revision: Revision,
    /// Who answers, where the revision wants it said.
    pub(in crate::protocol) server: Option<&'a RawValue>,
}

impl Frame<'_> {
    fn begin<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match self.revision.is_per_request() {
            true => map.serialize_entry("resultType", "complete"),
            false => Ok(()),
        }
    }

    fn end<M: SerializeMap>(&self, map: &mut M, plugin: Option<&str>) -> Result<(), M::Error> {
        let meta = Meta { plugin, server: self.server };
        match meta.is_empty() {
            true => Ok(()),
            false => map.serialize_entry("_meta", &meta),
        }
    }
}

/// What was read of a resource.
pub(in crate::protocol) struct Read<'a>(pub(in crate::protocol) &'a ReadResult, pub(in crate::protocol) Frame<'a>);

impl Serialize for Read<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(read, frame) = self;
        let mut map = serializer.serialize_map(None)?;
        frame.begin(&mut map)?;
        let contents: Vec<_> = read.contents.iter().map(|contents| View(contents, frame.revision)).collect();
        map.serialize_entry("contents", &contents)?;
        if frame.revision.is_per_request() {
            // What nobody says anything about may depend on the caller and on the moment.
            let unsaid = CacheHint { ttl_ms: 0, scope: CacheScope::Private };
            let hint = read.cache.as_ref().unwrap_or(&unsaid);
            map.serialize_entry("ttlMs", &hint.ttl_ms)?;
            map.serialize_entry("cacheScope", scope_name(hint.scope == CacheScope::Private))?;
        }
        frame.end(&mut map, read.meta.as_deref())?;
        map.end()
    }
}

/// The word for who may keep a copy.
pub(in crate::protocol) fn scope_name(private: bool) -> &'static str {
    if private { "private" } else { "public" }
}

/// A filled-in prompt.
pub(in crate::protocol) struct Filled<'a>(pub(in crate::protocol) &'a PromptResult, pub(in crate::protocol) Frame<'a>);

impl Serialize for Filled<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(prompt, frame) = self;
        let mut map = serializer.serialize_map(None)?;
        frame.begin(&mut map)?;
        optional(&mut map, "description", &prompt.description)?;
        let messages: Vec<_> = prompt.messages.iter().map(|message| View(message, frame.revision)).collect();
        map.serialize_entry("messages", &messages)?;
        frame.end(&mut map, prompt.meta.as_deref())?;
        map.end()
    }
}

impl Serialize for View<'_, PromptMessage> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(message, revision) = *self;
        let role = match message.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("role", role)?;
        map.serialize_entry("content", &View(&message.content, revision))?;
        map.end()
    }
}

/// Suggestions.
pub(in crate::protocol) struct Suggested<'a>(pub(in crate::protocol) &'a Completion, pub(in crate::protocol) Frame<'a>);

impl Serialize for Suggested<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Values<'a>(&'a Completion);
        impl Serialize for Values<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("values", &self.0.values)?;
                optional(&mut map, "total", &self.0.total)?;
                map.serialize_entry("hasMore", &self.0.has_more)?;
                map.end()
            }
        }
        let mut map = serializer.serialize_map(None)?;
        self.1.begin(&mut map)?;
        map.serialize_entry("completion", &Values(self.0))?;
        self.1.end(&mut map, None)?;
        map.end()
    }
}

/// A finished result of a tool.
pub(in crate::protocol) struct Completed<'a> {
    /// What the tool said.
    pub(in crate::protocol) result: &'a ToolResult,
    /// What belongs around it.
    pub(in crate::protocol) frame: Frame<'a>,
}

impl Serialize for Completed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { result, frame } = *self;
        let revision = frame.revision;
        let mut map = serializer.serialize_map(None)?;
        frame.begin(&mut map)?;
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
        frame.end(&mut map, result.meta.as_deref())?;
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
