//! The manifest: what a plugin says of itself and asks for, put into the component by its SDK.

use crate::policy::{
    DirRequest, EnvRequest, HostRequest, Requested, StoreRequest, ToolRequest, check_env_name, check_requested_path,
};
use crate::sandbox::{LoadError, inspect};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What stands in a component's `toolcell:manifest` section.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifest {
    /// The plugin's own name; the operator may load it under another.
    pub name: Option<String>,
    /// The plugin's version.
    pub version: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The SDK it was built with.
    pub sdk: Option<String>,
    /// Its tools, by their own names, that should no longer be used, and what instead.
    pub deprecated: BTreeMap<String, String>,
    /// What it asks for, with its reasons. None if the component has no manifest: then nothing is known, and
    /// the operator's grant alone decides.
    pub requested: Option<Requested>,
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    sdk: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    deprecated: BTreeMap<String, String>,
    #[serde(default)]
    requests: Requests,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Requests {
    dirs: Vec<Dir>,
    hosts: Vec<Host>,
    env: Vec<Env>,
    key_value: Option<KeyValue>,
    tools: Vec<Tool>,
}

#[derive(Deserialize)]
struct Dir {
    path: String,
    access: String,
    #[serde(default)]
    why: String,
}

#[derive(Deserialize)]
struct Host {
    pattern: String,
    #[serde(default)]
    why: String,
}

#[derive(Deserialize)]
struct Env {
    name: String,
    #[serde(default)]
    why: String,
}

#[derive(Deserialize)]
struct KeyValue {
    #[serde(default)]
    why: String,
}

#[derive(Deserialize)]
struct Tool {
    name: String,
    #[serde(default)]
    why: String,
}

impl Manifest {
    /// Reads a manifest section.
    ///
    /// # Errors
    /// [`LoadError::Contract`] if it was built for another contract, [`LoadError::Malformed`] if it does not read.
    pub fn parse(text: &str) -> Result<Self, LoadError> {
        let wrong =
            |what: String| LoadError::Malformed(format!("its manifest {what}; build it again with a current SDK"));
        // The version is judged alone first: the rest may have another shape in a version to come.
        #[derive(Deserialize)]
        struct Stamp {
            wit: String,
        }
        let stamp: Stamp = serde_json::from_str(text).map_err(|error| wrong(format!("does not read: {error}")))?;
        inspect::check_contract(&stamp.wit)?;
        let written: Written = serde_json::from_str(text).map_err(|error| wrong(format!("does not read: {error}")))?;
        let Written { sdk, name, version, description, deprecated, requests } = written;
        let Requests { dirs, hosts, env, key_value, tools } = requests;

        let mut requested = Requested::default();
        for Dir { path, access, why } in dirs {
            let asks = |error: String| wrong(format!("asks for the directory {path:?}: {error}"));
            check_requested_path(&path).map_err(asks)?;
            let access = access.parse().map_err(asks)?;
            requested.dirs.push(DirRequest { path, access, why });
        }
        for Host { pattern, why } in hosts {
            let asks = |error: String| wrong(format!("asks for the host {pattern:?}: {error}"));
            let pattern = pattern.parse().map_err(|error| asks(format!("{error}")))?;
            requested.hosts.push(HostRequest { pattern, why });
        }
        for Env { name, why } in env {
            check_env_name(&name).map_err(|error| wrong(format!("asks for the variable {name:?}: {error}")))?;
            requested.env.push(EnvRequest { name, why });
        }
        requested.key_value = key_value.map(|KeyValue { why }| StoreRequest { why });
        for Tool { name, why } in tools {
            let pattern = name.parse().map_err(|error| wrong(format!("asks for a tool: {error}")))?;
            requested.tools.push(ToolRequest { pattern, why });
        }
        Ok(Self { name, version, description, sdk, deprecated, requested: Some(requested) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_reads_and_a_later_contract_is_named() {
        let manifest = Manifest::parse(
            r#"{"wit":"0.1.0","name":"n","deprecated":{"old":"use new instead"},"requests":{"env":[{"name":"TZ","why":"local time"}],
                "key-value":{"why":"notes"},"tools":[{"name":"weather*"}],"later":[]},"later":1}"#,
        )
        .unwrap();
        let asked = EnvRequest { name: "TZ".to_owned(), why: "local time".to_owned() };
        assert_eq!(manifest.deprecated["old"], "use new instead");
        let requested = manifest.requested.unwrap();
        assert_eq!(requested.env, [asked]);
        assert_eq!(requested.key_value, Some(StoreRequest { why: "notes".to_owned() }));
        assert_eq!(requested.tools[0].pattern.to_string(), "weather*");
        let error = Manifest::parse(r#"{"wit":"0.1.0","requests":{"tools":[{"name":"a b"}]}}"#).unwrap_err();
        assert!(error.to_string().contains("asks for a tool: tool \"a b\" is no name"), "{error}");
        let error = Manifest::parse(r#"{"wit":"0.2.0","requests":"of another shape"}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "needs toolcell:plugin 0.2.0, this host has 0.1.0; update toolcell, or build the plugin with an SDK for 0.1.0"
        );
        assert!(matches!(Manifest::parse("[]"), Err(LoadError::Malformed(_))));
    }
}
