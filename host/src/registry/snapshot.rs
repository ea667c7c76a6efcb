//! What is in service at one moment. A snapshot never changes; a reload makes the next one and swaps it in.

use super::plugin::{Plugin, Problem};
use super::tool::ToolEntry;
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

/// All plugins and tools in service.
#[derive(Default)]
pub struct Snapshot {
    generation: u64,
    versions: Versions,
    plugins: Vec<Arc<Plugin>>,
    tools: Vec<Arc<ToolEntry>>,
    by_name: HashMap<String, Arc<ToolEntry>>,
    problems: Vec<Problem>,
}

impl Snapshot {
    /// Puts plugins into service after `previous`. Where two tools want one name the earlier plugin keeps it.
    pub(super) fn next(previous: &Snapshot, plugins: Vec<Arc<Plugin>>, mut problems: Vec<Problem>) -> Self {
        let mut tools = Vec::new();
        let mut by_name: HashMap<String, Arc<ToolEntry>> = HashMap::new();
        for plugin in &plugins {
            let problem = |message| Problem {
                plugin: plugin.name().to_owned(),
                file: plugin.file.clone(),
                message,
                kept_previous: false,
            };
            problems.extend(plugin.problems.iter().cloned().map(problem));
            for tool in &plugin.tools {
                match by_name.entry(tool.name.clone()) {
                    Entry::Vacant(free) => {
                        tools.push(Arc::clone(free.insert(Arc::clone(tool))));
                    }
                    Entry::Occupied(taken) => problems.push(problem(name_taken(tool, taken.get()))),
                }
            }
        }
        let mut versions = previous.versions;
        if !same_list(&previous.tools, &tools) {
            versions.tools += 1;
        }
        Self { generation: previous.generation + 1, versions, plugins, tools, by_name, problems }
    }

    /// Tools without plugins, for tests of the layers above.
    #[cfg(test)]
    pub(super) fn of_tools(previous: &Snapshot, tools: Vec<Arc<ToolEntry>>) -> Self {
        let versions = Versions { tools: previous.versions.tools + 1, ..previous.versions };
        let by_name = tools.iter().map(|tool| (tool.name.clone(), Arc::clone(tool))).collect();
        Self { generation: previous.generation + 1, versions, tools, by_name, ..Self::default() }
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

    /// The tools, plugin by plugin, each name once. The order depends on nothing but the configuration and the plugins.
    pub fn tools(&self) -> &[Arc<ToolEntry>] {
        &self.tools
    }

    /// The tool that clients see under this name.
    pub fn tool(&self, name: &str) -> Option<&Arc<ToolEntry>> {
        self.by_name.get(name)
    }

    /// What is not in service and why.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

fn name_taken(tool: &ToolEntry, holder: &ToolEntry) -> String {
    format!(
        "its tool {} is left out: plugin {} already offers a tool of that name; give this plugin a prefix, add to toolcell.toml: [plugins.{}] prefix = \"{}_\"",
        tool.name,
        holder.plugin,
        tool.plugin,
        tool.plugin.replace('-', "_")
    )
}

/// Whether two lists look the same to a client.
fn same_list(old: &[Arc<ToolEntry>], new: &[Arc<ToolEntry>]) -> bool {
    old.len() == new.len() && old.iter().zip(new).all(|(old, new)| old.name == new.name && old.tool == new.tool)
}
