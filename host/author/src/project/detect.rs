//! Finding out what a project is written in.

use crate::{Error, Language};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Files that say it by their names, the surest first.
const BY_NAME: &[(&str, Language)] = &[
    ("Cargo.toml", Language::Rust),
    ("go.mod", Language::Go),
    ("build.zig", Language::Zig),
    ("tsconfig.json", Language::TypeScript),
    ("pyproject.toml", Language::Python),
];

/// Endings of source files. Where several are found, the first in this list counts: projects in C++ hold C, and so on.
const BY_ENDING: &[(&str, Language)] = &[
    ("rs", Language::Rust),
    ("go", Language::Go),
    ("zig", Language::Zig),
    ("py", Language::Python),
    ("ts", Language::TypeScript),
    ("mts", Language::TypeScript),
    ("js", Language::JavaScript),
    ("mjs", Language::JavaScript),
    ("cpp", Language::Cpp),
    ("cc", Language::Cpp),
    ("cxx", Language::Cpp),
    ("c", Language::C),
];

/// # Errors
/// If no file says it.
pub(super) fn language(dir: &Path, entry: Option<&Path>) -> Result<Language, Error> {
    let of = |path: &Path| {
        let ending = path.extension()?.to_str()?;
        BY_ENDING.iter().find(|(known, _)| *known == ending).map(|(_, language)| *language)
    };
    if let Some(language) = entry.and_then(of) {
        return Ok(language);
    }
    if let Some((_, language)) = BY_NAME.iter().find(|(name, _)| dir.join(name).is_file()) {
        return Ok(*language);
    }
    let endings: BTreeSet<String> = [dir.to_owned(), dir.join("src")]
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flat_map(|entries| entries.flatten())
        .filter_map(|entry| Some(entry.path().extension()?.to_str()?.to_owned()))
        .collect();
    let found = BY_ENDING.iter().find(|(ending, _)| endings.contains(*ending));
    found.map(|(_, language)| *language).ok_or_else(|| {
        let known = Language::ALL.map(Language::as_str).join(", ");
        let dir = dir.display();
        Error::other(format_args!(
            "no source file is found in {dir}; write `language = …` into plugin.toml, one of {known}"
        ))
    })
}
