//! The arguments of the tools, as clients send them. An argument nobody knows is refused: a misspelt `dryRun` must not
//! become a real edit. What is documented here with three slashes is read by models.

use schemars::JsonSchema;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

use crate::edit::Edit;
use crate::list::SortBy;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathArgs {
    /// A path inside an allowed directory; a relative one starts at the first of them.
    pub path: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadTextArgs {
    /// The file.
    pub path: String,
    /// Return only so many lines from the end. 0: all.
    #[serde(default, deserialize_with = "count")]
    pub tail: u64,
    /// Return only so many lines from the beginning. 0: all.
    #[serde(default, deserialize_with = "count")]
    pub head: u64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadManyArgs {
    /// The files, at least one.
    #[schemars(length(min = 1))]
    pub paths: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteArgs {
    /// The file.
    pub path: String,
    /// All of its new text.
    pub content: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditArgs {
    /// The file.
    pub path: String,
    /// The replacements, applied one after the other.
    pub edits: Vec<Edit>,
    /// Only show the diff and leave the file as it is.
    #[serde(default)]
    pub dry_run: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListSizesArgs {
    /// The directory.
    pub path: String,
    /// By name, or the largest first.
    #[serde(default)]
    pub sort_by: SortBy,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TreeArgs {
    /// The directory.
    pub path: String,
    /// Glob patterns of what to leave out. One without `*`, such as `node_modules`, matches at any depth.
    #[serde(default)]
    pub exclude_patterns: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveArgs {
    /// What to move.
    pub source: String,
    /// Its new path, the new name included. Nothing may be there yet.
    pub destination: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SearchArgs {
    /// The directory to search.
    pub path: String,
    /// A glob pattern for paths relative to the directory: `*.md` for the directory itself, `**/*.md` for any depth.
    pub pattern: String,
    /// Glob patterns of what to leave out, with all below it.
    #[serde(default)]
    pub exclude_patterns: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct TextOutput {
    /// The same text as in the content block.
    pub content: String,
}

/// A count; `2.0` is one too in JSON Schema and in JavaScript.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    let whole = number.as_f64().filter(|n| n.fract() == 0.0 && (0.0..9e15).contains(n));
    // In that range the conversion is exact.
    number
        .as_u64()
        .or(whole.map(|n| n as u64))
        .ok_or_else(|| D::Error::custom(format!("{number} is no number of lines")))
}
