//! One part of a long text.

/// Said after the last part of a page that was longer than the plugin reads.
const CUT: &str = "\n\n<error>The page is longer than this; the rest was not fetched.</error>";

/// At most `length` characters of `text` from the character `start` on, and how to get the next part. `cut` says that `text`
/// itself is not all there was.
pub fn part(text: &str, start: usize, length: usize, cut: bool) -> String {
    let from = text.char_indices().nth(start).map(|(at, _)| at);
    let Some(rest) = from.and_then(|at| text.get(at..)) else {
        return "<error>No more content available.</error>".to_owned();
    };
    let end = rest.char_indices().nth(length).map(|(at, _)| at);
    match end.and_then(|at| rest.get(..at)) {
        Some(part) => {
            let next = start.saturating_add(length);
            format!(
                "{part}\n\n<error>Content truncated. Call the fetch tool with a start_index of {next} to get more content.</error>"
            )
        }
        None if cut => format!("{rest}{CUT}"),
        None => rest.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truncated(part: &str, next: usize) -> String {
        format!(
            "{part}\n\n<error>Content truncated. Call the fetch tool with a start_index of {next} to get more content.</error>"
        )
    }

    #[test]
    fn parts_are_counted_in_characters() {
        let no_more = "<error>No more content available.</error>".to_owned();
        let cases = [
            ("héllo", 0, 5, "héllo".to_owned()),
            ("héllo", 0, 2, truncated("hé", 2)),
            ("héllo", 2, 2, truncated("ll", 4)),
            ("héllo", 4, 2, "o".to_owned()),
            ("héllo", 5, 2, no_more.clone()),
            ("héllo", 3, 2, "lo".to_owned()),
            ("", 0, 5, no_more.clone()),
            ("a", usize::MAX, usize::MAX, no_more),
            ("ab", 1, usize::MAX, "b".to_owned()),
        ];
        for (text, start, length, expected) in cases {
            assert_eq!(
                part(text, start, length, false),
                expected,
                "{text} {start} {length}"
            );
        }
    }

    #[test]
    fn the_end_says_if_it_is_not_the_end() {
        assert_eq!(part("abc", 0, 9, true), format!("abc{CUT}"));
        assert_eq!(part("abc", 0, 2, true), truncated("ab", 2));
    }
}
