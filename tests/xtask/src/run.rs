//! Running other programs and saying how long each took.

use std::error::Error;
use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What a chore ends with. The text of the error is all a reader sees, so it names the fix.
pub type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// What has been done so far and how long it took, for [`print_times`].
static TIMES: Mutex<Vec<(String, Duration)>> = Mutex::new(Vec::new());

/// Does one step of a chore: says its name, and remembers its time.
pub fn step<T>(name: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    eprintln!("==> {name}");
    let begun = Instant::now();
    let outcome = work();
    let took = begun.elapsed();
    let word = if outcome.is_ok() { "done" } else { "FAILED" };
    eprintln!("==> {name}: {word} in {:.1} s", took.as_secs_f64());
    TIMES.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((name.to_owned(), took));
    outcome
}

/// Prints the time of every step since the start.
pub fn print_times() {
    let times = TIMES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    eprintln!("==> times");
    for (name, took) in times.iter() {
        eprintln!("    {:>7.1} s  {name}", took.as_secs_f64());
    }
}

/// Runs a command to its end with our own output.
///
/// # Errors
///
/// If it cannot be started or does not end with success.
pub fn run(command: &mut Command) -> Outcome {
    let line = line_of(command);
    let status = command.stdin(Stdio::null()).status().map_err(|why| format!("cannot run `{line}`: {why}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` failed ({status})").into()) }
}

/// Runs a command to its end and returns what it wrote to stdout, without the last line break.
///
/// # Errors
///
/// If it cannot be started or does not end with success; the error carries what it wrote to stderr.
pub fn read(command: &mut Command) -> Outcome<String> {
    let line = line_of(command);
    let output = command.stdin(Stdio::null()).output().map_err(|why| format!("cannot run `{line}`: {why}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{line}` failed ({}): {}", output.status, said.trim()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

fn line_of(command: &Command) -> String {
    let mut words = vec![command.get_program()];
    words.extend(command.get_args());
    words.join(OsStr::new(" ")).to_string_lossy().into_owned()
}
