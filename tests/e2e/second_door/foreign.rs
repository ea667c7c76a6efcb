//! The worlds of another host's examples, in the languages of the originals, unchanged behind this one.

use std::collections::BTreeMap;

use serde_json::json;
use toolcell_tests::artifacts;
use toolcell_tests::component::documented;
use toolcell_tests::host::Host;
use toolcell_tests::log::Mark;
use toolcell_tests::mcp::HANDSHAKE;
use toolcell_tests::site::Site;
use toolcell_tests::web::Web;

use super::{Door, nothing};

const FEED: &str =
    "<feed><entry><id>http://arxiv.org/abs/1</id><title>On cells</title><summary>They hold.</summary></entry></feed>";
const LIBRARIES: &str = r#"{"results":[{"id":"/tokio-rs/tokio","title":"Tokio","description":"Runs.","totalSnippets":7,"trustScore":9,"versions":["1.0"]}]}"#;

/// What the components' services answer.
fn web() -> Web {
    let page = |kind, text: &str| (kind, text.to_owned());
    Web::serve(BTreeMap::from([
        ("/page.html", page("text/html; charset=utf-8", "<html><body><h1>Cells</h1><p>They hold.</p></body></html>")),
        ("/data.json", page("application/json", r#"{"a":[1,2]}"#)),
        ("/api/query", page("application/atom+xml", FEED)),
        ("/pdf/1", page("application/pdf", "%PDF-1.7")),
        ("/api/v1/search", page("application/json", LIBRARIES)),
        ("/api/v1/tokio-rs/tokio", page("text/plain", "Use it.")),
        (
            "/res/v1/web/search",
            page("application/json", r#"{"web":{"results":[{"title":"Cells","url":"http://c/"}]}}"#),
        ),
        (
            "/github.com/urfave/cli/@latest",
            page("application/json", r#"{"Version":"v1.22.17","Time":"2025-06-26T16:02:07Z"}"#),
        ),
        ("/geo/1.0/direct", page("application/json", r#"[{"name":"Oslo","lat":59.9,"lon":10.7}]"#)),
        ("/data/2.5/weather", page("application/json", r#"{"main":{"temp":-3.5}}"#)),
    ]))
}

/// A grant of this web server and of these variables; those that end in `API` say where it is.
fn grants(web: &Web, variables: &[(&str, &str)]) -> String {
    let variables: Vec<String> = variables.iter().map(|(name, value)| format!("{name} = '{value}'")).collect();
    format!("hosts = ['{}']\nenv = {{ {} }}", web.origin(), variables.join(", "))
}

#[test]
fn fetch_in_rust_reaches_what_was_granted_and_nothing_else() {
    let (site, web) = (Site::new(), web());
    let mut config = Site::foreign("fetch-rs", &grants(&web, &[]));
    config += &Site::entry("alone", &artifacts::foreign("fetch-rs"), "prefix = 'alone_'");
    let host = Host::serve(&site.config(&config));
    let mut door = Door::of(&host);
    assert_eq!(door.names(), ["alone_fetch", "fetch"]);
    assert_eq!(door.property("fetch", "url"), &json!({ "type": "string" }));

    let url = |path: &str| json!({ "url": format!("{}{path}", web.origin()) });
    assert_eq!(door.call("fetch", &url("/page.html")), "Cells\nThey hold.");
    assert_eq!(door.call("fetch", &url("/data.json")), "{\n  \"a\": [\n    1,\n    2\n  ]\n}");
    assert_eq!(door.refusal("fetch", &url("/nothing")), "the answer was 404");
    assert_eq!(door.refusal("fetch", &json!({ "url": "nowhere" })), "`nowhere` is no URL");

    let asked = web.asked().len();
    for (tool, arguments) in [("alone_fetch", url("/page.html")), ("fetch", json!({ "url": "https://example.com/" }))] {
        let text = door.refusal(tool, &arguments);
        let granted = arguments["url"].as_str().unwrap_or_default().rsplit_once('/').unwrap_or_default().0;
        assert!(text.contains("hosts = [") && text.contains(granted), "{text}");
    }
    assert_eq!(web.asked().len(), asked, "a refused request went out");
    // The same in the other era.
    assert_eq!(host.session(HANDSHAKE).say("fetch", &url("/page.html")), "Cells\nThey hold.");
}

#[test]
fn filesystem_in_rust_sees_what_was_granted_and_nothing_else() {
    let site = Site::new();
    site.write("docs/hello.txt", "hello\n");
    site.write("docs/inner/other.md", "# other\n");
    site.write("secret.txt", "secret");
    let component = std::fs::read(artifacts::foreign("filesystem-rs")).expect("a component reads");
    let comments = [("read-file", "Gives the text of a file.\n\n- path: where it is")];
    site.write("fs.wasm", documented(&component, "fs", &comments));
    let config = "[plugins.fs]\npath = 'fs.wasm'\ndirs = [{ host = 'docs', guest = '/docs', access = 'read-only' }]\n";
    let host = Host::serve(&site.config(&format!("{config}\n{}", Site::foreign("filesystem-rs", "prefix = 'bare_'"))));
    let mut door = Door::of(&host);
    let own: Vec<&str> = door.names().into_iter().filter(|name| !name.starts_with("bare_")).collect();
    assert_eq!(own, ["get-file-info", "list-directory", "read-file", "search-file"]);
    // Descriptions are what the component has in its `package-docs`; without it there are none.
    let described = door.schema("read-file", "description").as_str().unwrap_or_default().to_owned();
    assert!(described.starts_with("Gives the text of a file."), "{described}");
    assert_eq!(door.property("read-file", "path")["description"], "where it is");

    let path = |path: &str| json!({ "path": path });
    assert_eq!(door.call("list-directory", &path("/docs")), json!(["[DIR] inner", "[FILE] hello.txt"]));
    assert_eq!(door.call("read-file", &path("/docs/hello.txt")), "hello\n");
    let found = door.call("search-file", &json!({ "path": "/docs", "pattern": "OTHER" }));
    assert_eq!(found, "/docs/inner/other.md");
    assert_eq!(door.call("get-file-info", &path("/docs/hello.txt")), "file of 6 bytes");
    for (tool, outside) in
        [("read-file", "/docs/../secret.txt"), ("read-file", "/etc/passwd"), ("bare_read-file", "/docs/hello.txt")]
    {
        let text = door.refusal(tool, &path(outside));
        assert!(text.starts_with(outside), "{tool} {outside}: {text}");
    }
}

#[test]
fn services_asked_from_rust_and_go_answer_through_the_granted_host() {
    let (site, web) = (Site::new(), web());
    let at = web.origin();
    let config = [
        Site::foreign("arxiv-rs", &grants(&web, &[("ARXIV_API", &at)])),
        Site::foreign("brave-search-rs", &grants(&web, &[("BRAVE_SEARCH_API", &at), ("BRAVE_SEARCH_API_KEY", "k")])),
        Site::foreign("context7-rs", &grants(&web, &[("CONTEXT7_API", &at)])),
        Site::foreign("gomodule-go", &grants(&web, &[("GOPROXY", &at)])),
        Site::entry("no_key", &artifacts::foreign("brave-search-rs"), "prefix = 'bare_'"),
        Site::entry("no_host", &artifacts::foreign("gomodule-go"), "prefix = 'bare_'"),
    ];
    let host = Host::serve(&site.config(&config.concat()));
    let mut door = Door::of(&host);

    let search = json!({ "query": "cells & walls", "max-results": 3, "date-from": "", "categories": "" });
    let paper = "## On cells\nhttp://arxiv.org/abs/1\nThey hold.";
    assert_eq!(door.call("search-papers", &search), paper);
    assert_eq!(door.call("download-paper", &json!({ "id": "1" })), json!(b"%PDF-1.7"));
    assert_eq!(door.call("read-paper", &json!({ "id": "1" })), paper);
    assert_eq!(door.refusal("download-paper", &json!({ "id": "2" })), "the answer was 404");
    let asked = web.asked();
    assert!(asked.iter().any(|path| path.contains("search_query=cells%20%26%20walls")), "{asked:?}");

    assert_eq!(door.call("search", &json!({ "query": "cells" })), "Cells: http://c/");
    assert_eq!(door.refusal("bare_search", &json!({ "query": "cells" })), "BRAVE_SEARCH_API_KEY is not set");

    let library = json!({
        "id": "/tokio-rs/tokio", "name": "Tokio", "description": "Runs.",
        "code-snippets": 7, "trust-score": 9, "versions": ["1.0"],
    });
    let found = door.call("context7_resolve-library-id", &json!({ "library-name": "tokio" }));
    assert_eq!(found, json!({ "success": true, "results": [library], "error": null }));
    let get = "context7_get-library-docs";
    assert_eq!(door.schema(get, "inputSchema")["required"], json!(["context7-compatible-library-id"]));
    for more in [json!({}), json!({ "topic": null, "tokens": 100 }), json!({ "topic": "tasks", "tokens": null })] {
        let mut arguments = json!({ "context7-compatible-library-id": "/tokio-rs/tokio" });
        arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let docs = door.call(get, &arguments);
        assert_eq!(docs, json!({ "success": true, "content": "Use it.", "error": null }), "{arguments}");
    }
    let last = web.asked().pop().unwrap_or_default();
    assert!(last.contains("topic=tasks") && !last.contains("tokens="), "{last}");

    let modules = json!({ "module-names": "github.com/urfave/cli, github.com/urfave/cli" });
    let versions = door.call("gomodule_get-latest-versions", &modules);
    assert_eq!(versions, r#"{"github.com/urfave/cli":"v1.22.17"}"#);
    let info = door.call("gomodule_get-module-info", &modules);
    let info: Vec<serde_json::Value> = serde_json::from_str(info.as_str().unwrap_or_default()).expect("it is JSON");
    assert_eq!((info.len(), &info[0]["Version"]), (2, &json!("v1.22.17")));
    assert_eq!(door.refusal("gomodule_get-module-info", &json!({ "module-names": " , " })), "name at least one module");
    let text = door.refusal("gomodule_get-module-info", &json!({ "module-names": "no/such" }));
    assert!(text.starts_with("no/such: 127.0.0.1:") && text.ends_with("answered 404"), "{text}");
    let text = door.refusal("bare_gomodule_get-module-info", &modules);
    assert!(text.contains("hosts = [") && text.contains("https://proxy.golang.org"), "{text}");
}

#[test]
fn a_graph_in_javascript_lives_as_long_as_its_instance() {
    let site = Site::new();
    let warm = Site::foreign("memory-js", "instances = 'warm'");
    let fresh = Site::entry("fresh", &artifacts::foreign("memory-js"), "prefix = 'fresh_'");
    let host = Host::serve(&site.config(&format!("{warm}{fresh}")));
    let mut door = Door::of(&host);
    assert_eq!(door.names().len(), 18, "{:?}", door.names());
    let ada = json!({ "name": "Ada", "entity-type": "person", "observations": ["writes programs"] });
    let engine = json!({ "name": "Engine", "entity-type": "machine", "observations": [] });
    let of = |operation: &str| format!("knowledge-graph-ops_{operation}");
    let entities = json!({ "entities": [ada, engine] });
    assert_eq!(door.call(&of("create-entities"), &entities), json!([ada, engine]));
    assert_eq!(door.call(&of("create-entities"), &entities), json!([]), "they are there already");
    let relation = json!({ "from-entity": "Ada", "to-entity": "Engine", "relation-type": "programs" });
    assert_eq!(door.call(&of("create-relations"), &json!({ "relations": [relation] })), json!([relation]));
    let added = door.call(
        &of("add-observations"),
        &json!({ "observations": [{ "entity-name": "Ada", "contents": ["writes programs", "counts"] }] }),
    );
    assert_eq!(added, json!([{ "entity-name": "Ada", "added-observations": ["counts"] }]));
    let ada = json!({ "name": "Ada", "entity-type": "person", "observations": ["writes programs", "counts"] });
    let whole = json!({ "entities": [ada, engine], "relations": [relation] });
    assert_eq!(door.call(&of("read-graph"), &nothing()), whole);
    let alone = json!({ "entities": [ada], "relations": [] });
    assert_eq!(door.call(&of("search-nodes"), &json!({ "query": "COUNT" })), alone);
    assert_eq!(door.call(&of("open-nodes"), &json!({ "names": ["Ada"] })), alone);
    let missing = json!({ "observations": [{ "entity-name": "Bob", "contents": [] }] });
    assert_eq!(door.refusal(&of("add-observations"), &missing), "there is no entity Bob; create it first");
    door.call(
        &of("delete-observations"),
        &json!({ "deletions": [{ "entity-name": "Ada", "observations": ["writes programs", "counts"] }] }),
    );
    door.call(&of("delete-relations"), &json!({ "relations": [relation] }));
    door.call(&of("delete-entities"), &json!({ "entity-names": ["Engine"] }));
    let ada = json!({ "name": "Ada", "entity-type": "person", "observations": [] });
    assert_eq!(door.call(&of("read-graph"), &nothing()), json!({ "entities": [ada], "relations": [] }));

    // A fresh instance for each call remembers nothing.
    assert_eq!(door.call("fresh_knowledge-graph-ops_create-entities", &entities).as_array().map(Vec::len), Some(2));
    let empty = json!({ "entities": [], "relations": [] });
    assert_eq!(door.call("fresh_knowledge-graph-ops_read-graph", &nothing()), empty);
}

#[test]
fn python_evaluates_inside_its_cell() {
    let site = Site::new();
    site.write("secret.txt", "secret");
    let host = Host::serve(&site.config(&Site::foreign("eval-py", "limits = { cpu-ms = 1000 }")));
    let mut door = Door::of(&host);
    assert_eq!(door.names(), ["eval", "exec"]);
    let eval = |expression: &str| json!({ "expression": expression });
    assert_eq!(door.call("eval", &eval("sum(range(10))")), "45");
    assert_eq!(door.call("eval", &eval("{'a': [1, None, 'x']}")), r#"{"a": [1, null, "x"]}"#);
    assert_eq!(door.refusal("eval", &eval("1 / 0")), "ZeroDivisionError: division by zero");
    assert_eq!(door.refusal("eval", &eval("print(")), "SyntaxError: '(' was never closed (<string>, line 1)");
    let exec = |statements: &str| json!({ "statements": statements });
    assert_eq!(door.call("exec", &exec("for i in range(3):\n    print(i)")), "0\n1\n2\n");
    // No state survives a call.
    door.call("exec", &exec("import builtins\nbuiltins.kept = 1"));
    let text = door.refusal("eval", &eval("kept"));
    assert_eq!(text, "NameError: name 'kept' is not defined");
    // What Python may do is what its cell may do.
    let secret = site.path("secret.txt");
    let text = door.refusal("eval", &eval(&format!("open({:?}).read()", secret.display().to_string())));
    assert!(text.starts_with("FileNotFoundError") || text.starts_with("PermissionError"), "{text}");
    assert_eq!(door.call("eval", &eval("len(__import__('os').environ)")), "0");
    let text = door.refusal("exec", &exec("while True: pass"));
    assert!(text.contains("limits.cpu-ms"), "{text}");
    assert_eq!(door.call("eval", &eval("'next'")), r#""next""#);
}

#[test]
fn the_time_and_the_weather_in_javascript() {
    let (site, web) = (Site::new(), web());
    let at = web.origin();
    let key = [("OPENWEATHER_API_KEY", "k"), ("OPENWEATHER_API", at.as_str())];
    let config = [
        Site::foreign("time-server-js", ""),
        Site::foreign("get-weather-js", &grants(&web, &key)),
        Site::entry("no_key", &artifacts::foreign("get-weather-js"), "prefix = 'bare_'"),
        Site::foreign("get-open-meteo-weather-js", "prefix = 'meteo_'"),
    ];
    let host = Host::serve(&site.config(&config.concat()));
    let mut door = Door::of(&host);
    assert_eq!(door.names(), ["bare_get-weather", "get-weather", "meteo_get-weather", "time_get-current-time"]);
    let now = door.call("time_get-current-time", &nothing());
    let now = now.as_str().unwrap_or_default().to_owned();
    let digits = |text: &str| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    assert!(now.get(..4).is_some_and(digits) && now.get(10..11) == Some("T") && now.ends_with('Z'), "{now}");
    // The clock is the cell's own, not that of when it was built.
    let later = door.call("time_get-current-time", &nothing());
    assert!(later.as_str().unwrap_or_default() > now.as_str(), "{now} {later}");

    let oslo = json!({ "city": "Oslo" });
    assert_eq!(door.call("get-weather", &oslo), "-3.5");
    let asked = web.asked();
    assert!(asked.iter().all(|path| path.contains("appid=k")), "{asked:?}");
    assert_eq!(door.refusal("bare_get-weather", &oslo), "OPENWEATHER_API_KEY is not set");
    // JavaScript's `fetch` says less than it was told; the operator is told in the log.
    let text = door.refusal("meteo_get-weather", &oslo);
    assert!(text.starts_with("https://geocoding-api.open-meteo.com/"), "{text}");
    host.log.wait_for(Mark::START, &["get-open-meteo-weather-js", "hosts = [", "https://geocoding-api.open-meteo.com"]);
}
