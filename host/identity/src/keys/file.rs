//! The file the keys are in: JSON, for its owner only, replaced as a whole.
//!
//! Whoever changes it holds the lock on `<path>.lock` from reading to renaming, so that two changes never lose each
//! other. Readers take no lock: they see the file before or after.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::text;
use super::{KeyError, KeyRecord, NewKey};
use crate::identity::is_name;
use crate::limits::{MAX_GROUPS, MAX_KEY_FILE_BYTES, MAX_KEYS, MAX_NOTE_BYTES, MAX_SCOPES};
use crate::scopes::is_scope;
use crate::secret::Secret;

/// The file, for whoever makes and revokes keys.
#[derive(Clone, Debug)]
pub struct KeyFile {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    /// The form of the file, 1.
    version: u32,
    keys: Vec<KeyRecord>,
}

impl KeyFile {
    /// The file at `path`, which is made with the first key.
    ///
    /// # Errors
    /// [`KeyError::File`], [`KeyError::Broken`], [`KeyError::Writable`], if there is one that cannot be used.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, KeyError> {
        let file = Self { path: path.into() };
        file.list()?;
        Ok(file)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All keys, in the order they were made.
    ///
    /// # Errors
    /// As [`KeyFile::open`].
    pub fn list(&self) -> Result<Vec<KeyRecord>, KeyError> {
        read(&self.path).map(|(keys, _)| keys)
    }

    /// Makes a key. The text is nowhere kept: show it now, once.
    ///
    /// # Errors
    /// As [`KeyFile::open`], and [`KeyError::Name`], [`KeyError::Note`], [`KeyError::Full`], [`KeyError::Random`].
    pub fn create(&self, new: NewKey, now: SystemTime) -> Result<(Secret, KeyRecord), KeyError> {
        let groups = new.groups.iter().find(|group| !is_name(group));
        let scopes = new.scopes.iter().find(|scope| !is_scope(scope));
        if let Some(bad) = groups.or(scopes).or(Some(&new.principal).filter(|name| !is_name(name))) {
            return Err(KeyError::Name(bad.escape_default().to_string()));
        }
        if new.groups.len() > MAX_GROUPS || new.scopes.len() > MAX_SCOPES {
            return Err(KeyError::Name("so many".to_owned()));
        }
        if new.note.len() > MAX_NOTE_BYTES {
            return Err(KeyError::Note);
        }
        self.change(|keys| {
            if keys.len() >= MAX_KEYS {
                return Err(KeyError::Full { path: self.path.clone() });
            }
            let (text, id, hash) = loop {
                let made = text::new().map_err(|error| KeyError::Random(error.to_string()))?;
                if keys.iter().all(|key| key.id != made.1) {
                    break made;
                }
            };
            let record = KeyRecord {
                id,
                hash,
                principal: new.principal,
                groups: new.groups,
                scopes: new.scopes,
                created: seconds(now),
                expires: new.lifetime.map(|lifetime| seconds(now).saturating_add(lifetime.as_secs())),
                revoked: None,
                note: new.note,
            };
            keys.push(record.clone());
            Ok((text, record))
        })
    }

    /// Revokes a key; one that is revoked already stays as it is.
    ///
    /// # Errors
    /// As [`KeyFile::open`], and [`KeyError::Unknown`].
    pub fn revoke(&self, id: &str, now: SystemTime) -> Result<KeyRecord, KeyError> {
        self.change(|keys| {
            let key = keys.iter_mut().find(|key| key.id == id);
            let key = key.ok_or_else(|| KeyError::Unknown(id.escape_default().to_string()))?;
            key.revoked.get_or_insert(seconds(now));
            Ok(key.clone())
        })
    }

    /// Reads, changes and replaces the file while nobody else does.
    fn change<T>(&self, change: impl FnOnce(&mut Vec<KeyRecord>) -> Result<T, KeyError>) -> Result<T, KeyError> {
        let failed = |error| KeyError::File { path: self.path.clone(), error };
        let mut lock_path = self.path.clone().into_os_string();
        lock_path.push(".lock");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = options.open(lock_path).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let (mut keys, _) = read(&self.path)?;
        let result = change(&mut keys)?;
        replace(&self.path, &Content { version: 1, keys }).map_err(failed)?;
        // The lock goes with its file.
        drop(lock);
        Ok(result)
    }
}

/// Writes a new file for its owner only, and puts it in the place of the old one when it is on the disk.
fn replace(path: &Path, content: &Content) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut next = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut next, content)?;
    next.write_all(b"\n")?;
    next.as_file().sync_all()?;
    next.persist(path).map_err(|error| error.error)?;
    // The new name is on the disk when the folder is.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// What tells one version of the file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Missing,
    At { length: u64, modified: Option<SystemTime>, inode: (u64, u64), changed: (i64, i64) },
}

/// The version of the file that is at `path` now.
pub(super) fn version(path: &Path) -> io::Result<Version> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(version_of(&metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Version::Missing),
        Err(error) => Err(error),
    }
}

fn version_of(metadata: &fs::Metadata) -> Version {
    #[cfg(unix)]
    let (inode, changed) = {
        use std::os::unix::fs::MetadataExt as _;
        ((metadata.dev(), metadata.ino()), (metadata.ctime(), metadata.ctime_nsec()))
    };
    #[cfg(not(unix))]
    let (inode, changed) = ((0, 0), (0, 0));
    Version::At { length: metadata.len(), modified: metadata.modified().ok(), inode, changed }
}

/// The keys in the file at `path`, none if there is no file, and the version that was read.
pub(super) fn read(path: &Path) -> Result<(Vec<KeyRecord>, Version), KeyError> {
    let failed = |error| KeyError::File { path: path.to_owned(), error };
    let broken = |problem: String| KeyError::Broken { path: path.to_owned(), problem };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), Version::Missing)),
        Err(error) => return Err(failed(error)),
    };
    let metadata = file.metadata().map_err(failed)?;
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::mode(&metadata) & 0o022 != 0 {
        return Err(KeyError::Writable { path: path.to_owned() });
    }
    let mut text = Vec::new();
    file.take(MAX_KEY_FILE_BYTES + 1).read_to_end(&mut text).map_err(failed)?;
    if u64::try_from(text.len()).is_ok_and(|length| length > MAX_KEY_FILE_BYTES) {
        return Err(broken(format!("longer than {MAX_KEY_FILE_BYTES} bytes")));
    }
    let content: Content = serde_json::from_slice(&text).map_err(|error| broken(error.to_string()))?;
    if content.version != 1 {
        return Err(broken(format!("version {} is not known", content.version)));
    }
    if content.keys.len() > MAX_KEYS {
        return Err(KeyError::Full { path: path.to_owned() });
    }
    Ok((content.keys, version_of(&metadata)))
}

pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
