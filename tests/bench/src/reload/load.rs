//! Calls sent on schedule over several connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{Instant, sleep_until, timeout};

use super::Plan;
use crate::call::{Call, read_text};
use crate::http::Connection;
use crate::process::Endpoint;

/// A call not answered by then has failed.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Answers on their way to the verdict; a full queue would delay calls, and a second's worth never is.
const QUEUED_ANSWERS: usize = 4096;

/// How one call went.
#[derive(Debug)]
pub struct Answer {
    /// When the schedule wanted it sent.
    pub due: Instant,
    pub sent: Instant,
    pub received: Instant,
    /// The text of the answer, or why there is none.
    pub text: Result<String, String>,
}

/// Calls that go on until stopped or dropped.
pub struct Load {
    stop: Arc<AtomicBool>,
}

impl Load {
    /// Opens the connections and starts to call.
    ///
    /// # Errors
    /// When a connection cannot be opened.
    pub async fn start(plan: &Plan, endpoint: &Endpoint) -> Result<(Self, Receiver<Answer>)> {
        let (answers, receiver) = mpsc::channel(QUEUED_ANSWERS);
        let stop = Arc::new(AtomicBool::new(false));
        let mut callers = Vec::new();
        for number in 0..plan.connections {
            let connection = Some(Connection::open(endpoint.address).await?);
            callers.push(Caller { endpoint: endpoint.clone(), call: Call::version(endpoint, number), connection });
        }
        // The connections take turns, so that calls are spread evenly.
        let between_calls = Duration::from_secs(1) / plan.rate;
        let between_own_calls = Duration::from_secs(1) * u32::try_from(plan.connections)? / plan.rate;
        let mut first = Instant::now();
        for caller in callers {
            tokio::spawn(caller.call_on_schedule(first, between_own_calls, answers.clone(), Arc::clone(&stop)));
            first += between_calls;
        }
        Ok((Self { stop }, receiver))
    }

    /// Sends no further calls; the answers to those sent still come.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Caller {
    endpoint: Endpoint,
    call: Call,
    /// None after a failure: the next call opens another.
    connection: Option<Connection>,
}

impl Caller {
    async fn call_on_schedule(
        mut self,
        first: Instant,
        every: Duration,
        answers: Sender<Answer>,
        stop: Arc<AtomicBool>,
    ) {
        let mut due = first;
        loop {
            sleep_until(due).await;
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let sent = Instant::now();
            let text = match timeout(CALL_TIMEOUT, self.call()).await {
                Ok(Ok(text)) => Ok(text),
                Ok(Err(error)) => Err(format!("{error:#}")),
                Err(_) => Err(format!("call {} had no answer in {} s", self.call.id(), CALL_TIMEOUT.as_secs())),
            };
            let answer = Answer { due, sent, received: Instant::now(), text };
            // The receiver is gone when the run has ended.
            if answers.send(answer).await.is_err() {
                return;
            }
            due += every;
        }
    }

    async fn call(&mut self) -> Result<String> {
        // Put back only after a whole exchange.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(self.endpoint.address).await.context("cannot connect again")?,
        };
        self.call.advance();
        let id = self.call.id();
        let text = connection.exchange(self.call.bytes(), |response| Ok(read_text(response, id)?.into_owned())).await?;
        self.connection = Some(connection);
        Ok(text)
    }
}
