//! The methods, one file each.

mod discover;
mod guest_call;
mod initialize;
mod list;
mod prompts;
mod resources;
mod set_level;
mod subscriptions;
mod tasks;
mod tools_call;

pub(super) use discover::discover;
pub(super) use guest_call::wants_progress;
pub(super) use initialize::initialize;
pub(super) use list::list;
pub(super) use prompts::{complete, get as prompts_get};
pub(super) use resources::{read as resources_read, subscribe, unsubscribe};
pub(super) use set_level::set_level;
pub(super) use subscriptions::listen;
pub(super) use tasks::tasks;
pub(super) use tools_call::{error_result, tools_call};

use serde::Serialize;

use super::Revision;
use super::error::Error;
use super::jsonrpc::Request;
use super::reply::Reply;

/// `ping`, and whatever else has nothing to say.
pub(super) fn empty(request: &Request<'_>) -> Result<Reply, Error> {
    written(Reply::success(&request.id, Nothing {}))
}

/// What the server can do. All of it, whatever is loaded: a plugin that offers prompts may come at any time, and a client
/// of the handshake era asks what there is only once.
#[derive(Serialize)]
struct Capabilities {
    completions: Nothing,
    logging: Nothing,
    prompts: Changing,
    resources: Resources,
    tools: Changing,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<Extensions>,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changing {
    list_changed: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Resources {
    subscribe: bool,
    list_changed: bool,
}

#[derive(Serialize)]
struct Extensions {
    #[serde(rename = "io.modelcontextprotocol/tasks")]
    tasks: Nothing,
    #[serde(rename = "io.modelcontextprotocol/ui")]
    apps: Apps,
}

/// The pages this host passes on: those of its plugins.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Apps {
    mime_types: [&'static str; 1],
}

fn capabilities(revision: Revision) -> Capabilities {
    let extensions = Extensions { tasks: Nothing {}, apps: Apps { mime_types: ["text/html;profile=mcp-app"] } };
    Capabilities {
        completions: Nothing {},
        logging: Nothing {},
        prompts: Changing { list_changed: true },
        resources: Resources { subscribe: true, list_changed: true },
        tools: Changing { list_changed: true },
        extensions: revision.is_per_request().then_some(extensions),
    }
}

/// A result that is made of nothing but the host's own strings cannot fail; if it does, that is the host's fault.
fn written(reply: Result<Reply, serde_json::Error>) -> Result<Reply, Error> {
    reply.map_err(|error| {
        tracing::error!(%error, "a result could not be written");
        Error::Internal
    })
}
