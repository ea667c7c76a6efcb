//! W3C trace context: who is the parent of this call, and what is carried on.
//!
//! The text comes from strangers, in HTTP headers and in `_meta`, so parsing is strict and everything is bounded: a
//! `traceparent` that is not exactly one is no parent, and a bad `tracestate` or `baggage` is dropped without the rest.

mod baggage;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

pub use baggage::{MAX_BAGGAGE, MAX_MEMBERS};
pub use state::{MAX_STATE, MAX_STATE_MEMBERS};

use crate::text::{push_hex, unhex};

/// The bit that says the caller records this trace.
const SAMPLED: u8 = 1;
/// The bit that says the trace's id is random (W3C Trace Context, level 2).
const RANDOM: u8 = 2;
/// The length of a version-0 `traceparent`.
const TRACEPARENT: usize = 55;

/// A place in a trace: the ids of a span, whether it is recorded, and what travels with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: TraceId,
    span_id: SpanId,
    flags: u8,
    state: Option<Arc<str>>,
    baggage: Option<Arc<str>>,
}

/// Which of the three travel on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carry {
    /// Whether anything does.
    pub traceparent: bool,
    /// The vendors' fields of whoever called us.
    pub tracestate: bool,
    /// What the caller attached. It may hold anything, names of people included.
    pub baggage: bool,
}

impl Carry {
    /// What a guest sees of the call it serves: where it is in the trace, nothing of the caller's.
    pub const GUEST: Self = Self { traceparent: true, tracestate: true, baggage: false };
    /// What goes along with a guest's HTTP request to a third party: the ids only.
    pub const OUTGOING: Self = Self { traceparent: true, tracestate: false, baggage: false };
    /// Nothing.
    pub const NONE: Self = Self { traceparent: false, tracestate: false, baggage: false };
}

impl TraceContext {
    /// Reads the fields of a request or of `_meta`. Nothing if `traceparent` is not one.
    pub fn parse(traceparent: &str, tracestate: Option<&str>, baggage: Option<&str>) -> Option<Self> {
        let bytes = traceparent.as_bytes();
        if bytes.len() < TRACEPARENT || !traceparent.is_ascii() {
            return None;
        }
        let [version] = unhex::<1>(traceparent.get(..2)?)?;
        // 255 is forbidden. A later version may be longer, after another dash, and begins the same.
        match version {
            0xff => return None,
            0 if bytes.len() != TRACEPARENT => return None,
            _ => {}
        }
        if bytes.get(TRACEPARENT).is_some_and(|byte| *byte != b'-') {
            return None;
        }
        if [2, 35, 52].iter().any(|at| bytes.get(*at) != Some(&b'-')) {
            return None;
        }
        let trace_id = TraceId::from_bytes(unhex(traceparent.get(3..35)?)?);
        let span_id = SpanId::from_bytes(unhex(traceparent.get(36..52)?)?);
        let [flags] = unhex::<1>(traceparent.get(53..55)?)?;
        if trace_id == TraceId::INVALID || span_id == SpanId::INVALID {
            return None;
        }
        Some(Self {
            trace_id,
            span_id,
            // What other bits mean we do not know, so they do not travel.
            flags: flags & (SAMPLED | RANDOM),
            state: tracestate.and_then(state::clean).map(Arc::from),
            baggage: baggage.filter(|header| baggage::valid(header)).map(Arc::from),
        })
    }

    /// A new trace.
    pub fn root(sampled: bool) -> Self {
        let ids = RandomIdGenerator::default();
        Self {
            trace_id: ids.new_trace_id(),
            span_id: ids.new_span_id(),
            flags: RANDOM | u8::from(sampled),
            state: None,
            baggage: None,
        }
    }

    /// A new span in the same trace, with the same flags, state and baggage.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { span_id: RandomIdGenerator::default().new_span_id(), ..self.clone() }
    }

    /// Another span of the same trace.
    pub(crate) fn at(mut self, span: SpanId) -> Self {
        self.span_id = span;
        self
    }

    /// The same place, recorded or not.
    #[must_use]
    pub fn with_sampled(mut self, sampled: bool) -> Self {
        self.flags = self.flags & !SAMPLED | u8::from(sampled);
        self
    }

    /// Whether the trace is recorded.
    pub fn sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The trace's id.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The span's id.
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    pub(crate) fn flags(&self) -> u8 {
        self.flags
    }

    /// `tracestate`, cleaned.
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// `baggage`, as it came.
    pub fn baggage(&self) -> Option<&str> {
        self.baggage.as_deref()
    }

    /// `traceparent`, version 0.
    pub fn traceparent(&self) -> String {
        let mut text = String::with_capacity(TRACEPARENT);
        text.push_str("00-");
        push_hex(&mut text, &self.trace_id.to_bytes());
        text.push('-');
        push_hex(&mut text, &self.span_id.to_bytes());
        text.push('-');
        push_hex(&mut text, &[self.flags]);
        text
    }

    /// The fields to send or to show, by name.
    pub fn fields(&self, carry: Carry) -> Vec<(&'static str, String)> {
        let mut fields = Vec::new();
        if !carry.traceparent {
            return fields;
        }
        fields.push(("traceparent", self.traceparent()));
        let state = self.state.as_deref().filter(|_| carry.tracestate);
        fields.extend(state.map(|state| ("tracestate", state.to_owned())));
        let baggage = self.baggage.as_deref().filter(|_| carry.baggage);
        fields.extend(baggage.map(|baggage| ("baggage", baggage.to_owned())));
        fields
    }
}
