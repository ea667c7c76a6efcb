//! A process that is killed keeps every task it acknowledged.
//!
//! The process is this test binary itself: with `TOOLCELL_STATE_CRASH` set to a path, `writes_until_killed` creates tasks in
//! that file and prints the id of each when it is acknowledged.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use toolcell_state::{FileStore, Limits, NewTask, StateError, TaskStatus, TaskStore};

const PATH: &str = "TOOLCELL_STATE_CRASH";

fn task(text: &str) -> NewTask {
    NewTask { plugin: "p".into(), tool: "t".into(), arguments: text.repeat(50), created_ms: 1, ..NewTask::default() }
}

/// Enough for however far a child gets.
fn limits() -> Limits {
    Limits { max_records_per_owner: u64::MAX, max_records: u64::MAX, ..Limits::default() }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{line}").and_then(|()| out.flush()).unwrap();
}

/// Does nothing unless it is the child, which is killed long before it is done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_until_killed() {
    let Ok(path) = std::env::var(PATH) else { return };
    let store = Arc::new(FileStore::open(path, limits()).await.unwrap());
    say("open");
    let writers: Vec<_> = (0..6)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..10_000 {
                    let created = store.create(task("crash")).await.unwrap();
                    say(&format!("created {}", created.id));
                    if writer % 2 == 0 {
                        let id = created.id.clone();
                        let mut done = created;
                        done.status = TaskStatus::Completed;
                        store.replace(done).await.unwrap();
                        say(&format!("completed {id}"));
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

fn start(path: &Path) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writes_until_killed", "--nocapture"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while line.trim() != "open" {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "the child ended before it opened the file");
    }
    (child, out)
}

#[tokio::test]
async fn a_killed_process_keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.redb");
    let (mut created, mut completed) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..8 {
        let (mut child, mut out) = start(&path);
        let enough = created.len() + 1 + round * 7;
        let (mut line, mut killed) = (String::new(), false);
        // After the kill, what it said before still comes.
        while out.read_line(&mut line).unwrap() > 0 {
            // The last line may have been cut.
            if line.ends_with('\n') {
                match line.trim().split_once(' ') {
                    Some(("created", id)) => drop(created.insert(id.to_owned())),
                    Some(("completed", id)) => drop(completed.insert(id.to_owned())),
                    _ => {}
                }
            }
            line.clear();
            if created.len() >= enough && !killed {
                // SIGKILL on unix.
                child.kill().unwrap();
                killed = true;
            }
        }
        child.wait().unwrap();
        assert!(killed, "the child ended by itself");

        let store = FileStore::open(&path, limits()).await.unwrap();
        for id in &created {
            let record = store.get(id).await.unwrap();
            let record = record.unwrap_or_else(|| panic!("round {round}: {id} is lost"));
            assert_eq!(record.arguments, task("crash").arguments);
            assert!(record.status == TaskStatus::Completed || !completed.contains(id), "round {round}: {id}");
        }
    }
}

#[tokio::test]
async fn a_file_of_another_process_is_in_use_until_that_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.redb");
    let (mut child, out) = start(&path);
    let refused = FileStore::open(&path, limits()).await.unwrap_err();
    assert!(matches!(refused, StateError::InUse { .. }), "{refused}");
    assert!(refused.to_string().ends_with("stop that one, or give this one a state file of its own"), "{refused}");
    child.kill().unwrap();
    child.wait().unwrap();
    drop(out);
    FileStore::open(&path, limits()).await.unwrap();
}
