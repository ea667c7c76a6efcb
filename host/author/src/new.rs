//! New projects, from templates. `templates/README.md` says how those work.

use crate::project::check_name;
use crate::{Error, Language, sdk};
use std::fs;
use std::path::{Path, PathBuf};

/// How a README says to connect clients.
const CLIENTS: &str = include_str!("new/clients.md");
/// Words that are no name of a crate, because they mean something else in Rust.
const NO_CRATES: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc_macro",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// A project that was written.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// Its folder, absolute.
    pub dir: PathBuf,
    /// Its files, relative to the folder.
    pub files: Vec<PathBuf>,
}

/// Writes a project into `dir`, which must be empty or not there.
///
/// # Errors
/// If the name is none, or the folder is not empty, or cannot be written.
pub fn new(dir: &Path, name: &str, language: Language) -> Result<NewProject, Error> {
    let dir = std::path::absolute(dir).map_err(Error::io(dir))?;
    check_name(name).map_err(|problem| Error::other(format_args!("the {problem}")))?;
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(Error::other(format_args!(
            "the name {name:?} begins with a digit, which names in {language} cannot; begin with a letter"
        )));
    }
    if language == Language::Rust && NO_CRATES.contains(&name) {
        return Err(Error::other(format_args!("a crate cannot be called {name:?}; write \"my-{name}\"")));
    }
    check_empty(&dir)?;
    let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for (path, content) in template("common").chain(template(language.as_str())) {
        let path = PathBuf::from(filled_in(path.strip_suffix(".in").unwrap_or(path), name));
        let content = match std::str::from_utf8(content) {
            Ok(text) => filled_in(text, name).into_bytes(),
            Err(_) => content.to_vec(),
        };
        files.retain(|(there, _)| *there != path);
        files.push((path, content));
    }
    for (path, content) in &files {
        let file = dir.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(Error::io(folder))?;
        }
        fs::write(&file, content).map_err(Error::io(&file))?;
    }
    // Editors and unit tests want the SDK before anything is built.
    sdk::unpack(&dir.join(".toolcell").join("sdk"))?;
    let mut files: Vec<PathBuf> = files.into_iter().map(|(path, _)| path).collect();
    files.sort();
    Ok(NewProject { dir, files })
}

/// A template's files.
fn template(folder: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    sdk::TEMPLATES.iter().filter_map(move |(path, content)| {
        let path = path.strip_prefix(folder)?.strip_prefix('/')?;
        Some((path, *content))
    })
}

/// A repository that was just begun counts as empty.
fn check_empty(dir: &Path) -> Result<(), Error> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io(dir)(error)),
    };
    match entries.flatten().find(|entry| entry.file_name() != ".git") {
        None => Ok(()),
        Some(entry) => Err(Error::other(format_args!(
            "{} is not empty (it holds {}); choose another name, or a folder with nothing in it",
            dir.display(),
            entry.file_name().display()
        ))),
    }
}

fn filled_in(text: &str, name: &str) -> String {
    // The section about clients holds the name as well.
    text.replace("{{clients}}", CLIENTS.trim_end())
        .replace("{{name}}", name)
        .replace("{{ident}}", &name.replace('-', "_"))
        .replace("{{type}}", &type_name(name))
        .replace("{{toolcell}}", env!("CARGO_PKG_VERSION"))
}

/// `hello-world` becomes `HelloWorld`.
fn type_name(name: &str) -> String {
    let words = name.split(['-', '_']).filter(|word| !word.is_empty());
    words.map(|word| format!("{}{}", word[..1].to_ascii_uppercase(), &word[1..])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Project;

    #[test]
    fn every_language_has_a_project_that_opens() {
        for language in Language::ALL {
            let dir = tempfile::tempdir().unwrap();
            let dir = dir.path().join("hello-world");
            let new = new(&dir, "hello-world", language).unwrap();
            let project = Project::open(&dir).unwrap();
            let read = (project.name.as_str(), project.version.as_str(), project.language);
            assert_eq!(read, ("hello-world", "0.1.0", language));
            let needed = ["README.md", "toolcell.toml", ".gitignore", ".vscode/settings.json", ".vscode/tasks.json"];
            for needed in needed.iter().chain([&".vscode/extensions.json"]) {
                assert!(new.files.iter().any(|file| file == Path::new(needed)), "{language}: {needed}");
            }
            for file in &new.files {
                let text = fs::read_to_string(dir.join(file)).unwrap();
                let left = ["{{name", "{{ident", "{{type", "{{clients", "{{toolcell"];
                assert!(!left.iter().any(|left| text.contains(left)), "{language}: {}", file.display());
            }
            let ignored = fs::read_to_string(dir.join(".gitignore")).unwrap();
            assert!(ignored.contains("/.toolcell/") && ignored.contains("/build/"), "{language}");
        }
    }

    #[test]
    fn names_and_folders_that_will_not_do() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |dir: &Path, name: &str| new(dir, name, Language::Rust).unwrap_err().to_string();
        let below = dir.path().join("p");
        assert!(refused(&below, "My Tool").ends_with("write \"my-tool\""), "{}", refused(&below, "My Tool"));
        assert!(refused(&below, "").ends_with("write \"my-plugin\""));
        assert!(refused(&below, "7up").ends_with("begin with a letter"));
        assert!(refused(&below, "match").ends_with("write \"my-match\""));
        assert!(!below.exists());

        fs::create_dir_all(below.join(".git")).unwrap();
        new(&below, "p", Language::Rust).unwrap();
        assert!(refused(&below, "p").contains("is not empty"));
    }

    #[test]
    fn names_of_types() {
        for (name, expected) in [("a", "A"), ("hello-world", "HelloWorld"), ("a_b2--c", "AB2C")] {
            assert_eq!(type_name(name), expected);
        }
    }
}
