//! Collectors and disks that do not do their part: calls go on, memory stays flat, and operators are told.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toolcell_tests::host::Host;
use toolcell_tests::http::Http;
use toolcell_tests::log::Mark;
use toolcell_tests::mcp::Modern;
use toolcell_tests::site::Site;
use toolcell_tests::{DEADLINE, artifacts};

/// Calls that fill every queue: each leaves five spans and a log record, and 4,096 of each may wait.
const FILLING: usize = 1_500;
/// Calls after that, over which memory must stay flat.
const MORE: usize = 6_000;
/// How much the host may take more after them, in KiB: answers of 4 MiB that are being read, and an allocator's moods, but not
/// a queue that grows by more than a kilobyte for each of 30,000 spans.
const FLAT: u64 = 28 * 1024;

/// A collector that treats each connection so. Returns its address and how many bytes it got rid of on one connection, at
/// most.
fn collector(treat: fn(TcpStream, &AtomicU64)) -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("a listener has an address");
    let said = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&said);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let counted = Arc::clone(&counted);
            thread::spawn(move || treat(stream, &counted));
        }
    });
    (address, said)
}

/// Takes everything and says nothing.
fn silent(mut stream: TcpStream, _: &AtomicU64) {
    let mut taken = [0; 64 * 1024];
    while stream.read(&mut taken).is_ok_and(|length| length > 0) {}
}

/// Says that all is well, and never stops saying it.
fn endless(mut stream: TcpStream, said: &AtomicU64) {
    let mut taken = [0; 1024];
    let _ = stream.read(&mut taken);
    let _ = stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nTransfer-Encoding: chunked\r\n\r\n");
    let piece = [b"10000\r\n".as_slice(), &[0; 0x10000], b"\r\n"].concat();
    let mut here = 0;
    while stream.write_all(&piece).is_ok() {
        here += piece.len() as u64;
        said.fetch_max(here, Ordering::Relaxed);
    }
}

/// Takes nothing at all.
fn unread(stream: TcpStream, _: &AtomicU64) {
    thread::sleep(DEADLINE);
    drop(stream);
}

/// Resident memory of a process in KiB.
fn memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process is there");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it says what it takes");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn calls(client: &mut Modern, count: usize) -> Duration {
    let mut longest = Duration::ZERO;
    for _ in 0..count {
        let began = Instant::now();
        assert_eq!(client.say("echo", &json!({ "message": "hello" })), "hello");
        longest = longest.max(began.elapsed());
    }
    longest
}

#[test]
fn a_collector_that_is_slow_or_endless_costs_calls_nothing() {
    for (name, treat) in [("silent", silent as fn(TcpStream, &AtomicU64)), ("endless", endless), ("unread", unread)] {
        let (address, said) = collector(treat);
        let site = Site::new();
        let config = format!("[audit]\ndir = 'audit'\n[telemetry]\notlp = 'http://{address}'\ntrace-ratio = 1.0\n");
        let mut host = Host::serve(&site.config(&format!("{config}{}", Site::plugin("echo", ""))));
        let mut client = host.modern();
        let filling = calls(&mut client, FILLING);
        let before = memory(host.id());
        let longest = calls(&mut client, MORE).max(filling);
        let after = memory(host.id());
        assert!(after < before + FLAT, "{name}: {before} KiB, then {after} KiB");
        // The exporter waits ten seconds for such a collector; no call waits for any of it.
        assert!(longest < Duration::from_secs(5), "{name}: a call took {longest:?}");
        // At most 4 MiB of an answer are read; the rest is what the sockets hold.
        let said = said.load(Ordering::Relaxed);
        assert!(said < 32 << 20, "{name}: {said} bytes were taken from it at once");

        let began = Instant::now();
        let ended = host.terminate();
        assert!(ended.success(), "{name}: {ended}");
        assert!(began.elapsed() < Duration::from_secs(30), "{name}: it ended after {:?}", began.elapsed());
        let lines = fs::read_to_string(site.path("audit/audit.jsonl")).expect("the log reads").lines().count();
        assert!(lines >= FILLING + MORE, "{name}: {lines} lines; the file does not wait for the collector");
    }
}

/// A disk that is full, as far as one process can be given one: files may have 32 KiB and no more.
#[test]
fn a_full_disk_is_told_where_operators_look_and_fails_as_they_chose() {
    let site = Site::new();
    let config = "[server]\nadmin = '127.0.0.1:0'\n[audit]\ndir = 'audit'\nwhen-full = 'drop'\n";
    let config = site.config(&format!("{config}{}", Site::plugin("echo", "")));
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" serve --config \"$1\" --http 127.0.0.1:0"])
        .arg(artifacts::toolcell())
        .arg(&config);
    let mut host = Host::run(command);
    let ready = |host: &Host| {
        let answer = Http::connect(host.admin()).request("GET", "/readyz", &[], b"");
        (answer.head.status, answer.json())
    };
    let late = Instant::now() + DEADLINE;
    while ready(&host).0 != 200 {
        assert!(Instant::now() < late, "it never got ready: {:?}", ready(&host));
        thread::sleep(Duration::from_millis(10));
    }
    let mut client = host.modern();
    // Some 600 bytes a line.
    calls(&mut client, 200);
    let said =
        host.log.wait_for(Mark::START, &["ERROR", "calls are not written down now", "audit.jsonl", "File too large"]);
    assert!(said.contains("check the folder"), "{said}");
    let (status, body) = ready(&host);
    assert!(status == 503 && body["reasons"][0].as_str().is_some_and(|why| why.contains("File too large")), "{body}");
    // More than may wait: they are answered, and what is not written down is counted.
    calls(&mut client, 8_500);
    let metrics = Http::connect(host.admin()).request("GET", "/metrics", &[], b"").text();
    let count = |name: &str| -> f64 {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {metrics}"))
    };
    assert!(count("toolcell_audit_failures_total") > 0.0 && count("toolcell_audit_lost_total") > 100.0, "{metrics}");
    assert!(host.terminate().success());
    // What is there is whole: no line was cut in the middle.
    let text = fs::read_to_string(site.path("audit/audit.jsonl")).expect("the log reads");
    assert!(text.ends_with('\n') && text.len() <= 64 * 1024, "{}", text.len());
    assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let (code, said) = super::toolcell(&site.path(""), &["audit", "verify"]);
    assert!(code == 0 && said.contains("whole"), "{said}");
}

/// Someone puts a link where the log should be: the host does not start, and says why.
#[test]
fn a_link_in_the_place_of_the_log_is_not_followed() {
    let site = Site::new();
    let victim = site.write("victim.txt", "precious");
    site.folder("audit");
    std::os::unix::fs::symlink(&victim, site.path("audit/audit.jsonl")).expect("a link can be made");
    let config = site.config(&format!("[audit]\ndir = 'audit'\n{}", Site::plugin("echo", "")));
    let ran = toolcell_tests::host::run(["serve".as_ref(), "--config".as_ref(), config.as_os_str()]);
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
    assert!(ran.stderr.contains("something else is at its place") && ran.stderr.contains("audit.jsonl"), "{ran:?}");
    assert_eq!(fs::read_to_string(victim).expect("it reads"), "precious");
}
