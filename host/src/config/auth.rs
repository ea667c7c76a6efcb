//! `[auth]`: who may call, and how callers prove who they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::diagnostic::Faults;
use super::written::{At, Expected, Table};

/// The longest name of a caller, in bytes.
const MAX_NAME: usize = 256;

/// How callers prove who they are. The default takes nobody's word for anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthConfig {
    /// The file of API keys.
    pub keys: Option<PathBuf>,
    /// The URL of this server as clients write it.
    pub resource: Option<String>,
    /// Whose access tokens are taken.
    pub issuers: Vec<IssuerConfig>,
    /// Who is asked about tokens that say nothing themselves.
    pub introspection: Option<IntrospectionSource>,
    /// Whether client certificates name callers; what they may be named.
    pub certificates: Option<CertificateRules>,
    /// Whether tokens may be, or must be, bound to a key of their caller's.
    pub dpop: Option<DpopRules>,
    /// Scopes that hold others.
    pub scopes: BTreeMap<String, BTreeSet<String>>,
    /// Scopes that clients are told to ask for at first.
    pub challenge_scopes: Vec<String>,
    /// An authority beside those of the system, for the servers that are asked.
    pub authority: Option<PathBuf>,
    /// Whether servers may be asked without TLS, on other machines too.
    pub allow_http: bool,
}

impl AuthConfig {
    /// Whether there is any way to prove anything.
    pub fn is_empty(&self) -> bool {
        let Self { keys, issuers, introspection, certificates, .. } = self;
        keys.is_none() && issuers.is_empty() && introspection.is_none() && certificates.is_none()
    }
}

/// One issuer of access tokens that are JWTs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerConfig {
    /// The operator's name for it, the start of its principals.
    pub name: String,
    /// As its tokens write it.
    pub issuer: String,
    /// What its tokens must be made for, besides [`AuthConfig::resource`].
    pub audiences: Vec<String>,
    /// Where its keys are; none to ask its metadata.
    pub jwks_uri: Option<String>,
    /// The claim that names the caller.
    pub principal_claim: Option<String>,
    /// The claim that lists the caller's groups.
    pub groups_claim: Option<String>,
    /// Whether a token must say that it is an access token.
    pub require_at_jwt: bool,
}

/// One server that is asked about tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntrospectionSource {
    /// The operator's name for it, the start of its principals.
    pub name: String,
    /// Where it is asked.
    pub endpoint: String,
    /// What this server calls itself there.
    pub client_id: String,
    /// The variable that holds this server's password there.
    pub client_secret_env: String,
    /// What its tokens must be made for, besides [`AuthConfig::resource`].
    pub audiences: Vec<String>,
    /// The member that names the caller; none is `sub`.
    pub principal_claim: Option<String>,
    /// The member that lists the caller's groups.
    pub groups_claim: Option<String>,
    /// How long an answer is kept.
    pub ttl: Duration,
}

/// Which client certificates name callers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateRules {
    /// Where in a certificate its owner's name is: the first place that has one decides. Empty is everywhere.
    pub names_from: Vec<CertificatePlace>,
    /// What is known of single names.
    pub names: BTreeMap<String, CertificateOwner>,
    /// What is known of single certificates, by the SHA-256 of their DER form.
    pub fingerprints: BTreeMap<[u8; 32], CertificateOwner>,
    /// Whether only these are callers.
    pub only_listed: bool,
    /// Scopes of names of which nothing is known.
    pub scopes: BTreeSet<String>,
}

/// Who a name or a certificate is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateOwner {
    /// The caller; none is `cert:NAME`.
    pub principal: Option<String>,
    /// Their groups.
    pub groups: BTreeSet<String>,
    /// Their scopes.
    pub scopes: BTreeSet<String>,
}

/// A place for a name in a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CertificatePlace {
    /// A URI among the alternative names, such as a SPIFFE id.
    SanUri,
    /// A DNS name among them.
    SanDns,
    /// An e-mail address among them.
    SanEmail,
    /// The subject's common name.
    SubjectCn,
}

/// Proofs of possession.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DpopRules {
    /// Whether a token without one is refused.
    pub required: bool,
    /// Whether a proof must hold a nonce of this server.
    pub nonce: bool,
}

/// How callers prove who they are. Several ways may be there at once. Without this table nobody is asked, and the server
/// serves its own machine only.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct AuthTable {
    /// File of API keys, which `toolcell key new` makes. Keys that are revoked are refused within a second.
    pub(super) keys: Option<At<String>>,
    /// The URL of this server as clients write it, such as `https://tools.example.com/mcp`. Tokens must be made for it.
    pub(super) resource: Option<At<String>>,
    /// Servers whose access tokens (JWT) are taken, by a name of their own, which begins their callers' names.
    pub(super) issuers: IndexMap<At<String>, Table<IssuerTable>>,
    /// The server that is asked about tokens that are no JWTs (RFC 7662).
    pub(super) introspection: Option<Table<IntrospectionTable>>,
    /// Whether client certificates (`[server] tls` with `client-ca`) name callers, `cert:NAME`.
    pub(super) certificates: Option<Table<CertificatesTable>>,
    /// Proofs that a token is its caller's (RFC 9449). Default is that none are understood.
    pub(super) dpop: Option<Table<DpopTable>>,
    /// Scopes that hold others: `admin = ["tools", "files"]`.
    pub(super) scopes: IndexMap<String, Vec<String>>,
    /// Scopes that clients are told to ask for at first. Default is none.
    pub(super) challenge_scopes: Vec<String>,
    /// File with an authority (PEM) beside those of the system, for the servers above.
    pub(super) authority: Option<At<String>>,
    /// Whether the servers above may be asked without TLS on other machines. Default is false.
    pub(super) allow_http: bool,
}

/// An issuer of access tokens.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("required" = ["issuer"]))]
pub(super) struct IssuerTable {
    /// The issuer as its tokens write it, to the letter.
    pub(super) issuer: Option<At<String>>,
    /// What its tokens may be made for besides `resource`.
    pub(super) audiences: Vec<String>,
    /// Where its keys are. Default is where its metadata says.
    pub(super) jwks_uri: Option<String>,
    /// The claim that names the caller; dots go into objects. Default is `sub`.
    pub(super) principal_claim: Option<String>,
    /// The claim that lists the caller's groups, such as `realm_access.roles`. Default is none.
    pub(super) groups_claim: Option<String>,
    /// Whether a token must say in its header that it is an access token. Default is false.
    pub(super) require_at_jwt: bool,
}

/// A server that is asked about tokens.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("required" = ["endpoint", "client-id", "client-secret-env"]))]
pub(super) struct IntrospectionTable {
    /// Begins its callers' names. Default is `oauth`.
    pub(super) name: Option<String>,
    /// Where it is asked.
    pub(super) endpoint: Option<At<String>>,
    /// What this server calls itself there.
    pub(super) client_id: Option<At<String>>,
    /// The variable of the host's environment that holds this server's password there.
    pub(super) client_secret_env: Option<At<String>>,
    /// What its tokens may be made for besides `resource`.
    pub(super) audiences: Vec<String>,
    /// The member that names the caller; dots go into objects. Default is `sub`. Tokens of machines often have `client_id`
    /// alone.
    pub(super) principal_claim: Option<String>,
    /// The member that lists the caller's groups. Default is none.
    pub(super) groups_claim: Option<String>,
    /// Milliseconds for which an answer is kept. Default is 30000.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub(super) ttl_ms: Option<At<u64>>,
}

/// Client certificates as names.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct CertificatesTable {
    /// Where in a certificate its owner's name is; the first place that has one decides. Default is all, in the order
    /// `san-uri`, `san-dns`, `san-email`, `subject-cn`.
    pub(super) names_from: Option<At<Vec<CertificatePlace>>>,
    /// Groups of single names: `"build-server" = ["ci"]`.
    pub(super) groups: IndexMap<String, Vec<String>>,
    /// Who single names are, where that is not `cert:NAME` without scopes.
    pub(super) names: IndexMap<At<String>, Table<OwnerTable>>,
    /// Who single certificates are, by the SHA-256 fingerprint that `openssl x509 -fingerprint -sha256` prints.
    pub(super) fingerprints: IndexMap<At<String>, Table<OwnerTable>>,
    /// Whether only names and certificates that are listed here are callers. Default is false.
    pub(super) only_listed: bool,
    /// Scopes of names that are not in `names`. Default is none.
    pub(super) scopes: Vec<String>,
}

/// Who a client certificate is.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct OwnerTable {
    /// The caller. Default is `cert:NAME`; a fingerprint needs it.
    pub(super) principal: Option<At<String>>,
    /// Their groups.
    pub(super) groups: Vec<String>,
    /// Their scopes.
    pub(super) scopes: Vec<String>,
}

/// Proofs of possession.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct DpopTable {
    /// Whether a token without a proof is refused. Default is false.
    pub(super) required: bool,
    /// Whether a proof must hold a nonce that this server gave. Default is false.
    pub(super) nonce: bool,
}

impl Expected for AuthTable {
    const EXPECTED: &'static str = "a table, [auth] with keys = \"keys.json\"";
}
impl Expected for IssuerTable {
    const EXPECTED: &'static str = "a table, [auth.issuers.NAME] with issuer = \"https://…\"";
}
impl Expected for IntrospectionTable {
    const EXPECTED: &'static str = "a table, [auth.introspection] with endpoint = \"https://…\"";
}
impl Expected for CertificatesTable {
    const EXPECTED: &'static str = "a table, [auth.certificates]";
}
impl Expected for OwnerTable {
    const EXPECTED: &'static str = "a table like { principal = \"build-server\", groups = [\"ci\"] }";
}
impl Expected for DpopTable {
    const EXPECTED: &'static str = "a table like { required = true }";
}

pub(super) fn resolve(table: Option<&Table<AuthTable>>, base: &Path, faults: &mut Faults) -> AuthConfig {
    let Some(Table(table)) = table else { return AuthConfig::default() };
    let file = |written: &Option<At<String>>| written.as_ref().map(|file| base.join(file.get()).components().collect());
    let mut auth = AuthConfig {
        keys: file(&table.keys),
        resource: table.resource.as_ref().map(|text| text.get().clone()),
        certificates: table.certificates.as_ref().map(|Table(table)| certificates(table, faults)),
        dpop: table.dpop.as_ref().map(|Table(dpop)| DpopRules { required: dpop.required, nonce: dpop.nonce }),
        scopes: table.scopes.iter().map(|(scope, held)| (scope.clone(), held.iter().cloned().collect())).collect(),
        challenge_scopes: table.challenge_scopes.clone(),
        authority: file(&table.authority),
        allow_http: table.allow_http,
        ..AuthConfig::default()
    };
    if let Some(text) = &table.resource
        && url::Url::parse(text.get()).ok().is_none_or(|url| !url.has_host() || url.fragment().is_some())
    {
        let problem = format!("`resource` is {:?}, which is no URL of a server", text.get());
        faults.push(text.span(), problem, "write it like \"https://tools.example.com/mcp\"");
    }
    for (name, Table(issuer)) in &table.issuers {
        let Some(url) = &issuer.issuer else {
            faults.push_missing(
                name.span(),
                "the issuer has no `issuer`",
                "add issuer = \"https://login.example.com\"",
            );
            continue;
        };
        if auth.resource.is_none() && issuer.audiences.is_empty() {
            let fix = "add resource = \"https://…/mcp\" to [auth], the URL of this server";
            faults.push_missing(url.span(), "tokens of this issuer would be made for nobody", fix);
        }
        auth.issuers.push(IssuerConfig {
            name: name.get().clone(),
            issuer: url.get().clone(),
            audiences: issuer.audiences.clone(),
            jwks_uri: issuer.jwks_uri.clone(),
            principal_claim: issuer.principal_claim.clone(),
            groups_claim: issuer.groups_claim.clone(),
            require_at_jwt: issuer.require_at_jwt,
        });
    }
    if let Some(Table(asked)) = &table.introspection {
        match (&asked.endpoint, &asked.client_id, &asked.client_secret_env) {
            (Some(endpoint), Some(client_id), Some(secret)) => {
                auth.introspection = Some(IntrospectionSource {
                    name: asked.name.clone().unwrap_or_else(|| "oauth".to_owned()),
                    endpoint: endpoint.get().clone(),
                    client_id: client_id.get().clone(),
                    client_secret_env: secret.get().clone(),
                    audiences: asked.audiences.clone(),
                    principal_claim: asked.principal_claim.clone(),
                    groups_claim: asked.groups_claim.clone(),
                    ttl: Duration::from_millis(asked.ttl_ms.as_ref().map_or(30_000, |ms| (*ms.get()).min(3_600_000))),
                });
            }
            _ => {
                let fix = "write all of `endpoint`, `client-id` and `client-secret-env`";
                faults.push_missing(0..0, "[auth.introspection] is not complete", fix);
            }
        }
    }
    auth
}

fn certificates(table: &CertificatesTable, faults: &mut Faults) -> CertificateRules {
    let CertificatesTable { names_from, groups, names, fingerprints, only_listed, scopes } = table;
    let mut rules = CertificateRules {
        only_listed: *only_listed,
        scopes: scopes.iter().cloned().collect(),
        ..CertificateRules::default()
    };
    if let Some(places) = names_from {
        if places.get().is_empty() {
            faults.push(places.span(), "`names-from` names no place", "write [\"san-uri\"], or leave it out");
        }
        rules.names_from.clone_from(places.get());
    }
    for (name, groups) in groups {
        // As other names that are not in `names`, but for the groups.
        let owner = CertificateOwner {
            groups: groups.iter().cloned().collect(),
            scopes: rules.scopes.clone(),
            ..CertificateOwner::default()
        };
        rules.names.insert(name.clone(), owner);
    }
    for (name, Table(table)) in names {
        if groups.contains_key(name.get()) {
            let fix = "write its groups in `names`";
            faults.push(name.span(), format!("{:?} is in `groups` and in `names`", name.get()), fix);
        }
        rules.names.insert(name.get().clone(), owner(table, faults));
    }
    for (text, Table(table)) in fingerprints {
        let Some(fingerprint) = fingerprint(text.get()) else {
            let fix = "write the 64 hexadecimal digits of its SHA-256";
            faults.push(text.span(), format!("{:?} is no fingerprint of a certificate", text.get()), fix);
            continue;
        };
        if table.principal.is_none() {
            faults.push_missing(text.span(), "nobody is named for this certificate", "add principal = \"…\"");
        }
        rules.fingerprints.insert(fingerprint, owner(table, faults));
    }
    rules
}

fn owner(OwnerTable { principal, groups, scopes }: &OwnerTable, faults: &mut Faults) -> CertificateOwner {
    if let Some(name) = principal
        && (name.get().is_empty() || name.get().len() > MAX_NAME || name.get().chars().any(char::is_control))
    {
        faults.push(name.span(), format!("{:?} can be no caller", name.get()), "write a short text");
    }
    CertificateOwner {
        principal: principal.as_ref().map(|name| name.get().clone()),
        groups: groups.iter().cloned().collect(),
        scopes: scopes.iter().cloned().collect(),
    }
}

/// 32 bytes in hexadecimal digits, with colons or without.
fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    let mut bytes = [0; 32];
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}
