//! What a call brings into its cell, and what comes out of the cell while it runs.

use super::ledger::Ledger;
use super::types::{Client, ClientAbilities, Continuation, Level, TraceContext};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use toolcell_policy::Principal;

/// The circumstances of one call. The default is a call by nobody in particular that nobody watches.
#[derive(Clone, Debug)]
pub struct CallCtx {
    /// Names the call in logs.
    pub request_id: String,
    /// Who is calling, as far as it was authenticated.
    pub caller: Option<Arc<Principal>>,
    /// The client program, as it calls itself.
    pub client: Option<Client>,
    /// What a plugin may ask of the client.
    pub abilities: ClientAbilities,
    /// The distributed trace the call belongs to.
    pub trace: Option<TraceContext>,
    /// The request's `_meta`, the text of a JSON object.
    pub meta: String,
    /// Whether the client wants progress reports.
    pub wants_progress: bool,
    /// The least grave log message the client wants; none if it wants no log messages.
    pub log_level: Option<Level>,
    /// Where progress and log messages for the client go. A full channel drops them.
    pub events: Option<mpsc::Sender<CallEvent>>,
    /// Ends the call when it is cancelled.
    pub cancel: CancellationToken,
    /// The answers a continued call brings along.
    pub continuation: Option<Continuation>,
    /// Whether the call runs as a task, which may take longer than a client waits for an answer.
    pub is_task: bool,
    /// How far the guest's calendar is ahead of the host's. For tests of plugins; zero everywhere else.
    pub clock_ahead: Duration,
    /// The call of another plugin's that makes this one; none if a client makes it.
    pub via: Option<Via>,
    /// Where its cost is noted, if anyone wants to know.
    pub ledger: Option<Arc<Ledger>>,
    /// How it came to the host.
    pub route: Route,
}

/// How a call came to the host, for whoever traces it. Guests are told nothing of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Route {
    /// The revision of MCP that its client speaks.
    pub protocol: Option<&'static str>,
    /// What carried it; none if that is an embedder's own.
    pub carrier: Option<Carrier>,
    /// The client's address, after the proxies that are trusted.
    pub client: Option<IpAddr>,
    /// The trace that the carrier's request belongs to, where the message names one of its own as well.
    pub trace: Option<TraceContext>,
}

/// What carries messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// HTTP.
    Http,
    /// Standard input and output.
    Pipe,
}

/// A call that waits for the tool it called.
#[derive(Clone, Debug)]
pub struct Via {
    /// Its plugin.
    pub plugin: Arc<str>,
    /// How many calls there are above the one it made.
    pub depth: usize,
    /// When it ends, and with it the one it made.
    pub deadline: Instant,
}

impl CallCtx {
    /// How many calls wait for this one, each for the next.
    pub(super) fn depth(&self) -> usize {
        self.via.as_ref().map_or(0, |via| via.depth)
    }
}

impl Default for CallCtx {
    fn default() -> Self {
        Self {
            request_id: String::new(),
            caller: None,
            client: None,
            abilities: ClientAbilities::empty(),
            trace: None,
            meta: "{}".to_owned(),
            wants_progress: false,
            log_level: None,
            events: None,
            cancel: CancellationToken::new(),
            continuation: None,
            is_task: false,
            clock_ahead: Duration::ZERO,
            via: None,
            route: Route::default(),
            ledger: None,
        }
    }
}

/// Something a running call tells its client.
#[derive(Clone, Debug, PartialEq)]
pub enum CallEvent {
    /// How far it has come. The values of one call only grow.
    Progress {
        /// So far, in the plugin's own unit.
        progress: f64,
        /// What `progress` will be at the end, if known.
        total: Option<f64>,
        /// For the person who waits.
        message: Option<String>,
    },
    /// A log message at or above the level the client asked for.
    Log {
        /// How grave it is.
        level: Level,
        /// Which part of the plugin speaks.
        logger: Option<String>,
        /// What the guest calls the text of a JSON value; whoever puts it into JSON checks it first.
        data: String,
    },
}

/// Something a plugin says has changed besides what its call returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Its list of tools.
    Tools,
    /// Its list of prompts.
    Prompts,
    /// Its list of resources or of templates.
    Resources,
    /// The contents of the resource of that URI.
    Resource(String),
}

/// Hears of changes while the guest waits, so it must return at once.
pub type OnChange = Arc<dyn Fn(Change) + Send + Sync>;
