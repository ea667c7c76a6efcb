//! HTTP/1.1 by hand: it sends whatever a test wants to send, right or wrong, and reads what a server may answer. What is
//! a message of the protocol must be one that its revision allows.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::DEADLINE;
use crate::tls::Stream;
use crate::wire::Ledger;

/// One connection.
pub struct Http {
    stream: BufReader<Stream>,
    address: SocketAddr,
    ledger: Ledger,
}

/// An answer, without its body.
#[derive(Debug)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// The header fields, names in lower case.
    pub headers: Vec<(String, String)>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Response {
    /// Status and header fields.
    pub head: Head,
    /// The body.
    pub body: Vec<u8>,
}

/// What follows the head.
enum Length {
    Known(u64),
    /// Bytes left of the current chunk; `None` before the first.
    Chunked(Option<u64>),
    UntilEnd,
}

impl Http {
    /// Connects.
    ///
    /// # Panics
    ///
    /// If nobody listens there.
    #[must_use]
    pub fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).expect("the server accepts connections")
    }

    /// Connects where perhaps nobody listens.
    ///
    /// # Errors
    ///
    /// If nobody does.
    pub fn try_connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, DEADLINE)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_nodelay(true)?;
        Ok(Self::over(Stream::Plain(stream), address))
    }

    /// Speaks over a connection that is there.
    #[must_use]
    pub fn over(stream: Stream, address: SocketAddr) -> Self {
        Self { stream: BufReader::new(stream), address, ledger: Ledger::default() }
    }

    /// Reads that many bytes.
    ///
    /// # Panics
    ///
    /// If they do not come within [`DEADLINE`].
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).expect("the server says something");
        bytes
    }

    /// Reads what comes until the server closes the connection.
    ///
    /// # Errors
    ///
    /// If it does not within [`DEADLINE`], or breaks it.
    pub fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest)?;
        Ok(rest)
    }

    /// Waits until the other side has closed it, whatever it says before.
    ///
    /// # Panics
    ///
    /// If it is still open after [`DEADLINE`].
    pub fn closes(mut self) {
        if let Err(error) = self.rest() {
            assert!(!is_late(&error), "the connection is still open");
        }
    }

    /// Says which revision is spoken here, where neither messages nor headers say it.
    pub fn speaks(&mut self, version: &str) {
        self.ledger.speaks(version);
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    ///
    /// If the server has closed the connection.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Sends a request. `Host` and `Content-Length` are added unless they are among the headers.
    ///
    /// # Errors
    ///
    /// If the server has closed the connection.
    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<()> {
        let version = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("mcp-protocol-version"));
        match (serde_json::from_slice(body), version) {
            (Ok(message), _) => self.ledger.sent(&message, version.map(|(_, version)| *version)),
            (Err(_), Some((_, version))) => self.ledger.speaks(version),
            (Err(_), None) => {}
        }
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        let given = |name: &str| headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        if !given("host") {
            head.push_str(&format!("Host: {}\r\n", self.address));
        }
        if !given("content-length") && !given("transfer-encoding") && (method == "POST" || !body.is_empty()) {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        self.send_raw(&bytes)
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Panics
    ///
    /// If there is none within [`DEADLINE`].
    pub fn request(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        self.send(method, path, headers, body).expect("the request can be sent");
        self.response()
    }

    /// Reads a whole answer.
    ///
    /// # Panics
    ///
    /// If there is none within [`DEADLINE`], or its body is a message that the revision does not allow.
    pub fn response(&mut self) -> Response {
        let head = self.head().expect("the server answers");
        let mut length = head.length();
        let mut body = Vec::new();
        let mut buffer = [0; 16 * 1024];
        loop {
            match fill(&mut self.stream, &mut length, &mut buffer).expect("the body arrives") {
                0 => break,
                read => body.extend_from_slice(&buffer[..read]),
            }
        }
        let answer = Response { head, body };
        answer.messages().iter().for_each(|message| self.ledger.received(message));
        answer
    }

    /// Reads status and header fields.
    ///
    /// # Errors
    ///
    /// If the connection ends or [`DEADLINE`] passes first, or if what comes is not HTTP.
    pub fn head(&mut self) -> io::Result<Head> {
        let line = self.line()?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| broken(&format!("not a status line: {line:?}")))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(Head { status, headers });
            }
            let (name, value) = line.split_once(':').ok_or_else(|| broken(&format!("not a header: {line:?}")))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    /// Reads status and header fields of an event stream, and then its events one by one.
    ///
    /// # Panics
    ///
    /// If there is no answer within [`DEADLINE`], or another one.
    #[must_use]
    pub fn events(mut self) -> Events {
        let head = self.head().expect("the server answers");
        let kind = head.header("content-type").unwrap_or_default();
        assert!(head.status == 200 && kind.starts_with("text/event-stream"), "not an event stream: {head:?}");
        let length = head.length();
        Events { head, body: BufReader::new(Body { http: self, length }), last_id: None }
    }

    /// Closes the connection at once, as a client that crashes does.
    pub fn hang_up(self) {
        // It may be closed already.
        self.stream.get_ref().hang_up();
    }

    fn line(&mut self) -> io::Result<String> {
        read_line(&mut self.stream)
    }
}

impl Head {
    /// The value of the first header field of that name (in lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    fn length(&self) -> Length {
        if self.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            return Length::Chunked(None);
        }
        match self.header("content-length").and_then(|value| value.parse().ok()) {
            Some(length) => Length::Known(length),
            None if self.status == 204 || self.status == 304 => Length::Known(0),
            None => Length::UntilEnd,
        }
    }
}

impl Response {
    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// If it is not.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|why| panic!("the body is not JSON ({why}): {:?} {}", self.head, self.text()))
    }

    /// The messages of the protocol in it: the body itself, or the data of each event.
    #[must_use]
    pub fn messages(&self) -> Vec<Value> {
        let kind = self.head.header("content-type").unwrap_or_default();
        if kind.starts_with("text/event-stream") {
            let text = self.text();
            let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
            return data.filter_map(|data| serde_json::from_str(data).ok()).collect();
        }
        let body = serde_json::from_slice(&self.body).ok();
        body.into_iter().filter(|body: &Value| body.is_array() || !body["jsonrpc"].is_null()).collect()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// An open event stream.
pub struct Events {
    /// Status and header fields.
    pub head: Head,
    body: BufReader<Body>,
    last_id: Option<String>,
}

impl Events {
    /// The data of the next event that has any; `None` at the end of the stream.
    ///
    /// # Panics
    ///
    /// If nothing comes within [`DEADLINE`].
    pub fn next_data(&mut self) -> Option<String> {
        let mut data: Option<String> = None;
        loop {
            let mut line = String::new();
            let read = self.body.read_line(&mut line).expect("an event arrives");
            let line = line.trim_end_matches(['\r', '\n']);
            if read == 0 {
                return None;
            }
            if line.is_empty() {
                match data.take() {
                    Some(text) if !text.is_empty() => return Some(text),
                    _ => continue,
                }
            }
            if let Some(id) = line.strip_prefix("id:") {
                self.last_id = Some(id.trim().to_owned());
            }
            if let Some(more) = line.strip_prefix("data:") {
                let more = more.strip_prefix(' ').unwrap_or(more);
                match &mut data {
                    Some(text) => {
                        text.push('\n');
                        text.push_str(more);
                    }
                    None => data = Some(more.to_owned()),
                }
            }
        }
    }

    /// The id of the last event that had one: where a client that comes back goes on.
    #[must_use]
    pub fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// The next message; `None` at the end of the stream.
    ///
    /// # Panics
    ///
    /// If nothing comes within [`DEADLINE`], or something that is not JSON or that the revision does not allow.
    pub fn next_message(&mut self) -> Option<Value> {
        let message = self.next_data().map(|data| serde_json::from_str(&data).expect("an event carries JSON"))?;
        self.body.get_mut().http.ledger.received(&message);
        Some(message)
    }

    /// Waits until nothing more comes; whether it ended as a stream should, and did not break off.
    ///
    /// # Panics
    ///
    /// If it is still open after [`DEADLINE`].
    pub fn ends(mut self) -> bool {
        let mut line = String::new();
        loop {
            line.clear();
            match self.body.read_line(&mut line) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => {
                    assert!(!is_late(&error), "the stream is still open");
                    return false;
                }
            }
        }
    }

    /// Closes the connection at once.
    pub fn hang_up(self) {
        self.body.into_inner().http.hang_up();
    }
}

/// Whether nothing came for too long.
fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

struct Body {
    http: Http,
    length: Length,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        fill(&mut self.http.stream, &mut self.length, buffer)
    }
}

/// Reads some of a body; 0 means that it is complete.
fn fill(stream: &mut BufReader<Stream>, length: &mut Length, buffer: &mut [u8]) -> io::Result<usize> {
    let left = match length {
        Length::UntilEnd => return stream.read(buffer),
        // Even a read of no bytes would wait for more from the server.
        Length::Known(0) => return Ok(0),
        Length::Known(left) => left,
        Length::Chunked(Some(left)) if *left > 0 => left,
        Length::Chunked(state) => {
            if state.is_some() {
                read_line(stream)?;
            }
            let line = read_line(stream)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| broken(&format!("not a chunk size: {line:?}")))?;
            if size == 0 {
                while !read_line(stream)?.is_empty() {}
                *length = Length::Known(0);
                return Ok(0);
            }
            state.insert(size)
        }
    };
    let most = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
    let read = stream.read(&mut buffer[..most])?;
    if read == 0 && *left > 0 && most > 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    *left -= read as u64;
    Ok(read)
}

fn read_line(stream: &mut BufReader<Stream>) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}
