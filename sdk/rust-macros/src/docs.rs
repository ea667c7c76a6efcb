//! Doc comments as text.

use syn::{Attribute, Error, Expr, ExprLit, Lit, Meta, Result};

/// The text of the doc comments among `attributes`, without the blank after `///` and without empty lines at either end;
/// none if nothing is left.
///
/// # Errors
/// A `#[doc = …]` that is not a plain string: its text is not known when the attribute runs.
pub fn text(attributes: &[Attribute]) -> Result<Option<String>> {
    let mut lines = Vec::new();
    for attribute in attributes {
        let Meta::NameValue(pair) = &attribute.meta else {
            continue;
        };
        if !pair.path.is_ident("doc") {
            continue;
        }
        match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => lines.extend(text.value().split('\n').map(str::to_owned)),
            other => {
                return Err(Error::new_spanned(
                    other,
                    "this becomes a description that a model reads, so it has to be a plain doc comment (`/// …`)",
                ));
            }
        }
    }
    let text = unindented(&lines).join("\n");
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// The lines without the indentation that all of them share.
fn unindented(lines: &[String]) -> Vec<&str> {
    let blanks = |line: &String| line.len() - line.trim_start_matches(' ').len();
    let shared = lines.iter().filter(|line| !line.trim().is_empty()).map(blanks).min().unwrap_or(0);
    lines.iter().map(|line| line.get(shared..).unwrap_or("").trim_end()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::{ItemFn, parse_quote};

    fn of(item: ItemFn) -> Option<String> {
        text(&item.attrs).unwrap()
    }

    #[test]
    fn lines_join_and_lose_their_common_indentation() {
        let item = parse_quote! {
            /// Reads a file.
            ///
            /// - one
            ///   - two
            #[must_use]
            fn f() {}
        };
        assert_eq!(of(item).as_deref(), Some("Reads a file.\n\n- one\n  - two"));
    }

    #[test]
    fn block_comments_count_too() {
        let item = parse_quote! {
            /** Reads a file.

                Twice. */
            fn f() {}
        };
        assert!(of(item).unwrap().starts_with("Reads a file."));
    }

    #[test]
    fn nothing_said_is_none() {
        assert_eq!(of(parse_quote! { fn f() {} }), None);
        let blank = parse_quote! {
            ///
            fn f() {}
        };
        assert_eq!(of(blank), None);
    }

    #[test]
    fn a_text_that_is_not_known_yet_is_refused() {
        let item: ItemFn = parse_quote! {
            #[doc = include_str!("long.md")]
            fn f() {}
        };
        let error = text(&item.attrs).unwrap_err().to_string();
        assert!(error.contains("plain doc comment"), "{error}");
    }
}
