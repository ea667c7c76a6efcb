//! `server/discover`. Source: 2026-07-28, server, "Discovery".

use serde::Serialize;

use super::{Capabilities, capabilities, written};
use crate::protocol::error::Error;
use crate::protocol::jsonrpc::Request;
use crate::protocol::lifecycle::Terms;
use crate::protocol::reply::Reply;
use crate::protocol::types::Meta;
use crate::protocol::{Revision, Server};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Discovered<'a> {
    result_type: &'static str,
    supported_versions: [&'static str; Revision::PER_REQUEST.len()],
    capabilities: Capabilities,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'a str>,
    ttl_ms: u64,
    cache_scope: &'static str,
    #[serde(rename = "_meta")]
    meta: Meta<'a>,
}

pub(in crate::protocol) fn discover(server: &Server, request: &Request<'_>, terms: &Terms) -> Result<Reply, Error> {
    let discovered = Discovered {
        result_type: "complete",
        supported_versions: Revision::PER_REQUEST.map(Revision::as_str),
        capabilities: capabilities(terms.revision),
        instructions: server.info.instructions.as_deref(),
        ttl_ms: server.info.list_ttl_ms,
        cache_scope: "public",
        meta: Meta { plugin: None, server: server.identity.in_results(terms.revision) },
    };
    written(Reply::success(&request.id, discovered))
}
