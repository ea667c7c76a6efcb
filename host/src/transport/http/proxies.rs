//! Proxies between a client and this server: which of them are believed, and what they say.
//!
//! Whoever sends a request can write `Forwarded` and `X-Forwarded-…` into it. They count only if the connection comes from
//! a trusted address, and then only as far as trusted addresses reach: read from the right, where the nearest proxy
//! wrote, up to the first address that is not trusted. That is the client. Source: RFC 7239, sections 4 to 8.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::header::{AsHeaderName, FORWARDED};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use rustls_pki_types::CertificateDer;

use super::doorkeeper::{Peer, host};

const X_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Proxies in a row. Nobody has more; beyond that the client counts as not known.
const MAX_HOPS: usize = 16;

/// The proxies that are believed. Default is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

/// One connection, as it is.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) address: SocketAddr,
    pub(super) scheme: Scheme,
    pub(super) certificate: Option<Arc<CertificateDer<'static>>>,
    /// That, and what the client showed between it and an authority.
    pub(super) chain: Arc<[CertificateDer<'static>]>,
}

/// Why a request of a trusted proxy does not say who its client is. Guessing would be believing the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unclear {
    #[error("`Forwarded` cannot be read; the proxy must replace what clients send")]
    Malformed,
    #[error("`Forwarded` and `X-Forwarded-For` name different clients; the proxy must set one and remove the other")]
    Contradiction,
    #[error("the forwarded host is no host; the proxy must replace what clients send")]
    Host,
}

/// How far the trusted hops of a header reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Walk {
    client: Option<SocketAddr>,
    /// How many entries were read, from the right.
    hops: usize,
}

/// One element of `Forwarded`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Element {
    node: Option<String>,
    proto: Option<String>,
    host: Option<String>,
}

impl Proxies {
    /// Trusts these networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether none is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether what comes from that address is believed.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who sent a request over a connection.
    pub(super) fn peer(&self, link: &Link, head: &Parts) -> Result<Peer, Unclear> {
        let plain = Peer {
            address: Some(link.address),
            scheme: link.scheme.clone(),
            host: host(head),
            certificate: link.certificate.clone(),
            proxied: false,
        };
        if !self.trusts(link.address.ip()) {
            return Ok(plain);
        }
        let elements = elements(&head.headers)?;
        let entries = list(&head.headers, X_FOR);
        let standard =
            self.walk(link.address, elements.iter().rev().map(|element| element.node.as_deref().and_then(node)));
        let customary = self.walk(link.address, entries.iter().rev().map(|entry| node(entry)));
        let walk = match (elements.is_empty(), entries.is_empty()) {
            (true, _) => customary,
            (false, true) => standard,
            (false, false) if ip(&standard) == ip(&customary) => standard,
            (false, false) => return Err(Unclear::Contradiction),
        };

        // What the outermost trusted proxy saw, as far as it says so.
        let outermost = elements.len().checked_sub(walk.hops.max(1)).and_then(|at| elements.get(at));
        let (proto, host) = match outermost {
            Some(element) => (element.proto.clone(), element.host.clone()),
            None => (None, None),
        };
        let proto = proto.or_else(|| entry(&head.headers, X_PROTO, walk.hops));
        let host = host.or_else(|| entry(&head.headers, X_HOST, walk.hops));
        let scheme = proto.as_deref().and_then(scheme).unwrap_or(plain.scheme);
        let host = match host {
            Some(host) => Some(authority(&host).ok_or(Unclear::Host)?),
            None => plain.host,
        };
        Ok(Peer { address: walk.client, scheme, host, certificate: None, proxied: true })
    }

    /// From the connection outwards, until somebody is not trusted.
    fn walk(&self, connection: SocketAddr, from_the_right: impl Iterator<Item = Option<SocketAddr>>) -> Walk {
        let mut walk = Walk { client: Some(connection), hops: 0 };
        for hop in from_the_right {
            if walk.hops == MAX_HOPS {
                return Walk { client: None, ..walk };
            }
            walk = Walk { client: hop, hops: walk.hops + 1 };
            if hop.is_none_or(|hop| !self.trusts(hop.ip())) {
                break;
            }
        }
        walk
    }
}

fn ip(walk: &Walk) -> Option<IpAddr> {
    walk.client.map(|client| client.ip())
}

/// All entries of a header that is a list, in order. What is no text spoils its own entry alone: a client must not be able
/// to blot out what a proxy appended.
fn list(headers: &HeaderMap, name: impl AsHeaderName) -> Vec<String> {
    let entries = headers.get_all(name).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    entries.map(|entry| String::from_utf8_lossy(entry.trim_ascii()).into_owned()).collect()
}

/// The entry that the outermost trusted proxy wrote. A shorter list was written by fewer of them, so its first.
fn entry(headers: &HeaderMap, name: HeaderName, hops: usize) -> Option<String> {
    let entries = list(headers, name);
    let from_the_right = hops.max(1).min(entries.len());
    entries.into_iter().rev().nth(from_the_right.checked_sub(1)?).filter(|entry| !entry.is_empty())
}

/// An address with or without a port, an IPv6 one with or without brackets. `unknown` and hidden names are none.
fn node(text: &str) -> Option<SocketAddr> {
    let text = text.trim_ascii();
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(SocketAddr::new(address.to_canonical(), 0));
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            let port = if port.is_empty() { None } else { Some(port.strip_prefix(':')?) };
            (IpAddr::V6(host.parse().ok()?), port)
        }
        None => {
            let (host, port) = text.split_once(':')?;
            (IpAddr::V4(host.parse().ok()?), Some(port))
        }
    };
    // A port may be hidden, as `_gazonk`, which leaves the address good.
    let hidden = |port: &str| port.len() > 1 && port.starts_with('_');
    let port = match port {
        None => 0,
        Some(port) if hidden(port) => 0,
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => port.parse().ok()?,
        Some(_) => return None,
    };
    Some(SocketAddr::new(host.to_canonical(), port))
}

fn scheme(text: &str) -> Option<Scheme> {
    if text.eq_ignore_ascii_case("https") {
        Some(Scheme::HTTPS)
    } else if text.eq_ignore_ascii_case("http") {
        Some(Scheme::HTTP)
    } else {
        None
    }
}

fn authority(text: &str) -> Option<String> {
    let authority: Authority = text.parse().ok()?;
    (!text.contains('@') && !authority.host().is_empty()).then(|| authority.as_str().to_owned())
}

/// The elements of `Forwarded`, in order.
fn elements(headers: &HeaderMap) -> Result<Vec<Element>, Unclear> {
    let mut elements = Vec::new();
    for value in headers.get_all(FORWARDED) {
        let value = value.to_str().map_err(|_| Unclear::Malformed)?;
        for element in split(value, ',')? {
            elements.push(read(element)?);
        }
    }
    Ok(elements)
}

fn read(element: &str) -> Result<Element, Unclear> {
    let mut read = Element::default();
    for pair in split(element, ';')? {
        if pair.trim_ascii().is_empty() {
            continue;
        }
        let (name, value) = pair.split_once('=').ok_or(Unclear::Malformed)?;
        let field = match name.trim_ascii().to_ascii_lowercase().as_str() {
            "for" => &mut read.node,
            "proto" => &mut read.proto,
            "host" => &mut read.host,
            _ => continue,
        };
        // Each may stand once. Source: RFC 7239, section 4.
        if field.replace(unquoted(value.trim_ascii())?).is_some() {
            return Err(Unclear::Malformed);
        }
    }
    Ok(read)
}

/// Splits outside of quotes. A quote that is left open would swallow what the next proxy appended.
fn split(text: &str, at: char) -> Result<Vec<&str>, Unclear> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(|char| {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            char => return char == at && !quoted,
        }
        false
    });
    let parts = parts.collect();
    if quoted { Err(Unclear::Malformed) } else { Ok(parts) }
}

/// A token as it is, or what a quoted string stands for.
fn unquoted(value: &str) -> Result<String, Unclear> {
    let Some(rest) = value.strip_prefix('"') else {
        return if value.contains('"') { Err(Unclear::Malformed) } else { Ok(value.to_owned()) };
    };
    let (mut text, mut chars) = (String::new(), rest.chars());
    loop {
        match chars.next().ok_or(Unclear::Malformed)? {
            '"' if chars.as_str().is_empty() => return Ok(text),
            '"' => return Err(Unclear::Malformed),
            '\\' => text.push(chars.next().ok_or(Unclear::Malformed)?),
            char => text.push(char),
        }
    }
}

#[cfg(test)]
mod tests;
