//! Resources and templates in service, and the way of a read into the cell.

use super::check;
use super::guest::Owner;
use super::oversight::{Called, Ended};
use super::pattern::Pattern;
use super::plugin::Serving;
use crate::policy::{CallKind, Principal};
use crate::sandbox::types::{
    CacheHint, Completion, CompletionRequest, CompletionTarget, ReadOutcome, ResourceInfo, ResourceTemplate,
};
use crate::sandbox::{CallCtx, CallFailure};
use std::sync::Arc;

/// A resource that clients can list.
pub struct ResourceEntry {
    /// The plugin it belongs to.
    pub plugin: String,
    /// Its description.
    pub info: ResourceInfo,
    pub(super) owner: Arc<Owner>,
    pub(super) serving: Serving,
}

/// A pattern of URIs that a plugin answers to.
pub struct TemplateEntry {
    /// The plugin it belongs to.
    pub plugin: String,
    /// Its description.
    pub template: ResourceTemplate,
    pattern: Pattern,
    pub(super) owner: Arc<Owner>,
    pub(super) serving: Serving,
}

impl ResourceEntry {
    /// # Errors
    /// A text that says what is wrong with it.
    pub(super) fn new(owner: &Arc<Owner>, serving: &Serving, info: ResourceInfo) -> Result<Self, String> {
        let limits = owner.limits();
        check::uri(&info.uri)?;
        check::plain_name(&info.name)?;
        check::text("title", &info.title, limits)?;
        check::text("description", &info.description, limits)?;
        check::media_type(&info.mime_type)?;
        check::icons(&info.icons)?;
        check::meta(&info.meta, limits)?;
        Ok(Self { plugin: owner.plugin.clone(), info, owner: Arc::clone(owner), serving: serving.clone() })
    }
}

impl TemplateEntry {
    /// # Errors
    /// A text that says what is wrong with it.
    pub(super) fn new(owner: &Arc<Owner>, serving: &Serving, template: ResourceTemplate) -> Result<Self, String> {
        let limits = owner.limits();
        check::uri_template(&template.uri_template)?;
        let pattern = Pattern::new(&template.uri_template)?;
        check::plain_name(&template.name)?;
        check::text("title", &template.title, limits)?;
        check::text("description", &template.description, limits)?;
        check::media_type(&template.mime_type)?;
        check::icons(&template.icons)?;
        check::meta(&template.meta, limits)?;
        let plugin = owner.plugin.clone();
        Ok(Self { plugin, template, pattern, owner: Arc::clone(owner), serving: serving.clone() })
    }

    pub(super) fn matches(&self, uri: &str) -> bool {
        self.pattern.matches(uri)
    }

    /// Suggests values for one variable of the template.
    ///
    /// # Errors
    /// See [`CallFailure`].
    pub async fn complete(
        &self,
        argument: String,
        value: String,
        context: Vec<(String, String)>,
        ctx: CallCtx,
    ) -> Result<Completion, CallFailure> {
        let target = CompletionTarget::ResourceTemplate(self.template.uri_template.clone());
        complete(&self.owner, &self.template.uri_template, target, argument, value, context, ctx).await
    }
}

/// The plugin that answers for a URI. It stays alive as long as the read runs.
#[derive(Clone)]
pub struct Reader {
    pub(super) owner: Arc<Owner>,
    pub(super) serving: Serving,
}

impl Reader {
    /// The plugin's name.
    pub fn plugin(&self) -> &str {
        &self.owner.plugin
    }

    /// Whether the caller may read it.
    ///
    /// # Errors
    /// [`CallFailure::NotFound`] if it is not there for this caller, [`CallFailure::NeedsScopes`] if it could be.
    pub fn may_be_read_by(&self, uri: &str, caller: Option<&Principal>) -> Result<(), CallFailure> {
        self.owner.may_use(CallKind::Resource, uri, caller)
    }

    /// Asks the policy and reads the resource in a fresh cell.
    ///
    /// # Errors
    /// See [`CallFailure`]; [`CallFailure::NotFound`] if the plugin has none of that URI after all.
    pub async fn read(&self, uri: &str, ctx: CallCtx) -> Result<ReadOutcome, CallFailure> {
        let listed = CallKind::Resource;
        let called = Called { kind: listed, listed, name: uri, own_name: uri, arguments: "{}" };
        let ended = |outcome: &ReadOutcome| match outcome {
            ReadOutcome::Complete(_) => Ended::Done(None),
            ReadOutcome::InputRequired(_) => Ended::AsksForInput,
        };
        let read = |ctx| self.owner.guest.read_resource(uri, ctx);
        let (mut outcome, _) = self.owner.oversee(called, ctx, ended, read).await?;
        match &mut outcome {
            ReadOutcome::Complete(read) => {
                check::metas_of_contents(&read.contents, &read.meta).map_err(|what| self.owner.broken(uri, what))?;
                read.cache = self.serving.cache.of_read(read.cache.take());
            }
            ReadOutcome::InputRequired(needed) => self.owner.check_questions(uri, needed)?,
        }
        Ok(outcome)
    }
}

/// Asks a plugin for suggestions; one that makes none has none.
pub(super) async fn complete(
    owner: &Owner,
    name: &str,
    target: CompletionTarget,
    argument: String,
    value: String,
    context: Vec<(String, String)>,
    ctx: CallCtx,
) -> Result<Completion, CallFailure> {
    /// The most a client may be shown (2026-07-28, server, "Completion").
    const MOST: usize = 100;
    if !owner.guest.completes() {
        return Ok(Completion { values: Vec::new(), total: None, has_more: false });
    }
    let listed = match &target {
        CompletionTarget::Prompt(_) => CallKind::Prompt,
        CompletionTarget::ResourceTemplate(_) => CallKind::Resource,
    };
    let called = Called { kind: CallKind::Completion, listed, name, own_name: name, arguments: "{}" };
    let request = CompletionRequest { target, argument, value, context };
    let run = |ctx| owner.guest.complete(request, ctx);
    let (mut completion, _) = owner.oversee(called, ctx, |_| Ended::Done(None), run).await?;
    if completion.values.len() > MOST {
        completion.values.truncate(MOST);
        completion.has_more = true;
    }
    Ok(completion)
}

/// What an operator says about how long copies may live, over what the plugin says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheRules {
    /// Milliseconds for which clients may keep this plugin's lists.
    pub list_ttl_ms: Option<u64>,
    /// Milliseconds for which clients may keep what they read of its resources.
    pub read_ttl_ms: Option<u64>,
    /// Whether only the caller itself may keep a copy, and nobody on the way to it.
    pub private: Option<bool>,
    /// Milliseconds for which the host answers repeated calls of read-only, idempotent tools itself.
    pub results_ms: Option<u64>,
}

impl CacheRules {
    /// What holds for a list.
    pub(super) fn of_list(&self, plugin: Option<CacheHint>) -> Option<CacheHint> {
        self.over(self.list_ttl_ms, plugin)
    }

    fn of_read(&self, plugin: Option<CacheHint>) -> Option<CacheHint> {
        self.over(self.read_ttl_ms, plugin)
    }

    fn over(&self, ttl_ms: Option<u64>, plugin: Option<CacheHint>) -> Option<CacheHint> {
        use crate::sandbox::types::CacheScope::{Private, Public};
        let ttl_ms = ttl_ms.or(plugin.as_ref().map(|hint| hint.ttl_ms))?;
        let scope = match (self.private, plugin) {
            (Some(true), _) => Private,
            (Some(false), _) => Public,
            (None, hint) => hint.map_or(Public, |hint| hint.scope),
        };
        Some(CacheHint { ttl_ms, scope })
    }
}
