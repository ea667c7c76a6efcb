//! What must outlive a request of a Toolcell host: tasks, which are calls that a client was given a handle for and asks
//! about later, maybe after the host was started again; and the values that plugins keep.
//!
//! There are two doors: [`TaskStore`], six methods over [`TaskRecord`]s, and [`ValueStore`], three over keys and values.
//! [`FileStore`] keeps both in one file and gives nothing back before it is on the disk; [`MemoryStore`] keeps them until the
//! process ends. Tasks beyond [`Limits`] and values beyond a plugin's [`Quota`] are refused.
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
mod values;

pub use error::StateError;
pub use file::FileStore;
pub use limits::Limits;
pub use memory::MemoryStore;
pub use store::{BoxFuture, Cursor, Page, TaskStore};
pub use task::{NewTask, TaskRecord, TaskStatus};
pub use values::{Expected, Full, KeyPage, Quota, ValueStore, ValueWrite};
