//! A response, and reading its body no further than wanted.

use super::Error;
use super::wasi::Body;
use std::fmt::{self, Debug, Formatter};

/// A response whose body is still to be read.
pub struct Response {
    pub(super) url: String,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Body,
}

impl Response {
    /// The URL that was answered: the last one, where redirects were followed.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The status, 100 to 599.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first value of a header, if it is text. Upper and lower case of the name are the same.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// All headers in the order received.
    #[must_use]
    pub fn headers(&self) -> &[(String, Vec<u8>)] {
        &self.headers
    }

    /// The body, if it is no longer than `limit` bytes.
    ///
    /// # Errors
    /// It is longer, does not arrive in time, or breaks off.
    pub fn bytes(self, limit: usize) -> Result<Vec<u8>, Error> {
        match self.prefix(limit)? {
            (body, false) => Ok(body),
            (_, true) => Err(Error::TooLarge { limit }),
        }
    }

    /// The body as text, if it is no longer than `limit` bytes. What is not UTF-8 is replaced by U+FFFD.
    ///
    /// # Errors
    /// Those of [`Response::bytes`].
    pub fn text(self, limit: usize) -> Result<String, Error> {
        Ok(match String::from_utf8(self.bytes(limit)?) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })
    }

    /// The first `limit` bytes of the body, and whether there was more.
    ///
    /// # Errors
    /// The body does not arrive in time, or breaks off.
    pub fn prefix(mut self, limit: usize) -> Result<(Vec<u8>, bool), Error> {
        let mut body = Vec::new();
        // One byte more than asked for tells whether there is more.
        while body.len() <= limit {
            let room = limit.saturating_add(1) - body.len();
            match self.body.read(room)? {
                Some(chunk) => body.extend_from_slice(&chunk),
                None => return Ok((body, false)),
            }
        }
        body.truncate(limit);
        Ok((body, true))
    }
}

impl Debug for Response {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("url", &self.url).field("status", &self.status).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(chunks: &[&[u8]]) -> Response {
        Response {
            url: "https://example.com/".to_owned(),
            status: 200,
            headers: vec![("Content-Type".to_owned(), b"text/plain".to_vec()), ("x-bytes".to_owned(), vec![0xff])],
            body: Body::Chunks(chunks.iter().map(|chunk| chunk.to_vec()).collect()),
        }
    }

    #[test]
    fn a_body_is_read_up_to_its_limit() {
        let cases = [
            (5, Ok("abcde")),
            (6, Ok("abcde")),
            (4, Err(Error::TooLarge { limit: 4 })),
            (0, Err(Error::TooLarge { limit: 0 })),
        ];
        for (limit, expected) in cases {
            let text = response(&[b"abc", b"de"]).text(limit);
            assert_eq!(text, expected.map(str::to_owned), "{limit}");
        }
        assert_eq!(response(&[]).bytes(0), Ok(Vec::new()));
    }

    #[test]
    fn a_prefix_says_whether_there_was_more() {
        let cases = [(3, "abc", true), (4, "abcd", true), (5, "abcde", false), (9, "abcde", false)];
        for (limit, expected, more) in cases {
            let prefix = response(&[b"abc", b"de"]).prefix(limit);
            assert_eq!(prefix, Ok((expected.as_bytes().to_vec(), more)), "{limit}");
        }
    }

    #[test]
    fn what_is_not_text_is_replaced_in_text_only() {
        assert_eq!(response(&[b"a\xffb"]).text(9), Ok("a\u{fffd}b".to_owned()));
        assert_eq!(response(&[]).header("content-type"), Some("text/plain"));
        assert_eq!(response(&[]).header("x-bytes"), None);
    }
}
