//! The contract of the SDKs: the examples `echo` and `todo` in every language, each held to the same checks in both eras.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use serde_json::{Value, json};
use toolcell_tests::artifacts::{example, sdk_example};
use toolcell_tests::host::Host;
use toolcell_tests::mcp::{HANDSHAKE, Modern, Session, request, text_of};
use toolcell_tests::site::Site;
use toolcell_tests::web::Web;

/// The table: one row for each language, by its name.
macro_rules! languages {
    ($($language:ident)*) => {
        $(
            #[test]
            fn $language() {
                Row::new(stringify!($language)).check();
            }
        )*
    };
}

languages! { rust python typescript javascript go c cpp zig }

/// JavaScript's other engine: slower with long strings, which is why it is not the default.
#[test]
fn starlingmonkey() {
    let site = Site::new();
    let more = "limits = { memory-mib = 256, cpu-ms = 20000, wall-ms = 30000 }";
    let host = Host::serve(&site.config(&Site::entry("echo", &sdk_example("starlingmonkey", "echo"), more)));
    let mut client = host.modern();
    for message in MESSAGES {
        assert_eq!(client.say("echo", &json!({ "message": message })), message);
    }
}

/// What `echo` must say back unchanged.
const MESSAGES: [&str; 5] = ["hi", "", "\u{0}", "a\u{0}b", "🦀 ünïcödé \u{2028}\r\n\t\"\\"];

/// One language's examples behind a host.
struct Row {
    language: &'static str,
    host: Host,
    web: Web,
    client: Modern,
    tools: BTreeMap<String, Value>,
    _site: Site,
}

/// What a client is told during a call, and what comes of it.
struct Told {
    progress: Vec<Value>,
    logs: Vec<Value>,
    result: Value,
}

impl Told {
    fn of(messages: &[Value]) -> Self {
        let told = |method: &str| -> Vec<Value> {
            messages.iter().filter(|told| told["method"] == method).map(|told| told["params"].clone()).collect()
        };
        let response = messages.iter().find(|message| message["method"].is_null()).cloned().unwrap_or_default();
        assert!(response["error"].is_null(), "{response}");
        let result = response["result"].clone();
        Self { progress: told("notifications/progress"), logs: told("notifications/message"), result }
    }

    fn text(&self) -> String {
        text_of(&self.result)
    }

    fn structured(&self) -> &Value {
        &self.result["structuredContent"]
    }

    /// The steps that were told, as `(progress, total, message)`.
    fn steps(&self, token: &str) -> Vec<(u64, u64, String)> {
        let step = |told: &Value| {
            assert_eq!(told["progressToken"], token, "{told}");
            // Both are numbers, which may be written with a fraction.
            let number = |key: &str| told[key].as_f64().unwrap_or_default() as u64;
            (number("progress"), number("total"), told["message"].as_str().unwrap_or_default().to_owned())
        };
        self.progress.iter().map(step).collect()
    }
}

fn item(id: u64, title: &str, done: bool) -> Value {
    json!({ "id": id, "title": title, "done": done })
}

/// The capabilities of a client that answers forms.
fn asks() -> Value {
    json!({ "elicitation": {} })
}

/// `_meta` of a call that wants to be told everything.
fn curious(token: &str) -> Value {
    json!({ "progressToken": token, "io.modelcontextprotocol/logLevel": "info" })
}

impl Row {
    fn new(language: &'static str) -> Self {
        let (site, web) = (Site::new(), Web::serve(pages()));
        let todo = format!("key-value = true\nhosts = ['{}']", web.origin());
        let config = Site::entry("echo", &sdk_example(language, "echo"), "")
            + &Site::entry("todo", &sdk_example(language, "todo"), &todo);
        let host = Host::serve(&site.config(&config));
        let mut client = host.modern().declaring(asks());
        let listed = client.list("tools/list", "tools");
        let tools = listed.into_iter().map(|tool| (tool["name"].as_str().unwrap_or_default().to_owned(), tool));
        Self { language, host, web, client, tools: tools.collect(), _site: site }
    }

    fn check(mut self) {
        self.what_is_offered_is_described();
        self.echo_says_everything_back();
        self.an_empty_list_is_empty();
        self.items_are_added_and_listed();
        self.arguments_that_do_not_fit_are_named();
        self.items_are_completed();
        self.items_added_at_once_never_share_an_id();
        self.lists_are_imported_in_both_eras();
        self.what_cannot_be_imported_says_why();
        self.clearing_asks_first();
        self.clearing_asks_first_in_a_session();
    }

    /// Calls a tool whose result must fit its schema, if it is no error.
    fn call(&mut self, tool: &str, arguments: &Value) -> Told {
        let params = json!({ "name": tool, "arguments": arguments, "_meta": curious("t") });
        let told = Told::of(&self.client.exchange("tools/call", &params));
        self.judge(tool, &told);
        told
    }

    fn judge(&self, tool: &str, told: &Told) {
        if told.result["isError"] == true || told.result["resultType"] == "input_required" {
            return;
        }
        let schema = &self.tools[tool]["outputSchema"];
        if !schema.is_null() {
            let validator = jsonschema::validator_for(schema).unwrap_or_else(|why| panic!("{tool}: {why}: {schema}"));
            let fits = validator.validate(told.structured());
            assert!(fits.is_ok(), "{} {tool}: {fits:?}: {}", self.language, told.result);
        }
    }

    fn done(&mut self, tool: &str, arguments: &Value) -> Told {
        let told = self.call(tool, arguments);
        assert_ne!(told.result["isError"], true, "{} {tool} {arguments}: {}", self.language, told.result);
        told
    }

    fn refused(&mut self, tool: &str, arguments: &Value) -> String {
        let told = self.call(tool, arguments);
        assert_eq!(told.result["isError"], true, "{} {tool} {arguments}: {}", self.language, told.result);
        told.text()
    }

    fn what_is_offered_is_described(&mut self) {
        let language = self.language;
        let names: Vec<&str> = self.tools.keys().map(String::as_str).collect();
        assert_eq!(names, ["add", "clear", "complete", "echo", "import", "list"], "{language}");
        for (tool, description) in [
            ("echo", "Says back the message, unchanged."),
            ("add", "Adds an item to the list."),
            ("list", "Lists the items, oldest first."),
            ("complete", "Marks an item as done."),
            ("clear", "Removes all items that are done, after asking the person."),
            ("import", "Adds the items of a list on the web: a JSON array of titles."),
        ] {
            assert_eq!(self.tools[tool]["description"], description, "{language}");
            assert_eq!(self.tools[tool]["inputSchema"]["type"], "object", "{language} {tool}");
            assert!(tool == "echo" || self.tools[tool]["outputSchema"]["type"] == "object", "{language} {tool}");
        }
        for (tool, name, description, required) in [
            ("echo", "message", "What to say back.", true),
            ("add", "title", "What is to be done.", true),
            ("list", "state", "Which items to list.", false),
            ("complete", "id", "The item's number, from `list`.", true),
            ("import", "url", "Where the list is: an http or https URL.", true),
        ] {
            let schema = &self.tools[tool]["inputSchema"];
            assert_eq!(schema["properties"][name]["description"], description, "{language} {tool}: {schema}");
            let names = schema["required"].as_array().cloned().unwrap_or_default();
            assert_eq!(names.contains(&json!(name)), required, "{language} {tool}: {schema}");
        }
        for (tool, hint, value) in [
            ("echo", "readOnlyHint", true),
            ("echo", "idempotentHint", true),
            ("echo", "openWorldHint", false),
            ("list", "readOnlyHint", true),
            ("clear", "destructiveHint", true),
            ("import", "openWorldHint", true),
        ] {
            assert_eq!(self.tools[tool]["annotations"][hint], value, "{language} {tool} {hint}");
        }
        let title = &self.tools["echo"]["title"];
        assert!(title == "Echo" || self.tools["echo"]["annotations"]["title"] == "Echo", "{language}: {title}");
        // The other era lists the same.
        let listed = self.host.session(HANDSHAKE).ask("tools/list", &json!({}));
        let named: BTreeSet<String> = toolcell_tests::mcp::names_of(&listed["result"]).into_iter().collect();
        assert!(self.tools.keys().eq(named.iter()), "{language}: {named:?}");
    }

    fn echo_says_everything_back(&mut self) {
        for message in MESSAGES.into_iter().chain([&*"0123456789abcdef".repeat(4096)]) {
            let told = self.done("echo", &json!({ "message": message }));
            let expected = json!([{ "type": "text", "text": message }]);
            assert_eq!(told.result["content"], expected, "{}: {:?}", self.language, message.get(..20));
        }
        for wrong in [json!({}), json!({ "message": 5 }), json!({ "message": null })] {
            let text = self.refused("echo", &wrong);
            assert!(text.contains("message"), "{} {wrong}: {text}", self.language);
        }
    }

    fn an_empty_list_is_empty(&mut self) {
        let told = self.done("list", &json!({}));
        assert_eq!(told.text(), "Nothing to do.", "{}", self.language);
        assert_eq!(told.structured(), &json!({ "items": [], "open": 0, "done": 0 }), "{}", self.language);
        let told = self.done("clear", &json!({}));
        assert_eq!(told.text(), "Nothing to remove.", "{}", self.language);
        assert_eq!(told.structured(), &json!({ "removed": 0 }), "{}", self.language);
    }

    fn items_are_added_and_listed(&mut self) {
        // 200 characters of three bytes each.
        let long = "日".repeat(200);
        for (id, title) in [(1, "Buy milk"), (2, long.as_str()), (3, "Call \"Ada\"\n🦀")] {
            let told = self.done("add", &json!({ "title": title }));
            assert_eq!(told.structured(), &item(id, title, false), "{}", self.language);
            assert_eq!(told.text(), format!("Added {id}: {title}"), "{}", self.language);
        }
        let told = self.done("list", &json!({ "state": "open" }));
        let items = [item(1, "Buy milk", false), item(2, &long, false), item(3, "Call \"Ada\"\n🦀", false)];
        assert_eq!(told.structured(), &json!({ "items": items, "open": 3, "done": 0 }), "{}", self.language);
        let text = format!("[ ] 1: Buy milk\n[ ] 2: {long}\n[ ] 3: Call \"Ada\"\n🦀");
        assert_eq!(told.text(), text, "{}", self.language);
        let told = self.done("list", &json!({ "state": "done" }));
        assert_eq!(told.text(), "Nothing to do.", "{}", self.language);
        assert_eq!(told.structured(), &json!({ "items": [], "open": 3, "done": 0 }), "{}", self.language);
    }

    fn arguments_that_do_not_fit_are_named(&mut self) {
        for (tool, arguments, name) in [
            ("add", json!({}), "title"),
            ("add", json!({ "title": "" }), "title"),
            ("add", json!({ "title": "a".repeat(201) }), "title"),
            ("add", json!({ "title": 5 }), "title"),
            ("add", json!({ "title": ["a"] }), "title"),
            ("list", json!({ "state": "closed" }), "state"),
            ("list", json!({ "state": 1 }), "state"),
            ("complete", json!({}), "id"),
            ("complete", json!({ "id": 0 }), "id"),
            ("complete", json!({ "id": 1.5 }), "id"),
            ("complete", json!({ "id": "1" }), "id"),
            ("import", json!({ "url": 5 }), "url"),
        ] {
            let text = self.refused(tool, &arguments);
            assert!(text.contains(name), "{} {tool} {arguments}: {text}", self.language);
        }
    }

    fn items_are_completed(&mut self) {
        let told = self.done("complete", &json!({ "id": 1 }));
        assert_eq!(told.structured(), &item(1, "Buy milk", true), "{}", self.language);
        assert_eq!(told.text(), "Done 1: Buy milk", "{}", self.language);
        let text = self.refused("complete", &json!({ "id": 7 }));
        assert!(text.contains("there is no item 7; call list to see what there is"), "{}: {text}", self.language);
        let told = self.done("list", &json!({ "state": "done" }));
        assert_eq!(told.text(), "[x] 1: Buy milk", "{}", self.language);
        let counts = (&told.structured()["open"], &told.structured()["done"]);
        assert_eq!(counts, (&json!(2), &json!(1)), "{}", self.language);
        let told = self.done("list", &json!({ "state": "all" }));
        assert_eq!(told.structured()["items"].as_array().map(Vec::len), Some(3), "{}", self.language);
    }

    fn items_added_at_once_never_share_an_id(&mut self) {
        const CLIENTS: usize = 8;
        const EACH: usize = 5;
        let host = &self.host;
        let ids: Vec<u64> = thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    scope.spawn(move || {
                        let mut own = host.modern();
                        let mut add = |number: usize| {
                            let result = own.call("add", &json!({ "title": format!("{client}/{number}") }));
                            result["structuredContent"]["id"].as_u64().unwrap_or_else(|| panic!("no id: {result}"))
                        };
                        (0..EACH).map(&mut add).collect::<Vec<u64>>()
                    })
                })
                .collect();
            clients.into_iter().flat_map(|client| client.join().expect("a client ends")).collect()
        });
        let different: BTreeSet<u64> = ids.iter().copied().collect();
        assert_eq!(different.len(), CLIENTS * EACH, "{}: {ids:?}", self.language);
        let told = self.done("list", &json!({ "state": "all" }));
        let listed = told.structured()["items"].as_array().cloned().unwrap_or_default();
        let listed: Vec<u64> = listed.iter().filter_map(|item| item["id"].as_u64()).collect();
        assert!(listed.is_sorted() && listed.len() == 3 + CLIENTS * EACH, "{}: {listed:?}", self.language);
        assert!(different.iter().all(|id| listed.contains(id)), "{}: {listed:?}", self.language);
    }

    fn lists_are_imported_in_both_eras(&mut self) {
        let url = format!("{}/list.json", self.web.origin());
        let modern = self.done("import", &json!({ "url": url }));
        let mut session = Session::declaring(self.host.address, HANDSHAKE, &asks());
        session.ask("logging/setLevel", &json!({ "level": "info" }));
        let params = json!({ "name": "import", "arguments": { "url": url }, "_meta": { "progressToken": "t" } });
        let session = Told::of(&session.post(&request(5, "tools/call", &params)).messages());
        self.judge("import", &session);
        for (era, told) in [("modern", modern), ("session", session)] {
            let at = format!("{} {era}: {}", self.language, told.result);
            assert_eq!(told.text(), "Added 3 items.", "{at}");
            assert_eq!(told.structured(), &json!({ "added": 3 }), "{at}");
            let titles = ["Eggs", "Flour", "日本"];
            self.assert_steps(&told, "t", 3, |step, message| {
                message.starts_with("Added ") && message.ends_with(&format!(": {}", titles[step]))
            });
            let logged = told.logs.iter().find(|log| log["data"]["imported"] == 3);
            let logged = logged.unwrap_or_else(|| panic!("{at}: {:?}", told.logs));
            assert_eq!((&logged["level"], &logged["logger"]), (&json!("info"), &json!("todo")), "{at}");
            assert_eq!(logged["data"], json!({ "imported": 3, "url": url }), "{at}");
        }
    }

    fn what_cannot_be_imported_says_why(&mut self) {
        let origin = self.web.origin();
        for (path, part) in [
            ("/no-such.json", "answered 404"),
            ("/object.json", "is no JSON array of titles"),
            ("/numbers.json", "is no JSON array of titles"),
            ("/long.json", "is no JSON array of titles"),
            ("/text.json", "is no JSON array of titles"),
        ] {
            let text = self.refused("import", &json!({ "url": format!("{origin}{path}") }));
            assert!(text.contains(part), "{} {path}: {text}", self.language);
        }
        let asked = self.web.asked().len();
        let text = self.refused("import", &json!({ "url": "http://not-granted.example/list.json" }));
        assert!(text.contains("hosts = [") && text.contains("http://not-granted.example"), "{}: {text}", self.language);
        assert_eq!(self.web.asked().len(), asked);
    }

    /// Asks `clear`, and answers its question; returns what was asked and what came of it.
    fn clear(&mut self, answer: &Value) -> (Value, Told) {
        let asked = self.call("clear", &json!({})).result;
        assert_eq!(asked["resultType"], "input_required", "{}: {asked}", self.language);
        let questions = asked["inputRequests"].as_object().cloned().unwrap_or_default();
        assert!(questions.keys().eq(["confirm"]), "{}: {asked}", self.language);
        let params = json!({
            "name": "clear", "arguments": {}, "inputResponses": { "confirm": answer },
            "requestState": asked["requestState"], "_meta": curious("c"),
        });
        let told = Told::of(&self.client.exchange("tools/call", &params));
        self.judge("clear", &told);
        (questions["confirm"].clone(), told)
    }

    fn clearing_asks_first(&mut self) {
        self.done("complete", &json!({ "id": 3 }));
        for answer in [
            json!({ "action": "decline" }),
            json!({ "action": "cancel" }),
            json!({ "action": "accept", "content": { "remove": false } }),
        ] {
            let (_, told) = self.clear(&answer);
            assert_eq!(told.text(), "Nothing was removed.", "{} {answer}", self.language);
            assert_eq!(told.structured(), &json!({ "removed": 0 }), "{} {answer}", self.language);
        }
        let (asked, told) = self.clear(&json!({ "action": "accept", "content": { "remove": true } }));
        assert_eq!(asked["method"], "elicitation/create", "{}: {asked}", self.language);
        self.assert_form(&asked["params"]);
        self.assert_removed(&told, "c", &[(1, "Buy milk"), (3, "Call \"Ada\"\n🦀")]);
        let told = self.done("list", &json!({ "state": "done" }));
        assert_eq!(told.structured()["done"], 0, "{}: {}", self.language, told.result);
    }

    fn clearing_asks_first_in_a_session(&mut self) {
        for id in [2, 4] {
            self.done("complete", &json!({ "id": id }));
        }
        let listed = self.done("list", &json!({ "state": "done" })).structured()["items"].clone();
        let fourth = listed[1]["title"].as_str().unwrap_or_default().to_owned();
        let long = "日".repeat(200);
        let mut session = Session::declaring(self.host.address, HANDSHAKE, &asks());
        let params = json!({ "name": "clear", "arguments": {}, "_meta": { "progressToken": "s" } });
        let mut events = session.start(&request(9, "tools/call", &params));
        let mut messages = Vec::new();
        while let Some(message) = events.next_message() {
            if message["method"] == "elicitation/create" {
                self.assert_form(&message["params"]);
                let answer = json!({ "action": "accept", "content": { "remove": true } });
                let reply = json!({ "jsonrpc": "2.0", "id": message["id"], "result": answer });
                assert_eq!(session.post(&reply).head.status, 202, "{}", self.language);
                continue;
            }
            let last = message["method"].is_null();
            messages.push(message);
            if last {
                break;
            }
        }
        let told = Told::of(&messages);
        self.judge("clear", &told);
        self.assert_removed(&told, "s", &[(2, long.as_str()), (4, fourth.as_str())]);
    }

    fn assert_form(&self, form: &Value) {
        assert_eq!(form["message"], "Remove 2 items that are done?", "{}: {form}", self.language);
        let schema = &form["requestedSchema"];
        assert_eq!(schema["properties"]["remove"]["type"], "boolean", "{}: {form}", self.language);
        assert_eq!(schema["properties"]["remove"]["title"], "Remove them", "{}: {form}", self.language);
        assert_eq!(schema["required"], json!(["remove"]), "{}: {form}", self.language);
    }

    fn assert_removed(&self, told: &Told, token: &str, items: &[(u64, &str)]) {
        let count = items.len() as u64;
        assert_eq!(told.text(), format!("Removed {count} items."), "{}", self.language);
        assert_eq!(told.structured(), &json!({ "removed": count }), "{}", self.language);
        self.assert_steps(told, token, count, |step, message| {
            let (id, title) = items[step];
            message == format!("Removed {id}: {title}")
        });
    }

    /// The host tells a client at most so many steps a second, and always the last one; each that is told must be right.
    fn assert_steps(&self, told: &Told, token: &str, count: u64, is_right: impl Fn(usize, &str) -> bool) {
        let steps = told.steps(token);
        let at = format!("{}: {steps:?}", self.language);
        assert!(steps.is_sorted_by(|one, next| one.0 < next.0), "{at}");
        assert_eq!(steps.last().map(|(progress, ..)| *progress), Some(count), "{at}");
        for (progress, total, message) in &steps {
            let step = usize::try_from(*progress).ok().and_then(|progress| progress.checked_sub(1));
            assert_eq!(*total, count, "{at}");
            assert!(step.is_some_and(|step| is_right(step, message)), "{at}");
        }
    }
}

fn pages() -> BTreeMap<&'static str, (&'static str, String)> {
    let json = |text: &str| ("application/json", text.to_owned());
    BTreeMap::from([
        ("/list.json", json(r#"["Eggs", "Flour", "日本"]"#)),
        ("/object.json", json(r#"{"titles": ["Eggs"]}"#)),
        ("/numbers.json", json(r#"["Eggs", 5]"#)),
        ("/long.json", json(&format!("[\"{}\"]", "a".repeat(201)))),
        ("/text.json", json("Eggs\nFlour\n")),
    ])
}

/// The smallest project of each language, as `toolcell new` writes it.
#[test]
fn hello_in_every_language() {
    for language in ["rust", "python", "typescript", "javascript", "go", "c", "cpp", "zig"] {
        let host = Host::serve_paths(&[&example(&format!("hello-{language}"))]);
        let mut client = host.modern();
        let tool = client.list("tools/list", "tools")[0]["name"].as_str().unwrap_or_default().to_owned();
        assert_eq!(client.say(&tool, &json!({ "name": "Ada" })), "Hello, Ada!", "{language}");
    }
}
