//! One writer at a time. Every call runs in a cell of its own, many at once, perhaps in several hosts; WASI 0.2 has no
//! file locks, but it can create a file that did not exist. Whoever does that holds the lock until the file is gone.
//!
//! The host may end a cell at any time, and then its lock stays. So a lock is a lease:
//!
//! 1. The file holds a random token. It is valid for [`LEASE`] from its modification time.
//! 2. Its holder commits only while half of that is left and the token is still there ([`Lock::is_held`]); otherwise it
//!    drops its work and starts again with fresh data.
//! 3. Whoever waits and finds a lock older than that removes it. A second file lets only one of them do so at a time,
//!    and it looks again before it removes, so nobody removes the lock of a successor.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use crate::error::MemoryError;

/// How long a lock is valid. A change takes milliseconds; this is for a slow disk in a busy host, and is what others
/// wait after a holder was killed.
pub const LEASE: Duration = Duration::from_secs(6);

/// The longest pause between two looks at a lock that is taken.
const PAUSE: Duration = Duration::from_millis(40);

/// The right to change the file. Dropping it gives it back.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    token: String,
    since: Instant,
}

impl Lock {
    /// Waits until the lock of `file` is ours, but not longer than `patience`.
    ///
    /// # Errors
    ///
    /// `Busy` when patience ends, `ReadOnly` or `Io` if no lock can be made there at all.
    pub fn acquire(file: &Path, patience: Duration) -> Result<Self, MemoryError> {
        let path = beside(file, "lock");
        let begin = Instant::now();
        let mut watched: Option<(Seen, Instant)> = None;
        loop {
            let lock = Self { path: path.clone(), token: format!("{:016x}", random()), since: Instant::now() };
            match File::create_new(&path) {
                Ok(mut created) => {
                    // If this fails, dropping the lock would not recognise it as its own.
                    return created.write_all(lock.token.as_bytes()).map(|()| lock).map_err(|e| {
                        fs::remove_file(&path).ok();
                        MemoryError::from_io("lock", file, e)
                    });
                }
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(MemoryError::from_io("lock", file, e)),
            }
            if let Some(seen) = Seen::at(&path) {
                match &watched {
                    // For a file system whose clock is not ours: nobody renews a lock, so one that did not change for
                    // so long is old whatever its time says.
                    Some((before, since)) if *before == seen => {
                        if seen.is_old() || since.elapsed() > LEASE {
                            remove_stale(file, &path, &seen);
                        }
                    }
                    _ if seen.is_old() => remove_stale(file, &path, &seen),
                    _ => watched = Some((seen, Instant::now())),
                }
            }
            if begin.elapsed() >= patience {
                return Err(MemoryError::Busy);
            }
            sleep(Duration::from_micros(random() % (PAUSE.as_micros() as u64)));
        }
    }

    /// Whether there is still time to commit, and nobody took the lock away.
    pub fn is_held(&self) -> bool {
        self.since.elapsed() < LEASE / 2 && Seen::at(&self.path).is_some_and(|seen| seen.token == self.token)
    }

    /// Where the holder prepares the next version of `file`; whoever finds the lock stale knows what to clean up.
    pub fn draft(&self, file: &Path) -> PathBuf {
        draft(file, &self.token)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Too late means that it may be someone else's by the time the file is removed.
        if self.is_held() {
            fs::remove_file(&self.path).ok();
        }
    }
}

/// A lock as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    /// Empty in the moment between creating the file and writing to it.
    token: String,
    modified: SystemTime,
}

impl Seen {
    fn at(path: &Path) -> Option<Self> {
        let modified = fs::metadata(path).ok()?.modified().ok()?;
        Some(Self { token: fs::read_to_string(path).ok()?, modified })
    }

    fn is_old(&self) -> bool {
        SystemTime::now().duration_since(self.modified).is_ok_and(|age| age > LEASE)
    }
}

/// Removes the lock of a holder that is gone, if it is still the one that was seen.
fn remove_stale(file: &Path, path: &Path, seen: &Seen) {
    let guard = beside(file, "lock.stale");
    match File::create_new(&guard) {
        Ok(_) => {
            if Seen::at(path).as_ref() == Some(seen) {
                fs::remove_file(path).ok();
                if !seen.token.is_empty() {
                    fs::remove_file(draft(file, &seen.token)).ok();
                }
            }
            fs::remove_file(&guard).ok();
        }
        // Someone else is at it, or was killed between two system calls.
        Err(_) => {
            if Seen::at(&guard).is_some_and(|seen| seen.is_old()) {
                fs::remove_file(&guard).ok();
            }
        }
    }
}

fn draft(file: &Path, token: &str) -> PathBuf {
    beside(file, &format!("{token}.tmp"))
}

/// The path of `file` with something appended to its name.
fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".");
    path.push(suffix);
    path.into()
}

/// A number nobody else has.
fn random() -> u64 {
    #[cfg(target_os = "wasi")]
    return wasip2::random::random::get_random_u64();
    #[cfg(not(target_os = "wasi"))]
    std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn age(path: &Path, by: Duration) {
        File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - by).unwrap();
    }

    #[test]
    fn it_is_given_back() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("m");
        for _ in 0..2 {
            let lock = Lock::acquire(&file, Duration::ZERO).unwrap();
            assert!(lock.is_held());
            assert!(matches!(Lock::acquire(&file, Duration::ZERO), Err(MemoryError::Busy)));
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_lock_that_was_taken_away_is_not_held_and_not_removed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("m");
        let first = Lock::acquire(&file, LONG).unwrap();
        fs::remove_file(beside(&file, "lock")).unwrap();
        let second = Lock::acquire(&file, LONG).unwrap();
        assert!(!first.is_held() && second.is_held());
        drop(first);
        assert!(second.is_held());
    }

    #[test]
    fn the_lock_of_a_dead_holder_is_removed_with_its_draft() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("m");
        fs::write(beside(&file, "lock"), "dead").unwrap();
        fs::write(draft(&file, "dead"), "half").unwrap();
        age(&beside(&file, "lock"), LEASE * 2);
        // Someone died while removing it, too.
        fs::write(beside(&file, "lock.stale"), "").unwrap();
        age(&beside(&file, "lock.stale"), LEASE * 2);
        drop(Lock::acquire(&file, LONG).unwrap());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_lock_that_changed_hands_is_not_removed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("m");
        let old = Seen { token: "dead".to_owned(), modified: SystemTime::UNIX_EPOCH };
        let lock = Lock::acquire(&file, LONG).unwrap();
        remove_stale(&file, &beside(&file, "lock"), &old);
        assert!(lock.is_held());
        assert!(!beside(&file, "lock.stale").exists());
    }

    #[test]
    fn one_at_a_time_even_after_a_death() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("m");
        fs::write(beside(&file, "lock"), "dead").unwrap();
        age(&beside(&file, "lock"), LEASE * 2);
        let (inside, turns) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let _lock = Lock::acquire(&file, LONG).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        turns.fetch_add(1, Ordering::SeqCst);
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(turns.load(Ordering::SeqCst), 160);
    }
}
