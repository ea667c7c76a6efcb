//! Says what happened on a Toolcell host: receipts, the audit log, metrics, traces and what calls cost.
//!
//! The crate knows neither MCP's JSON nor WebAssembly: callers hand it plain records. [`Telemetry`] takes a call's
//! beginning and its [`Receipt`], and gives both to whatever is configured. No call waits for any of it, but for an audit
//! log that was told never to lose a line.
//!
//! Modules, in reading order:
//!
//! - [`receipt`]: what one call was and cost.
//! - [`audit`]: the log that shows when it was changed.
//! - [`metrics`]: for Prometheus.
//! - [`trace`]: W3C trace context.
//! - [`redact`]: what is taken out before contents are recorded.
//! - [`otlp`]: traces, metrics and logs to a collector.
//! - [`usage`]: cost by principal, plugin, tool and day.
//! - [`telemetry`](Telemetry): all of it together.
#![warn(missing_docs)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod audit;
pub mod metrics;
pub mod otlp;
pub mod receipt;
pub mod redact;
mod telemetry;
mod text;
pub mod trace;
pub mod usage;

pub use receipt::{HostUse, Kind, Outcome, Receipt, ReceiptBuilder};
pub use telemetry::{Call, Config, Telemetry, TelemetryError, UsageConfig};
pub use trace::TraceContext;
