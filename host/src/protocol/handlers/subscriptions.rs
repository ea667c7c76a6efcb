//! `subscriptions/listen`. Source: 2026-07-28, patterns, "Subscriptions".

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::written;
use crate::protocol::error::Error;
use crate::protocol::jsonrpc::{Id, Request};
use crate::protocol::lifecycle::Terms;
use crate::protocol::reply::{Reply, notification};
use crate::protocol::{Scope, Server};

/// What a client wants to hear of and may: lists of tools. What it asks for besides is left out of the
/// acknowledgement, which is how it learns that it will not get it.
#[derive(Clone, Copy, Serialize)]
struct Filter {
    #[serde(rename = "toolsListChanged", skip_serializing_if = "std::ops::Not::not")]
    tools_list_changed: bool,
}

impl Filter {
    fn read(request: &Request<'_>) -> Result<Self, Error> {
        let wanted = request.params.required_object("notifications")?;
        for name in ["promptsListChanged", "resourcesListChanged"] {
            wanted.flag(name)?;
        }
        if let Some(uris) = wanted.get("resourceSubscriptions") {
            let _: Vec<String> = serde_json::from_str(uris.get())
                .map_err(|_| Error::InvalidParams("`resourceSubscriptions` must be an array of strings".to_owned()))?;
        }
        Ok(Self { tools_list_changed: wanted.flag("toolsListChanged")? })
    }
}

/// Holds the stream open until the client or the server ends it.
pub(in crate::protocol) async fn listen(
    server: &Server,
    request: &Request<'_>,
    terms: &Terms,
    scope: &Scope,
) -> Result<Option<Reply>, Error> {
    let filter = Filter::read(request)?;
    let mut changes = server.registry.changes();
    let mut seen = changes.borrow_and_update().tools;
    let tag = Tag { subscription: &request.id, server: None };
    scope
        .notes
        .send(notification("notifications/subscriptions/acknowledged", Some(Told { tag, filter: Some(filter) })))
        .await;
    loop {
        tokio::select! {
            biased;
            () = scope.cancel.cancelled() => return Ok(None),
            () = scope.closing.cancelled() => break,
            changed = changes.changed() => {
                if changed.is_err() {
                    // The registry is gone and with it every change; what remains is to wait for the end.
                    tokio::select! {
                        () = scope.cancel.cancelled() => return Ok(None),
                        () = scope.closing.cancelled() => break,
                    }
                }
                let now = changes.borrow_and_update().tools;
                if filter.tools_list_changed && now != seen {
                    let told = Told { tag, filter: None };
                    scope.notes.send(notification("notifications/tools/list_changed", Some(told))).await;
                }
                seen = now;
            }
        }
    }
    let server = server.identity.in_results(terms.revision);
    let meta = Tag { subscription: &request.id, server };
    written(Reply::success(&request.id, Closed { result_type: "complete", meta })).map(Some)
}

#[derive(Clone, Copy, Serialize)]
struct Told<'a> {
    #[serde(rename = "_meta")]
    tag: Tag<'a>,
    #[serde(rename = "notifications", skip_serializing_if = "Option::is_none")]
    filter: Option<Filter>,
}

#[derive(Serialize)]
struct Closed<'a> {
    #[serde(rename = "resultType")]
    result_type: &'static str,
    #[serde(rename = "_meta")]
    meta: Tag<'a>,
}

/// Which subscription a message belongs to.
#[derive(Clone, Copy)]
struct Tag<'a> {
    subscription: &'a Id<'a>,
    server: Option<&'a RawValue>,
}

impl Serialize for Tag<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("io.modelcontextprotocol/subscriptionId", self.subscription)?;
        if let Some(server) = self.server {
            map.serialize_entry("io.modelcontextprotocol/serverInfo", server)?;
        }
        map.end()
    }
}
