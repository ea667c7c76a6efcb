//! `tools/call` rendered once, renumbered for every call, and the check of its answer.

use std::borrow::Cow;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::http::{Response, show};
use crate::process::Endpoint;

/// The revision spoken: stateless, so the same request serves on any connection without a handshake.
pub const REVISION: &str = "2026-07-28";

/// Stands for the number in a template; as long as every number is.
const PLACEHOLDER: &str = "##########";
/// Ten digits, so that a new number never changes the length of a request.
const FIRST_NUMBER: u64 = 1_000_000_000;
/// Numbers that belong to one connection: no two calls of a run share an id.
const NUMBERS_PER_CONNECTION: u64 = 100_000_000;

/// A rendered HTTP request in which only the number of the call changes.
pub struct Call {
    bytes: Vec<u8>,
    places: Vec<usize>,
    number: u64,
}

impl Call {
    /// A call of `echo` whose message holds the number of the call, so that no two answers are alike.
    pub fn echo(endpoint: &Endpoint, connection: usize) -> Self {
        Self::new(endpoint, connection, "echo", &format!(r#"{{"message":"{}"}}"#, message(PLACEHOLDER)))
    }

    /// A call of `version`, which takes no arguments.
    pub fn version(endpoint: &Endpoint, connection: usize) -> Self {
        Self::new(endpoint, connection, "version", "{}")
    }

    fn new(endpoint: &Endpoint, connection: usize, tool: &str, arguments: &str) -> Self {
        let meta = format!(
            r#"{{"io.modelcontextprotocol/protocolVersion":"{REVISION}","io.modelcontextprotocol/clientInfo":{{"name":"toolcell-bench","version":"{}"}},"io.modelcontextprotocol/clientCapabilities":{{}}}}"#,
            env!("CARGO_PKG_VERSION")
        );
        let params = format!(r#"{{"name":"{tool}","arguments":{arguments},"_meta":{meta}}}"#);
        let body = format!(r#"{{"jsonrpc":"2.0","id":{PLACEHOLDER},"method":"tools/call","params":{params}}}"#);
        let mut head = vec![
            format!("POST {} HTTP/1.1", endpoint.path),
            format!("Host: {}", endpoint.address),
            "Content-Type: application/json".to_owned(),
            "Accept: application/json, text/event-stream".to_owned(),
            format!("MCP-Protocol-Version: {REVISION}"),
            "Mcp-Method: tools/call".to_owned(),
            format!("Mcp-Name: {tool}"),
            format!("Content-Length: {}", body.len()),
        ];
        head.extend(endpoint.key.iter().map(|key| format!("Authorization: Bearer {key}")));
        let text = format!("{}\r\n\r\n{body}", head.join("\r\n"));
        let places = text.match_indices(PLACEHOLDER).map(|(place, _)| place).collect();
        let number = FIRST_NUMBER + connection as u64 * NUMBERS_PER_CONNECTION;
        Self { bytes: text.into_bytes(), places, number }
    }

    /// Turns it into the next call.
    pub fn advance(&mut self) {
        self.number += 1;
        let mut digits = [b'0'; PLACEHOLDER.len()];
        let mut rest = self.number;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        for place in &self.places {
            if let Some(slot) = self.bytes.get_mut(*place..*place + digits.len()) {
                slot.copy_from_slice(&digits);
            }
        }
    }

    /// The request.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The id of the call.
    pub fn id(&self) -> u64 {
        self.number
    }
}

/// Checks that a response is the echo of call `id`.
///
/// # Errors
/// When it is anything else, with what came instead.
pub fn check_echo(response: &Response<'_>, id: u64) -> Result<()> {
    let text = read_text(response, id)?;
    // Not built with `format!`: this runs once per call and needs no allocation.
    let number = text.strip_prefix(BEFORE_NUMBER).and_then(|rest| rest.strip_suffix(AFTER_NUMBER));
    if number.and_then(|number| number.parse().ok()) != Some(id) {
        bail!("call {id} was answered with the text {text:?}");
    }
    Ok(())
}

const BEFORE_NUMBER: &str = "call ";
const AFTER_NUMBER: &str = ": the quick brown fox jumps over the lazy dog";

fn message(number: &str) -> String {
    format!("{BEFORE_NUMBER}{number}{AFTER_NUMBER}")
}

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow)]
    jsonrpc: Cow<'a, str>,
    id: u64,
    result: Option<CallResult<'a>>,
    error: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CallResult<'a> {
    #[serde(borrow)]
    content: Vec<Content<'a>>,
    #[serde(default)]
    is_error: bool,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
}

/// The text of a successful `tools/call` result with a single text block.
///
/// # Errors
/// When the response is not 200 with a JSON body, answers another id, is an error, or has other content.
pub fn read_text<'a>(response: &'a Response<'_>, id: u64) -> Result<Cow<'a, str>> {
    let body = &*response.body;
    if response.status != 200 || !response.json {
        let kind = if response.json { "JSON" } else { "not JSON" };
        bail!("call {id} was answered with status {}, {kind}: {}", response.status, show(body));
    }
    let reply: Reply<'a> =
        serde_json::from_slice(body).with_context(|| format!("call {id} was answered with {}", show(body)))?;
    if reply.jsonrpc != "2.0" || reply.id != id {
        bail!("call {id} was answered with another call's response: {}", show(body));
    }
    if let Some(error) = reply.error {
        bail!("call {id} was answered with the error {error}");
    }
    match reply.result {
        Some(CallResult { mut content, is_error: false }) if content.len() == 1 => {
            content.pop().and_then(|block| block.text).with_context(|| format!("no text in {}", show(body)))
        }
        _ => bail!("call {id} was answered with {}", show(body)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http;

    fn endpoint() -> Endpoint {
        Endpoint { address: "127.0.0.1:4000".parse().unwrap(), path: "/mcp".to_owned(), key: None }
    }

    #[test]
    fn only_the_number_changes_between_calls() {
        let mut call = Call::echo(&endpoint(), 2);
        call.advance();
        let first = String::from_utf8(call.bytes().to_vec()).unwrap();
        call.advance();
        let second = String::from_utf8(call.bytes().to_vec()).unwrap();
        assert_eq!(call.id(), 1_200_000_002);
        assert_eq!(first.replace("1200000001", "1200000002"), second);
        assert_eq!(second.matches("1200000002").count(), 2, "id and message: {second}");
        assert!(!second.contains(PLACEHOLDER));
    }

    #[test]
    fn the_request_is_one_a_2026_server_accepts() {
        let mut call = Call::version(&endpoint(), 0);
        call.advance();
        let text = String::from_utf8(call.bytes().to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:4000\r\n"), "{head}");
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["id"], call.id());
        assert_eq!(body["params"]["name"], "version");
        assert_eq!(body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"], REVISION);
    }

    fn answer(status: &str, body: &str) -> Vec<u8> {
        format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            .into_bytes()
    }

    #[test]
    fn the_right_answer_passes_in_any_field_order() {
        let body = format!(
            r#"{{"result":{{"resultType":"complete","isError":false,"content":[{{"text":"{}","type":"text"}}]}},"id":7,"jsonrpc":"2.0"}}"#,
            message("7")
        );
        let bytes = answer("200 OK", &body);
        check_echo(&http::parse(&bytes).unwrap().unwrap(), 7).unwrap();
    }

    #[test]
    fn a_wrong_answer_says_what_came() {
        let echo = |id: u32, text: &str| {
            format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":"{text}"}}]}}}}"#)
        };
        let cases = [
            ("404 Not Found", echo(7, &message("7")), "status 404"),
            ("200 OK", echo(8, &message("7")), "another call's response"),
            ("200 OK", echo(7, &message("8")), "answered with the text"),
            ("200 OK", r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"no"}}"#.to_owned(), "the error"),
            ("200 OK", r#"{"jsonrpc":"2.0","id":7,"result":{"content":[]}}"#.to_owned(), r#"\"content\":[]"#),
            ("200 OK", r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"image"}]}}"#.to_owned(), "no text"),
            (
                "200 OK",
                echo(7, &message("7")).replace(r#""content""#, r#""isError":true,"content""#),
                r#"\"isError\":true"#,
            ),
            ("200 OK", "busy".to_owned(), "answered with \"busy\""),
        ];
        for (status, body, expected) in cases {
            let bytes = answer(status, &body);
            let error = check_echo(&http::parse(&bytes).unwrap().unwrap(), 7).unwrap_err();
            assert!(format!("{error:#}").contains(expected), "{body} gave {error:#}");
        }
    }
}
