//! URIs and URI templates (RFC 6570, levels 1 to 3), read when the plugin is compiled.

use syn::{Error, LitStr, Result};

/// One piece of a template.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    Literal(String),
    /// The operator's name in `toolcell_sdk`, and the variables.
    Variables(&'static str, Vec<String>),
}

/// Reads the URI of a resource. Without variables it is one literal.
///
/// # Errors
/// It has no scheme, holds what no URI does, or is of a level of RFC 6570 that cannot be read backwards.
pub fn parse(uri: &LitStr) -> Result<Vec<Part>> {
    parts(&uri.value()).map_err(|what| Error::new(uri.span(), what))
}

/// The names of all variables.
pub fn variables(parts: &[Part]) -> impl Iterator<Item = &str> {
    parts
        .iter()
        .flat_map(|part| match part {
            Part::Literal(_) => &[],
            Part::Variables(_, names) => names.as_slice(),
        })
        .map(String::as_str)
}

fn parts(uri: &str) -> std::result::Result<Vec<Part>, String> {
    has_scheme(uri)?;
    let mut parts = Vec::new();
    let mut rest = uri;
    while !rest.is_empty() {
        let (literal, after) = rest.split_once('{').unwrap_or((rest, ""));
        if let Some(wrong) = literal.chars().find(|c| c.is_whitespace() || "}<>\"\\^`|".contains(*c)) {
            return Err(match wrong {
                '}' => "there is a `}` without its `{`".to_owned(),
                other => format!("a URI holds no `{other}`; write it percent-encoded"),
            });
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal.to_owned()));
        }
        if literal.len() == rest.len() {
            break;
        }
        let (inside, after) = after.split_once('}').ok_or("there is a `{` without its `}`")?;
        let part = expression(inside)?;
        if let (Some(Part::Variables(_, before)), Part::Variables("Simple" | "Reserved", names)) = (parts.last(), &part)
        {
            let (before, name) = (before.join(","), names.join(","));
            return Err(format!(
                "nobody could tell where `{before}` ends and `{name}` begins: put a character between them, such as `/`"
            ));
        }
        parts.push(part);
        rest = after;
    }
    let mut seen: Vec<&str> = Vec::new();
    for name in variables(&parts) {
        if seen.contains(&name) {
            return Err(format!("the variable `{name}` is here twice; give the second another name"));
        }
        seen.push(name);
    }
    Ok(parts)
}

fn has_scheme(uri: &str) -> std::result::Result<(), String> {
    let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    match scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(allowed) {
        true => Ok(()),
        false => {
            Err("a resource has a URI with a scheme, your own or a common one: `config://app`, `note://{id}`"
                .to_owned())
        }
    }
}

fn expression(inside: &str) -> std::result::Result<Part, String> {
    let (operator, names) = match inside.chars().next() {
        None => return Err("there is nothing between these braces: name a variable, as in `{id}`".to_owned()),
        Some('+') => ("Reserved", inside.get(1..)),
        Some('#') => ("Fragment", inside.get(1..)),
        Some('.') => ("Label", inside.get(1..)),
        Some('/') => ("Segment", inside.get(1..)),
        Some(';') => ("Parameter", inside.get(1..)),
        Some('?') => ("Query", inside.get(1..)),
        Some('&') => ("Continuation", inside.get(1..)),
        Some(_) => ("Simple", Some(inside)),
    };
    let names: Vec<String> = names.unwrap_or("").split(',').map(str::to_owned).collect();
    for name in &names {
        if name.contains(['*', ':']) {
            return Err(format!(
                "`{name}` has a modifier of level 4, which cannot be read backwards; write `{{+path}}` for a value with slashes"
            ));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        if name.is_empty() || !name.chars().all(allowed) {
            return Err(format!("`{name}` is no name of a variable: it has letters, digits and `_`, as in `{{id}}`"));
        }
    }
    Ok(Part::Variables(operator, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str) -> std::result::Result<Vec<String>, String> {
        parts(uri).map(|parts| parts.iter().map(|part| format!("{part:?}")).collect())
    }

    #[test]
    fn a_template_is_read_in_pieces() {
        let cases = [
            ("config://app", vec![r#"Literal("config://app")"#]),
            ("note://{id}", vec![r#"Literal("note://")"#, r#"Variables("Simple", ["id"])"#]),
            (
                "x:{+path}/{a}{?b,c}{#d}",
                vec![
                    r#"Literal("x:")"#,
                    r#"Variables("Reserved", ["path"])"#,
                    r#"Literal("/")"#,
                    r#"Variables("Simple", ["a"])"#,
                    r#"Variables("Query", ["b", "c"])"#,
                    r#"Variables("Fragment", ["d"])"#,
                ],
            ),
            (
                "f:{/a}{;b}{.c}{&d}",
                vec![
                    r#"Literal("f:")"#,
                    r#"Variables("Segment", ["a"])"#,
                    r#"Variables("Parameter", ["b"])"#,
                    r#"Variables("Label", ["c"])"#,
                    r#"Variables("Continuation", ["d"])"#,
                ],
            ),
        ];
        for (uri, expected) in cases {
            assert_eq!(of(uri).unwrap(), expected, "{uri}");
        }
    }

    #[test]
    fn a_mistake_is_answered_with_what_would_be_right() {
        let cases = [
            ("notes", "a URI with a scheme"),
            ("{scheme}://x", "a URI with a scheme"),
            ("1x:a", "a URI with a scheme"),
            ("x:a b", "holds no ` `"),
            ("x:{a", "without its `}`"),
            ("x:a}", "without its `{`"),
            ("x:{}", "nothing between these braces"),
            ("x:{path*}", "write `{+path}`"),
            ("x:{id:3}", "level 4"),
            ("x:{a-b}", "no name of a variable"),
            ("x:{?}", "no name of a variable"),
            ("x:{a}{b}", "put a character between them"),
            ("x:{a}/{a}", "here twice"),
        ];
        for (uri, expected) in cases {
            let error = of(uri).unwrap_err();
            assert!(error.contains(expected), "{uri}: {error}");
        }
    }
}
