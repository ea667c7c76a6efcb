//! What the server says of itself, rendered once for each revision.

use serde::Serialize;
use serde_json::value::RawValue;

use super::ServerInfo;
use super::version::Revision;

/// The server's name and version as each revision shows them.
pub(super) struct Identity([Option<Box<RawValue>>; Revision::ALL.len()]);

#[derive(Serialize)]
struct Implementation<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    version: &'a str,
}

impl Identity {
    pub(super) fn new(info: &ServerInfo) -> Self {
        Self(Revision::ALL.map(|revision| {
            let title = info.title.as_deref().filter(|_| revision.has_structure());
            let this = Implementation { name: &info.name, title, version: &info.version };
            serde_json::value::to_raw_value(&this).ok()
        }))
    }

    /// An `Implementation`.
    pub(super) fn shown_to(&self, revision: Revision) -> Option<&RawValue> {
        self.0.get(revision.index()).and_then(Option::as_deref)
    }

    /// What goes into the `_meta` of every result, in revisions that want it there.
    pub(super) fn in_results(&self, revision: Revision) -> Option<&RawValue> {
        self.shown_to(revision).filter(|_| revision.is_per_request())
    }
}
