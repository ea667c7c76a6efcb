//! How much a store keeps, so that no client fills the disk.

use crate::error::StateError;
use crate::task::TaskRecord;

const MIB: u64 = 1024 * 1024;

/// How far a write that ends a task may pass a limit on bytes: room for an error in place of a result that is too large.
const LAST_WORDS: u64 = 4 * 1024;

/// How much a store keeps. Bytes are those of the stored records; the file may be three times as large, because it grows in
/// steps and nothing is overwritten before its successor is on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest record, in bytes. Default is 16 MiB: the largest result a plugin may give by default, with room for
    /// escapes and the arguments.
    pub max_record_bytes: u64,
    /// The most records of one owner; those without an owner count as one's. Default is 10,000.
    pub max_records_per_owner: u64,
    /// The most bytes of one owner's records. Default is 256 MiB, so that one alone does not take all.
    pub max_bytes_per_owner: u64,
    /// The most records in all. Default is 100,000.
    pub max_records: u64,
    /// The most bytes in all. Default is 1 GiB, which takes seconds to check when the file is opened.
    pub max_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_record_bytes: 16 * MIB,
            max_records_per_owner: 10_000,
            max_bytes_per_owner: 256 * MIB,
            max_records: 100_000,
            max_bytes: 1024 * MIB,
        }
    }
}

/// What is kept, of one owner or in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

impl Usage {
    pub(crate) fn add(&mut self, bytes: u64) {
        self.records = self.records.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    pub(crate) fn resize(&mut self, before: u64, after: u64) {
        self.bytes = self.bytes.saturating_sub(before).saturating_add(after);
    }

    pub(crate) fn remove(&mut self, bytes: u64) {
        self.records = self.records.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

impl Limits {
    /// Whether one more record of `bytes` fits.
    pub(crate) fn admit(&self, bytes: u64, owner: Usage, all: Usage) -> Result<(), StateError> {
        within("max_record_bytes", self.max_record_bytes, bytes)?;
        within("max_records_per_owner", self.max_records_per_owner, owner.records.saturating_add(1))?;
        within("max_bytes_per_owner", self.max_bytes_per_owner, owner.bytes.saturating_add(bytes))?;
        within("max_records", self.max_records, all.records.saturating_add(1))?;
        within("max_bytes", self.max_bytes, all.bytes.saturating_add(bytes))
    }

    /// Whether a record may go from `before` to `after` bytes. One that does not grow always may: a limit that was
    /// lowered must not hold up the work at hand.
    pub(crate) fn admit_change(&self, change: Change, owner: Usage, all: Usage) -> Result<(), StateError> {
        let Change { before, after, ends } = change;
        let growth = after.saturating_sub(before);
        if growth == 0 {
            return Ok(());
        }
        let spare = if ends { LAST_WORDS } else { 0 };
        within("max_record_bytes", self.max_record_bytes.saturating_add(spare), after)?;
        if growth <= spare {
            return Ok(());
        }
        within("max_bytes_per_owner", self.max_bytes_per_owner, owner.bytes.saturating_add(growth))?;
        within("max_bytes", self.max_bytes, all.bytes.saturating_add(growth))
    }
}

/// How a write changes the size of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) before: u64,
    pub(crate) after: u64,
    /// Whether the task is over with it, and was not before. That happens once for each task, which bounds the overshoot.
    pub(crate) ends: bool,
}

impl Change {
    pub(crate) fn new(from: (&TaskRecord, usize), to: (&TaskRecord, usize)) -> Self {
        let ends = to.0.status.is_final() && !from.0.status.is_final();
        Self { before: from.1 as u64, after: to.1 as u64, ends }
    }
}

fn within(setting: &'static str, limit: u64, needed: u64) -> Result<(), StateError> {
    if needed > limit { Err(StateError::Limit { setting, limit, needed }) } else { Ok(()) }
}
