//! What counts the calls of a host and writes them down: quotas before, telemetry after.

use super::steps;
use crate::policy::{CallKind, Principal};
use crate::registry::oversight::{Answer, CallRecord, Ended, Overseer, Running};
use crate::registry::types::TraceContext;
use crate::registry::{Approval, CallFailure, Carrier, digest};
use crate::sandbox;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use toolcell_quota::{Admission, CallFacts, Cost, Quotas, Refusal, Spent};
use toolcell_telemetry::audit::{Event, EventKind};
use toolcell_telemetry::otlp::{SpanFacts, Transport};
use toolcell_telemetry::trace::Carry;
use toolcell_telemetry::{Call, HostUse, Kind, Outcome, Receipt, Telemetry};

/// How long a call may wait in the queue, whatever the queue's own limit is.
const MAX_WAIT: Duration = Duration::from_secs(300);
/// When to come again, where nobody knows better.
const RETRY: Duration = Duration::from_secs(1);

/// Quotas and telemetry together. Cheap to clone; clones are the same.
#[derive(Clone)]
pub struct Keeper(Arc<Inner>);

struct Inner {
    quotas: ArcSwap<Option<Quotas>>,
    telemetry: Telemetry,
}

impl Keeper {
    /// Quotas may be none: then nothing is counted before a call.
    pub fn new(quotas: Option<Quotas>, telemetry: Telemetry) -> Self {
        Self(Arc::new(Inner { quotas: ArcSwap::from_pointee(quotas), telemetry }))
    }

    /// Other quotas from now on. What was spent today stays spent.
    pub fn set_quotas(&self, quotas: Option<Quotas>) {
        let now = SystemTime::now();
        if let (Some(old), Some(new)) = (&**self.0.quotas.load(), &quotas) {
            new.import_spent(&old.export_spent(now), now);
        }
        self.0.quotas.store(Arc::new(quotas));
    }

    /// What all callers have spent today, to be kept over a restart; none where nothing is counted.
    pub fn spent(&self) -> Option<Spent> {
        (**self.0.quotas.load()).as_ref().map(|quotas| quotas.export_spent(SystemTime::now()))
    }

    /// Adds what was kept of today.
    pub fn add_spent(&self, spent: &Spent) {
        if let Some(quotas) = &**self.0.quotas.load() {
            quotas.import_spent(spent, SystemTime::now());
        }
    }

    /// What is written down.
    pub fn telemetry(&self) -> &Telemetry {
        &self.0.telemetry
    }
}

impl Overseer for Keeper {
    fn admit<'a>(&'a self, call: &'a Arc<CallRecord>) -> Answer<'a, Result<Box<dyn Running>, CallFailure>> {
        Box::pin(async move {
            let admission = match self.admission(call).await {
                Ok(admission) => admission,
                Err(refusal) => return Err(self.turned_away(call, &refusal)),
            };
            let parent = context(call);
            let link = call.route.trace.as_ref().filter(|link| call.trace.as_ref() != Some(*link)).and_then(read);
            let told = self.0.telemetry.call_started(&span_facts(call, parent.as_ref(), link.as_ref()));
            told.span().input(&call.arguments);
            Ok(Box::new(Run { keeper: self.clone(), admission, told }) as Box<dyn Running>)
        })
    }

    fn refused(&self, call: &CallRecord, rule: &'static str, text: &str) {
        if let Some(metrics) = self.0.telemetry.metrics() {
            metrics.refusal(&call.plugin, rule);
        }
        let payload = serde_json::json!({ "plugin": &*call.plugin, "name": call.name, "rule": rule, "text": text });
        self.note(call, EventKind::Refusal, payload);
    }

    fn approval(&self, call: &CallRecord, approval: Approval) {
        let answer = match approval {
            Approval::Asked => "asked",
            Approval::Approved => "approved",
            Approval::Declined => "declined",
            Approval::CannotAsk => "cannot-ask",
        };
        let arguments: serde_json::Value = serde_json::from_str(&call.arguments).unwrap_or_default();
        let payload = serde_json::json!({
            "plugin": &*call.plugin, "name": call.name, "answer": answer, "arguments": arguments,
        });
        self.note(call, EventKind::Approval, payload);
    }
}

impl Keeper {
    async fn admission(&self, call: &CallRecord) -> Result<Option<Admission>, Refusal> {
        let quotas = self.0.quotas.load_full();
        let Some(quotas) = &*quotas else { return Ok(None) };
        let caller = call.caller.as_deref();
        let facts = CallFacts::new(caller.map(|caller| caller.id.as_str()), &call.plugin, &call.name, call.time);
        let mut facts = caller.map_or(facts, |caller| facts.with_groups(&caller.groups));
        if quotas.counts_repetition() && call.kind == CallKind::Tool {
            facts = facts.with_arguments_hash(half(digest(&call.arguments)));
        }
        // A call that another one waits for must not wait for that one's place.
        if call.via.is_some() {
            return quotas.admit_nested(&facts).map(Some);
        }
        quotas.admit(&facts, tokio::time::Instant::now() + MAX_WAIT).await.map(Some)
    }

    fn turned_away(&self, call: &CallRecord, refusal: &Refusal) -> CallFailure {
        if let Some(metrics) = self.0.telemetry.metrics() {
            metrics.rate_limited(refusal.code);
        }
        tracing::info!(
            plugin = &*call.plugin,
            name = call.name,
            principal = principal(call),
            rule = refusal.code,
            "call turned away: {}",
            refusal.operator
        );
        let payload = serde_json::json!({
            "plugin": &*call.plugin, "name": call.name, "rule": refusal.code, "text": refusal.operator,
        });
        self.note(call, EventKind::Refusal, payload);
        let why = refusal.to_string();
        match refusal.code {
            // These are the model's to understand: another try would only be refused again.
            "repeating" | "over-budget" => CallFailure::Failed(why),
            _ => CallFailure::Limited { why, retry_after: refusal.retry_after.unwrap_or(RETRY) },
        }
    }

    /// Writes an event beside the call, which does not wait for it.
    fn note(&self, call: &CallRecord, kind: EventKind, payload: serde_json::Value) {
        if self.0.telemetry.audit().is_none() {
            return;
        }
        let mut event = Event::new(kind, SystemTime::now(), payload);
        if let Some(principal) = principal(call) {
            event = event.principal(principal);
        }
        if let Some(trace) = context(call) {
            event = event.trace(&trace.trace_id().to_string());
        }
        let telemetry = self.0.telemetry.clone();
        tokio::spawn(async move {
            if let Err(error) = telemetry.record(event).await {
                tracing::error!("an event is missing in the audit log: {error}");
            }
        });
    }
}

/// A call that runs.
struct Run {
    keeper: Keeper,
    admission: Option<Admission>,
    told: Call,
}

impl Running for Run {
    fn trace(&self) -> Option<TraceContext> {
        let mut trace = TraceContext { traceparent: String::new(), tracestate: None, baggage: None };
        for (name, value) in self.told.span().guest()?.fields(Carry::GUEST) {
            match name {
                "traceparent" => trace.traceparent = value,
                "tracestate" => trace.tracestate = Some(value),
                _ => trace.baggage = Some(value),
            }
        }
        Some(trace)
    }

    fn follows(&self) -> bool {
        self.told.span().sampled()
    }

    fn end<'a>(
        mut self: Box<Self>,
        call: &'a CallRecord,
        end: Ended<'a>,
        mut spent: sandbox::Spent,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            let bytes = (call.arguments.len() + spent.answer_bytes) as u64;
            if let Some(admission) = &self.admission {
                admission.charge(Cost { cpu: spent.cpu, bytes }, SystemTime::now());
            }
            // Its place is free as soon as the guest is gone.
            drop(self.admission.take());
            steps::tell(self.told.span(), call, &end, &mut spent);
            steps::count(&self.keeper.0.telemetry, &call.plugin, &spent);
            let receipt = receipt(call, end, spent);
            let receipt = self.keeper.0.telemetry.call_ended(self.told, receipt).await;
            call.wants_receipt.then(|| receipt.to_json().ok()).flatten()
        })
    }
}

fn receipt(call: &CallRecord, end: Ended<'_>, spent: sandbox::Spent) -> Receipt {
    let outcome = match end {
        Ended::Done(_) | Ended::AsksForInput => Outcome::Ok,
        Ended::ToolError(_) => Outcome::ToolError,
        Ended::Cancelled => Outcome::Cancelled,
        Ended::Failed(failure) => Outcome::Failed { kind: kind_of(failure).to_owned() },
    };
    let mut receipt = Receipt::builder(&call.plugin, &call.name, kind(call.kind), call.time)
        .component(&call.digest)
        .generation(call.generation)
        .principal(principal(call))
        .outcome(outcome)
        .times(call.started.elapsed(), spent.queued, spent.instantiating, spent.inside.saturating_sub(spent.cpu))
        .cpu_ms(u64::try_from(spent.cpu.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX))
        .peak_memory(spent.memory_bytes as u64)
        .bytes_in(call.arguments.len() as u64)
        .bytes_out(spent.answer_bytes as u64)
        .cached(spent.cached);
    for file in &spent.files {
        receipt = receipt.file(file);
    }
    for (host, used) in spent.hosts {
        let crate::sandbox::ledger::HostUse { requests: count, refused, sent, received, .. } = used;
        receipt = receipt.host(HostUse { host, count, sent, received, refused });
    }
    for (rule, text) in &spent.refusals {
        receipt = receipt.refusal(rule, text);
    }
    for secret in &spent.secrets {
        receipt = receipt.secret(secret);
    }
    receipt.files_more(spent.other_files).hosts_more(spent.other_requests).refusals_more(spent.other_refusals).build()
}

fn kind_of(failure: &CallFailure) -> &'static str {
    match failure {
        CallFailure::InvalidArguments(_) => "invalid-arguments",
        CallFailure::Failed(_) => "failed",
        CallFailure::NotFound(_) => "not-found",
        CallFailure::NeedsScopes(_) => "scopes-lacking",
        CallFailure::Limited { .. } => "limited",
        CallFailure::Cancelled => "cancelled",
        CallFailure::Internal(_) => "internal",
    }
}

fn kind(kind: CallKind) -> Kind {
    match kind {
        CallKind::Resource => Kind::Resource,
        CallKind::Prompt => Kind::Prompt,
        CallKind::Completion => Kind::Completion,
        _ => Kind::Tool,
    }
}

fn span_facts<'a>(
    call: &'a CallRecord,
    parent: Option<&'a toolcell_telemetry::TraceContext>,
    link: Option<&'a toolcell_telemetry::TraceContext>,
) -> SpanFacts<'a> {
    let method = match call.kind {
        CallKind::Resource => "resources/read",
        CallKind::Prompt => "prompts/get",
        CallKind::Completion => "completion/complete",
        _ => "tools/call",
    };
    let mut facts = SpanFacts::new(method, kind(call.kind), &call.name, call.time);
    facts.parent = parent;
    facts.link = link;
    facts.protocol = call.route.protocol;
    facts.client = call.route.client;
    facts.transport = call.route.carrier.map(|carrier| match carrier {
        Carrier::Http => Transport::Tcp,
        Carrier::Pipe => Transport::Pipe,
    });
    facts.request_id = Some(call.request_id.as_str()).filter(|id| !id.is_empty());
    facts
}

fn context(call: &CallRecord) -> Option<toolcell_telemetry::TraceContext> {
    read(call.trace.as_ref()?)
}

fn read(trace: &TraceContext) -> Option<toolcell_telemetry::TraceContext> {
    Telemetry::parse_context(Some(&trace.traceparent), trace.tracestate.as_deref(), trace.baggage.as_deref())
}

fn principal(call: &CallRecord) -> Option<&str> {
    call.caller.as_deref().map(|caller: &Principal| caller.id.as_str())
}

fn half(digest: [u8; 32]) -> u128 {
    digest.first_chunk().map_or(0, |half| u128::from_be_bytes(*half))
}
