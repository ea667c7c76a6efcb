//! What `toolcell usage` prints.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use super::file::{days, is_day, read};
use super::{Day, Sums, UsageError};

/// What rows are added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Who called.
    Principal,
    /// Which plugin was called.
    Plugin,
    /// Which tool, as `plugin/tool`.
    Tool,
    /// On which day.
    Day,
}

impl By {
    fn title(self) -> &'static str {
        match self {
            Self::Principal => "principal",
            Self::Plugin => "plugin",
            Self::Tool => "tool",
            Self::Day => "day",
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Principal, plugin, tool or day.
    pub name: String,
    /// What it cost.
    #[serde(flatten)]
    pub sums: Sums,
}

/// Rows, the dearest in processor time first, days in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    by: By,
    sums: BTreeMap<String, Sums>,
    rows: Vec<Row>,
}

/// Reads the files of a folder, which another process may be writing, since a day (`2026-11-23`) or all.
///
/// # Errors
///
/// If `since` is no day, or a file cannot be read.
pub fn load(dir: &Path, by: By, since: Option<&str>) -> Result<Table, UsageError> {
    if let Some(since) = since.filter(|since| !is_day(since)) {
        return Err(UsageError::Day(since.to_owned()));
    }
    let mut table = Table { by, sums: BTreeMap::new(), rows: Vec::new() };
    for day in days(dir)?.iter().filter(|day| since.is_none_or(|since| day.as_str() >= since)) {
        table.add(day, &read(dir, day)?);
    }
    table.sort();
    Ok(table)
}

impl Table {
    pub(crate) fn add(&mut self, name: &str, day: &Day) {
        for (principal, plugins) in &day.principals {
            for (plugin, tools) in plugins {
                for (tool, sums) in tools {
                    let key = match self.by {
                        By::Principal => principal.clone(),
                        By::Plugin => plugin.clone(),
                        By::Tool => format!("{plugin}/{tool}"),
                        By::Day => name.to_owned(),
                    };
                    self.sums.entry(key).or_default().add(sums);
                }
            }
        }
    }

    pub(crate) fn sort(&mut self) {
        self.rows = self.sums.iter().map(|(name, sums)| Row { name: name.clone(), sums: *sums }).collect();
        if self.by != By::Day {
            self.rows.sort_by_key(|row| Reverse((row.sums.cpu_ms, row.sums.calls)));
        }
    }

    /// The rows.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// All rows together.
    pub fn total(&self) -> Sums {
        self.rows.iter().fold(Sums::default(), |mut total, row| {
            total.add(&row.sums);
            total
        })
    }

    /// Aligned text with a heading and a last line of totals. Control characters in names are shown escaped.
    pub fn text(&self) -> String {
        let titles =
            [self.by.title(), "calls", "errors", "cpu ms", "wall ms", "bytes in", "bytes out"].map(str::to_owned);
        let total = Row { name: "total".to_owned(), sums: self.total() };
        let cells = |row: &Row| {
            let Sums { calls, errors, cpu_ms, wall_ms, bytes_in, bytes_out, rest_us: _ } = row.sums;
            let [a, b, c, d, e, f] = [calls, errors, cpu_ms, wall_ms, bytes_in, bytes_out].map(|n| n.to_string());
            [row.name.chars().flat_map(shown).collect(), a, b, c, d, e, f]
        };
        let lines: Vec<[String; 7]> =
            std::iter::once(titles).chain(self.rows.iter().chain([&total]).map(cells)).collect();
        let mut widths = [0; 7];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = cell.chars().count().max(*width);
            }
        }
        let mut text = String::new();
        for line in &lines {
            for (n, (cell, width)) in line.iter().zip(widths).enumerate() {
                // Writing into a string does not fail.
                let _ = if n == 0 { write!(text, "{cell:<width$}") } else { write!(text, "  {cell:>width$}") };
            }
            text.push('\n');
        }
        text
    }

    /// `{"by":"principal","rows":[{"name":…,"calls":…}],"total":{…}}`.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({ "by": self.by.title(), "rows": self.rows, "total": self.total() })
    }
}

fn shown(letter: char) -> Vec<char> {
    if letter.is_control() { letter.escape_default().collect() } else { vec![letter] }
}
