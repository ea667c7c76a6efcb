//! Counts attempts that came to nothing, and looks at why each did.

use toolcell_tests::http::Response;
use toolcell_tests::mcp::HANDSHAKE;

/// Attempts of one kind.
pub(super) struct Tally {
    kind: &'static str,
    /// What no answer to them may say.
    treasures: Vec<String>,
    count: usize,
}

impl Tally {
    /// None yet.
    pub(super) fn new(kind: &'static str, treasures: &[&str]) -> Self {
        Self { kind, treasures: treasures.iter().map(|text| (*text).to_owned()).collect(), count: 0 }
    }

    /// This attempt was answered so: with one of `reasons`, and nothing of the treasures.
    pub(super) fn refused(&mut self, what: &str, answer: &str, reasons: &[&str]) {
        let kind = self.kind;
        for treasure in &self.treasures {
            assert!(!answer.contains(treasure.as_str()), "{kind}: {what} got {treasure}: {answer}");
        }
        assert!(
            reasons.iter().any(|reason| answer.contains(reason)),
            "{kind}: {what} failed for another reason than one of {reasons:?}: {answer}"
        );
        self.count += 1;
    }

    /// This attempt was answered with this status, and nothing of the treasures.
    pub(super) fn status(&mut self, what: &str, answer: &Response, statuses: &[u16]) {
        assert!(statuses.contains(&answer.head.status), "{}: {what}: {:?} {}", self.kind, answer.head, answer.text());
        self.refused(what, &answer.text(), &[""]);
    }

    /// There were at least so many.
    pub(super) fn at_least(self, count: usize) {
        assert!(self.count >= count, "only {} attempts on {}", self.count, self.kind);
    }
}

/// A key as a header.
pub(super) fn bearer(key: &str) -> Vec<(&'static str, String)> {
    vec![("Authorization", format!("Bearer {key}"))]
}

/// All headers of a request in a session, for raw connections.
pub(super) fn in_session(key: Option<&str>, session: &str) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("Content-Type", "application/json".to_owned()),
        ("Accept", toolcell_tests::mcp::ACCEPT.to_owned()),
        ("MCP-Protocol-Version", HANDSHAKE.to_owned()),
        ("Mcp-Session-Id", session.to_owned()),
    ];
    headers.extend(key.into_iter().flat_map(bearer));
    headers
}

/// As raw requests take them.
pub(super) fn borrowed<'a>(headers: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    headers.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// Names that only look like this one, or are no names at all: what a guesser tries who knows it, or nearly does.
pub(super) fn alike(name: &str) -> Vec<String> {
    let flipped = |at: usize| {
        let mut bytes = name.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).expect("names are ASCII")
    };
    vec![
        name[1..].to_owned(),
        name[..name.len() - 1].to_owned(),
        format!("{name}A"),
        format!("A{name}"),
        name.to_lowercase().replace(|c: char| c.is_ascii_lowercase(), "z"),
        flipped(0),
        flipped(name.len() / 2),
        flipped(name.len() - 1),
        name.chars().rev().collect(),
        format!("{name},{name}"),
        "*".to_owned(),
        "../alice".to_owned(),
        "A".repeat(name.len()),
    ]
}
