//! What every store must do, asked of each.

use crate::*;

/// A small generator of numbers, so that a test that fails can be run again as it was.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}

pub(crate) fn task(owner: Option<&str>, created_ms: u64, ttl_ms: Option<u64>) -> NewTask {
    NewTask {
        owner: owner.map(str::to_owned),
        plugin: "report".into(),
        tool: "build".into(),
        arguments: r#"{"text":"a \"quoted\" ß"}"#.into(),
        context: "{}".into(),
        created_ms,
        ttl_ms,
        poll_interval_ms: 500,
        status_message: Some("begun".into()),
        idempotent: true,
    }
}

/// All unfinished tasks, on pages of `limit`.
pub(crate) async fn all_unfinished(store: &dyn TaskStore, limit: usize) -> Vec<TaskRecord> {
    let (mut all, mut from) = (Vec::new(), None);
    loop {
        let page = store.unfinished(from, limit).await.unwrap();
        assert!(page.records.len() <= limit);
        all.extend(page.records);
        match page.next {
            Some(next) => from = Some(next),
            None => return all,
        }
    }
}

#[track_caller]
fn assert_limit(outcome: Result<TaskRecord, StateError>, expected: &str) {
    match outcome {
        Err(StateError::Limit { setting, .. }) => assert_eq!(setting, expected),
        other => panic!("{expected} should have refused, not {other:?}"),
    }
}

/// Every operation. The store is empty and has generous limits.
pub(crate) async fn suite(store: &dyn TaskStore) {
    creating_and_getting(store).await;
    replacing(store).await;
    finding_unfinished(store).await;
    expiring(store).await;
    deleting(store).await;
}

async fn creating_and_getting(store: &dyn TaskStore) {
    let first = store.create(task(Some("ada"), 1_000, Some(60_000))).await.unwrap();
    let second = store.create(task(Some("ada"), 1_000, Some(60_000))).await.unwrap();
    assert_ne!(first.id, second.id);
    assert!(first.id.len() == 32 && first.id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{}", first.id);
    assert_eq!((first.version, first.status, first.updated_ms), (1, TaskStatus::Working, 1_000));
    assert_eq!(first.arguments, task(None, 0, None).arguments);
    assert!(first.belongs_to(Some("ada")) && !first.belongs_to(None) && !first.belongs_to(Some("bob")));
    assert_eq!(store.get(&first.id).await.unwrap().as_ref(), Some(&first));
    for nobody in ["", "nonsense", &"f".repeat(32), &"x".repeat(100_000)] {
        assert_eq!(store.get(nobody).await.unwrap(), None);
    }
    for record in [first, second] {
        assert!(store.delete(&record.id).await.unwrap());
    }
}

async fn replacing(store: &dyn TaskStore) {
    let begun = store.create(task(Some("ada"), 1_000, Some(60_000))).await.unwrap();
    let mut asking = begun.clone();
    asking.status = TaskStatus::InputRequired;
    asking.input = Some(r#"{"requests":{}}"#.into());
    (asking.updated_ms, asking.ttl_ms, asking.starts, asking.cancel_requested) = (2_000, None, 1, true);
    let stored = store.replace(asking.clone()).await.unwrap();
    asking.version = 2;
    assert_eq!(stored, asking);
    assert_eq!(store.get(&begun.id).await.unwrap(), Some(asking.clone()));

    // Whoever holds the old version is told the new one, and nothing happens.
    match store.replace(TaskRecord { status: TaskStatus::Cancelled, ..begun.clone() }).await {
        Err(StateError::Conflict(current)) => assert_eq!(*current, asking),
        other => panic!("{other:?}"),
    }
    for version in [0, 3, u64::MAX] {
        let outcome = store.replace(TaskRecord { version, ..asking.clone() }).await;
        assert!(matches!(outcome, Err(StateError::Conflict(_))), "{outcome:?}");
    }

    let changes = [
        ("owner", TaskRecord { owner: None, ..asking.clone() }),
        ("plugin", TaskRecord { plugin: "other".into(), ..asking.clone() }),
        ("tool", TaskRecord { tool: "other".into(), ..asking.clone() }),
        ("created_ms", TaskRecord { created_ms: 999, ..asking.clone() }),
    ];
    for (expected, changed) in changes {
        match store.replace(changed).await {
            Err(StateError::Fixed { field }) => assert_eq!(field, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
    let unknown = TaskRecord { id: "0".repeat(32), ..asking.clone() };
    assert!(matches!(store.replace(unknown).await, Err(StateError::NotFound)));
    assert_eq!(store.get(&begun.id).await.unwrap(), Some(asking.clone()));

    // What is over stays over, but how long it is kept may still change.
    let done = TaskRecord { status: TaskStatus::Completed, outcome: Some("{}".into()), ..asking };
    let done = store.replace(done).await.unwrap();
    for status in [TaskStatus::Working, TaskStatus::InputRequired, TaskStatus::Failed, TaskStatus::Cancelled] {
        let outcome = store.replace(TaskRecord { status, ..done.clone() }).await;
        assert!(matches!(outcome, Err(StateError::Final { status: "completed" })), "{outcome:?}");
    }
    let kept = store.replace(TaskRecord { ttl_ms: Some(1), ..done }).await.unwrap();
    assert_eq!((kept.version, kept.expires_ms()), (4, Some(1_001)));
    assert!(store.delete(&kept.id).await.unwrap());
}

async fn finding_unfinished(store: &dyn TaskStore) {
    assert_eq!(store.unfinished(None, 10).await.unwrap(), Page::default());
    let mut expected = Vec::new();
    for at in 0..23 {
        // Several at the same time, and not in order.
        let mut record = store.create(task(None, 1_000 + (at * 7) % 10, None)).await.unwrap();
        match at % 4 {
            0 => {
                record.status = TaskStatus::Failed;
                store.replace(record).await.unwrap();
            }
            1 => {
                record.status = TaskStatus::InputRequired;
                expected.push(store.replace(record).await.unwrap());
            }
            _ => expected.push(record),
        }
    }
    expected.sort_by(|a, b| (a.created_ms, &a.id).cmp(&(b.created_ms, &b.id)));
    for limit in [1, 2, 5, expected.len(), 1_000] {
        assert_eq!(all_unfinished(store, limit).await, expected, "on pages of {limit}");
    }
    // Zero would never end.
    assert_eq!(store.unfinished(None, 0).await.unwrap().records.len(), 1);

    // A cursor stays good when its record goes.
    let page = store.unfinished(None, 5).await.unwrap();
    for record in &page.records {
        assert!(store.delete(&record.id).await.unwrap());
    }
    let rest = store.unfinished(page.next, 1_000).await.unwrap();
    assert_eq!(rest.records, expected[5..]);
    assert_eq!(rest.next, None);
    assert_eq!(store.remove_expired(u64::MAX, 1_000).await.unwrap(), Vec::<String>::new());
    for record in rest.records {
        assert!(store.delete(&record.id).await.unwrap());
    }
}

async fn expiring(store: &dyn TaskStore) {
    let mut soon = Vec::new();
    for ttl_ms in [30, 10, 20] {
        soon.push(store.create(task(None, 1_000, Some(ttl_ms))).await.unwrap());
    }
    let never = store.create(task(None, 1_000, None)).await.unwrap();
    let overflowing = store.create(task(None, 1_000, Some(u64::MAX))).await.unwrap();
    assert_eq!(overflowing.expires_ms(), None);
    assert!(soon[1].is_expired(1_010) && !soon[1].is_expired(1_009));

    let ids = |which: &[usize]| which.iter().map(|at| soon[*at].id.clone()).collect::<Vec<_>>();
    assert_eq!(store.remove_expired(1_009, 10).await.unwrap(), ids(&[]));
    assert_eq!(store.remove_expired(1_030, 0).await.unwrap(), ids(&[]));
    assert_eq!(store.remove_expired(1_029, 10).await.unwrap(), ids(&[1, 2]));
    // A later end counts, an earlier one too.
    let longer = store.replace(TaskRecord { ttl_ms: Some(100), ..soon[0].clone() }).await.unwrap();
    assert_eq!(store.remove_expired(1_099, 10).await.unwrap(), ids(&[]));
    store.replace(TaskRecord { ttl_ms: Some(5), ..longer }).await.unwrap();
    assert_eq!(store.remove_expired(1_005, 10).await.unwrap(), ids(&[0]));
    for id in ids(&[0, 1, 2]) {
        assert_eq!(store.get(&id).await.unwrap(), None);
    }

    let mut many = Vec::new();
    for at in 0..10 {
        many.push(store.create(task(None, 2_000, Some(at))).await.unwrap().id);
    }
    assert_eq!(store.remove_expired(u64::MAX, 4).await.unwrap(), many[..4]);
    assert_eq!(store.remove_expired(u64::MAX, 100).await.unwrap(), many[4..]);
    assert_eq!(all_unfinished(store, 10).await.len(), 2);
    for record in [never, overflowing] {
        assert!(store.delete(&record.id).await.unwrap());
    }
}

async fn deleting(store: &dyn TaskStore) {
    let record = store.create(task(None, 1_000, Some(1))).await.unwrap();
    assert!(store.delete(&record.id).await.unwrap());
    assert!(!store.delete(&record.id).await.unwrap());
    assert!(!store.delete("nonsense").await.unwrap());
    assert!(matches!(store.replace(record).await, Err(StateError::NotFound)));
    assert_eq!(store.unfinished(None, 10).await.unwrap(), Page::default());
    assert_eq!(store.remove_expired(u64::MAX, 10).await.unwrap(), Vec::<String>::new());
}

/// Limits that [`limits_suite`] crosses one by one.
pub(crate) fn tight() -> Limits {
    Limits {
        max_record_bytes: 10_000,
        max_records_per_owner: 4,
        max_bytes_per_owner: 20_000,
        max_records: 6,
        max_bytes: 30_000,
    }
}

fn large(owner: Option<&str>, bytes: usize) -> NewTask {
    NewTask { arguments: "x".repeat(bytes), ..task(owner, 1_000, None) }
}

/// Every limit. The store is empty and has [`tight`] limits.
pub(crate) async fn limits_suite(store: &dyn TaskStore) {
    assert_limit(store.create(large(None, 10_000)).await, "max_record_bytes");

    let mut records = Vec::new();
    for _ in 0..4 {
        records.push(store.create(task(None, 1_000, None)).await.unwrap());
    }
    assert_limit(store.create(task(None, 1_000, None)).await, "max_records_per_owner");
    // "Nobody" and the empty name are two owners.
    for owner in ["", "ada"] {
        records.push(store.create(task(Some(owner), 1_000, None)).await.unwrap());
    }
    assert_limit(store.create(task(Some("bob"), 1_000, None)).await, "max_records");
    for record in records.drain(..) {
        assert!(store.delete(&record.id).await.unwrap());
    }

    for _ in 0..2 {
        records.push(store.create(large(None, 9_000)).await.unwrap());
    }
    assert_limit(store.create(large(None, 9_000)).await, "max_bytes_per_owner");
    records.push(store.create(large(Some("ada"), 9_000)).await.unwrap());
    assert_limit(store.create(large(Some("bob"), 9_000)).await, "max_bytes");

    // A record may grow as far, shrink at any time, and end with a few words more.
    let full = records[0].clone();
    assert_limit(
        store.replace(TaskRecord { input: Some("x".repeat(2_000)), ..full.clone() }).await,
        "max_record_bytes",
    );
    let failed = TaskRecord { status: TaskStatus::Failed, outcome: Some("x".repeat(2_000)), ..full };
    let failed = store.replace(failed).await.unwrap();
    assert_limit(store.replace(TaskRecord { input: Some("x".repeat(2_000)), ..failed }).await, "max_record_bytes");
    let mut other = records[1].clone();
    other.arguments.clear();
    let other = store.replace(other).await.unwrap();
    let other = store.replace(TaskRecord { input: Some("x".repeat(8_000)), ..other }).await;
    let other = other.expect("what shrank may grow again");
    store.delete(&records[0].id).await.unwrap();
    store.create(large(None, 8_000)).await.expect("a deleted record leaves its room");
    store.delete(&other.id).await.unwrap();
}

#[tokio::test]
async fn memory_does_what_a_store_must() {
    suite(&MemoryStore::new(Limits::default())).await;
    limits_suite(&MemoryStore::new(tight())).await;
}

#[tokio::test]
async fn a_page_of_large_records_is_short() {
    let store = MemoryStore::new(Limits::default());
    for _ in 0..5 {
        store.create(large(None, 3 * 1024 * 1024)).await.unwrap();
    }
    let page = store.unfinished(None, 100).await.unwrap();
    assert_eq!(page.records.len(), 2);
    assert_eq!(all_unfinished(&store, 100).await.len(), 5);
}

#[test]
fn a_record_of_schema_1_still_reads() {
    let bytes = br#"{"id":"00000000000000000000000000000001","plugin":"p","tool":"t","args":"{}","ctx":"","created":1,"updated":2,
        "poll":3,"status":"input_required","again":true,"cancel":false,"starts":4,"input":"{}","version":5,"later":"?"}"#;
    let record = crate::codec::decode(bytes).unwrap();
    assert_eq!((record.owner, record.ttl_ms, record.status), (None, None, TaskStatus::InputRequired));
    assert_eq!((record.created_ms, record.updated_ms, record.starts, record.version), (1, 2, 4, 5));
}
