//! The revisions of the protocol and what each of them can carry.

use std::fmt;

/// A published revision, oldest first, so that `revision >= Revision::V2025_06_18` reads as "since".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    /// `2024-11-05`, the first.
    V2024_11_05,
    /// `2025-03-26`: Streamable HTTP, batches, tool annotations, audio.
    V2025_03_26,
    /// `2025-06-18`: structured results, titles, resource links, elicitation.
    V2025_06_18,
    /// `2025-11-25`: icons, URL elicitation, the last one with a handshake.
    V2025_11_25,
    /// `2026-07-28`: every request stands alone.
    V2026_07_28,
}

impl Revision {
    /// Every revision this host speaks, oldest first.
    pub const ALL: [Self; 5] =
        [Self::V2024_11_05, Self::V2025_03_26, Self::V2025_06_18, Self::V2025_11_25, Self::V2026_07_28];

    /// The revision offered to a client whose wish is unknown to us in `initialize`.
    pub const NEWEST_WITH_HANDSHAKE: Self = Self::V2025_11_25;

    /// The revisions whose requests stand alone, newest first: what `server/discover` names. The older ones are left
    /// out on purpose, for a client could not use them that way; it gets them from `initialize`.
    pub const PER_REQUEST: [Self; 1] = [Self::V2026_07_28];

    /// The revision of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == name)
    }

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// Its place in [`Revision::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether a request carries all that is needed to serve it, and no handshake exists.
    pub const fn is_per_request(self) -> bool {
        matches!(self, Self::V2026_07_28)
    }

    /// What `initialize` settles on for a client that asks for `requested`.
    /// Source: 2025-11-25, lifecycle, "Version Negotiation".
    pub fn negotiate(requested: &str) -> Self {
        match Self::parse(requested) {
            Some(revision) if !revision.is_per_request() => revision,
            _ => Self::NEWEST_WITH_HANDSHAKE,
        }
    }

    /// Whether several messages may come in one JSON array. `2025-03-26` says so itself, `2024-11-05` only through
    /// JSON-RPC; later revisions forbid it.
    pub const fn has_batches(self) -> bool {
        matches!(self, Self::V2024_11_05 | Self::V2025_03_26)
    }

    /// Whether tools have `annotations`, content has `audio`, and progress has a `message`.
    pub fn has_tool_annotations(self) -> bool {
        self >= Self::V2025_03_26
    }

    /// Whether tools have `title`, `outputSchema` and `_meta`, and results `structuredContent` and `resource_link`.
    pub fn has_structure(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// Whether tools and resources have `icons`, and implementations a description.
    pub fn has_icons(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// Whether a stream may open with an event that has an ID and no data, for the client to come back to.
    pub fn has_priming_event(self) -> bool {
        self == Self::V2025_11_25
    }

    /// Whether structured results may be any JSON value; before, they were objects.
    pub fn has_any_structure(self) -> bool {
        self.is_per_request()
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Revision;

    #[test]
    fn names_round_trip_and_index_is_position() {
        for (index, revision) in Revision::ALL.into_iter().enumerate() {
            assert_eq!(Revision::parse(revision.as_str()), Some(revision));
            assert_eq!(revision.index(), index);
        }
    }

    #[test]
    fn negotiation_answers_with_the_wish_or_the_newest_that_has_a_handshake() {
        for (requested, settled) in [
            ("2024-11-05", "2024-11-05"),
            ("2025-03-26", "2025-03-26"),
            ("2025-06-18", "2025-06-18"),
            ("2025-11-25", "2025-11-25"),
            ("2026-07-28", "2025-11-25"),
            ("1999-01-01", "2025-11-25"),
            ("2099-01-01", "2025-11-25"),
            ("", "2025-11-25"),
        ] {
            assert_eq!(Revision::negotiate(requested).as_str(), settled, "asked for {requested:?}");
        }
    }
}
