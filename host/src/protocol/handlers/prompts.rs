//! `prompts/get` and `completion/complete`. Source: 2026-07-28, server, "Prompts", "Completion".

use std::borrow::Cow;
use std::sync::Arc;

use super::guest_call::{End, GuestCall, Round};
use crate::protocol::error::Error;
use crate::protocol::jsonrpc::{Fields, Request, text};
use crate::protocol::lifecycle::Terms;
use crate::protocol::reply::Reply;
use crate::protocol::types::{Filled, Suggested};
use crate::protocol::{Scope, Server};
use crate::registry::types::{Completion, PromptOutcome, PromptResult};

pub(in crate::protocol) async fn get(
    server: &Server,
    request: &Request<'_>,
    terms: &Terms,
    scope: &Scope,
) -> Result<Option<Reply>, Error> {
    let name = request.params.required_text("name")?;
    let snapshot = server.registry.snapshot();
    let prompt = Arc::clone(snapshot.prompt(&name).ok_or_else(|| Error::UnknownPrompt(name.clone().into_owned()))?);
    drop(snapshot);
    let given = request.params.get("arguments").map_or("{}", |arguments| arguments.get());
    let arguments = strings(request.params.object("arguments")?, "arguments")?;
    let call = GuestCall::new(server, request, scope, terms, &prompt.name, given)?;
    let end = call.run(|ctx| async { prompt.get(arguments.clone(), ctx).await.map(round) }).await?;
    match end {
        End::Complete(filled) => call.written(Reply::success(&request.id, Filled(&filled, call.frame()))).map(Some),
        End::Asks(reply) => Ok(Some(reply)),
        End::Failed(failure) => Err(call.error(failure)),
        End::Cancelled => Ok(None),
    }
}

fn round(outcome: PromptOutcome) -> Round<PromptResult> {
    match outcome {
        PromptOutcome::Complete(filled) => Round::Complete(filled),
        PromptOutcome::InputRequired(needed) => Round::InputRequired(needed),
    }
}

pub(in crate::protocol) async fn complete(
    server: &Server,
    request: &Request<'_>,
    terms: &Terms,
    scope: &Scope,
) -> Result<Option<Reply>, Error> {
    let reference = request.params.required_object("ref")?;
    let argument = request.params.required_object("argument")?;
    let name = argument.required_text("name")?.into_owned();
    let value = argument.required_text("value")?.into_owned();
    let context = match request.params.object("context")? {
        Some(context) => strings(context.object("arguments")?, "context.arguments")?,
        None => Vec::new(),
    };
    let target = target(server, &reference)?;
    let call = GuestCall::new(server, request, scope, terms, &name, "{}")?;
    let end = call
        .run(|ctx| async {
            let (name, value, context) = (name.clone(), value.clone(), context.clone());
            let completion = match &target {
                Target::Prompt(prompt) => prompt.complete(name, value, context, ctx).await,
                Target::Template(template) => template.complete(name, value, context, ctx).await,
                // A URI without variables leaves nothing to complete.
                Target::Resource => Ok(Completion { values: Vec::new(), total: None, has_more: false }),
            };
            completion.map(Round::Complete)
        })
        .await?;
    match end {
        End::Complete(completion) => {
            call.written(Reply::success(&request.id, Suggested(&completion, call.frame()))).map(Some)
        }
        End::Asks(reply) => Ok(Some(reply)),
        End::Failed(failure) => Err(call.error(failure)),
        End::Cancelled => Ok(None),
    }
}

enum Target {
    Prompt(Arc<crate::registry::PromptEntry>),
    Template(Arc<crate::registry::TemplateEntry>),
    Resource,
}

fn target(server: &Server, reference: &Fields<'_>) -> Result<Target, Error> {
    let snapshot = server.registry.snapshot();
    match reference.required_text("type")?.as_ref() {
        "ref/prompt" => {
            let name = reference.required_text("name")?;
            let prompt = snapshot.prompt(&name).ok_or_else(|| Error::UnknownPrompt(name.into_owned()))?;
            Ok(Target::Prompt(Arc::clone(prompt)))
        }
        "ref/resource" => {
            let uri = reference.required_text("uri")?;
            if let Some(template) = snapshot.template(&uri) {
                return Ok(Target::Template(Arc::clone(template)));
            }
            match snapshot.reader(&uri) {
                Some(_) => Ok(Target::Resource),
                // Not the error for reading it: `-32002` is no code of completion in any revision.
                None => Err(Error::InvalidParams(format!("no resource or template is `{uri}`"))),
            }
        }
        _ => Err(Error::InvalidParams("`ref.type` must be `ref/prompt` or `ref/resource`".to_owned())),
    }
}

/// An object whose members are all strings.
fn strings(fields: Option<Fields<'_>>, name: &str) -> Result<Vec<(String, String)>, Error> {
    let fields = fields.unwrap_or_default();
    let pair = |(key, raw): (&str, _)| {
        let value = text(raw).map(Cow::into_owned);
        let wrong = || Error::InvalidParams(format!("`{name}.{key}` must be a string"));
        value.map(|value| (key.to_owned(), value)).ok_or_else(wrong)
    };
    fields.iter().map(pair).collect()
}
