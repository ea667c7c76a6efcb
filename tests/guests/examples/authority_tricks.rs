//! Authorities and paths that two readers may read differently: one checks, the other connects.

use toolcell_guests::{Args, Report, http, tool};

tool!(
    authority_tricks,
    "Gets odd URLs that name both `granted` (default granted.example) and `wanted` (default 127.0.0.1)."
);

fn authority_tricks(args: &Args) -> Report {
    let granted = args.text("granted", "granted.example");
    let wanted = args.text("wanted", "127.0.0.1");
    let mut report = Report::new();
    for url in [
        format!("http://{granted}@{wanted}/"),
        format!("http://{wanted}@{granted}/"),
        format!("http://{granted}:80@{wanted}:80/"),
        format!("http://{granted}\\@{wanted}/"),
        format!("http://{granted}#@{wanted}/"),
        format!("http://{granted}?@{wanted}/"),
        format!("http://{granted}%2f@{wanted}/"),
        format!("http://{granted}%00.{wanted}/"),
        format!("http://{granted}\t.{wanted}/"),
        format!("http://{granted}\r\nHost: {wanted}/"),
        format!("http://{granted}:80:81/"),
        format!("http://{granted}:99999/"),
        format!("http://{granted}:/"),
        format!("http://{granted}./"),
        format!("http://{}/", granted.to_uppercase()),
        format!("http://.{granted}/"),
        format!("http://x.{granted}/"),
        format!("http://{granted}.{wanted}/"),
        format!("http://{granted}/../../secret"),
        format!("http://{granted}/%2e%2e/secret"),
        format!("http://{granted}/a\\..\\secret"),
        format!("http://{granted}/a HTTP/1.1\r\nHost: {wanted}\r\n\r\n"),
        format!("file://{granted}/etc/passwd"),
        format!("ftp://{granted}/"),
        format!("ws://{granted}/"),
        "http:///".to_owned(),
    ] {
        let object = url.escape_debug().to_string();
        report.add("get", &object, http::get(&url));
    }
    header_tricks(&mut report, granted, wanted);
    report
}

/// Headers that would send the request elsewhere, or two requests instead of one.
fn header_tricks(report: &mut Report, granted: &str, wanted: &str) {
    for (name, value) in [
        ("host", wanted),
        ("Host", wanted),
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("transfer-encoding", "chunked"),
        ("proxy-authorization", "Basic eA=="),
        ("http2-settings", "x"),
        ("x-split", "a\r\nx-injected: b"),
        ("x-nul", "a\0b"),
        ("x bad name", "a"),
        ("", "a"),
        (":authority", wanted),
        ("content-length", "5"),
        ("expect", "100-continue"),
    ] {
        let headers = [(name.to_owned(), value.as_bytes().to_vec())];
        let sent = http::request(&format!("http://{granted}/"), &headers)
            .and_then(http::start)
            .and_then(|future| http::wait(&future))
            .map(|response| response.status());
        report.add("header", name, sent);
    }
}
