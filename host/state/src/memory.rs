//! Tasks in memory: for tests, and for hosts whose tasks may die with them. Values are kept beside them (`values/memory.rs`).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::codec;
use crate::error::StateError;
use crate::limits::{Change, Limits, Usage};
use crate::store::{BoxFuture, Cursor, PAGE_BYTES, PAGE_RECORDS, Page, REMOVE_AT_ONCE, TaskStore};
use crate::task::{NewTask, TaskRecord};
use crate::values;

/// Keeps tasks and values until it is dropped. Its futures never wait. Records beyond [`Limits`] are refused, and values
/// beyond their plugin's quota, so its memory is bounded by them.
#[derive(Debug)]
pub struct MemoryStore {
    limits: Limits,
    kept: Mutex<Kept>,
    pub(crate) values: Mutex<values::Kept>,
}

/// When and which: the key of both indexes, so that ids break ties.
type At = (u64, String);

#[derive(Debug, Default)]
struct Kept {
    /// With the bytes the record counts for.
    tasks: BTreeMap<String, (TaskRecord, usize)>,
    unfinished: BTreeSet<At>,
    expiry: BTreeSet<At>,
    owners: HashMap<Option<String>, Usage>,
    all: Usage,
}

impl MemoryStore {
    /// An empty store.
    pub fn new(limits: Limits) -> Self {
        Self { limits, kept: Mutex::default(), values: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing below panics between two changes, so a poisoned lock still guards whole records.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn usage(&self, owner: &Option<String>) -> Usage {
        self.owners.get(owner).copied().unwrap_or_default()
    }

    fn create(&mut self, limits: &Limits, task: NewTask) -> Result<TaskRecord, StateError> {
        let record = TaskRecord::begin(task)?;
        let bytes = codec::encode(&record)?.len();
        limits.admit(bytes as u64, self.usage(&record.owner), self.all)?;
        self.owners.entry(record.owner.clone()).or_default().add(bytes as u64);
        self.all.add(bytes as u64);
        self.put(record.clone(), bytes);
        Ok(record)
    }

    fn replace(&mut self, limits: &Limits, record: TaskRecord) -> Result<TaskRecord, StateError> {
        let Some((current, before)) = self.tasks.get(&record.id) else { return Err(StateError::NotFound) };
        let record = record.follow(current)?;
        let after = codec::encode(&record)?.len();
        let change = Change::new((current, *before), (&record, after));
        limits.admit_change(change, self.usage(&record.owner), self.all)?;
        self.owners.entry(record.owner.clone()).or_default().resize(change.before, change.after);
        self.all.resize(change.before, change.after);
        self.take(&record.id);
        self.put(record.clone(), after);
        Ok(record)
    }

    fn unfinished(&self, after: Option<Cursor>, limit: usize) -> Page {
        let mut page = Page::default();
        let mut bytes = 0;
        let from = after.map_or((0, String::new()), |cursor| (cursor.created_ms, cursor.id));
        for at in self.unfinished.range(from.clone()..).filter(|at| **at != from) {
            let Some((record, size)) = self.tasks.get(&at.1) else { continue };
            if page.records.len() >= limit.clamp(1, PAGE_RECORDS) || (bytes > 0 && bytes + size > PAGE_BYTES) {
                page.next = page.records.last().map(Cursor::after);
                break;
            }
            bytes += size;
            page.records.push(record.clone());
        }
        page
    }

    fn remove_expired(&mut self, now_ms: u64, limit: usize) -> Vec<String> {
        let due = self.expiry.iter().take_while(|(at, _)| *at <= now_ms).take(limit.min(REMOVE_AT_ONCE));
        let ids: Vec<String> = due.map(|(_, id)| id.clone()).collect();
        for id in &ids {
            self.delete(id);
        }
        ids
    }

    fn delete(&mut self, id: &str) -> bool {
        let Some((record, bytes)) = self.take(id) else { return false };
        self.all.remove(bytes as u64);
        let mut usage = self.usage(&record.owner);
        usage.remove(bytes as u64);
        if usage.records == 0 {
            self.owners.remove(&record.owner);
        } else {
            self.owners.insert(record.owner, usage);
        }
        true
    }

    fn put(&mut self, record: TaskRecord, bytes: usize) {
        if !record.status.is_final() {
            self.unfinished.insert((record.created_ms, record.id.clone()));
        }
        if let Some(at) = record.expires_ms() {
            self.expiry.insert((at, record.id.clone()));
        }
        self.tasks.insert(record.id.clone(), (record, bytes));
    }

    fn take(&mut self, id: &str) -> Option<(TaskRecord, usize)> {
        let (record, bytes) = self.tasks.remove(id)?;
        self.unfinished.remove(&(record.created_ms, record.id.clone()));
        if let Some(at) = record.expires_ms() {
            self.expiry.remove(&(at, record.id.clone()));
        }
        Some((record, bytes))
    }
}

impl TaskStore for MemoryStore {
    fn create(&self, task: NewTask) -> BoxFuture<'_, Result<TaskRecord, StateError>> {
        Box::pin(async move { self.kept().create(&self.limits, task) })
    }

    fn get<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<TaskRecord>, StateError>> {
        Box::pin(async move { Ok(self.kept().tasks.get(id).map(|(record, _)| record.clone())) })
    }

    fn replace(&self, record: TaskRecord) -> BoxFuture<'_, Result<TaskRecord, StateError>> {
        Box::pin(async move { self.kept().replace(&self.limits, record) })
    }

    fn unfinished(&self, after: Option<Cursor>, limit: usize) -> BoxFuture<'_, Result<Page, StateError>> {
        Box::pin(async move { Ok(self.kept().unfinished(after, limit)) })
    }

    fn remove_expired(&self, now_ms: u64, limit: usize) -> BoxFuture<'_, Result<Vec<String>, StateError>> {
        Box::pin(async move { Ok(self.kept().remove_expired(now_ms, limit)) })
    }

    fn delete<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<bool, StateError>> {
        Box::pin(async move { Ok(self.kept().delete(id)) })
    }
}
