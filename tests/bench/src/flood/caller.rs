//! The two kinds of callers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::call::{REVISION, read_text};
use crate::http::Connection;
use crate::process::Endpoint;

/// Too many calls of this caller.
const LIMITED: u16 = 429;

/// One connection of a caller.
pub struct Caller {
    connection: Connection,
    endpoint: Endpoint,
    key: String,
    turns: u64,
    next_id: u64,
}

impl Caller {
    /// Connects.
    ///
    /// # Errors
    /// When nothing listens there.
    pub async fn open(endpoint: &Endpoint, key: &str, turns: u64) -> Result<Self> {
        let connection = Connection::open(endpoint.address).await?;
        Ok(Self { connection, endpoint: endpoint.clone(), key: key.to_owned(), turns, next_id: 0 })
    }

    /// One call; whether it ran. Otherwise the caller has too many.
    ///
    /// # Errors
    /// For any other answer than the tool's or that refusal.
    pub async fn call(&mut self) -> Result<bool> {
        self.next_id += 1;
        let (id, turns) = (self.next_id, self.turns);
        let meta = format!(
            r#"{{"io.modelcontextprotocol/protocolVersion":"{REVISION}","io.modelcontextprotocol/clientInfo":{{"name":"flood","version":"1"}},"io.modelcontextprotocol/clientCapabilities":{{}}}}"#
        );
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"labour","arguments":{{"turns":{turns}}},"_meta":{meta}}}}}"#
        );
        let request = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {REVISION}\r\nMcp-Method: tools/call\r\n\
             Mcp-Name: labour\r\nContent-Length: {}\r\n\r\n{body}",
            self.endpoint.path,
            self.endpoint.address,
            self.key,
            body.len()
        );
        let read = |response: &crate::http::Response<'_>| {
            if response.status == LIMITED {
                return Ok(false);
            }
            let text = read_text(&response.message(), id)?.into_owned();
            if text != turns.to_string() {
                bail!("call {id} was answered with {text:?} instead of {turns}");
            }
            Ok(true)
        };
        self.connection.exchange(request.as_bytes(), read).await
    }
}

/// Calls at fixed times, one after the other; microseconds of each from when it was due.
///
/// # Errors
/// When a call is not answered by the tool: this caller is never one of too many.
pub async fn gently(endpoint: &Endpoint, key: &str, turns: u64, every: Duration, time: Duration) -> Result<Vec<u32>> {
    let mut caller = Caller::open(endpoint, key, turns).await?;
    let (begun, mut latencies) = (Instant::now(), Vec::new());
    let mut due = begun + every;
    while due < begun + time {
        sleep_until(due).await;
        if !caller.call().await? {
            bail!("the gentle caller was refused");
        }
        latencies.push(u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX));
        due += every;
    }
    Ok(latencies)
}

/// Calls over many connections without a pause, until `stop`; how many were refused.
///
/// # Errors
/// When an answer is neither the tool's nor such a refusal.
pub async fn flood(
    endpoint: &Endpoint,
    key: &str,
    turns: u64,
    connections: usize,
    stop: &Arc<AtomicBool>,
    answers: &Arc<AtomicU64>,
) -> Result<u64> {
    let mut callers = JoinSet::new();
    for _ in 0..connections {
        let mut caller = Caller::open(endpoint, key, turns).await?;
        let (stop, answers) = (Arc::clone(stop), Arc::clone(answers));
        callers.spawn(async move {
            let mut refused = 0;
            while !stop.load(Ordering::Relaxed) {
                refused += u64::from(!caller.call().await?);
                answers.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, anyhow::Error>(refused)
        });
    }
    let mut refused = 0;
    while let Some(outcome) = callers.join_next().await {
        refused += outcome??;
    }
    Ok(refused)
}
