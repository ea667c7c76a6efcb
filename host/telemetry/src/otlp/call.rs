//! What a recorded call collects while it runs. A call that is not recorded collects nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanId, SpanKind};

use crate::receipt::{MAX_NAME, MAX_TEXT};
use crate::redact::Redactor;
use crate::text::clip;
use crate::trace::{Carry, TraceContext};

/// How many host calls and outgoing requests of one call become spans; the rest are counted in an attribute.
pub const MAX_CHILDREN: usize = 64;

/// A call's place in its trace. Cheap to clone and to drop; whoever makes requests for the guest has a clone.
#[derive(Debug, Clone, Default)]
pub struct CallSpan {
    /// The call's own span.
    pub(super) context: Option<TraceContext>,
    /// The span of the guest inside it.
    pub(super) guest: Option<SpanId>,
    pub(super) recording: Option<Arc<Recording>>,
}

/// What was collected.
#[derive(Debug)]
pub(super) struct Recording {
    pub attributes: Mutex<Vec<KeyValue>>,
    pub children: Mutex<Children>,
    pub contents: Option<Arc<Redactor>>,
    pub name: String,
    pub parent: Option<TraceContext>,
    pub link: Option<TraceContext>,
}

#[derive(Debug, Default)]
pub(super) struct Children {
    pub list: Vec<Child>,
    pub more: u64,
}

#[derive(Debug)]
pub(super) struct Child {
    pub span: SpanId,
    pub name: String,
    pub kind: SpanKind,
    pub start: SystemTime,
    pub took: Duration,
    pub attributes: Vec<KeyValue>,
    pub error: Option<String>,
}

impl Recording {
    fn child(&self, child: Child) {
        let mut children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        if children.list.len() < MAX_CHILDREN {
            children.list.push(child);
        } else {
            children.more = children.more.saturating_add(1);
        }
    }

    fn content(&self, name: &'static str, json: &str) {
        if let Some(redactor) = &self.contents {
            let value = KeyValue::new(name, redactor.apply(json));
            self.attributes.lock().unwrap_or_else(PoisonError::into_inner).push(value);
        }
    }
}

/// A guest's HTTP request about to be made.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingFacts<'a> {
    /// `GET` and so on.
    pub method: &'a str,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The host as asked for.
    pub host: &'a str,
    /// The port.
    pub port: u16,
}

impl CallSpan {
    /// A call in no trace of ours: what came in travels on unchanged.
    pub fn passing(parent: Option<&TraceContext>) -> Self {
        Self { context: parent.cloned(), guest: None, recording: None }
    }

    /// The call's own place.
    pub fn context(&self) -> Option<&TraceContext> {
        self.context.as_ref()
    }

    /// Whether this call is recorded.
    pub fn sampled(&self) -> bool {
        self.recording.is_some()
    }

    /// What the guest may be told: its own place, below the call.
    pub fn guest(&self) -> Option<TraceContext> {
        let context = self.context.clone()?;
        Some(match self.guest {
            Some(guest) => context.at(guest),
            None => context,
        })
    }

    /// The arguments as JSON. Recorded only if the operator said so, and without what his rules take out.
    pub fn input(&self, json: &str) {
        if let Some(recording) = &self.recording {
            recording.content("gen_ai.tool.call.arguments", json);
        }
    }

    /// The result as JSON, likewise.
    pub fn output(&self, json: &str) {
        if let Some(recording) = &self.recording {
            recording.content("gen_ai.tool.call.result", json);
        }
    }

    /// A call of the guest to the host took this long, such as `store.get`.
    pub fn host_call(&self, name: &str, start: SystemTime, took: Duration) {
        if let (Some(recording), Some(context)) = (&self.recording, self.guest()) {
            recording.child(Child {
                span: context.child().span_id(),
                name: clip(name, MAX_NAME),
                kind: SpanKind::Internal,
                start,
                took,
                attributes: Vec::new(),
                error: None,
            });
        }
    }

    /// The guest begins an HTTP request.
    pub fn outgoing(&self, request: OutgoingFacts<'_>, start: SystemTime) -> Outgoing {
        let context = self.guest().map(|guest| if self.guest.is_some() { guest.child() } else { guest });
        let request = self.recording.as_ref().map(|recording| Request {
            recording: Arc::clone(recording),
            method: clip(request.method, MAX_NAME),
            attributes: vec![
                KeyValue::new("http.request.method", clip(request.method, MAX_NAME)),
                KeyValue::new("url.scheme", clip(request.scheme, MAX_NAME)),
                KeyValue::new("server.address", clip(request.host, MAX_TEXT)),
                KeyValue::new("server.port", i64::from(request.port)),
            ],
            start,
        });
        Outgoing { context, request }
    }
}

/// A guest's HTTP request on its way. Dropped without an end, it is not recorded.
#[derive(Debug)]
#[must_use]
pub struct Outgoing {
    context: Option<TraceContext>,
    request: Option<Request>,
}

#[derive(Debug)]
struct Request {
    recording: Arc<Recording>,
    method: String,
    attributes: Vec<KeyValue>,
    start: SystemTime,
}

impl Outgoing {
    /// The header fields to add, replacing what the guest set under these names.
    pub fn fields(&self, carry: Carry) -> Vec<(&'static str, String)> {
        self.context.as_ref().map(|context| context.fields(carry)).unwrap_or_default()
    }

    /// The request ended: with a status, or with a word for why not.
    pub fn end(self, took: Duration, status: Result<u16, &str>) {
        let (Some(mut request), Some(context)) = (self.request, self.context) else { return };
        let error = match status {
            Ok(code) => {
                request.attributes.push(KeyValue::new("http.response.status_code", i64::from(code)));
                (code >= 400).then(|| code.to_string())
            }
            Err(word) => Some(clip(word, MAX_NAME)),
        };
        request.attributes.extend(error.iter().map(|error| KeyValue::new("error.type", error.clone())));
        request.recording.child(Child {
            span: context.span_id(),
            name: request.method,
            kind: SpanKind::Client,
            start: request.start,
            took,
            attributes: request.attributes,
            error,
        });
    }
}
