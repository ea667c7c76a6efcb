//! Packages that the plugin depends on: of Python alone, because nothing else runs in a component.

use super::{COMPONENTIZE, Cx};
use crate::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use toml::{Table, Value};

/// The Python inside of components.
const PYTHON: &str = "3.14";

/// Installs what `requirements.txt` or `pyproject.toml` name into a folder of the project, and returns that; none if they name
/// nothing. What is installed stays until they change.
pub(super) fn installed(cx: &Cx<'_>) -> Result<Option<PathBuf>, Error> {
    let Some(Wanted { file, lines }) = wanted(&cx.project.dir)? else { return Ok(None) };
    let gen_dir = cx.gen_dir()?;
    let folder = gen_dir.join("site-packages");
    let stamp = gen_dir.join("site-packages.txt");
    let text = lines.join("\n") + "\n";
    if folder.is_dir() && fs::read_to_string(&stamp).is_ok_and(|there| there == text) {
        return Ok(Some(folder));
    }
    cx.step(format_args!("installing the packages of {}", name_of(&file)));
    if folder.is_dir() {
        fs::remove_dir_all(&folder).map_err(Error::io(&folder))?;
    }
    let list = gen_dir.join("requirements.txt");
    fs::write(&list, &text).map_err(Error::io(&list))?;
    let found = cx.tool(&COMPONENTIZE)?;
    let python = found.folder.map_or_else(|| PathBuf::from("python3"), |venv| venv.join("bin/python"));
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-compile"]);
    // Only wheels that hold nothing but Python, for the Python inside of components.
    pip.args(["--only-binary", ":all:", "--implementation", "py", "--abi", "none", "--platform", "any"]);
    pip.args(["--python-version", PYTHON, "--target"]).arg(&folder).arg("--requirement").arg(&list);
    let output = pip.output().map_err(|error| {
        Error::other(format_args!("pip cannot be started: {error}; install Python 3.10 or newer, with pip"))
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        said.lines().for_each(|line| cx.output(line));
        return Err(Error::Project { file, line: None, message: explained(&said) });
    }
    if let Some(native) = native_code(&folder) {
        let message = format!(
            "{} is native code, which no component can run; depend on packages written in Python alone",
            native.strip_prefix(&folder).unwrap_or(&native).display()
        );
        return Err(Error::Project { file, line: None, message });
    }
    fs::write(&stamp, text).map_err(Error::io(&stamp))?;
    Ok(Some(folder))
}

struct Wanted {
    file: PathBuf,
    lines: Vec<String>,
}

fn wanted(project: &Path) -> Result<Option<Wanted>, Error> {
    let requirements = project.join("requirements.txt");
    if requirements.is_file() {
        let text = fs::read_to_string(&requirements).map_err(Error::io(&requirements))?;
        return Ok(with_lines(requirements, text.lines().map(str::to_owned).collect()));
    }
    let pyproject = project.join("pyproject.toml");
    if !pyproject.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&pyproject).map_err(Error::io(&pyproject))?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| Error::Project {
        file: pyproject.clone(),
        line: None,
        message: error.message().to_owned(),
    })?;
    let dependencies = table.get("project").and_then(|project| project.get("dependencies")).and_then(Value::as_array);
    let lines = dependencies.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    Ok(with_lines(pyproject, lines))
}

/// The SDK itself is there already.
fn with_lines(file: PathBuf, lines: Vec<String>) -> Option<Wanted> {
    let is_word = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let lines: Vec<String> = lines
        .into_iter()
        .map(|line| line.split(" #").next().unwrap_or_default().trim().to_owned())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter(|line| line.split(|c| !is_word(c)).next() != Some("toolcell"))
        .collect();
    (!lines.is_empty()).then_some(Wanted { file, lines })
}

/// What pip says if a package has native wheels only, in words that help.
fn explained(said: &str) -> String {
    let missing =
        said.lines().find_map(|line| line.split_once("No matching distribution found for ").map(|(_, name)| name));
    match missing {
        Some(package) => format!(
            "{} has no wheel of Python alone; a component cannot run native code, so use another package, or a version that \
             has a wheel called …-none-any.whl",
            package.trim()
        ),
        None => {
            let last = said.lines().rev().find(|line| line.contains("ERROR")).unwrap_or("pip failed");
            format!("{}; check the names and versions of the packages", last.trim_start_matches("ERROR: "))
        }
    }
}

fn native_code(folder: &Path) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return native_code(&path);
        }
        let native = path.extension().is_some_and(|ending| ["so", "pyd", "dylib"].iter().any(|known| ending == *known));
        native.then_some(path)
    })
}

fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(name: &str, text: &str) -> Option<Vec<String>> {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(name), text).unwrap();
        wanted(dir.path()).unwrap().map(|wanted| wanted.lines)
    }

    #[test]
    fn only_packages_beside_the_sdk_are_installed() {
        assert_eq!(lines("requirements.txt", "# none yet\n\ntoolcell>=0.1\n"), None);
        assert_eq!(
            lines("requirements.txt", "toolcell\nattrs==25.3.0  # data\n"),
            Some(vec!["attrs==25.3.0".to_owned()])
        );
        let pyproject = "[project]\nname = \"x\"\ndependencies = [\"toolcell-extra\", \"toolcell\"]\n";
        assert_eq!(lines("pyproject.toml", pyproject), Some(vec!["toolcell-extra".to_owned()]));
        assert_eq!(lines("pyproject.toml", "[tool.ruff]\n"), None);
    }

    #[test]
    fn a_package_with_native_code_is_named() {
        let said = "ERROR: Could not find a version\nERROR: No matching distribution found for numpy==2.3.0\n";
        assert!(explained(said).starts_with("numpy==2.3.0 has no wheel of Python alone"));
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("p")).unwrap();
        assert_eq!(native_code(dir.path()), None);
        fs::write(dir.path().join("p/fast.cpython-314.so"), "").unwrap();
        assert!(native_code(dir.path()).is_some());
    }
}
