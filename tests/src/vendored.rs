//! What is in `host/vendor` is what was published, and the patch beside it, and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

fn vendor() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository").join("host/vendor")
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("a folder is made");
        for entry in fs::read_dir(from).expect("the folder reads").flatten() {
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::copy(from, to).expect("a file is copied");
    }
}

fn checksums(folder: &Path, below: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(below).expect("the folder reads").flatten() {
        let path = entry.path();
        if path.is_dir() {
            checksums(folder, &path, found);
        } else {
            let name = path.strip_prefix(folder).expect("it lies below").to_string_lossy().into_owned();
            let digest = Sha256::digest(fs::read(&path).expect("a file reads"));
            found.insert(name, digest.iter().map(|byte| format!("{byte:02x}")).collect());
        }
    }
}

#[test]
fn wasmtime_is_the_published_crate_and_its_patch() {
    let published = fs::read_to_string(vendor().join("wasmtime.sha256")).expect("the checksums read");
    let published: BTreeMap<String, String> = published
        .lines()
        .map(|line| line.split_once("  ").expect("a checksum and a name"))
        .map(|(digest, name)| (name.to_owned(), digest.to_owned()))
        .collect();
    let scratch = tempfile::tempdir().expect("a temporary folder");
    for part in ["LICENSE", "README.md", "build.rs", "src"] {
        copy(&vendor().join("wasmtime").join(part), &scratch.path().join(part));
    }
    let mut patched = BTreeMap::new();
    checksums(scratch.path(), scratch.path(), &mut patched);
    assert_ne!(patched, published, "the patch is applied");
    let patch = vendor().join("wasmtime.patch");
    let undone = Command::new("git").current_dir(scratch.path()).args(["apply", "-R"]).arg(patch).output();
    let undone = undone.expect("git runs");
    assert!(undone.status.success(), "{}", String::from_utf8_lossy(&undone.stderr));
    let mut found = BTreeMap::new();
    checksums(scratch.path(), scratch.path(), &mut found);
    assert_eq!(found, published);
}
