//! What a person sees: colours where a terminal shows them, and nowhere else.

use std::io::{self, IsTerminal};

/// Colours words, or leaves them as they are.
#[derive(Clone, Copy)]
pub(super) struct Paint(bool);

impl Paint {
    /// For standard output.
    pub(super) fn stdout() -> Self {
        Self(colours(&io::stdout()))
    }

    /// For standard error.
    pub(super) fn stderr() -> Self {
        Self(colours(&io::stderr()))
    }

    pub(super) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.with("31", text)
    }

    pub(super) fn doubtful(self, text: &str) -> String {
        self.with("33", text)
    }

    pub(super) fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Whether a stream shows colours: it is a terminal, and nobody asked for none (<https://no-color.org>).
pub(super) fn colours(stream: &impl IsTerminal) -> bool {
    let said = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    stream.is_terminal() && said("NO_COLOR").is_none() && said("TERM").is_none_or(|term| term != "dumb")
}

/// Milliseconds with the digits that matter.
pub(super) fn milliseconds(micros: u64) -> String {
    let (whole, part) = (micros / 1_000, micros % 1_000);
    match whole {
        0 => format!("0.{part:03} ms"),
        1..10 => format!("{whole}.{:02} ms", part / 10),
        10..100 => format!("{whole}.{} ms", part / 100),
        _ => format!("{whole} ms"),
    }
}

/// Bytes in the unit a person would use.
pub(super) fn bytes(count: u64) -> String {
    match count {
        0..1_024 => format!("{count} bytes"),
        1_024..1_048_576 => format!("{} KiB", count.div_ceil(1_024)),
        _ => format!("{}.{} MiB", count >> 20, (count & 0xf_ffff) * 10 / 0x10_0000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_the_digits_that_matter() {
        for (micros, text) in [(7, "0.007 ms"), (1_239, "1.23 ms"), (45_678, "45.6 ms"), (123_456, "123 ms")] {
            assert_eq!(milliseconds(micros), text);
        }
        for (count, text) in [(5, "5 bytes"), (1_025, "2 KiB"), (3 << 19, "1.5 MiB")] {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn without_colours_a_word_stays_as_it_is() {
        assert_eq!(Paint(false).bad("no"), "no");
        assert_eq!(Paint(true).bad("no"), "\x1b[31mno\x1b[0m");
    }
}
