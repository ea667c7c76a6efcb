//! The lists as they go out: rendered once for each state of the registry and each revision, then copied.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwapOption;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::error::Error;
use super::mirror::{self, Mirror};
use super::types::View as Shown;
use super::version::Revision;
use crate::registry::oversight::Rulebook;
use crate::registry::{
    ListHint, Principal, PromptEntry, Registry, ResourceEntry, Snapshot, TemplateEntry, ToolEntry, Versions, View,
};

/// What has been rendered so far.
#[derive(Default)]
pub(super) struct Catalog {
    last: ArcSwapOption<Edition>,
    /// What callers see who do not see all.
    parts: Mutex<Parts>,
}

/// The lists of each view, under one state of the rules.
#[derive(Default)]
struct Parts {
    rules: Option<Arc<Rulebook>>,
    editions: HashMap<View, Arc<Edition>>,
}

/// Views whose lists are kept ready. More are rendered anew.
const MAX_VIEWS: usize = 256;

/// One state of the registry, and what has been made of it.
pub(super) struct Edition {
    snapshot: Arc<Snapshot>,
    rendered: [[OnceLock<Rendered>; Revision::ALL.len()]; 4],
    mirrors: OnceLock<HashMap<String, Box<[Mirror]>>>,
}

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Tools,
    Resources,
    Templates,
    Prompts,
}

impl Kind {
    /// The member of a result that holds it.
    pub(super) fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
            Self::Prompts => "prompts",
        }
    }
}

/// Something that stands in a list under a name of its own.
trait Item {
    fn key(&self) -> &str;
    fn plugin(&self) -> &str;
}

impl Item for ToolEntry {
    fn key(&self) -> &str {
        &self.name
    }
    fn plugin(&self) -> &str {
        &self.plugin
    }
}

impl Item for ResourceEntry {
    fn key(&self) -> &str {
        &self.info.uri
    }
    fn plugin(&self) -> &str {
        &self.plugin
    }
}

impl Item for TemplateEntry {
    fn key(&self) -> &str {
        &self.template.uri_template
    }
    fn plugin(&self) -> &str {
        &self.plugin
    }
}

impl Item for PromptEntry {
    fn key(&self) -> &str {
        &self.name
    }
    fn plugin(&self) -> &str {
        &self.plugin
    }
}

/// A whole list as one revision shows it.
struct Rendered {
    /// `,{…},{…}`: every item with a comma before it.
    bytes: Vec<u8>,
    /// Where each item of the snapshot ends.
    ends: Vec<usize>,
}

/// One page of a list.
#[derive(Debug, PartialEq)]
pub(super) struct Page<'a> {
    /// The items, between the brackets of the array.
    pub(super) items: &'a [u8],
    /// Where the next page begins; none at the end.
    pub(super) next: Option<String>,
}

impl Catalog {
    /// The edition for what the registry holds now, as a caller sees it.
    pub(super) fn edition(&self, registry: &Registry, caller: Option<&Principal>) -> Arc<Edition> {
        let (snapshot, view, rules) = registry.seen_by(caller);
        if view.is_whole() { self.of(snapshot) } else { self.part(snapshot, view, rules) }
    }

    /// The edition for all that the registry holds now, whoever may see it.
    pub(super) fn whole(&self, registry: &Registry) -> Arc<Edition> {
        self.of(registry.snapshot())
    }

    fn of(&self, snapshot: Arc<Snapshot>) -> Arc<Edition> {
        let known = self.last.load_full();
        match known {
            Some(edition) if edition.versions() == snapshot.versions() => edition,
            _ => {
                let generation = snapshot.generation();
                let edition = Arc::new(Edition::new(snapshot));
                // Someone slower must not put an older state back; whoever needs one renders it for himself.
                if known.is_none_or(|known| known.snapshot.generation() < generation) {
                    self.last.store(Some(Arc::clone(&edition)));
                }
                edition
            }
        }
    }

    fn part(&self, snapshot: Arc<Snapshot>, view: View, rules: Arc<Rulebook>) -> Arc<Edition> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if parts.rules.as_ref().is_none_or(|known| !Arc::ptr_eq(known, &rules)) {
            *parts = Parts { rules: Some(rules), ..Parts::default() };
        }
        let parts = &mut parts.editions;
        match parts.get(&view) {
            Some(edition) if edition.snapshot.generation() == snapshot.generation() => return Arc::clone(edition),
            _ if parts.len() >= MAX_VIEWS => parts.clear(),
            _ => {}
        }
        let edition = Arc::new(Edition::new(snapshot));
        parts.insert(view, Arc::clone(&edition));
        edition
    }
}

impl Edition {
    fn new(snapshot: Arc<Snapshot>) -> Self {
        Self { snapshot, rendered: Default::default(), mirrors: OnceLock::new() }
    }

    fn versions(&self) -> Versions {
        self.snapshot.versions()
    }

    /// How long the list stays fresh, as far as its plugins say.
    pub(super) fn hint(&self, kind: Kind) -> ListHint {
        match kind {
            Kind::Tools => self.snapshot.tools_hint(),
            Kind::Resources => self.snapshot.resources_hint(),
            Kind::Templates => self.snapshot.templates_hint(),
            Kind::Prompts => self.snapshot.prompts_hint(),
        }
    }

    /// The page that `cursor` points to, or the first one.
    ///
    /// # Errors
    /// [`Error::InvalidParams`] for a cursor that is not one of ours.
    pub(super) fn page(
        &self,
        kind: Kind,
        revision: Revision,
        cursor: Option<&str>,
        size: usize,
    ) -> Result<Page<'_>, Error> {
        match kind {
            Kind::Tools => self.page_of(kind, self.snapshot.tools(), revision, cursor, size),
            Kind::Resources => self.page_of(kind, self.snapshot.resources(), revision, cursor, size),
            Kind::Templates => self.page_of(kind, self.snapshot.templates(), revision, cursor, size),
            Kind::Prompts => self.page_of(kind, self.snapshot.prompts(), revision, cursor, size),
        }
    }

    fn page_of<E: Item>(
        &self,
        kind: Kind,
        entries: &[Arc<E>],
        revision: Revision,
        cursor: Option<&str>,
        size: usize,
    ) -> Result<Page<'_>, Error>
    where
        for<'a> Shown<'a, E>: Serialize,
    {
        static EMPTY: Rendered = Rendered { bytes: Vec::new(), ends: Vec::new() };
        let start = match cursor {
            None => 0,
            Some(cursor) => resume(kind, entries, cursor).ok_or_else(|| {
                Error::InvalidParams("`cursor` is not one that this server gave; list again without it".to_owned())
            })?,
        };
        let end = start.saturating_add(size.max(1)).min(entries.len());
        let next = entries.get(..end).and_then(|shown| shown.last()).filter(|_| end < entries.len());
        let slot = self.rendered.get(kind as usize).and_then(|kinds| kinds.get(revision.index()));
        let rendered = slot.map_or(&EMPTY, |slot| slot.get_or_init(|| Rendered::new(kind, entries, revision)));
        Ok(Page { items: rendered.slice(start..end), next: next.map(|last| cursor_after(kind, end - 1, last.key())) })
    }

    /// Which arguments of a tool its clients must mirror into headers.
    pub(super) fn mirrors(&self, tool: &str) -> &[Mirror] {
        let all = self.mirrors.get_or_init(|| {
            let tools = self.snapshot.tools().iter();
            tools
                .map(|entry| (entry.name.clone(), mirror::of_schema(&entry.tool.input_schema)))
                .filter(|(_, mirrors)| !mirrors.is_empty())
                .collect()
        });
        all.get(tool).map_or(&[], |mirrors| mirrors)
    }
}

/// Where the list goes on after the item the cursor names. If a reload has taken that item away, the ones behind it have
/// moved up, so its old place is where to go on.
fn resume<E: Item>(kind: Kind, entries: &[Arc<E>], cursor: &str) -> Option<usize> {
    let text = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (list, rest) = std::str::from_utf8(&text).ok()?.split_once(':')?;
    let (index, name) = rest.split_once(':')?;
    let index: usize = index.parse().ok()?;
    if list != kind.member() {
        return None;
    }
    let place = match entries.get(index) {
        Some(entry) if entry.key() == name => Some(index),
        _ => entries.iter().position(|entry| entry.key() == name),
    };
    Some(place.map_or(index, |place| place + 1).min(entries.len()))
}

impl Rendered {
    fn new<E: Item>(kind: Kind, entries: &[Arc<E>], revision: Revision) -> Self
    where
        for<'a> Shown<'a, E>: Serialize,
    {
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(entries.len());
        for entry in entries {
            let start = bytes.len();
            bytes.push(b',');
            if let Err(error) = serde_json::to_writer(&mut bytes, &Shown(entry.as_ref(), revision)) {
                tracing::error!(plugin = entry.plugin(), name = entry.key(), %error, "left out of {}", kind.member());
                bytes.truncate(start);
            }
            ends.push(bytes.len());
        }
        Self { bytes, ends }
    }

    fn slice(&self, items: Range<usize>) -> &[u8] {
        let end_of = |count: usize| count.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or(0);
        let bytes = self.bytes.get(end_of(items.start)..end_of(items.end)).unwrap_or_default();
        bytes.strip_prefix(b",").unwrap_or(bytes)
    }
}

fn cursor_after(kind: Kind, index: usize, name: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{index}:{name}", kind.member()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Catalog, Edition, Kind, Registry};
    use crate::protocol::testing::tool;
    use crate::protocol::version::Revision;

    const NEWEST: Revision = Revision::V2026_07_28;

    fn registry(names: &[&str]) -> Registry {
        Registry::fake(names.iter().map(|name| tool(name)).collect())
    }

    fn names(edition: &Edition, cursor: Option<&str>, size: usize) -> (Vec<String>, Option<String>) {
        let page = edition.page(Kind::Tools, NEWEST, cursor, size).unwrap();
        let json = format!("[{}]", std::str::from_utf8(page.items).unwrap());
        let tools: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
        (tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect(), page.next)
    }

    #[test]
    fn pages_cover_the_list_once_and_in_order() {
        let registry = registry(&["c", "a", "e", "b", "d"]);
        let edition = Catalog::default().edition(&registry, None);
        for size in [0, 1, 2, 3, 5, 100] {
            let (mut seen, mut cursor) = (Vec::new(), None);
            loop {
                let (page, next) = names(&edition, cursor.as_deref(), size);
                seen.extend(page);
                cursor = next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen, ["c", "a", "e", "b", "d"], "page size {size}");
        }
    }

    #[test]
    fn a_cursor_survives_a_reload() {
        let catalog = Catalog::default();
        let registry = registry(&["a", "b", "c", "d"]);
        let (_, cursor) = names(&catalog.edition(&registry, None), None, 2);
        for (after, rest) in [
            (&["a", "b", "c", "d"][..], &["c", "d"][..]),
            (&["new", "a", "b", "c", "d"], &["c", "d"]),
            (&["a", "c", "d"], &["c", "d"]),
            (&["b", "d"], &["d"]),
            (&["a"], &[]),
            (&[], &[]),
        ] {
            registry.replace(after.iter().map(|name| tool(name)).collect());
            assert_eq!(names(&catalog.edition(&registry, None), cursor.as_deref(), 10).0, rest, "after {after:?}");
        }
    }

    #[test]
    fn a_cursor_of_someone_else_is_refused() {
        let edition = Catalog::default().edition(&registry(&["a"]), None);
        for cursor in ["", "2", "invalid-cursor", "dG9vbHM6", "dG9vbHM6eDphAA", "\u{e9}"] {
            assert_eq!(edition.page(Kind::Tools, NEWEST, Some(cursor), 1).unwrap_err().code(), -32602, "{cursor:?}");
        }
        let of_prompts = super::cursor_after(Kind::Prompts, 0, "a");
        assert!(edition.page(Kind::Tools, NEWEST, Some(&of_prompts), 1).is_err(), "a cursor of another list");
    }

    #[test]
    fn one_state_is_rendered_once() {
        let catalog = Catalog::default();
        let registry = registry(&["a"]);
        let first = catalog.edition(&registry, None);
        assert!(Arc::ptr_eq(&first, &catalog.edition(&registry, None)));
        registry.replace(vec![tool("b")]);
        assert!(!Arc::ptr_eq(&first, &catalog.edition(&registry, None)));
    }
}
