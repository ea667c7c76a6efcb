//! Toolcell: one MCP server that hosts many third-party tools, each locked in its own WebAssembly cell.
//!
//! The entry point is [`Host::builder`]. A host loads components, grants each only what it is told to, and serves their
//! tools to MCP clients of every protocol revision, or to the program it is part of:
//!
//! ```no_run
//! use toolcell::{CallCtx, Host, PluginSpec, Source};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let host = Host::builder().plugin(PluginSpec::new("echo", Source::File("echo.wasm".into()))).build().await?;
//! let outcome = host.call_tool("echo", r#"{"message":"hello"}"#, CallCtx::default()).await?;
//! println!("{outcome:?}");
//! # Ok(())
//! # }
//! ```
//!
//! [`Host::http_service`] mounts into a hyper or axum server, [`Host::serve_channel`] takes a transport of one's own.
//! `examples/embed` in the repository shows both. `ARCHITECTURE.md` explains the layers below.
#![warn(missing_docs)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod cli;
pub mod config;
pub mod host;
pub mod protocol;
pub mod registry;
pub mod transport;

pub use toolcell_policy as policy;
pub use toolcell_sandbox as sandbox;
pub use toolcell_state as state;

pub use host::{Host, HostBuilder, HostError, PluginList, Wanted};
pub use policy::{Access, DirGrant, Grant, HostPattern, Limits, Policy};
pub use registry::{CallCtx, CallEvent, CallFailure, PluginSpec, Source, types};
pub use sandbox::EngineConfig;
