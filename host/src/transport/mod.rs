//! How messages come and go. A transport is two channels of finished messages; HTTP, where every request has a channel
//! of its own, is the exception.
//!
//! This layer moves bytes and applies limits. What a message means is not its business: it asks
//! [`protocol`](crate::protocol) for that, and it never sees a tool.
//!
//! In reading order:
//!
//! - [`limits`]: how much one peer may have
//! - [`channel`]: serving two channels, whatever is behind them
//! - [`memory`]: a pair of channels, for embedders and tests
//! - [`stdio`]: lines on standard input and output
//! - [`http`]: the MCP endpoint of both eras

pub mod channel;
pub mod http;
pub mod limits;
pub mod memory;
pub mod stdio;
#[cfg(test)]
mod tests;

pub use self::channel::{Channel, serve_channel, serve_channel_as, serve_channel_within};
pub use self::limits::Limits;
