//! One `#[complete]` and one `#[list]` method.

use crate::method::{self, Input, Mark};
use crate::options::{CompleteOptions, ListOptions};
use proc_macro2::TokenStream;
use syn::{Error, Ident, ImplItemFn, Result, Type};

/// A completion as its method describes it.
pub struct Complete {
    pub method: Ident,
    pub options: CompleteOptions,
    /// Whether the method takes `&Completing`.
    pub lends: bool,
    pub output: Option<Type>,
}

/// A list that a method makes at run time.
pub struct List {
    pub method: Ident,
    pub options: ListOptions,
    pub output: Option<Type>,
}

/// Reads a method under `#[complete(…)]`.
///
/// # Errors
/// A signature that no completion can have, and whatever [`CompleteOptions::parse`] refuses.
pub fn completion(method: &mut ImplItemFn, options: TokenStream) -> Result<Complete> {
    let options = CompleteOptions::parse(options)?;
    method::check_shape(&method.sig, Mark::Complete)?;
    let inputs = method::inputs(&mut method.sig, Mark::Complete, "Completing", &[])?;
    for input in &inputs {
        let ty = match input {
            Input::Call => continue,
            Input::Argument(argument) => &argument.ty,
            Input::Struct(ty) => ty,
        };
        return Err(Error::new_spanned(
            ty,
            "a completion takes `typed: &Completing`, which has what was typed and what is settled, or nothing",
        ));
    }
    Ok(Complete {
        method: method.sig.ident.clone(),
        options,
        lends: !inputs.is_empty(),
        output: method::output(&method.sig),
    })
}

/// Reads a method under `#[list(…)]`.
///
/// # Errors
/// A signature that no list can have, and whatever [`ListOptions::parse`] refuses.
pub fn list(method: &ImplItemFn, options: TokenStream) -> Result<List> {
    let options = ListOptions::parse(options)?;
    method::check_shape(&method.sig, Mark::List)?;
    if let Some(parameter) = method.sig.inputs.iter().nth(1) {
        return Err(Error::new_spanned(
            parameter,
            "a list is the same for everyone who asks: it takes nothing but `&self`",
        ));
    }
    Ok(List { method: method.sig.ident.clone(), options, output: method::output(&method.sig) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;
    use syn::parse2;

    fn mistake(tokens: TokenStream) -> String {
        let source = tokens.to_string();
        let mut method = parse2(tokens).unwrap();
        let (mark, options) = method::take_mark(&mut method).unwrap().expect("a mark");
        let error = match mark {
            Mark::List => list(&method, options).err(),
            _ => completion(&mut method, options).err(),
        };
        error.unwrap_or_else(|| panic!("accepted: {source}")).to_string()
    }

    #[test]
    fn a_mistake_is_answered_with_what_would_be_right() {
        let cases = [
            (
                quote!(
                    #[complete(prompt = "a", argument = "b")]
                    fn f(&self, typed: String) {}
                ),
                "takes `typed: &Completing`",
            ),
            (
                quote!(
                    #[complete(prompt = "a", argument = "b")]
                    fn f(&self, typed: Completing) {}
                ),
                "take `&Completing`",
            ),
            (
                quote!(
                    #[complete]
                    fn f(&self) {}
                ),
                "say what is completed",
            ),
            (
                quote!(
                    #[list(tools)]
                    fn f(&self, call: &Call) {}
                ),
                "the same for everyone who asks",
            ),
            (
                quote!(
                    #[list]
                    fn f(&self) {}
                ),
                "say what the method lists",
            ),
        ];
        for (tokens, expected) in cases {
            let error = mistake(tokens);
            assert!(error.contains(expected), "{error}");
        }
    }
}
