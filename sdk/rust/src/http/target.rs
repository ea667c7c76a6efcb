//! The three parts of a URL that `wasi:http` wants.

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
            return refuse(
                "holds a user name or a backslash before the path; send credentials in a header",
            );
        }
        let path_with_query = match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("/{path}"),
        };
        Ok(Self {
            scheme,
            authority,
            path_with_query,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_three_parts() {
        let cases = [
            ("https://example.com", (Scheme::Https, "example.com", "/")),
            (
                "HTTP://example.com:8080/a/b?c=d#e",
                (Scheme::Http, "example.com:8080", "/a/b?c=d"),
            ),
            (
                "https://example.com?c=/d",
                (Scheme::Https, "example.com", "/?c=/d"),
            ),
            (
                "https://[2001:db8::1]:8443/",
                (Scheme::Https, "[2001:db8::1]:8443", "/"),
            ),
            (
                "https://example.com#a/b",
                (Scheme::Https, "example.com", "/"),
            ),
            (
                "https://example.com/@me",
                (Scheme::Https, "example.com", "/@me"),
            ),
        ];
        for (url, (scheme, authority, path)) in cases {
            let expected = Target {
                scheme,
                authority,
                path_with_query: path.to_owned(),
            };
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
            (
                "https://example.com\\@evil.example/",
                "credentials in a header",
            ),
            ("https://example.com/a b", "percent-encoded"),
            ("https://exämple.com/", "punycode"),
            ("https://example.com/\r\nx: y", "percent-encoded"),
        ];
        for (url, expected) in cases {
            let error = Target::parse(url).unwrap_err().to_string();
            assert!(error.contains(expected), "{url}: {error}");
        }
    }
}
