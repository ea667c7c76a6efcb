//! What a tool asks of its client, in either era.

use super::*;

/// A tool that asks for a name and greets whoever answers.
pub(super) fn asking() -> Arc<ToolEntry> {
    tool_fn("asking", |_, ctx: CallCtx| async move { greet(ctx) })
}

fn greet(ctx: CallCtx) -> Outcome {
    let Some(continuation) = ctx.continuation else {
        let schema = r#"{"type":"object","properties":{"name":{"type":"string"}}}"#.to_owned();
        let form = FormRequest { message: "who are you?".to_owned(), schema, meta: None };
        let request = InputRequest { key: "who".to_owned(), kind: InputKind::Form(form) };
        return Ok(ToolOutcome::InputRequired(InputRequired {
            requests: vec![request],
            state: Some(b"secret".to_vec()),
        }));
    };
    assert!(continuation.state.is_none_or(|state| state == b"secret"));
    match continuation.responses.first().map(|response| &response.answer) {
        Some(InputAnswer::Form(FormAnswer::Accept(Some(json)))) => text(&format!("hello {json}")),
        other => text(&format!("no name: {other:?}")),
    }
}

#[tokio::test]
async fn what_a_tool_needs_is_the_result_of_a_request_that_stands_alone() {
    let endpoint = endpoint(vec![asking(), tool("echo")]);
    let capabilities = format!("{META}clientCapabilities");
    let form = json!({&capabilities: {"elicitation": {}}});
    let first =
        |meta: &Value| alone(1, "tools/call", json!({"name": "asking", "arguments": {"a": 1, "b": 2}, "_meta": meta}));

    let refused = endpoint.answer(first(&json!({}))).await;
    assert_eq!(refused.code(), (400, -32021));
    assert_eq!(refused.json()["error"]["data"]["requiredCapabilities"], json!({"elicitation": {"form": {}}}));

    let needed = endpoint.answer(first(&form)).await.json();
    assert_eq!(needed["result"]["resultType"], "input_required");
    assert_eq!(needed["result"]["inputRequests"]["who"]["method"], "elicitation/create");
    assert_eq!(needed["result"]["inputRequests"]["who"]["params"]["mode"], "form");
    let state = needed["result"]["requestState"].as_str().unwrap();
    assert!(!state.contains("secret"));

    let answers = json!({"who": {"action": "accept", "content": {"name": "Ada"}}});
    let tampered = format!("{state}x");
    for (what, name, arguments, state, answers, expected) in [
        ("the same call", "asking", json!({"b": 2, "a": 1}), Some(state), &answers, Ok(r#"hello {"name":"Ada"}"#)),
        ("answers alone", "asking", json!({"a": 1, "b": 2}), None, &answers, Ok(r#"hello {"name":"Ada"}"#)),
        ("other arguments", "asking", json!({"a": 2, "b": 2}), Some(state), &answers, Err(-32602)),
        ("another tool", "echo", json!({"a": 1, "b": 2}), Some(state), &answers, Err(-32602)),
        ("changed state", "asking", json!({"a": 1, "b": 2}), Some(tampered.as_str()), &answers, Err(-32602)),
        ("no answer at all", "asking", json!({"a": 1, "b": 2}), None, &json!({"who": 5}), Err(-32602)),
    ] {
        let mut params = json!({"name": name, "arguments": arguments, "inputResponses": answers, "_meta": form});
        if let Some(state) = state {
            params["requestState"] = json!(state);
        }
        let answer = endpoint.answer(alone(2, "tools/call", params)).await.json();
        match expected {
            Ok(greeting) => assert_eq!(answer["result"]["content"][0]["text"], greeting, "{what}"),
            Err(code) => assert_eq!(answer["error"]["code"], code, "{what}: {answer}"),
        }
    }
}

#[tokio::test]
async fn a_client_of_a_session_is_asked_on_the_stream_of_its_request() {
    for (version, mode) in [("2025-06-18", Value::Null), ("2025-11-25", json!("form"))] {
        let endpoint = endpoint(vec![asking()]);
        let session = endpoint.open(version, json!({"elicitation": {}})).await;
        let mut events = Events::of(endpoint.respond(in_session(&session, &call(1, "asking", json!({})))).await);
        let mut question = events.next().await.unwrap();
        if question.is_null() {
            question = events.next().await.unwrap();
        }
        assert_eq!(question["method"], "elicitation/create");
        assert_eq!(question["params"]["mode"], mode, "{version}");
        let answer =
            json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {"name": "Ada"}}});
        assert_eq!(endpoint.answer(in_session(&session, &answer)).await.status, 202);
        assert_eq!(events.next().await.unwrap()["result"]["content"][0]["text"], r#"hello {"name":"Ada"}"#);
        assert_eq!(events.next().await, None);

        let mute = endpoint.open(version, json!({})).await;
        let answer = endpoint.answer(in_session(&mute, &call(1, "asking", json!({})))).await.json();
        assert_eq!(answer["result"]["isError"], true, "a client that cannot be asked");
    }
}
