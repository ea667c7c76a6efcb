//! How long what callers showed is good: looked at twice a second for those who have something open, and for nobody else.

use super::door::Pass;
use crate::transport::http::Lease;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};
use toolcell_identity::{Authenticator, Identity, Secret, Standing};

/// Between two looks: a key that is revoked ends what is open within twice that.
const LOOK: Duration = Duration::from_millis(500);
/// Between two questions to a server about one token: it has other things to do.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// All leases that somebody holds.
pub(super) struct Leases {
    authenticator: Arc<Authenticator>,
    table: Mutex<Table>,
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
        Arc::new(Self { authenticator, table: Mutex::default() })
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
    fn look(self: &Arc<Self>) -> bool {
        let now = SystemTime::now();
        let mut table = self.lock();
        table.known.retain(|_, watched| {
            let standing = self.authenticator.standing(&watched.identity, now);
            if standing == Standing::Revoked {
                watched.lease.revoked.cancel();
            }
            if standing != Standing::Good {
                watched.lease.ended.cancel();
            }
            // Where this is the last to hold it, nobody waits for its end.
            standing == Standing::Good && Arc::strong_count(&watched.lease) > 1
        });
        for watched in table.known.values_mut().filter(|watched| watched.asked.elapsed() >= ASK_EVERY) {
            let Some(token) = watched.token.clone() else { continue };
            watched.asked = Instant::now();
            let (authenticator, identity) = (Arc::clone(&self.authenticator), Arc::clone(&watched.identity));
            let lease = Arc::downgrade(&watched.lease);
            tokio::spawn(async move {
                if !authenticator.is_active(&identity, &token, now).await
                    && let Some(lease) = lease.upgrade()
                {
                    lease.revoked.cancel();
                    lease.ended.cancel();
                }
            });
        }
        table.watched = !table.known.is_empty();
        table.watched
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
