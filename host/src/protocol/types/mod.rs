//! The wire twins of the contract's types: how a tool, a result or an event looks in a given revision.
//!
//! A twin borrows and is written once, straight into the bytes of the answer. What a revision has no word for is left
//! out, or said in text where the model would lose something.

mod content;
mod event;
mod listed;
mod meta;
mod raw;
mod result;
mod tool;

pub(super) use event::{LogMessage, Progress, ResourceUpdated};
pub(super) use meta::Meta;
pub(super) use raw::{OneLine, Raw};
pub(super) use result::{Completed, Filled, Frame, Read, Suggested, scope_name};

use super::version::Revision;

/// Something as one revision shows it.
#[derive(Clone, Copy)]
pub(super) struct View<'a, T: ?Sized>(pub(super) &'a T, pub(super) Revision);
