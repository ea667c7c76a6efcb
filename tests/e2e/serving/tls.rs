//! TLS: both versions of HTTP in it, certificates of clients, and new certificates while requests come in.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use toolcell_tests::DEADLINE;
use toolcell_tests::host::{Host, run};
use toolcell_tests::http::Http;
use toolcell_tests::log::Mark;
use toolcell_tests::pki::{Authority, Pair};
use toolcell_tests::site::{Site, quoted};
use toolcell_tests::tls::{Trust, der};

use super::{config, echo};

/// The line for the config; `more` is what else stands in the table.
fn tls(pair: &Pair, more: &str) -> String {
    format!("tls = {{ cert = {}, key = {}{more} }}", quoted(&pair.cert), quoted(&pair.key))
}

#[test]
fn both_versions_of_http_are_spoken_in_it_and_none_outside() {
    let site = Site::new();
    let authority = Authority::new(&site, "authority");
    let host = Host::serve(&config(&site, &tls(&authority.server("server"), "")));
    assert!(host.url().starts_with("https://"), "{}", host.url());
    assert!(host.log.all().contains(&host.url()), "clients are told to use it");

    let trust = Trust::new(&authority.cert(), None);
    echo(trust.connect(host.address).expect("TLS without a word about protocols"));
    echo(trust.offering(&["http/1.1"]).connect(host.address).expect("TLS for HTTP/1.1"));
    let chosen = |offered: &[&str]| trust.offering(offered).chosen(host.address);
    assert_eq!(chosen(&["h2", "http/1.1"]).unwrap().as_deref(), Some("h2"));
    assert_eq!(chosen(&["http/1.1"]).unwrap().as_deref(), Some("http/1.1"));
    assert!(chosen(&["spdy/1"]).is_err(), "nothing in common");

    // HTTP/2 from its first bytes: the server answers with its settings.
    let mut http = trust.offering(&["h2"]).connect(host.address).expect("TLS for HTTP/2");
    http.send_raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").expect("the preface can be sent");
    assert_eq!(http.bytes(9)[3], 4, "a SETTINGS frame");

    let stranger = Trust::new(&Authority::new(&site, "other").cert(), None);
    assert!(stranger.connect(host.address).is_err(), "who does not know the authority does not trust the server");
    let mut plain = Http::connect(host.address);
    plain.send("GET", "/mcp", &[], b"").expect("a request can be sent");
    assert!(plain.head().is_err(), "without TLS there is no answer");
}

#[test]
fn clients_prove_themselves_by_certificates_where_they_must() {
    let site = Site::new();
    let authority = Authority::new(&site, "authority");
    let (clients, others) = (Authority::new(&site, "clients"), Authority::new(&site, "others"));
    let (good, bad) = (clients.client("good"), others.client("bad"));
    let server = authority.server("server");
    let trust = |shown: Option<&Pair>| Trust::new(&authority.cert(), shown);
    for (word, without) in [("required", false), ("optional", true)] {
        let more = format!(", client-ca = {}, client-auth = '{word}'", quoted(&clients.cert()));
        let host = Host::serve(&config(&site, &tls(&server, &more)));
        echo(trust(Some(&good)).connect(host.address).expect("a good certificate"));
        // With TLS 1.3 the client is through before the server has judged it.
        let served = |shown: Option<&Pair>| {
            let Ok(mut http) = trust(shown).connect(host.address) else { return false };
            http.send("GET", "/nowhere", &[], b"").is_ok() && http.head().is_ok_and(|head| head.status == 404)
        };
        assert!(served(Some(&good)), "{word}");
        assert_eq!(served(None), without, "{word}: a client without a certificate");
        assert!(!served(Some(&bad)), "{word}: a certificate of another authority");
        assert!(!served(Some(&server)), "{word}: a certificate that is not for clients");
    }
}

#[test]
fn new_certificates_come_into_service_under_load_without_a_failed_request() {
    let site = Site::new();
    let authority = Authority::new(&site, "authority");
    let first = authority.server("first");
    let served = first.copied(&site.folder("pki"), "served");
    let host = Host::serve(&config(&site, &tls(&served, "")));
    let trust = Trust::new(&authority.cert(), None);
    let (stop, served_so_far) = (AtomicBool::new(false), AtomicUsize::new(0));
    let shows = |expected: &Pair| {
        let (expected, late) = (der(&expected.cert), Instant::now() + DEADLINE);
        while trust.shown(host.address).expect("TLS goes on") != expected {
            assert!(Instant::now() < late, "the new certificate is not in service");
        }
    };
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    echo(trust.connect(host.address).expect("every connection is taken"));
                    served_so_far.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // Ends the load also if what follows fails.
        let _stop = Ending(&stop);
        shows(&first);
        for name in ["second", "third"] {
            let next = authority.server(name);
            next.replace(&served);
            shows(&next);
        }
        // What cannot be used is said, and changes nothing.
        let mark = host.log.mark();
        fs::write(&served.cert, "no certificate").expect("a file can be written");
        let line = host.log.wait_for(mark, &["ERROR", "new certificates not applied"]);
        assert!(line.contains("holds no certificate in PEM; check `cert`"), "{line}");
        shows(&Pair { cert: site.path("pki/third.pem"), key: site.path("pki/third.key") });
        // A key of another certificate is no better.
        let mark = host.log.mark();
        fs::copy(&first.cert, &served.cert).expect("a file can be copied");
        let line = host.log.wait_for(mark, &["ERROR", "must be of one pair"]);
        assert!(!line.contains("PRIVATE"), "{line}");
        first.replace(&served);
        shows(&first);
    });
    assert!(served_so_far.load(Ordering::Relaxed) > 10);
}

struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn certificates_that_cannot_be_used_are_said_before_anything_is_loaded() {
    let site = Site::new();
    let authority = Authority::new(&site, "authority");
    let (one, two) = (authority.server("one"), authority.server("two"));
    let absent = Pair { cert: site.path("absent.pem"), key: one.key.clone() };
    let mixed = Pair { cert: one.cert.clone(), key: two.key.clone() };
    let swapped = Pair { cert: one.key.clone(), key: one.cert.clone() };
    let not_both = format!("tls = {{ cert = {} }}", quoted(&one.cert));
    for (server, expected) in [
        (tls(&absent, ""), "check `cert` in `tls`"),
        (tls(&mixed, ""), "must be of one pair"),
        (tls(&swapped, ""), "holds no certificate in PEM"),
        (tls(&one, &format!(", client-ca = {}", quoted(&one.key))), "check `client-ca`"),
        (not_both, "`tls` has no `key`"),
    ] {
        let file = config(&site, &format!("http = '127.0.0.1:0'\n{server}"));
        let ran = run(["serve".as_ref(), "--config".as_ref(), file.as_os_str()]);
        assert_eq!(ran.status.code(), Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains(expected), "{expected}: {}", ran.stderr);
    }
}

#[test]
fn slow_handshakes_end_and_hold_nobody_up() {
    let site = Site::new();
    let authority = Authority::new(&site, "authority");
    let server = format!("{}\n[server.limits]\nhandshake-ms = 1000", tls(&authority.server("server"), ""));
    let host = Host::serve(&config(&site, &server));
    let mut stuck: Vec<Http> = (0..20).map(|_| Http::connect(host.address)).collect();
    // Half of them have begun.
    for http in &mut stuck[10..] {
        http.send_raw(b"\x16\x03\x01\x02\0\x01").expect("some bytes can be sent");
    }
    echo(Trust::new(&authority.cert(), None).connect(host.address).expect("others are served meanwhile"));
    for mut http in stuck {
        let ended = http.rest();
        assert!(
            ended.as_ref().is_ok_and(Vec::is_empty)
                || ended.is_err_and(|error| { error.kind() == std::io::ErrorKind::ConnectionReset })
        );
    }
    // One that sends a byte now and then gets no more time.
    let mut slow = TcpStream::connect(host.address).expect("a connection");
    slow.write_all(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03").expect("the beginning of a hello can be sent");
    let late = Instant::now() + DEADLINE;
    while slow.write_all(b"\0").is_ok() {
        assert!(Instant::now() < late, "it is still open");
        thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(!host.log.since(Mark::START).contains("ERROR"), "none of this is an error of the server");
}
