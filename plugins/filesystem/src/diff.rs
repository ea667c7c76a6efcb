//! Unified diffs in the dress git and the `diff` package of npm give them.

use std::time::Duration;

use similar::{ChangeTag, DiffOp, TextDiff};

use crate::limits;

/// Unchanged lines shown around a change.
const CONTEXT: usize = 4;

/// The way from `old` to `new`, both texts of the file `path`.
pub fn unified(path: &str, old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let diff = TextDiff::configure().timeout(Duration::from_millis(limits::DIFF_MS)).diff_slices(&old, &new);
    let rule = "=".repeat(67);
    let mut text = format!("Index: {path}\n{rule}\n--- {path}\toriginal\n+++ {path}\tmodified\n");
    for hunk in diff.grouped_ops(CONTEXT) {
        text.push_str(&header(&hunk));
        for change in hunk.iter().flat_map(|op| diff.iter_changes(op)) {
            text.push(match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            });
            text.push_str(change.value());
            if !change.value().ends_with('\n') {
                text.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    text
}

/// `@@ -first,count +first,count @@`. An empty side begins at the line before it, as everywhere.
fn header(hunk: &[DiffOp]) -> String {
    let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
        return String::new();
    };
    let side = |start: usize, end: usize| {
        let count = end.saturating_sub(start);
        format!("{},{count}", if count == 0 { start } else { start + 1 })
    };
    let old = side(first.old_range().start, last.old_range().end);
    let new = side(first.new_range().start, last.new_range().end);
    format!("@@ -{old} +{new} @@\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The diff of a file `f` without its four lines of heading.
    fn hunks(old: &str, new: &str) -> String {
        let text = unified("f", old, new);
        let heading = format!("Index: f\n{}\n--- f\toriginal\n+++ f\tmodified\n", "=".repeat(67));
        text.strip_prefix(&heading).unwrap_or_else(|| panic!("{text}")).to_owned()
    }

    #[test]
    fn hunks_are_numbered_as_git_does() {
        for (old, new, expected) in [
            ("a\n", "a\n", ""),
            ("", "a\n", "@@ -0,0 +1,1 @@\n+a\n"),
            ("a\n", "", "@@ -1,1 +0,0 @@\n-a\n"),
            ("a\nb\n", "a\nc\n", "@@ -1,2 +1,2 @@\n a\n-b\n+c\n"),
            ("a", "a\n", "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n"),
        ] {
            assert_eq!(hunks(old, new), expected, "{old:?} -> {new:?}");
        }
    }

    #[test]
    fn far_changes_get_hunks_of_their_own() {
        let old: String = (1..=30).map(|n| format!("{n}\n")).collect();
        let new = old.replace("\n5\n", "\nfive\n").replace("\n25\n", "\n");
        assert_eq!(
            hunks(&old, &new),
            "@@ -1,9 +1,9 @@\n 1\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n 9\n@@ -21,9 +21,8 @@\n 21\n 22\n 23\n 24\n-25\n 26\n 27\n 28\n 29\n"
        );
    }
}
