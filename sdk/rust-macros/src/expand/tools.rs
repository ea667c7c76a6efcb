//! `tools` and `call`.

use super::{any, icons, list, option, returned};
use crate::options::Listed;
use crate::plugin::Plugin;
use crate::tool::{Parameter, Tool};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Result;
use syn::spanned::Spanned;

/// The two functions; nothing if there are no tools.
///
/// # Errors
/// Those of [`ToolOptions::full_meta`](crate::options::ToolOptions::full_meta).
pub fn functions(plugin: &Plugin) -> Result<TokenStream> {
    if !plugin.has_tools() {
        return Ok(TokenStream::new());
    }
    let (others, named): (Vec<_>, Vec<_>) = plugin.tools.iter().partition(|tool| tool.options.any);
    let definitions = named.iter().map(|tool| definition(tool)).collect::<Result<Vec<_>>>()?;
    let calls = named.iter().map(|tool| {
        let name = &tool.name;
        let call = dispatch(tool);
        quote!(#name => #call,)
    });
    let other = any(others.first().map(|tool| dispatch(tool)), "unknown_tool");
    let list = list(
        plugin,
        Listed::Tools,
        &quote!(Tool),
        &quote!(ToolList),
        &quote!(tools),
        &quote! {
            ::std::vec![#(#definitions.describe()?),*]
        },
    );
    Ok(quote! {
        #list

        fn call(
            &self,
            call: &::toolcell_sdk::Call,
        ) -> ::std::result::Result<::toolcell_sdk::Outcome, ::toolcell_sdk::types::CallError> {
            match call.name() {
                #(#calls)*
                other => #other,
            }
        }
    })
}

/// What `list-tools` says of one tool.
fn definition(tool: &Tool) -> Result<TokenStream> {
    let Tool { name, description, options, .. } = tool;
    let description = option(description.as_ref());
    let title = option(options.title.as_ref());
    let meta = option(options.full_meta()?.as_ref());
    let icons = icons(&options.icons);
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
            let ty = returned(tool.output.as_ref(), &tool.method);
            quote_spanned!(ty.span()=> <#ty as ::toolcell_sdk::IntoOutcome>::output_schema)
        }
    };
    Ok(quote! {
        ::toolcell_sdk::__private::ToolDefinition {
            name: #name,
            title: #title,
            description: #description,
            read_only: #read_only,
            destructive: #destructive,
            idempotent: #idempotent,
            open_world: #open_world,
            icons: #icons,
            meta: #meta,
            input: #input,
            output: #output,
        }
    })
}

/// The call of one tool.
fn dispatch(tool: &Tool) -> TokenStream {
    let method = &tool.method;
    let parameters = tool.parameters.iter().map(|parameter| match parameter {
        Parameter::Arguments(ty) => quote_spanned!(ty.span()=> call.arguments::<#ty>()?),
        Parameter::Call => quote!(call),
    });
    let ty = returned(tool.output.as_ref(), method);
    let convert = quote_spanned!(ty.span()=> <#ty as ::toolcell_sdk::IntoOutcome>::into_outcome);
    quote!(#convert(self.#method(#(#parameters),*)))
}
