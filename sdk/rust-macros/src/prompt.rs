//! One `#[prompt]` method.

use crate::docs;
use crate::method::{self, Input, Mark};
use crate::options::{PromptOptions, Reach, name_of};
use proc_macro2::{Span, TokenStream};
use syn::{Error, Ident, ImplItemFn, Result, Type};

/// A prompt as its method describes it.
pub struct Prompt {
    pub method: Ident,
    /// Its name; none if it answers to all names that no other has.
    pub name: Option<String>,
    /// Where the name comes from, for messages.
    pub name_span: Span,
    /// The doc comment.
    pub description: Option<String>,
    pub options: PromptOptions,
    pub inputs: Vec<Input>,
    pub output: Option<Type>,
}

/// Reads a method under `#[prompt(…)]`.
///
/// # Errors
/// A signature that no prompt can have, and whatever [`PromptOptions::parse`] refuses.
pub fn read(method: &mut ImplItemFn, options: TokenStream) -> Result<Prompt> {
    let (reach, options) = PromptOptions::parse(options)?;
    method::check_shape(&method.sig, Mark::Prompt)?;
    let inputs = method::inputs(&mut method.sig, Mark::Prompt, "Call", &[])?;
    let (name, name_span) = match reach {
        Reach::Own(Some(name)) => (Some(name.value()), name.span()),
        Reach::Own(None) => (Some(name_of(&method.sig.ident)), method.sig.ident.span()),
        Reach::Any(any) => {
            for input in &inputs {
                let ty = match input {
                    Input::Call => continue,
                    Input::Argument(argument) => &argument.ty,
                    Input::Struct(ty) => ty,
                };
                return Err(Error::new_spanned(
                    ty,
                    "a method for any prompt does not know whose arguments come: take `&Call`, which has their name and text",
                ));
            }
            (None, any.span())
        }
    };
    Ok(Prompt {
        method: method.sig.ident.clone(),
        name,
        name_span,
        description: docs::text(&method.attrs)?,
        output: method::output(&method.sig),
        options,
        inputs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::{ToTokens, quote};
    use syn::parse2;

    fn of(tokens: TokenStream) -> Result<(Prompt, ImplItemFn)> {
        let mut method = parse2(tokens)?;
        let (mark, options) = method::take_mark(&mut method)?.expect("a mark");
        assert_eq!(mark, Mark::Prompt);
        Ok((read(&mut method, options)?, method))
    }

    #[test]
    fn parameters_are_arguments_and_their_comments_go() {
        let (prompt, method) = of(quote! {
            /// Reviews code.
            #[prompt(title = "Review")]
            fn review(
                &self,
                /// The language.
                language: String,
                style: Option<String>,
                call: &Call,
            ) -> String { todo() }
        })
        .unwrap();
        assert_eq!((prompt.name.as_deref(), prompt.description.as_deref()), (Some("review"), Some("Reviews code.")));
        let [Input::Argument(language), Input::Argument(style), Input::Call] = &prompt.inputs[..] else { panic!() };
        assert_eq!((language.description.as_deref(), language.is_required()), (Some("The language."), true));
        assert_eq!((style.description.as_deref(), style.is_required()), (None, false));
        assert!(!method.sig.to_token_stream().to_string().contains("The language"));
    }

    #[test]
    fn one_parameter_that_is_no_plain_value_is_the_struct() {
        for tokens in [
            quote!(
                #[prompt]
                fn f(&self, args: ReviewArgs) {}
            ),
            quote!(
                #[prompt]
                fn f(&self, ReviewArgs { language }: ReviewArgs, call: &Call) {}
            ),
        ] {
            assert!(matches!(of(tokens).unwrap().0.inputs[0], Input::Struct(_)));
        }
        assert!(matches!(
            of(quote!(
                #[prompt]
                fn f(&self, n: u8) {}
            ))
            .unwrap()
            .0
            .inputs[..],
            [Input::Argument(_)]
        ));
    }

    #[test]
    fn a_mistake_is_answered_with_what_would_be_right() {
        let cases = [
            (
                quote!(
                    #[prompt]
                    async fn f(&self) {}
                ),
                "a prompt is an ordinary function",
            ),
            (
                quote!(
                    #[prompt]
                    fn f(&mut self) {}
                ),
                "a prompt takes `&self`",
            ),
            (
                quote!(
                    #[prompt]
                    fn f(&self, a: &str) {}
                ),
                "take `String` by value",
            ),
            (
                quote!(
                    #[prompt]
                    fn f(&self, a: impl Into<A>) {}
                ),
                "cannot be generic",
            ),
            (
                quote!(
                    #[prompt]
                    fn f(&self, a: &Call, b: &Call) {}
                ),
                "once is enough",
            ),
            (
                quote!(
                    #[prompt]
                    fn f(&self, A { a }: A, b: String) {}
                ),
                "one struct with all its arguments",
            ),
            (
                quote!(
                    #[prompt(any)]
                    fn f(&self, a: String) {}
                ),
                "take `&Call`",
            ),
            (
                quote!(
                    #[prompt]
                    #[prompt]
                    fn f(&self) {}
                ),
                "marked as a prompt twice",
            ),
        ];
        for (tokens, expected) in cases {
            let source = tokens.to_string();
            let error = of(tokens).err().unwrap_or_else(|| panic!("accepted: {source}")).to_string();
            assert!(error.contains(expected), "{source}: {error}");
        }
    }
}
