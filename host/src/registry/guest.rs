//! Who answers for a plugin: its cell, or a stand-in where a test of a layer above needs a plugin and no component.

use super::check;
use super::results::Results;
use crate::policy::{CallFacts, CallKind, Limits, Policy};
use crate::sandbox::types::{Completion, CompletionRequest, InputRequired, PromptOutcome, ReadOutcome, ToolOutcome};
use crate::sandbox::{CallCtx, CallFailure, Cell};
use std::pin::Pin;
use std::sync::Arc;

pub(super) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, CallFailure>> + Send + 'a>>;

/// What can be asked of a plugin. Each method is the one of [`Cell`] that has its name.
pub(super) trait Guest: Send + Sync {
    fn limits(&self) -> &Limits;
    fn completes(&self) -> bool;
    fn call_tool<'a>(&'a self, name: &'a str, arguments: String, ctx: CallCtx) -> Answer<'a, ToolOutcome>;
    fn read_resource<'a>(&'a self, uri: &'a str, ctx: CallCtx) -> Answer<'a, ReadOutcome>;
    fn get_prompt<'a>(
        &'a self,
        name: &'a str,
        arguments: Vec<(String, String)>,
        ctx: CallCtx,
    ) -> Answer<'a, PromptOutcome>;
    fn complete<'a>(&'a self, request: CompletionRequest, ctx: CallCtx) -> Answer<'a, Completion>;
}

impl Guest for Cell {
    fn limits(&self) -> &Limits {
        self.limits()
    }

    fn completes(&self) -> bool {
        self.completes()
    }

    fn call_tool<'a>(&'a self, name: &'a str, arguments: String, ctx: CallCtx) -> Answer<'a, ToolOutcome> {
        self.call_tool(name, arguments, ctx)
    }

    fn read_resource<'a>(&'a self, uri: &'a str, ctx: CallCtx) -> Answer<'a, ReadOutcome> {
        self.read_resource(uri, ctx)
    }

    fn get_prompt<'a>(
        &'a self,
        name: &'a str,
        arguments: Vec<(String, String)>,
        ctx: CallCtx,
    ) -> Answer<'a, PromptOutcome> {
        self.get_prompt(name, arguments, ctx)
    }

    fn complete<'a>(&'a self, request: CompletionRequest, ctx: CallCtx) -> Answer<'a, Completion> {
        self.complete(request, ctx)
    }
}

/// The plugin behind an entry, and all that stands before it. One for all entries of a plugin.
pub(super) struct Owner {
    pub(super) plugin: String,
    pub(super) guest: Arc<dyn Guest>,
    pub(super) policy: Arc<dyn Policy>,
    /// What it returned before, if the operator wants that kept.
    pub(super) results: Option<Results>,
}

impl Owner {
    pub(super) fn limits(&self) -> &Limits {
        self.guest.limits()
    }

    /// Asks the embedder's policy about one call. `name` is the plugin's own name for what is called.
    pub(super) fn permit(&self, kind: CallKind, name: &str, arguments: &str, ctx: &CallCtx) -> Result<(), CallFailure> {
        let principal = ctx.caller.as_ref().map(|caller| caller.principal.as_str());
        let via = ctx.via.as_ref().map(|via| &*via.plugin);
        let facts = CallFacts::new(kind, &self.plugin, name, arguments).with_principal(principal).with_via(via);
        self.policy.decide(&facts).map_err(|reason| {
            tracing::warn!(plugin = %self.plugin, name, "call refused by policy: {reason}");
            CallFailure::Failed(format!("the host's policy refuses this call: {reason}"))
        })
    }

    /// Judges what the plugin asks of its client.
    pub(super) fn check_questions(&self, name: &str, needed: &InputRequired) -> Result<(), CallFailure> {
        check::questions(needed).map_err(|what| self.broken(name, &what))
    }

    /// What a caller is told of an answer that must not reach it.
    pub(super) fn broken(&self, name: &str, what: &str) -> CallFailure {
        tracing::warn!(plugin = %self.plugin, name, "broken result: {what}");
        CallFailure::Failed(format!("{name} of plugin {} returned a broken result: {what}", self.plugin))
    }
}
