//! Time. One thread advances the engine's epoch while calls run; every guest looks at it at each loop and each
//! function, gives way to its neighbours there, and ends there once its CPU time is up.

use super::error::LimitHit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use wasmtime::{Store, UpdateDeadline};

/// Length of one epoch. Short enough that a cancelled guest is gone well within 50 ms and that a neighbour on the same
/// core waits little; long enough that the ticking itself costs nothing that can be measured.
pub(super) const TICK: Duration = Duration::from_millis(5);

/// Advances an engine's epoch as long as at least one call runs. Its thread sleeps otherwise and ends with it.
pub(super) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    running: AtomicUsize,
    stop: AtomicBool,
}

impl Ticker {
    /// # Errors
    /// If the operating system refuses the thread.
    pub(super) fn start(engine: wasmtime::Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { running: AtomicUsize::new(0), stop: AtomicBool::new(false) });
        let seen = Arc::clone(&shared);
        let thread = thread::Builder::new().name("toolcell-epoch".to_owned()).spawn(move || {
            while !seen.stop.load(Ordering::Acquire) {
                if seen.running.load(Ordering::Acquire) == 0 {
                    thread::park();
                } else {
                    thread::sleep(TICK);
                    engine.increment_epoch();
                }
            }
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Keeps the epoch moving until the guard is dropped.
    pub(super) fn running(&self) -> Running<'_> {
        if self.shared.running.fetch_add(1, Ordering::AcqRel) == 0
            && let Some(thread) = &self.thread
        {
            thread.thread().unpark();
        }
        Running(&self.shared)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The thread only sleeps and counts; it cannot have panicked, and there is nothing to do if it had.
            let _ = thread.join();
        }
    }
}

/// See [`Ticker::running`].
pub(super) struct Running<'a>(&'a Shared);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Gives a store its CPU time, in steps of one tick. At each tick in which the guest is found running, one tick is
/// charged and the guest gives way; time spent waiting in host calls is not charged here, the wall clock sees to it.
pub(super) fn limit_cpu<T: 'static>(store: &mut Store<T>, cpu_ms: u64) {
    let mut ticks_left = cpu_ms.div_ceil(u64::try_from(TICK.as_millis()).unwrap_or(1)).max(1);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        ticks_left = ticks_left.saturating_sub(1);
        if ticks_left == 0 {
            return Err(wasmtime::Error::from(LimitHit::Cpu { ms: cpu_ms }));
        }
        // A plain `Yield` would put the guest back into the queue of its thread, which looks for news from the network only
        // after some sixty turns or when it has nothing to do: guests that compute would hold everyone else up for
        // hundreds of milliseconds. This one comes after all that is ready, and after that look.
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    });
}
