//! What a request is aimed at, in the one form that is compared with patterns and then connected to.
//!
//! Two parsers that read one text differently are how filters are passed by, so a target is read once, here, and
//! strictly: what is not plain is refused instead of repaired. Only the host is normalised, as WHATWG URL does it (lower
//! case, IDN, `0x7f.1` for 127.0.0.1), and the sandbox goes on with the normalised host.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// The schemes a plugin can send requests with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// The name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port a URL without one means.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scheme {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if text.eq_ignore_ascii_case("https") {
            Ok(Self::Https)
        } else if text.eq_ignore_ascii_case("http") {
            Ok(Self::Http)
        } else {
            Err(TargetError(format!("scheme {text:?} is not supported, use https or http")))
        }
    }
}

/// Why a target or one part of it cannot be judged, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetError(pub(super) String);

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TargetError {}

/// A host: a name in lower-case ASCII without a dot at the end, or an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TargetHost {
    /// A name that has to be resolved.
    Name(String),
    /// An address; there is nothing to resolve.
    Address(IpAddr),
}

/// IPv6 in brackets, as in a URL.
impl fmt::Display for TargetHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl FromStr for TargetHost {
    type Err = TargetError;

    /// Reads a host without a port. IPv6 may stand in brackets or without.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        let err = |problem: &str| Err(TargetError(format!("host {text:?} {problem}")));
        if text.is_empty() {
            return Err(TargetError("the host is empty, name one".to_owned()));
        }
        if text.contains('@') {
            return err("holds user information, send an authorization header instead");
        }
        if text.contains('%') {
            return err("holds a zone or a percent-encoding, write it without");
        }
        if text.contains([':', '[', ']']) {
            let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
            return match bare.parse::<Ipv6Addr>() {
                Ok(address) => Ok(Self::Address(address.into())),
                Err(_) => err("is no IPv6 address, write it like [2001:db8::1]"),
            };
        }
        match url::Host::parse(text) {
            Ok(url::Host::Ipv4(address)) => Ok(Self::Address(address.into())),
            Ok(url::Host::Ipv6(address)) => Ok(Self::Address(address.into())),
            Ok(url::Host::Domain(name)) => {
                let name = name.strip_suffix('.').unwrap_or(&name);
                if is_host_name(name) {
                    Ok(Self::Name(name.to_owned()))
                } else {
                    err("is no host name, write letters, digits, `-` and `_` in parts of 1 to 63, joined by dots")
                }
            }
            Err(error) => err(&format!("is no host ({error}), write a name or an address")),
        }
    }
}

/// DNS's sizes (RFC 1035, 2.3.4) and the characters in use, which include `_`.
fn is_host_name(name: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'_');
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(plain);
    name.len() <= 253 && name.split('.').all(label)
}

/// Splits `host[:port]` at the port.
///
/// # Errors
///
/// There is user information, the port is not a number from 1 to 65535, or a bracket is missing.
pub(super) fn split_authority(authority: &str) -> Result<(&str, Option<&str>), TargetError> {
    if authority.contains('@') {
        let problem = "holds user information, send an authorization header instead";
        return Err(TargetError(format!("authority {authority:?} {problem}")));
    }
    if authority.starts_with('[') {
        let Some((host, rest)) = authority.split_once(']') else {
            return Err(TargetError(format!("authority {authority:?} lacks a `]`, add it")));
        };
        let host = authority.get(..=host.len()).unwrap_or(host);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(TargetError(format!("authority {authority:?} goes on after `]`, write [address]:port"))),
        };
    }
    match authority.split_once(':') {
        None => Ok((authority, None)),
        Some((_, rest)) if rest.contains(':') => {
            Err(TargetError(format!("authority {authority:?} holds several colons, put an IPv6 address in brackets")))
        }
        Some((host, port)) => Ok((host, Some(port))),
    }
}

/// Reads a port in digits.
pub(super) fn parse_port(text: &str) -> Result<u16, TargetError> {
    let digits = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits => check_port(port),
        _ => Err(TargetError(format!("port {text:?} is not a number from 1 to 65535, write one"))),
    }
}

fn check_port(port: u16) -> Result<u16, TargetError> {
    if port == 0 { Err(TargetError("port 0 is no port, use 1 to 65535".to_owned())) } else { Ok(port) }
}

/// One request's target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    method: String,
    scheme: Scheme,
    host: TargetHost,
    port: u16,
    path: String,
}

impl Target {
    /// Reads a target. `host` has no port; without `port` the scheme's own is meant; `path` may have a query.
    ///
    /// # Errors
    ///
    /// A part is not plain: see [`TargetHost`]; port 0; a method that is no token, or `CONNECT`, which would open a
    /// tunnel; a path that does not begin with `/`.
    pub fn new(method: &str, scheme: &str, host: &str, port: Option<u16>, path: &str) -> Result<Self, TargetError> {
        if method.is_empty() || !method.bytes().all(is_token) {
            return Err(TargetError(format!("method {method:?} is no HTTP method, use one such as GET")));
        }
        if method.eq_ignore_ascii_case("CONNECT") {
            return Err(TargetError("CONNECT would open a tunnel, send the request itself instead".to_owned()));
        }
        let scheme: Scheme = scheme.parse()?;
        let host = host.parse()?;
        let port = port.map_or(Ok(scheme.default_port()), check_port)?;
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let path = if path.is_empty() { "/" } else { path };
        if !path.starts_with('/') {
            return Err(TargetError(format!("path {path:?} is not absolute, begin it with `/`")));
        }
        Ok(Self { method: method.to_owned(), scheme, host, port, path: path.to_owned() })
    }

    /// Reads a target whose host and port are given as `host[:port]`.
    ///
    /// # Errors
    ///
    /// As [`Target::new`], and if the authority holds user information or a port that is none.
    pub fn from_authority(method: &str, scheme: &str, authority: &str, path: &str) -> Result<Self, TargetError> {
        let (host, port) = split_authority(authority)?;
        let port = port.map(parse_port).transpose()?;
        Self::new(method, scheme, host, port, path)
    }

    /// The method as the guest wrote it; methods are case-sensitive (RFC 9110, 9.1).
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host.
    pub fn host(&self) -> &TargetHost {
        &self.host
    }

    /// The port, never 0.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path, without the query, never empty.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// `scheme://host[:port]`, the port only if it is not the scheme's own.
    pub fn origin(&self) -> String {
        let Self { method: _, scheme, host, port, path: _ } = self;
        if *port == scheme.default_port() { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{port}") }
    }
}

/// Method, origin and path; the path is cut after 200 characters and has its odd characters escaped.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut path: String = self.path.chars().take(200).flat_map(char::escape_debug).collect();
        if self.path.chars().nth(200).is_some() {
            path.push('…');
        }
        write!(f, "{} {}{path}", self.method, self.origin())
    }
}

/// RFC 9110, 5.6.2.
fn is_token(c: u8) -> bool {
    c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c)
}

/// Whether no server can read a `.` or `..` out of `path`, in any of the ways servers do: as it stands, behind a
/// backslash, before a `;`, percent-encoded, or percent-encoded again.
pub(super) fn is_plain_path(path: &str) -> bool {
    let mut bytes = path.as_bytes().to_vec();
    for _ in 0..4 {
        let dots = |part: &[u8]| {
            let name = part.split(|c| *c == b';').next().unwrap_or_default();
            name == b"." || name == b".."
        };
        if bytes.split(|c| matches!(c, b'/' | b'\\')).any(dots) {
            return false;
        }
        let decoded = percent_decode(&bytes);
        if decoded == bytes {
            return true;
        }
        bytes = decoded;
    }
    // Nobody encodes four times in good faith.
    false
}

fn percent_decode(bytes: &[u8]) -> Vec<u8> {
    let hex = |c: Option<&u8>| c.and_then(|c| char::from(*c).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(c) = rest.next() {
        let mut ahead = rest.clone();
        match (*c == b'%').then(|| (hex(ahead.next()), hex(ahead.next()))) {
            Some((Some(high), Some(low))) => {
                decoded.push(high << 4 | low);
                rest = ahead;
            }
            _ => decoded.push(*c),
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_one_form() {
        let table = [
            ("example.com", "example.com"),
            ("EXAMPLE.Com", "example.com"),
            ("example.com.", "example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("ｅｘａｍｐｌｅ.com", "example.com"),
            ("example。com", "example.com"),
            ("_dmarc.example.com", "_dmarc.example.com"),
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1.", "127.0.0.1"),
            ("127.1", "127.0.0.1"),
            ("2130706433", "127.0.0.1"),
            ("0x7f000001", "127.0.0.1"),
            ("0x7F.1", "127.0.0.1"),
            ("0177.0.0.1", "127.0.0.1"),
            ("１２７.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("::1", "[::1]"),
            ("[0:0:0:0:0:0:0:1]", "[::1]"),
            ("[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]"),
        ];
        for (text, form) in table {
            assert_eq!(text.parse::<TargetHost>().map(|host| host.to_string()), Ok(form.to_owned()), "{text}");
        }
    }

    #[test]
    fn hosts_that_are_none() {
        let long_label = format!("{}.com", "a".repeat(64));
        let long_name = vec!["a".repeat(63); 4].join(".");
        #[rustfmt::skip] // a table: one row, one line
        let bad = [
            "", ".", "..", "a..b", "example.com..", ".example.com", "user@example.com", "a b", "a\tb", "a/b", "a\\b",
            "a?b", "a#b", "exa%6dple.com", "fe80::1%eth0", "[fe80::1%25eth0]", "[::1", "::1]", "[]", "[127.0.0.1]",
            "[example.com]", "example.com:80", "*", "*.example.com", "a*b", "256.0.0.1", "1.2.3.4.5", "0x.0x.0",
            "a.1", "a!b", "a\0b", "a<b", &long_label, &long_name,
        ];
        for text in bad {
            // `0x` is zero to WHATWG; whatever it is, it must not be a name.
            match text.parse::<TargetHost>() {
                Err(_) => {}
                Ok(host) => assert_eq!((text, host.to_string().as_str()), ("0x.0x.0", "0.0.0.0")),
            }
        }
    }

    #[test]
    fn authorities() {
        let table = [
            ("example.com", Ok("https://example.com")),
            ("example.com:443", Ok("https://example.com")),
            ("example.com:8443", Ok("https://example.com:8443")),
            ("[::1]", Ok("https://[::1]")),
            ("[::1]:8443", Ok("https://[::1]:8443")),
            ("127.1:8443", Ok("https://127.0.0.1:8443")),
            ("", Err("empty")),
            (":443", Err("empty")),
            ("example.com:", Err("port")),
            ("example.com:0", Err("port 0")),
            ("example.com:65536", Err("port")),
            ("example.com:+1", Err("port")),
            ("example.com:8443:1", Err("colons")),
            ("::1", Err("brackets")),
            ("[::1", Err("`]`")),
            ("[::1]443", Err("after `]`")),
            ("a@example.com", Err("user information")),
            ("a:b@example.com:443", Err("user information")),
            ("granted.example@evil.example", Err("user information")),
        ];
        for (authority, expected) in table {
            match (Target::from_authority("GET", "https", authority, "/"), expected) {
                (Ok(target), Ok(origin)) => assert_eq!(target.origin(), origin, "{authority}"),
                (Err(error), Err(part)) => {
                    assert!(error.to_string().contains(part), "{authority}: {error}")
                }
                (got, _) => panic!("{authority}: {got:?}"),
            }
        }
    }

    #[test]
    fn methods_schemes_and_paths() {
        for method in ["", "GE T", "GET\r\n", "CONNECT", "connect"] {
            assert!(Target::new(method, "https", "a.example", None, "/").is_err(), "{method:?}");
        }
        for scheme in ["", "ftp", "file", "ws", "https:"] {
            assert!(Target::new("GET", scheme, "a.example", None, "/").is_err(), "{scheme:?}");
        }
        assert!(Target::new("GET", "https", "a.example", Some(0), "/").is_err());
        assert!(Target::new("OPTIONS", "https", "a.example", None, "*").is_err());
        for (path, expected) in [("", "/"), ("?q", "/"), ("/a?b=/../c", "/a"), ("/a#b", "/a")] {
            let target = Target::new("GET", "HTTPS", "a.example", None, path).unwrap();
            assert_eq!(target.path(), expected);
        }
        let target = Target::new("GET", "http", "A.example", Some(8080), "/a\"\n?token=1").unwrap();
        assert_eq!(target.to_string(), "GET http://a.example:8080/a\\\"\\n");
    }

    #[test]
    fn paths_with_hidden_dots() {
        for plain in ["/", "/a/b", "/a..b/...", "/.well-known/x", "/%61", "/a%2fb", "/100%", "/%zz", "/a;b=.."] {
            assert!(is_plain_path(plain), "{plain}");
        }
        #[rustfmt::skip] // a table: one row, one line
        let odd = [
            "/..", "/a/../b", "/a/./b", "/a/..", "/%2e%2E/b", "/a/.%2e", "/a/%252e%252e/b", "/a/..%2fb",
            "/a%2f..%2fb", "/a\\..\\b", "/a%5c..", "/a/..;/b", "/a/..;x=1/b", "/a/..%3b/b", "/%25252525252e",
        ];
        for path in odd {
            assert!(!is_plain_path(path), "{path}");
        }
    }
}
