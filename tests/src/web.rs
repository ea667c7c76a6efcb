//! A small web server on loopback for guests to fetch from. It serves fixed pages and remembers who asked for what.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A running server. Its thread ends with the test binary.
pub struct Web {
    /// Where it listens.
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    heads: Arc<Mutex<Vec<String>>>,
}

/// The text of a page that says back the head of the request.
pub const ECHO: &str = "\0echo";

/// How the text of a page begins that sends its visitor on, to the URL that follows.
pub const ELSEWHERE: &str = "\0to ";

/// A page: its media type and its text.
pub type Page = (&'static str, String);

impl Web {
    /// Serves these pages, by path; every other path is 404.
    ///
    /// # Panics
    ///
    /// If the machine has no free port.
    #[must_use]
    pub fn serve(pages: BTreeMap<&'static str, Page>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that hangs up in the middle is its own affair.
                let _ = answer(&stream, &pages, &log, &seen);
            }
        });
        Self { address, asked, heads }
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of all requests so far, as they came.
    #[must_use]
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The paths asked for so far.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn answer(
    mut stream: &TcpStream,
    pages: &BTreeMap<&'static str, Page>,
    log: &Mutex<Vec<String>>,
    heads: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let mut head = first.clone();
    while let Some(Ok(line)) = lines.next().filter(|line| line.as_ref().is_ok_and(|line| !line.is_empty())) {
        head.push('\n');
        head.push_str(&line);
    }
    heads.lock().unwrap_or_else(PoisonError::into_inner).push(head.clone());
    let path = first.split(' ').nth(1).unwrap_or_default();
    log.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_owned());
    let mut location = String::new();
    let (status, kind, text) = match pages.get(path.split('?').next().unwrap_or_default()) {
        // The page that says back what it was sent, as debugging services do.
        Some((kind, text)) if text == ECHO => ("200 OK", *kind, head.as_str()),
        Some((kind, text)) => match text.strip_prefix(ELSEWHERE) {
            Some(url) => {
                location = format!("Location: {url}\r\n");
                ("302 Found", *kind, "")
            }
            None => ("200 OK", *kind, text.as_str()),
        },
        None => ("404 Not Found", "text/plain", "not here"),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{location}Content-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
}
