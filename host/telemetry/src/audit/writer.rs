//! The thread that writes, and the bounded queue before it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use serde_json::json;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::event::{Event, EventKind};
use super::line::Head;
use super::log::Log;
use super::{AuditConfig, AuditError, Fsync, Full};

/// How many events are written under one lock.
const BATCH: usize = 1_024;
/// How long the first of them waits for others. Nobody waits for a line to be written, and one lock, one write and one waking of
/// the thread for many lines leave the processor to the calls.
const GATHER: Duration = Duration::from_millis(5);
/// How long after a failed write the next is tried.
const RETRY: Duration = Duration::from_millis(250);

enum Message {
    Event(Box<Event>),
    Flush(oneshot::Sender<Result<Head, AuditError>>),
}

#[derive(Debug, Default)]
struct Shared {
    lines: AtomicU64,
    lost: AtomicU64,
    /// Of `lost`, those that no line tells of yet.
    untold: AtomicU64,
    failures: AtomicU64,
    trouble: Mutex<Option<String>>,
}

impl Shared {
    fn trouble(&self, error: Option<&AuditError>) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if error.is_some() || trouble.is_some() {
            *trouble = error.map(ToString::to_string);
        }
        if error.is_some() {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What the log has done since the host started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuditCounts {
    /// Lines written.
    pub lines: u64,
    /// Events lost to a full queue.
    pub lost: u64,
    /// Writes that failed and were tried again.
    pub failures: u64,
}

/// The door to the log. Cheap to clone; the last clone's end closes the log, in the background.
#[derive(Debug, Clone)]
pub struct Audit {
    queue: mpsc::Sender<Message>,
    full: Full,
    shared: Arc<Shared>,
    head: watch::Receiver<Head>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Audit {
    /// Opens the log and starts its thread. Blocks for as long as the last line takes to read.
    ///
    /// # Errors
    ///
    /// If the folder cannot be used, or what is there does not belong to this key.
    pub fn open(config: AuditConfig) -> Result<Self, AuditError> {
        let full = config.full;
        let sync = config.sync;
        let (queue, receiver) = mpsc::channel(config.queue.max(1));
        let log = Log::open(config, SystemTime::now())?;
        let (tell, head) = watch::channel(log.head().clone());
        let shared = Arc::new(Shared::default());
        // The thread waits for events and for the clock at once; that is what this runtime is for.
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(AuditError::Thread)?;
        let mut writer = Writer { log, sync, dirty: None, tell, shared: Arc::clone(&shared) };
        let thread = std::thread::Builder::new()
            .name("toolcell-audit".into())
            .spawn(move || runtime.block_on(writer.run(receiver)))
            .map_err(AuditError::Thread)?;
        Ok(Self { queue, full, shared, head, thread: Arc::new(Mutex::new(Some(thread))) })
    }

    /// Records an event. With [`Full::Block`] it waits for room; dropping the future while it waits loses the event and
    /// counts it as lost.
    ///
    /// # Errors
    ///
    /// [`AuditError::Closed`] once the log is closed.
    pub async fn record(&self, event: Event) -> Result<(), AuditError> {
        match self.queue.try_send(Message::Event(Box::new(event))) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(_)) => Err(AuditError::Closed),
            Err(TrySendError::Full(message)) => match self.full {
                Full::DropAndCount => {
                    self.lose();
                    Ok(())
                }
                Full::Block => {
                    let guard = LostIfDropped(self);
                    let sent = self.queue.send(message).await;
                    std::mem::forget(guard);
                    sent.map_err(|_| AuditError::Closed)
                }
            },
        }
    }

    /// [`Audit::record`] where there is no runtime. It must not be called on a runtime's thread.
    ///
    /// # Errors
    ///
    /// [`AuditError::Closed`] once the log is closed.
    pub fn record_blocking(&self, event: Event) -> Result<(), AuditError> {
        match self.queue.try_send(Message::Event(Box::new(event))) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) if self.full == Full::DropAndCount => {
                self.lose();
                Ok(())
            }
            Err(TrySendError::Full(message)) => self.queue.blocking_send(message).map_err(|_| AuditError::Closed),
            Err(TrySendError::Closed(_)) => Err(AuditError::Closed),
        }
    }

    /// Records an event if there is room at this moment and counts it as lost if not, whatever the configuration says.
    /// For what is not a call's and happens where nobody can wait.
    pub fn record_now(&self, event: Event) {
        if let Err(TrySendError::Full(_)) = self.queue.try_send(Message::Event(Box::new(event))) {
            self.lose();
        }
    }

    /// Waits until everything recorded so far is on the disk, and returns the head.
    ///
    /// # Errors
    ///
    /// If it could not be written, or the log is closed.
    pub async fn flush(&self) -> Result<Head, AuditError> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(Message::Flush(answer)).await.map_err(|_| AuditError::Closed)?;
        answered.await.map_err(|_| AuditError::Closed)?
    }

    /// The last line written.
    pub fn head(&self) -> Head {
        self.head.borrow().clone()
    }

    /// The counts.
    pub fn counts(&self) -> AuditCounts {
        AuditCounts {
            lines: self.shared.lines.load(Ordering::Relaxed),
            lost: self.shared.lost.load(Ordering::Relaxed),
            failures: self.shared.failures.load(Ordering::Relaxed),
        }
    }

    /// Why the last write failed, for as long as none has succeeded since. While there is one, [`Full::Block`] makes calls
    /// wait once the queue is full: show it and say that the host is not ready.
    pub fn trouble(&self) -> Option<String> {
        self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the queue is nearly full (nine tenths): the disk does not keep up.
    pub fn pressed(&self) -> bool {
        self.queue.capacity().saturating_mul(10) < self.queue.max_capacity()
    }

    /// Ends the thread once its queue is empty. Waits for it; all clones must be gone or this one waits for them.
    pub fn close(self) {
        let Self { queue, thread, .. } = self;
        drop(queue);
        let handle = thread.lock().ok().and_then(|mut slot| slot.take());
        if let Some(handle) = handle {
            // A writer that panicked has nothing more to say.
            let _ = handle.join();
        }
    }

    fn lose(&self) {
        self.shared.lost.fetch_add(1, Ordering::Relaxed);
        self.shared.untold.fetch_add(1, Ordering::Relaxed);
    }
}

struct LostIfDropped<'a>(&'a Audit);

impl Drop for LostIfDropped<'_> {
    fn drop(&mut self) {
        self.0.lose();
    }
}

struct Writer {
    log: Log,
    sync: Fsync,
    /// When the oldest line that is not on the disk was written.
    dirty: Option<Instant>,
    tell: watch::Sender<Head>,
    shared: Arc<Shared>,
}

impl Writer {
    async fn run(&mut self, mut queue: mpsc::Receiver<Message>) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let due = match (self.sync, self.dirty) {
                (Fsync::Every(every), Some(since)) => since.checked_add(every),
                _ => None,
            };
            let got = match due {
                None => queue.recv_many(&mut batch, BATCH).await,
                Some(due) => match tokio::time::timeout_at(due, queue.recv_many(&mut batch, BATCH)).await {
                    Ok(got) => got,
                    Err(_) => {
                        self.force();
                        continue;
                    }
                },
            };
            if got == 0 {
                break;
            }
            // Where each line is to be on the disk before the next, none waits for others.
            if self.sync != Fsync::Each {
                gather(&mut batch, &mut queue).await;
            }
            let mut events = Vec::with_capacity(batch.len());
            for message in batch.drain(..) {
                match message {
                    Message::Event(event) => events.push(*event),
                    Message::Flush(answer) => {
                        let result = self.write(std::mem::take(&mut events), &queue).await;
                        let result = result.and_then(|()| self.log.sync()).map(|()| self.log.head().clone());
                        // Who asked may have gone.
                        let _ = answer.send(result);
                    }
                }
            }
            // A failure was counted; what could not be written before the host ends is lost and was counted too.
            let _ = self.write(events, &queue).await;
            // A queue that is never empty must not keep lines from the disk.
            if due.is_some_and(|due| due <= Instant::now()) {
                self.force();
            }
        }
        let _ = self.write(Vec::new(), &queue).await;
        self.force();
    }

    /// Writes events, trying again for as long as the disk refuses, unless the log is being closed.
    async fn write(&mut self, events: Vec<Event>, queue: &mpsc::Receiver<Message>) -> Result<(), AuditError> {
        let untold = self.shared.untold.swap(0, Ordering::Relaxed);
        let lost = (untold > 0).then(|| Event::new(EventKind::Lost, SystemTime::now(), json!({ "events": untold })));
        let mut events: Vec<Event> = lost.into_iter().chain(events).collect();
        while !events.is_empty() {
            let progress = self.log.append(&events, SystemTime::now());
            self.shared.lines.fetch_add(progress.lines, Ordering::Relaxed);
            events.drain(..progress.done.min(events.len()));
            if progress.lines > 0 {
                self.tell.send_replace(self.log.head().clone());
                self.dirty.get_or_insert_with(Instant::now);
            }
            self.shared.trouble(progress.error.as_ref());
            if let Some(error) = progress.error {
                if queue.is_closed() {
                    self.shared.lost.fetch_add(events.len() as u64, Ordering::Relaxed);
                    return Err(error);
                }
                tokio::time::sleep(RETRY).await;
            }
        }
        if self.sync == Fsync::Each {
            self.force();
        }
        Ok(())
    }

    fn force(&mut self) {
        if let Err(error) = self.log.sync() {
            self.shared.trouble(Some(&error));
        }
        self.dirty = None;
    }
}

/// Waits a moment for more events, unless somebody waits for these or there are enough.
async fn gather(batch: &mut Vec<Message>, queue: &mut mpsc::Receiver<Message>) {
    let room = BATCH.saturating_sub(batch.len());
    let small = queue.max_capacity() <= BATCH;
    if room == 0 || small || queue.is_closed() || batch.iter().any(|message| matches!(message, Message::Flush(_))) {
        return;
    }
    tokio::time::sleep(GATHER).await;
    if !queue.is_empty() {
        queue.recv_many(batch, room).await;
    }
}
