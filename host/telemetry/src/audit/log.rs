//! The files: taking them up, appending under the lock, closing one and beginning the next.

use std::fs::{File, Metadata, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::json;

use super::event::{Event, EventKind};
use super::line::{self, Head};
use super::tail::{self, active};
use super::{AuditConfig, AuditError, LOCK, Written};

/// The log as one process holds it. Everything that writes takes the lock first and looks whether another process has
/// written since.
pub(crate) struct Log {
    config: AuditConfig,
    /// Which folder it was when the log was opened.
    folder: u64,
    path: PathBuf,
    lock: File,
    file: Option<Active>,
    head: Head,
}

struct Active {
    file: File,
    identity: u64,
    len: u64,
    /// The number and time of the first line.
    began: Option<(u64, SystemTime)>,
    /// Whether there is more in it than the line it begins with.
    used: bool,
}

/// How far a batch came.
pub(crate) struct Progress {
    /// Events that are in the file.
    pub done: usize,
    /// Lines written, those of the log itself included.
    pub lines: u64,
    /// Why it ended before the end of the batch.
    pub error: Option<AuditError>,
}

impl Log {
    /// Takes the log up where it ends.
    ///
    /// # Errors
    ///
    /// [`AuditError::Io`], and [`AuditError::Broken`] if the last line was not sealed with this key.
    pub(crate) fn open(config: AuditConfig, now: SystemTime) -> Result<Self, AuditError> {
        make_dir(&config.dir)?;
        let lock = config.dir.join(LOCK);
        let mut options = OpenOptions::new();
        let lock = itself(&lock, options.create(true).truncate(false).read(true).write(true))?;
        let folder = identity(&std::fs::metadata(&config.dir).map_err(AuditError::io(&config.dir))?);
        let mut log = Self { path: active(&config.dir), folder, config, lock, file: None, head: Head::default() };
        log.locked(|log| log.refresh(now))?;
        Ok(log)
    }

    /// The last line.
    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// Appends events in order, as far as it gets.
    pub(crate) fn append(&mut self, events: &[Event], now: SystemTime) -> Progress {
        let mut progress = Progress { done: 0, lines: 0, error: None };
        let first = self.head.seq;
        progress.error = self.locked(|log| log.append_locked(events, now, &mut progress.done)).err();
        progress.lines = self.head.seq.saturating_sub(first);
        progress
    }

    /// Forces what was written to the disk.
    pub(crate) fn sync(&mut self) -> Result<(), AuditError> {
        match &self.file {
            Some(active) => active.file.sync_data().map_err(AuditError::io(&self.path)),
            None => Ok(()),
        }
    }

    fn locked<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, AuditError>) -> Result<T, AuditError> {
        self.lock.lock().map_err(AuditError::io(&self.config.dir.join(LOCK)))?;
        let result = work(self);
        let unlocked = self.lock.unlock().map_err(AuditError::io(&self.config.dir.join(LOCK)));
        let value = result?;
        unlocked?;
        Ok(value)
    }

    fn append_locked(&mut self, events: &[Event], now: SystemTime, done: &mut usize) -> Result<(), AuditError> {
        self.refresh(now)?;
        let mut rest = events;
        while !rest.is_empty() {
            let mut out = Vec::new();
            let mut heads = Vec::new();
            let mut head = self.head.clone();
            for event in rest {
                let begin = out.len();
                let next = line::write(&mut out, &head, event, self.config.key.as_ref());
                if self.full(out.len() as u64, now, !heads.is_empty()) {
                    out.truncate(begin);
                    break;
                }
                head = next;
                heads.push((head.clone(), begin..out.len().saturating_sub(1)));
            }
            if heads.is_empty() {
                self.rotate(now)?;
                continue;
            }
            let began = rest.first().map(Event::time);
            self.write(&out, &head, began)?;
            *done = done.saturating_add(heads.len());
            if let Some(on_line) = &self.config.on_line {
                for ((head, range), event) in heads.iter().zip(rest) {
                    on_line(Written { line: as_text(out.get(range.clone())), head, event });
                }
            }
            rest = rest.get(heads.len()..).unwrap_or_default();
        }
        Ok(())
    }

    /// Whether `more` bytes do not fit into this file any more. A file that holds nothing but its beginning takes a line
    /// of any size, and so does a batch that has not begun in it.
    fn full(&self, more: u64, now: SystemTime, begun: bool) -> bool {
        let Some(active) = &self.file else { return false };
        if !active.used && !begun {
            return false;
        }
        let old = active
            .began
            .and_then(|(_, time)| now.duration_since(time).ok())
            .is_some_and(|age| age >= self.config.max_age);
        old && !begun || active.len.saturating_add(more) > self.config.max_bytes
    }

    fn write(&mut self, out: &[u8], head: &Head, began: Option<SystemTime>) -> Result<(), AuditError> {
        let Some(active) = &mut self.file else { return Err(AuditError::Closed) };
        if let Err(error) = active.file.write_all(out) {
            // What came into the file of it is taken back. If even that fails, it is an unfinished line to the next.
            let undone = active.file.set_len(active.len);
            if undone.is_err() {
                self.file = None;
            }
            return Err(AuditError::Io { path: self.path.clone(), source: error });
        }
        active.len = active.len.saturating_add(out.len() as u64);
        active.used = active.began.is_some() || out.split(|byte| *byte == b'\n').nth(2).is_some();
        if active.began.is_none() {
            active.began = began.map(|time| (self.head.seq.saturating_add(1), time));
        }
        self.head = head.clone();
        Ok(())
    }

    /// Looks whether the file is still the one we know, at the size we left it at, and takes it up anew if not.
    fn refresh(&mut self, now: SystemTime) -> Result<(), AuditError> {
        let known = match (&self.file, std::fs::symlink_metadata(&self.path)) {
            (Some(active), Ok(found)) => active.identity == identity(&found) && active.len == found.len(),
            _ => false,
        };
        if known {
            return Ok(());
        }
        let dir = &self.config.dir;
        if identity(&std::fs::metadata(dir).map_err(AuditError::io(dir))?) != self.folder {
            return Err(AuditError::Replaced { path: dir.clone() });
        }
        let mut file = create(&self.path)?;
        let taken = tail::last(&mut file, &self.path, self.config.key.as_ref())?;
        let torn = match taken.torn {
            0 => None,
            bytes => Some((tail::set_aside(&self.config.dir, &mut file, &self.path, &taken)?, bytes)),
        };
        let head = match taken.head {
            Some(head) => head,
            None => self.head_of_closed()?,
        };
        if head.seq < self.head.seq {
            return Err(tail::broken(
                &self.path,
                format!("it ends at {} and this host wrote {}", head.seq, self.head.seq),
            ));
        }
        let began = tail::first(&self.path)?;
        let identity = identity(&file.metadata().map_err(AuditError::io(&self.path))?);
        let used = began.is_some_and(|(seq, _)| seq < head.seq);
        self.file = Some(Active { file, identity, len: taken.len, began, used });
        self.head = head;
        sync_dir(&self.config.dir)?;
        if let Some((name, bytes)) = torn {
            self.own(EventKind::Torn, now, json!({ "file": name, "bytes": bytes }))?;
        }
        Ok(())
    }

    fn head_of_closed(&self) -> Result<Head, AuditError> {
        let Some((_, path)) = tail::closed(&self.config.dir)?.pop() else { return Ok(Head::default()) };
        let mut file = File::open(&path).map_err(AuditError::io(&path))?;
        let taken = tail::last(&mut file, &path, self.config.key.as_ref())?;
        taken.head.ok_or_else(|| tail::broken(&path, "it is empty"))
    }

    /// Closes the file, begins the next and removes the oldest.
    fn rotate(&mut self, now: SystemTime) -> Result<(), AuditError> {
        let Some((seq, _)) = self.file.as_ref().and_then(|active| active.began) else { return Err(AuditError::Closed) };
        self.sync()?;
        let name = format!("audit-{seq:020}.jsonl");
        let closed = self.config.dir.join(&name);
        if closed.exists() {
            return Err(tail::broken(&closed, "a file of that name is there already"));
        }
        std::fs::rename(&self.path, &closed).map_err(AuditError::io(&closed))?;
        self.file = None;
        let file = create(&self.path)?;
        let identity = identity(&file.metadata().map_err(AuditError::io(&self.path))?);
        self.file = Some(Active { file, identity, len: 0, began: None, used: false });
        sync_dir(&self.config.dir)?;

        let mut files = tail::closed(&self.config.dir)?;
        let over = if self.config.keep == 0 { 0 } else { files.len().saturating_sub(self.config.keep) };
        let kept = files.split_off(over);
        let oldest = kept.first().map_or_else(|| self.head.seq.saturating_add(1), |(seq, _)| *seq);
        self.own(EventKind::Rotate, now, json!({ "closed": name, "oldest_kept": oldest }))?;
        // The line first: a deletion that nobody announced is what `verify` looks for.
        self.sync()?;
        for (_, path) in files {
            std::fs::remove_file(&path).map_err(AuditError::io(&path))?;
        }
        Ok(())
    }

    /// Writes a line of the log's own.
    fn own(&mut self, kind: EventKind, now: SystemTime, data: serde_json::Value) -> Result<(), AuditError> {
        let event = Event::new(kind, now, data);
        let mut out = Vec::new();
        let head = line::write(&mut out, &self.head, &event, self.config.key.as_ref());
        self.write(&out, &head, Some(now))?;
        if let Some(on_line) = &self.config.on_line {
            on_line(Written { line: as_text(Some(out.trim_ascii_end())), head: &head, event: &event });
        }
        Ok(())
    }
}

/// Lines are UTF-8, as all that is written into them.
fn as_text(line: Option<&[u8]>) -> &str {
    std::str::from_utf8(line.unwrap_or_default()).unwrap_or_default()
}

fn create(path: &Path) -> Result<File, AuditError> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    itself(path, &options)
}

/// Opens a file that is itself at its place. Through a link, lines would be appended to any file the host may write, and
/// what is no line cut off there.
fn itself(path: &Path, options: &OpenOptions) -> Result<File, AuditError> {
    let replaced = || AuditError::Replaced { path: path.to_owned() };
    if std::fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(replaced());
    }
    let file = options.open(path).map_err(AuditError::io(path))?;
    // What was looked at before may not be what was opened.
    let there = std::fs::symlink_metadata(path).map_err(AuditError::io(path))?;
    let opened = file.metadata().map_err(AuditError::io(path))?;
    let same = there.is_file() && identity(&there) == identity(&opened);
    if same && has_one_name(&opened) { Ok(file) } else { Err(replaced()) }
}

/// Whether a file has no other name, which a hard link is: nothing else tells it from the file that it leads to.
fn has_one_name(metadata: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        metadata.nlink() == 1
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        true
    }
}

fn make_dir(dir: &Path) -> Result<(), AuditError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(dir).map_err(AuditError::io(dir))
}

/// A name is on the disk when its folder is.
fn sync_dir(dir: &Path) -> Result<(), AuditError> {
    #[cfg(unix)]
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(AuditError::io(dir))?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

/// Tells one file from the next of the same name.
fn identity(metadata: &Metadata) -> u64 {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        // Numbers of files repeat on other disks.
        metadata.ino() ^ metadata.dev().rotate_left(32)
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        0
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_hard_link_in_the_place_of_the_log_is_not_followed() {
        let outer = tempfile::tempdir().unwrap();
        let (dir, victim) = (outer.path().join("audit"), outer.path().join("victim"));
        std::fs::write(&victim, "precious").unwrap();
        std::fs::create_dir(&dir).unwrap();
        for place in [dir.join(LOCK), active(&dir)] {
            std::fs::hard_link(&victim, &place).unwrap();
            let refused = Log::open(AuditConfig::new(&dir), SystemTime::UNIX_EPOCH).map(|_| ()).unwrap_err();
            assert!(matches!(&refused, AuditError::Replaced { path } if *path == place), "{refused}");
            std::fs::remove_file(&place).unwrap();
        }
        Log::open(AuditConfig::new(&dir), SystemTime::UNIX_EPOCH).map(|_| ()).unwrap();
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    }
}
