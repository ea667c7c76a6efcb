//! What the rest of the host works with.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::Lookup;
use super::auth::{self, AuthConfig};
use super::diagnostic::{Diagnostic, Faults};
use super::disk::Claim;
use super::listen::ListenConfig;
use super::records::{self, RecordConfig};
use super::written::{Document, Table};
use super::{callers, plugin, secrets, server};
use crate::policy::{Grant, Limits};
use crate::registry::Serving;
use crate::registry::oversight::Rulebook;

/// A whole configuration. The default is that of an empty file: no plugins, no HTTP.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The server itself.
    pub server: ServerConfig,
    /// The limits of a plugin that sets none.
    pub limits: Limits,
    /// How callers prove who they are.
    pub auth: AuthConfig,
    /// How much they may use; none is as much as they want.
    pub quotas: Option<toolcell_quota::Config>,
    /// What is written down of their calls.
    pub records: RecordConfig,
    /// Who may use what, and what a person must approve.
    pub rules: Rulebook,
    /// Where the secrets come from.
    pub secrets: BTreeMap<String, SecretConfig>,
    /// The plugins to load, in the order of the file. One with a problem is not here; one whose component is not there is.
    pub plugins: Vec<PluginConfig>,
    /// The plugins that are switched off, by name.
    pub disabled: Vec<String>,
    /// Granted directories that are not there. When one appears, load again.
    pub absent: Vec<PathBuf>,
    /// What is wrong with the plugins that were left out.
    pub problems: Vec<Diagnostic>,
}

impl Config {
    /// Whether anything in it depends on who calls, so that callers who prove nothing must have a name too.
    pub fn tells_callers_apart(&self) -> bool {
        let Self { auth, quotas, records, rules, secrets, plugins, .. } = self;
        let of_plugin =
            |grant: &Grant| grant.depends_on_caller() || grant.key_value.is_some_and(|store| store.per_caller);
        !auth.is_empty()
            || quotas.is_some()
            || *records != RecordConfig::default()
            || *rules != Rulebook::default()
            || secrets.values().any(|secret| !secret.of_callers.is_empty() || secret.exchange.is_some())
            || plugins.iter().any(|plugin| of_plugin(&plugin.grant))
    }
}

/// One secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretConfig {
    /// Of all callers that have none of their own.
    pub shared: Option<SecretSource>,
    /// Of single callers, by identifier.
    pub of_callers: BTreeMap<String, SecretSource>,
    /// Of callers that have none of these: made from their access tokens.
    pub exchange: Option<ExchangeSource>,
}

/// Where a caller's access token is exchanged for one that is for somebody else (RFC 8693).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeSource {
    /// The issuer whose tokens are exchanged, by its name in `[auth]`: no other token goes there.
    pub issuer: String,
    /// The token endpoint.
    pub endpoint: String,
    /// What this server calls itself there.
    pub client_id: String,
    /// The variable that holds this server's password there.
    pub client_secret_env: String,
    /// Who the new token is for, by name.
    pub audience: Option<String>,
    /// Who the new token is for, by URL.
    pub resource: Option<String>,
    /// What it is to be good for, divided by spaces.
    pub scope: Option<String>,
}

/// Where the value of a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A variable of the host's environment.
    Env(String),
    /// A file; an absolute path.
    File(PathBuf),
    /// A program and its arguments, which prints it.
    Command(Vec<String>),
}

/// The server's own settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Where to serve HTTP; port 0 takes any free one.
    pub http: Option<SocketAddr>,
    /// `Host` headers to accept besides those of loopback: `host` (with any port) or `host:port`, in lower case.
    pub allowed_hosts: Vec<String>,
    /// `Origin` headers to accept besides those of loopback, as browsers send them.
    pub allowed_origins: Vec<String>,
    /// Entries on one page of a list, at least 1.
    pub page_size: usize,
    /// Milliseconds for which clients may keep a list.
    pub list_ttl_ms: u64,
    /// The file in which tasks and plugins' values are kept; none keeps them in memory. An absolute path.
    pub state: Option<PathBuf>,
    /// Tasks one caller may have at once.
    pub max_tasks: u64,
    /// What every client's model is told about this server.
    pub instructions: Option<String>,
    /// How it is reached, besides its address.
    pub listen: ListenConfig,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            http: None,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            // A client that shows tools to a model shows all of them; pages of 100 keep a message below a megabyte.
            page_size: 100,
            // Lists change when a file does, and then subscribers are told; a minute is for those that do not subscribe.
            list_ttl_ms: 60_000,
            state: None,
            // A task a second for some hours; they take some kilobytes each.
            max_tasks: 10_000,
            instructions: None,
            listen: ListenConfig::default(),
        }
    }
}

/// One plugin. The default of every part grants nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PluginConfig {
    /// Its name, see [`check_plugin_name`](super::check_plugin_name).
    pub name: String,
    /// Absolute path of the component, or of a folder of components.
    pub path: PathBuf,
    /// What the names of its tools begin with for clients; may be empty.
    pub prefix: String,
    /// What it may do.
    pub grant: Grant,
    /// How much of everything.
    pub limits: Limits,
    /// How what it offers is served.
    pub serving: Serving,
}

impl PluginConfig {
    /// A plugin without grants, prefix or limits of its own.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            path: path.into(),
            prefix: String::new(),
            grant: Grant::default(),
            limits: Limits::default(),
            serving: Serving::default(),
        }
    }
}

/// Turns a document into a configuration, except for what only the disk can tell, which is returned as claims. Paths
/// start from `base`.
pub(super) fn resolve(document: Document, base: &Path, env: Lookup<'_>, faults: &mut Faults) -> (Config, Vec<Claim>) {
    let Document {
        server: Table(server),
        limits: Table(limits),
        auth,
        quotas,
        audit,
        telemetry,
        allow,
        approve,
        secrets,
        plugins,
    } = document;
    let rules = Rulebook {
        access: callers::resolve_allow(&allow, faults),
        approvals: callers::resolve_approve(&approve, faults),
    };
    let auth = auth::resolve(auth.as_ref(), base, faults);
    let secrets = secrets::resolve(&secrets, base, &auth, faults);
    let server = server::resolve(&server, base, faults);
    let quotas = records::resolve_quotas(quotas.as_ref(), faults);
    let records = records::resolve(audit.as_ref(), &telemetry, base, faults);
    let mut config = Config { server, auth, quotas, records, rules, secrets, ..Config::default() };
    limits.apply(&mut config.limits, faults);
    let mut claims = Vec::new();
    for (name, Table(table)) in &plugins {
        let mut own = Faults::within(name.get());
        let (plugin, mut claimed) =
            plugin::resolve(name, table, base, env, (&config.limits, &config.secrets), &mut own);
        faults.append(own);
        if table.enabled == Some(false) {
            config.disabled.push(name.get().clone());
        } else {
            claims.append(&mut claimed);
            config.plugins.extend(plugin);
        }
    }
    (config, claims)
}
