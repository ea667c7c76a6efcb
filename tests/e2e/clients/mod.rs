//! The official clients list and call every tool, over each transport and in each era they have.

mod inspector;
mod rust;

use std::process::Command;

use toolcell_tests::artifacts;
use toolcell_tests::mcp::{HANDSHAKE, MODERN};
use toolcell_tests::plan::{Scene, Transport};

fn javascript(program: &str, transport: Transport, version: &str) {
    let folder = artifacts::client("js");
    let mut node = Command::new(artifacts::client("node"));
    node.arg(folder.join(program));
    Scene::new(transport).run(node, version);
}

fn python(environment: &str, program: &str, transport: Transport, version: &str) {
    let mut python = Command::new(artifacts::client(environment));
    // Without -B it would leave compiled files in the source tree.
    python.arg("-B").arg(artifacts::client_sources().join("python").join(program));
    Scene::new(transport).run(python, version);
}

#[test]
fn typescript_sdk_v1_stdio() {
    javascript("sdk_v1.mjs", Transport::Stdio, HANDSHAKE);
}

#[test]
fn typescript_sdk_v1_http() {
    javascript("sdk_v1.mjs", Transport::Http, HANDSHAKE);
}

#[test]
fn typescript_client_v2_stdio() {
    javascript("client_v2.mjs", Transport::Stdio, MODERN);
}

#[test]
fn typescript_client_v2_http() {
    javascript("client_v2.mjs", Transport::Http, MODERN);
}

#[test]
fn typescript_client_v2_handshake_stdio() {
    javascript("client_v2.mjs", Transport::Stdio, HANDSHAKE);
}

#[test]
fn typescript_client_v2_handshake_http() {
    javascript("client_v2.mjs", Transport::Http, HANDSHAKE);
}

#[test]
fn python_mcp_v1_stdio() {
    python("python-mcp1", "mcp1.py", Transport::Stdio, HANDSHAKE);
}

#[test]
fn python_mcp_v1_http() {
    python("python-mcp1", "mcp1.py", Transport::Http, HANDSHAKE);
}

#[test]
fn python_mcp_v2_stdio() {
    python("python-mcp2", "mcp2.py", Transport::Stdio, MODERN);
}

#[test]
fn python_mcp_v2_http() {
    python("python-mcp2", "mcp2.py", Transport::Http, MODERN);
}

#[test]
fn python_mcp_v2_handshake_stdio() {
    python("python-mcp2", "mcp2.py", Transport::Stdio, HANDSHAKE);
}

#[test]
fn python_mcp_v2_handshake_http() {
    python("python-mcp2", "mcp2.py", Transport::Http, HANDSHAKE);
}
