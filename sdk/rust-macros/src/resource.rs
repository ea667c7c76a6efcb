//! One `#[resource]` method.

use crate::docs;
use crate::method::{self, Input, Mark};
use crate::options::{Reach, ResourceOptions, name_of};
use crate::template::{self, Part};
use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::{Error, Ident, ImplItemFn, LitStr, Result, Type};

/// What clients take for a page that shows a tool's results (the extension `io.modelcontextprotocol/ui`).
const PAGE: &str = "text/html;profile=mcp-app";

/// A resource, or a template of them, as its method describes it.
pub struct Resource {
    pub method: Ident,
    pub target: Target,
    /// Name for programs.
    pub name: String,
    /// The doc comment.
    pub description: Option<String>,
    pub options: ResourceOptions,
    pub inputs: Vec<Input>,
    pub output: Option<Type>,
}

/// What a method reads.
pub enum Target {
    /// One resource.
    Uri(LitStr),
    /// All that the template leads to.
    Template(LitStr, Vec<Part>),
    /// All that no other method reads.
    Any(Ident),
}

impl Resource {
    /// The media type, where the attribute or the URI says it.
    pub fn mime_type(&self) -> Option<String> {
        self.options.mime_type.as_ref().map(LitStr::value).or_else(|| self.is_page().then(|| PAGE.to_owned()))
    }

    /// Whether it is a page for a tool's results.
    pub fn is_page(&self) -> bool {
        match &self.target {
            Target::Uri(uri) | Target::Template(uri, _) => uri.value().starts_with("ui://"),
            Target::Any(_) => false,
        }
    }
}

/// Reads a method under `#[resource(…)]`.
///
/// # Errors
/// A URI or a signature that no resource can have, and whatever [`ResourceOptions::parse`] refuses.
pub fn read(method: &mut ImplItemFn, options: TokenStream) -> Result<Resource> {
    let (reach, options) = ResourceOptions::parse(options)?;
    method::check_shape(&method.sig, Mark::Resource)?;
    let target = match reach {
        Reach::Any(any) => Target::Any(any),
        Reach::Own(uri) => {
            let uri = uri
                .ok_or_else(|| Error::new_spanned(&method.sig.ident, "say the URI: `#[resource(\"config://app\")]`"))?;
            let parts = template::parse(&uri)?;
            let has_variables = template::variables(&parts).next().is_some();
            if has_variables { Target::Template(uri, parts) } else { Target::Uri(uri) }
        }
    };
    let parts = match &target {
        Target::Template(_, parts) => parts.as_slice(),
        _ => &[],
    };
    let names: Vec<&str> = template::variables(parts).collect();
    let inputs = method::inputs(&mut method.sig, Mark::Resource, "Call", &names)?;
    check_inputs(&inputs, &target, &names)?;
    if let (Target::Template(..), Some(_)) = (&target, options.size) {
        return Err(Error::new_spanned(&method.sig.ident, "a template stands for many resources, and has no `size`"));
    }
    Ok(Resource {
        name: options.name.as_ref().map_or_else(|| name_of(&method.sig.ident), LitStr::value),
        method: method.sig.ident.clone(),
        description: docs::text(&method.attrs)?,
        output: method::output(&method.sig),
        target,
        options,
        inputs,
    })
}

fn check_inputs(inputs: &[Input], target: &Target, names: &[&str]) -> Result<()> {
    for input in inputs {
        let (argument, ty) = match input {
            Input::Call => continue,
            Input::Argument(argument) => (Some(&argument.name), &argument.ty),
            Input::Struct(ty) => (None, &**ty),
        };
        match (target, argument) {
            (Target::Any(_), _) => {
                return Err(Error::new_spanned(ty, "a method for any resource takes `&Call`, which has the URI"));
            }
            (Target::Uri(uri), _) => {
                let message = format!(
                    "`{}` has no variables to give to this parameter: remove it, or put one into the URI, as in `note://{{id}}`",
                    uri.value()
                );
                return Err(Error::new_spanned(
                    argument.map_or_else(|| quote::quote!(#ty), |name| quote::quote!(#name)),
                    message,
                ));
            }
            (Target::Template(..), Some(name)) if !names.contains(&name.unraw().to_string().as_str()) => {
                let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                let message = format!("`{name}` is no variable of this URI, which has {names}");
                return Err(Error::new_spanned(name, message));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;
    use syn::parse2;

    fn of(tokens: TokenStream) -> Result<Resource> {
        let mut method = parse2(tokens)?;
        let (mark, options) = method::take_mark(&mut method)?.expect("a mark");
        assert_eq!(mark, Mark::Resource);
        read(&mut method, options)
    }

    #[test]
    fn a_uri_without_variables_is_one_resource() {
        let resource = of(quote! {
            /// The settings.
            #[resource("config://app", title = "Settings")]
            fn config(&self, call: &Call) -> String { todo() }
        })
        .unwrap();
        assert!(matches!(resource.target, Target::Uri(_)));
        assert_eq!((resource.name.as_str(), resource.description.as_deref()), ("config", Some("The settings.")));
        assert_eq!(resource.mime_type(), None);
    }

    #[test]
    fn a_uri_with_variables_is_a_template() {
        let resource = of(quote!(
            #[resource("repo://{owner}/{number}{?lang}", name = "issue")]
            fn f(&self, number: u32, owner: String, lang: Option<String>) -> String {}
        ))
        .unwrap();
        assert!(matches!(resource.target, Target::Template(..)));
        assert!(matches!(resource.inputs[..], [Input::Argument(_), Input::Argument(_), Input::Argument(_)]));
        let one = of(quote!(
            #[resource("repo://{owner}")]
            fn f(&self, owner: Owner) {}
        ));
        assert!(matches!(one.unwrap().inputs[..], [Input::Argument(_)]));
        let all = of(quote!(
            #[resource("repo://{owner}")]
            fn f(&self, args: Owner) {}
        ));
        assert!(matches!(all.unwrap().inputs[..], [Input::Struct(_)]));
    }

    #[test]
    fn a_page_has_the_media_type_of_pages() {
        let page = of(quote!(
            #[resource("ui://clock/view")]
            fn view(&self) -> &'static str {}
        ));
        assert_eq!(page.unwrap().mime_type().as_deref(), Some(PAGE));
    }

    #[test]
    fn a_mistake_is_answered_with_what_would_be_right() {
        let cases = [
            (
                quote!(
                    #[resource]
                    fn f(&self) {}
                ),
                "say which resource this is",
            ),
            (
                quote!(
                    #[resource("notes")]
                    fn f(&self) {}
                ),
                "a URI with a scheme",
            ),
            (
                quote!(
                    #[resource("x:1")]
                    async fn f(&self) {}
                ),
                "a resource is an ordinary function: remove `async`",
            ),
            (
                quote!(
                    #[resource("x:1")]
                    fn f() {}
                ),
                "a resource is a method",
            ),
            (
                quote!(
                    #[resource("x:1")]
                    fn f(&self, id: String) {}
                ),
                "put one into the URI",
            ),
            (
                quote!(
                    #[resource("x:1")]
                    fn f(&self, id: Id) {}
                ),
                "put one into the URI",
            ),
            (
                quote!(
                    #[resource("x:{id}")]
                    fn f(&self, key: String) {}
                ),
                "`key` is no variable of this URI, which has `id`",
            ),
            (
                quote!(
                    #[resource("x:{id}")]
                    fn f(&self, id: &str) {}
                ),
                "take `String` by value",
            ),
            (
                quote!(
                    #[resource("x:{id}")]
                    fn f(&self, call: Call) {}
                ),
                "take `&Call`",
            ),
            (
                quote!(
                    #[resource("x:{id}", size = 1)]
                    fn f(&self) {}
                ),
                "has no `size`",
            ),
            (
                quote!(
                    #[resource(any)]
                    fn f(&self, id: String) {}
                ),
                "which has the URI",
            ),
        ];
        for (tokens, expected) in cases {
            let source = tokens.to_string();
            let error = of(tokens).err().unwrap_or_else(|| panic!("accepted: {source}")).to_string();
            assert!(error.contains(expected), "{source}: {error}");
        }
    }
}
