//! The attributes of `toolcell-sdk`. Plugins use them through that crate, whose documentation describes them.
//!
//! Modules in the order a plugin passes through them: `options` reads what is in the parentheses, `docs` what is in
//! the doc comments, `template` what is in a URI, `method` what all marked methods share, `tool`, `resource`, `prompt` and
//! `complete` one method each, `plugin` the whole `impl` block, `manifest` writes the stamp that the host reads before it
//! compiles the component, and `expand` writes the code.

mod complete;
mod docs;
mod expand;
mod manifest;
mod method;
mod options;
mod plugin;
mod prompt;
mod resource;
mod template;
mod tool;

use method::Mark;
use proc_macro::TokenStream;

/// Makes a plugin of the `impl` block of a type that is `Default`; described in the documentation of `toolcell-sdk`.
#[proc_macro_attribute]
pub fn plugin(options: TokenStream, block: TokenStream) -> TokenStream {
    plugin::parse(options.into(), block.into())
        .and_then(|plugin| expand::plugin(&plugin, &manifest::Package::of_the_caller()))
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

// `#[plugin]` takes the marks below away before the compiler sees them, so they run only where `#[plugin]` is missing.

/// Marks a method as a tool; described in the documentation of `toolcell-sdk`.
#[proc_macro_attribute]
pub fn tool(_options: TokenStream, _method: TokenStream) -> TokenStream {
    Mark::Tool.outside_of_a_plugin().to_compile_error().into()
}

/// Marks a method as a resource, or as a template of them; described in the documentation of `toolcell-sdk`.
#[proc_macro_attribute]
pub fn resource(_options: TokenStream, _method: TokenStream) -> TokenStream {
    Mark::Resource.outside_of_a_plugin().to_compile_error().into()
}

/// Marks a method as a prompt; described in the documentation of `toolcell-sdk`.
#[proc_macro_attribute]
pub fn prompt(_options: TokenStream, _method: TokenStream) -> TokenStream {
    Mark::Prompt.outside_of_a_plugin().to_compile_error().into()
}

/// Marks a method that completes an argument; described in the documentation of `toolcell-sdk`.
#[proc_macro_attribute]
pub fn complete(_options: TokenStream, _method: TokenStream) -> TokenStream {
    Mark::Complete.outside_of_a_plugin().to_compile_error().into()
}

/// Marks a method that makes a list at run time; described in the documentation of `toolcell-sdk`.
#[proc_macro_attribute]
pub fn list(_options: TokenStream, _method: TokenStream) -> TokenStream {
    Mark::List.outside_of_a_plugin().to_compile_error().into()
}
