//! What is to be loaded, and what it is once it is loaded.

use super::manifest::Manifest;
use super::prompt::PromptEntry;
use super::resource::{CacheRules, ResourceEntry, TemplateEntry};
use super::tool::ToolEntry;
use crate::policy::{DenyReason, Grant, Limits};
use crate::sandbox::types::CacheHint;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

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
    /// Put before the name of each of its tools and prompts.
    pub prefix: Option<String>,
    /// What it may touch.
    pub grant: Grant,
    /// What it may use.
    pub limits: Limits,
    /// How what it offers is served.
    pub serving: Serving,
}

/// What an operator says about serving a plugin, besides what it may do. The default leaves it to the plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Serving {
    /// Which calls become tasks.
    pub tasks: TaskMode,
    /// How long copies may live.
    pub cache: CacheRules,
    /// Whether instances are kept for the next call of the same caller, instead of one being made for each call.
    pub warm: bool,
    /// What happens when a new version breaks what callers rely on.
    pub on_breaking: OnBreaking,
}

/// What happens when a component is replaced by one whose tools no longer take or give what they did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnBreaking {
    /// It is served.
    Allow,
    /// It is served, and the log says what broke.
    #[default]
    Warn,
    /// The version before stays in service.
    Refuse,
    /// It is served, and beside it the old tools that changed, under other names.
    KeepBoth,
}

/// Which calls of a plugin become tasks, for clients that can follow tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskMode {
    /// Those of the tools for which the plugin says so.
    #[default]
    AsPlugin,
    /// All, but those of tools that forbid it.
    Always,
    /// None.
    Never,
    /// Those that take longer than this, but for tools that forbid it.
    After(Duration),
}

impl PluginSpec {
    /// A plugin with no grant and the default limits.
    pub fn new(name: impl Into<String>, source: Source) -> Self {
        Self {
            name: name.into(),
            source,
            prefix: None,
            grant: Grant::default(),
            limits: Limits::default(),
            serving: Serving::default(),
        }
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
    /// What it offers.
    pub offers: Offers,
    /// What stands after the names of its tools and prompts, because a newer version has the plain ones.
    pub(super) suffix: String,
    /// What is still served of the version before.
    pub(super) kept: Option<Kept>,
    pub(super) compiled: crate::sandbox::Compiled,
}

/// Tools of the version before, which the one in service changed or no longer has.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) manifest: Manifest,
    pub(super) digest: Digest,
    pub(super) compiled: crate::sandbox::Compiled,
    /// The tools by their own names.
    pub(super) names: Vec<String>,
    /// The same, under the names clients see.
    pub(super) tools: Vec<Arc<ToolEntry>>,
}

/// What a plugin offers, under the names clients see and in its own order.
#[derive(Default)]
pub struct Offers {
    /// Its tools.
    pub tools: Vec<Arc<ToolEntry>>,
    /// Its resources.
    pub resources: Vec<Arc<ResourceEntry>>,
    /// Its templates.
    pub templates: Vec<Arc<TemplateEntry>>,
    /// Its prompts.
    pub prompts: Vec<Arc<PromptEntry>>,
    /// How long each of these lists stays fresh, where it was said.
    pub(super) hints: [Option<CacheHint>; 4],
    /// What was left out and why.
    pub(super) problems: Vec<String>,
}

impl Plugin {
    /// Its name on this host.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Its semantic version, as its manifest says.
    pub fn version(&self) -> Option<&str> {
        self.manifest.version.as_deref()
    }

    /// Tools of the version before it that are served beside its own, where the operator wants that.
    pub fn kept(&self) -> &[Arc<ToolEntry>] {
        self.kept.as_ref().map(|kept| kept.tools.as_slice()).unwrap_or_default()
    }

    /// Where what the operator grants and what the plugin asks for differ. None of it is an error.
    pub fn gaps(&self) -> Vec<DenyReason> {
        let requested = self.manifest.requested.as_ref();
        requested.map(|requested| self.spec.grant.gaps(self.name(), requested)).unwrap_or_default()
    }

    /// What it may do: what is granted of what it asks for.
    pub fn granted(&self) -> Grant {
        self.spec.grant.effective(self.manifest.requested.as_ref())
    }

    /// The component as it was compiled.
    pub fn compiled(&self) -> &crate::sandbox::Compiled {
        &self.compiled
    }
}

/// The SHA-256 of a component.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of a component's bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

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
        // The message ends with what to do, so nothing comes after it.
        if self.kept_previous {
            f.write_str(", of which the version loaded before stays in service")?;
        }
        write!(f, ": {}", self.message)
    }
}
