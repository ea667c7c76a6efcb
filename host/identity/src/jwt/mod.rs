//! Access tokens that say everything themselves: JWTs of configured issuers (RFC 9068 in the main, and what issuers of
//! standing do instead).

mod claims;
mod discovery;
mod jwks;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::access::{Binding, Verified};
use crate::error::ConfigError;
use crate::identity::{Identity, Method, claims_text};
use crate::jose::{Algorithm, Compact};
use crate::metadata::canonical;
use crate::outgoing::Http;
use crate::refusal::Refusal;
use crate::scopes::Scopes;
pub(crate) use claims::{Claims, audience_matches};
use jwks::Jwks;

/// An issuer whose tokens are taken.
#[derive(Clone, Debug)]
pub struct JwtIssuer {
    /// The operator's name for it, the start of its principals: lower case letters, digits, `-` and `_`.
    pub name: String,
    /// The issuer as its tokens and its metadata write it, to the letter.
    pub issuer: String,
    /// What its tokens must be made for, one of these: this server's resource URL.
    pub audiences: Vec<String>,
    /// Where its keys are; `None` to ask its metadata.
    pub jwks_uri: Option<String>,
    /// The algorithms that are allowed.
    pub algorithms: Vec<Algorithm>,
    /// How far its clock may be from ours; at most 300 s.
    pub leeway: Duration,
    /// The claim that names the caller; dots go into objects.
    pub principal_claim: String,
    /// Whether the principal is that claim as it is, and not `<name>:<claim>`.
    pub plain_principal: bool,
    /// The claim that lists the caller's groups; dots go into objects.
    pub groups_claim: Option<String>,
    /// Whether a token must say in its header that it is an access token (`at+jwt`).
    pub require_at_jwt: bool,
}

impl JwtIssuer {
    /// An issuer with the defaults: keys by discovery, [`Algorithm::DEFAULT`], 60 s, `sub`, no groups.
    pub fn new(name: &str, issuer: &str, audience: &str) -> Self {
        Self {
            name: name.to_owned(),
            issuer: issuer.to_owned(),
            audiences: vec![audience.to_owned()],
            jwks_uri: None,
            algorithms: Algorithm::DEFAULT.to_vec(),
            leeway: Duration::from_secs(60),
            principal_claim: "sub".to_owned(),
            plain_principal: false,
            groups_claim: None,
            require_at_jwt: false,
        }
    }
}

/// An issuer at work.
pub(crate) struct Issuer {
    config: JwtIssuer,
    audiences: Vec<String>,
    jwks: Arc<Jwks>,
    /// The prefixes a plain principal must not have.
    reserved: Arc<[String]>,
}

impl Issuer {
    pub(crate) fn new(config: &JwtIssuer, http: &Http, reserved: Arc<[String]>) -> Result<Self, ConfigError> {
        let name = || config.name.clone();
        if config.audiences.is_empty() {
            return Err(ConfigError::NoAudience(name()));
        }
        if config.algorithms.is_empty() {
            return Err(ConfigError::NoAlgorithm(name()));
        }
        if config.leeway > Duration::from_secs(300) {
            return Err(ConfigError::Leeway(name()));
        }
        let issuer = http.url("an issuer", &config.issuer)?;
        let uri = config.jwks_uri.as_deref().map(|uri| http.url("a jwks_uri", uri)).transpose()?;
        let jwks = Arc::new(Jwks::new(http.clone(), issuer, config.issuer.clone(), uri));
        let audiences = config.audiences.iter().map(|audience| canonical(audience)).collect();
        Ok(Self { config: config.clone(), audiences, jwks, reserved })
    }

    pub(crate) fn name_and_leeway(&self) -> (&str, Duration) {
        (&self.config.name, self.config.leeway)
    }

    /// Whether the token says it is of this issuer.
    pub(crate) fn is_of(&self, token: &Compact<'_>) -> bool {
        token.payload.get("iss").and_then(serde_json::Value::as_str) == Some(&self.config.issuer)
    }

    /// The generation of the keys, while they need not be fetched again.
    pub(crate) fn generation(&self, now: SystemTime) -> Option<u64> {
        self.jwks.fresh(now).map(|loaded| loaded.generation)
    }

    /// The caller that a token of this issuer names, and the generation of the keys that say so.
    ///
    /// # Errors
    /// [`Refusal::Token`], [`Refusal::Unavailable`].
    pub(crate) async fn verify(
        &self,
        token: &Compact<'_>,
        scopes: &Scopes,
        now: SystemTime,
    ) -> Result<(Verified, u64), Refusal> {
        if !self.config.algorithms.contains(&token.algorithm) {
            return Err(Refusal::Token("its algorithm is not allowed"));
        }
        let kind = token.kind().map_err(Refusal::Token)?;
        match kind.as_deref() {
            Some("at+jwt") => {}
            _ if self.config.require_at_jwt => return Err(Refusal::Token("it is not of type at+jwt")),
            None | Some("jwt") => {}
            Some(_) => return Err(Refusal::Token("it is not an access token")),
        }
        // What is cheap to see is seen before the signature; what it says is believed only after.
        let claims = Claims::new(&token.payload);
        let expires = claims.valid_at(now, self.config.leeway).map_err(Refusal::Token)?;
        let expires = expires.ok_or(Refusal::Token("it has no expiry"))?;
        if !audience_matches(&token.payload, &self.audiences) {
            return Err(Refusal::Token("it was not made for this server"));
        }
        let kid = token.kid().map_err(Refusal::Token)?;
        let loaded = self.jwks.with(kid, now).await?;
        let mut tried = false;
        let signed = loaded.keys.candidates(kid, token.algorithm).any(|key| {
            tried = true;
            token.verified_by(key)
        });
        if !signed {
            return Err(Refusal::Token(if tried { "its signature is wrong" } else { "its issuer has no such key" }));
        }
        let principal = claims.principal(&self.config.principal_claim).map_err(Refusal::Token)?;
        let principal = if self.config.plain_principal {
            let taken = |prefix: &&str| self.reserved.iter().any(|reserved| reserved == prefix);
            if principal.split_once(':').map(|(prefix, _)| prefix).filter(taken).is_some() {
                return Err(Refusal::Token("its principal is one of another method"));
            }
            principal.to_owned()
        } else {
            format!("{}:{principal}", self.config.name)
        };
        let identity = Identity {
            groups: claims.groups(self.config.groups_claim.as_deref()).map_err(Refusal::Token)?,
            scopes: scopes.close(&claims.scopes().map_err(Refusal::Token)?),
            claims: claims_text(&token.payload),
            expires: Some(expires),
            issuer: Some(self.config.name.clone()),
            ..Identity::new(principal, Method::Jwt)
        };
        let binding = Binding::read(&token.payload).map_err(Refusal::Token)?;
        // With the leeway: the same moment the check above ends at.
        let until = expires + self.config.leeway;
        Ok((Verified { identity: Arc::new(identity), binding, until }, loaded.generation))
    }
}
