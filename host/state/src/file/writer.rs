//! The thread that writes. It takes what waits in line, does it in one transaction and answers when that is on the disk.

use std::panic::{self, AssertUnwindSafe};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use tokio::sync::{mpsc, oneshot};

use super::tables::{self, Fault, Tables};
use super::{QUEUE, Shared};
use crate::error::StateError;
use crate::limits::Limits;
use crate::task::{NewTask, TaskRecord};
use crate::values::ValueWrite;

pub(super) type Reply<T> = oneshot::Sender<Result<T, StateError>>;

/// A write in line.
pub(super) enum Job {
    Create(Box<NewTask>, Reply<TaskRecord>),
    Replace(Box<TaskRecord>, Reply<TaskRecord>),
    RemoveExpired { now_ms: u64, limit: usize, reply: Reply<Vec<String>> },
    Delete(String, Reply<bool>),
    Put(ValueWrite, Reply<()>),
}

/// A job that was done, with its answer. Called with how the transaction ended: only then the answer is true.
type Done = Box<dyn FnOnce(Result<(), StateError>)>;

/// Runs until the store is dropped and nothing is left in line.
pub(super) fn run(shared: &Shared, mut line: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(QUEUE);
    while line.blocking_recv_many(&mut batch, QUEUE) > 0 {
        write(shared, &mut batch.drain(..));
    }
    shared.close();
}

/// Does the whole batch or nothing of it, and answers every job.
fn write(shared: &Shared, batch: &mut dyn Iterator<Item = Job>) {
    if shared.database.read().unwrap_or_else(PoisonError::into_inner).is_err() {
        shared.reopen();
    }
    let mut done = Vec::new();
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| transact(shared, batch, &mut done)));
    let outcome = outcome.unwrap_or_else(|_| Err(shared.nonsense()));
    if outcome.is_err() {
        // redb refuses to go on after a write that failed half-way, until it has looked at the file anew.
        shared.reopen();
    }
    for told in done {
        told(outcome.clone());
    }
    if let Err(error) = outcome {
        for job in batch {
            job.refuse(error.clone());
        }
    }
}

/// Takes jobs until one fails. Those it took are in `done`.
fn transact(shared: &Shared, batch: &mut dyn Iterator<Item = Job>, done: &mut Vec<Done>) -> Result<(), StateError> {
    let database = shared.database.read().unwrap_or_else(PoisonError::into_inner);
    let database = database.as_ref().map_err(Clone::clone)?;
    let inner = || {
        let writing = tables::begin(database)?;
        let mut changed = false;
        {
            let mut tables = Tables::open(&writing)?;
            for job in batch {
                let (told, outcome) = job.perform(&mut tables, &shared.limits);
                done.push(told);
                changed |= outcome?;
            }
        }
        if !changed {
            return Ok(writing.abort()?);
        }
        writing.commit()?;
        shared.commits.fetch_add(1, Ordering::Relaxed);
        Ok(())
    };
    inner().map_err(|fault: Fault| fault.of(&shared.path))
}

impl Job {
    /// Whether it changed anything, or why the transaction cannot go on.
    fn perform(self, tables: &mut Tables<'_>, limits: &Limits) -> (Done, Result<bool, Fault>) {
        match self {
            Self::Create(task, reply) => answer(reply, tables.create(limits, *task), |_| true),
            Self::Replace(record, reply) => answer(reply, tables.replace(limits, *record), |_| true),
            Self::RemoveExpired { now_ms, limit, reply } => {
                answer(reply, tables.remove_expired(now_ms, limit), |ids| !ids.is_empty())
            }
            Self::Delete(id, reply) => answer(reply, tables.delete(&id), |found| *found),
            Self::Put(write, reply) => answer(reply, tables.values.put(write), |()| true),
        }
    }

    // Whoever asked may have gone, here and below; then there is nobody to tell.
    fn refuse(self, error: StateError) {
        match self {
            Self::Create(_, reply) | Self::Replace(_, reply) => drop(reply.send(Err(error))),
            Self::RemoveExpired { reply, .. } => drop(reply.send(Err(error))),
            Self::Delete(_, reply) => drop(reply.send(Err(error))),
            Self::Put(_, reply) => drop(reply.send(Err(error))),
        }
    }
}

/// Keeps the answer until the transaction is over. A refusal waits too, because it may rest on a write of this batch.
fn answer<T: 'static>(
    reply: Reply<T>,
    outcome: Result<T, Fault>,
    changes: impl FnOnce(&T) -> bool,
) -> (Done, Result<bool, Fault>) {
    let (answer, outcome) = match outcome {
        Ok(value) => {
            let changed = changes(&value);
            (Ok(value), Ok(changed))
        }
        Err(Fault::Refused(error)) => (Err(error), Ok(false)),
        // Nobody will get this answer: with the fault the transaction fails.
        Err(fault) => (Err(StateError::Closed), Err(fault)),
    };
    let done = move |ended: Result<(), StateError>| drop(reply.send(ended.and(answer)));
    (Box::new(done), outcome)
}
