//! Metrics by the conventions' names.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, MeterProvider};
use opentelemetry_sdk::metrics::SdkMeterProvider;

use super::{SCOPE, Transport};
use crate::metrics::Metrics;
use crate::receipt::{Kind, Receipt};

/// The buckets the conventions give for `mcp.server.operation.duration`, in seconds.
const BUCKETS: [f64; 14] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];

/// The instruments. Principals, sessions and resources are no attributes; the SDK bounds the number of attribute sets.
#[derive(Debug)]
pub(crate) struct Meters {
    duration: Histogram<f64>,
}

/// What an operation was, for its attributes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation<'a> {
    pub method: &'static str,
    pub protocol: Option<&'static str>,
    pub transport: Option<Transport>,
    pub error: Option<&'a str>,
    pub rpc_code: Option<i64>,
}

impl Meters {
    pub(crate) fn new(provider: &SdkMeterProvider, metrics: &Arc<Metrics>) -> Self {
        let meter = provider.meter(SCOPE);
        let active = Arc::clone(metrics);
        // The provider keeps the instrument and its callback.
        let _ = meter
            .i64_observable_up_down_counter("toolcell.calls.active")
            .with_unit("{call}")
            .with_description("Calls that have not ended")
            .with_callback(move |observer| observer.observe(active.in_flight(), &[]))
            .build();
        // What calls cost is counted already, and read when it is sent: no call pays for it twice.
        let spent = Arc::clone(metrics);
        let _ = meter
            .f64_observable_counter("toolcell.call.cpu.time")
            .with_unit("s")
            .with_description("Processor time of guests")
            .with_callback(move |observer| {
                for (plugin, total) in spent.totals() {
                    observer.observe(total.cpu, &[KeyValue::new("toolcell.plugin", plugin)]);
                }
            })
            .build();
        let moved = Arc::clone(metrics);
        let _ = meter
            .u64_observable_counter("toolcell.call.io")
            .with_unit("By")
            .with_description("Arguments and results")
            .with_callback(move |observer| {
                for (plugin, total) in moved.totals() {
                    for (way, bytes) in [("receive", total.bytes_in), ("transmit", total.bytes_out)] {
                        let way = KeyValue::new("network.io.direction", way);
                        observer.observe(bytes, &[KeyValue::new("toolcell.plugin", plugin.clone()), way]);
                    }
                }
            })
            .build();
        Self {
            duration: meter
                .f64_histogram("mcp.server.operation.duration")
                .with_unit("s")
                .with_description(
                    "MCP request or notification duration as observed on the receiver from the time it was received until the result or ack is sent.",
                )
                .with_boundaries(BUCKETS.to_vec())
                .build(),
        }
    }

    pub(crate) fn call(&self, receipt: &Receipt, operation: Operation<'_>) {
        let mut set = attributes(operation);
        set.push(KeyValue::new("toolcell.plugin", receipt.plugin.clone()));
        match receipt.kind {
            Kind::Tool => {
                set.push(KeyValue::new("gen_ai.operation.name", "execute_tool"));
                set.push(KeyValue::new("gen_ai.tool.name", receipt.name.clone()));
            }
            Kind::Prompt => set.push(KeyValue::new("gen_ai.prompt.name", receipt.name.clone())),
            Kind::Resource | Kind::Completion => {}
        }
        self.duration.record(Duration::from_micros(receipt.wall_us).as_secs_f64(), &set);
    }

    /// What is no call: `initialize`, `tools/list`.
    pub(crate) fn operation(&self, operation: Operation<'_>, took: Duration) {
        self.duration.record(took.as_secs_f64(), &attributes(operation));
    }
}

/// The most a measurement has.
const ATTRIBUTES: usize = 8;

fn attributes(operation: Operation<'_>) -> Vec<KeyValue> {
    let mut set = Vec::with_capacity(ATTRIBUTES);
    set.push(KeyValue::new("mcp.method.name", operation.method));
    set.extend(operation.protocol.map(|version| KeyValue::new("mcp.protocol.version", version)));
    set.extend(operation.transport.map(|transport| KeyValue::new("network.transport", transport.as_str())));
    set.extend(operation.error.map(|error| KeyValue::new("error.type", error.to_owned())));
    set.extend(operation.rpc_code.map(|code| KeyValue::new("rpc.response.status_code", code.to_string())));
    set
}
