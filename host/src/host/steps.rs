//! What a guest had the host do: as spans of its call, where somebody records it, and as numbers.

use crate::registry::oversight::{CallRecord, Ended};
use crate::sandbox::Spent;
use crate::sandbox::ledger::{Did, Exchange, ExchangeEnd, Step};
use std::time::{Duration, SystemTime};
use toolcell_telemetry::Telemetry;
use toolcell_telemetry::otlp::{CallSpan, OutgoingEnd, OutgoingFacts};

/// Gives a call's span what happened below it, and what came of it as far as contents are recorded.
pub(super) fn tell(span: &CallSpan, call: &CallRecord, end: &Ended<'_>, spent: &mut Spent) {
    if !span.sampled() {
        return;
    }
    for Step { began, took, what } in spent.steps.drain(..) {
        let start = call.time.checked_add(began.saturating_duration_since(call.started)).unwrap_or(call.time);
        match what {
            Did::Called(name) => span.host_call(name, start, took),
            Did::Requested(exchange) => request(span, &exchange, start, took),
        }
    }
    span.untold(spent.other_steps);
    if span.records_contents()
        && let Ended::Done(Some(result)) | Ended::ToolError(result) = end
        && let Ok(json) = crate::protocol::result_as_json(result)
    {
        span.output(&json);
    }
}

fn request(span: &CallSpan, exchange: &Exchange, start: SystemTime, took: Duration) {
    let Exchange { method, url, end, sent, received } = exchange;
    // One that cannot be read is none that was sent; it is told by what it asked for all the same.
    let uri: http::Uri = url.parse().unwrap_or_default();
    let scheme = uri.scheme_str().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(if scheme == "http" { 80 } else { 443 });
    let facts = OutgoingFacts { method, scheme, host: uri.host().unwrap_or_default(), port, url };
    let status = match *end {
        ExchangeEnd::Open => None,
        ExchangeEnd::Status(status) => Some(Ok(status)),
        ExchangeEnd::Failed(word) | ExchangeEnd::Refused(word) => Some(Err(word)),
    };
    span.outgoing(facts, start).end(OutgoingEnd { took, status, sent: *sent, received: *received });
}

/// Counts the requests of a call that has ended.
pub(super) fn count(telemetry: &Telemetry, plugin: &str, spent: &Spent) {
    let Some(metrics) = telemetry.metrics().filter(|_| !spent.hosts.is_empty()) else { return };
    for (outcome, count) in outcomes(spent) {
        metrics.outgoing_requests(plugin, outcome, count);
    }
}

/// What became of the requests, those to hosts without a row included.
fn outcomes(spent: &Spent) -> [(&'static str, u64); 3] {
    let mut answered = spent.other_requests.saturating_sub(spent.other_failed);
    let (mut failed, mut refused) = (spent.other_failed, spent.other_refused);
    for used in spent.hosts.values() {
        answered += used.requests.saturating_sub(used.failed);
        failed += used.failed;
        refused += used.refused;
    }
    [("ok", answered), ("error", failed), ("refused", refused)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::ledger::HostUse;

    #[test]
    fn what_has_no_row_is_counted_by_its_outcome() {
        let used = HostUse { requests: 3, failed: 1, refused: 2, ..HostUse::default() };
        let spent = Spent {
            hosts: [("h:443".to_owned(), used)].into(),
            other_requests: 10,
            other_failed: 4,
            other_refused: 5,
            ..Spent::default()
        };
        assert_eq!(outcomes(&spent), [("ok", 8), ("error", 5), ("refused", 7)]);
    }
}
