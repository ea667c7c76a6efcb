//! `toolcell inspect`.

use super::{Inspect, say, source};
use crate::policy::Requested;
use crate::registry::{Offers, Plugin, PluginSpec, Snapshot, Source, plugin_name};
use anyhow::bail;
use serde_json::{Value, json};
use std::process::ExitCode;

/// A description shorter than this tells a model too little to choose the tool, in characters.
const SHORT_DESCRIPTION: usize = 20;

pub(super) async fn run(inspect: Inspect) -> anyhow::Result<ExitCode> {
    let Inspect { file, json } = inspect;
    let spec = PluginSpec::new(plugin_name(&file), Source::File(file.clone()));
    let host = crate::Host::builder().engine(source::engine()).build().await?;
    let snapshot = host.load(&[spec]).await;
    let [plugin] = snapshot.plugins() else {
        match snapshot.problems() {
            [problem, ..] => bail!("{}: {}", file.display(), problem.message),
            [] => bail!("{}: nothing was loaded", file.display()),
        }
    };
    let findings = findings(plugin, &snapshot);
    if json {
        say(&serde_json::to_string_pretty(&as_json(plugin, &findings))?)?;
    } else {
        say(&as_text(plugin, &findings))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What an operator or the author should look at.
fn findings(plugin: &Plugin, snapshot: &Snapshot) -> Vec<String> {
    let mut findings: Vec<String> = snapshot.problems().iter().map(|problem| problem.message.clone()).collect();
    if plugin.manifest.requested.is_none() {
        findings.push("it has no manifest, so what it asks for is unknown; what you grant is what it gets".to_owned());
    }
    for tool in &plugin.offers.tools {
        let described = tool.tool.description.as_deref().unwrap_or_default().trim().chars().count();
        if described == 0 {
            findings.push(format!("tool {} has no description; a model cannot know when to use it", tool.name));
        } else if described < SHORT_DESCRIPTION {
            findings.push(format!(
                "tool {} has a description of {described} characters; say what it does and when to use it",
                tool.name
            ));
        }
        let schema: Value = serde_json::from_str(&tool.tool.input_schema).unwrap_or_default();
        for (name, parameter) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if parameter.get("description").is_none() {
                findings.push(format!("parameter {name} of tool {} has no description", tool.name));
            }
        }
    }
    findings
}

/// What it asks for, as capability and reason.
fn requests(requested: &Requested) -> Vec<(String, &str)> {
    let dirs =
        requested.dirs.iter().map(|dir| (format!("directory {} {}", dir.path, dir.access.as_str()), dir.why.as_str()));
    let hosts = requested.hosts.iter().map(|host| (format!("host {}", host.pattern), host.why.as_str()));
    let env = requested.env.iter().map(|env| (format!("variable {}", env.name), env.why.as_str()));
    dirs.chain(hosts).chain(env).collect()
}

fn as_text(plugin: &Plugin, findings: &[String]) -> String {
    let manifest = &plugin.manifest;
    let outside = plugin.compiled().inspection();
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "not said".to_owned());
    let mut out = format!(
        "{} {}\n",
        manifest.name.as_deref().unwrap_or(plugin.name()),
        manifest.version.as_deref().unwrap_or("")
    );
    if let Some(description) = &manifest.description {
        out += &format!("  {}\n", description.trim().replace('\n', "\n  "));
    }
    out += &format!("\n  digest    {}\n  size      {} KiB\n", plugin.digest, plugin.size.div_ceil(1024));
    out += &format!("  contract  {}\n  built by  {}\n", text(&outside.contract), text(&manifest.sdk));
    if let Some((memory, elements)) = plugin.compiled().footprint() {
        out += &format!("  at start  {} KiB of memory, {elements} table elements\n", memory / 1024);
    }
    out += "\nasks for\n";
    match &manifest.requested {
        None => out += "  unknown, it has no manifest\n",
        Some(requested) => match requests(requested).as_slice() {
            [] => out += "  nothing\n",
            asked => out.extend(asked.iter().map(|(capability, why)| format!("  {capability:<40} {why}\n"))),
        },
    }
    out += &format!("\ntools ({})\n", plugin.offers.tools.len());
    for tool in &plugin.offers.tools {
        let description = tool.tool.description.as_deref().unwrap_or("(no description)").trim();
        out += &format!(
            "  {}\n    {}\n    in  {}\n",
            tool.name,
            description.replace('\n', "\n    "),
            tool.tool.input_schema
        );
        if let Some(schema) = &tool.tool.output_schema {
            out += &format!("    out {schema}\n");
        }
    }
    let Offers { resources, templates, prompts, .. } = &plugin.offers;
    let described = |text: &Option<String>| text.clone().unwrap_or_default().replace('\n', " ");
    let resources: Vec<_> = resources.iter().map(|it| (&it.info.uri, described(&it.info.description))).collect();
    let templates = templates.iter().map(|it| (&it.template.uri_template, described(&it.template.description)));
    let prompts = prompts.iter().map(|it| (&it.name, described(&it.prompt.description)));
    for (title, items) in
        [("resources", resources), ("resource templates", templates.collect()), ("prompts", prompts.collect())]
    {
        if !items.is_empty() {
            out += &format!("\n{title} ({})\n", items.len());
            out.extend(items.iter().map(|(name, description)| format!("  {name}\n    {description}\n")));
        }
    }
    for (title, names) in [("imports", &outside.imports), ("exports", &outside.exports)] {
        out += &format!("\n{title} ({})\n", names.len());
        out.extend(names.iter().map(|name| format!("  {name}\n")));
    }
    if !findings.is_empty() {
        out += &format!("\nfindings ({})\n", findings.len());
        out.extend(findings.iter().map(|finding| format!("  {finding}\n")));
    }
    out
}

fn as_json(plugin: &Plugin, findings: &[String]) -> Value {
    let manifest = &plugin.manifest;
    let outside = plugin.compiled().inspection();
    let schema = |text: &String| serde_json::from_str::<Value>(text).unwrap_or_default();
    let tools: Vec<Value> = plugin
        .offers
        .tools
        .iter()
        .map(|entry| {
            let tool = &entry.tool;
            json!({
                "name": entry.name, "title": tool.title, "description": tool.description,
                "inputSchema": schema(&tool.input_schema), "outputSchema": tool.output_schema.as_ref().map(schema),
            })
        })
        .collect();
    let Offers { resources, templates, prompts, .. } = &plugin.offers;
    let resources: Vec<Value> = resources
        .iter()
        .map(|it| json!({"uri": it.info.uri, "name": it.info.name, "description": it.info.description}))
        .collect();
    let templates: Vec<Value> = templates
        .iter()
        .map(|it| &it.template)
        .map(|it| json!({"uriTemplate": it.uri_template, "name": it.name, "description": it.description}))
        .collect();
    let prompts: Vec<Value> = prompts
        .iter()
        .map(|it| {
            let arguments: Vec<_> = it.prompt.arguments.iter().map(|argument| &argument.name).collect();
            json!({"name": it.name, "description": it.prompt.description, "arguments": arguments})
        })
        .collect();
    let requests = manifest.requested.as_ref().map(|requested| {
        requests(requested)
            .into_iter()
            .map(|(capability, why)| json!({"capability": capability, "why": why}))
            .collect::<Vec<_>>()
    });
    let footprint = plugin.compiled().footprint();
    json!({
        "name": manifest.name, "version": manifest.version, "description": manifest.description,
        "digest": plugin.digest.to_string(), "bytes": plugin.size, "contract": outside.contract, "builtBy": manifest.sdk,
        "memoryBytesAtStart": footprint.map(|(memory, _)| memory), "tableElementsAtStart": footprint.map(|(_, elements)| elements),
        "asksFor": requests, "tools": tools, "resources": resources, "resourceTemplates": templates, "prompts": prompts, "imports": outside.imports, "exports": outside.exports, "findings": findings,
    })
}
