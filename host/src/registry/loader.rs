//! From a file to a plugin: read, compare, compile, ask for its lists, judge them. Nothing here touches what is in
//! service.

use super::announce::Announcements;
use super::guest::Owner;
use super::manifest::Manifest;
use super::plugin::{Digest, Offers, Plugin, PluginSpec, Source};
use super::prompt::PromptEntry;
use super::resource::{ResourceEntry, TemplateEntry};
use super::results::Results;
use super::tool::ToolEntry;
use crate::policy::{Limits, Policy};
use crate::sandbox::{Cell, Compiled, Doors, Engine, LoadError};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Loads plugins; what was loaded before saves work where nothing changed.
pub(super) struct Loader<'a> {
    pub(super) engine: &'a Arc<Engine>,
    pub(super) policy: &'a Arc<dyn Policy>,
    pub(super) announcements: &'a Arc<Announcements>,
    pub(super) doors: &'a Doors,
    pub(super) previous: &'a [Arc<Plugin>],
}

impl Loader<'_> {
    /// Loads one plugin from a file or from bytes.
    ///
    /// # Errors
    /// Why it cannot be loaded, in words for the operator.
    pub(super) async fn load(&self, spec: &PluginSpec) -> Result<Arc<Plugin>, String> {
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
        if let Some(same) = self.previous.iter().find(|plugin| plugin.digest == digest && plugin.spec == *spec) {
            return Ok(Arc::clone(same));
        }
        let compiled = match self.previous.iter().find(|plugin| plugin.digest == digest) {
            Some(same) => same.compiled.clone(),
            None => Compiled::new(self.engine, bytes, &spec.limits).await.map_err(|error| error.to_string())?,
        };
        let manifest = match &compiled.inspection().manifest {
            Some(text) => Manifest::parse(text).map_err(|error| error.to_string())?,
            None => Manifest::default(),
        };
        let offers = self.offers(spec, &compiled, &manifest).await.map_err(|error| error.to_string())?;
        Ok(Arc::new(Plugin { spec: spec.clone(), file, digest, size, manifest, offers, compiled }))
    }

    /// The same plugin with its lists read anew.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub(super) async fn again(&self, plugin: &Plugin) -> Result<Arc<Plugin>, LoadError> {
        let Plugin { spec, file, digest, size, manifest, offers: _, compiled } = plugin;
        let offers = self.offers(spec, compiled, manifest).await?;
        Ok(Arc::new(Plugin {
            spec: spec.clone(),
            file: file.clone(),
            digest: *digest,
            size: *size,
            manifest: manifest.clone(),
            offers,
            compiled: compiled.clone(),
        }))
    }

    /// Asks a plugin what it offers and judges each item. One that does not pass is left out; the others stay.
    async fn offers(&self, spec: &PluginSpec, compiled: &Compiled, manifest: &Manifest) -> Result<Offers, LoadError> {
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
            policy: Arc::clone(self.policy),
            results: Results::new(&serving.cache),
        };
        let owner = &Arc::new(owner);

        let mut problems: Vec<String> =
            lists.refused.iter().map(|refused| format!("its export is no tool: {refused}")).collect();
        let cache = |hint| serving.cache.of_list(hint);
        let hints = [lists.tools_cache, lists.resources_cache, lists.templates_cache, lists.prompts_cache].map(cache);
        let mut judge = Judge { problems: &mut problems };
        Ok(Offers {
            tools: judge.all(
                ("tool", limits.tools, "tools"),
                lists.tools,
                |tool| tool.name.clone(),
                |tool| ToolEntry::new(owner, prefix, serving, tool),
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
                |prompt| PromptEntry::new(owner, prefix, prompt),
            )?,
            hints,
            problems,
        })
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
