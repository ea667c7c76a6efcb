//! Plugins that offer what nobody should be offered: the list, or the item, is refused in words that say why, and all
//! else is served.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toolcell_tests::artifacts::guest;
use toolcell_tests::host::Host;
use toolcell_tests::log::Mark;
use toolcell_tests::mcp::{HANDSHAKE, Modern};
use toolcell_tests::site::Site;
use toolcell_tests::web::Web;

/// The revisions in which a resource that is not there has a code of its own.
const HANDSHAKES: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", HANDSHAKE];

fn echoes(client: &mut Modern) {
    assert_eq!(client.say("echo", &json!({ "message": "next" })), "next");
}

/// What each list shows, by URI, template and name.
fn shown(client: &mut Modern) -> [Vec<String>; 3] {
    [
        ("resources/list", "resources", "uri"),
        ("resources/templates/list", "resourceTemplates", "uriTemplate"),
        ("prompts/list", "prompts", "name"),
    ]
    .map(|(method, member, key)| {
        let items = client.list(method, member);
        items.iter().map(|item| item[key].as_str().unwrap_or_default().to_owned()).collect()
    })
}

#[test]
fn a_list_that_is_too_long_is_refused_by_its_limit() {
    let cases = [
        ("resources", "2001", "it offers 2001 resources, at most 2000 are accepted; raise `limits.resources`"),
        ("templates", "2001", "it offers 2001 resource templates, at most 2000 are accepted; raise `limits.resources`"),
        ("prompts", "513", "it offers 513 prompts, at most 512 are accepted; raise `limits.prompts`"),
        // So many that they are not even taken out of the guest.
        ("resources", "100000", "limits."),
        ("templates", "100000", "limits."),
        ("prompts", "100000", "limits."),
    ];
    let site = Site::new();
    let entries = cases.map(|(list, count, _)| {
        let more = format!("env = {{ LIST = '{list}', COUNT = '{count}' }}");
        Site::entry(&format!("{list}-{count}"), &guest("offers_many"), &more)
    });
    let host = Host::serve(&site.config(&format!("{}{}", entries.concat(), Site::plugin("echo", ""))));
    for (list, count, words) in cases {
        host.log.wait_for(Mark::START, &["ERROR", &format!("{list}-{count}"), words]);
    }
    let mut client = host.modern();
    assert_eq!(shown(&mut client), [(); 3].map(|()| Vec::<String>::new()));
    echoes(&mut client);
}

#[test]
fn a_list_that_does_not_come_leaves_the_other_plugins_alone() {
    let site = Site::new();
    let lists = ["list-resources", "list-templates", "list-prompts"];
    let ways: [(&str, &[&str]); 7] = [
        ("hangs", &["300 ms", "limits.cpu-ms"]),
        ("sleeps", &["500 ms", "limits.list-wall-ms"]),
        ("panics", &["crashed", "this guest panics on purpose"]),
        ("fails", &["this guest fails on purpose"]),
        ("forges", &["this guest fails on purpose"]),
        ("forges-and-panics", &["crashed", "this guest panics on purpose"]),
        ("talks", &["limits.output-bytes"]),
    ];
    let mut config = String::new();
    for list in lists {
        for (how, _) in ways {
            let more =
                format!("env = {{ LIST = '{list}', HOW = '{how}' }}\nlimits = {{ cpu-ms = 300, list-wall-ms = 500 }}");
            config += &Site::entry(&format!("{list}-{how}"), &guest("offers_nothing_good"), &more);
        }
    }
    config += &Site::entry("well", &guest("offers_nothing_good"), "");
    let host = Host::serve(&site.config(&format!("{config}{}", Site::plugin("echo", ""))));
    for list in lists {
        for (how, words) in ways {
            let (plugin, failed) = (format!("plugin {list}-{how} "), format!("{list} failed: "));
            let mut parts = vec!["ERROR", &plugin, &failed];
            parts.extend(words);
            host.log.wait_for(Mark::START, &parts);
        }
    }
    for line in host.log.all().lines() {
        assert!(!line.trim_start().starts_with("2026-01-01"), "a line is forged: {line:?}");
        assert!(!line.contains('\u{1b}'), "a line moves the cursor: {line:?}");
    }
    let mut client = host.modern();
    assert_eq!(shown(&mut client), [["x:1"], ["x:{a}"], ["p"]]);
    echoes(&mut client);
}

#[test]
fn what_is_no_resource_template_or_prompt_is_left_out_and_the_rest_is_served() {
    let site = Site::new();
    let host = Host::serve(&site.config(&format!("{}{}", Site::guest("offers_bad", ""), Site::plugin("echo", ""))));
    let mut client = host.modern();
    assert_eq!(shown(&mut client), [vec!["good://r"], vec!["good://{t}", "meta://.*", "meta://a+/{c}"], vec!["good"]]);

    // What is left out, as the log shows it, and why.
    let of_all = [
        ("icon-script", "neither an `https:` nor a `data:` URI"),
        ("icon-http", "neither an `https:` nor a `data:` URI"),
        ("icon-file", "neither an `https:` nor a `data:` URI"),
        ("meta-array", "its meta is not a JSON object"),
        ("meta-half", "its meta is not a JSON object"),
        ("meta-long", "its meta is 100008 bytes long, at most 65536"),
        ("title", "its title contains control characters"),
        ("description", "its description contains control characters"),
        ("description-long", "its description is 100000 bytes long, at most 16384"),
    ];
    for what in ["resource", "resource template", "prompt"] {
        for (name, why) in of_all {
            let end = if what == "resource template" { "/{a}" } else { "" };
            host.log.wait_for(Mark::START, &["ERROR", &format!("its {what} \"bad://{name}{end}\" is left out: "), why]);
        }
    }
    for (key, why) in [
        ("resource \"bad://media-type\"", "its media type contains control characters"),
        ("resource \"bad://name\"", "its name contains control characters"),
        ("resource \"bad://name-empty\"", "1 to 256"),
        ("resource \"\"", "no scheme"),
        ("resource \"no-scheme\"", "no scheme"),
        ("resource \"://x\"", "no scheme"),
        ("resource \"1a:x\"", "no scheme"),
        ("resource \"sp ace://x\"", "white space"),
        ("resource \"white://a b\"", "white space"),
        ("resource \"nul://\\0\"", "control characters"),
        ("resource \"esc://\\u{1b}[2J\"", "control characters"),
        ("resource \"long://x", "1000007 bytes long, at most 8192"),
        ("resource \"quote://\\\"\"", "contains '\"', which no URI may"),
        ("resource \"bar://a|b\"", "contains '|'"),
        ("resource \"brace://{a}\"", "contains '{'"),
        ("resource \"percent://%zz\"", "write it as %25"),
        ("resource \"umlaut://\u{fc}\"", "contains '\u{fc}'"),
        ("resource template \"x://(a|b)/{c}\"", "contains '|'"),
        ("resource \"good://r\"", "listed twice"),
        ("resource template \"bad://media-type/{a}\"", "its media type contains control characters"),
        ("resource template \"x://{\"", "`{` without `}`"),
        ("resource template \"x://}\"", "`}` without `{`"),
        ("resource template \"x://{}\"", "no valid variable"),
        ("resource template \"x://{a{b}}\"", "no valid variable"),
        ("resource template \"x://{a}}\"", "`}` without `{`"),
        ("resource template \"x://{(.*)+}\"", "no valid variable"),
        ("resource template \"{a}\"", "no scheme"),
        ("resource template \"x://{ }\"", "white space"),
        ("resource template \"x://{a}{a}", "150004 bytes long, at most 8192"),
        ("resource template \"x://{/a*}", "too many variables"),
        ("resource template \"good://{t}\"", "listed twice"),
        ("prompt \"\"", "1 to 256"),
        ("prompt \"new\\nline\"", "control characters"),
        ("prompt \"nul\\0\"", "control characters"),
        ("prompt \"xxx", "1000000 bytes long; it must have 1 to 256"),
        ("prompt \"twice\"", "its argument \"a\" is there twice"),
        ("prompt \"argument\"", "of one of its arguments, its name contains control characters"),
        ("prompt \"good\"", "listed twice"),
    ] {
        host.log.wait_for(Mark::START, &["ERROR", &format!("its {key}"), why]);
    }
    let longest = host.log.all().lines().map(str::len).max().unwrap_or_default();
    assert!(longest < 2_000, "a line of the log has {longest} bytes");
    assert!(!host.log.all().contains('\u{1b}'), "the log moves no cursor");

    // Letters that mean something to a regular expression mean themselves.
    for uri in ["meta://anything", "meta://aa/1", "meta://a+/1/2"] {
        let response = client.ask("resources/read", &json!({ "uri": uri }));
        assert_eq!(response["error"]["message"], format!("resource not found: {uri}"), "{response}");
    }
    let mut session = host.session(HANDSHAKE);
    assert_eq!(session.ask("resources/list", &json!({}))["result"]["resources"][0]["uri"], "good://r");
    assert_eq!(session.ask("prompts/list", &json!({}))["result"]["prompts"][0]["name"], "good");
    echoes(&mut client);
}

#[test]
fn a_list_reads_what_it_was_granted_and_reaches_no_network() {
    let site = Site::new();
    let inside = site.write("data/inside.txt", "inside");
    let web = Web::serve(BTreeMap::from([("/", ("text/plain", "hello".to_owned()))]));
    let grants = format!(
        "dirs = [{{ host = 'data', guest = '/data', access = 'read-write' }}]\nhosts = ['{0}']\n\
         addresses = ['127.0.0.1']\nenv = {{ URL = '{0}' }}",
        web.origin()
    );
    let host = Host::serve(&site.config(&Site::guest("offers_authority", &grants)));
    let mut client = host.modern();
    for (method, member, sees) in [
        ("tools/list", "tools", false),
        ("resources/list", "resources", true),
        ("resources/templates/list", "resourceTemplates", true),
        ("prompts/list", "prompts", true),
    ] {
        let items = client.list(method, member);
        let report = items[0]["description"].as_str().unwrap_or_default();
        let is = |start: &str| report.lines().any(|line| line.starts_with(start));
        assert!(is("env-count::done:1"), "{method}: {report}");
        assert_eq!(is("dir-count::done:1") && is("read:/data/inside.txt:done:inside"), sees, "{method}: {report}");
        assert_eq!(is("dir-count::done:0") && is("read:/data/inside.txt:refused"), !sees, "{method}: {report}");
        assert!(is("write:/data/new.txt:refused") && is("remove:/data/inside.txt:refused"), "{method}: {report}");
        assert!(is("get:") && !report.contains("200 5 bytes"), "{method}: {report}");
    }
    assert_eq!(web.asked(), [""; 0], "nothing may have arrived");
    assert_eq!(fs::read_to_string(inside).ok().as_deref(), Some("inside"));
}

/// Two plugins that both want the same names. The first is first in the configuration.
fn rivals(site: &Site) -> Host {
    let first = "env = { NAME = 'first', RESOURCES = 'note://a', TEMPLATES = 'note://t/{x}', PROMPTS = 'p' }";
    let second = "env = { NAME = 'second', RESOURCES = 'note://a note://b note://t/own', \
                  TEMPLATES = 'note://t/{x} note://{+rest}', PROMPTS = 'p q' }";
    let component = guest("offers");
    // The order of the file counts, and not that of the names.
    let config = Site::entry("z-first", &component, first) + &Site::entry("a-second", &component, second);
    Host::serve(&site.config(&config))
}

#[test]
fn the_first_plugin_keeps_its_names_and_the_finding_names_both() {
    let site = Site::new();
    let host = rivals(&site);
    for what in ["resource note://a", "resource template note://t/{x}", "prompt p"] {
        host.log.wait_for(
            Mark::START,
            &[
                "ERROR",
                "plugin a-second",
                &format!("its {what} is left out: plugin z-first already offers one of that name"),
            ],
        );
    }
    let mut client = host.modern();
    assert_eq!(
        shown(&mut client),
        [vec!["note://a", "note://b", "note://t/own"], vec!["note://t/{x}", "note://{+rest}"], vec!["p", "q"]]
    );
    // A template of a later plugin, and even a resource, takes nothing that an earlier one lists or matches.
    let reads = [
        ("note://a", "first"),
        ("note://t/1", "first"),
        ("note://t/own", "first"),
        ("note://b", "second"),
        ("note://else/where", "second"),
    ];
    for (uri, owner) in reads {
        let said = format!("{owner} read {uri}");
        let response = client.ask("resources/read", &json!({ "uri": uri }));
        assert_eq!(response["result"]["contents"][0]["text"], said.as_str(), "{response}");
        for version in HANDSHAKES {
            let response = host.session(version).ask("resources/read", &json!({ "uri": uri }));
            assert_eq!(response["result"]["contents"][0]["text"], said.as_str(), "{version}: {response}");
        }
    }
    for (name, owner) in [("p", "first"), ("q", "second")] {
        let response = client.ask("prompts/get", &json!({ "name": name }));
        let text = &response["result"]["messages"][0]["content"]["text"];
        assert_eq!(text, &format!("{owner} filled {name}"), "{response}");
    }
    for (reference, owner) in [
        (json!({ "type": "ref/prompt", "name": "p" }), "first"),
        (json!({ "type": "ref/prompt", "name": "q" }), "second"),
        (json!({ "type": "ref/resource", "uri": "note://t/{x}" }), "first"),
        (json!({ "type": "ref/resource", "uri": "note://{+rest}" }), "second"),
    ] {
        let params = json!({ "ref": reference, "argument": { "name": "a", "value": "" } });
        let response = client.ask("completion/complete", &params);
        assert_eq!(response["result"]["completion"]["values"], json!([format!("{owner} completes a")]), "{response}");
    }
    let mark = host.log.mark();
    client.ask("resources/read", &json!({ "uri": "note://a" }));
    host.log.wait_for(mark, &["first was asked for note://a"]);
    let heard = |line: &&str| line.contains("second was asked for") && !line.contains("note://b");
    let heard: Vec<String> = host.log.all().lines().filter(heard).map(str::to_owned).collect();
    assert_eq!(heard.len(), 1 + HANDSHAKES.len(), "it heard of more than its own: {heard:#?}");
}

#[test]
fn what_nobody_lists_is_nobodys_and_no_guest_hears_of_it() {
    let site = Site::new();
    let more = "env = { NAME = 'only', RESOURCES = 'note://a', TEMPLATES = 'note://t/{x}', PROMPTS = 'p' }";
    let host = Host::serve(&site.config(&Site::guest("offers", more)));
    let mut client = host.modern();
    let long = format!("note://t/{}", "x".repeat(9_000));
    for uri in ["note://b", "note://t/1/2", "note://t/", "note://A", "file:///etc/passwd", "", "no-uri", &long] {
        let response = client.ask("resources/read", &json!({ "uri": uri }));
        assert_eq!(response["error"]["code"], -32602, "{response}");
        assert_eq!(response["error"]["data"], json!({ "uri": uri }), "{response}");
        for version in HANDSHAKES {
            let response = host.session(version).ask("resources/read", &json!({ "uri": uri }));
            assert_eq!(response["error"]["code"], -32002, "{version}: {response}");
            assert_eq!(response["error"]["data"], json!({ "uri": uri }), "{version}: {response}");
        }
    }
    for (method, params) in [
        ("prompts/get", json!({ "name": "q" })),
        (
            "completion/complete",
            json!({ "ref": { "type": "ref/prompt", "name": "q" }, "argument": { "name": "a", "value": "" } }),
        ),
        (
            "completion/complete",
            json!({ "ref": { "type": "ref/resource", "uri": "x:y" }, "argument": { "name": "a", "value": "" } }),
        ),
    ] {
        let response = client.ask(method, &params);
        assert_eq!(response["error"]["code"], -32602, "{response}");
    }
    let response = client.ask("resources/read", &json!({ "uri": "note://a" }));
    assert_eq!(response["result"]["contents"][0]["text"], "only read note://a", "{response}");
    // What is heard of last is in the log last.
    host.log.wait_for(Mark::START, &["only was asked for note://a"]);
    let heard = host.log.all().matches("was asked for").count();
    assert_eq!(heard, 1, "{}", host.log.all());
}

#[test]
fn under_load_templates_that_are_dear_to_compare_do_not_hold_up_others() {
    let site = Site::new();
    let host = Host::serve(&site.config(&format!("{}{}", Site::guest("template_bombs", ""), Site::plugin("echo", ""))));
    host.log.wait_for(Mark::START, &["in service"]);
    let mut client = host.modern();
    assert_eq!(client.list("resources/templates/list", "resourceTemplates").len(), 2_000);
    // The longest message there is, and the longest URI that is still one.
    for length in [3_000_000, 8_000] {
        let uri = format!("bomb://{}", "x".repeat(length));
        let begun = Instant::now();
        let response = host.session(HANDSHAKE).ask("resources/read", &json!({ "uri": uri }));
        assert_eq!(response["error"]["code"], -32002, "{}", response["error"]["code"]);
        assert!(begun.elapsed() < Duration::from_secs(10), "{length}: {:?}", begun.elapsed());
    }
    // A subscription names many at once; meanwhile others are served.
    let uris: Vec<Value> = (0..400).map(|n| format!("bomb://{n}{}", "x".repeat(8_000)).into()).collect();
    let (begun, other) = (Instant::now(), host.connect());
    std::thread::scope(|scope| {
        let subscriber = host.modern();
        let listening = scope.spawn(move || {
            let (_, agreed) = subscriber.listen_to_some(&json!({ "resourceSubscriptions": uris }));
            (agreed, Instant::now())
        });
        let mut other = Modern::new(other);
        let mut answers = 0;
        while !listening.is_finished() {
            echoes(&mut other);
            answers += 1;
        }
        let (agreed, acknowledged) = listening.join().expect("it is acknowledged");
        assert_eq!(agreed, json!({}), "none of them is anyone's");
        let took = acknowledged - begun;
        assert!(answers > 3 || took < Duration::from_millis(200), "{answers} answers in {took:?}");
    });
}
