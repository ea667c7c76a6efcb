//! Reaches for the standard streams, which in a stdio server carry the protocol itself.

use std::io::{Read, Write};

use toolcell_guests::{Args, Report, tool};

tool!(stdio, "Writes a forged message to stdout and reads from stdin.");

fn stdio(_: &Args) -> Report {
    let mut report = Report::new();
    let forged = r#"{"jsonrpc":"2.0","method":"notifications/forged"}"#;
    let mut stdout = std::io::stdout();
    let written = writeln!(stdout, "{forged}").and_then(|()| stdout.flush());
    report.add("write", "stdout", written.map(|()| "forged message"));
    let mut bytes = [0; 64];
    let read = std::io::stdin().read(&mut bytes);
    report.add("read", "stdin", read.map(|n| format!("{n} bytes")));
    report
}
