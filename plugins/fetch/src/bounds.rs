//! Keeps a page within what the parser and the extraction can hold: they keep every element in memory and call themselves
//! for each level, so a page of a few kilobytes could exhaust a plugin.

use std::borrow::Cow;
use std::collections::HashMap;

/// How deep elements may be nested. Browsers stop at 512; the extraction, on the stack a component gets, between 1,000 and
/// 10,000, and up to three elements that are not counted here can lie between two that are.
const DEPTH: usize = 200;

/// Elements that need no end tag, so that a missing one means nothing. None of them nests without one that is counted.
const OPTIONAL_END: [&str; 20] = [
    "html", "head", "body", "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot",
    "colgroup", "option", "optgroup", "rb", "rt", "rtc", "rp",
];

/// Elements that hold nothing.
const VOID: [&str; 13] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];

/// Elements whose content is text up to their end tag, whatever it looks like.
const TEXT: [&str; 5] = ["script", "style", "textarea", "title", "xmp"];

/// The first `bytes` bytes of a page and no more than `tags` tags of it, without the tags that would nest too deep; their
/// text stays. Also whether anything was cut off at the end.
pub fn bounded(html: &str, bytes: usize, tags: usize) -> (Cow<'_, str>, bool) {
    let shortened = html
        .get(..html.floor_char_boundary(bytes))
        .unwrap_or_default();
    let (kept, cut) = within_tags(shortened, tags);
    (kept, cut || shortened.len() < html.len())
}

fn within_tags(html: &str, tags: usize) -> (Cow<'_, str>, bool) {
    let mut nesting = Nesting::default();
    let mut kept = String::new();
    // Everything before it is in `kept` already.
    let mut copied = 0;
    let mut seen = 0;
    let mut at = 0;
    while let Some(start) = html
        .get(at..)
        .and_then(|rest| rest.find('<'))
        .map(|found| at + found)
    {
        let (tag, end) = tag_at(html, start);
        at = end;
        let drop = match tag {
            Tag::Start(_) | Tag::End(_) if seen == tags => {
                kept.push_str(html.get(copied..start).unwrap_or_default());
                return (Cow::Owned(kept), true);
            }
            Tag::Start(name) => {
                seen += 1;
                if TEXT.contains(&&*name) {
                    at = end_of_text(html, end, &name);
                    false
                } else {
                    nesting.open(name)
                }
            }
            Tag::End(name) => {
                seen += 1;
                nesting.close(&name)
            }
            Tag::None => false,
        };
        if drop {
            kept.push_str(html.get(copied..start).unwrap_or_default());
            copied = end;
        }
    }
    match copied {
        0 => (Cow::Borrowed(html), false),
        _ => {
            kept.push_str(html.get(copied..).unwrap_or_default());
            (Cow::Owned(kept), false)
        }
    }
}

/// The elements that are open at some place of a page.
#[derive(Default)]
struct Nesting {
    /// Those that were kept, from the outside to the inside.
    open: Vec<String>,
    /// How many of each name were not.
    dropped: HashMap<String, usize>,
}

impl Nesting {
    /// Whether the start tag of this element has to go.
    fn open(&mut self, name: String) -> bool {
        if VOID.contains(&&*name) || OPTIONAL_END.contains(&&*name) {
            return false;
        }
        if self.open.len() < DEPTH {
            self.open.push(name);
            return false;
        }
        *self.dropped.entry(name).or_default() += 1;
        true
    }

    /// Whether the end tag of this element has to go. It also ends what is still open inside.
    fn close(&mut self, name: &str) -> bool {
        if let Some(count) = self.dropped.get_mut(name).filter(|count| **count > 0) {
            *count -= 1;
            return true;
        }
        if let Some(place) = self.open.iter().rposition(|open| open == name) {
            self.open.truncate(place);
        }
        false
    }
}

/// What begins at a `<`.
enum Tag {
    /// A start tag, its name in lower case.
    Start(String),
    /// An end tag.
    End(String),
    /// A comment, a declaration, or just the character.
    None,
}

/// The tag that begins at `start`, and where it ends.
fn tag_at(html: &str, start: usize) -> (Tag, usize) {
    let rest = html.get(start + 1..).unwrap_or_default();
    if let Some(comment) = rest.strip_prefix("!--") {
        let end = comment
            .find("-->")
            .map_or(html.len(), |found| start + 4 + found + 3);
        return (Tag::None, end);
    }
    let (ends, name) = match rest.strip_prefix('/') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return (Tag::None, start + 1);
    }
    let name = name
        .split(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let end = end_of_tag(html, start);
    (
        if ends {
            Tag::End(name)
        } else {
            Tag::Start(name)
        },
        end,
    )
}

/// After the `>` that is in no quotes. A quote opens a value only after an equals sign.
fn end_of_tag(html: &str, start: usize) -> usize {
    let mut quote = None;
    let mut value = false;
    for (at, byte) in html.bytes().enumerate().skip(start) {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') if value => {
                quote = Some(byte);
                value = false;
            }
            (None, b'=') => value = true,
            (None, _) if byte.is_ascii_whitespace() => {}
            (None, _) => value = false,
        }
    }
    html.len()
}

/// Where the end tag of an element of text begins.
fn end_of_text(html: &str, start: usize, name: &str) -> usize {
    let rest = html.as_bytes().get(start..).unwrap_or_default();
    let closes = |at: &usize| {
        let after = rest.get(at + 2..at + 2 + name.len());
        after.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
    };
    let candidates = html.get(start..).unwrap_or_default().match_indices("</");
    candidates
        .map(|(at, _)| at)
        .find(closes)
        .map_or(html.len(), |at| start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_page_stays_as_it_is() {
        let page = "<!doctype html><html><!-- <div> --><script>if (a<b) '<div>'</script><p>a<p>b<br><img src='>'>\
            <a title=\"<div>\" href=x>c</a> 1 < 2 <3</html>";
        assert!(matches!(within_tags(page, 100), (Cow::Borrowed(same), false) if same == page));
    }

    #[test]
    fn paragraphs_and_items_without_end_tags_do_not_nest() {
        let page = "<ul>".to_owned() + &"<li>a<p>b<br>".repeat(1000) + "</ul>";
        assert!(matches!(
            within_tags(&page, 10_000),
            (Cow::Borrowed(_), false)
        ));
    }

    #[test]
    fn what_nests_too_deep_loses_its_tags_and_keeps_its_text() {
        let page = "<div>a".repeat(500) + "<p>deep</p>" + &"</div>b".repeat(500) + "<b>after</b>";
        let (kept, cut) = within_tags(&page, 10_000);
        assert!(!cut);
        assert_eq!(kept.matches("<div>").count(), DEPTH);
        assert_eq!(kept.matches("</div>").count(), DEPTH);
        assert_eq!(
            (kept.matches('a').count(), kept.matches("</div>b").count()),
            (501, DEPTH)
        );
        assert!(kept.contains("<p>deep</p>") && kept.ends_with("<b>after</b>"));
    }

    #[test]
    fn an_end_tag_that_closes_nothing_does_not_count() {
        let page = "<div></span>".repeat(500);
        assert_eq!(within_tags(&page, 10_000).0.matches("<div>").count(), DEPTH);
        // And one that closes something closes what was left open inside.
        let page = "<div><span><i></div>".repeat(500);
        assert!(matches!(
            within_tags(&page, 10_000),
            (Cow::Borrowed(_), false)
        ));
    }

    #[test]
    fn a_page_ends_after_so_many_tags() {
        let (kept, cut) = within_tags("<p>a</p><p>b</p><p>c</p>", 4);
        assert_eq!((&*kept, cut), ("<p>a</p><p>b</p>", true));
        assert_eq!(
            within_tags("<p>a</p>", 2),
            (Cow::Borrowed("<p>a</p>"), false)
        );
    }

    #[test]
    fn a_page_ends_after_so_many_bytes() {
        assert_eq!(
            bounded("<p>a</p>", 8, 9),
            (Cow::Borrowed("<p>a</p>"), false)
        );
        assert_eq!(bounded("<p>é</p>", 4, 9), (Cow::Borrowed("<p>"), true));
    }

    #[test]
    fn what_is_never_closed_ends_with_the_page() {
        for page in [
            "<",
            "<a",
            "<a href=\"x>",
            "</",
            "<!-- x",
            "<script>x</scr",
            "a<b",
            "<é>",
            "<title>",
        ] {
            assert_eq!(within_tags(page, 10).0, page);
        }
    }
}
