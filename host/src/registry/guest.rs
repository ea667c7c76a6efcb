//! Who answers for a plugin: its cell, or a stand-in where a test of a layer above needs a plugin and no component.

use super::check;
use super::oversight::Oversight;
use super::results::Results;
use crate::policy::Limits;
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
    /// Its name, for records.
    pub(super) shared_name: Arc<str>,
    /// Of its component.
    pub(super) digest: Arc<str>,
    /// Which load made it.
    pub(super) generation: u64,
    pub(super) oversight: Arc<Oversight>,
    /// What it returned before, if the operator wants that kept.
    pub(super) results: Option<Results>,
}

impl Owner {
    pub(super) fn limits(&self) -> &Limits {
        self.guest.limits()
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
