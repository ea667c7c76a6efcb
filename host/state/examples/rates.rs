//! How fast tasks are created and read, on the disk of the given folder.
//!
//! ```sh
//! cargo run --release -p toolcell-state --example rates -- .
//! ```

use std::sync::Arc;
use std::time::Instant;

use toolcell_state::{FileStore, Limits, NewTask, TaskStore};

fn task(bytes: usize) -> NewTask {
    NewTask {
        plugin: "report".into(),
        tool: "build".into(),
        arguments: "x".repeat(bytes),
        context: "{}".into(),
        created_ms: 1,
        ttl_ms: Some(60_000),
        ..NewTask::default()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let parent = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let folder = tempfile::tempdir_in(parent)?;
    let limits = Limits {
        max_records_per_owner: u64::MAX,
        max_bytes_per_owner: u64::MAX,
        max_records: u64::MAX,
        ..Limits::default()
    };
    for (number, at_once) in [(200, 1), (1_000, 8), (1_000, 64), (10_000, 512)] {
        let path = folder.path().join(format!("{at_once}.redb"));
        let store = Arc::new(FileStore::open(&path, limits.clone()).await?);
        let start = Instant::now();
        let creators: Vec<_> = (0..at_once)
            .map(|which| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut ids = Vec::new();
                    for _ in (which..number).step_by(at_once) {
                        ids.push(store.create(task(1_000)).await?.id);
                    }
                    Ok::<_, toolcell_state::StateError>(ids)
                })
            })
            .collect();
        let mut ids = Vec::new();
        for creator in creators {
            ids.extend(creator.await??);
        }
        let took = start.elapsed();
        println!(
            "{number} creates, {at_once} at once: {took:.1?}, {:.0} a second, {} commits, {} KiB of file",
            number as f64 / took.as_secs_f64(),
            store.commits(),
            std::fs::metadata(&path)?.len() / 1024,
        );
        let start = Instant::now();
        for id in &ids {
            store.get(id).await?;
        }
        println!("  one read after the other: {:.1?} each", start.elapsed() / ids.len() as u32);
    }

    let path = folder.path().join("512.redb");
    let store = FileStore::open(&path, limits.clone()).await?;
    let start = Instant::now();
    let mut removed = 0;
    loop {
        let ids = store.remove_expired(u64::MAX, 1_000).await?.len();
        removed += ids;
        if ids == 0 {
            break;
        }
    }
    let took = start.elapsed();
    drop(store);
    println!("{removed} removed: {took:.1?}, {} KiB of file are left", std::fs::metadata(&path)?.len() / 1024);

    let path = folder.path().join("large.redb");
    let store = Arc::new(FileStore::open(&path, limits.clone()).await?);
    let creators: Vec<_> = (0..2_000)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.create(task(100_000)).await.map(drop) })
        })
        .collect();
    for creator in creators {
        creator.await??;
    }
    drop(store);
    let start = Instant::now();
    drop(FileStore::open(&path, limits).await?);
    println!("opening a file of {} MiB: {:.1?}", std::fs::metadata(&path)?.len() / 1_048_576, start.elapsed());
    Ok(())
}
