//! What one call costs and touches, noted while it runs, for whoever asked for it with [`CallCtx::ledger`](super::CallCtx).

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Hosts, refusals and directories that are noted, each; the rest is counted together.
const MAX_NOTED: usize = 32;
/// The longest text that is noted, in bytes.
const MAX_TEXT: usize = 512;

/// The cost of one call, and what it reached.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spent {
    /// Waiting for a place among the calls that run.
    pub queued: Duration,
    /// Making the instance; nothing where one was kept.
    pub instantiating: Duration,
    /// From entering the guest until it came back, waiting included.
    pub inside: Duration,
    /// Processor time of making the instance and running the guest, host functions included.
    pub cpu: Duration,
    /// Memory of the instance at its end, which is its most: it never shrinks. In bytes.
    pub memory_bytes: usize,
    /// Size of the answer, in bytes.
    pub answer_bytes: usize,
    /// Requests by `host:port`, with what became of them.
    pub hosts: BTreeMap<String, HostUse>,
    /// Requests to hosts beyond those that are named.
    pub other_requests: u64,
    /// What was refused: the rule's stable name and its text.
    pub refusals: Vec<(&'static str, String)>,
    /// Refusals beyond those that are named.
    pub other_refusals: u64,
    /// Directories the call could reach, by guest path.
    pub dirs: Vec<String>,
    /// Names of the secrets that went with its requests.
    pub secrets: Vec<String>,
}

/// What became of the requests to one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostUse {
    /// Requests sent.
    pub requests: u64,
    /// Those that got no response.
    pub failed: u64,
    /// From sending to the response's header, all together.
    pub waited: Duration,
}

/// A book that one call writes and its caller reads.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Spent>);

impl Ledger {
    /// An empty one.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// What it says, and leaves it empty.
    pub fn take(&self) -> Spent {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn note(&self, write: impl FnOnce(&mut Spent)) {
        write(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn refused(&self, rule: &'static str, text: &str) {
        self.note(|spent| match spent.refusals.len() {
            0..MAX_NOTED => spent.refusals.push((rule, cut(text))),
            _ => spent.other_refusals += 1,
        });
    }

    pub(super) fn requested(&self, host: String, waited: Duration, answered: bool) {
        self.note(|spent| {
            if spent.hosts.len() >= MAX_NOTED && !spent.hosts.contains_key(&host) {
                spent.other_requests += 1;
                return;
            }
            let used = spent.hosts.entry(host).or_default();
            used.requests += 1;
            used.failed += u64::from(!answered);
            used.waited += waited;
        });
    }

    pub(super) fn used_secret(&self, name: &str) {
        self.note(|spent| {
            if spent.secrets.len() < MAX_NOTED && !spent.secrets.iter().any(|used| used == name) {
                spent.secrets.push(name.to_owned());
            }
        });
    }
}

fn cut(text: &str) -> String {
    let end = (0..=MAX_TEXT.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default().to_owned()
}

/// A turn of a guest that took less time than this was hardly interrupted: the wall's clock, which costs next to nothing, tells its
/// processor time as well as the system does, which takes two system calls.
const SHORT: Duration = Duration::from_millis(1);

/// Whether the guests of a plugin compute for long at a time, so that the system is asked for their processor time.
#[derive(Debug, Default)]
pub(super) struct Lengthy(AtomicBool);

/// A future that counts the processor time of its thread while it is polled.
pub(super) struct Metered<'a, F> {
    inner: Pin<Box<F>>,
    ledger: &'a Ledger,
    lengthy: &'a Lengthy,
}

impl<'a, F: Future> Metered<'a, F> {
    pub(super) fn new(inner: F, ledger: &'a Ledger, lengthy: &'a Lengthy) -> Self {
        Self { inner: Box::pin(inner), ledger, lengthy }
    }
}

impl<F: Future> Future for Metered<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let lengthy = &self.lengthy.0;
        let (begun, before) = (Instant::now(), lengthy.load(Ordering::Relaxed).then(thread_time));
        let polled = self.inner.as_mut().poll(cx);
        let spent = before.map_or_else(|| begun.elapsed(), |before| thread_time().saturating_sub(before));
        if before.is_some() != (spent > SHORT) {
            lengthy.store(spent > SHORT, Ordering::Relaxed);
        }
        self.ledger.note(|book| book.cpu += spent);
        polled
    }
}

/// Processor time of this thread so far.
fn thread_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_cannot_fill_the_book() {
        let ledger = Ledger::new();
        for n in 0..1_000 {
            ledger.refused("host-not-granted", &"ü".repeat(1_000));
            ledger.requested(format!("host{n}:443"), Duration::from_millis(1), n % 2 == 0);
            ledger.used_secret(&format!("secret{n}"));
        }
        let spent = ledger.take();
        assert_eq!((spent.refusals.len(), spent.other_refusals), (MAX_NOTED, 1_000 - MAX_NOTED as u64));
        assert_eq!((spent.hosts.len(), spent.other_requests), (MAX_NOTED, 1_000 - MAX_NOTED as u64));
        assert_eq!(spent.secrets.len(), MAX_NOTED);
        assert!(spent.refusals.iter().all(|(_, text)| text.len() <= MAX_TEXT));
        assert_eq!(ledger.take(), Spent::default(), "it is read once");
    }

    #[test]
    fn processor_time_is_that_of_the_work() {
        let ledger = Ledger::new();
        let work = || async {
            let mut sum = 0_u64;
            for n in 0..20_000_000_u64 {
                sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(n));
            }
            sum
        };
        let lengthy = Lengthy::default();
        let waker = std::task::Waker::noop();
        let mut poll = |work: Pin<Box<dyn Future<Output = u64>>>| {
            let mut metered = Metered::new(work, &ledger, &lengthy);
            assert!(Pin::new(&mut metered).poll(&mut Context::from_waker(waker)).is_ready());
            drop(metered);
            (ledger.take().cpu, lengthy.0.load(Ordering::Relaxed))
        };
        let (spent, is_lengthy) = poll(Box::pin(work()));
        assert!(spent > SHORT && is_lengthy, "{spent:?}");
        // From then on the system's clock counts, which stands still while the thread sleeps.
        let asleep = async {
            std::thread::sleep(10 * SHORT);
            0
        };
        let (spent, is_lengthy) = poll(Box::pin(asleep));
        assert!(spent < SHORT && !is_lengthy, "{spent:?}");
    }
}
