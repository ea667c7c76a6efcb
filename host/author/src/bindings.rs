//! The component type of core modules that were built with the SDKs for C, C++, Zig and Go, whose bindings to the contract are
//! generated once and kept with them.
//!
//! Those bindings export everything the contract knows. What the plugin has something to say to stays exported, and the
//! component's world is made to fit.

use crate::{Error, component};
use std::borrow::Cow;
use std::collections::BTreeSet;
use wasm_encoder::{CustomSection, ExportSection, Module, RawSection};
use wasmparser::{Export, ExternalKind, KnownCustom, Name, Parser, Payload};
use wit_component::StringEncoding;
use wit_parser::{Resolve, SourceMap};

/// The interfaces a plugin may export.
const EXPORTS: [&str; 4] = ["tools", "resources", "prompts", "completions"];
/// A module that exports `toolcell:offers/tools` offers tools.
const OFFERS: &str = "toolcell:offers/";

/// Packages, each before those that use it.
const PACKAGES: [&[(&str, &str)]; 8] = [
    &[("io.wit", include_str!("../../../wit/deps/io.wit"))],
    &[("clocks.wit", include_str!("../../../wit/deps/clocks.wit"))],
    &[("random.wit", include_str!("../../../wit/deps/random.wit"))],
    &[("filesystem.wit", include_str!("../../../wit/deps/filesystem.wit"))],
    &[("sockets.wit", include_str!("../../../wit/deps/sockets.wit"))],
    &[("cli.wit", include_str!("../../../wit/deps/cli.wit"))],
    &[("http.wit", include_str!("../../../wit/deps/http.wit"))],
    &[
        ("types.wit", include_str!("../../../wit/v0.1/types.wit")),
        ("imports.wit", include_str!("../../../wit/v0.1/imports.wit")),
        ("exports.wit", include_str!("../../../wit/v0.1/exports.wit")),
        ("worlds.wit", include_str!("../../../wit/v0.1/worlds.wit")),
    ],
];

/// Makes a component of a core module that was built with one of these SDKs. `markers` are functions whose presence means that
/// something is offered, for a language that cannot export a marker only where it is needed: name and interface; without
/// a name, that is offered always. Function names
/// stay for the sake of stack traces; what else debuggers need stays only with `debug`.
///
/// # Errors
/// If the module is no such module, or offers nothing; the text says what to add.
pub(crate) fn component(module: &[u8], markers: &[(&str, &str)], debug: bool) -> Result<Vec<u8>, Error> {
    let offered = offered(module, markers)?;
    if offered.is_empty() {
        return Err(Error::Component(
            "the plugin offers nothing; give it a tool, a resource or a prompt, as the README of its SDK shows"
                .to_owned(),
        ));
    }
    let mut module = without_others(module, &offered, debug)?;
    let (resolve, world) =
        world(&offered).map_err(|error| Error::Component(format!("its world is wrong: {error:#}")))?;
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .map_err(|error| Error::Component(format!("its type cannot be embedded: {error:#}")))?;
    component::from_core(&module)
}

fn malformed(error: impl std::fmt::Display) -> Error {
    Error::Component(format!("the compiler's module cannot be read: {error}"))
}

/// The interfaces that the plugin has something for.
fn offered(module: &[u8], markers: &[(&str, &str)]) -> Result<BTreeSet<String>, Error> {
    let always = markers.iter().filter(|(marker, _)| marker.is_empty());
    let mut offered: BTreeSet<String> = always.map(|(_, what)| (*what).to_owned()).collect();
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(malformed)? {
            Payload::ExportSection(exports) => {
                for export in exports {
                    let Export { name, .. } = export.map_err(malformed)?;
                    offered.extend(name.strip_prefix(OFFERS).map(str::to_owned));
                }
            }
            Payload::CustomSection(section) if !markers.is_empty() => {
                let KnownCustom::Name(names) = section.as_known() else { continue };
                for name in names {
                    let Name::Function(functions) = name.map_err(malformed)? else { continue };
                    for function in functions {
                        let name = function.map_err(malformed)?.name;
                        offered.extend(
                            markers.iter().filter(|(marker, _)| *marker == name).map(|(_, what)| (*what).to_owned()),
                        );
                    }
                }
            }
            _ => {}
        }
    }
    Ok(offered)
}

/// Whether an export belongs to an interface that is not offered, or is a marker.
fn is_needless(export: &str, offered: &BTreeSet<String>) -> bool {
    let function = export.strip_prefix("cabi_post_").unwrap_or(export);
    let interface =
        function.strip_prefix("toolcell:plugin/").and_then(|rest| rest.split_once('@')).map(|(name, _)| name);
    export.starts_with(OFFERS) || interface.is_some_and(|name| EXPORTS.contains(&name) && !offered.contains(name))
}

/// The module without needless exports, and without a component type of its own.
fn without_others(module: &[u8], offered: &BTreeSet<String>, debug: bool) -> Result<Vec<u8>, Error> {
    let mut kept = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(malformed)?;
        match &payload {
            Payload::ExportSection(exports) => {
                let mut section = ExportSection::new();
                for export in exports.clone() {
                    let Export { name, kind, index } = export.map_err(malformed)?;
                    if !is_needless(name, offered) {
                        section.export(name, kind_of(kind)?, index);
                    }
                }
                kept.section(&section);
            }
            Payload::CustomSection(section) if section.name().starts_with("component-type") => {}
            Payload::CustomSection(section) if section.name().starts_with(".debug") && !debug => {}
            Payload::CustomSection(section) => {
                kept.section(&CustomSection {
                    name: Cow::Borrowed(section.name()),
                    data: Cow::Borrowed(section.data()),
                });
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    let data = module.get(range).ok_or_else(|| malformed("a section ends too early"))?;
                    kept.section(&RawSection { id, data });
                }
            }
        }
    }
    Ok(kept.finish())
}

fn kind_of(kind: ExternalKind) -> Result<wasm_encoder::ExportKind, Error> {
    Ok(match kind {
        ExternalKind::Func => wasm_encoder::ExportKind::Func,
        ExternalKind::Table => wasm_encoder::ExportKind::Table,
        ExternalKind::Memory => wasm_encoder::ExportKind::Memory,
        ExternalKind::Global => wasm_encoder::ExportKind::Global,
        other => return Err(malformed(format_args!("it exports {other:?}"))),
    })
}

/// The world of a plugin that offers this. Imports that the module does not use do not get into the component.
fn world(offered: &BTreeSet<String>) -> anyhow::Result<(Resolve, wit_parser::WorldId)> {
    let mut resolve = Resolve::default();
    for files in PACKAGES {
        let mut sources = SourceMap::default();
        for (name, text) in files {
            sources.push_str(name, *text);
        }
        let group = sources.parse().map_err(|(_, error)| anyhow::Error::from(error))?;
        resolve.push_group(group)?;
    }
    let mut text = include_str!("../../../sdk/wit/guest.wit").replace("plugin/plugin@", "plugin/host@");
    let end = text.rfind('}').unwrap_or(text.len());
    text.truncate(end);
    for interface in offered {
        text += &format!("  export toolcell:plugin/{interface}@0.1.0;\n");
    }
    text.push_str("}\n");
    let package = resolve.push_source("guest.wit", &text)?;
    let world = resolve.select_world(&[package], Some("guest"))?;
    Ok((resolve, world))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_world_exports_what_is_offered() {
        for names in [&["tools"][..], &["prompts", "resources"], &EXPORTS] {
            let (resolve, world) = world(&set(names)).unwrap();
            assert_eq!(resolve.worlds[world].exports.len(), names.len(), "{names:?}");
        }
    }

    #[test]
    fn what_is_not_offered_is_not_exported() {
        let offered = set(&["tools"]);
        let cases = [
            ("toolcell:plugin/tools@0.1.0#call-tool", false),
            ("cabi_post_toolcell:plugin/tools@0.1.0#call-tool", false),
            ("toolcell:plugin/prompts@0.1.0#get-prompt", true),
            ("cabi_post_toolcell:plugin/prompts@0.1.0#get-prompt", true),
            ("toolcell:offers/tools", true),
            ("memory", false),
            ("cabi_realloc", false),
        ];
        for (name, expected) in cases {
            assert_eq!(is_needless(name, &offered), expected, "{name}");
        }
    }
}
