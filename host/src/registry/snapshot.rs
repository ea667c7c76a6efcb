//! What is in service at one moment. A snapshot never changes; a reload makes the next one and swaps it in.

use super::announce::Stale;
use super::check;
use super::plugin::{Offers, Plugin, Problem};
use super::prompt::PromptEntry;
use super::resource::{Reader, ResourceEntry, TemplateEntry};
use super::tool::ToolEntry;
use crate::policy::{AccessRules, CallKind, Item, View, plugin_table};
use crate::sandbox::types::{CacheHint, CacheScope};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// Counters that grow when a list changes for clients, and only then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// Of the list of tools.
    pub tools: u64,
    /// Of the lists of resources and templates.
    pub resources: u64,
    /// Of the list of prompts.
    pub prompts: u64,
}

/// All plugins in service and what they offer.
#[derive(Default)]
pub struct Snapshot {
    generation: u64,
    versions: Versions,
    plugins: Vec<Arc<Plugin>>,
    tools: List<ToolEntry>,
    resources: List<ResourceEntry>,
    templates: List<TemplateEntry>,
    prompts: List<PromptEntry>,
    /// What did not load; what was left out of plugins that did follows in `problems`.
    unloaded: usize,
    problems: Vec<Problem>,
}

/// One list: each name once, in order.
struct List<E> {
    entries: Vec<Arc<E>>,
    by_name: HashMap<String, Arc<E>>,
    hint: ListHint,
}

impl<E> Default for List<E> {
    fn default() -> Self {
        Self { entries: Vec::new(), by_name: HashMap::new(), hint: ListHint::default() }
    }
}

/// How long a list of several plugins stays fresh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListHint {
    /// The shortest time any plugin in it says, in milliseconds.
    pub ttl_ms: Option<u64>,
    /// Whether a plugin in it says nothing, so that the server's own time holds for it.
    pub unsaid: bool,
    /// Whether a plugin in it keeps its part from caches that several callers share.
    pub private: bool,
}

/// Something that is listed.
trait Listed {
    const WHAT: &'static str;
    fn key(&self) -> &str;
    fn plugin(&self) -> &str;
    /// Whether it looks the same to a client.
    fn same(&self, other: &Self) -> bool;
    /// What a plugin can do about a name that is taken.
    fn remedy(&self) -> String;
}

fn prefix_remedy(plugin: &str) -> String {
    format!(
        "give this plugin a prefix, add to toolcell.toml: {} prefix = \"{}_\"",
        plugin_table(plugin),
        plugin.replace(['-', '@', '.'], "_")
    )
}

impl Listed for ToolEntry {
    const WHAT: &'static str = "tool";
    fn key(&self) -> &str {
        &self.name
    }
    fn plugin(&self) -> &str {
        &self.plugin
    }
    fn same(&self, other: &Self) -> bool {
        self.name == other.name && self.tool == other.tool
    }
    fn remedy(&self) -> String {
        prefix_remedy(&self.plugin)
    }
}

impl Listed for PromptEntry {
    const WHAT: &'static str = "prompt";
    fn key(&self) -> &str {
        &self.name
    }
    fn plugin(&self) -> &str {
        &self.plugin
    }
    fn same(&self, other: &Self) -> bool {
        self.name == other.name && self.prompt == other.prompt
    }
    fn remedy(&self) -> String {
        prefix_remedy(&self.plugin)
    }
}

impl Listed for ResourceEntry {
    const WHAT: &'static str = "resource";
    fn key(&self) -> &str {
        &self.info.uri
    }
    fn plugin(&self) -> &str {
        &self.plugin
    }
    fn same(&self, other: &Self) -> bool {
        self.info == other.info
    }
    fn remedy(&self) -> String {
        "put the plugin that should answer for it first in toolcell.toml".to_owned()
    }
}

impl Listed for TemplateEntry {
    const WHAT: &'static str = "resource template";
    fn key(&self) -> &str {
        &self.template.uri_template
    }
    fn plugin(&self) -> &str {
        &self.plugin
    }
    fn same(&self, other: &Self) -> bool {
        self.template == other.template
    }
    fn remedy(&self) -> String {
        "put the plugin that should answer for it first in toolcell.toml".to_owned()
    }
}

impl<E: Listed> List<E> {
    /// Adds what a plugin offers, but nothing whose name is taken: the earlier plugin keeps it.
    fn add(&mut self, entries: &[Arc<E>], hint: Option<&CacheHint>, mut problem: impl FnMut(String)) {
        if entries.is_empty() {
            return;
        }
        match hint {
            Some(hint) => {
                self.hint.ttl_ms = Some(self.hint.ttl_ms.map_or(hint.ttl_ms, |ttl| ttl.min(hint.ttl_ms)));
                self.hint.private |= hint.scope == CacheScope::Private;
            }
            None => self.hint.unsaid = true,
        }
        for entry in entries {
            match self.by_name.entry(entry.key().to_owned()) {
                Entry::Vacant(free) => self.entries.push(Arc::clone(free.insert(Arc::clone(entry)))),
                Entry::Occupied(taken) => problem(format!(
                    "its {} {} is left out: plugin {} already offers one of that name; {}",
                    E::WHAT,
                    entry.key(),
                    taken.get().plugin(),
                    entry.remedy()
                )),
            }
        }
    }

    /// What is left for a caller, of a kind.
    fn within(&self, kind: CallKind, access: &AccessRules, view: &View) -> Self {
        let shown = |entry: &&Arc<E>| access.shows(view, &Item { kind, plugin: entry.plugin(), name: entry.key() });
        let entries: Vec<Arc<E>> = self.entries.iter().filter(shown).cloned().collect();
        let by_name = entries.iter().map(|entry| (entry.key().to_owned(), Arc::clone(entry))).collect();
        // Another caller's list is another list.
        Self { entries, by_name, hint: ListHint { private: true, ..self.hint } }
    }

    fn same(&self, other: &Self) -> bool {
        let pairs = || self.entries.iter().zip(&other.entries);
        self.entries.len() == other.entries.len() && pairs().all(|(old, new)| Arc::ptr_eq(old, new) || old.same(new))
    }
}

impl Snapshot {
    /// Puts plugins into service after `previous`. `stale` are lists that count as changed whatever they hold, because
    /// their plugin says so.
    pub(super) fn next(previous: &Snapshot, plugins: Vec<Arc<Plugin>>, problems: Vec<Problem>, stale: Stale) -> Self {
        let unloaded = problems.len();
        let mut next = Self { generation: previous.generation + 1, plugins, unloaded, problems, ..Self::default() };
        for plugin in &next.plugins {
            let mut problem = |message| {
                next.problems.push(Problem {
                    plugin: plugin.name().to_owned(),
                    file: plugin.file.clone(),
                    message,
                    kept_previous: false,
                });
            };
            let Offers { tools, resources, templates, prompts, hints, problems } = &plugin.offers;
            problems.iter().cloned().for_each(&mut problem);
            let [of_tools, of_resources, of_templates, of_prompts] = hints;
            next.tools.add(tools, of_tools.as_ref(), &mut problem);
            next.resources.add(resources, of_resources.as_ref(), &mut problem);
            next.templates.add(templates, of_templates.as_ref(), &mut problem);
            next.prompts.add(prompts, of_prompts.as_ref(), &mut problem);
        }
        // What is kept of older versions comes last, so that it never takes a name from what is in service now.
        for plugin in &next.plugins {
            next.tools.add(plugin.kept(), plugin.offers.hints[0].as_ref(), |message| {
                next.problems.push(Problem {
                    plugin: plugin.name().to_owned(),
                    file: plugin.file.clone(),
                    message,
                    kept_previous: false,
                });
            });
        }
        let before = previous.versions;
        let same_resources =
            previous.resources.same(&next.resources) && previous.templates.same(&next.templates) && !stale.resources;
        next.versions = Versions {
            tools: before.tools + u64::from(!previous.tools.same(&next.tools) || stale.tools),
            resources: before.resources + u64::from(!same_resources),
            prompts: before.prompts + u64::from(!previous.prompts.same(&next.prompts) || stale.prompts),
        };
        next
    }

    /// The lists as a caller sees them.
    pub(super) fn within(&self, access: &AccessRules, view: &View) -> Self {
        let Self { generation, versions, plugins, tools, resources, templates, prompts, unloaded, problems } = self;
        Self {
            generation: *generation,
            versions: *versions,
            plugins: plugins.clone(),
            tools: tools.within(CallKind::Tool, access, view),
            resources: resources.within(CallKind::Resource, access, view),
            templates: templates.within(CallKind::Resource, access, view),
            prompts: prompts.within(CallKind::Prompt, access, view),
            unloaded: *unloaded,
            problems: problems.clone(),
        }
    }

    /// What there is without plugins, for tests of the layers above.
    #[cfg(test)]
    pub(super) fn of_offers(previous: &Snapshot, offers: &Offers) -> Self {
        let versions = Versions {
            tools: previous.versions.tools + 1,
            resources: previous.versions.resources + 1,
            prompts: previous.versions.prompts + 1,
        };
        let mut next = Self { generation: previous.generation + 1, versions, ..Self::default() };
        next.tools.add(&offers.tools, None, |_| {});
        next.resources.add(&offers.resources, None, |_| {});
        next.templates.add(&offers.templates, None, |_| {});
        next.prompts.add(&offers.prompts, None, |_| {});
        next
    }

    /// Grows with every reload.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The versions of its lists.
    pub fn versions(&self) -> Versions {
        self.versions
    }

    /// The plugins, in the order of the configuration.
    pub fn plugins(&self) -> &[Arc<Plugin>] {
        &self.plugins
    }

    /// The tools, plugin by plugin, each name once, and then what is kept of older versions. The order depends on nothing but
    /// the configuration and the plugins.
    pub fn tools(&self) -> &[Arc<ToolEntry>] {
        &self.tools.entries
    }

    /// The tool that clients see under this name.
    pub fn tool(&self, name: &str) -> Option<&Arc<ToolEntry>> {
        self.tools.by_name.get(name)
    }

    /// The resources, in the same order.
    pub fn resources(&self) -> &[Arc<ResourceEntry>] {
        &self.resources.entries
    }

    /// The resource templates, in the same order.
    pub fn templates(&self) -> &[Arc<TemplateEntry>] {
        &self.templates.entries
    }

    /// The resource template of this pattern.
    pub fn template(&self, uri_template: &str) -> Option<&Arc<TemplateEntry>> {
        self.templates.by_name.get(uri_template)
    }

    /// The prompts, in the same order.
    pub fn prompts(&self) -> &[Arc<PromptEntry>] {
        &self.prompts.entries
    }

    /// The prompt that clients see under this name.
    pub fn prompt(&self, name: &str) -> Option<&Arc<PromptEntry>> {
        self.prompts.by_name.get(name)
    }

    /// The resource of this URI.
    pub fn resource(&self, uri: &str) -> Option<&Arc<ResourceEntry>> {
        self.resources.by_name.get(uri)
    }

    /// Who answers for a URI: the first plugin that lists it or has a template for it, so that no plugin takes what one
    /// before it answers for. A URI that is neither listed nor of any template, or longer than any of these, is nobody's,
    /// so that no plugin hears of what was meant for another.
    pub fn reader(&self, uri: &str) -> Option<Reader> {
        if uri.len() > check::MAX_URI {
            return None;
        }
        let listed = self.resource(uri);
        for plugin in &self.plugins {
            if let Some(listed) = listed.filter(|listed| listed.plugin == plugin.name()) {
                return Some(Reader { owner: Arc::clone(&listed.owner), serving: listed.serving.clone() });
            }
            if let Some(template) = plugin.offers.templates.iter().find(|template| template.matches(uri)) {
                return Some(Reader { owner: Arc::clone(&template.owner), serving: template.serving.clone() });
            }
        }
        None
    }

    /// How long the list of tools stays fresh.
    pub fn tools_hint(&self) -> ListHint {
        self.tools.hint
    }

    /// How long the list of resources stays fresh.
    pub fn resources_hint(&self) -> ListHint {
        self.resources.hint
    }

    /// How long the list of templates stays fresh.
    pub fn templates_hint(&self) -> ListHint {
        self.templates.hint
    }

    /// How long the list of prompts stays fresh.
    pub fn prompts_hint(&self) -> ListHint {
        self.prompts.hint
    }

    /// What did not load at all and why.
    pub(super) fn unloaded(&self) -> &[Problem] {
        self.problems.get(..self.unloaded).unwrap_or_default()
    }

    /// What is not in service and why.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}
