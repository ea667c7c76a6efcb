//! `[secrets]`: where the values come from that the host puts into requests of plugins.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::auth::AuthConfig;
use super::diagnostic::Faults;
use super::needed::{ExchangeSource, SecretConfig, SecretSource};
use super::written::{At, Expected, Table};
use crate::policy::{check_env_name, check_secret_name};

/// A secret that the host puts into requests of plugins. No plugin ever sees it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SecretTable {
    /// The variable of the host's environment that holds it.
    pub(super) env: Option<At<String>>,
    /// The file that holds it; read again when it changes.
    pub(super) file: Option<At<String>>,
    /// The program and its arguments that print it.
    pub(super) command: Option<At<Vec<String>>>,
    /// An access token of each caller's own, exchanged for the one it came with (RFC 8693).
    pub(super) exchange: Option<At<Table<ExchangeTable>>>,
    /// Values for single callers, by their identifiers. A caller without one has the value above, if there is one.
    pub(super) principals: IndexMap<At<String>, Table<ValueTable>>,
}

/// Where one value comes from.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ValueTable {
    /// The variable of the host's environment that holds it.
    pub(super) env: Option<At<String>>,
    /// The file that holds it.
    pub(super) file: Option<At<String>>,
    /// The program and its arguments that print it.
    pub(super) command: Option<At<Vec<String>>>,
}

/// A token endpoint that gives a token for a service in exchange for a caller's own.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("required" = ["issuer", "token-endpoint", "client-id", "client-secret-env"]))]
pub(super) struct ExchangeTable {
    /// Whose tokens are exchanged: a name in `[auth.issuers]`, or that of `[auth.introspection]`. No other token is sent
    /// there.
    pub(super) issuer: Option<At<String>>,
    /// The token endpoint.
    pub(super) token_endpoint: Option<At<String>>,
    /// What this server calls itself there.
    pub(super) client_id: Option<At<String>>,
    /// The variable of the host's environment that holds this server's password there.
    pub(super) client_secret_env: Option<At<String>>,
    /// Who the new token is for, by name. It or `resource` must be there.
    pub(super) audience: Option<String>,
    /// Who the new token is for, by URL.
    pub(super) resource: Option<String>,
    /// What it is to be good for, divided by spaces. Default is what the server gives.
    pub(super) scope: Option<String>,
}

impl Expected for SecretTable {
    const EXPECTED: &'static str = "a table, [secrets.NAME] with env = \"…\" or file = \"…\"";
}

impl Expected for ValueTable {
    const EXPECTED: &'static str = "a table like { env = \"TOKEN_OF_ALICE\" }";
}

impl Expected for ExchangeTable {
    const EXPECTED: &'static str =
        "a table like { issuer = \"company\", token-endpoint = \"https://…\", audience = \"…\" }";
}

/// Where the secrets come from. `auth` says whose tokens there are to exchange.
pub(super) fn resolve(
    tables: &IndexMap<At<String>, Table<SecretTable>>,
    base: &Path,
    auth: &AuthConfig,
    faults: &mut Faults,
) -> BTreeMap<String, SecretConfig> {
    let mut secrets = BTreeMap::new();
    for (name, Table(SecretTable { env, file, command, exchange, principals })) in tables {
        if let Err(message) = check_secret_name(name.get()) {
            faults.push_whole(name.span(), &message);
        }
        let needed = principals.is_empty() && exchange.is_none();
        let shared = source(name, (env, file, command), base, needed, faults);
        if shared.is_some()
            && let Some(exchange) = exchange
        {
            let fix = "keep one of `exchange` and the value of all callers";
            faults.push(exchange.span(), format!("the secret {:?} comes from two places", name.get()), fix);
        }
        let exchange = exchange.as_ref().and_then(|table| exchange_source(table, auth, faults));
        let of_callers = principals
            .iter()
            .filter_map(|(id, Table(ValueTable { env, file, command }))| {
                Some((id.get().clone(), source(id, (env, file, command), base, true, faults)?))
            })
            .collect();
        secrets.insert(name.get().clone(), SecretConfig { shared, of_callers, exchange });
    }
    secrets
}

type Written<'a> = (&'a Option<At<String>>, &'a Option<At<String>>, &'a Option<At<Vec<String>>>);

fn source(
    name: &At<String>,
    written: Written<'_>,
    base: &Path,
    needed: bool,
    faults: &mut Faults,
) -> Option<SecretSource> {
    match written {
        (Some(env), None, None) => match check_env_name(env.get()) {
            Ok(()) => Some(SecretSource::Env(env.get().clone())),
            Err(message) => {
                faults.push_whole(env.span(), &message);
                None
            }
        },
        (None, Some(file), None) if !file.get().is_empty() => {
            Some(SecretSource::File(base.join(file.get()).components().collect::<PathBuf>()))
        }
        (None, None, Some(command)) if command.get().first().is_some_and(|program| !program.is_empty()) => {
            Some(SecretSource::Command(command.get().clone()))
        }
        (None, None, None) if !needed => None,
        _ => {
            let problem = format!("the secret {:?} comes from nowhere, or from two places", name.get());
            faults.push(name.span(), problem, "write one of env = \"…\", file = \"…\" or command = [\"…\"]");
            None
        }
    }
}

fn exchange_source(
    written: &At<Table<ExchangeTable>>,
    auth: &AuthConfig,
    faults: &mut Faults,
) -> Option<ExchangeSource> {
    let Table(table) = written.get();
    let (Some(issuer), Some(endpoint), Some(client_id), Some(secret)) =
        (&table.issuer, &table.token_endpoint, &table.client_id, &table.client_secret_env)
    else {
        let fix = "write all of `issuer`, `token-endpoint`, `client-id` and `client-secret-env`";
        faults.push_missing(written.span(), "`exchange` is not complete", fix);
        return None;
    };
    let known = auth.issuers.iter().map(|known| &known.name).chain(auth.introspection.iter().map(|asked| &asked.name));
    if !known.into_iter().any(|known| known == issuer.get()) {
        let fix = "write the name of one in [auth.issuers], or that of [auth.introspection]";
        faults.push(issuer.span(), format!("no issuer is named {:?}", issuer.get()), fix);
    }
    if let Err(message) = check_env_name(secret.get()) {
        faults.push_whole(secret.span(), &message);
    }
    if table.audience.is_none() && table.resource.is_none() {
        let fix = "add audience = \"…\" or resource = \"https://…\"";
        faults.push_missing(written.span(), "`exchange` does not say who the new token is for", fix);
    }
    Some(ExchangeSource {
        issuer: issuer.get().clone(),
        endpoint: endpoint.get().clone(),
        client_id: client_id.get().clone(),
        client_secret_env: secret.get().clone(),
        audience: table.audience.clone(),
        resource: table.resource.clone(),
        scope: table.scope.clone(),
    })
}
