//! URI templates (RFC 6570, levels 1 to 3), read backwards: from a URI to the variables it was made of.

/// A template, as `#[resource]` read it when the plugin was compiled.
#[derive(Clone, Copy, Debug)]
pub struct UriTemplate {
    /// As the author wrote it.
    pub text: &'static str,
    /// The same in pieces.
    pub parts: &'static [Part],
}

/// One piece of a template.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// Text that stands for itself.
    Literal(&'static str),
    /// What stands in braces.
    Variables(Operator, &'static [&'static str]),
}

/// What an expression begins with (RFC 6570, section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `{id}`
    Simple,
    /// `{+path}`
    Reserved,
    /// `{#part}`
    Fragment,
    /// `{.ext}`
    Label,
    /// `{/segment}`
    Segment,
    /// `{;name}`
    Parameter,
    /// `{?name}`
    Query,
    /// `{&name}`
    Continuation,
}

/// The variables of a URI, by name, decoded.
pub type Variables = Vec<(String, String)>;

impl UriTemplate {
    /// The variables of `uri`; none if the template does not lead to it. A variable that may be missing and is, is not in it.
    #[must_use]
    pub fn variables(&self, uri: &str) -> Option<Variables> {
        let mut walk = Walk { parts: self.parts, uri, dead: vec![false; (self.parts.len() + 1) * (uri.len() + 1)] };
        let mut found = walk.from(0, 0)?;
        found.reverse();
        found.into_iter().flatten().map(|(name, value)| Some((name.to_owned(), decoded(value)?))).collect()
    }
}

/// Variables as they stand in the URI.
type Raw<'a> = Vec<(&'a str, &'a str)>;

struct Walk<'a> {
    parts: &'a [Part],
    uri: &'a str,
    /// Where the walk has been in vain, by part and place: so that no URI takes long, whoever wrote it.
    dead: Vec<bool>,
}

impl<'a> Walk<'a> {
    /// The variables of what follows, last part first.
    fn from(&mut self, part: usize, place: usize) -> Option<Vec<Raw<'a>>> {
        let key = part * (self.uri.len() + 1) + place;
        if *self.dead.get(key)? {
            return None;
        }
        let found = self.step(part, place);
        if found.is_none()
            && let Some(dead) = self.dead.get_mut(key)
        {
            *dead = true;
        }
        found
    }

    fn step(&mut self, part: usize, place: usize) -> Option<Vec<Raw<'a>>> {
        let rest = self.uri.get(place..)?;
        match self.parts.get(part).copied() {
            None => rest.is_empty().then(Vec::new),
            Some(Part::Literal(text)) => rest.starts_with(text).then(|| self.from(part + 1, place + text.len()))?,
            Some(Part::Variables(operator, names)) => {
                let longest = operator.reach(rest);
                for length in (0..=longest).rev() {
                    let Some(values) = rest.get(..length).and_then(|piece| operator.values(piece, names)) else {
                        continue;
                    };
                    if let Some(mut found) = self.from(part + 1, place + length) {
                        found.push(values);
                        return Some(found);
                    }
                }
                None
            }
        }
    }
}

impl Operator {
    /// How far into `rest` the expression can go.
    fn reach(self, rest: &str) -> usize {
        let stops: &[char] = match self {
            Self::Reserved | Self::Fragment => &[],
            Self::Simple | Self::Label => &['/', ';', '?', '#'],
            Self::Parameter => &['/', '?', '#'],
            Self::Segment => &[';', '?', '#'],
            Self::Query | Self::Continuation => &['#'],
        };
        rest.find(stops).unwrap_or(rest.len())
    }

    /// The values that expand to `piece`.
    fn values<'a>(self, piece: &'a str, names: &[&'a str]) -> Option<Raw<'a>> {
        let (first, separator) = match self {
            Self::Simple | Self::Reserved => return listed(piece, ',', names),
            Self::Fragment => ('#', ','),
            Self::Label => ('.', '.'),
            Self::Segment => ('/', '/'),
            Self::Parameter => (';', ';'),
            Self::Query => ('?', '&'),
            Self::Continuation => ('&', '&'),
        };
        if piece.is_empty() {
            // None of its variables has a value.
            return Some(Vec::new());
        }
        let piece = piece.strip_prefix(first)?;
        match self {
            Self::Parameter | Self::Query | Self::Continuation => named(piece, separator, names),
            Self::Segment if names.len() == 1 && piece.contains('/') => None,
            _ => listed(piece, separator, names),
        }
    }
}

/// Values in the order of their names. One variable alone takes separators for characters.
fn listed<'a>(piece: &'a str, separator: char, names: &[&'a str]) -> Option<Raw<'a>> {
    let values: Vec<&str> = if names.len() == 1 { vec![piece] } else { piece.split(separator).collect() };
    if values.len() > names.len() || values.iter().any(|value| value.is_empty()) {
        return None;
    }
    Some(names.iter().copied().zip(values).collect())
}

/// Values that come with their names, in any order.
fn named<'a>(piece: &'a str, separator: char, names: &[&'a str]) -> Option<Raw<'a>> {
    let mut found = Raw::new();
    for pair in piece.split(separator) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let known = names.contains(&name) && !found.iter().any(|(earlier, _)| *earlier == name);
        if !known {
            return None;
        }
        found.push((name, value));
    }
    Some(found)
}

/// The text behind percent-encoding (RFC 3986, section 2.1); none if it is none.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Operator::*;
    use Part::{Literal as L, Variables as V};

    fn of(parts: &'static [Part], uri: &str) -> Option<String> {
        let found = UriTemplate { text: "", parts }.variables(uri)?;
        Some(found.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_uri_is_taken_apart() {
        const NOTE: &[Part] = &[L("note://"), V(Simple, &["id"])];
        const DATA: &[Part] = &[L("test://template/"), V(Simple, &["id"]), L("/data")];
        const FILE: &[Part] = &[L("file:///"), V(Reserved, &["path"])];
        const LAST: &[Part] = &[L("f:"), V(Reserved, &["path"]), L("/"), V(Simple, &["name"]), V(Label, &["ext"])];
        const POINT: &[Part] = &[L("map:"), V(Simple, &["x", "y"])];
        const BOOK: &[Part] = &[L("book:"), V(Simple, &["id"]), V(Query, &["lang", "page"]), V(Fragment, &["part"])];
        const TREE: &[Part] = &[L("tree:"), V(Segment, &["a", "b"]), V(Parameter, &["v"])];
        const MORE: &[Part] = &[L("q:?fixed=1"), V(Continuation, &["x"])];
        let cases = [
            (NOTE, "note://alpha", Some("id=alpha")),
            (NOTE, "note://a%20b%2Fc", Some("id=a b/c")),
            (NOTE, "note://a,b", Some("id=a,b")),
            (NOTE, "note://", None),
            (NOTE, "note://a/b", None),
            (NOTE, "note://a?b", None),
            (NOTE, "note://%zz", None),
            (NOTE, "note://%ff", None),
            (NOTE, "nota://a", None),
            (DATA, "test://template/123/data", Some("id=123")),
            (DATA, "test://template/123/data/", None),
            (DATA, "test://template//data", None),
            (FILE, "file:///a/b?c#d", Some("path=a/b?c#d")),
            (LAST, "f:a/b/c.tar", Some("path=a/b name=c.tar")),
            (POINT, "map:1,2", Some("x=1 y=2")),
            (POINT, "map:1", Some("x=1")),
            (POINT, "map:1,2,3", None),
            (BOOK, "book:7", Some("id=7")),
            (BOOK, "book:7?page=2&lang=en#end", Some("id=7 page=2 lang=en part=end")),
            (BOOK, "book:7?page=", Some("id=7 page=")),
            (BOOK, "book:7?pages=2", None),
            (BOOK, "book:7?page=2&page=3", None),
            (TREE, "tree:/x/y;v=1", Some("a=x b=y v=1")),
            (TREE, "tree:/x", Some("a=x")),
            (TREE, "tree:", Some("")),
            (MORE, "q:?fixed=1&x=2", Some("x=2")),
            (MORE, "q:?fixed=1", Some("")),
        ];
        for (parts, uri, expected) in cases {
            assert_eq!(of(parts, uri).as_deref(), expected, "{uri}");
        }
    }

    #[test]
    fn no_uri_takes_long() {
        const HARD: &[Part] = &[
            L("x:"),
            V(Reserved, &["a"]),
            L("a"),
            V(Reserved, &["b"]),
            L("a"),
            V(Reserved, &["c"]),
            L("a"),
            V(Reserved, &["d"]),
            L("!"),
        ];
        let uri = format!("x:{}", "a".repeat(500));
        assert_eq!(of(HARD, &uri), None);
    }

    #[test]
    fn characters_are_not_cut() {
        const PAIR: &[Part] = &[L("p:"), V(Simple, &["a"]), L("é"), V(Simple, &["b"])];
        assert_eq!(of(PAIR, "p:üéü").as_deref(), Some("a=ü b=ü"));
    }
}
