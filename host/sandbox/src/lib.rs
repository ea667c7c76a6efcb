//! The cell: where a plugin's code runs, and the only place that knows wasmtime.
//!
//! A call enters at [`Cell::call_tool`] or one of its siblings, gets a fresh instance from the pool with a store that holds the plugin's grant and
//! nothing else, and leaves as a result or as a [`CallFailure`] that says which limit or refusal ended it. The sandbox
//! decides nothing: it enforces what `policy` says. It never inherits anything of the process: no environment, no
//! arguments, no streams, no working directory, no sockets.
//!
//! In reading order: [`types`] and [`ctx`] (what goes in and out), `inspect` (before compiling), `engine` (compile and
//! link), `cell` (one call), `plain` (components that know nothing of Toolcell), `warm` (instances kept for the next call),
//! `state` (all a guest can touch), `imports` (what it can ask the host), `store` (its own store), `peers` (other tools),
//! `drafts` (the same for guests that were written for other hosts), [`doors`] (what the layers above lend it), `net` and
//! `tls` (its only way out), `places`, `deadline`, `limiter` and `size` (its limits), `log` (its voice), `times`, `requests`, `opened` and
//! `backtrace` (what is told of a call to whoever traces it), [`ledger`] (what it cost), [`secrets`] and `texts` (what it may use and
//! nobody may see), [`error`].

#![warn(missing_docs)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod backtrace;
pub mod bindings;
mod cell;
pub mod ctx;
mod deadline;
pub mod doors;
mod drafts;
mod engine;
pub mod error;
mod imports;
pub mod inspect;
pub mod ledger;
mod limiter;
mod log;
mod net;
mod opened;
mod peers;
mod places;
mod plain;
mod requests;
pub mod secrets;
mod size;
mod state;
mod store;
mod texts;
mod times;
mod tls;
pub mod types;
mod warm;

pub use cell::{Cell, Compiled};
pub use ctx::{CallCtx, CallEvent, Carrier, Change, OnChange, Route, Via};
pub use doors::Doors;
pub use engine::{Engine, EngineConfig, MAX_MEMORY_BYTES, disable_backtraces};
pub use error::{CallFailure, LoadError};
pub use inspect::{Inspection, inspect};
pub use ledger::{Ledger, Spent};
pub use size::tool_result as size_of;
