//! Tasks over the server, with tools that are closures.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use toolcell_state::{Limits, MemoryStore, TaskStore};

use crate::protocol::jsonrpc::{Message, read_one};
use crate::protocol::testing::{Outcome, described, registry, text};
use crate::protocol::{Notes, Principal, Rules, Scope, Server, ServerInfo};
use crate::registry::types::{
    FormAnswer, FormRequest, InputAnswer, InputKind, InputRequest, InputRequired, Tool, ToolAnnotations, ToolOutcome,
};
use crate::registry::{CallCtx, CallFailure, TaskRule, ToolEntry};

fn tool<F, Fut>(name: &str, task: &str, run: F) -> Arc<ToolEntry>
where
    F: Fn(String, CallCtx) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    let meta = format!(r#"{{"io.toolcell/task":"{task}"}}"#);
    ToolEntry::fake(Tool { meta: Some(meta), ..described(name) }, run)
}

fn server(tools: Vec<Arc<ToolEntry>>, store: &Arc<MemoryStore>) -> Arc<Server> {
    let store: Arc<dyn TaskStore> = Arc::<MemoryStore>::clone(store);
    Server::with_state(registry(tools), ServerInfo::default(), store, None)
}

fn store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(Limits::default()))
}

/// The whole answer to one request of a client that can follow tasks and fill in forms.
async fn ask_as(server: &Server, principal: Option<&str>, method: &str, params: Value) -> Value {
    ask_with(server, principal, json!({ "io.modelcontextprotocol/tasks": {} }), method, params).await
}

async fn ask_with(
    server: &Server,
    principal: Option<&str>,
    extensions: Value,
    method: &str,
    mut params: Value,
) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": { "elicitation": {}, "extensions": extensions },
    });
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let Ok(Message::Request(request)) = read_one(&request) else { panic!("not a request") };
    let scope = Scope {
        rules: Rules::PerRequest,
        principal: principal.map(|id| Arc::new(Principal::new(id.to_owned()))),
        cancel: CancellationToken::new(),
        closing: CancellationToken::new(),
        notes: Notes::none(),
        route: crate::protocol::Route::default(),
    };
    serde_json::from_slice(&server.answer(&request, &scope).await.unwrap().bytes).unwrap()
}

async fn ask(server: &Server, method: &str, params: Value) -> Value {
    ask_as(server, None, method, params).await
}

/// Starts a task and returns its identifier.
async fn start(server: &Server, tool: &str) -> String {
    let created = ask(server, "tools/call", json!({ "name": tool })).await;
    assert_eq!(created["result"]["resultType"], "task", "{created}");
    assert_eq!(created["result"]["status"], "working");
    created["result"]["taskId"].as_str().unwrap().to_owned()
}

/// Waits for the next change of a task that leaves it in this state.
async fn until(server: &Server, id: &str, status: &str) -> Value {
    let mut changes = server.tasks.changes();
    loop {
        let got = ask(server, "tasks/get", json!({ "taskId": id })).await;
        if got["result"]["status"] == status {
            return got["result"].clone();
        }
        assert!(got.get("error").is_none(), "{got}");
        changes.recv().await.unwrap();
    }
}

/// Asks for a name, then greets.
async fn greet(_: String, ctx: CallCtx) -> Outcome {
    match ctx.continuation.map(|it| (it.state, it.responses)) {
        None => {
            let form =
                FormRequest { message: "Who?".to_owned(), schema: r#"{"type":"object"}"#.to_owned(), meta: None };
            let requests = vec![InputRequest { key: "who".to_owned(), kind: InputKind::Form(form) }];
            Ok(ToolOutcome::InputRequired(InputRequired { requests, state: Some(b"asked".to_vec()) }))
        }
        Some((state, responses)) => {
            assert_eq!(state.as_deref(), Some(&b"asked"[..]));
            match responses.first().map(|it| (it.key.as_str(), &it.answer)) {
                Some(("who", InputAnswer::Form(FormAnswer::Accept(Some(content))))) => text(content),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_task_asks_waits_and_completes() {
    let server = server(vec![tool("greet", "optional", greet)], &store());
    let id = start(&server, "greet").await;
    let waiting = until(&server, &id, "input_required").await;
    assert_eq!(waiting["inputRequests"]["who"]["method"], "elicitation/create");
    assert_eq!(waiting["inputRequests"]["who"]["params"]["mode"], "form");

    let nonsense = json!({ "taskId": id, "inputResponses": { "other": 1 } });
    assert_eq!(ask(&server, "tasks/update", nonsense).await["result"]["resultType"], "complete");
    let broken = json!({ "taskId": id, "inputResponses": { "who": 1 } });
    assert_eq!(ask(&server, "tasks/update", broken).await["error"]["code"], -32602);
    assert_eq!(until(&server, &id, "input_required").await["inputRequests"], waiting["inputRequests"]);

    let answer = json!({ "taskId": id, "inputResponses": { "who": { "action": "accept", "content": { "a": 1 } } } });
    assert_eq!(ask(&server, "tasks/update", answer.clone()).await["result"]["resultType"], "complete");
    let done = until(&server, &id, "completed").await;
    assert_eq!(done["result"]["content"][0]["text"], r#"{"a":1}"#);
    assert_eq!(
        ask(&server, "tasks/update", answer).await["result"]["resultType"],
        "complete",
        "late answers are ignored"
    );
    assert_eq!(until(&server, &id, "completed").await, done);
}

#[tokio::test]
async fn who_cannot_follow_tasks_gets_none() {
    let quick = |name, task| tool(name, task, |_, _| async { text("done") });
    let server =
        server(vec![quick("can", "optional"), quick("must", "required"), quick("never", "forbidden")], &store());
    let plain = async |name: &str| ask_with(&server, None, json!({}), "tools/call", json!({ "name": name })).await;
    assert_eq!(plain("can").await["result"]["content"][0]["text"], "done");
    assert_eq!(plain("must").await["error"]["code"], -32021);
    assert_eq!(ask(&server, "tools/call", json!({ "name": "never" })).await["result"]["resultType"], "complete");
    let get = ask_with(&server, None, json!({}), "tasks/get", json!({ "taskId": "x" })).await;
    assert_eq!(
        get["error"]["data"]["requiredCapabilities"]["extensions"],
        json!({ "io.modelcontextprotocol/tasks": {} })
    );
}

#[tokio::test]
async fn a_task_is_its_owners() {
    let server = server(vec![tool("t", "optional", |_, _| async { text("secret") })], &store());
    let created = ask_as(&server, Some("alice"), "tools/call", json!({ "name": "t" })).await;
    let task = json!({ "taskId": created["result"]["taskId"] });
    for method in ["tasks/get", "tasks/cancel"] {
        assert_eq!(ask_as(&server, Some("mallory"), method, task.clone()).await["error"]["code"], -32602);
        assert_eq!(ask_as(&server, None, method, task.clone()).await["error"]["code"], -32602);
    }
    assert!(ask_as(&server, Some("alice"), "tasks/get", task).await["result"]["status"].is_string());
}

struct OnDrop(Arc<Notify>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test]
async fn cancelling_ends_the_guest() {
    let (running, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let seen = (Arc::clone(&running), Arc::clone(&dropped));
    let waits = tool("waits", "optional", move |_, _| {
        let (running, dropped) = (Arc::clone(&seen.0), Arc::clone(&seen.1));
        async move {
            let _gone = OnDrop(dropped);
            running.notify_one();
            std::future::pending().await
        }
    });
    let server = server(vec![waits], &store());
    let id = start(&server, "waits").await;
    running.notified().await;
    let ack = ask(&server, "tasks/cancel", json!({ "taskId": id })).await;
    assert_eq!(ack["result"]["resultType"], "complete");
    assert_eq!(until(&server, &id, "cancelled").await.get("result"), None);
    assert_eq!(ask(&server, "tasks/cancel", json!({ "taskId": id })).await["result"]["resultType"], "complete");
    dropped.notified().await;
}

#[tokio::test]
async fn failures_of_the_tool_complete_and_errors_fail() {
    let bad = tool("bad", "optional", |_, _| async { Err(CallFailure::Failed("it is broken".to_owned())) });
    let gone = tool("gone", "optional", |_, _| async { Err(CallFailure::NotFound("no such thing".to_owned())) });
    let server = server(vec![bad, gone], &store());
    let id = start(&server, "bad").await;
    let ended = until(&server, &id, "completed").await;
    assert_eq!(
        (&ended["result"]["isError"], &ended["result"]["content"][0]["text"]),
        (&json!(true), &json!("it is broken"))
    );
    let id = start(&server, "gone").await;
    let ended = until(&server, &id, "failed").await;
    assert_eq!(ended["error"]["code"], -32602);
    assert!(ended["statusMessage"].as_str().unwrap().contains("no such thing"), "{ended}");
}

#[tokio::test]
async fn after_a_restart_nothing_hangs() {
    let store = store();
    let count = Arc::new(AtomicUsize::new(0));
    // The first process never comes to an end with anything; the second one answers at once.
    let tools = |ends: bool| {
        let count = Arc::clone(&count);
        let run = move |_: String, _: CallCtx| {
            count.fetch_add(1, Ordering::Relaxed);
            async move {
                match ends {
                    true => text("at last"),
                    false => std::future::pending().await,
                }
            }
        };
        let hints = ToolAnnotations { read_only: None, destructive: None, idempotent: Some(true), open_world: None };
        let meta = Some(r#"{"io.toolcell/task":"optional"}"#.to_owned());
        let again = Tool { annotations: Some(hints), meta, ..described("again") };
        vec![
            ToolEntry::fake(again, run.clone()),
            tool("once", "optional", run.clone()),
            tool("greet", "optional", greet),
        ]
    };
    let first = server(tools(false), &store);
    let (again, once) = (start(&first, "again").await, start(&first, "once").await);
    let greeting = start(&first, "greet").await;
    until(&first, &greeting, "input_required").await;
    drop(first);

    let second = server(tools(true), &store);
    let tended = Arc::clone(&second);
    tokio::spawn(async move { tended.tend_tasks().await });
    assert_eq!(until(&second, &again, "completed").await["result"]["content"][0]["text"], "at last");
    let failed = until(&second, &once, "failed").await;
    assert!(failed["statusMessage"].as_str().unwrap().contains("restarted"), "{failed}");
    let answer =
        json!({ "taskId": greeting, "inputResponses": { "who": { "action": "accept", "content": { "b": 2 } } } });
    ask(&second, "tasks/update", answer).await;
    assert_eq!(until(&second, &greeting, "completed").await["result"]["content"][0]["text"], r#"{"b":2}"#);
}

#[tokio::test]
async fn a_call_that_cannot_become_a_task_ends() {
    let ended = Arc::new(Notify::new());
    let seen = Arc::clone(&ended);
    let mut slow = tool("slow", "optional", move |_, ctx| {
        let ended = Arc::clone(&seen);
        async move {
            ctx.cancel.cancelled().await;
            ended.notify_one();
            Err(CallFailure::Cancelled)
        }
    });
    Arc::get_mut(&mut slow).unwrap().task = TaskRule::After(Duration::from_millis(1));
    let full = Arc::new(MemoryStore::new(Limits { max_records_per_owner: 0, ..Limits::default() }));
    let server = server(vec![slow], &full);
    let refused = ask(&server, "tools/call", json!({ "name": "slow" })).await;
    assert!(refused["error"]["message"].as_str().unwrap().contains("no room"), "{refused}");
    ended.notified().await;
}
