//! What `Cargo.toml` says of a plugin in Rust.

use super::read::problem;
use super::{check_name, read_if_there};
use crate::Error;
use serde::Deserialize;
use std::path::Path;
use toml::{Table, Value};

/// The crate, as far as a plugin is concerned.
#[derive(Debug, Default)]
pub(super) struct Crate {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) description: Option<String>,
}

#[derive(Deserialize)]
struct Manifest {
    package: Option<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: Option<Value>,
    description: Option<Value>,
}

/// The crate of a manifest; None if it is that of a workspace only.
///
/// # Errors
/// If it does not read, or the crate's name is none for a plugin.
pub(super) fn read(file: &Path, text: &str) -> Result<Option<Crate>, Error> {
    let manifest: Manifest = toml::from_str(text).map_err(|error| problem(file, text, &error))?;
    let Some(Package { name, version, description }) = manifest.package else { return Ok(None) };
    // As `#[plugin]` names it.
    let name = name.strip_prefix("plugin-").unwrap_or(&name).to_owned();
    check_name(&name).map_err(|message| Error::Project { file: file.to_owned(), line: None, message })?;
    let version = own_or_inherited(file, "version", version);
    let description = own_or_inherited(file, "description", description);
    Ok(Some(Crate { name: Some(name), version, description }))
}

/// A value of the package's own, or that of the workspace if it says `workspace = true`.
fn own_or_inherited(file: &Path, key: &str, value: Option<Value>) -> Option<String> {
    match value? {
        Value::String(own) => Some(own),
        Value::Table(table) if table.get("workspace").and_then(Value::as_bool) == Some(true) => {
            file.ancestors().skip(1).find_map(|folder| {
                let root: Table = read_if_there(&folder.join("Cargo.toml")).ok()??.parse().ok()?;
                Some(root.get("workspace")?.get("package")?.get(key)?.as_str()?.to_owned())
            })
        }
        _ => None,
    }
}
