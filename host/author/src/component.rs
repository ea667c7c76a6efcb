//! Core modules become components; components are validated and get what they say of themselves.

use crate::Error;
use std::fmt::Display;
use std::path::Path;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as ADAPTER,
};
use wasm_encoder::{ComponentSection, CustomSection};
use wasmparser::{Encoding, Parser, Payload, Validator, WasmFeatures};
use wit_component::ComponentEncoder;
use wit_parser::{PackageMetadata, Resolve};

/// Makes a component of a core module that carries its component type (as `wit-bindgen` embeds it). Its imports of WASI 0.1,
/// if it has any, are answered by the reactor adapter.
///
/// # Errors
/// If the module is no such module; the text says what does not fit.
#[allow(dead_code, reason = "for the languages that compile to core modules")]
pub(crate) fn from_core(module: &[u8]) -> Result<Vec<u8>, Error> {
    let encoder = ComponentEncoder::default().validate(true).module(module).map_err(no_component)?;
    encoder.adapter(ADAPTER_NAME, ADAPTER).map_err(no_component)?.encode().map_err(no_component)
}

fn no_component(error: impl Display) -> Error {
    Error::Component(format!("the module does not become a component: {error:#}"))
}

/// Checks that the bytes are a component whose code is valid.
///
/// # Errors
/// What they are instead.
pub(crate) fn validate(bytes: &[u8]) -> Result<(), Error> {
    if Parser::is_core_wasm(bytes) {
        return Err(Error::Component(
            "it is a core module and no component; build for a target that makes components, such as wasm32-wasip2"
                .to_owned(),
        ));
    }
    if !Parser::is_component(bytes) {
        return Err(Error::Component("it is no WebAssembly".to_owned()));
    }
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let validated = validator.validate_all(bytes);
    validated.map(drop).map_err(|error| Error::Component(format!("the component is not valid: {error}")))
}

/// The content of a custom section on the outside of a component.
pub(crate) fn section<'a>(bytes: &'a [u8], name: &str) -> Option<&'a [u8]> {
    sections(bytes, name, 1)
}

/// The content of a custom section of a component, or of a module in it.
pub(crate) fn section_anywhere<'a>(bytes: &'a [u8], name: &str) -> Option<&'a [u8]> {
    sections(bytes, name, usize::MAX)
}

fn sections<'a>(bytes: &'a [u8], name: &str, max_depth: usize) -> Option<&'a [u8]> {
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.ok()? {
            Payload::Version { encoding: Encoding::Component | Encoding::Module, .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if section.name() == name && depth <= max_depth => {
                return Some(section.data());
            }
            _ => {}
        }
    }
    None
}

/// Appends a custom section to a component.
pub(crate) fn append(bytes: &mut Vec<u8>, name: &str, data: &[u8]) {
    CustomSection { name: name.into(), data: data.into() }.append_to_component(bytes);
}

/// Puts the comments of the WIT in `folder` into a component that has none. A component keeps its types but not what is said
/// about them; hosts that make tools of plain WIT functions look for it in this section.
///
/// # Errors
/// If the WIT does not read.
pub(crate) fn append_docs(bytes: &mut Vec<u8>, folder: &Path) -> Result<(), Error> {
    if section(bytes, PackageMetadata::SECTION_NAME).is_some() {
        return Ok(());
    }
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(folder).map_err(|error| Error::Other(resolve.render_error(&error)))?;
    let docs = PackageMetadata::extract(&resolve, package).encode().map_err(Error::other)?;
    append(bytes, PackageMetadata::SECTION_NAME, &docs);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_named() {
        let said = |bytes: &[u8]| validate(bytes).unwrap_err().to_string();
        assert!(said(b"\0asm\x01\0\0\0").starts_with("it is a core module and no component"));
        assert_eq!(said(b"#!/bin/sh"), "it is no WebAssembly");
        assert!(said(b"\0asm\x0d\0\x01\0\xff").starts_with("the component is not valid: "));
        validate(b"\0asm\x0d\0\x01\0").unwrap();
    }

    #[test]
    fn a_module_becomes_a_component() {
        // A module without a type of its own exports nothing, and still is one.
        let bytes = from_core(&wasm_encoder::Module::new().finish()).unwrap();
        validate(&bytes).unwrap();
        let error = from_core(b"no module").unwrap_err().to_string();
        assert!(error.starts_with("the module does not become a component: "), "{error}");
    }

    #[test]
    fn comments_of_wit_are_put_in_once() {
        let dir = tempfile::tempdir().unwrap();
        let wit = "package a:b;\nworld w {\n  /// Says it.\n  export say: func();\n}";
        std::fs::write(dir.path().join("w.wit"), wit).unwrap();
        let mut bytes = wasm_encoder::Component::new().finish();
        append_docs(&mut bytes, dir.path()).unwrap();
        let docs = section(&bytes, PackageMetadata::SECTION_NAME).unwrap();
        assert!(String::from_utf8_lossy(docs).contains("Says it."));
        let once = bytes.clone();
        append_docs(&mut bytes, dir.path()).unwrap();
        assert_eq!(bytes, once);

        std::fs::write(dir.path().join("w.wit"), "package a").unwrap();
        let error = append_docs(&mut wasm_encoder::Component::new().finish(), dir.path()).unwrap_err().to_string();
        assert!(error.contains("w.wit:1:"), "{error}");
    }
}
