//! Which method is whose, in which era.

use super::catalog::Kind;
use super::error::Error;
use super::handlers;
use super::jsonrpc::Request;
use super::lifecycle::{self, Rules};
use super::reply::Reply;
use super::{Scope, Server};

/// Serves one request; none if it was cancelled.
pub(super) async fn dispatch(server: &Server, request: &Request<'_>, scope: &Scope) -> Result<Option<Reply>, Error> {
    if matches!(scope.rules, Rules::Unopened) && request.method == "ping" {
        // The one request a client may send before the handshake is through.
        return handlers::empty(request).map(Some);
    }
    let terms = lifecycle::terms(request, &scope.rules)?;
    match (request.method.as_ref(), &scope.rules) {
        ("tools/call", _) => handlers::tools_call(server, request, &terms, scope).await,
        ("tools/list", _) => handlers::list(server, request, &terms, scope, Kind::Tools).map(Some),
        ("resources/list", _) => handlers::list(server, request, &terms, scope, Kind::Resources).map(Some),
        ("resources/templates/list", _) => handlers::list(server, request, &terms, scope, Kind::Templates).map(Some),
        ("resources/read", _) => handlers::resources_read(server, request, &terms, scope).await,
        ("resources/subscribe", Rules::Session(session)) => {
            handlers::subscribe(server, request, &terms, scope, session).map(Some)
        }
        ("resources/unsubscribe", Rules::Session(session)) => handlers::unsubscribe(request, session).map(Some),
        ("prompts/list", _) => handlers::list(server, request, &terms, scope, Kind::Prompts).map(Some),
        ("prompts/get", _) => handlers::prompts_get(server, request, &terms, scope).await,
        ("completion/complete", _) => handlers::complete(server, request, &terms, scope).await,
        ("tasks/get" | "tasks/update" | "tasks/cancel", Rules::PerRequest) => {
            handlers::tasks(server, request, &terms, scope).await.map(Some)
        }
        ("server/discover", Rules::PerRequest) => handlers::discover(server, request, &terms).map(Some),
        ("subscriptions/listen", Rules::PerRequest) => handlers::listen(server, request, &terms, scope).await,
        ("ping", Rules::Session(_)) => handlers::empty(request).map(Some),
        ("logging/setLevel", Rules::Session(session)) => handlers::set_level(request, session).map(Some),
        ("initialize", Rules::Session(_)) => Err(Error::InvalidRequest("the session is open already".to_owned())),
        (method, _) => Err(Error::UnknownMethod(method.to_owned())),
    }
}

/// Whether serving the request may send anything before the answer.
pub(super) fn may_notify(request: &Request<'_>, rules: &Rules) -> bool {
    match (request.method.as_ref(), rules) {
        ("subscriptions/listen", Rules::PerRequest) => true,
        ("tools/call" | "resources/read" | "prompts/get" | "completion/complete", Rules::PerRequest) => {
            handlers::wants_progress(request) || lifecycle::wants_log(request)
        }
        ("tools/call" | "resources/read" | "prompts/get" | "completion/complete", Rules::Session(session)) => {
            handlers::wants_progress(request) || session.log_level().is_some() || session.can_be_asked()
        }
        _ => false,
    }
}
