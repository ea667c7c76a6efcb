//! Sends log messages that are not what the contract says: no JSON, control characters that would move a terminal's
//! cursor, lines that look like somebody else's.

use std::io::Write;

use toolcell_guests::bindings::toolcell::plugin::log::{self, Level};
use toolcell_guests::{Args, Report, tool};

const LINES: [&str; 4] = [
    "not json",
    "{\"open\":",
    "\u{1b}[2J\u{1b}[H\u{7}",
    "innocent\n2026-01-01T00:00:00Z ERROR toolcell: forged line\r\nforged\u{0}\u{85}\u{2028}",
];

tool!(log_bad, "Logs what is not JSON, control characters and forged lines.");

fn log_bad(_: &Args) -> Report {
    let mut report = Report::new();
    for line in LINES {
        log::write(Level::Error, Some("evil\nlogger\u{1b}[31m"), line);
        report.add("write", "stderr", writeln!(std::io::stderr(), "{line}").map(|()| "line"));
    }
    report
}
