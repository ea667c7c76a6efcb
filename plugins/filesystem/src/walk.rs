//! Going through a directory and all below it: `directory_tree` and `search_files`.

use serde::Serialize;

use crate::error::FsError;
use crate::limits;
use crate::list::{self, Entry};
use crate::mounts::Mounts;
use crate::path::Located;

/// An entry of a tree.
#[derive(Debug, Serialize)]
struct Node {
    name: String,
    r#type: &'static str,
    /// There for directories only, and then even if empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    children: Option<Vec<Node>>,
}

/// The tree below a directory as indented JSON.
///
/// # Errors
///
/// `Refused` for a tree beyond the limits or a pattern that is none; else why a directory cannot be listed.
pub fn tree(mounts: &Mounts, path: &str, exclude: &[String]) -> Result<String, FsError> {
    let at = mounts.locate(path)?;
    let exclude = Patterns::for_tree(exclude)?;
    let mut left = limits::ENTRIES;
    let nodes = children(&at, "", 0, &exclude, &mut left)?;
    serde_json::to_string_pretty(&nodes).map_err(|e| FsError::Refused(format!("cannot print the tree of {path}: {e}")))
}

fn children(
    at: &Located<'_>,
    relative: &str,
    depth: usize,
    exclude: &Patterns,
    left: &mut usize,
) -> Result<Vec<Node>, FsError> {
    if depth > limits::DEPTH {
        return Err(too_much(&format!("{} is nested too deeply", at.path)));
    }
    let mut nodes = Vec::new();
    for entry in list::entries(at)? {
        let relative = below(relative, &entry.name);
        if exclude.match_any(&relative) {
            continue;
        }
        *left = left
            .checked_sub(1)
            .ok_or_else(|| too_much(&format!("there are more than {} entries, up to {}", limits::ENTRIES, at.path)))?;
        let inner = if entry.is_dir {
            Some(children(&at.entry(&entry.name), &relative, depth + 1, exclude, left)?)
        } else {
            None
        };
        nodes.push(Node {
            name: entry.name,
            r#type: if inner.is_some() { "directory" } else { "file" },
            children: inner,
        });
    }
    Ok(nodes)
}

fn too_much(what: &str) -> FsError {
    FsError::Refused(format!("{what}; choose a directory further down or leave some out with excludePatterns"))
}

/// The paths of all entries below a directory that match, one a line.
///
/// # Errors
///
/// `Refused` for a pattern that is none; else why the directory itself cannot be listed. Directories further down that
/// cannot be listed are passed over.
pub fn search(mounts: &Mounts, path: &str, pattern: &str, exclude: &[String]) -> Result<String, FsError> {
    let at = mounts.locate(path)?;
    let mut search = Search {
        wanted: Patterns::new(std::slice::from_ref(&pattern.to_owned()))?,
        exclude: Patterns::new(exclude)?,
        found: Vec::new(),
        visits: 0,
    };
    let first = list::entries(&at)?;
    let complete = search.visit(&at, "", first, 0);
    if !complete {
        search.found.push(format!(
            "[stopped after {} matches in {} entries: there may be more; search further down or with a narrower pattern]",
            search.found.len(),
            search.visits
        ));
    }
    Ok(if search.found.is_empty() { "No matches found".to_owned() } else { search.found.join("\n") })
}

struct Search {
    wanted: Patterns,
    exclude: Patterns,
    found: Vec<String>,
    visits: usize,
}

impl Search {
    /// Whether all was looked at.
    fn visit(&mut self, at: &Located<'_>, relative: &str, entries: Vec<Entry>, depth: usize) -> bool {
        for entry in entries {
            if self.visits >= limits::VISITS || self.found.len() >= limits::MATCHES {
                return false;
            }
            self.visits += 1;
            let here = at.entry(&entry.name);
            let relative = below(relative, &entry.name);
            if self.exclude.match_any(&relative) || (entry.is_link && leads_out(&here)) {
                continue;
            }
            if self.wanted.match_any(&relative) {
                self.found.push(here.path.clone());
            }
            if entry.is_dir {
                if depth >= limits::DEPTH {
                    return false;
                }
                let Ok(entries) = list::entries(&here) else {
                    continue;
                };
                if !self.visit(&here, &relative, entries, depth + 1) {
                    return false;
                }
            }
        }
        true
    }
}

/// Whether this link has a target that the sandbox does not show.
fn leads_out(link: &Located<'_>) -> bool {
    link.without_links().is_err()
}

fn below(relative: &str, name: &str) -> String {
    if relative.is_empty() { name.to_owned() } else { format!("{relative}/{name}") }
}

/// Glob patterns for paths relative to where a walk begins. `*` stays within a name, `**` does not; `?`, `[a-z]`,
/// `{a,b}` and a leading `!` mean what they usually mean; a leading dot is nothing special.
struct Patterns(Vec<String>);

impl Patterns {
    fn new(patterns: &[String]) -> Result<Self, FsError> {
        for pattern in patterns {
            fast_glob::validate(pattern)
                .map_err(|e| FsError::Refused(format!("{pattern:?} is not a valid glob pattern: {e}")))?;
        }
        Ok(Self(patterns.to_vec()))
    }

    /// As `new`, but a pattern without a star also matches at any depth, with all below it.
    fn for_tree(patterns: &[String]) -> Result<Self, FsError> {
        let mut all = patterns.to_vec();
        for plain in patterns.iter().filter(|pattern| !pattern.contains('*')) {
            all.push(format!("**/{plain}"));
            all.push(format!("**/{plain}/**"));
        }
        Self::new(&all)
    }

    fn match_any(&self, path: &str) -> bool {
        self.0.iter().any(|pattern| fast_glob::glob_match(pattern, path))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::testing::Bench;

    fn bench() -> Bench {
        let bench = Bench::new();
        for name in ["a.txt", ".hidden/b.txt", "src/lib.rs", "src/deep/er/c.txt", "src/node_modules/x/index.js"] {
            bench.file(name, "");
        }
        std::fs::create_dir(bench.host("empty")).unwrap();
        bench
    }

    #[test]
    fn trees() {
        let bench = bench();
        let tree = |path: &str, exclude: &[&str]| {
            let exclude: Vec<String> = exclude.iter().map(|&pattern| pattern.to_owned()).collect();
            tree(&bench.mounts, path, &exclude).unwrap()
        };
        assert_eq!(tree("empty", &[]), "[]");
        let text = tree(".", &["node_modules", "**/*.txt", "lib.rs"]);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            serde_json::json!([
                {"name": ".hidden", "type": "directory", "children": []},
                {"name": "empty", "type": "directory", "children": []},
                {"name": "src", "type": "directory", "children": [
                    {"name": "deep", "type": "directory", "children": [
                        {"name": "er", "type": "directory", "children": []}]}]},
            ])
        );
        assert!(tree("src", &["*.rs"]).contains("index.js"));
        assert!(!tree("src", &["*.rs"]).contains("lib.rs"));
        assert!(tree(".", &["*.rs"]).contains("lib.rs"));
    }

    #[test]
    fn the_fields_of_a_node_are_in_reading_order() {
        let bench = Bench::new();
        bench.file("d/f", "");
        let expected = "[\n  {\n    \"name\": \"d\",\n    \"type\": \"directory\",\n    \"children\": [\n      {\n        \"name\": \"f\",\n        \"type\": \"file\"\n      }\n    ]\n  }\n]";
        assert_eq!(tree(&bench.mounts, ".", &[]).unwrap(), expected);
    }

    #[test]
    fn searches() {
        let bench = bench();
        symlink("a.txt", bench.host("in.txt")).unwrap();
        symlink("../out.txt", bench.host("out.txt")).unwrap();
        symlink("src", bench.host("loop")).unwrap();
        for (path, pattern, exclude, expected) in [
            (".", "*.txt", "", "a.txt in.txt"),
            (".", "**/*.txt", "", ".hidden/b.txt a.txt in.txt src/deep/er/c.txt"),
            (".", "**/*.txt", ".hidden/**", "a.txt in.txt src/deep/er/c.txt"),
            (".", "**/*.txt", "src", ".hidden/b.txt a.txt in.txt"),
            (".", "**/{lib,index}.??", "", "src/lib.rs src/node_modules/x/index.js"),
            ("src", "deep", "", "src/deep"),
            ("src", "deep/**", "", "src/deep/er src/deep/er/c.txt"),
            ("src", "[a-k]*", "", "src/deep"),
            (".", "LIB.RS", "", ""),
        ] {
            let exclude: Vec<String> = exclude.split_whitespace().map(str::to_owned).collect();
            let found = search(&bench.mounts, path, pattern, &exclude).unwrap();
            let expected: Vec<String> = expected.split_whitespace().map(|name| bench.path(name)).collect();
            let expected = if expected.is_empty() { "No matches found".to_owned() } else { expected.join("\n") };
            assert_eq!(found, expected, "{pattern} in {path}");
        }
        let everything_else = search(&bench.mounts, ".", "!**/*.txt", &["src/**".to_owned()]).unwrap();
        let expected: Vec<_> = [".hidden", "empty", "loop", "src"].iter().map(|name| bench.path(name)).collect();
        assert_eq!(everything_else, expected.join("\n"));
    }

    #[test]
    fn a_pattern_that_is_none_is_refused() {
        let bench = bench();
        let text = search(&bench.mounts, ".", "src/{a,b", &[]).unwrap_err().to_string();
        assert!(text.contains("\"src/{a,b\" is not a valid glob pattern"), "{text}");
    }

    #[test]
    fn a_long_list_of_matches_ends_with_a_hint() {
        let bench = Bench::new();
        for index in 0..=limits::MATCHES {
            bench.file(&format!("{index}"), "");
        }
        let text = search(&bench.mounts, ".", "*", &[]).unwrap();
        assert_eq!(text.lines().count(), limits::MATCHES + 1);
        assert!(text.ends_with("narrower pattern]"));
    }

    #[test]
    fn a_tree_too_deep_is_refused() {
        let bench = Bench::new();
        let deep = "d/".repeat(limits::DEPTH + 2);
        std::fs::create_dir_all(bench.host(&deep)).unwrap();
        let text = tree(&bench.mounts, ".", &[]).unwrap_err().to_string();
        assert!(text.contains("nested too deeply") && text.ends_with("excludePatterns"), "{text}");
        assert!(search(&bench.mounts, ".", "x", &[]).unwrap().starts_with("[stopped after 0 matches"));
    }
}
