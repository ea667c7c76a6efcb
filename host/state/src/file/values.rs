//! Plugins' values in the file.

use std::ops::Bound;

use redb::{ReadTransaction, ReadableTable, Table, TableDefinition, TableError, WriteTransaction};

use super::tables::Fault;
use crate::error::StateError;
use crate::values::{Expected, KeyPage, Space, ValueWrite, first_key};

const VALUES: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("values");
const SPACES: TableDefinition<'_, &str, (u64, u64)> = TableDefinition::new("spaces");

/// A table that a file of an earlier version does not have yet.
macro_rules! table {
    ($reading:expr, $table:expr) => {
        match $reading.open_table($table) {
            Err(TableError::TableDoesNotExist(_)) => return Ok(Default::default()),
            opened => opened?,
        }
    };
}

pub(super) fn value(reading: &ReadTransaction, plugin: &str, key: &str) -> Result<Option<Vec<u8>>, Fault> {
    let values = table!(reading, VALUES);
    let found = values.get((plugin, key))?;
    Ok(found.map(|found| found.value().to_vec()))
}

pub(super) fn keys(
    reading: &ReadTransaction,
    plugin: &str,
    prefix: &str,
    after: Option<&str>,
) -> Result<KeyPage, Fault> {
    let values = table!(reading, VALUES);
    let from = match first_key(prefix, after) {
        Bound::Excluded(key) => Bound::Excluded((plugin, key)),
        Bound::Included(key) => Bound::Included((plugin, key)),
        Bound::Unbounded => Bound::Unbounded,
    };
    let found = values.range::<(&str, &str)>((from, Bound::Unbounded))?;
    let own = found.map_while(|entry| match entry {
        Ok((key, _)) => match key.value() {
            (owner, key) if owner == plugin && key.starts_with(prefix) => Some(Ok(key.to_owned())),
            _ => None,
        },
        Err(error) => Some(Err(Fault::from(error))),
    });
    KeyPage::fill(own)
}

/// Both tables, in a write transaction.
pub(super) struct Values<'t> {
    values: Table<'t, (&'static str, &'static str), &'static [u8]>,
    spaces: Table<'t, &'static str, (u64, u64)>,
}

impl<'t> Values<'t> {
    pub(super) fn open(writing: &'t WriteTransaction) -> Result<Self, Fault> {
        Ok(Self { values: writing.open_table(VALUES)?, spaces: writing.open_table(SPACES)? })
    }

    pub(super) fn put(&mut self, write: ValueWrite) -> Result<(), Fault> {
        let ValueWrite { plugin, key, value, expected, quota } = write;
        let at = (plugin.as_str(), key.as_str());
        let before = {
            let current = self.values.get(at)?;
            let current = current.as_ref().map(|found| found.value());
            if let Expected::Exactly(expected) = &expected
                && expected.as_deref() != current
            {
                return Err(StateError::Differs { current: current.map(<[u8]>::to_vec) }.into());
            }
            current.map(<[u8]>::len)
        };
        let space = self.spaces.get(plugin.as_str())?.map(|found| found.value()).unwrap_or_default();
        let space = Space { keys: space.0, bytes: space.1 };
        let next = space.after(&key, before, value.as_ref().map(Vec::len), quota)?;
        match &value {
            Some(value) => self.values.insert(at, value.as_slice())?,
            None => self.values.remove(at)?,
        };
        match next.keys {
            0 => self.spaces.remove(plugin.as_str())?,
            _ => self.spaces.insert(plugin.as_str(), (next.keys, next.bytes))?,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use redb::{Database, ReadableDatabase};

    use crate::values::tests::{race, set, suite, write};
    use crate::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_does_what_a_store_must_and_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.redb");
        let store = FileStore::open(&path, Limits::default()).await.unwrap();
        suite(Arc::new(store)).await;
        let store = Arc::new(FileStore::open(&path, Limits::default()).await.unwrap());
        assert_eq!(store.keys("list", "item/", None).await.unwrap().keys.len(), 1_000);
        let quota = Quota { keys: 1, bytes: 100 };
        set(&*store, "p", "k", b"1").await;
        drop(store);
        let store = Arc::new(FileStore::open(&path, Limits::default()).await.unwrap());
        let refused = store.put(write("p", "l", Some(b"1"), Expected::Anything, quota)).await;
        assert!(
            matches!(refused, Err(StateError::Full { what: Full::Keys, .. })),
            "the sums are kept too: {refused:?}"
        );
        race(store).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn writes_that_wait_share_a_commit() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(FileStore::open(folder.path().join("state.redb"), Limits::default()).await.unwrap());
        let put = |n: u32| {
            let store = store.clone();
            tokio::spawn(async move { set(&*store, "p", &n.to_string(), b"x").await })
        };
        let puts: Vec<_> = (0..200).map(put).collect();
        for put in puts {
            put.await.unwrap();
        }
        assert_eq!(store.keys("p", "", None).await.unwrap().keys.len(), 200);
        assert!(store.commits() < 200, "{}", store.commits());
    }

    /// A file that an earlier version made has no tables for values.
    #[tokio::test]
    async fn an_earlier_file_is_one_without_values() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.redb");
        drop(FileStore::open(&path, Limits::default()).await.unwrap());
        let database = Database::open(&path).unwrap();
        let writing = database.begin_write().unwrap();
        assert!(writing.delete_table(super::VALUES).unwrap() && writing.delete_table(super::SPACES).unwrap());
        writing.commit().unwrap();
        assert!(database.begin_read().unwrap().open_table(super::VALUES).is_err());
        drop(database);

        let store = FileStore::open(&path, Limits::default()).await.unwrap();
        assert_eq!(store.value("p", "k").await.unwrap(), None);
        assert_eq!(store.keys("p", "", None).await.unwrap(), KeyPage::default());
        set(&store, "p", "k", b"1").await;
        assert_eq!(store.value("p", "k").await.unwrap().as_deref(), Some(&b"1"[..]));
    }

    #[tokio::test]
    async fn a_full_disk_is_told_and_keeps_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let disk = super::super::testing::Disk::new();
        let path = folder.path().join("state.redb");
        let store = FileStore::open_on(path, Limits::default(), disk.attach()).await.unwrap();
        set(&store, "p", "k", b"1").await;
        disk.full.store(true, Ordering::SeqCst);
        let quota = Quota { keys: 10, bytes: 1_000 };
        let refused = store.put(write("p", "k", Some(b"2"), Expected::Anything, quota)).await;
        assert!(matches!(refused, Err(StateError::Io { .. })), "{refused:?}");
        disk.full.store(false, Ordering::SeqCst);
        set(&store, "p", "l", b"3").await;
        assert_eq!(store.value("p", "k").await.unwrap().as_deref(), Some(&b"1"[..]));
    }
}
