//! A native server on the official Rust SDK, as fast as the SDK lets it be: no sessions, plain JSON answers, no subscriber
//! for its log, and a router built once instead of per request.

use std::convert::Infallible;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::service::TowerToHyperService;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
struct EchoArgs {
    /// What to repeat.
    message: String,
}

#[derive(Clone)]
struct Echo {
    router: Arc<ToolRouter<Self>>,
}

#[tool_router(router = build_router)]
impl Echo {
    /// Repeats the message.
    #[tool]
    async fn echo(&self, Parameters(args): Parameters<EchoArgs>) -> String {
        args.message
    }
}

#[tool_handler(router = self.router)]
impl ServerHandler for Echo {}

/// The SDK's HTTP service, mounted without a web framework.
pub fn service() -> impl Service<
    Request<Incoming>,
    Response = Response<impl hyper::body::Body<Data = bytes::Bytes, Error = Infallible> + Send + 'static>,
    Error = Infallible,
    Future: Send,
> + Clone {
    let echo = Echo { router: Arc::new(Echo::build_router()) };
    let config = StreamableHttpServerConfig::default().with_legacy_session_mode(false).with_json_response(true);
    let sessions = Arc::new(NeverSessionManager::default());
    TowerToHyperService::new(StreamableHttpService::new(move || Ok(echo.clone()), sessions, config))
}
