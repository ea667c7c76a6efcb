//! What must outlive a request of a Toolcell host. So far that is tasks: calls that a client was given a handle for and
//! asks about later, maybe after the host was started again.
//!
//! [`TaskStore`] is the door: six methods over [`TaskRecord`]s. [`FileStore`] keeps them in one file and gives nothing back
//! before it is on the disk; [`MemoryStore`] keeps them until the process ends. Both refuse what [`Limits`] does not allow.
//!
//! ```
//! use toolcell_state::{Limits, MemoryStore, NewTask, TaskStatus, TaskStore};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), toolcell_state::StateError> {
//! let store = MemoryStore::new(Limits::default());
//! let task = NewTask { plugin: "report".into(), tool: "build".into(), created_ms: 1_000, ..NewTask::default() };
//! let mut task = store.create(task).await?;
//!
//! task.status = TaskStatus::Completed;
//! task.outcome = Some(r#"{"content":[]}"#.into());
//! let task = store.replace(task).await?;
//! assert_eq!(store.get(&task.id).await?, Some(task));
//! # Ok(())
//! # }
//! ```
//!
//! The crate knows no protocol: arguments, results and contexts are text to it. It starts one thread for each open
//! [`FileStore`], and reads on tokio's blocking threads.
#![warn(missing_docs)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod codec;
mod error;
mod file;
mod limits;
mod memory;
mod store;
mod task;
#[cfg(test)]
mod tests;

pub use error::StateError;
pub use file::FileStore;
pub use limits::Limits;
pub use memory::MemoryStore;
pub use store::{BoxFuture, Cursor, Page, TaskStore};
pub use task::{NewTask, TaskRecord, TaskStatus};
