//! Clients that come back: to a request that takes long, and to what they are told without asking.

use super::*;

/// The rest of a stream until it is closed, each event as it is.
async fn all(mut events: Events) -> Vec<String> {
    let mut seen = Vec::new();
    while let Some(event) = events.raw().await {
        seen.push(event);
    }
    seen
}

fn limits() -> Limits {
    let soon = Duration::from_millis(1);
    Limits { stream_after: soon, stream_age: soon, retry: Duration::from_millis(250), ..Limits::default() }
}

#[tokio::test]
async fn a_long_call_is_fetched_piece_by_piece_where_the_revision_says_so() {
    let (tool, mut said, go) = waiting();
    let endpoint = endpoint_with(vec![tool], limits());
    let session = endpoint.open("2025-11-25", json!({})).await;
    let response = endpoint.respond(in_session(&session, &call(1, "waiting", json!({})))).await;
    assert_eq!(said.recv().await, Some("begun"));
    assert_eq!(all(Events::of(response)).await, ["retry: 250\nid: 1-0\ndata: ", "retry: 250"]);

    let again = Events::of(endpoint.listen(&session, Some("1-0")).await);
    let nothing_yet = ["retry: 250\nid: 1-0\ndata: ", "retry: 250"];
    assert_eq!(all(again).await, nothing_yet, "the client is reminded where it was");
    go.send(()).unwrap();
    assert_eq!(said.recv().await, Some("ended"), "leaving is not cancelling");
    let answer = loop {
        let seen = all(Events::of(endpoint.listen(&session, Some("1-0")).await)).await;
        if let Some(event) = seen.get(1).filter(|event| event.starts_with("id: ")) {
            assert_eq!(seen.len(), 2, "after the answer nothing comes");
            break event.clone();
        }
    };
    let (id, answer) = answer.split_once('\n').unwrap();
    assert_eq!(id, "id: 1-1");
    let answer: Value = serde_json::from_str(answer.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!((&answer["id"], &answer["result"]["content"][0]["text"]), (&json!(1), &json!("waited")));
    assert_eq!(endpoint.listen(&session, Some("1-1")).await.status(), 405, "the client has it all");
}

#[tokio::test]
async fn older_clients_keep_their_stream_until_the_answer() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18"] {
        let (tool, mut said, go) = waiting();
        let endpoint = endpoint_with(vec![tool], Limits { keep_alive: Duration::from_millis(1), ..limits() });
        let session = endpoint.open(version, json!({})).await;
        let mut events = Events::of(endpoint.respond(in_session(&session, &call(1, "waiting", json!({})))).await);
        assert_eq!(said.recv().await, Some("begun"));
        for _ in 0..3 {
            assert_eq!(events.raw().await.unwrap(), ":", "{version}");
        }
        go.send(()).unwrap();
        let answer = loop {
            match events.raw().await.unwrap() {
                event if event == ":" => {}
                event => break event,
            }
        };
        assert!(answer.starts_with("id: 1-0\ndata: {") && answer.contains("waited"), "{version}: {answer}");
        assert_eq!(events.raw().await, None);
    }
}

#[tokio::test]
async fn a_batch_that_takes_long_is_answered_on_a_stream() {
    let (tool, mut said, go) = waiting();
    let endpoint = endpoint_with(vec![tool], limits());
    let session = endpoint.open("2025-03-26", json!({})).await;
    let batch = json!([call(1, "waiting", json!({})), {"jsonrpc": "2.0", "id": 2, "method": "ping"}]);
    let mut events = Events::of(endpoint.respond(in_session(&session, &batch)).await);
    assert_eq!(said.recv().await, Some("begun"));
    go.send(()).unwrap();
    let answers = events.next().await.unwrap();
    assert_eq!(answers.as_array().map(Vec::len), Some(2), "{answers}");
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn several_calls_have_a_stream_each_and_one_connection_at_a_time_carries_it() {
    let (tool, mut said, go) = waiting();
    let limits = Limits { kept_streams: 1, stream_age: Duration::MAX, ..limits() };
    let endpoint = endpoint_with(vec![tool], limits);
    let session = endpoint.open("2025-11-25", json!({})).await;
    let mut streams = Vec::new();
    for id in [1, 2, 3] {
        let call = in_session(&session, &call(id, "waiting", json!({})));
        streams.push(Events::of(endpoint.respond(call).await));
        assert_eq!(said.recv().await, Some("begun"));
    }
    for (number, events) in (1..).zip(&mut streams) {
        assert_eq!(events.raw().await.unwrap(), format!("retry: 250\nid: {number}-0\ndata: "));
    }
    let mut newcomer = Events::of(endpoint.listen(&session, Some("1-0")).await);
    assert_eq!(streams[0].raw().await, None, "what comes goes to one connection");
    for _ in 0..3 {
        go.send(()).unwrap();
    }
    assert_eq!(newcomer.next().await, Some(Value::Null), "the event without data");
    assert_eq!(newcomer.next().await.unwrap()["id"], 1);
    assert_eq!(streams[1].next().await.unwrap()["id"], 2);
    assert_eq!(streams[2].next().await.unwrap()["id"], 3);
}

#[tokio::test]
async fn news_that_were_lost_on_the_way_can_be_fetched() {
    let endpoint = endpoint(vec![tool("a")]);
    let session = endpoint.open("2025-11-25", json!({})).await;
    let mut events = Events::of(endpoint.listen(&session, None).await);
    assert_eq!(events.raw().await.unwrap(), "id: n1-0\ndata: ");
    endpoint.registry.replace(vec![tool("b")]);
    let told = [events.raw().await.unwrap(), events.raw().await.unwrap(), events.raw().await.unwrap()];
    assert!(told[0].starts_with("id: n1-1\n") && told[0].contains("tools/list_changed"), "{told:?}");
    drop(events);

    let mut again = Events::of(endpoint.listen(&session, Some("n1-1")).await);
    assert_eq!(again.raw().await.unwrap(), "id: n1-1\ndata: ");
    assert_eq!([again.raw().await.unwrap(), again.raw().await.unwrap()], told[1..]);
    let mut fresh = Events::of(endpoint.listen(&session, None).await);
    assert_eq!(again.raw().await, None, "the newer stream takes the place of the older");
    assert_eq!(fresh.raw().await.unwrap(), "id: n2-0\ndata: ", "nothing is told twice");

    let mut older = Events::of(endpoint.listen(&session, Some("n1-3")).await);
    assert_eq!(fresh.raw().await, None);
    assert_eq!(older.raw().await.unwrap(), "id: n1-3\ndata: ");
    endpoint.registry.replace(vec![tool("c")]);
    assert!(older.raw().await.unwrap().starts_with("id: n1-4\n"), "it goes on where it was");

    let mut unknown = Events::of(endpoint.listen(&session, Some("n9-9")).await);
    assert_eq!(unknown.raw().await.unwrap(), "id: n3-0\ndata: ", "what was missed is lost, what comes is not");
    for nothing in ["9-9", "x", "n", ""] {
        assert_eq!(endpoint.listen(&session, Some(nothing)).await.status(), 400, "{nothing}");
    }
}

#[tokio::test]
async fn a_revision_that_nobody_knows_is_refused_everywhere() {
    let endpoint = endpoint(vec![]);
    let session = endpoint.open("2025-11-25", json!({})).await;
    for (method, body) in [("POST", initialize("2025-11-25", &json!({}))), ("POST", "{}".into())] {
        let headers: Vec<_> = HEAD.into_iter().chain([("mcp-protocol-version", "1900-01-01")]).collect();
        assert_eq!(endpoint.answer(request(method, &headers, &body)).await.status, 400, "{body}");
    }
    for method in ["GET", "DELETE"] {
        let headers = [("host", "localhost"), ("mcp-session-id", &*session), ("mcp-protocol-version", "1900-01-01")];
        assert_eq!(endpoint.answer(request(method, &headers, "")).await.code(), (400, -32600), "{method}");
    }
    assert_eq!(endpoint.service.shared.sessions.len(), 1);
}
