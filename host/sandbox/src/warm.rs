//! Instances that are kept for the next call, where the operator chose that over a fresh one.
//!
//! What a call leaves in its instance, the next call finds: that is the point of it, and the risk. So an instance is kept
//! only for callers with the same principal, groups and scopes, only after a call that ended by itself, and not for ever.

use super::net::Rules;
use super::state::CellState;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedSemaphorePermit;
use toolcell_policy::Principal;
use wasmtime::Store;
use wasmtime::component::Instance;

/// Calls after which an instance is thrown away. Leaks of a guest add up until then.
const MAX_CALLS: u32 = 10_000;
/// An instance that has grown beyond this is not kept, in bytes.
const MAX_KEPT_BYTES: usize = 64 << 20;

/// An instance and the store it lives in.
pub(super) struct Live {
    pub(super) store: Store<CellState>,
    /// None until it has been made.
    pub(super) instance: Option<Instance>,
    /// Whom it served.
    caller: Option<Arc<Principal>>,
    /// What that caller may do with it: its directories are open and stay so.
    rules: Arc<Rules>,
    calls: u32,
    /// Its room in the pool while nobody uses it.
    room: Option<OwnedSemaphorePermit>,
}

impl Live {
    pub(super) fn new(store: Store<CellState>, caller: Option<Arc<Principal>>, rules: Arc<Rules>) -> Self {
        Self { store, instance: None, caller, rules, calls: 0, room: None }
    }
}

/// The idle instances of one plugin, the one used last on top: its memory is the likeliest to be in the cache.
#[derive(Default)]
pub(super) struct Warm(Mutex<Vec<Live>>);

impl Warm {
    /// An idle instance that has served this caller, and nobody else, under these rules.
    pub(super) fn take(&self, caller: Option<&Principal>, rules: &Arc<Rules>) -> Option<Live> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at =
            idle.iter().rposition(|live| Arc::ptr_eq(&live.rules, rules) && is_same(live.caller.as_deref(), caller))?;
        Some(idle.remove(at))
    }

    /// Keeps an instance whose call ended well, if there is room for it. `room` finds some.
    pub(super) fn keep(&self, mut live: Live, room: impl FnOnce() -> Option<OwnedSemaphorePermit>) {
        live.calls += 1;
        if live.calls >= MAX_CALLS || live.store.data().limiter.memory_in_use() > MAX_KEPT_BYTES {
            return;
        }
        live.room = live.room.take().or_else(room);
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The oldest makes way where there is no room: whoever called last is likelier to call again.
        if live.room.is_none() && !idle.is_empty() {
            live.room = idle.remove(0).room.take();
        }
        if live.room.is_some() {
            idle.push(live);
        }
    }
}

/// Whether what was left for one may be found by the other: a person's lesser key gets nothing that a greater one left behind.
fn is_same(one: Option<&Principal>, other: Option<&Principal>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => one.id == other.id && one.groups == other.groups && one.scopes == other.scopes,
        _ => false,
    }
}
