//! Calls that go on after their answer: the client gets a handle and asks later (`io.modelcontextprotocol/tasks`).
//!
//! A task is in the store before its handle goes out, and every step of it is there before anyone hears of it. While its
//! guest runs, a job of this process drives it; while it waits for its client nothing runs at all. After a restart what
//! waits goes on waiting, what ran is called again if its tool says that does no harm, and fails with a reason otherwise.
//! Source: the tasks extension, "Tasks".

mod record;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::value::RawValue;
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use toolcell_state::{NewTask, StateError, TaskRecord, TaskStatus, TaskStore};

use super::error::Error;
use super::handlers::error_result;
use super::identity::Identity;
use super::input;
use super::lifecycle::TASKS;
use super::types::{Completed, Frame};
use super::version::Revision;
use crate::registry::types::{Continuation, InputRequired, ToolOutcome};
use crate::registry::{CallCtx, CallEvent, CallFailure, Registry, ToolEntry};
pub(super) use record::{Origin, Pending};
pub(super) use wire::{Shown, TaskView};

/// How long a task is kept, from its creation, in milliseconds: a day, so that a result can be fetched the next morning.
const TTL_MS: u64 = 24 * 60 * 60 * 1000;
/// How often a client should ask, in milliseconds.
const POLL_MS: u64 = 1_000;
/// How often a task is begun again after restarts. One that takes the host down each time must not do so for ever.
const MAX_STARTS: u32 = 3;
/// How often a task may ask its client for something.
const MAX_ASKS: usize = 256;
/// How often expired tasks are looked for.
const SWEEP: Duration = Duration::from_secs(60);
/// Records read or removed in one step.
const STEP: usize = 100;
/// Changes that may wait for a subscriber before it is told of all its tasks.
const CHANGES: usize = 1_024;

pub(super) struct Tasks {
    registry: Registry,
    identity: Arc<Identity>,
    store: Arc<dyn TaskStore>,
    jobs: Mutex<HashMap<String, Job>>,
    places: Places,
    changed: broadcast::Sender<Arc<str>>,
    /// Ends all jobs without a trace in the store, so that they are found unfinished after a restart.
    stop: CancellationToken,
}

/// Room for the guests of tasks: half of what there is for all calls, and half of what each plugin has, so that tasks never
/// keep a client that waits for an answer from getting in.
struct Places {
    all: Semaphore,
    /// By plugin and number of places, which may change with a reload.
    each: Mutex<HashMap<(String, usize), Arc<Semaphore>>>,
}

impl Places {
    fn of(&self, tool: &ToolEntry) -> Arc<Semaphore> {
        let places = (tool.concurrency() / 2).max(1);
        let mut each = lock(&self.each);
        // A plugin that is gone leaves its entry behind as long as one of its calls runs, and no longer.
        each.retain(|(plugin, _), semaphore| *plugin == tool.plugin || Arc::strong_count(semaphore) > 1);
        Arc::clone(each.entry((tool.plugin.clone(), places)).or_insert_with(|| Arc::new(Semaphore::new(places))))
    }
}

/// What drives a task in this process.
struct Job {
    cancel: CancellationToken,
    /// What the guest last said of its progress.
    said: Arc<Mutex<Option<String>>>,
}

/// A call that was begun before it became a task. One that does not become a task after all ends with this.
pub(super) struct Begun {
    pub(super) call: JoinHandle<Result<ToolOutcome, CallFailure>>,
    pub(super) cancel: DropGuard,
}

impl Tasks {
    pub(super) fn new(registry: Registry, identity: Arc<Identity>, store: Arc<dyn TaskStore>) -> Arc<Self> {
        let places = Places { all: Semaphore::new((registry.concurrent_calls() / 2).max(1)), each: Mutex::default() };
        Arc::new(Self {
            registry,
            identity,
            store,
            jobs: Mutex::default(),
            places,
            changed: broadcast::Sender::new(CHANGES),
            stop: CancellationToken::new(),
        })
    }

    /// Ends the jobs of this process; the tasks stay in the store as they are.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    /// Tells which tasks change.
    pub(super) fn changes(&self) -> broadcast::Receiver<Arc<str>> {
        self.changed.subscribe()
    }

    /// Makes a call a task and starts it. When this returns the task is in the store.
    ///
    /// # Errors
    /// [`Error::Failed`] if there are too many tasks, [`Error::Internal`] if the store fails.
    pub(super) async fn create(
        self: &Arc<Self>,
        tool: &Arc<ToolEntry>,
        arguments: &str,
        origin: &Origin,
        pending: Option<Pending>,
        begun: Option<Begun>,
    ) -> Result<TaskRecord, Error> {
        let task = NewTask {
            owner: origin.principal().map(str::to_owned),
            plugin: tool.plugin.clone(),
            tool: tool.name.clone(),
            arguments: arguments.to_owned(),
            context: origin.write().ok_or(Error::Internal)?,
            created_ms: now_ms(),
            ttl_ms: Some(TTL_MS),
            poll_interval_ms: POLL_MS,
            status_message: None,
            idempotent: tool.is_idempotent(),
        };
        let this = Arc::clone(self);
        let tool = Arc::clone(tool);
        // On a task of its own: a client that leaves at this moment must not leave a record that nothing drives.
        let created = tokio::spawn(async move {
            let mut record = this.store.create(task).await.map_err(|error| unstored(&error))?;
            if let Some(pending) = pending {
                record.input = pending.write();
                record = this.store.replace(record).await.map_err(|error| unstored(&error))?;
            }
            this.drive(&record, tool, begun);
            Ok(record)
        });
        created.await.map_err(|_| Error::Internal)?
    }

    /// The task of that name, if it is `principal`'s and not expired.
    ///
    /// # Errors
    /// [`Error::InvalidParams`] if there is none.
    pub(super) async fn find(&self, id: &str, principal: Option<&str>) -> Result<TaskRecord, Error> {
        let record = self.store.get(id).await.map_err(|error| unstored(&error))?;
        record
            .filter(|record| record.belongs_to(principal) && !record.is_expired(now_ms()))
            .ok_or_else(|| Error::InvalidParams("there is no such task; it may have expired".to_owned()))
    }

    /// The task as it is shown.
    pub(super) fn view<'a>(&self, record: &'a TaskRecord, shown: Shown<'a>) -> TaskView<'a> {
        let said = self.jobs().get(&record.id).and_then(|job| lock(&job.said).clone());
        let server = self.identity.in_results(Revision::V2026_07_28).map(ToOwned::to_owned);
        TaskView { record, pending: Pending::read(record), said, shown, server }
    }

    /// `tasks/cancel`. A task that has ended stays as it is.
    ///
    /// # Errors
    /// [`Error::InvalidParams`] if there is no such task.
    pub(super) async fn cancel(&self, id: &str, principal: Option<&str>) -> Result<(), Error> {
        self.find(id, principal).await?;
        // The guest first: it gives its place back at once, however long the store takes.
        if let Some(job) = self.jobs().remove(id) {
            job.cancel.cancel();
        }
        self.amend(id, |record| {
            record.status = TaskStatus::Cancelled;
            record.status_message = Some("cancelled by the client".to_owned());
            record.input = None;
            true
        })
        .await?;
        Ok(())
    }

    /// `tasks/update`: takes answers; once the last one is there the guest is called again.
    ///
    /// # Errors
    /// [`Error::InvalidParams`] if there is no such task, or an answer is none.
    pub(super) async fn update(
        self: &Arc<Self>,
        id: &str,
        principal: Option<&str>,
        answers: Vec<(String, Box<RawValue>)>,
    ) -> Result<(), Error> {
        let record = self.find(id, principal).await?;
        // Only answers to what is open are looked at, so only they can be wrong.
        let open = Pending::read(&record).unwrap_or_default();
        for (key, answer) in &answers {
            if open.asks(key) && input::read_answer(answer).is_none() {
                return Err(Error::InvalidParams(format!("`inputResponses.{key}` is not an answer to its request")));
            }
        }
        let amended = self
            .amend(id, |record| {
                if record.status != TaskStatus::InputRequired {
                    return false;
                }
                let Some(mut pending) = Pending::read(record) else { return false };
                let taken = answers.iter().filter(|(key, answer)| pending.take(key, answer)).count();
                if pending.is_answered() {
                    record.status = TaskStatus::Working;
                }
                record.input = pending.write();
                taken > 0
            })
            .await?;
        let Some(record) = amended else { return Ok(()) };
        // Whoever gave the last answer starts the guest, and nobody else does.
        if record.status == TaskStatus::Working {
            match self.registry.snapshot().tool(&record.tool) {
                Some(tool) => self.drive(&record, Arc::clone(tool), None),
                None => self.fail(&record.id, &gone(&record.tool)).await,
            }
        }
        Ok(())
    }

    /// Takes up what an earlier process left, then removes what has expired, again and again. Runs until it is dropped.
    pub(super) async fn tend(self: &Arc<Self>) {
        self.take_up().await;
        loop {
            self.sweep(now_ms()).await;
            tokio::time::sleep(SWEEP).await;
        }
    }

    async fn take_up(self: &Arc<Self>) {
        let mut cursor = None;
        loop {
            let page = match self.store.unfinished(cursor.take(), STEP).await {
                Ok(page) => page,
                Err(error) => return tracing::error!(%error, "unfinished tasks could not be read"),
            };
            for record in page.records {
                if record.status == TaskStatus::Working && !self.jobs().contains_key(&record.id) {
                    self.take_up_one(&record).await;
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                return;
            }
        }
    }

    async fn take_up_one(self: &Arc<Self>, record: &TaskRecord) {
        let snapshot = self.registry.snapshot();
        let failed = match snapshot.tool(&record.tool) {
            None => gone(&record.tool),
            Some(_) if !record.idempotent => Error::Failed(
                "the server was restarted while the tool ran, and the tool is not marked as one that may be called again; \
                 find out what it did before calling it again"
                    .to_owned(),
            ),
            Some(_) if record.starts >= MAX_STARTS => {
                Error::Failed(format!("the server was restarted {MAX_STARTS} times while the tool ran"))
            }
            Some(tool) => {
                let again = self.amend(&record.id, |record| {
                    record.starts += 1;
                    true
                });
                let again = again.await;
                return match again {
                    Ok(Some(record)) => {
                        tracing::info!(task = record.id, tool = record.tool, "task taken up after a restart");
                        self.drive(&record, Arc::clone(tool), None);
                    }
                    Ok(None) => {}
                    Err(error) => tracing::error!(task = record.id, %error, "task could not be taken up"),
                };
            }
        };
        tracing::warn!(task = record.id, tool = record.tool, "task not taken up after a restart: {failed}");
        self.fail(&record.id, &failed).await;
    }

    async fn sweep(&self, now_ms: u64) {
        loop {
            match self.store.remove_expired(now_ms, STEP).await {
                Ok(removed) => {
                    for id in &removed {
                        if let Some(job) = self.jobs().remove(id) {
                            job.cancel.cancel();
                        }
                    }
                    if removed.len() < STEP {
                        return;
                    }
                }
                Err(error) => return tracing::error!(%error, "expired tasks could not be removed"),
            }
        }
    }

    /// Starts the job of a task that works.
    fn drive(self: &Arc<Self>, record: &TaskRecord, tool: Arc<ToolEntry>, begun: Option<Begun>) {
        let (begun, cancel) = match begun {
            Some(Begun { call, cancel }) => (Some(call), cancel.disarm()),
            None => (None, CancellationToken::new()),
        };
        let said = Arc::default();
        let job = Job { cancel: cancel.clone(), said: Arc::clone(&said) };
        self.jobs().insert(record.id.clone(), job);
        let (this, record) = (Arc::clone(self), record.clone());
        tokio::spawn(async move {
            let outcome = tokio::select! {
                biased;
                // A cancelled call must not go on until its task notices.
                () = cancel.cancelled() => return,
                () = this.stop.cancelled() => return cancel.cancel(),
                outcome = this.call(&record, &tool, begun, &cancel, said) => outcome,
            };
            // Taken out first: from here on the store says how it stands.
            this.jobs().remove(&record.id);
            this.end_round(&record, &tool, outcome).await;
        });
    }

    async fn call(
        &self,
        record: &TaskRecord,
        tool: &ToolEntry,
        begun: Option<JoinHandle<Result<ToolOutcome, CallFailure>>>,
        cancel: &CancellationToken,
        said: Arc<Mutex<Option<String>>>,
    ) -> Result<ToolOutcome, CallFailure> {
        if let Some(call) = begun {
            return call.await.unwrap_or_else(|_| Err(CallFailure::Internal("the call panicked".to_owned())));
        }
        let closed = |_| CallFailure::Internal("no places".to_owned());
        let own = self.places.of(tool);
        let _own_place = own.acquire().await.map_err(closed)?;
        let _place = self.places.all.acquire().await.map_err(closed)?;
        let (events, mut reported) = mpsc::channel(16);
        let continuation = Pending::read(record).and_then(|pending| pending.continuation());
        let origin = Origin::read(&record.context).unwrap_or_default();
        let ctx = CallCtx {
            request_id: record.id.clone(),
            events: Some(events),
            wants_progress: true,
            cancel: cancel.clone(),
            continuation,
            is_task: true,
            ..origin.ctx()
        };
        let call = tool.call(&record.arguments, ctx);
        tokio::pin!(call);
        loop {
            tokio::select! {
                biased;
                Some(event) = reported.recv() => if let CallEvent::Progress { message: Some(message), .. } = event {
                    *lock(&said) = Some(message);
                },
                outcome = &mut call => return outcome,
            }
        }
    }

    async fn end_round(&self, record: &TaskRecord, tool: &ToolEntry, outcome: Result<ToolOutcome, CallFailure>) {
        let result = match outcome {
            Ok(ToolOutcome::Complete(result)) => result,
            Ok(ToolOutcome::InputRequired(needed)) => return self.ask(record, &needed).await,
            Err(CallFailure::InvalidArguments(why) | CallFailure::Failed(why) | CallFailure::Limited { why, .. }) => {
                error_result(&why)
            }
            Err(failure @ CallFailure::NeedsScopes(_)) => error_result(&failure.to_string()),
            Err(CallFailure::NotFound(what)) => return self.fail(&record.id, &Error::UnknownTool(what)).await,
            Err(CallFailure::Cancelled) => return self.end(&record.id, TaskStatus::Cancelled, None).await,
            Err(CallFailure::Internal(detail)) => {
                tracing::error!(task = record.id, tool = tool.name, "task failed: {detail}");
                return self.fail(&record.id, &Error::Internal).await;
            }
        };
        let revision = Revision::V2026_07_28;
        let frame = Frame { revision, server: self.identity.in_results(revision) };
        match serde_json::to_string(&Completed { result: &result, frame }) {
            Ok(json) => self.end(&record.id, TaskStatus::Completed, Some(json)).await,
            Err(error) => {
                tracing::warn!(task = record.id, tool = tool.name, %error, "the result is not JSON where it must be");
                let why = "the tool returned text that is not JSON where JSON belongs; this is a fault of the plugin";
                self.fail(&record.id, &Error::Failed(why.to_owned())).await;
            }
        }
    }

    /// Puts the questions of a guest to the client, which finds them with the task.
    async fn ask(&self, record: &TaskRecord, needed: &InputRequired) {
        let missing = Origin::read(&record.context).unwrap_or_default().missing(needed);
        if let Some(missing) = missing {
            return self.fail(&record.id, &Error::MissingCapability(missing)).await;
        }
        let before = Pending::read(record).unwrap_or_default();
        let Some(pending) = before.next(needed, MAX_ASKS) else {
            let why = "the tool asked for too much, or in text that is not JSON";
            return self.fail(&record.id, &Error::Failed(why.to_owned())).await;
        };
        if pending.is_answered() {
            let why = "the tool asked for nothing and gave no result";
            return self.fail(&record.id, &Error::Failed(why.to_owned())).await;
        }
        let amended = self
            .amend(&record.id, |record| {
                record.status = TaskStatus::InputRequired;
                record.input = pending.write();
                true
            })
            .await;
        if let Err(error) = amended {
            tracing::error!(task = record.id, %error, "the questions of a task could not be written");
            self.fail(&record.id, &Error::Failed(format!("its questions could not be kept: {error}"))).await;
        }
    }

    async fn fail(&self, id: &str, error: &Error) {
        let json =
            serde_json::to_string(error).unwrap_or_else(|_| r#"{"code":-32603,"message":"internal error"}"#.into());
        self.end_with(id, TaskStatus::Failed, Some(error.to_string()), Some(json)).await;
    }

    async fn end(&self, id: &str, status: TaskStatus, outcome: Option<String>) {
        self.end_with(id, status, None, outcome).await;
    }

    async fn end_with(&self, id: &str, status: TaskStatus, message: Option<String>, outcome: Option<String>) {
        let ended = self
            .amend(id, |record| {
                record.status = status;
                record.status_message = message.clone();
                record.outcome = outcome.clone();
                record.input = None;
                true
            })
            .await;
        if let Err(error) = ended {
            tracing::error!(task = id, %error, "the end of a task could not be written");
            let note = Error::Failed(format!("its result could not be kept: {error}"));
            let json = serde_json::to_string(&note).ok();
            let again = self
                .amend(id, |record| {
                    record.status = TaskStatus::Failed;
                    record.status_message = Some(note.to_string());
                    record.outcome = json.clone();
                    record.input = None;
                    true
                })
                .await;
            if let Err(error) = again {
                tracing::error!(task = id, %error, "nor could its failure");
            }
        }
    }

    /// Changes a task that has not ended, and tells whoever listens; none if it has ended or is gone, or if `change` says
    /// that there is nothing to change.
    async fn amend(&self, id: &str, change: impl Fn(&mut TaskRecord) -> bool) -> Result<Option<TaskRecord>, Error> {
        let mut current = self.store.get(id).await.map_err(|error| unstored(&error))?;
        while let Some(mut record) = current {
            if record.status.is_final() || !change(&mut record) {
                return Ok(None);
            }
            record.updated_ms = now_ms();
            current = match self.store.replace(record).await {
                Ok(record) => {
                    // Nobody listening is no fault.
                    let _ = self.changed.send(id.into());
                    return Ok(Some(record));
                }
                Err(StateError::Conflict(newer)) => Some(*newer),
                Err(StateError::NotFound) => None,
                Err(error) => return Err(unstored(&error)),
            };
        }
        Ok(None)
    }

    fn jobs(&self) -> MutexGuard<'_, HashMap<String, Job>> {
        lock(&self.jobs)
    }
}

fn gone(tool: &str) -> Error {
    Error::UnknownTool(format!("{tool} is no longer here"))
}

/// What the client is told when the store does not do it.
fn unstored(error: &StateError) -> Error {
    match error {
        StateError::Limit { setting, limit, .. } => {
            tracing::warn!(%error, "a task was refused");
            let raise = match *setting {
                "max_records_per_owner" => format!(", or the operator can raise `[server] max-tasks` above {limit}"),
                _ => String::new(),
            };
            Error::Failed(format!(
                "no room for another task; wait until some have expired, or call without the extension {TASKS}{raise}"
            ))
        }
        _ => {
            tracing::error!(%error, "the store of tasks failed");
            Error::Internal
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What a call that is to become a task brings along from earlier rounds, in the form in which it is kept.
pub(super) fn pending_of(request: &super::jsonrpc::Request<'_>, continuation: &Continuation) -> Result<Pending, Error> {
    let responses = request.params.object("inputResponses")?.unwrap_or_default();
    let answers = responses.iter().map(|(key, raw)| (key.to_owned(), raw.to_owned())).collect();
    Ok(Pending::given(answers, continuation.state.as_deref()))
}
