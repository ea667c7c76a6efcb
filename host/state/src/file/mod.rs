//! Tasks and values in one file, by way of redb.
//!
//! In reading order: [`open`] makes, checks and opens the file; [`tables`] and [`values`] say what is in it and do each
//! operation inside a transaction; [`writer`] is the thread that puts the writes waiting together into one transaction. This file is the
//! store around them.
//!
//! Reads see what the last transaction left and never wait for the writer.

mod open;
mod tables;
mod values;
mod writer;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;

use redb::{Database, ReadTransaction, ReadableDatabase};
use tokio::sync::{mpsc, oneshot};

use crate::error::StateError;
use crate::limits::Limits;
use crate::store::{BoxFuture, Cursor, Page, TaskStore};
use crate::task::{NewTask, TaskRecord, may_be_id};
use crate::values::{KeyPage, ValueStore, ValueWrite};
use open::Attach;
use tables::Fault;
use writer::{Job, Reply};

/// Writes that may wait for the writer; beyond it callers wait to get in line. It is also the most that share one
/// transaction, so that no one waits for more than two.
const QUEUE: usize = 256;

/// Keeps tasks and values in one file, which one process at a time may have open.
///
/// A write is on the disk when it returns. Writes that come while another is being brought there share the next trip, so
/// many at once cost little more than one.
///
/// Each store has one thread, which ends when the store is dropped. Dropping waits for the writes that are already in
/// line, then closes the file.
///
/// If the disk fails, for instance because it is full, the writes at hand fail with [`StateError::Io`] and the file is opened
/// again, so the store works again as soon as the disk does.
pub struct FileStore {
    shared: Arc<Shared>,
    /// `None` only while it is dropped.
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<thread::JoinHandle<()>>,
}

/// What the store, its reads and its writer share.
struct Shared {
    path: PathBuf,
    limits: Limits,
    attach: Attach,
    /// The reads hold it for reading, so the writer can exchange a database that failed when none of them uses it. The
    /// error says why there is none.
    database: RwLock<Result<Database, StateError>>,
    commits: AtomicU64,
}

impl FileStore {
    /// Opens the file at `path`, or makes it, and the folders above it. The file is for its owner alone (mode 0600).
    ///
    /// The whole file is read and its checksums are compared, so that damage is found here and not by a client.
    /// Must be called on a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`StateError::InUse`], [`StateError::Newer`], [`StateError::Damaged`], [`StateError::Io`].
    pub async fn open(path: impl Into<PathBuf>, limits: Limits) -> Result<Self, StateError> {
        Self::open_on(path.into(), limits, open::on_disk()).await
    }

    async fn open_on(path: PathBuf, limits: Limits, attach: Attach) -> Result<Self, StateError> {
        let opening = tokio::task::spawn_blocking(move || {
            let database = open::open_or_create(&path, &attach)?;
            let shared =
                Shared { path, limits, attach, database: RwLock::new(Ok(database)), commits: AtomicU64::new(0) };
            let shared = Arc::new(shared);
            let (jobs, line) = mpsc::channel(QUEUE);
            let writer = thread::Builder::new().name("toolcell-state".to_owned()).spawn({
                let shared = shared.clone();
                move || writer::run(&shared, line)
            });
            let writer = writer
                .map_err(|error| StateError::Io { path: shared.path.clone(), detail: format!("no thread: {error}") })?;
            Ok(Self { shared, jobs: Some(jobs), writer: Some(writer) })
        });
        opening.await.unwrap_or(Err(StateError::Closed))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// How many transactions were brought to the disk since it was opened.
    pub fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::Relaxed)
    }

    async fn write<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, StateError> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or(StateError::Closed)?;
        jobs.send(job(reply)).await.map_err(|_| StateError::Closed)?;
        // The writer answers everybody, unless it stumbled over this very job.
        answer.await.unwrap_or_else(|_| Err(self.shared.nonsense()))
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StateError> {
        let shared = self.shared.clone();
        match tokio::task::spawn_blocking(move || shared.read(work)).await {
            Ok(outcome) => outcome,
            Err(stopped) if stopped.is_panic() => Err(self.shared.nonsense()),
            Err(_) => Err(StateError::Closed),
        }
    }
}

impl Shared {
    fn read<T>(&self, work: impl FnOnce(&ReadTransaction) -> Result<T, Fault>) -> Result<T, StateError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().map_err(Clone::clone)?;
        let outcome = database.begin_read().map_err(Fault::from).and_then(|reading| work(&reading));
        outcome.map_err(|fault| fault.of(&self.path))
    }

    /// Closes the database, if there is one, and opens it again. Without success the error is what everybody gets.
    fn reopen(&self) {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        // First close: the file is locked as long as it is open.
        *database = Err(StateError::Closed);
        *database = open::open(&self.path, &self.attach);
    }

    /// redb panicked. It checks what it reads from the file, but not for everything.
    fn nonsense(&self) -> StateError {
        StateError::Damaged { path: self.path.clone(), detail: "a page makes no sense".to_owned() }
    }

    fn close(&self) {
        *self.database.write().unwrap_or_else(PoisonError::into_inner) = Err(StateError::Closed);
    }
}

impl Drop for FileStore {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(writer) = self.writer.take() {
            // It catches its own panics; one more would have nobody to go to.
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

impl TaskStore for FileStore {
    fn create(&self, task: NewTask) -> BoxFuture<'_, Result<TaskRecord, StateError>> {
        Box::pin(self.write(|reply| Job::Create(Box::new(task), reply)))
    }

    fn get<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<TaskRecord>, StateError>> {
        Box::pin(async move {
            if !may_be_id(id) {
                return Ok(None);
            }
            let id = id.to_owned();
            self.read(move |reading| tables::get(reading, &id)).await
        })
    }

    fn replace(&self, record: TaskRecord) -> BoxFuture<'_, Result<TaskRecord, StateError>> {
        Box::pin(self.write(|reply| Job::Replace(Box::new(record), reply)))
    }

    fn unfinished(&self, after: Option<Cursor>, limit: usize) -> BoxFuture<'_, Result<Page, StateError>> {
        Box::pin(self.read(move |reading| tables::unfinished(reading, after, limit)))
    }

    fn remove_expired(&self, now_ms: u64, limit: usize) -> BoxFuture<'_, Result<Vec<String>, StateError>> {
        Box::pin(async move {
            // Mostly nothing is due, and then the writer need not be bothered.
            if limit == 0 || !self.read(move |reading| tables::any_expired(reading, now_ms)).await? {
                return Ok(Vec::new());
            }
            self.write(|reply| Job::RemoveExpired { now_ms, limit, reply }).await
        })
    }

    fn delete<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<bool, StateError>> {
        Box::pin(async move {
            if !may_be_id(id) {
                return Ok(false);
            }
            self.write(|reply| Job::Delete(id.to_owned(), reply)).await
        })
    }
}

impl ValueStore for FileStore {
    fn value<'a>(&'a self, plugin: &'a str, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, StateError>> {
        let (plugin, key) = (plugin.to_owned(), key.to_owned());
        Box::pin(self.read(move |reading| values::value(reading, &plugin, &key)))
    }

    fn put(&self, write: ValueWrite) -> BoxFuture<'_, Result<(), StateError>> {
        Box::pin(self.write(|reply| Job::Put(write, reply)))
    }

    fn keys<'a>(
        &'a self,
        plugin: &'a str,
        prefix: &'a str,
        after: Option<&'a str>,
    ) -> BoxFuture<'a, Result<KeyPage, StateError>> {
        let (plugin, prefix, after) = (plugin.to_owned(), prefix.to_owned(), after.map(str::to_owned));
        Box::pin(self.read(move |reading| values::keys(reading, &plugin, &prefix, after.as_deref())))
    }
}
