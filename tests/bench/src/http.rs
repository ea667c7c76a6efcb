//! A keep-alive HTTP/1.1 client that does as little as it can get away with.
//!
//! It shares the machine's cores with the server it measures: each call is one write, as a rule one read, and a pass
//! over some 200 bytes of head. It knows what a server on loopback may answer and treats everything else as an error.

use std::borrow::Cow;
use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// More than any answer here needs; a longer one is a failure.
const BUFFER_BYTES: usize = 64 * 1024;

/// One response, complete.
#[derive(Clone, Debug, PartialEq)]
pub struct Response<'a> {
    pub status: u16,
    /// Whether the body is labelled `application/json`.
    pub json: bool,
    /// The session that an answer to `initialize` names.
    pub session: Option<&'a [u8]>,
    pub body: Cow<'a, [u8]>,
    /// Whether the server will close the connection.
    close: bool,
    /// How many bytes it took on the wire.
    length: usize,
}

impl<'a> Response<'a> {
    /// The same answer with the message in it alone, where it came as a stream of events: the last of them.
    #[must_use]
    pub fn message(&self) -> Self {
        let last = self.body.split(|byte| *byte == b'\n').rev().find_map(|line| line.strip_prefix(b"data:"));
        match last.map(|data| data.trim_ascii().to_vec()) {
            Some(data) if !self.json => Self { json: true, body: Cow::Owned(data), ..self.clone() },
            _ => self.clone(),
        }
    }
}

/// Reads one response from the front of `bytes`; `None` when more bytes are needed.
///
/// # Errors
/// When the bytes are not an HTTP/1.1 response with a `Content-Length` or a chunked body.
pub fn parse(bytes: &[u8]) -> Result<Option<Response<'_>>> {
    let Some((status_line, mut rest)) = split_line(bytes) else {
        return Ok(None);
    };
    let status = parse_status(status_line)?;
    let (mut json, mut close, mut chunked, mut content_length, mut session) = (false, false, false, None, None);
    loop {
        let Some((line, after)) = split_line(rest) else {
            return Ok(None);
        };
        rest = after;
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = split_header(line) else { bail!("bad header line {}", show(line)) };
        if name.eq_ignore_ascii_case(b"content-length") {
            content_length = Some(parse_number(value, 10).with_context(|| format!("bad length {}", show(value)))?);
        } else if name.eq_ignore_ascii_case(b"content-type") {
            json = has_token_first(value, b"application/json");
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            chunked = value.eq_ignore_ascii_case(b"chunked");
        } else if name.eq_ignore_ascii_case(b"mcp-session-id") {
            session = Some(value);
        } else if name.eq_ignore_ascii_case(b"connection") {
            close = value.eq_ignore_ascii_case(b"close");
        }
    }
    let (body, after) = match (chunked, content_length) {
        (true, _) => match parse_chunks(rest)? {
            Some((body, after)) => (Cow::Owned(body), after),
            None => return Ok(None),
        },
        (false, Some(length)) => match rest.split_at_checked(length) {
            Some((body, after)) => (Cow::Borrowed(body), after),
            None => return Ok(None),
        },
        // RFC 9112, section 6.3: never a body.
        (false, None) if status == 204 => (Cow::Borrowed(&b""[..]), rest),
        (false, None) => bail!("status {status} without a content length"),
    };
    Ok(Some(Response { status, json, session, body, close, length: bytes.len() - after.len() }))
}

fn parse_status(line: &[u8]) -> Result<u16> {
    let status = line.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| parse_number(code, 10));
    status.and_then(|status| u16::try_from(status).ok()).with_context(|| format!("bad status line {}", show(line)))
}

/// The chunks of a body joined, and what follows it; `None` when more bytes are needed.
fn parse_chunks(mut rest: &[u8]) -> Result<Option<(Vec<u8>, &[u8])>> {
    let mut body = Vec::new();
    loop {
        let Some((line, after)) = split_line(rest) else {
            return Ok(None);
        };
        let digits = line.split(|byte| *byte == b';').next().unwrap_or(line);
        let size = parse_number(digits.trim_ascii(), 16).with_context(|| format!("bad chunk size {}", show(line)))?;
        if size == 0 {
            // No server here sends trailers.
            return match split_line(after) {
                Some((b"", after)) => Ok(Some((body, after))),
                Some((line, _)) => bail!("unexpected trailer {}", show(line)),
                None => Ok(None),
            };
        }
        let Some((chunk, after)) = after.split_at_checked(size) else {
            return Ok(None);
        };
        body.extend_from_slice(chunk);
        rest = match split_line(after) {
            Some((b"", after)) => after,
            Some(_) => bail!("chunk is longer than its size of {size}"),
            None => return Ok(None),
        };
    }
}

/// Splits after the first line end; the line comes without it.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at_checked(end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest.get(1..)?))
}

fn split_header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, rest) = line.split_at_checked(colon)?;
    Some((name, rest.get(1..)?.trim_ascii()))
}

fn has_token_first(value: &[u8], token: &[u8]) -> bool {
    value.split(|byte| *byte == b';').next().is_some_and(|first| first.trim_ascii().eq_ignore_ascii_case(token))
}

fn parse_number(digits: &[u8], radix: u32) -> Option<usize> {
    usize::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

/// The start of some bytes, for a message.
pub fn show(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes).chars().take(400).collect();
    format!("{text:?}")
}

/// One keep-alive connection with at most one request in flight.
pub struct Connection<S = TcpStream> {
    stream: S,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects, with `TCP_NODELAY`.
    ///
    /// # Errors
    /// When nothing listens there.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self::over(stream))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Speaks over a stream that is there.
    pub fn over(stream: S) -> Self {
        Self { stream, buffer: vec![0; BUFFER_BYTES] }
    }

    /// Sends one rendered request and hands its response to `read`. Not cancel safe: after a drop in the middle the
    /// connection is of no more use.
    ///
    /// # Errors
    /// When the connection breaks, the answer is not HTTP as [`parse`] knows it, the server gives up keep-alive or sends
    /// more than the one response, or `read` fails.
    pub async fn exchange<T>(&mut self, request: &[u8], read: impl FnOnce(&Response<'_>) -> Result<T>) -> Result<T> {
        self.stream.write_all(request).await.context("cannot send the request")?;
        let mut filled = 0;
        loop {
            let Some(free) = self.buffer.get_mut(filled..).filter(|free| !free.is_empty()) else {
                bail!("the response is longer than {BUFFER_BYTES} bytes");
            };
            let count = self.stream.read(free).await.context("cannot read the response")?;
            if count == 0 {
                bail!("the server closed the connection after {filled} bytes of the response");
            }
            filled += count;
            let received = self.buffer.get(..filled).unwrap_or_default();
            let Some(response) = parse(received)? else {
                continue;
            };
            if response.length != filled {
                bail!("{} bytes came after the response", filled - response.length);
            }
            if response.close {
                bail!("the server closes the connection instead of keeping it alive");
            }
            return read(&response);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: &[u8] =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nCONTENT-LENGTH:  2\r\n\r\n{}";
    const CHUNKED: &[u8] =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{\"a\r\nA;x=y\r\n\":1234567}\r\n0\r\n\r\n";

    #[test]
    fn a_body_with_a_length_is_borrowed() {
        let response = parse(LENGTH).unwrap().unwrap();
        assert_eq!((response.status, response.json, response.close), (200, true, false));
        assert!(matches!(response.body, Cow::Borrowed(b"{}")));
        assert_eq!(response.length, LENGTH.len());
    }

    #[test]
    fn chunks_are_joined() {
        let response = parse(CHUNKED).unwrap().unwrap();
        assert_eq!(&*response.body, b"{\"a\":1234567}");
        assert_eq!(response.length, CHUNKED.len());
    }

    #[test]
    fn the_last_event_is_the_message_and_a_session_is_named() {
        let events = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nmcp-session-id: a-b\r\ncontent-length: 31\r\n\r\nid: 1\ndata:\n\nid: 2\ndata: {\"a\"}\n\n";
        let response = parse(events).unwrap().unwrap();
        assert_eq!((response.session, &*response.message().body), (Some(&b"a-b"[..]), &b"{\"a\"}"[..]));
        let json = parse(LENGTH).unwrap().unwrap();
        assert_eq!(json.message(), json);
    }

    #[test]
    fn every_prefix_asks_for_more() {
        for whole in [LENGTH, CHUNKED] {
            for end in 0..whole.len() {
                assert_eq!(parse(&whole[..end]).unwrap(), None, "{}", show(&whole[..end]));
            }
        }
    }

    #[test]
    fn what_follows_is_left_alone() {
        let two = [LENGTH, LENGTH].concat();
        assert_eq!(parse(&two).unwrap().unwrap().length, LENGTH.len());
    }

    #[test]
    fn the_head_is_understood() {
        let cases: &[(&str, u16, bool, bool)] = &[
            ("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 0\r\n\r\n", 200, false, false),
            (
                "HTTP/1.1 400 Bad Request\r\nContent-Type:application/JSON\r\ncontent-length: 0\r\n\r\n",
                400,
                true,
                false,
            ),
            ("HTTP/1.1 503\r\nconnection: Close\r\ncontent-length: 0\r\n\r\n", 503, false, true),
            ("HTTP/1.1 204 No Content\r\n\r\n", 204, false, false),
            ("HTTP/1.1 200 OK\r\ncontent-type: application/json-seq\r\ncontent-length: 0\r\n\r\n", 200, false, false),
        ];
        for (text, status, json, close) in cases {
            let response = parse(text.as_bytes()).unwrap().unwrap();
            assert_eq!((response.status, response.json, response.close), (*status, *json, *close), "{text}");
        }
    }

    #[test]
    fn anything_else_is_an_error() {
        let cases = [
            ("HTTP/2 200\r\n\r\n", "bad status line"),
            ("HTTP/1.1 2x0 OK\r\n\r\n", "bad status line"),
            ("HTTP/1.1 200 OK\r\n\r\n", "without a content length"),
            ("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "bad header line"),
            ("HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\n", "bad length"),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", "bad chunk size"),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n", "longer than its size"),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: y\r\n\r\n", "unexpected trailer"),
        ];
        for (text, expected) in cases {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?} gave {error}");
        }
    }
}
