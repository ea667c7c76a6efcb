//! Reports progress as fast as it can, and nonsense in between.

use toolcell_guests::bindings::toolcell::plugin::progress;
use toolcell_guests::{Args, tool};

tool!(
    progress_flood,
    "Reports progress `times` times (default 100000), with numbers that fall, repeat or are none, and messages of `width` bytes (default 100)."
);

fn progress_flood(args: &Args) -> String {
    let times = args.number("times", 100_000);
    let message = "x".repeat(usize::try_from(args.number("width", 100)).unwrap_or(100));
    for n in 0..times {
        #[allow(clippy::cast_precision_loss, reason = "any number will do")]
        let value = match n % 5 {
            0 => f64::NAN,
            1 => f64::INFINITY,
            2 => -(n as f64),
            _ => n as f64,
        };
        progress::report(value, Some(f64::NEG_INFINITY), Some(&message));
    }
    format!("report:progress:done:{times} times")
}
