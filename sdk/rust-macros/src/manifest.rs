//! The stamp in the component: what the host reads before it compiles anything.

use crate::options::Capability;
use crate::plugin::Plugin;
use serde_json::{Value, json};
use syn::{Error, Result};

/// The custom section that holds the manifest.
pub const SECTION: &str = "toolcell:manifest";

/// The version of `toolcell:plugin` that this SDK speaks.
const WIT: &str = "0.1.0";

/// What the host reads of it at most, in bytes.
const LIMIT: usize = 64 * 1024;

/// What Cargo says of the crate that is being compiled.
pub struct Package {
    /// `CARGO_PKG_NAME`.
    pub name: Option<String>,
    /// `CARGO_PKG_VERSION`.
    pub version: Option<String>,
}

impl Package {
    /// The crate in which the attribute is used.
    pub fn of_the_caller() -> Self {
        Self { name: std::env::var("CARGO_PKG_NAME").ok(), version: std::env::var("CARGO_PKG_VERSION").ok() }
    }
}

/// The manifest as JSON text.
///
/// # Errors
/// Name or version are not known, because Cargo does not run this and the options do not say; or it is too long.
pub fn json(plugin: &Plugin, package: &Package) -> Result<String> {
    let own = |option: &Option<syn::LitStr>| option.as_ref().map(syn::LitStr::value);
    let crate_name = || package.name.as_deref().map(|name| name.strip_prefix("plugin-").unwrap_or(name).to_owned());
    let name = own(&plugin.options.name).or_else(crate_name);
    let version = own(&plugin.options.version).or_else(|| package.version.clone());
    let (Some(name), Some(version)) = (name, version) else {
        return Err(Error::new_spanned(
            &plugin.block.self_ty,
            "Cargo does not say what this crate is called: use `#[plugin(name = \"…\", version = \"…\")]`",
        ));
    };
    let manifest = json!({
        "wit": WIT,
        "sdk": concat!("toolcell-sdk ", env!("CARGO_PKG_VERSION"), " (rust)"),
        "name": name,
        "version": version,
        "description": plugin.description.as_deref().unwrap_or_default(),
        "requests": requests(plugin),
    })
    .to_string();
    if manifest.len() > LIMIT {
        let message = format!(
            "name, description and requests take {} bytes of the manifest and may take {LIMIT}; shorten the doc comment",
            manifest.len()
        );
        return Err(Error::new_spanned(&plugin.block.self_ty, message));
    }
    Ok(manifest)
}

fn requests(plugin: &Plugin) -> Value {
    let (mut dirs, mut hosts, mut env, mut tools) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut key_value = None;
    for request in &plugin.options.requests {
        let why = &request.why;
        match &request.what {
            Capability::Dir { path, access } => dirs.push(json!({ "path": path, "access": access, "why": why })),
            Capability::Host(pattern) => hosts.push(json!({ "pattern": pattern, "why": why })),
            Capability::Env(name) => env.push(json!({ "name": name, "why": why })),
            Capability::KeyValue => key_value = Some(json!({ "why": why })),
            Capability::Tool(name) => tools.push(json!({ "name": name, "why": why })),
        }
    }
    let mut requests = json!({ "dirs": dirs, "hosts": hosts, "env": env, "tools": tools });
    // Not asked for is not there.
    if let Some(key_value) = key_value {
        requests["key-value"] = key_value;
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::parse;
    use proc_macro2::TokenStream;
    use quote::quote;

    fn of(options: TokenStream, package: &Package) -> Result<Value> {
        let block = quote! {
            /// Does it.
            impl P { #[tool] fn f(&self) {} }
        };
        Ok(serde_json::from_str(&json(&parse(options, block)?, package)?).unwrap())
    }

    fn package() -> Package {
        Package { name: Some("plugin-files".into()), version: Some("1.2.3".into()) }
    }

    #[test]
    fn the_crate_names_the_plugin() {
        let expected = json!({
            "wit": "0.1.0",
            "sdk": concat!("toolcell-sdk ", env!("CARGO_PKG_VERSION"), " (rust)"),
            "name": "files",
            "version": "1.2.3",
            "description": "Does it.",
            "requests": { "dirs": [], "hosts": [], "env": [], "tools": [] },
        });
        assert_eq!(of(quote!(), &package()).unwrap(), expected);
    }

    #[test]
    fn options_win_and_requests_are_listed() {
        let manifest = of(
            quote! {
                name = "f", version = "9.0.0",
                request(dir = "/*", access = "read-write", why = "files"),
                request(host = "https://*", why = "pages"),
                request(env = "TZ", why = "zone"),
                request(key_value, why = "notes"),
                request(tool = "weather*", why = "forecasts"),
            },
            &package(),
        )
        .unwrap();
        assert_eq!((&manifest["name"], &manifest["version"]), (&json!("f"), &json!("9.0.0")));
        let expected = json!({
            "dirs": [{ "path": "/*", "access": "read-write", "why": "files" }],
            "hosts": [{ "pattern": "https://*", "why": "pages" }],
            "env": [{ "name": "TZ", "why": "zone" }],
            "key-value": { "why": "notes" },
            "tools": [{ "name": "weather*", "why": "forecasts" }],
        });
        assert_eq!(manifest["requests"], expected);
    }

    #[test]
    fn without_cargo_the_options_must_say_it() {
        let nothing = Package { name: None, version: None };
        let error = of(quote!(), &nothing).unwrap_err().to_string();
        assert!(error.contains("use `#[plugin(name"), "{error}");
        assert!(of(quote!(name = "f", version = "1.0.0"), &nothing).is_ok());
    }

    #[test]
    fn what_the_host_would_not_read_is_refused_here() {
        let long = "x".repeat(LIMIT);
        let error = of(quote!(request(env = "TZ", why = #long)), &package()).unwrap_err().to_string();
        assert!(error.contains("shorten the doc comment"), "{error}");
    }
}
