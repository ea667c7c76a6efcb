//! What stands in the parentheses of `#[plugin(…)]` and `#[tool(…)]`.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{Error, Ident, LitBool, LitStr, Result, Token, Type};

/// The options of `#[plugin(…)]`.
#[derive(Default)]
pub struct PluginOptions {
    /// Instead of the crate's name.
    pub name: Option<LitStr>,
    /// Instead of the crate's version.
    pub version: Option<LitStr>,
    /// What the plugin asks the operator for, in the order written.
    pub requests: Vec<Request>,
}

/// One `request(…)`.
pub struct Request {
    /// What is asked for.
    pub what: Capability,
    /// The reason the operator reads.
    pub why: String,
}

/// What a plugin can ask for.
pub enum Capability {
    /// A directory: its guest path or `/*`, and whether to write there.
    Dir { path: String, access: String },
    /// Hosts to talk to, as the pattern of a grant.
    Host(String),
    /// An environment variable.
    Env(String),
}

/// The options of `#[tool(…)]`.
#[derive(Default)]
pub struct ToolOptions {
    /// Instead of the method's name.
    pub name: Option<LitStr>,
    /// A name for people.
    pub title: Option<LitStr>,
    /// Behaviour hints; none means not said.
    pub read_only: Option<bool>,
    pub destructive: Option<bool>,
    pub idempotent: Option<bool>,
    pub open_world: Option<bool>,
    /// The type of the structured result, where the return type does not tell.
    pub output: Option<Type>,
    /// A JSON object for `_meta`.
    pub meta: Option<LitStr>,
}

impl PluginOptions {
    /// Reads the tokens between the parentheses.
    ///
    /// # Errors
    /// An option that does not exist, is written twice, or has a value that cannot be right.
    pub fn parse(tokens: TokenStream) -> Result<Self> {
        let mut options = Self::default();
        let parser =
            syn::meta::parser(|meta| match key(&meta)?.as_str() {
                "name" => once(&mut options.name, &meta, text),
                "version" => once(&mut options.version, &meta, text),
                "request" => {
                    options.requests.push(request(&meta)?);
                    Ok(())
                }
                other => Err(meta
                    .error(format!("`#[plugin]` has no option `{other}`; it has `name`, `version` and `request(…)`"))),
            });
        parser.parse2(tokens)?;
        Ok(options)
    }
}

impl ToolOptions {
    /// Reads the tokens between the parentheses.
    ///
    /// # Errors
    /// An option that does not exist, is written twice, or has a value that cannot be right.
    pub fn parse(tokens: TokenStream) -> Result<Self> {
        let mut options = Self::default();
        let parser = syn::meta::parser(|meta| match key(&meta)?.as_str() {
            "name" => once(&mut options.name, &meta, tool_name),
            "title" => once(&mut options.title, &meta, text),
            "read_only" => once(&mut options.read_only, &meta, flag),
            "destructive" => once(&mut options.destructive, &meta, flag),
            "idempotent" => once(&mut options.idempotent, &meta, flag),
            "open_world" => once(&mut options.open_world, &meta, flag),
            "output" => once(&mut options.output, &meta, |meta| meta.value()?.parse()),
            "meta" => once(&mut options.meta, &meta, json_object),
            "description" => {
                Err(meta.error("the description is the method's doc comment: write `/// …` above `#[tool]`"))
            }
            other => Err(meta.error(format!(
                "`#[tool]` has no option `{other}`; it has `name`, `title`, `read_only`, `destructive`, `idempotent`, \
                 `open_world`, `output` and `meta`"
            ))),
        });
        parser.parse2(tokens)?;
        if let (Some(true), Some(true)) = (options.read_only, options.destructive) {
            return Err(Error::new(
                Span::call_site(),
                "a tool cannot be both `read_only` and `destructive`; remove the one that is not true",
            ));
        }
        Ok(options)
    }
}

/// `request(dir = "/*", access = "read-write", why = "…")`, `request(host = …, why = …)` or `request(env = …, why = …)`.
fn request(meta: &ParseNestedMeta) -> Result<Request> {
    let (mut dir, mut access, mut host, mut env, mut why) = (None, None, None, None, None);
    meta.parse_nested_meta(|meta| match key(&meta)?.as_str() {
        "dir" => once(&mut dir, &meta, text),
        "access" => once(&mut access, &meta, text),
        "host" => once(&mut host, &meta, text),
        "env" => once(&mut env, &meta, text),
        "why" => once(&mut why, &meta, text),
        other => Err(meta
            .error(format!("`request` has no option `{other}`; it has `dir` with `access`, `host`, `env`, and `why`"))),
    })?;
    let asked = meta.path.span();
    let why = why.filter(|why| !why.value().trim().is_empty()).ok_or_else(|| {
        Error::new(asked, "say why the plugin needs this, for the operator who decides: add `why = \"…\"`")
    })?;
    let what = match (dir, host, env) {
        (Some(dir), None, None) => directory(&dir, access)?,
        (None, Some(host), None) => Capability::Host(pattern(&host)?),
        (None, None, Some(env)) => Capability::Env(variable(&env)?),
        _ => {
            return Err(Error::new(asked, "a `request` asks for one thing: `dir`, `host` or `env`"));
        }
    };
    Ok(Request { what, why: why.value() })
}

fn directory(path: &LitStr, access: Option<LitStr>) -> Result<Capability> {
    if !path.value().starts_with('/') {
        return Err(Error::new(
            path.span(),
            "a directory is named by its path inside the cell, such as `/state`, or is `/*` for whatever the operator mounts",
        ));
    }
    let access = access.ok_or_else(|| {
        Error::new(
            path.span(),
            "say how the directory is used: add `access = \"read-only\"` or `access = \"read-write\"`",
        )
    })?;
    match access.value().as_str() {
        "read-only" | "read-write" => Ok(Capability::Dir { path: path.value(), access: access.value() }),
        _ => Err(Error::new(access.span(), "`access` is `read-only` or `read-write`")),
    }
}

fn pattern(host: &LitStr) -> Result<String> {
    match host.value().contains("://") {
        true => Ok(host.value()),
        false => {
            Err(Error::new(host.span(), "a host is written with its scheme: `https://api.example.com` or `https://*`"))
        }
    }
}

fn variable(name: &LitStr) -> Result<String> {
    let value = name.value();
    match value.is_empty() || value.contains(['=', '\0']) {
        true => Err(Error::new(name.span(), "this is the name of one environment variable, such as `TZ`")),
        false => Ok(value),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn everything_a_plugin_can_say() {
        let options = PluginOptions::parse(quote! {
            name = "files", version = "2.1.0",
            request(dir = "/*", access = "read-write", why = "the files it works on"),
            request(host = "https://*", why = "pages"),
            request(env = "TZ", why = "the local zone"),
        })
        .unwrap();
        assert_eq!(options.name.unwrap().value(), "files");
        assert_eq!(options.version.unwrap().value(), "2.1.0");
        assert_eq!(options.requests.len(), 3);
        assert_eq!(options.requests[1].why, "pages");
        assert!(
            matches!(&options.requests[0].what, Capability::Dir { path, access } if path == "/*" && access == "read-write")
        );
    }

    #[test]
    fn everything_a_tool_can_say() {
        let options = ToolOptions::parse(quote! {
            name = "read_file", title = "Read", read_only, destructive = false, idempotent = true, open_world = false,
            output = Vec<u8>, meta = r#"{"a":1}"#
        })
        .unwrap();
        assert_eq!(options.name.unwrap().value(), "read_file");
        assert_eq!((options.read_only, options.destructive), (Some(true), Some(false)));
        assert_eq!((options.idempotent, options.open_world), (Some(true), Some(false)));
        assert!(options.output.is_some() && options.meta.is_some());
    }

    #[test]
    fn nothing_said_is_not_the_same_as_false() {
        let options = ToolOptions::parse(quote!()).unwrap();
        assert_eq!((options.read_only, options.destructive), (None, None));
    }

    #[test]
    fn a_mistake_in_a_plugin_is_answered_with_what_would_be_right() {
        let cases = [
            (quote!(nam = "x"), "has no option `nam`"),
            (quote!(name = "x", name = "y"), "given twice"),
            (quote!(request(dir = "/*", access = "read-only")), "add `why = "),
            (quote!(request(dir = "/*", access = "read-only", why = " ")), "add `why = "),
            (quote!(request(dir = "/*", why = "x")), "add `access = \"read-only\"`"),
            (quote!(request(dir = "/*", access = "rw", why = "x")), "`access` is `read-only` or `read-write`"),
            (quote!(request(dir = "state", access = "read-only", why = "x")), "such as `/state`"),
            (quote!(request(host = "example.com", why = "x")), "written with its scheme"),
            (quote!(request(env = "", why = "x")), "one environment variable"),
            (quote!(request(env = "A", host = "https://*", why = "x")), "asks for one thing"),
            (quote!(request(why = "x")), "asks for one thing"),
            (quote!(request(socket = "x", why = "x")), "has no option `socket`"),
        ];
        for (tokens, expected) in cases {
            let source = tokens.to_string();
            let error = PluginOptions::parse(tokens).err().unwrap_or_else(|| panic!("accepted: {source}")).to_string();
            assert!(error.contains(expected), "{source}: {error}");
        }
    }

    #[test]
    fn a_mistake_in_a_tool_is_answered_with_what_would_be_right() {
        let cases = [
            (quote!(readonly), "has no option `readonly`; it has `name`"),
            (quote!(description = "x"), "is the method's doc comment"),
            (quote!(name = "read file"), "1 to 128 of the characters"),
            (quote!(name = ""), "1 to 128 of the characters"),
            (quote!(meta = "[]"), "`meta` is a JSON object"),
            (quote!(meta = "{"), "this is not JSON"),
            (quote!(read_only, destructive), "cannot be both"),
            (quote!(read_only, read_only), "given twice"),
        ];
        for (tokens, expected) in cases {
            let source = tokens.to_string();
            let error = ToolOptions::parse(tokens).err().unwrap_or_else(|| panic!("accepted: {source}")).to_string();
            assert!(error.contains(expected), "{source}: {error}");
        }
    }
}
