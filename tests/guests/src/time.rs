//! Waiting inside a host call, where no epoch check of the guest's own code can end it.

use wasip2::clocks::monotonic_clock::{now, subscribe_duration};

/// Milliseconds of the monotonic clock.
#[must_use]
pub fn now_ms() -> u64 {
    now() / 1_000_000
}

/// Waits in the host for that many milliseconds.
pub fn wait_ms(ms: u64) {
    wait_ns(ms.saturating_mul(1_000_000));
}

/// Waits in the host for that many nanoseconds.
pub fn wait_ns(ns: u64) {
    subscribe_duration(ns).block();
}
