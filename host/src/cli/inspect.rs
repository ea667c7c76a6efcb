//! `toolcell inspect`.

use super::terminal::{Paint, bytes};
use super::{lint, say, source};
use crate::policy::{Grant, Requested, plugin_table};
use crate::registry::{Offers, Plugin, PluginSpec, Snapshot, Source, plugin_name};
use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Args)]
#[command(after_help = "Nothing is granted to it: its lists are read, none of its tools is called.

Examples:
  toolcell inspect weather.wasm
  toolcell inspect weather.wasm --json | jq .grant      The lines for toolcell.toml that grant what it asks for

Exit codes: 0 it was read, whatever there is to mend; 2 it could not be read or loaded.")]
pub(super) struct Inspect {
    /// The component
    file: PathBuf,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

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
    let grant = plugin.manifest.requested.as_ref().and_then(|asked| grant(plugin.name(), &file, asked));
    if json {
        say(&serde_json::to_string_pretty(&as_json(plugin, grant.as_deref(), &findings))?)?;
    } else {
        say(&as_text(plugin, grant.as_deref(), &findings))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What an operator or the author should look at.
pub(super) fn findings(plugin: &Plugin, snapshot: &Snapshot) -> Vec<String> {
    let mut findings: Vec<String> = snapshot.problems().iter().map(|problem| problem.message.clone()).collect();
    if plugin.manifest.requested.is_none() {
        findings.push("it has no manifest, so what it asks for is unknown; what you grant is what it gets".to_owned());
    }
    findings.extend(lint::offers(&plugin.offers).iter().map(ToString::to_string));
    findings
}

/// The lines of `toolcell.toml` that grant all it asks for; none if it asks for nothing. They are the ones a refusal shows,
/// those for the same key in one.
fn grant(name: &str, file: &Path, asked: &Requested) -> Option<String> {
    let mut lines: Vec<(String, String)> = Vec::new();
    let table = plugin_table(name);
    for gap in Grant::default().gaps(name, asked) {
        let text = gap.to_string();
        let Some((_, line)) = text.rsplit_once(&format!("{table} ")) else { continue };
        let Some((key, value)) = line.split_once(" = ") else { continue };
        match lines.iter_mut().find(|(known, _)| known == key) {
            Some((_, before)) => *before = joined(before, value),
            None => lines.push((key.to_owned(), value.to_owned())),
        }
    }
    let lines: Vec<String> = lines.into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
    (!lines.is_empty()).then(|| format!("{table}\npath = {:?}\n{}", file.display().to_string(), lines.join("\n")))
}

/// Two lists, or two tables, of TOML as one.
fn joined(one: &str, two: &str) -> String {
    let inner = |text: &str| text.trim_matches(['[', ']']).trim().to_owned();
    match (one.starts_with('['), one.starts_with('{')) {
        (true, _) => format!("[{}, {}]", inner(one), inner(two)),
        (_, true) => {
            let inner = |text: &str| text.trim().trim_start_matches('{').trim_end_matches('}').trim().to_owned();
            format!("{{ {}, {} }}", inner(one), inner(two))
        }
        _ => two.to_owned(),
    }
}

/// What it asks for, as capability and reason.
fn requests(requested: &Requested) -> Vec<(String, &str)> {
    let dirs =
        requested.dirs.iter().map(|dir| (format!("directory {} {}", dir.path, dir.access.as_str()), dir.why.as_str()));
    let hosts = requested.hosts.iter().map(|host| (format!("host {}", host.pattern), host.why.as_str()));
    let env = requested.env.iter().map(|env| (format!("variable {}", env.name), env.why.as_str()));
    let store = requested.key_value.iter().map(|store| ("store of its own".to_owned(), store.why.as_str()));
    let tools = requested.tools.iter().map(|tool| (format!("tool {}", tool.pattern), tool.why.as_str()));
    dirs.chain(hosts).chain(env).chain(store).chain(tools).collect()
}

fn as_text(plugin: &Plugin, grant: Option<&str>, findings: &[String]) -> String {
    let paint = Paint::stdout();
    let manifest = &plugin.manifest;
    let outside = plugin.compiled().inspection();
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "not said".to_owned());
    let mut out = format!(
        "{} {}\n",
        paint.strong(manifest.name.as_deref().unwrap_or(plugin.name())),
        manifest.version.as_deref().unwrap_or("")
    );
    if let Some(description) = &manifest.description {
        out += &format!("  {}\n", description.trim().replace('\n', "\n  "));
    }
    out += &format!("\n  digest    {}\n  size      {}\n", plugin.digest, bytes(plugin.size));
    out += &format!("  contract  {}\n  built by  {}\n", text(&outside.contract), text(&manifest.sdk));
    if let Some((memory, elements)) = plugin.compiled().footprint() {
        out += &format!("  at start  {} of memory, {elements} table elements\n", bytes(memory));
    }
    out += "\nasks for\n";
    match &manifest.requested {
        None => out += "  unknown, it has no manifest\n",
        Some(requested) => match requests(requested).as_slice() {
            [] => out += "  nothing\n",
            asked => out.extend(asked.iter().map(|(capability, why)| format!("  {capability:<40} {why}\n"))),
        },
    }
    if let Some(grant) = grant {
        out += &format!("\nto grant it all of that, add to toolcell.toml\n  {}\n", grant.replace('\n', "\n  "));
    }
    out += &format!("\ntools ({})\n", plugin.offers.tools.len());
    for tool in &plugin.offers.tools {
        let description = tool.tool.description.as_deref().unwrap_or("(no description)").trim();
        out += &format!(
            "  {}{}\n    {}\n    in  {}\n",
            paint.strong(&tool.name),
            hints(tool),
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
        out.extend(findings.iter().map(|finding| format!("  {} {finding}\n", paint.doubtful("warning:"))));
    }
    out
}

/// What a tool says it does to the world.
fn hints(tool: &crate::registry::ToolEntry) -> String {
    let Some(said) = &tool.tool.annotations else { return String::new() };
    let words = [
        (said.read_only, "read-only", "changes something"),
        (said.destructive, "destructive", "not destructive"),
        (said.idempotent, "idempotent", "not idempotent"),
        (said.open_world, "open world", "closed world"),
    ];
    let said: Vec<&str> =
        words.into_iter().filter_map(|(is, yes, no)| is.map(|is| if is { yes } else { no })).collect();
    if said.is_empty() { String::new() } else { format!(" ({})", said.join(", ")) }
}

fn as_json(plugin: &Plugin, grant: Option<&str>, findings: &[String]) -> Value {
    let manifest = &plugin.manifest;
    let outside = plugin.compiled().inspection();
    let schema = |text: &String| serde_json::from_str::<Value>(text).unwrap_or_default();
    let tools: Vec<Value> = plugin
        .offers
        .tools
        .iter()
        .map(|entry| {
            let tool = &entry.tool;
            let hints = tool.annotations.as_ref().map(|said| {
                json!({
                    "readOnlyHint": said.read_only, "destructiveHint": said.destructive,
                    "idempotentHint": said.idempotent, "openWorldHint": said.open_world,
                })
            });
            json!({
                "name": entry.name, "annotations": hints, "title": tool.title, "description": tool.description,
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
        "asksFor": requests, "grant": grant, "tools": tools, "resources": resources, "resourceTemplates": templates, "prompts": prompts, "imports": outside.imports, "exports": outside.exports, "findings": findings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Access, DirRequest, EnvRequest, HostRequest, StoreRequest, ToolRequest};

    #[test]
    fn the_lines_that_grant_it_all_are_toml() {
        let why = String::new;
        let dir = |path: &str| DirRequest { path: path.into(), access: Access::ReadOnly, why: why() };
        let env = |name: &str| EnvRequest { name: name.into(), why: why() };
        let asked = Requested {
            dirs: vec![dir("/a"), dir("/*")],
            hosts: vec![HostRequest { pattern: "https://*".parse().unwrap(), why: why() }],
            env: vec![env("TZ"), env("A B")],
            key_value: Some(StoreRequest { why: why() }),
            tools: vec![ToolRequest { pattern: "time_*".parse().unwrap(), why: why() }],
        };
        let lines = grant("p", Path::new("p.wasm"), &asked).unwrap();
        let expected = r#"[plugins.p]
path = "p.wasm"
dirs = [{ host = "…", guest = "/a", access = "read-only" }, { host = "…", guest = "/data", access = "read-only" }]
hosts = ["https://*"]
env = { TZ = "…", "A B" = "…" }
key-value = true
tools = ["time_*"]"#;
        assert_eq!(lines, expected);
        assert_eq!(grant("p", Path::new("p.wasm"), &Requested::default()), None);
    }
}
