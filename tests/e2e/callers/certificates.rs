//! Client certificates as callers, made by OpenSSL: who they are, what they may use, and which are nobody's.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use toolcell_tests::artifacts;
use toolcell_tests::host::Host;
use toolcell_tests::log::Mark;
use toolcell_tests::mcp::{MODERN, Modern, modern_request};
use toolcell_tests::pki::{Authority, Pair};
use toolcell_tests::plan::{finish, run};
use toolcell_tests::site::{Site, quoted};
use toolcell_tests::tls::Trust;

use super::new_key;

/// A host that knows callers by the certificates of an authority.
struct Scene {
    site: Site,
    servers: Authority,
    clients: Authority,
    host: Host,
}

impl Scene {
    /// `tls` and `certificates` are more of these tables, `rest` is more of the config.
    fn new(tls: &str, certificates: &str, rest: &str) -> Self {
        let site = Site::new();
        let (servers, clients) = (Authority::new(&site, "servers"), Authority::new(&site, "clients"));
        Self::with(site, servers, clients, tls, certificates, rest)
    }

    fn with(site: Site, servers: Authority, clients: Authority, tls: &str, certificates: &str, rest: &str) -> Self {
        let server = servers.server("server");
        let (cert, key, ca) = (quoted(&server.cert), quoted(&server.key), quoted(&clients.cert()));
        let plugins = format!("{}{}", Site::guest("context_peek", ""), Site::plugin("echo", ""));
        let config = format!(
            "[server]\ntls = {{ cert = {cert}, key = {key}, client-ca = {ca}{tls} }}\n[auth]\nkeys = 'keys.json'\n\
             [auth.certificates]\n{certificates}\n{rest}\n{plugins}"
        );
        let host = Host::serve(&site.config(&config));
        Self { site, servers, clients, host }
    }

    /// A client with this certificate; none if TLS refuses it.
    fn client(&self, pair: Option<&Pair>) -> Option<Modern> {
        Some(Modern::new(Trust::new(&self.servers.cert(), pair).connect(self.host.address).ok()?))
    }

    /// Whether a request with this certificate is answered at all, and the status then.
    fn status(&self, pair: Option<&Pair>) -> Option<(u16, String)> {
        let mut http = self.client(pair)?.into_http();
        let body = modern_request(1, "tools/list", &json!({})).to_string();
        let headers = [
            ("Content-Type", "application/json"),
            ("Accept", "application/json, text/event-stream"),
            ("MCP-Protocol-Version", MODERN),
            ("Mcp-Method", "tools/list"),
        ];
        // With TLS 1.3 the client is through before the server has judged it.
        http.send("POST", "/mcp", &headers, body.as_bytes()).ok()?;
        let head = http.head().ok()?;
        Some((head.status, head.header("www-authenticate").unwrap_or_default().to_owned()))
    }

    fn plan(&self, pair: &Pair, principal: &str, tools: &[&str]) -> Value {
        json!({
            "url": self.host.url(), "ca": self.servers.cert(), "cert": pair.cert, "key": pair.key,
            "principal": principal, "tools": tools,
        })
    }
}

const RULES: &str = "[[allow]]\nprincipals = ['cert:alice', 'pinned']\ntools = ['context_peek']\n\
                     [[allow]]\ngroups = ['ci']\ntools = ['echo', 'context_peek']\n\
                     [[allow]]\nprincipals = ['keyed']\ntools = ['echo']\n";

#[test]
fn the_clients_of_others_come_in_with_a_certificate() {
    let scene = Scene::new("", "groups = { 'spiffe://corp/ci' = ['ci'] }", RULES);
    let ci = scene.clients.client_of("ci", "/CN=alice", &["URI:spiffe://corp/ci"]);
    let plan = scene.plan(&ci, "cert:spiffe://corp/ci", &["context_peek", "echo"]);
    let mut node = Command::new(artifacts::client("node"));
    node.arg(artifacts::client("oauth").join("certificates.mjs"));
    run(&scene.site, node, &plan);
    let mut python = Command::new(artifacts::client("python-mcp2"));
    python.arg("-B").arg(artifacts::client_sources().join("oauth/certificates.py"));
    run(&scene.site, python, &plan);

    let curl = |pair: Option<&Pair>| {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--cacert"]).arg(scene.servers.cert());
        if let Some(pair) = pair {
            curl.arg("--cert").arg(&pair.cert).arg("--key").arg(&pair.key);
        }
        curl.args(["-H", "Content-Type: application/json", "-H", "Accept: application/json, text/event-stream"]);
        curl.args(["-H", &format!("MCP-Protocol-Version: {MODERN}"), "-H", "Mcp-Method: tools/list", "--data"]);
        curl.arg(modern_request(1, "tools/list", &json!({})).to_string()).arg(scene.host.url());
        finish(curl)
    };
    let (done, said, why) = curl(Some(&ci));
    assert!(done && said.contains("\"echo\"") && said.contains("context_peek"), "{said}{why}");
    let alice = scene.clients.client("alice");
    let (done, said, why) = curl(Some(&alice));
    assert!(done && !said.contains("\"echo\"") && said.contains("context_peek"), "{said}{why}");
    let (done, said, why) = curl(None);
    assert!(!done, "{said}{why}");
}

#[test]
fn a_certificate_is_who_its_name_or_its_fingerprint_says() {
    let site = Site::new();
    let (servers, clients) = (Authority::new(&site, "servers"), Authority::new(&site, "clients"));
    let several = clients.client_of("several", "/CN=x", &["DNS:a.example.com", "DNS:b.example.com"]);
    let print = finish({
        let mut openssl = Command::new("openssl");
        openssl.args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]).arg(&several.cert);
        openssl
    });
    let print = print.1.trim().rsplit('=').next().expect("a fingerprint").to_owned();
    let certificates = format!(
        "names = {{ 'robot.example.com' = {{ principal = 'robot', groups = ['ci'] }} }}\n\
         fingerprints = {{ '{print}' = {{ principal = 'pinned' }} }}\n\
         groups = {{ 'ops@example.com' = ['ci'] }}"
    );
    let audit = "[audit]\ndir = 'audit'\n";
    let mut scene = Scene::with(site, servers, clients, "", &certificates, &format!("{audit}{RULES}"));
    let made = |name: &str, subject: &str, names: &[&str]| scene.clients.client_of(name, subject, names);
    for (pair, principal, tools) in [
        (made("alice", "/CN=alice", &[]), "cert:alice", vec!["context_peek"]),
        (made("alice2", "/O=Example/CN=alice", &[]), "cert:alice", vec!["context_peek"]),
        // The common name counts only where there is no better one.
        (made("robot", "/CN=alice", &["DNS:robot.example.com"]), "robot", vec!["context_peek", "echo"]),
        (made("ops", "/CN=alice", &["email:ops@example.com"]), "cert:ops@example.com", vec!["context_peek", "echo"]),
        (several, "pinned", vec!["context_peek"]),
    ] {
        let client = scene.client(Some(&pair)).expect("TLS agrees");
        let mut client = client.with_meta("io.toolcell/receipt", json!(true));
        assert_eq!(client.tools(), tools, "{principal}");
        let seen = client.call("context_peek", &json!({}));
        assert!(seen["content"].to_string().contains(principal), "{principal}: {seen}");
        assert_eq!(seen["_meta"]["io.toolcell/receipt"]["principal"], principal);
        let echo = client.ask("tools/call", &json!({ "name": "echo", "arguments": { "message": "x" } }));
        assert_eq!(echo["error"].is_null(), tools.len() == 2, "{principal}: {echo}");
    }
    let bob = scene.client(Some(&made("bob", "/CN=bob", &[]))).expect("TLS agrees").tools();
    assert!(bob.is_empty(), "who is named by no rule has nothing: {bob:?}");

    // None of these is a caller.
    let odd = [
        made("none", "/O=Example", &[]),
        made("wildcard", "/CN=x", &["DNS:*.example.com"]),
        made("star", "/CN=*", &[]),
        made("newline", "/CN=alice\nx", &[]),
        made("control", "/CN=alice\u{1b}[2J", &[]),
        made("cyrillic", "/CN=\u{430}lice", &[]),
        made("hidden", "/CN=alice\u{200b}", &[]),
        made("long", "/CN=alice", &[&format!("URI:spiffe://corp/{}", "a".repeat(400))]),
        made("two", "/CN=alice", &["URI:spiffe://corp/a", "URI:spiffe://corp/b"]),
        made("twice", "/CN=alice/CN=bob", &[]),
    ];
    for pair in &odd {
        let (status, challenge) = scene.status(Some(pair)).expect("TLS agrees");
        assert_eq!(status, 401, "{}", pair.cert.display());
        assert!(challenge.starts_with("Bearer"), "{challenge}");
    }
    // TLS itself refuses these.
    let strangers = Authority::new(&scene.site, "strangers");
    let (stranger, expired) = (strangers.client("alice-of-strangers"), scene.clients.expired_client("expired"));
    for pair in [Some(&stranger), Some(&expired), None] {
        assert_eq!(scene.status(pair), None, "{pair:?}");
    }
    scene.host.terminate();
    let audit = fs::read_to_string(scene.site.path("audit/audit.jsonl")).expect("the log reads");
    for principal in ["cert:alice", "robot", "pinned", "cert:ops@example.com"] {
        let named = |line: &&str| line.contains("invocation") && line.contains(&format!("\"{principal}\""));
        assert!(audit.lines().any(|line| named(&line)), "{principal} is not in {audit}");
    }
    let refused = |line: &&str| line.contains("\"refusal\"") && line.contains("certificate");
    assert!(audit.lines().filter(refused).count() >= odd.len(), "{audit}");
}

#[test]
fn only_listed_certificates_are_callers_where_that_is_said() {
    let scene = Scene::new(
        "",
        "only-listed = true\nnames-from = ['subject-cn']\nnames = { alice = {}, '\u{fc}lk\u{fc}' = { principal = 'pinned' } }",
        RULES,
    );
    let of = |name: &str, subject: &str| scene.clients.client_of(name, subject, &["DNS:alice"]);
    let listed = scene.client(Some(&of("alice", "/CN=alice"))).expect("TLS agrees").tools();
    assert_eq!(listed, ["context_peek"]);
    let listed = scene.client(Some(&of("other", "/CN=\u{fc}lk\u{fc}"))).expect("TLS agrees").tools();
    assert_eq!(listed, ["context_peek"], "a name that is listed may have any letters");
    for subject in ["/CN=bob", "/CN=Alice", "/CN=alice ", "/O=alice"] {
        assert_eq!(scene.status(Some(&of("no", subject))).map(|(status, _)| status), Some(401), "{subject:?}");
    }
}

#[test]
fn a_key_does_as_well_where_certificates_are_optional() {
    let scene = Scene::new(", client-auth = 'optional'", "", RULES);
    let key = new_key(&scene.site, "keyed", &[]);
    let alice = scene.clients.client("alice");
    let bearer = format!("Bearer {key}");
    let tools = |pair: Option<&Pair>, key: bool| {
        let mut client = scene.client(pair).expect("TLS agrees");
        if key {
            client = client.with_header("Authorization", &bearer);
        }
        client.tools()
    };
    assert_eq!(tools(Some(&alice), false), ["context_peek"]);
    assert_eq!(tools(None, true), ["echo"]);
    assert_eq!(tools(Some(&alice), true), ["echo"], "the key says who it is, never both");
    assert_eq!(scene.status(None).map(|(status, _)| status), Some(401));
    let stranger = Authority::new(&scene.site, "strangers").client("alice-of-strangers");
    assert_eq!(scene.status(Some(&stranger)), None, "a bad certificate is worse than none");
}

#[test]
fn a_revoked_certificate_ends_the_connections_it_has() {
    let site = Site::new();
    let (servers, clients) = (Authority::new(&site, "servers"), Authority::new(&site, "clients"));
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| clients.client(name));
    let list = clients.revoke(&[&carol], false);
    let tls = format!(", client-crl = {}", quoted(&list));
    let scene = Scene::with(site, servers, clients, &tls, "", "");
    assert_eq!(scene.status(Some(&carol)), None, "revoked before the server began");
    let mut open = [&alice, &bob].map(|pair| scene.client(Some(pair)).expect("TLS agrees"));
    let streams = [&alice, &bob].map(|pair| scene.client(Some(pair)).expect("TLS agrees").listen());
    for client in &mut open {
        assert!(!client.tools().is_empty());
    }
    let mark = scene.host.log.mark();
    scene.clients.revoke(&[&bob], false);
    scene.host.log.wait_for(mark, &["new certificates in service"]);
    scene.host.log.wait_for(mark, &["certificate is no longer good"]);
    let [mut of_alice, of_bob] = open;
    of_bob.into_http().closes();
    let [still, over] = streams;
    over.ends();
    assert!(!of_alice.tools().is_empty(), "others notice nothing");
    drop(still);
    assert_eq!(scene.status(Some(&bob)), None);
    assert_eq!(scene.status(Some(&alice)).map(|(status, _)| status), Some(200));

    // A list that is out of date says nothing of anybody.
    let mark = scene.host.log.mark();
    scene.clients.revoke(&[], true);
    scene.host.log.wait_for(mark, &["new certificates in service"]);
    scene.host.log.wait_for(mark, &["certificate is no longer good"]);
    assert_eq!(scene.status(Some(&alice)), None);
    assert!(!scene.host.log.since(Mark::START).contains("PRIVATE"));
}
