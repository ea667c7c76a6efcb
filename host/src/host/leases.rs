//! How long what callers showed is good: looked at twice a second for those who have something open, and for nobody else.

use super::door::Pass;
use crate::transport::http::Lease;
use futures_util::stream::{self, StreamExt as _};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::Semaphore;
use toolcell_identity::{Authenticator, Identity, Secret, Standing};

/// Between two looks: a key that is revoked ends what is open within twice that.
const LOOK: Duration = Duration::from_millis(500);
/// Between two questions to a server about one token: it has other things to do.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// Questions at once: much fewer than the authenticator asks in all, for callers who wait at the door come first.
const ASKED_AT_ONCE: usize = 4;

/// All leases that somebody holds.
pub(super) struct Leases {
    authenticator: Arc<Authenticator>,
    table: Mutex<Table>,
    /// One round of questions at a time, however long it takes.
    asking: Arc<Semaphore>,
}

#[derive(Default)]
struct Table {
    known: HashMap<[u8; 32], Watched>,
    /// Whether somebody looks.
    watched: bool,
}

struct Watched {
    lease: Arc<Lease>,
    identity: Arc<Identity>,
    /// The access token, where its server can be asked about it.
    token: Option<Secret>,
    asked: Instant,
}

impl Leases {
    pub(super) fn new(authenticator: Arc<Authenticator>) -> Arc<Self> {
        Arc::new(Self { authenticator, table: Mutex::default(), asking: Arc::new(Semaphore::new(1)) })
    }

    /// How long this is good. The same thing has one lease, whoever holds it.
    pub(super) fn of(self: &Arc<Self>, pass: &Pass) -> Arc<Lease> {
        let key = key(pass);
        let mut table = self.lock();
        let watched = table.known.entry(key).or_insert_with(|| Watched {
            lease: Arc::default(),
            identity: Arc::clone(&pass.identity),
            token: pass.token.clone(),
            asked: Instant::now(),
        });
        let lease = Arc::clone(&watched.lease);
        if !std::mem::replace(&mut table.watched, true) {
            tokio::spawn(watch(Arc::downgrade(self)));
        }
        lease
    }

    /// Ends what is over; false if nobody holds anything.
    fn look(&self) -> bool {
        let now = SystemTime::now();
        let held: Vec<_> = {
            let mut table = self.lock();
            // Where this is the last to hold it, nobody waits for its end.
            table.known.retain(|_, watched| Arc::strong_count(&watched.lease) > 1);
            table.known.iter().map(|(key, watched)| (*key, Arc::clone(&watched.identity))).collect()
        };
        // That may read files, and requests wait for the table.
        let judged = held.into_iter().map(|(key, identity)| (key, self.authenticator.standing(&identity, now)));
        let over: Vec<_> = judged.filter(|(_, standing)| *standing != Standing::Good).collect();
        let mut table = self.lock();
        for (key, standing) in over {
            let Some(watched) = table.known.remove(&key) else { continue };
            if standing == Standing::Revoked {
                watched.lease.revoked.cancel();
            }
            watched.lease.ended.cancel();
        }
        self.ask(&mut table);
        table.watched = !table.known.is_empty();
        table.watched
    }

    /// Asks about the tokens whose time for it has come, few at once, and not while the round before is under way.
    fn ask(&self, table: &mut Table) {
        let Ok(turn) = Arc::clone(&self.asking).try_acquire_owned() else { return };
        let mut due = Vec::new();
        for watched in table.known.values_mut().filter(|watched| watched.asked.elapsed() >= ASK_EVERY) {
            let Some(token) = watched.token.clone() else { continue };
            watched.asked = Instant::now();
            due.push((Arc::clone(&watched.identity), token, Arc::downgrade(&watched.lease)));
        }
        if due.is_empty() {
            return;
        }
        let authenticator = Arc::clone(&self.authenticator);
        tokio::spawn(async move {
            let questions = stream::iter(due).for_each_concurrent(ASKED_AT_ONCE, move |(identity, token, lease)| {
                let authenticator = Arc::clone(&authenticator);
                async move {
                    // Whoever left while this waited for its turn need not be asked about.
                    if lease.strong_count() > 1
                        && !authenticator.is_active(&identity, &token, SystemTime::now()).await
                        && let Some(lease) = lease.upgrade()
                    {
                        lease.revoked.cancel();
                        lease.ended.cancel();
                    }
                }
            });
            questions.await;
            drop(turn);
        });
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn watch(leases: Weak<Leases>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(leases) = leases.upgrade() else { return };
        if !leases.look() {
            return;
        }
    }
}

/// What was shown, as a number that nobody can guess it from.
fn key(Pass { identity, token }: &Pass) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut feed = |part: &str| {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    };
    feed(identity.via.as_str());
    feed(&identity.principal);
    feed(identity.key_id.as_deref().unwrap_or_default());
    feed(token.as_ref().map_or("", Secret::expose));
    let expires = identity.expires.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or_default();
    feed(&expires.as_nanos().to_string());
    hash.finalize().into()
}
