//! The keys of an issuer: fetched at the first use, kept as long as their server says, fetched again for an unknown key
//! id, and always by one caller for all that wait.
//!
//! A fetch is a task of its own: a caller that goes away does not stop it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;
use serde_json::Value;
use tokio::sync::{Mutex, OwnedMutexGuard};
use url::Url;

use super::discovery;
use crate::jose::{Algorithm, PublicKey};
use crate::json;
use crate::limits::{
    FAILED_FETCH_EVERY, JWKS_STALE, JWKS_TTL, JWKS_TTL_MAX, JWKS_TTL_MIN, MAX_JWKS_KEYS, MAX_KEYS_TRIED, MAX_KID_BYTES,
    UNKNOWN_KID_EVERY,
};
use crate::outgoing::{Http, HttpError};
use crate::refusal::Refusal;

/// The keys of one issuer, as they come and go.
pub(super) struct Jwks {
    http: Http,
    issuer: Url,
    /// The issuer as configured.
    text: String,
    /// Where the keys are, unless that is to be discovered.
    uri: Option<Url>,
    loaded: ArcSwapOption<Loaded>,
    /// Held while a fetch is under way.
    fetching: Arc<Mutex<Attempt>>,
}

/// The last fetch.
#[derive(Default)]
struct Attempt {
    at: Option<SystemTime>,
    /// The last one that was for a key the set does not have.
    unknown_at: Option<SystemTime>,
    failed: bool,
    /// Counts the sets that differ from the one before.
    generation: u64,
}

/// A key set and how long it may be used.
pub(super) struct Loaded {
    pub(super) keys: KeySet,
    /// Differs between two sets that differ.
    pub(super) generation: u64,
    fetched: SystemTime,
    ttl: Duration,
}

impl Loaded {
    fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.fetched).unwrap_or_default()
    }

    /// Whether it need not be fetched again.
    pub(super) fn is_fresh(&self, now: SystemTime) -> bool {
        self.age(now) < self.ttl
    }

    fn is_usable(&self, now: SystemTime) -> bool {
        self.age(now) < self.ttl + JWKS_STALE
    }
}

impl Jwks {
    pub(super) fn new(http: Http, issuer: Url, text: String, uri: Option<Url>) -> Self {
        Self { http, issuer, text, uri, loaded: ArcSwapOption::empty(), fetching: Arc::default() }
    }

    /// The set, if there is one that need not be fetched again.
    pub(super) fn fresh(&self, now: SystemTime) -> Option<Arc<Loaded>> {
        self.loaded.load_full().filter(|loaded| loaded.is_fresh(now))
    }

    /// A set that holds `kid`, if its issuer has such a key; else the newest.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`], if there is no set and none can be fetched.
    pub(super) async fn with(self: &Arc<Self>, kid: Option<&str>, now: SystemTime) -> Result<Arc<Loaded>, Refusal> {
        let enough = |loaded: &Arc<Loaded>| loaded.is_fresh(now) && kid.is_none_or(|kid| loaded.keys.has(kid));
        if let Some(loaded) = self.loaded.load_full().filter(enough) {
            return Ok(loaded);
        }
        // An outdated set that would do: while another fetches, or the issuer fails, nobody waits.
        let outdated = self.loaded.load_full();
        let outdated = outdated.filter(|loaded| loaded.is_usable(now) && kid.is_none_or(|kid| loaded.keys.has(kid)));
        let mut attempt = match (&outdated, Arc::clone(&self.fetching).try_lock_owned()) {
            (_, Ok(attempt)) => attempt,
            (Some(outdated), Err(_)) => return Ok(Arc::clone(outdated)),
            (None, Err(_)) => Arc::clone(&self.fetching).lock_owned().await,
        };
        // Whoever held the lock may have fetched what is wanted.
        let loaded = self.loaded.load_full();
        if let Some(loaded) = loaded.clone().filter(enough) {
            return Ok(loaded);
        }
        let fresh = loaded.as_ref().is_some_and(|loaded| loaded.is_fresh(now));
        // A set may be new and its issuer's key newer still: only what was asked for an unknown key makes the next wait.
        let (last, pause) = match (fresh, attempt.failed) {
            (true, _) => (attempt.unknown_at, UNKNOWN_KID_EVERY),
            (false, true) => (attempt.at, FAILED_FETCH_EVERY),
            (false, false) => (None, Duration::ZERO),
        };
        if last.is_none_or(|last| distance(last, now) >= pause) {
            if fresh {
                attempt.unknown_at = Some(now);
            }
            let this = Arc::clone(self);
            let failing = attempt.failed;
            let task = tokio::spawn(async move { this.fetch(attempt, now).await });
            match outdated {
                Some(outdated) if failing => return Ok(outdated),
                // What the task says is in `loaded` when it ends; if it dies, what was there before still is.
                _ => drop(task.await),
            }
        }
        let usable = self.loaded.load_full().filter(|loaded| loaded.is_usable(now));
        usable.ok_or(Refusal::Unavailable("the issuer's keys cannot be had"))
    }

    async fn fetch(&self, mut attempt: OwnedMutexGuard<Attempt>, now: SystemTime) {
        attempt.at = Some(now);
        attempt.failed = true;
        match self.fetched().await {
            Ok((keys, max_age)) => {
                attempt.failed = false;
                let before = self.loaded.load_full();
                if before.is_none_or(|before| before.keys.fingerprint != keys.fingerprint) {
                    attempt.generation += 1;
                    tracing::info!(issuer = self.text, keys = keys.count, "the issuer's keys are new");
                }
                let ttl = max_age.map_or(JWKS_TTL, |age| age.clamp(JWKS_TTL_MIN, JWKS_TTL_MAX));
                let loaded = Loaded { keys, generation: attempt.generation, fetched: now, ttl };
                self.loaded.store(Some(Arc::new(loaded)));
            }
            Err(error) => tracing::warn!(issuer = self.text, %error, "the issuer's keys cannot be fetched"),
        }
    }

    async fn fetched(&self) -> Result<(KeySet, Option<Duration>), HttpError> {
        let discovered;
        let uri = match &self.uri {
            Some(uri) => uri,
            None => {
                discovered = discovery::jwks_uri(&self.http, &self.issuer, &self.text).await?;
                &discovered
            }
        };
        let answer = self.http.get(uri).await?;
        let keys = KeySet::read(&answer.body).ok_or(HttpError::Answer("it is not a JWK set with a usable key"))?;
        Ok((keys, answer.max_age))
    }
}

/// How far apart two times are, either way: a clock that was set back must not stop fetches for long.
fn distance(a: SystemTime, b: SystemTime) -> Duration {
    a.duration_since(b).or_else(|_| b.duration_since(a)).unwrap_or_default()
}

/// The usable keys of a set.
pub(super) struct KeySet {
    named: HashMap<String, Vec<PublicKey>>,
    all: Vec<PublicKey>,
    count: usize,
    /// Tells two sets apart, whatever the order and form they came in.
    fingerprint: Vec<String>,
}

impl KeySet {
    /// `None`, if it is no key set, or holds no key that can be used.
    fn read(text: &[u8]) -> Option<Self> {
        let members = json::object(text)?;
        let mut set = Self { named: HashMap::new(), all: Vec::new(), count: 0, fingerprint: Vec::new() };
        for jwk in members.get("keys")?.as_array()?.iter().take(MAX_JWKS_KEYS) {
            let Some(jwk) = jwk.as_object() else { continue };
            let Some(key) = PublicKey::read(jwk) else { continue };
            let kid = jwk.get("kid").and_then(Value::as_str).filter(|kid| kid.len() <= MAX_KID_BYTES);
            let only = jwk.get("alg").and_then(Value::as_str).unwrap_or_default();
            set.fingerprint.push(format!("{} {only} {}", key.thumbprint(), kid.unwrap_or_default()));
            if let Some(kid) = kid {
                set.named.entry(kid.to_owned()).or_default().push(key.clone());
            }
            set.all.push(key);
        }
        set.fingerprint.sort_unstable();
        set.count = set.all.len();
        (set.count > 0).then_some(set)
    }

    fn has(&self, kid: &str) -> bool {
        self.named.contains_key(kid)
    }

    /// The keys to try: those of this name, or without a name, a few of those that fit.
    pub(super) fn candidates(&self, kid: Option<&str>, algorithm: Algorithm) -> impl Iterator<Item = &PublicKey> {
        let keys = match kid {
            Some(kid) => self.named.get(kid).map(Vec::as_slice).unwrap_or_default(),
            None => &self.all,
        };
        keys.iter().filter(move |key| key.fits(algorithm)).take(MAX_KEYS_TRIED)
    }
}
