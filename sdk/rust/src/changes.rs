//! Tells the host that something a client may watch has changed.
//!
//! On the machine itself there is nobody to tell; [`testing::changes`](crate::testing::changes) says what was told.

/// The contents of the resource of this URI changed: clients that watch it read it again.
pub fn resource_updated(uri: &str) {
    #[cfg(target_family = "wasm")]
    crate::bindings::tools::toolcell::plugin::changes::resource_updated(uri);
    #[cfg(not(target_family = "wasm"))]
    kept::keep(Change::Resource(uri.to_owned()));
}

/// The resources or the templates of this plugin are others now.
pub fn resources_changed() {
    #[cfg(target_family = "wasm")]
    crate::bindings::tools::toolcell::plugin::changes::resources_changed();
    #[cfg(not(target_family = "wasm"))]
    kept::keep(Change::Resources);
}

/// The prompts of this plugin are others now.
pub fn prompts_changed() {
    #[cfg(target_family = "wasm")]
    crate::bindings::tools::toolcell::plugin::changes::prompts_changed();
    #[cfg(not(target_family = "wasm"))]
    kept::keep(Change::Prompts);
}

/// The tools of this plugin are others now.
pub fn tools_changed() {
    #[cfg(target_family = "wasm")]
    crate::bindings::tools::toolcell::plugin::changes::tools_changed();
    #[cfg(not(target_family = "wasm"))]
    kept::keep(Change::Tools);
}

/// What a plugin said that has changed, as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// [`resource_updated`] with this URI.
    Resource(String),
    /// [`resources_changed`].
    Resources,
    /// [`prompts_changed`].
    Prompts,
    /// [`tools_changed`].
    Tools,
}

#[cfg(not(target_family = "wasm"))]
pub(crate) mod kept {
    use super::Change;
    use std::cell::RefCell;

    thread_local! {
        // One per thread, because each test has a thread of its own.
        static KEPT: RefCell<Vec<Change>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn keep(change: Change) {
        KEPT.with_borrow_mut(|kept| kept.push(change));
    }

    pub(crate) fn take() -> Vec<Change> {
        KEPT.with_borrow_mut(std::mem::take)
    }
}
