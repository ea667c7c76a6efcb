//! The second door: small values that plugins keep, each plugin apart from all others.

mod memory;
#[cfg(test)]
pub(crate) mod tests;

use crate::error::StateError;
use crate::store::BoxFuture;

pub(crate) use memory::Kept;

/// The most keys on one [`KeyPage`].
pub(crate) const PAGE_KEYS: usize = 1_000;

/// A [`KeyPage`] takes no further key beyond this many bytes of them.
pub(crate) const PAGE_KEY_BYTES: usize = 64 * 1024;

/// A change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueWrite {
    /// Whose key it is: the plugin's name on this host.
    pub plugin: String,
    /// The key.
    pub key: String,
    /// What it is to have; `None` removes it.
    pub value: Option<Vec<u8>>,
    /// What it must have now.
    pub expected: Expected,
    /// How much the plugin may keep.
    pub quota: Quota,
}

/// What a key must have for a [`ValueWrite`] to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it has.
    Anything,
    /// This value, or with `None` no value.
    Exactly(Option<Vec<u8>>),
}

/// How much one plugin may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Keys.
    pub keys: u64,
    /// Bytes of all its keys and values.
    pub bytes: u64,
}

/// Some keys, and where to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPage {
    /// In byte order.
    pub keys: Vec<String>,
    /// Whether there are more after the last of these.
    pub more: bool,
}

/// A place to keep plugins' values.
///
/// # Cancel safety
///
/// A write whose future is dropped may happen or not. Reads may be dropped at any time.
///
/// # Errors
///
/// Every method fails with [`StateError::Io`], [`StateError::Damaged`] or [`StateError::Closed`] when the place itself
/// fails. A write that failed with one of these may have happened or not. What else can go wrong is said at each.
pub trait ValueStore: Send + Sync + 'static {
    /// The value of a plugin's key.
    fn value<'a>(&'a self, plugin: &'a str, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, StateError>>;

    /// Changes one key, in one step with looking at what it must have. It is as durable as a task when this returns.
    ///
    /// # Errors
    ///
    /// [`StateError::Differs`] if the key has something else; [`StateError::Full`] if the plugin would keep more than its
    /// quota. A change that keeps no more than before always fits, so that a quota that was lowered does not hold up the work
    /// at hand.
    fn put(&self, write: ValueWrite) -> BoxFuture<'_, Result<(), StateError>>;

    /// The plugin's keys that begin with `prefix` and come after `after`, in byte order: at most 1,000 and about 64 KiB of
    /// them, whichever comes first; at least one if there is one.
    fn keys<'a>(
        &'a self,
        plugin: &'a str,
        prefix: &'a str,
        after: Option<&'a str>,
    ) -> BoxFuture<'a, Result<KeyPage, StateError>>;
}

/// What a plugin keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) keys: u64,
    pub(crate) bytes: u64,
}

impl Space {
    /// What is kept after a key of `key` bytes went from one value to another.
    ///
    /// # Errors
    /// [`StateError::Full`] if that is more than before and more than the quota.
    pub(crate) fn after(
        self,
        key: &str,
        before: Option<usize>,
        after: Option<usize>,
        quota: Quota,
    ) -> Result<Self, StateError> {
        let size = |value: Option<usize>| value.map_or(0, |value| (key.len() as u64).saturating_add(value as u64));
        let next = Self {
            keys: self.keys.saturating_sub(u64::from(before.is_some())).saturating_add(u64::from(after.is_some())),
            bytes: self.bytes.saturating_sub(size(before)).saturating_add(size(after)),
        };
        let within = |what, limit, before, needed| match needed > limit && needed > before {
            true => Err(StateError::Full { what, limit, needed }),
            false => Ok(()),
        };
        within(Full::Keys, quota.keys, self.keys, next.keys)?;
        within(Full::Bytes, quota.bytes, self.bytes, next.bytes)?;
        Ok(next)
    }
}

/// Which part of a [`Quota`] is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// [`Quota::keys`].
    Keys,
    /// [`Quota::bytes`].
    Bytes,
}

impl KeyPage {
    /// Takes keys, in order, until the page is full.
    pub(crate) fn fill<E>(keys: impl Iterator<Item = Result<String, E>>) -> Result<Self, E> {
        let mut page = Self::default();
        let mut bytes = 0;
        for key in keys {
            let key = key?;
            if page.keys.len() >= PAGE_KEYS || (bytes > 0 && bytes + key.len() > PAGE_KEY_BYTES) {
                page.more = true;
                break;
            }
            bytes += key.len();
            page.keys.push(key);
        }
        Ok(page)
    }
}

/// Where a page begins: nothing before the prefix has it, and nothing up to the cursor is wanted again.
pub(crate) fn first_key<'a>(prefix: &'a str, after: Option<&'a str>) -> std::ops::Bound<&'a str> {
    match after {
        Some(after) if after >= prefix => std::ops::Bound::Excluded(after),
        _ => std::ops::Bound::Included(prefix),
    }
}
