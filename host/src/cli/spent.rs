//! What callers have spent of their budgets today, kept over a restart: a file beside that of the state.

use crate::host::overseer::Keeper;
use anyhow::{Context, bail};
use std::ffi::OsString;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use toolcell_quota::Spent;

/// How often it is written. What is spent in between is forgotten by a process that is killed, and by no other.
const SAVE_EVERY: Duration = Duration::from_secs(10);
/// Bytes of the file: all accounts there can be, with the longest names.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The file, and what is counted. Cheap to clone.
#[derive(Clone)]
pub(super) struct Kept {
    file: PathBuf,
    keeper: Keeper,
    /// What is written later is what was spent later.
    writing: Arc<Mutex<()>>,
}

impl Kept {
    /// Goes on from what the file beside `state` says; that there is none yet is no error. Blocks.
    ///
    /// # Errors
    /// It cannot be read, or makes no sense. Nothing is served then: budgets would begin anew for everyone.
    pub(super) fn open(state: &Path, keeper: Keeper) -> anyhow::Result<Self> {
        let mut file = OsString::from(state);
        file.push(".spent.json");
        let file = PathBuf::from(file);
        if let Some(spent) = read(&file)? {
            keeper.add_spent(&spent);
        }
        Ok(Self { file, keeper, writing: Arc::default() })
    }

    /// Writes it again and again, whenever it has changed.
    pub(super) async fn keep(self) {
        let mut last = String::new();
        loop {
            tokio::time::sleep(SAVE_EVERY).await;
            let kept = self.clone();
            let written = tokio::task::spawn_blocking(move || kept.save(&last)).await;
            last = match written {
                Ok(Ok(now)) => now,
                Ok(Err(error)) => {
                    tracing::error!("what callers have spent is not kept: {error:#}");
                    String::new()
                }
                Err(_) => return,
            };
        }
    }

    /// Writes it unless it is `last`. Returns what it is now. Blocks.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn save(&self, last: &str) -> anyhow::Result<String> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(spent) = self.keeper.spent() else { return Ok(String::new()) };
        let text = serde_json::to_string(&spent)?;
        if text != last {
            let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty());
            // Beside it and then in its place, so that a crash leaves the one or the other. Nobody else may read it.
            let mut part = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
            part.write_all(text.as_bytes())?;
            part.as_file().sync_all()?;
            part.persist(&self.file).with_context(|| self.file.display().to_string())?;
        }
        Ok(text)
    }
}

fn read(file: &Path) -> anyhow::Result<Option<Spent>> {
    let mut text = String::new();
    let opened = match std::fs::File::open(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.with_context(|| format!("what callers have spent today, {}", file.display()))?,
    };
    let anew = "remove it to let all budgets of today begin anew";
    if let Err(error) = opened.take(MAX_BYTES + 1).read_to_string(&mut text) {
        bail!("what callers have spent today cannot be read from {}: {error}; {anew}", file.display());
    }
    match serde_json::from_str(&text) {
        Ok(spent) if text.len() as u64 <= MAX_BYTES => Ok(Some(spent)),
        _ => bail!("{} does not say what callers have spent today; {anew}", file.display()),
    }
}
