//! Who is calling, for how long, and what the client can do.

use crate::types::CallContext;

/// The context of the call being served. Without a host: no caller, a client that can do nothing, and all the time there is.
#[must_use]
pub fn current() -> CallContext {
    #[cfg(target_family = "wasm")]
    return crate::bindings::tools::toolcell::plugin::context::current();
    #[cfg(not(target_family = "wasm"))]
    CallContext {
        caller: None,
        client: None,
        abilities: crate::types::ClientAbilities::empty(),
        remaining_ms: u64::MAX,
        trace: None,
        meta: "{}".to_owned(),
    }
}

/// Whether the caller's interest has ended. Work of long duration should look now and then.
#[must_use]
pub fn is_cancelled() -> bool {
    #[cfg(target_family = "wasm")]
    return crate::bindings::tools::toolcell::plugin::context::is_cancelled();
    #[cfg(not(target_family = "wasm"))]
    false
}
