//! The contract `toolcell:plugin@0.1.0` as `wit-bindgen` generates it, one module per world.
//!
//! Everything a plugin usually needs has a better name elsewhere in this crate. What has none yet (`key_value`, `peers`,
//! `changes`) is used from here, in a component only: on the machine itself there is no host behind these functions, and
//! calling one panics. A component imports just the functions it calls.

/// The world `tool-plugin`: all imports, and the export `tools`.
#[allow(missing_docs, clippy::all, unsafe_code, reason = "generated; the documentation is in wit/")]
pub mod tools {
    wit_bindgen::generate!({
        path: "wit",
        world: "tool-plugin",
        additional_derives: [PartialEq],
        generate_unused_types: true,
        pub_export_macro: true,
        default_bindings_module: "::toolcell_sdk::bindings::tools",
        type_section_suffix: "tools",
    });
}
