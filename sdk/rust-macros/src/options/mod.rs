//! What stands in the parentheses of the attributes: one module per attribute, and what they share here and in `parts`.

mod offer;
mod parts;
mod plugin;
mod tool;

pub use offer::{CompleteOptions, Completed, ListOptions, Listed, PromptOptions, Reach, ResourceOptions};
pub use parts::{Cache, Hints, Icon, Theme};
pub use plugin::{Capability, PluginOptions};
pub use tool::ToolOptions;

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::{Error, Ident, LitBool, LitStr, Result, Token};

/// Sets `slot`, unless it is set already.
fn once<T>(
    slot: &mut Option<T>,
    meta: &ParseNestedMeta,
    read: impl FnOnce(&ParseNestedMeta) -> Result<T>,
) -> Result<()> {
    if slot.is_some() {
        return Err(meta.error("this option is given twice"));
    }
    *slot = Some(read(meta)?);
    Ok(())
}

fn key(meta: &ParseNestedMeta) -> Result<String> {
    Ok(meta.path.require_ident()?.unraw().to_string())
}

fn text(meta: &ParseNestedMeta) -> Result<LitStr> {
    meta.value()?.parse()
}

/// `read_only` alone means true; `read_only = false` says the opposite.
fn flag(meta: &ParseNestedMeta) -> Result<bool> {
    match meta.input.peek(Token![=]) {
        true => Ok(meta.value()?.parse::<LitBool>()?.value),
        false => Ok(true),
    }
}

fn tool_name(meta: &ParseNestedMeta) -> Result<LitStr> {
    let name = text(meta)?;
    check_tool_name(&name.value(), name.span())?;
    Ok(name)
}

/// The rule of the contract for the names of tools.
///
/// # Errors
/// A name that breaks it.
pub fn check_tool_name(name: &str, span: Span) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    match (1..=128).contains(&name.len()) && name.chars().all(allowed) {
        true => Ok(()),
        false => Err(Error::new(span, "the name of a tool is 1 to 128 of the characters `A-Z a-z 0-9 _ - .`")),
    }
}

fn json_object(meta: &ParseNestedMeta) -> Result<LitStr> {
    let json = text(meta)?;
    match serde_json::from_str::<serde_json::Value>(&json.value()) {
        Ok(serde_json::Value::Object(_)) => Ok(json),
        Ok(_) => Err(Error::new(json.span(), "`meta` is a JSON object: `r#\"{ … }\"#`")),
        Err(error) => Err(Error::new(json.span(), format!("`meta` is a JSON object, and this is not JSON: {error}"))),
    }
}

/// The name a method gives to its tool.
pub fn name_of(method: &Ident) -> String {
    method.unraw().to_string()
}
