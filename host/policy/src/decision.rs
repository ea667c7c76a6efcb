//! The answers: permits that only this layer can make, and reasons for a refusal.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use super::addr::AddrClass;
use super::env::{plugin_table, toml_key};
use super::fs::Access;
use super::target::{Scheme, TargetHost};

/// A request to this host and port may be sent, once the address passes too.
///
/// Made by [`Grant::check_request`](super::Grant::check_request). What it holds is the normalised form: resolve and
/// name (in `Host` and in TLS) this host, not the text the guest wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct NamePermit {
    pub(super) plugin: String,
    pub(super) scheme: Scheme,
    pub(super) host: TargetHost,
    pub(super) port: u16,
    /// Whether the operator's pattern names the host as an address, which is a grant of that address.
    pub(super) address_granted: bool,
}

impl NamePermit {
    /// The plugin it was made for.
    pub fn plugin(&self) -> &str {
        &self.plugin
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host: a name to resolve, or an address.
    pub fn host(&self) -> &TargetHost {
        &self.host
    }

    /// The port, never 0.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `host[:port]` for the `Host` header: IPv6 in brackets, the port only if it is not the scheme's own.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// This very address may be connected to.
///
/// Made by [`Grant::check_addr`](super::Grant::check_addr). Connect to [`AddrPermit::socket_addr`] and resolve nothing again.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct AddrPermit {
    pub(super) socket_addr: SocketAddr,
}

impl AddrPermit {
    /// Where to connect to.
    pub fn socket_addr(&self) -> SocketAddr {
        self.socket_addr
    }
}

/// A guest path lies in a granted directory.
///
/// Made by [`Grant::check_path`](super::Grant::check_path).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct DirPermit {
    pub(super) host: PathBuf,
    pub(super) guest: String,
    pub(super) access: Access,
}

impl DirPermit {
    /// The host's directory.
    pub fn host(&self) -> &Path {
        &self.host
    }

    /// The guest path it is seen at.
    pub fn guest(&self) -> &str {
        &self.guest
    }

    /// What may be done in it: no more than the plugin asked for and the operator granted.
    pub fn access(&self) -> Access {
        self.access
    }
}

/// Why something was refused. The text ends with the line that would allow it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DenyReason {
    /// The plugin's manifest does not ask for this host.
    HostNotRequested {
        /// Who wanted it.
        plugin: String,
        /// What it wanted, as method and URL without the query.
        request: String,
        /// The narrowest sensible pattern that would cover it.
        pattern: String,
    },
    /// The operator has not granted this host.
    HostNotGranted {
        /// Who wanted it.
        plugin: String,
        /// What it wanted, as method and URL without the query.
        request: String,
        /// The narrowest sensible pattern that would cover it.
        pattern: String,
    },
    /// The host is granted, but the address behind it is not public and not granted.
    AddressNotGranted {
        /// Who wanted it.
        plugin: String,
        /// The host as the plugin named it.
        host: String,
        /// The address that would have to be granted.
        address: IpAddr,
        /// Why this address needs a grant.
        class: AddrClass,
        /// The line that grants it, without the table's name.
        line: String,
    },
    /// The request cannot be judged because its target is not a plain one.
    BadTarget {
        /// Who wanted it.
        plugin: String,
        /// What is wrong with it and what to write instead.
        problem: String,
    },
    /// Sockets and name lookups carry neither scheme nor path that a grant could name, so none is ever granted.
    RawSocket {
        /// Who wanted it.
        plugin: String,
        /// What it tried, such as `tcp connect`.
        what: String,
    },
    /// The plugin's manifest does not ask for this directory, or not for writing to it.
    DirNotRequested {
        /// Who wanted it.
        plugin: String,
        /// The guest path.
        path: String,
        /// What it wanted to do there.
        access: Access,
    },
    /// The operator has mounted no directory there.
    DirNotGranted {
        /// Who wanted it.
        plugin: String,
        /// The guest path.
        path: String,
        /// What it wanted to do there.
        access: Access,
    },
    /// The operator has mounted the directory read-only.
    DirReadOnly {
        /// Who wanted it.
        plugin: String,
        /// The guest path of the mounted directory.
        guest: String,
        /// The host's directory.
        host: PathBuf,
    },
    /// The operator has set a variable the plugin's manifest does not ask for.
    EnvNotRequested {
        /// Whose manifest.
        plugin: String,
        /// The variable.
        name: String,
    },
    /// The operator has not set a variable the plugin asks for.
    EnvNotGranted {
        /// Who wanted it.
        plugin: String,
        /// The variable.
        name: String,
    },
    /// The plugin's manifest does not ask for a store of its own.
    StoreNotRequested {
        /// Who wanted it.
        plugin: String,
    },
    /// The operator has not granted the plugin a store of its own.
    StoreNotGranted {
        /// Who wanted it.
        plugin: String,
    },
    /// The plugin's manifest does not ask to call this tool.
    ToolNotRequested {
        /// Who wanted it.
        plugin: String,
        /// The tool, or a pattern of tools.
        tool: String,
    },
    /// The operator does not let the plugin call this tool.
    ToolNotGranted {
        /// Who wanted it.
        plugin: String,
        /// The tool, or a pattern of tools.
        tool: String,
    },
}

impl DenyReason {
    /// A stable name for logs, metrics and tests; the texts may change, these do not.
    pub fn code(&self) -> &'static str {
        match self {
            Self::HostNotRequested { .. } => "host-not-requested",
            Self::HostNotGranted { .. } => "host-not-granted",
            Self::AddressNotGranted { .. } => "address-not-granted",
            Self::BadTarget { .. } => "bad-target",
            Self::RawSocket { .. } => "raw-socket",
            Self::DirNotRequested { .. } => "dir-not-requested",
            Self::DirNotGranted { .. } => "dir-not-granted",
            Self::DirReadOnly { .. } => "dir-read-only",
            Self::EnvNotRequested { .. } => "env-not-requested",
            Self::EnvNotGranted { .. } => "env-not-granted",
            Self::StoreNotRequested { .. } => "store-not-requested",
            Self::StoreNotGranted { .. } => "store-not-granted",
            Self::ToolNotRequested { .. } => "tool-not-requested",
            Self::ToolNotGranted { .. } => "tool-not-granted",
        }
    }

    /// The plugin that was refused.
    pub fn plugin(&self) -> &str {
        match self {
            Self::HostNotRequested { plugin, .. }
            | Self::HostNotGranted { plugin, .. }
            | Self::AddressNotGranted { plugin, .. }
            | Self::BadTarget { plugin, .. }
            | Self::RawSocket { plugin, .. }
            | Self::DirNotRequested { plugin, .. }
            | Self::DirNotGranted { plugin, .. }
            | Self::DirReadOnly { plugin, .. }
            | Self::EnvNotRequested { plugin, .. }
            | Self::EnvNotGranted { plugin, .. }
            | Self::StoreNotRequested { plugin }
            | Self::StoreNotGranted { plugin }
            | Self::ToolNotRequested { plugin, .. }
            | Self::ToolNotGranted { plugin, .. } => plugin,
        }
    }
}

const NOT_REQUESTED: &str = "the plugin does not ask for it in its manifest, its author must";
const NOT_GRANTED: &str = "the operator has not granted it";

impl fmt::Display for DenyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = plugin_table(self.plugin());
        match self {
            Self::HostNotRequested { plugin, request, pattern } => write!(
                f,
                "plugin `{plugin}` may not send {request}: {NOT_REQUESTED} \
                 add to its requests: \"hosts\": [{{\"pattern\": {pattern:?}, \"why\": \"…\"}}]"
            ),
            Self::HostNotGranted { plugin, request, pattern } => write!(
                f,
                "plugin `{plugin}` may not send {request}: {NOT_GRANTED}, \
                 add to toolcell.toml: {table} hosts = [{pattern:?}]"
            ),
            Self::AddressNotGranted { plugin, host, address, class, line } => write!(
                f,
                "plugin `{plugin}` may not connect to {address} for {host}: it is {class} and {NOT_GRANTED}, \
                 add to toolcell.toml: {table} {line}"
            ),
            Self::BadTarget { plugin, problem } => {
                write!(f, "plugin `{plugin}` may not send this request: {problem}")
            }
            Self::RawSocket { plugin, what } => write!(
                f,
                "plugin `{plugin}` may not use {what}: no grant opens sockets or name lookups, \
                 the plugin must send its requests through wasi:http"
            ),
            Self::DirNotRequested { plugin, path, access } => write!(
                f,
                "plugin `{plugin}` may not {} {path:?}: {NOT_REQUESTED} \
                 add to its requests: \"dirs\": [{{\"path\": {path:?}, \"access\": \"{access}\", \"why\": \"…\"}}]",
                access.verb()
            ),
            Self::DirNotGranted { plugin, path, access } => write!(
                f,
                "plugin `{plugin}` may not {} {path:?}: {NOT_GRANTED}, add to toolcell.toml: \
                 {table} dirs = [{{ host = \"…\", guest = {path:?}, access = \"{access}\" }}]",
                access.verb()
            ),
            Self::DirReadOnly { plugin, guest, host } => write!(
                f,
                "plugin `{plugin}` may not write to {guest:?}: the operator has granted it read-only, \
                 change in toolcell.toml: {table} \
                 dirs = [{{ host = {:?}, guest = {guest:?}, access = \"read-write\" }}]",
                host.display().to_string()
            ),
            Self::EnvNotRequested { plugin, name } => write!(
                f,
                "plugin `{plugin}` does not get the variable {name}: {NOT_REQUESTED} \
                 add to its requests: \"env\": [{{\"name\": {name:?}, \"why\": \"…\"}}]"
            ),
            Self::EnvNotGranted { plugin, name } => write!(
                f,
                "plugin `{plugin}` does not get the variable {name}: {NOT_GRANTED}, \
                 add to toolcell.toml: {table} env = {{ {} = \"…\" }}",
                toml_key(name)
            ),
            Self::StoreNotRequested { plugin } => write!(
                f,
                "plugin `{plugin}` may not keep values: {NOT_REQUESTED} \
                 add to its requests: \"key-value\": {{\"why\": \"…\"}}"
            ),
            Self::StoreNotGranted { plugin } => write!(
                f,
                "plugin `{plugin}` may not keep values: {NOT_GRANTED}, \
                 add to toolcell.toml: {table} key-value = true"
            ),
            Self::ToolNotRequested { plugin, tool } => write!(
                f,
                "plugin `{plugin}` may not call the tool {tool:?}: {NOT_REQUESTED} \
                 add to its requests: \"tools\": [{{\"name\": {tool:?}, \"why\": \"…\"}}]"
            ),
            Self::ToolNotGranted { plugin, tool } => write!(
                f,
                "plugin `{plugin}` may not call the tool {tool:?}: {NOT_GRANTED}, \
                 add to toolcell.toml: {table} tools = [{tool:?}]"
            ),
        }
    }
}

impl std::error::Error for DenyReason {}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_reason() -> Vec<(DenyReason, &'static str, &'static str)> {
        let plugin = || "p".to_owned();
        let request = || "GET https://a.example/".to_owned();
        let pattern = || "https://a.example".to_owned();
        let path = || "/docs".to_owned();
        vec![
            (
                DenyReason::HostNotRequested { plugin: plugin(), request: request(), pattern: pattern() },
                "host-not-requested",
                r#"its author must add to its requests: "hosts": [{"pattern": "https://a.example", "why": "…"}]"#,
            ),
            (
                DenyReason::HostNotGranted { plugin: plugin(), request: request(), pattern: pattern() },
                "host-not-granted",
                r#"the operator has not granted it, add to toolcell.toml: [plugins.p] hosts = ["https://a.example"]"#,
            ),
            (
                DenyReason::AddressNotGranted {
                    plugin: plugin(),
                    host: "a.example".into(),
                    address: [10, 0, 0, 1].into(),
                    class: AddrClass::Private,
                    line: r#"addresses = ["10.0.0.1/32"]"#.into(),
                },
                "address-not-granted",
                r#"add to toolcell.toml: [plugins.p] addresses = ["10.0.0.1/32"]"#,
            ),
            (
                DenyReason::BadTarget { plugin: plugin(), problem: "port 0 is no port, use 1 to 65535".into() },
                "bad-target",
                "port 0 is no port, use 1 to 65535",
            ),
            (
                DenyReason::RawSocket { plugin: plugin(), what: "tcp connect".into() },
                "raw-socket",
                "the plugin must send its requests through wasi:http",
            ),
            (
                DenyReason::DirNotRequested { plugin: plugin(), path: path(), access: Access::ReadOnly },
                "dir-not-requested",
                r#"add to its requests: "dirs": [{"path": "/docs", "access": "read-only", "why": "…"}]"#,
            ),
            (
                DenyReason::DirNotGranted { plugin: plugin(), path: path(), access: Access::ReadWrite },
                "dir-not-granted",
                r#"[plugins.p] dirs = [{ host = "…", guest = "/docs", access = "read-write" }]"#,
            ),
            (
                DenyReason::DirReadOnly { plugin: plugin(), guest: path(), host: "/srv/docs".into() },
                "dir-read-only",
                r#"[plugins.p] dirs = [{ host = "/srv/docs", guest = "/docs", access = "read-write" }]"#,
            ),
            (
                DenyReason::EnvNotRequested { plugin: plugin(), name: "TZ".into() },
                "env-not-requested",
                r#"add to its requests: "env": [{"name": "TZ", "why": "…"}]"#,
            ),
            (
                DenyReason::EnvNotGranted { plugin: plugin(), name: "TZ".into() },
                "env-not-granted",
                r#"add to toolcell.toml: [plugins.p] env = { TZ = "…" }"#,
            ),
            (
                DenyReason::StoreNotRequested { plugin: plugin() },
                "store-not-requested",
                r#"add to its requests: "key-value": {"why": "…"}"#,
            ),
            (
                DenyReason::StoreNotGranted { plugin: plugin() },
                "store-not-granted",
                "the operator has not granted it, add to toolcell.toml: [plugins.p] key-value = true",
            ),
            (
                DenyReason::ToolNotRequested { plugin: plugin(), tool: "weather".into() },
                "tool-not-requested",
                r#"add to its requests: "tools": [{"name": "weather", "why": "…"}]"#,
            ),
            (
                DenyReason::ToolNotGranted { plugin: plugin(), tool: "weather".into() },
                "tool-not-granted",
                r#"add to toolcell.toml: [plugins.p] tools = ["weather"]"#,
            ),
        ]
    }

    #[test]
    fn a_version_in_a_name_is_quoted_in_the_line_to_add() {
        let text = DenyReason::StoreNotGranted { plugin: "notes@1".into() }.to_string();
        assert!(text.ends_with(r#"add to toolcell.toml: [plugins."notes@1"] key-value = true"#), "{text}");
    }

    #[test]
    fn every_reason_has_its_code_and_ends_with_what_to_do() {
        for (reason, code, end) in every_reason() {
            assert_eq!(reason.code(), code);
            assert_eq!(reason.plugin(), "p");
            let text = reason.to_string();
            assert!(text.ends_with(end), "{code}: {text}");
            assert!(text.starts_with("plugin `p` "), "{code}: {text}");
        }
    }
}
