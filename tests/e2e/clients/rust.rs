//! The crate `rmcp`: what `script.mjs` and `script.py` do in the other languages, in Rust.

use std::collections::BTreeSet;
use std::fs;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientRequest, PaginatedRequestParams, ProgressNotificationParam,
    ProtocolVersion, ServerResult, SubscriptionFilter,
};
use rmcp::service::{
    ClientLifecycleMode, ClientServiceExt as _, NotificationContext, PeerRequestOptions, RequestHandle, RunningService,
};
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{ClientHandler, RoleClient};
use serde_json::Value;
use tokio::sync::{Notify, mpsc};
use toolcell_tests::mcp::{HANDSHAKE, MODERN};
use toolcell_tests::plan::{Scene, Transport, check};
use toolcell_tests::{DEADLINE, artifacts};

/// What the server says on its own.
#[derive(Clone)]
struct Handler {
    progress: mpsc::UnboundedSender<f64>,
    changed: Arc<Notify>,
}

impl ClientHandler for Handler {
    async fn on_progress(&self, params: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        // A test that has seen enough listens no more.
        let _ = self.progress.send(params.progress);
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.changed.notify_one();
    }
}

struct Client {
    service: RunningService<RoleClient, Handler>,
    progress: mpsc::UnboundedReceiver<f64>,
    changed: Arc<Notify>,
    plan: Value,
}

pub(super) async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, work).await.unwrap_or_else(|_| panic!("no {what} within {DEADLINE:?}"))
}

impl Client {
    async fn connect(plan: Value) -> Self {
        let (sender, progress) = mpsc::unbounded_channel();
        let changed = Arc::new(Notify::new());
        let handler = Handler { progress: sender, changed: Arc::clone(&changed) };
        let mode = match plan["version"].as_str() {
            Some(MODERN) => ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] },
            _ => ClientLifecycleMode::Initialize,
        };
        let service = match plan["url"].as_str() {
            Some(url) => {
                toolcell_tests::tls::install_provider();
                let transport = StreamableHttpClientTransport::from_uri(url);
                within("connection", handler.serve_with_lifecycle(transport, mode)).await
            }
            None => {
                let words: Vec<&str> =
                    plan["command"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                let mut command = tokio::process::Command::new(words[0]);
                command.args(&words[1..]);
                let transport = TokioChildProcess::new(command).expect("the host can be started");
                within("connection", handler.serve_with_lifecycle(transport, mode)).await
            }
        };
        Self { service: service.expect("the host is a server"), progress, changed, plan }
    }

    async fn list(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut cursor = None;
        let mut pages = 0;
        loop {
            let params = PaginatedRequestParams::default().with_cursor(cursor.take());
            let page =
                within("page of tools", self.service.list_tools(Some(params))).await.expect("tools can be listed");
            names.extend(page.tools.iter().map(|tool| tool.name.to_string()));
            pages += 1;
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        let size = usize::try_from(self.plan["pageSize"].as_u64().unwrap_or_default()).unwrap_or_default();
        assert_eq!(pages, names.len().div_ceil(size), "the number of pages");
        names
    }

    /// Starts a call. Its handle can be awaited or cancelled.
    async fn start(&self, call: &Value) -> RequestHandle<RoleClient> {
        let name = call["tool"].as_str().unwrap_or_default().to_owned();
        let arguments = call["arguments"].as_object().cloned().unwrap_or_default();
        let params = CallToolRequestParams::new(name).with_arguments(arguments);
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        let sent = self.service.send_cancellable_request(request, PeerRequestOptions::no_options());
        within("sign that the call is sent", sent).await.expect("a call can be sent")
    }

    async fn call(&self, call: &Value) -> Value {
        let handle = self.start(call).await;
        let response = within("result", handle.await_response()).await;
        match response.unwrap_or_else(|why| panic!("{call}: {why}")) {
            ServerResult::CallToolResult(result) => serde_json::to_value(result).expect("a result is JSON"),
            other => panic!("{call}: {other:?}"),
        }
    }

    async fn run(mut self) {
        let info = self.service.peer_info().expect("the server said who it is");
        assert_eq!(info.protocol_version.as_str(), self.plan["version"]);

        let listed = self.list().await;
        let ignored = self.plan["ignore"].as_str().unwrap_or_default();
        let own: BTreeSet<&str> = listed.iter().map(String::as_str).filter(|name| !name.starts_with(ignored)).collect();
        let tools = self.plan["tools"].as_array().into_iter().flatten().filter_map(Value::as_str);
        assert_eq!(own, tools.collect());
        assert_eq!(self.list().await, listed, "the same list in the same order again");

        for case in self.plan["cases"].as_array().into_iter().flatten() {
            check(case, &self.call(case).await);
        }
        self.progress().await;
        self.cancel().await;
        self.swap().await;
        within("end", self.service.cancel()).await.expect("a client can end");
    }

    async fn progress(&mut self) {
        self.call(&self.plan["progress"]).await;
        let step = within("progress", self.progress.recv()).await;
        let steps = self.plan["progress"]["steps"].as_array().into_iter().flatten().filter_map(Value::as_f64);
        assert!(steps.into_iter().any(|known| Some(known) == step), "progress {step:?} from nowhere");
        while self.progress.try_recv().is_ok() {}
    }

    async fn cancel(&mut self) {
        let handle = self.start(&self.plan["cancel"]).await;
        // It reports progress and never ends: when a report is here, it runs.
        within("sign that the tool runs", self.progress.recv()).await;
        within("end of the cancelled call", handle.cancel(Some("the test has seen enough".to_owned())))
            .await
            .expect("a call can be cancelled");
        let after = &self.plan["cancel"]["after"];
        check(after, &self.call(after).await);
    }

    async fn swap(&self) {
        let swap = &self.plan["swap"];
        let name = |key: &str| swap[key].as_str().unwrap_or_default().to_owned();
        let modern = self.plan["version"] == MODERN;
        let filter = SubscriptionFilter::builder().tools_list_changed().build();
        let mut subscription = match modern {
            true => {
                Some(within("subscription", self.service.listen(filter)).await.expect("changes can be listened to"))
            }
            false => None,
        };
        assert!(self.list().await.contains(&name("before")), "{} is there before the swap", name("before"));
        let (to, part) = (PathBuf::from(name("to")), PathBuf::from(name("to") + ".part"));
        fs::copy(name("from"), &part).and_then(|_| fs::rename(&part, &to)).expect("a component can be swapped");
        match &mut subscription {
            Some(subscription) => {
                let told = within("list_changed", subscription.next()).await.expect("the subscription lives");
                assert!(told.is_some(), "the subscription ended");
            }
            None => within("list_changed", self.changed.notified()).await,
        }
        let now = self.list().await;
        assert!(now.contains(&name("after")) && !now.contains(&name("before")), "after the swap the tools are {now:?}");
    }
}

fn rmcp(transport: Transport, version: &str) {
    let _ = artifacts::toolcell();
    let scene = Scene::new(transport);
    let runtime = tokio::runtime::Runtime::new().expect("there is a runtime");
    runtime.block_on(async { Client::connect(scene.plan(version)).await.run().await });
}

#[test]
fn rmcp_stdio() {
    rmcp(Transport::Stdio, MODERN);
}

#[test]
fn rmcp_http() {
    rmcp(Transport::Http, MODERN);
}

#[test]
fn rmcp_handshake_stdio() {
    rmcp(Transport::Stdio, HANDSHAKE);
}

#[test]
fn rmcp_handshake_http() {
    rmcp(Transport::Http, HANDSHAKE);
}
