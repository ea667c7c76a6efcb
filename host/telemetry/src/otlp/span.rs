//! A call as spans: made after it has ended, from its receipt, with the times that were measured.
//!
//! ```text
//! tools/call forecast            SERVER    the MCP operation
//! └─ cell weather                INTERNAL  the cell: digest, generation, processor time, memory
//!    ├─ queue                              waiting for a place
//!    ├─ instantiate                        making the instance
//!    └─ guest                              the guest's own time
//!       ├─ store.get                       a call to the host
//!       └─ GET                   CLIENT    an outgoing request
//! ```

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor};

use super::SCOPE;
use super::call::{CallSpan, Children, Recording};
use crate::receipt::{Kind, MAX_NAME, MAX_TEXT, Receipt};
use crate::redact::Redactor;
use crate::text::clip;
use crate::trace::TraceContext;

/// Which calls are recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// The share of traces, 0 to 1. By the trace's id, so that hosts with the same share agree. Default is 0.1.
    pub ratio: f64,
    /// Whether a caller who says if it records is followed; the share is then for those who say nothing. A host that
    /// strangers call may want `false`: then the share holds for all, and cannot be got around by choosing an id.
    /// Default is yes.
    pub follow_parent: bool,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { ratio: 0.1, follow_parent: true }
    }
}

impl Sampling {
    fn takes(self, parent: Option<&TraceContext>, own: &TraceContext) -> bool {
        let bytes = match parent {
            Some(parent) if self.follow_parent => return parent.sampled(),
            // Ours is random; the caller's may be chosen.
            Some(_) => own.span_id().to_bytes(),
            None => {
                let [.., a, b, c, d, e, f, g, h] = own.trace_id().to_bytes();
                [a, b, c, d, e, f, g, h]
            }
        };
        // 53 bits, as many as the ratio has.
        #[allow(clippy::cast_precision_loss)]
        let at = (u64::from_be_bytes(bytes) >> 11) as f64 / (1_u64 << 53) as f64;
        at < self.ratio
    }
}

/// What carries the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// stdio.
    Pipe,
    /// HTTP.
    Tcp,
}

impl Transport {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pipe => "pipe",
            Self::Tcp => "tcp",
        }
    }
}

/// What is known when a call comes in. Nothing is copied unless the call is recorded.
#[derive(Debug, Clone, Copy)]
pub struct SpanFacts<'a> {
    /// `tools/call` and so on.
    pub method: &'static str,
    /// What is asked for.
    pub kind: Kind,
    /// The tool's or prompt's name, or the resource's URI.
    pub name: &'a str,
    /// When it came in.
    pub started: SystemTime,
    /// From `_meta`; from the HTTP headers if there is none.
    pub parent: Option<&'a TraceContext>,
    /// From the HTTP headers, if `_meta` has one too.
    pub link: Option<&'a TraceContext>,
    /// The session's id.
    pub session: Option<&'a str>,
    /// The MCP revision.
    pub protocol: Option<&'static str>,
    /// What carries the messages.
    pub transport: Option<Transport>,
    /// The JSON-RPC id as text.
    pub request_id: Option<&'a str>,
    /// The client's address.
    pub client: Option<IpAddr>,
}

impl<'a> SpanFacts<'a> {
    /// The facts every call has.
    pub fn new(method: &'static str, kind: Kind, name: &'a str, started: SystemTime) -> Self {
        Self {
            method,
            kind,
            name,
            started,
            parent: None,
            link: None,
            session: None,
            protocol: None,
            transport: None,
            request_id: None,
            client: None,
        }
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let text = |value: &str| clip(value, MAX_TEXT);
        let mut set = vec![KeyValue::new("mcp.method.name", text(self.method))];
        match self.kind {
            Kind::Tool => {
                set.push(KeyValue::new("gen_ai.operation.name", "execute_tool"));
                set.push(KeyValue::new("gen_ai.tool.name", text(self.name)));
            }
            Kind::Prompt => set.push(KeyValue::new("gen_ai.prompt.name", text(self.name))),
            Kind::Resource => set.push(KeyValue::new("mcp.resource.uri", text(self.name))),
            Kind::Completion => {}
        }
        for (name, value) in [
            ("mcp.session.id", self.session),
            ("mcp.protocol.version", self.protocol),
            ("network.transport", self.transport.map(Transport::as_str)),
            ("jsonrpc.request.id", self.request_id),
        ] {
            set.extend(value.map(|value| KeyValue::new(name, text(value))));
        }
        set.extend(self.client.map(|client| KeyValue::new("client.address", client.to_string())));
        set
    }

    /// `tools/call forecast`. A resource's URI is no part of it, and a completion has no target.
    fn title(&self) -> String {
        match self.kind {
            Kind::Tool | Kind::Prompt => clip(format!("{} {}", self.method, self.name), MAX_NAME),
            Kind::Resource | Kind::Completion => clip(self.method, MAX_NAME),
        }
    }
}

/// Starts and ends calls' spans.
pub struct Tracer {
    processor: Arc<BatchSpanProcessor>,
    sampling: Sampling,
    contents: Option<Arc<Redactor>>,
    scope: InstrumentationScope,
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer").field("sampling", &self.sampling).finish_non_exhaustive()
    }
}

impl Tracer {
    pub(super) fn new(
        processor: Arc<BatchSpanProcessor>,
        sampling: Sampling,
        contents: Option<Redactor>,
        version: &str,
    ) -> Self {
        let scope = InstrumentationScope::builder(SCOPE).with_version(version.to_owned()).build();
        Self { processor, sampling, contents: contents.map(Arc::new), scope }
    }

    /// A call came in. One that is not recorded costs two random ids.
    pub fn start(&self, facts: &SpanFacts<'_>) -> CallSpan {
        let own = facts.parent.map_or_else(|| TraceContext::root(false), TraceContext::child);
        let sampled = self.sampling.takes(facts.parent, &own);
        let own = own.with_sampled(sampled);
        let guest = own.child().span_id();
        let recording = sampled.then(|| {
            Arc::new(Recording {
                attributes: Mutex::new(facts.attributes()),
                children: Mutex::new(Children::default()),
                contents: self.contents.clone(),
                name: facts.title(),
                parent: facts.parent.cloned(),
                link: facts.link.cloned(),
            })
        });
        CallSpan { context: Some(own), guest: Some(guest), recording }
    }

    /// The call ended: its spans are queued for export. `error` is `error.type` with a message.
    pub fn end(&self, span: &CallSpan, receipt: &Receipt, error: Option<(&str, &str)>, rpc_code: Option<i64>) {
        let (Some(recording), Some(context), Some(guest)) = (&span.recording, &span.context, span.guest) else {
            return;
        };
        let status = error.map_or(Status::Unset, |(_, message)| Status::error(clip(message, MAX_TEXT)));
        let mut attributes = std::mem::take(&mut *recording.attributes.lock().unwrap_or_else(PoisonError::into_inner));
        attributes.extend(error.map(|(word, _)| KeyValue::new("error.type", clip(word, MAX_NAME))));
        attributes.extend(rpc_code.map(|code| KeyValue::new("rpc.response.status_code", code.to_string())));
        let parent = recording.parent.as_ref();
        let root = Piece {
            context,
            span: context.span_id(),
            parent: parent.map_or(SpanId::INVALID, TraceContext::span_id),
            name: recording.name.clone().into(),
            kind: SpanKind::Server,
            start: receipt.started,
            took: Duration::from_micros(receipt.wall_us),
            attributes,
            status: status.clone(),
        };
        let mut root = self.data(root);
        root.parent_span_is_remote = parent.is_some();
        root.links = links(recording.link.as_ref());
        self.processor.on_end(root);
        self.cell(context, guest, receipt, recording, status);
    }

    fn cell(&self, context: &TraceContext, guest: SpanId, receipt: &Receipt, recording: &Recording, status: Status) {
        let cell = context.child().span_id();
        let whole = Duration::from_micros(receipt.wall_us);
        let queue = Duration::from_micros(receipt.queue_us);
        let instantiate = Duration::from_micros(receipt.instantiate_us);
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let piece = |span, parent, name: Cow<'static, str>, offset: Duration, took, attributes| Piece {
            context,
            span,
            parent,
            name,
            kind: SpanKind::Internal,
            start: receipt.started.checked_add(offset).unwrap_or(receipt.started),
            took,
            attributes,
            status: Status::Unset,
        };
        let mut attributes = vec![
            KeyValue::new("toolcell.plugin", receipt.plugin.clone()),
            KeyValue::new("toolcell.component.digest", receipt.component.clone()),
            KeyValue::new("toolcell.generation", number(receipt.generation)),
            KeyValue::new("toolcell.cpu.time_ms", number(receipt.cpu_ms)),
            KeyValue::new("toolcell.memory.peak", number(receipt.peak_memory)),
            KeyValue::new("toolcell.outcome", receipt.outcome.as_str()),
            KeyValue::new("toolcell.refusals", number(receipt.refusals.len() as u64 + receipt.refusals_more)),
        ];
        attributes.extend(receipt.principal.iter().map(|name| KeyValue::new("enduser.id", name.clone())));
        attributes.extend(receipt.cached.then(|| KeyValue::new("toolcell.cached", true)));
        let name = format!("cell {}", receipt.plugin).into();
        let mut data = self.data(piece(cell, context.span_id(), name, Duration::ZERO, whole, attributes));
        data.status = status;
        self.processor.on_end(data);

        let id = || context.child().span_id();
        let before = queue.saturating_add(instantiate).min(whole);
        let queue_span = piece(id(), cell, "queue".into(), Duration::ZERO, queue, Vec::new());
        let instantiate_span = piece(id(), cell, "instantiate".into(), queue, instantiate, Vec::new());
        let mut attributes = vec![KeyValue::new("toolcell.host.time_us", number(receipt.host_us))];
        let children = std::mem::take(&mut *recording.children.lock().unwrap_or_else(PoisonError::into_inner));
        if children.more > 0 {
            attributes.push(KeyValue::new("toolcell.children.dropped", number(children.more)));
        }
        let took = whole.saturating_sub(before);
        let guest_span = piece(guest, cell, "guest".into(), before, took, attributes);
        for span in [queue_span, instantiate_span, guest_span] {
            self.processor.on_end(self.data(span));
        }
        for child in children.list {
            let status = child.error.map_or(Status::Unset, Status::error);
            let piece = Piece {
                context,
                span: child.span,
                parent: guest,
                name: child.name.into(),
                kind: child.kind,
                start: child.start,
                took: child.took,
                attributes: child.attributes,
                status,
            };
            self.processor.on_end(self.data(piece));
        }
    }

    fn data(&self, piece: Piece<'_>) -> SpanData {
        SpanData {
            span_context: span_context(piece.context, piece.span),
            parent_span_id: piece.parent,
            parent_span_is_remote: false,
            span_kind: piece.kind,
            name: piece.name,
            start_time: piece.start,
            end_time: piece.start.checked_add(piece.took).unwrap_or(piece.start),
            attributes: piece.attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: piece.status,
            instrumentation_scope: self.scope.clone(),
        }
    }
}

/// A span to be.
struct Piece<'a> {
    context: &'a TraceContext,
    span: SpanId,
    parent: SpanId,
    name: Cow<'static, str>,
    kind: SpanKind,
    start: SystemTime,
    took: Duration,
    attributes: Vec<KeyValue>,
    status: Status,
}

fn span_context(context: &TraceContext, span: SpanId) -> SpanContext {
    let state = context.tracestate().and_then(|state| state.parse::<TraceState>().ok()).unwrap_or_default();
    SpanContext::new(context.trace_id(), span, TraceFlags::new(context.flags()), false, state)
}

fn links(link: Option<&TraceContext>) -> SpanLinks {
    let mut links = SpanLinks::default();
    links.links.extend(link.map(|link| Link::with_context(span_context(link, link.span_id()))));
    links
}
