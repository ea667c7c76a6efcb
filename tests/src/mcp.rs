//! MCP over raw HTTP, as a client of either era speaks it: enough to ask and to be told, no more.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::http::{Events, Http, Response};

/// The revision without a handshake.
pub const MODERN: &str = "2026-07-28";
/// The newest revision with a handshake.
pub const HANDSHAKE: &str = "2025-11-25";
/// What every request of either era accepts.
pub const ACCEPT: &str = "application/json, text/event-stream";

/// A request as JSON-RPC, without `_meta`.
#[must_use]
pub fn request(id: u64, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// The same as 2026-07-28 wants it, with all that `_meta` must have.
#[must_use]
pub fn modern_request(id: u64, method: &str, params: &Value) -> Value {
    let mut message = request(id, method, params);
    message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = MODERN.into();
    message["params"]["_meta"]["io.modelcontextprotocol/clientInfo"] = json!({ "name": "raw", "version": "1" });
    message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    message
}

/// The text of a tool's result.
///
/// # Panics
///
/// If it has no content.
#[must_use]
pub fn text_of(result: &Value) -> String {
    let blocks = result["content"].as_array().unwrap_or_else(|| panic!("no content in {result}"));
    blocks.iter().filter_map(|block| block["text"].as_str()).collect::<Vec<_>>().join("\n")
}

/// The names in a list of tools.
#[must_use]
pub fn names_of(result: &Value) -> Vec<String> {
    let tools = result["tools"].as_array().into_iter().flatten();
    tools.filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect()
}

/// A client of 2026-07-28 on one connection.
pub struct Modern {
    http: Http,
    next_id: u64,
}

impl Modern {
    /// Speaks over this connection.
    #[must_use]
    pub fn new(http: Http) -> Self {
        Self { http, next_id: 1 }
    }

    /// Sends a request with all its headers.
    pub fn send(&mut self, method: &str, params: &Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let message = modern_request(id, method, params);
        let mut headers = vec![
            ("Content-Type", "application/json"),
            ("Accept", ACCEPT),
            ("MCP-Protocol-Version", MODERN),
            ("Mcp-Method", method),
        ];
        if let Some(name) = params["name"].as_str().or(params["uri"].as_str()) {
            headers.push(("Mcp-Name", name));
        }
        self.http.send("POST", "/mcp", &headers, message.to_string().as_bytes()).expect("the request can be sent");
        id
    }

    /// Sends a request and returns the JSON-RPC response, whichever way it is delivered.
    pub fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.send(method, params);
        let response = response_of(&self.http.response());
        assert_eq!(response["id"], id, "{response}");
        response
    }

    /// Calls a tool and returns its result.
    ///
    /// # Panics
    ///
    /// If the answer is a JSON-RPC error.
    pub fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let response = self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }));
        assert!(response["error"].is_null(), "calling {tool}: {response}");
        response["result"].clone()
    }

    /// Calls a tool and returns the text of its result.
    pub fn say(&mut self, tool: &str, arguments: &Value) -> String {
        text_of(&self.call(tool, arguments))
    }

    /// The names of all tools, page by page.
    pub fn tools(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        let mut params = json!({});
        loop {
            let response = self.ask("tools/list", &params);
            names.extend(names_of(&response["result"]));
            match response["result"]["nextCursor"].as_str() {
                Some(cursor) => params = json!({ "cursor": cursor }),
                None => return names,
            }
        }
    }

    /// Asks for changes of the list of tools; returns when the server has acknowledged it.
    ///
    /// # Panics
    ///
    /// If the first message is not the acknowledgement.
    #[must_use]
    pub fn listen(mut self) -> Events {
        self.send("subscriptions/listen", &json!({ "notifications": { "toolsListChanged": true } }));
        let mut events = self.http.events();
        let first = events.next_message().unwrap_or_default();
        assert_eq!(first["method"], "notifications/subscriptions/acknowledged", "{first}");
        assert_eq!(first["params"]["notifications"]["toolsListChanged"], true, "{first}");
        events
    }

    /// The connection.
    #[must_use]
    pub fn into_http(self) -> Http {
        self.http
    }
}

/// The JSON-RPC response in an HTTP answer: the body itself, or the message of the stream that is no notification.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn response_of(answer: &Response) -> Value {
    let kind = answer.head.header("content-type").unwrap_or_default();
    if !kind.starts_with("text/event-stream") {
        return answer.json();
    }
    let text = answer.text();
    let messages = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let mut messages = messages.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    messages.find(|message| message["method"].is_null()).unwrap_or_else(|| panic!("no response in {text}"))
}

/// A client of a handshake revision, with its session.
pub struct Session {
    address: SocketAddr,
    http: Http,
    version: String,
    id: Option<String>,
    next_id: u64,
    /// What the server answered to `initialize`.
    pub initialized: Value,
}

impl Session {
    /// Goes through the handshake.
    ///
    /// # Panics
    ///
    /// If the server refuses it.
    #[must_use]
    pub fn open(address: SocketAddr, version: &str) -> Self {
        let mut session = Self {
            address,
            http: Http::connect(address),
            version: version.to_owned(),
            id: None,
            next_id: 1,
            initialized: Value::Null,
        };
        let params = json!({
            "protocolVersion": version, "capabilities": {}, "clientInfo": { "name": "raw", "version": "1" },
        });
        let answer = session.post(&request(0, "initialize", &params));
        assert_eq!(answer.head.status, 200, "{}", answer.text());
        session.id = answer.head.header("mcp-session-id").map(str::to_owned);
        session.initialized = response_of(&answer)["result"].clone();
        if let Some(agreed) = session.initialized["protocolVersion"].as_str() {
            session.version = agreed.to_owned();
        }
        let answer = session.post(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        assert_eq!(answer.head.status, 202, "{}", answer.text());
        session
    }

    /// The session id the server gave.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Posts any message.
    pub fn post(&mut self, message: &Value) -> Response {
        let headers = self.headers();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.http.request("POST", "/mcp", &headers, message.to_string().as_bytes())
    }

    /// Sends a request and returns the JSON-RPC response, whichever way it is delivered.
    pub fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        let answer = self.post(&request(id, method, params));
        let response = response_of(&answer);
        assert_eq!(response["id"], id, "{response}");
        response
    }

    /// Calls a tool and returns the text of its result.
    pub fn say(&mut self, tool: &str, arguments: &Value) -> String {
        text_of(&self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }))["result"])
    }

    /// Opens the stream for what the server says on its own.
    #[must_use]
    pub fn listen(&self) -> Events {
        let mut http = Http::connect(self.address);
        let headers = self.headers();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        http.send("GET", "/mcp", &headers, b"").expect("the request can be sent");
        http.events()
    }

    /// Ends the session; returns the status.
    pub fn delete(&mut self) -> u16 {
        let headers = self.headers();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.http.request("DELETE", "/mcp", &headers, b"").head.status
    }

    /// What every request of this session carries.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![("Content-Type", "application/json".to_owned()), ("Accept", ACCEPT.to_owned())];
        if !self.initialized.is_null() && self.version.as_str() >= "2025-06-18" {
            headers.push(("MCP-Protocol-Version", self.version.clone()));
        }
        if let Some(id) = &self.id {
            headers.push(("Mcp-Session-Id", id.clone()));
        }
        headers
    }
}
