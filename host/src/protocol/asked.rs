//! Requests of ours that a client of the handshake era has not answered yet.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::jsonrpc::{Id, Response};

/// The text of a result, or of an error.
pub(super) type Outcome = Result<String, String>;

/// Who waits for which answer.
#[derive(Debug, Default)]
pub(super) struct Asked {
    last: AtomicU64,
    waiting: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
}

/// One question that is open; dropping it stops waiting.
#[derive(Debug)]
pub(super) struct Question<'a> {
    asked: &'a Asked,
    id: String,
    answer: oneshot::Receiver<Outcome>,
}

impl Asked {
    /// Opens a question under a new identifier.
    pub(super) fn open(&self) -> Question<'_> {
        let id = format!("ask-{}", self.last.fetch_add(1, Ordering::Relaxed) + 1);
        let (tell, answer) = oneshot::channel();
        self.lock().insert(id.clone(), tell);
        Question { asked: self, id, answer }
    }

    /// Hands an answer to whoever waits for it.
    pub(super) fn answered(&self, response: &Response<'_>) {
        let Id::Text(id) = &response.id else { return };
        if let Some(tell) = self.lock().remove(id.as_ref()) {
            let text = |raw: &serde_json::value::RawValue| raw.get().to_owned();
            // Nobody waits any more: the call has ended in the meantime.
            let _ = tell.send(response.outcome.map(text).map_err(text));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Outcome>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Question<'_> {
    /// Its identifier.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The answer; none if it will never come.
    pub(super) async fn answer(&mut self) -> Option<Outcome> {
        (&mut self.answer).await.ok()
    }
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.asked.lock().remove(&self.id);
    }
}
