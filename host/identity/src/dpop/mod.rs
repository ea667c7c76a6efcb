//! Proofs that the caller has the key its token is bound to (RFC 9449).
//!
//! A stolen token alone is worth nothing then, and a stolen proof only for its method, its URL, its token and once.

mod nonce;
mod replay;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use subtle::ConstantTimeEq as _;
use url::Url;

use crate::error::ConfigError;
use crate::jose::{Algorithm, Compact, PublicKey, encode, sha256};
use crate::jwt::Claims;
use crate::limits::{MAX_NAME_BYTES, MAX_PROOF_BYTES};
use crate::refusal::Refusal;
use crate::secret::Secret;
use nonce::Nonces;
use replay::Replays;

/// How proofs are judged.
#[derive(Clone, Debug)]
pub struct DpopConfig {
    /// The algorithms that are allowed.
    pub algorithms: Vec<Algorithm>,
    /// How old a proof may be; at most 600 s.
    pub max_age: Duration,
    /// How far in the future it may be made.
    pub leeway: Duration,
    /// Whether every token must be bound to a key, so that plain bearer tokens are refused.
    pub required: bool,
    /// Whether a proof must hold a nonce of this server.
    pub require_nonce: bool,
    /// What nonces are made from, at least 32 bytes, the same for all hosts behind one name; `None` for a random one.
    pub nonce_secret: Option<Secret>,
}

impl Default for DpopConfig {
    fn default() -> Self {
        Self {
            algorithms: vec![Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS256, Algorithm::RS256],
            max_age: Duration::from_secs(60),
            leeway: Duration::from_secs(5),
            required: false,
            require_nonce: false,
            nonce_secret: None,
        }
    }
}

/// The judge of proofs, and its memory of them.
pub(crate) struct Dpop {
    config: DpopConfig,
    nonces: Option<Nonces>,
    replays: Replays,
}

/// A request, as far as a proof speaks of it.
pub(crate) struct Proven<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    pub(crate) token: &'a str,
    /// The thumbprint the token is bound to.
    pub(crate) key: &'a str,
}

impl Dpop {
    pub(crate) fn new(config: &DpopConfig) -> Result<Self, ConfigError> {
        if config.algorithms.is_empty() {
            return Err(ConfigError::NoProofAlgorithm);
        }
        if config.max_age + config.leeway > Duration::from_secs(600) {
            return Err(ConfigError::ProofAge);
        }
        let nonces = config.require_nonce.then(|| Nonces::new(config.nonce_secret.as_ref())).transpose()?;
        let replays = Replays::new(config.max_age + config.leeway);
        Ok(Self { config: config.clone(), nonces, replays })
    }

    pub(crate) fn required(&self) -> bool {
        self.config.required
    }

    /// Judges a proof by the list of RFC 9449, 4.3, and remembers it.
    ///
    /// # Errors
    /// [`Refusal::Proof`], [`Refusal::Nonce`], [`Refusal::Unavailable`] if no more proofs can be remembered.
    pub(crate) fn check(&self, proof: &str, request: &Proven<'_>, now: SystemTime) -> Result<(), Refusal> {
        let refuse = Refusal::Proof;
        if proof.len() > MAX_PROOF_BYTES {
            return Err(refuse("it is too long"));
        }
        let proof = Compact::parse(proof).map_err(refuse)?;
        if proof.kind().map_err(refuse)?.as_deref() != Some("dpop+jwt") {
            return Err(refuse("it is not of type dpop+jwt"));
        }
        if !self.config.algorithms.contains(&proof.algorithm) {
            return Err(refuse("its algorithm is not allowed"));
        }
        let jwk = proof.header.get("jwk").and_then(Value::as_object).ok_or(refuse("it holds no key"))?;
        if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|private| jwk.contains_key(*private)) {
            return Err(refuse("it holds a private key"));
        }
        let key = PublicKey::read(jwk).ok_or(refuse("its key cannot be used"))?;
        let text = |name: &str| proof.payload.get(name).and_then(Value::as_str);
        if text("htm") != Some(request.method) {
            return Err(refuse("it was made for another method"));
        }
        let made_for = text("htu").and_then(target).ok_or(refuse("it names no URL"))?;
        if Some(made_for) != target(request.url) {
            return Err(refuse("it was made for another URL"));
        }
        let issued = Claims::new(&proof.payload).time("iat").map_err(refuse)?.ok_or(refuse("it has no time"))?;
        if issued > now + self.config.leeway {
            return Err(refuse("it was made in the future"));
        }
        if issued + self.config.max_age < now {
            return Err(refuse("it is too old"));
        }
        let jti = text("jti").filter(|jti| (1..=MAX_NAME_BYTES).contains(&jti.len()));
        let jti = jti.ok_or(refuse("it has no short id"))?;
        let hash = encode(&sha256(request.token.as_bytes()));
        if !same(text("ath").unwrap_or_default(), &hash) {
            return Err(refuse("it was made for another token"));
        }
        if !same(&key.thumbprint(), request.key) {
            return Err(refuse("its key is not the one the token is bound to"));
        }
        if !proof.verified_by(&key) {
            return Err(refuse("its signature is wrong"));
        }
        if let Some(nonces) = &self.nonces
            && !text("nonce").is_some_and(|nonce| nonces.is_good(nonce, now))
        {
            return Err(Refusal::Nonce { nonce: nonces.current(now) });
        }
        self.replays.remember(request.key, jti, now)
    }
}

fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// A URL in the form that is compared: without query and fragment, otherwise as RFC 3986, 6.2.2 and 6.2.3 make it.
fn target(url: &str) -> Option<Url> {
    let mut url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

/// Seconds since 1970.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests;
