//! What the end-to-end tests stand on. Everything here blocks, and nothing here sleeps: a test waits for a line, a
//! message or an end, and [`DEADLINE`] turns a wait that never ends into a failure that says what was awaited.
//!
//! In reading order: [`artifacts`] (what the tests need built), [`component`] (what is made up on the spot), [`site`] (a folder with a config and plugins),
//! [`host`] (the running binary), [`http`] and [`stdio`] (raw clients, able to misbehave), [`pki`] and
//! [`tls`] (certificates, and connections with them), [`wire`] (the judge of every
//! message they receive), [`mcp`] (what is said over them, in both eras), [`web`] (a server for guests to fetch from), [`collector`] (where telemetry goes), [`plan`] and [`rounds`] (what the official clients
//! are told).

pub mod artifacts;
pub mod collector;
pub mod component;
pub mod host;
pub mod http;
pub mod log;
pub mod mcp;
pub mod pki;
pub mod plan;
pub mod rounds;
pub mod site;
pub mod stdio;
#[cfg(test)]
mod tidy;
pub mod tls;
#[cfg(test)]
mod vendored;
pub mod web;
pub mod wire;

use std::time::Duration;

/// How long a test waits for any one thing. No test expects anything to take this long; it is for a machine under load.
pub const DEADLINE: Duration = Duration::from_secs(60);
