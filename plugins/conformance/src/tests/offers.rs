//! Resources, prompts and completions as the suite asks for them, tools that run as tasks, and what real clients use.

use super::{accept, answer, asked, call, keys, sampled};
use crate::Conformance;
use serde_json::json;
use toolcell_sdk::changes::Change;
use toolcell_sdk::types::{
    CallError, Content, Continuation, FormAnswer, InputAnswer, InputKind, InputResponse, Outcome, PromptOutcome,
    ReadOutcome, ResourceBody, Role,
};
use toolcell_sdk::{Call, Plugin, testing};

type Arguments = &'static [(&'static str, &'static str)];

#[test]
fn resources_are_listed_with_what_they_are() {
    let resources = testing::resources::<Conformance>().unwrap();
    let listed: Vec<_> =
        resources.iter().map(|resource| (&*resource.uri, resource.mime_type.as_deref().unwrap())).collect();
    let expected = [
        ("test://static-text", "text/plain"),
        ("test://static-binary", "image/png"),
        ("test://watched-resource", "text/plain"),
        ("test://example-resource", "text/plain"),
        ("note://alpha", "text/plain"),
    ];
    assert_eq!(listed, expected);
    assert!(resources.iter().all(|resource| resource.description.is_some()));
    let templates = testing::templates::<Conformance>().unwrap();
    let templates: Vec<_> = templates.iter().map(|template| &*template.uri_template).collect();
    assert_eq!(templates, ["test://template/{id}/data", "note://{id}"]);
}

#[test]
fn resources_hold_the_expected_words() {
    let cases = [
        ("test://static-text", "This is the content of the static text resource."),
        ("test://template/123/data", r#"{"id":"123","templateTest":true,"data":"Data for ID: 123"}"#),
        ("note://alpha", "Note alpha"),
        ("note://whatever", "Note whatever"),
    ];
    for (uri, expected) in cases {
        let read = testing::read::<Conformance>(uri).unwrap();
        assert_eq!(testing::read_text(&read), expected);
        let ReadOutcome::Complete(read) = read else { panic!("{uri}") };
        assert_eq!(read.contents[0].uri, uri);
    }
    let Ok(ReadOutcome::Complete(read)) = testing::read::<Conformance>("test://static-binary") else { panic!() };
    assert!(matches!(&read.contents[0].body, ResourceBody::Blob(bytes) if bytes.starts_with(b"\x89PNG")));
    let unknown = "test://nonexistent-resource-for-conformance-testing";
    assert_eq!(
        testing::read::<Conformance>(unknown),
        Err(CallError::NotFound(format!("this plugin has no resource `{unknown}`")))
    );
}

#[test]
fn prompts_say_the_expected_words() {
    const BOTH: Arguments = &[("arg1", "hello"), ("arg2", "world")];
    let cases: [(&str, Arguments, &str); 6] = [
        ("test_simple_prompt", &[], "This is a simple prompt for testing."),
        ("test_prompt_with_arguments", BOTH, "Prompt with arguments: arg1='hello', arg2='world'"),
        (
            "test_prompt_with_embedded_resource",
            &[("resourceUri", "x:1")],
            "Please process the embedded resource above.",
        ),
        ("test_prompt_with_image", &[], "Please analyze the image above."),
        ("review_code", &[("language", "rust")], "Please review this rust code (style default)."),
        ("review_code", &[("language", "rust"), ("style", "clippy")], "Please review this rust code (style clippy)."),
    ];
    for (name, arguments, expected) in cases {
        let outcome = testing::prompt::<Conformance>(name, arguments).unwrap();
        assert_eq!(testing::prompt_text(&outcome), expected, "{name}");
        let PromptOutcome::Complete(result) = outcome else { panic!("{name}") };
        assert!(result.messages.iter().all(|message| message.role == Role::User));
        match (name, &result.messages[0].content) {
            ("test_prompt_with_embedded_resource", Content::Resource(resource)) => {
                assert_eq!(resource.contents.uri, "x:1");
            }
            ("test_prompt_with_image", Content::Image(image)) => assert_eq!(image.mime_type, "image/png"),
            (_, content) => assert!(matches!(content, Content::Text(_)), "{name}"),
        }
    }
    assert!(matches!(
        testing::prompt::<Conformance>("test_prompt_with_arguments", &BOTH[..1]),
        Err(CallError::InvalidArguments(_))
    ));
    for prompt in testing::prompts::<Conformance>().unwrap() {
        assert!(prompt.description.is_some(), "{}", prompt.name);
        assert!(prompt.arguments.iter().all(|argument| argument.description.is_some()), "{}", prompt.name);
    }
}

#[test]
fn a_prompt_asks_for_its_context() {
    const NAME: &str = "test_input_required_result_prompt";
    let Ok(PromptOutcome::InputRequired(asked)) = testing::prompt::<Conformance>(NAME, &[]) else { panic!() };
    assert_eq!(keys(&asked), ["user_context"]);
    let responses = vec![InputResponse { key: "user_context".into(), answer: accept(json!({ "context": "tests" })) }];
    let again = Call::prompt(NAME, []).continued(Continuation { responses, state: asked.state });
    assert_eq!(testing::prompt_text(&Conformance.prompt(&again).unwrap()), "Use this context: tests");
}

#[test]
fn arguments_are_completed() {
    let prompt = |prompt, argument, typed, settled: &[(&str, &str)]| {
        testing::complete_prompt::<Conformance>(prompt, argument, typed, settled).unwrap().values
    };
    assert_eq!(prompt("test_prompt_with_arguments", "arg1", "par", &[]), ["paris", "park", "party"]);
    assert_eq!(prompt("test_prompt_with_arguments", "arg2", "par", &[]), [""; 0]);
    assert_eq!(prompt("review_code", "language", "", &[]), ["python", "rust", "typescript"]);
    assert_eq!(prompt("review_code", "language", "ru", &[]), ["rust"]);
    assert_eq!(prompt("review_code", "style", "", &[("language", "rust")]), ["clippy", "rustfmt"]);
    assert_eq!(prompt("review_code", "style", "", &[("language", "python")]), ["plain"]);
    assert_eq!(prompt("review_code", "style", "c", &[]), [""; 0]);
    let notes = testing::complete_template::<Conformance>("note://{id}", "id", "b", &[]).unwrap();
    assert_eq!((notes.values, notes.total, notes.has_more), (vec!["beta".to_owned()], Some(1), false));
    assert!(matches!(testing::complete_prompt::<Conformance>("nothing", "a", "", &[]), Err(CallError::NotFound(_))));
}

#[test]
fn changes_are_told() {
    let cases = [
        ("test_trigger_tool_change", json!({}), Change::Tools),
        ("test_trigger_prompt_change", json!({}), Change::Prompts),
        ("test_trigger_resource_change", json!({}), Change::Resources),
        ("test_update_watched", json!({}), Change::Resource("test://watched-resource".into())),
        ("touch_note", json!({ "id": "beta" }), Change::Resource("note://beta".into())),
    ];
    for (name, arguments, expected) in cases {
        let outcome = testing::call::<Conformance>(name, arguments).unwrap();
        assert_eq!(testing::changes(), [expected], "{name}");
        if name == "touch_note" {
            assert_eq!(testing::text(&outcome), "touched note://beta");
        }
    }
}

#[test]
fn tools_say_whether_they_run_as_tasks() {
    let tools = testing::tools::<Conformance>().unwrap();
    let task = |name: &str| {
        let tool = tools.iter().find(|tool| tool.name == name).unwrap_or_else(|| panic!("{name}"));
        let meta: serde_json::Value = serde_json::from_str(tool.meta.as_deref()?).unwrap();
        Some(meta.get("io.toolcell/task")?.as_str()?.to_owned())
    };
    let cases = [
        ("greet", "forbidden"),
        ("slow_compute", "optional"),
        ("failing_job", "required"),
        ("protocol_error_job", "optional"),
        ("confirm_delete", "optional"),
        ("multi_input", "optional"),
        ("test_tool_with_task", "required"),
        ("book_table", "optional"),
    ];
    for (name, expected) in cases {
        assert_eq!(task(name).as_deref(), Some(expected), "{name}");
    }
    assert_eq!(task("test_simple_text"), None);
}

#[test]
fn tasks_end_as_the_suite_expects() {
    let text = |name, arguments| testing::text(&testing::call::<Conformance>(name, arguments).unwrap());
    assert_eq!(text("greet", json!({ "name": "World" })), "Hello, World!");
    assert_eq!(text("slow_compute", json!({ "seconds": 0, "label": "instant" })), "computed instant for 0 s");
    assert!(
        matches!(testing::call::<Conformance>("slow_compute", json!({ "seconds": -1 })), Ok(Outcome::Complete(result)) if result.is_error)
    );
    assert!(matches!(call("failing_job"), Outcome::Complete(result) if result.is_error));
    let failed = testing::call::<Conformance>("protocol_error_job", json!({}));
    assert_eq!(failed, Err(CallError::NotFound("This job always ends in a protocol error".into())));
}

#[test]
fn tasks_and_clients_are_asked() {
    let decline = || InputAnswer::Form(FormAnswer::Decline);
    let cancel = || InputAnswer::Form(FormAnswer::Cancel);
    let failed = || InputAnswer::Failed("no".into());
    let confirm = |yes: bool| accept(json!({ "confirm": yes }));
    let cases = [
        ("confirm_delete", json!({ "filename": "a.txt" }), "confirm", confirm(true), "Deleted a.txt"),
        ("confirm_delete", json!({ "filename": "a.txt" }), "confirm", confirm(false), "Kept a.txt"),
        ("confirm_delete", json!({ "filename": "a.txt" }), "confirm", cancel(), "Kept a.txt"),
        ("test_tool_with_task", json!({}), "user_name", accept(json!({ "name": "Alice" })), "Task done for Alice"),
        ("ask_name", json!({}), "name", accept(json!({ "name": "Ada" })), "Hello, Ada!"),
        ("ask_name", json!({}), "name", decline(), "nobody answered"),
        ("ask_name", json!({}), "name", cancel(), "nobody answered"),
        ("ask_model", json!({}), "sum", sampled("4"), "The model says: 4"),
        ("ask_model", json!({}), "sum", failed(), "the model did not answer"),
        (
            "book_table",
            json!({ "guests": 4 }),
            "time",
            accept(json!({ "time": "20:00" })),
            "Booked a table for 4 at 20:00",
        ),
        ("book_table", json!({ "guests": 4 }), "time", decline(), "No table was booked"),
    ];
    for (name, arguments, key, given, expected) in cases {
        let questions = asked(testing::call::<Conformance>(name, arguments.clone()).unwrap());
        assert_eq!(keys(&questions), [key], "{name}");
        let responses = vec![InputResponse { key: key.to_owned(), answer: given }];
        let again =
            Call::new(name, arguments.to_string()).continued(Continuation { responses, state: questions.state });
        assert_eq!(testing::text(&Conformance.call(&again).unwrap()), expected, "{name}");
    }
    let questions = asked(call("ask_model"));
    let InputKind::Sample(params) = &questions.requests[0].kind else { panic!() };
    let params: serde_json::Value = serde_json::from_str(params).unwrap();
    assert_eq!((&params["messages"][0]["content"]["text"], &params["maxTokens"]), (&json!("What is 2+2?"), &json!(50)));
}

#[test]
fn two_questions_wait_at_once() {
    let questions = asked(call("multi_input"));
    assert_eq!(keys(&questions), ["name", "confirm"]);
    // The suite gives both fields to each.
    let both = || accept(json!({ "name": "partial-1", "confirm": true }));
    let one = answer("multi_input", &questions, &[("name", both())]);
    assert_eq!(keys(&asked(one)), ["name", "confirm"]);
    let done = answer("multi_input", &questions, &[("name", both()), ("confirm", both())]);
    assert_eq!(testing::text(&done), "name=partial-1, confirmed=true");
}
