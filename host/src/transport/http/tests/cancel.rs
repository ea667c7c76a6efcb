//! What nobody waits for any more ends at once, and is told no more.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

/// A tool that reports for ever, in messages of that many bytes, and says what becomes of it.
pub(super) fn reporting(
    size: usize,
) -> (Arc<ToolEntry>, mpsc::UnboundedReceiver<&'static str>, mpsc::UnboundedReceiver<CancellationToken>) {
    struct Gone(mpsc::UnboundedSender<&'static str>);
    impl Drop for Gone {
        fn drop(&mut self) {
            let _ = self.0.send("dropped");
        }
    }
    let (say, said) = mpsc::unbounded_channel();
    let (show, shown) = mpsc::unbounded_channel();
    let tool = tool_fn("reporting", move |_, ctx: CallCtx| {
        let (say, show) = (say.clone(), show.clone());
        async move {
            let _gone = Gone(say.clone());
            let _ = show.send(ctx.cancel.clone());
            let _ = say.send("begun");
            for step in 1.. {
                let report =
                    CallEvent::Progress { progress: f64::from(step), total: None, message: Some("x".repeat(size)) };
                ctx.events.as_ref().expect("someone listens").send(report).await.unwrap();
            }
            text("never")
        }
    });
    (tool, said, shown)
}

fn cancelled(id: u32) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})
}

#[tokio::test]
async fn a_stream_of_a_session_ends_when_its_request_is_cancelled() {
    let (tool, mut said, mut shown) = reporting(1);
    let endpoint = endpoint(vec![tool]);
    let session = endpoint.open("2025-11-25", json!({})).await;
    let call = in_session(&session, &call(1, "reporting", json!({"progressToken": 1})));
    let mut events = Events::of(endpoint.respond(call).await);
    assert_eq!(said.recv().await, Some("begun"));
    events.next().await.unwrap();
    assert_eq!(endpoint.answer(in_session(&session, &cancelled(1))).await.status, 202);
    assert!(shown.recv().await.unwrap().is_cancelled());
    assert_eq!(said.recv().await, Some("dropped"));
    let at_the_end = events.1.clone();
    while let Some(message) = events.next().await {
        assert!(message.get("result").is_none() && message.get("error").is_none(), "{at_the_end} {message}");
    }
    assert!(endpoint.service.shared.sessions.find(&session, None).unwrap().session.in_flight().is_empty());
}

#[tokio::test]
async fn a_session_that_ends_takes_its_calls_along() {
    for leave in [false, true] {
        let (tool, mut said, _go) = waiting();
        let limits = Limits { stream_after: Duration::from_millis(1), ..Limits::default() };
        let endpoint = endpoint_with(vec![tool], limits);
        let session = endpoint.open("2025-11-25", json!({})).await;
        let call = in_session(&session, &call(1, "waiting", json!({})));
        let mut events = Some(Events::of(endpoint.respond(call).await));
        assert_eq!(said.recv().await, Some("begun"));
        if leave {
            events = None;
        }
        let end = request("DELETE", &[("host", "localhost"), ("mcp-session-id", &session)], "");
        assert_eq!(endpoint.answer(end).await.status, 204);
        assert_eq!(said.recv().await, Some("dropped"));
        if let Some(events) = &mut events {
            assert_eq!(events.next().await, Some(Value::Null), "the event without data");
            assert_eq!(events.next().await, None, "there is no answer");
        }
    }
}

#[tokio::test]
async fn a_client_that_left_can_still_cancel() {
    let (tool, mut said, _go) = waiting();
    let endpoint = endpoint(vec![tool]);
    let session = endpoint.open("2025-11-25", json!({})).await;
    let call = in_session(&session, &call(1, "waiting", json!({})));
    let service = endpoint.service.clone();
    let client = tokio::spawn(async move { service.respond(call).await.status() });
    assert_eq!(said.recv().await, Some("begun"));
    client.abort();
    assert!(client.await.unwrap_err().is_cancelled());
    assert_eq!(endpoint.answer(in_session(&session, &cancelled(1))).await.status, 202);
    assert_eq!(said.recv().await, Some("dropped"));
}

#[tokio::test]
async fn a_stream_that_is_closed_ends_a_request_that_stands_alone() {
    let (tool, mut said, _shown) = reporting(1);
    let endpoint = endpoint(vec![tool]);
    let params = json!({"name": "reporting", "_meta": {"progressToken": 1}});
    let mut events = Events::of(endpoint.respond(alone(1, "tools/call", params)).await);
    assert_eq!(said.recv().await, Some("begun"));
    events.next().await.unwrap();
    drop(events);
    assert_eq!(said.recv().await, Some("dropped"));
}

#[tokio::test]
async fn a_subscription_ends_with_its_stream() {
    let endpoint = endpoint(vec![tool("a")]);
    let holders = Arc::strong_count(&endpoint.service.shared.server);
    let listen = alone(1, "subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}));
    let mut events = Events::of(endpoint.respond(listen).await);
    events.next().await.unwrap();
    assert!(Arc::strong_count(&endpoint.service.shared.server) > holders, "the subscription holds the server");
    drop(events);
    while Arc::strong_count(&endpoint.service.shared.server) > holders {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_ends_what_came_over_it() {
    let (tool, mut said, _shown) = reporting(1);
    let endpoint = endpoint(vec![tool]);
    let address = serve(&endpoint).await;
    let request = alone(1, "tools/call", json!({"name": "reporting", "_meta": {"progressToken": 1}}));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(&on_the_wire(request).await).await.unwrap();
    assert_eq!(said.recv().await, Some("begun"));
    let mut head = [0; 15];
    client.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    drop(client);
    assert_eq!(said.recv().await, Some("dropped"));
}
