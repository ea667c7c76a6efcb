//! Access tokens that say nothing themselves: their server is asked (RFC 7662), once for all that wait for the same
//! token, and its answer is kept for a short while.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use moka::Expiry;
use moka::future::Cache;
use serde_json::Value;
use tokio::sync::Semaphore;
use url::Url;

use crate::access::{Binding, Verified};
use crate::error::ConfigError;
use crate::identity::{Identity, Method, claims_text};
use crate::jose::sha256;
use crate::json;
use crate::jwt::{Claims, audience_matches};
use crate::limits::{INTROSPECTION_CACHE, INTROSPECTION_WAIT, INTROSPECTIONS_AT_ONCE};
use crate::metadata::canonical;
use crate::outgoing::{ClientSecret, Http, HttpError};
use crate::refusal::Refusal;
use crate::scopes::Scopes;

/// A server that is asked about tokens.
#[derive(Clone, Debug)]
pub struct IntrospectionConfig {
    /// The operator's name for it, the start of its principals: lower case letters, digits, `-` and `_`.
    pub name: String,
    /// The introspection endpoint.
    pub endpoint: String,
    /// What this server shows it (HTTP Basic).
    pub client: ClientSecret,
    /// What its tokens must be made for, one of these: this server's resource URL.
    pub audiences: Vec<String>,
    /// Whether an answer without `aud` is believed. Only for a server whose tokens are all for this resource.
    pub allow_no_audience: bool,
    /// The issuer an answer with `iss` must name.
    pub issuer: Option<String>,
    /// The member that names the caller; dots go into objects.
    pub principal_claim: String,
    /// The member that lists the caller's groups; dots go into objects.
    pub groups_claim: Option<String>,
    /// How long an answer is kept: so long may a revoked token still be good.
    pub ttl: Duration,
    /// How far its clock may be from ours.
    pub leeway: Duration,
}

impl IntrospectionConfig {
    /// A server with the defaults: `sub`, no groups, answers kept for 30 s, leeway 60 s.
    pub fn new(name: &str, endpoint: &str, client: ClientSecret, audience: &str) -> Self {
        Self {
            name: name.to_owned(),
            endpoint: endpoint.to_owned(),
            client,
            audiences: vec![audience.to_owned()],
            allow_no_audience: false,
            issuer: None,
            principal_claim: "sub".to_owned(),
            groups_claim: None,
            ttl: Duration::from_secs(30),
            leeway: Duration::from_secs(60),
        }
    }
}

/// How long a refusal is kept: long enough that a flood of one bad token asks once.
const REFUSED_TTL: Duration = Duration::from_secs(5);
/// The longest an answer is kept, whatever the operator wrote.
const LONGEST_TTL: Duration = Duration::from_secs(3600);

/// The server, and what it said lately.
pub(crate) struct Introspection {
    config: IntrospectionConfig,
    endpoint: Url,
    audiences: Vec<String>,
    http: Http,
    turns: Semaphore,
    known: Cache<[u8; 32], Known>,
}

/// What it said of one token.
#[derive(Clone)]
struct Known {
    said: Result<Verified, &'static str>,
    until: SystemTime,
    /// For the cache, which has its own clock.
    lives: Duration,
}

struct Lives;

impl Expiry<[u8; 32], Known> for Lives {
    fn expire_after_create(&self, _: &[u8; 32], known: &Known, _: Instant) -> Option<Duration> {
        Some(known.lives)
    }
}

impl Introspection {
    pub(crate) fn new(config: &IntrospectionConfig, http: &Http) -> Result<Self, ConfigError> {
        if config.audiences.is_empty() && !config.allow_no_audience {
            return Err(ConfigError::NoAudience(config.name.clone()));
        }
        if config.leeway > Duration::from_secs(300) {
            return Err(ConfigError::Leeway(config.name.clone()));
        }
        Ok(Self {
            endpoint: http.url("an introspection endpoint", &config.endpoint)?,
            audiences: config.audiences.iter().map(|audience| canonical(audience)).collect(),
            http: http.clone(),
            turns: Semaphore::new(INTROSPECTIONS_AT_ONCE),
            known: Cache::builder().max_capacity(INTROSPECTION_CACHE).expire_after(Lives).build(),
            config: config.clone(),
        })
    }

    pub(crate) fn name_and_leeway(&self) -> (&str, Duration) {
        (&self.config.name, self.config.leeway)
    }

    /// The caller that the server names for `token`.
    ///
    /// # Errors
    /// [`Refusal::Token`], [`Refusal::Unavailable`].
    pub(crate) async fn verify(&self, token: &str, scopes: &Scopes, now: SystemTime) -> Result<Verified, Refusal> {
        let hash = sha256(token.as_bytes());
        if let Some(known) = self.known.get(&hash).await {
            if now < known.until {
                return known.said.map_err(Refusal::Token);
            }
            self.known.invalidate(&hash).await;
        }
        let known = self.known.try_get_with(hash, self.ask(token, scopes, now)).await;
        known.map_err(|refusal| Refusal::clone(&refusal))?.said.map_err(Refusal::Token)
    }

    async fn ask(&self, token: &str, scopes: &Scopes, now: SystemTime) -> Result<Known, Refusal> {
        let turn = tokio::time::timeout(INTROSPECTION_WAIT, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(Refusal::Unavailable("too many tokens are being checked")) };
        let form = [("token", token), ("token_type_hint", "access_token")];
        let said = match self.http.post(&self.endpoint, &self.config.client, &form).await {
            Ok(answer) => self.judge(&answer.body, scopes, now),
            // The question is well formed, so it is the token that cannot be asked about: many servers refuse JWTs.
            Err(HttpError::Status(400)) => Err("its server does not take it"),
            Err(error) => {
                tracing::warn!(server = self.config.name, %error, "a token cannot be introspected");
                return Err(Refusal::Unavailable("the authorization server does not answer"));
            }
        };
        let ttl = match &said {
            Ok(verified) => verified.until.duration_since(now).unwrap_or_default(),
            Err(_) => REFUSED_TTL,
        };
        Ok(Known { said, until: now + ttl, lives: ttl })
    }

    fn judge(&self, body: &[u8], scopes: &Scopes, now: SystemTime) -> Result<Verified, &'static str> {
        let answer = json::object(body).ok_or("its server's answer is not plain JSON")?;
        if answer.get("active") != Some(&Value::Bool(true)) {
            return Err("it is not active");
        }
        let claims = Claims::new(&answer);
        let expires = claims.valid_at(now, self.config.leeway)?;
        if let (Some(wanted), Some(issuer)) = (&self.config.issuer, answer.get("iss"))
            && issuer.as_str() != Some(wanted)
        {
            return Err("it is of another issuer");
        }
        let unnamed = self.config.allow_no_audience && !answer.contains_key("aud");
        if !unnamed && !audience_matches(&answer, &self.audiences) {
            return Err("it was not made for this server");
        }
        let principal = claims.principal(&self.config.principal_claim)?;
        let identity = Identity {
            groups: claims.groups(self.config.groups_claim.as_deref())?,
            scopes: scopes.close(&claims.scopes()?),
            claims: claims_text(&answer),
            expires,
            issuer: Some(self.config.name.clone()),
            ..Identity::new(format!("{}:{principal}", self.config.name), Method::Introspection)
        };
        let until = now + self.config.ttl.min(LONGEST_TTL);
        let until = expires.map_or(until, |expires| until.min(expires + self.config.leeway));
        Ok(Verified { identity: Arc::new(identity), binding: Binding::read(&answer)?, until })
    }
}

#[cfg(test)]
mod tests;
