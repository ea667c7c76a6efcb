//! From a file to a plugin: read, compare, compile, ask for its tools, judge them. Nothing here touches what is in
//! service.

use super::manifest::Manifest;
use super::plugin::{Digest, Plugin, PluginSpec, Source};
use super::tool::ToolEntry;
use crate::policy::{Limits, Policy};
use crate::sandbox::{Cell, Compiled, Engine, LoadError};
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Loads plugins; what was loaded before saves work where nothing changed.
pub(super) struct Loader<'a> {
    pub(super) engine: &'a Arc<Engine>,
    pub(super) policy: &'a Arc<dyn Policy>,
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
        let digest = Digest(Sha256::digest(&bytes).into());
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
        let (tools, problems) = self.tools(spec, &compiled, &manifest).await.map_err(|error| error.to_string())?;
        Ok(Arc::new(Plugin { spec: spec.clone(), file, digest, size, manifest, tools, problems, compiled }))
    }

    /// Lists a plugin's tools in a cell of its own and judges each. One that does not pass is left out; the others stay.
    async fn tools(
        &self,
        spec: &PluginSpec,
        compiled: &Compiled,
        manifest: &Manifest,
    ) -> Result<(Vec<Arc<ToolEntry>>, Vec<String>), LoadError> {
        let PluginSpec { name, source: _, prefix, grant, limits } = spec;
        let cell = Cell::new(compiled.clone(), name, grant, manifest.requested.clone(), limits.clone());
        let cell = Arc::new(cell);
        let listed = cell.list_tools().await?.tools;
        let most = limits.tools;
        if listed.len() > most {
            let text = format!("it offers {} tools, at most {most} are accepted; raise `limits.tools`", listed.len());
            return Err(LoadError::Metadata(text));
        }
        let mut names = HashSet::new();
        let (mut tools, mut problems) = (Vec::new(), Vec::new());
        for tool in listed {
            let own_name = tool.name.chars().take(128).collect::<String>();
            match ToolEntry::new(name, prefix.as_deref().unwrap_or_default(), tool, &cell, self.policy) {
                Ok(entry) if names.insert(entry.name.clone()) => tools.push(Arc::new(entry)),
                Ok(_) => {
                    problems.push(format!("its tool {own_name:?} is listed twice; the second is left out, rename it"))
                }
                Err(error) => problems.push(format!("its tool {own_name:?} is left out: {error}")),
            }
        }
        Ok((tools, problems))
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
