//! Tells when something that plugins are loaded from may have changed. Events of the file system, not polling.
//!
//! An event is only a reason to look again: what it says is not trusted, so renames, editors' temporary files and copies
//! in progress need no cases of their own. Half-written files are looked at twice: once too early, once when they are done.

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long it must be quiet before the files are looked at: longer than the gap between the steps of a save.
pub const QUIET: Duration = Duration::from_millis(20);
/// How long events may go on before the files are looked at all the same.
pub const PATIENCE: Duration = Duration::from_millis(300);

/// A watch over files and folders.
pub struct Watch {
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
    /// The names that matter in watched folders, beside those of components.
    names: Arc<RwLock<HashSet<OsString>>>,
    events: mpsc::Receiver<PathBuf>,
}

impl Watch {
    /// Starts watching nothing. Owns the thread on which the operating system's events arrive.
    ///
    /// # Errors
    /// If the operating system refuses a watch, for example because of its limit on inotify instances.
    pub fn new() -> Result<Self, notify::Error> {
        let names = Arc::new(RwLock::new(HashSet::<OsString>::new()));
        let known = Arc::clone(&names);
        let matters = move |path: &Path| {
            let names = known.read().unwrap_or_else(PoisonError::into_inner);
            super::loader::is_component_file(path) || path.file_name().is_none_or(|name| names.contains(name))
        };
        Ok(Self { names, ..Self::of(matters)? })
    }

    /// The same for files of any kind: those that `matter`, in the folders given to [`follow_folders`](Self::follow_folders).
    ///
    /// # Errors
    /// As for [`Watch::new`].
    pub fn of(matters: impl Fn(&Path) -> bool + Send + 'static) -> Result<Self, notify::Error> {
        // One waiting event is as good as a thousand: each only says "look again".
        let (sender, events) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: Result<notify::Event, notify::Error>| {
            let path = match event {
                Ok(event) if !changes_something(&event.kind) => None,
                Ok(event) => event.paths.into_iter().find(|path| matters(path)),
                // The watcher lost events: whatever happened, it is time to look.
                Err(error) => Some(error.paths.into_iter().next().unwrap_or_default()),
            };
            if let Some(path) = path {
                let _ = sender.try_send(path);
            }
        })?;
        Ok(Self { watcher, watched: BTreeSet::new(), names: Arc::default(), events })
    }

    /// Watches whatever can change what these paths lead to: their folders, themselves if they are folders, and the
    /// same for each symbolic link on the way. Paths that are not there yet are watched from the nearest folder that is.
    pub fn follow(&mut self, paths: &[PathBuf]) {
        let wanted: BTreeSet<PathBuf> = paths.iter().flat_map(|path| folders_of(path)).collect();
        // Every step of every path, and of every folder a link leads to, is a name whose coming or going matters.
        let steps = paths.iter().chain(&wanted).flat_map(|path| path.iter().map(OsString::from));
        *self.names.write().unwrap_or_else(PoisonError::into_inner) = steps.collect();
        self.follow_folders(wanted);
    }

    /// Watches the entries of these folders, and of no others.
    pub fn follow_folders(&mut self, wanted: BTreeSet<PathBuf>) {
        for gone in self.watched.difference(&wanted) {
            // A folder that was deleted is no longer watched anyway.
            let _ = self.watcher.unwatch(gone);
        }
        let mut watched = BTreeSet::new();
        for folder in wanted {
            // Watching again is what makes a folder that was deleted and made anew count as the new one.
            match self.watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    watched.insert(folder);
                }
                Err(error) => {
                    tracing::warn!(folder = %folder.display(), "cannot watch for changes: {error}; restart after changing a plugin there")
                }
            }
        }
        self.watched = watched;
    }

    /// Waits for a change and for the quiet after it. Returns one of the paths that changed; none if watching has ended.
    ///
    /// Cancel safe: an event that was seen but not returned is lost, though not its effect on the files.
    pub async fn changed(&mut self) -> Option<PathBuf> {
        let first = self.events.recv().await?;
        let give_up = tokio::time::Instant::now() + PATIENCE;
        loop {
            let quiet = tokio::time::Instant::now() + QUIET;
            match tokio::time::timeout_at(quiet.min(give_up), self.events.recv()).await {
                Ok(Some(_)) if tokio::time::Instant::now() < give_up => {}
                _ => return Some(first),
            }
        }
    }
}

/// Reading a file is an event too, and the loader reads.
fn changes_something(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}

/// The folders whose entries decide what `path` leads to.
fn folders_of(path: &Path) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    let mut todo = vec![path.to_path_buf()];
    // A chain of links longer than this is a loop; the kernel gives up at 40 as well.
    for _ in 0..40 {
        let Some(path) = todo.pop() else { break };
        if path.is_dir() {
            folders.extend(path.canonicalize());
            todo.extend(linked_components(&path));
        }
        for step in path.ancestors() {
            if step.is_symlink()
                && let (Some(parent), Ok(target)) = (step.parent(), step.read_link())
            {
                folders.extend(parent.canonicalize());
                let rest = path.strip_prefix(step).unwrap_or(Path::new(""));
                todo.push(parent.join(target).join(rest));
            }
        }
        if let Some(parent) = path.ancestors().skip(1).find(|parent| parent.is_dir()) {
            folders.extend(parent.canonicalize());
        }
    }
    folders
}

/// The components in a folder that are links to files elsewhere.
fn linked_components(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let links = entries.flatten().map(|entry| entry.path());
    links.filter(|path| super::loader::is_component_file(path) && path.is_symlink()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_burst_of_events_is_one_change() {
        let dir = tempfile::tempdir().unwrap();
        let mut watch = Watch::new().unwrap();
        watch.follow(&[dir.path().to_path_buf()]);
        for round in 0..20 {
            std::fs::write(dir.path().join("a.wasm"), [round]).unwrap();
        }
        assert!(watch.changed().await.is_some());
        let second = tokio::time::timeout(QUIET * 4, watch.changed()).await;
        assert!(second.is_err(), "nothing changed after the quiet");
    }

    #[tokio::test]
    async fn a_link_is_followed_to_both_ends() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for release in ["v1", "v2"] {
            std::fs::create_dir(root.join(release)).unwrap();
        }
        std::os::unix::fs::symlink("v1", root.join("current")).unwrap();
        let folders = folders_of(&root.join("current"));
        assert!(folders.contains(&root) && folders.contains(&root.join("v1")), "{folders:?}");
        assert!(!folders.contains(&root.join("v2")));
    }

    #[test]
    fn what_is_not_there_yet_is_watched_from_above() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        assert!(folders_of(&root.join("later/still/a.wasm")).contains(&root));
    }
}
