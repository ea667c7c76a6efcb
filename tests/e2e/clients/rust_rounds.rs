//! The crate `rmcp`: what `rounds.mjs` and `rounds.py` do in the other languages, in Rust.

#![expect(deprecated, reason = "sampling, logging and subscribing are tested for as long as clients have them")]

use std::sync::Arc;
use std::time::Duration;

use rmcp::handler::client::ClientHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ClientConfig, CompleteRequestParams, CreateMessageRequestParams,
    CreateMessageResult, ElicitRequestParams, ElicitResult, ElicitationAction, ErrorData, GetPromptRequestParams,
    GetTaskParams, InputRequest, LoggingMessageNotificationParam, ProgressNotificationParam, ProtocolVersion,
    ReadResourceRequestParams, ResourceUpdatedNotificationParam, ServerNotification, SubscriptionFilter, TaskPayload,
    UpdateTaskParams,
};
use rmcp::service::{
    ClientLifecycleMode, ClientServiceExt as _, NotificationContext, RequestContext, RunningService, Subscription,
};
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{Peer, RoleClient};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};
use toolcell_tests::mcp::{HANDSHAKE, MODERN, text_of};
use toolcell_tests::plan::Transport;
use toolcell_tests::rounds::Rounds;

use super::rust::within;

/// Between two looks at a task, where the server names no time.
const POLL: Duration = Duration::from_millis(10);

/// Answers what the server asks, by the plan, and passes on what it says.
#[derive(Clone)]
struct Handler {
    plan: Arc<Value>,
    progress: mpsc::UnboundedSender<f64>,
    log: mpsc::UnboundedSender<Value>,
    updated: mpsc::UnboundedSender<String>,
}

impl Handler {
    fn fill(&self, request: &ElicitRequestParams) -> Value {
        let asked = serde_json::to_value(request).expect("a request is JSON");
        let names = asked["requestedSchema"]["properties"].as_object().into_iter().flatten().map(|(name, _)| name);
        names.map(|name| (name.clone(), self.plan["rounds"]["answers"][name].clone())).collect()
    }
}

impl ClientHandler for Handler {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = json!({ "elicitation": {}, "sampling": {} });
        if self.plan["version"] == MODERN {
            capabilities["extensions"] = json!({ "io.modelcontextprotocol/tasks": {} });
        }
        typed(json!({
            "protocolVersion": self.plan["version"], "capabilities": capabilities,
            "clientInfo": { "name": "toolcell-tests-rmcp", "version": "1.0.0" },
        }))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let content = self.fill(&request);
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(content))
    }

    async fn create_message(
        &self,
        _: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        Ok(typed(json!({
            "role": "assistant", "model": "none",
            "content": { "type": "text", "text": self.plan["rounds"]["model"] },
        })))
    }

    async fn on_progress(&self, params: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        // A test that has seen enough listens no more; so for the others.
        let _ = self.progress.send(params.progress);
    }

    async fn on_logging_message(&self, params: LoggingMessageNotificationParam, _: NotificationContext<RoleClient>) {
        let _ = self.log.send(serde_json::to_value(params).unwrap_or_default());
    }

    async fn on_resource_updated(&self, params: ResourceUpdatedNotificationParam, _: NotificationContext<RoleClient>) {
        let _ = self.updated.send(params.uri);
    }
}

/// A value of one of the SDK's types; many of them can be made outside the SDK only from what is on the wire.
fn typed<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|why| panic!("{value}: {why}"))
}

struct Client {
    service: RunningService<RoleClient, Handler>,
    handler: Handler,
    progress: mpsc::UnboundedReceiver<f64>,
    log: mpsc::UnboundedReceiver<Value>,
    updated: Mutex<mpsc::UnboundedReceiver<String>>,
    plan: Arc<Value>,
    modern: bool,
}

/// What is told of a resource: by a subscription of its own, or with everything else.
enum Watch {
    Subscription(Box<Subscription>),
    Session(String),
}

impl Client {
    async fn connect(plan: Value) -> Self {
        let plan = Arc::new(plan);
        let (progress_sender, progress) = mpsc::unbounded_channel();
        let (log_sender, log) = mpsc::unbounded_channel();
        let (updated_sender, updated) = mpsc::unbounded_channel();
        let handler =
            Handler { plan: Arc::clone(&plan), progress: progress_sender, log: log_sender, updated: updated_sender };
        let modern = plan["version"] == MODERN;
        let mode = match modern {
            true => ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] },
            false => ClientLifecycleMode::Initialize,
        };
        let service = match plan["url"].as_str() {
            Some(url) => {
                toolcell_tests::tls::install_provider();
                let transport = StreamableHttpClientTransport::from_uri(url);
                within("connection", handler.clone().serve_with_lifecycle(transport, mode)).await
            }
            None => {
                let words: Vec<&str> =
                    plan["command"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                let mut command = tokio::process::Command::new(words[0]);
                command.args(&words[1..]);
                let transport = TokioChildProcess::new(command).expect("the host can be started");
                within("connection", handler.clone().serve_with_lifecycle(transport, mode)).await
            }
        };
        let service = service.expect("the host is a server");
        let info = service.peer_info().expect("the server said who it is");
        assert_eq!(info.protocol_version.as_str(), plan["version"]);
        Self { service, handler, progress, log, updated: Mutex::new(updated), plan, modern }
    }

    fn peer(&self) -> &Peer<RoleClient> {
        self.service.peer()
    }

    fn step(&self, name: &str) -> Value {
        self.plan["rounds"][name].clone()
    }

    /// Calls a tool; the SDK answers what the server asks meanwhile.
    async fn call(&self, tool: &Value, arguments: &Value, meta: Option<Value>) -> String {
        let mut params = json!({ "name": tool, "arguments": arguments });
        if let Some(meta) = meta {
            params["_meta"] = meta;
        }
        let params: CallToolRequestParams = typed(params);
        let result =
            within("result", self.service.call_tool(params)).await.unwrap_or_else(|why| panic!("{tool}: {why}"));
        let result = serde_json::to_value(result).expect("a result is JSON");
        assert_ne!(result["isError"], true, "{tool}: {result}");
        text_of(&result)
    }

    async fn run(mut self) {
        for case in self.step("calls").as_array().into_iter().flatten() {
            assert_eq!(self.call(&case["tool"], &case["arguments"], None).await, case["text"].as_str().unwrap_or("?"));
        }
        self.said().await;
        self.resources().await;
        self.prompts().await;
        self.watch().await;
        self.task().await;
        within("end", self.service.cancel()).await.expect("a client can end");
    }

    async fn said(&mut self) {
        let (progress, log) = (self.step("progress"), self.step("log"));
        self.call(&progress["tool"], &json!({}), None).await;
        let step = within("progress", self.progress.recv()).await;
        let known = progress["steps"].as_array().into_iter().flatten().any(|known| known.as_f64() == step);
        assert!(known, "progress {step:?} from nowhere");
        let meta = match self.modern {
            true => Some(json!({ "io.modelcontextprotocol/logLevel": "info" })),
            false => {
                let set = self.peer().set_level(typed(json!({ "level": "info" })));
                within("log level", set).await.expect("a log level can be set");
                None
            }
        };
        self.call(&log["tool"], &json!({}), meta).await;
        let message = within("log message", self.log.recv()).await.unwrap_or_default();
        assert!(message["level"] == "info" && !message["data"].is_null(), "{message}");
    }

    async fn resources(&self) {
        let plan = self.step("resources");
        let listed = within("resources", self.peer().list_all_resources()).await.expect("resources can be listed");
        assert!(listed.iter().any(|resource| resource.uri == plan["listed"]), "{listed:?}");
        let listed =
            within("templates", self.peer().list_all_resource_templates()).await.expect("templates can be listed");
        assert!(listed.iter().any(|template| template.uri_template == plan["template"]), "{listed:?}");
        let params: ReadResourceRequestParams = typed(json!({ "uri": plan["uri"] }));
        let read = within("content", self.service.read_resource(params)).await.expect("a resource can be read");
        let read = serde_json::to_value(read).expect("a result is JSON");
        let content = &read["contents"][0];
        assert_eq!((&content["uri"], &content["text"]), (&plan["uri"], &plan["text"]), "{read}");
    }

    async fn prompts(&self) {
        let plan = self.step("prompts");
        let listed = within("prompts", self.peer().list_all_prompts()).await.expect("prompts can be listed");
        assert!(listed.iter().any(|prompt| prompt.name == plan["name"]), "{listed:?}");
        for case in plan["cases"].as_array().into_iter().flatten() {
            let params: GetPromptRequestParams = typed(json!({ "name": plan["name"], "arguments": case["arguments"] }));
            let prompt = within("prompt", self.service.get_prompt(params)).await.expect("a prompt can be got");
            let prompt = serde_json::to_value(prompt).expect("a result is JSON");
            assert_eq!(prompt["messages"][0]["content"]["text"], case["text"], "{prompt}");
        }
        for case in plan["completions"].as_array().into_iter().flatten() {
            let mut params = case.clone();
            params.as_object_mut().expect("a case is an object").remove("values");
            let params: CompleteRequestParams = typed(params);
            let completed = within("completion", self.peer().complete(params)).await.expect("it can be completed");
            assert_eq!(json!(completed.completion.values), case["values"], "{case}");
        }
    }

    async fn watch(&self) {
        let plan = self.step("watch");
        let touch = async |note: &Value| {
            let text = self.call(&plan["tool"], &json!({ "id": note["id"] }), None).await;
            assert_eq!(text, note["text"].as_str().unwrap_or("?"));
        };
        let (first, second) = (&plan["first"], &plan["second"]);
        let mut watch = self.subscribe(first["uri"].as_str().unwrap_or_default()).await;
        touch(first).await;
        assert_eq!(self.updated(&mut watch).await, first["uri"].as_str().unwrap_or("?"));
        self.unsubscribe(watch).await;
        // The first is not watched any more, so the next to be told of is the second.
        let mut watch = self.subscribe(second["uri"].as_str().unwrap_or_default()).await;
        touch(first).await;
        touch(second).await;
        assert_eq!(self.updated(&mut watch).await, second["uri"].as_str().unwrap_or("?"));
        self.unsubscribe(watch).await;
    }

    async fn subscribe(&self, uri: &str) -> Watch {
        if self.modern {
            let filter = SubscriptionFilter::builder().resource_subscription(uri).build();
            let subscription =
                within("subscription", self.peer().listen(filter)).await.expect("changes can be listened to");
            return Watch::Subscription(Box::new(subscription));
        }
        let subscribed = self.peer().subscribe(typed(json!({ "uri": uri })));
        within("subscription", subscribed).await.expect("a resource can be subscribed to");
        Watch::Session(uri.to_owned())
    }

    async fn updated(&self, watch: &mut Watch) -> String {
        match watch {
            Watch::Subscription(subscription) => {
                let told = within("update", subscription.next()).await.expect("the subscription lives");
                match told {
                    Some(ServerNotification::ResourceUpdatedNotification(told)) => told.params.uri,
                    other => panic!("told {other:?}"),
                }
            }
            Watch::Session(_) => {
                let mut updated = self.updated.lock().await;
                within("update", updated.recv()).await.unwrap_or_default()
            }
        }
    }

    async fn unsubscribe(&self, watch: Watch) {
        match watch {
            Watch::Subscription(mut subscription) => {
                within("end of the subscription", subscription.cancel()).await.expect("a subscription can end");
            }
            Watch::Session(uri) => {
                let unsubscribed = self.peer().unsubscribe(typed(json!({ "uri": uri })));
                within("end of the subscription", unsubscribed).await.expect("a subscription can end");
            }
        }
    }

    /// In the handshake era it is a call that asks back over the session's stream, from 2026-07-28 on a task.
    async fn task(&self) {
        let plan = self.step("task");
        let text = plan["text"].as_str().unwrap_or("?");
        if !self.modern {
            assert_eq!(self.call(&plan["tool"], &plan["arguments"], None).await, text);
            return;
        }
        let params: CallToolRequestParams = typed(json!({ "name": plan["tool"], "arguments": plan["arguments"] }));
        let response = within("task", self.service.call_tool_once(params)).await.expect("a task can be started");
        let CallToolResponse::Task(created) = response else { panic!("no task: {response:?}") };
        let id = &created.task.task_id;
        let (mut answered, mut seen) = (false, Vec::new());
        let result = loop {
            let got = within("task", self.peer().get_task(GetTaskParams::new(id))).await.expect("a task can be got");
            let task = got.task;
            seen.push(task.status());
            match task.payload {
                TaskPayload::Completed { result } => break Value::from(result),
                TaskPayload::InputRequired { input_requests } if !answered => {
                    let answers = input_requests.into_iter().map(|(key, asked)| match asked {
                        InputRequest::Elicitation(asked) => {
                            (key, json!({ "action": "accept", "content": self.handler.fill(&asked.params) }))
                        }
                        other => panic!("asked {other:?}"),
                    });
                    let update = UpdateTaskParams::new(id, answers.collect());
                    within("acknowledgement", self.peer().update_task(update)).await.expect("a task can be updated");
                    answered = true;
                }
                TaskPayload::Working | TaskPayload::InputRequired { .. } => {}
                other => panic!("the task ended as {other:?}"),
            }
            tokio::time::sleep(task.task.poll_interval_ms.map_or(POLL, Duration::from_millis)).await;
        };
        assert!(answered, "the task was {seen:?} and never asked");
        assert_eq!(text_of(&result), text);
    }
}

fn rounds(version: &str) {
    for transport in [Transport::Stdio, Transport::Http] {
        let rounds = Rounds::new(transport);
        let runtime = tokio::runtime::Runtime::new().expect("there is a runtime");
        runtime.block_on(async { Client::connect(rounds.plan(version)).await.run().await });
    }
}

#[test]
fn rounds_rmcp() {
    rounds(MODERN);
}

#[test]
fn rounds_rmcp_handshake() {
    rounds(HANDSHAKE);
}
