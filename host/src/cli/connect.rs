//! How to connect: what to paste into the clients people use.

use crate::registry::Snapshot;

/// The summary printed when HTTP is served.
pub(super) fn summary(url: &str, snapshot: &Snapshot) -> String {
    let mut text = format!("\nserving {} tools of {} plugins\n", snapshot.tools().len(), snapshot.plugins().len());
    for plugin in snapshot.plugins() {
        let names: Vec<&str> = plugin.tools.iter().map(|tool| tool.name.as_str()).collect();
        text += &format!("  {:<22} {}\n", plugin.name(), shorten(&names));
    }
    for problem in snapshot.problems() {
        text += &format!("  not served: {problem}\n");
    }
    text + &snippets(url)
}

fn shorten(names: &[&str]) -> String {
    match names {
        [first, second, third, _, ..] => format!("{first}, {second}, {third} and {} more", names.len() - 3),
        names => names.join(", "),
    }
}

fn snippets(url: &str) -> String {
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
