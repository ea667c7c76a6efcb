//! `toolcell:plugin@0.1.0`.
#![allow(missing_docs, clippy::all, reason = "generated; the documentation is in wit/v0.1")]

wasmtime::component::bindgen!({
    path: "../wit/v0.1",
    world: "plugin",
    imports: { default: async | trappable },
    exports: { default: async },
    additional_derives: [PartialEq],
});
