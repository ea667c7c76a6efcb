//! The methods, one file each.

mod discover;
mod initialize;
mod set_level;
mod subscriptions;
mod tools_call;
mod tools_list;

pub(super) use discover::discover;
pub(super) use initialize::initialize;
pub(super) use set_level::set_level;
pub(super) use subscriptions::listen;
pub(super) use tools_call::{tools_call, wants_progress};
pub(super) use tools_list::tools_list;

use serde::Serialize;

use super::error::Error;
use super::jsonrpc::Request;
use super::reply::Reply;

/// `ping`, and whatever else has nothing to say.
pub(super) fn empty(request: &Request<'_>) -> Result<Reply, Error> {
    #[derive(Serialize)]
    struct Nothing {}
    written(Reply::success(&request.id, Nothing {}))
}

/// What the server can do, in either era. Prompts and resources are not among it: whoever asks for them is told that
/// there is no such method.
#[derive(Serialize)]
struct Capabilities {
    logging: Logging,
    tools: Tools,
}

#[derive(Serialize)]
struct Logging {}

#[derive(Serialize)]
struct Tools {
    #[serde(rename = "listChanged")]
    list_changed: bool,
}

const CAPABILITIES: Capabilities = Capabilities { logging: Logging {}, tools: Tools { list_changed: true } };

/// A result that is made of nothing but the host's own strings cannot fail; if it does, that is the host's fault.
fn written(reply: Result<Reply, serde_json::Error>) -> Result<Reply, Error> {
    reply.map_err(|error| {
        tracing::error!(%error, "a result could not be written");
        Error::Internal
    })
}
