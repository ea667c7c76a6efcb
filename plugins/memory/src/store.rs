//! The file the graph is kept in: where it is, reading it, and changing it without losing anyone's change.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use toolcell_sdk::ToolError;

use crate::error::MemoryError;
use crate::graph::Graph;
use crate::lines;
use crate::lock::Lock;

/// Where the operator mounts the directory.
const DIRECTORY: &str = "/memory";

/// The file in it, unless `MEMORY_FILE_PATH` says otherwise.
const FILE: &str = "memory.jsonl";

/// What the reference server called that file at first, with the same contents.
const OLD_FILE: &str = "memory.json";

/// Bytes the file may grow to. Text, graph and new text are in memory at once, and a cell has 64 MiB.
const FILE_BYTES: usize = 6 << 20;

/// Bytes of a file that is loaded at all: one that someone else made larger can still be made smaller.
const LOAD_BYTES: usize = 8 << 20;

/// The longest wait for other writers: three of them may have been killed while they held the lock.
const PATIENCE: Duration = Duration::from_secs(20);

/// The file.
#[derive(Debug)]
pub struct Store {
    file: PathBuf,
    /// Read if the file is not there yet.
    old: Option<PathBuf>,
}

impl Store {
    /// The store in the directory the operator granted.
    ///
    /// # Errors
    ///
    /// `NotGranted`, or `Outside` if `MEMORY_FILE_PATH` leads out of it.
    pub fn granted() -> Result<Self, MemoryError> {
        let wanted = std::env::var("MEMORY_FILE_PATH").ok();
        Self::below(Path::new(DIRECTORY), wanted.as_deref())
    }

    fn below(directory: &Path, wanted: Option<&str>) -> Result<Self, MemoryError> {
        // A directory that is not mounted looks as if it did not exist, or as if it were forbidden.
        if !fs::metadata(directory).is_ok_and(|found| found.is_dir()) {
            return Err(MemoryError::NotGranted);
        }
        let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else {
            return Ok(Self { file: directory.join(FILE), old: Some(directory.join(OLD_FILE)) });
        };
        let outside = || MemoryError::Outside { path: wanted.to_owned() };
        let path = directory.join(wanted);
        let rest = path.strip_prefix(directory).map_err(|_| outside())?;
        let names_only = rest.components().all(|part| matches!(part, Component::Normal(_)));
        if !names_only || rest.file_name().is_none() || wanted.ends_with('/') {
            return Err(outside());
        }
        Ok(Self { file: path, old: None })
    }

    /// The graph as it is now; empty if there is no file. Takes no lock: a file is only ever replaced as a whole.
    ///
    /// # Errors
    ///
    /// `Damaged`, `TooLarge` or `Io`.
    pub fn load(&self) -> Result<Graph, MemoryError> {
        let text = self.text()?;
        lines::parse(&text, &self.file.display().to_string())
    }

    /// Changes the graph and keeps it, unless `change` fails. `change` is repeated with a newer graph if someone else
    /// was in the way.
    ///
    /// # Errors
    ///
    /// What `change` returns, `Busy`, `ReadOnly`, and those of `load`.
    pub fn update<T>(&self, change: impl Fn(&mut Graph) -> Result<T, ToolError>) -> Result<T, ToolError> {
        // The host's patience may be shorter, and its message would not be as clear.
        let left = toolcell_sdk::context::current().remaining_ms.saturating_sub(1_000);
        let patience = PATIENCE.min(Duration::from_millis(left));
        let begin = Instant::now();
        loop {
            let lock = Lock::acquire(&self.file, patience.saturating_sub(begin.elapsed()))?;
            let before = self.text()?;
            let mut graph = lines::parse(&before, &self.file.display().to_string())?;
            let result = change(&mut graph)?;
            let after = lines::print(&graph, before.len() + (64 << 10))?;
            // One that is too large already may still be made smaller.
            if after.len() > FILE_BYTES.max(before.len()) {
                return Err(too_large(
                    "the memory with this change",
                    after.len(),
                    FILE_BYTES,
                    "nothing was changed; delete entities that are no longer needed first",
                )
                .into());
            }
            if after == before.as_bytes() {
                return Ok(result);
            }
            if self.commit(&after, &lock)? {
                toolcell_sdk::changes::resource_updated(crate::GRAPH);
                return Ok(result);
            }
        }
    }

    fn text(&self) -> Result<String, MemoryError> {
        for file in std::iter::once(&self.file).chain(&self.old) {
            let failed = |e| MemoryError::from_io("read", file, e);
            match fs::metadata(file) {
                Ok(found) if found.len() > LOAD_BYTES as u64 => {
                    return Err(too_large(
                        &file.display().to_string(),
                        usize::try_from(found.len()).unwrap_or(usize::MAX),
                        LOAD_BYTES,
                        "the operator can split the file or delete lines from it",
                    ));
                }
                Ok(_) => return fs::read_to_string(file).map_err(failed),
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(failed(e)),
            }
        }
        Ok(String::new())
    }

    /// Puts `text` in place of the file, if the lock is still ours. Whether it was.
    fn commit(&self, text: &[u8], lock: &Lock) -> Result<bool, MemoryError> {
        let draft = lock.draft(&self.file);
        let written = File::create_new(&draft).and_then(|mut file| {
            file.write_all(text)?;
            file.sync_all()?;
            if !lock.is_held() {
                return Ok(false);
            }
            fs::rename(&draft, &self.file)?;
            Ok(true)
        });
        if !matches!(written, Ok(true)) {
            fs::remove_file(&draft).ok();
        }
        written.map_err(|e| MemoryError::from_io("write", &self.file, e))
    }
}

fn too_large(what: &str, size: usize, limit: usize, hint: &'static str) -> MemoryError {
    MemoryError::TooLarge { what: what.to_owned(), size, limit, hint }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use toolcell_sdk::changes::Change;
    use toolcell_sdk::testing;

    use super::*;
    use crate::graph::Entity;

    fn store() -> (tempfile::TempDir, Store) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::below(directory.path(), None).unwrap();
        (directory, store)
    }

    fn add(store: &Store, name: &str) -> Result<usize, ToolError> {
        store.update(|graph| {
            let entity = Entity { name: name.to_owned(), entity_type: "t".to_owned(), observations: Vec::new() };
            Ok(graph.create_entities(&[entity]).len())
        })
    }

    fn files(directory: &tempfile::TempDir) -> Vec<String> {
        let names = fs::read_dir(directory.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn the_file_is_where_the_operator_says() {
        let directory = tempfile::tempdir().unwrap();
        let inside = directory.path().join("b.jsonl");
        for (wanted, expected) in [
            (None, Some("memory.jsonl")),
            (Some(""), Some("memory.jsonl")),
            (Some("a.jsonl"), Some("a.jsonl")),
            (Some("./sub/a.jsonl"), Some("sub/a.jsonl")),
            (Some(inside.to_str().unwrap()), Some("b.jsonl")),
            (Some("/home/ada/memory.jsonl"), None),
            (Some("../a.jsonl"), None),
            (Some("sub/../../a.jsonl"), None),
            (Some("."), None),
            (Some("sub/"), None),
        ] {
            let found = Store::below(directory.path(), wanted).map(|store| store.file);
            match expected {
                Some(name) => assert_eq!(found.unwrap(), directory.path().join(name), "{wanted:?}"),
                None => assert!(found.unwrap_err().to_string().starts_with("MEMORY_FILE_PATH is"), "{wanted:?}"),
            }
        }
    }

    #[test]
    fn a_subdirectory_that_is_missing_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::below(directory.path(), Some("sub/a.jsonl")).unwrap();
        assert_eq!(store.load().unwrap(), Graph::default());
        let text = add(&store, "Ada").unwrap_err().to_string();
        assert!(text.contains("sub does not exist; the operator can make it"), "{text}");
    }

    #[test]
    fn without_a_directory_the_missing_line_is_named() {
        let text = Store::granted().unwrap_err().to_string();
        let line = r#"`[plugins.memory] dirs = [{ host = "./memory", guest = "/memory", access = "read-write" }]`"#;
        assert!(text.ends_with(line), "{text}");
    }

    #[test]
    fn changes_are_kept() {
        let (directory, store) = store();
        assert_eq!(store.load().unwrap(), Graph::default());
        assert_eq!(add(&store, "Ada").unwrap(), 1);
        assert_eq!(testing::changes(), [Change::Resource(crate::GRAPH.to_owned())]);
        assert_eq!(add(&store, "Ada").unwrap(), 0);
        assert_eq!(testing::changes(), []);
        let text = fs::read_to_string(&store.file).unwrap();
        assert_eq!(text, r#"{"type":"entity","name":"Ada","entityType":"t","observations":[]}"#);
        assert_eq!(files(&directory), ["memory.jsonl"]);
    }

    #[test]
    fn a_change_that_fails_changes_nothing() {
        let (directory, store) = store();
        add(&store, "Ada").unwrap();
        let failed: Result<(), _> = store.update(|graph| {
            graph.entities.clear();
            Err(ToolError::new("no"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "no");
        assert_eq!(store.load().unwrap().entities.len(), 1);
        assert_eq!(files(&directory), ["memory.jsonl"]);
    }

    #[test]
    fn the_old_file_is_read_until_there_is_a_new_one() {
        let (directory, store) = store();
        let old = r#"{"type":"entity","name":"Old","entityType":"t","observations":[]}"#;
        fs::write(directory.path().join(OLD_FILE), old).unwrap();
        assert_eq!(store.load().unwrap().entities[0].name, "Old");
        add(&store, "New").unwrap();
        fs::write(directory.path().join(OLD_FILE), "not even JSON").unwrap();
        assert_eq!(store.load().unwrap().entities.len(), 2);
    }

    #[test]
    fn a_damaged_file_is_left_alone() {
        let (_directory, store) = store();
        fs::write(&store.file, "{}\nbroken").unwrap();
        let text = add(&store, "Ada").unwrap_err().to_string();
        assert!(text.starts_with("line 2 of ") && text.contains("nothing was changed"), "{text}");
        assert_eq!(fs::read_to_string(&store.file).unwrap(), "{}\nbroken");
    }

    #[test]
    fn it_does_not_grow_beyond_its_limit_but_may_shrink() {
        let (_directory, store) = store();
        let full = "x".repeat(FILE_BYTES);
        fs::write(&store.file, format!(r#"{{"type":"entity","name":"{full}","entityType":"t","observations":[]}}"#))
            .unwrap();
        let text = add(&store, "Ada").unwrap_err().to_string();
        assert!(text.starts_with("the memory with this change is too large"), "{text}");
        store
            .update(|graph| {
                graph.delete_entities(std::slice::from_ref(&full));
                Ok(())
            })
            .unwrap();
        add(&store, "Ada").unwrap();
        File::create(&store.file).unwrap().set_len(LOAD_BYTES as u64 + 1).unwrap();
        assert!(store.load().unwrap_err().to_string().contains("is too large"));
    }

    #[test]
    fn a_change_whose_lock_was_lost_is_made_again() {
        let (directory, store) = store();
        let turns = Cell::new(0);
        let seen = store.update(|graph| {
            turns.set(turns.get() + 1);
            let seen = graph.entities.len();
            if turns.get() == 1 {
                // Meanwhile another takes us for dead and makes a change of its own.
                fs::remove_file(directory.path().join("memory.jsonl.lock")).unwrap();
                add(&store, "other").unwrap();
            }
            graph.create_entities(&[Entity { name: "own".into(), entity_type: "t".into(), observations: vec![] }]);
            Ok(seen)
        });
        assert_eq!((turns.get(), seen.unwrap()), (2, 1));
        assert_eq!(store.load().unwrap().entities.len(), 2);
        assert_eq!(files(&directory), ["memory.jsonl"]);
    }

    #[test]
    fn no_change_is_lost_when_many_write_at_once() {
        let (directory, store) = store();
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let store = &store;
                scope.spawn(move || {
                    for turn in 0..10 {
                        assert_eq!(add(store, &format!("{writer}-{turn}")).unwrap(), 1);
                        // A reader never sees half a file.
                        store.load().unwrap();
                    }
                });
            }
        });
        assert_eq!(store.load().unwrap().entities.len(), 80);
        assert_eq!(files(&directory), ["memory.jsonl"]);
    }
}
