//! Audit lines as OTLP logs: encoded as they come, sent in batches by a thread of their own.
//!
//! Not by the SDK's processor and exporter: there is a line for each call, and what they do for it (four copies, and the
//! length of everything worked out at each level) cost more than the rest of telemetry.
//!
//! A batch that the collector does not take is tried again until it does, so a line may come twice: its number tells. What
//! comes while the queue is full is lost to the collector and counted; the audit log has it all the same.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, message};
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::CONTENT_TYPE;

use super::{OtlpConfig, OtlpError, SCOPE};
use crate::audit::{Event, EventKind, Written};
use crate::receipt::Outcome;
use crate::text::{clip, unhex};

/// The most of a line that a log's body has, in bytes. The hash is that of the whole line.
const MAX_BODY: usize = 64 * 1024;
/// Lines in one request, at most.
const BATCH: usize = 512;
/// Bytes of them, about: collectors refuse large requests.
const BATCH_BYTES: usize = 4 << 20;
/// Bytes that wait for a collector, at most.
const WAITING_BYTES: usize = 32 << 20;
/// The shortest and the longest pause before a batch is tried again.
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The most of an answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// Takes each line.
#[derive(Debug)]
pub(crate) struct Logs(Arc<Queue>);

/// The thread that sends.
#[derive(Debug)]
pub(crate) struct LogSender {
    queue: Arc<Queue>,
    /// Whether all was sent, once the thread has ended.
    ended: Mutex<Receiver<bool>>,
}

#[derive(Debug)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// How many lines may wait.
    room: usize,
    /// How many go into one request.
    batch: usize,
    /// How long the first of them waits for others.
    delay: Duration,
}

#[derive(Debug, Default)]
struct Waiting {
    batches: VecDeque<Batch>,
    lines: usize,
    bytes: usize,
    lost: u64,
    closed: bool,
}

/// Lines, each as a field `log_records` of `ScopeLogs`.
#[derive(Debug)]
struct Batch {
    records: Vec<u8>,
    lines: usize,
    began: Instant,
}

impl Logs {
    /// Starts the thread.
    pub(crate) fn start(
        config: &OtlpConfig,
        endpoint: String,
        client: Client,
        resource: &opentelemetry_sdk::Resource,
    ) -> Result<(Self, LogSender), OtlpError> {
        let queue = Arc::new(Queue {
            waiting: Mutex::default(),
            changed: Condvar::new(),
            room: config.queue.max(1),
            batch: config.queue.clamp(1, BATCH),
            delay: config.delay,
        });
        let mut request = client.post(endpoint).header(CONTENT_TYPE, "application/x-protobuf");
        for (name, value) in &config.headers {
            request = request.header(name, value);
        }
        let (frame, timeout) = (Frame::new(resource), config.timeout);
        let sending = Sending { queue: Arc::clone(&queue), request, frame, timeout, failing: false };
        let (tell, ended) = channel();
        std::thread::Builder::new()
            .name("toolcell-logs".into())
            .spawn(move || {
                // Who waited for it may have given up.
                let _ = tell.send(sending.run());
            })
            .map_err(OtlpError::Thread)?;
        Ok((Self(Arc::clone(&queue)), LogSender { queue, ended: Mutex::new(ended) }))
    }

    pub(crate) fn line(&self, written: Written<'_>) {
        self.0.put(&record(written));
    }
}

impl LogSender {
    /// Sends what waits, once, and ends. Blocks for at most `within`. Says whether all was sent.
    pub(crate) fn stop(&self, within: Duration) -> bool {
        self.queue.locked().closed = true;
        self.queue.changed.notify_all();
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.recv_timeout(within).unwrap_or(false)
    }
}

impl Queue {
    fn locked(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, record: &LogRecord) {
        let mut waiting = self.locked();
        if waiting.closed || waiting.lines >= self.room || waiting.bytes >= WAITING_BYTES {
            waiting.lost = waiting.lost.saturating_add(1);
            return;
        }
        let open = waiting.batches.back().is_some_and(|batch| !self.is_full(batch));
        if !open {
            waiting.batches.push_back(Batch { records: Vec::new(), lines: 0, began: Instant::now() });
        }
        let Some(batch) = waiting.batches.back_mut() else { return };
        let before = batch.records.len();
        message::encode(2, record, &mut batch.records);
        batch.lines = batch.lines.saturating_add(1);
        let (more, full) = (batch.records.len().saturating_sub(before), self.is_full(batch));
        waiting.lines = waiting.lines.saturating_add(1);
        waiting.bytes = waiting.bytes.saturating_add(more);
        drop(waiting);
        if !open || full {
            self.changed.notify_all();
        }
    }

    fn is_full(&self, batch: &Batch) -> bool {
        batch.lines >= self.batch || batch.records.len() >= BATCH_BYTES
    }

    /// Waits for a batch that is full or has waited long enough. None when the queue is closed and empty.
    fn take(&self) -> Option<Batch> {
        let mut waiting = self.locked();
        loop {
            let left = match waiting.batches.front() {
                None if waiting.closed => return None,
                None => None,
                Some(first) if waiting.closed || self.is_full(first) => Some(Duration::ZERO),
                Some(first) => Some(self.delay.saturating_sub(first.began.elapsed())),
            };
            waiting = match left {
                None => self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => break,
                Some(left) => self.changed.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        let batch = waiting.batches.pop_front()?;
        waiting.lines = waiting.lines.saturating_sub(batch.lines);
        waiting.bytes = waiting.bytes.saturating_sub(batch.records.len());
        Some(batch)
    }

    /// Puts a batch back that was not taken, and waits before it is tried again, unless the queue is closed.
    fn put_back(&self, batch: Batch, pause: Duration) {
        let mut waiting = self.locked();
        waiting.lines = waiting.lines.saturating_add(batch.lines);
        waiting.bytes = waiting.bytes.saturating_add(batch.records.len());
        waiting.batches.push_front(batch);
        drop(self.changed.wait_timeout_while(waiting, pause, |waiting| !waiting.closed));
    }
}

/// Why a batch was not taken.
enum Failed {
    /// Another time it may be.
    Now(String),
    /// It never will be.
    ForGood(String),
}

struct Sending {
    queue: Arc<Queue>,
    /// The request but for its body.
    request: RequestBuilder,
    frame: Frame,
    timeout: Duration,
    failing: bool,
}

impl Sending {
    /// Sends until the queue is closed and empty, or closed and not taken. Says whether the collector took the last of it.
    fn run(mut self) -> bool {
        let mut pause = SHORTEST_PAUSE;
        while let Some(batch) = self.queue.take() {
            match self.send(&batch) {
                Ok(()) => {
                    pause = SHORTEST_PAUSE;
                    self.well();
                }
                Err(Failed::ForGood(why)) => self.tell(&why, "these lines are only in the audit log"),
                Err(Failed::Now(why)) => {
                    self.tell(&why, "they are in the audit log, and tried again");
                    if self.queue.locked().closed {
                        return false;
                    }
                    self.queue.put_back(batch, pause);
                    pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                }
            }
        }
        !self.failing
    }

    fn send(&self, batch: &Batch) -> Result<(), Failed> {
        let Some(request) = self.request.try_clone() else { return Err(Failed::ForGood("no request".to_owned())) };
        let answer = request.body(self.frame.around(&batch.records)).send();
        let answer = answer.map_err(|error| Failed::Now(error.without_url().to_string()))?;
        let status = answer.status();
        let body = self.read(answer);
        match status.as_u16() {
            200..=299 => {}
            408 | 429 | 502..=504 => return Err(Failed::Now(format!("it answers {status}"))),
            _ => return Err(Failed::ForGood(format!("it answers {status}"))),
        }
        let rejected =
            ExportLogsServiceResponse::decode(body.as_slice()).ok().and_then(|answer| answer.partial_success);
        match rejected.filter(|rejected| rejected.rejected_log_records > 0) {
            Some(rejected) => {
                let text = clip(rejected.error_message, 256);
                Err(Failed::ForGood(format!("it rejects {} of them: {text}", rejected.rejected_log_records)))
            }
            None => Ok(()),
        }
    }

    /// An answer to its end, so that the connection serves again; or as much as comes in the time that a request has.
    fn read(&self, mut answer: Response) -> Vec<u8> {
        let (mut body, mut piece) = (Vec::new(), [0; 4 * 1024]);
        let began = Instant::now();
        while body.len() < MAX_ANSWER && began.elapsed() < self.timeout {
            match answer.read(&mut piece) {
                Ok(length) if length > 0 => body.extend_from_slice(piece.get(..length).unwrap_or_default()),
                _ => break,
            }
        }
        body
    }

    /// Once for each spell of failures.
    fn tell(&mut self, why: &str, then: &str) {
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!("the collector does not take audit lines: {why}; {then}");
        }
    }

    fn well(&mut self) {
        let lost = std::mem::take(&mut self.queue.locked().lost);
        if lost > 0 {
            tracing::warn!(
                lost,
                "the collector takes audit lines again; some had no room and are only in the audit log"
            );
        }
        self.failing = false;
    }
}

/// What surrounds the records in a request: `ExportLogsServiceRequest`, `ResourceLogs`, `ScopeLogs`.
struct Frame {
    resource: Vec<u8>,
    scope: Vec<u8>,
}

impl Frame {
    fn new(resource: &opentelemetry_sdk::Resource) -> Self {
        let attributes = resource.iter().map(|(key, value)| text(key.as_str(), value.to_string())).collect();
        let resource = Resource { attributes, ..Resource::default() };
        let scope = InstrumentationScope { name: SCOPE.to_owned(), ..InstrumentationScope::default() };
        let mut frame = Self { resource: Vec::new(), scope: Vec::new() };
        message::encode(1, &resource, &mut frame.resource);
        message::encode(1, &scope, &mut frame.scope);
        frame
    }

    fn around(&self, records: &[u8]) -> Vec<u8> {
        let mut inner = Vec::new();
        encode_key(2, WireType::LengthDelimited, &mut inner);
        let scope_logs = self.scope.len().saturating_add(records.len());
        encode_varint(scope_logs as u64, &mut inner);
        let resource_logs = self.resource.len().saturating_add(inner.len()).saturating_add(scope_logs);
        let mut body = Vec::with_capacity(resource_logs.saturating_add(16));
        encode_key(1, WireType::LengthDelimited, &mut body);
        encode_varint(resource_logs as u64, &mut body);
        for part in [&self.resource, &inner, &self.scope] {
            body.extend_from_slice(part);
        }
        body.extend_from_slice(records);
        body
    }
}

fn record(written: Written<'_>) -> LogRecord {
    let event = written.event;
    let severity = severity(event);
    let seq = i64::try_from(written.head.seq).unwrap_or(i64::MAX);
    let mut attributes = Vec::with_capacity(5);
    attributes.push(attribute("toolcell.audit.seq", Value::IntValue(seq)));
    attributes.push(text("toolcell.audit.hash", written.head.hash.clone()));
    attributes.extend(event.principal_name().map(|name| text("enduser.id", name.to_owned())));
    let (mut trace_id, mut span_id) = (Vec::new(), Vec::new());
    if let Some(receipt) = event.receipt() {
        attributes.push(text("toolcell.plugin", receipt.plugin.clone()));
        attributes.push(text("toolcell.outcome", receipt.outcome.as_str().to_owned()));
        let trace = receipt.trace_id.as_deref().and_then(unhex::<16>);
        let span = receipt.span_id.as_deref().and_then(unhex::<8>);
        if let (Some(trace), Some(span)) = (trace, span) {
            (trace_id, span_id) = (trace.to_vec(), span.to_vec());
        }
    }
    LogRecord {
        time_unix_nano: nanos(event.time()),
        observed_time_unix_nano: nanos(SystemTime::now()),
        severity_number: severity.into(),
        severity_text: if severity == SeverityNumber::Warn { "WARN" } else { "INFO" }.to_owned(),
        body: Some(AnyValue { value: Some(Value::StringValue(clip(written.line, MAX_BODY))) }),
        attributes,
        trace_id,
        span_id,
        event_name: format!("toolcell.audit.{}", event.kind().as_str()),
        ..LogRecord::default()
    }
}

fn text(key: &str, value: String) -> KeyValue {
    attribute(key, Value::StringValue(value))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn severity(event: &Event) -> SeverityNumber {
    let bad = event.receipt().is_some_and(|receipt| !matches!(receipt.outcome, Outcome::Ok));
    match event.kind() {
        EventKind::Refusal | EventKind::Lost | EventKind::Torn => SeverityNumber::Warn,
        _ if bad => SeverityNumber::Warn,
        _ => SeverityNumber::Info,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::sync::mpsc;

    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;

    use super::*;
    use crate::audit::Head;

    /// Answers requests with these, one after the other, and tells the texts of the lines in each.
    fn collector(answers: &'static [&'static str]) -> (String, mpsc::Receiver<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}/v1/logs", listener.local_addr().unwrap());
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    let lower = line.to_ascii_lowercase();
                    if let Some(value) = lower.strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    if line == "\r\n" {
                        break;
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let request = ExportLogsServiceRequest::decode(body.as_slice()).unwrap();
                let [resource] = request.resource_logs.as_slice() else { panic!("{request:?}") };
                let [scope] = resource.scope_logs.as_slice() else { panic!("{resource:?}") };
                let service = resource.resource.as_ref().unwrap().attributes.iter().find(|it| it.key == "service.name");
                assert_eq!(service, Some(&text("service.name", "toolcell".to_owned())));
                assert_eq!(scope.scope.as_ref().unwrap().name, SCOPE);
                let texts = scope.log_records.iter().map(|record| match &record.body.as_ref().unwrap().value {
                    Some(Value::StringValue(text)) => text.clone(),
                    other => panic!("{other:?}"),
                });
                tell.send(texts.collect()).unwrap();
                let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        (endpoint, told)
    }

    fn start(endpoint: &str, queue: usize, delay: Duration) -> (Logs, LogSender) {
        let config = OtlpConfig { queue, delay, ..OtlpConfig::new("http://unused") };
        let client = super::super::client::build(Duration::from_secs(5)).unwrap();
        let resource = super::super::resource(&config);
        Logs::start(&config, endpoint.to_owned(), client, &resource).unwrap()
    }

    fn put(logs: &Logs, line: &str) {
        let head = Head { seq: 1, hash: "00".to_owned() };
        let event = Event::new(EventKind::Reload, SystemTime::now(), serde_json::json!({}));
        logs.line(Written { line, head: &head, event: &event });
    }

    const SOON: Duration = Duration::from_secs(20);

    #[test]
    fn lines_that_are_not_taken_now_come_again() {
        let (endpoint, told) = collector(&["503 Busy", "429 Too Many", "200 OK", "200 OK"]);
        let (logs, sender) = start(&endpoint, 2, SOON);
        put(&logs, "one");
        put(&logs, "two");
        for _ in 0..3 {
            assert_eq!(told.recv_timeout(SOON).unwrap(), ["one", "two"]);
        }
        put(&logs, "three");
        assert!(sender.stop(SOON));
        assert_eq!(told.recv_timeout(SOON).unwrap(), ["three"]);
    }

    #[test]
    fn lines_that_never_will_be_taken_are_not_tried_again() {
        let (endpoint, told) = collector(&["400 Bad", "200 OK"]);
        let (logs, sender) = start(&endpoint, 1, SOON);
        put(&logs, "one");
        assert_eq!(told.recv_timeout(SOON).unwrap(), ["one"]);
        put(&logs, "two");
        assert_eq!(told.recv_timeout(SOON).unwrap(), ["two"]);
        assert!(sender.stop(SOON));
    }

    #[test]
    fn what_waits_is_bounded_and_sent_at_the_end_or_said_not_to_be() {
        // Nobody listens on this port.
        let (logs, sender) = start("http://127.0.0.1:1/v1/logs", 3, SOON);
        (0..5).for_each(|_| put(&logs, "line"));
        assert_eq!(logs.0.locked().lost, 2);
        assert!(!sender.stop(SOON));
        let (endpoint, told) = collector(&["200 OK"]);
        let (logs, sender) = start(&endpoint, 100, SOON);
        (0..5).for_each(|_| put(&logs, "line"));
        assert!(sender.stop(SOON));
        assert_eq!(told.recv_timeout(SOON).unwrap(), ["line"; 5]);
    }

    #[test]
    fn large_lines_go_in_several_requests() {
        let queue = Queue {
            waiting: Mutex::default(),
            changed: Condvar::new(),
            room: 1_000_000,
            batch: BATCH,
            delay: Duration::ZERO,
        };
        let body = Some(AnyValue { value: Some(Value::StringValue("x".repeat(MAX_BODY))) });
        let large = LogRecord { body, ..LogRecord::default() };
        (0..2_000).for_each(|_| queue.put(&large));
        assert!(queue.locked().bytes < WAITING_BYTES + 2 * MAX_BODY && queue.locked().lost > 0);
        while let Some(batch) = queue.locked().batches.pop_front() {
            assert!(batch.records.len() < BATCH_BYTES + 2 * MAX_BODY);
        }
    }
}
