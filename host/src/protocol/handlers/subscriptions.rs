//! `subscriptions/listen`. Source: 2026-07-28, patterns, "Subscriptions".

use std::collections::BTreeSet;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::written;
use crate::protocol::error::Error;
use crate::protocol::jsonrpc::{Fields, Id, Request};
use crate::protocol::lifecycle::Terms;
use crate::protocol::reply::{Reply, notification};
use crate::protocol::tasks::Shown;
use crate::protocol::{Scope, Server};

/// Resources one subscription may name, and so tasks.
const MAX_NAMED: usize = 1_000;

/// What a client wants to hear of and may. What it asks for besides is left out of the acknowledgement, which is how it
/// learns that it will not get it.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tools_list_changed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    prompts_list_changed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    resources_list_changed: bool,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    resource_subscriptions: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    task_ids: BTreeSet<String>,
}

impl Filter {
    /// What names nothing this caller may hear of is left out: a resource that nobody has, a task that is not the
    /// caller's.
    async fn read(server: &Server, request: &Request<'_>, terms: &Terms, scope: &Scope) -> Result<Self, Error> {
        let wanted = request.params.required_object("notifications")?;
        let snapshot = server.registry.snapshot();
        let mut resource_subscriptions = BTreeSet::new();
        for uri in names(&wanted, "resourceSubscriptions")? {
            let caller = scope.principal.as_deref();
            if snapshot.reader(&uri).is_some_and(|reader| reader.may_be_read_by(&uri, caller).is_ok()) {
                resource_subscriptions.insert(uri);
            }
            // To compare a URI with many templates takes a while, and others want to be served meanwhile.
            tokio::task::yield_now().await;
        }
        drop(snapshot);
        let mut task_ids = BTreeSet::new();
        if wanted.get("taskIds").is_some() && !terms.tasks {
            return Err(Error::NeedsTasks);
        }
        let principal = principal(scope);
        for id in names(&wanted, "taskIds")? {
            if server.tasks.find(&id, principal).await.is_ok() {
                task_ids.insert(id);
            }
        }
        Ok(Self {
            tools_list_changed: wanted.flag("toolsListChanged")?,
            prompts_list_changed: wanted.flag("promptsListChanged")?,
            resources_list_changed: wanted.flag("resourcesListChanged")?,
            resource_subscriptions,
            task_ids,
        })
    }
}

fn principal(scope: &Scope) -> Option<&str> {
    scope.principal.as_deref().map(|it| it.id.as_str())
}

fn names(wanted: &Fields<'_>, member: &str) -> Result<BTreeSet<String>, Error> {
    let Some(raw) = wanted.get(member) else { return Ok(BTreeSet::new()) };
    let names: BTreeSet<String> = serde_json::from_str(raw.get())
        .map_err(|_| Error::InvalidParams(format!("`{member}` must be an array of strings")))?;
    if names.len() > MAX_NAMED {
        return Err(Error::InvalidParams(format!("`{member}` names at most {MAX_NAMED}; open another subscription")));
    }
    Ok(names)
}

/// Holds the stream open until the client or the server ends it.
pub(in crate::protocol) async fn listen(
    server: &Server,
    request: &Request<'_>,
    terms: &Terms,
    scope: &Scope,
) -> Result<Option<Reply>, Error> {
    let mut changes = server.registry.changes();
    let mut updates = server.registry.updates();
    let mut tasks = server.tasks.changes();
    let filter = Filter::read(server, request, terms, scope).await?;
    let mut seen = *changes.borrow_and_update();
    let tag = Tag { subscription: &request.id, server: None };
    let acknowledged = Acknowledged { tag, notifications: &filter };
    scope.notes.send(notification("notifications/subscriptions/acknowledged", Some(acknowledged))).await;
    let tell = async |method: &str, uri: Option<&str>| {
        scope.notes.send(notification(method, Some(Told { tag, uri }))).await;
    };
    let tell_task = async |id: &str| {
        // One that is gone has nothing more to tell.
        if let Ok(record) = server.tasks.find(id, principal(scope)).await {
            let view = server.tasks.view(&record, Shown::Told(&request.id));
            scope.notes.send(notification("notifications/tasks", Some(view))).await;
        }
    };
    loop {
        tokio::select! {
            biased;
            () = scope.cancel.cancelled() => return Ok(None),
            () = scope.closing.cancelled() => break,
            // The server outlives its requests, so neither channel ends before this stream does.
            Ok(()) = changes.changed() => {
                let now = *changes.borrow_and_update();
                if filter.tools_list_changed && now.tools != seen.tools {
                    tell("notifications/tools/list_changed", None).await;
                }
                if filter.prompts_list_changed && now.prompts != seen.prompts {
                    tell("notifications/prompts/list_changed", None).await;
                }
                if filter.resources_list_changed && now.resources != seen.resources {
                    tell("notifications/resources/list_changed", None).await;
                }
                seen = now;
            }
            updated = updates.recv(), if !filter.resource_subscriptions.is_empty() => match updated {
                Ok(updated) if filter.resource_subscriptions.contains(&*updated.uri) && server.is_own(&updated) => {
                    tell(UPDATED, Some(&updated.uri)).await;
                }
                Ok(_) => {}
                // Some were missed; each may have been one of them.
                Err(_) => {
                    for uri in &filter.resource_subscriptions {
                        tell(UPDATED, Some(uri)).await;
                    }
                }
            },
            changed = tasks.recv(), if !filter.task_ids.is_empty() => match changed {
                Ok(id) if filter.task_ids.contains(&*id) => tell_task(&id).await,
                Ok(_) => {}
                Err(_) => {
                    for id in &filter.task_ids {
                        tell_task(id).await;
                    }
                }
            },
        }
    }
    let server = server.identity.in_results(terms.revision);
    let meta = Tag { subscription: &request.id, server };
    written(Reply::success(&request.id, Closed { result_type: "complete", meta })).map(Some)
}

const UPDATED: &str = "notifications/resources/updated";

#[derive(Serialize)]
struct Acknowledged<'a> {
    #[serde(rename = "_meta")]
    tag: Tag<'a>,
    notifications: &'a Filter,
}

#[derive(Clone, Copy, Serialize)]
struct Told<'a> {
    #[serde(rename = "_meta")]
    tag: Tag<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'a str>,
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
