//! One `#[tool]` method.

use crate::docs;
use crate::method::{self, Mark, is_lent, is_named, is_plain_value};
use crate::options::{ToolOptions, check_tool_name, name_of};
use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned;
use syn::{Error, FnArg, Ident, ImplItemFn, Result, Signature, Type};

/// A tool as its method describes it.
pub struct Tool {
    /// The method.
    pub method: Ident,
    /// The tool's name, checked.
    pub name: String,
    /// Where the name comes from, for messages.
    pub name_span: Span,
    /// The doc comment.
    pub description: Option<String>,
    /// The parentheses of `#[tool(…)]`.
    pub options: ToolOptions,
    /// What is passed after `&self`, in the order of the signature.
    pub parameters: Vec<Parameter>,
    /// What the method returns; none means `()`.
    pub output: Option<Type>,
}

/// One parameter after `&self`.
pub enum Parameter {
    /// The argument struct.
    Arguments(Box<Type>),
    /// `&Call`.
    Call,
}

impl Tool {
    /// The type of the argument struct, if the tool has arguments.
    pub fn arguments(&self) -> Option<&Type> {
        self.parameters.iter().find_map(|parameter| match parameter {
            Parameter::Arguments(ty) => Some(&**ty),
            Parameter::Call => None,
        })
    }
}

/// Reads a method under `#[tool(…)]`.
///
/// # Errors
/// A signature that no tool can have, and whatever [`ToolOptions::parse`] refuses.
pub fn read(method: &ImplItemFn, options: TokenStream) -> Result<Tool> {
    let options = ToolOptions::parse(options)?;
    let signature = &method.sig;
    method::check_shape(signature, Mark::Tool)?;
    let (name, name_span) = match &options.name {
        Some(name) => (name.value(), name.span()),
        None => (name_of(&signature.ident), signature.ident.span()),
    };
    check_tool_name(&name, name_span)?;
    let tool = Tool {
        method: signature.ident.clone(),
        name,
        name_span,
        description: docs::text(&method.attrs)?,
        parameters: parameters(signature)?,
        output: method::output(signature),
        options,
    };
    match (tool.options.any, tool.arguments()) {
        (true, Some(ty)) => Err(Error::new_spanned(
            ty,
            "a method for any tool does not know whose arguments come: take `&Call`, which has their name and text",
        )),
        _ => Ok(tool),
    }
}

fn parameters(signature: &Signature) -> Result<Vec<Parameter>> {
    let mut parameters = Vec::new();
    for input in signature.inputs.iter().skip(1) {
        let FnArg::Typed(input) = input else { continue };
        let parameter = parameter(&input.ty)?;
        let twice =
            parameters.iter().any(|earlier| std::mem::discriminant(earlier) == std::mem::discriminant(&parameter));
        match (twice, &parameter) {
            (false, _) => parameters.push(parameter),
            (true, Parameter::Call) => {
                return Err(Error::new_spanned(input, "`&Call` is here twice; once is enough"));
            }
            (true, Parameter::Arguments(_)) => {
                return Err(Error::new_spanned(
                    input,
                    "a tool takes all its arguments in one struct, whose fields are the names the client sends: make this a \
                     field of the struct before it",
                ));
            }
        }
    }
    Ok(parameters)
}

fn parameter(ty: &Type) -> Result<Parameter> {
    match ty {
        Type::Reference(reference) if is_lent(reference, "Call") => Ok(Parameter::Call),
        Type::Reference(_) => Err(Error::new_spanned(
            ty,
            "the arguments of a tool are read from JSON and owned by it: take a struct by value (only `&Call` is borrowed)",
        )),
        Type::Path(path) if is_named(path, "Call") => {
            Err(Error::new_spanned(ty, "take `&Call`: the call is lent to the tool, not given"))
        }
        Type::Path(path) if is_plain_value(path) => Err(Error::new_spanned(
            ty,
            "the arguments of a tool are the fields of one struct with `#[derive(Deserialize, JsonSchema)]`: put this value \
             into a field, so that it has a name the client can use",
        )),
        Type::ImplTrait(_) => {
            Err(Error::new(ty.span(), "a tool cannot be generic: name the struct that holds its arguments"))
        }
        _ => Ok(Parameter::Arguments(Box::new(ty.clone()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::{ToTokens, quote};
    use syn::parse2;

    fn take(method: &mut ImplItemFn) -> Result<Option<Tool>> {
        let Some((mark, options)) = method::take_mark(method)? else {
            return Ok(None);
        };
        assert_eq!(mark, Mark::Tool);
        super::read(method, options).map(Some)
    }

    fn read(tokens: TokenStream) -> Result<Option<Tool>> {
        take(&mut parse2(tokens)?)
    }

    #[test]
    fn a_method_becomes_a_tool() {
        let tool = read(quote! {
            /// Reads a file.
            #[tool(title = "Read")]
            fn read_file(&self, args: files::ReadArgs, call: &Call) -> Result<String, ToolError> { todo() }
        })
        .unwrap()
        .unwrap();
        assert_eq!(tool.name, "read_file");
        assert_eq!(tool.description.as_deref(), Some("Reads a file."));
        assert_eq!(tool.arguments().unwrap().to_token_stream().to_string(), "files :: ReadArgs");
        assert!(matches!(tool.parameters[..], [Parameter::Arguments(_), Parameter::Call]));
        assert!(tool.output.is_some());
    }

    #[test]
    fn the_mark_is_taken_and_other_attributes_stay() {
        let mut method = parse2(quote!(
            #[allow(unused)]
            #[toolcell_sdk::tool]
            fn r#type(&self, call: &toolcell_sdk::Call) {}
        ))
        .unwrap();
        let tool = take(&mut method).unwrap().unwrap();
        assert_eq!(tool.name, "type");
        assert!(matches!(tool.parameters[..], [Parameter::Call]));
        assert_eq!(method.attrs.len(), 1);
        assert!(tool.output.is_none());
    }

    #[test]
    fn a_method_without_the_mark_is_none_of_our_business() {
        assert!(
            read(quote!(
                async fn any<T>(self, a: T, b: T) {}
            ))
            .unwrap()
            .is_none()
        );
    }

    #[test]
    fn a_mistake_is_answered_with_what_would_be_right() {
        let cases = [
            (
                quote!(
                    #[tool]
                    async fn f(&self) {}
                ),
                "remove `async`",
            ),
            (
                quote!(
                    #[tool]
                    fn f<T>(&self, a: T) {}
                ),
                "cannot be generic",
            ),
            (
                quote!(
                    #[tool]
                    fn f(&self, a: impl Into<A>) {}
                ),
                "cannot be generic",
            ),
            (
                quote!(
                    #[tool]
                    fn f() {}
                ),
                "make `&self` its first parameter",
            ),
            (
                quote!(
                    #[tool]
                    fn f(args: A) {}
                ),
                "make `&self` its first parameter",
            ),
            (
                quote!(
                    #[tool]
                    fn f(self) {}
                ),
                "takes `&self`",
            ),
            (
                quote!(
                    #[tool]
                    fn f(&mut self) {}
                ),
                "takes `&self`",
            ),
            (
                quote!(
                    #[tool]
                    fn f(self: Box<Self>) {}
                ),
                "takes `&self`",
            ),
            (
                quote!(
                    #[tool]
                    fn f(&self, a: A, b: B) {}
                ),
                "make this a field of the struct before it",
            ),
            (
                quote!(
                    #[tool]
                    fn f(&self, a: &Call, b: &Call) {}
                ),
                "once is enough",
            ),
            (
                quote!(
                    #[tool]
                    fn f(&self, a: Call) {}
                ),
                "take `&Call`",
            ),
            (
                quote!(
                    #[tool]
                    fn f(&self, a: &A) {}
                ),
                "take a struct by value",
            ),
            (
                quote!(
                    #[tool]
                    fn f(&self, a: &str) {}
                ),
                "take a struct by value",
            ),
            (
                quote!(
                    #[tool]
                    fn f(&self, message: String) {}
                ),
                "put this value into a field",
            ),
            (
                quote!(
                    #[tool]
                    fn f(&self, messages: Vec<A>) {}
                ),
                "put this value into a field",
            ),
            (
                quote!(
                    #[tool]
                    #[tool]
                    fn f(&self) {}
                ),
                "marked as a tool twice",
            ),
            (
                quote!(
                    #[tool]
                    #[prompt]
                    fn f(&self) {}
                ),
                "write another method for a prompt",
            ),
            (
                quote!(
                    #[tool(any)]
                    fn f(&self, args: A) {}
                ),
                "take `&Call`",
            ),
            (
                quote!(
                    #[tool = "f"]
                    fn f(&self) {}
                ),
                "with options",
            ),
            (
                quote!(
                    #[tool]
                    fn größe(&self) {}
                ),
                "1 to 128 of the characters",
            ),
        ];
        for (tokens, expected) in cases {
            let source = tokens.to_string();
            let error = read(tokens).err().unwrap_or_else(|| panic!("accepted: {source}")).to_string();
            assert!(error.contains(expected), "{source}: {error}");
        }
    }
}
