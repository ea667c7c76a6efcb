//! Resources, prompts, completions and lists as a plugin author writes them, asked as the host asks.
#![forbid(unsafe_code)]

use std::time::Duration;
use toolcell_sdk::changes::Change;
use toolcell_sdk::prelude::*;
use toolcell_sdk::types::{
    Annotations, CacheHint, CacheScope, CallError, Continuation, FormAnswer, Icon, IconTheme, InputAnswer,
    InputResponse, Prompt, PromptArgument, ResourceBody, ResourceTemplate, Role, Tool,
};
use toolcell_sdk::{APP_MIME_TYPE, Plugin, testing};

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct ReviewArgs {
    /// The language the code is in.
    language: String,
    /// How many remarks at most.
    most_remarks: Option<u8>,
    order: Option<Order>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Order {
    Gravest,
    First,
}

#[derive(Serialize)]
struct Page {
    book: String,
    number: u32,
}

#[derive(Deserialize, JsonSchema)]
struct PageArgs {
    book: String,
    number: u32,
}

#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Password {
    password: String,
}

#[derive(Default)]
struct Library;

/// A library.
#[plugin(name = "library", version = "1.0.0", cache(ttl = "10m", scope = "public"))]
impl Library {
    /// The rules of the house.
    ///
    /// Everyone keeps to them.
    #[resource(
        "library://rules",
        title = "Rules",
        mime_type = "text/markdown",
        size = 7,
        audience = "user",
        audience = "assistant",
        priority = 0.5,
        last_modified = "2026-01-01T00:00:00Z",
        icon(src = "https://example.com/rules.png", mime_type = "image/png", sizes = "48x48 96x96", theme = "dark"),
        cache(ttl = "1h", scope = "public"),
        meta = r#"{"x/y":1}"#
    )]
    fn rules(&self) -> &'static str {
        "# Quiet"
    }

    #[resource("library://stamp", name = "the-stamp")]
    fn stamp(&self) -> Vec<u8> {
        vec![1, 2]
    }

    /// A page of a book.
    #[resource("library://books/{book}/{number}")]
    fn page(&self, number: u32, book: String) -> Option<Json<Page>> {
        (number > 0).then_some(Json(Page { book, number }))
    }

    #[resource("library://loans/{book}{?number}", mime_type = "text/csv")]
    fn loans(&self, book: String, number: Option<u32>, call: &Call) -> Result<ReadResult, ToolError> {
        if book == "lost" {
            return Err(ToolError::unavailable("it is lost"));
        }
        let number = number.map_or("all".to_owned(), |number| number.to_string());
        let contents = ["a", "b"].map(|part| ResourceContents::text(format!("{}#{part}", call.uri()), &number));
        Ok(ReadResult::new(contents).fresh(CacheHint::private(Duration::from_secs(2))))
    }

    #[resource("library://copies/{book}/{number}")]
    fn copies(&self, args: PageArgs) -> String {
        format!("{} of {}", args.number, args.book)
    }

    #[resource("library://echo/{+path}")]
    fn echo(&self, call: &Call) -> String {
        call.raw_arguments().to_owned()
    }

    /// For those who know the word.
    #[resource("library://secret")]
    fn secret(&self, call: &Call) -> ReadOutcome {
        match call.answer("who") {
            Some(InputAnswer::Form(FormAnswer::Accept(_))) => ResourceContents::text(call.uri(), "open").into(),
            _ => InputRequired::new().form::<Password>("who", "The word?").into(),
        }
    }

    #[resource("ui://library/shelf", meta = r#"{"ui":{"prefersBorder":true}}"#)]
    fn shelf(&self) -> &'static str {
        "<!doctype html><title>Shelf</title>"
    }

    #[resource(any)]
    fn other(&self, call: &Call) -> Option<String> {
        Some(format!("new: {}", call.uri().strip_prefix("library://new/")?))
    }

    #[list(resources)]
    fn new_books(&self) -> Vec<ResourceInfo> {
        vec![ResourceInfo::new("library://new/1", "new-1").title("One").mime_type("text/plain").size(3)]
    }

    #[list(templates, cache(ttl = "5s"))]
    fn new_templates(&self) -> Result<Vec<ResourceTemplate>, ToolError> {
        Ok(vec![ResourceTemplate::new("library://new/{id}", "new").description("A new book.")])
    }

    /// Shows the shelf.
    #[tool(ui = "ui://library/shelf", task = "optional", icon = "data:image/png;base64,", meta = r#"{"a":1}"#)]
    fn show_shelf(&self) {
        changes::resource_updated("library://rules");
        changes::resources_changed();
        changes::prompts_changed();
        changes::tools_changed();
    }

    #[tool(any)]
    fn any_tool(&self, call: &Call) -> Result<String, ToolError> {
        match call.name() {
            "extra" => Ok(call.raw_arguments().to_owned()),
            other => Err(ToolError::not_found(format!("there is no `{other}`"))),
        }
    }

    #[list(tools)]
    fn extra_tools(&self) -> Vec<Tool> {
        vec![Tool::new("extra", r#"{"type":"object"}"#).title("Extra").icon(Icon::new("data:,"))]
    }

    /// Asks for a review.
    #[prompt(title = "Review", icon = "https://example.com/r.png", meta = r#"{"p":2}"#)]
    fn review(&self, ReviewArgs { language, most_remarks, order }: ReviewArgs) -> PromptResult {
        let order = match order {
            Some(Order::Gravest) => "gravest first",
            Some(Order::First) | None => "in order",
        };
        let most = most_remarks.map_or("any".to_owned(), |most| most.to_string());
        PromptResult::user(format!("Review this {language}, {most} remarks, {order}."))
            .and_assistant(Content::text("Gladly.").annotated(Annotations::none().audience(Role::User)))
            .description("A review")
    }

    /// Explains a page.
    #[prompt(name = "explain-page")]
    fn explain(
        &self,
        /// Which book.
        book: String,
        /// Which page; the first if not said.
        number: Option<u32>,
    ) -> Result<String, ToolError> {
        let number = number.unwrap_or(1);
        if number == 0 {
            tool_bail!("pages begin with 1");
        }
        Ok(format!("Explain page {number} of {book}."))
    }

    #[prompt]
    fn unlock(&self, call: &Call) -> PromptOutcome {
        match call.state() {
            Some(b"asked") => PromptResult::user("unlocked").into(),
            _ => InputRequired::new().form::<Password>("word", "The word?").state(*b"asked").into(),
        }
    }

    #[prompt(any)]
    fn any_prompt(&self, call: &Call) -> Option<&'static str> {
        (call.name() == "extra").then_some("Extra.")
    }

    #[list(prompts)]
    fn extra_prompts(&self) -> Vec<Prompt> {
        vec![Prompt::new("extra").argument(PromptArgument::optional("why", "A reason."))]
    }

    #[complete(prompt = "review", argument = "language")]
    fn languages(&self) -> [&'static str; 2] {
        ["Rust", "Ruby"]
    }

    #[complete(prompt = "extra", argument = "why")]
    fn reasons(&self) -> Result<Vec<String>, ToolError> {
        tool_bail!("nobody knows")
    }

    #[complete(resource = "library://books/{book}/{number}", argument = "number")]
    fn pages(&self, typed: &Completing) -> Vec<String> {
        let book = typed.settled("book").unwrap_or("none");
        (1..=2).map(|number| format!("{}{number}{book}", typed.value())).collect()
    }
}

fn read(uri: &str) -> Result<ReadResult, CallError> {
    match testing::read::<Library>(uri)? {
        ReadOutcome::Complete(result) => Ok(result),
        ReadOutcome::InputRequired(asked) => panic!("{asked:?}"),
    }
}

#[test]
fn resources_are_listed_as_they_are_described() {
    let list = Library.resources().unwrap();
    assert_eq!(list.cache, Some(CacheHint { ttl_ms: 600_000, scope: CacheScope::Public }));
    let uris: Vec<_> = list.resources.iter().map(|resource| &*resource.uri).collect();
    let expected = ["library://rules", "library://stamp", "library://secret", "ui://library/shelf", "library://new/1"];
    assert_eq!(uris, expected);

    let rules = &list.resources[0];
    assert_eq!((&*rules.name, rules.title.as_deref(), rules.size), ("rules", Some("Rules"), Some(7)));
    assert_eq!(rules.description.as_deref(), Some("The rules of the house.\n\nEveryone keeps to them."));
    assert_eq!((rules.mime_type.as_deref(), rules.meta.as_deref()), (Some("text/markdown"), Some(r#"{"x/y":1}"#)));
    let hints = rules.annotations.clone().unwrap();
    assert_eq!((&hints.audience[..], hints.priority), (&[Role::User, Role::Assistant][..], Some(0.5)));
    let icon = &rules.icons[0];
    assert_eq!((&*icon.sizes.join(" "), icon.theme), ("48x48 96x96", Some(IconTheme::Dark)));

    let kinds: Vec<_> = list.resources.iter().map(|resource| resource.mime_type.as_deref()).collect();
    let octets = Some("application/octet-stream");
    assert_eq!(kinds, [Some("text/markdown"), octets, None, Some(APP_MIME_TYPE), Some("text/plain")]);
    assert_eq!((&*list.resources[1].name, list.resources[1].annotations.is_none()), ("the-stamp", true));

    let templates = Library.templates().unwrap();
    assert_eq!(templates.cache, Some(CacheHint { ttl_ms: 5000, scope: CacheScope::Private }));
    let texts: Vec<_> = templates.templates.iter().map(|template| &*template.uri_template).collect();
    assert_eq!(texts.len(), 5);
    assert_eq!((texts[0], texts[4]), ("library://books/{book}/{number}", "library://new/{id}"));
    assert_eq!(templates.templates[0].mime_type.as_deref(), Some("application/json"));
}

#[test]
fn resources_are_read() {
    let rules = read("library://rules").unwrap();
    assert_eq!(rules.contents, [ResourceContents::text("library://rules", "# Quiet").mime_type("text/markdown")]);
    assert_eq!(rules.cache, Some(CacheHint::public(Duration::from_secs(3600))));
    assert_eq!(read("library://stamp").unwrap().contents[0].body, ResourceBody::Blob(vec![1, 2]));

    let texts = [
        ("library://books/a%20b/7", r#"{"book":"a b","number":7}"#),
        ("library://copies/x/3", "3 of x"),
        ("library://new/9", "new: 9"),
        ("library://echo/a/b", r#"{"path":"a/b"}"#),
    ];
    for (uri, expected) in texts {
        assert_eq!(testing::read_text(&testing::read::<Library>(uri).unwrap()), expected);
    }
    let loans = read("library://loans/x?number=2").unwrap();
    assert_eq!(loans.contents[1], ResourceContents::text("library://loans/x?number=2#b", "2"));
    assert_eq!(loans.cache, Some(CacheHint::private(Duration::from_secs(2))));
    assert_eq!(read("library://loans/x").unwrap().contents[0].body, ResourceBody::Text("all".into()));
}

#[test]
fn what_is_not_there_is_not_found() {
    let unknown = ["library://nothing", "library://books/x/0", "library://books/x/seven", "library://books/x", "", "x"];
    for uri in unknown {
        assert_eq!(read(uri), Err(CallError::NotFound(format!("this plugin has no resource `{uri}`"))), "{uri}");
    }
    assert_eq!(read("library://loans/lost"), Err(CallError::Unavailable("it is lost".into())));
}

#[test]
fn a_read_can_ask_and_is_repeated() {
    let Ok(ReadOutcome::InputRequired(asked)) = testing::read::<Library>("library://secret") else { panic!() };
    let answer = InputAnswer::Form(FormAnswer::Accept(None));
    let responses = vec![InputResponse { key: asked.requests[0].key.clone(), answer }];
    let again = Call::read("library://secret").continued(Continuation { responses, state: None });
    assert_eq!(testing::read_text(&Library.read(&again).unwrap()), "open");
}

#[test]
fn a_page_belongs_to_its_tool() {
    let tools = testing::tools::<Library>().unwrap();
    let names: Vec<_> = tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, ["show_shelf", "extra"]);
    let meta: serde_json::Value = serde_json::from_str(tools[0].meta.as_deref().unwrap()).unwrap();
    let expected = serde_json::json!({
        "a": 1, "io.toolcell/task": "optional", "ui": { "resourceUri": "ui://library/shelf" }
    });
    assert_eq!(meta, expected);
    assert_eq!(tools[0].icons, [Icon::new("data:image/png;base64,")]);
    let page = read("ui://library/shelf").unwrap();
    assert_eq!(page.contents[0].mime_type.as_deref(), Some(APP_MIME_TYPE));
    assert_eq!(page.contents[0].meta.as_deref(), Some(r#"{"ui":{"prefersBorder":true}}"#));
}

#[test]
fn tools_made_at_run_time_are_called() {
    let outcome = testing::call::<Library>("extra", serde_json::json!({ "a": 1 })).unwrap();
    assert_eq!(testing::text(&outcome), r#"{"a":1}"#);
    let unknown = testing::call::<Library>("nothing", serde_json::json!({}));
    assert_eq!(unknown, Err(CallError::NotFound("there is no `nothing`".into())));
}

#[test]
fn changes_are_told() {
    testing::call::<Library>("show_shelf", serde_json::json!({})).unwrap();
    let expected = [Change::Resource("library://rules".into()), Change::Resources, Change::Prompts, Change::Tools];
    assert_eq!(testing::changes(), expected);
    assert_eq!(testing::changes(), []);
}

#[test]
fn prompts_are_listed_as_they_are_described() {
    let prompts = testing::prompts::<Library>().unwrap();
    let names: Vec<_> = prompts.iter().map(|prompt| &*prompt.name).collect();
    assert_eq!(names, ["review", "explain-page", "unlock", "extra"]);
    assert_eq!((prompts[0].title.as_deref(), prompts[0].meta.as_deref()), (Some("Review"), Some(r#"{"p":2}"#)));
    assert_eq!(prompts[0].description.as_deref(), Some("Asks for a review."));
    let arguments = |prompt: &Prompt| -> Vec<(String, Option<String>, bool)> {
        let arguments = prompt.arguments.iter();
        arguments.map(|argument| (argument.name.clone(), argument.description.clone(), argument.required)).collect()
    };
    let said = |name: &str, description: &str, required| (name.to_owned(), Some(description.to_owned()), required);
    assert_eq!(
        arguments(&prompts[0]),
        [
            said("language", "The language the code is in.", true),
            said("most-remarks", "How many remarks at most.", false),
            ("order".to_owned(), None, false)
        ]
    );
    assert_eq!(
        arguments(&prompts[1]),
        [said("book", "Which book.", true), said("number", "Which page; the first if not said.", false)]
    );
    assert_eq!(arguments(&prompts[2]), []);
}

#[test]
fn prompts_are_filled_in() {
    let filled = |name, arguments: &[(&str, &str)]| {
        testing::prompt::<Library>(name, arguments).map(|outcome| testing::prompt_text(&outcome))
    };
    let review = filled("review", &[("language", "Rust"), ("most-remarks", "3"), ("order", "gravest")]);
    assert_eq!(review.as_deref(), Ok("Review this Rust, 3 remarks, gravest first.\n\nGladly."));
    assert_eq!(filled("explain-page", &[("book", "x")]).as_deref(), Ok("Explain page 1 of x."));
    assert_eq!(filled("extra", &[]).as_deref(), Ok("Extra."));
    let wrong = [
        ("review", &[][..], "arguments of `review`: missing field `language`"),
        ("explain-page", &[("number", "1")], "arguments of `explain-page`: `book` is missing"),
        (
            "explain-page",
            &[("book", "x"), ("number", "one")],
            "arguments of `explain-page`: `number` is `one`; expected an integer, not negative",
        ),
    ];
    for (name, arguments, expected) in wrong {
        assert_eq!(filled(name, arguments), Err(CallError::InvalidArguments(expected.to_owned())));
    }
    assert_eq!(filled("nothing", &[]), Err(CallError::NotFound("this plugin has no prompt `nothing`".into())));
    let zero = filled("explain-page", &[("book", "x"), ("number", "0")]);
    assert_eq!(zero, Err(CallError::Other("pages begin with 1".into())));
}

#[test]
fn a_prompt_can_ask_and_is_repeated() {
    let Ok(PromptOutcome::InputRequired(asked)) = testing::prompt::<Library>("unlock", &[]) else { panic!() };
    let again = Call::prompt("unlock", []).continued(Continuation { responses: Vec::new(), state: asked.state });
    assert_eq!(testing::prompt_text(&Library.prompt(&again).unwrap()), "unlocked");
}

#[test]
fn arguments_are_completed() {
    let values = testing::complete_prompt::<Library>("review", "language", "rU", &[]).unwrap().values;
    assert_eq!(values, ["Rust", "Ruby"]);
    for template in ["library://books/{book}/{number}", "library://books/x/1"] {
        let completion = testing::complete_template::<Library>(template, "number", "4", &[("book", "x")]).unwrap();
        assert_eq!(completion.values, ["41x", "42x"]);
    }
    assert!(testing::complete_prompt::<Library>("review", "order", "", &[]).unwrap().values.is_empty());
    assert!(
        testing::complete_template::<Library>("library://books/{book}/{number}", "book", "", &[])
            .unwrap()
            .values
            .is_empty()
    );
    let unknown = testing::complete_prompt::<Library>("explain-page", "title", "", &[]);
    let expected = "the prompt `explain-page` has no argument `title`; it has `book`, `number`";
    assert_eq!(unknown, Err(CallError::InvalidArguments(expected.into())));
    let failed = testing::complete_prompt::<Library>("extra", "why", "", &[]);
    assert_eq!(failed, Err(CallError::Other("nobody knows".into())));
    assert!(testing::complete_prompt::<Library>("nothing", "a", "", &[]).is_err());
}

/// The smallest of each.
mod small {
    use toolcell_sdk::prelude::*;
    use toolcell_sdk::testing;

    #[derive(Default)]
    struct OnlyPrompts;

    #[plugin(name = "only", version = "1.0.0")]
    impl OnlyPrompts {
        #[prompt]
        fn hello(&self, name: String) -> String {
            format!("Say hello to {name}.")
        }
    }

    #[test]
    fn what_is_not_offered_is_empty() {
        let said = testing::prompt::<OnlyPrompts>("hello", &[("name", "Ada")]).unwrap();
        assert_eq!(testing::prompt_text(&said), "Say hello to Ada.");
        assert!(testing::tools::<OnlyPrompts>().unwrap().is_empty());
        assert!(testing::resources::<OnlyPrompts>().unwrap().is_empty());
        assert!(testing::templates::<OnlyPrompts>().unwrap().is_empty());
        assert!(testing::read::<OnlyPrompts>("x:1").is_err());
        assert!(testing::call::<OnlyPrompts>("x", ()).is_err());
        assert!(testing::complete_prompt::<OnlyPrompts>("hello", "name", "", &[]).unwrap().values.is_empty());
    }
}
