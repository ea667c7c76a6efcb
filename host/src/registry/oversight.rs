//! What stands between a caller and every plugin: who may call what, how much, what a person must approve first, and what
//! is written down of it. Every call passes here, from clients and from other tools alike.

use super::approval::{self, Approval};
use super::guest::Owner;
use super::types::{ToolOutcome, ToolResult, TraceContext};
use super::{CallCtx, CallFailure, Route};
use crate::policy::{AccessRules, Approvals, CallFacts, CallKind, Item, Lacking, Policy, Principal};
use crate::sandbox::{Ledger, Spent};
use arc_swap::ArcSwap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// What the operator says of callers. It may change while the host runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rulebook {
    /// Who sees and calls what.
    pub access: AccessRules,
    /// What must be approved.
    pub approvals: Approvals,
}

/// Counts calls and writes them down. All its methods are on the path of calls.
pub trait Overseer: Send + Sync {
    /// Asked before the guest is entered. Cancel safe.
    ///
    /// # Errors
    /// The call may not run now.
    fn admit<'a>(&'a self, call: &'a Arc<CallRecord>) -> Answer<'a, Result<Box<dyn Running>, CallFailure>>;

    /// The call was refused before it ran; the rule's stable name and the text.
    fn refused(&self, call: &CallRecord, rule: &'static str, text: &str);

    /// A person was asked about the call, or has answered.
    fn approval(&self, call: &CallRecord, approval: Approval);
}

/// What an [`Overseer`] gives a call that may run; it lives as long as the call.
pub trait Running: Send + 'static {
    /// The trace the guest is to know of, if it is another than its caller's.
    fn trace(&self) -> Option<TraceContext>;

    /// Whether each request and each call to the host is to be told.
    fn follows(&self) -> bool;

    /// The call has ended, or was given up by its caller. Returns its receipt if that is wanted, the text of a JSON object.
    fn end<'a>(self: Box<Self>, call: &'a CallRecord, end: Ended<'a>, spent: Spent) -> Answer<'a, Option<String>>;
}

/// An answer that is waited for.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One call, as far as it is counted and written down.
#[derive(Clone, Debug)]
pub struct CallRecord {
    /// What is called.
    pub kind: CallKind,
    /// The plugin.
    pub plugin: Arc<str>,
    /// SHA-256 of its component, in hexadecimal digits.
    pub digest: Arc<str>,
    /// Which load of the plugin it is.
    pub generation: u64,
    /// The tool or prompt by the name clients see, or the resource's URI.
    pub name: String,
    /// Who calls.
    pub caller: Option<Arc<Principal>>,
    /// The plugin that calls on the caller's behalf.
    pub via: Option<Arc<str>>,
    /// The arguments: the text of a JSON object.
    pub arguments: String,
    /// Whether the caller wants the receipt with the result.
    pub wants_receipt: bool,
    /// Names the request in logs.
    pub request_id: String,
    /// The distributed trace it belongs to.
    pub trace: Option<TraceContext>,
    /// How it came.
    pub route: Route,
    /// When it came, on the calendar.
    pub time: SystemTime,
    /// The same on the clock.
    pub started: Instant,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ended<'a> {
    /// With a result; a tool's is told.
    Done(Option<&'a ToolResult>),
    /// With a result that says it failed.
    ToolError(&'a ToolResult),
    /// It needs more from its client.
    AsksForInput,
    /// Without a result.
    Failed(&'a CallFailure),
    /// Nobody waited for it any more.
    Cancelled,
}

/// All of it, shared by every plugin of a registry.
pub struct Oversight {
    pub(super) policy: Arc<dyn Policy>,
    rules: ArcSwap<Rulebook>,
    overseer: Option<Arc<dyn Overseer>>,
    pub(super) asked: approval::Asked,
}

impl Oversight {
    /// Asks `policy` before each call, and tells `overseer` of it.
    pub fn new(policy: Arc<dyn Policy>, overseer: Option<Arc<dyn Overseer>>) -> Arc<Self> {
        Arc::new(Self { policy, rules: ArcSwap::default(), overseer, asked: approval::Asked::default() })
    }

    /// What holds now.
    pub fn rules(&self) -> Arc<Rulebook> {
        self.rules.load_full()
    }

    /// What holds from now on.
    pub fn set_rules(&self, rules: Rulebook) {
        self.rules.store(Arc::new(rules));
    }

    /// Whether a caller may use something.
    ///
    /// # Errors
    /// [`CallFailure::NotFound`] if it is not for this caller: what is not in its list is not there.
    /// [`CallFailure::NeedsScopes`] if it would be with more scopes.
    pub fn check(&self, caller: Option<&Principal>, item: &Item<'_>) -> Result<(), CallFailure> {
        let rules = self.rules.load();
        rules.access.check(caller, item).map_err(|lacking| match lacking {
            Lacking::Right => CallFailure::NotFound(item.name.to_owned()),
            Lacking::Scopes(scopes) => CallFailure::NeedsScopes(scopes.into_iter().collect()),
        })
    }

    /// Tells of an answer about an approval.
    pub(super) fn tell_approval(&self, call: &CallRecord, approval: Approval) {
        if let Some(overseer) = &self.overseer {
            overseer.approval(call, approval);
        }
    }
}

/// What is called, by which names.
#[derive(Clone, Copy)]
pub(super) struct Called<'a> {
    pub(super) kind: CallKind,
    /// In which list it stands.
    pub(super) listed: CallKind,
    /// As clients see it.
    pub(super) name: &'a str,
    /// As the plugin calls it.
    pub(super) own_name: &'a str,
    /// The text of a JSON object.
    pub(super) arguments: &'a str,
}

impl Owner {
    /// Whether the caller may use what is called.
    ///
    /// # Errors
    /// As for [`Oversight::check`].
    pub(super) fn may_use(&self, kind: CallKind, name: &str, caller: Option<&Principal>) -> Result<(), CallFailure> {
        self.oversight.check(caller, &Item { kind, plugin: &self.plugin, name })
    }

    pub(super) fn record(&self, called: &Called<'_>, ctx: &CallCtx) -> CallRecord {
        CallRecord {
            kind: called.kind,
            plugin: Arc::clone(&self.shared_name),
            digest: Arc::clone(&self.digest),
            generation: self.generation,
            name: called.name.to_owned(),
            caller: ctx.caller.clone(),
            via: ctx.via.as_ref().map(|via| Arc::clone(&via.plugin)),
            arguments: called.arguments.to_owned(),
            wants_receipt: super::tool::wants_receipt(&ctx.meta),
            request_id: ctx.request_id.clone(),
            trace: ctx.trace.clone(),
            route: ctx.route.clone(),
            time: SystemTime::now(),
            started: Instant::now(),
        }
    }

    /// Runs a call if it may run, and has it counted and written down.
    ///
    /// # Errors
    /// Those of the call, and why it may not run.
    pub(super) async fn oversee<T, F>(
        &self,
        called: Called<'_>,
        mut ctx: CallCtx,
        ended: fn(&T) -> Ended<'_>,
        run: impl FnOnce(CallCtx) -> F,
    ) -> Result<(T, Option<String>), CallFailure>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        let Some(overseer) = &self.oversight.overseer else {
            self.permit(&called, &ctx)?;
            return run(ctx).await.map(|answer| (answer, None));
        };
        let record = Arc::new(self.record(&called, &ctx));
        if let Err(failure) = self.permit(&called, &ctx) {
            let rule = match &failure {
                CallFailure::NeedsScopes(_) => "scopes-lacking",
                CallFailure::NotFound(_) => "not-allowed",
                _ => "policy",
            };
            overseer.refused(&record, rule, &failure.to_string());
            return Err(failure);
        }
        let running = overseer.admit(&record).await?;
        let ledger = Ledger::following(running.follows());
        ctx.trace = running.trace().or(ctx.trace);
        ctx.ledger = Some(Arc::clone(&ledger));
        let mut open = Open { running: Some(running), record: &record, ledger: &ledger };
        let outcome = run(ctx).await;
        let end = match &outcome {
            Ok(answer) => ended(answer),
            Err(CallFailure::Cancelled) => Ended::Cancelled,
            Err(failure) => Ended::Failed(failure),
        };
        let receipt = match open.running.take() {
            Some(running) => running.end(&record, end, ledger.take()).await,
            None => None,
        };
        outcome.map(|answer| (answer, receipt))
    }

    /// Asks the rules and the embedder's policy about one call.
    fn permit(&self, called: &Called<'_>, ctx: &CallCtx) -> Result<(), CallFailure> {
        let caller = ctx.caller.as_deref();
        self.may_use(called.listed, called.name, caller)?;
        let via = ctx.via.as_ref().map(|via| &*via.plugin);
        let facts = CallFacts::new(called.kind, &self.plugin, called.own_name, called.arguments);
        let facts = facts.with_principal(caller.map(|caller| caller.id.as_str())).with_via(via);
        self.oversight.policy.decide(&facts).map_err(|reason| {
            tracing::warn!(plugin = %self.plugin, name = called.own_name, "call refused by policy: {reason}");
            CallFailure::Failed(format!("the host's policy refuses this call: {reason}"))
        })
    }
}

/// A call whose end is written down even if its caller gives it up.
struct Open<'a> {
    running: Option<Box<dyn Running>>,
    record: &'a Arc<CallRecord>,
    ledger: &'a Ledger,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let Some(running) = self.running.take() else { return };
        let (record, spent) = (Arc::clone(self.record), self.ledger.take());
        // Outside of a runtime nobody is left to write for.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { running.end(&record, Ended::Cancelled, spent).await });
        }
    }
}

/// How a tool's answer ends its call.
pub(super) fn of_tool(outcome: &ToolOutcome) -> Ended<'_> {
    match outcome {
        ToolOutcome::Complete(result) if result.is_error => Ended::ToolError(result),
        ToolOutcome::Complete(result) => Ended::Done(Some(result)),
        ToolOutcome::InputRequired(_) => Ended::AsksForInput,
    }
}
