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

/// The same for a client that can do this.
#[must_use]
pub fn declaring(capabilities: &Value, mut message: Value) -> Value {
    message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities.clone();
    message
}

/// The capabilities of a client that follows tasks and answers forms.
#[must_use]
pub fn tasks() -> Value {
    json!({ "elicitation": {}, "extensions": { "io.modelcontextprotocol/tasks": {} } })
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
    capabilities: Value,
    headers: Vec<(String, String)>,
    meta: Value,
}

impl Modern {
    /// Speaks over this connection.
    #[must_use]
    pub fn new(http: Http) -> Self {
        Self { http, next_id: 1, capabilities: json!({}), headers: Vec::new(), meta: json!({}) }
    }

    /// Says in every request that it can do this.
    #[must_use]
    pub fn declaring(self, capabilities: Value) -> Self {
        Self { capabilities, ..self }
    }

    /// Sends this header with every request.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Puts this member into the `_meta` of every request.
    #[must_use]
    pub fn with_meta(mut self, name: &str, value: Value) -> Self {
        self.meta[name] = value;
        self
    }

    /// Sends a request and returns the answer as HTTP has it.
    pub fn answer(&mut self, method: &str, params: &Value) -> Response {
        self.send(method, params);
        self.http.response()
    }

    /// Sends a request with all its headers.
    pub fn send(&mut self, method: &str, params: &Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let mut message = declaring(&self.capabilities, modern_request(id, method, params));
        for (name, value) in self.meta.as_object().into_iter().flatten() {
            message["params"]["_meta"][name] = value.clone();
        }
        let mut headers = vec![
            ("Content-Type", "application/json"),
            ("Accept", ACCEPT),
            ("MCP-Protocol-Version", MODERN),
            ("Mcp-Method", method),
        ];
        if let Some(name) = ["name", "uri", "taskId"].iter().find_map(|key| params[*key].as_str()) {
            headers.push(("Mcp-Name", name));
        }
        headers.extend(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
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

    /// Sends a request and returns every message of the answer: what is said on the way, and the response.
    pub fn exchange(&mut self, method: &str, params: &Value) -> Vec<Value> {
        self.send(method, params);
        self.http.response().messages()
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
        let tools = self.list("tools/list", "tools");
        tools.iter().filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect()
    }

    /// All items of a list, page by page; `member` is where a result has them.
    ///
    /// # Panics
    ///
    /// If the answer has none.
    pub fn list(&mut self, method: &str, member: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut params = json!({});
        loop {
            let response = self.ask(method, &params);
            let page = response["result"][member].as_array();
            items.extend(page.unwrap_or_else(|| panic!("no {member} in {response}")).iter().cloned());
            match response["result"]["nextCursor"].as_str() {
                Some(cursor) => params = json!({ "cursor": cursor }),
                None => return items,
            }
        }
    }

    /// Asks for changes of the list of tools; returns when the server has acknowledged it.
    #[must_use]
    pub fn listen(self) -> Events {
        self.listen_to(&json!({ "toolsListChanged": true }))
    }

    /// Asks to be told of all this; returns when the server has acknowledged it.
    ///
    /// # Panics
    ///
    /// If the first message is not the acknowledgement, or grants less.
    #[must_use]
    pub fn listen_to(self, filter: &Value) -> Events {
        let (events, granted) = self.listen_to_some(filter);
        assert_eq!(&granted, filter);
        events
    }

    /// The same where less may be granted; also returns what is.
    ///
    /// # Panics
    ///
    /// If the first message is not the acknowledgement.
    #[must_use]
    pub fn listen_to_some(mut self, filter: &Value) -> (Events, Value) {
        let id = self.send("subscriptions/listen", &json!({ "notifications": filter }));
        let mut events = self.http.events();
        let first = events.next_message().unwrap_or_default();
        assert_eq!(first["method"], "notifications/subscriptions/acknowledged", "{first}");
        assert_eq!(first["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], id, "{first}");
        (events, first["params"]["notifications"].clone())
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
    let mut messages = answer.messages().into_iter();
    messages
        .find(|message| message["method"].is_null())
        .unwrap_or_else(|| panic!("no response in {:?} {}", answer.head, answer.text()))
}

/// A client of a handshake revision, with its session.
pub struct Session {
    address: SocketAddr,
    http: Http,
    version: String,
    id: Option<String>,
    next_id: u64,
    own: Vec<(&'static str, String)>,
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
        Self::declaring(address, version, &json!({}))
    }

    /// Goes through the handshake as a client that can do this.
    ///
    /// # Panics
    ///
    /// If the server refuses it.
    #[must_use]
    pub fn declaring(address: SocketAddr, version: &str, capabilities: &Value) -> Self {
        Self::with_headers(address, version, capabilities, Vec::new())
    }

    /// The same with headers of its own in every request, such as a key.
    ///
    /// # Panics
    ///
    /// If the server refuses it.
    #[must_use]
    pub fn with_headers(
        address: SocketAddr,
        version: &str,
        capabilities: &Value,
        own: Vec<(&'static str, String)>,
    ) -> Self {
        let mut session = Self {
            address,
            own,
            http: Http::connect(address),
            version: version.to_owned(),
            id: None,
            next_id: 1,
            initialized: Value::Null,
        };
        let params = json!({
            "protocolVersion": version, "capabilities": capabilities,
            "clientInfo": { "name": "raw", "version": "1" },
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
        http.speaks(&self.version);
        let headers = self.headers();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        http.send("GET", "/mcp", &headers, b"").expect("the request can be sent");
        http.events()
    }

    /// Posts a request over a connection of its own; returns the stream of its answer.
    #[must_use]
    pub fn start(&self, message: &Value) -> Events {
        let mut http = Http::connect(self.address);
        http.speaks(&self.version);
        let headers = self.headers();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        http.send("POST", "/mcp", &headers, message.to_string().as_bytes()).expect("the request can be sent");
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
        headers.extend(self.own.iter().cloned());
        headers
    }
}
