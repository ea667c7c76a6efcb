//! What `componentize-py` says when it fails, as an error of the plugin's source where it is one.

use super::Cx;
use super::world::Interfaces;
use crate::Error;
use std::path::{Path, PathBuf};

/// How a run ended that did not make a component.
pub(super) enum Failure {
    /// The world has not what the plugin needs, or more than that.
    Needs(Interfaces),
    /// Anything else.
    Failed(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What the SDK says when the world is not the right one; its `_component.py` knows the word too.
const MISMATCH: &str = "RuntimeError: toolcell-world ";

/// Reads what was said.
pub(super) fn read(cx: &Cx<'_>, said: &str, status: &str, folders: &[&Path]) -> Failure {
    let said = python_said(said);
    if let Some(needed) = said.lines().find_map(|line| line.strip_prefix(MISMATCH)) {
        return Failure::Needs(Interfaces::parse(needed));
    }
    let shown = with_paths(&said, folders, &cx.project.dir);
    let last = shown.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let Some((file, line)) = place(&shown, &cx.project.dir) else {
        let last = shown.lines().rev().take(12).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
        return Failure::Failed(Error::Tool { tool: "componentize-py".to_owned(), status: status.to_owned(), last });
    };
    for line in shown.lines() {
        cx.output(line);
    }
    let message = match remedy(last) {
        Some(remedy) => format!("{last}; {remedy}"),
        None => last.to_owned(),
    };
    Failure::Failed(Error::Project { file, line: Some(line), message })
}

/// The part that Python itself said: not the stack of the program around it, and none of the frames before the plugin's own.
fn python_said(said: &str) -> String {
    let said = said.rsplit("AssertionError: ").next().unwrap_or(said);
    let said = said.split("\n\nCaused by:").next().unwrap_or(said);
    let said = said.split("\n\nStack backtrace:").next().unwrap_or(said);
    let mut kept = Vec::new();
    let mut skipping = false;
    for line in said.trim().lines() {
        if line.trim_start().starts_with("File \"") {
            skipping = line.contains("toolcell_entry.py") || line.contains("/toolcell/_component.py");
        } else if !line.starts_with(' ') {
            skipping = false;
        }
        if !skipping {
            kept.push(line);
        }
    }
    kept.join("\n")
}

/// Inside, the folders are called `/0`, `/1`, … in their order.
fn with_paths(said: &str, folders: &[&Path], project: &Path) -> String {
    let mut said = said.to_owned();
    for (index, folder) in folders.iter().enumerate() {
        let below = folder.strip_prefix(project).unwrap_or(folder).to_string_lossy().into_owned();
        let below = if below.is_empty() { below } else { format!("{below}/") };
        said = said.replace(&format!("File \"/{index}/"), &format!("File \"{below}"));
    }
    said
}

/// The last place in the plugin's own source that the traceback names.
fn place(shown: &str, project: &Path) -> Option<(PathBuf, usize)> {
    shown.lines().rev().find_map(|line| {
        let (file, rest) = line.trim_start().strip_prefix("File \"")?.split_once("\", line ")?;
        let number = rest.split(',').next()?.trim().parse().ok()?;
        let own = !file.starts_with(['/', '.', '<']);
        own.then(|| (project.join(file), number))
    })
}

fn remedy(error: &str) -> Option<String> {
    let module = error.strip_prefix("ModuleNotFoundError: No module named '")?.strip_suffix('\'')?;
    let package = module.split('.').next().unwrap_or(module);
    Some(match package {
        "_ssl" | "ssl" | "_ctypes" | "ctypes" | "_multiprocessing" | "_sqlite3" | "sqlite3" | "_tkinter"
        | "_curses" => format!(
            "Python in a component has no {}, because it needs what only an operating system has; do without it \
             (HTTP: `from toolcell import http`)",
            package.trim_start_matches('_')
        ),
        _ => format!("if {package} is a package, add it to requirements.txt"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = r#"Traceback (most recent call last):
  File "/v/bin/componentize-py", line 8, in <module>
    sys.exit(script())
AssertionError: Traceback (most recent call last):
  File "/1/toolcell_entry.py", line 2, in <module>
    import app
  File "/0/app.py", line 3, in <module>
    import requests
ModuleNotFoundError: No module named 'requests'


Caused by:
    ModuleNotFoundError: No module named 'requests'
"#;

    #[test]
    fn the_traceback_is_that_of_the_plugin() {
        let said = python_said(SAID);
        assert_eq!(
            said,
            "Traceback (most recent call last):\n  File \"/0/app.py\", line 3, in <module>\n    import requests\n\
             ModuleNotFoundError: No module named 'requests'"
        );
        let shown = with_paths(&said, &[Path::new("/p/src"), Path::new("/p/.toolcell/gen/entry")], Path::new("/p"));
        assert_eq!(place(&shown, Path::new("/p")), Some(("/p/src/app.py".into(), 3)));
        let remedy = remedy(shown.lines().last().unwrap()).unwrap();
        assert!(remedy.contains("requirements.txt"), "{remedy}");
    }

    #[test]
    fn what_no_component_has_is_not_looked_for_in_packages() {
        let text = remedy("ModuleNotFoundError: No module named '_ssl'").unwrap();
        assert!(text.contains("no ssl") && text.contains("toolcell import http"), "{text}");
        assert_eq!(remedy("NameError: name 'x' is not defined"), None);
    }
}
