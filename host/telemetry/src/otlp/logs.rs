//! Audit lines as OTLP logs.

use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::TraceFlags;
use opentelemetry::{SpanId, TraceId};
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};

use super::SCOPE;
use crate::audit::{EventKind, Written};
use crate::receipt::Outcome;
use crate::text::clip;

/// The most of a line that a log's body has, in bytes. The hash is that of the whole line.
const MAX_BODY: usize = 64 * 1024;

/// Sends each line it is given.
#[derive(Debug)]
pub(crate) struct Logs(SdkLogger);

impl Logs {
    pub(crate) fn new(provider: &SdkLoggerProvider) -> Self {
        Self(provider.logger(SCOPE))
    }

    pub(crate) fn line(&self, written: Written<'_>) {
        let event = written.event;
        let mut record = self.0.create_log_record();
        let (name, severity, text) = describe(event.kind());
        let bad = event.receipt().is_some_and(|receipt| !matches!(receipt.outcome, Outcome::Ok));
        let (severity, text) = if bad { (Severity::Warn, "WARN") } else { (severity, text) };
        record.set_event_name(name);
        record.set_timestamp(event.time());
        record.set_severity_number(severity);
        record.set_severity_text(text);
        record.set_body(AnyValue::from(clip(written.line, MAX_BODY)));
        record.add_attribute("toolcell.audit.seq", i64::try_from(written.head.seq).unwrap_or(i64::MAX));
        record.add_attribute("toolcell.audit.hash", written.head.hash.clone());
        if let Some(principal) = event.principal_name() {
            record.add_attribute("enduser.id", principal.to_owned());
        }
        if let Some(receipt) = event.receipt() {
            record.add_attribute("toolcell.plugin", receipt.plugin.clone());
            record.add_attribute("toolcell.outcome", receipt.outcome.as_str());
            let span = receipt.span_id.as_deref().and_then(|id| SpanId::from_hex(id).ok());
            let trace = receipt.trace_id.as_deref().and_then(|id| TraceId::from_hex(id).ok());
            if let (Some(trace), Some(span)) = (trace, span) {
                record.set_trace_context(trace, span, None::<TraceFlags>);
            }
        }
        self.0.emit(record);
    }
}

fn describe(kind: EventKind) -> (&'static str, Severity, &'static str) {
    const INFO: (Severity, &str) = (Severity::Info, "INFO");
    const WARN: (Severity, &str) = (Severity::Warn, "WARN");
    let (name, (severity, text)) = match kind {
        EventKind::Invocation => ("toolcell.audit.invocation", INFO),
        EventKind::Refusal => ("toolcell.audit.refusal", WARN),
        EventKind::Approval => ("toolcell.audit.approval", INFO),
        EventKind::GrantChange => ("toolcell.audit.grant-change", INFO),
        EventKind::Reload => ("toolcell.audit.reload", INFO),
        EventKind::Admin => ("toolcell.audit.admin", INFO),
        EventKind::Start => ("toolcell.audit.start", INFO),
        EventKind::Stop => ("toolcell.audit.stop", INFO),
        EventKind::Rotate => ("toolcell.audit.rotate", INFO),
        EventKind::Lost => ("toolcell.audit.lost", WARN),
        EventKind::Torn => ("toolcell.audit.torn", WARN),
    };
    (name, severity, text)
}
