//! How a request comes to its rules: from its own `_meta`, or from a handshake before it.
//!
//! A request that declares a protocol version in `_meta` is served by that alone, whatever came before on the same
//! connection. Everything else belongs to the handshake era and needs the session that `initialize` made.
//! Source: 2026-07-28, versioning, "Backward Compatibility with Initialization-Based Versions".

use std::sync::Arc;

use super::error::Error;
use super::jsonrpc::{Fields, Request};
use super::session::Session;
use super::version::Revision;
use crate::registry::types::{Client, ClientAbilities, Level};

const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

/// The extension that lets a call go on after its answer.
pub(super) const TASKS: &str = "io.modelcontextprotocol/tasks";
/// The extension that shows resources as pages (MCP Apps).
pub(super) const APPS: &str = "io.modelcontextprotocol/ui";

/// By which rules a request is served.
#[derive(Clone, Debug)]
pub enum Rules {
    /// The request says all there is to know.
    PerRequest,
    /// A handshake said it.
    Session(Arc<Session>),
    /// Neither: no handshake happened here.
    Unopened,
}

/// What is known about the client behind a request, wherever it was said.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The revision both sides speak.
    pub revision: Revision,
    /// What the client calls itself.
    pub client: Option<Client>,
    /// What may be asked of it.
    pub abilities: ClientAbilities,
    /// Which log messages it wants, if any.
    pub log_level: Option<Level>,
    /// Whether it can follow tasks.
    pub tasks: bool,
}

impl Request<'_> {
    /// The text of the protocol version the request itself declares, if it declares one.
    pub fn declared_version(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.meta.get(PROTOCOL_VERSION).and_then(super::jsonrpc::text)
    }

    /// Whether the request is of the kind that stands alone: it declares a version, readable or not. An `initialize`
    /// that declares no revision of that kind opens a handshake whatever else it carries.
    pub fn stands_alone(&self) -> bool {
        if self.method == "initialize" {
            let declared = self.declared_version().and_then(|version| Revision::parse(&version));
            return declared.is_some_and(Revision::is_per_request);
        }
        self.meta.get(PROTOCOL_VERSION).is_some()
    }
}

/// The terms of a request, by whichever rules it is served.
///
/// # Errors
/// [`Error::Malformed`] for a missing or wrong field, [`Error::UnsupportedVersion`].
pub fn terms(request: &Request<'_>, rules: &Rules) -> Result<Terms, Error> {
    match rules {
        Rules::PerRequest => per_request(&request.meta),
        Rules::Session(session) => Ok(session.terms()),
        Rules::Unopened => Err(Error::Malformed(format!(
            "`_meta` must carry `{PROTOCOL_VERSION}` and `{CLIENT_CAPABILITIES}`; clients of {} and earlier send \
             `initialize` first",
            Revision::NEWEST_WITH_HANDSHAKE
        ))),
    }
}

/// Source: 2026-07-28, basic, "Per-request protocol fields".
fn per_request(meta: &Fields<'_>) -> Result<Terms, Error> {
    let required = |name: &str| Error::Malformed(format!("`_meta` must carry `{name}`"));
    let wrong = |name: &str, kind: &str| Error::Malformed(format!("`{name}` must be {kind}"));

    let version = meta.get(PROTOCOL_VERSION).ok_or_else(|| required(PROTOCOL_VERSION))?;
    let version = super::jsonrpc::text(version).ok_or_else(|| wrong(PROTOCOL_VERSION, "a string"))?;
    let revision = Revision::parse(&version)
        .filter(|revision| revision.is_per_request())
        .ok_or_else(|| Error::UnsupportedVersion(version.into_owned()))?;
    let capabilities = meta.get(CLIENT_CAPABILITIES).ok_or_else(|| required(CLIENT_CAPABILITIES))?;
    let capabilities = Fields::read(capabilities).ok_or_else(|| wrong(CLIENT_CAPABILITIES, "an object"))?;
    let client = match meta.get(CLIENT_INFO) {
        None => None,
        Some(info) => Some(Fields::read(info).ok_or_else(|| wrong(CLIENT_INFO, "an object"))?),
    };
    let log_level = match meta.get(LOG_LEVEL) {
        None => None,
        Some(raw) => {
            let level = super::jsonrpc::text(raw).and_then(|name| level(&name));
            Some(level.ok_or_else(|| wrong(LOG_LEVEL, LEVELS_IN_WORDS))?)
        }
    };
    Ok(Terms {
        revision,
        client: client.as_ref().and_then(client_info),
        abilities: abilities(&capabilities),
        log_level,
        tasks: extensions(&capabilities).is_some_and(|extensions| extensions.get(TASKS).is_some()),
    })
}

/// Whether the request itself asks for log messages.
pub(super) fn wants_log(request: &Request<'_>) -> bool {
    request.meta.get(LOG_LEVEL).is_some()
}

/// What a client calls itself, if it says it as it should. For display only, so a slip costs the name and no more.
pub(super) fn client_info(info: &Fields<'_>) -> Option<Client> {
    let text = |name| info.text(name).ok().flatten();
    Some(Client { name: text("name")?.into_owned(), version: text("version").unwrap_or_default().into_owned() })
}

/// What may be asked of a client that declares these capabilities.
pub(super) fn abilities(capabilities: &Fields<'_>) -> ClientAbilities {
    let has = |fields: &Fields<'_>, name: &str| fields.get(name).is_some();
    let mut abilities = ClientAbilities::empty();
    if let Some(elicitation) = capabilities.get("elicitation") {
        let modes = Fields::read(elicitation).unwrap_or_default();
        let (form, url) = (has(&modes, "form"), has(&modes, "url"));
        // An empty object means forms: that is all there was when the capability was new.
        if form || !url {
            abilities |= ClientAbilities::FORM;
        }
        if url {
            abilities |= ClientAbilities::URL;
        }
    }
    if let Some(sampling) = capabilities.get("sampling") {
        abilities |= ClientAbilities::SAMPLE;
        if Fields::read(sampling).is_some_and(|parts| has(&parts, "tools")) {
            abilities |= ClientAbilities::SAMPLE_TOOLS;
        }
    }
    if has(capabilities, "roots") {
        abilities |= ClientAbilities::ROOTS;
    }
    if extensions(capabilities).is_some_and(|extensions| has(&extensions, APPS)) {
        abilities |= ClientAbilities::APPS;
    }
    abilities
}

fn extensions<'a>(capabilities: &Fields<'a>) -> Option<Fields<'a>> {
    capabilities.get("extensions").and_then(Fields::read)
}

/// The log levels, least grave first.
const LEVELS: [(&str, Level); 8] = [
    ("debug", Level::Debug),
    ("info", Level::Info),
    ("notice", Level::Notice),
    ("warning", Level::Warning),
    ("error", Level::Error),
    ("critical", Level::Critical),
    ("alert", Level::Alert),
    ("emergency", Level::Emergency),
];

/// For messages.
pub(super) const LEVELS_IN_WORDS: &str = "one of debug, info, notice, warning, error, critical, alert, emergency";

/// The level of that name.
pub(super) fn level(name: &str) -> Option<Level> {
    LEVELS.iter().find(|(known, _)| *known == name).map(|(_, level)| *level)
}

/// The name of a level.
pub(super) fn level_name(level: Level) -> &'static str {
    LEVELS.iter().find(|(_, known)| *known == level).map_or("info", |(name, _)| name)
}

/// How grave a level is, from 0.
pub(super) fn gravity(level: Level) -> usize {
    LEVELS.iter().position(|(_, known)| *known == level).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::super::jsonrpc::{Incoming, Message, read};
    use super::{ClientAbilities, Rules, terms};

    fn with_meta<T>(meta: &str, check: impl FnOnce(&super::Request<'_>) -> T) -> T {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{{"_meta":{meta}}}}}"#);
        match read(text.as_bytes()) {
            Ok(Incoming::One(Message::Request(request))) => check(&request),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn fields_of_every_request_are_checked() {
        for (meta, code, names) in [
            ("{}", -32602, "protocolVersion"),
            (r#"{"io.modelcontextprotocol/clientCapabilities":{}}"#, -32602, "protocolVersion"),
            (r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#, -32602, "clientCapabilities"),
            (
                r#"{"io.modelcontextprotocol/protocolVersion":5,"io.modelcontextprotocol/clientCapabilities":{}}"#,
                -32602,
                "string",
            ),
            (
                r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":[]}"#,
                -32602,
                "object",
            ),
            (
                r#"{"io.modelcontextprotocol/protocolVersion":"2025-11-25","io.modelcontextprotocol/clientCapabilities":{}}"#,
                -32022,
                "2025-11-25",
            ),
            (
                r#"{"io.modelcontextprotocol/protocolVersion":"v999","io.modelcontextprotocol/clientCapabilities":{}}"#,
                -32022,
                "v999",
            ),
            (
                r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"loud"}"#,
                -32602,
                "logLevel",
            ),
            (
                r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":"me"}"#,
                -32602,
                "clientInfo",
            ),
        ] {
            let error = with_meta(meta, |request| terms(request, &Rules::PerRequest).unwrap_err());
            assert_eq!(error.code(), code, "{meta}");
            assert!(error.to_string().contains(names), "{error} should name {names}");
        }
    }

    #[test]
    fn capabilities_become_abilities() {
        use ClientAbilities as A;
        for (capabilities, expected) in [
            ("{}", A::empty()),
            (r#"{"elicitation":{}}"#, A::FORM),
            (r#"{"elicitation":{"form":{}}}"#, A::FORM),
            (r#"{"elicitation":{"url":{}}}"#, A::URL),
            (r#"{"elicitation":{"url":{},"form":{}}}"#, A::FORM | A::URL),
            (r#"{"sampling":{},"roots":{"listChanged":true}}"#, A::SAMPLE | A::ROOTS),
            (r#"{"sampling":{"tools":{}}}"#, A::SAMPLE | A::SAMPLE_TOOLS),
            (r#"{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":[]}}}"#, A::APPS),
        ] {
            let meta = format!(
                r#"{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{capabilities}}}"#
            );
            let terms = with_meta(&meta, |request| terms(request, &Rules::PerRequest).unwrap());
            assert_eq!(terms.abilities, expected, "{capabilities}");
        }
    }
}
