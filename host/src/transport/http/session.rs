//! The sessions of the handshake era. Source: 2025-11-25, transports, "Session Management".

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use super::budget::Budget;
use super::crowd::{Crowd, Seat};
use super::doorkeeper::Lease;
use super::kept::{Kept, KeptStream};
use super::standing::Standing;
use super::traffic::{Open, Traffic};
use crate::protocol::{Principal, Session};
use crate::transport::Limits;

/// Between two looks for what has expired, where somebody finds no place.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// A name of 128 bits that nobody can guess: it is all it takes to speak in a session. None if there is no randomness.
pub(super) fn new_name() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

/// All sessions of one endpoint.
#[derive(Debug)]
pub(super) struct Sessions {
    limits: Limits,
    budget: Arc<Budget>,
    callers: Arc<Crowd<String>>,
    table: Arc<Mutex<Table>>,
    traffic: Traffic,
}

#[derive(Debug)]
struct Table {
    sessions: HashMap<String, Arc<HttpSession>>,
    swept: Instant,
}

/// One session, and what HTTP needs besides.
#[derive(Debug)]
pub(super) struct HttpSession {
    /// What the handshake settled.
    pub(super) session: Arc<Session>,
    /// The streams its client may come back to.
    pub(super) kept: Kept,
    /// Cancelled when the session ends.
    pub(super) closed: CancellationToken,
    /// What its caller showed last.
    pub(super) standing: Arc<Standing>,
    used: Mutex<Used>,
    active: AtomicUsize,
    _counted: Open,
    /// One of those its caller may have.
    _seat: Option<Seat<String>>,
}

#[derive(Debug)]
struct Used {
    last: Instant,
    /// Ends the connection that listens for what nobody asked for, when another one takes its place.
    listener: CancellationToken,
    /// What is said on that connection.
    news: Option<Arc<KeptStream>>,
}

/// Why a session is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// There are as many as may be, or there is no randomness to name one with.
    All,
    /// The caller has that many.
    Caller(usize),
}

/// A session in use: it does not expire.
#[derive(Debug)]
pub(super) struct InUse(Arc<HttpSession>);

impl Sessions {
    pub(super) fn new(limits: Limits, traffic: Traffic) -> Self {
        let table = Table { sessions: HashMap::new(), swept: Instant::now() };
        let callers = Crowd::new(limits.sessions_per_caller);
        Self { limits, budget: Budget::new(limits.kept_total), callers, table: Arc::new(Mutex::new(table)), traffic }
    }

    /// Keeps a new session and names it. It ends when what its caller showed last is taken back.
    pub(super) fn open(
        &self,
        session: Arc<Session>,
        caller: Option<&Principal>,
        lease: Option<Arc<Lease>>,
    ) -> Result<HeaderValue, Full> {
        let (header, opened) = self.open_at(Instant::now(), session, caller, lease)?;
        if opened.standing.is_known() {
            // It does not hold the session, whose place is free as soon as it ends.
            let (closed, standing) = (opened.closed.clone(), Arc::clone(&opened.standing));
            let table = Arc::downgrade(&self.table);
            let name = header.to_str().unwrap_or_default().to_owned();
            tokio::spawn(async move {
                tokio::select! {
                    () = closed.cancelled() => return,
                    () = standing.revoked() => {}
                }
                let found = table.upgrade().and_then(|table| lock(&table).sessions.remove(&name));
                if let Some(session) = found {
                    tracing::info!("a session was closed, what its caller came with was taken back");
                    session.end();
                }
            });
        }
        Ok(header)
    }

    fn open_at(
        &self,
        now: Instant,
        session: Arc<Session>,
        caller: Option<&Principal>,
        lease: Option<Arc<Lease>>,
    ) -> Result<(HeaderValue, Arc<HttpSession>), Full> {
        let name = new_name().ok_or(Full::All)?;
        let header = HeaderValue::from_str(&name).map_err(|_| Full::All)?;
        let mut table = lock(&self.table);
        let take = || caller.map(|caller| self.callers.enter(caller.id.clone()));
        let mut seat = take();
        let full = table.sessions.len() >= self.limits.sessions || matches!(seat, Some(None));
        // Whoever finds no place comes again at once, and a look at all of them holds up everybody.
        let rest = self.limits.session_idle / 4;
        let rest = if full { rest.min(SWEEP_EVERY) } else { rest };
        if now.saturating_duration_since(table.swept) > rest {
            table.swept = now;
            table.sessions.retain(|_, session| {
                let keep = !session.is_expired(now, &self.limits);
                if !keep {
                    session.end();
                }
                keep
            });
        }
        if table.sessions.len() >= self.limits.sessions {
            return Err(Full::All);
        }
        if matches!(seat, Some(None)) {
            seat = take();
        }
        let seat = match seat {
            Some(None) => return Err(Full::Caller(self.callers.most())),
            seat => seat.flatten(),
        };
        let used = Used { last: now, listener: CancellationToken::new(), news: None };
        let session = HttpSession {
            session,
            kept: Kept::new(Arc::clone(&self.budget)),
            closed: CancellationToken::new(),
            standing: Standing::new(lease),
            used: Mutex::new(used),
            active: AtomicUsize::new(0),
            _counted: self.traffic.session(),
            _seat: seat,
        };
        let session = Arc::new(session);
        table.sessions.insert(name, Arc::clone(&session));
        Ok((header, session))
    }

    /// The session of that name, if it is there and belongs to `principal`: a name that was stolen opens nothing.
    pub(super) fn find(&self, name: &str, principal: Option<&Principal>) -> Option<InUse> {
        self.find_at(Instant::now(), name, principal)
    }

    fn find_at(&self, now: Instant, name: &str, principal: Option<&Principal>) -> Option<InUse> {
        let mut table = lock(&self.table);
        let Entry::Occupied(entry) = table.sessions.entry(name.to_owned()) else { return None };
        if entry.get().is_expired(now, &self.limits) {
            entry.remove().end();
            return None;
        }
        let session = entry.get();
        session.session.belongs_to(principal).then(|| InUse::new(session))
    }

    /// Ends a session; false if there is none of that name for `principal`.
    pub(super) fn close(&self, name: &str, principal: Option<&Principal>) -> bool {
        let found = self.find(name, principal).is_some();
        if found && let Some(session) = lock(&self.table).sessions.remove(name) {
            session.end();
        }
        found
    }

    /// How many sessions there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        lock(&self.table).sessions.len()
    }
}

impl HttpSession {
    fn is_expired(&self, now: Instant, limits: &Limits) -> bool {
        let is_idle = || {
            self.active.load(Ordering::Acquire) == 0
                && now.saturating_duration_since(lock(&self.used).last) > limits.session_idle
        };
        self.closed.is_cancelled() || is_idle()
    }

    fn end(&self) {
        self.closed.cancel();
        self.session.in_flight().cancel_all();
    }

    /// Takes the place of the one connection that listens for what nobody asked for. A client that lost its connection
    /// comes back before we notice the loss, so the newcomer wins.
    pub(super) fn listen(&self, stream: &Arc<KeptStream>) -> CancellationToken {
        let listener = self.closed.child_token();
        let mut used = lock(&self.used);
        std::mem::replace(&mut used.listener, listener.clone()).cancel();
        let before = used.news.replace(Arc::clone(stream));
        if let Some(before) = before.filter(|before| !Arc::ptr_eq(before, stream)) {
            before.end();
        }
        stream.go_on();
        listener
    }
}

impl InUse {
    fn new(session: &Arc<HttpSession>) -> Self {
        session.active.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(session))
    }
}

impl Clone for InUse {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl std::ops::Deref for InUse {
    type Target = HttpSession;
    fn deref(&self) -> &HttpSession {
        &self.0
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        lock(&self.0.used).last = Instant::now();
        self.0.active.fetch_sub(1, Ordering::AcqRel);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Arc, HeaderValue, Limits, Principal, Session, Sessions, Traffic};
    use crate::protocol::testing::session;

    fn name(header: &HeaderValue) -> &str {
        header.to_str().unwrap()
    }

    fn opened(sessions: &Sessions, now: Instant, session: &Arc<Session>) -> Option<HeaderValue> {
        sessions.open_at(now, Arc::clone(session), None, None).ok().map(|(name, _)| name)
    }

    #[test]
    fn the_idle_ones_go_and_those_in_use_stay() {
        let limits = Limits { sessions: 2, ..Limits::default() };
        let (sessions, session, start) = (Sessions::new(limits, Traffic::default()), session(), Instant::now());
        let idle = opened(&sessions, start, &session).unwrap();
        let used = opened(&sessions, start, &session).unwrap();
        assert_ne!(idle, used);
        assert!(opened(&sessions, start, &session).is_none(), "there are two already");

        let in_use = sessions.find_at(start, name(&used), None).unwrap();
        let later = start + limits.session_idle + Duration::from_secs(1);
        assert!(sessions.find_at(later, name(&idle), None).is_none());
        assert!(sessions.find_at(later, name(&used), None).is_some());
        drop(in_use);

        let third = opened(&sessions, later, &session).unwrap();
        let much_later = later + limits.session_idle + Duration::from_secs(1);
        assert!(opened(&sessions, much_later, &session).is_some(), "the idle ones make room");
        assert_eq!(sessions.len(), 1);
        assert!(sessions.find_at(much_later, name(&third), None).is_none());
    }

    #[test]
    fn closing_cancels_what_is_open() {
        let (sessions, session) = (Sessions::new(Limits::default(), Traffic::default()), session());
        let ticket = session.in_flight().begin(&crate::protocol::Id::Number(1)).unwrap();
        let header = sessions.open(Arc::clone(&session), None, None).unwrap();
        let mallory = Principal::new("mallory".to_owned());
        assert!(!sessions.close(name(&header), Some(&mallory)));
        assert!(!ticket.cancel().is_cancelled());
        assert!(sessions.close(name(&header), None));
        assert!(ticket.cancel().is_cancelled());
        assert!(!sessions.close(name(&header), None));
    }

    #[test]
    fn each_caller_has_its_own_number_of_them() {
        let limits = Limits { sessions_per_caller: 2, ..Limits::default() };
        let (sessions, session, start) = (Sessions::new(limits, Traffic::default()), session(), Instant::now());
        let [alice, bob] = ["alice", "bob"].map(Principal::new);
        let open = |now, caller| sessions.open_at(now, Arc::clone(&session), Some(caller), None).map(|(name, _)| name);
        let first = open(start, &alice).unwrap();
        assert!(open(start, &alice).is_ok());
        assert_eq!(open(start, &alice), Err(super::Full::Caller(2)));
        assert!(open(start, &bob).is_ok(), "others have theirs");
        assert!(sessions.close(name(&first), None));
        assert!(open(start, &alice).is_ok(), "one that was closed makes room");
        let later = start + limits.session_idle + Duration::from_secs(1);
        assert!(open(later, &alice).is_ok(), "those that nobody uses make room");
    }

    #[tokio::test]
    async fn a_session_ends_with_what_its_caller_showed_last() {
        let (sessions, session) = (Sessions::new(Limits::default(), Traffic::default()), session());
        let [first, second] = [(); 2].map(|()| Arc::<super::Lease>::default());
        let header = sessions.open(session, None, Some(Arc::clone(&first))).unwrap();
        let found = sessions.find(name(&header), None).unwrap();
        found.standing.renew(Some(Arc::clone(&second)));
        first.revoked.cancel();
        tokio::task::yield_now().await;
        assert!(sessions.find(name(&header), None).is_some());
        second.revoked.cancel();
        found.closed.cancelled().await;
        assert_eq!(sessions.len(), 0, "its place is free");
        assert!(sessions.find(name(&header), None).is_none());
    }
}
