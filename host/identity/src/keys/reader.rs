//! The keys as a running host sees them: in memory, and looked up again when the file is another.
//!
//! There is no thread: whoever uses a key looks at the file first, if nobody did in the last half second.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use subtle::{Choice, ConstantTimeEq as _};

use super::file::{self, Version};
use super::text::is_id;
use super::{KeyError, KeyRecord, KeyText};
use crate::identity::{Identity, Method, Standing, is_name};
use crate::jose::decode;
use crate::limits::KEY_FILE_EVERY;
use crate::refusal::Refusal;
use crate::scopes::Scopes;

/// The keys of a file. A file that is broken is logged and the last good
/// one stays in force; a file that is removed takes all keys with it.
pub struct Keys {
    path: PathBuf,
    scopes: Arc<Scopes>,
    known: ArcSwap<HashMap<String, Entry>>,
    /// When the file was looked at, in milliseconds since 1970.
    looked: AtomicU64,
    /// The version in force, or the last one that was refused.
    version: Mutex<Version>,
}

struct Entry {
    hash: [u8; 32],
    identity: Arc<Identity>,
    expires: Option<SystemTime>,
    revoked: bool,
}

impl Keys {
    /// Reads the file at `path`; that there is none yet is no error.
    ///
    /// # Errors
    /// As [`KeyFile::open`](super::KeyFile::open).
    pub fn open(path: impl Into<PathBuf>, scopes: Arc<Scopes>) -> Result<Self, KeyError> {
        let path = path.into();
        let (records, version) = file::read(&path)?;
        let known = entries(&records, &scopes).map_err(|problem| KeyError::Broken { path: path.clone(), problem })?;
        Ok(Self {
            path,
            scopes,
            known: ArcSwap::from_pointee(known),
            looked: AtomicU64::new(0),
            version: Mutex::new(version),
        })
    }

    /// The caller whose key this is.
    ///
    /// # Errors
    /// [`Refusal::Key`], whatever is wrong with it: an unknown id costs what a wrong secret costs.
    pub(crate) fn identify(&self, text: &str, now: SystemTime) -> Result<Arc<Identity>, Refusal> {
        self.look(now);
        let key = KeyText::parse(text).ok_or(Refusal::Key)?;
        let known = self.known.load();
        let entry = known.get(key.id);
        let expected = entry.map_or(&[0; 32], |entry| &entry.hash);
        let same = expected.ct_eq(&key.hash) & Choice::from(u8::from(entry.is_some()));
        let good = |entry: &&Entry| !entry.revoked && entry.expires.is_none_or(|expires| now < expires);
        match entry.filter(|_| bool::from(same)).filter(good) {
            Some(entry) => Ok(Arc::clone(&entry.identity)),
            None => Err(Refusal::Key),
        }
    }

    /// Whether the caller that a key named before is still named by it.
    pub(crate) fn standing(&self, identity: &Identity, now: SystemTime) -> Standing {
        self.look(now);
        let known = self.known.load();
        let entry = identity.key_id.as_ref().and_then(|id| known.get(id));
        match entry.filter(|entry| !entry.revoked && entry.identity.principal == identity.principal) {
            None => Standing::Revoked,
            Some(entry) if entry.expires.is_some_and(|expires| now >= expires) => Standing::Expired,
            Some(_) => Standing::Good,
        }
    }

    /// Looks at the file, if nobody did lately.
    fn look(&self, now: SystemTime) {
        let now = u64::try_from(now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX);
        let every = u64::try_from(KEY_FILE_EVERY.as_millis()).unwrap_or(u64::MAX);
        let looked = self.looked.load(Ordering::Acquire);
        // A clock that was set back counts as a long time.
        if now.abs_diff(looked) < every {
            return;
        }
        // Who comes while another is at it goes on with what there is.
        let mut version = match self.version.try_lock() {
            Ok(version) => version,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        self.looked.store(now, Ordering::Release);
        let path = self.path.display();
        match file::version(&self.path) {
            Ok(found) if found == *version => {}
            Ok(found) => match self.reload() {
                Ok(read) => *version = read,
                Err(error) => {
                    tracing::error!(%error, "the keys stay as they were");
                    // A bad file is read once; one that could not be read is tried again.
                    if !matches!(error, KeyError::File { .. }) {
                        *version = found;
                    }
                }
            },
            Err(error) => {
                tracing::error!(%path, %error, "the key file cannot be looked at, the keys stay as they were")
            }
        }
    }

    fn reload(&self) -> Result<Version, KeyError> {
        let (records, version) = file::read(&self.path)?;
        let known =
            entries(&records, &self.scopes).map_err(|problem| KeyError::Broken { path: self.path.clone(), problem })?;
        tracing::info!(path = %self.path.display(), keys = known.len(), "the key file is new");
        self.known.store(Arc::new(known));
        Ok(version)
    }
}

/// # Errors
/// What is wrong with one of the records.
fn entries(records: &[KeyRecord], scopes: &Scopes) -> Result<HashMap<String, Entry>, String> {
    let mut known = HashMap::with_capacity(records.len());
    for record in records {
        let hash = decode(&record.hash).and_then(|hash| hash.try_into().ok());
        let hash = hash.filter(|_| is_id(&record.id) && is_name(&record.principal));
        let hash = hash.ok_or_else(|| format!("the key `{}` is not well-formed", record.id.escape_default()))?;
        let expires = record.expires.map(|seconds| {
            UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).ok_or("a time is not a time".to_owned())
        });
        let expires = expires.transpose()?;
        let identity = Identity {
            groups: record.groups.clone(),
            scopes: scopes.close(&record.scopes),
            expires,
            key_id: Some(record.id.clone()),
            ..Identity::new(record.principal.clone(), Method::Key)
        };
        let entry = Entry { hash, identity: Arc::new(identity), expires, revoked: record.revoked.is_some() };
        if known.insert(record.id.clone(), entry).is_some() {
            return Err(format!("the key `{}` is there twice", record.id));
        }
    }
    Ok(known)
}
