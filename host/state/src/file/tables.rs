//! What is in the file, and each operation on it inside a transaction.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | `meta` | `schema`, `bytes` | a number: the schema; the bytes of all records |
//! | `tasks` | id | the record (`codec.rs`) |
//! | `unfinished` | created, id | of tasks that are not over |
//! | `expiry` | expires, id | of tasks with a time to live |
//! | `owners` | `=` and the owner, or nothing | number and bytes of their records |
//! | `values` | plugin, key | a value that a plugin keeps (`values.rs`) |
//! | `spaces` | plugin | number of its keys, and bytes of its keys and values |
//!
//! The last two are younger. A file without them is one of the same schema in which no plugin keeps anything.

use std::ops::Bound;

use redb::{
    Database, Durability, ReadTransaction, ReadableTable, ReadableTableMetadata, Table, TableDefinition, TableError,
    WriteTransaction,
};

use super::values::Values;
use crate::codec;
use crate::error::StateError;
use crate::limits::{Change, Limits, Usage};
use crate::store::{Cursor, PAGE_BYTES, PAGE_RECORDS, Page, REMOVE_AT_ONCE};
use crate::task::{NewTask, TaskRecord};

/// The schema this version writes. It goes up when an earlier version could not read the file, or would spoil it.
pub(super) const SCHEMA: u64 = 1;

/// Has to stay as it is in every schema, because it tells which one it is.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const TASKS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("tasks");
const UNFINISHED: TableDefinition<'_, (u64, &str), ()> = TableDefinition::new("unfinished");
const EXPIRY: TableDefinition<'_, (u64, &str), ()> = TableDefinition::new("expiry");
const OWNERS: TableDefinition<'_, &str, (u64, u64)> = TableDefinition::new("owners");

const META_SCHEMA: &str = "schema";
const META_BYTES: &str = "bytes";

/// Why an operation did not happen.
#[derive(Debug)]
pub(super) enum Fault {
    /// The request is at fault. Nothing was changed for it.
    Refused(StateError),
    /// A record or an index is not what it must be.
    Record(String),
    /// The database or the disk below it.
    Disk(redb::Error),
}

impl From<StateError> for Fault {
    fn from(error: StateError) -> Self {
        Self::Refused(error)
    }
}

/// A transaction that is on the disk when it is committed.
///
/// In two phases: then redb takes a damaged page for damage. In one phase it might take it for a write that a crash cut
/// short, and go back to the state before, which would lose tasks that were acknowledged. That it costs a second trip to the
/// disk matters little where many writes share it.
pub(super) fn begin(database: &Database) -> Result<WriteTransaction, Fault> {
    let mut writing = database.begin_write()?;
    writing.set_durability(Durability::Immediate)?;
    writing.set_two_phase_commit(true);
    Ok(writing)
}

/// Makes every table of a new file, so that a reader finds them.
pub(super) fn lay_out(writing: &mut WriteTransaction) -> Result<(), Fault> {
    let mut tables = Tables::open(writing)?;
    tables.meta.insert(META_SCHEMA, SCHEMA)?;
    tables.meta.insert(META_BYTES, 0)?;
    Ok(())
}

/// The schema of the file; `None` if it was not made by this crate.
pub(super) fn schema(reading: &ReadTransaction) -> Result<Option<u64>, Fault> {
    match reading.open_table(META) {
        Ok(meta) => Ok(meta.get(META_SCHEMA)?.map(|found| found.value())),
        Err(TableError::Storage(error)) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

pub(super) fn get(reading: &ReadTransaction, id: &str) -> Result<Option<TaskRecord>, Fault> {
    let tasks = reading.open_table(TASKS)?;
    let found = tasks.get(id)?;
    found.map(|found| decode(id, found.value())).transpose()
}

pub(super) fn unfinished(reading: &ReadTransaction, after: Option<Cursor>, limit: usize) -> Result<Page, Fault> {
    let (index, tasks) = (reading.open_table(UNFINISHED)?, reading.open_table(TASKS)?);
    let from = match &after {
        Some(cursor) => Bound::Excluded((cursor.created_ms, cursor.id.as_str())),
        None => Bound::Unbounded,
    };
    let mut page = Page::default();
    let mut bytes = 0;
    for entry in index.range::<(u64, &str)>((from, Bound::Unbounded))? {
        let (key, _) = entry?;
        let (_, id) = key.value();
        let Some(found) = tasks.get(id)? else { return Err(stray(id)) };
        let size = found.value().len();
        if page.records.len() >= limit.clamp(1, PAGE_RECORDS) || (bytes > 0 && bytes + size > PAGE_BYTES) {
            page.next = page.records.last().map(Cursor::after);
            break;
        }
        bytes += size;
        page.records.push(decode(id, found.value())?);
    }
    Ok(page)
}

pub(super) fn any_expired(reading: &ReadTransaction, now_ms: u64) -> Result<bool, Fault> {
    let expiry = reading.open_table(EXPIRY)?;
    let first = expiry.first()?;
    Ok(first.is_some_and(|(key, _)| key.value().0 <= now_ms))
}

/// All tables of one write transaction.
pub(super) struct Tables<'t> {
    meta: Table<'t, &'static str, u64>,
    tasks: Table<'t, &'static str, &'static [u8]>,
    unfinished: Table<'t, (u64, &'static str), ()>,
    expiry: Table<'t, (u64, &'static str), ()>,
    owners: Table<'t, &'static str, (u64, u64)>,
    pub(super) values: Values<'t>,
}

impl<'t> Tables<'t> {
    pub(super) fn open(writing: &'t WriteTransaction) -> Result<Self, Fault> {
        Ok(Self {
            meta: writing.open_table(META)?,
            tasks: writing.open_table(TASKS)?,
            unfinished: writing.open_table(UNFINISHED)?,
            expiry: writing.open_table(EXPIRY)?,
            owners: writing.open_table(OWNERS)?,
            values: Values::open(writing)?,
        })
    }

    pub(super) fn create(&mut self, limits: &Limits, task: NewTask) -> Result<TaskRecord, Fault> {
        let record = TaskRecord::begin(task)?;
        let bytes = codec::encode(&record)?;
        let (mut owner, mut all) = (self.usage(&record)?, self.all()?);
        limits.admit(bytes.len() as u64, owner, all)?;
        owner.add(bytes.len() as u64);
        all.add(bytes.len() as u64);
        self.keep_usage(&record, owner, all)?;
        self.index(&record)?;
        self.tasks.insert(record.id.as_str(), bytes.as_slice())?;
        Ok(record)
    }

    pub(super) fn replace(&mut self, limits: &Limits, record: TaskRecord) -> Result<TaskRecord, Fault> {
        let Some((current, before)) = self.record(&record.id)? else { return Err(StateError::NotFound.into()) };
        let record = record.follow(&current)?;
        let bytes = codec::encode(&record)?;
        let change = Change::new((&current, before), (&record, bytes.len()));
        let (mut owner, mut all) = (self.usage(&record)?, self.all()?);
        limits.admit_change(change, owner, all)?;
        if change.before != change.after {
            owner.resize(change.before, change.after);
            all.resize(change.before, change.after);
            self.keep_usage(&record, owner, all)?;
        }
        if current.status.is_final() != record.status.is_final() || current.expires_ms() != record.expires_ms() {
            self.unindex(&current)?;
            self.index(&record)?;
        }
        self.tasks.insert(record.id.as_str(), bytes.as_slice())?;
        Ok(record)
    }

    pub(super) fn delete(&mut self, id: &str) -> Result<bool, Fault> {
        let Some((record, bytes)) = self.record(id)? else { return Ok(false) };
        self.remove(&record, bytes)?;
        Ok(true)
    }

    pub(super) fn remove_expired(&mut self, now_ms: u64, limit: usize) -> Result<Vec<String>, Fault> {
        let mut ids = Vec::new();
        for entry in self.expiry.iter()?.take(limit.min(REMOVE_AT_ONCE)) {
            let (key, _) = entry?;
            let (at, id) = key.value();
            if at > now_ms {
                break;
            }
            ids.push(id.to_owned());
        }
        for id in &ids {
            let Some((record, bytes)) = self.record(id)? else { return Err(stray(id)) };
            self.remove(&record, bytes)?;
        }
        Ok(ids)
    }

    /// The record and the bytes it takes.
    fn record(&self, id: &str) -> Result<Option<(TaskRecord, usize)>, Fault> {
        let found = self.tasks.get(id)?;
        found.map(|found| Ok((decode(id, found.value())?, found.value().len()))).transpose()
    }

    fn remove(&mut self, record: &TaskRecord, bytes: usize) -> Result<(), Fault> {
        let (mut owner, mut all) = (self.usage(record)?, self.all()?);
        owner.remove(bytes as u64);
        all.remove(bytes as u64);
        self.unindex(record)?;
        self.tasks.remove(record.id.as_str())?;
        self.keep_usage(record, owner, all)
    }

    fn index(&mut self, record: &TaskRecord) -> Result<(), Fault> {
        if !record.status.is_final() {
            self.unfinished.insert((record.created_ms, record.id.as_str()), ())?;
        }
        if let Some(at) = record.expires_ms() {
            self.expiry.insert((at, record.id.as_str()), ())?;
        }
        Ok(())
    }

    fn unindex(&mut self, record: &TaskRecord) -> Result<(), Fault> {
        self.unfinished.remove((record.created_ms, record.id.as_str()))?;
        if let Some(at) = record.expires_ms() {
            self.expiry.remove((at, record.id.as_str()))?;
        }
        Ok(())
    }

    fn all(&self) -> Result<Usage, Fault> {
        let Some(bytes) = self.meta.get(META_BYTES)? else { return Err(Fault::Record("it has no total".to_owned())) };
        Ok(Usage { records: self.tasks.len()?, bytes: bytes.value() })
    }

    fn usage(&self, record: &TaskRecord) -> Result<Usage, Fault> {
        let found = self.owners.get(owner_key(record).as_str())?;
        Ok(found.map(|found| found.value()).map(|(records, bytes)| Usage { records, bytes }).unwrap_or_default())
    }

    fn keep_usage(&mut self, record: &TaskRecord, owner: Usage, all: Usage) -> Result<(), Fault> {
        // How many there are in all is the length of `tasks`.
        self.meta.insert(META_BYTES, all.bytes)?;
        let key = owner_key(record);
        if owner.records == 0 {
            self.owners.remove(key.as_str())?;
        } else {
            self.owners.insert(key.as_str(), (owner.records, owner.bytes))?;
        }
        Ok(())
    }
}

/// "Nobody" and the owner with the empty name are two.
fn owner_key(record: &TaskRecord) -> String {
    record.owner.as_ref().map(|owner| format!("={owner}")).unwrap_or_default()
}

fn decode(id: &str, bytes: &[u8]) -> Result<TaskRecord, Fault> {
    codec::decode(bytes).map_err(|error| Fault::Record(format!("the record of task {id} cannot be read: {error}")))
}

fn stray(id: &str) -> Fault {
    Fault::Record(format!("task {id} is in an index, but not there"))
}
