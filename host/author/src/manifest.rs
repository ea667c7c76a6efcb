//! The manifest: what a plugin says of itself and asks for, put into the component for the host to read before it runs.

use crate::{Error, Project, component};
use serde_json::json;

/// The custom section that holds it.
pub(crate) const SECTION: &str = "toolcell:manifest";
/// The version of `toolcell:plugin` that the SDKs speak.
const WIT: &str = "0.1.0";
/// What the host reads of it at most, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// Embeds the project's manifest, unless the SDK has put one into the component already, or there is nothing to say because the
/// project has no `plugin.toml`.
///
/// # Errors
/// If it is longer than the host reads.
pub(crate) fn embed(bytes: &mut Vec<u8>, project: &Project) -> Result<(), Error> {
    if component::section_anywhere(bytes, SECTION).is_some() {
        return Ok(());
    }
    let Some(text) = json(project) else { return Ok(()) };
    if text.len() > MAX_BYTES {
        return Err(Error::other(format_args!(
            "name, description and requests take {} bytes of the component's manifest and may take {MAX_BYTES}; shorten them",
            text.len()
        )));
    }
    component::append(bytes, SECTION, text.as_bytes());
    Ok(())
}

/// The manifest as JSON text; None if the project has no `plugin.toml`, so that what it asks for is not known here.
fn json(project: &Project) -> Option<String> {
    let requests = project.requests.as_ref()?;
    let made_by = match &project.world {
        // Of the SDK's none: it exports plain WIT.
        Some(_) => format!("toolcell {}", env!("CARGO_PKG_VERSION")),
        None => format!("toolcell-{} {}", project.language, env!("CARGO_PKG_VERSION")),
    };
    let manifest = json!({
        "wit": WIT,
        "sdk": made_by,
        "name": project.name,
        "version": project.version,
        "description": project.description.as_deref().unwrap_or_default(),
        "requests": requests,
    });
    Some(manifest.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{HostRequest, KeyValueRequest, Requests};
    use serde_json::Value;
    use std::path::PathBuf;

    fn project() -> Project {
        Project {
            dir: PathBuf::from("/p"),
            name: "todo".to_owned(),
            version: "1.2.3".to_owned(),
            description: Some("Keeps a list.".to_owned()),
            language: crate::Language::Python,
            entry: None,
            world: None,
            engine: None,
            flags: Vec::new(),
            requests: Some(Requests {
                hosts: vec![HostRequest { pattern: "https://*".to_owned(), why: "imports".to_owned() }],
                key_value: Some(KeyValueRequest { why: "keeps the list".to_owned() }),
                ..Requests::default()
            }),
        }
    }

    fn empty() -> Vec<u8> {
        wasm_encoder::Component::new().finish()
    }

    #[test]
    fn what_is_embedded_is_found_again() {
        let mut bytes = empty();
        embed(&mut bytes, &project()).unwrap();
        component::validate(&bytes).unwrap();
        let found: Value = serde_json::from_slice(component::section(&bytes, SECTION).unwrap()).unwrap();
        let expected = json!({
            "wit": "0.1.0",
            "sdk": concat!("toolcell-python ", env!("CARGO_PKG_VERSION")),
            "name": "todo",
            "version": "1.2.3",
            "description": "Keeps a list.",
            "requests": {
                "dirs": [],
                "hosts": [{ "pattern": "https://*", "why": "imports" }],
                "env": [],
                "key-value": { "why": "keeps the list" },
                "tools": [],
            },
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn the_sdk_has_the_first_word_and_no_plugin_toml_says_nothing() {
        let mut bytes = empty();
        component::append(&mut bytes, SECTION, b"{}");
        embed(&mut bytes, &project()).unwrap();
        assert_eq!(component::section(&bytes, SECTION), Some(b"{}".as_slice()));

        let mut bytes = empty();
        embed(&mut bytes, &Project { requests: None, ..project() }).unwrap();
        assert_eq!(bytes, empty());
    }

    #[test]
    fn a_manifest_longer_than_the_host_reads_is_refused() {
        let long = Project { description: Some("x".repeat(MAX_BYTES)), ..project() };
        let error = embed(&mut empty(), &long).unwrap_err().to_string();
        assert!(error.ends_with("may take 65536; shorten them"), "{error}");
    }
}
