//! From the description of a plugin to the code of it.

use crate::manifest::{self, Package};
use crate::plugin::Plugin;
use crate::tool::{Parameter, Tool};
use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Result, Type};

/// The block as it was written, what the host asks of it, and, in a component, its exports and its manifest.
///
/// # Errors
/// Those of [`manifest::json`].
pub fn plugin(plugin: &Plugin, package: &Package) -> Result<TokenStream> {
    let block = &plugin.block;
    let ty = &block.self_ty;
    let tools = plugin.tools.iter().map(definition);
    let calls = plugin.tools.iter().map(dispatch);
    let exports = exports(ty, &manifest::json(plugin, package)?);
    Ok(quote! {
        #block

        impl ::toolcell_sdk::Plugin for #ty {
            fn tools() -> ::std::vec::Vec<::toolcell_sdk::__private::ToolDefinition> {
                ::std::vec![#(#tools),*]
            }

            fn call(
                &self,
                call: &::toolcell_sdk::Call,
            ) -> ::std::result::Result<::toolcell_sdk::Outcome, ::toolcell_sdk::types::CallError> {
                match call.name() {
                    #(#calls)*
                    other => ::std::result::Result::Err(::toolcell_sdk::__private::unknown_tool(other)),
                }
            }
        }

        #exports
    })
}

/// What `list-tools` says of one tool.
fn definition(tool: &Tool) -> TokenStream {
    let Tool { name, description, options, .. } = tool;
    let description = option(description.as_ref());
    let title = option(options.title.as_ref());
    let meta = option(options.meta.as_ref());
    let [read_only, destructive, idempotent, open_world] =
        [options.read_only, options.destructive, options.idempotent, options.open_world]
            .map(|hint| option(hint.as_ref()));
    let input = match tool.arguments() {
        Some(ty) => quote_spanned!(ty.span()=> ::toolcell_sdk::__private::input_schema::<#ty>),
        None => quote!(::toolcell_sdk::__private::no_input),
    };
    let output = match &options.output {
        Some(ty) => quote_spanned!(ty.span()=> ::toolcell_sdk::__private::output_schema::<#ty>),
        None => {
            let ty = returned(tool);
            quote_spanned!(ty.span()=> <#ty as ::toolcell_sdk::IntoOutcome>::output_schema)
        }
    };
    quote! {
        ::toolcell_sdk::__private::ToolDefinition {
            name: #name,
            title: #title,
            description: #description,
            read_only: #read_only,
            destructive: #destructive,
            idempotent: #idempotent,
            open_world: #open_world,
            meta: #meta,
            input: #input,
            output: #output,
        }
    }
}

/// The arm of `call` for one tool.
fn dispatch(tool: &Tool) -> TokenStream {
    let Tool { name, method, .. } = tool;
    let parameters = tool.parameters.iter().map(|parameter| match parameter {
        Parameter::Arguments(ty) => quote_spanned!(ty.span()=> call.arguments::<#ty>()?),
        Parameter::Call => quote!(call),
    });
    let ty = returned(tool);
    let convert = quote_spanned!(ty.span()=> <#ty as ::toolcell_sdk::IntoOutcome>::into_outcome);
    quote! {
        #name => #convert(self.#method(#(#parameters),*)),
    }
}

/// What the host links to. On the machine itself none of it exists, so that a plugin's tests run there.
fn exports(ty: &Type, manifest: &str) -> TokenStream {
    let section = manifest::SECTION;
    let length = manifest.len();
    let bytes = Literal::byte_string(manifest.as_bytes());
    quote! {
        #[cfg(target_family = "wasm")]
        const _: () = {
            #[used]
            #[unsafe(link_section = #section)]
            static MANIFEST: [u8; #length] = *#bytes;
        };

        #[cfg(target_family = "wasm")]
        ::toolcell_sdk::__private::export_tools!(#ty);

        #[cfg(not(target_family = "wasm"))]
        const _: fn() = ::toolcell_sdk::__private::is_plugin::<#ty>;
    }
}

fn returned(tool: &Tool) -> TokenStream {
    match &tool.output {
        Some(ty) => ty.to_token_stream(),
        None => quote_spanned!(tool.method.span()=> ()),
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
