//! `toolcell new`.

use super::say;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use toolcell_author::{Language, NewProject};

#[derive(Args)]
#[command(after_help = "The project builds at once, has a tool, tests, what it is granted, and settings for editors.

Examples:
  toolcell new weather --lang python
  toolcell new weather --lang ts tools/weather        Into a folder of another name
  cd weather && toolcell build --get && toolcell dev  Build it, getting what is missing, and serve it while you write

Exit codes: 0 it was written; 2 it was not, and nothing was changed.")]
pub(super) struct New {
    /// The plugin's name: a-z 0-9 - _
    name: String,

    /// What to write it in
    #[arg(long, value_name = "LANGUAGE", value_parser = language())]
    lang: Language,

    /// Where; default is a folder of that name in this one
    dir: Option<PathBuf>,
}

fn language() -> impl TypedValueParser<Value = Language> {
    let value = |language: Language| PossibleValue::new(language.as_str()).aliases(language.aliases());
    PossibleValuesParser::new(Language::ALL.map(value)).try_map(|name| name.parse::<Language>())
}

pub(super) fn run(new: New) -> anyhow::Result<ExitCode> {
    let New { name, lang, dir } = new;
    let dir = dir.unwrap_or_else(|| PathBuf::from(&name));
    let written = toolcell_author::new(&dir, &name, lang)?;
    say(&summary(&written, &dir, &name))?;
    Ok(ExitCode::SUCCESS)
}

fn summary(written: &NewProject, typed: &Path, name: &str) -> String {
    let mut text = format!("wrote {}\n", written.dir.display());
    for file in &written.files {
        text += &format!("  {}\n", file.display());
    }
    let config = written.dir.join("toolcell.toml");
    let config = config.display();
    let enter = if typed == Path::new(".") { String::new() } else { format!("  cd {}\n", typed.display()) };
    text + &format!(
        r#"
next
{enter}  toolcell build --get    makes build/{name}.wasm, and gets what is missing for it into .toolcell/tools
  toolcell dev            serves it, and builds and reloads on every save

or have a client start it
  Claude Code      claude mcp add {name} -- toolcell serve --config {config}
  other clients    {{ "mcpServers": {{ "{name}": {{ "command": "toolcell", "args": ["serve", "--config", "{config}"] }} }} }}
"#
    )
}
