//! How many thoughts there were, and which branches.
//!
//! A cell forgets everything after each call. So the history is either kept in a directory that the operator mounts, or
//! taken from the thought itself: whoever has thought number 5 has had four before it.

use crate::Thought;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use toolcell_sdk::log;

/// Branches that are remembered at most, so that the answers stay small.
const BRANCHES: usize = 256;

/// What is remembered of a chain of thoughts. The thoughts themselves are not.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct History {
    /// How many there were.
    pub thoughts: u64,
    /// Names in the order of their first use.
    pub branches: Vec<String>,
}

impl History {
    /// What must have come before this thought.
    fn before(thought: &Thought) -> Self {
        Self { thoughts: thought.thought_number.0 - 1, branches: Vec::new() }
    }

    fn add(&mut self, thought: &Thought) {
        self.thoughts = self.thoughts.saturating_add(1);
        let Some(branch) = thought.branch() else {
            return;
        };
        let known = self.branches.iter().any(|known| known == branch);
        if !known && self.branches.len() < BRANCHES {
            self.branches.push(branch.to_owned());
        }
    }
}

/// The history after `thought`: kept in `folder` if that is there, each caller apart. A folder that cannot be read or written
/// costs the history of earlier calls, not this thought; the log says so.
pub fn record(folder: &Path, caller: Option<&str>, thought: &Thought) -> History {
    let mut assumed = History::before(thought);
    assumed.add(thought);
    if !folder.is_dir() {
        return assumed;
    }
    keep(&folder.join(file_name(caller)), thought).unwrap_or_else(|error| {
        log::warning(format!("the history of thoughts is not kept: {error}; mount the directory read-write"));
        assumed
    })
}

/// Two calls at the same moment may count as one: WASI has no locks, and a number of thoughts is not worth one.
fn keep(file: &Path, thought: &Thought) -> io::Result<History> {
    let mut history = match thought.begins_anew() {
        true => History::default(),
        false => load(file)?.unwrap_or_else(|| History::before(thought)),
    };
    history.add(thought);
    let new = file.with_extension("new");
    fs::write(&new, serde_json::to_vec(&history)?)?;
    fs::rename(&new, file)?;
    Ok(history)
}

/// None if there is none, or if what is there is not one.
fn load(file: &Path) -> io::Result<Option<History>> {
    match fs::read(file) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A caller's identifier can be of any length and hold any character, so the file is named by its hash (FNV-1a). Two callers
/// of the same hash would share a number and some names, which is why a better hash is not worth its weight.
fn file_name(caller: Option<&str>) -> PathBuf {
    let Some(caller) = caller else {
        return "history.json".into();
    };
    let hash = caller
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("history-{hash:016x}.json").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lenient::{Count, Flag};

    fn thought(number: u64) -> Thought {
        Thought {
            thought: "a".to_owned(),
            next_thought_needed: Flag(true),
            thought_number: Count(number),
            total_thoughts: Count(9),
            is_revision: None,
            revises_thought: None,
            branch_from_thought: None,
            branch_id: None,
            needs_more_thoughts: None,
        }
    }

    fn branch(number: u64, id: &str) -> Thought {
        Thought { branch_from_thought: Some(Count(1)), branch_id: Some(id.to_owned()), ..thought(number) }
    }

    fn revision(number: u64) -> Thought {
        Thought { is_revision: Some(Flag(true)), revises_thought: Some(Count(1)), ..thought(number) }
    }

    fn history(thoughts: u64, branches: &[&str]) -> History {
        History { thoughts, branches: branches.iter().map(|&branch| branch.to_owned()).collect() }
    }

    #[test]
    fn without_a_folder_the_thought_tells() {
        let nowhere = Path::new("/no/such/folder");
        assert_eq!(record(nowhere, None, &thought(1)), history(1, &[]));
        assert_eq!(record(nowhere, None, &revision(4)), history(4, &[]));
        assert_eq!(record(nowhere, None, &branch(2, "b")), history(2, &["b"]));
    }

    #[test]
    fn with_a_folder_thoughts_and_branches_add_up() {
        let folder = tempfile::tempdir().unwrap();
        let steps = [
            (thought(1), history(1, &[])),
            (branch(2, "b"), history(2, &["b"])),
            (branch(2, "c"), history(3, &["b", "c"])),
            (branch(3, "b"), history(4, &["b", "c"])),
            (revision(1), history(5, &["b", "c"])),
            (branch(1, "d"), history(6, &["b", "c", "d"])),
            // The first thought about another problem.
            (thought(1), history(1, &[])),
            (thought(2), history(2, &[])),
        ];
        for (thought, expected) in steps {
            assert_eq!(record(folder.path(), None, &thought), expected);
        }
    }

    #[test]
    fn callers_do_not_see_each_other() {
        let folder = tempfile::tempdir().unwrap();
        record(folder.path(), Some("ada"), &branch(2, "b"));
        assert_eq!(record(folder.path(), Some("bob"), &thought(3)), history(3, &[]));
        assert_eq!(record(folder.path(), None, &thought(3)), history(3, &[]));
        assert_eq!(record(folder.path(), Some("ada"), &thought(3)), history(3, &["b"]));
        assert_eq!(file_name(Some("a")), Path::new("history-af63dc4c8601ec8c.json"));
    }

    #[test]
    fn a_history_that_is_damaged_begins_again() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("history.json"), "{").unwrap();
        assert_eq!(record(folder.path(), None, &thought(3)), history(3, &[]));
        assert_eq!(record(folder.path(), None, &thought(3)), history(4, &[]));
    }

    #[test]
    fn a_folder_that_cannot_be_used_does_not_stop_the_thought() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("history.json")).unwrap();
        assert_eq!(record(folder.path(), None, &thought(3)), history(3, &[]));
    }

    #[test]
    fn the_number_of_branches_has_an_end() {
        let mut history = History::default();
        for number in 0..BRANCHES + 10 {
            history.add(&branch(2, &number.to_string()));
        }
        assert_eq!((history.branches.len(), history.thoughts), (BRANCHES, BRANCHES as u64 + 10));
    }
}
