//! How to connect: what to paste into the clients people use.

use crate::registry::Snapshot;

/// The summary printed when HTTP is served.
pub(super) fn summary(url: &str, snapshot: &Snapshot) -> String {
    let mut text = format!("\nserving {} of {} plugins\n", counts(snapshot), snapshot.plugins().len());
    for plugin in snapshot.plugins() {
        let names: Vec<&str> = plugin.offers.tools.iter().map(|tool| tool.name.as_str()).collect();
        text += &format!("  {:<22} {}\n", plugin.name(), shorten(&names));
    }
    for problem in snapshot.problems() {
        text += &format!("  not served: {problem}\n");
    }
    text + &snippets(url)
}

/// How many there are of everything that is there; tools in any case.
pub(super) fn counts(snapshot: &Snapshot) -> String {
    let mut text = format!("{} tools", snapshot.tools().len());
    let others = [
        (snapshot.resources().len(), "resources"),
        (snapshot.templates().len(), "resource templates"),
        (snapshot.prompts().len(), "prompts"),
    ];
    for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
        text += &format!(", {count} {what}");
    }
    text
}

fn shorten(names: &[&str]) -> String {
    match names {
        [first, second, third, _, ..] => format!("{first}, {second}, {third} and {} more", names.len() - 3),
        names => names.join(", "),
    }
}

pub(super) fn snippets(url: &str) -> String {
    format!(
        r#"
connect a client
  Claude Code      claude mcp add --transport http toolcell {url}
  Claude Desktop   claude_desktop_config.json:
                   {{ "mcpServers": {{ "toolcell": {{ "command": "npx", "args": ["-y", "mcp-remote", "{url}"] }} }} }}
  VS Code          .vscode/mcp.json:
                   {{ "servers": {{ "toolcell": {{ "type": "http", "url": "{url}" }} }} }}
  Cursor           .cursor/mcp.json:
                   {{ "mcpServers": {{ "toolcell": {{ "url": "{url}" }} }} }}
"#
    )
}
