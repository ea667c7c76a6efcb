//! Replacing passages of a text file, with a diff of what changed.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::diff;
use crate::error::FsError;
use crate::limits;
use crate::mounts::Mounts;
use crate::path::Located;
use crate::{read, write};

// One replacement.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Edit {
    /// The passage to replace, copied from the file. Its first occurrence counts.
    pub old_text: String,
    /// What to put in its place.
    pub new_text: String,
}

/// Applies the edits one after the other and writes the file, unless `dry_run`. Answers with a fenced diff.
///
/// # Errors
///
/// `Refused` if a passage is not found or the file is not UTF-8; as for reading and writing.
pub fn edit_file(mounts: &Mounts, path: &str, edits: &[Edit], dry_run: bool) -> Result<String, FsError> {
    let at = if dry_run { mounts.locate(path)? } else { mounts.locate_writable(path)? };
    let file = load(&at)?;
    let original = file.replace("\r\n", "\n");
    let mut edited = original.clone();
    for edit in edits {
        edited = apply(&edited, &edit.old_text.replace("\r\n", "\n"), &edit.new_text.replace("\r\n", "\n"))
            .ok_or_else(|| {
                FsError::Refused(format!(
                    "could not find an exact match for an edit in {}; read the file and copy oldText from it. Not \
                     found:\n{}",
                    at.path, edit.old_text
                ))
            })?;
    }
    let diff = fenced(&diff::unified(&at.path, &original, &edited));
    // Checked before writing: an answer that cannot be delivered would hide that the file has changed.
    if diff.len() > limits::TEXT_BYTES {
        return Err(FsError::TooLarge {
            what: format!("the diff for {}", at.path),
            size: diff.len() as u64,
            limit: limits::TEXT_BYTES as u64,
            hint: "nothing was changed; edit less at once, or use write_file",
        });
    }
    if !dry_run {
        // Someone who works with Windows line ends wants to keep them.
        let only_crlf = file.contains("\r\n")
            && !original.contains('\r')
            && file.matches('\n').count() == file.matches("\r\n").count();
        write::replace(&at, if only_crlf { edited.replace('\n', "\r\n") } else { edited }.as_bytes())?;
    }
    Ok(diff)
}

fn load(at: &Located<'_>) -> Result<String, FsError> {
    let (file, size) = read::open(at)?;
    if size > limits::TEXT_BYTES as u64 {
        return Err(FsError::TooLarge {
            what: at.path.clone(),
            size,
            limit: limits::TEXT_BYTES as u64,
            hint: "files of that size cannot be edited here",
        });
    }
    let bytes = read::whole(file, at, size, limits::TEXT_BYTES)?;
    String::from_utf8(bytes)
        .map_err(|_| FsError::Refused(format!("{} is not UTF-8 text; editing it would damage it", at.path)))
}

/// Replaces the first occurrence of `old`, or the first lines that differ from it in indentation and trailing white
/// space only. `None` if there are neither.
fn apply(content: &str, old: &str, new: &str) -> Option<String> {
    if content.contains(old) {
        return Some(content.replacen(old, new, 1));
    }
    let lines: Vec<&str> = content.split('\n').collect();
    let wanted: Vec<&str> = old.split('\n').collect();
    let same = |found: &[&str]| found.iter().zip(&wanted).all(|(a, b)| a.trim() == b.trim());
    let start = lines.windows(wanted.len()).position(same)?;
    let (before, rest) = lines.split_at_checked(start)?;
    let (found, after) = rest.split_at_checked(wanted.len())?;

    let mut result: Vec<String> = before.iter().map(|line| (*line).to_owned()).collect();
    let mut model = ("", "");
    for (index, line) in new.split('\n').enumerate() {
        if let (Some(old), Some(found)) = (wanted.get(index), found.get(index)) {
            // An empty line says nothing about indentation: the last other one counts.
            if !old.trim().is_empty() {
                model = (old, found);
            }
        }
        result.push(match index {
            0 => format!("{}{}", indent(model.1), line.trim_start()),
            // One line does not tell how those after it were meant.
            _ if wanted.len() == 1 => line.to_owned(),
            _ => reindent(line, model.0, model.1),
        });
    }
    result.extend(after.iter().map(|line| (*line).to_owned()));
    Some(result.join("\n"))
}

fn indent(line: &str) -> &str {
    line.strip_suffix(line.trim_start()).unwrap_or_default()
}

/// Gives `line` the indentation of `found`, and as much more or less as it has compared to `old`.
fn reindent(line: &str, old: &str, found: &str) -> String {
    let body = line.trim_start();
    let (want, had, is) = (indent(line), indent(old), indent(found));
    if body.is_empty() {
        return line.to_owned();
    }
    if let Some(more) = want.strip_prefix(had) {
        return format!("{is}{more}{body}");
    }
    let (want, had) = (want.chars().count(), had.chars().count());
    let kept: String = is.chars().take((is.chars().count() + want).saturating_sub(had)).collect();
    format!("{kept}{}{body}", " ".repeat(want.saturating_sub(had)))
}

/// Puts a diff between as many backticks as it does not contain itself.
fn fenced(diff: &str) -> String {
    let mut fence = "```".to_owned();
    while diff.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}diff\n{diff}{fence}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[test]
    fn passages_are_found_and_replaced() {
        for (content, old, new, expected) in [
            ("a b a", "a", "$&", Some("$& b a")),
            ("one\ntwo\nthree\n", "two\nthree", "2\n3", Some("one\n2\n3\n")),
            ("x", "", "top\n", Some("top\nx")),
            ("one", "two", "2", None),
            ("one", "one\ntwo", "2", None),
            // Indentation is kept when only white space differs.
            (
                "    if a {\n        b();\n    }\n",
                "if a {\n    b();\n}",
                "if c {\n    d();\n}",
                Some("    if c {\n        d();\n    }\n"),
            ),
            (
                "\tif a {\n\t\tb();\n\t}\n",
                "if a {\n\tb();\n}",
                "if a {\n\tif b {\n\t\tc();\n\t}\n}",
                Some("\tif a {\n\t\tif b {\n\t\t\tc();\n\t\t}\n\t}\n"),
            ),
            ("  a  \n  b\n", "a\nb", "a\n  c", Some("  a\n    c\n")),
            ("    a \n      b\n", "  a\n    b", "  a\n  b", Some("    a\n    b\n")),
            ("  a \n\n  b\n", "a\n\nb", "a\nx\nb", Some("  a\n  x\n  b\n")),
            ("  a \n  b\n", "a\nb", "a\nb\n  c", Some("  a\n  b\n    c\n")),
        ] {
            assert_eq!(apply(content, old, new).as_deref(), expected, "{content:?} {old:?} {new:?}");
        }
    }

    fn edit(old: &str, new: &str) -> Vec<Edit> {
        vec![Edit { old_text: old.to_owned(), new_text: new.to_owned() }]
    }

    #[test]
    fn a_dry_run_shows_the_diff_and_writes_nothing() {
        let bench = Bench::new();
        bench.file("a", "one\ntwo\n");
        let dry = edit_file(&bench.mounts, "a", &edit("two", "2"), true).unwrap();
        assert_eq!(bench.content("a"), "one\ntwo\n");
        let wet = edit_file(&bench.mounts, "a", &edit("two", "2"), false).unwrap();
        assert_eq!(bench.content("a"), "one\n2\n");
        assert_eq!(dry, wet);
        assert!(
            dry.starts_with("```diff\nIndex: ") && dry.ends_with("@@ -1,2 +1,2 @@\n one\n-two\n+2\n```\n\n"),
            "{dry}"
        );
    }

    #[test]
    fn a_dry_run_is_possible_where_nothing_may_change() {
        let bench = Bench::new();
        bench.file("read-only/a", "one");
        assert!(edit_file(&bench.mounts, "read-only/a", &edit("one", "1"), true).is_ok());
        let text = edit_file(&bench.mounts, "read-only/a", &edit("one", "1"), false).unwrap_err().to_string();
        assert!(text.contains("mounted read-only"), "{text}");
    }

    #[test]
    fn all_edits_or_none() {
        let bench = Bench::new();
        bench.file("a", "one two");
        let mut edits = edit("one", "two");
        edits.extend(edit("three", "3"));
        let text = edit_file(&bench.mounts, "a", &edits, false).unwrap_err().to_string();
        assert!(text.contains("could not find an exact match") && text.ends_with("\nthree"), "{text}");
        assert_eq!(bench.content("a"), "one two");
        edits.pop();
        edits.extend(edit("two two", "done"));
        edit_file(&bench.mounts, "a", &edits, false).unwrap();
        assert_eq!(bench.content("a"), "done");
    }

    #[test]
    fn line_ends_stay_as_they_were() {
        let bench = Bench::new();
        for (before, after) in
            [("one\r\ntwo\r\n", "1\r\n\r\ntwo\r\n"), ("one\r\ntwo\n", "1\n\ntwo\n"), ("one\ntwo", "1\n\ntwo")]
        {
            bench.file("a", before);
            edit_file(&bench.mounts, "a", &edit("one\n", "1\r\n\n"), false).unwrap();
            assert_eq!(bench.content("a"), after);
        }
    }

    #[test]
    fn what_is_not_text_is_not_edited() {
        let bench = Bench::new();
        std::fs::write(bench.host("bin"), b"a\xff").unwrap();
        let text = edit_file(&bench.mounts, "bin", &edit("a", "b"), false).unwrap_err().to_string();
        assert!(text.contains("not UTF-8"), "{text}");
    }

    #[test]
    fn a_diff_too_large_to_show_changes_nothing() {
        let bench = Bench::new();
        bench.file("a", "x");
        let text =
            edit_file(&bench.mounts, "a", &edit("x", &"y".repeat(limits::TEXT_BYTES)), false).unwrap_err().to_string();
        assert!(text.contains("nothing was changed"), "{text}");
        assert_eq!(bench.content("a"), "x");
    }

    #[test]
    fn the_fence_is_longer_than_any_in_the_diff() {
        assert_eq!(fenced("+````\n"), "`````diff\n+````\n`````\n\n");
    }
}
