//! `tasks/get`, `tasks/update`, `tasks/cancel`. Source: the tasks extension.

use std::sync::Arc;

use serde::Serialize;

use super::written;
use crate::protocol::error::Error;
use crate::protocol::jsonrpc::Request;
use crate::protocol::lifecycle::Terms;
use crate::protocol::reply::Reply;
use crate::protocol::tasks::{Shown, Tasks};
use crate::protocol::types::Meta;
use crate::protocol::{Scope, Server};

pub(in crate::protocol) async fn tasks(
    server: &Server,
    request: &Request<'_>,
    terms: &Terms,
    scope: &Scope,
) -> Result<Reply, Error> {
    if !terms.tasks {
        return Err(Error::NeedsTasks);
    }
    let tasks: &Arc<Tasks> = &server.tasks;
    let id = request.params.required_text("taskId")?;
    let principal = scope.principal.as_deref().map(|it| it.id.as_str());
    match request.method.as_ref() {
        "tasks/get" => {
            let record = tasks.find(&id, principal).await?;
            return written(Reply::success(&request.id, tasks.view(&record, Shown::Got)));
        }
        "tasks/cancel" => tasks.cancel(&id, principal).await?,
        _ => {
            let responses = request.params.required_object("inputResponses")?;
            let answers = responses.iter().map(|(key, raw)| (key.to_owned(), raw.to_owned())).collect();
            tasks.update(&id, principal, answers).await?;
        }
    }
    let meta = Meta { plugin: None, server: server.identity.in_results(terms.revision) };
    written(Reply::success(&request.id, Acknowledged { result_type: "complete", meta }))
}

#[derive(Serialize)]
struct Acknowledged<'a> {
    #[serde(rename = "resultType")]
    result_type: &'static str,
    #[serde(rename = "_meta")]
    meta: Meta<'a>,
}
