//! From the description of a plugin to the code of it.

mod offers;
mod tools;

use crate::manifest::{self, Package};
use crate::options::{Cache, Icon, Listed, Theme};
use crate::plugin::Plugin;
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Result, Type};

/// The block as it was written, what the host asks of it, and, in a component, its exports and its manifest.
///
/// # Errors
/// Those of [`manifest::json`].
pub fn plugin(plugin: &Plugin, package: &Package) -> Result<TokenStream> {
    let block = &plugin.block;
    let ty = &block.self_ty;
    let tools = tools::functions(plugin)?;
    let resources = offers::resources(plugin);
    let prompts = offers::prompts(plugin);
    let completions = offers::completions(plugin);
    let exports = exports(plugin, &manifest::json(plugin, package)?);
    Ok(quote! {
        #block

        impl ::toolcell_sdk::Plugin for #ty {
            #tools
            #resources
            #prompts
            #completions
        }

        #exports
    })
}

/// The function that lists descriptions: those that are known now, and those that a method makes.
fn list(
    plugin: &Plugin,
    of: Listed,
    item: &TokenStream,
    result: &TokenStream,
    name: &TokenStream,
    known: &TokenStream,
) -> TokenStream {
    let made = plugin.list(of);
    let more = made.map(|list| {
        let method = &list.method;
        let ty = returned(list.output.as_ref(), method);
        let convert = quote_spanned! {ty.span()=>
            <#ty as ::toolcell_sdk::IntoList<::toolcell_sdk::types::#item>>::into_list
        };
        quote!(list.extend(#convert(self.#method())?);)
    });
    let mutable = more.as_ref().map(|_| quote!(mut));
    let cache = cache(made.and_then(|list| list.options.cache.as_ref()).or(plugin.options.cache.as_ref()));
    quote! {
        fn #name(
            &self,
        ) -> ::std::result::Result<::toolcell_sdk::types::#result, ::toolcell_sdk::types::CallError> {
            let #mutable list: ::std::vec::Vec<::toolcell_sdk::types::#item> = #known;
            #more
            ::std::result::Result::Ok(::toolcell_sdk::types::#result { #name: list, cache: #cache })
        }
    }
}

/// What answers to all other names: a method, or that there is nothing of that name.
fn any(method: Option<TokenStream>, unknown: &str) -> TokenStream {
    let unknown = format_ident!("{unknown}");
    match method {
        Some(call) => quote!({ let _ = other; #call }),
        None => quote!(::std::result::Result::Err(::toolcell_sdk::__private::#unknown(other))),
    }
}

fn cache(cache: Option<&Cache>) -> TokenStream {
    match cache {
        Some(Cache { ttl_ms, public }) => {
            let scope = if *public { quote!(Public) } else { quote!(Private) };
            quote! {
                ::std::option::Option::Some(::toolcell_sdk::types::CacheHint {
                    ttl_ms: #ttl_ms,
                    scope: ::toolcell_sdk::types::CacheScope::#scope,
                })
            }
        }
        None => quote!(::std::option::Option::None),
    }
}

fn icons(icons: &[Icon]) -> TokenStream {
    let icons = icons.iter().map(|icon| {
        let Icon { src, mime_type, sizes, theme } = icon;
        let mime_type = option(mime_type.as_ref());
        let theme = option(
            theme
                .map(|theme| match theme {
                    Theme::Light => quote!(::toolcell_sdk::types::IconTheme::Light),
                    Theme::Dark => quote!(::toolcell_sdk::types::IconTheme::Dark),
                })
                .as_ref(),
        );
        quote! {
            ::toolcell_sdk::__private::IconDefinition {
                src: #src,
                mime_type: #mime_type,
                sizes: &[#(#sizes),*],
                theme: #theme,
            }
        }
    });
    quote!(&[#(#icons),*])
}

/// What the host links to. On the machine itself none of it exists, so that a plugin's tests run there.
fn exports(plugin: &Plugin, manifest: &str) -> TokenStream {
    let ty = &plugin.block.self_ty;
    let section = manifest::SECTION;
    let length = manifest.len();
    let bytes = Literal::byte_string(manifest.as_bytes());
    let offered = [
        (plugin.has_tools(), "export_tools"),
        (plugin.has_resources(), "export_resources"),
        (plugin.has_prompts(), "export_prompts"),
        (!plugin.completions.is_empty(), "export_completions"),
    ];
    let exports = offered.iter().filter(|(offered, _)| *offered).map(|(_, export)| format_ident!("{export}"));
    quote! {
        #[cfg(target_family = "wasm")]
        const _: () = {
            #[used]
            #[unsafe(link_section = #section)]
            static MANIFEST: [u8; #length] = *#bytes;
        };

        #(
            #[cfg(target_family = "wasm")]
            ::toolcell_sdk::__private::#exports!(#ty);
        )*

        #[cfg(not(target_family = "wasm"))]
        const _: fn() = ::toolcell_sdk::__private::is_plugin::<#ty>;
    }
}

/// The type that a method returns.
fn returned(output: Option<&Type>, method: &Ident) -> TokenStream {
    match output {
        Some(ty) => ty.to_token_stream(),
        None => quote_spanned!(method.span()=> ()),
    }
}

fn option(value: Option<&impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::std::option::Option::Some(#value)),
        None => quote!(::std::option::Option::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_rust() {
        let parsed = crate::plugin::parse(
            quote!(request(env = "TZ", why = "the local zone")),
            quote! {
                /// Says it's "done".
                impl P {
                    #[tool(read_only, output = Out)]
                    fn f(&self, args: Args, call: &Call) -> ToolResult { todo() }
                    #[tool]
                    fn g(&self) {}
                }
            },
        )
        .unwrap();
        let package = Package { name: Some("p".into()), version: Some("1.0.0".into()) };
        let file: syn::File = syn::parse2(plugin(&parsed, &package).unwrap()).unwrap();
        assert_eq!(file.items.len(), 5);
    }
}
