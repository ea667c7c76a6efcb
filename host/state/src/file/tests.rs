use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use redb::{Database, TableDefinition};
use tempfile::TempDir;

use super::testing::Disk;
use super::*;
use crate::tests::{Random, all_unfinished, limits_suite, suite, task, tight};
use crate::{MemoryStore, TaskStatus};

async fn open(path: &Path) -> FileStore {
    FileStore::open(path, Limits::default()).await.unwrap()
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.redb");
    (folder, path)
}

#[tokio::test]
async fn a_file_does_what_a_store_must() {
    let (folder, path) = place();
    suite(&open(&path).await).await;
    limits_suite(&FileStore::open(folder.path().join("tight.redb"), tight()).await.unwrap()).await;
}

#[tokio::test]
async fn a_file_keeps_records_indexes_and_sums() {
    let (_folder, path) = place();
    let store = FileStore::open(&path, tight()).await.unwrap();
    let mut records = Vec::new();
    for at in 0..4 {
        records.push(store.create(task(Some("ada"), 1_000 + at, Some(100))).await.unwrap());
    }
    let done = TaskRecord { status: TaskStatus::Completed, ..records[0].clone() };
    records[0] = store.replace(done).await.unwrap();
    drop(store);

    let store = FileStore::open(&path, tight()).await.unwrap();
    for record in &records {
        assert_eq!(store.get(&record.id).await.unwrap().as_ref(), Some(record));
    }
    assert_eq!(all_unfinished(&store, 2).await, records[1..]);
    let refused = store.create(task(Some("ada"), 1, None)).await;
    assert!(matches!(refused, Err(StateError::Limit { setting: "max_records_per_owner", .. })), "{refused:?}");
    assert_eq!(store.remove_expired(1_101, 10).await.unwrap(), [records[0].id.clone(), records[1].id.clone()]);
}

/// Random operations have the same outcome in a file, which is now and then opened again, as in memory.
#[tokio::test]
async fn a_file_and_memory_agree() {
    for seed in 0..12 {
        let (_folder, path) = place();
        let mut random = Random::new(seed);
        let limits = Limits {
            max_record_bytes: 4_000,
            max_records_per_owner: 12,
            max_bytes_per_owner: 15_000,
            max_records: 20,
            max_bytes: 25_000,
        };
        let memory = MemoryStore::new(limits.clone());
        let mut file = FileStore::open(&path, limits.clone()).await.unwrap();
        // The same task has another id in each store.
        let mut pairs: Vec<(String, String)> = Vec::new();
        for step in 0..250 {
            let at = random.below(pairs.len().max(1) as u64) as usize;
            let pair = pairs.get(at).cloned().unwrap_or_default();
            let said = match random.below(10) {
                0..=3 => {
                    let owner = [None, Some("ada"), Some("bob")][random.below(3) as usize];
                    let ttl = Some(random.below(200)).filter(|ttl| ttl % 3 > 0);
                    // A time of its own for each, so that both have the same order.
                    let mut task = task(owner, 1_000 + step, ttl.map(|ttl| ttl * 1_000 + step));
                    task.arguments = "\"".repeat(random.below(2_500) as usize);
                    let (a, b) = (memory.create(task.clone()).await, file.create(task).await);
                    if let (Ok(a), Ok(b)) = (&a, &b) {
                        pairs.push((a.id.clone(), b.id.clone()));
                    }
                    (told(a), told(b))
                }
                4..=6 => {
                    let (a, b) = (memory.get(&pair.0).await.unwrap(), file.get(&pair.1).await.unwrap());
                    let mut dice = random.clone();
                    random.below(2);
                    let (a, b) = (a.map(|a| change(a, &mut dice.clone())), b.map(|b| change(b, &mut dice)));
                    match (a, b) {
                        (Some(a), Some(b)) => (told(memory.replace(a).await), told(file.replace(b).await)),
                        (a, b) => (told(Ok(a)), told(Ok(b))),
                    }
                }
                7 => (told(memory.delete(&pair.0).await), told(file.delete(&pair.1).await)),
                8 => {
                    let (now, limit) = (random.below(220_000), random.below(5) as usize);
                    let a = memory.remove_expired(now, limit).await.unwrap();
                    let b = file.remove_expired(now, limit).await.unwrap();
                    let known: BTreeMap<_, _> = pairs.iter().cloned().collect();
                    (told(Ok(a.iter().map(|id| known[id].clone()).collect::<Vec<_>>())), told(Ok(b)))
                }
                _ => {
                    if random.below(4) == 0 {
                        drop(file);
                        file = FileStore::open(&path, limits.clone()).await.unwrap();
                    }
                    let limit = 1 + random.below(6) as usize;
                    (told(Ok(all_unfinished(&memory, limit).await)), told(Ok(all_unfinished(&file, limit).await)))
                }
            };
            let hide = |text: String| pairs.iter().fold(text, |text, (a, b)| text.replace(a, "…").replace(b, "…"));
            assert_eq!(hide(said.0), hide(said.1), "seed {seed}, step {step}");
        }
    }
}

fn told<T: std::fmt::Debug>(outcome: Result<T, StateError>) -> String {
    format!("{outcome:?}")
}

fn change(mut record: TaskRecord, random: &mut Random) -> TaskRecord {
    let all = [
        TaskStatus::Working,
        TaskStatus::InputRequired,
        TaskStatus::Completed,
        TaskStatus::Failed,
        TaskStatus::Cancelled,
    ];
    record.status = all[random.below(5) as usize];
    record.outcome = Some("x".repeat(random.below(3_000) as usize));
    record.ttl_ms = Some(random.below(200_000))
        .filter(|ttl| ttl % 3 > 0)
        .map(|ttl| ttl / 1_000 * 1_000 + record.created_ms % 1_000);
    record.version -= u64::from(random.below(8) == 0);
    record
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_replace_the_same_version_one_succeeds() {
    let (_folder, path) = place();
    let store = Arc::new(open(&path).await);
    let record = store.create(task(None, 1, None)).await.unwrap();
    let racers: Vec<_> = (0..32)
        .map(|at| {
            let (store, record) = (store.clone(), record.clone());
            tokio::spawn(async move { store.replace(TaskRecord { updated_ms: at, ..record }).await })
        })
        .collect();
    let mut winners = Vec::new();
    for racer in racers {
        match racer.await.unwrap() {
            Ok(won) => winners.push(won),
            Err(StateError::Conflict(current)) => assert_eq!(current.version, 2),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(store.get(&record.id).await.unwrap(), winners.pop());

    // With the usual loop everybody gets there in the end.
    let adders: Vec<_> = (0..16)
        .map(|_| {
            let (store, id) = (store.clone(), record.id.clone());
            tokio::spawn(async move {
                let mut record = store.get(&id).await.unwrap().unwrap();
                loop {
                    record.starts += 1;
                    match store.replace(record).await {
                        Ok(_) => return,
                        Err(StateError::Conflict(current)) => record = *current,
                        Err(other) => panic!("{other}"),
                    }
                }
            })
        })
        .collect();
    for adder in adders {
        adder.await.unwrap();
    }
    assert_eq!(store.get(&record.id).await.unwrap().unwrap().starts, 16);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_that_wait_share_one_trip_to_the_disk() {
    let (_folder, path) = place();
    let disk = Disk::new();
    let store = Arc::new(FileStore::open_on(path, Limits::default(), disk.attach()).await.unwrap());
    disk.hold();
    let create = |at| {
        let store = store.clone();
        tokio::spawn(async move { store.create(task(None, at, None)).await })
    };
    let first = create(0);
    disk.wait_until_held();
    let rest: Vec<_> = (1..=100).map(create).collect();
    // A hundred are in line once the queue has room for no more than the others.
    while store.jobs.as_ref().unwrap().capacity() > QUEUE - 100 {
        tokio::task::yield_now().await;
    }
    // Nothing is told, and nothing is seen, before it is on the disk.
    assert!(!first.is_finished());
    assert_eq!(store.unfinished(None, 1).await.unwrap().records, []);
    disk.release();
    for created in [first].into_iter().chain(rest) {
        created.await.unwrap().unwrap();
    }
    assert_eq!(store.commits(), 2);

    // What changes nothing needs no trip at all.
    assert!(!store.delete(&"0".repeat(32)).await.unwrap());
    store.remove_expired(u64::MAX, 10).await.unwrap();
    assert_eq!(store.commits(), 2);
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_no_more() {
    let (_folder, path) = place();
    let disk = Disk::new();
    let store = FileStore::open_on(path, Limits::default(), disk.attach()).await.unwrap();
    let before = store.create(task(None, 1, None)).await.unwrap();
    disk.full.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let refused = store.create(task(None, 2, None)).await;
        assert!(matches!(refused, Err(StateError::Io { .. })), "{refused:?}");
        let refused = store.delete(&before.id).await;
        assert!(matches!(refused, Err(StateError::Io { .. })), "{refused:?}");
    }
    disk.full.store(false, Ordering::SeqCst);
    let after = store.create(task(None, 3, None)).await.unwrap();
    assert_eq!(all_unfinished(&store, 10).await, [before, after]);
}

/// Of a write that was not synced any part may have reached the disk. At every sync one such state is kept, and each must
/// open and hold what had been acknowledged by then.
#[tokio::test]
async fn a_power_failure_loses_nothing_that_was_acknowledged() {
    for seed in 0..4 {
        let (folder, path) = place();
        let disk = Disk::that_remembers(seed);
        let store = FileStore::open_on(path, Limits::default(), disk.attach()).await.unwrap();
        let mut acknowledged = Vec::new();
        for at in 0..25 {
            let mut task = task(None, at, None);
            task.arguments = "x".repeat((at as usize * 1_777) % 20_000);
            acknowledged.push(store.create(task).await.unwrap());
            disk.history.lock().unwrap().as_mut().unwrap().acknowledged = acknowledged.len();
        }
        drop(store);
        let left = std::mem::take(&mut disk.history.lock().unwrap().as_mut().unwrap().left);
        assert!(left.len() >= 50);
        for (number, (image, count)) in left.into_iter().enumerate().filter(|(_, (_, count))| *count > 0) {
            let copy = folder.path().join(format!("{number}.redb"));
            fs::write(&copy, image).unwrap();
            let store = FileStore::open(&copy, Limits::default()).await;
            let store = store.unwrap_or_else(|error| panic!("seed {seed}, sync {number}: {error}"));
            let found = all_unfinished(&store, 100).await;
            assert_eq!(found[..count], acknowledged[..count], "seed {seed}, sync {number}");
            assert!(found.len() <= count + 1);
        }
    }
}

#[tokio::test]
async fn a_second_opening_is_refused() {
    let (_folder, path) = place();
    let store = open(&path).await;
    let refused = FileStore::open(&path, Limits::default()).await.unwrap_err();
    assert!(matches!(&refused, StateError::InUse { path: named } if *named == path), "{refused}");
    drop(store);
    open(&path).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_make_the_file_one_succeeds() {
    let (folder, path) = place();
    let racers: Vec<_> = (0..8).map(|_| tokio::spawn(FileStore::open(path.clone(), Limits::default()))).collect();
    let mut opened = Vec::new();
    for racer in racers {
        match racer.await.unwrap() {
            Ok(store) => opened.push(store),
            Err(StateError::InUse { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(opened.len(), 1);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "drafts are gone");
}

#[tokio::test]
async fn a_later_schema_is_refused_and_left_alone() {
    let (_folder, path) = place();
    let record = open(&path).await.create(task(None, 1, None)).await.unwrap();
    let set = |schema: u64| {
        let database = Database::open(&path).unwrap();
        let writing = database.begin_write().unwrap();
        writing.open_table(TableDefinition::<&str, u64>::new("meta")).unwrap().insert("schema", schema).unwrap();
        writing.commit().unwrap();
    };
    set(7);
    let refused = FileStore::open(&path, Limits::default()).await.unwrap_err();
    assert!(matches!(refused, StateError::Newer { found: 7, known: 1, .. }), "{refused}");
    set(1);
    assert_eq!(open(&path).await.get(&record.id).await.unwrap(), Some(record));
    set(0);
    let refused = FileStore::open(&path, Limits::default()).await.unwrap_err();
    assert!(matches!(refused, StateError::Damaged { .. }), "{refused}");
}

#[track_caller]
fn assert_damaged(outcome: Result<FileStore, StateError>, path: &Path) {
    let error = outcome.unwrap_err();
    assert!(matches!(error, StateError::Damaged { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(&path.display().to_string()) && text.contains("put a copy of it back"), "{text}");
}

#[tokio::test]
async fn what_is_no_state_file_is_refused_and_left_alone() {
    let (_folder, path) = place();
    let contents: [Vec<u8>; 4] =
        [Vec::new(), b"[plugins]\n".to_vec(), vec![0; 100_000], (0..=255).cycle().take(9_999).collect()];
    for content in contents {
        fs::write(&path, &content).unwrap();
        assert_damaged(FileStore::open(&path, Limits::default()).await, &path);
        assert_eq!(fs::read(&path).unwrap(), content);
    }
    fs::remove_file(&path).unwrap();
    let other = Database::create(&path).unwrap();
    let writing = other.begin_write().unwrap();
    writing.open_table(TableDefinition::<&str, &str>::new("meta")).unwrap().insert("a", "b").unwrap();
    writing.commit().unwrap();
    drop(other);
    assert_damaged(FileStore::open(&path, Limits::default()).await, &path);

    let missing = path.join("below/a/file");
    assert!(matches!(FileStore::open(&missing, Limits::default()).await, Err(StateError::Io { .. })));
    let folder = path.parent().unwrap();
    assert!(matches!(FileStore::open(folder, Limits::default()).await, Err(StateError::Io { .. })));
}

/// A file with one wrong byte, or without its end, is refused, or everything in it is as it was. Nothing panics, and nothing
/// is quietly missing, but for one bit: neither from a file that was closed nor from one whose process was killed.
#[tokio::test]
async fn damage_is_found_or_does_no_harm() {
    let (folder, path) = place();
    let store = open(&path).await;
    let mut records = Vec::new();
    for at in 0..12 {
        let mut task = task(Some("ada"), at, Some(1_000_000));
        task.arguments = "x".repeat((at as usize * 977) % 5_000);
        records.push(store.create(task).await.unwrap());
    }
    let open = fs::read(&path).unwrap();
    drop(store);
    let closed = fs::read(&path).unwrap();
    let copy = folder.path().join("copy.redb");
    for (name, whole) in [("open", open), ("closed", closed)] {
        let (mut refused, damages) = (0, damages(&whole));
        for (what, content) in &damages {
            fs::write(&copy, content).unwrap();
            match FileStore::open(&copy, Limits::default()).await {
                Ok(store) => {
                    // The one bit that says which half of the header counts cannot have a checksum: after a kill it is what
                    // a crash just before the end of the last write leaves. So much and no more may be missing.
                    let certain = if (name, what.as_str()) == ("open", "bit 0 of byte 9") { 11 } else { 12 };
                    let found = all_unfinished(&store, 7).await;
                    assert_eq!(found[..], records[..certain], "{name}, {what}");
                    store.create(task(None, 1_000, None)).await.unwrap();
                }
                Err(StateError::Damaged { .. }) => refused += 1,
                Err(other) => panic!("{name}, {what}: {other}"),
            }
        }
        assert!(refused > damages.len() / 4, "{name}: only {refused} of {} were found", damages.len());
    }
}

/// The file with another bit at many places of its header, in each used page and in places anywhere; and some beginnings.
fn damages(whole: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut random = Random::new(1);
    let mut flips: Vec<(usize, u64)> = (0..320).step_by(3).map(|place| (place, random.below(8))).collect();
    // This byte says which half of the header counts.
    flips.extend((0..8).map(|bit| (9, bit)));
    flips.extend((1..whole.len() / 4096).map(|page| (page * 4096 + random.below(64) as usize, random.below(8))));
    flips.extend((0..40).map(|_| (random.below(whole.len() as u64) as usize, random.below(8))));
    let flipped = flips.into_iter().map(|(place, bit)| {
        let mut copy = whole.to_vec();
        copy[place] ^= 1 << bit;
        (format!("bit {bit} of byte {place}"), copy)
    });
    let mut lengths = Random::new(2);
    let cut = (0..10).map(|_| 1 + lengths.below(whole.len() as u64 - 1) as usize);
    let mut damages: Vec<_> = flipped.collect();
    damages.extend(cut.map(|length| (format!("the first {length} bytes"), whole[..length].to_vec())));
    damages
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/state.redb");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    drop(open(&path).await);
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    drop(open(&path).await);
    assert_eq!(mode(&path), 0o600);
}

#[tokio::test]
async fn dropping_a_store_waits_for_what_is_in_line() {
    let (_folder, path) = place();
    let store = open(&path).await;
    {
        // Polled once, so the write is in line; then nobody waits for it.
        let mut creating = store.create(task(None, 1, None));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(creating.as_mut().poll(&mut context).is_pending());
    }
    drop(store);
    assert_eq!(all_unfinished(&open(&path).await, 10).await.len(), 1);
}
