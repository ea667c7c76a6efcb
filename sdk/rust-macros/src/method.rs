//! What all marked methods share: the mark itself, and the rules for their signatures.

use crate::docs;
use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, FnArg, Ident, ImplItemFn, Meta, Pat, ReceiverKind, Result, ReturnType, Signature, Type, TypePath,
    TypeReference,
};

/// What a method is marked as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Tool,
    Resource,
    Prompt,
    Complete,
    List,
}

impl Mark {
    const ALL: [Self; 5] = [Self::Tool, Self::Resource, Self::Prompt, Self::Complete, Self::List];

    /// The attribute's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Resource => "resource",
            Self::Prompt => "prompt",
            Self::Complete => "complete",
            Self::List => "list",
        }
    }

    /// The thing it makes of a method.
    pub fn thing(self) -> &'static str {
        match self {
            Self::Tool => "a tool",
            Self::Resource => "a resource",
            Self::Prompt => "a prompt",
            Self::Complete => "a completion",
            Self::List => "a list",
        }
    }

    /// `#[tool]`, `#[toolcell_sdk::tool]` or any other path that ends so.
    fn of(attribute: &Attribute) -> Option<Self> {
        let last = &attribute.path().segments.last()?.ident;
        Self::ALL.into_iter().find(|mark| last == mark.name())
    }

    /// What the attribute says where no `#[plugin]` has read it.
    pub fn outside_of_a_plugin(self) -> Error {
        let message = format!(
            "`#[{}]` marks a method inside `#[plugin] impl MyPlugin {{ … }}`; put `#[plugin]` on the `impl` block around it",
            self.name()
        );
        Error::new(Span::call_site(), message)
    }
}

/// Takes the mark away from a method; none if it has none. With it come the tokens in its parentheses.
///
/// # Errors
/// It is marked twice, or the mark is not written as one.
pub fn take_mark(method: &mut ImplItemFn) -> Result<Option<(Mark, TokenStream)>> {
    let Some((place, mark)) =
        method.attrs.iter().enumerate().find_map(|(place, attribute)| Some((place, Mark::of(attribute)?)))
    else {
        return Ok(None);
    };
    let attribute = method.attrs.remove(place);
    if let Some((second, other)) = method.attrs.iter().find_map(|attribute| Some((attribute, Mark::of(attribute)?))) {
        return Err(Error::new_spanned(
            second,
            match other == mark {
                true => format!("this method is marked as {} twice", mark.thing()),
                false => format!("this method is {} already; write another method for {}", mark.thing(), other.thing()),
            },
        ));
    }
    let options = match attribute.meta {
        Meta::Path(_) => TokenStream::new(),
        Meta::List(list) => list.tokens,
        Meta::NameValue(pair) => {
            let name = mark.name();
            let message = format!("write `#[{name}]`, or `#[{name}(…)]` with options");
            return Err(Error::new_spanned(pair, message));
        }
    };
    Ok(Some((mark, options)))
}

/// Refuses what no marked method can be, before its parameters are looked at.
///
/// # Errors
/// It is `async`, generic, or does not take `&self`.
pub fn check_shape(signature: &Signature, mark: Mark) -> Result<()> {
    let thing = mark.thing();
    if let Some(asyncness) = &signature.asyncness {
        let message = format!(
            "{thing} is an ordinary function: remove `async`. Each call has a cell of its own, so blocking holds up nobody else"
        );
        return Err(Error::new_spanned(asyncness, message));
    }
    if let Some(parameter) = signature.generics.params.first() {
        let message =
            format!("{thing} cannot be generic: a client calls it by name, so every type has to be known here");
        return Err(Error::new_spanned(parameter, message));
    }
    match signature.inputs.first() {
        Some(FnArg::Receiver(receiver)) if matches!(receiver.kind, ReceiverKind::Reference(_, _, None)) => Ok(()),
        Some(FnArg::Receiver(receiver)) => {
            let message = format!(
                "{thing} takes `&self`: every call gets a new plugin value, so nothing written to it would be there for the next"
            );
            Err(Error::new_spanned(receiver, message))
        }
        _ => {
            Err(Error::new_spanned(&signature.ident, format!("{thing} is a method: make `&self` its first parameter")))
        }
    }
}

/// What a method returns; none means `()`.
pub fn output(signature: &Signature) -> Option<Type> {
    match &signature.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some((**ty).clone()),
    }
}

/// One parameter after `&self`, of a method that takes texts.
pub enum Input {
    /// `&Call`, or `&Completing` of a completion.
    Call,
    /// All arguments in one struct.
    Struct(Box<Type>),
    /// One argument, named by the parameter.
    Argument(Box<Argument>),
}

/// One argument, named by the parameter.
pub struct Argument {
    pub name: Ident,
    pub ty: Type,
    /// The doc comment on the parameter.
    pub description: Option<String>,
}

impl Argument {
    /// An `Option` may be left out.
    pub fn is_required(&self) -> bool {
        !matches!(&self.ty, Type::Path(path) if is_named(path, "Option"))
    }
}

/// Reads the parameters, and takes the doc comments away from them, which the compiler would refuse there.
///
/// `lent` is the type that is lent to the method, `Call` or `Completing`. A single parameter that is no plain value, and whose
/// name is not among `names`, is the struct of all arguments.
///
/// # Errors
/// A parameter that cannot be filled from texts.
pub fn inputs(signature: &mut Signature, mark: Mark, lent: &str, names: &[&str]) -> Result<Vec<Input>> {
    let thing = mark.thing();
    let mut inputs = Vec::new();
    for input in signature.inputs.iter_mut().skip(1) {
        let FnArg::Typed(input) = input else { continue };
        let description = docs::text(&input.attrs)?;
        input.attrs.retain(|attribute| !attribute.path().is_ident("doc"));
        match &*input.ty {
            Type::Reference(reference) if is_lent(reference, lent) => {
                if inputs.iter().any(|earlier| matches!(earlier, Input::Call)) {
                    return Err(Error::new_spanned(input, format!("`&{lent}` is here twice; once is enough")));
                }
                inputs.push(Input::Call);
            }
            Type::Reference(_) => {
                let message =
                    format!("what {thing} is given is its own: take `String` by value (only `&{lent}` is borrowed)");
                return Err(Error::new_spanned(&input.ty, message));
            }
            Type::Path(path) if is_named(path, lent) => {
                return Err(Error::new_spanned(path, format!("take `&{lent}`: it is lent to the method, not given")));
            }
            Type::ImplTrait(_) => {
                let message = format!("{thing} cannot be generic: name the type of this parameter");
                return Err(Error::new(input.ty.span(), message));
            }
            ty => inputs.push(match &*input.pat {
                Pat::Ident(pattern) => {
                    Input::Argument(Box::new(Argument { name: pattern.ident.clone(), ty: ty.clone(), description }))
                }
                _ => Input::Struct(Box::new(ty.clone())),
            }),
        }
    }
    let given = inputs.iter().filter(|input| !matches!(input, Input::Call)).count();
    for input in &mut inputs {
        match input {
            Input::Argument(argument) if given == 1 && is_struct(argument, names) => {
                *input = Input::Struct(Box::new(argument.ty.clone()));
            }
            Input::Struct(ty) if given > 1 => {
                let message =
                    format!("{thing} takes one struct with all its arguments, or a parameter for each of them");
                return Err(Error::new_spanned(ty, message));
            }
            _ => {}
        }
    }
    Ok(inputs)
}

fn is_struct(argument: &Argument, names: &[&str]) -> bool {
    use syn::ext::IdentExt;
    let name = argument.name.unraw().to_string();
    let plain = matches!(&argument.ty, Type::Path(path) if is_plain_value(path));
    !plain && !names.contains(&name.as_str())
}

pub fn is_lent(reference: &TypeReference, name: &str) -> bool {
    matches!(&*reference.elem, Type::Path(path) if is_named(path, name))
}

pub fn is_named(path: &TypePath, name: &str) -> bool {
    path.path.segments.last().is_some_and(|segment| segment.ident == name)
}

/// Types that hold one value and not several named ones.
pub fn is_plain_value(path: &TypePath) -> bool {
    const PLAIN: [&str; 18] = [
        "String", "str", "bool", "char", "u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize", "f32",
        "f64", "Vec", "Option",
    ];
    PLAIN.iter().any(|name| is_named(path, name))
}
