//! What came of the checks, for people and for programs.

use super::super::terminal::Paint;
use serde_json::{Value, json};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// There was nothing to check.
    Skip,
    /// It is as it should be.
    Pass,
    /// It works, and could be better.
    Warn,
    /// It has to be mended.
    Fail,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }

    fn painted(self, paint: Paint) -> String {
        match self {
            Self::Skip => paint.faint(self.as_str()),
            Self::Pass => paint.good(self.as_str()),
            Self::Warn => paint.doubtful(self.as_str()),
            Self::Fail => paint.bad(self.as_str()),
        }
    }
}

/// One thing a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) verdict: Verdict,
    /// What is wrong.
    pub(super) what: String,
    /// How to mend it.
    pub(super) fix: String,
}

/// One check and what it found.
#[derive(Clone, Debug)]
pub(super) struct Check {
    /// A stable name.
    pub(super) name: &'static str,
    /// Why there is such a check.
    why: &'static str,
    /// What was looked at, in numbers.
    pub(super) summary: String,
    skipped: bool,
    pub(super) notes: Vec<Note>,
}

impl Check {
    pub(super) fn new(name: &'static str, why: &'static str) -> Self {
        Self { name, why, summary: String::new(), skipped: false, notes: Vec::new() }
    }

    pub(super) fn fail(&mut self, what: impl Into<String>, fix: impl Into<String>) {
        self.note(Verdict::Fail, what.into(), fix.into());
    }

    pub(super) fn warn(&mut self, what: impl Into<String>, fix: impl Into<String>) {
        self.note(Verdict::Warn, what.into(), fix.into());
    }

    /// Nothing could be checked.
    pub(super) fn skip(&mut self, why: impl Into<String>) {
        (self.skipped, self.summary) = (true, why.into());
    }

    fn note(&mut self, verdict: Verdict, what: String, fix: String) {
        let note = Note { verdict, what, fix };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        let worst = self.notes.iter().map(|note| note.verdict).max();
        worst.unwrap_or(if self.skipped { Verdict::Skip } else { Verdict::Pass })
    }

    /// The check in words: one line, and one for each note.
    pub(super) fn text(&self, paint: Paint) -> String {
        let verdict = self.verdict();
        let mut text = format!("{}  {:<14}{}", verdict.painted(paint), self.name, self.summary);
        for note in &self.notes {
            let fix = if note.fix.is_empty() { String::new() } else { format!("\n          → {}", note.fix) };
            text += &format!("\n        {}{}", note.what.replace('\n', "\n        "), paint.faint(&fix));
        }
        if verdict == Verdict::Fail {
            text += &format!("\n        {}", paint.faint(&format!("why: {}", self.why)));
        }
        text
    }

    fn json(&self) -> Value {
        let notes: Vec<Value> = self
            .notes
            .iter()
            .map(|note| json!({"verdict": note.verdict.as_str(), "what": note.what, "fix": note.fix}))
            .collect();
        json!({
            "name": self.name, "verdict": self.verdict().as_str(), "summary": self.summary, "why": self.why, "notes": notes,
        })
    }
}

/// All checks of one plugin.
#[derive(Default)]
pub(super) struct Report {
    pub(super) checks: Vec<Check>,
}

impl Report {
    pub(super) fn count(&self, verdict: Verdict) -> usize {
        self.checks.iter().filter(|check| check.verdict() == verdict).count()
    }

    pub(super) fn verdict(&self, paint: Paint) -> String {
        let [passed, warned, failed, skipped] =
            [Verdict::Pass, Verdict::Warn, Verdict::Fail, Verdict::Skip].map(|verdict| self.count(verdict));
        let mut text = match failed {
            0 => paint.good(&format!("{passed} passed")),
            _ => paint.bad(&format!("{failed} failed")) + &format!(", {passed} passed"),
        };
        for (count, what) in [(warned, "with warnings"), (skipped, "skipped")] {
            if count > 0 {
                text += &format!(", {count} {what}");
            }
        }
        text
    }

    pub(super) fn json(&self, plugin: &str) -> Value {
        let checks: Vec<Value> = self.checks.iter().map(Check::json).collect();
        json!({
            "plugin": plugin, "ok": self.count(Verdict::Fail) == 0, "passed": self.count(Verdict::Pass),
            "warned": self.count(Verdict::Warn), "failed": self.count(Verdict::Fail),
            "skipped": self.count(Verdict::Skip), "checks": checks,
        })
    }
}
