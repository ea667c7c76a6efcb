//! Streams: reports, subscriptions, changes, and coming back to them.

use super::*;

#[tokio::test]
async fn a_change_of_the_list_reaches_a_session_once_and_also_between_streams() {
    let endpoint = endpoint(vec![tool("a")]);
    let session = endpoint.open("2025-06-18", json!({})).await;
    let changed = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});

    let mut first = Events::of(endpoint.listen(&session, None).await);
    endpoint.registry.replace(vec![tool("b")]);
    assert_eq!(first.next().await, Some(changed.clone()));

    let mut second = Events::of(endpoint.listen(&session, None).await);
    assert_eq!(first.next().await, None, "the newer stream takes the place of the older");
    drop(first);
    endpoint.registry.replace(vec![tool("c")]);
    assert_eq!(second.next().await, Some(changed.clone()));
    drop(second);

    endpoint.registry.replace(vec![tool("d")]);
    let mut third = Events::of(endpoint.listen(&session, None).await);
    assert_eq!(third.next().await, Some(changed));
    endpoint.shutdown.cancel();
    assert_eq!(third.next().await, None);
}

/// A tool that reports twice and then answers.
fn chatty() -> Arc<ToolEntry> {
    tool_fn("chatty", |_, ctx: CallCtx| async move {
        if let Some(events) = &ctx.events {
            for progress in [1.0, 2.0] {
                let message = Some("step".to_owned());
                events.try_send(CallEvent::Progress { progress, total: Some(2.0), message }).unwrap();
            }
            for level in [Level::Debug, Level::Error] {
                events.try_send(CallEvent::Log { level, logger: None, data: "{\n\"a\":1}".to_owned() }).unwrap();
            }
        }
        text("done")
    })
}

#[tokio::test]
async fn reports_make_a_stream_and_come_before_the_answer() {
    let endpoint = endpoint(vec![chatty()]);
    for (meta, reports) in [
        (json!({}), &[][..]),
        (json!({"progressToken": "t"}), &["notifications/progress", "notifications/progress"]),
        (json!({format!("{META}logLevel"): "warning"}), &["notifications/message"]),
        (
            json!({"progressToken": 7, format!("{META}logLevel"): "debug"}),
            &["notifications/progress", "notifications/progress", "notifications/message", "notifications/message"],
        ),
    ] {
        let token = meta.get("progressToken").cloned();
        let response = endpoint.respond(alone(1, "tools/call", json!({"name": "chatty", "_meta": meta}))).await;
        if reports.is_empty() {
            assert_eq!(Answer::of(response).await.json()["id"], 1);
            continue;
        }
        let mut events = Events::of(response);
        for report in reports {
            let message = events.next().await.unwrap();
            assert_eq!(message["method"], *report);
            if *report == "notifications/progress" {
                assert_eq!(Some(&message["params"]["progressToken"]), token.as_ref());
            } else {
                assert_eq!(message["params"]["data"], json!({"a": 1}));
            }
        }
        assert_eq!(events.next().await.unwrap()["result"]["content"][0]["text"], "done");
        assert_eq!(events.next().await, None);
    }
}

#[tokio::test]
async fn a_stream_of_a_session_can_be_fetched_again() {
    let endpoint = endpoint(vec![chatty()]);
    let session = endpoint.open("2025-11-25", json!({})).await;
    let mut events =
        Events::of(endpoint.respond(in_session(&session, &call(1, "chatty", json!({"progressToken": 1})))).await);
    assert_eq!(events.raw().await.unwrap(), "retry: 500\nid: 1-0\ndata: ");
    assert!(events.raw().await.unwrap().starts_with("id: 1-1\ndata: {"));
    drop(events);

    let mut again = Events::of(endpoint.listen(&session, Some("1-1")).await);
    assert_eq!(again.next().await, Some(Value::Null), "the event without data");
    assert_eq!(again.next().await.unwrap()["params"]["progress"], 2.0);
    assert_eq!(again.next().await.unwrap()["result"]["content"][0]["text"], "done");
    assert_eq!(again.next().await, None);
    for unknown in ["2-0", "x", "1", "-"] {
        assert_eq!(endpoint.listen(&session, Some(unknown)).await.status(), 400, "{unknown}");
    }
}

#[tokio::test]
async fn only_the_revision_that_wants_it_gets_an_event_without_data() {
    for (version, primed) in [("2025-03-26", false), ("2025-06-18", false), ("2025-11-25", true)] {
        let endpoint = endpoint(vec![chatty()]);
        let session = endpoint.open(version, json!({})).await;
        let mut events =
            Events::of(endpoint.respond(in_session(&session, &call(1, "chatty", json!({"progressToken": 1})))).await);
        assert_eq!(events.raw().await.unwrap().ends_with("id: 1-0\ndata: "), primed, "{version}");
    }
}

#[tokio::test]
async fn a_subscription_is_acknowledged_told_and_closed() {
    let endpoint = endpoint(vec![tool("a")]);
    let listen = |wanted: Value| alone(9, "subscriptions/listen", json!({"notifications": wanted}));
    let tag = format!("{META}subscriptionId");

    let mut tools = Events::of(endpoint.respond(listen(json!({"toolsListChanged": true, "other": true}))).await);
    let mut prompts = Events::of(endpoint.respond(listen(json!({"promptsListChanged": true}))).await);
    let acknowledged = tools.next().await.unwrap();
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(acknowledged["params"], json!({"_meta": {&tag: 9}, "notifications": {"toolsListChanged": true}}));
    assert_eq!(prompts.next().await.unwrap()["params"]["notifications"], json!({"promptsListChanged": true}));

    endpoint.registry.replace(vec![tool("b")]);
    let told = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": {"_meta": {&tag: 9}}});
    assert_eq!(tools.next().await, Some(told));
    assert_eq!(prompts.next().await.unwrap()["method"], "notifications/prompts/list_changed");

    endpoint.shutdown.cancel();
    for events in [&mut tools, &mut prompts] {
        let closed = events.next().await.unwrap();
        assert_eq!(closed["id"], 9);
        assert_eq!(closed["result"]["resultType"], "complete");
        assert_eq!(closed["result"]["_meta"][&tag], 9);
        assert_eq!(events.next().await, None);
    }
    for wrong in [json!({"notifications": {"toolsListChanged": 1}}), json!({"notifications": []}), json!({})] {
        assert_eq!(endpoint.answer(alone(1, "subscriptions/listen", wrong)).await.code(), (200, -32602));
    }
}

#[tokio::test]
async fn a_silent_stream_says_that_it_is_there() {
    let endpoint = endpoint_with(vec![], Limits { keep_alive: Duration::from_millis(1), ..Limits::default() });
    let session = endpoint.open("2025-11-25", json!({})).await;
    let listen = alone(1, "subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}));
    let mut streams = [Events::of(endpoint.respond(listen).await), Events::of(endpoint.listen(&session, None).await)];
    for events in &mut streams {
        events.next().await.unwrap();
    }
    for events in &mut streams {
        assert_eq!(events.raw().await.unwrap(), ":");
        assert_eq!(events.raw().await.unwrap(), ":");
    }
}
