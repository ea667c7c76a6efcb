//! Headers as proxies and liars write them.

use http::Request;

use super::*;

const PROXY: &str = "10.0.0.1:4711";
const STRANGER: &str = "203.0.113.9:5000";

fn proxies() -> Proxies {
    Proxies::new(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()])
}

fn link(address: &str) -> Link {
    let certificate = Some(Arc::new(CertificateDer::from(vec![1])));
    Link { address: address.parse().unwrap(), scheme: Scheme::HTTP, certificate, chain: Arc::default() }
}

fn peer(from: &str, headers: &[(&str, &str)]) -> Result<Peer, Unclear> {
    let mut request = Request::builder().uri("/mcp").header("host", "inner:8080");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    proxies().peer(&link(from), &request.body(()).unwrap().into_parts().0)
}

/// Address, scheme and host on one line.
fn shown(peer: Result<Peer, Unclear>) -> String {
    match peer {
        Err(error) => format!("{error:?}"),
        Ok(peer) => {
            let address = peer.address.map_or("-".to_owned(), |address| match address.port() {
                0 => address.ip().to_string(),
                _ => address.to_string(),
            });
            format!("{address} {} {}", peer.scheme, peer.host.unwrap_or_default())
        }
    }
}

#[test]
fn nobody_but_a_trusted_proxy_is_believed() {
    let lies = [
        ("forwarded", "for=10.0.0.7;proto=https;host=evil.example"),
        ("x-forwarded-for", "10.0.0.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
    ];
    assert_eq!(shown(peer(STRANGER, &lies)), "203.0.113.9:5000 http inner:8080");
    // Not even what could not be read.
    assert_eq!(shown(peer(STRANGER, &[("forwarded", "for=\"")])), "203.0.113.9:5000 http inner:8080");
    let none = Proxies::default();
    let head = Request::builder().header("x-forwarded-for", "1.2.3.4").body(()).unwrap().into_parts().0;
    assert_eq!(none.peer(&link(PROXY), &head).unwrap().address, Some(PROXY.parse().unwrap()));
}

#[test]
fn the_right_most_address_that_is_not_trusted_is_the_client() {
    for (headers, expected) in [
        (&[][..], "10.0.0.1:4711 http inner:8080"),
        (&[("x-forwarded-for", "198.51.100.7")], "198.51.100.7 http inner:8080"),
        (&[("x-forwarded-for", "198.51.100.7:99")], "198.51.100.7:99 http inner:8080"),
        (&[("x-forwarded-for", "1.1.1.1, 198.51.100.7")], "198.51.100.7 http inner:8080"),
        (&[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "198.51.100.7")], "198.51.100.7 http inner:8080"),
        (&[("x-forwarded-for", "1.1.1.1, 198.51.100.7, 10.0.0.2")], "198.51.100.7 http inner:8080"),
        (&[("x-forwarded-for", "1.1.1.1, 198.51.100.7, 10.0.0.2,10.0.0.3")], "198.51.100.7 http inner:8080"),
        (&[("x-forwarded-for", "10.0.0.9, 10.0.0.2")], "10.0.0.9 http inner:8080"),
        (&[("x-forwarded-for", "::ffff:198.51.100.7")], "198.51.100.7 http inner:8080"),
        (&[("x-forwarded-for", "1.1.1.1, ::ffff:10.0.0.2")], "1.1.1.1 http inner:8080"),
        (&[("x-forwarded-for", "2001:db8::1")], "2001:db8::1 http inner:8080"),
        (&[("x-forwarded-for", "[2001:db8::1]:443")], "[2001:db8::1]:443 http inner:8080"),
        (&[("x-forwarded-for", "1.1.1.1, fd00::2")], "1.1.1.1 http inner:8080"),
        // Where a trusted proxy says nothing useful, nobody further left is asked.
        (&[("x-forwarded-for", "1.1.1.1, unknown")], "- http inner:8080"),
        (&[("x-forwarded-for", "1.1.1.1, ")], "- http inner:8080"),
        (&[("x-forwarded-for", "1.1.1.1 10.0.0.2")], "- http inner:8080"),
        (&[("x-forwarded-for", "'; drop table, 198.51.100.7")], "198.51.100.7 http inner:8080"),
        (&[("x-forwarded-for", "\u{e9}, 198.51.100.7")], "198.51.100.7 http inner:8080"),
        (&[("forwarded", "for=198.51.100.7")], "198.51.100.7 http inner:8080"),
        (&[("forwarded", "For=\"[2001:db8::1]:4711\"")], "[2001:db8::1]:4711 http inner:8080"),
        (&[("forwarded", "for=1.1.1.1, for=198.51.100.7;by=10.0.0.1")], "198.51.100.7 http inner:8080"),
        (&[("forwarded", "for=1.1.1.1"), ("forwarded", "for=198.51.100.7")], "198.51.100.7 http inner:8080"),
        (&[("forwarded", "for=198.51.100.7:_hidden")], "198.51.100.7 http inner:8080"),
        (&[("forwarded", "for=1.1.1.1, for=unknown")], "- http inner:8080"),
        (&[("forwarded", "for=1.1.1.1, for=_secret")], "- http inner:8080"),
        (&[("forwarded", "for=1.1.1.1, proto=https")], "- https inner:8080"),
        (&[("forwarded", "for=\"1.1.1.1, for=198.51.100.7\", for=8.8.8.8")], "8.8.8.8 http inner:8080"),
    ] {
        assert_eq!(shown(peer(PROXY, headers)), expected, "{headers:?}");
    }
}

#[test]
fn scheme_and_host_are_what_the_outermost_trusted_proxy_saw() {
    for (headers, expected) in [
        (
            &[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "a.example")][..],
            "1.1.1.1 https a.example",
        ),
        (&[("x-forwarded-proto", "https")], "10.0.0.1:4711 https inner:8080"),
        (&[("x-forwarded-proto", "gopher")], "10.0.0.1:4711 http inner:8080"),
        // The client wrote the first of each.
        (&[("x-forwarded-for", "9.9.9.9, 1.1.1.1"), ("x-forwarded-proto", "https, http")], "1.1.1.1 http inner:8080"),
        (&[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-host", "evil.example, a.example")], "1.1.1.1 http a.example"),
        // Two trusted hops, of which only the outer one spoke TLS with the client.
        (&[("x-forwarded-for", "1.1.1.1, 10.0.0.2"), ("x-forwarded-proto", "https, http")], "1.1.1.1 https inner:8080"),
        (&[("x-forwarded-for", "1.1.1.1, 10.0.0.2"), ("x-forwarded-proto", "https")], "1.1.1.1 https inner:8080"),
        (
            &[(
                "forwarded",
                "for=9.9.9.9;host=evil.example;proto=http, for=1.1.1.1;host=a.example;proto=HTTPS, for=10.0.0.2;proto=http",
            )],
            "1.1.1.1 https a.example",
        ),
        (&[("forwarded", "for=1.1.1.1;host=\"a.example:8443\"")], "1.1.1.1 http a.example:8443"),
        (&[("forwarded", "for=1.1.1.1"), ("x-forwarded-proto", "https")], "1.1.1.1 https inner:8080"),
        (&[("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "1.1.1.1")], "1.1.1.1 http inner:8080"),
        // A proxy that sets one header and passes on the client's other one.
        (&[("forwarded", "for=8.8.8.8"), ("x-forwarded-for", "1.1.1.1")], "Contradiction"),
        (&[("forwarded", "for=1.1.1.1;host=\"user@a.example\"")], "Host"),
        (&[("x-forwarded-host", "a.example/path")], "Host"),
        (&[("forwarded", "for=\"1.1.1.1, for=198.51.100.7")], "Malformed"),
        (&[("forwarded", "for=1.1.1.1;for=2.2.2.2")], "Malformed"),
        (&[("forwarded", "1.1.1.1")], "Malformed"),
        (&[("forwarded", "for=\"1.1.1.1\"2")], "Malformed"),
        (&[("forwarded", "for=\"1.1.1.1\\")], "Malformed"),
    ] {
        assert_eq!(shown(peer(PROXY, headers)), expected, "{headers:?}");
    }
}

#[test]
fn a_chain_that_does_not_end_has_no_client() {
    let chain = vec!["10.0.0.2"; MAX_HOPS].join(",");
    assert_eq!(shown(peer(PROXY, &[("x-forwarded-for", &chain)])), "10.0.0.2 http inner:8080");
    let chain = vec!["10.0.0.2"; MAX_HOPS + 1].join(",");
    assert_eq!(shown(peer(PROXY, &[("x-forwarded-for", &chain)])), "- http inner:8080");
}

#[test]
fn a_proxy_does_not_lend_its_certificate() {
    assert!(peer(STRANGER, &[]).unwrap().certificate.is_some());
    assert!(peer(PROXY, &[]).unwrap().certificate.is_none());
    assert!(peer(PROXY, &[("x-forwarded-for", "1.1.1.1")]).unwrap().certificate.is_none());
}

/// Whatever a client writes to the left of what a trusted proxy appends, the client found is the one the proxy saw, or
/// the request is refused.
#[test]
fn nothing_a_client_writes_moves_what_the_proxy_appended() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let pieces = [
        "for=",
        "10.0.0.2",
        "8.8.8.8",
        "\"",
        "\\",
        ",",
        ";",
        " ",
        "=",
        "proto=https",
        "host=evil.example",
        "[",
        "]",
        ":",
        "::1",
        "unknown",
        "_x",
        "\t",
        "65536",
        "for=\"[fd00::1]\"",
        "é",
        "%",
    ];
    let (mut found, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let lie: String = (0..next(12)).map(|_| pieces[next(pieces.len())]).collect();
        let same_line = next(2) == 0;
        for (name, truth) in
            [("forwarded", "for=198.51.100.7;proto=http;host=a.example"), ("x-forwarded-for", "198.51.100.7")]
        {
            let appended = format!("{lie}, {truth}");
            let headers: &[(&str, &str)] =
                if same_line { &[(name, &appended)] } else { &[(name, &lie), (name, truth)] };
            match peer(PROXY, headers) {
                Ok(peer) => {
                    found += 1;
                    let host = if name == "forwarded" { "a.example" } else { "inner:8080" };
                    assert_eq!(shown(Ok(peer)), format!("198.51.100.7 http {host}"), "{headers:?}");
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(found > 10_000 && refused > 1_000, "{found} found, {refused} refused");
}
