//! Decides what a plugin may do. It answers, and the sandbox acts on the answer.
//!
//! This layer is pure and synchronous: it reads no file, resolves no name, asks no clock, knows nothing of WebAssembly
//! and imports nothing but the standard library, `url` and `ipnet`. The zero value of every type in it permits nothing.
//! A yes is a permit that only this layer can make, a no is a [`DenyReason`] whose text ends with the line that would
//! change it.
//!
//! Modules, in reading order:
//!
//! - `decision`: the permits and [`DenyReason`].
//! - `grant`: [`Grant`] (what the operator gave), [`Requested`] (what the plugin's manifest asks for), and what both
//!   agree on.
//! - `fs`: directories.
//! - `target`: a request's host, port and path in the one form that is compared and connected to.
//! - `pattern`: [`HostPattern`], one line of `hosts`.
//! - `net`: the two network checks, first the name, then every address.
//! - [`addr`]: which addresses are not public.
//! - `env`: environment variables.
//! - `store`: what a plugin keeps beyond its calls.
//! - `peers`: other tools it may call.
//! - `caller`: who is calling.
//! - `access`: which callers see and use what.
//! - `changes`: what one grant has that another has not.
//! - `narrow`: what a plugin may do for one caller.
//! - `secret`: secrets it may use without seeing them.
//! - `approval`: which calls wait for a person.
//! - [`limits`]: how much of everything.
//! - [`hook`]: the embedder's own word on every call.

#![warn(missing_docs)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod access;
pub mod addr;
mod approval;
mod caller;
mod changes;
mod decision;
mod env;
mod fs;
mod grant;
pub mod hook;
pub mod limits;
mod narrow;
mod net;
mod pattern;
mod peers;
mod secret;
mod store;
mod target;

pub use access::{AccessRules, AllowRule, Item, Lacking, View};
pub use addr::AddrClass;
pub use approval::{Approvable, ApprovalRule, Approvals};
pub use caller::{Callers, NamePattern, Principal, Shown};
pub use changes::GrantChanges;
pub use decision::{AddrPermit, DenyReason, DirPermit, NamePermit};
pub use env::{check_env_name, check_env_value, plugin_table, toml_key};
pub use fs::{Access, DirGrant, DirRequest, check_guest_path, check_requested_path};
pub use grant::{EnvRequest, Grant, HostRequest, Requested};
pub use hook::{AllowAll, CallFacts, CallKind, Policy};
pub use limits::Limits;
pub use narrow::CallerGrant;
pub use pattern::{HostPattern, PatternError};
pub use peers::{ToolPattern, ToolRequest};
pub use secret::{Attach, SecretGrant, check_secret_name, placeholder};
pub use store::{StoreGrant, StoreRequest};
pub use target::{Scheme, Target, TargetError, TargetHost};
