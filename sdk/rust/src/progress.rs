//! How far a long call has come.

/// Whether anyone listens. Ask only where finding out how far the work has come is itself costly.
#[must_use]
pub fn is_wanted() -> bool {
    #[cfg(target_family = "wasm")]
    return crate::bindings::tools::toolcell::plugin::progress::is_wanted();
    #[cfg(not(target_family = "wasm"))]
    false
}

/// Reports progress: how much is done, of how much if that is known, and what is being done now. The host drops a value
/// that is not greater than the last one, and reports that come faster than it passes on.
pub fn report(progress: f64, total: Option<f64>, message: Option<&str>) {
    #[cfg(target_family = "wasm")]
    crate::bindings::tools::toolcell::plugin::progress::report(progress, total, message);
    #[cfg(not(target_family = "wasm"))]
    let _ = (progress, total, message);
}
