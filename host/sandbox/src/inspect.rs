//! Reads what a component says of itself before anything of it is compiled.

use super::error::LoadError;
use super::plain::docs;
use wasmparser::{Encoding, Parser, Payload};

/// The custom section in which SDKs put the manifest.
pub const MANIFEST_SECTION: &str = "toolcell:manifest";
/// A larger manifest is refused, in bytes. A manifest is a page of JSON.
pub const MAX_MANIFEST_BYTES: usize = 64 * 1024;
/// The contract this host serves.
pub const CONTRACT: &str = "0.1.0";
/// How deep components are nested before reading stops. The deepest seen from any toolchain is 3.
const MAX_DEPTH: usize = 16;

/// What stands on the outside of a component.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspection {
    /// The text of the manifest section, if there is one: JSON, not yet parsed.
    pub manifest: Option<String>,
    /// The version of `toolcell:plugin` in its import and export names; none if it has no such names.
    pub contract: Option<String>,
    /// The names it imports, as written.
    pub imports: Vec<String>,
    /// The names it exports, as written.
    pub exports: Vec<String>,
    /// Its `package-docs` section: the doc comments of its WIT, not yet parsed. None if there is none, or a huge one.
    pub docs: Option<Vec<u8>>,
}

/// Reads the outside of a component.
///
/// # Errors
/// [`LoadError::NotWasm`], [`LoadError::CoreModule`] or [`LoadError::Malformed`]; [`LoadError::Contract`] if it was built
/// for a version of `toolcell:plugin` that this host does not serve.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, LoadError> {
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => return Err(LoadError::CoreModule),
        Some([0, b'a', b's', b'm', ..]) => {}
        _ => return Err(LoadError::NotWasm),
    }
    let mut seen = Inspection::default();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(malformed)? {
            Payload::Version { encoding: Encoding::Component | Encoding::Module, .. } => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(LoadError::Malformed("components are nested too deeply".to_owned()));
                }
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => {
                seen.manifest.get_or_insert(manifest(section.data())?);
            }
            Payload::CustomSection(section)
                if depth == 1 && section.name() == docs::SECTION && section.data().len() <= docs::MAX_BYTES =>
            {
                seen.docs.get_or_insert(section.data().to_vec());
            }
            Payload::ComponentImportSection(imports) if depth == 1 => {
                for import in imports {
                    seen.imports.push(import.map_err(malformed)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(exports) if depth == 1 => {
                for export in exports {
                    seen.exports.push(export.map_err(malformed)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    seen.contract = contract(&seen)?;
    Ok(seen)
}

fn malformed(error: wasmparser::BinaryReaderError) -> LoadError {
    LoadError::Malformed(error.to_string())
}

fn manifest(data: &[u8]) -> Result<String, LoadError> {
    if data.len() > MAX_MANIFEST_BYTES {
        let text = format!("its manifest is {} bytes long, at most {MAX_MANIFEST_BYTES} are read", data.len());
        return Err(LoadError::Malformed(text));
    }
    let text = std::str::from_utf8(data).map_err(|_| LoadError::Malformed("its manifest is not UTF-8".to_owned()))?;
    Ok(text.to_owned())
}

/// The contract's version in a name such as `toolcell:plugin/tools@0.1.0`.
fn contract(seen: &Inspection) -> Result<Option<String>, LoadError> {
    let versions = seen.exports.iter().chain(&seen.imports).filter_map(|name| {
        let rest = name.strip_prefix("toolcell:plugin/")?;
        rest.split_once('@').map(|(_, version)| version)
    });
    let mut found = None;
    for version in versions {
        check_contract(version)?;
        found.get_or_insert_with(|| version.to_owned());
    }
    Ok(found)
}

/// A host serves every patch release of its own minor version: those only add.
///
/// # Errors
/// [`LoadError::Contract`] for any other version.
pub fn check_contract(version: &str) -> Result<(), LoadError> {
    let minor = |version: &str| version.rsplit_once('.').map(|(minor, _)| minor.to_owned());
    if minor(version).is_some() && minor(version) == minor(CONTRACT) {
        return Ok(());
    }
    Err(LoadError::Contract { needed: version.to_owned(), offered: CONTRACT })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_told_apart() {
        assert!(matches!(inspect(b""), Err(LoadError::NotWasm)));
        assert!(matches!(inspect(b"#!/bin/sh\n"), Err(LoadError::NotWasm)));
        assert!(matches!(inspect(b"\0asm\x01\0\0\0"), Err(LoadError::CoreModule)));
        assert!(matches!(inspect(b"\0asm\x0d\0\x01\0\xff"), Err(LoadError::Malformed(_))));
        assert_eq!(inspect(b"\0asm\x0d\0\x01\0").unwrap(), Inspection::default());
    }

    #[test]
    fn only_the_own_minor_version_is_served() {
        for (version, served) in [("0.1.0", true), ("0.1.9", true), ("0.2.0", false), ("1.1.0", false), ("", false)] {
            assert_eq!(check_contract(version).is_ok(), served, "{version}");
        }
    }
}
