//! `initialize`. Source: 2025-11-25, lifecycle, "Initialization".

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Capabilities, written};
use crate::protocol::error::Error;
use crate::protocol::jsonrpc::Request;
use crate::protocol::lifecycle::{abilities, client_info};
use crate::protocol::reply::Reply;
use crate::protocol::requests::InFlight;
use crate::protocol::session::Session;
use crate::protocol::{Principal, Revision, Server};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Initialized<'a> {
    protocol_version: &'static str,
    capabilities: Capabilities,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_info: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'a str>,
}

pub(in crate::protocol) fn initialize(
    server: &Server,
    request: &Request<'_>,
    principal: Option<Arc<Principal>>,
    in_flight: Arc<InFlight>,
) -> Result<(Arc<Session>, Reply), Error> {
    let requested = request.params.required_text("protocolVersion")?;
    let capabilities = request.params.required_object("capabilities")?;
    let client = request.params.required_object("clientInfo")?;

    let revision = Revision::negotiate(&requested);
    let result = Initialized {
        protocol_version: revision.as_str(),
        capabilities: super::capabilities(revision),
        server_info: server.identity.shown_to(revision),
        instructions: server.info.instructions.as_deref(),
    };
    let reply = written(Reply::success(&request.id, result))?;
    let session = Session::new(server, revision, client_info(&client), abilities(&capabilities), principal, in_flight);
    Ok((session, reply))
}
