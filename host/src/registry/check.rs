//! What must hold for anything a plugin lists or returns, whatever it is: names, texts, pictures, `_meta`.

use super::schema;
use crate::policy::Limits;
use crate::sandbox::types::{Content, Icon, InputKind, InputRequired, ResourceContents};
use std::collections::HashSet;

/// A URI longer than this is no resource's, in bytes.
pub(super) const MAX_URI: usize = 8_192;
/// What a plugin may ask of a client at once. A person answers a handful.
const MAX_QUESTIONS: usize = 64;

/// Tool names as the specification asks for them (server/tools, "Tool Names").
pub(super) fn tool_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > 128 {
        return Err(format!("its name is {} characters long; it must have 1 to 128", name.len()));
    }
    match name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))) {
        Some(c) => Err(format!("its name contains {c:?}; only A-Z, a-z, 0-9, `_`, `-` and `.` are allowed")),
        None => Ok(()),
    }
}

/// Names of everything else: the specification sets no alphabet, so only what cannot be shown is refused.
pub(super) fn plain_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > 256 {
        return Err(format!("its name is {} bytes long; it must have 1 to 256", name.len()));
    }
    if name.chars().any(char::is_control) {
        return Err("its name contains control characters".to_owned());
    }
    Ok(())
}

/// A URI: a scheme and something after it, in the characters a URI has (RFC 3986, sections 2 and 3).
pub(super) fn uri(uri: &str) -> Result<(), String> {
    uri_of(uri, |c| c.is_ascii_alphanumeric() || URI_MARKS.contains(c))
}

/// A pattern of URIs: the same with expressions in braces, and letters of any script (RFC 6570, section 2.1).
pub(super) fn uri_template(template: &str) -> Result<(), String> {
    uri_of(template, |c| !c.is_ascii() || c.is_ascii_alphanumeric() || URI_MARKS.contains(c) || matches!(c, '{' | '}'))
}

/// What stands in a URI besides letters and digits.
const URI_MARKS: &str = "-._~:/?#[]@!$&'()*+,;=%";

fn uri_of(uri: &str, may_have: impl Fn(char) -> bool) -> Result<(), String> {
    if uri.len() > MAX_URI {
        return Err(format!("its URI is {} bytes long, at most {MAX_URI} are accepted", uri.len()));
    }
    if uri.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("its URI contains white space or control characters; write them as %XX".to_owned());
    }
    if let Some(c) = uri.chars().find(|c| !may_have(*c)) {
        return Err(format!("its URI contains {c:?}, which no URI may; write it as %XX"));
    }
    let is_escape = |rest: &str| rest.get(..2).is_some_and(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()));
    if !uri.split('%').skip(1).all(is_escape) {
        return Err("its URI has a `%` that two hexadecimal digits do not follow; write it as %25".to_owned());
    }
    let scheme = uri.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    if !scheme.starts_with(|first: char| first.is_ascii_alphabetic()) || !scheme.chars().all(letters) {
        return Err("its URI has no scheme; write it like `note://name`".to_owned());
    }
    Ok(())
}

/// A title or a description.
pub(super) fn text(what: &str, text: &Option<String>, limits: &Limits) -> Result<(), String> {
    let Some(text) = text else { return Ok(()) };
    let most = limits.description_bytes;
    if text.len() > most {
        return Err(format!("its {what} is {} bytes long, at most {most} are accepted", text.len()));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')) {
        return Err(format!("its {what} contains control characters"));
    }
    Ok(())
}

/// A media type. What is in it is for the client to judge; no type is longer than this (RFC 6838, section 4.2).
pub(super) fn media_type(text: &Option<String>) -> Result<(), String> {
    const MOST: usize = 255;
    match text {
        Some(text) if text.len() > MOST => {
            Err(format!("its media type is {} bytes long, at most {MOST} are accepted", text.len()))
        }
        Some(text) if text.chars().any(char::is_control) => {
            Err("its media type contains control characters".to_owned())
        }
        _ => Ok(()),
    }
}

/// The `_meta` of a definition.
pub(super) fn meta(meta: &Option<String>, limits: &Limits) -> Result<(), String> {
    match meta {
        Some(meta) if meta.len() > limits.meta_bytes => {
            Err(format!("its meta is {} bytes long, at most {} are accepted", meta.len(), limits.meta_bytes))
        }
        Some(meta) if !schema::is_object(meta) => Err("its meta is not a JSON object".to_owned()),
        _ => Ok(()),
    }
}

/// Icons a client may load: nothing but `https:` and `data:` (2026-07-28, basic, "Icons").
pub(super) fn icons(icons: &[Icon]) -> Result<(), String> {
    match icons.iter().find(|icon| !icon.src.starts_with("https://") && !icon.src.starts_with("data:")) {
        Some(_) => Err("one of its icons is neither an `https:` nor a `data:` URI".to_owned()),
        None => Ok(()),
    }
}

/// What a plugin asks of its client: a person is shown it, and each answer is known by its key.
pub(super) fn questions(needed: &InputRequired) -> Result<(), String> {
    let count = needed.requests.len();
    if count == 0 && needed.state.is_none() {
        return Err("it asks for nothing".to_owned());
    }
    if count > MAX_QUESTIONS {
        return Err(format!("it asks {count} questions at once, at most {MAX_QUESTIONS} are accepted"));
    }
    let mut keys = HashSet::new();
    for request in &needed.requests {
        plain_name(&request.key).map_err(|_| "one of its questions has no proper key".to_owned())?;
        if !keys.insert(&request.key) {
            return Err(format!("it asks two questions under the key {:?}", request.key));
        }
        let (is_good, what) = match &request.kind {
            InputKind::Form(form) => (schema::is_object(&form.schema), "a form whose schema is not a JSON object"),
            InputKind::Url(page) => {
                (page.url.starts_with("https://"), "a page whose URL does not begin with `https://`")
            }
            InputKind::Sample(params) => (schema::is_object(params), "a model in what is not a JSON object"),
            InputKind::Roots => (true, ""),
        };
        if !is_good {
            return Err(format!("it asks for {what}"));
        }
    }
    let metas = needed.requests.iter().filter_map(|request| match &request.kind {
        InputKind::Form(form) => form.meta.as_deref(),
        InputKind::Url(page) => page.meta.as_deref(),
        InputKind::Sample(_) | InputKind::Roots => None,
    });
    all_objects(metas).map_err(str::to_owned)
}

/// Every `meta` of content must be a JSON object: it is put on the wire as it is.
pub(super) fn metas_of<'a>(
    content: impl Iterator<Item = &'a Content>,
    own: &'a Option<String>,
) -> Result<(), &'static str> {
    let of_content = content.flat_map(|content| match content {
        Content::Text(text) => [text.meta.as_deref(), None],
        Content::Image(media) | Content::Audio(media) => [media.meta.as_deref(), None],
        Content::ResourceLink(info) => [info.meta.as_deref(), None],
        Content::Resource(resource) => [resource.meta.as_deref(), resource.contents.meta.as_deref()],
    });
    all_objects(of_content.flatten().chain(own.as_deref()))
}

/// The same for what was read of a resource.
pub(super) fn metas_of_contents(contents: &[ResourceContents], own: &Option<String>) -> Result<(), &'static str> {
    all_objects(contents.iter().filter_map(|item| item.meta.as_deref()).chain(own.as_deref()))
}

fn all_objects<'a>(mut metas: impl Iterator<Item = &'a str>) -> Result<(), &'static str> {
    match metas.all(schema::is_object) {
        true => Ok(()),
        false => Err("one of its `meta` fields is not a JSON object"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_outside_the_allowed_characters_are_refused() {
        for (name, fits) in [
            ("getUser", true),
            ("a.b-c_D9", true),
            ("", false),
            ("a b", false),
            ("naïve", false),
            ("a\0", false),
            ("x/y", false),
        ] {
            assert_eq!(tool_name(name).is_ok(), fits, "{name:?}");
        }
        assert!(tool_name(&"x".repeat(129)).is_err());
        assert!(plain_name("Überblick, kurz").is_ok());
        assert!(plain_name("a\nb").is_err());
    }

    #[test]
    fn questions_are_few_and_each_has_its_own_key() {
        use crate::sandbox::types::{FormRequest, InputRequest, UrlRequest};
        let asks = |key: &str, kind| InputRequest { key: key.to_owned(), kind };
        let form = |schema: &str, meta: Option<&str>| {
            let (message, schema, meta) = ("m".to_owned(), schema.to_owned(), meta.map(str::to_owned));
            InputKind::Form(FormRequest { message, schema, meta })
        };
        let page = |url: &str| InputKind::Url(UrlRequest { message: "m".to_owned(), url: url.to_owned(), meta: None });
        let many = |count: usize| (0..count).map(|n| asks(&n.to_string(), InputKind::Roots)).collect::<Vec<_>>();
        for (requests, state, why) in [
            (many(1), None, None),
            (many(MAX_QUESTIONS), None, None),
            (many(MAX_QUESTIONS + 1), None, Some("65 questions")),
            (Vec::new(), Some(Vec::new()), None),
            (Vec::new(), None, Some("nothing")),
            (vec![asks("a", InputKind::Roots), asks("a", form("{}", None))], None, Some("under the key \"a\"")),
            (vec![asks("", InputKind::Roots)], None, Some("no proper key")),
            (vec![asks("a", form("{}", Some("{}")))], None, None),
            (vec![asks("a", form("[]", None))], None, Some("schema")),
            (vec![asks("a", form("{}", Some("1")))], None, Some("`meta`")),
            (vec![asks("a", page("https://x.example/"))], None, None),
            (vec![asks("a", page("javascript:alert(1)"))], None, Some("`https://`")),
            (vec![asks("a", InputKind::Sample("[]".to_owned()))], None, Some("model")),
        ] {
            let found = questions(&InputRequired { requests, state });
            match why {
                None => assert_eq!(found, Ok(())),
                Some(why) => assert!(found.is_err_and(|found| found.contains(why)), "{why}"),
            }
        }
    }

    #[test]
    fn a_uri_has_a_scheme_and_no_white_space() {
        for (text, fits) in [
            ("note://alpha", true),
            ("ui://app/{page}", false),
            ("note://a%2Fb?c#d", true),
            ("note://a%2", false),
            ("note://a|b", false),
            ("note://\u{fc}", false),
            ("urn:x", true),
            ("note", false),
            ("://x", false),
            ("1a:x", false),
            ("a b:x", false),
            ("note://a b", false),
        ] {
            assert_eq!(uri(text).is_ok(), fits, "{text:?}");
        }
        assert!(uri(&format!("a:{}", "x".repeat(MAX_URI))).is_err());
        for (text, fits) in [("ui://app/{+page}", true), ("note://\u{fc}/{a}", true), ("note://a|b/{c}", false)] {
            assert_eq!(uri_template(text).is_ok(), fits, "{text:?}");
        }
    }
}
