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

    /// The URL of a request. Its path may hold anything, so it is recorded where contents are, and without what the
    /// operator's rules take out.
    fn url(&self, url: &str) -> Option<KeyValue> {
        let redactor = self.contents.as_ref()?;
        // The rules are for JSON, so the URL goes through them as a string of it.
        let json = serde_json::to_string(url).ok()?;
        let text: String = serde_json::from_str(&redactor.apply(&json)).ok()?;
        Some(KeyValue::new("url.full", clip(text, MAX_TEXT)))
    }
}

/// The methods that a span may name. Source: OpenTelemetry conventions for HTTP, `http.request.method`.
const METHODS: [&str; 10] = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"];

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
    /// The whole of it, without user names, passwords and the values of the query. Recorded only if contents are.
    pub url: &'a str,
}

/// How a guest's HTTP request ended.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingEnd<'a> {
    /// From its beginning to the end of what was read of the answer.
    pub took: Duration,
    /// The status, or a word for why there was none; nothing if it was given up.
    pub status: Option<Result<u16, &'a str>>,
    /// Bytes of the request's body.
    pub sent: u64,
    /// Bytes of the response's body.
    pub received: u64,
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

    /// Whether arguments and results are recorded.
    pub fn records_contents(&self) -> bool {
        self.recording.as_ref().is_some_and(|recording| recording.contents.is_some())
    }

    /// Host calls and requests that whoever followed the call did not tell one by one.
    pub fn untold(&self, count: u64) {
        if let Some(recording) = &self.recording {
            let mut children = recording.children.lock().unwrap_or_else(PoisonError::into_inner);
            children.more = children.more.saturating_add(count);
        }
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
        let known = METHODS.into_iter().find(|known| *known == request.method);
        let request = self.recording.as_ref().map(|recording| Request {
            recording: Arc::clone(recording),
            // A guest may invent methods, and a span's name must not be the guest's to choose.
            name: known.unwrap_or("HTTP"),
            attributes: [
                KeyValue::new("http.request.method", known.unwrap_or("_OTHER")),
                KeyValue::new("url.scheme", clip(request.scheme, MAX_NAME)),
                KeyValue::new("server.address", clip(request.host, MAX_TEXT)),
                KeyValue::new("server.port", i64::from(request.port)),
            ]
            .into_iter()
            .chain(recording.url(request.url))
            .collect(),
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
    name: &'static str,
    attributes: Vec<KeyValue>,
    start: SystemTime,
}

impl Outgoing {
    /// The header fields to add, replacing what the guest set under these names.
    pub fn fields(&self, carry: Carry) -> Vec<(&'static str, String)> {
        self.context.as_ref().map(|context| context.fields(carry)).unwrap_or_default()
    }

    /// The request ended.
    pub fn end(self, end: OutgoingEnd<'_>) {
        let OutgoingEnd { took, status, sent, received } = end;
        let (Some(mut request), Some(context)) = (self.request, self.context) else { return };
        // The status code says enough; there is no description beside it.
        let error = match status {
            Some(Ok(code)) => {
                request.attributes.push(KeyValue::new("http.response.status_code", i64::from(code)));
                (code >= 400).then(|| (code.to_string(), String::new()))
            }
            Some(Err(word)) => Some((clip(word, MAX_NAME), clip(word, MAX_NAME))),
            None => None,
        };
        request.attributes.extend(error.iter().map(|(kind, _)| KeyValue::new("error.type", kind.clone())));
        for (name, bytes) in [("http.request.body.size", sent), ("http.response.body.size", received)] {
            request.attributes.push(KeyValue::new(name, i64::try_from(bytes).unwrap_or(i64::MAX)));
        }
        request.recording.child(Child {
            span: context.span_id(),
            name: request.name.to_owned(),
            kind: SpanKind::Client,
            start: request.start,
            took,
            attributes: request.attributes,
            error: error.map(|(_, text)| text),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    /// The `url.full` of a request that was recorded so.
    fn told(contents: Option<Redactor>, url: &str) -> Option<String> {
        let recording = Arc::new(Recording {
            attributes: Mutex::default(),
            children: Mutex::default(),
            contents: contents.map(Arc::new),
            name: "tools/call t".to_owned(),
            parent: None,
            link: None,
        });
        let context = TraceContext::root(true);
        let guest = Some(context.child().span_id());
        let span = CallSpan { context: Some(context), guest, recording: Some(Arc::clone(&recording)) };
        let facts = OutgoingFacts { method: "GET", scheme: "https", host: "api.example", port: 443, url };
        let end = OutgoingEnd { took: Duration::ZERO, status: Some(Ok(200)), sent: 0, received: 0 };
        span.outgoing(facts, UNIX_EPOCH).end(end);
        let children = recording.children.lock().unwrap();
        let attributes = &children.list[0].attributes;
        let value =
            |name: &str| attributes.iter().find(|it| it.key.as_str() == name).map(|it| it.value.as_str().into_owned());
        assert_eq!(value("server.address").as_deref(), Some("api.example"));
        assert_eq!(value("url.scheme").as_deref(), Some("https"));
        assert_eq!(value("server.port").as_deref(), Some("443"));
        value("url.full")
    }

    #[test]
    fn a_path_is_told_only_where_contents_are() {
        let url = "https://api.example/bot123456:hunter2/say";
        assert_eq!(told(None, url), None);
        assert_eq!(told(Some(Redactor::default()), url).as_deref(), Some(url));
        let rules = Redactor::new::<&str, &str>(&[], &["bot[0-9]+:[a-z0-9]+"]).unwrap();
        assert_eq!(told(Some(rules), url).as_deref(), Some("https://api.example/[redacted]/say"));
    }
}
