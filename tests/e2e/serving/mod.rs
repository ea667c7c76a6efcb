//! How the host is reached: addresses, TLS, proxies, browsers, limits, and how it ends.

mod ends;
mod limits;
mod reached;
mod tls;

use std::net::SocketAddr;

use serde_json::{Value, json};
use toolcell_tests::http::{Http, Response};
use toolcell_tests::mcp::Modern;
use toolcell_tests::site::Site;

/// A config with these lines under `[server]`, and the echo plugin.
fn config(site: &Site, server: &str) -> std::path::PathBuf {
    site.config(&format!("[server]\n{server}\n\n{}", Site::plugin("echo", "")))
}

/// Whether a client of its own gets an answer.
fn echo(http: Http) {
    assert_eq!(Modern::new(http).say("echo", &json!({ "message": "hi" })), "hi");
}

/// One request for operators, over a connection of its own.
fn ask_admin(address: SocketAddr, path: &str) -> Response {
    Http::connect(address).request("GET", path, &[], b"")
}

/// What `/readyz` says: the status, whether it is ready, and why not.
fn readiness(address: SocketAddr) -> (u16, Value) {
    let answer = ask_admin(address, "/readyz");
    (answer.head.status, answer.json())
}
