//! Which plugins are in service.
//!
//! The registry turns a list of [`PluginSpec`]s into a [`Snapshot`] and swaps snapshots whole: a call that has begun keeps
//! the plugin it began with, and nobody ever sees half a reload. It knows files and lists; it knows nothing of clients,
//! and it runs no guest but to ask for its lists.
//!
//! In reading order: `plugin` (what is wanted, what is loaded), `loader` (from the one to the other), `manifest`, `tool`
//! (a call on its way into the cell), `schema`, `snapshot`, `watch` (when to load again).

#[cfg(test)]
mod fake;
mod loader;
mod manifest;
mod plugin;
mod schema;
mod snapshot;
mod tool;
pub mod watch;

pub use crate::sandbox::{CallCtx, CallEvent, CallFailure, Engine, LoadError, types};
pub use loader::plugin_name;
pub use manifest::Manifest;
pub use plugin::{Digest, Plugin, PluginSpec, Problem, Source};
pub use snapshot::{Snapshot, Versions};
pub use tool::ToolEntry;

use crate::policy::Policy;
use arc_swap::ArcSwap;
use loader::Loader;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Mutex, watch as channel};

/// The plugins of one host. Cheap to clone; all clones are the same registry.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    engine: Arc<Engine>,
    policy: Arc<dyn Policy>,
    current: ArcSwap<Snapshot>,
    versions: channel::Sender<Versions>,
    /// Held while loading, so that two reloads never race.
    loading: Mutex<()>,
}

impl Registry {
    /// An empty registry.
    pub fn new(engine: Arc<Engine>, policy: Arc<dyn Policy>) -> Self {
        let versions = channel::Sender::new(Versions::default());
        let current = ArcSwap::from_pointee(Snapshot::default());
        Self(Arc::new(Inner { engine, policy, current, versions, loading: Mutex::new(()) }))
    }

    /// What is in service now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.0.current.load_full()
    }

    /// Tells when a list changes for clients.
    pub fn changes(&self) -> channel::Receiver<Versions> {
        self.0.versions.subscribe()
    }

    /// Loads what is wanted beside what is in service, then swaps. A plugin that does not load keeps the version it has;
    /// a plugin whose file is gone, or that is no longer wanted, leaves. What went wrong is in the new snapshot's
    /// [`Snapshot::problems`].
    ///
    /// The plugins named in `unclear` stay as they are, if they are in service. `cause` is for the log.
    ///
    /// Cancel safe: a reload that is dropped leaves the old snapshot in service.
    pub async fn load(&self, specs: &[PluginSpec], unclear: &[String], cause: &str) -> Arc<Snapshot> {
        let _alone = self.0.loading.lock().await;
        let started = Instant::now();
        let previous = self.snapshot();
        let loader = Loader { engine: &self.0.engine, policy: &self.0.policy, previous: previous.plugins() };
        let (mut plugins, mut problems) = (Vec::new(), Vec::new());
        let mut names = HashSet::new();
        for (spec, unreadable) in loader::expand(specs).await {
            let file = match &spec.source {
                Source::File(file) => Some(file.clone()),
                _ => None,
            };
            let loaded = match unreadable {
                Some(error) => Err(error),
                None if !names.insert(spec.name.clone()) => {
                    Err("another plugin has this name; rename the file, or give each its own entry under [plugins]"
                        .to_owned())
                }
                None => loader.load(&spec).await,
            };
            match loaded {
                Ok(plugin) => plugins.push(plugin),
                Err(message) => {
                    let kept = keep(previous.plugins(), &plugins, &spec);
                    problems.push(Problem { plugin: spec.name, file, message, kept_previous: kept.is_some() });
                    plugins.extend(kept);
                }
            }
        }
        for (at, plugin) in previous.plugins().iter().enumerate() {
            if unclear.iter().any(|name| name == plugin.name()) && names.insert(plugin.name().to_owned()) {
                plugins.insert(at.min(plugins.len()), Arc::clone(plugin));
            }
        }
        let next = Arc::new(Snapshot::next(&previous, plugins, problems));
        self.0.current.store(Arc::clone(&next));
        report(&previous, &next, cause, started);
        if next.versions() != previous.versions() {
            self.0.versions.send_replace(next.versions());
        }
        next
    }
}

/// The version of a plugin that stays because the new one does not load. A file that is gone is no broken build: its
/// plugin leaves.
fn keep(previous: &[Arc<Plugin>], taken: &[Arc<Plugin>], spec: &PluginSpec) -> Option<Arc<Plugin>> {
    if let Source::File(path) = &spec.source
        && !path.exists()
    {
        return None;
    }
    if taken.iter().any(|plugin| plugin.name() == spec.name) {
        return None;
    }
    previous.iter().find(|plugin| plugin.spec.name == spec.name && plugin.spec.source == spec.source).cloned()
}

fn report(previous: &Snapshot, next: &Snapshot, cause: &str, started: Instant) {
    let generation = next.generation();
    for plugin in next.plugins() {
        let before = previous.plugins().iter().find(|old| old.name() == plugin.name());
        if before.is_some_and(|old| Arc::ptr_eq(old, plugin)) {
            continue;
        }
        let change = if before.is_some() { "replaced" } else { "loaded" };
        let tools = plugin.tools.len();
        tracing::info!(plugin = plugin.name(), generation, cause, digest = %plugin.digest, tools, "plugin {change}");
    }
    for old in previous.plugins() {
        if !next.plugins().iter().any(|plugin| plugin.name() == old.name()) {
            tracing::info!(plugin = old.name(), generation, cause, "plugin removed");
        }
    }
    for problem in next.problems() {
        if !previous.problems().contains(problem) {
            tracing::error!(plugin = problem.plugin, generation, cause, "{problem}");
        }
    }
    let elapsed_ms = started.elapsed().as_millis();
    tracing::info!(
        generation,
        cause,
        elapsed_ms,
        tools = next.tools().len(),
        problems = next.problems().len(),
        "in service"
    );
}
