//! `plugin.toml` as it is written.

use super::{check_name, check_version};
use crate::Error;
use crate::languages::Language;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::path::{Path, PathBuf};
use toolcell_policy::{Access, HostPattern, check_env_name, check_requested_path};

/// All that can stand in it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Written {
    #[serde(deserialize_with = "name")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "version")]
    pub(super) version: Option<String>,
    pub(super) description: Option<String>,
    #[serde(deserialize_with = "language")]
    pub(super) language: Option<Language>,
    pub(super) entry: Option<PathBuf>,
    pub(super) world: Option<String>,
    pub(super) engine: Option<String>,
    pub(super) flags: Vec<String>,
    pub(super) requests: Requests,
}

/// What a plugin asks for, with reasons. It goes into the component as it is here.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Requests {
    /// Directories.
    pub dirs: Vec<DirRequest>,
    /// Where it sends HTTP requests.
    pub hosts: Vec<HostRequest>,
    /// Environment variables.
    pub env: Vec<EnvRequest>,
    /// The key-value store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_value: Option<KeyValueRequest>,
    /// Tools of other plugins.
    pub tools: Vec<ToolRequest>,
}

/// A directory.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DirRequest {
    /// Where the plugin sees it; `/*` for whatever is mounted.
    #[serde(deserialize_with = "dir")]
    pub path: String,
    /// `read-only` or `read-write`.
    #[serde(deserialize_with = "access")]
    pub access: String,
    /// What for.
    #[serde(deserialize_with = "why")]
    pub why: String,
}

/// HTTP requests.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HostRequest {
    /// Such as `https://api.example.com` or `GET https://*`.
    #[serde(deserialize_with = "pattern")]
    pub pattern: String,
    /// What for.
    #[serde(deserialize_with = "why")]
    pub why: String,
}

/// An environment variable.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EnvRequest {
    /// Its name.
    #[serde(deserialize_with = "variable")]
    pub name: String,
    /// What for.
    #[serde(deserialize_with = "why")]
    pub why: String,
}

/// The key-value store.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeyValueRequest {
    /// What for.
    #[serde(deserialize_with = "why")]
    pub why: String,
}

/// A tool of another plugin.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ToolRequest {
    /// Its name, as clients see it.
    #[serde(deserialize_with = "tool")]
    pub name: String,
    /// What for.
    #[serde(deserialize_with = "why")]
    pub why: String,
}

impl Written {
    /// # Errors
    /// What is wrong, with the line.
    pub(super) fn read(file: &Path, text: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|error| problem(file, text, &error))
    }
}

/// What TOML reports, as a problem of the project.
pub(super) fn problem(file: &Path, text: &str, error: &toml::de::Error) -> Error {
    let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    let said = error.message().trim();
    let message = unknown_key(said).unwrap_or_else(|| said.to_owned());
    Error::Project { file: file.to_owned(), line, message }
}

/// "unknown field `x`, expected one of `a`, `b`", said with what was probably meant.
fn unknown_key(said: &str) -> Option<String> {
    let mut names = said.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let key = names.next()?;
    let known: Vec<&str> = names.collect();
    let near = known.iter().map(|known| (distance(key, known), known));
    let near =
        near.filter(|(distance, known)| *distance <= known.len().div_ceil(3)).min_by_key(|(distance, _)| *distance);
    Some(match near {
        Some((_, meant)) => format!("unknown key `{key}`; write `{meant}`"),
        None => format!("unknown key `{key}`; leave it out or write one of {}", known.join(", ")),
    })
}

/// Letters to insert, delete or replace to get from one word to the other (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (done, from) in from.chars().enumerate() {
        let mut next = vec![done + 1];
        for ((to, diagonal), above) in to.iter().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or_default();
            next.push((diagonal + usize::from(*to != from)).min(left + 1).min(above + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

fn name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    checked(from, check_name).map(Some)
}

fn version<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    checked(from, check_version).map(Some)
}

fn language<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Language>, D::Error> {
    String::deserialize(from)?.parse().map(Some).map_err(D::Error::custom)
}

fn dir<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked(from, check_requested_path)
}

fn access<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked(from, |text| text.parse::<Access>().map(drop))
}

fn pattern<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked(from, |text| text.parse::<HostPattern>().map(drop).map_err(|error| error.to_string()))
}

fn variable<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked(from, check_env_name)
}

fn tool<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked(from, |text| if text.is_empty() { Err("a tool has an empty name; give it one".to_owned()) } else { Ok(()) })
}

/// An operator decides by the reason, so there has to be one.
fn why<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked(from, |text| match text.trim() {
        "" => Err("`why` is empty; say in a few words what it is for".to_owned()),
        _ => Ok(()),
    })
}

fn checked<'de, D: Deserializer<'de>>(from: D, check: impl Fn(&str) -> Result<(), String>) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    check(&text).map_err(D::Error::custom)?;
    Ok(text)
}
