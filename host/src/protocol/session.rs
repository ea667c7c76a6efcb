//! What a handshake settled, and what a session of that era keeps besides.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{broadcast, watch};

use super::asked::Asked;
use super::jsonrpc::{Notification, Response};
use super::lifecycle::{LEVELS_IN_WORDS, Terms, gravity, level};
use super::reply::notification;
use super::requests::InFlight;
use super::types::ResourceUpdated;
use super::{Error, Principal, Revision, Server};
use crate::registry::types::{Client, ClientAbilities, Level};
use crate::registry::{Updated, Versions};

/// Resources one session may subscribe to at once.
const MAX_SUBSCRIPTIONS: usize = 1_000;

/// One session of the handshake era: a whole stdio process, or what an `Mcp-Session-Id` names.
#[derive(Debug)]
pub struct Session {
    revision: Revision,
    client: Option<Client>,
    abilities: ClientAbilities,
    principal: Option<Arc<Principal>>,
    /// Gravity of the level asked for plus one; 0 while none was.
    level: AtomicUsize,
    ready: watch::Sender<bool>,
    in_flight: Arc<InFlight>,
    asked: Asked,
    watched: Mutex<Watched>,
    /// What changed since the client was last told, even while it had no stream open.
    updates: tokio::sync::Mutex<broadcast::Receiver<Updated>>,
}

/// What a session hears of without asking each time.
#[derive(Debug, Default)]
struct Watched {
    /// The versions of the lists that it knows.
    told: Versions,
    /// URIs it subscribed to.
    resources: BTreeSet<String>,
    /// Those of them that may have changed while more happened than is kept.
    missed: BTreeSet<String>,
}

/// Every level by its gravity.
const BY_GRAVITY: [Level; 8] = [
    Level::Debug,
    Level::Info,
    Level::Notice,
    Level::Warning,
    Level::Error,
    Level::Critical,
    Level::Alert,
    Level::Emergency,
];

impl Session {
    pub(super) fn new(
        server: &Server,
        revision: Revision,
        client: Option<Client>,
        abilities: ClientAbilities,
        principal: Option<Arc<Principal>>,
        in_flight: Arc<InFlight>,
    ) -> Arc<Self> {
        Arc::new(Self {
            revision,
            client,
            abilities,
            principal,
            level: AtomicUsize::new(0),
            ready: watch::Sender::new(false),
            in_flight,
            asked: Asked::default(),
            watched: Mutex::new(Watched { told: *server.registry.changes().borrow(), ..Watched::default() }),
            updates: tokio::sync::Mutex::new(server.registry.updates()),
        })
    }

    /// The revision both sides speak.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The requests that are not answered yet.
    pub fn in_flight(&self) -> &Arc<InFlight> {
        &self.in_flight
    }

    /// Whether `principal` is the one that opened the session.
    pub fn belongs_to(&self, principal: Option<&Principal>) -> bool {
        self.principal.as_deref().map(|owner| &owner.id) == principal.map(|caller| &caller.id)
    }

    /// Takes note of what a client tells. What is not understood is ignored, as the specification says.
    pub fn notified(&self, notification: &Notification<'_>) {
        match notification.method.as_ref() {
            "notifications/initialized" => {
                self.ready.send_replace(true);
            }
            _ => self.in_flight.notified(notification),
        }
    }

    /// The next thing the client is to be told without having asked: that a list changed, or a resource it subscribed to.
    /// Waits until the client has said that it is ready, and for ever once the server is gone.
    ///
    /// Cancel safe: what was not returned is told next time.
    pub async fn news(&self, server: &Server) -> Bytes {
        if self.ready.subscribe().wait_for(|ready| *ready).await.is_err() {
            return std::future::pending().await;
        }
        let mut changes = server.registry.changes();
        let mut updates = self.updates.lock().await;
        loop {
            let known = *changes.borrow_and_update();
            if let Some(message) = self.untold(known) {
                return message;
            }
            let updated = tokio::select! {
                changed = changes.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return std::future::pending().await,
                },
                updated = updates.recv() => updated,
            };
            match updated {
                Ok(updated) => {
                    if self.watched().resources.contains(&*updated.uri)
                        && server.is_own(&updated)
                        && let Some(message) = ResourceUpdated::message(&updated.uri)
                    {
                        return message;
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    let mut watched = self.watched();
                    watched.missed = watched.resources.clone();
                }
                Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
            }
        }
    }

    fn untold(&self, known: Versions) -> Option<Bytes> {
        let mut watched = self.watched();
        let told = &mut watched.told;
        let lists = [
            (&mut told.tools, known.tools, "notifications/tools/list_changed"),
            (&mut told.resources, known.resources, "notifications/resources/list_changed"),
            (&mut told.prompts, known.prompts, "notifications/prompts/list_changed"),
        ];
        for (told, known, method) in lists {
            if std::mem::replace(told, known) != known {
                return notification(method, None::<()>);
            }
        }
        watched.missed.pop_first().and_then(|uri| ResourceUpdated::message(&uri))
    }

    /// `resources/subscribe`.
    pub(super) fn subscribe(&self, uri: String) -> Result<(), Error> {
        let mut watched = self.watched();
        if watched.resources.len() >= MAX_SUBSCRIPTIONS && !watched.resources.contains(&uri) {
            return Err(Error::InvalidParams(format!(
                "a session subscribes to at most {MAX_SUBSCRIPTIONS} resources; unsubscribe from one first"
            )));
        }
        watched.resources.insert(uri);
        Ok(())
    }

    /// `resources/unsubscribe`. One that was not subscribed to is no error.
    pub(super) fn unsubscribe(&self, uri: &str) {
        let mut watched = self.watched();
        watched.resources.remove(uri);
        watched.missed.remove(uri);
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the answer to a request of ours. One that nobody waits for is ignored.
    pub fn answered(&self, response: &Response<'_>) {
        self.asked.answered(response);
    }

    pub(super) fn asked(&self) -> &Asked {
        &self.asked
    }

    pub(super) fn abilities(&self) -> ClientAbilities {
        self.abilities
    }

    /// Whether a plugin could ask this client for anything.
    pub(super) fn can_be_asked(&self) -> bool {
        self.abilities & !ClientAbilities::APPS != ClientAbilities::empty()
    }

    pub(super) fn log_level(&self) -> Option<Level> {
        self.level.load(Ordering::Acquire).checked_sub(1).and_then(|gravity| BY_GRAVITY.get(gravity).copied())
    }

    /// `logging/setLevel`.
    pub(super) fn set_log_level(&self, name: &str) -> Result<(), Error> {
        let level = level(name).ok_or_else(|| Error::InvalidParams(format!("`level` must be {LEVELS_IN_WORDS}")))?;
        self.level.store(gravity(level) + 1, Ordering::Release);
        Ok(())
    }

    pub(super) fn terms(&self) -> Terms {
        Terms {
            revision: self.revision,
            client: self.client.clone(),
            abilities: self.abilities,
            log_level: self.log_level(),
            tasks: false,
        }
    }
}
