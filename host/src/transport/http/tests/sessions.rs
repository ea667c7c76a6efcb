//! The handshake era: sessions, what ends them, and what does not end with its client.

use super::*;

#[tokio::test]
async fn every_revision_with_a_handshake_is_served_in_a_session() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let endpoint = endpoint(vec![tool("echo")]);
        let session = endpoint.open(version, json!({})).await;
        assert!(session.bytes().all(|byte| byte.is_ascii_graphic()), "{session}");
        for (message, key) in [
            (json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}), None),
            (json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}), Some("tools")),
            (call(3, "echo", json!({})), Some("content")),
            (json!({"jsonrpc": "2.0", "id": 4, "method": "logging/setLevel", "params": {"level": "info"}}), None),
        ] {
            let answer = endpoint.answer(in_session(&session, &message)).await;
            let result = &answer.json()["result"];
            let keys: Vec<_> = result.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(keys, key.into_iter().collect::<Vec<_>>(), "{version}: {message}");
        }
        for method in ["server/discover", "subscriptions/listen", "nonsense"] {
            let message = json!({"jsonrpc": "2.0", "id": 9, "method": method});
            assert_eq!(
                endpoint.answer(in_session(&session, &message)).await.code(),
                (200, -32601),
                "{version} {method}"
            );
        }
    }
}

#[tokio::test]
async fn an_initialize_that_is_none_opens_no_session() {
    let endpoint = endpoint(vec![]);
    let client = json!({"name": "test", "version": "1"});
    for params in [
        json!({}),
        json!({"protocolVersion": 5, "capabilities": {}, "clientInfo": client}),
        json!({"protocolVersion": "2025-11-25", "clientInfo": client}),
        json!({"protocolVersion": "2025-11-25", "capabilities": {}}),
        json!({"protocolVersion": "2025-11-25", "capabilities": [], "clientInfo": client}),
    ] {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).to_string();
        let answer = endpoint.answer(request("POST", &HEAD, &body)).await;
        assert_eq!(answer.code(), (200, -32602), "{params}");
        assert_eq!(answer.session, None);
    }
    assert_eq!(endpoint.service.shared.sessions.len(), 0);
}

#[tokio::test]
async fn a_session_ends_when_its_client_says_so() {
    let endpoint = endpoint(vec![tool("echo")]);
    let session = endpoint.open("2025-11-25", json!({})).await;
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let with = |version: &'static str| {
        let mut headers = HEAD.to_vec();
        headers.extend([("mcp-session-id", session.as_str()), ("mcp-protocol-version", version)]);
        request("POST", &headers, &ping.to_string())
    };
    assert_eq!(endpoint.answer(with("2025-11-25")).await.status, 200);
    assert_eq!(endpoint.answer(with("1900-01-01")).await.code(), (400, -32600));
    assert_eq!(endpoint.answer(in_session("unknown", &ping)).await.code(), (404, -32600));
    let again: Value = serde_json::from_str(&initialize("2025-11-25", &json!({}))).unwrap();
    assert_eq!(endpoint.answer(in_session(&session, &again)).await.code(), (400, -32600));

    let mut stream = Events::of(endpoint.listen(&session, None).await);
    let end = || request("DELETE", &[("host", "localhost"), ("mcp-session-id", session.as_str())], "");
    assert_eq!(endpoint.answer(end()).await.status, 204);
    assert_eq!(stream.next().await, None);
    assert_eq!(endpoint.answer(in_session(&session, &ping)).await.status, 404);
    assert_eq!(endpoint.answer(end()).await.status, 404);
}

#[tokio::test]
async fn a_session_belongs_to_who_opened_it() {
    let endpoint = endpoint(vec![]);
    let of = |mut request: Request<Full<Bytes>>, id: &str| {
        request.extensions_mut().insert(Arc::new(Principal::new(id.to_owned())));
        request
    };
    let opening = of(request("POST", &HEAD, &initialize("2025-11-25", &json!({}))), "alice");
    let session = endpoint.answer(opening).await.session.unwrap();
    let ping = || in_session(&session, &json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}));
    assert_eq!(endpoint.answer(of(ping(), "alice")).await.status, 200);
    assert_eq!(endpoint.answer(of(ping(), "mallory")).await.status, 404);
    assert_eq!(endpoint.answer(ping()).await.status, 404);
}

#[tokio::test]
async fn one_session_too_many_is_refused() {
    let endpoint = endpoint_with(vec![], Limits { sessions: 1, ..Limits::default() });
    let session = endpoint.open("2025-11-25", json!({})).await;
    let another = || request("POST", &HEAD, &initialize("2025-11-25", &json!({})));
    assert_eq!(endpoint.answer(another()).await.code(), (429, -32603));
    endpoint.answer(request("DELETE", &[("host", "localhost"), ("mcp-session-id", &session)], "")).await;
    assert_eq!(endpoint.answer(another()).await.status, 200);
}

#[tokio::test]
async fn a_client_that_leaves_does_not_end_a_request_of_its_session() {
    for meta in [json!({}), json!({"progressToken": 1})] {
        let (tool, mut said, go) = waiting();
        let endpoint = endpoint(vec![tool]);
        let session = endpoint.open("2025-11-25", json!({})).await;
        let request = in_session(&session, &call(1, "waiting", meta));
        let service = endpoint.service.clone();
        let client = tokio::spawn(async move { service.respond(request).await.status() });
        assert_eq!(said.recv().await, Some("begun"));
        client.abort();
        assert!(client.await.unwrap_err().is_cancelled());
        go.send(()).unwrap();
        assert_eq!(said.recv().await, Some("ended"));
    }
}

#[tokio::test]
async fn a_cancelled_request_of_a_session_is_told_no_more() {
    let (tool, mut said, _go) = waiting();
    let endpoint = endpoint(vec![tool]);
    let session = endpoint.open("2025-11-25", json!({})).await;
    let cancel = |id: u32| {
        in_session(
            &session,
            &json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}),
        )
    };
    assert_eq!(endpoint.answer(cancel(5)).await.status, 202, "before there is anything to cancel");
    let (request, service) = (in_session(&session, &call(5, "waiting", json!({}))), endpoint.service.clone());
    let client = tokio::spawn(async move { Answer::of(service.respond(request).await).await });
    assert_eq!(said.recv().await, Some("begun"));

    let twice = endpoint.answer(in_session(&session, &call(5, "waiting", json!({})))).await;
    assert_eq!(twice.code(), (400, -32600), "the identifier is taken");
    assert_eq!(endpoint.answer(cancel(6)).await.status, 202);
    assert_eq!(endpoint.answer(cancel(5)).await.status, 202);
    assert_eq!(said.recv().await, Some("dropped"));
    let answer = client.await.unwrap();
    assert_eq!((answer.status, answer.kind.as_str(), answer.body.as_str()), (200, "text/event-stream", ""));
    assert_eq!(endpoint.answer(cancel(5)).await.status, 202, "after the end");
}

#[tokio::test]
async fn a_batch_is_answered_as_one_where_the_revision_has_it() {
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "method": "notifications/whatever"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
        {"jsonrpc": "2.0", "id": 3, "method": "nonsense"},
        {"jsonrpc": "2.0", "id": 4, "method": "initialize"},
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        17,
    ]);
    for (version, welcome) in [("2024-11-05", true), ("2025-03-26", true), ("2025-06-18", false), ("2025-11-25", false)]
    {
        let endpoint = endpoint(vec![tool("echo")]);
        let session = endpoint.open(version, json!({})).await;
        let answer = endpoint.answer(in_session(&session, &batch)).await;
        if !welcome {
            assert_eq!(answer.code(), (400, -32600), "{version}");
            continue;
        }
        let mut codes: Vec<_> = answer
            .json()
            .as_array()
            .unwrap()
            .iter()
            .map(|reply| (reply["id"].as_u64().unwrap_or(0), reply["error"]["code"].as_i64().unwrap_or(0)))
            .collect();
        codes.sort_unstable();
        assert_eq!(codes, [(0, -32600), (1, -32600), (1, 0), (2, 0), (3, -32601), (4, -32600)], "{version}");
        let quiet = json!([{"jsonrpc": "2.0", "method": "notifications/whatever"}]);
        assert_eq!(endpoint.answer(in_session(&session, &quiet)).await.status, 202);
        let many: Vec<_> = (0..100).map(|id| json!({"jsonrpc": "2.0", "id": id, "method": "ping"})).collect();
        assert_eq!(endpoint.answer(in_session(&session, &json!(many))).await.code(), (400, -32600));
    }
}
