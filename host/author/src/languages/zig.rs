//! Zig, and what C and C++ share with it: the program, its cache, and the SDK's library.

use super::{Builder, Cx};
use crate::tools::{From, OnPath, Tool};
use crate::{Error, bindings};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) static TOOLS: &[Tool] = &[Tool {
    name: "zig",
    version: "0.17.1",
    // Zig's language and command line change with every version.
    on_path: Some(OnPath { oldest: "0.17", before: Some("0.18"), ask: &["version"] }),
    from: From::Pip { packages: &["ziglang==0.17.1"], program: "lib/*/site-packages/ziglang/zig" },
}];

pub(super) const TARGET: &str = "wasm32-wasi";

/// The stack, in bytes: Zig's default is 16 MiB, and all of it is memory of each cell.
pub(super) const STACK: &str = "-Wl,-z,stack-size=262144";

/// A plugin in Zig offers tools.
const OFFERS: [(&str, &str); 1] = [("", "tools")];

pub(super) struct Zig;

/// The program, ready to run.
pub(super) struct Program {
    path: PathBuf,
    /// Where everything compiled is kept. Projects share it: the C library and the SDK are the same for all, and Zig tells by
    /// content what has changed.
    cache: PathBuf,
    /// Where what is made on the way goes.
    pub(super) generated: PathBuf,
}

impl Program {
    pub(super) fn of(cx: &Cx<'_>) -> Result<Self, Error> {
        let [tool] = TOOLS else { return Err(Error::other("zig is not the only tool")) };
        let found = cx.tool(tool)?;
        let generated = cx.gen_dir()?;
        let beside = found.folder.as_deref().and_then(Path::parent).map(|tools| tools.join("zig-cache"));
        let cache = env::var_os("ZIG_GLOBAL_CACHE_DIR").map(PathBuf::from).or(beside).or_else(users_cache);
        Ok(Self { path: found.program, cache: cache.unwrap_or_else(|| generated.join("zig-cache")), generated })
    }

    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.env("ZIG_LOCAL_CACHE_DIR", &self.cache).env("ZIG_GLOBAL_CACHE_DIR", &self.cache);
        command
    }

    /// The C SDK as a library. Zig compiles only what has changed.
    pub(super) fn sdk_library(&self, cx: &Cx<'_>) -> Result<PathBuf, Error> {
        let unpacked = cx.sdk("c")?;
        // Paths as all projects have them, so that what is kept of one serves the others.
        let sdk = unpacked.strip_prefix(&cx.project.dir).unwrap_or(&unpacked);
        cx.step("compiling the SDK");
        let library = self.generated.join("libtoolcell.a");
        let mut command = self.command();
        command.args(["build-lib", "-static", "-target", TARGET, "-lc", "-OReleaseSmall", "-fno-strip"]);
        command.arg("-I").arg(sdk).arg(joined("-femit-bin=", &library)).args(["-cflags", "-std=c11", "--"]);
        for folder in ["src", "bindings"] {
            command.args(sources(&unpacked, sdk, folder)?);
        }
        cx.run(&mut command)?;
        Ok(library)
    }

    /// The same with a host for unit tests in place of the real one, for this machine.
    pub(super) fn testing_library(&self, cx: &Cx<'_>) -> Result<PathBuf, Error> {
        let unpacked = cx.sdk("c")?;
        let sdk = unpacked.strip_prefix(&cx.project.dir).unwrap_or(&unpacked);
        cx.step("compiling the SDK for this machine");
        let library = self.generated.join("libtoolcell_test.a");
        let mut command = self.command();
        command.args(["build-lib", "-static", "-lc", "-ODebug", "-fno-sanitize-c"]);
        command.arg("-I").arg(sdk).arg(joined("-femit-bin=", &library)).args(["-cflags", "-std=c11", "--"]);
        let mut files = sources(&unpacked, sdk, "src")?;
        // These are the real host.
        files.retain(|file| !["exports.c", "host.c", "http.c"].iter().any(|name| file.ends_with(name)));
        command.args(files).args(sources(&unpacked, sdk, "testing")?);
        cx.run(&mut command)?;
        Ok(library)
    }
}

/// The files in C in a folder of the SDK, with the paths under which `sdk` has them.
fn sources(unpacked: &Path, sdk: &Path, folder: &str) -> Result<Vec<PathBuf>, Error> {
    let there = unpacked.join(folder);
    let entries = fs::read_dir(&there).map_err(Error::io(&there))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| sdk.join(folder).join(entry.file_name())).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "c"));
    files.sort();
    Ok(files)
}

/// Where Zig keeps what it compiles for a user, on Unix.
fn users_cache() -> Option<PathBuf> {
    let caches = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let caches = caches.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cache")));
    Some(caches?.join("zig")).filter(|_| cfg!(unix))
}

impl Builder for Zig {
    fn tools(&self) -> &'static [Tool] {
        TOOLS
    }

    fn build(&self, cx: &Cx<'_>) -> Result<Vec<u8>, Error> {
        let zig = Program::of(cx)?;
        let library = zig.sdk_library(cx)?;
        let unpacked = cx.sdk("zig")?;
        let sdk = unpacked.strip_prefix(&cx.project.dir).unwrap_or(&unpacked);
        let entry = cx.project.entry.clone().unwrap_or_else(|| PathBuf::from("src/main.zig"));
        cx.step(format_args!("compiling {} with zig", entry.display()));
        let object = zig.generated.join("plugin.o");
        let mut compile = zig.command();
        compile.args(["build-obj", "-target", TARGET, "-lc", "-fno-strip", "--dep", "toolcell"]);
        compile.arg(if cx.options.debug { "-ODebug" } else { "-OReleaseSmall" });
        compile.args(&cx.project.flags);
        compile.arg(joined("-Mroot=", &entry)).arg(joined("-Mtoolcell=", &sdk.join("toolcell.zig")));
        compile.arg(joined("-femit-bin=", &object));
        cx.run(&mut compile)?;

        cx.step("linking");
        let module = zig.generated.join("module.wasm");
        let mut link = zig.command();
        link.args(["cc", "-target", TARGET, "-mexec-model=reactor", "-g", "-Os", STACK, "-Wl,--gc-sections"]);
        link.arg(&object).arg("-Wl,--whole-archive").arg(&library).arg("-Wl,--no-whole-archive").arg("-o").arg(&module);
        cx.run(&mut link)?;
        bindings::component(&fs::read(&module).map_err(Error::io(&module))?, &OFFERS, cx.options.debug)
    }

    fn test(&self, cx: &Cx<'_>) -> Result<Option<Command>, Error> {
        let zig = Program::of(cx)?;
        let library = zig.testing_library(cx)?;
        let unpacked = cx.sdk("zig")?;
        let sdk = unpacked.strip_prefix(&cx.project.dir).unwrap_or(&unpacked);
        let entry = cx.project.entry.clone().unwrap_or_else(|| PathBuf::from("src/main.zig"));
        let mut test = zig.command();
        test.args(["test", "-lc", "--dep", "toolcell"]).arg(joined("-Mroot=", &entry));
        test.arg(joined("-Mtoolcell=", &sdk.join("toolcell.zig"))).arg(&library);
        Ok(Some(test))
    }
}

fn joined(flag: &str, path: &Path) -> OsString {
    let mut whole = OsString::from(flag);
    whole.push(path);
    whole
}
