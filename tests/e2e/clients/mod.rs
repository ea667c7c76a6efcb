//! The official clients list and call every tool, and answer, read, watch and complete whatever else a server has, over
//! each transport and in each era they have.

mod inspector;
mod rust;
mod rust_rounds;

use std::process::Command;

use toolcell_tests::artifacts;
use toolcell_tests::mcp::{HANDSHAKE, MODERN};
use toolcell_tests::plan::{Scene, Transport};
use toolcell_tests::rounds::Rounds;

fn node(program: &str) -> Command {
    let mut node = Command::new(artifacts::client("node"));
    node.arg(artifacts::client("js").join(program));
    node
}

fn interpreter(environment: &str, program: &str) -> Command {
    let mut python = Command::new(artifacts::client(environment));
    // Without -B it would leave compiled files in the source tree.
    python.arg("-B").arg(artifacts::client_sources().join("python").join(program));
    python
}

fn javascript(program: &str, transport: Transport, version: &str) {
    Scene::new(transport).run(node(program), version);
}

fn python(environment: &str, program: &str, transport: Transport, version: &str) {
    Scene::new(transport).run(interpreter(environment, program), version);
}

/// Runs the rounds over both transports.
fn rounds(program: impl Fn() -> Command, version: &str) {
    for transport in [Transport::Stdio, Transport::Http] {
        Rounds::new(transport).run(program(), version);
    }
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

#[test]
fn rounds_typescript_sdk_v1() {
    rounds(|| node("sdk_v1.mjs"), HANDSHAKE);
}

#[test]
fn rounds_typescript_client_v2() {
    rounds(|| node("client_v2.mjs"), MODERN);
}

#[test]
fn rounds_typescript_client_v2_handshake() {
    rounds(|| node("client_v2.mjs"), HANDSHAKE);
}

#[test]
fn rounds_python_mcp_v1() {
    rounds(|| interpreter("python-mcp1", "mcp1.py"), HANDSHAKE);
}

#[test]
fn rounds_python_mcp_v2() {
    rounds(|| interpreter("python-mcp2", "mcp2.py"), MODERN);
}

#[test]
fn rounds_python_mcp_v2_handshake() {
    rounds(|| interpreter("python-mcp2", "mcp2.py"), HANDSHAKE);
}
