//! All ways to tell who is calling, at once.
//!
//! One request, one credential: two are refused. Beside a token or a key, a client certificate only binds: the token or
//! the key says who it is. A certificate alone says it itself.

mod config;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use moka::future::Cache;

use crate::access::Verified;
use crate::certificate;
use crate::certificate::CertificateConfig;
use crate::challenge::{Answer, Challenges};
use crate::dpop::{Dpop, Proven};
use crate::identity::{Identity, Method, Standing};
use crate::introspect::Introspection;
use crate::jose::{Compact, sha256};
use crate::jwt::Issuer;
use crate::keys::{KeyText, Keys};
use crate::metadata::Metadata;
use crate::presented::{Credential, Presented, credential, proof};
use crate::refusal::Refusal;
use crate::scopes::Scopes;
use crate::secret::Secret;
pub use config::Config;

/// Tells who is calling. Shared by all requests.
pub struct Authenticator {
    scopes: Arc<Scopes>,
    keys: Option<Keys>,
    issuers: Vec<Issuer>,
    introspection: Option<Introspection>,
    certificates: Option<CertificateConfig>,
    dpop: Option<Dpop>,
    metadata: Option<Metadata>,
    challenges: Challenges,
    /// JWTs that were found good, by their hash.
    tokens: Cache<[u8; 32], Arc<Seen>>,
}

/// A JWT that was found good.
struct Seen {
    verified: Verified,
    /// The index of its issuer.
    issuer: usize,
    /// The generation of the keys that said so: others may not.
    generation: u64,
}

/// How long a verified JWT is kept at most.
const LONGEST_SEEN: Duration = Duration::from_secs(3600);

impl Authenticator {
    /// Who is calling.
    ///
    /// # Errors
    /// A [`Refusal`], for [`Authenticator::answer`].
    pub async fn identify(&self, request: &Presented<'_>) -> Result<Arc<Identity>, Refusal> {
        let (token, proven) = match credential(request.headers)? {
            Credential::None => return self.certificate(request),
            Credential::Key(key) => return self.key(key, request.now),
            Credential::Bearer(key) if KeyText::is_meant(key) => return self.key(key, request.now),
            Credential::Bearer(token) => (token, false),
            Credential::Dpop(token) => (token, true),
        };
        // Apart, because it is large, and most calls show a key, which needs nothing of it.
        Box::pin(self.bearer(request, token, proven)).await
    }

    /// Who is calling with an access token.
    async fn bearer(&self, request: &Presented<'_>, token: &str, proven: bool) -> Result<Arc<Identity>, Refusal> {
        let dpop = match (&self.dpop, proven) {
            (Some(dpop), _) => Some(dpop),
            (None, false) => None,
            (None, true) => return Err(Refusal::Token("DPoP is not supported here: use Bearer")),
        };
        // Before anybody is asked about the token.
        let proof = if proven { Some(proof(request.headers)?) } else { None };
        let verified = self.token(token, request.now).await?;
        match (&verified.binding.key, proof) {
            (None, None) if dpop.is_some_and(Dpop::required) => {
                return Err(Refusal::Token("it must be bound to a key by DPoP"));
            }
            (None, None) => {}
            (None, Some(_)) => return Err(Refusal::Token("it is not bound to a key: use Bearer")),
            (Some(_), None) => return Err(Refusal::Token("it is bound to a key: use DPoP")),
            (Some(key), Some(proof)) => {
                let proven = Proven { method: request.method, url: request.url, token, key };
                dpop.ok_or(Refusal::Token("it is bound to a key"))?.check(proof, &proven, request.now)?;
            }
        }
        verified.binding.check_certificate(request.peer_certificate)?;
        Ok(verified.identity)
    }

    /// What has become of what `identity` was told by, as far as it can be told without asking anybody.
    pub fn standing(&self, identity: &Identity, now: SystemTime) -> Standing {
        if identity.via == Method::Key {
            return self.keys.as_ref().map_or(Standing::Revoked, |keys| keys.standing(identity, now));
        }
        match identity.expires {
            // As long as the door would let it in.
            Some(expires) if now >= expires + self.leeway(identity) => Standing::Expired,
            _ => Standing::Good,
        }
    }

    /// Whether the server that was asked about an access token still says that it is good; yes, where nobody needs be
    /// asked or nobody answers. Many that ask at once are one question, and answers are kept as for callers.
    pub async fn is_active(&self, identity: &Identity, token: &Secret, now: SystemTime) -> bool {
        if identity.via != Method::Introspection {
            return true;
        }
        !matches!(self.token(token.expose(), now).await, Err(Refusal::Token(_)))
    }

    fn leeway(&self, identity: &Identity) -> Duration {
        let name = identity.issuer.as_deref();
        let issuers = self.issuers.iter().map(Issuer::name_and_leeway);
        let asked = self.introspection.iter().map(Introspection::name_and_leeway);
        let found = issuers.chain(asked).find(|(known, _)| Some(*known) == name);
        found.map_or(Duration::ZERO, |(_, leeway)| leeway)
    }

    /// Whether `identity` may do what needs `required`.
    ///
    /// # Errors
    /// [`Refusal::Scope`] with all of `required`, so that the client asks for them at once.
    pub fn require(&self, identity: &Identity, required: &[String]) -> Result<(), Refusal> {
        let missing = self.scopes.missing(required.iter().map(String::as_str), &identity.scopes);
        if missing.is_empty() {
            return Ok(());
        }
        let required: BTreeSet<String> = required.iter().cloned().collect();
        Err(Refusal::Scope { required: required.into_iter().collect() })
    }

    /// The HTTP answer to a refusal. `required` are the scopes the operation needs, where they are known.
    pub fn answer(&self, refusal: &Refusal, required: Option<&[String]>) -> Answer {
        self.challenges.answer(refusal, required)
    }

    /// The protected resource metadata, where there is an authorization server.
    pub fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref()
    }

    /// Which scopes hold which.
    pub fn scopes(&self) -> &Arc<Scopes> {
        &self.scopes
    }

    fn key(&self, key: &str, now: SystemTime) -> Result<Arc<Identity>, Refusal> {
        self.keys.as_ref().ok_or(Refusal::Key)?.identify(key, now)
    }

    fn certificate(&self, request: &Presented<'_>) -> Result<Arc<Identity>, Refusal> {
        match (&self.certificates, request.peer_certificate) {
            (Some(config), Some(der)) => certificate::identify(config, der, &self.scopes, request.now).map(Arc::new),
            _ => Err(Refusal::Missing),
        }
    }

    async fn token(&self, token: &str, now: SystemTime) -> Result<Verified, Refusal> {
        let hash = sha256(token.as_bytes());
        if let Some(seen) = self.tokens.get(&hash).await {
            let generation = self.issuers.get(seen.issuer).and_then(|issuer| issuer.generation(now));
            if now < seen.verified.until && generation == Some(seen.generation) {
                return Ok(seen.verified.clone());
            }
        }
        let parsed = Compact::parse(token);
        if let Ok(parsed) = &parsed {
            let of = |(_, issuer): &(usize, &Issuer)| issuer.is_of(parsed);
            if let Some((index, issuer)) = self.issuers.iter().enumerate().find(of) {
                let (verified, generation) = issuer.verify(parsed, &self.scopes, now).await?;
                let seen = Seen { verified: verified.clone(), issuer: index, generation };
                self.tokens.insert(hash, Arc::new(seen)).await;
                return Ok(verified);
            }
        }
        match (&self.introspection, parsed) {
            (Some(introspection), _) => introspection.verify(token, &self.scopes, now).await,
            (None, _) if self.issuers.is_empty() => Err(Refusal::Token("access tokens are not taken here")),
            (None, Ok(_)) => Err(Refusal::Token("its issuer is not known here")),
            (None, Err(problem)) => Err(Refusal::Token(problem)),
        }
    }
}
