//! How the server is reached: TLS, proxies, operators' own listener, and how much clients may have of it.

use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::diagnostic::Faults;
use super::written::{At, Expected, ServerTable, Size, Table};
use crate::transport::Limits;
use crate::transport::http::{ClientAuth, TlsConfig};

/// Milliseconds: an hour. What takes longer is no limit.
const MAX_MS: u64 = 3_600_000;
/// Connections and sessions: they take memory that somebody must have.
const MAX_COUNT: u64 = 1_000_000;
/// Bytes of one message.
const MAX_MESSAGE: u64 = 64 * 1024 * 1024;
/// Bytes of all headers of one request; hyper wants at least the first.
const HEADERS: RangeInclusive<u64> = 8 * 1024..=1024 * 1024;

/// How the server is reached, besides its address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenConfig {
    /// Where the certificates lie, as absolute paths; none is HTTP without TLS.
    pub tls: Option<TlsConfig>,
    /// Whether everyone may call where no caller is authenticated, on whatever address.
    pub unauthenticated: bool,
    /// The proxies whose word about clients is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Where operators' machines ask for health and metrics.
    pub admin: Option<SocketAddr>,
    /// Whether everyone may ask there, on whatever address.
    pub admin_unauthenticated: bool,
    /// How much one client may have, and how long everything may take.
    pub limits: Limits,
}

/// Who needs no authentication.
#[derive(Clone, Copy, Debug, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) enum UnauthenticatedWord {
    /// Whoever reaches the address.
    Anyone,
}

/// By hand, because of `true`: it is what people try, and must be told the word.
impl<'de> Deserialize<'de> for UnauthenticatedWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordVisitor;

        impl Visitor<'_> for WordVisitor {
            type Value = UnauthenticatedWord;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"anyone\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<UnauthenticatedWord, E> {
                match text {
                    "anyone" => Ok(UnauthenticatedWord::Anyone),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(WordVisitor)
    }
}

/// Certificates for TLS, in PEM. Files that change are read again; no restart is needed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("required" = ["cert", "key"]))]
pub(super) struct TlsTable {
    /// File with the server's certificate, then those between it and an authority that clients know.
    pub(super) cert: Option<At<String>>,
    /// File with its private key.
    pub(super) key: Option<At<String>>,
    /// File with the authorities for certificates of clients. Default is to ask clients for none.
    pub(super) client_ca: Option<At<String>>,
    /// Whether a client must have a certificate, where `client-ca` is set. Default is `required`.
    pub(super) client_auth: Option<At<ClientAuthWord>>,
    /// File with the lists of certificates that these authorities have revoked, one list of each, none out of date. Default is
    /// to look at none.
    pub(super) client_crl: Option<At<String>>,
}

/// Whether a client must have a certificate.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ClientAuthWord {
    /// No client without one.
    Required,
    /// Clients without one may prove otherwise who they are.
    Optional,
}

/// How much clients may have of the server. Each that is left out keeps its default; none can be switched off.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ServerLimitsTable {
    /// Connections at once; further ones wait. Default is 1024.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(super) connections: Option<At<u64>>,
    /// Connections from one address at once; further ones are closed. An IPv6 network of 64 bits counts as one address,
    /// and trusted proxies are not counted. Default is 512.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(super) connections_per_address: Option<At<u64>>,
    /// Requests that one connection, or one session, may have open at once. Default is 64.
    #[schemars(range(min = 1, max = 10_000))]
    pub(super) requests_in_flight: Option<At<u64>>,
    /// Size of the body of a request. Default is 4 MiB, at most 64 MiB.
    pub(super) message_bytes: Option<At<Size>>,
    /// Size of all headers of a request. Default is 64 KiB, at least 8 KiB, at most 1 MiB.
    pub(super) header_bytes: Option<At<Size>>,
    /// Milliseconds for the handshake of TLS. Default is 10000.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub(super) handshake_ms: Option<At<u64>>,
    /// Milliseconds for the headers of a request. Default is 30000.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub(super) header_ms: Option<At<u64>>,
    /// Milliseconds for the body of a request. Default is 30000.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub(super) body_ms: Option<At<u64>>,
    /// Milliseconds in which a client takes 64 KiB of what it is sent. Default is 30000.
    #[schemars(range(min = 1, max = 3_600_000))]
    pub(super) write_ms: Option<At<u64>>,
    /// Sessions at once. Default is 10000.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(super) sessions: Option<At<u64>>,
    /// Sessions of one caller at once; for callers without a name only `sessions` counts. Default is 1000.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(super) sessions_per_caller: Option<At<u64>>,
    /// Streams of one caller at once that have no end of their own; not for callers without a name. Default is 256.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(super) streams_per_caller: Option<At<u64>>,
    /// Milliseconds after which a session that nobody used is forgotten. Default is 1800000, half an hour; at most a day.
    #[schemars(range(min = 1, max = 86_400_000))]
    pub(super) session_idle_ms: Option<At<u64>>,
}

impl Expected for TlsTable {
    const EXPECTED: &'static str = "a table like { cert = \"cert.pem\", key = \"key.pem\" }";
}

impl Expected for ServerLimitsTable {
    const EXPECTED: &'static str = "a table, [server.limits]";
}

pub(super) fn resolve(table: &ServerTable, base: &Path, faults: &mut Faults) -> ListenConfig {
    let mut listen = ListenConfig {
        unauthenticated: table.unauthenticated.is_some(),
        admin_unauthenticated: table.admin_unauthenticated.is_some(),
        ..ListenConfig::default()
    };
    listen.tls = table.tls.as_ref().and_then(|table| tls(table, base, faults));
    for network in &table.trusted_proxies {
        match parse_network(network.get()) {
            Ok(network) => listen.trusted_proxies.push(network),
            Err(message) => faults.push_whole(network.span(), &message),
        }
    }
    if let Some(admin) = &table.admin {
        match admin.get().parse() {
            Ok(address) => listen.admin = Some(address),
            Err(_) => {
                let message = format!("`admin` is {:?} and needs an address and a port", admin.get());
                faults.push(admin.span(), message, "write \"127.0.0.1:9090\"");
            }
        }
    }
    limits(&table.limits.0, &mut listen.limits, faults);
    if let Some(ms) = number(table.drain_ms.as_ref(), "drain-ms", 0..=MAX_MS, faults) {
        listen.limits.drain = Duration::from_millis(ms);
    }
    listen
}

fn tls(written: &At<Table<TlsTable>>, base: &Path, faults: &mut Faults) -> Option<TlsConfig> {
    let Table(TlsTable { cert, key, client_ca, client_auth, client_crl }) = written.get();
    let mut path = |file: &Option<At<String>>, name: &str, needed: bool| -> Option<PathBuf> {
        match file {
            Some(file) if !file.get().is_empty() => return Some(base.join(file.get()).components().collect()),
            Some(file) => faults.push(file.span(), format!("the path of `{name}` is empty"), "name a file"),
            None if needed => {
                faults.push_missing(
                    written.span(),
                    format!("`tls` has no `{name}`"),
                    format!("add {name} = \"{name}.pem\""),
                );
            }
            None => {}
        }
        None
    };
    let (cert, key, client_ca) =
        (path(cert, "cert", true), path(key, "key", true), path(client_ca, "client-ca", false));
    let lists = path(client_crl, "client-crl", false);
    if let (None, Some(file)) = (&client_ca, client_crl) {
        faults.push(file.span(), "`client-crl` without authorities to judge clients by", "add client-ca = \"ca.pem\"");
    }
    if let (None, Some(word)) = (&client_ca, client_auth) {
        faults.push(word.span(), "`client-auth` without authorities to judge clients by", "add client-ca = \"ca.pem\"");
    }
    let client_auth = match client_auth.as_ref().map(At::get) {
        Some(ClientAuthWord::Optional) => ClientAuth::Optional,
        Some(ClientAuthWord::Required) | None => ClientAuth::Required,
    };
    Some(TlsConfig { cert: cert?, key: key?, client_ca, client_auth, client_crl: lists })
}

/// A whole network, or one address.
fn parse_network(text: &str) -> Result<IpNet, String> {
    if let Ok(address) = text.parse::<std::net::IpAddr>() {
        return Ok(address.to_canonical().into());
    }
    let network: IpNet = text
        .parse()
        .map_err(|_| format!("trusted proxy {text:?} is neither address nor network, write \"10.0.0.0/8\""))?;
    if network.addr() != network.network() {
        return Err(format!(
            "trusted proxy {text:?} is not a whole network, write \"{}\" or \"{}\"",
            network.trunc(),
            network.addr()
        ));
    }
    if network.prefix_len() == 0 {
        return Err(format!(
            "trusted proxy {text:?} is everyone, who could then name any client, write \"10.0.0.0/8\""
        ));
    }
    Ok(network)
}

fn limits(table: &ServerLimitsTable, limits: &mut Limits, faults: &mut Faults) {
    let ServerLimitsTable {
        connections,
        connections_per_address,
        requests_in_flight,
        message_bytes,
        header_bytes,
        handshake_ms,
        header_ms,
        body_ms,
        write_ms,
        sessions,
        sessions_per_caller,
        streams_per_caller,
        session_idle_ms,
    } = table;
    for (written, key, most, limit) in [
        (connections, "connections", MAX_COUNT, &mut limits.connections),
        (connections_per_address, "connections-per-address", MAX_COUNT, &mut limits.connections_per_address),
        (requests_in_flight, "requests-in-flight", 10_000, &mut limits.in_flight),
        (sessions, "sessions", MAX_COUNT, &mut limits.sessions),
        (sessions_per_caller, "sessions-per-caller", MAX_COUNT, &mut limits.sessions_per_caller),
        (streams_per_caller, "streams-per-caller", MAX_COUNT, &mut limits.streams_per_caller),
    ] {
        let number = number(written.as_ref(), key, 1..=most, faults);
        *limit = number.and_then(|number| usize::try_from(number).ok()).unwrap_or(*limit);
    }
    for (written, key, range, limit) in [
        (message_bytes, "message-bytes", 1..=MAX_MESSAGE, &mut limits.message_bytes),
        (header_bytes, "header-bytes", HEADERS, &mut limits.header_bytes),
    ] {
        let Some(written) = written else { continue };
        match bounded(written.get().0, key, range) {
            Ok(bytes) => *limit = usize::try_from(bytes).unwrap_or(*limit),
            Err((message, fix)) => faults.push(written.span(), message, fix),
        }
    }
    for (written, key, most, limit) in [
        (handshake_ms, "handshake-ms", MAX_MS, &mut limits.handshake_time),
        (header_ms, "header-ms", MAX_MS, &mut limits.header_time),
        (body_ms, "body-ms", MAX_MS, &mut limits.body_time),
        (write_ms, "write-ms", MAX_MS, &mut limits.write_time),
        (session_idle_ms, "session-idle-ms", 24 * MAX_MS, &mut limits.session_idle),
    ] {
        let ms = number(written.as_ref(), key, 1..=most, faults);
        *limit = ms.map_or(*limit, Duration::from_millis);
    }
}

fn number(written: Option<&At<u64>>, key: &str, range: RangeInclusive<u64>, faults: &mut Faults) -> Option<u64> {
    let written = written?;
    match bounded(*written.get(), key, range) {
        Ok(number) => Some(number),
        Err((message, fix)) => {
            faults.push(written.span(), message, fix);
            None
        }
    }
}

fn bounded(number: u64, key: &str, range: RangeInclusive<u64>) -> Result<u64, (String, String)> {
    let fix = || format!("write {} to {}", range.start(), range.end());
    if range.contains(&number) { Ok(number) } else { Err((format!("`{key}` is {number}"), fix())) }
}

#[cfg(test)]
mod tests {
    use super::parse_network;

    #[test]
    fn networks() {
        for (text, network) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("10.1.2.3", "10.1.2.3/32"),
            ("::1", "::1/128"),
            ("fd00::/8", "fd00::/8"),
            ("::ffff:10.0.0.1", "10.0.0.1/32"),
        ] {
            assert_eq!(parse_network(text).map(|network| network.to_string()).as_deref(), Ok(network));
        }
        for (bad, fix) in [
            ("", "\"10.0.0.0/8\""),
            ("proxy.example.com", "\"10.0.0.0/8\""),
            ("10.1.2.3/8", "write \"10.0.0.0/8\" or \"10.1.2.3\""),
            ("0.0.0.0/0", "\"10.0.0.0/8\""),
            ("::/0", "\"10.0.0.0/8\""),
        ] {
            let message = parse_network(bad).unwrap_err();
            assert!(message.ends_with(fix), "{message}");
        }
    }
}
