use super::*;
use serde_json::{Value, json};
use toolcell_sdk::Plugin;
use toolcell_sdk::key_value::{self, StoreError};
use toolcell_sdk::testing;
use toolcell_sdk::types::{Continuation, InputKind, InputResponse, ToolResult};

fn result(outcome: Outcome) -> ToolResult {
    match outcome {
        Outcome::Complete(result) => result,
        Outcome::InputRequired(_) => panic!("it asks"),
    }
}

/// The text and the structured content.
fn call(tool: &str, arguments: Value) -> (String, Value) {
    let outcome = testing::call::<Todo>(tool, arguments).unwrap();
    let text = testing::text(&outcome);
    let structured = result(outcome).structured.map(|json| serde_json::from_str(&json).unwrap());
    (text, structured.unwrap_or_default())
}

fn clear(answer: FormAnswer) -> (String, Value) {
    let answered = InputResponse { key: "confirm".into(), answer: InputAnswer::Form(answer) };
    let again = Continuation { responses: vec![answered], state: None };
    let outcome = Todo.call(&Call::new("clear", "{}").continued(again)).unwrap();
    let text = testing::text(&outcome);
    (text, serde_json::from_str(&result(outcome).structured.unwrap()).unwrap())
}

#[test]
fn items_are_added_listed_and_completed() {
    assert_eq!(call("list", json!({})), ("Nothing to do.".into(), json!({ "items": [], "open": 0, "done": 0 })));
    let milk = json!({ "id": 1, "title": "Buy milk", "done": false });
    assert_eq!(call("add", json!({ "title": "Buy milk" })), ("Added 1: Buy milk".into(), milk));
    call("add", json!({ "title": "Sing" }));
    let done = json!({ "id": 1, "title": "Buy milk", "done": true });
    assert_eq!(call("complete", json!({ "id": 1 })), ("Done 1: Buy milk".into(), done.clone()));
    let sing = json!({ "id": 2, "title": "Sing", "done": false });
    let counted = |items: Value| json!({ "items": items, "open": 1, "done": 1 });
    assert_eq!(call("list", json!({})), ("[ ] 2: Sing".into(), counted(json!([sing]))));
    assert_eq!(call("list", json!({ "state": "done" })), ("[x] 1: Buy milk".into(), counted(json!([done]))));
    assert_eq!(call("list", json!({ "state": "all" })).0, "[x] 1: Buy milk\n[ ] 2: Sing");
    assert_eq!(key_value::get("item/0000000002").unwrap().unwrap(), sing.to_string().as_bytes());
}

#[test]
fn an_item_that_is_not_there_is_named() {
    let outcome = testing::call::<Todo>("complete", json!({ "id": 7 })).unwrap();
    assert_eq!(testing::text(&outcome), "there is no item 7; call list to see what there is");
    assert!(result(outcome).is_error);
}

#[test]
fn items_that_are_done_go_after_a_question() {
    assert_eq!(call("clear", json!({})), ("Nothing to remove.".into(), json!({ "removed": 0 })));
    for title in ["a", "b", "c"] {
        call("add", json!({ "title": title }));
    }
    call("complete", json!({ "id": 1 }));
    call("complete", json!({ "id": 3 }));
    let Outcome::InputRequired(asked) = testing::call::<Todo>("clear", json!({})).unwrap() else {
        panic!("it does not ask")
    };
    let [request] = asked.requests.as_slice() else { panic!("{asked:?}") };
    let InputKind::Form(form) = &request.kind else { panic!("{asked:?}") };
    assert_eq!((request.key.as_str(), form.message.as_str()), ("confirm", "Remove 2 items that are done?"));
    let schema: Value = serde_json::from_str(&form.schema).unwrap();
    let expected = json!({ "type": "object", "properties": { "remove": { "title": "Remove them", "type": "boolean" } }, "required": ["remove"] });
    assert_eq!(schema, expected);

    let kept = ("Nothing was removed.".to_owned(), json!({ "removed": 0 }));
    assert_eq!(clear(FormAnswer::Accept(Some(r#"{"remove":false}"#.into()))), kept);
    assert_eq!(clear(FormAnswer::Decline), kept);
    let removed = ("Removed 2 items.".to_owned(), json!({ "removed": 2 }));
    assert_eq!(clear(FormAnswer::Accept(Some(r#"{"remove":true}"#.into()))), removed);
    assert_eq!(call("list", json!({ "state": "all" })).0, "[ ] 2: b");
    assert_eq!(call("add", json!({ "title": "d" })).0, "Added 4: d", "a number is used once");
}

#[test]
fn a_list_from_the_web_is_an_array_of_titles() {
    assert_eq!(titles("u", r#"["a","b"]"#).unwrap(), ["a", "b"]);
    assert_eq!(titles("u", "[]").unwrap(), Vec::<String>::new());
    let (longest, longer) = ("ß".repeat(MAX_TITLE), "ß".repeat(MAX_TITLE + 1));
    assert!(titles("u", &json!([longest]).to_string()).is_ok());
    for bad in ["", "{}", "[1]", "[\"\"]", "[\"a\"", &json!([longer]).to_string()] {
        let error = titles("u", bad).unwrap_err().to_string();
        assert!(error.starts_with("what u answered is no JSON array of titles"), "{error}");
    }
}

#[test]
fn without_a_store_the_operators_line_is_told() {
    testing::store_fails(Some(StoreError::Denied("add key-value = true".into())));
    let outcome = testing::call::<Todo>("add", json!({ "title": "x" })).unwrap();
    assert_eq!(testing::text(&outcome), "add key-value = true");
    assert!(result(outcome).is_error);
}
