//! What stands in the parentheses of `#[plugin(…)]`.

use super::parts::{Cache, cache};
use super::{check_tool_name, flag, key, once, text};
use proc_macro2::TokenStream;
use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{Error, LitStr, Result};

/// The options of `#[plugin(…)]`.
#[derive(Default)]
pub struct PluginOptions {
    /// Instead of the crate's name.
    pub name: Option<LitStr>,
    /// Instead of the crate's version.
    pub version: Option<LitStr>,
    /// How long its lists stay fresh.
    pub cache: Option<Cache>,
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
    /// A store of its own.
    KeyValue,
    /// Other tools, by name or by the beginning of it and `*`.
    Tool(String),
}

impl PluginOptions {
    /// Reads the tokens between the parentheses.
    ///
    /// # Errors
    /// An option that does not exist, is written twice, or has a value that cannot be right.
    pub fn parse(tokens: TokenStream) -> Result<Self> {
        let mut options = Self::default();
        let parser = syn::meta::parser(|meta| match key(&meta)?.as_str() {
            "name" => once(&mut options.name, &meta, text),
            "version" => once(&mut options.version, &meta, text),
            "cache" => once(&mut options.cache, &meta, cache),
            "request" => {
                let request = request(&meta)?;
                let is_store = |request: &Request| matches!(request.what, Capability::KeyValue);
                if is_store(&request) && options.requests.iter().any(is_store) {
                    return Err(meta.error("the store is asked for twice: a plugin has one, leave the second out"));
                }
                options.requests.push(request);
                Ok(())
            }
            other => Err(meta.error(format!(
                "`#[plugin]` has no option `{other}`; it has `name`, `version`, `cache(…)` and `request(…)`"
            ))),
        });
        parser.parse2(tokens)?;
        Ok(options)
    }
}

/// `request(dir = "/*", access = "read-write", why = "…")`; `host`, `env` and `tool` have a text and `why`, `key_value` only that.
fn request(meta: &ParseNestedMeta) -> Result<Request> {
    let (mut dir, mut access, mut host, mut env, mut why) = (None, None, None, None, None);
    let (mut key_value, mut tool) = (None, None);
    meta.parse_nested_meta(|meta| match key(&meta)?.as_str() {
        "dir" => once(&mut dir, &meta, text),
        "access" => once(&mut access, &meta, text),
        "host" => once(&mut host, &meta, text),
        "env" => once(&mut env, &meta, text),
        "key_value" => once(&mut key_value, &meta, flag),
        "tool" => once(&mut tool, &meta, text),
        "why" => once(&mut why, &meta, text),
        other => Err(meta.error(format!(
            "`request` has no option `{other}`; it has `dir` with `access`, `host`, `env`, `key_value`, `tool`, and `why`"
        ))),
    })?;
    let asked = meta.path.span();
    let why = why.filter(|why| !why.value().trim().is_empty()).ok_or_else(|| {
        Error::new(asked, "say why the plugin needs this, for the operator who decides: add `why = \"…\"`")
    })?;
    let what = match (dir, host, env, key_value, tool) {
        (Some(dir), None, None, None, None) => directory(&dir, access)?,
        (None, Some(host), None, None, None) => Capability::Host(pattern(&host)?),
        (None, None, Some(env), None, None) => Capability::Env(variable(&env)?),
        (None, None, None, Some(true), None) => Capability::KeyValue,
        (None, None, None, None, Some(tool)) => Capability::Tool(tools(&tool)?),
        _ => {
            let message = "a `request` asks for one thing: `dir`, `host`, `env`, `key_value` or `tool`";
            return Err(Error::new(asked, message));
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

fn tools(name: &LitStr) -> Result<String> {
    let value = name.value();
    if value != "*" {
        check_tool_name(value.strip_suffix('*').unwrap_or(&value), name.span())?;
    }
    Ok(value)
}

fn variable(name: &LitStr) -> Result<String> {
    let value = name.value();
    match value.is_empty() || value.contains(['=', '\0']) {
        true => Err(Error::new(name.span(), "this is the name of one environment variable, such as `TZ`")),
        false => Ok(value),
    }
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
            request(key_value, why = "the list"),
            request(tool = "weather*", why = "forecasts"),
            request(tool = "*", why = "whatever there is"),
        })
        .unwrap();
        assert_eq!(options.name.unwrap().value(), "files");
        assert_eq!(options.version.unwrap().value(), "2.1.0");
        assert_eq!(options.requests.len(), 6);
        assert_eq!(options.requests[1].why, "pages");
        assert!(
            matches!(&options.requests[0].what, Capability::Dir { path, access } if path == "/*" && access == "read-write")
        );
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
            (quote!(request(key_value)), "add `why = "),
            (quote!(request(key_value = false, why = "x")), "asks for one thing"),
            (quote!(request(key_value, tool = "x", why = "x")), "asks for one thing"),
            (quote!(request(key_value, why = "x"), request(key_value, why = "y")), "asked for twice"),
            (quote!(request(tool = "a b", why = "x")), "the name of a tool is"),
            (quote!(request(tool = "a*b", why = "x")), "the name of a tool is"),
            (quote!(request(socket = "x", why = "x")), "has no option `socket`"),
        ];
        for (tokens, expected) in cases {
            let source = tokens.to_string();
            let error = PluginOptions::parse(tokens).err().unwrap_or_else(|| panic!("accepted: {source}")).to_string();
            assert!(error.contains(expected), "{source}: {error}");
        }
    }
}
