//! What one call costs and touches, noted while it runs, for whoever asked for it with [`CallCtx::ledger`](super::CallCtx).

use super::deadline::TICK;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Hosts, refusals and files that are noted, each; the rest is counted together.
const MAX_NOTED: usize = 32;
/// Outgoing requests and calls to the host that are noted one by one, together; the rest is counted.
pub const MAX_STEPS: usize = 64;
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
    /// Those of them that got no response.
    pub other_failed: u64,
    /// Requests beyond those by host that the host's rules did not let out; they are among none of the other numbers.
    pub other_refused: u64,
    /// Bytes of request bodies to hosts beyond those that are named.
    pub other_sent: u64,
    /// Bytes of response bodies from them.
    pub other_received: u64,
    /// What was refused: the rule's stable name and its text.
    pub refusals: Vec<(&'static str, String)>,
    /// Refusals beyond those that are named.
    pub other_refusals: u64,
    /// Files and directories that were opened, each once, by the guest's names.
    pub files: Vec<String>,
    /// Openings beyond those.
    pub other_files: u64,
    /// Names of the secrets that went with its requests.
    pub secrets: Vec<String>,
    /// Single requests and calls to the host, in the order in which they began; nothing unless the ledger
    /// [follows](Ledger::following) them.
    pub steps: Vec<Step>,
    /// Those beyond the ones that are told.
    pub other_steps: u64,
    /// Whether the guest was not asked, because the result of an earlier call was good for this one too.
    pub cached: bool,
}

/// What became of the requests to one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostUse {
    /// Requests sent.
    pub requests: u64,
    /// Those that got no response.
    pub failed: u64,
    /// Requests that the host's rules did not let out; they are among none of the other numbers.
    pub refused: u64,
    /// From sending to the response's header, all together.
    pub waited: Duration,
    /// Bytes of request bodies that were taken to be sent.
    pub sent: u64,
    /// Bytes of response bodies that the guest was given.
    pub received: u64,
}

/// One thing a guest had the host do.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When it began.
    pub began: Instant,
    /// How long it took; of a request until the last byte of its answer that the guest read.
    pub took: Duration,
    /// What it was.
    pub what: Did,
}

/// What a guest had the host do.
#[derive(Clone, Debug, PartialEq)]
pub enum Did {
    /// A function of the host's was called, such as `store.get`.
    Called(&'static str),
    /// An HTTP request was made.
    Requested(Exchange),
}

/// One HTTP request of a guest's and its answer, without anything secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The method, as the guest chose it.
    pub method: String,
    /// The URL without what stands before the host's name, and with the values of its query masked.
    pub url: String,
    /// How it ended.
    pub end: ExchangeEnd,
    /// Bytes of the request's body.
    pub sent: u64,
    /// Bytes of the response's body.
    pub received: u64,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExchangeEnd {
    /// It was given up before there was an answer.
    Open,
    /// With a response of this status.
    Status(u16),
    /// Without a response; a word from a short list.
    Failed(&'static str),
    /// It was not let out; the rule's stable name.
    Refused(&'static str),
}

/// A book that one call writes and its caller reads.
#[derive(Debug, Default)]
pub struct Ledger {
    spent: Mutex<Spent>,
    follows: bool,
}

impl Ledger {
    /// An empty one.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// An empty one that also tells each request and each call to the host, if somebody wants to know.
    pub fn following(follows: bool) -> Arc<Self> {
        Arc::new(Self { spent: Mutex::default(), follows })
    }

    /// The result of an earlier call was given.
    pub fn was_cached(&self) {
        self.note(|spent| spent.cached = true);
    }

    /// What it says, and leaves it empty.
    pub fn take(&self) -> Spent {
        std::mem::take(&mut *self.spent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn note(&self, write: impl FnOnce(&mut Spent)) {
        write(&mut self.spent.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether single steps are told.
    pub(super) fn follows(&self) -> bool {
        self.follows
    }

    /// Begins a step and returns its place.
    fn begin(&self, what: Did) -> Option<usize> {
        let mut place = None;
        self.note(|spent| match spent.steps.len() {
            at @ 0..MAX_STEPS => {
                spent.steps.push(Step { began: Instant::now(), took: Duration::ZERO, what });
                place = Some(at);
            }
            _ => spent.other_steps += 1,
        });
        place
    }

    /// Has a call to the host told, if steps are told.
    pub(super) async fn told<T>(ledger: Option<&Self>, name: &'static str, call: impl Future<Output = T>) -> T {
        let Some(ledger) = ledger.filter(|ledger| ledger.follows) else { return call.await };
        let place = ledger.begin(Did::Called(name));
        let result = call.await;
        ledger.note(|spent| {
            if let Some(step) = place.and_then(|at| spent.steps.get_mut(at)) {
                step.took = step.began.elapsed();
            }
        });
        result
    }

    pub(super) fn refused(&self, rule: &'static str, text: &str) {
        self.note(|spent| match spent.refusals.len() {
            0..MAX_NOTED => spent.refusals.push((rule, cut(text))),
            _ => spent.other_refusals += 1,
        });
    }

    pub(super) fn opened(&self, name: &str) {
        self.note(|spent| match spent.files.len() {
            _ if spent.files.iter().any(|known| known == name) => {}
            0..MAX_NOTED => spent.files.push(name.to_owned()),
            _ => spent.other_files += 1,
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

/// One request on its way, and after it the bytes of both bodies. Clones are the same request.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    ledger: Arc<Ledger>,
    host: Arc<str>,
    place: Option<usize>,
    began: Instant,
}

impl Flow {
    /// Begins with a request to `host:port`; `exchange` is asked for what is told of it, if it is.
    pub(super) fn begin(ledger: &Arc<Ledger>, host: String, exchange: impl FnOnce() -> Exchange) -> Self {
        let place = ledger.follows().then(|| ledger.begin(Did::Requested(exchange()))).flatten();
        Self { ledger: Arc::clone(ledger), host: host.into(), place, began: Instant::now() }
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// It was answered, or was not, or was not let out.
    pub(super) fn end(&self, end: ExchangeEnd) {
        let waited = self.began.elapsed();
        self.ledger.note(|spent| {
            let refused = matches!(end, ExchangeEnd::Refused(_));
            let failed = u64::from(!matches!(end, ExchangeEnd::Status(_)));
            match self.used(spent, refused) {
                Some(used) if refused => used.refused += 1,
                Some(used) => {
                    used.requests += 1;
                    used.failed += failed;
                    used.waited += waited;
                }
                None if refused => spent.other_refused += 1,
                None => {
                    spent.other_requests += 1;
                    spent.other_failed += failed;
                }
            }
            self.step(spent, |exchange| exchange.end = end);
        });
    }

    /// Bytes of the request's body were taken.
    pub(super) fn sent(&self, bytes: u64) {
        self.ledger.note(|spent| {
            match self.used(spent, false) {
                Some(used) => used.sent += bytes,
                None => spent.other_sent += bytes,
            }
            self.step(spent, |exchange| exchange.sent += bytes);
        });
    }

    /// Bytes of the response's body were handed to the guest.
    pub(super) fn received(&self, bytes: u64) {
        self.ledger.note(|spent| {
            match self.used(spent, false) {
                Some(used) => used.received += bytes,
                None => spent.other_received += bytes,
            }
            self.step(spent, |exchange| exchange.received += bytes);
        });
    }

    /// The row of its host, if there is one or room for one. Where data really went must not be hidden by names that a guest
    /// was refused, so those make room, and a refusal takes none from anybody.
    fn used<'a>(&self, spent: &'a mut Spent, refused: bool) -> Option<&'a mut HostUse> {
        if !spent.hosts.contains_key(&*self.host) {
            if spent.hosts.len() >= MAX_NOTED {
                let idle = |used: &HostUse| used.requests == 0 && used.sent == 0 && used.received == 0;
                let mut rows = spent.hosts.iter().filter(|_| !refused);
                let dropped = rows.find(|(_, used)| idle(used)).map(|(host, _)| host.clone())?;
                spent.other_refused += spent.hosts.remove(&dropped).map_or(0, |used| used.refused);
            }
            spent.hosts.insert(self.host.to_string(), HostUse::default());
        }
        spent.hosts.get_mut(&*self.host)
    }

    fn step(&self, spent: &mut Spent, write: impl FnOnce(&mut Exchange)) {
        if let Some(Step { began, took, what: Did::Requested(exchange) }) =
            self.place.and_then(|at| spent.steps.get_mut(at))
        {
            *took = began.elapsed();
            write(exchange);
        }
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
    inner: F,
    ledger: &'a Ledger,
    lengthy: &'a Lengthy,
}

impl<'a, F: Future + Unpin> Metered<'a, F> {
    pub(super) fn new(inner: F, ledger: &'a Ledger, lengthy: &'a Lengthy) -> Self {
        Self { inner, ledger, lengthy }
    }
}

impl<F: Future + Unpin> Future for Metered<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let lengthy = &self.lengthy.0;
        let (begun, before) = (Instant::now(), lengthy.load(Ordering::Relaxed).then(thread_time));
        let polled = Pin::new(&mut self.inner).poll(cx);
        // A guest gives way at each tick, so what takes longer was waiting for a processor.
        let spent = before.map_or_else(|| begun.elapsed().min(TICK), |before| thread_time().saturating_sub(before));
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
        let ledger = Ledger::following(true);
        for n in 0..1_000 {
            ledger.refused("host-not-granted", &"ü".repeat(1_000));
            let exchange = || Exchange {
                method: "GET".to_owned(),
                url: format!("https://host{n}/"),
                end: ExchangeEnd::Open,
                sent: 0,
                received: 0,
            };
            let flow = Flow::begin(&ledger, format!("host{n}:443"), exchange);
            flow.end(if n % 2 == 0 { ExchangeEnd::Status(200) } else { ExchangeEnd::Failed("connect") });
            flow.sent(1);
            flow.received(2);
            ledger.used_secret(&format!("secret{n}"));
        }
        let spent = ledger.take();
        assert_eq!((spent.refusals.len(), spent.other_refusals), (MAX_NOTED, 1_000 - MAX_NOTED as u64));
        assert_eq!((spent.hosts.len(), spent.other_requests), (MAX_NOTED, 1_000 - MAX_NOTED as u64));
        assert_eq!(spent.secrets.len(), MAX_NOTED);
        assert_eq!((spent.steps.len(), spent.other_steps), (MAX_STEPS, 1_000 - MAX_STEPS as u64));
        let others = 1_000 - MAX_NOTED as u64;
        assert_eq!((spent.other_failed, spent.other_refused), (others / 2, 0));
        assert_eq!((spent.other_sent, spent.other_received), (others, 2 * others));
        let host = &spent.hosts["host0:443"];
        assert_eq!((host.requests, host.failed, host.sent, host.received), (1, 0, 1, 2));
        assert!(matches!(
            &spent.steps[1].what,
            Did::Requested(Exchange { end: ExchangeEnd::Failed("connect"), sent: 1, received: 2, .. })
        ));
        assert!(spent.refusals.iter().all(|(_, text)| text.len() <= MAX_TEXT));
        assert_eq!(ledger.take(), Spent::default(), "it is read once");
    }

    #[test]
    fn refused_hosts_do_not_hide_where_data_went() {
        let ledger = Ledger::new();
        let flow = |host: &str| Flow::begin(&ledger, format!("{host}:443"), || unreachable!("nobody wants to know"));
        let many = MAX_NOTED as u64;
        for n in 0..2 * many {
            flow(&format!("a{n}")).end(ExchangeEnd::Refused("host-not-granted"));
        }
        flow("real").sent(7);
        flow("real").end(ExchangeEnd::Status(200));
        flow("late").end(ExchangeEnd::Refused("host-not-granted"));
        let spent = ledger.take();
        let real = &spent.hosts["real:443"];
        assert_eq!((spent.hosts.len(), real.requests, real.sent), (MAX_NOTED, 1, 7));
        assert!(!spent.hosts.contains_key("late:443"), "a refusal takes nobody's place");
        let named: u64 = spent.hosts.values().map(|used| used.refused).sum();
        assert_eq!((named, spent.other_refused), (many - 1, many + 2), "each refusal is counted once");
        assert_eq!((spent.other_requests, spent.other_sent), (0, 0));
    }

    #[test]
    fn what_is_read_of_an_answer_after_its_call_is_nobody_elses() {
        let ledger = Ledger::following(true);
        let exchange =
            || Exchange { method: String::new(), url: String::new(), end: ExchangeEnd::Open, sent: 0, received: 0 };
        let flow = Flow::begin(&ledger, "host:443".to_owned(), exchange);
        flow.end(ExchangeEnd::Refused("host-not-granted"));
        let spent = ledger.take();
        assert_eq!((spent.hosts["host:443"].refused, spent.hosts["host:443"].requests), (1, 0));
        flow.received(9);
        assert!(ledger.take().steps.is_empty(), "the step is gone with its call");
        let quiet = Ledger::new();
        Flow::begin(&quiet, "host:443".to_owned(), || unreachable!("nobody wants to know")).end(ExchangeEnd::Open);
        assert!(quiet.take().steps.is_empty());
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
        let poll = |work: Pin<Box<dyn Future<Output = u64>>>| {
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
