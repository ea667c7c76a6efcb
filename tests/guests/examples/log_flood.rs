//! Talks without end, into each of the places where a guest can be heard.

use std::io::Write;

use toolcell_guests::bindings::toolcell::plugin::log::{self, Level};
use toolcell_guests::{Args, Report, tool};

tool!(
    log_flood,
    "Writes `lines` lines (default 100000) of `width` bytes (default 100). `to`: `log` (default), `stderr`, `stdout`."
);

fn log_flood(args: &Args) -> Report {
    let lines = args.number("lines", 100_000);
    let width = usize::try_from(args.number("width", 100)).unwrap_or(100);
    let to = args.text("to", "log");
    let line = "x".repeat(width);
    let mut report = Report::new();
    for n in 0..lines {
        let written = match to {
            "stderr" => writeln!(std::io::stderr(), "{line}"),
            "stdout" => writeln!(std::io::stdout(), "{line}"),
            _ => {
                log::write(Level::Warning, Some("flood"), &format!("\"{line}\""));
                Ok(())
            }
        };
        if let Err(error) = written {
            report.add("write", to, Err::<&str, _>(format!("after {n} lines: {error}")));
            return report;
        }
    }
    report.add("write", to, Ok::<_, &str>(format!("{lines} lines")));
    report
}
