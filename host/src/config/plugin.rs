//! One `[plugins.NAME]` table.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use ipnet::IpNet;

use super::Lookup;
use super::callers;
use super::diagnostic::Faults;
use super::disk::Claim;
use super::needed::{PluginConfig, SecretConfig};
use super::serving;
use super::store;
use super::written::{AccessWord, At, DirTable, EnvValue, FromEnvTable, PluginTable, Table};
use crate::policy::{Access, DirGrant, Grant, HostPattern, Limits, check_env_name, check_env_value, check_guest_path};
use crate::registry::Selector;

const MAX_NAME_LEN: usize = 64;
/// Tool names have at most 128 characters, and the tool's own name needs room.
const MAX_PREFIX_LEN: usize = 64;

/// Checks the name of a plugin: `a-z 0-9 - _`, at first a letter or digit, at most 64 characters. After it may stand which
/// versions are meant, as `@1`, `@1.2` or `@1.2.3`.
///
/// # Errors
///
/// Says what is wrong and, after the last comma, what to write instead.
pub fn check_plugin_name(name: &str) -> Result<(), String> {
    let (name, versions) = match name.split_once('@') {
        Some((plain, versions)) => (plain, Some(versions)),
        None => (name, None),
    };
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    let plain: String = name.to_ascii_lowercase().chars().map(|c| if allowed(c) { c } else { '-' }).collect();
    let plain: String = plain.trim_start_matches(['-', '_']).chars().take(MAX_NAME_LEN).collect();
    if plain == name && !name.is_empty() {
        return match versions {
            Some(versions) if versions.parse::<Selector>().is_err() => Err(format!(
                "{versions:?} says no version (one to three numbers), write `{name}@1`, `{name}@1.2` or `{name}`"
            )),
            _ => Ok(()),
        };
    }
    let instead = if plain.is_empty() { "my-plugin" } else { &plain };
    Err(format!(
        "{name:?} is no plugin name (`a-z 0-9 - _`, at first a letter or digit and at most {MAX_NAME_LEN}), write `{instead}`"
    ))
}

fn check_prefix(prefix: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if prefix.len() <= MAX_PREFIX_LEN && prefix.chars().all(allowed) {
        return Ok(());
    }
    Err(format!("prefix {prefix:?} cannot begin a tool name, write at most {MAX_PREFIX_LEN} of `A-Z a-z 0-9 _ - .`"))
}

/// Reads one table. Without a path there is no plugin, and a problem says so; whatever else is wrong is collected too.
pub(super) fn resolve(
    name: &At<String>,
    table: &PluginTable,
    base: &Path,
    env: Lookup<'_>,
    (limits, known): (&Limits, &BTreeMap<String, SecretConfig>),
    faults: &mut Faults,
) -> (Option<PluginConfig>, Vec<Claim>) {
    let PluginTable {
        path,
        prefix,
        enabled: _, // whoever asks for this table looks at it
        dirs,
        hosts,
        addresses,
        env: variables,
        key_value,
        tools,
        secrets,
        callers,
        tasks,
        cache: Table(cache),
        instances,
        on_breaking,
        limits: Table(own_limits),
    } = table;
    if let Err(message) = check_plugin_name(name.get()) {
        faults.push_whole(name.span(), &message);
    }
    let mut claims = Vec::new();
    let component = match path {
        None => {
            faults.push(
                name.span(),
                "it has no `path`",
                format!("add path = \"{}.wasm\"", name.get().replace('@', "-")),
            );
            None
        }
        Some(path) => resolve_path(path, base, faults),
    };
    if let Some(prefix) = prefix
        && let Err(message) = check_prefix(prefix.get())
    {
        faults.push_whole(prefix.span(), &message);
    }
    let dirs = resolve_dirs(name, dirs, base, faults, &mut claims);
    let grant = Grant {
        callers: callers::resolve_callers(callers, &dirs, faults),
        dirs,
        hosts: resolve_hosts(hosts, faults),
        addresses: resolve_addresses(addresses, faults),
        env: resolve_env(variables, env, faults),
        key_value: store::resolve(key_value.as_ref(), faults),
        tools: store::resolve_tools(tools, faults),
        secrets: callers::resolve_uses(secrets, known, faults),
    };
    let mut limits = limits.clone();
    own_limits.apply(&mut limits, faults);
    let serving = serving::resolve(tasks.as_ref(), cache, *instances, *on_breaking, faults);
    let plugin = component.map(|path| PluginConfig {
        prefix: prefix.as_ref().map(|prefix| prefix.get().clone()).unwrap_or_default(),
        grant,
        limits,
        serving,
        ..PluginConfig::new(name.get(), path)
    });
    (plugin, claims)
}

fn resolve_path(path: &At<String>, base: &Path, faults: &mut Faults) -> Option<PathBuf> {
    let text = path.get();
    if text.is_empty() {
        faults.push(path.span(), "the path is empty", "name a file or a directory");
        return None;
    }
    if text == "~" || text.starts_with("~/") {
        faults.push(
            path.span(),
            format!("{text:?} begins with `~`, which only a shell replaces"),
            "write the whole path",
        );
        return None;
    }
    // Rebuilt from its parts, so that `./docs` and `docs` are one path in messages and when watched.
    Some(base.join(text).components().collect())
}

fn shared_part(path: &Path) -> Option<PathBuf> {
    DirGrant { host: path.to_owned(), guest: String::new(), access: Access::ReadOnly }.shared_parent()
}

fn resolve_dirs(
    name: &At<String>,
    tables: &[At<Table<DirTable>>],
    base: &Path,
    faults: &mut Faults,
    claims: &mut Vec<Claim>,
) -> Vec<DirGrant> {
    let mut dirs: Vec<DirGrant> = Vec::new();
    for table in tables {
        let Table(DirTable { host, guest, access }) = table.get();
        let host = match host {
            None => {
                faults.push_missing(
                    table.span(),
                    "the directory has no `host`",
                    "add host = \"./docs\", a directory on the host",
                );
                None
            }
            Some(host) => {
                let path = resolve_path(host, base, faults);
                // Where each caller has its own, what is common to them must be there.
                let there = path.as_ref().map(|path| shared_part(path).unwrap_or_else(|| path.clone()));
                claims.extend(there.map(|path| Claim { plugin: name.get().clone(), span: host.span(), path }));
                path
            }
        };
        let Some(guest) = guest else {
            faults.push_missing(
                table.span(),
                "the directory has no `guest`",
                "add guest = \"/docs\", where the plugin sees it",
            );
            continue;
        };
        if let Err(message) = check_guest_path(guest.get()) {
            faults.push_whole(guest.span(), &message);
        } else if dirs.iter().any(|dir| dir.guest == *guest.get()) {
            faults.push(
                guest.span(),
                format!("two directories have the guest path {:?}", guest.get()),
                "give one another path",
            );
        } else if let Some(host) = host {
            let access = match access {
                None | Some(AccessWord::ReadOnly) => Access::ReadOnly,
                Some(AccessWord::ReadWrite) => Access::ReadWrite,
            };
            dirs.push(DirGrant { host, guest: guest.get().clone(), access });
        }
    }
    dirs
}

pub(super) fn resolve_hosts(texts: &[At<String>], faults: &mut Faults) -> Vec<HostPattern> {
    let mut hosts = Vec::new();
    for text in texts {
        match text.get().parse::<HostPattern>() {
            Ok(pattern) => hosts.push(pattern),
            Err(error) => faults.push_whole(text.span(), &error.to_string()),
        }
    }
    hosts
}

fn resolve_addresses(texts: &[At<String>], faults: &mut Faults) -> Vec<IpNet> {
    let mut nets = Vec::new();
    for text in texts {
        let written = text.get();
        let net = match written.parse::<IpAddr>() {
            Ok(address) => Ok(IpNet::from(address)),
            Err(_) => written.parse::<IpNet>(),
        };
        match net {
            Ok(net) if net.addr() == net.network() => nets.push(net),
            Ok(net) => {
                let fix = format!("write \"{}\" or \"{}\"", net.trunc(), net.addr());
                faults.push(text.span(), format!("{written:?} is neither one address nor a whole network"), fix);
            }
            Err(_) => {
                let fix = "write it like \"10.1.0.0/16\" or \"fd00::1\", and names under `hosts`";
                faults.push(text.span(), format!("{written:?} is no address and no network"), fix);
            }
        }
    }
    nets
}

fn resolve_env(
    variables: &IndexMap<At<String>, At<EnvValue>>,
    env: Lookup<'_>,
    faults: &mut Faults,
) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for (name, written) in variables {
        if let Err(message) = check_env_name(name.get()) {
            faults.push_whole(name.span(), &message);
        }
        let value = match written.get() {
            EnvValue::Text(text) => Some(text.clone()),
            EnvValue::FromEnv(FromEnvTable { from_env: Some(from) }) => {
                let value = env(from);
                if value.is_none() {
                    let message =
                        format!("the variable {from} is not set for the server, so {} has no value", name.get());
                    faults.push(written.span(), message, format!("set {from} where the server is started"));
                }
                value
            }
            EnvValue::FromEnv(FromEnvTable { from_env: None }) => {
                let fix = format!("write {{ from-env = \"{}\" }} or a text", name.get());
                faults.push_missing(written.span(), format!("{} has no value", name.get()), fix);
                None
            }
        };
        let Some(value) = value else {
            continue;
        };
        if let Err(message) = check_env_value(name.get(), &value) {
            faults.push_whole(written.span(), &message);
            continue;
        }
        values.insert(name.get().clone(), value);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugin_names() {
        let longest = "a".repeat(64);
        for good in ["a", "0", "sequential-thinking", "a_b", &longest, "a@1", "a-b@1.2", "a@0.10.2"] {
            assert_eq!(check_plugin_name(good), Ok(()));
        }
        let too_long = "a".repeat(65);
        for (bad, instead) in [
            ("", "`my-plugin`"),
            ("My Plugin", "`my-plugin`"),
            ("-a", "`a`"),
            ("_a", "`a`"),
            ("a.b", "`a-b`"),
            ("ü", "`my-plugin`"),
            ("@1", "`my-plugin`"),
            ("A@1", "`a`"),
            ("a@", "`a@1`"),
            ("a@v1", "`a@1`"),
            ("a@1.x", "`a@1.2`"),
            ("a@1@2", "or `a`"),
            (too_long.as_str(), longest.as_str()),
        ] {
            let message = check_plugin_name(bad).unwrap_err();
            assert!(message.contains(instead), "{message}");
        }
    }

    #[test]
    fn prefixes() {
        for good in ["", "fs_", "A.b-c"] {
            assert_eq!(check_prefix(good), Ok(()));
        }
        for bad in ["fs/", "fs ", "ü", &"a".repeat(65)] {
            assert!(check_prefix(bad).is_err(), "{bad}");
        }
    }
}
