//! Says where operators look that the audit log cannot be written: in the server's own log and in its readiness.

use crate::transport::http::admin::Health;
use std::time::Duration;
use toolcell_telemetry::Telemetry;

/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(500);

/// Looks at the audit log until it is dropped. A server whose log fails is not ready: calls that find the queue full wait, or
/// are not written down, as the operator chose.
pub(super) async fn watch(telemetry: Telemetry, health: Health) {
    let Some(audit) = telemetry.audit() else { return };
    let mut held = None;
    let mut now = tokio::time::interval(EVERY);
    loop {
        now.tick().await;
        match (audit.trouble(), &held) {
            (Some(why), None) => {
                tracing::error!("calls are not written down now: {why}");
                held = Some(health.hold(why));
            }
            (None, Some(_)) => {
                tracing::info!("calls are written down again");
                held = None;
            }
            _ => {}
        }
    }
}
