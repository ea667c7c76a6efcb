//! C and C++: `zig cc`, which brings compiler, linker and C library for WebAssembly in one program.

use super::{Builder, Cx, Language, zig};
use crate::tools::Tool;
use crate::{Error, bindings};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) struct C;

impl Builder for C {
    fn tools(&self) -> &'static [Tool] {
        zig::TOOLS
    }

    fn build(&self, cx: &Cx<'_>) -> Result<Vec<u8>, Error> {
        let zig = zig::Program::of(cx)?;
        let sdk = cx.sdk("c")?;
        let sources = sources(cx)?;
        let library = zig.sdk_library(cx)?;
        cx.step(format_args!("compiling {} with zig cc", files(sources.len())));
        let module = zig.generated.join("module.wasm");
        let mut command = zig.command();
        command.args(dialect(cx.project.language));
        command.args([
            "-target",
            zig::TARGET,
            "-mexec-model=reactor",
            "-Wall",
            "-Wextra",
            "-g",
            zig::STACK,
            "-Wl,--gc-sections",
        ]);
        command.arg(if cx.options.debug { "-O1" } else { "-Os" });
        command.arg(including(&sdk)).arg(including(&cx.project.dir.join("include")));
        command.args(&cx.project.flags).args(&sources);
        command.arg("-Wl,--whole-archive").arg(&library).arg("-Wl,--no-whole-archive").arg("-o").arg(&module);
        cx.run(&mut command)?;
        bindings::component(&fs::read(&module).map_err(Error::io(&module))?, &[], cx.options.debug)
    }

    fn test(&self, cx: &Cx<'_>) -> Result<Option<Command>, Error> {
        let tests = in_folder(cx, &cx.project.dir.join("tests"));
        if tests.is_empty() {
            return Ok(None);
        }
        let zig = zig::Program::of(cx)?;
        let sdk = cx.sdk("c")?;
        let library = zig.testing_library(cx)?;
        cx.step(format_args!("compiling {} for this machine", files(tests.len())));
        let program = zig.generated.join("unit-tests");
        let mut command = zig.command();
        command.args(dialect(cx.project.language)).args(["-Wall", "-Wextra", "-g"]);
        command.arg(including(&sdk)).arg(including(&cx.project.dir.join("include"))).args(&cx.project.flags);
        command.args(sources(cx)?).args(tests).arg(&library).arg("-o").arg(&program);
        cx.run(&mut command)?;
        Ok(Some(Command::new(program)))
    }
}

/// The compiler, and which C or C++ it is.
fn dialect(language: Language) -> &'static [&'static str] {
    match language {
        // No exceptions: a trap is as good, and unwinding would double the size.
        Language::Cpp => &["c++", "-std=c++17", "-fno-exceptions", "-fno-rtti"],
        _ => &["cc", "-std=c11"],
    }
}

/// The sources that lie in a folder.
fn in_folder(cx: &Cx<'_>, folder: &Path) -> Vec<PathBuf> {
    let endings: &[&str] = match cx.project.language {
        Language::Cpp => &["cpp", "cc", "cxx"],
        _ => &["c"],
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_source =
        |file: &PathBuf| file.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known));
    let mut found: Vec<PathBuf> = entries.filter(is_source).collect();
    found.sort();
    found
}

fn including(folder: &Path) -> OsString {
    let mut flag = OsString::from("-I");
    flag.push(folder);
    flag
}

fn files(count: usize) -> String {
    if count == 1 { "one file".to_owned() } else { format!("{count} files") }
}

/// What is compiled: the entry of the project alone, or all of `src/` and the folder itself; `tests/` is not looked into.
fn sources(cx: &Cx<'_>) -> Result<Vec<PathBuf>, Error> {
    let dir = &cx.project.dir;
    if let Some(entry) = &cx.project.entry {
        return Ok(vec![dir.join(entry)]);
    }
    let found = [in_folder(cx, dir), in_folder(cx, &dir.join("src"))].concat();
    if found.is_empty() {
        let dir = dir.display();
        return Err(Error::other(format_args!("{dir} has no sources; put them into src/, with the ending .c or .cpp")));
    }
    Ok(found)
}
