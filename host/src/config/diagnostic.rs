//! Problems, with their place and their fix.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One problem in `toolcell.toml`. As text it is one line, `file:line:column: message, fix`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// The file.
    pub file: PathBuf,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// The plugin that is left out because of it; none if it concerns the whole file.
    pub plugin: Option<String>,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to write or do instead: lower case, no full stop.
    pub fix: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, plugin, message, fix } = self;
        write!(f, "{}:{line}:{column}: ", file.display())?;
        if let Some(plugin) = plugin {
            write!(f, "plugin `{plugin}`: ")?;
        }
        write!(f, "{message}, {fix}")
    }
}

/// One diagnostic on each line.
pub(super) fn lines(diagnostics: &[Diagnostic]) -> String {
    let lines: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// A problem before its place has been turned into line and column.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fault {
    span: Range<usize>,
    /// Whether it is about something that is not there.
    missing: bool,
    plugin: Option<String>,
    message: String,
    fix: String,
}

/// Collects problems: of one plugin after [`Faults::within`], else of the whole file.
#[derive(Debug, Default)]
pub(super) struct Faults {
    list: Vec<Fault>,
    plugin: Option<String>,
}

impl Faults {
    /// A collection for the problems of `plugin`.
    pub(super) fn within(plugin: &str) -> Self {
        Self { list: Vec::new(), plugin: Some(plugin.to_owned()) }
    }

    /// Adds one. `span` is in bytes of the text.
    pub(super) fn push(&mut self, span: Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        self.add(Fault { span, missing: false, plugin: self.plugin.clone(), message: message.into(), fix: fix.into() });
    }

    /// Adds one about something that is not there in the table at `span`. It is dropped in the end if something else is
    /// wrong within that table: then what is missing may be there, but misspelt.
    pub(super) fn push_missing(&mut self, span: Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        self.add(Fault { span, missing: true, plugin: self.plugin.clone(), message: message.into(), fix: fix.into() });
    }

    fn add(&mut self, fault: Fault) {
        if !self.list.contains(&fault) {
            self.list.push(fault);
        }
    }

    /// Adds one whose message already ends with its fix after the last comma, as those of `policy` do.
    pub(super) fn push_whole(&mut self, span: Range<usize>, text: &str) {
        let (message, fix) = text.rsplit_once(", ").unwrap_or((text, "correct it"));
        self.push(span, message, fix);
    }

    pub(super) fn append(&mut self, other: Self) {
        other.list.into_iter().for_each(|fault| self.add(fault));
    }

    /// Whether a problem lies within this plugin.
    pub(super) fn concern(&self, plugin: &str) -> bool {
        self.list.iter().any(|fault| fault.plugin.as_deref() == Some(plugin))
    }

    /// Whether a problem lies outside of every plugin.
    pub(super) fn are_fatal(&self) -> bool {
        self.list.iter().any(|fault| fault.plugin.is_none())
    }

    /// In the order of the file.
    pub(super) fn into_diagnostics(mut self, text: &str, file: &Path) -> Vec<Diagnostic> {
        let wrong: Vec<Range<usize>> =
            self.list.iter().filter(|fault| !fault.missing).map(|fault| fault.span.clone()).collect();
        let within = |span: &Range<usize>| wrong.iter().any(|wrong| span.start <= wrong.start && wrong.end <= span.end);
        self.list.retain(|fault| !(fault.missing && within(&fault.span)));
        self.list.sort_by_key(|fault| fault.span.start);
        let diagnostics = self.list.into_iter().map(|fault| {
            let Fault { span, missing: _, plugin, message, fix } = fault;
            let (line, column) = place(text, span.start);
            Diagnostic { file: file.to_owned(), line, column, plugin, message, fix }
        });
        diagnostics.collect()
    }
}

/// Line and column of a byte, both counted from 1.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).map_or(0, |line| line.chars().count());
    (before.matches('\n').count() + 1, column + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_from_one_and_in_characters() {
        let text = "a\nbü=c\n";
        for (byte, expected) in [(0, (1, 1)), (1, (1, 2)), (2, (2, 1)), (5, (2, 3)), (8, (3, 1)), (99, (3, 1))] {
            assert_eq!(place(text, byte), expected, "{byte}");
        }
    }

    #[test]
    fn faults_become_sorted_lines() {
        let mut faults = Faults::within("p");
        faults.push_whole(2..3, "b is wrong, write c");
        faults.push_whole(2..3, "b is wrong, write c");
        assert!(faults.concern("p") && !faults.concern("q") && !faults.are_fatal());
        let mut more = Faults::default();
        more.push(0..1, "a is wrong", "leave it out");
        faults.append(more);
        assert!(faults.are_fatal());
        let diagnostics = faults.into_diagnostics("a\nb", Path::new("x.toml"));
        assert_eq!(
            lines(&diagnostics),
            "x.toml:1:1: a is wrong, leave it out\nx.toml:2:1: plugin `p`: b is wrong, write c"
        );
    }
}
