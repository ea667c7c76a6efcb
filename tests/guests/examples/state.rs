//! Counts its calls in a static. In a fresh instance per call the count is always 1; in one that is kept it grows, and what
//! else a call does to its instance shows in the next.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use toolcell_guests::{Args, tool};

static CALLS: AtomicU64 = AtomicU64::new(0);
static KEPT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

tool!(
    state,
    "Returns how often this instance was called, this call included. Before that it keeps `grow` MiB, works for `work` ms \
     and writes `lines` lines; `then`: `return` (default), `panic`, `spin`."
);

fn state(args: &Args) -> u64 {
    let calls = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
    let grow = usize::try_from(args.number("grow", 0)).unwrap_or(0);
    KEPT.lock().unwrap().extend(std::iter::repeat_n(1, grow << 20));
    let begun = Instant::now();
    let work = Duration::from_millis(args.number("work", 0));
    while begun.elapsed() < work {}
    for line in 0..args.number("lines", 0) {
        eprintln!("call {calls} line {line}");
    }
    match args.text("then", "return") {
        "panic" => panic!("this guest panics on purpose"),
        "spin" => loop {
            std::hint::black_box(calls);
        },
        _ => calls,
    }
}
