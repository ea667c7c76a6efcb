//! Each tenant's secret goes into its own requests only; no placeholder, header, error, log or progress shows the other's.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use toolcell_tests::host::Host;
use toolcell_tests::site::Site;
use toolcell_tests::web::{ECHO, Web};

use super::super::{new_key, with_key};
use super::tally::Tally;

/// How requests with a secret are asked for.
const MARK: &str = "toolcell-secret:api";

#[test]
fn no_tenant_gets_the_secret_of_the_other() {
    let site = Site::new();
    let pages = || BTreeMap::from(["/", "/echo"].map(|path| (path, ("text/plain", ECHO.to_owned()))));
    let (service, collector) = (Web::serve(pages()), Web::serve(pages()));
    let (alices, mallorys) = ("value-of-alice+/=", "value-of-mallory");
    site.write("alice.txt", alices);
    site.write("mallory.txt", mallorys);
    let secrets = "[secrets.api]\nprincipals = { alice = { file = 'alice.txt' }, mallory = { file = 'mallory.txt' } }\n\
                   [secrets.only]\nprincipals = { alice = { file = 'alice.txt' } }\n";
    let (s, c) = (service.origin(), collector.origin());
    let component = toolcell_tests::artifacts::guest("courier");
    let narrowed = |plugin: &str, secret: &str| {
        format!(
            "[[plugins.{plugin}.callers]]\nprincipals = ['alice']\nhosts = ['{s}']\n\
             [[plugins.{plugin}.callers]]\nprincipals = ['mallory']\nhosts = ['{s}', '{c}']\n{secret}\n"
        )
    };
    let entry = |plugin: &str, uses: &str| {
        let more = format!("prefix = '{plugin}_'\nhosts = ['{s}', '{c}']\ninstances = 'warm'\nsecrets = [{uses}]");
        Site::entry(plugin, &component, &more)
    };
    let plugins = [
        entry("marked", &format!("{{ name = 'api', hosts = ['{s}'], placeholder = true, env = 'API' }}")),
        narrowed("marked", ""),
        entry("bearer", &format!("{{ name = 'only', hosts = ['{s}'] }}")),
        narrowed("bearer", ""),
        entry("taken", &format!("{{ name = 'api', hosts = ['{s}'], header = 'x-api-key' }}")),
        narrowed("taken", "secrets = []"),
    ];
    let (alice, mallory) = (new_key(&site, "alice", &[]), new_key(&site, "mallory", &[]));
    let host = Host::serve(&site.config(&format!("[auth]\nkeys = 'keys.json'\n{secrets}{}", plugins.concat())));
    let (mut alice, mut mallory) = (with_key(&host, &alice), with_key(&host, &mallory));
    let mut tally = Tally::new("secrets", &[alices, "value-of-alice", mallorys]);

    // The tenant itself: its value gets there and comes back masked; what its guest was told is only the placeholder.
    let arrived = |name: &str| service.heads().pop().is_some_and(|head| head.contains(name));
    let params = json!({ "urls": [format!("{s}/echo")], "headers": [format!("X-Key: {MARK}")], "env": 1 });
    let said = alice.say("marked_courier", &params);
    assert!(arrived(alices) && said.contains("x-key: ***") && said.contains(&format!("env:API:done:{MARK}")), "{said}");
    for tool in ["bearer_courier", "taken_courier"] {
        let said = alice.say(tool, &json!({ "urls": [format!("{s}/echo")] }));
        assert!(arrived(alices) && !said.contains("value-of"), "{said}");
    }

    // With what alice's guest was told, and all that looks like it, in every part of a request.
    let forms = [
        MARK.to_owned(),
        format!("Bearer {MARK}"),
        format!("{MARK}:alice"),
        format!("{MARK}.alice"),
        format!("{MARK}/alice"),
        format!("{MARK}@alice"),
        format!("{MARK}\t{MARK}"),
        "toolcell-secret:only".to_owned(),
        "toolcell-secret:api.principals.alice".to_owned(),
        "toolcell-secret:".to_owned(),
        "TOOLCELL-SECRET:API".to_owned(),
        "toolcell-secret%3Aapi".to_owned(),
        "toolcell-toolcell-secret:apisecret:api".to_owned(),
        "${API}".to_owned(),
        "{principal}".to_owned(),
        "alice".to_owned(),
        "file:alice.txt".to_owned(),
    ];
    let before = (service.heads().len(), collector.heads().len());
    for (number, form) in forms.iter().enumerate() {
        let places = [
            json!({ "headers": [format!("X-Key: {form}")] }),
            json!({ "headers": [format!("Authorization: {form}"), format!("X-Principal: alice")] }),
            json!({ "headers": [format!("X-{number}: a"), format!("Cookie: {form}")], "fail": 1 }),
            json!({ "path": format!("/echo?key={form}") }),
            json!({ "method": "POST", "body": form }),
        ];
        for (place, part) in places.iter().enumerate() {
            for tool in ["marked_courier", "bearer_courier", "taken_courier"] {
                let path = part["path"].as_str().unwrap_or("/echo").replace(' ', "+");
                let mut arguments = part.clone();
                arguments["urls"] = json!([format!("{s}{path}"), format!("{c}{path}")]);
                let params = json!({ "name": tool, "arguments": arguments, "_meta": { "progressToken": "p" } });
                let messages = mallory.exchange("tools/call", &params);
                let all: String = messages.iter().map(Value::to_string).collect();
                tally.refused(&format!("{tool} {form:?} at {place}"), &all, &[":done:", ":refused:"]);
                // It has no value there, so nothing may have been sent at all.
                let sent = |line: &str| line.contains(&format!("send:{s}")) && line.contains(":done:");
                let lines = |message: &Value| message.to_string().split("\\n").any(sent);
                assert!(tool != "bearer_courier" || !messages.iter().any(lines), "{all}");
            }
        }
    }
    tally.at_least(200);
    // All this was sent, and with the sender's own value at most.
    let (there, elsewhere) = (service.heads().split_off(before.0), collector.heads().split_off(before.1));
    assert!(there.len() > 100 && elsewhere.len() > 100, "{} and {} requests", there.len(), elsewhere.len());
    assert!(there.iter().any(|head| head.contains(mallorys)), "its own value goes with its own requests");
    let told = |heads: &[String], value: &str| heads.iter().find(|head| head.contains(value)).cloned();
    assert_eq!(told(&there, "value-of-alice"), None);
    assert_eq!(told(&elsewhere, "value-of"), None, "the collector is no place for secrets");
    // The third plugin has no secret for this caller at all.
    let said = mallory.say("bearer_courier", &json!({ "urls": [format!("{s}/echo")] }));
    assert!(said.contains("has no value for \"mallory\""), "{said}");
    let said = mallory.say("taken_courier", &json!({ "urls": [format!("{s}/echo")] }));
    assert!(said.contains(":done:200") && !said.contains("x-api-key"), "{said}");
    let log = host.log.all();
    assert!(log.contains("courier") && !log.contains("value-of"), "{log}");
    // Alice's still goes.
    alice.say("marked_courier", &params);
    assert!(arrived(alices));
}

#[test]
fn no_tenant_is_given_the_instance_that_served_the_other() {
    let site = Site::new();
    let (alice, mallory) = (new_key(&site, "alice", &[]), new_key(&site, "mallory", &[]));
    let lesser = new_key(&site, "alice", &["--group", "guests"]);
    let state = Site::guest("state", "instances = 'warm'");
    let host = Host::serve(&site.config(&format!("[auth]\nkeys = 'keys.json'\n{state}")));
    let [mut alice, mut mallory, mut lesser] = [alice, mallory, lesser].map(|key| with_key(&host, &key));
    let count = |client: &mut toolcell_tests::mcp::Modern| -> u64 {
        client.say("state", &json!({})).parse().expect("a number of calls")
    };
    for round in 1..=20 {
        assert_eq!(count(&mut alice), round, "her instance is kept for her");
        assert_eq!(count(&mut mallory), round, "and his for him");
    }
    assert!(count(&mut lesser) <= 1, "one person's lesser key is another caller");
}
