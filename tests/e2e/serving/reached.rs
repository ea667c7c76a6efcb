//! Where the host may listen, whom it believes, and what browsers and operators get.

use std::time::Instant;

use serde_json::json;
use toolcell_tests::DEADLINE;
use toolcell_tests::host::{Host, run};
use toolcell_tests::mcp::{ACCEPT, HANDSHAKE, MODERN, modern_request, request};
use toolcell_tests::site::Site;

use super::{ask_admin, config, echo, readiness};

#[test]
fn without_authentication_other_machines_are_served_only_if_it_is_said() {
    let site = Site::new();
    let start = |server: &str, more: &[&str]| {
        let file = config(&site, server);
        let config = file.to_string_lossy().into_owned();
        let arguments = ["serve", "--config", &config].into_iter().chain(more.iter().copied());
        run(arguments.map(AsRef::as_ref))
    };
    for (server, more) in [
        ("http = '0.0.0.0:0'", &[][..]),
        ("http = '[::]:0'", &[]),
        ("", &["--http", "0.0.0.0:0"]),
        ("http = '127.0.0.1:0'", &["--http", "0.0.0.0:0"]),
        ("trusted-proxies = ['10.0.0.0/8']", &["--http", "0.0.0.0:0"]),
    ] {
        let ran = start(server, more);
        assert_eq!(ran.status.code(), Some(2), "{server} {more:?}: {}", ran.stderr);
        assert!(ran.stderr.trim_end().ends_with("(or --unauthenticated) if everyone may call"), "{}", ran.stderr);
    }
    let ran = start("http = '127.0.0.1:0'\nadmin = '0.0.0.0:0'", &[]);
    assert_eq!(ran.status.code(), Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("say `admin-unauthenticated = \"anyone\"` under [server]"), "{}", ran.stderr);

    let served = |server: &str, more: &[&str]| {
        let mut command = Host::command();
        command.arg("--config").arg(config(&site, server)).args(more);
        let mut host = Host::run(command);
        // It listens on all addresses, so on loopback too.
        host.address.set_ip([127, 0, 0, 1].into());
        echo(host.connect());
    };
    served("http = '0.0.0.0:0'\nunauthenticated = 'anyone'", &[]);
    served("", &["--http", "0.0.0.0:0", "--unauthenticated"]);
}

/// What a client claims, whom the server trusts, and what comes of it.
#[test]
fn only_trusted_proxies_say_who_and_where_the_client_is() {
    let site = Site::new();
    let anyone = "trusted-proxies = []";
    let elsewhere = "trusted-proxies = ['192.0.2.0/24', '2001:db8::/32']";
    let here = "trusted-proxies = ['192.0.2.0/24', '127.0.0.1']";
    let evil = [("X-Forwarded-Host", "evil.example.com")];
    let twice = [("Forwarded", "for=198.51.100.1"), ("X-Forwarded-For", "198.51.100.2")];
    let broken = [("Forwarded", "for=\"198.51.100.1")];
    let standard = [("Forwarded", "for=198.51.100.1;host=evil.example.com")];
    let ours = [("X-Forwarded-For", "198.51.100.1"), ("X-Forwarded-Host", "tools.example.com")];
    let local_page = [("Origin", "http://localhost:3000")];
    for (server, headers, expected) in [
        (anyone, &evil[..], 200),
        (anyone, &twice, 200),
        (anyone, &broken, 200),
        (anyone, &standard, 200),
        (anyone, &local_page, 200),
        (elsewhere, &evil, 200),
        (elsewhere, &twice, 200),
        (elsewhere, &standard, 200),
        (here, &[], 200),
        (here, &ours, 200),
        (here, &evil, 403),
        (here, &standard, 403),
        (here, &twice, 400),
        (here, &broken, 400),
        // Through a proxy, somebody else's loopback is not ours.
        (here, &local_page, 403),
    ] {
        let host = Host::serve(&config(&site, &format!("allowed-hosts = ['tools.example.com']\n{server}")));
        let mut all = vec![
            ("Content-Type", "application/json"),
            ("Accept", ACCEPT),
            ("MCP-Protocol-Version", MODERN),
            ("Mcp-Method", "tools/list"),
        ];
        all.extend(headers);
        let list = modern_request(1, "tools/list", &json!({})).to_string();
        let answer = host.connect().request("POST", "/mcp", &all, list.as_bytes());
        assert_eq!(answer.head.status, expected, "{server} {headers:?}: {}", answer.text());
    }
}

/// A browser asks before it sends anything that is not a form, and reads only what it is told it may.
#[test]
fn a_trusted_page_can_speak_both_eras() {
    let site = Site::new();
    let host = Host::serve(&config(&site, "allowed-origins = ['https://app.example.com']"));
    let origin = ("Origin", "https://app.example.com");
    let list = |text: &str| text.split(',').map(|name| name.trim().to_ascii_lowercase()).collect::<Vec<_>>();
    let modern =
        "authorization, content-type, dpop, mcp-method, mcp-name, mcp-protocol-version, traceparent, tracestate";
    let handshake = "authorization, content-type, last-event-id, mcp-protocol-version, mcp-session-id";
    for (path, method, wanted) in [
        ("/mcp", "POST", modern),
        ("/mcp", "POST", handshake),
        ("/mcp", "GET", handshake),
        ("/mcp", "DELETE", handshake),
        ("/sse", "GET", "authorization"),
        ("/messages", "POST", "authorization, content-type"),
    ] {
        let asked = [origin, ("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", wanted)];
        let answer = host.connect().request("OPTIONS", path, &asked, b"");
        let header = |name: &str| answer.head.header(name).unwrap_or_default().to_owned();
        assert_eq!((answer.head.status, answer.body.len()), (204, 0), "{path}");
        assert_eq!(header("access-control-allow-origin"), origin.1);
        assert!(list(&header("access-control-allow-methods")).contains(&method.to_ascii_lowercase()), "{method}");
        assert_eq!(list(&header("access-control-allow-headers")), list(wanted));
        let vary: Vec<&str> =
            answer.head.headers.iter().filter(|(name, _)| name == "vary").map(|(_, value)| value.as_str()).collect();
        assert_eq!(vary, ["origin", "access-control-request-headers"]);
        assert_eq!(answer.head.header("access-control-allow-credentials"), None, "no cookies");
    }
    // What follows the question is answered, and may be read.
    let body = request(
        0,
        "initialize",
        &json!({
            "protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": { "name": "page", "version": "1" },
        }),
    );
    let headers = [origin, ("Content-Type", "application/json"), ("Accept", ACCEPT)];
    let answer = host.connect().request("POST", "/mcp", &headers, body.to_string().as_bytes());
    assert_eq!(answer.head.status, 200, "{}", answer.text());
    assert!(answer.head.header("mcp-session-id").is_some());
    let exposed = list(answer.head.header("access-control-expose-headers").unwrap_or_default());
    for name in ["mcp-session-id", "www-authenticate", "retry-after"] {
        assert!(exposed.iter().any(|exposed| exposed == name), "{exposed:?}");
    }
    // Other pages are told nothing.
    for origin in ["https://evil.example.com", "https://app.example.com.evil.example.com", "null"] {
        let asked = [("Origin", origin), ("Access-Control-Request-Method", "POST")];
        let answer = host.connect().request("OPTIONS", "/mcp", &asked, b"");
        assert_eq!(answer.head.status, 403, "{origin}");
        assert!(answer.head.headers.iter().all(|(name, _)| !name.starts_with("access-control-")), "{:?}", answer.head);
    }
}

#[test]
fn operators_ask_on_a_listener_of_their_own() {
    let site = Site::new();
    // Its list takes all the time it may, so that there is a start to look at.
    let slow = Site::guest("list_hangs", "limits = { list-wall-ms = 3000 }");
    let file = site.config(&format!("[server]\nadmin = '127.0.0.1:0'\n\n{slow}"));
    let mut command = Host::command();
    command.arg("--config").arg(file).args(["--http", "127.0.0.1:0"]);
    let host = Host::spawn(command);
    let admin = host.admin();
    assert_eq!(ask_admin(admin, "/livez").head.status, 200);
    let loading = json!({ "ready": false, "reasons": ["plugins are being loaded"] });
    assert_eq!(readiness(admin), (503, loading));
    let host = host.ready();
    let late = Instant::now() + DEADLINE;
    while readiness(admin).0 == 503 && Instant::now() < late {}
    assert_eq!(readiness(admin), (200, json!({ "ready": true, "reasons": [] })));

    let metrics = ask_admin(admin, "/metrics");
    assert!(metrics.head.status == 200 && metrics.text().ends_with("# EOF\n"), "{}", metrics.text());
    assert_eq!(ask_admin(admin, "/mcp").head.status, 404);
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(host.connect().request("GET", path, &[], b"").head.status, 404, "clients have no {path}");
    }
    let mut http = toolcell_tests::http::Http::connect(admin);
    assert_eq!(http.request("POST", "/livez", &[], b"").head.status, 405);
    for header in [("Host", "evil.example.com"), ("Origin", "http://localhost:3000")] {
        assert_eq!(http.request("GET", "/readyz", &[header], b"").head.status, 403, "{header:?}");
    }
}
