//! Client certificates as callers. The transport has verified the chain and that the caller has the key; here it is only
//! read who it is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::identity::{Identity, Method, is_name};
use crate::jose::sha256;
use crate::limits::MAX_CERTIFICATE_BYTES;
use crate::refusal::Refusal;
use crate::scopes::Scopes;

/// Where in a certificate its owner's name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateName {
    /// A URI among the alternative names, such as a SPIFFE id.
    SanUri,
    /// A DNS name among them.
    SanDns,
    /// An e-mail address among them.
    SanEmail,
    /// The subject's common name.
    SubjectCn,
}

/// Who a certificate, or a name in one, is.
#[derive(Clone, Debug, Default)]
pub struct Mapped {
    /// The principal, as it is to be.
    pub principal: String,
    /// Their groups.
    pub groups: BTreeSet<String>,
    /// What they may ask for.
    pub scopes: BTreeSet<String>,
}

/// How certificates become callers.
#[derive(Clone, Debug)]
pub struct CertificateConfig {
    /// Certificates by the SHA-256 of their DER form. Looked at first.
    pub fingerprints: BTreeMap<[u8; 32], Mapped>,
    /// Where to look for a name, in this order: the first place that has one decides.
    pub sources: Vec<CertificateName>,
    /// Names that are somebody in particular.
    pub names: BTreeMap<String, Mapped>,
    /// Whether a name that is not in `names` is a caller too, `<prefix>:<name>`.
    pub any_name: bool,
    /// What principals of `any_name` start with.
    pub prefix: String,
    /// The scopes of `any_name`.
    pub scopes: BTreeSet<String>,
}

impl Default for CertificateConfig {
    fn default() -> Self {
        use CertificateName::{SanDns, SanEmail, SanUri, SubjectCn};
        Self {
            fingerprints: BTreeMap::new(),
            sources: vec![SanUri, SanDns, SanEmail, SubjectCn],
            names: BTreeMap::new(),
            any_name: true,
            prefix: "cert".to_owned(),
            scopes: BTreeSet::new(),
        }
    }
}

/// The caller whose certificate `der` is.
///
/// # Errors
/// [`Refusal::Certificate`].
pub(crate) fn identify(
    config: &CertificateConfig,
    der: &[u8],
    scopes: &Scopes,
    now: SystemTime,
) -> Result<Identity, Refusal> {
    let refuse = Refusal::Certificate;
    if der.len() > MAX_CERTIFICATE_BYTES {
        return Err(refuse("it is too long"));
    }
    let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| refuse("it cannot be read"))?;
    if !rest.is_empty() {
        return Err(refuse("it cannot be read"));
    }
    // The transport looked when the connection began, which may be long ago.
    let at = |seconds: i64| UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    let validity = certificate.validity();
    let ends = at(validity.not_after.timestamp());
    if now < at(validity.not_before.timestamp()) || now > ends {
        return Err(refuse("it is not valid at this time"));
    }
    let mapped = match config.fingerprints.get(&sha256(der)) {
        Some(mapped) => mapped.clone(),
        None => {
            let name = name(&certificate, &config.sources).map_err(refuse)?;
            match config.names.get(&name) {
                Some(mapped) => mapped.clone(),
                // One that many could have, or that can look like another's, must be meant by the operator.
                None if config.any_name && name.contains('*') => return Err(refuse("its name is a pattern: list it")),
                None if config.any_name && !name.is_ascii() => {
                    return Err(refuse("its name has other letters than ASCII: list it"));
                }
                None if config.any_name => {
                    let principal = format!("{}:{name}", config.prefix);
                    Mapped { principal, groups: BTreeSet::new(), scopes: config.scopes.clone() }
                }
                None => return Err(refuse("it is nobody's")),
            }
        }
    };
    Ok(Identity {
        groups: mapped.groups,
        scopes: scopes.close(&mapped.scopes),
        expires: Some(ends),
        ..Identity::new(mapped.principal, Method::Certificate)
    })
}

/// The name in the first of `sources` that has one. More than one name there is refused: which of them is meant cannot
/// be told.
fn name(certificate: &X509Certificate<'_>, sources: &[CertificateName]) -> Result<String, &'static str> {
    let extension = certificate.subject_alternative_name().map_err(|_| "its alternative names cannot be read")?;
    let alternatives = extension.map(|extension| extension.value.general_names.as_slice()).unwrap_or_default();
    for source in sources {
        let mut names: Vec<&str> = Vec::new();
        match source {
            CertificateName::SubjectCn => {
                for common in certificate.subject().iter_common_name() {
                    names.push(common.as_str().map_err(|_| "its common name cannot be read")?);
                }
            }
            other => names.extend(alternatives.iter().filter_map(|name| match (other, name) {
                (CertificateName::SanUri, GeneralName::URI(name))
                | (CertificateName::SanDns, GeneralName::DNSName(name))
                | (CertificateName::SanEmail, GeneralName::RFC822Name(name)) => Some(*name),
                _ => None,
            })),
        }
        match names.as_slice() {
            [] => {}
            [name] if is_name(name) => return Ok((*name).to_owned()),
            [_] => return Err("its name is not a short text"),
            _ => return Err("it has more than one name: list its fingerprint"),
        }
    }
    Err("it has no name")
}

#[cfg(test)]
mod tests;
