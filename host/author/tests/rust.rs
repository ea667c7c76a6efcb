//! From nothing to a component, in Rust: whoever builds this crate has the toolchain.

use serde_json::Value;
use std::fs;
use std::path::Path;
use toolcell_author::{Error, Language, Options, Project, Report, build, new, test};
use wasmparser::{Parser, Payload};

/// Has cargo keep what it compiles from one run of the tests to the next.
fn keep_what_is_compiled(dir: &Path) {
    fs::create_dir_all(dir.join(".cargo")).unwrap();
    let target = format!("[build]\ntarget-dir = {:?}\n", Path::new(env!("CARGO_TARGET_TMPDIR")).join("author"));
    fs::write(dir.join(".cargo/config.toml"), target).unwrap();
}

/// The component, and what was said while it was built.
fn built(dir: &Path) -> Result<(Vec<u8>, Vec<Report>), Error> {
    let mut said = Vec::new();
    let built = build(&Project::open(dir)?, &Options::default(), &mut |report| said.push(report))?;
    let bytes = fs::read(&built.component).unwrap();
    assert_eq!(built.bytes, bytes.len() as u64);
    Ok((bytes, said))
}

fn section<'a>(component: &'a [u8], name: &str) -> Option<&'a [u8]> {
    Parser::new(0).parse_all(component).find_map(|payload| match payload.unwrap() {
        Payload::CustomSection(section) if section.name() == name => Some(section.data()),
        _ => None,
    })
}

#[test]
fn a_new_project_is_built_tested_and_built_again() {
    let dir = tempfile::tempdir().unwrap();
    let dir = new(&dir.path().join("hello-world"), "hello-world", Language::Rust).unwrap().dir;
    keep_what_is_compiled(&dir);
    let (first, said) = built(&dir).unwrap();
    assert_eq!(said.first(), Some(&Report::Step("compiling with cargo".to_owned())));
    let manifest: Value = serde_json::from_slice(section(&first, "toolcell:manifest").unwrap()).unwrap();
    assert_eq!((&manifest["name"], &manifest["version"]), (&"hello-world".into(), &"0.1.0".into()));
    assert_eq!(manifest["description"], "Greets people.");

    let ran = test(&Project::open(&dir).unwrap(), &mut |_| {}).unwrap();
    assert_eq!(ran.as_deref(), Some("cargo test --quiet"));

    let source = dir.join("src/lib.rs");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, text.replace("Hello, ", "Welcome, ")).unwrap();
    assert_ne!(built(&dir).unwrap().0, first);

    fs::write(&source, "fn").unwrap();
    let error = built(&dir).unwrap_err();
    assert!(
        matches!(&error, Error::Tool { tool, last, .. } if tool == "cargo" && last.contains("src/lib.rs:1")),
        "{error}"
    );
}

#[test]
fn plain_wit_keeps_its_comments() {
    let dir = tempfile::tempdir().unwrap();
    let wit_bindgen = "wit-bindgen = { version = \"=0.61.1\", default-features = false, features = [\"macros\", \"realloc\", \"std\", \"bitflags\"] }";
    let files = [
        ("Cargo.toml", format!("[package]\nname = \"adder\"\nversion = \"0.2.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[dependencies]\n{wit_bindgen}\n[workspace]\n")),
        ("plugin.toml", "world = \"adder\"\n[requests]\nenv = [{ name = \"TZ\", why = \"local time\" }]\n".to_owned()),
        ("wit/world.wit", "package local:adder;\nworld adder {\n  /// Adds two numbers.\n  export add: func(a: u8, b: u8) -> u16;\n}\n".to_owned()),
        ("src/lib.rs", "wit_bindgen::generate!({ path: \"wit\" });\nstruct Adder;\nimpl Guest for Adder {\n    fn add(a: u8, b: u8) -> u16 { u16::from(a) + u16::from(b) }\n}\nexport!(Adder);\n".to_owned()),
    ];
    for (path, text) in &files {
        let file = dir.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    keep_what_is_compiled(dir.path());
    let (component, _) = built(dir.path()).unwrap();
    let docs = section(&component, "package-docs").unwrap();
    assert!(String::from_utf8_lossy(docs).contains("Adds two numbers."));
    let manifest: Value = serde_json::from_slice(section(&component, "toolcell:manifest").unwrap()).unwrap();
    assert_eq!((&manifest["name"], &manifest["version"]), (&"adder".into(), &"0.2.0".into()));
    assert_eq!(manifest["requests"]["env"][0]["name"], "TZ");
}
