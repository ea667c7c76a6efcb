//! `resources/read`, and `resources/subscribe` and `resources/unsubscribe` of the handshake era.
//! Source: 2026-07-28, server, "Resources"; 2025-11-25, server, "Subscriptions".

use std::collections::HashSet;

use super::guest_call::{End, GuestCall, Round};
use crate::protocol::error::Error;
use crate::protocol::jsonrpc::Request;
use crate::protocol::lifecycle::Terms;
use crate::protocol::reply::Reply;
use crate::protocol::session::Session;
use crate::protocol::types::Read;
use crate::protocol::{Scope, Server};
use crate::registry::types::{ReadOutcome, ResourceContents};
use crate::registry::{CallFailure, Reader};

pub(in crate::protocol) async fn read(
    server: &Server,
    request: &Request<'_>,
    terms: &Terms,
    scope: &Scope,
) -> Result<Option<Reply>, Error> {
    let uri = request.params.required_text("uri")?;
    let reader = reader(server, &uri, terms, scope)?;
    let call = GuestCall::new(server, request, scope, terms, &uri, "{}")?;
    let end = call.run(|ctx| async { reader.read(&uri, ctx).await.map(round) }).await?;
    match end {
        End::Complete(read) => {
            // Nothing there is not the same as something empty.
            if read.contents.is_empty() {
                return Err(not_found(&uri, terms));
            }
            are_own(server, &reader, &uri, &read.contents).await?;
            call.written(Reply::success(&request.id, Read(&read, call.frame()))).map(Some)
        }
        End::Asks(reply) => Ok(Some(reply)),
        End::Failed(CallFailure::NotFound(_)) => Err(not_found(&uri, terms)),
        End::Failed(failure) => Err(call.error(failure)),
        End::Cancelled => Ok(None),
    }
}

/// A plugin may split a resource into parts with URIs of their own, but none of them may be a resource that another plugin
/// lists and answers for.
async fn are_own(server: &Server, reader: &Reader, asked: &str, contents: &[ResourceContents]) -> Result<(), Error> {
    let snapshot = server.registry.snapshot();
    let mut seen = HashSet::from([asked]);
    for item in contents.iter().filter(|item| seen.insert(&item.uri)) {
        if snapshot.resource(&item.uri).is_none_or(|listed| listed.plugin == reader.plugin()) {
            continue;
        }
        if let Some(other) = snapshot.reader(&item.uri).filter(|other| other.plugin() != reader.plugin()) {
            let (own, uri, owner) = (reader.plugin(), &item.uri, other.plugin());
            return Err(Error::Failed(format!("plugin {own} returned contents of {uri}, which is plugin {owner}'s")));
        }
        // To compare a URI with many templates takes a while, and others want to be served meanwhile.
        tokio::task::yield_now().await;
    }
    Ok(())
}

fn round(outcome: ReadOutcome) -> Round<crate::registry::types::ReadResult> {
    match outcome {
        ReadOutcome::Complete(read) => Round::Complete(read),
        ReadOutcome::InputRequired(needed) => Round::InputRequired(needed),
    }
}

fn not_found(uri: &str, terms: &Terms) -> Error {
    Error::UnknownResource { uri: uri.to_owned(), revision: terms.revision }
}

fn reader(server: &Server, uri: &str, terms: &Terms, scope: &Scope) -> Result<Reader, Error> {
    let reader = server.registry.snapshot().reader(uri).ok_or_else(|| not_found(uri, terms))?;
    match reader.may_be_read_by(uri, scope.principal.as_deref()) {
        Ok(()) => Ok(reader),
        Err(CallFailure::NeedsScopes(scopes)) => Err(Error::NeedsScopes(scopes)),
        Err(_) => Err(not_found(uri, terms)),
    }
}

pub(in crate::protocol) fn subscribe(
    server: &Server,
    request: &Request<'_>,
    terms: &Terms,
    scope: &Scope,
    session: &Session,
) -> Result<Reply, Error> {
    let uri = request.params.required_text("uri")?;
    reader(server, &uri, terms, scope)?;
    session.subscribe(uri.into_owned())?;
    super::empty(request)
}

pub(in crate::protocol) fn unsubscribe(request: &Request<'_>, session: &Session) -> Result<Reply, Error> {
    session.unsubscribe(&request.params.required_text("uri")?);
    super::empty(request)
}
