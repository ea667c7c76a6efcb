//! The attributes of `toolcell-sdk`. Plugins use them through that crate, whose documentation describes them.
//!
//! Modules in the order a plugin passes through them: `options` reads what is in the parentheses, `docs` what is in
//! the doc comments, `tool` one method, `plugin` the whole `impl` block, `manifest` writes the stamp that the host
//! reads before it compiles the component, and `expand` writes the code.

mod docs;
mod expand;
mod manifest;
mod options;
mod plugin;
mod tool;

use proc_macro::TokenStream;

/// Makes a plugin of the `impl` block of a type that is `Default`; described in the documentation of `toolcell-sdk`.
#[proc_macro_attribute]
pub fn plugin(options: TokenStream, block: TokenStream) -> TokenStream {
    plugin::parse(options.into(), block.into())
        .and_then(|plugin| expand::plugin(&plugin, &manifest::Package::of_the_caller()))
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// Marks a method as a tool; described in the documentation of `toolcell-sdk`.
///
/// `#[plugin]` takes these marks away before the compiler sees them, so this runs only where `#[plugin]` is missing.
#[proc_macro_attribute]
pub fn tool(_options: TokenStream, _method: TokenStream) -> TokenStream {
    tool::outside_of_a_plugin().to_compile_error().into()
}
