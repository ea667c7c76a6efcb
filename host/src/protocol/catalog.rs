//! The list of tools as it goes out: rendered once for each state of the registry and each revision, then copied.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::Error;
use super::mirror::{self, Mirror};
use super::types::View;
use super::version::Revision;
use crate::registry::{Registry, Snapshot};

/// What has been rendered so far.
#[derive(Default)]
pub(super) struct Catalog(ArcSwapOption<Edition>);

/// One state of the registry, and what has been made of it.
pub(super) struct Edition {
    snapshot: Arc<Snapshot>,
    rendered: [OnceLock<Rendered>; Revision::ALL.len()],
    mirrors: OnceLock<HashMap<String, Box<[Mirror]>>>,
}

/// All tools as one revision shows them.
struct Rendered {
    /// `,{…},{…}`: every tool with a comma before it.
    bytes: Vec<u8>,
    /// Where each tool of the snapshot ends.
    ends: Vec<usize>,
}

/// One page of the list.
#[derive(Debug, PartialEq)]
pub(super) struct Page<'a> {
    /// The tools, between the brackets of the array.
    pub(super) tools: &'a [u8],
    /// Where the next page begins; none at the end.
    pub(super) next: Option<String>,
}

impl Catalog {
    /// The edition for what the registry holds now.
    pub(super) fn edition(&self, registry: &Registry) -> Arc<Edition> {
        let snapshot = registry.snapshot();
        let version = snapshot.versions().tools;
        let known = self.0.load_full();
        match known {
            Some(edition) if edition.version() == version => edition,
            _ => {
                let edition = Arc::new(Edition::new(snapshot));
                // Someone slower must not put an older state back; whoever needs one renders it for himself.
                if known.is_none_or(|known| known.version() < version) {
                    self.0.store(Some(Arc::clone(&edition)));
                }
                edition
            }
        }
    }
}

impl Edition {
    fn new(snapshot: Arc<Snapshot>) -> Self {
        Self { snapshot, rendered: Default::default(), mirrors: OnceLock::new() }
    }

    fn version(&self) -> u64 {
        self.snapshot.versions().tools
    }

    /// The page that `cursor` points to, or the first one.
    ///
    /// # Errors
    /// [`Error::InvalidParams`] for a cursor that is not one of ours.
    pub(super) fn page(&self, revision: Revision, cursor: Option<&str>, size: usize) -> Result<Page<'_>, Error> {
        let tools = self.snapshot.tools();
        let start = match cursor {
            None => 0,
            Some(cursor) => self.resume(cursor).ok_or_else(|| {
                Error::InvalidParams("`cursor` is not one that this server gave; list again without it".to_owned())
            })?,
        };
        let end = start.saturating_add(size.max(1)).min(tools.len());
        let next = tools.get(..end).and_then(|shown| shown.last()).filter(|_| end < tools.len());
        Ok(Page {
            tools: self.rendered(revision).slice(start..end),
            next: next.map(|last| cursor_after(end - 1, &last.name)),
        })
    }

    /// Where the list goes on after the tool the cursor names. If a reload has taken that tool away, the ones behind
    /// it have moved up, so its old place is where to go on.
    fn resume(&self, cursor: &str) -> Option<usize> {
        let text = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (index, name) = std::str::from_utf8(&text).ok()?.strip_prefix("tools:")?.split_once(':')?;
        let index: usize = index.parse().ok()?;
        let tools = self.snapshot.tools();
        let place = match tools.get(index) {
            Some(tool) if tool.name == name => Some(index),
            _ => tools.iter().position(|tool| tool.name == name),
        };
        Some(place.map_or(index, |place| place + 1).min(tools.len()))
    }

    fn rendered(&self, revision: Revision) -> &Rendered {
        static EMPTY: Rendered = Rendered { bytes: Vec::new(), ends: Vec::new() };
        let slot = self.rendered.get(revision.index());
        slot.map_or(&EMPTY, |slot| slot.get_or_init(|| Rendered::new(&self.snapshot, revision)))
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

impl Rendered {
    fn new(snapshot: &Snapshot, revision: Revision) -> Self {
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(snapshot.tools().len());
        for entry in snapshot.tools() {
            let start = bytes.len();
            bytes.push(b',');
            if let Err(error) = serde_json::to_writer(&mut bytes, &View(entry.as_ref(), revision)) {
                tracing::error!(plugin = entry.plugin, tool = entry.name, %error, "tool left out of the list");
                bytes.truncate(start);
            }
            ends.push(bytes.len());
        }
        Self { bytes, ends }
    }

    fn slice(&self, tools: Range<usize>) -> &[u8] {
        let end_of = |count: usize| count.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or(0);
        let bytes = self.bytes.get(end_of(tools.start)..end_of(tools.end)).unwrap_or_default();
        bytes.strip_prefix(b",").unwrap_or(bytes)
    }
}

fn cursor_after(index: usize, name: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("tools:{index}:{name}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Catalog, Edition, Registry};
    use crate::protocol::testing::tool;
    use crate::protocol::version::Revision;

    const NEWEST: Revision = Revision::V2026_07_28;

    fn registry(names: &[&str]) -> Registry {
        Registry::fake(names.iter().map(|name| tool(name)).collect())
    }

    fn names(edition: &Edition, cursor: Option<&str>, size: usize) -> (Vec<String>, Option<String>) {
        let page = edition.page(NEWEST, cursor, size).unwrap();
        let json = format!("[{}]", std::str::from_utf8(page.tools).unwrap());
        let tools: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
        (tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect(), page.next)
    }

    #[test]
    fn pages_cover_the_list_once_and_in_order() {
        let registry = registry(&["c", "a", "e", "b", "d"]);
        let edition = Catalog::default().edition(&registry);
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
        let (_, cursor) = names(&catalog.edition(&registry), None, 2);
        for (after, rest) in [
            (&["a", "b", "c", "d"][..], &["c", "d"][..]),
            (&["new", "a", "b", "c", "d"], &["c", "d"]),
            (&["a", "c", "d"], &["c", "d"]),
            (&["b", "d"], &["d"]),
            (&["a"], &[]),
            (&[], &[]),
        ] {
            registry.replace(after.iter().map(|name| tool(name)).collect());
            assert_eq!(names(&catalog.edition(&registry), cursor.as_deref(), 10).0, rest, "after {after:?}");
        }
    }

    #[test]
    fn a_cursor_of_someone_else_is_refused() {
        let edition = Catalog::default().edition(&registry(&["a"]));
        for cursor in ["", "2", "invalid-cursor", "dG9vbHM6", "dG9vbHM6eDphAA", "\u{e9}"] {
            assert_eq!(edition.page(NEWEST, Some(cursor), 1).unwrap_err().code(), -32602, "{cursor:?}");
        }
    }

    #[test]
    fn one_state_is_rendered_once() {
        let catalog = Catalog::default();
        let registry = registry(&["a"]);
        let first = catalog.edition(&registry);
        assert!(Arc::ptr_eq(&first, &catalog.edition(&registry)));
        registry.replace(vec![tool("b")]);
        assert!(!Arc::ptr_eq(&first, &catalog.edition(&registry)));
    }
}
