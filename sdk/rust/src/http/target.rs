//! The three parts of a URL that `wasi:http` wants, and what a relative reference means.

use super::Error;

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub struct Target<'a> {
    pub scheme: Scheme,
    /// Host, and port if the URL names one.
    pub authority: &'a str,
    /// Never empty.
    pub path_with_query: String,
}

/// The schemes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

impl<'a> Target<'a> {
    /// Splits an absolute URL. The fragment is left out, as it stays with the client.
    ///
    /// # Errors
    /// It is not `http` or `https`, names no host, holds a password, or holds characters that a URL cannot hold.
    pub fn parse(url: &'a str) -> Result<Self, Error> {
        let refuse = |why: &str| Err(Error::Url(format!("`{url}` {why}")));
        if let Some(wrong) = url.chars().find(|c| !c.is_ascii_graphic()) {
            return refuse(&format!(
                "holds the character {wrong:?}; write it percent-encoded, a host name in punycode"
            ));
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            return refuse("has no scheme; write `https://…`");
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return refuse("is neither `http` nor `https`"),
        };
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.is_empty() || authority.starts_with(':') {
            return refuse("names no host");
        }
        if authority.contains(['@', '\\']) {
            return refuse("holds a user name or a backslash before the path; send credentials in a header");
        }
        let path_with_query = match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("/{path}"),
        };
        Ok(Self { scheme, authority, path_with_query })
    }

    /// Whether both are the same scheme, host and port.
    pub fn same_origin(&self, other: &Target<'_>) -> bool {
        self.scheme == other.scheme && self.host_and_port() == other.host_and_port()
    }

    /// In lower case, and with the port that goes without saying.
    fn host_and_port(&self) -> (String, &str) {
        let (host, port) = match self.authority.rsplit_once(':') {
            // Not the last colon of an address in brackets.
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (self.authority, ""),
        };
        let port = match (port, self.scheme) {
            ("", Scheme::Http) => "80",
            ("", Scheme::Https) => "443",
            (port, _) => port,
        };
        (host.to_ascii_lowercase(), port)
    }
}

/// The URL that `reference` means on the page `base` (RFC 3986, section 5.2). What a URL cannot hold is percent-encoded, as
/// browsers do with the locations that servers send.
///
/// # Errors
/// `base` cannot be asked for, or `reference` is a URL that cannot.
pub fn resolve(base: &str, reference: &str) -> Result<String, Error> {
    let reference = encode(reference.trim());
    let reference = reference.split_once('#').map_or(&*reference, |(reference, _)| reference);
    let from = Target::parse(base)?;
    let scheme = match from.scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    let (path, query) = split_query(&from.path_with_query);
    let joined = if has_scheme(reference) {
        reference.to_owned()
    } else if reference.starts_with("//") {
        format!("{scheme}:{reference}")
    } else {
        let path = match split_query(reference) {
            ("", "") => format!("{path}{query}"),
            ("", new) => format!("{path}{new}"),
            (new, query) if new.starts_with('/') => format!("{}{query}", without_dots(new)),
            (new, query) => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("{}{query}", without_dots(&format!("{folder}/{new}")))
            }
        };
        format!("{scheme}://{}{path}", from.authority)
    };
    Target::parse(&joined)?;
    Ok(joined)
}

/// RFC 3986, section 3.1: what stands before the first colon, if it looks like a scheme.
fn has_scheme(reference: &str) -> bool {
    reference.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

/// Path and query; the query keeps its question mark.
fn split_query(path: &str) -> (&str, &str) {
    path.split_at(path.find('?').unwrap_or(path.len()))
}

/// RFC 3986, section 5.2.4, for an absolute path.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            ".." => {
                kept.pop();
            }
            "." => {}
            _ => kept.push(segment),
        }
        if last && matches!(segment, "." | "..") {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_three_parts() {
        let cases = [
            ("https://example.com", (Scheme::Https, "example.com", "/")),
            ("HTTP://example.com:8080/a/b?c=d#e", (Scheme::Http, "example.com:8080", "/a/b?c=d")),
            ("https://example.com?c=/d", (Scheme::Https, "example.com", "/?c=/d")),
            ("https://[2001:db8::1]:8443/", (Scheme::Https, "[2001:db8::1]:8443", "/")),
            ("https://example.com#a/b", (Scheme::Https, "example.com", "/")),
            ("https://example.com/@me", (Scheme::Https, "example.com", "/@me")),
        ];
        for (url, (scheme, authority, path)) in cases {
            let expected = Target { scheme, authority, path_with_query: path.to_owned() };
            assert_eq!(Target::parse(url), Ok(expected), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_asked_for_is_told_why() {
        let cases = [
            ("example.com/a", "has no scheme"),
            ("ftp://example.com", "neither `http` nor `https`"),
            ("https://", "names no host"),
            ("https:///a", "names no host"),
            ("https://:80/", "names no host"),
            ("https://me:pw@example.com/", "credentials in a header"),
            ("https://example.com\\@evil.example/", "credentials in a header"),
            ("https://example.com/a b", "percent-encoded"),
            ("https://exämple.com/", "punycode"),
            ("https://example.com/\r\nx: y", "percent-encoded"),
        ];
        for (url, expected) in cases {
            let error = Target::parse(url).unwrap_err().to_string();
            assert!(error.contains(expected), "{url}: {error}");
        }
    }

    #[test]
    fn a_reference_is_read_on_its_page() {
        let base = "https://a.example:8443/b/c/d?q=1#f";
        let cases = [
            ("", "https://a.example:8443/b/c/d?q=1"),
            ("#g", "https://a.example:8443/b/c/d?q=1"),
            ("?y", "https://a.example:8443/b/c/d?y"),
            ("g", "https://a.example:8443/b/c/g"),
            ("./g", "https://a.example:8443/b/c/g"),
            ("g/", "https://a.example:8443/b/c/g/"),
            ("..", "https://a.example:8443/b/"),
            (".", "https://a.example:8443/b/c/"),
            ("../g?y=../z", "https://a.example:8443/b/g?y=../z"),
            ("../../../../g", "https://a.example:8443/g"),
            ("/g/./h/../i", "https://a.example:8443/g/i"),
            ("//h.example/x", "https://h.example/x"),
            ("http://h.example", "http://h.example"),
            (" /spaced out/é ", "https://a.example:8443/spaced%20out/%C3%A9"),
            ("g:h/../x?y#z", ""),
            ("a/b:c", "https://a.example:8443/b/c/a/b:c"),
        ];
        for (reference, expected) in cases {
            match resolve(base, reference) {
                Ok(url) => assert_eq!(url, expected, "{reference}"),
                Err(error) => assert!(expected.is_empty(), "{reference}: {error}"),
            }
        }
        assert_eq!(resolve("http://a.example", "g").unwrap(), "http://a.example/g");
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let cases = [
            ("https://a.example", "https://A.EXAMPLE:443/x", true),
            ("http://[2001:db8::1]", "http://[2001:DB8::1]:80", true),
            ("http://[2001:db8::1]", "http://[2001:db8::2]", false),
            ("http://a.example", "https://a.example", false),
            ("https://a.example", "https://a.example:8443", false),
            ("https://a.example", "https://b.example", false),
        ];
        for (one, other, same) in cases {
            let (a, b) = (Target::parse(one).unwrap(), Target::parse(other).unwrap());
            assert_eq!(a.same_origin(&b), same, "{one} {other}");
        }
    }
}
