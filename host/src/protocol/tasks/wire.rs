//! A task as its client sees it.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use toolcell_state::{TaskRecord, TaskStatus};

use super::Pending;
use crate::protocol::jsonrpc::Id;
use crate::protocol::types::{Meta, Raw};

/// Where a task is shown.
#[derive(Clone, Copy)]
pub(in crate::protocol) enum Shown<'a> {
    /// As the answer to the call that became one.
    Created,
    /// As the answer to `tasks/get`.
    Got,
    /// In a notification of that subscription.
    Told(&'a Id<'a>),
}

pub(in crate::protocol) struct TaskView<'a> {
    pub(super) record: &'a TaskRecord,
    pub(super) pending: Option<Pending>,
    /// What the guest says of its progress.
    pub(super) said: Option<String>,
    pub(super) shown: Shown<'a>,
    pub(super) server: Option<Box<RawValue>>,
}

impl Serialize for TaskView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = self.record;
        let mut map = serializer.serialize_map(None)?;
        match self.shown {
            Shown::Created => map.serialize_entry("resultType", "task")?,
            Shown::Got => map.serialize_entry("resultType", "complete")?,
            Shown::Told(_) => {}
        }
        map.serialize_entry("taskId", &record.id)?;
        map.serialize_entry("status", record.status.as_str())?;
        let message = record.status_message.as_ref().or(self.said.as_ref().filter(|_| !record.status.is_final()));
        if let Some(message) = message {
            map.serialize_entry("statusMessage", message)?;
        }
        map.serialize_entry("createdAt", &iso8601(record.created_ms))?;
        map.serialize_entry("lastUpdatedAt", &iso8601(record.updated_ms))?;
        map.serialize_entry("ttlMs", &record.ttl_ms)?;
        map.serialize_entry("pollIntervalMs", &record.poll_interval_ms)?;
        if !matches!(self.shown, Shown::Created) {
            self.payload(&mut map)?;
        }
        match self.shown {
            Shown::Told(subscription) => map.serialize_entry("_meta", &Tag(subscription))?,
            _ => {
                let meta = Meta { plugin: None, server: self.server.as_deref() };
                if !meta.is_empty() {
                    map.serialize_entry("_meta", &meta)?;
                }
            }
        }
        map.end()
    }
}

impl TaskView<'_> {
    /// What a status brings with it.
    fn payload<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        struct Open<'a>(Option<&'a Pending>);
        impl Serialize for Open<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.into_iter().flat_map(Pending::open))
            }
        }
        let outcome = self.record.outcome.as_deref();
        match (self.record.status, outcome) {
            (TaskStatus::InputRequired, _) => map.serialize_entry("inputRequests", &Open(self.pending.as_ref())),
            (TaskStatus::Completed, Some(result)) => map.serialize_entry("result", &Raw(result)),
            (TaskStatus::Failed, Some(error)) => map.serialize_entry("error", &Raw(error)),
            _ => Ok(()),
        }
    }
}

struct Tag<'a>(&'a Id<'a>);

impl Serialize for Tag<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("io.modelcontextprotocol/subscriptionId", self.0)?;
        map.end()
    }
}

/// A moment as ISO 8601 in UTC, to the millisecond. The date by H. Hinnant's `civil_from_days`.
fn iso8601(ms: u64) -> String {
    let (days, rest) = (ms / 86_400_000, ms % 86_400_000);
    let (hour, minute, second, milli) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60, rest % 1_000);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

#[cfg(test)]
mod tests {
    use super::iso8601;

    #[test]
    fn moments_have_their_date() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (1_795_392_000_123, "2026-11-23T00:00:00.123Z"),
            (4_102_444_800_000, "2100-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(iso8601(ms), text);
        }
    }
}
