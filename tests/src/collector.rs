//! An OpenTelemetry collector, running: Rotel, which receives what the host exports and passes it on to the test by the same
//! protocol. So what a test sees has been understood and written anew by a program that is not ours.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
pub use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
pub use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs};
pub use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Metric, ResourceMetrics, metric::Data, number_data_point,
};
pub use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span, span::SpanKind, status::StatusCode};

use crate::log::Log;
use crate::{DEADLINE, artifacts};

/// Ports that are tried: between finding a free one and its use by the collector another process may take it.
const TRIES: usize = 5;

/// All that was passed on so far.
#[derive(Clone, Debug, Default)]
pub struct Got {
    /// Traces.
    pub traces: Vec<ResourceSpans>,
    /// Metrics.
    pub metrics: Vec<ResourceMetrics>,
    /// Logs.
    pub logs: Vec<ResourceLogs>,
}

impl Got {
    /// All spans.
    pub fn spans(&self) -> impl Iterator<Item = &Span> {
        self.traces.iter().flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans)
    }

    /// All log records.
    pub fn records(&self) -> impl Iterator<Item = &LogRecord> {
        self.logs.iter().flat_map(|resource| &resource.scope_logs).flat_map(|scope| &scope.log_records)
    }

    /// A metric as it was last reported.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        let mut all = self.metrics.iter().flat_map(|resource| &resource.scope_metrics).flat_map(|scope| &scope.metrics);
        all.rfind(|metric| metric.name == name)
    }
}

type Sink = Arc<(Mutex<Got>, Condvar)>;

/// A running collector. It is killed when this is dropped; if the test is failing then, what it said is printed.
pub struct Collector {
    process: Child,
    log: Log,
    address: SocketAddr,
    sink: Sink,
}

impl Collector {
    /// Starts one.
    ///
    /// # Panics
    ///
    /// If it does not start to listen.
    #[must_use]
    pub fn start() -> Self {
        let (passed_on, sink) = listen();
        for _ in 0..TRIES {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
            let address = free.expect("there is a free port");
            let mut process = command(address, passed_on).spawn().expect("the collector can be started");
            let log = Log::follow(process.stdout.take().expect("stdout is piped"));
            let late = Instant::now() + DEADLINE;
            while process.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < late {
                if TcpStream::connect(address).is_ok() {
                    return Self { process, log, address, sink };
                }
                thread::sleep(Duration::from_millis(5));
            }
            // It may have ended already.
            let _ = process.kill();
            let _ = process.wait();
        }
        panic!("the collector does not listen");
    }

    /// Where telemetry is to be sent.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until what was passed on has everything that `enough` looks for.
    ///
    /// # Panics
    ///
    /// If it has not within [`DEADLINE`]; the text has all that came.
    pub fn wait_for(&self, what: &str, enough: impl Fn(&Got) -> bool) -> Got {
        let late = Instant::now() + DEADLINE;
        let (got, more) = &*self.sink;
        let mut got = got.lock().unwrap_or_else(PoisonError::into_inner);
        while !enough(&got) {
            let left = late.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waiting for {what}: time is up; it passed on:\n{got:#?}");
            got = more.wait_timeout(got, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        got.clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("---- the collector said:\n{}\n----", self.log.all());
        }
    }
}

/// It receives by HTTP and passes on by HTTP, both with protobuf.
fn command(address: SocketAddr, passed_on: SocketAddr) -> Command {
    let mut command = Command::new(artifacts::client("rotel"));
    command
        .args(["start", "--otlp-http-endpoint", &address.to_string(), "--otlp-grpc-endpoint", "127.0.0.1:0"])
        .args(["--exporter", "otlp", "--otlp-exporter-protocol", "http"])
        .args(["--otlp-exporter-endpoint", &format!("http://{passed_on}"), "--batch-timeout", "20ms"])
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// The end of the pipeline. Its threads end with the test binary.
fn listen() -> (SocketAddr, Sink) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    let address = listener.local_addr().expect("a listener has an address");
    let sink = Sink::default();
    let store = Arc::clone(&sink);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let store = Arc::clone(&store);
            thread::spawn(move || while take(&stream, &store).is_some() {});
        }
    });
    (address, sink)
}

/// Takes one request; none is left when the connection ends.
fn take(mut stream: &TcpStream, sink: &Sink) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_ascii_lowercase()),
        }
    }
    let length = head.iter().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    if head.iter().any(|line| line == "content-encoding: gzip") {
        body = inflated(&body);
    }
    let path = head.first()?.split(' ').nth(1)?.to_owned();
    {
        let (got, more) = &**sink;
        let mut got = got.lock().unwrap_or_else(PoisonError::into_inner);
        match path.as_str() {
            "/v1/traces" => got.traces.extend(decoded::<ExportTraceServiceRequest>(&body).resource_spans),
            "/v1/metrics" => got.metrics.extend(decoded::<ExportMetricsServiceRequest>(&body).resource_metrics),
            "/v1/logs" => got.logs.extend(decoded::<ExportLogsServiceRequest>(&body).resource_logs),
            other => panic!("the collector posts to {other}"),
        }
        more.notify_all();
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n").ok()
}

/// Source: RFC 1952. The collector writes the shortest header there is; what ends the member is a checksum and a length.
fn inflated(member: &[u8]) -> Vec<u8> {
    const HEADER: usize = 10;
    const TRAILER: usize = 8;
    assert_eq!(member.get(..4), Some([0x1f, 0x8b, 8, 0].as_slice()), "a member without optional fields");
    let deflated = &member[HEADER..member.len() - TRAILER];
    miniz_oxide::inflate::decompress_to_vec(deflated).expect("what the collector compressed is whole")
}

fn decoded<T: prost::Message + Default>(body: &[u8]) -> T {
    T::decode(body).expect("the collector passes on what is well formed")
}

/// Attributes as text, by name.
///
/// # Panics
///
/// If one is there twice, or is neither text nor a number.
#[must_use]
pub fn attributes(list: &[KeyValue]) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for pair in list {
        let twice = all.insert(pair.key.clone(), shown(pair.value.as_ref()));
        assert!(twice.is_none(), "{} is there twice", pair.key);
    }
    all
}

/// A value as text.
///
/// # Panics
///
/// If it is neither text nor a number.
#[must_use]
pub fn shown(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Bytes as hexadecimal digits, as identifiers of traces are written.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
