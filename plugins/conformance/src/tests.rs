//! Each tool as the suite calls it.

mod offers;

use super::Conformance;
use serde_json::{Value, json};
use toolcell_sdk::types::{
    Content, Continuation, FormAnswer, InputAnswer, InputKind, InputRequired, InputResponse, Outcome, Root,
};
use toolcell_sdk::{Call, Plugin, testing};

fn call(name: &str) -> Outcome {
    testing::call::<Conformance>(name, json!({})).unwrap()
}

/// Calls again with these answers, and the state of the questions.
fn answer(name: &str, asked: &InputRequired, answers: &[(&str, InputAnswer)]) -> Outcome {
    let responses =
        answers.iter().map(|(key, answer)| InputResponse { key: (*key).to_owned(), answer: answer.clone() });
    let continuation = Continuation { responses: responses.collect(), state: asked.state.clone() };
    let call = Call::new(name, "{}").continued(continuation);
    Conformance.call(&call).unwrap()
}

fn accept(values: Value) -> InputAnswer {
    InputAnswer::Form(FormAnswer::Accept(Some(values.to_string())))
}

fn sampled(text: &str) -> InputAnswer {
    let message = json!({
        "role": "assistant", "content": { "type": "text", "text": text }, "model": "m", "stopReason": "endTurn"
    });
    InputAnswer::Sample(message.to_string())
}

fn one_root() -> InputAnswer {
    InputAnswer::Roots(vec![Root { uri: "file:///test/root".into(), name: Some("Test Root".into()) }])
}

fn asked(outcome: Outcome) -> InputRequired {
    match outcome {
        Outcome::InputRequired(asked) => asked,
        Outcome::Complete(result) => panic!("complete: {result:?}"),
    }
}

fn keys(asked: &InputRequired) -> Vec<&str> {
    asked.requests.iter().map(|request| &*request.key).collect()
}

#[test]
fn contents_are_of_the_kinds_named() {
    let cases = [
        ("test_simple_text", "text"),
        ("test_image_content", "image image/png"),
        ("test_audio_content", "audio audio/wav"),
        ("test_embedded_resource", "resource"),
        ("test_multiple_content_types", "text, image image/png, resource"),
    ];
    for (name, expected) in cases {
        let Outcome::Complete(result) = call(name) else { panic!("{name}") };
        let kinds: Vec<_> = result
            .content
            .iter()
            .map(|content| match content {
                Content::Text(_) => "text".to_owned(),
                Content::Image(media) => format!("image {}", media.mime_type),
                Content::Audio(media) => format!("audio {}", media.mime_type),
                Content::ResourceLink(_) => "link".to_owned(),
                Content::Resource(_) => "resource".to_owned(),
            })
            .collect();
        assert_eq!(kinds.join(", "), expected, "{name}");
    }
}

#[test]
fn the_failing_tool_fails_with_the_expected_words() {
    let Outcome::Complete(result) = call("test_error_handling") else { panic!() };
    assert!(result.is_error);
    let text = testing::text(&Outcome::Complete(result));
    assert_eq!(text, "This tool intentionally returns an error for testing");
}

#[test]
fn every_tool_says_what_it_does_and_keeps_to_the_names_of_the_suite() {
    for tool in testing::tools::<Conformance>().unwrap() {
        assert!(tool.description.is_some_and(|text| !text.is_empty()), "{}", tool.name);
        assert!(tool.name.len() <= 64, "{}", tool.name);
    }
}

#[test]
fn the_schema_of_2020_12_is_listed_keyword_by_keyword() {
    let tools = testing::tools::<Conformance>().unwrap();
    let tool = tools.iter().find(|tool| tool.name == "json_schema_2020_12_tool").unwrap();
    let schema: Value = serde_json::from_str(&tool.input_schema).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["$defs"]["address"]["$anchor"], "addressDef");
    assert_eq!(schema["properties"]["address"]["$ref"], "#/$defs/address");
    assert_eq!(schema["additionalProperties"], false);
    for keyword in ["allOf", "if", "then", "else"] {
        assert!(schema.get(keyword).is_some(), "{keyword}");
    }
}

#[test]
fn headers_are_named_on_primitive_properties() {
    let tools = testing::tools::<Conformance>().unwrap();
    let tool = tools.iter().find(|tool| tool.name == "test_x_mcp_header").unwrap();
    let schema: Value = serde_json::from_str(&tool.input_schema).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    let named: Vec<_> = properties.values().map(|p| (&p["type"], &p["x-mcp-header"])).collect();
    assert_eq!(json!(named), json!([["string", "Region"], ["integer", "Tries"], ["boolean", "Dry-Run"]]));
}

#[test]
fn one_question_one_answer() {
    let cases = [
        ("test_input_required_result_elicitation", "user_name", accept(json!({ "name": "Alice" })), "Hello, Alice!"),
        ("test_input_required_result_sampling", "capital_question", sampled("Paris."), "Sampling result: Paris."),
        ("test_input_required_result_list_roots", "client_roots", one_root(), "Found 1 root(s): file:///test/root"),
        (
            "test_input_required_result_request_state",
            "confirm",
            accept(json!({ "ok": true })),
            "state-ok: requestState validated",
        ),
        (
            "test_input_required_result_tampered_state",
            "confirm",
            accept(json!({ "ok": true })),
            "integrity-ok: state verified",
        ),
        (
            "test_elicitation_sep1034_defaults",
            "form",
            accept(json!({ "age": 25 })),
            "Elicitation completed: action=accept, content={\"age\":25}",
        ),
        (
            "test_elicitation_sep1330_enums",
            "form",
            InputAnswer::Form(FormAnswer::Decline),
            "Elicitation completed: action=decline, content={}",
        ),
        ("test_missing_capability", "sample", sampled("anything"), "Success"),
        ("test_streaming_elicitation", "value", accept(json!({ "value": "x" })), "Streaming complete"),
    ];
    for (name, key, given, expected) in cases {
        let questions = asked(call(name));
        assert_eq!(keys(&questions), [key], "{name}");
        let done = answer(name, &questions, &[("unknown", accept(json!({}))), (key, given)]);
        assert_eq!(testing::text(&done), expected, "{name}");
        // What is missing or makes no sense is asked for again.
        let failed = InputAnswer::Failed("no object".into());
        for wrong in [vec![], vec![("wrong", accept(json!({})))], vec![(key, failed)]] {
            assert_eq!(keys(&asked(answer(name, &questions, &wrong))), [key], "{name}");
        }
    }
}

#[test]
fn arguments_reach_the_questions() {
    let outcome = testing::call::<Conformance>("test_elicitation", json!({ "message": "Who?" })).unwrap();
    let questions = asked(outcome);
    assert!(matches!(&questions.requests[0].kind, InputKind::Form(form) if form.message == "Who?"));
    let outcome = testing::call::<Conformance>("test_sampling", json!({ "prompt": "Why?" })).unwrap();
    let InputKind::Sample(params) = &asked(outcome).requests[0].kind else { panic!() };
    let params: Value = serde_json::from_str(params).unwrap();
    assert_eq!(params["messages"][0]["content"]["text"], "Why?");
    assert_eq!(params["maxTokens"], 100);
}

#[test]
fn several_questions_are_done_when_all_are_answered() {
    let name = "test_input_required_result_multiple_inputs";
    let questions = asked(call(name));
    assert_eq!(keys(&questions), ["user_name", "greeting", "client_roots"]);
    assert!(questions.state.is_some());
    let answers = [
        ("user_name", accept(json!({ "name": "Alice" }))),
        ("greeting", sampled("Hello there!")),
        ("client_roots", one_root()),
    ];
    let done = answer(name, &questions, &answers);
    assert_eq!(testing::text(&done), "Name: Alice; Greeting: Hello there!; Roots: 1");
    assert_eq!(keys(&asked(answer(name, &questions, &answers[..2]))).len(), 3);
    let stateless = InputRequired::new();
    assert_eq!(keys(&asked(answer(name, &stateless, &answers))).len(), 3);
}

#[test]
fn the_second_round_knows_the_first() {
    let name = "test_input_required_result_multi_round";
    let first = asked(call(name));
    assert_eq!(keys(&first), ["step1"]);
    let second = asked(answer(name, &first, &[("step1", accept(json!({ "name": "Alice" })))]));
    assert_eq!(keys(&second), ["step2"]);
    assert_ne!(first.state, second.state);
    let done = answer(name, &second, &[("step2", accept(json!({ "color": "blue" })))]);
    assert_eq!(testing::text(&done), "Multi-round complete for Alice who likes blue");
    assert_eq!(keys(&asked(answer(name, &second, &[]))), ["step2"]);
}

#[test]
fn a_client_that_can_answer_nothing_is_asked_nothing() {
    let outcome = call("test_input_required_result_capabilities");
    assert_eq!(testing::text(&outcome), "No supported capabilities declared");
}
