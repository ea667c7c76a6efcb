//! Waits in one host call for as long as a clock can count: 584 years.

use toolcell_guests::{Args, time, tool};

tool!(sleep, "Never returns. With `ms`, returns after so many milliseconds.");

fn sleep(args: &Args) -> String {
    let started = time::now_ms();
    time::wait_ns(args.number("ms", u64::MAX / 1_000_000) * 1_000_000);
    format!("sleep:clock:done:{} ms", time::now_ms() - started)
}
