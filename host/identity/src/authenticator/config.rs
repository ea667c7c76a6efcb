//! What an operator configures.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use moka::future::Cache;

use super::{Authenticator, LONGEST_SEEN, Seen};
use crate::certificate::CertificateConfig;
use crate::challenge::Challenges;
use crate::dpop::{Dpop, DpopConfig};
use crate::error::ConfigError;
use crate::identity::LOCAL_PREFIX;
use crate::introspect::{Introspection, IntrospectionConfig};
use crate::jwt::{Issuer, JwtIssuer};
use crate::keys::Keys;
use crate::limits::{MAX_NAME_BYTES, TOKEN_CACHE_BYTES};
use crate::metadata::{Metadata, MetadataConfig};
use crate::outgoing::{Http, HttpConfig};
use crate::scopes::{Scopes, is_scope};

/// All there is to configure. The zero value lets nobody in and is refused.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The key file.
    pub keys: Option<PathBuf>,
    /// The issuers whose JWTs are taken.
    pub issuers: Vec<JwtIssuer>,
    /// The server that is asked about all other tokens.
    pub introspection: Option<IntrospectionConfig>,
    /// How client certificates become callers; `None` where they only bind.
    pub certificates: Option<CertificateConfig>,
    /// How DPoP proofs are judged; `None` to refuse tokens that are bound to keys.
    pub dpop: Option<DpopConfig>,
    /// The metadata document; what it says of DPoP is taken from `dpop`.
    pub metadata: Option<MetadataConfig>,
    /// What a scope directly implies.
    pub implied_scopes: BTreeMap<String, BTreeSet<String>>,
    /// The scopes a caller without a token is told to ask for.
    pub challenge_scopes: Vec<String>,
    /// How authorization servers are reached.
    pub http: HttpConfig,
}

impl Authenticator {
    /// Reads the key file and the certificates; no server is asked before the first token comes.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        let tokens = !config.issuers.is_empty() || config.introspection.is_some();
        if config.keys.is_none() && config.certificates.is_none() && !tokens {
            return Err(ConfigError::NoMethod);
        }
        if let Some(bad) = config.challenge_scopes.iter().find(|scope| !is_scope(scope)) {
            return Err(ConfigError::Scope(bad.escape_default().to_string()));
        }
        let reserved = prefixes(&config)?;
        let mut issuers: BTreeSet<&str> = BTreeSet::new();
        if let Some(twice) = config.issuers.iter().find(|issuer| !issuers.insert(&issuer.issuer)) {
            return Err(ConfigError::IssuerTwice(twice.issuer.clone()));
        }
        let scopes = Arc::new(Scopes::new(&config.implied_scopes)?);
        let http = Http::new(&config.http)?;
        let proofs = config.dpop.as_ref().map(|dpop| dpop.algorithms.clone());
        let proofs_required = config.dpop.as_ref().is_some_and(|dpop| dpop.required);
        let metadata = config
            .metadata
            .map(|metadata| Metadata::new(&MetadataConfig { proofs: proofs.clone(), proofs_required, ..metadata }));
        let metadata = metadata.transpose()?;
        let challenges = Challenges {
            resource_metadata: metadata.as_ref().map(|metadata| metadata.url().to_owned()),
            scopes: config.challenge_scopes,
            proofs,
            proofs_required,
        };
        let issuer = |issuer: &JwtIssuer| Issuer::new(issuer, &http, Arc::clone(&reserved));
        let weigh = |_: &[u8; 32], seen: &Arc<Seen>| u32::try_from(seen.verified.identity.weight()).unwrap_or(u32::MAX);
        Ok(Self {
            keys: config.keys.map(|path| Keys::open(path, Arc::clone(&scopes))).transpose()?,
            issuers: config.issuers.iter().map(issuer).collect::<Result<_, _>>()?,
            introspection: config.introspection.map(|config| Introspection::new(&config, &http)).transpose()?,
            certificates: config.certificates,
            dpop: config.dpop.as_ref().map(Dpop::new).transpose()?,
            metadata,
            challenges,
            tokens: Cache::builder().max_capacity(TOKEN_CACHE_BYTES).weigher(weigh).time_to_live(LONGEST_SEEN).build(),
            scopes,
        })
    }
}

/// What principals of the configured methods start with, each once.
fn prefixes(config: &Config) -> Result<Arc<[String]>, ConfigError> {
    let certificates = config.certificates.as_ref().map_or("cert", |certificates| certificates.prefix.as_str());
    let mut taken = BTreeSet::from([LOCAL_PREFIX.to_owned()]);
    let issuers = config.issuers.iter().map(|issuer| &issuer.name);
    let names = issuers.chain(config.introspection.iter().map(|server| &server.name)).map(String::as_str);
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    for name in [certificates].into_iter().chain(names) {
        let well_formed = (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(allowed);
        if !well_formed || !taken.insert(name.to_owned()) {
            return Err(ConfigError::IssuerName(name.escape_default().to_string()));
        }
    }
    taken.insert("cert".to_owned());
    Ok(taken.into_iter().collect())
}
