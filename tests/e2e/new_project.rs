//! From nothing to a tool that answers, in every language, by the commands an author types: `new`, `build`, `dev`, an edit,
//! and a call from an official client each time. What it took is written to `target/new-project.md`; with `--test-threads=1` each
//! language has the machine for itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toolcell_tests::artifacts;
use toolcell_tests::log::{Log, Mark};
use toolcell_tests::site::Site;

/// The languages, in the order of the table.
const LANGUAGES: [&str; 8] = ["rust", "python", "typescript", "javascript", "go", "c", "cpp", "zig"];

/// What has been measured, by the place in [`LANGUAGES`].
static TABLE: Mutex<BTreeMap<usize, Took>> = Mutex::new(BTreeMap::new());

/// The steps, and how long each took.
struct Took {
    new: Duration,
    build: Duration,
    /// From the start of `toolcell dev` to the first answer.
    dev: Duration,
    /// From the edit to the first new answer.
    edit: Duration,
}

macro_rules! languages {
    ($($language:ident)*) => {
        $(
            #[test]
            fn $language() {
                from_nothing_to_an_answer(stringify!($language));
            }
        )*
    };
}

languages! { rust python typescript javascript go c cpp zig }

fn from_nothing_to_an_answer(language: &'static str) {
    let site = Site::new();
    let project = site.path("first-tool");

    let begun = Instant::now();
    run(site.path("").as_path(), &["new", "first-tool", "--lang", language]);
    let new = begun.elapsed();
    assert!(project.join("toolcell.toml").is_file(), "{language}: there is no toolcell.toml");

    let begun = Instant::now();
    run(&project, &["build", "--get"]);
    let build = begun.elapsed();
    assert!(project.join("build/first-tool.wasm").is_file(), "{language}: there is no component");

    let begun = Instant::now();
    let server = Dev::start(&project);
    let serving = server.event(Mark::START, "serving");
    assert_eq!((&serving["plugin"], &serving["language"]), (&json!("first-tool"), &json!(language)), "{serving}");
    server.in_service(Mark::START);
    let mut client = Client::connect(serving["url"].as_str().unwrap_or_default());
    assert_eq!(client.greet(), "Hello, Ada!", "{language}");
    let dev = begun.elapsed();

    let begun = Instant::now();
    let mark = server.output.mark();
    let source = source(&project);
    let text = fs::read_to_string(&source).expect("a source reads");
    fs::write(&source, text.replacen("Hello", "Good day", 1)).expect("a source can be written");
    server.in_service(mark);
    assert_eq!(client.greet(), "Good day, Ada!", "{language}");
    let edit = begun.elapsed();

    // A mistake is told, and leaves in service what was there.
    let mark = server.output.mark();
    fs::write(&source, format!("{text}\n}}{{ no language reads this\n")).expect("a source can be written");
    let failed = server.event(mark, "build-failed");
    assert_eq!(failed["in_service"], true, "{language}: {failed}");
    assert_eq!(client.greet(), "Good day, Ada!", "{language}");
    record(language, Took { new, build, dev, edit });
}

/// Runs a command of the binary in a folder, as an author does.
fn run(folder: &Path, words: &[&str]) {
    let ran = toolcell(folder, words).output().expect("toolcell can be started");
    let (said, log) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "`toolcell {}` failed ({}):\n{said}\n{log}", words.join(" "), ran.status);
}

fn toolcell(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(artifacts::toolcell());
    command.args(words).current_dir(folder).env("TOOLCELL_TOOLS", artifacts::tools()).env("NO_COLOR", "1");
    command.stdin(Stdio::null());
    // What cargo says to these tests is not said to an author.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO") && name != "CARGO_HOME" {
            command.env_remove(name);
        }
    }
    command
}

/// The file in which the greeting stands.
fn source(project: &Path) -> PathBuf {
    let mut folders = vec![project.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder reads").flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            let made = name.starts_with('.') || ["build", "target", "node_modules"].contains(&name.as_str());
            // Unit tests may say it as well.
            let made = made || name.contains("test");
            if path.is_dir() && !made {
                folders.push(path);
            } else if path.is_file() && !name.ends_with(".md") && !made {
                let text = fs::read_to_string(&path).unwrap_or_default();
                found.extend(text.contains("Hello").then_some(path));
            }
        }
    }
    match found.as_slice() {
        [source] => source.clone(),
        _ => panic!("the word Hello stands in {found:?}, and not in one source"),
    }
}

/// A running `toolcell dev`. It is killed when this is dropped; if the test is failing then, what it said is printed.
struct Dev {
    process: Child,
    output: Log,
    log: Log,
}

impl Dev {
    fn start(project: &Path) -> Self {
        let mut command = toolcell(project, &["dev", "--json", "--http", "127.0.0.1:0"]);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("dev can be started");
        let output = Log::follow(process.stdout.take().expect("stdout is piped"));
        let log = Log::follow(process.stderr.take().expect("stderr is piped"));
        Self { process, output, log }
    }

    /// Waits for the next event of this kind.
    fn event(&self, since: Mark, kind: &str) -> Value {
        let line = self.output.wait_for(since, &[&format!(r#""event":"{kind}""#)]);
        serde_json::from_str(&line).unwrap_or_else(|why| panic!("no JSON ({why}): {line}"))
    }

    /// Waits until a build since the mark is in service.
    fn in_service(&self, since: Mark) {
        let built = self.event(since, "built");
        assert!(built["bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{built}");
        // What was in service before may be announced only now; what was just built is known by its digest.
        let digest = built["digest"].as_str().expect("a digest");
        let line = self.output.wait_for(since, &[r#""event":"in-service""#, r#""greet""#, digest]);
        let told: Value = serde_json::from_str(&line).unwrap_or_default();
        assert_eq!(told["problems"], json!([]), "{told}");
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("---- dev said:\n{}\n{}\n----", self.output.all(), self.log.all());
        }
    }
}

/// The official Python client, in one session for all its calls.
struct Client {
    process: Child,
    input: ChildStdin,
    output: Log,
    log: Log,
    read: Mark,
}

impl Client {
    fn connect(url: &str) -> Self {
        let mut python = Command::new(artifacts::client("python-mcp1"));
        python.arg("-B").arg(artifacts::client_sources().join("python/ask.py")).arg(url);
        let python = python.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = python.spawn().expect("the client can be started");
        let input = process.stdin.take().expect("stdin is piped");
        let output = Log::follow(process.stdout.take().expect("stdout is piped"));
        let log = Log::follow(process.stderr.take().expect("stderr is piped"));
        Self { process, input, output, log, read: Mark::START }
    }

    fn greet(&mut self) -> String {
        let call = json!({ "tool": "greet", "arguments": { "name": "Ada" } });
        writeln!(self.input, "{call}").and_then(|()| self.input.flush()).expect("the client reads");
        let line = self.output.wait_for(self.read, &[]);
        self.read = self.read.next();
        serde_json::from_str(&line).unwrap_or_else(|why| panic!("no JSON ({why}): {line}"))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("---- the client said:\n{}\n{}\n----", self.output.all(), self.log.all());
        }
    }
}

/// Puts a row into the table, and writes the table anew.
fn record(language: &str, took: Took) {
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    let place = LANGUAGES.iter().position(|known| *known == language).expect("the language is in the table");
    table.insert(place, took);
    let mut text = "| language | `new` | `build` | `dev` to the first answer | from `new` to the first answer | edit to the new answer |\n\
        | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for (place, Took { new, build, dev, edit }) in table.iter() {
        let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
        let all = [*new, *build, *dev, *new + *build + *dev, *edit].map(seconds).join(" | ");
        writeln!(text, "| {} | {all} |", LANGUAGES[*place]).expect("a string can be written to");
    }
    fs::write(artifacts::report("new-project.md"), text).expect("the table can be written");
}
