//! A task: what is asked for, how far it is, what came of it.

use crate::error::StateError;

/// How far a task is. The names are those of the tasks extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskStatus {
    /// It runs, or waits to be started again.
    Working,
    /// It waits for answers of the client; [`TaskRecord::input`] says which.
    InputRequired,
    /// It ended with a result, which may say that the tool failed.
    Completed,
    /// It ended with a JSON-RPC error.
    Failed,
    /// It was given up on request.
    Cancelled,
}

impl TaskStatus {
    /// Whether the task is over. A task that is over keeps its status.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The name on the wire, such as `input_required`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::InputRequired => "input_required",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A task to be created. The store gives it an id and the status [`TaskStatus::Working`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTask {
    /// See [`TaskRecord::owner`].
    pub owner: Option<String>,
    /// See [`TaskRecord::plugin`].
    pub plugin: String,
    /// See [`TaskRecord::tool`].
    pub tool: String,
    /// See [`TaskRecord::arguments`].
    pub arguments: String,
    /// See [`TaskRecord::context`].
    pub context: String,
    /// See [`TaskRecord::created_ms`]. It is also the first [`TaskRecord::updated_ms`].
    pub created_ms: u64,
    /// See [`TaskRecord::ttl_ms`].
    pub ttl_ms: Option<u64>,
    /// See [`TaskRecord::poll_interval_ms`].
    pub poll_interval_ms: u64,
    /// See [`TaskRecord::status_message`].
    pub status_message: Option<String>,
    /// See [`TaskRecord::idempotent`].
    pub idempotent: bool,
}

/// A task as it is stored. Made by [`TaskStore::create`](crate::TaskStore::create); change a copy and hand it to
/// [`TaskStore::replace`](crate::TaskStore::replace).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskRecord {
    /// 32 hexadecimal digits from 128 random bits, so that nobody finds another's task by trying. Fixed.
    pub id: String,
    /// The principal who asked; `None` where nobody is told apart. Fixed.
    pub owner: Option<String>,
    /// The plugin that does the work. Fixed.
    pub plugin: String,
    /// The tool of that plugin. Fixed.
    pub tool: String,
    /// The arguments, as JSON text. May be emptied when the task is over, to save room.
    pub arguments: String,
    /// What the protocol layer needs to call again after a restart, as JSON text of its own shape.
    pub context: String,
    /// When it was created: milliseconds since 1970, UTC. Fixed.
    pub created_ms: u64,
    /// When the writer last changed it: milliseconds since 1970, UTC.
    pub updated_ms: u64,
    /// How long it is kept, in milliseconds from [`created_ms`](Self::created_ms); `None` until it is deleted.
    pub ttl_ms: Option<u64>,
    /// How often a client should ask, in milliseconds.
    pub poll_interval_ms: u64,
    /// How far it is.
    pub status: TaskStatus,
    /// What a person may read about the status.
    pub status_message: Option<String>,
    /// Whether the work may be started again after a crash, because doing it twice does no harm.
    pub idempotent: bool,
    /// Whether the client asked to cancel it. Kept, so that a task whose cancelling was acknowledged is not started again.
    pub cancel_requested: bool,
    /// How often the work was started, so that a task that brings the host down is not started for ever.
    pub starts: u32,
    /// The result or the error, as JSON text. Which of them it is follows from the status.
    pub outcome: Option<String>,
    /// What is outstanding, and the plugin's sealed state, as JSON text of the protocol layer's own shape.
    pub input: Option<String>,
    /// 1 at first, one more with every write.
    pub version: u64,
}

impl TaskRecord {
    /// The record a new task begins with.
    pub(crate) fn begin(task: NewTask) -> Result<Self, StateError> {
        Ok(Self {
            id: random_id()?,
            owner: task.owner,
            plugin: task.plugin,
            tool: task.tool,
            arguments: task.arguments,
            context: task.context,
            created_ms: task.created_ms,
            updated_ms: task.created_ms,
            ttl_ms: task.ttl_ms,
            poll_interval_ms: task.poll_interval_ms,
            status: TaskStatus::Working,
            status_message: task.status_message,
            idempotent: task.idempotent,
            cancel_requested: false,
            starts: 0,
            outcome: None,
            input: None,
            version: 1,
        })
    }

    /// The record that follows on `current`, if `self` was made from it and changes only what may change.
    pub(crate) fn follow(mut self, current: &Self) -> Result<Self, StateError> {
        if self.version != current.version {
            return Err(StateError::Conflict(Box::new(current.clone())));
        }
        let fixed = [
            ("owner", self.owner == current.owner),
            ("plugin", self.plugin == current.plugin),
            ("tool", self.tool == current.tool),
            ("created_ms", self.created_ms == current.created_ms),
        ];
        if let Some((field, _)) = fixed.into_iter().find(|(_, same)| !same) {
            return Err(StateError::Fixed { field });
        }
        if current.status.is_final() && self.status != current.status {
            return Err(StateError::Final { status: current.status.as_str() });
        }
        self.version = current.version.saturating_add(1);
        Ok(self)
    }

    /// When it may be removed: milliseconds since 1970, UTC. `None` if never.
    pub fn expires_ms(&self) -> Option<u64> {
        self.created_ms.checked_add(self.ttl_ms?)
    }

    /// Whether it may be removed at `now_ms`. An expired record is still found until somebody removes it.
    pub fn is_expired(&self, now_ms: u64) -> bool {
        self.expires_ms().is_some_and(|at| at <= now_ms)
    }

    /// Whether `principal` asked for it. Every request about a task must ask this, and answer "no such task" if not.
    pub fn belongs_to(&self, principal: Option<&str>) -> bool {
        self.owner.as_deref() == principal
    }
}

/// 128 random bits as 32 hexadecimal digits.
fn random_id() -> Result<String, StateError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| StateError::NoRandomness { detail: error.to_string() })?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Whether this can be an id at all. What a stranger sends as an id may be long and may be anything.
pub(crate) fn may_be_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
