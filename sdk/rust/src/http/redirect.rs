//! Following an answer that points elsewhere (RFC 9110, section 15.4).

use super::target::{Target, resolve};
use super::{Error, Request};

/// Headers that were meant for one origin and go to no other.
const CREDENTIALS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// The request that follows `request` after an answer of this status and `location`; none if the answer is to be
/// taken as it is.
///
/// # Errors
/// The location is not a URL.
pub fn next(request: &Request, status: u16, location: Option<&str>) -> Result<Option<Request>, Error> {
    let (true, Some(location)) = (matches!(status, 301 | 302 | 303 | 307 | 308), location) else {
        return Ok(None);
    };
    let mut next = request.clone();
    next.url = resolve(&request.url, location)?;
    // What browsers have always done with 301 and 302, and what 303 means.
    let becomes_get = match status {
        303 => request.method != "HEAD",
        301 | 302 => request.method == "POST",
        _ => false,
    };
    if becomes_get {
        "GET".clone_into(&mut next.method);
        next.body.clear();
        next.headers.retain(|(name, _)| !starts_with(name, "content-"));
    }
    if !Target::parse(&request.url)?.same_origin(&Target::parse(&next.url)?) {
        next.headers.retain(|(name, _)| !CREDENTIALS.iter().any(|known| name.eq_ignore_ascii_case(known)));
    }
    Ok(Some(next))
}

fn starts_with(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted() -> Request {
        Request::new("POST", "https://a.example/dir/page?q=1")
            .header("Content-Type", "text/plain")
            .header("Authorization", "secret")
            .header("accept", "*/*")
            .body("body")
    }

    fn names(request: &Request) -> Vec<&str> {
        request.headers.iter().map(|(name, _)| &**name).collect()
    }

    #[test]
    fn only_a_redirect_with_a_location_is_followed() {
        let request = Request::new("GET", "https://a.example/");
        for (status, location) in [(200, Some("/b")), (304, Some("/b")), (300, Some("/b")), (302, None)] {
            assert!(next(&request, status, location).unwrap().is_none(), "{status}");
        }
    }

    #[test]
    fn method_and_body_change_where_the_status_says_so() {
        let cases =
            [(301, "GET", ""), (302, "GET", ""), (303, "GET", ""), (307, "POST", "body"), (308, "POST", "body")];
        for (status, method, body) in cases {
            let next = next(&posted(), status, Some("other")).unwrap().unwrap();
            assert_eq!((&*next.method, &*next.body), (method, body.as_bytes()), "{status}");
            assert_eq!(next.url, "https://a.example/dir/other");
            let kept = names(&next).contains(&"Content-Type");
            assert_eq!(kept, method == "POST", "{status}");
        }
        let head = Request::new("HEAD", "https://a.example/");
        assert_eq!(next(&head, 303, Some("/b")).unwrap().unwrap().method, "HEAD");
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        let cases = [
            ("/b", true),
            ("https://A.example:443/b", true),
            ("http://a.example/b", false),
            ("https://a.example:8443/b", false),
            ("//b.example/", false),
        ];
        for (location, kept) in cases {
            let next = next(&posted(), 307, Some(location)).unwrap().unwrap();
            assert_eq!(names(&next).contains(&"Authorization"), kept, "{location}");
            assert!(names(&next).contains(&"accept"));
        }
    }

    #[test]
    fn a_location_that_is_no_url_is_an_error() {
        let request = Request::new("GET", "https://a.example/");
        for location in ["ftp://a.example/", "javascript:alert(1)", "https://me:pw@a.example/"] {
            assert!(matches!(next(&request, 302, Some(location)), Err(Error::Url(_))), "{location}");
        }
    }
}
