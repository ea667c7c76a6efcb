//! What a server needs besides its plugins: who is let in, how much they may use, what is written down.

use crate::config::{AuthConfig, CertificateOwner, CertificatePlace, CertificateRules, Config, RecordConfig};
use crate::host::door::Door;
use crate::host::overseer::Keeper;
use crate::transport::http::Traffic;
use anyhow::{Context, anyhow};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use toolcell_identity::{
    Authenticator, CertificateConfig, CertificateName, ClientSecret, DpopConfig, HttpConfig, IntrospectionConfig,
    JwtIssuer, Mapped, MetadataConfig, Secret,
};
use toolcell_quota::Quotas;
use toolcell_telemetry::audit::{AuditConfig, AuditKey, Full};
use toolcell_telemetry::otlp::OtlpConfig;
use toolcell_telemetry::redact::Redactor;
use toolcell_telemetry::{Telemetry, UsageConfig};

/// How often usage is written, and for how many days it is kept.
const SAVE_EVERY: Duration = Duration::from_secs(10);
const KEEP_DAYS: usize = 400;

/// All of it. The default lets everyone in, counts nothing and writes nothing.
#[derive(Clone)]
pub(super) struct Production {
    pub(super) telemetry: Telemetry,
    /// Counts and writes; none where there is nothing to count or write.
    pub(super) keeper: Option<Keeper>,
    pub(super) door: Option<Arc<Door>>,
    /// What the endpoint has to do.
    pub(super) traffic: Traffic,
}

impl Production {
    /// Nothing of it.
    pub(super) fn none() -> Self {
        Self { telemetry: Telemetry::off(), keeper: None, door: None, traffic: Traffic::default() }
    }

    /// What the configuration says. Blocks for a moment: it opens files.
    ///
    /// # Errors
    /// Something cannot be set up; the text says what to change.
    pub(super) fn of(config: &Config, metrics: bool) -> anyhow::Result<Self> {
        let telemetry = telemetry(&config.records, metrics)?;
        let quotas = config.quotas.clone().map(Quotas::new).transpose().context("[quotas]")?;
        let watched = metrics || quotas.is_some() || config.records != RecordConfig::default();
        let keeper = watched.then(|| Keeper::new(quotas, telemetry.clone()));
        let door = authenticator(&config.auth)?.map(|it| {
            let door = Door::new(it, telemetry.clone());
            Arc::new(door.known_as(config.auth.resource.as_deref()))
        });
        Ok(Self { telemetry, keeper, door, traffic: Traffic::default() })
    }
}

fn telemetry(records: &RecordConfig, metrics: bool) -> anyhow::Result<Telemetry> {
    if !metrics && *records == RecordConfig::default() {
        return Ok(Telemetry::off());
    }
    let audit = records.audit.as_ref().map(|said| {
        let default = AuditConfig::new(&said.dir);
        Ok::<_, anyhow::Error>(AuditConfig {
            key: said.key.as_deref().map(key).transpose()?,
            full: if said.drop_when_full { Full::DropAndCount } else { Full::Block },
            keep: said.keep.unwrap_or(default.keep),
            max_bytes: said.max_bytes.unwrap_or(default.max_bytes),
            ..default
        })
    });
    let otlp = records.otlp.as_ref().map(|said| {
        let mut otlp = OtlpConfig::new(&said.endpoint);
        otlp.headers = said
            .headers_env
            .iter()
            .map(|(name, env)| {
                let value = std::env::var(env);
                Ok((
                    name.clone(),
                    value.with_context(|| format!("the variable {env} for the collector's header {name}"))?,
                ))
            })
            .collect::<anyhow::Result<HashMap<_, _>>>()?;
        otlp.sampling.ratio = said.ratio.unwrap_or(otlp.sampling.ratio);
        if said.contents {
            let none: &[&str] = &[];
            otlp.contents = Some(Redactor::new(&said.redact, none).context("`redact` in [telemetry]")?);
        }
        Ok::<_, anyhow::Error>(otlp)
    });
    let usage = records.usage.clone().map(|dir| UsageConfig { dir, save_every: SAVE_EVERY, keep_days: KEEP_DAYS });
    let config = toolcell_telemetry::Config { metrics, audit: audit.transpose()?, usage, otlp: otlp.transpose()? };
    Ok(Telemetry::new(config)?)
}

/// The key of an audit log.
///
/// # Errors
/// The file cannot be read, or others can read it too.
pub(super) fn key(file: &Path) -> anyhow::Result<AuditKey> {
    AuditKey::from_file(file).with_context(|| format!("the audit log's key {}", file.display()))
}

fn authenticator(auth: &AuthConfig) -> anyhow::Result<Option<Authenticator>> {
    if auth.is_empty() {
        return Ok(None);
    }
    let resource = auth.resource.as_deref();
    let with_resource = |audiences: &[String]| -> Vec<String> {
        resource.map(str::to_owned).into_iter().chain(audiences.iter().cloned()).collect()
    };
    let issuers: Vec<JwtIssuer> = auth
        .issuers
        .iter()
        .map(|said| {
            let default = JwtIssuer::new(&said.name, &said.issuer, "");
            JwtIssuer {
                audiences: with_resource(&said.audiences),
                jwks_uri: said.jwks_uri.clone(),
                principal_claim: said.principal_claim.clone().unwrap_or(default.principal_claim),
                groups_claim: said.groups_claim.clone(),
                require_at_jwt: said.require_at_jwt,
                ..JwtIssuer::new(&said.name, &said.issuer, "")
            }
        })
        .collect();
    let introspection = auth.introspection.as_ref().map(|said| {
        let secret = std::env::var(&said.client_secret_env)
            .map_err(|_| anyhow!("the variable {} is not set, set it for the server", said.client_secret_env))?;
        let client = ClientSecret { id: said.client_id.clone(), secret: Secret::from(secret) };
        let mut asked = IntrospectionConfig::new(&said.name, &said.endpoint, client, "");
        asked.audiences = with_resource(&said.audiences);
        asked.groups_claim = said.groups_claim.clone();
        if let Some(claim) = &said.principal_claim {
            asked.principal_claim = claim.clone();
        }
        asked.ttl = said.ttl;
        Ok::<_, anyhow::Error>(asked)
    });
    let certificates = auth.certificates.as_ref().map(certificates);
    let dpop = auth.dpop.map(|rules| DpopConfig {
        required: rules.required,
        require_nonce: rules.nonce,
        ..DpopConfig::default()
    });
    let mut scopes: Vec<String> = auth.scopes.keys().chain(auth.scopes.values().flatten()).cloned().collect();
    scopes.extend(auth.challenge_scopes.iter().cloned());
    scopes.sort();
    scopes.dedup();
    let metadata = resource.filter(|_| !issuers.is_empty()).map(|resource| MetadataConfig {
        resource: resource.to_owned(),
        authorization_servers: issuers.iter().map(|issuer| issuer.issuer.clone()).collect(),
        scopes,
        name: Some("Toolcell".to_owned()),
        documentation: None,
        proofs: dpop.as_ref().map(|dpop| dpop.algorithms.clone()),
        proofs_required: auth.dpop.is_some_and(|rules| rules.required),
        certificates: certificates.is_some(),
    });
    let config = toolcell_identity::Config {
        keys: auth.keys.clone(),
        issuers,
        introspection: introspection.transpose()?,
        certificates,
        dpop,
        metadata,
        implied_scopes: auth.scopes.clone(),
        challenge_scopes: auth.challenge_scopes.clone(),
        http: HttpConfig { authority: auth.authority.clone(), allow_http: auth.allow_http },
    };
    Ok(Some(Authenticator::new(config).context("[auth]")?))
}

fn certificates(rules: &CertificateRules) -> CertificateConfig {
    let CertificateRules { names_from, names, fingerprints, only_listed, scopes } = rules;
    let default = CertificateConfig::default();
    let mapped = |owner: &CertificateOwner, name: &str| Mapped {
        principal: owner.principal.clone().unwrap_or_else(|| format!("{}:{name}", default.prefix)),
        groups: owner.groups.clone(),
        scopes: owner.scopes.clone(),
    };
    let place = |place: &CertificatePlace| match place {
        CertificatePlace::SanUri => CertificateName::SanUri,
        CertificatePlace::SanDns => CertificateName::SanDns,
        CertificatePlace::SanEmail => CertificateName::SanEmail,
        CertificatePlace::SubjectCn => CertificateName::SubjectCn,
    };
    CertificateConfig {
        fingerprints: fingerprints.iter().map(|(print, owner)| (*print, mapped(owner, ""))).collect(),
        names: names.iter().map(|(name, owner)| (name.clone(), mapped(owner, name))).collect(),
        sources: match names_from.as_slice() {
            [] => default.sources.clone(),
            places => places.iter().map(place).collect(),
        },
        any_name: !only_listed,
        scopes: scopes.clone(),
        ..default
    }
}
