//! What one tenant's calls may reach on the network, the other's may not, however it is spelled and whoever sends them there.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use toolcell_tests::host::Host;
use toolcell_tests::mcp::text_of;
use toolcell_tests::site::Site;
use toolcell_tests::web::{ECHO, ELSEWHERE, Web};

use super::super::{new_key, with_key};
use super::TREASURE;
use super::tally::Tally;

const NOT_GRANTED: &[&str] = &[":refused:"];

/// Spellings of an authority that ends where `port` is served on this machine.
fn spellings(port: u16) -> Vec<String> {
    let hosts = [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "127.0.0.2",
        "127.255.255.254",
        "%6c%6f%63alhost",
        "127.0.0.1%2f",
        "１２７.0.0.1",
        "127。0。0。1",
        "localhost\u{0}",
        "127.0.0.1\t",
    ];
    hosts.map(|host| format!("http://{host}:{port}/")).to_vec()
}

/// URLs that name both: one reader may see one host, another the other.
fn mixtures(own: &str, other: &str) -> Vec<String> {
    vec![
        format!("http://{own}@{other}/"),
        format!("http://{own}:x@{other}/"),
        format!("http://user:{own}@{other}/"),
        format!("http://{own}\\@{other}/"),
        format!("http://{own}%40{other}/"),
        format!("http://{own}%2f@{other}/"),
        format!("http://{own},{other}/"),
        format!("http://{own} {other}/"),
        format!("http://{own}\r\nHost: {other}/"),
        format!("https://{other}/"),
        format!("ws://{other}/"),
        format!("ftp://{other}/"),
        format!("file://{other}/"),
        format!("HTTP://{other}/"),
    ]
}

#[test]
fn no_tenant_reaches_a_host_of_the_others() {
    let site = Site::new();
    let page = |text: &str| ("text/plain", text.to_owned());
    let theirs = Web::serve(BTreeMap::from([("/", page(TREASURE))]));
    let (a, port) = (theirs.origin(), theirs.address.port());
    let away = |url: String| ("text/html", format!("{ELSEWHERE}{url}"));
    let ways = [
        ("/1", away(format!("{a}/"))),
        ("/2", away(format!("http://localhost:{port}/"))),
        ("/3", away(format!("//127.0.0.1:{port}/"))),
        ("/4", away(format!("http://[::ffff:127.0.0.1]:{port}/"))),
        ("/5", away(format!("http://user@127.0.0.1:{port}/"))),
        ("/6", away(format!("http://2130706433:{port}/"))),
        ("/7", away("/1".to_owned())),
        ("/", page("mallory's own")),
    ];
    let own = Web::serve(BTreeMap::from(ways));
    let both = format!("hosts = ['{a}', 'http://localhost:{port}', '{0}']\naddresses = ['127.0.0.0/8']", own.origin());
    let callers = |plugin: &str| {
        format!(
            "[[plugins.{plugin}.callers]]\nprincipals = ['alice']\nhosts = ['{a}', 'http://localhost:{port}']\n\
             [[plugins.{plugin}.callers]]\nprincipals = ['mallory']\nhosts = ['{0}']\n",
            own.origin()
        )
    };
    let (alice, mallory) = (new_key(&site, "alice", &[]), new_key(&site, "mallory", &[]));
    let fetch_env = "\nenv = { FETCH_IGNORE_ROBOTS_TXT = '1' }";
    let plugins = [
        Site::guest("courier", &both) + &callers("courier"),
        Site::guest("private_address", &both) + &callers("private_address"),
        Site::guest("authority_tricks", &both) + &callers("authority_tricks"),
        Site::plugin("fetch", &format!("{both}{fetch_env}")) + &callers("fetch"),
    ];
    let host = Host::serve(&site.config(&format!("[auth]\nkeys = 'keys.json'\n{}", plugins.concat())));
    let (mut alice, mut mallory) = (with_key(&host, &alice), with_key(&host, &mallory));

    // Each reaches its own, or the rest would prove nothing.
    let reached = alice.say("courier", &json!({ "urls": [format!("{a}/"), format!("http://localhost:{port}/")] }));
    assert_eq!(reached.matches(TREASURE).count(), 2, "{reached}");
    let reached = mallory.say("courier", &json!({ "urls": [format!("{}/", own.origin())] }));
    assert!(reached.contains("mallory's own"), "{reached}");
    let reached = alice.say("courier", &json!({ "urls": [format!("{}/", own.origin())] }));
    assert!(reached.contains("not granted"), "{reached}");
    let before = (theirs.asked().len(), own.asked().len());

    let mut tally = Tally::new("hosts", &[TREASURE]);
    let (own_at, their_at) = (own.address.to_string(), theirs.address.to_string());
    let spelled = spellings(port).into_iter().chain(mixtures(&own_at, &their_at));
    for url in spelled {
        let report = mallory.say("courier", &json!({ "urls": [url] }));
        tally.refused(&url, &report, NOT_GRANTED);
        assert!(report.lines().all(|line| !line.contains(":done:") || line.contains("@") || line.contains(&own_at)));
    }
    for method in ["POST", "CONNECT", "TRACE", "connect", "GET http://127.0.0.1/ HTTP/1.1\r\nX:"] {
        let report = mallory.say("courier", &json!({ "urls": [format!("{a}/")], "method": method, "body": "x" }));
        tally.refused(method, &report, &[":refused:"]);
    }
    // Its own server, and headers that a proxy or a shared server would follow to the other.
    for header in ["Host", "host", ":authority", "Proxy-Authorization", "Proxy-Connection", "Connection", "Upgrade"] {
        let headers = [format!("{header}: {their_at}")];
        let report = mallory.say("courier", &json!({ "urls": [format!("{}/", own.origin())], "headers": headers }));
        tally.refused(header, &report, &[":refused:"]);
    }
    let report = mallory.say("private_address", &json!({ "port": port }));
    for line in report.lines() {
        tally.refused("private_address", line, NOT_GRANTED);
    }
    let report = mallory.say("authority_tricks", &json!({ "granted": own_at, "wanted": their_at }));
    for line in report.lines().filter(|line| line.contains(&their_at)) {
        // What is done went to its own server: the other one was asked nothing, as is looked at below.
        tally.refused("authority_tricks", line, &[":refused:", ":done:"]);
    }
    for number in 1..=7 {
        let params = json!({ "url": format!("{}/{number}", own.origin()), "raw": true });
        let answer = mallory.ask("tools/call", &json!({ "name": "fetch", "arguments": params }));
        tally.refused("a redirect", &answer["result"].to_string(), &["not granted", "cannot be asked for"]);
        assert_eq!(answer["result"]["isError"], true, "{answer}");
    }
    assert_eq!(theirs.asked().len(), before.0, "something arrived: {:?}", theirs.heads());
    assert!(own.asked().len() > before.1, "the redirects were begun");
    assert!(!own.heads().iter().any(|head| head.to_lowercase().contains(&format!("host: {their_at}"))));
    tally.at_least(100);
    // And it was never that the other host was gone.
    assert!(alice.say("courier", &json!({ "urls": [format!("{a}/")] })).contains(TREASURE));
}

#[test]
fn no_tenant_reaches_a_path_of_the_others_on_the_same_server() {
    let site = Site::new();
    let web = Web::serve(BTreeMap::from([("/mallory/x", ("text/plain", ECHO.to_owned()))]));
    let origin = web.origin();
    let (alice, mallory) = (new_key(&site, "alice", &[]), new_key(&site, "mallory", &[]));
    let courier = Site::guest("courier", &format!("hosts = ['{origin}']"))
        + &["alice", "mallory"]
            .map(|who| format!("[[plugins.courier.callers]]\nprincipals = ['{who}']\nhosts = ['{origin}/{who}/*']\n"))
            .concat();
    let host = Host::serve(&site.config(&format!("[auth]\nkeys = 'keys.json'\n{courier}")));
    let (mut alice, mut mallory) = (with_key(&host, &alice), with_key(&host, &mallory));
    let mut tally = Tally::new("paths", &[TREASURE]);
    for path in [
        "/alice/x",
        "/mallory/../alice/x",
        "/mallory/./../alice/x",
        "/mallory/%2e%2e/alice/x",
        "/mallory/%2E%2E/alice/x",
        "/mallory/.%2e/alice/x",
        "/mallory/..%2falice/x",
        "/mallory/..%2Falice/x",
        "/mallory/..%5calice/x",
        "/mallory/..\\alice\\x",
        "/mallory//..//alice/x",
        "/mallory/..;/alice/x",
        "/mallory/%252e%252e/alice/x",
        "//alice/x",
        "/./alice/x",
        "/mallory",
        "/malloryalice/x",
        "/MALLORY/../alice/x",
        "/mallory%2f../alice/x",
        "/mallory/x\r\n\r\nGET /alice/x HTTP/1.1\r\nHost: x\r\n\r\n",
        "/mallory/x HTTP/1.1\r\nX: /alice/x",
        "http://other/alice/x",
    ] {
        let report = mallory.say("courier", &json!({ "urls": [format!("{origin}{path}")] }));
        tally.refused(path, &report, &[":refused:"]);
    }
    let asked = web.asked();
    assert_eq!(asked, [""; 0], "something arrived");
    tally.at_least(20);
    assert!(mallory.say("courier", &json!({ "urls": [format!("{origin}/mallory/x")] })).contains(":done:200"));
    assert!(alice.say("courier", &json!({ "urls": [format!("{origin}/alice/x")] })).contains(":done:404"));
    let result: Value = alice.call("courier", &json!({ "urls": [format!("{origin}/mallory/x")] }));
    assert!(text_of(&result).contains("not granted"), "{result}");
}
