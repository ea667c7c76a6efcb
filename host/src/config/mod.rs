//! `toolcell.toml`: from what an operator wrote to what the host needs, or to messages that say what to write instead.
//!
//! It reports every problem, not the first one. A problem within one plugin leaves out that plugin; a problem elsewhere
//! leaves the file without meaning, and nothing is loaded from it. The environment is asked through a function that the
//! caller passes in, and only [`load`] touches the disk.
//!
//! Modules, in reading order:
//!
//! - `written`: the file as serde types, and thereby the JSON Schema ([`json_schema`]).
//! - `needed`: [`Config`], what the rest of the host works with, and its defaults.
//! - `read`: text to `written`, through every mistake.
//! - `hint`: what the writer of an unknown key may have meant.
//! - `server`, `listen`, `plugin`, `store`, `callers`, `secrets`, `auth`, `records`, `limits`: `written` to `needed`, one table each.
//! - `disk`: whether the granted directories are there.
//! - `diagnostic`: [`Diagnostic`], a problem with its place and its fix.
//! - `schema`: the JSON Schema for editors.

mod auth;
mod callers;
mod diagnostic;
mod disk;
mod hint;
mod limits;
mod listen;
mod needed;
mod plugin;
mod read;
mod records;
mod schema;
mod secrets;
mod server;
mod serving;
mod store;
#[cfg(test)]
mod tests;
mod written;

use std::path::{Path, PathBuf};

pub use auth::{
    AuthConfig, CertificateOwner, CertificatePlace, CertificateRules, DpopRules, IntrospectionSource, IssuerConfig,
};
pub use diagnostic::Diagnostic;
pub use listen::ListenConfig;
pub use needed::{Config, ExchangeSource, PluginConfig, SecretConfig, SecretSource, ServerConfig};
pub use plugin::check_plugin_name;
pub use records::{AuditSettings, OtlpSettings, RecordConfig};
pub use schema::json_schema;

use diagnostic::Faults;

/// How a variable of the host's own environment is looked up, for `{ from-env = "NAME" }`.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Nothing could be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read {}: {source}, check that it is there or name another with --config", file.display())]
    Read {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file as a whole has no meaning. All its problems are listed, those of single plugins too.
    #[error("{}", diagnostic::lines(diagnostics))]
    Invalid {
        /// At least one, in the order of the file.
        diagnostics: Vec<Diagnostic>,
    },
}

/// Reads `file`, and looks whether the directories it grants are there. Blocks on the disk.
///
/// # Errors
///
/// The file cannot be read or has no meaning as a whole. What is wrong with single plugins is in [`Config::problems`].
pub fn load(file: &Path, env: Lookup<'_>) -> Result<Config, ConfigError> {
    let unread = |source| ConfigError::Read { file: file.to_owned(), source };
    let absolute = std::path::absolute(file).map_err(unread)?;
    let text = disk::read(&absolute).map_err(unread)?;
    build(&text, &absolute, env, disk::check)
}

/// As [`load`], of a text that stands for the file `file` (an absolute path), without a look at the disk.
///
/// # Errors
///
/// The text has no meaning as a whole.
pub fn parse(text: &str, file: &Path, env: Lookup<'_>) -> Result<Config, ConfigError> {
    build(text, file, env, |_| disk::Findings::default())
}

fn build(
    text: &str,
    file: &Path,
    env: Lookup<'_>,
    check: impl FnOnce(Vec<disk::Claim>) -> disk::Findings,
) -> Result<Config, ConfigError> {
    let mut faults = Faults::default();
    let document = read::read(text, &mut faults);
    let base = file.parent().unwrap_or(file);
    let (mut config, claims) = needed::resolve(document, base, env, &mut faults);
    let disk::Findings { faults: found, absent } = check(claims);
    faults.append(found);
    config.absent = absent;
    config.plugins.retain(|plugin| !faults.concern(&plugin.name));
    let fatal = faults.are_fatal();
    let diagnostics = faults.into_diagnostics(text, file);
    if fatal {
        return Err(ConfigError::Invalid { diagnostics });
    }
    config.problems = diagnostics;
    Ok(config)
}
