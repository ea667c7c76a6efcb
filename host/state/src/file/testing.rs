//! A disk that can fail, can be held up, and knows what a power failure would leave of it.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use redb::StorageBackend;
use redb::backends::FileBackend;

use super::open::{Attach, builder};
use crate::tests::Random;

/// What a test holds of the disk.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    /// Every write fails, as on a full disk.
    pub(crate) full: AtomicBool,
    /// Whether syncs are held up, and how many are.
    held: Mutex<(bool, usize)>,
    change: Condvar,
    /// What happened to the file. `None` while nobody wants to know.
    pub(crate) history: Mutex<Option<History>>,
}

#[derive(Debug)]
pub(crate) struct History {
    /// What is on the disk for certain.
    synced: Vec<u8>,
    /// What may be there or not.
    pending: Vec<Change>,
    random: Random,
    /// How many tasks were acknowledged; the test counts.
    pub(crate) acknowledged: usize,
    /// What a power failure just before a sync would have left, and how many had been acknowledged by then.
    pub(crate) left: Vec<(Vec<u8>, usize)>,
}

#[derive(Debug)]
enum Change {
    Length(usize),
    Bytes(usize, Vec<u8>),
}

fn apply(image: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Length(length) => image.resize(*length, 0),
        Change::Bytes(at, bytes) => {
            // What lies beyond the end does not count where the longer length was lost.
            if let Some(place) = image.get_mut(*at..at + bytes.len()) {
                place.copy_from_slice(bytes);
            }
        }
    }
}

impl Disk {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// A disk that remembers, for [`History::left`].
    pub(crate) fn that_remembers(seed: u64) -> Arc<Self> {
        let disk = Self::new();
        *disk.history.lock().unwrap() = Some(History {
            synced: Vec::new(),
            pending: Vec::new(),
            random: Random::new(seed),
            acknowledged: 0,
            left: Vec::new(),
        });
        disk
    }

    pub(crate) fn attach(self: &Arc<Self>) -> Attach {
        let disk = self.clone();
        Arc::new(move |file: File| {
            builder().create_with_backend(Backend { file: FileBackend::new(file)?, disk: disk.clone() })
        })
    }

    pub(crate) fn hold(&self) {
        self.held.lock().unwrap().0 = true;
    }

    /// Returns when a sync is held up.
    pub(crate) fn wait_until_held(&self) {
        let held = self.held.lock().unwrap();
        drop(self.change.wait_while(held, |(_, waiting)| *waiting == 0).unwrap());
    }

    pub(crate) fn release(&self) {
        self.held.lock().unwrap().0 = false;
        self.change.notify_all();
    }

    fn refuse_if_full(&self) -> io::Result<()> {
        if self.full.load(Ordering::SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn note(&self, change: Change) {
        if let Some(history) = &mut *self.history.lock().unwrap() {
            history.pending.push(change);
        }
    }
}

#[derive(Debug)]
struct Backend {
    file: FileBackend,
    disk: Arc<Disk>,
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.refuse_if_full()?;
        self.disk.note(Change::Length(len as usize));
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut held = self.disk.held.lock().unwrap();
        held.1 += 1;
        self.disk.change.notify_all();
        held = self.disk.change.wait_while(held, |(hold, _)| *hold).unwrap();
        held.1 -= 1;
        drop(held);
        self.disk.refuse_if_full()?;
        if let Some(history) = &mut *self.disk.history.lock().unwrap() {
            let mut image = history.synced.clone();
            for change in &history.pending {
                if history.random.below(2) == 0 {
                    apply(&mut image, change);
                }
            }
            history.left.push((image, history.acknowledged));
            for change in history.pending.drain(..) {
                apply(&mut history.synced, &change);
            }
        }
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.refuse_if_full()?;
        self.disk.note(Change::Bytes(offset as usize, data.to_vec()));
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
}
