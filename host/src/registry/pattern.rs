//! URI templates (RFC 6570), read backwards: does a URI belong to a template? The plugin takes the variables out itself.

use regex::Regex;

/// Bytes the compiled form of one template may take.
const MAX_COMPILED: usize = 64 << 10;

/// A template, ready to compare.
#[derive(Debug)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// # Errors
    /// A text that says what is wrong with it.
    pub(super) fn new(template: &str) -> Result<Self, String> {
        let mut source = String::from("^");
        let mut rest = template;
        while let Some((literal, after)) = rest.split_once('{') {
            if literal.contains('}') {
                return Err("its URI template has a `}` without `{`".to_owned());
            }
            let (expression, after) = after.split_once('}').ok_or("its URI template has a `{` without `}`")?;
            source += &regex::escape(literal);
            source += expansion(expression)?;
            rest = after;
        }
        if rest.contains('}') {
            return Err("its URI template has a `}` without `{`".to_owned());
        }
        source += &regex::escape(rest);
        source.push('$');
        let compiled = regex::RegexBuilder::new(&source).size_limit(MAX_COMPILED).build();
        compiled.map(Self).map_err(|_| "its URI template has too many variables".to_owned())
    }

    pub(super) fn matches(&self, uri: &str) -> bool {
        self.0.is_match(uri)
    }
}

/// What an expression can expand to. Values are taken generously (RFC 6570 would escape more), but a simple variable never
/// reaches over a `/`, `?` or `#`: that would hand a plugin URIs its template does not show.
fn expansion(expression: &str) -> Result<&'static str, String> {
    let (operator, variables) = match expression.chars().next() {
        Some(operator @ ('+' | '#' | '.' | '/' | ';' | '?' | '&')) => (Some(operator), expression.get(1..)),
        _ => (None, Some(expression)),
    };
    let mut variables = variables.unwrap_or_default().split(',').peekable();
    let several = variables.clone().count() > 1;
    let mut explodes = false;
    for variable in variables.by_ref() {
        explodes |= variable.ends_with('*');
        let name = variable.trim_end_matches('*').split(':').next().unwrap_or_default();
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '%');
        if name.is_empty() || !name.chars().all(letters) {
            return Err(format!("its URI template has no valid variable in {{{expression}}}"));
        }
    }
    Ok(match operator {
        None => "[^/?#]+",
        Some('+') => ".+",
        Some('#') => "(?:#.*)?",
        Some('.') => r"(?:\.[^/?#]*)?",
        Some('/') if several || explodes => "(?:/[^?#]*)?",
        Some('/') => "(?:/[^/?#]*)?",
        Some(';') => "(?:;[^/?#]*)?",
        Some('?') => r"(?:\?[^#]*)?",
        Some('&') => "(?:&[^#]*)?",
        Some(_) => return Err(format!("its URI template has an unknown operator in {{{expression}}}")),
    })
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_uri_belongs_to_a_template_that_could_have_made_it() {
        for (template, uri, belongs) in [
            ("note://{id}", "note://alpha", true),
            ("note://{id}", "note://a%2Fb", true),
            ("note://{id}", "note://", false),
            ("note://{id}", "note://a/b", false),
            ("note://{id}", "xnote://a", false),
            ("test://template/{id}/data", "test://template/123/data", true),
            ("test://template/{id}/data", "test://template/123/dat", false),
            ("file:///{+path}", "file:///a/b.txt", true),
            ("x://a{/segments*}", "x://a/b/c", true),
            ("x://a{/one}", "x://a/b/c", false),
            ("x://a{?q,page}", "x://a?q=1&page=2", true),
            ("x://a{?q}", "x://a", true),
            ("x://a{?q}", "x://ab", false),
            ("x://a.b", "x://axb", false),
            ("x://{a}{.ext}", "x://report.pdf", true),
            ("x://{a}#{b}", "x://one#two", true),
        ] {
            assert_eq!(Pattern::new(template).unwrap().matches(uri), belongs, "{template} {uri}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for template in ["x://{a", "x://a}", "x://{}", "x://{a b}", "x://{=a}", "x://}{a}", "x://{é}"] {
            assert!(Pattern::new(template).is_err(), "{template}");
        }
        assert!(Pattern::new(&format!("x://{}", "{/a*}".repeat(50_000))).is_err());
    }
}
