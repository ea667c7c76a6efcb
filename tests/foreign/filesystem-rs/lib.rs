//! Reads what it was granted, through the standard library.

use std::fs;
use std::path::Path;

wit_bindgen::generate!({ path: "filesystem-rs/wit" });

struct Files;

fn said(path: &str) -> impl Fn(std::io::Error) -> String {
    move |why| format!("{path}: {why}")
}

impl Guest for Files {
    fn list_directory(path: String) -> Result<Vec<String>, String> {
        let mut lines = Vec::new();
        for entry in fs::read_dir(&path).map_err(said(&path))? {
            let entry = entry.map_err(said(&path))?;
            let kind = if entry.path().is_dir() { "[DIR]" } else { "[FILE]" };
            lines.push(format!("{kind} {}", entry.file_name().to_string_lossy()));
        }
        lines.sort();
        Ok(lines)
    }

    fn read_file(path: String) -> Result<String, String> {
        fs::read_to_string(&path).map_err(said(&path))
    }

    fn search_file(path: String, pattern: String) -> Result<String, String> {
        let mut found = Vec::new();
        search(Path::new(&path), &pattern.to_lowercase(), &mut found).map_err(said(&path))?;
        found.sort();
        Ok(found.join("\n"))
    }

    fn get_file_info(path: String) -> Result<String, String> {
        let info = fs::metadata(&path).map_err(said(&path))?;
        Ok(format!("{} of {} bytes", if info.is_dir() { "directory" } else { "file" }, info.len()))
    }
}

fn search(folder: &Path, pattern: &str, found: &mut Vec<String>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if name.contains(pattern) {
            found.push(path.display().to_string());
        }
        if path.is_dir() {
            search(&path, pattern, found)?;
        }
    }
    Ok(())
}

export!(Files);
