//! The embedding example, run as its reader would run it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use toolcell_tests::artifacts;

/// Ends the program with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_example_calls_in_process_and_serves_beside_its_own_routes() {
    let root = artifacts::client_sources().join("../..");
    let mut program = Command::new(artifacts::embed());
    program.arg(artifacts::plugins()).current_dir(root).stdout(Stdio::piped());
    let mut running = Running(program.spawn().expect("the example starts"));
    let output = running.0.stdout.take().expect("its output is piped");
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);

    let hello = lines.next().unwrap_or_default();
    assert!(hello.contains("hello from inside"), "{hello}");
    let listening = lines.next().unwrap_or_default();
    let address = listening.strip_prefix("listening on http://").and_then(|rest| rest.strip_suffix("/mcp"));
    let address = address.unwrap_or_else(|| panic!("no address: {listening}"));

    let page = exchange(address, "GET / HTTP/1.1", "");
    assert!(page.contains("its tools are at /mcp"), "{page}");
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
    let tools = exchange(address, "POST /mcp HTTP/1.1", list);
    assert!(tools.contains(r#""name":"echo""#) && tools.contains(r#""name":"docs_read_text_file""#), "{tools}");
}

/// One request on a connection of its own, and all that comes back.
fn exchange(address: &str, line: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!(
        "{line}\r\nhost: {address}\r\nconnection: close\r\naccept: application/json, text/event-stream\r\n\
         content-type: application/json\r\nmcp-protocol-version: 2026-07-28\r\nmcp-method: tools/list\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}
