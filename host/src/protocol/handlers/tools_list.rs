//! `tools/list`. Source: 2026-07-28, server, "Listing Tools", "Pagination", "Caching".

use std::io::Write as _;

use crate::protocol::Server;
use crate::protocol::error::Error;
use crate::protocol::jsonrpc::Request;
use crate::protocol::lifecycle::Terms;
use crate::protocol::reply::Reply;
use crate::protocol::types::Meta;

pub(in crate::protocol) fn tools_list(server: &Server, request: &Request<'_>, terms: &Terms) -> Result<Reply, Error> {
    let cursor = request.params.text("cursor")?;
    let edition = server.catalog.edition(&server.registry);
    let page = edition.page(terms.revision, cursor.as_deref(), server.info.page_size)?;

    // The page has been rendered before; around it goes what belongs to this answer alone.
    let mut bytes = Vec::with_capacity(page.tools.len() + 384);
    let write = |bytes: &mut Vec<u8>| -> std::io::Result<()> {
        bytes.write_all(br#"{"jsonrpc":"2.0","id":"#)?;
        serde_json::to_writer(&mut *bytes, &request.id)?;
        bytes.write_all(br#","result":{"#)?;
        if terms.revision.is_per_request() {
            bytes.write_all(br#""resultType":"complete","#)?;
        }
        bytes.write_all(br#""tools":["#)?;
        bytes.write_all(page.tools)?;
        bytes.write_all(b"]")?;
        if let Some(next) = &page.next {
            // A cursor is base64url and needs no escapes.
            write!(bytes, r#","nextCursor":"{next}""#)?;
        }
        if terms.revision.is_per_request() {
            write!(bytes, r#","ttlMs":{},"cacheScope":"public","_meta":"#, server.info.list_ttl_ms)?;
            let server = server.identity.in_results(terms.revision);
            serde_json::to_writer(&mut *bytes, &Meta { plugin: None, server })?;
        }
        bytes.write_all(b"}}")
    };
    write(&mut bytes).map_err(|error| {
        tracing::error!(%error, "the list of tools could not be written");
        Error::Internal
    })?;
    Ok(Reply::written(bytes))
}
