//! What a handshake settled, and what a session of that era keeps besides.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::asked::Asked;
use super::jsonrpc::{Notification, Response};
use super::lifecycle::{LEVELS_IN_WORDS, Terms, gravity, level};
use super::requests::InFlight;
use super::{Error, Principal, Revision};
use crate::registry::types::{Client, ClientAbilities, Level};

/// One session of the handshake era: a whole stdio process, or what an `Mcp-Session-Id` names.
#[derive(Debug)]
pub struct Session {
    revision: Revision,
    client: Option<Client>,
    abilities: ClientAbilities,
    principal: Option<Arc<Principal>>,
    /// Gravity of the level asked for plus one; 0 while none was.
    level: AtomicUsize,
    ready: AtomicBool,
    in_flight: Arc<InFlight>,
    asked: Asked,
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
            ready: AtomicBool::new(false),
            in_flight,
            asked: Asked::default(),
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

    /// Whether the client has said that it is ready for what nobody asked for.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Whether `principal` is the one that opened the session.
    pub fn belongs_to(&self, principal: Option<&Principal>) -> bool {
        self.principal.as_deref().map(|owner| &owner.id) == principal.map(|caller| &caller.id)
    }

    /// Takes note of what a client tells. What is not understood is ignored, as the specification says.
    pub fn notified(&self, notification: &Notification<'_>) {
        match notification.method.as_ref() {
            "notifications/initialized" => self.ready.store(true, Ordering::Release),
            _ => self.in_flight.notified(notification),
        }
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
        }
    }
}
