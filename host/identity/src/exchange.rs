//! A token for somewhere else, made from the caller's (RFC 8693). The caller's own token goes to the exchanging server
//! and nowhere else.

use std::time::{Duration, Instant, SystemTime};

use moka::Expiry;
use moka::future::Cache;
use serde_json::Value;
use url::Url;

use crate::error::ConfigError;
use crate::jose::sha256;
use crate::json;
use crate::limits::{EXCHANGE_CACHE, MAX_CREDENTIAL_BYTES};
use crate::outgoing::{ClientSecret, Http, HttpConfig, HttpError};
use crate::secret::Secret;

/// Where and for what tokens are exchanged.
#[derive(Clone, Debug)]
pub struct ExchangeConfig {
    /// The token endpoint.
    pub endpoint: String,
    /// What this server shows it (HTTP Basic).
    pub client: ClientSecret,
    /// Who the new token is for, by the name it has there (RFC 8693, 2.1).
    pub audience: Option<String>,
    /// Who the new token is for, by its URL.
    pub resource: Option<String>,
    /// What it is to be good for, divided by spaces; `None` for what the server gives.
    pub scope: Option<String>,
}

/// Whose token is exchanged.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The caller's name, as in [`Identity`](crate::Identity).
    pub principal: &'a str,
    /// The caller's access token.
    pub token: &'a Secret,
    /// When that ends; the new one is not kept longer.
    pub expires: Option<SystemTime>,
}

/// A token for the audience.
#[derive(Clone, Debug)]
pub struct Exchanged {
    /// The token: attach it, never show it.
    pub token: Secret,
    /// When it ends.
    pub expires: SystemTime,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// The server refused, which may be about this caller only.
    #[error("the authorization server gives no token for this caller: see its log")]
    Refused,
    /// The server could not be asked, or what it said is not what the standard says.
    #[error("the token cannot be exchanged now: {0}")]
    Unavailable(String),
}

/// How long before its end a token is exchanged again.
const EARLY: Duration = Duration::from_secs(30);
/// How long a token is good whose server does not say.
const UNSAID: Duration = Duration::from_secs(60);
/// The longest a token is kept.
const LONGEST: Duration = Duration::from_secs(3600);
/// How long a refusal is kept: a guest that asks in a loop must not make a flood of questions of it.
const REFUSED: Duration = Duration::from_secs(5);

/// An exchange, and the tokens it gave lately.
///
/// Tokens are kept by principal and by the token they were made from: a caller who comes back with a token that is good
/// for less must not get what was made from the one that was good for more.
pub struct TokenExchange {
    config: ExchangeConfig,
    endpoint: Url,
    http: Http,
    known: Cache<[u8; 32], Kept>,
    refused: Cache<[u8; 32], (ExchangeError, SystemTime)>,
}

#[derive(Clone)]
struct Kept {
    exchanged: Exchanged,
    until: SystemTime,
    lives: Duration,
}

struct Lives;

impl Expiry<[u8; 32], Kept> for Lives {
    fn expire_after_create(&self, _: &[u8; 32], kept: &Kept, _: Instant) -> Option<Duration> {
        Some(kept.lives)
    }
}

impl TokenExchange {
    /// # Errors
    /// [`ConfigError::Url`], [`ConfigError::Authority`].
    pub fn new(config: &ExchangeConfig, http: &HttpConfig) -> Result<Self, ConfigError> {
        let http = Http::new(http)?;
        let endpoint = http.url("a token endpoint", &config.endpoint)?;
        let known = Cache::builder().max_capacity(EXCHANGE_CACHE).expire_after(Lives).build();
        let refused = Cache::builder().max_capacity(EXCHANGE_CACHE).time_to_live(REFUSED).build();
        Ok(Self { config: config.clone(), endpoint, http, known, refused })
    }

    /// A token for the configured audience, in the name of `subject`. Many that ask at once make one exchange.
    ///
    /// # Errors
    /// [`ExchangeError`].
    pub async fn exchange(&self, subject: Subject<'_>, now: SystemTime) -> Result<Exchanged, ExchangeError> {
        let mut key = sha256(subject.principal.as_bytes()).to_vec();
        key.extend(sha256(subject.token.expose().as_bytes()));
        let key = sha256(&key);
        if let Some(kept) = self.known.get(&key).await {
            if now < kept.until {
                return Ok(kept.exchanged);
            }
            self.known.invalidate(&key).await;
        }
        if let Some((error, since)) = self.refused.get(&key).await
            && now.duration_since(since).is_ok_and(|age| age < REFUSED)
        {
            return Err(error);
        }
        match self.known.try_get_with(key, self.ask(subject, now)).await {
            Ok(kept) => Ok(kept.exchanged),
            Err(error) => {
                let error = ExchangeError::clone(&error);
                self.refused.insert(key, (error.clone(), now)).await;
                Err(error)
            }
        }
    }

    async fn ask(&self, subject: Subject<'_>, now: SystemTime) -> Result<Kept, ExchangeError> {
        let mut form = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", subject.token.expose()),
            ("subject_token_type", ACCESS_TOKEN),
            ("requested_token_type", ACCESS_TOKEN),
        ];
        form.extend(self.config.audience.as_deref().map(|audience| ("audience", audience)));
        form.extend(self.config.resource.as_deref().map(|resource| ("resource", resource)));
        form.extend(self.config.scope.as_deref().map(|scope| ("scope", scope)));
        let answer = self.http.post(&self.endpoint, &self.config.client, &form).await.map_err(|error| {
            tracing::warn!(endpoint = %self.endpoint, %error, "a token cannot be exchanged");
            match error {
                HttpError::Status(400 | 401 | 403) => ExchangeError::Refused,
                error => ExchangeError::Unavailable(error.to_string()),
            }
        })?;
        let exchanged = read(&answer.body, now).map_err(|problem| ExchangeError::Unavailable(problem.to_owned()))?;
        if exchanged.token.expose() == subject.token.expose() {
            return Err(ExchangeError::Unavailable("the answer holds the caller's own token".to_owned()));
        }
        let until = exchanged.expires.checked_sub(EARLY).unwrap_or(now).min(now + LONGEST);
        let until = subject.expires.map_or(until, |expires| until.min(expires));
        let lives = until.duration_since(now).unwrap_or_default();
        Ok(Kept { exchanged, until, lives })
    }
}

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The answer of RFC 8693, 2.2.1.
fn read(body: &[u8], now: SystemTime) -> Result<Exchanged, &'static str> {
    let answer = json::object(body).ok_or("the answer is not plain JSON")?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    let visible = |token: &&str| token.len() <= MAX_CREDENTIAL_BYTES && token.bytes().all(|b| matches!(b, 0x21..=0x7e));
    let token = text("access_token").filter(|token| !token.is_empty()).ok_or("the answer holds no token")?;
    Some(token).filter(visible).ok_or("the answer holds a token that cannot be sent")?;
    if !text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err("the answer holds a token that is not a bearer token");
    }
    if text("issued_token_type").is_some_and(|kind| kind != ACCESS_TOKEN) {
        return Err("the answer holds a token of another type");
    }
    let lives = answer.get("expires_in").and_then(Value::as_u64).map_or(UNSAID, Duration::from_secs);
    Ok(Exchanged { token: Secret::from(token), expires: now + lives.min(10 * LONGEST) })
}

#[cfg(test)]
mod tests;
