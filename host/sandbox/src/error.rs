//! Why a component did not become a cell, and why a call ended without a result.

use std::time::Duration;

/// Why a component cannot be loaded. The texts name what to change; the caller adds file and plugin.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The bytes are no WebAssembly at all.
    #[error(
        "not a WebAssembly component: it does not begin with `\\0asm`; build the plugin for the target wasm32-wasip2"
    )]
    NotWasm,
    /// A core module, not a component.
    #[error(
        "a core WebAssembly module, not a component; build for the target wasm32-wasip2, or wrap it with `wasm-tools component new`"
    )]
    CoreModule,
    /// The bytes are damaged.
    #[error("not a valid component: {0}; if the file is still being written it is read again when it changes")]
    Malformed(String),
    /// It was built for a contract this host does not know.
    #[error(
        "needs toolcell:plugin {needed}, this host has {offered}; update toolcell, or build the plugin with an SDK for {offered}"
    )]
    Contract {
        /// The version the component was built for.
        needed: String,
        /// The version of this host.
        offered: &'static str,
    },
    /// It exports nothing this host can serve.
    #[error(
        "exports neither toolcell:plugin/tools, resources or prompts nor a function that can be a tool, so there is nothing to serve; it exports {0}"
    )]
    NoExports(String),
    /// It imports something no one here provides.
    #[error(
        "imports something this host does not provide: {0}; remove that dependency or build against an older version of it"
    )]
    UnknownImport(String),
    /// It needs more than its limits allow, even to start.
    #[error("{0}")]
    TooLarge(String),
    /// Compiling took too long.
    #[error("did not compile within {} ms; raise `limits.compile-ms`", .0.as_millis())]
    CompileTimeout(Duration),
    /// The plugin answered its metadata calls with an error, or not at all.
    #[error("{0}")]
    Metadata(String),
    /// The host failed.
    #[error("internal error: {0}")]
    Internal(String),
}

/// How a call ended without a result.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CallFailure {
    /// The arguments do not fit; the text names the field and says what would be right. For the model.
    #[error("{0}")]
    InvalidArguments(String),
    /// The plugin could not do it: it said so, it crashed, or it met a limit or a refusal. For the model.
    #[error("{0}")]
    Failed(String),
    /// The plugin has nothing of that name.
    #[error("{0}")]
    NotFound(String),
    /// The caller may not do it with the scopes it has; these are all it needs.
    #[error("this needs the scopes {}, get a token that has them", .0.join(", "))]
    NeedsScopes(Vec<String>),
    /// There is no room for it now; the text says what is used up.
    #[error("{why}")]
    Limited {
        /// What is used up, and what to do.
        why: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// Nobody waits for it any more.
    #[error("cancelled")]
    Cancelled,
    /// The host failed. The text is for the operator's log, not for the caller.
    #[error("internal error: {0}")]
    Internal(String),
}

/// A limit a guest ran into, raised as the trap that ends its call.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum LimitHit {
    /// CPU time is up.
    #[error(
        "used more than its {ms} ms of CPU time; a smaller task may fit, or the operator can raise `limits.cpu-ms`"
    )]
    Cpu {
        /// The limit in milliseconds.
        ms: u64,
    },
    /// Wall time is up.
    #[error("took longer than {ms} ms; a smaller task may fit, or the operator can raise `limits.{setting}`")]
    Wall {
        /// The limit in milliseconds.
        ms: u64,
        /// The key that sets it.
        setting: &'static str,
    },
    /// The guest asked for more memory than it may have.
    #[error(
        "needed more than its {mib} MiB of memory; a smaller task may fit, or the operator can raise `limits.memory-mib`"
    )]
    Memory {
        /// The limit in MiB.
        mib: u64,
    },
    /// The guest asked for more table elements than it may have.
    #[error("needed more than its {elements} table elements; the operator can raise `limits.table-elements`")]
    Table {
        /// The limit in elements.
        elements: usize,
    },
    /// The guest held too many files, sockets, streams or requests open at once.
    #[error(
        "held more than {handles} files, streams and requests open at once; the operator can raise `limits.open-handles`"
    )]
    Handles {
        /// The limit in handles.
        handles: usize,
    },
    /// The result is too large.
    #[error(
        "returned more than {limit} bytes; ask for less at a time (a page, a range), or the operator can raise `limits.output-bytes`"
    )]
    Output {
        /// The limit in bytes.
        limit: usize,
    },
}
