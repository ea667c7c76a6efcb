//! Running tools, with what they say shown as it comes.

use crate::Error;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

/// How many of a tool's last lines go into the error.
const LAST_LINES: usize = 12;

/// Runs a tool and hands over each line of its standard output and standard error.
///
/// # Errors
/// If it cannot be started, or fails.
pub(crate) fn shown(command: &mut Command, dir: &Path, line: &dyn Fn(&str)) -> Result<(), Error> {
    run(command, dir, line, true).map(drop)
}

/// Runs a tool and returns its standard output; each line of its standard error is handed over.
///
/// # Errors
/// If it cannot be started, or fails.
pub(crate) fn captured(command: &mut Command, dir: &Path, line: &dyn Fn(&str)) -> Result<String, Error> {
    run(command, dir, line, false)
}

enum Said {
    Out(String),
    Err(String),
}

fn run(command: &mut Command, dir: &Path, line: &dyn Fn(&str), show_stdout: bool) -> Result<String, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    if command.get_current_dir().is_none() {
        command.current_dir(dir);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| {
        Error::other(format_args!("{program} cannot be started: {error}; check that it is installed"))
    })?;
    let (tell, said) = mpsc::channel();
    let readers = [
        child.stdout.take().map(|stream| read(stream, tell.clone(), Said::Out)),
        child.stderr.take().map(|stream| read(stream, tell.clone(), Said::Err)),
    ];
    drop(tell);
    let (mut output, mut last) = (String::new(), Vec::new());
    for said in said {
        let text = match said {
            Said::Out(text) if !show_stdout => {
                output += &text;
                output.push('\n');
                continue;
            }
            Said::Out(text) | Said::Err(text) => text,
        };
        line(&text);
        last.push(text);
    }
    for reader in readers.into_iter().flatten() {
        // A reader ends with its stream; it has nothing else to say.
        let _ = reader.join();
    }
    let status = child.wait().map_err(|error| Error::other(format_args!("{program}: {error}")))?;
    if status.success() {
        return Ok(output);
    }
    let tool = Path::new(&program).file_name().map_or(program.clone(), |name| name.to_string_lossy().into_owned());
    let last = last.split_off(last.len().saturating_sub(LAST_LINES)).join("\n");
    Err(Error::Tool { tool, status: status.to_string(), last })
}

fn read(
    stream: impl Read + Send + 'static,
    tell: mpsc::Sender<Said>,
    kind: fn(String) -> Said,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut bytes = Vec::new();
        while matches!(reader.read_until(b'\n', &mut bytes), Ok(n) if n > 0) {
            let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            bytes.clear();
            if tell.send(kind(text)).is_err() {
                return;
            }
        }
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_are_handed_over_and_a_failure_repeats_the_last() {
        let lines = RefCell::new(Vec::new());
        let line = |text: &str| lines.borrow_mut().push(text.to_owned());
        let here = Path::new("/");
        shown(&mut sh("pwd; echo err >&2"), here, &line).unwrap();
        lines.borrow_mut().sort();
        assert_eq!(lines.take(), ["/", "err"]);

        assert_eq!(captured(&mut sh("echo out; echo err >&2"), here, &line).unwrap(), "out\n");
        assert_eq!(lines.take(), ["err"]);

        let error = shown(&mut sh("seq 1 20; exit 3"), here, &line).unwrap_err().to_string();
        assert!(error.starts_with("sh failed (exit status: 3):\n9\n"), "{error}");
        assert!(error.ends_with("\n20"), "{error}");
        let error = shown(&mut Command::new("/no/such/program"), here, &line).unwrap_err().to_string();
        assert!(error.starts_with("/no/such/program cannot be started: "), "{error}");
    }
}
