//! What is in a directory.

use std::fs;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::FsError;
use crate::limits;
use crate::mounts::Mounts;
use crate::path::Located;

/// An entry of a directory.
#[derive(Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Whether it is a directory. A symbolic link is not, whatever it points to.
    pub is_dir: bool,
    /// Whether it is a symbolic link.
    pub is_link: bool,
}

// The order of `list_directory_with_sizes`. Comments on the variants would turn the schema from an `enum` into a `oneOf`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SortBy {
    #[default]
    Name,
    Size,
}

/// The entries of a directory, sorted by name.
///
/// # Errors
///
/// `NotFound`, `NotDirectory`, `TooLarge` for more entries than anyone wants to see, or what the system says.
pub fn entries(at: &Located<'_>) -> Result<Vec<Entry>, FsError> {
    let failed = |e| FsError::from_io("list", at, e);
    if !fs::metadata(&at.path).map_err(failed)?.is_dir() {
        return Err(FsError::NotDirectory { path: at.path.clone() });
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(&at.path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        entries.push(Entry { name, is_dir: kind.is_dir(), is_link: kind.is_symlink() });
        if entries.len() > limits::ENTRIES {
            let text = format!(
                "{} has more than {} entries; use search_files with a pattern instead",
                at.path,
                limits::ENTRIES
            );
            return Err(FsError::Refused(text));
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// One line for each entry: what it is, and its name.
///
/// # Errors
///
/// As `entries`.
pub fn list(mounts: &Mounts, path: &str) -> Result<String, FsError> {
    let entries = entries(&mounts.locate(path)?)?;
    Ok(entries.iter().map(|entry| format!("{} {}", tag(entry.is_dir), entry.name)).collect::<Vec<_>>().join("\n"))
}

/// As `list`, with sizes and totals.
///
/// # Errors
///
/// As `entries`.
pub fn list_with_sizes(mounts: &Mounts, path: &str, sort_by: SortBy) -> Result<String, FsError> {
    let at = mounts.locate(path)?;
    // A link that leads nowhere has no size.
    let size = |entry: &Entry| fs::metadata(at.entry(&entry.name).path).map_or(0, |found| found.len());
    let mut sized: Vec<(Entry, u64)> = entries(&at)?.into_iter().map(|e| (size(&e), e)).map(|(s, e)| (e, s)).collect();
    match sort_by {
        SortBy::Name => sized.sort_by_cached_key(|(entry, _)| reading_order(&entry.name)),
        SortBy::Size => sized.sort_by_key(|(_, size)| std::cmp::Reverse(*size)),
    }
    let mut lines: Vec<String> = Vec::with_capacity(sized.len() + 3);
    let (mut files, mut directories, mut total) = (0, 0, 0u64);
    for (entry, size) in &sized {
        if entry.is_dir {
            directories += 1;
            lines.push(format!("[DIR] {:<30} ", entry.name));
        } else {
            files += 1;
            total = total.saturating_add(*size);
            lines.push(format!("[FILE] {:<30} {:>10}", entry.name, human(*size)));
        }
    }
    lines.push(String::new());
    lines.push(format!("Total: {files} files, {directories} directories"));
    lines.push(format!("Combined size: {}", human(total)));
    Ok(lines.join("\n"))
}

fn tag(is_dir: bool) -> &'static str {
    if is_dir { "[DIR]" } else { "[FILE]" }
}

/// A key that sorts names as people do: marks, digits, letters; the case of a letter only breaks a tie.
fn reading_order(name: &str) -> (Vec<(u8, char)>, String) {
    let rank = |c: char| {
        if c.is_alphabetic() { 2 } else { u8::from(c.is_numeric()) }
    };
    let folded = name.chars().flat_map(char::to_lowercase).map(|c| (rank(c), c)).collect();
    let lower_first = name.chars().map(|c| if c.is_lowercase() { '0' } else { '1' }).collect();
    (folded, lower_first)
}

/// A size with two digits after the point, in the largest unit of 1024 steps that leaves something before it.
fn human(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    let mut unit = (1u128, "B");
    for name in UNITS {
        if u128::from(bytes) >= unit.0 * 1024 {
            unit = (unit.0 * 1024, name);
        }
    }
    if unit.1 == "B" {
        return format!("{bytes} B");
    }
    // In whole hundredths, rounded half up: formatting a float would round half to even.
    let hundredths = (u128::from(bytes) * 200 + unit.0) / (unit.0 * 2);
    format!("{}.{:02} {}", hundredths / 100, hundredths % 100, unit.1)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::testing::Bench;

    fn bench() -> Bench {
        let bench = Bench::new();
        bench.file("b.txt", &"x".repeat(1536));
        bench.file("A.txt", "x");
        bench.file("c/inner", "");
        symlink("c", bench.host("link")).unwrap();
        symlink("nowhere", bench.host("broken")).unwrap();
        bench
    }

    #[test]
    fn listings() {
        let bench = bench();
        assert_eq!(
            list(&bench.mounts, ".").unwrap(),
            "[FILE] A.txt\n[FILE] b.txt\n[FILE] broken\n[DIR] c\n[FILE] link"
        );
        let inner = list_with_sizes(&bench.mounts, "c", SortBy::Size).unwrap();
        assert_eq!(
            inner,
            format!("[FILE] inner{}        0 B\n\nTotal: 1 files, 0 directories\nCombined size: 0 B", " ".repeat(25))
        );
        std::fs::remove_file(bench.host("link")).unwrap();
        let by = |order| {
            let text = list_with_sizes(&bench.mounts, ".", order).unwrap();
            let names = text.lines().take_while(|line| !line.is_empty());
            names.filter_map(|line| line.split_whitespace().nth(1)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(by(SortBy::Name), "A.txt b.txt broken c");
        assert!(by(SortBy::Size).ends_with("A.txt broken"));
        assert!(list(&bench.mounts, "A.txt").unwrap_err().to_string().contains("is not a directory"));
        assert!(list(&bench.mounts, "none").unwrap_err().to_string().contains("does not exist"));
    }

    #[test]
    fn names_sort_as_people_sort() {
        let mut names = ["b", "B", "a", "_", "10", "Z", "c.d", "ä"];
        names.sort_by_cached_key(|name| reading_order(name));
        assert_eq!(names, ["_", "10", "a", "b", "B", "c.d", "Z", "ä"]);
    }

    #[test]
    fn sizes_for_people() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.00 KB"),
            (1152, "1.13 KB"),
            (1536, "1.50 KB"),
            (1_048_575, "1024.00 KB"),
            (1_048_576, "1.00 MB"),
            (1 << 30, "1.00 GB"),
            (1 << 40, "1.00 TB"),
            (1 << 50, "1024.00 TB"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}
