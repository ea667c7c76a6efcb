//! The Model Context Protocol, both eras, over any transport.
//!
//! Bytes of one message go in, bytes of messages come out. This layer knows JSON-RPC, the revisions and what each may
//! show; it asks the registry for tools and has them run. It never opens a socket, never touches a plugin, and below it
//! JSON is text.
//!
//! In reading order:
//!
//! - [`version`]: the revisions and what each can carry
//! - [`jsonrpc`], [`reply`], [`error`]: the envelope, in and out
//! - [`lifecycle`], [`session`]: by which rules a request is served
//! - [`requests`], `asked`: what is open, in either direction
//! - `dispatch`, `handlers`: one file for each method
//! - `catalog`, `mirror`: the lists, rendered once
//! - `input`, `seal`: what a plugin still needs from the client
//! - `tasks`: calls that go on after their answer
//! - `types`: how each thing looks on the wire

mod asked;
mod catalog;
mod dispatch;
pub mod error;
mod handlers;
mod identity;
mod input;
pub mod jsonrpc;
pub mod lifecycle;
mod mirror;
pub mod reply;
pub mod requests;
mod seal;
pub mod session;
mod tasks;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod types;
pub mod version;

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

pub use self::error::{Class, Error};
pub use self::jsonrpc::{Id, Incoming, Message, Notification, Rejected, Request, Response, read, read_one};
pub use self::lifecycle::Rules;
pub use self::mirror::{Mirrored, MirroredValue};
pub use self::reply::Reply;
pub use self::requests::{InFlight, Ticket};
pub use self::session::Session;
use self::tasks::Tasks;
pub use self::version::Revision;
pub use crate::registry::types::TraceContext;
use crate::registry::types::{InputAnswer, ToolResult};
pub use crate::registry::{Carrier, Principal, Route};
use crate::registry::{Registry, Updated};
use toolcell_state::{Limits, MemoryStore, TaskStore};

/// A tool's result as a client of the newest revision gets it, for the command line.
///
/// # Errors
/// If a part of it that must be JSON is none.
pub(crate) fn result_as_json(result: &ToolResult) -> Result<String, serde_json::Error> {
    let frame = types::Frame { revision: Revision::V2026_07_28, server: None };
    serde_json::to_string(&types::Completed { result, frame })
}

/// The same for a failure, which the model reads.
///
/// # Errors
/// None that happens: a text is always JSON.
pub(crate) fn failure_as_json(why: &str) -> Result<String, serde_json::Error> {
    result_as_json(&handlers::error_result(why))
}

/// Reads a client's answer to a question: the result of `elicitation/create`, `sampling/createMessage` or `roots/list`.
pub(crate) fn answer_from_json(text: &str) -> Option<InputAnswer> {
    input::read_answer(serde_json::from_str(text).ok()?)
}

/// What a server says of itself, and how it shows its lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerInfo {
    /// Its name for programs.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its name for people.
    pub title: Option<String>,
    /// How to use it, for the model.
    pub instructions: Option<String>,
    /// Items on one page of a list; at least one is shown.
    pub page_size: usize,
    /// Milliseconds a client may take a list as fresh. Clients that subscribe learn of changes at once, so this only
    /// bounds how long the others are behind.
    pub list_ttl_ms: u64,
}

impl Default for ServerInfo {
    /// This host, 100 tools on a page, fresh for a minute.
    fn default() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            title: None,
            instructions: None,
            page_size: 100,
            list_ttl_ms: 60_000,
        }
    }
}

/// Where notifications about one request go while it runs: finished messages, in order.
#[derive(Clone, Debug, Default)]
pub struct Notes(Option<mpsc::Sender<Bytes>>);

impl Notes {
    /// Nowhere: whoever answers need not report.
    pub fn none() -> Self {
        Self(None)
    }

    /// Into a channel. A full one makes the request wait.
    pub fn to(sender: mpsc::Sender<Bytes>) -> Self {
        Self(Some(sender))
    }

    async fn send(&self, message: Option<Bytes>) {
        if let (Some(sender), Some(message)) = (&self.0, message) {
            // A receiver that is gone wants to hear no more; the answer will find that out by itself.
            let _ = sender.send(message).await;
        }
    }
}

/// All there is to know about one request besides the request.
#[derive(Clone, Debug)]
pub struct Scope {
    /// By which rules it is served.
    pub rules: Rules,
    /// Who asks; none where nobody is authenticated.
    pub principal: Option<Arc<Principal>>,
    /// Cancelled when the peer no longer wants the answer.
    pub cancel: CancellationToken,
    /// Cancelled when the server is about to stop: what never ends by itself ends then.
    pub closing: CancellationToken,
    /// Where notifications go.
    pub notes: Notes,
    /// How it came.
    pub route: Route,
}

/// One MCP server: everything that all its connections share.
pub struct Server {
    registry: Registry,
    identity: Arc<identity::Identity>,
    catalog: catalog::Catalog,
    seal: seal::Seal,
    tasks: Arc<Tasks>,
    info: ServerInfo,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

impl Server {
    /// A server for what `registry` holds, now and later. What a tool leaves with its client while it waits for input
    /// comes back to this process only, and tasks end with it.
    pub fn new(registry: Registry, info: ServerInfo) -> Arc<Self> {
        Self::with_state(registry, info, Arc::new(MemoryStore::new(Limits::default())), None)
    }

    /// The same with a store for its tasks, and a secret key that several processes may share, so that a client may come
    /// back to any of them.
    pub fn with_state(
        registry: Registry,
        info: ServerInfo,
        tasks: Arc<dyn TaskStore>,
        state_key: Option<&[u8; 32]>,
    ) -> Arc<Self> {
        let identity = Arc::new(identity::Identity::new(&info));
        let tasks = Tasks::new(registry.clone(), Arc::clone(&identity), tasks);
        let seal = state_key.map_or_else(seal::Seal::of_this_process, seal::Seal::with_key);
        Arc::new(Self { registry, identity, catalog: catalog::Catalog::default(), seal, tasks, info })
    }

    /// Takes up the tasks an earlier process left, and removes those that have expired. Runs until it is dropped.
    pub async fn tend_tasks(&self) {
        self.tasks.tend().await;
    }

    /// Ends what runs for tasks. They stay in their store as they are, for the next process to take up.
    pub fn stop_tasks(&self) {
        self.tasks.stop();
    }

    /// Answers one request; none if the peer cancelled it, for then it must hear no more of it.
    ///
    /// Cancel safe: dropping the future ends the request and the tool it may be running.
    pub async fn answer(&self, request: &Request<'_>, scope: &Scope) -> Option<Reply> {
        let principal = scope.principal.as_deref().map(|principal| principal.id.as_str());
        let span = tracing::debug_span!("request", request_id = %request.id, principal, method = %request.method);
        match dispatch::dispatch(self, request, scope).instrument(span).await {
            Ok(reply) => reply,
            Err(error) => {
                tracing::debug!(request_id = %request.id, method = %request.method, %error, "request refused");
                Some(Reply::failure(Some(&request.id), &error))
            }
        }
    }

    /// Opens a session of the handshake era.
    ///
    /// # Errors
    /// [`Error::InvalidParams`] if `request` is not a proper `initialize`.
    pub fn initialize(
        &self,
        request: &Request<'_>,
        principal: Option<Arc<Principal>>,
        in_flight: Arc<InFlight>,
    ) -> Result<(Arc<Session>, Reply), Error> {
        handlers::initialize(self, request, principal, in_flight)
    }

    /// Whether serving this request may send notifications before the answer. Where it cannot, a transport is free to
    /// pass [`Notes::none`] and to prepare nothing.
    pub fn may_notify(&self, request: &Request<'_>, rules: &Rules) -> bool {
        dispatch::may_notify(request, rules)
    }

    /// The headers in which a client must have repeated arguments of this call.
    pub fn mirrored<'a>(&self, request: &Request<'a>) -> Vec<Mirrored<'a>> {
        let Ok(Some(name)) = request.params.text("name") else { return Vec::new() };
        let edition = self.catalog.whole(&self.registry);
        mirror::of_call(edition.mirrors(&name), request.params.get("arguments"))
    }

    /// Whether a plugin announced a resource that is its own.
    fn is_own(&self, updated: &Updated) -> bool {
        let reader = self.registry.snapshot().reader(&updated.uri);
        reader.is_some_and(|reader| reader.plugin() == &*updated.plugin)
    }
}
