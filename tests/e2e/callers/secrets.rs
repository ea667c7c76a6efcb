//! Secrets: the service gets them, the guest, the caller and the log do not.

use std::collections::BTreeMap;

use serde_json::json;
use toolcell_tests::host::Host;
use toolcell_tests::site::Site;
use toolcell_tests::web::{ECHO, Web};

use super::{new_key, with_key};

#[test]
fn a_service_gets_the_secret_and_nobody_else_sees_it() {
    let site = Site::new();
    let pages = ["/echo", "/other"].map(|path| (path, ("text/plain", ECHO.to_owned())));
    let (web, elsewhere) = (Web::serve(BTreeMap::from(pages.clone())), Web::serve(BTreeMap::from(pages)));
    site.write("shared.txt", "value-of-everyone\n");
    site.write("alice.txt", "value-of-alice+/=\n");
    let (alice, bob) = (new_key(&site, "alice", &[]), new_key(&site, "bob", &[]));
    let fetch = Site::plugin(
        "fetch",
        &format!(
            "hosts = ['{0}', '{1}']\naddresses = ['127.0.0.1/32']\nenv = {{ FETCH_IGNORE_ROBOTS_TXT = '1' }}\n\
             secrets = [{{ name = 'api', hosts = ['{0}/echo'] }}]",
            web.origin(),
            elsewhere.origin()
        ),
    );
    let secrets = "[secrets.api]\nfile = 'shared.txt'\nprincipals.alice = { file = 'alice.txt' }\n";
    let host = Host::serve(&site.config(&format!("[auth]\nkeys = 'keys.json'\n{secrets}{fetch}")));
    let (mut alice, mut bob) = (with_key(&host, &alice), with_key(&host, &bob));

    let get = |client: &mut toolcell_tests::mcp::Modern, url: String| {
        client.call("fetch", &json!({ "url": url, "raw": true })).to_string()
    };
    for (client, value) in [(&mut alice, "value-of-alice+/="), (&mut bob, "value-of-everyone")] {
        let said = get(client, format!("{}/echo", web.origin()));
        let sent = web.heads().pop().expect("a request came").to_lowercase();
        assert!(sent.contains(&format!("authorization: bearer {value}")), "{sent}");
        assert!(said.to_lowercase().contains("authorization: bearer ***"), "the service said it back: {said}");
        assert!(!said.contains(value), "{said}");
        // A page of the same service that was not granted, and another service.
        for url in [format!("{}/other", web.origin()), format!("{}/echo", elsewhere.origin())] {
            let said = get(client, url);
            assert!(!said.to_lowercase().contains("authorization"), "{said}");
        }
    }
    let seen: String = elsewhere.heads().concat();
    assert!(!seen.contains("value-of"), "{seen}");
    assert!(!host.log.all().contains("value-of"), "the log");

    // Rotated while the server runs.
    host.reload(|| site.replace("shared.txt", "value-after-rotation"));
    get(&mut bob, format!("{}/echo", web.origin()));
    let sent = web.heads().pop().expect("a request came");
    assert!(sent.contains("value-after-rotation"), "{sent}");
}
