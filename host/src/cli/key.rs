//! `toolcell key`: API keys, shown once and kept as hashes.

use super::{production, say, tell};
use crate::config::{self, Config};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};
use toolcell_identity::{KeyFile, KeyRecord, NewKey};
use toolcell_telemetry::audit::{Audit, AuditConfig, Event, EventKind};

/// Seconds of a day.
const DAY: u64 = 86_400;

#[derive(Args)]
#[command(after_help = "Examples:
  toolcell key new alice --group developers --days 90   Make a key; it is shown now and never again
  toolcell key list                                     Whose keys there are, and until when
  toolcell key revoke k7m2q9x4t1zb                      Refuse a key from now on

The file is the one that `keys` under [auth] in ./toolcell.toml names; --file names another. A running server sees changes
within a second. Where [audit] is set, each change is written there.

Exit codes: 0 it was done, 2 it could not be.")]
pub(super) struct Key {
    #[command(subcommand)]
    action: Action,

    /// The file of keys; instead of `[auth] keys`
    #[arg(long, global = true, value_name = "FILE")]
    file: Option<PathBuf>,

    /// The configuration to use instead of ./toolcell.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Action {
    /// Make a key and print it, once
    New {
        /// Whose key it is: the principal that rules and records name
        principal: String,
        /// A group of the caller's; may be given several times
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
        /// A scope the key has; may be given several times
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// Days it is good for. Default is for ever
        #[arg(long, value_name = "DAYS")]
        days: Option<u64>,
        /// What to remember of it
        #[arg(long, default_value = "", value_name = "TEXT")]
        note: String,
    },
    /// List the keys, without the secrets that nobody has
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Refuse a key from now on
    Revoke {
        /// Its identifier, as `list` shows it
        id: String,
    },
}

pub(super) fn run(key: Key) -> anyhow::Result<ExitCode> {
    let Key { action, file, config } = key;
    let config = read(config)?;
    let Some(path) = file.or_else(|| config.as_ref()?.auth.keys.clone()) else {
        bail!("no file of keys is named; give --file keys.json, or add to toolcell.toml: [auth] keys = \"keys.json\"");
    };
    let keys = KeyFile::open(&path)?;
    let now = SystemTime::now();
    match action {
        Action::New { principal, groups, scopes, days, note } => {
            let lifetime = days.map(|days| Duration::from_secs(days.saturating_mul(DAY)));
            let (groups, scopes) = (groups.into_iter().collect(), scopes.into_iter().collect());
            let (secret, record) = keys.create(NewKey { principal, groups, scopes, lifetime, note }, now)?;
            write_down(config.as_ref(), "key made", &record)?;
            tell(&format!("key {} of {}; it is shown this once:", record.id, record.principal));
            say(secret.expose())?;
        }
        Action::List { json: true } => say(&serde_json::to_string_pretty(&keys.list()?)?)?,
        Action::List { json: false } => {
            let lines: Vec<String> = keys.list()?.iter().map(|record| line(record, now)).collect();
            say(&if lines.is_empty() { "no keys".to_owned() } else { lines.join("\n") })?;
        }
        Action::Revoke { id } => {
            let record = keys.revoke(&id, now)?;
            write_down(config.as_ref(), "key revoked", &record)?;
            say(&format!("key {} of {} is revoked", record.id, record.principal))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The configuration, where there is one.
fn read(file: Option<PathBuf>) -> anyhow::Result<Option<Config>> {
    let named = file.is_some();
    let file = file.unwrap_or_else(|| PathBuf::from("toolcell.toml"));
    if !named && !file.exists() {
        return Ok(None);
    }
    Ok(Some(config::load(&file, &|name| std::env::var(name).ok())?))
}

fn write_down(config: Option<&Config>, act: &str, record: &KeyRecord) -> anyhow::Result<()> {
    let Some(settings) = config.and_then(|config| config.records.audit.as_ref()) else { return Ok(()) };
    let key = settings.key.as_deref().map(production::key).transpose()?;
    let audit = Audit::open(AuditConfig { key, ..AuditConfig::new(&settings.dir) })?;
    let payload = serde_json::json!({ "act": act, "key": record.id, "of": record.principal, "groups": record.groups });
    audit.record_blocking(Event::new(EventKind::Admin, SystemTime::now(), payload)).context("the audit log")?;
    audit.close();
    Ok(())
}

fn line(record: &KeyRecord, now: SystemTime) -> String {
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let state = match (record.revoked, record.expires) {
        (Some(_), _) => "revoked".to_owned(),
        (None, Some(at)) if at <= seconds => "expired".to_owned(),
        (None, Some(at)) => format!("{} days left", (at - seconds).div_ceil(DAY)),
        (None, None) => "for ever".to_owned(),
    };
    let list = |set: &std::collections::BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(",");
    let (groups, scopes) = (list(&record.groups), list(&record.scopes));
    format!("{}  {:<24} {:<14} groups={groups} scopes={scopes} {}", record.id, record.principal, state, record.note)
}
