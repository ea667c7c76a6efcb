//! Traces, metrics and logs to an OpenTelemetry collector, by OTLP over HTTP with protobuf.
//!
//! Names follow the OpenTelemetry conventions for MCP and GenAI (`semantic-conventions-genai`, `docs/gen-ai/mcp.md`), for
//! outgoing requests those for HTTP clients; what they have no name for begins with `toolcell.`.
//!
//! Everything goes through bounded queues, each with a thread of its own that sends batches; a queue that is full loses
//! what comes, and no call ever waits for a collector. Audit lines are logs here, with the number and hash of each line: a
//! copy of the chain's head, kept elsewhere.
//!
//! Modules, in reading order: `span` (a call's spans), `call` (what a call collects for them), `meters`, `logs`, `client`.

mod call;
mod client;
mod logs;
mod meters;
mod span;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry_otlp::{MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SpanProcessor};

pub use call::{CallSpan, MAX_CHILDREN, Outgoing, OutgoingEnd, OutgoingFacts};
use logs::LogSender;
pub(crate) use logs::Logs;
pub(crate) use meters::{Meters, Operation};
pub use span::{Sampling, SpanFacts, Tracer, Transport};

use crate::metrics::Metrics;
use crate::redact::Redactor;

/// The instrumentation scope's name.
pub(crate) const SCOPE: &str = "toolcell";

/// Where telemetry goes, and how much of it.
#[derive(Clone)]
pub struct OtlpConfig {
    /// The collector's base address, such as `http://127.0.0.1:4318`; `/v1/traces` and so on are appended.
    pub endpoint: String,
    /// Headers for every request, such as a collector's key. Never shown.
    pub headers: HashMap<String, String>,
    /// How long a request may take. Default is 10 s.
    pub timeout: Duration,
    /// Whether traces are sent. Default is yes.
    pub traces: bool,
    /// Whether metrics are sent. Default is yes.
    pub metrics: bool,
    /// Whether audit lines are sent as logs. Default is yes.
    pub logs: bool,
    /// Which calls are recorded as traces. Default is one in ten, and all whose caller records them.
    pub sampling: Sampling,
    /// How many spans or logs wait at most. Default is 4,096.
    pub queue: usize,
    /// How long they wait at most. Default is 2 s.
    pub delay: Duration,
    /// How often metrics are sent. Default is every 30 s.
    pub interval: Duration,
    /// `service.version`.
    pub version: String,
    /// `service.instance.id`.
    pub instance: String,
    /// Further attributes of the resource.
    pub resource: Vec<(String, String)>,
    /// Records arguments and results in spans, without what the rules take out. Default is not at all.
    pub contents: Option<Redactor>,
}

impl OtlpConfig {
    /// The defaults, to a collector.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            headers: HashMap::new(),
            timeout: Duration::from_secs(10),
            traces: true,
            metrics: true,
            logs: true,
            sampling: Sampling::default(),
            queue: 4_096,
            delay: Duration::from_secs(2),
            interval: Duration::from_secs(30),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instance: String::new(),
            resource: Vec::new(),
            contents: None,
        }
    }
}

impl fmt::Debug for OtlpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpConfig")
            .field("endpoint", &self.endpoint)
            .field("headers", &self.headers.len())
            .field("traces", &self.traces)
            .field("metrics", &self.metrics)
            .field("logs", &self.logs)
            .field("sampling", &self.sampling)
            .finish_non_exhaustive()
    }
}

/// Why nothing can be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OtlpError {
    /// The address is not one of a collector.
    #[error("telemetry endpoint {0:?} is none; write http://host:4318 or https://host:4318")]
    Endpoint(String),
    /// A header that cannot be sent. Its value is not shown.
    #[error("telemetry header {0:?} cannot be sent; use letters, digits and dashes, and a value of one line")]
    Header(String),
    /// The client could not be made.
    #[error("telemetry client: {0}; check the system's certificates")]
    Client(String),
    /// An exporter could not be made.
    #[error("telemetry exporter: {0}; check the endpoint")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The thread that sends audit lines could not be started.
    #[error("telemetry: no thread: {0}; raise the limit on threads")]
    Thread(std::io::Error),
    /// Not everything was sent in time.
    #[error("telemetry: not everything was sent before the deadline; is the collector there?")]
    Unsent,
}

/// The exporters at work.
#[derive(Debug, Default)]
pub(crate) struct Otlp {
    spans: Option<Arc<BatchSpanProcessor>>,
    meters: Option<SdkMeterProvider>,
    logs: Option<LogSender>,
}

/// The exporters, and what feeds those that are wanted.
#[derive(Debug, Default)]
pub(crate) struct Started {
    pub otlp: Otlp,
    pub tracer: Option<Tracer>,
    pub meters: Option<Meters>,
    pub logs: Option<Logs>,
}

impl Otlp {
    /// Starts the exporters. `metrics` are what gauges are read from.
    pub(crate) fn start(config: &OtlpConfig, metrics: &Arc<Metrics>) -> Result<Started, OtlpError> {
        let base = config.endpoint.trim_end_matches('/');
        let host = base.strip_prefix("http://").or_else(|| base.strip_prefix("https://"));
        if host.is_none_or(|host| host.is_empty() || host.contains(['@', '?', '#', ' '])) {
            return Err(OtlpError::Endpoint(config.endpoint.clone()));
        }
        client::check_headers(&config.headers)?;
        let client = client::build(config.timeout)?;
        let resource = resource(config);
        let mut otlp = Self::default();
        let (mut tracer, mut meters, mut logs) = (None, None, None);

        macro_rules! exporter {
            ($kind:ident, $path:literal) => {
                $kind::builder()
                    .with_http()
                    .with_http_client(client.clone())
                    .with_protocol(Protocol::HttpBinary)
                    .with_endpoint(format!(concat!("{}", $path), base))
                    .with_headers(config.headers.clone())
                    .with_timeout(config.timeout)
                    .build()?
            };
        }
        if config.traces {
            let batch = BatchConfigBuilder::default()
                .with_max_queue_size(config.queue)
                .with_max_export_batch_size(config.queue.min(512))
                .with_scheduled_delay(config.delay)
                .build();
            let mut processor =
                BatchSpanProcessor::builder(exporter!(SpanExporter, "/v1/traces")).with_batch_config(batch).build();
            processor.set_resource(&resource);
            let processor = Arc::new(processor);
            otlp.spans = Some(Arc::clone(&processor));
            tracer = Some(Tracer::new(processor, config.sampling, config.contents.clone(), &config.version));
        }
        if config.metrics {
            let reader = PeriodicReader::builder(exporter!(MetricExporter, "/v1/metrics"))
                .with_interval(config.interval)
                .build();
            let provider = SdkMeterProvider::builder().with_resource(resource.clone()).with_reader(reader).build();
            meters = Some(Meters::new(&provider, metrics));
            otlp.meters = Some(provider);
        }
        if config.logs {
            let (taker, sender) = Logs::start(config, format!("{base}/v1/logs"), client.clone(), &resource)?;
            logs = Some(taker);
            otlp.logs = Some(sender);
        }
        Ok(Started { otlp, tracer, meters, logs })
    }

    /// Sends what waits, and ends. Blocks for at most `within`.
    pub(crate) fn stop(&self, within: Duration) -> Result<(), OtlpError> {
        let end = Instant::now().checked_add(within);
        let left = || end.map_or(within, |end| end.saturating_duration_since(Instant::now()));
        let spans = self.spans.as_ref().is_none_or(|spans| spans.shutdown_with_timeout(left()).is_ok());
        let logs = self.logs.as_ref().is_none_or(|logs| logs.stop(left()));
        let meters = self.meters.as_ref().is_none_or(|meters| meters.shutdown_with_timeout(left()).is_ok());
        if spans && logs && meters { Ok(()) } else { Err(OtlpError::Unsent) }
    }
}

fn resource(config: &OtlpConfig) -> Resource {
    let own = [("service.version", config.version.clone()), ("service.instance.id", config.instance.clone())];
    // Not the detectors: they read the environment, and what is configured is in one file.
    Resource::builder_empty()
        .with_service_name("toolcell")
        .with_attributes(config.resource.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())))
        .with_attributes(
            own.into_iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| KeyValue::new(key, value)),
        )
        .build()
}
