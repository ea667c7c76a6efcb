//! What is recorded.

use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;

use crate::receipt::{MAX_NAME, Receipt};
use crate::text::clip;

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A call, with its receipt.
    Invocation,
    /// Someone was not let in, or not let do something.
    Refusal,
    /// A person said yes or no to a held call.
    Approval,
    /// What a plugin or principal may do was changed.
    GrantChange,
    /// A plugin was loaded, replaced or taken out.
    Reload,
    /// A key was made or revoked, or another administrative act.
    Admin,
    /// A host began to write.
    Start,
    /// A host ended in order.
    Stop,
    /// A new file was begun. Written by the log itself.
    Rotate,
    /// Events were lost because the queue was full. Written by the log itself.
    Lost,
    /// A crash had left an unfinished line, which was set aside. Written by the log itself.
    Torn,
}

impl EventKind {
    /// The word in the line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invocation => "invocation",
            Self::Refusal => "refusal",
            Self::Approval => "approval",
            Self::GrantChange => "grant-change",
            Self::Reload => "reload",
            Self::Admin => "admin",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Rotate => "rotate",
            Self::Lost => "lost",
            Self::Torn => "torn",
        }
    }
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Event {
    pub(crate) time: SystemTime,
    pub(crate) kind: EventKind,
    pub(crate) principal: Option<String>,
    pub(crate) trace: Option<String>,
    pub(crate) data: Data,
}

/// An event's payload. A receipt becomes text on the writer's thread, not on the call's.
#[derive(Debug, Clone)]
pub(crate) enum Data {
    Receipt(Arc<Receipt>),
    Json(serde_json::Value),
}

impl Event {
    /// A call that ended now or earlier.
    pub fn invocation(receipt: Arc<Receipt>) -> Self {
        Self {
            time: receipt.ended(),
            kind: EventKind::Invocation,
            principal: receipt.principal.clone(),
            trace: receipt.trace_id.clone(),
            data: Data::Receipt(receipt),
        }
    }

    /// Anything else. `data` is written as it is: put no secrets into it. Beyond [`MAX_LINE`](super::MAX_LINE) it is
    /// replaced by its size.
    pub fn new(kind: EventKind, time: SystemTime, data: serde_json::Value) -> Self {
        Self { time, kind, principal: None, trace: None, data: Data::Json(data) }
    }

    /// Who did it.
    #[must_use]
    pub fn principal(mut self, name: &str) -> Self {
        self.principal = Some(clip(name, MAX_NAME));
        self
    }

    /// In which trace, 32 digits.
    #[must_use]
    pub fn trace(mut self, id: &str) -> Self {
        self.trace = Some(clip(id, MAX_NAME));
        self
    }

    /// What kind of thing it is.
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// When it happened.
    pub fn time(&self) -> SystemTime {
        self.time
    }

    /// Who did it, if anybody.
    pub fn principal_name(&self) -> Option<&str> {
        self.principal.as_deref()
    }

    /// The receipt of an invocation.
    pub fn receipt(&self) -> Option<&Receipt> {
        match &self.data {
            Data::Receipt(receipt) => Some(receipt),
            Data::Json(_) => None,
        }
    }

    /// The trace's id, if there is one.
    pub fn trace_id(&self) -> Option<&str> {
        self.trace.as_deref()
    }
}
