//! One line of `hosts`: which requests are meant.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::target::{Scheme, Target, TargetHost, is_plain_path, parse_port, split_authority};

/// A set of requests: `[METHOD[,METHOD…] ]scheme://host[:port][/path]`.
///
/// | part | forms |
/// | --- | --- |
/// | methods | upper case, such as `GET,HEAD`; left out for every method |
/// | scheme | `https` or `http` |
/// | host | a name; `*.name` for every name below it, but not itself; `*` for every host; an address, IPv6 in brackets |
/// | port | a number; `*` for every port; left out for the scheme's own |
/// | path | a path; the beginning of one followed by `*`; left out for every path |
///
/// `*` as host opens no address that is not public. A pattern that names an address is a grant of that address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPattern {
    /// Empty for every method.
    methods: Vec<String>,
    scheme: Scheme,
    host: HostMatch,
    port: PortMatch,
    path: PathMatch,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum HostMatch {
    Any,
    /// Every name that ends with a dot and this.
    Below(String),
    One(TargetHost),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum PortMatch {
    Any,
    One(u16),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum PathMatch {
    Any,
    Prefix(String),
    One(String),
}

/// Why a text is no [`HostPattern`], and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError(String);

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PatternError {}

impl HostPattern {
    /// Whether `target` is meant. A path in which a server could see `..` matches no pattern that speaks of paths.
    pub fn matches(&self, target: &Target) -> bool {
        self.matches_origin(target)
            && (self.methods.is_empty() || self.methods.iter().any(|method| method == target.method()))
            && self.path.matches(target.path())
    }

    /// Whether scheme, host and port of `target` are meant, whatever its method and path.
    pub(super) fn matches_origin(&self, target: &Target) -> bool {
        let port = match self.port {
            PortMatch::Any => true,
            PortMatch::One(port) => port == target.port(),
        };
        self.scheme == target.scheme() && port && self.host.matches(target.host())
    }

    /// The address this pattern names, and thereby grants.
    pub fn address(&self) -> Option<IpAddr> {
        match self.host {
            HostMatch::One(TargetHost::Address(address)) => Some(address),
            _ => None,
        }
    }

    /// The requests that both patterns mean.
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        if self.scheme != other.scheme {
            return None;
        }
        let methods = match (self.methods.is_empty(), other.methods.is_empty()) {
            (true, _) => other.methods.clone(),
            (_, true) => self.methods.clone(),
            _ => {
                let both = self.methods.iter().filter(|method| other.methods.contains(method));
                let both: Vec<String> = both.cloned().collect();
                if both.is_empty() {
                    return None;
                }
                both
            }
        };
        let port = match (self.port, other.port) {
            (PortMatch::Any, port) | (port, PortMatch::Any) => port,
            (one, other) if one == other => one,
            _ => return None,
        };
        let host = self.host.intersect(&other.host)?;
        let path = self.path.intersect(&other.path)?;
        Some(Self { methods, scheme: self.scheme, host, port, path })
    }
}

impl HostMatch {
    fn matches(&self, host: &TargetHost) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Below(suffix), TargetHost::Name(name)) => is_below(name, suffix),
            (Self::Below(_), TargetHost::Address(_)) => false,
            (Self::One(one), host) => one == host,
        }
    }

    fn intersect(&self, other: &Self) -> Option<Self> {
        let narrow = match (self, other) {
            (Self::Any, narrow) | (narrow, Self::Any) => Some(narrow),
            (Self::One(host), wide) => wide.matches(host).then_some(self),
            (wide, Self::One(host)) => wide.matches(host).then_some(other),
            (Self::Below(one), Self::Below(two)) if one == two || is_below(one, two) => Some(self),
            (Self::Below(one), Self::Below(two)) => is_below(two, one).then_some(other),
        };
        narrow.cloned()
    }
}

/// Whether `name` is `something.suffix`.
fn is_below(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('.')).is_some_and(|rest| !rest.is_empty())
}

impl PathMatch {
    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Prefix(prefix) => path.starts_with(prefix) && is_plain_path(path),
            Self::One(one) => path == one,
        }
    }

    fn intersect(&self, other: &Self) -> Option<Self> {
        let narrow = match (self, other) {
            (Self::Any, narrow) | (narrow, Self::Any) => Some(narrow),
            (Self::One(path), wide) => wide.matches(path).then_some(self),
            (wide, Self::One(path)) => wide.matches(path).then_some(other),
            (Self::Prefix(one), Self::Prefix(two)) if one.starts_with(two) => Some(self),
            (Self::Prefix(one), Self::Prefix(two)) => two.starts_with(one).then_some(other),
        };
        narrow.cloned()
    }
}

impl FromStr for HostPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let err = |problem: String| PatternError(format!("host pattern {text:?}: {problem}"));
        let (methods, url) = match text.split_once(' ') {
            Some((methods, url)) => (parse_methods(methods).map_err(err)?, url),
            None => (Vec::new(), text),
        };
        let Some((scheme, rest)) = url.split_once("://") else {
            let host = if url.is_empty() { "example.com" } else { url };
            return Err(err(format!("it has no scheme, write it like \"https://{host}\"")));
        };
        let scheme = scheme.parse::<Scheme>().map_err(|error| err(error.to_string()))?;
        if rest.contains(['?', '#']) {
            return Err(err("a pattern does not speak of queries, end it before `?` or `#`".to_owned()));
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = split_authority(authority).map_err(|error| err(error.to_string()))?;
        let port = match port {
            None => PortMatch::One(scheme.default_port()),
            Some("*") => PortMatch::Any,
            Some(port) => PortMatch::One(parse_port(port).map_err(|error| err(error.to_string()))?),
        };
        let host = parse_host(host).map_err(err)?;
        let path = parse_path(path).map_err(err)?;
        Ok(Self { methods, scheme, host, port, path })
    }
}

fn parse_methods(text: &str) -> Result<Vec<String>, String> {
    let mut methods: Vec<String> = Vec::new();
    for method in text.split(',') {
        if method.is_empty() || !method.bytes().all(|c| c.is_ascii_uppercase() || c == b'-') {
            return Err(format!("{method:?} is no method, write methods in upper case like \"GET,HEAD https://…\""));
        }
        if method == "CONNECT" {
            return Err("CONNECT would open a tunnel and is never allowed, leave it out".to_owned());
        }
        if !methods.iter().any(|known| known == method) {
            methods.push(method.to_owned());
        }
    }
    Ok(methods)
}

fn parse_host(text: &str) -> Result<HostMatch, String> {
    if text == "*" {
        return Ok(HostMatch::Any);
    }
    if let Some(suffix) = text.strip_prefix("*.") {
        return match suffix.parse() {
            Ok(TargetHost::Name(name)) => Ok(HostMatch::Below(name)),
            Ok(TargetHost::Address(_)) => Err("nothing is below an address, name the address or `*`".to_owned()),
            Err(error) => Err(error.to_string()),
        };
    }
    if text.contains('*') {
        return Err("`*` stands for a whole host or for what is before a dot, write `*` or `*.example.com`".to_owned());
    }
    let host: TargetHost = text.parse().map_err(|error: super::TargetError| error.to_string())?;
    match &host {
        // A grant of an address should be read at a glance, so it is not written as `0x7f.1`.
        TargetHost::Address(IpAddr::V4(address)) if address.to_string() != text => {
            Err(format!("{text:?} is another spelling of an address, write {address}"))
        }
        _ => Ok(HostMatch::One(host)),
    }
}

fn parse_path(text: &str) -> Result<PathMatch, String> {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || b"/-._~!$&'()+,;=:@%".contains(&c);
    let fixed = text.strip_suffix('*').unwrap_or(text);
    if fixed.contains('*') {
        return Err("`*` in a path stands at its end, write it like \"/v1/*\"".to_owned());
    }
    if !fixed.bytes().all(allowed) {
        return Err("the path holds a character that a URL encodes, write it as `%` and two hex digits".to_owned());
    }
    if !is_plain_path(fixed) {
        return Err("the path has a `.` or `..` part, write it without".to_owned());
    }
    Ok(match text {
        "" | "/*" => PathMatch::Any,
        _ if fixed.len() < text.len() => PathMatch::Prefix(fixed.to_owned()),
        _ => PathMatch::One(fixed.to_owned()),
    })
}

/// The shortest text that reads as the same pattern.
impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.methods.is_empty() {
            write!(f, "{} ", self.methods.join(","))?;
        }
        write!(f, "{}://", self.scheme)?;
        match &self.host {
            HostMatch::Any => f.write_str("*")?,
            HostMatch::Below(suffix) => write!(f, "*.{suffix}")?,
            HostMatch::One(host) => write!(f, "{host}")?,
        }
        match self.port {
            PortMatch::Any => f.write_str(":*")?,
            PortMatch::One(port) if port == self.scheme.default_port() => {}
            PortMatch::One(port) => write!(f, ":{port}")?,
        }
        match &self.path {
            PathMatch::Any => Ok(()),
            PathMatch::Prefix(prefix) => write!(f, "{prefix}*"),
            PathMatch::One(path) => f.write_str(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> HostPattern {
        text.parse().unwrap()
    }

    #[test]
    fn patterns_have_one_form() {
        #[rustfmt::skip] // a table: one row, one line
        let table = [
            ("https://example.com", "https://example.com"),
            ("HTTPS://Example.COM.", "https://example.com"),
            ("https://example.com:443", "https://example.com"),
            ("http://example.com:443", "http://example.com:443"),
            ("https://example.com:*", "https://example.com:*"),
            ("https://example.com/*", "https://example.com"),
            ("https://example.com/", "https://example.com/"),
            ("https://example.com/v1/*", "https://example.com/v1/*"),
            ("https://example.com/v1*", "https://example.com/v1*"),
            ("https://*", "https://*"),
            ("https://*:*", "https://*:*"),
            ("https://*.Example.com:8443/a", "https://*.example.com:8443/a"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("GET,HEAD,GET https://example.com", "GET,HEAD https://example.com"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080/", "http://[::1]:8080/"),
            ("http://[0::1]", "http://[::1]"),
        ];
        for (text, form) in table {
            assert_eq!(pattern(text).to_string(), form);
            assert_eq!(pattern(form), pattern(text));
        }
    }

    #[test]
    fn texts_that_are_no_patterns() {
        let table = [
            ("", "no scheme"),
            ("*", "\"https://*\""),
            ("example.com", "\"https://example.com\""),
            ("ftp://example.com", "scheme \"ftp\""),
            ("*://example.com", "scheme \"*\""),
            ("https://", "host is empty"),
            ("https:///path", "host is empty"),
            ("https://:443", "host is empty"),
            ("https://user@example.com", "user information"),
            ("https://example.com:0", "port 0"),
            ("https://example.com:99999", "port \"99999\""),
            ("https://example.com:", "port \"\""),
            ("https://*example.com", "`*.example.com`"),
            ("https://a.*.com", "`*.example.com`"),
            ("https://*.*.com", "\"*.com\""),
            ("https://*.", "host is empty"),
            ("https://*.0.0.1", "address"),
            ("https://127.1", "write 127.0.0.1"),
            ("https://2130706433", "write 127.0.0.1"),
            ("https://0x7f.0.0.1", "write 127.0.0.1"),
            ("https://::1", "brackets"),
            ("https://[fe80::1%25eth0]", "zone"),
            ("https://example.com?q", "queries"),
            ("https://example.com/a?q", "queries"),
            ("https://example.com/#a", "queries"),
            ("https://example.com/*/b", "at its end"),
            ("https://example.com/a b", "no method"),
            ("https://example.com/a\tb", "URL encodes"),
            ("https://example.com/ü", "URL encodes"),
            ("https://example.com/v1/../v2", "`..`"),
            ("https://example.com/%2e%2e/*", "`..`"),
            ("get https://example.com", "upper case"),
            ("GET, HEAD https://example.com", "upper case"),
            ("CONNECT https://example.com", "tunnel"),
            ("GET  https://example.com", "scheme"),
            (" https://example.com", "upper case"),
        ];
        for (text, part) in table {
            let message = text.parse::<HostPattern>().unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn every_form_matches_what_it_says() {
        // pattern, method, authority, path, whether it matches (all over https)
        #[rustfmt::skip] // a table: one row, one line
        let table = [
            ("https://a.example", "GET", "a.example", "/x", true),
            ("https://a.example", "DELETE", "A.EXAMPLE.:443", "/", true),
            ("https://a.example", "GET", "b.example", "/", false),
            ("https://a.example", "GET", "x.a.example", "/", false),
            ("https://a.example", "GET", "a.example.evil.example", "/", false),
            ("https://a.example", "GET", "a.example:8443", "/", false),
            ("https://a.example:8443", "GET", "a.example:8443", "/", true),
            ("https://a.example:8443", "GET", "a.example", "/", false),
            ("https://a.example:*", "GET", "a.example:1", "/", true),
            ("http://a.example:443", "GET", "a.example", "/", false),
            ("https://*.a.example", "GET", "x.a.example", "/", true),
            ("https://*.a.example", "GET", "x.y.a.example", "/", true),
            ("https://*.a.example", "GET", "a.example", "/", false),
            ("https://*.a.example", "GET", "xa.example", "/", false),
            ("https://*.a.example", "GET", "x.a.example.evil.example", "/", false),
            ("https://*", "GET", "anything.example", "/", true),
            ("https://*", "GET", "1.2.3.4", "/", true),
            ("https://*", "GET", "[::1]", "/", true),
            ("https://*", "GET", "anything.example:8443", "/", false),
            ("https://*:*", "GET", "anything.example:8443", "/", true),
            ("https://127.0.0.1", "GET", "127.0.0.1", "/", true),
            ("https://127.0.0.1", "GET", "0x7f.1", "/", true),
            ("https://127.0.0.1", "GET", "localhost", "/", false),
            ("https://127.0.0.1", "GET", "[::ffff:127.0.0.1]", "/", false),
            ("https://[::1]", "GET", "[0::1]", "/", true),
            ("GET,HEAD https://a.example", "GET", "a.example", "/", true),
            ("GET,HEAD https://a.example", "HEAD", "a.example", "/", true),
            ("GET,HEAD https://a.example", "POST", "a.example", "/", false),
            ("GET,HEAD https://a.example", "get", "a.example", "/", false),
            ("https://a.example/v1/*", "GET", "a.example", "/v1/", true),
            ("https://a.example/v1/*", "GET", "a.example", "/v1/x?y=/../", true),
            ("https://a.example/v1/*", "GET", "a.example", "/v1", false),
            ("https://a.example/v1/*", "GET", "a.example", "/v2/x", false),
            ("https://a.example/v1/*", "GET", "a.example", "/V1/x", false),
            ("https://a.example/v1/*", "GET", "a.example", "/v1/../v2/x", false),
            ("https://a.example/v1/*", "GET", "a.example", "/v1/%2E%2e/v2/x", false),
            ("https://a.example/v1/*", "GET", "a.example", "/v1/..;/v2", false),
            ("https://a.example/v1*", "GET", "a.example", "/v1beta", true),
            ("https://a.example/v1", "GET", "a.example", "/v1?x", true),
            ("https://a.example/v1", "GET", "a.example", "/v1/", false),
            ("https://a.example/", "GET", "a.example", "", true),
            ("https://a.example/", "GET", "a.example", "/x", false),
            ("https://a.example", "GET", "a.example", "/a/../b", true),
        ];
        for (text, method, authority, path, expected) in table {
            let target = Target::from_authority(method, "https", authority, path).unwrap();
            assert_eq!(pattern(text).matches(&target), expected, "{text} and {target}");
        }
    }

    #[test]
    fn intersections() {
        #[rustfmt::skip] // a table: one row, one line
        let table = [
            ("https://*", "https://a.example", Some("https://a.example")),
            ("https://*.example", "https://*.a.example", Some("https://*.a.example")),
            ("https://*.a.example", "https://*.xa.example", None),
            ("https://*.a.example", "https://a.example", None),
            ("https://*.a.example", "https://x.a.example", Some("https://x.a.example")),
            ("https://*.a.example", "https://127.0.0.1", None),
            ("https://a.example", "https://b.example", None),
            ("https://a.example", "http://a.example", None),
            ("https://a.example:*", "https://a.example:1", Some("https://a.example:1")),
            ("https://a.example", "https://a.example:1", None),
            ("GET https://a.example", "https://a.example", Some("GET https://a.example")),
            ("GET,PUT https://a.example", "PUT,POST https://a.example", Some("PUT https://a.example")),
            ("GET https://a.example", "POST https://a.example", None),
            ("https://a.example/a/*", "https://a.example/a/b*", Some("https://a.example/a/b*")),
            ("https://a.example/a/*", "https://a.example/b/*", None),
            ("https://a.example/a/*", "https://a.example/a/b", Some("https://a.example/a/b")),
            ("https://a.example/a", "https://a.example/b", None),
        ];
        for (one, two, both) in table {
            let (one, two, both) = (pattern(one), pattern(two), both.map(pattern));
            assert_eq!(one.intersect(&two), both, "{one} and {two}");
            assert_eq!(two.intersect(&one), both, "{two} and {one}");
            assert_eq!(one.intersect(&one), Some(one.clone()));
        }
    }
}
