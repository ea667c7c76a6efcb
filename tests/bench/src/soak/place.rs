//! The folder that the host is served from: its configuration, certificates, keys and plugins.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use toolcell_tests::pki::{Authority, Pair};
use toolcell_tests::site::{Site, quoted};

use super::issuer::Issuer;
use crate::reload::plugin::{Folder, Version};

/// The URL of the host as its tokens name it.
pub const RESOURCE: &str = "https://localhost/mcp";
/// How often the plugin is replaced, at most.
pub const RELOAD_EVERY: Duration = Duration::from_secs(4);

pub struct Place {
    site: Site,
    authority: Authority,
    pair: Pair,
    certificates: AtomicUsize,
    folder: Mutex<Folder>,
    watched: PathBuf,
    target: PathBuf,
    issuer: String,
}

impl Place {
    /// A folder for a run of this length.
    ///
    /// # Errors
    /// When a guest is not built.
    pub fn new(target: &Path, issuer: &Issuer, time: Duration) -> Result<Self> {
        let replacements = time.as_secs() / RELOAD_EVERY.as_secs() + 2;
        let folder = Folder::new(&target.join("guests"), usize::try_from(replacements)?)?;
        let site = Site::new();
        let authority = Authority::new(&site, "authority");
        let pair = authority.server("first").copied(&site.path(""), "served");
        let watched = folder.watched().join("versioned.wasm");
        let (certificates, folder) = (AtomicUsize::new(0), Mutex::new(folder));
        let (target, issuer) = (target.to_owned(), issuer.url().to_owned());
        Ok(Self { site, authority, pair, certificates, folder, watched, target, issuer })
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.site.path("toolcell.toml")
    }

    /// The certificate that clients trust.
    pub fn authority(&self) -> PathBuf {
        self.authority.cert()
    }

    /// The version of the plugin that is in place.
    pub fn version(&self) -> Version {
        self.locked().current()
    }

    /// Puts the next version of the plugin in place.
    ///
    /// # Errors
    /// When all have been used.
    pub fn replace_plugin(&self) -> Result<()> {
        self.locked().replace()
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Folder> {
        self.folder.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Writes the configuration; each edition says something else that changes nothing for the callers.
    ///
    /// # Errors
    /// When a plugin is not built.
    pub fn write_config(&self, edition: usize) -> Result<()> {
        let echo = self.target.join("plugins/echo.wasm");
        if !echo.is_file() {
            bail!("{} is missing; build the plugins first", echo.display());
        }
        let (echo, watched) = (quoted(&echo), quoted(&self.watched));
        let text = format!(
            "[server]\ntls = {{ cert = 'served.pem', key = 'served.key' }}\nadmin = '127.0.0.1:0'\nstate = 'state.db'\n\
             [auth]\nkeys = 'keys.json'\nresource = '{RESOURCE}'\n\
             [auth.issuers.soak]\nissuer = '{issuer}'\njwks-uri = '{issuer}/jwks'\ngroups-claim = 'groups'\n\
             [audit]\ndir = 'audit'\n\
             [telemetry]\nusage = 'usage'\notlp = '{issuer}'\ntrace-ratio = {ratio}\n\
             [[allow]]\ngroups = ['soak']\n[[allow]]\nprincipals = ['edition-{edition}']\ntools = ['echo']\n\
             [[quotas.rates]]\nat-most = {rate}\nevery = 'minute'\n\
             [quotas.queue]\nplaces = 64\nper-caller = 16\n\
             [plugins.echo]\npath = {echo}\nlimits = {{ wall-ms = {wall} }}\n\
             [plugins.warm]\npath = {echo}\nprefix = 'warm_'\ninstances = 'warm'\n\
             [plugins.versioned]\npath = {watched}\n",
            issuer = self.issuer,
            ratio = super::TRACED,
            rate = 1_000_000 + edition,
            wall = 30_000 + edition,
        );
        self.site.config(&text);
        Ok(())
    }

    /// Puts a new certificate in place; returns it as it goes over the wire.
    pub fn renew_certificate(&self) -> Vec<u8> {
        let number = self.certificates.fetch_add(1, Ordering::Relaxed);
        let new = self.authority.server(&format!("renewed-{number}"));
        new.replace(&self.pair);
        toolcell_tests::tls::der(&new.cert)
    }

    /// The certificate that is in place.
    pub fn certificate(&self) -> Vec<u8> {
        toolcell_tests::tls::der(&self.pair.cert)
    }

    /// Makes a key as an operator does.
    ///
    /// # Errors
    /// When the command fails.
    pub fn new_key(&self, program: &Path, principal: &str) -> Result<String> {
        self.run(program, &["key", "--file", "keys.json", "new", principal, "--group", "soak"])
    }

    /// Revokes a key.
    ///
    /// # Errors
    /// When the command fails.
    pub fn revoke(&self, program: &Path, key: &str) -> Result<()> {
        let id = key.split('_').nth(1).context("a key has an identifier")?;
        self.run(program, &["key", "--file", "keys.json", "revoke", id]).map(drop)
    }

    /// Whether the audit log is whole; what is said of it.
    ///
    /// # Errors
    /// When the command cannot be run.
    pub fn verify_audit(&self, program: &Path) -> Result<Result<String, String>> {
        match self.run(program, &["audit", "verify"]) {
            Ok(said) => Ok(Ok(said)),
            Err(error) => Ok(Err(format!("{error:#}"))),
        }
    }

    fn run(&self, program: &Path, arguments: &[&str]) -> Result<String> {
        let ran = Command::new(program).current_dir(self.site.path("")).args(arguments).output()?;
        let said = String::from_utf8_lossy(&ran.stdout).trim().to_owned();
        if !ran.status.success() {
            bail!("toolcell {}: {said} {}", arguments.join(" "), String::from_utf8_lossy(&ran.stderr));
        }
        Ok(said)
    }
}
