//! `toolcell:plugin@0.1.0`, as `wit/v0.1` defines it.
#![allow(missing_docs, clippy::all, reason = "generated; the documentation is in wit/v0.1")]

wasmtime::component::bindgen!({
    path: "../../wit/v0.1",
    world: "plugin",
    imports: {
        "toolcell:plugin/key-value": async | trappable,
        "toolcell:plugin/peers": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    additional_derives: [PartialEq],
});
