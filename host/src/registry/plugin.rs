//! What is to be loaded, and what it is once it is loaded.

use super::manifest::Manifest;
use super::tool::ToolEntry;
use crate::policy::{DenyReason, Grant, Limits};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a component comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Every `*.wasm` in a folder, in the order of their names, each a plugin named after its file.
    Folder(PathBuf),
    /// Bytes an embedder holds.
    Bytes(Arc<[u8]>),
}

/// One plugin as the operator wants it.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginSpec {
    /// Its name on this host. For a folder, the name of the folder's entry in the configuration.
    pub name: String,
    /// Where its component is.
    pub source: Source,
    /// Put before each of its tools' names.
    pub prefix: Option<String>,
    /// What it may touch.
    pub grant: Grant,
    /// What it may use.
    pub limits: Limits,
}

impl PluginSpec {
    /// A plugin with no grant and the default limits.
    pub fn new(name: impl Into<String>, source: Source) -> Self {
        Self { name: name.into(), source, prefix: None, grant: Grant::default(), limits: Limits::default() }
    }
}

/// A loaded plugin. It stays alive as long as a call of it runs, even after it was replaced.
pub struct Plugin {
    /// What it was loaded from, for the next load to compare with.
    pub(super) spec: PluginSpec,
    /// The file, if it came from one.
    pub file: Option<PathBuf>,
    /// SHA-256 of the component.
    pub digest: Digest,
    /// Size of the component in bytes.
    pub size: u64,
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its tools under the names clients see, in its own order.
    pub tools: Vec<Arc<ToolEntry>>,
    /// What was left out of it and why.
    pub(super) problems: Vec<String>,
    pub(super) compiled: crate::sandbox::Compiled,
}

impl Plugin {
    /// Its name on this host.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Where what the operator grants and what the plugin asks for differ. None of it is an error.
    pub fn gaps(&self) -> Vec<DenyReason> {
        let requested = self.manifest.requested.as_ref();
        requested.map(|requested| self.spec.grant.gaps(self.name(), requested)).unwrap_or_default()
    }

    /// The component as it was compiled.
    pub fn compiled(&self) -> &crate::sandbox::Compiled {
        &self.compiled
    }
}

/// The SHA-256 of a component.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Something the operator should know: a plugin that was not loaded, or a tool that was left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The plugin it is about.
    pub plugin: String,
    /// Its file, if it has one.
    pub file: Option<PathBuf>,
    /// What is wrong and what to do about it.
    pub message: String,
    /// Whether an earlier version of the plugin stays in service.
    pub kept_previous: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin {}", self.plugin)?;
        if let Some(file) = &self.file {
            write!(f, " ({})", file.display())?;
        }
        write!(f, ": {}", self.message)?;
        if self.kept_previous { f.write_str("; the version loaded before stays in service") } else { Ok(()) }
    }
}
