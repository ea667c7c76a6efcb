//! What a guest managed to do, line by line.

use std::fmt;

/// Lines of `action:object:verdict:detail`. The verdict is `done` (the guest got what it wanted) or `refused` (it did
/// not); the detail is what it got, or the words of the refusal. Line feeds inside a detail become spaces.
#[derive(Default)]
pub struct Report(Vec<String>);

impl Report {
    /// An empty report.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what came of one attempt.
    pub fn add<T: fmt::Display, E: fmt::Display>(&mut self, action: &str, object: &str, outcome: Result<T, E>) {
        match outcome {
            Ok(got) => self.line(action, object, "done", &got.to_string()),
            Err(error) => self.line(action, object, "refused", &error.to_string()),
        }
    }

    fn line(&mut self, action: &str, object: &str, verdict: &str, detail: &str) {
        let detail = detail.replace(['\r', '\n'], " ");
        self.0.push(format!("{action}:{object}:{verdict}:{detail}"));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::Report;

    #[test]
    fn one_line_for_each_attempt() {
        let mut report = Report::new();
        report.add("read", "/etc/passwd", Err::<&str, _>("not permitted"));
        report.add("read", "/data/a", Ok::<_, &str>("two\nlines"));
        assert_eq!(report.to_string(), "read:/etc/passwd:refused:not permitted\nread:/data/a:done:two lines");
    }
}
