//! Counts its calls in a static. In a fresh instance per call the count is always 1.

use std::sync::atomic::{AtomicU64, Ordering};

use toolcell_guests::{Args, tool};

static CALLS: AtomicU64 = AtomicU64::new(0);

tool!(state, "Returns how often this instance was called, this call included.");

fn state(_: &Args) -> u64 {
    CALLS.fetch_add(1, Ordering::Relaxed) + 1
}
