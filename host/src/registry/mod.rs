//! Which plugins are in service.
//!
//! The registry turns a list of [`PluginSpec`]s into a [`Snapshot`] and swaps snapshots whole: a call that has begun keeps
//! the plugin it began with, and nobody ever sees half a reload. It knows files and lists; it knows nothing of clients,
//! and it runs no guest but to ask for its lists.
//!
//! In reading order: `plugin` (what is wanted, what is loaded), `loader` (from the one to the other), `manifest`, `check`,
//! `guest`, `oversight` and `approval` (what stands before every call), `tool`, `resource` and `prompt` (calls on their way into the cell), `peers` (calls that plugins make), `schema`, `pattern`,
//! `version` and `compare` (several versions, beside and after each other), `snapshot`, `watch` and
//! `announce` (when to load or list again).

mod announce;
mod approval;
mod check;
mod compare;
#[cfg(test)]
mod fake;
mod guest;
mod loader;
mod manifest;
pub mod oversight;
mod pattern;
mod peers;
mod plugin;
mod prompt;
mod resource;
mod results;
mod schema;
mod snapshot;
mod tool;
mod version;
pub mod watch;

pub use crate::policy::{Principal, View};
pub use crate::sandbox::{CallCtx, CallEvent, CallFailure, Carrier, Engine, LoadError, Route, types};
pub use announce::Updated;
pub use approval::Approval;
pub use loader::plugin_name;
pub use manifest::Manifest;
pub use plugin::{Digest, Offers, OnBreaking, Plugin, PluginSpec, Problem, Serving, Source, TaskMode};
pub use prompt::PromptEntry;
pub use resource::{CacheRules, Reader, ResourceEntry, TemplateEntry};
pub use results::digest;
pub(crate) use schema::Schema;
pub use snapshot::{ListHint, Snapshot, Versions};
pub use tool::{ASKS_FIRST_KEY, DEPRECATED_KEY, RECEIPT_KEY, TASK_KEY, TaskRule, ToolEntry};
pub use version::Selector;

use crate::sandbox::doors::{Doors, Secrets, Values};
use announce::{Announcements, Stale};
use arc_swap::ArcSwap;
use loader::{Loaded, Loader};
use oversight::{Oversight, Rulebook};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, broadcast, watch as channel};

/// How often lists are read again at most, however often plugins say that they have changed.
const LISTING_PAUSE: Duration = Duration::from_millis(250);

/// How many loads are kept for whoever is told of each. Whoever is further behind misses some.
const LOADS: usize = 64;

/// What a load left in service, and the rules that held for callers then.
#[derive(Clone)]
pub struct Load {
    /// The plugins.
    pub snapshot: Arc<Snapshot>,
    /// The rules.
    pub rules: Arc<Rulebook>,
}

/// The plugins of one host. Cheap to clone; all clones are the same registry.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    engine: Arc<Engine>,
    oversight: Arc<Oversight>,
    doors: Doors,
    current: ArcSwap<Snapshot>,
    versions: channel::Sender<Versions>,
    generations: channel::Sender<u64>,
    loads: broadcast::Sender<Load>,
    announcements: Arc<Announcements>,
    /// Held while loading, so that two reloads never race.
    loading: Mutex<()>,
}

impl Registry {
    /// An empty registry, whose plugins keep their values in `values` and may be granted what `secrets` knows; their calls
    /// pass under `oversight`.
    pub fn new(
        engine: Arc<Engine>,
        oversight: Arc<Oversight>,
        values: Arc<dyn Values>,
        secrets: Option<Arc<dyn Secrets>>,
    ) -> Self {
        let versions = channel::Sender::new(Versions::default());
        let current = ArcSwap::from_pointee(Snapshot::default());
        let announcements = Announcements::new();
        let (generations, loads) = (channel::Sender::new(0), broadcast::Sender::new(LOADS));
        Self(Arc::new_cyclic(|this| {
            let doors = Doors { values: Some(values), peers: Some(Arc::new(peers::Tools(this.clone()))), secrets };
            let loading = Mutex::new(());
            Inner { engine, oversight, doors, current, versions, generations, loads, announcements, loading }
        }))
    }

    /// How many calls run at once over all plugins.
    pub fn concurrent_calls(&self) -> usize {
        self.0.engine.concurrent_calls()
    }

    /// What is in service now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.0.current.load_full()
    }

    /// What stands before every call.
    pub fn oversight(&self) -> &Arc<Oversight> {
        &self.0.oversight
    }

    /// What is in service now, as a caller sees it, and which view that is.
    pub fn seen_by(&self, caller: Option<&Principal>) -> (Arc<Snapshot>, View, Arc<Rulebook>) {
        let (snapshot, rules) = (self.snapshot(), self.0.oversight.rules());
        let view = rules.access.view(caller);
        let seen = if view.is_whole() { snapshot } else { Arc::new(snapshot.within(&rules.access, &view)) };
        (seen, view, rules)
    }

    /// What holds for callers now.
    pub fn rules(&self) -> Arc<Rulebook> {
        self.0.oversight.rules()
    }

    /// Lets other rules hold for callers from now on; clients are told that their lists have changed.
    pub async fn set_rules(&self, rules: Rulebook) {
        let _alone = self.0.loading.lock().await;
        let before = self.0.oversight.rules();
        if *before == rules {
            return;
        }
        let lists_change = before.access != rules.access;
        self.0.oversight.set_rules(rules);
        if lists_change {
            let previous = self.snapshot();
            let all = Stale { tools: true, resources: true, prompts: true };
            let problems = previous.unloaded().to_vec();
            self.publish(&previous, previous.plugins().to_vec(), problems, all, "rules for callers", Instant::now());
        }
    }

    /// Tells when a list changes for clients.
    pub fn changes(&self) -> channel::Receiver<Versions> {
        self.0.versions.subscribe()
    }

    /// Tells when something has been loaded, whether or not a list changed: the generation of the new snapshot.
    pub fn generations(&self) -> channel::Receiver<u64> {
        self.0.generations.subscribe()
    }

    /// Tells of each load, not only of the last.
    pub fn loads(&self) -> broadcast::Receiver<Load> {
        self.0.loads.subscribe()
    }

    /// Tells which resources change, as the plugins they belong to say.
    pub fn updates(&self) -> broadcast::Receiver<Updated> {
        self.0.announcements.updates()
    }

    /// Lists plugins again that say that their lists have changed. Runs until it is dropped.
    pub async fn keep_lists_current(&self) {
        loop {
            let stale = self.0.announcements.stale().await;
            self.list_again(&stale).await;
            tokio::time::sleep(LISTING_PAUSE).await;
        }
    }

    async fn list_again(&self, stale: &BTreeMap<Arc<str>, Stale>) {
        let started = Instant::now();
        // A plugin that is slow to list must not hold up reloads, so the lock is only taken for the swap.
        let before = self.snapshot();
        let loader = self.loader(&before);
        let mut listed = Vec::new();
        for plugin in before.plugins() {
            if let Some(stale) = stale.get(plugin.name()) {
                listed.push((plugin, *stale, loader.again(plugin).await));
            }
        }
        let _alone = self.0.loading.lock().await;
        let previous = self.snapshot();
        let mut plugins = previous.plugins().to_vec();
        let (mut all, mut problems) = (Stale::default(), previous.unloaded().to_vec());
        for (old, stale, again) in listed {
            // One that was replaced meanwhile has been listed anew anyway.
            let Some(plugin) = plugins.iter_mut().find(|plugin| Arc::ptr_eq(plugin, old)) else { continue };
            problems.retain(|problem| problem.plugin != old.name());
            match again {
                Ok(again) => {
                    *plugin = again;
                    all.tools |= stale.tools;
                    all.resources |= stale.resources;
                    all.prompts |= stale.prompts;
                }
                Err(error) => problems.push(Problem {
                    plugin: old.name().to_owned(),
                    file: old.file.clone(),
                    message: error.to_string(),
                    kept_previous: true,
                }),
            }
        }
        self.publish(&previous, plugins, problems, all, "a plugin says its lists have changed", started);
    }

    fn loader<'a>(&'a self, previous: &'a Snapshot) -> Loader<'a> {
        let Inner { engine, oversight, doors, announcements, .. } = &*self.0;
        let (generation, previous) = (previous.generation() + 1, previous.plugins());
        Loader { engine, oversight, announcements, doors, previous, generation }
    }

    fn publish(
        &self,
        previous: &Snapshot,
        plugins: Vec<Arc<Plugin>>,
        problems: Vec<Problem>,
        stale: Stale,
        cause: &str,
        started: Instant,
    ) -> Arc<Snapshot> {
        let next = Arc::new(Snapshot::next(previous, plugins, problems, stale));
        self.0.current.store(Arc::clone(&next));
        report(previous, &next, cause, started);
        // Nobody may be listening.
        let _ = self.0.loads.send(Load { snapshot: Arc::clone(&next), rules: self.rules() });
        self.0.generations.send_replace(next.generation());
        if next.versions() != previous.versions() {
            self.0.versions.send_replace(next.versions());
        }
        next
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
        let loader = self.loader(&previous);
        let (mut plugins, mut problems) = (Vec::new(), Vec::new());
        let mut names = HashSet::new();
        let specs = loader::expand(specs).await;
        let is_unclear = |plugin: &&Arc<Plugin>| unclear.iter().any(|name| name == plugin.name());
        // What stays as it is has its names, too.
        let staying = previous.plugins().iter().filter(is_unclear).map(|plugin| &plugin.spec);
        let all: Vec<&PluginSpec> = specs.iter().map(|(spec, _)| spec).chain(staying).collect();
        for (spec, unreadable) in &specs {
            let entries = all.iter().map(|spec| (spec.name.as_str(), spec.prefix.as_deref()));
            let suffix = version::suffix((&spec.name, spec.prefix.as_deref()), entries);
            let file = match &spec.source {
                Source::File(file) => Some(file.clone()),
                _ => None,
            };
            let loaded = match unreadable {
                Some(error) => Err(error.clone()),
                None if !names.insert(spec.name.clone()) => {
                    Err("another plugin has this name; rename the file, or give each its own entry under [plugins]"
                        .to_owned())
                }
                None => loader.load(spec, &suffix).await,
            };
            let (plugin, problem) = match loaded {
                Ok(Loaded { plugin, refused }) => (Some(plugin), refused),
                Err(message) => (keep(previous.plugins(), &plugins, spec), Some(message)),
            };
            problems.extend(problem.map(|message| Problem {
                plugin: spec.name.clone(),
                file,
                message,
                kept_previous: plugin.is_some(),
            }));
            plugins.extend(plugin);
        }
        for (at, plugin) in previous.plugins().iter().enumerate() {
            if unclear.iter().any(|name| name == plugin.name()) && names.insert(plugin.name().to_owned()) {
                plugins.insert(at.min(plugins.len()), Arc::clone(plugin));
            }
        }
        self.publish(&previous, plugins, problems, Stale::default(), cause, started)
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
        let Offers { tools, resources, templates, prompts, .. } = &plugin.offers;
        tracing::info!(
            plugin = plugin.name(), version = plugin.version(), generation, cause, digest = %plugin.digest, tools = tools.len(),
            resources = resources.len(), templates = templates.len(), prompts = prompts.len(), "plugin {change}"
        );
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
        resources = next.resources().len(),
        prompts = next.prompts().len(),
        problems = next.problems().len(),
        "in service"
    );
}
