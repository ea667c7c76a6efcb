//! One request while it runs: the answer that will come, and what is reported until then.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::protocol::Reply;

/// A request that runs. Its future owns all it needs.
pub(super) struct Exchange {
    call: Option<Pin<Box<dyn Future<Output = Option<Reply>> + Send>>>,
    reply: Option<Reply>,
    notes: Option<mpsc::Receiver<Bytes>>,
    runs_on: bool,
}

/// What a request says next.
#[derive(Debug)]
pub(super) enum Step {
    /// A notification.
    Note(Bytes),
    /// The answer, after which nothing comes; none if the request was cancelled.
    Done(Option<Reply>),
}

impl Exchange {
    /// A request that ends with its client: dropping the exchange ends it.
    pub(super) fn new(
        call: impl Future<Output = Option<Reply>> + Send + 'static,
        notes: Option<mpsc::Receiver<Bytes>>,
    ) -> Self {
        Self { call: Some(Box::pin(call)), reply: None, notes, runs_on: false }
    }

    /// A request that outlives its client, as the handshake era wants it: dropped before its end, it runs on beside,
    /// and nobody hears of it. Source: 2025-11-25, transports, "Sending Messages to the Server".
    pub(super) fn that_runs_on(
        call: impl Future<Output = Option<Reply>> + Send + 'static,
        notes: Option<mpsc::Receiver<Bytes>>,
    ) -> Self {
        let mut exchange = Self::new(call, notes);
        exchange.runs_on = true;
        exchange
    }

    /// What comes next. After [`Step::Done`] only that comes.
    ///
    /// Cancel safe: nothing is lost by dropping the future.
    pub(super) async fn next(&mut self) -> Step {
        loop {
            match (&mut self.call, &mut self.notes) {
                (Some(call), Some(notes)) => tokio::select! {
                    biased;
                    note = notes.recv() => match note {
                        Some(note) => return Step::Note(note),
                        None => self.notes = None,
                    },
                    reply = call => {
                        self.call = None;
                        self.reply = reply;
                    }
                },
                (Some(call), None) => {
                    self.reply = call.await;
                    self.call = None;
                }
                // The sender went with the call, so this ends.
                (None, Some(notes)) => match notes.recv().await {
                    Some(note) => return Step::Note(note),
                    None => self.notes = None,
                },
                (None, None) => return Step::Done(self.reply.take()),
            }
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(call) = self.call.take().filter(|_| self.runs_on)
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(call);
        }
    }
}
