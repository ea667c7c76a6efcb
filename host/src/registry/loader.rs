//! From a file to a plugin: read, compare, compile, ask for its lists, judge them, and judge what they change. Nothing here
//! touches what is in service.

use super::announce::Announcements;
use super::compare::{self, Change, Effect};
use super::guest::Owner;
use super::manifest::Manifest;
use super::oversight::Oversight;
use super::plugin::{Digest, Kept, Offers, OnBreaking, Plugin, PluginSpec, Source};
use super::prompt::PromptEntry;
use super::resource::{ResourceEntry, TemplateEntry};
use super::results::Results;
use super::tool::{Listing, ToolEntry};
use super::version;
use crate::policy::{Limits, plugin_table};
use crate::sandbox::types::Tool;
use crate::sandbox::{Cell, Compiled, Doors, Engine, LoadError};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many changes of one plugin are told of one by one.
const MAX_TOLD: usize = 32;

/// Loads plugins; what was loaded before saves work where nothing changed.
pub(super) struct Loader<'a> {
    pub(super) engine: &'a Arc<Engine>,
    pub(super) oversight: &'a Arc<Oversight>,
    pub(super) announcements: &'a Arc<Announcements>,
    pub(super) doors: &'a Doors,
    pub(super) previous: &'a [Arc<Plugin>],
    /// Which load it is.
    pub(super) generation: u64,
}

impl Loader<'_> {
    /// Loads one plugin from a file or from bytes, and judges what it changes. `suffix` stands after the names of its tools.
    ///
    /// # Errors
    /// Why it cannot be loaded, in words for the operator.
    pub(super) async fn load(&self, spec: &PluginSpec, suffix: &str) -> Result<Loaded, String> {
        let file = match &spec.source {
            Source::File(path) => Some(path.clone()),
            Source::Folder(_) | Source::Bytes(_) => None,
        };
        let bytes = match &spec.source {
            Source::File(path) => read(path, &spec.limits).await?,
            Source::Bytes(bytes) => bytes.to_vec(),
            Source::Folder(path) => return Err(format!("{} is a folder", path.display())),
        };
        let digest = Digest::of(&bytes);
        let size = bytes.len() as u64;
        let same = |plugin: &&Arc<Plugin>| plugin.digest == digest && plugin.spec == *spec && plugin.suffix == suffix;
        if let Some(same) = self.previous.iter().find(same) {
            return Ok(Loaded { plugin: Arc::clone(same), refused: None });
        }
        let compiled = match self.previous.iter().find(|plugin| plugin.digest == digest) {
            Some(same) => same.compiled.clone(),
            None => Compiled::new(self.engine, bytes, &spec.limits).await.map_err(|error| error.to_string())?,
        };
        let manifest = match &compiled.inspection().manifest {
            Some(text) => Manifest::parse(text).map_err(|error| error.to_string())?,
            None => Manifest::default(),
        };
        if let Some(mismatch) = version::mismatch(&spec.name, manifest.version.as_deref()) {
            return Err(mismatch);
        }
        let offers =
            self.offers((spec, suffix), &compiled, &manifest, &digest).await.map_err(|error| error.to_string())?;
        let (spec, suffix, kept) = (spec.clone(), suffix.to_owned(), None);
        self.judge(Plugin { spec, file, digest, size, manifest, offers, suffix, kept, compiled }).await
    }

    /// Compares a plugin with the version in service, and does what the operator wants of what breaks.
    ///
    /// # Errors
    /// If the version in service must stay and cannot.
    async fn judge(&self, mut new: Plugin) -> Result<Loaded, String> {
        let policy = new.spec.serving.on_breaking;
        let Some(old) = self.previous.iter().find(|plugin| plugin.name() == new.name()) else {
            return Ok(Loaded { plugin: Arc::new(new), refused: None });
        };
        let changes = if old.digest == new.digest { Vec::new() } else { changes(old, &new) };
        let breaking: Vec<&Change> = changes.iter().filter(|change| change.effect == Effect::Breaking).collect();
        if policy == OnBreaking::Refuse && !breaking.is_empty() {
            let refused = Some(refusal(old, &new, &breaking));
            // What the operator changed besides, a grant above all, holds for the version that stays, too.
            let plugin = self.under(old, &new).await.map_err(|error| error.to_string())?;
            return Ok(Loaded { plugin, refused });
        }
        report(old, &new, &changes, policy);
        if policy == OnBreaking::KeepBoth {
            let kept = if breaking.is_empty() {
                old.kept.clone()
            } else {
                let Plugin { manifest, digest, compiled, .. } = &**old;
                let mut names: Vec<String> = breaking.iter().map(|change| change.tool.clone()).collect();
                names.dedup();
                let (manifest, digest, compiled) = (manifest.clone(), *digest, compiled.clone());
                Some(Kept { manifest, digest, compiled, names, tools: Vec::new() })
            };
            if let Some(kept) = kept {
                new.kept = self.keep(kept, &new).await;
            }
        }
        Ok(Loaded { plugin: Arc::new(new), refused: None })
    }

    /// The version in service as it is wanted now: under the grant, the limits and the names of the one that is refused.
    async fn under(&self, old: &Arc<Plugin>, new: &Plugin) -> Result<Arc<Plugin>, LoadError> {
        if old.spec == new.spec && old.suffix == new.suffix {
            return Ok(Arc::clone(old));
        }
        let Plugin { digest, size, manifest, compiled, .. } = &**old;
        let offers = self.offers((&new.spec, &new.suffix), compiled, manifest, digest).await?;
        Ok(Arc::new(Plugin {
            spec: new.spec.clone(),
            file: new.file.clone(),
            digest: *digest,
            size: *size,
            manifest: manifest.clone(),
            offers,
            suffix: new.suffix.clone(),
            kept: None,
            compiled: compiled.clone(),
        }))
    }

    /// Makes tools of an older version ready to be served beside those of `new`, under what the operator wants now. None if
    /// that cannot be done: then they leave.
    async fn keep(&self, kept: Kept, new: &Plugin) -> Option<Kept> {
        let Kept { manifest, digest, compiled, names, tools: _ } = kept;
        let plugin = new.name();
        let offers = match self.offers((&new.spec, ""), &compiled, &manifest, &digest).await {
            Ok(offers) => offers,
            Err(error) => {
                tracing::error!(plugin, %digest, "the tools of the version before cannot be kept: {error}");
                return None;
            }
        };
        let version = manifest.version.as_deref().unwrap_or("of unknown number");
        let suffix = version::label(manifest.version.as_deref(), &digest.to_string());
        let mut tools = Vec::new();
        for tool in offers.tools.iter().filter(|tool| names.contains(&tool.tool.name)) {
            let successor = new.offers.tools.iter().find(|new| new.tool.name == tool.tool.name);
            let instead = match successor {
                Some(new) => format!("this is version {version}, use {} instead", new.name),
                None => format!("this is version {version}, and newer ones have no such tool"),
            };
            match tool.kept(&suffix, &instead) {
                Ok(tool) => tools.push(Arc::new(tool)),
                Err(error) => tracing::error!(plugin, tool = tool.name, "it cannot be kept: {error}"),
            }
        }
        Some(Kept { manifest, digest, compiled, names, tools })
    }

    /// The same plugin with its lists read anew.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub(super) async fn again(&self, plugin: &Plugin) -> Result<Arc<Plugin>, LoadError> {
        let Plugin { spec, file, digest, size, manifest, offers: _, suffix, kept, compiled } = plugin;
        let offers = self.offers((spec, suffix), compiled, manifest, digest).await?;
        Ok(Arc::new(Plugin {
            spec: spec.clone(),
            file: file.clone(),
            digest: *digest,
            size: *size,
            manifest: manifest.clone(),
            offers,
            suffix: suffix.clone(),
            kept: kept.clone(),
            compiled: compiled.clone(),
        }))
    }

    /// Asks a plugin what it offers and judges each item. One that does not pass is left out; the others stay.
    async fn offers(
        &self,
        (spec, suffix): (&PluginSpec, &str),
        compiled: &Compiled,
        manifest: &Manifest,
        digest: &Digest,
    ) -> Result<Offers, LoadError> {
        let PluginSpec { name, source: _, prefix, grant, limits, serving } = spec;
        let prefix = prefix.as_deref().unwrap_or_default();
        let on_change = self.announcements.of(name);
        let requested = manifest.requested.clone();
        let cell = Cell::new(compiled.clone(), name, grant, requested, limits.clone(), on_change, self.doors.clone());
        let cell = cell.kept_warm(serving.warm);
        let lists = cell.lists().await?;
        let owner = Owner {
            plugin: name.clone(),
            guest: Arc::new(cell),
            shared_name: name.as_str().into(),
            digest: digest.to_string().into(),
            generation: self.generation,
            oversight: Arc::clone(self.oversight),
            results: Results::new(&serving.cache),
        };
        let owner = &Arc::new(owner);

        let mut problems: Vec<String> =
            lists.refused.iter().map(|refused| format!("its export is no tool: {refused}")).collect();
        let cache = |hint| serving.cache.of_list(hint);
        let hints = [lists.tools_cache, lists.resources_cache, lists.templates_cache, lists.prompts_cache].map(cache);
        let mut judge = Judge { problems: &mut problems };
        let listing = Listing { prefix, suffix, serving, deprecated: &manifest.deprecated };
        Ok(Offers {
            tools: judge.all(
                ("tool", limits.tools, "tools"),
                lists.tools,
                |tool| tool.name.clone(),
                |tool| ToolEntry::new(owner, &listing, tool),
            )?,
            resources: judge.all(
                ("resource", limits.resources, "resources"),
                lists.resources,
                |info| info.uri.clone(),
                |info| ResourceEntry::new(owner, serving, info),
            )?,
            templates: judge.all(
                ("resource template", limits.resources, "resources"),
                lists.templates,
                |template| template.uri_template.clone(),
                |template| TemplateEntry::new(owner, serving, template),
            )?,
            prompts: judge.all(
                ("prompt", limits.prompts, "prompts"),
                lists.prompts,
                |prompt| prompt.name.clone(),
                |prompt| PromptEntry::new(owner, (prefix, suffix), prompt),
            )?,
            hints,
            problems,
        })
    }
}

/// A plugin that can be put into service.
pub(super) struct Loaded {
    pub(super) plugin: Arc<Plugin>,
    /// Why it is the version that was in service before, if it is.
    pub(super) refused: Option<String>,
}

/// What a new version changes for those who call its tools.
fn changes(old: &Plugin, new: &Plugin) -> Vec<Change> {
    let of_new: Vec<&Tool> = new.offers.tools.iter().map(|entry| &entry.tool).collect();
    compare::changes(old.offers.tools.iter().map(|entry| &entry.tool), &of_new)
}

/// Why a new version is not served; ends with what to change.
fn refusal(old: &Plugin, new: &Plugin, breaking: &[&Change]) -> String {
    let shown: Vec<String> = breaking
        .iter()
        .take(MAX_TOLD)
        .map(|change| format!("its tool {:?}: {}", change.tool, change.reason))
        .chain(breaking.get(MAX_TOLD..).filter(|more| !more.is_empty()).map(|more| format!("and {} more", more.len())))
        .collect();
    let version =
        |plugin: &Plugin| plugin.version().unwrap_or("of unknown number").chars().take(64).collect::<String>();
    format!(
        "version {} breaks callers of version {}: {}; to serve it all the same, change in toolcell.toml: {} on-breaking = \
         \"warn\"",
        version(new),
        version(old),
        shown.join("; "),
        plugin_table(new.name())
    )
}

/// Logs what a new version changes and what more it asks for.
fn report(old: &Plugin, new: &Plugin, changes: &[Change], policy: OnBreaking) {
    let (plugin, version, before) = (new.name(), new.version(), old.version());
    for Change { tool, effect, reason } in changes.iter().take(MAX_TOLD) {
        match (effect, policy) {
            (Effect::Breaking, OnBreaking::Allow) => {
                tracing::info!(plugin, version, before, tool, reason, "breaking change");
            }
            (Effect::Breaking, _) => tracing::warn!(plugin, version, before, tool, reason, "breaking change"),
            (Effect::Compatible, _) => tracing::info!(plugin, version, before, tool, reason, "compatible change"),
        }
    }
    if let Some(more) = changes.get(MAX_TOLD..).filter(|more| !more.is_empty()) {
        let breaking = more.iter().filter(|change| change.effect == Effect::Breaking).count();
        tracing::warn!(plugin, version, before, changes = more.len(), breaking, "and more changes");
    }
    let more = match (&old.manifest.requested, &new.manifest.requested) {
        (Some(before), Some(requested)) => requested.beyond(before),
        // Without a manifest, what is granted is what it gets.
        (Some(_), None) => vec!["for whatever it is granted, as it has no manifest any more".to_owned()],
        (None, _) => Vec::new(),
    };
    for asked in more.iter().take(MAX_TOLD) {
        tracing::warn!(plugin, version, before, "grant change: it asks {asked}, which the version before did not");
    }
    if more.len() > MAX_TOLD {
        tracing::warn!(plugin, version, before, "grant change: it asks for {} things more", more.len() - MAX_TOLD);
    }
}

/// Judges what a plugin lists, and collects what is wrong with it.
struct Judge<'a> {
    problems: &'a mut Vec<String>,
}

impl Judge<'_> {
    /// `(what, most, limit)`: what each item is, how many may be there, and the limit's key.
    fn all<T, E>(
        &mut self,
        (what, most, limit): (&str, usize, &str),
        listed: Vec<T>,
        key: impl Fn(&T) -> String,
        entry: impl Fn(T) -> Result<E, String>,
    ) -> Result<Vec<Arc<E>>, LoadError> {
        if listed.len() > most {
            let text =
                format!("it offers {} {what}s, at most {most} are accepted; raise `limits.{limit}`", listed.len());
            return Err(LoadError::Metadata(text));
        }
        let mut keys = HashSet::new();
        let mut entries = Vec::with_capacity(listed.len());
        for item in listed {
            let key = key(&item);
            let shown: String = key.chars().take(128).collect();
            if !keys.insert(key) {
                self.problems.push(format!("its {what} {shown:?} is listed twice; the second is left out, rename it"));
                continue;
            }
            match entry(item) {
                Ok(entry) => entries.push(Arc::new(entry)),
                Err(error) => self.problems.push(format!("its {what} {shown:?} is left out: {error}")),
            }
        }
        Ok(entries)
    }
}

/// Reads a component, but not one that is too large to load anyway.
async fn read(path: &Path, limits: &Limits) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}; check the path and its permissions");
    let length = tokio::fs::metadata(path).await.map_err(cannot)?.len();
    if length > limits.component_bytes as u64 {
        return Err(format!(
            "it is {length} bytes long, at most {} are loaded; build with optimisation and without debug information, or raise `limits.component-bytes`",
            limits.component_bytes
        ));
    }
    tokio::fs::read(path).await.map_err(cannot)
}

/// Replaces each folder by the components in it, in the order of their names.
///
/// A folder that cannot be read is returned as an error of its own; the others are not affected.
pub(super) async fn expand(specs: &[PluginSpec]) -> Vec<(PluginSpec, Option<String>)> {
    let mut expanded = Vec::new();
    for spec in specs {
        let Source::Folder(folder) = &spec.source else {
            expanded.push((spec.clone(), None));
            continue;
        };
        if spec.name.contains('@') {
            let text = format!(
                "{} is a folder, and {:?} names versions of one plugin; give the path of a component",
                folder.display(),
                spec.name
            );
            expanded.push((spec.clone(), Some(text)));
            continue;
        }
        match components(folder).await {
            Ok(files) => expanded.extend(files.into_iter().map(|file| {
                let name = plugin_name(&file);
                (PluginSpec { name, source: Source::File(file), ..spec.clone() }, None)
            })),
            Err(error) => {
                let text =
                    format!("folder {} cannot be read: {error}; create it or correct the path", folder.display());
                expanded.push((spec.clone(), Some(text)));
            }
        }
    }
    expanded
}

async fn components(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut entries = tokio::fs::read_dir(folder).await?;
    let mut files = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        let path = entry.path();
        if is_component_file(&path) && tokio::fs::metadata(&path).await.is_ok_and(|found| found.is_file()) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a path looks like a component's: `*.wasm`, and not an editor's or a copier's temporary file.
pub(super) fn is_component_file(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden && path.extension().is_some_and(|extension| extension == "wasm")
}

/// A plugin's name from its file's name: lower case, with `-` for what a name may not contain.
pub fn plugin_name(file: &Path) -> String {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).take(64).collect();
    let name = name.trim_start_matches(['-', '_']);
    if name.is_empty() { "plugin".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_become_names_of_plugins() {
        for (file, name) in
            [("a/My Tool.wasm", "my-tool"), ("x.y.wasm", "x-y"), (".wasm", "wasm"), ("é.wasm", "plugin")]
        {
            assert_eq!(plugin_name(Path::new(file)), name, "{file}");
        }
    }

    #[test]
    fn temporary_files_are_no_components() {
        for (file, is) in
            [("a.wasm", true), (".a.wasm", false), ("a.wasm.tmp", false), ("a.wasm~", false), ("a.wat", false)]
        {
            assert_eq!(is_component_file(Path::new(file)), is, "{file}");
        }
    }
}
