//! `tools/list`, `resources/list`, `resources/templates/list`, `prompts/list`.
//! Source: 2026-07-28, server, "Pagination", "Caching" and the page of each.

use std::io::Write as _;

use crate::protocol::catalog::Kind;
use crate::protocol::error::Error;
use crate::protocol::jsonrpc::Request;
use crate::protocol::lifecycle::Terms;
use crate::protocol::reply::Reply;
use crate::protocol::types::{Meta, scope_name};
use crate::protocol::{Scope, Server};

pub(in crate::protocol) fn list(
    server: &Server,
    request: &Request<'_>,
    terms: &Terms,
    scope: &Scope,
    kind: Kind,
) -> Result<Reply, Error> {
    let cursor = request.params.text("cursor")?;
    let edition = server.catalog.edition(&server.registry, scope.principal.as_deref());
    let page = edition.page(kind, terms.revision, cursor.as_deref(), server.info.page_size)?;
    let hint = edition.hint(kind);
    let own = server.info.list_ttl_ms;
    let ttl_ms = match hint.ttl_ms {
        Some(ttl_ms) if hint.unsaid => ttl_ms.min(own),
        Some(ttl_ms) => ttl_ms,
        None => own,
    };

    // The page has been rendered before; around it goes what belongs to this answer alone.
    let mut bytes = Vec::with_capacity(page.items.len() + 384);
    let write = |bytes: &mut Vec<u8>| -> std::io::Result<()> {
        bytes.write_all(br#"{"jsonrpc":"2.0","id":"#)?;
        serde_json::to_writer(&mut *bytes, &request.id)?;
        bytes.write_all(br#","result":{"#)?;
        if terms.revision.is_per_request() {
            bytes.write_all(br#""resultType":"complete","#)?;
        }
        write!(bytes, r#""{}":["#, kind.member())?;
        bytes.write_all(page.items)?;
        bytes.write_all(b"]")?;
        if let Some(next) = &page.next {
            // A cursor is base64url and needs no escapes.
            write!(bytes, r#","nextCursor":"{next}""#)?;
        }
        if terms.revision.is_per_request() {
            let scope = scope_name(hint.private);
            write!(bytes, r#","ttlMs":{ttl_ms},"cacheScope":"{scope}","_meta":"#)?;
            let server = server.identity.in_results(terms.revision);
            serde_json::to_writer(&mut *bytes, &Meta { plugin: None, server })?;
        }
        bytes.write_all(b"}}")
    };
    write(&mut bytes).map_err(|error| {
        tracing::error!(%error, list = kind.member(), "a list could not be written");
        Error::Internal
    })?;
    Ok(Reply::written(bytes))
}
