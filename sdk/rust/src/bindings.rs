//! The contract `toolcell:plugin@0.1.0` as `wit-bindgen` generates it, one module per world.
//!
//! Everything a plugin usually needs has a better name elsewhere in this crate. What has none is used from here, in a component
//! only: on the machine itself there is no host behind these functions, and calling one panics. A component imports just the functions it calls, and exports just what `#[plugin]` found in it.

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

/// A world with one more export; types and imports are those of [`tools`].
macro_rules! world {
    ($(#[$doc:meta])+ $module:ident, $world:literal, $path:literal, $suffix:literal) => {
        $(#[$doc])+
        #[allow(missing_docs, clippy::all, unsafe_code, reason = "generated; the documentation is in wit/")]
        pub mod $module {
            wit_bindgen::generate!({
                path: "wit",
                world: $world,
                additional_derives: [PartialEq],
                pub_export_macro: true,
                default_bindings_module: $path,
                type_section_suffix: $suffix,
                with: {
                    "toolcell:plugin/types@0.1.0": crate::bindings::tools::toolcell::plugin::types,
                    "toolcell:plugin/context@0.1.0": crate::bindings::tools::toolcell::plugin::context,
                    "toolcell:plugin/progress@0.1.0": crate::bindings::tools::toolcell::plugin::progress,
                    "toolcell:plugin/log@0.1.0": crate::bindings::tools::toolcell::plugin::log,
                    "toolcell:plugin/changes@0.1.0": crate::bindings::tools::toolcell::plugin::changes,
                    "toolcell:plugin/key-value@0.1.0": crate::bindings::tools::toolcell::plugin::key_value,
                    "toolcell:plugin/peers@0.1.0": crate::bindings::tools::toolcell::plugin::peers,
                },
            });
        }
    };
}

world! {
    /// The world `resource-plugin`: the export `resources`.
    resources, "resource-plugin", "::toolcell_sdk::bindings::resources", "resources"
}

world! {
    /// The world `prompt-plugin`: the export `prompts`.
    prompts, "prompt-plugin", "::toolcell_sdk::bindings::prompts", "prompts"
}

world! {
    /// The world `completion-plugin`: the export `completions`.
    completions, "completion-plugin", "::toolcell_sdk::bindings::completions", "completions"
}
