//! A project's sources: which folders they are in, and whether they are still the same.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use toolcell_author::Project;

/// Folders looked into. A project with more is watched in part.
const MOST_FOLDERS: usize = 4_096;

/// The folders that hold sources.
pub(super) fn folders(project: &Project) -> BTreeSet<PathBuf> {
    walk(project).0
}

/// What tells the sources at one moment from those at another: names, sizes and times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint(u64);

impl Fingerprint {
    pub(super) fn of(project: &Project) -> Self {
        let mut hasher = DefaultHasher::new();
        for file in walk(project).1 {
            let found = file.metadata();
            let found = found.as_ref().map(|it| (it.len(), it.modified().ok())).ok();
            (file, found).hash(&mut hasher);
        }
        Self(hasher.finish())
    }
}

/// Folders and files of the project that are sources, or hold some. What tools fill is not entered.
fn walk(project: &Project) -> (BTreeSet<PathBuf>, BTreeSet<PathBuf>) {
    let (mut folders, mut files) = (BTreeSet::new(), BTreeSet::new());
    let mut todo = vec![project.dir.clone()];
    while let Some(folder) = todo.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        folders.insert(folder);
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                // A link may lead back to where it is.
                let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
                let holds_sources = project.is_source(&path.join("source"));
                if holds_sources && !is_link && folders.len() + todo.len() < MOST_FOLDERS {
                    todo.push(path);
                }
            } else if project.is_source(&path) {
                files.insert(path);
            }
        }
    }
    (folders, files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_sources_count() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("plugin.toml", "name = \"p\"\nlanguage = \"python\"\n");
        put("app.py", "1");
        put("lib/part.py", "1");
        put("node_modules/x/index.js", "1");
        put(".toolcell/gen/a.py", "1");
        let project = Project::open(dir.path()).unwrap();
        let names: Vec<String> =
            folders(&project).iter().map(|it| it.strip_prefix(dir.path()).unwrap().display().to_string()).collect();
        assert_eq!(names, ["", "lib"]);
        let before = Fingerprint::of(&project);
        put("build/p.wasm", "2");
        put("node_modules/x/index.js", "22");
        put(".toolcell/gen/a.py", "22");
        assert_eq!(Fingerprint::of(&project), before);
        put("lib/part.py", "22");
        assert_ne!(Fingerprint::of(&project), before);
    }
}
