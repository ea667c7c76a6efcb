//! Values in memory.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::ops::Bound;
use std::sync::{MutexGuard, PoisonError};

use super::{Expected, KeyPage, Space, ValueStore, ValueWrite, first_key};
use crate::error::StateError;
use crate::memory::MemoryStore;
use crate::store::BoxFuture;

/// The values of every plugin.
#[derive(Debug, Default)]
pub(crate) struct Kept(HashMap<String, Own>);

/// Those of one.
#[derive(Debug, Default)]
struct Own {
    values: BTreeMap<String, Vec<u8>>,
    space: Space,
}

impl Kept {
    fn put(&mut self, write: ValueWrite) -> Result<(), StateError> {
        let ValueWrite { plugin, key, value, expected, quota } = write;
        let own = self.0.entry(plugin).or_default();
        let current = own.values.get(&key);
        if let Expected::Exactly(expected) = &expected
            && expected.as_ref() != current
        {
            return Err(StateError::Differs { current: current.cloned() });
        }
        own.space = own.space.after(&key, current.map(Vec::len), value.as_ref().map(Vec::len), quota)?;
        match value {
            Some(value) => own.values.insert(key, value),
            None => own.values.remove(&key),
        };
        Ok(())
    }

    fn keys(&self, plugin: &str, prefix: &str, after: Option<&str>) -> KeyPage {
        let Some(own) = self.0.get(plugin) else { return KeyPage::default() };
        let found = own.values.range::<str, _>((first_key(prefix, after), Bound::Unbounded));
        let found = found.map(|(key, _)| key).take_while(|key| key.starts_with(prefix));
        let Ok(page) = KeyPage::fill(found.map(|key| Ok::<_, Infallible>(key.clone())));
        page
    }
}

impl MemoryStore {
    fn kept_values(&self) -> MutexGuard<'_, Kept> {
        // As in `memory.rs`: nothing panics between two changes.
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ValueStore for MemoryStore {
    fn value<'a>(&'a self, plugin: &'a str, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, StateError>> {
        Box::pin(async move { Ok(self.kept_values().0.get(plugin).and_then(|own| own.values.get(key)).cloned()) })
    }

    fn put(&self, write: ValueWrite) -> BoxFuture<'_, Result<(), StateError>> {
        Box::pin(async move { self.kept_values().put(write) })
    }

    fn keys<'a>(
        &'a self,
        plugin: &'a str,
        prefix: &'a str,
        after: Option<&'a str>,
    ) -> BoxFuture<'a, Result<KeyPage, StateError>> {
        Box::pin(async move { Ok(self.kept_values().keys(plugin, prefix, after)) })
    }
}
