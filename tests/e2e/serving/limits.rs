//! How much one client may have of the server.

use std::io;

use toolcell_tests::host::Host;
use toolcell_tests::http::Http;
use toolcell_tests::site::Site;

use super::{config, echo};

/// Whether a connection is served; if it is, it stays open.
fn is_served(http: &mut Http) -> bool {
    http.send("GET", "/nowhere", &[], b"").is_ok() && http.head().is_ok_and(|head| head.status == 404)
}

#[test]
fn an_address_has_its_share_of_connections_and_trusted_proxies_are_not_counted() {
    let site = Site::new();
    let limits = "[server.limits]\nconnections-per-address = 3";
    let host = Host::serve(&config(&site, limits));
    let mut held: Vec<Http> = (0..3).map(|_| host.connect()).collect();
    assert!(held.iter_mut().all(is_served));
    for _ in 0..5 {
        assert!(!is_served(&mut host.connect()), "one more than it may have");
    }
    held.pop().expect("there are three").hang_up();
    // The server learns of the end when it next looks.
    while !is_served(&mut host.connect()) {}
    assert!(held.iter_mut().all(|http| http.send_raw(b"x").is_ok()), "the others are not touched");

    let host = Host::serve(&config(&site, &format!("trusted-proxies = ['127.0.0.0/8']\n{limits}")));
    let mut held: Vec<Http> = (0..6).map(|_| host.connect()).collect();
    assert!(held.iter_mut().all(is_served), "a proxy brings many clients");
}

#[test]
fn sizes_and_times_are_the_operators() {
    let site = Site::new();
    let limits = "[server.limits]\nheader-bytes = '8 KiB'\nmessage-bytes = 100\nheader-ms = 500\nbody-ms = 500";
    let host = Host::serve(&config(&site, limits));
    let long = "x".repeat(9000);
    assert_eq!(host.connect().request("GET", "/nowhere", &[("X-Long", &long)], b"").head.status, 431);
    let json = [("Content-Type", "application/json"), ("Accept", "*/*")];
    assert_eq!(host.connect().request("POST", "/mcp", &json, &[b' '; 101]).head.status, 413);
    // A head that does not end, and a body that does not.
    let mut http = host.connect();
    http.send_raw(b"GET /mcp HTTP/1.1\r\nHost: localhost\r\n").expect("half a head can be sent");
    let ended = http.rest().expect("it is closed in time");
    assert!(ended.is_empty() || ended.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&ended));
    let slow = [("Content-Length", "50"), json[0], json[1]];
    let mut http = host.connect();
    http.send("POST", "/mcp", &slow, b"{").expect("half a body can be sent");
    assert_eq!(http.response().head.status, 408);
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The head of a POST to the endpoint, in literals of HPACK. Source: RFC 7541, appendix A.
fn head() -> Vec<u8> {
    let literal = |index: &[u8], value: &str| {
        let length = u8::try_from(value.len()).expect("a short value");
        [index, &[length], value.as_bytes()].concat()
    };
    let (post, http, path, authority) = ([0x83], [0x86], literal(&[4], "/mcp"), literal(&[1], "localhost"));
    let (accept, kind) = (literal(&[15, 4], "*/*"), literal(&[15, 16], "application/json"));
    [&post[..], &http, &path, &authority, &accept, &kind].concat()
}

#[test]
fn whoever_opens_requests_only_to_leave_them_loses_the_connection() {
    let site = Site::new();
    let host = Host::serve(&config(&site, ""));
    let mut http = host.connect();
    http.send_raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").expect("the preface can be sent");
    assert_eq!(http.bytes(9)[3], 4, "a SETTINGS frame");
    let mut sent = 0;
    let broken = (0..20_000).find_map(|request| {
        let stream = 2 * request + 1;
        let reset = frame(3, 0, stream, &8_u32.to_be_bytes());
        sent += 1;
        http.send_raw(&[frame(1, 4, stream, &head()), reset].concat()).err()
    });
    // Either sending failed already, or the end is there to be read.
    if broken.is_none() {
        match http.rest() {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}"),
        }
    }
    assert!(sent > 100, "{sent}: leaving a few is how clients cancel");
    echo(host.connect());
}
