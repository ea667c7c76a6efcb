//! A record as bytes. Both stores keep these, so that both count the same sizes.
//!
//! Rules for change: a field may be added if it has a default, and if nothing breaks when an older version drops it; a field
//! never gets another meaning. Anything else needs a new schema number and a migration (`file/open.rs`).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::error::StateError;
use crate::task::{TaskRecord, TaskStatus};

/// The twin of [`TaskRecord`] in the file. Names are short because every record repeats them.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    id: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<Cow<'a, str>>,
    plugin: Cow<'a, str>,
    tool: Cow<'a, str>,
    args: Cow<'a, str>,
    ctx: Cow<'a, str>,
    created: u64,
    updated: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<u64>,
    poll: u64,
    status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<Cow<'a, str>>,
    again: bool,
    cancel: bool,
    starts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input: Option<Cow<'a, str>>,
    version: u64,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Working,
    InputRequired,
    Completed,
    Failed,
    Cancelled,
}

pub(crate) fn encode(record: &TaskRecord) -> Result<Vec<u8>, StateError> {
    fn optional(text: &Option<String>) -> Option<Cow<'_, str>> {
        text.as_deref().map(Cow::Borrowed)
    }
    // By name, so that a new field is a compile error here.
    let TaskRecord {
        id,
        owner,
        plugin,
        tool,
        arguments,
        context,
        created_ms,
        updated_ms,
        ttl_ms,
        poll_interval_ms,
        status,
        status_message,
        idempotent,
        cancel_requested,
        starts,
        outcome,
        input,
        version,
    } = record;
    serde_json::to_vec(&Stored {
        id: id.into(),
        owner: optional(owner),
        plugin: plugin.into(),
        tool: tool.into(),
        args: arguments.into(),
        ctx: context.into(),
        created: *created_ms,
        updated: *updated_ms,
        ttl: *ttl_ms,
        poll: *poll_interval_ms,
        status: match status {
            TaskStatus::Working => Status::Working,
            TaskStatus::InputRequired => Status::InputRequired,
            TaskStatus::Completed => Status::Completed,
            TaskStatus::Failed => Status::Failed,
            TaskStatus::Cancelled => Status::Cancelled,
        },
        message: optional(status_message),
        again: *idempotent,
        cancel: *cancel_requested,
        starts: *starts,
        outcome: optional(outcome),
        input: optional(input),
        version: *version,
    })
    .map_err(|error| StateError::NotText { detail: error.to_string() })
}

pub(crate) fn decode(bytes: &[u8]) -> Result<TaskRecord, serde_json::Error> {
    fn optional(text: Option<Cow<'_, str>>) -> Option<String> {
        text.map(Cow::into_owned)
    }
    let stored: Stored<'_> = serde_json::from_slice(bytes)?;
    Ok(TaskRecord {
        id: stored.id.into_owned(),
        owner: optional(stored.owner),
        plugin: stored.plugin.into_owned(),
        tool: stored.tool.into_owned(),
        arguments: stored.args.into_owned(),
        context: stored.ctx.into_owned(),
        created_ms: stored.created,
        updated_ms: stored.updated,
        ttl_ms: stored.ttl,
        poll_interval_ms: stored.poll,
        status: match stored.status {
            Status::Working => TaskStatus::Working,
            Status::InputRequired => TaskStatus::InputRequired,
            Status::Completed => TaskStatus::Completed,
            Status::Failed => TaskStatus::Failed,
            Status::Cancelled => TaskStatus::Cancelled,
        },
        status_message: optional(stored.message),
        idempotent: stored.again,
        cancel_requested: stored.cancel,
        starts: stored.starts,
        outcome: optional(stored.outcome),
        input: optional(stored.input),
        version: stored.version,
    })
}
