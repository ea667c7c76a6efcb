//! `logging/setLevel` of the handshake era. Source: 2025-11-25, server, "Logging".

use crate::protocol::error::Error;
use crate::protocol::jsonrpc::Request;
use crate::protocol::reply::Reply;
use crate::protocol::session::Session;

pub(in crate::protocol) fn set_level(request: &Request<'_>, session: &Session) -> Result<Reply, Error> {
    session.set_log_level(&request.params.required_text("level")?)?;
    super::empty(request)
}
