//! Makes, checks and opens the file.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{Database, DatabaseError, ReadableDatabase, StorageError, TableError};

use super::tables::{self, Fault};
use crate::error::StateError;

/// What a page of the file may need in memory at most, all together. Reads that miss it go to the system's own cache.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// How a file becomes a database. Tests put a disk that fails in between.
pub(super) type Attach = Arc<dyn Fn(File) -> Result<Database, DatabaseError> + Send + Sync>;

pub(super) fn on_disk() -> Attach {
    Arc::new(|file| builder().create_with_backend(FileBackend::new(file)?))
}

pub(super) fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    // Without it redb trusts a file that was closed in order, and a damaged page is found, or panics, later.
    builder.set_check_integrity_on_open(true);
    builder
}

pub(super) fn open_or_create(path: &Path, attach: &Attach) -> Result<Database, StateError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path, attach),
        _ => open(path, attach),
    }
}

/// Opens a file that is there.
pub(super) fn open(path: &Path, attach: &Attach) -> Result<Database, StateError> {
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(|error| io_error(path, &error))?;
    let about = file.metadata().map_err(|error| io_error(path, &error))?;
    // redb would begin anew in an empty file, and nobody would know what became of the tasks.
    if about.len() == 0 {
        return Err(damaged(path, "it is empty"));
    }
    let database = attach_safely(path, file, attach)?;
    let found = database.begin_read().map_err(Fault::from).and_then(|reading| tables::schema(&reading));
    match found.map_err(|fault| fault.of(path))? {
        Some(tables::SCHEMA) => {
            keep_private(path, &about).map_err(|error| io_error(path, &error))?;
            Ok(database)
        }
        Some(found) if found > tables::SCHEMA => {
            Err(StateError::Newer { path: path.to_owned(), found, known: tables::SCHEMA })
        }
        // There is no earlier schema; the first migration goes here.
        Some(found) => Err(damaged(path, &format!("it has schema {found}, which never was"))),
        None => Err(damaged(path, "it is a database of another program")),
    }
}

/// Makes the file beside its place and links it there when it is whole. So what lies at `path` is never half made, and of
/// two processes that begin at once one gets the other's file and finds it in use.
fn create(path: &Path, attach: &Attach) -> Result<Database, StateError> {
    let folder = folder(path);
    make_folder(&folder).map_err(|error| io_error(&folder, &error))?;
    let draft = draft(path)?;
    let file = private_file(&draft).map_err(|error| io_error(&draft, &error))?;
    let made = fill(&draft, file, attach).and_then(|database| match place(&draft, path) {
        Ok(()) => Ok(Some(database)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(io_error(path, &error)),
    });
    // Gone already where it was renamed.
    let _ = fs::remove_file(&draft);
    match made? {
        Some(database) => {
            keep_entry(&folder).map_err(|error| io_error(&folder, &error))?;
            Ok(database)
        }
        None => open(path, attach),
    }
}

fn fill(path: &Path, file: File, attach: &Attach) -> Result<Database, StateError> {
    let database = attach_safely(path, file, attach)?;
    tables::begin(&database)
        .and_then(|mut writing| {
            tables::lay_out(&mut writing)?;
            writing.commit().map_err(Fault::from)
        })
        .map_err(|fault| fault.of(path))?;
    Ok(database)
}

fn place(draft: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(draft, path) {
        // Some file systems have no links. Renaming replaces, which only matters if two processes begin at the same moment.
        Err(error) if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) => {
            fs::rename(draft, path)
        }
        linked => linked,
    }
}

/// redb reports damage as an error where it can. What it cannot is a panic, and must not end the host.
fn attach_safely(path: &Path, file: File, attach: &Attach) -> Result<Database, StateError> {
    match panic::catch_unwind(AssertUnwindSafe(|| attach(file))) {
        Ok(Ok(database)) => Ok(database),
        Ok(Err(error)) => Err(match error {
            DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
                StateError::InUse { path: path.to_owned() }
            }
            DatabaseError::Storage(StorageError::Io(error)) if makes_no_sense(&error) => {
                damaged(path, &error.to_string())
            }
            DatabaseError::UpgradeRequired(format) => {
                damaged(path, &format!("it has redb's old file format {format}, which no version wrote"))
            }
            other => Fault::Disk(other.into()).of(path),
        }),
        Err(_) => Err(damaged(path, "it cannot be made sense of")),
    }
}

fn makes_no_sense(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

impl Fault {
    /// The error a caller gets for it.
    pub(super) fn of(self, path: &Path) -> StateError {
        match self {
            Self::Refused(error) => error,
            Self::Record(detail) => damaged(path, &detail),
            Self::Disk(redb::Error::Io(error)) if !makes_no_sense(&error) => io_error(path, &error),
            Self::Disk(
                error @ (redb::Error::PreviousIo | redb::Error::DatabaseClosed | redb::Error::LockPoisoned(_)),
            ) => StateError::Io { path: path.to_owned(), detail: error.to_string() },
            Self::Disk(error) => damaged(path, &error.to_string()),
        }
    }
}

macro_rules! disk {
    ($($error:ty),+) => {$(
        impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::Disk(error.into())
            }
        }
    )+};
}
disk!(StorageError, TableError, redb::TransactionError, redb::CommitError, redb::SetDurabilityError);

fn damaged(path: &Path, detail: &str) -> StateError {
    StateError::Damaged { path: path.to_owned(), detail: detail.to_owned() }
}

fn io_error(path: &Path, error: &io::Error) -> StateError {
    StateError::Io { path: path.to_owned(), detail: error.to_string() }
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn draft(path: &Path) -> Result<PathBuf, StateError> {
    let bits = getrandom::u64().map_err(|error| StateError::NoRandomness { detail: error.to_string() })?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".new-{bits:016x}"));
    Ok(path.with_file_name(name))
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(unix)]
fn private_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

/// Arguments and results are nobody else's business, also where the file came back from a backup that forgot its mode.
#[cfg(unix)]
fn keep_private(path: &Path, about: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if about.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn keep_private(_: &Path, _: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

/// Brings the file's name to the disk, as its content already is.
#[cfg(unix)]
fn keep_entry(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn keep_entry(_: &Path) -> io::Result<()> {
    Ok(())
}
