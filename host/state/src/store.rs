//! The door: what every place to keep tasks can do.

use std::pin::Pin;

use crate::error::StateError;
use crate::task::{NewTask, TaskRecord};

/// A future on the heap, so that the trait can be used as `dyn`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The most records on one [`Page`].
pub(crate) const PAGE_RECORDS: usize = 1_000;

/// A [`Page`] takes no further record beyond this many bytes of them, so that large records come on short pages.
pub(crate) const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// The most records one [`TaskStore::remove_expired`] removes, so that other writes need not wait long for it.
pub(crate) const REMOVE_AT_ONCE: usize = 1_000;

/// Where the next [`Page`] begins. It stays good when records come and go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) created_ms: u64,
    pub(crate) id: String,
}

impl Cursor {
    /// Goes on after this record.
    pub(crate) fn after(record: &TaskRecord) -> Self {
        Self { created_ms: record.created_ms, id: record.id.clone() }
    }
}

/// Some records, and where to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// Oldest first.
    pub records: Vec<TaskRecord>,
    /// `None` after the last page.
    pub next: Option<Cursor>,
}

/// A place to keep tasks.
///
/// Writes are safe against each other: whoever is second with a [`replace`](Self::replace) gets a conflict.
///
/// # Cancel safety
///
/// A write whose future is dropped may happen or not. Where that matters, as it does with
/// [`create`](Self::create), await it in a task of its own. Reads may be dropped at any time.
///
/// # Errors
///
/// Every method fails with [`StateError::Io`], [`StateError::Damaged`] or [`StateError::Closed`] when the place
/// itself fails. A write that failed with one of these may have happened or not. What else can go wrong is said at each.
pub trait TaskStore: Send + Sync + 'static {
    /// Keeps a new task and gives it an id. When this returns, [`get`](Self::get) finds it, also after a crash or a
    /// power failure, as the tasks extension demands before a client may hear of it.
    ///
    /// # Errors
    ///
    /// [`StateError::Limit`] if it is too large, or there are too many; [`StateError::NoRandomness`].
    fn create(&self, task: NewTask) -> BoxFuture<'_, Result<TaskRecord, StateError>>;

    /// The task of that id, whoever owns it and even if it is expired: the caller asks
    /// [`belongs_to`](TaskRecord::belongs_to) and [`is_expired`](TaskRecord::is_expired).
    fn get<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<TaskRecord>, StateError>>;

    /// Keeps `record` in place of the stored one, if that has the same version. Returns it with its new version. It is as
    /// durable as a new one.
    ///
    /// # Errors
    ///
    /// [`StateError::Conflict`] with the stored record if its version is another; [`StateError::NotFound`];
    /// [`StateError::Fixed`] if a field changed that may not; [`StateError::Final`] if the status of a finished task changed;
    /// [`StateError::Limit`] if it grew too large. A write that ends a task may pass each limit on bytes by 4 KiB, so that a
    /// task whose result is too large can still be marked as failed.
    fn replace(&self, record: TaskRecord) -> BoxFuture<'_, Result<TaskRecord, StateError>>;

    /// The tasks that are [`Working`](crate::TaskStatus::Working) or
    /// [`InputRequired`](crate::TaskStatus::InputRequired), oldest first, after `after` or from the beginning. At most
    /// `limit` of them, 1,000 and about 8 MiB, whichever comes first; at least one if there is one.
    fn unfinished(&self, after: Option<Cursor>, limit: usize) -> BoxFuture<'_, Result<Page, StateError>>;

    /// Removes tasks that are expired at `now_ms` (milliseconds since 1970, UTC), in whatever status, earliest first: at
    /// most `limit` of them, and 1,000. Returns their ids, so that work on them can be stopped. Call it again while it
    /// returns any.
    fn remove_expired(&self, now_ms: u64, limit: usize) -> BoxFuture<'_, Result<Vec<String>, StateError>>;

    /// Removes a task. Returns whether it was there.
    fn delete<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<bool, StateError>>;
}
