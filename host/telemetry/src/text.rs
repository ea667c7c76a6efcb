//! Strings with a bound, and times as text.

use std::fmt;
use std::time::SystemTime;

use jiff::Timestamp;

/// The text, cut to at most `max` bytes at a character's edge; what was cut shows as `…`.
pub(crate) fn clip(text: impl Into<String>, max: usize) -> String {
    let mut text = text.into();
    if text.len() <= max {
        return text;
    }
    let mut end = max.saturating_sub('…'.len_utf8());
    while end > 0 && !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.push('…');
    text
}

/// RFC 3339 in UTC with six digits of a second, so that every line has the same width: `2026-11-23T12:00:00.000000Z`.
/// A time that no calendar holds is the epoch.
pub(crate) struct Stamp(pub SystemTime);

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stamp = Timestamp::try_from(self.0).unwrap_or(Timestamp::UNIX_EPOCH);
        write!(f, "{stamp:.6}")
    }
}

/// A [`Stamp`] as text.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    Stamp(time).to_string()
}

/// Reads what [`rfc3339`] wrote.
pub(crate) fn parse_rfc3339(text: &str) -> Option<SystemTime> {
    text.parse::<Timestamp>().ok().map(SystemTime::from)
}

/// The UTC day of a time: `2026-11-23`.
pub(crate) fn utc_day(time: SystemTime) -> String {
    let mut day = rfc3339(time);
    day.truncate("2026-11-23".len());
    day
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    push_hex(&mut text, bytes);
    text
}

/// The same at the end of a text.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| char::from(DIGITS.get(usize::from(n & 15)).copied().unwrap_or(b'0'));
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(*byte));
    }
}

/// Lower-case hexadecimal of exactly `N` bytes; capitals are refused.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if text.len() != N.checked_mul(2)? {
        return None;
    }
    let mut out = [0; N];
    for (slot, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *slot = digit(*high)? << 4 | digit(*low)?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn cut_text_stays_text() {
        assert_eq!(clip("short", 5), "short");
        assert_eq!(clip("äöüäöü", 8), "äö…");
        assert_eq!(clip("abcdef", 0), "…");
    }

    #[test]
    fn times_have_one_width_and_come_back() {
        let time = UNIX_EPOCH + Duration::from_micros(1_795_435_200_000_000);
        assert_eq!(rfc3339(time), "2026-11-23T12:00:00.000000Z");
        assert_eq!(parse_rfc3339(&rfc3339(time)), Some(time));
        assert_eq!(utc_day(time), "2026-11-23");
    }

    #[test]
    fn hexadecimal_is_strict() {
        assert_eq!(hex(&[0, 0xab, 0xff]), "00abff");
        assert_eq!(unhex::<3>("00abff"), Some([0, 0xab, 0xff]));
        for bad in ["00ABFF", "00abf", "00abfff", "00abfg", ""] {
            assert_eq!(unhex::<3>(bad), None, "{bad}");
        }
    }
}
