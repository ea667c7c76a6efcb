//! All of it together, as the host holds it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::audit::{Audit, AuditConfig, AuditError, Event, EventKind};
use crate::metrics::Metrics;
use crate::otlp::{
    CallSpan, Logs, Meters, Operation, Otlp, OtlpConfig, OtlpError, SpanFacts, Started, Tracer, Transport,
};
use crate::receipt::Receipt;
use crate::text::hex;
use crate::trace::TraceContext;
use crate::usage::{Usage, UsageError};

/// What is kept and sent. Nothing, by default.
#[derive(Debug, Default)]
pub struct Config {
    /// Whether metrics are counted for [`Telemetry::render`].
    pub metrics: bool,
    /// The audit log.
    pub audit: Option<AuditConfig>,
    /// What calls cost.
    pub usage: Option<UsageConfig>,
    /// A collector.
    pub otlp: Option<OtlpConfig>,
}

/// Where usage is kept.
#[derive(Debug, Clone)]
pub struct UsageConfig {
    /// The folder.
    pub dir: PathBuf,
    /// How often it is written.
    pub save_every: Duration,
    /// How many days are kept; 0 keeps all.
    pub keep_days: usize,
}

/// Why telemetry cannot begin, or did not end in time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// Usage.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The collector.
    #[error(transparent)]
    Otlp(#[from] OtlpError),
    /// A thread could not be started.
    #[error("telemetry: no thread: {0}; raise the limit on threads")]
    Thread(std::io::Error),
    /// Not everything was written and sent in time.
    #[error("telemetry: not everything was written before the deadline; give the shutdown more time")]
    Late,
}

/// The one door. A clone is the same.
#[derive(Debug, Clone, Default)]
pub struct Telemetry {
    inner: Option<Arc<Inner>>,
}

#[derive(Debug)]
struct Inner {
    metrics: Option<Arc<Metrics>>,
    audit: Option<Audit>,
    usage: Option<Arc<Usage>>,
    saver: Mutex<Option<Saver>>,
    tracer: Option<Tracer>,
    meters: Option<Meters>,
    otlp: Arc<Otlp>,
}

/// A call that has not ended. Dropping it counts it as no longer in flight, and nothing else.
#[derive(Debug, Default)]
#[must_use]
pub struct Call {
    span: CallSpan,
    facts: Facts,
    error: Option<(i64, String)>,
    in_flight: Option<Arc<Metrics>>,
}

#[derive(Debug, Default)]
struct Facts {
    method: &'static str,
    protocol: Option<&'static str>,
    transport: Option<Transport>,
}

impl Call {
    /// Its place in a trace; clones go to whoever makes requests for the guest.
    pub fn span(&self) -> &CallSpan {
        &self.span
    }

    /// It will be answered with a JSON-RPC error.
    pub fn answered_with_error(&mut self, code: i64, message: &str) {
        self.error = Some((code, message.to_owned()));
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(metrics) = &self.in_flight {
            metrics.call_over();
        }
    }
}

impl Telemetry {
    /// Keeps and sends nothing, and costs nothing. Trace contexts pass through.
    pub fn off() -> Self {
        Self::default()
    }

    /// Opens and starts what is configured, and records a `start`. Blocks on the disk for a moment.
    ///
    /// # Errors
    ///
    /// If any part cannot begin: a host that is to be audited does not start without.
    pub fn new(config: Config) -> Result<Self, TelemetryError> {
        let Config { metrics, audit, usage, otlp } = config;
        if !metrics && audit.is_none() && usage.is_none() && otlp.is_none() {
            return Ok(Self::off());
        }
        // A collector's gauges are read from these too.
        let metrics = (metrics || otlp.is_some()).then(|| Arc::new(Metrics::new()));
        let Started { otlp, tracer, meters, logs } = match (&otlp, &metrics) {
            (Some(config), Some(metrics)) => Otlp::start(config, metrics)?,
            _ => Started::default(),
        };
        let audit = audit.map(|config| Audit::open(with_logs(config, logs))).transpose()?;
        let usage = usage.map(Saver::start).transpose()?;
        let (usage, saver) = usage.map_or((None, None), |(usage, saver)| (Some(usage), Some(saver)));
        if let Some(audit) = &audit {
            let data = json!({ "version": env!("CARGO_PKG_VERSION"), "pid": std::process::id() });
            audit.record_now(Event::new(EventKind::Start, SystemTime::now(), data));
        }
        let saver = Mutex::new(saver);
        let inner = Inner { metrics, audit, usage, saver, tracer, meters, otlp: Arc::new(otlp) };
        Ok(Self { inner: Some(Arc::new(inner)) })
    }

    /// A call came in.
    pub fn call_started(&self, facts: &SpanFacts<'_>) -> Call {
        let Some(inner) = &self.inner else {
            let mut call = Call::default();
            call.span = CallSpan::passing(facts.parent);
            return call;
        };
        let span = match &inner.tracer {
            Some(tracer) => tracer.start(facts),
            None => CallSpan::passing(facts.parent),
        };
        let in_flight = inner.metrics.clone();
        if let Some(metrics) = &in_flight {
            metrics.call_began();
        }
        let facts = match inner.meters {
            Some(_) => Facts { method: facts.method, protocol: facts.protocol, transport: facts.transport },
            None => Facts::default(),
        };
        Call { span, facts, error: None, in_flight }
    }

    /// A call ended. The receipt gets the trace's ids, is counted, added up, traced and recorded, and comes back.
    ///
    /// Waits only for the audit log, and only if its queue is full and it is to wait. Not cancel safe: a call whose ending
    /// is dropped while it waits is counted as lost in the log.
    pub async fn call_ended(&self, call: Call, mut receipt: Receipt) -> Arc<Receipt> {
        if let Some(context) = call.span.context() {
            receipt.trace_id = Some(hex(&context.trace_id().to_bytes()));
            receipt.span_id = Some(hex(&context.span_id().to_bytes()));
        }
        let receipt = Arc::new(receipt);
        let Some(inner) = &self.inner else { return receipt };
        if let Some(metrics) = &inner.metrics {
            metrics.call(&receipt);
        }
        if let Some(usage) = &inner.usage {
            usage.add(&receipt);
        }
        let code = call.error.as_ref().map(|(code, _)| code.to_string());
        let error = code.as_deref().or_else(|| receipt.outcome.error_type());
        let rpc_code = call.error.as_ref().map(|(code, _)| *code);
        if let Some(meters) = &inner.meters {
            let Facts { method, protocol, transport } = call.facts;
            let operation = Operation { method, protocol, transport, error, rpc_code };
            meters.call(&receipt, operation);
        }
        if let Some(tracer) = &inner.tracer {
            let message = call.error.as_ref().map_or("", |(_, message)| message.as_str());
            tracer.end(&call.span, &receipt, error.map(|error| (error, message)), rpc_code);
        }
        if let Some(audit) = &inner.audit {
            // Closed: the host is ending, and `shutdown` came before this call's end.
            let _ = audit.record(Event::invocation(Arc::clone(&receipt))).await;
        }
        receipt
    }

    /// Something that is no call ended: `initialize`, `tools/list`. `error` is `error.type`.
    pub fn operation(&self, facts: &SpanFacts<'_>, took: Duration, error: Option<&str>) {
        if let Some(meters) = self.inner.as_ref().and_then(|inner| inner.meters.as_ref()) {
            let operation = Operation {
                method: facts.method,
                protocol: facts.protocol,
                transport: facts.transport,
                error,
                rpc_code: None,
            };
            meters.operation(operation, took);
        }
    }

    /// Records what is no call. With no audit log it is nothing.
    ///
    /// # Errors
    ///
    /// [`AuditError::Closed`] after [`Telemetry::shutdown`].
    pub async fn record(&self, event: Event) -> Result<(), AuditError> {
        match self.audit() {
            Some(audit) => audit.record(event).await,
            None => Ok(()),
        }
    }

    /// The audit log.
    pub fn audit(&self) -> Option<&Audit> {
        self.inner.as_ref()?.audit.as_ref()
    }

    /// The metrics, to count what is no call.
    pub fn metrics(&self) -> Option<&Metrics> {
        self.inner.as_ref()?.metrics.as_deref()
    }

    /// What calls cost.
    pub fn usage(&self) -> Option<&Usage> {
        self.inner.as_ref()?.usage.as_deref()
    }

    /// The metrics' text, to be sent as [`CONTENT_TYPE`](crate::metrics::CONTENT_TYPE).
    pub fn render(&self) -> Option<String> {
        let metrics = self.metrics()?;
        if let Some(audit) = self.audit() {
            metrics.set_audit(audit.counts(), audit.head().seq);
        }
        metrics.render().ok()
    }

    /// Reads a trace context from a request's fields; `_meta` and HTTP headers have the same names.
    pub fn parse_context(
        traceparent: Option<&str>,
        tracestate: Option<&str>,
        baggage: Option<&str>,
    ) -> Option<TraceContext> {
        TraceContext::parse(traceparent?, tracestate, baggage)
    }

    /// Records a `stop`, and writes and sends everything. Calls should have ended; one that ends later is still audited,
    /// and is saved and sent no more. The audit log's thread ends with the last clone.
    ///
    /// # Errors
    ///
    /// The first thing that could not be written or sent within the time; the others were tried all the same.
    pub async fn shutdown(&self, within: Duration) -> Result<(), TelemetryError> {
        let Some(inner) = &self.inner else { return Ok(()) };
        let end = tokio::time::Instant::now().checked_add(within);
        let left = || end.map_or(within, |end| end.saturating_duration_since(tokio::time::Instant::now()));

        let saver = inner.saver.lock().unwrap_or_else(PoisonError::into_inner).take();
        let saved = match saver {
            Some(saver) => blocking(left(), move || saver.stop().map_err(TelemetryError::from)).await,
            None => Ok(()),
        };
        let audited = match &inner.audit {
            Some(audit) => {
                let stop = Event::new(EventKind::Stop, SystemTime::now(), json!({ "pid": std::process::id() }));
                let finish = async {
                    audit.record(stop).await?;
                    audit.flush().await.map_err(TelemetryError::from)
                };
                match tokio::time::timeout(left(), finish).await {
                    Ok(result) => result.map(|_| ()),
                    Err(_) => Err(TelemetryError::Late),
                }
            }
            None => Ok(()),
        };
        // Last, because the audit log's lines are among what is sent.
        let otlp = Arc::clone(&inner.otlp);
        let time = left();
        let sent = blocking(time.saturating_add(Duration::from_secs(1)), move || Ok(otlp.stop(time)?)).await;
        saved.and(audited).and(sent)
    }
}

async fn blocking(
    within: Duration,
    work: impl FnOnce() -> Result<(), TelemetryError> + Send + 'static,
) -> Result<(), TelemetryError> {
    match tokio::time::timeout(within, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) | Err(_) => Err(TelemetryError::Late),
    }
}

/// Lines go to whoever the embedder named, and to the collector.
fn with_logs(mut config: AuditConfig, logs: Option<Logs>) -> AuditConfig {
    if let Some(logs) = logs {
        let before = config.on_line.take();
        config.on_line = Some(Arc::new(move |written| {
            if let Some(before) = &before {
                before(written);
            }
            logs.line(written);
        }));
    }
    config
}

/// The thread that saves usage now and then.
#[derive(Debug)]
struct Saver {
    usage: Arc<Usage>,
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl Saver {
    fn start(config: UsageConfig) -> Result<(Arc<Usage>, Self), TelemetryError> {
        let UsageConfig { dir, save_every, keep_days } = config;
        let usage = Arc::new(Usage::new(dir, keep_days));
        // What cannot be written shall show now and not in a minute.
        usage.save()?;
        let (stop, stopped) = mpsc::channel::<()>();
        let saved = Arc::clone(&usage);
        let thread = std::thread::Builder::new()
            .name("toolcell-usage".into())
            .spawn(move || {
                while let Err(mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(save_every) {
                    // What could not be saved stays in memory for the next time; the last attempt reports it.
                    let _ = saved.save();
                }
            })
            .map_err(TelemetryError::Thread)?;
        Ok((Arc::clone(&usage), Self { usage, stop, thread }))
    }

    fn stop(self) -> Result<(), UsageError> {
        drop(self.stop);
        let _ = self.thread.join();
        self.usage.save()
    }
}
