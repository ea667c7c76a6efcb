//! What one call was and cost, as plain data.

#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

use crate::text::{Stamp, clip};

/// The longest name of a plugin, tool, principal or rule a receipt keeps, in bytes. Longer ones are cut.
pub const MAX_NAME: usize = 256;
/// The longest path, host or refusal text, in bytes.
pub const MAX_TEXT: usize = 512;
/// How many different paths a receipt names; the rest are counted.
pub const MAX_FILES: usize = 32;
/// How many different hosts a receipt names; the rest are counted.
pub const MAX_HOSTS: usize = 32;
/// How many refusals a receipt tells; the rest are counted.
pub const MAX_REFUSALS: usize = 16;
/// How many secrets a receipt names.
pub const MAX_SECRETS: usize = 32;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A tool's call.
    #[default]
    Tool,
    /// A resource's reading.
    Resource,
    /// A prompt's text.
    Prompt,
    /// A completion of an argument.
    Completion,
}

impl Kind {
    /// The word used in labels and lines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Resource => "resource",
            Self::Prompt => "prompt",
            Self::Completion => "completion",
        }
    }
}

/// How a call ended. In JSON `{"is":"refused","rule":"…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Outcome {
    /// With a result.
    #[default]
    Ok,
    /// The guest said no: a result with `isError`.
    ToolError,
    /// It was not let in.
    Refused {
        /// The rule that said so, in the operator's or the host's words.
        rule: String,
    },
    /// The host or the guest broke.
    Failed {
        /// A word from a short list, such as `trap`, `deadline` or `memory`.
        kind: String,
    },
    /// The caller went away or said so.
    Cancelled,
}

impl Outcome {
    /// The word used in labels and lines.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ToolError => "tool-error",
            Self::Refused { .. } => "refused",
            Self::Failed { .. } => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// `error.type` of the OpenTelemetry conventions, nothing for a call that went well.
    pub fn error_type(&self) -> Option<&str> {
        match self {
            Self::Ok => None,
            Self::ToolError => Some("tool_error"),
            Self::Refused { .. } => Some("refused"),
            Self::Failed { kind } => Some(kind),
            Self::Cancelled => Some("cancelled"),
        }
    }
}

/// One `host:port` a call spoke with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostUse {
    /// `name:port` as asked for.
    pub host: String,
    /// Requests.
    pub count: u64,
    /// Bytes of request bodies.
    pub sent: u64,
    /// Bytes of response bodies.
    pub received: u64,
    /// Requests that a rule did not let out, beside the others.
    #[serde(skip_serializing_if = "is_zero")]
    pub refused: u64,
}

/// Something the cell asked for and did not get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// A word from the policy's list.
    pub code: String,
    /// The sentence the guest was told.
    pub text: String,
}

/// What one call was and cost. Made by [`ReceiptBuilder`], which keeps every list and string within its bound; the
/// fields are public so that everything can be read.
///
/// As JSON it is one compact object; empty lists and zero overflow counts are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// The component's digest, `sha256:` and 64 digits.
    pub component: String,
    /// The plugin's name, the operator's.
    pub plugin: String,
    /// The tool's or prompt's name, or the resource's URI.
    pub name: String,
    /// What was asked for.
    pub kind: Kind,
    /// Which load of the plugin served it.
    pub generation: u64,
    /// Who called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it got what an earlier call had left, so that no guest ran.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
    /// When the call came in.
    #[serde(serialize_with = "time")]
    pub started: SystemTime,
    /// Processor time: epoch ticks × tick.
    pub cpu_ms: u64,
    /// From coming in to the answer.
    pub wall_us: u64,
    /// Of that, in calls of the guest to the host.
    pub host_us: u64,
    /// Waiting for a place.
    pub queue_us: u64,
    /// Making the instance.
    pub instantiate_us: u64,
    /// The largest the guest's memories were together, in bytes.
    pub peak_memory: u64,
    /// Arguments, in bytes.
    pub bytes_in: u64,
    /// Result, in bytes.
    pub bytes_out: u64,
    /// Files and directories opened, as the guest names them, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// How many touches of further paths there were.
    #[serde(skip_serializing_if = "is_zero")]
    pub files_more: u64,
    /// Hosts spoken with, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostUse>,
    /// How many requests to further hosts there were.
    #[serde(skip_serializing_if = "is_zero")]
    pub hosts_more: u64,
    /// What the cell asked for in vain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// How many further refusals there were.
    #[serde(skip_serializing_if = "is_zero")]
    pub refusals_more: u64,
    /// Names of the secrets used. Never values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// The trace's id, 32 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The call's span in it, 16 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
}

impl Receipt {
    /// Begins a receipt for a call that came in at `started`.
    pub fn builder(plugin: &str, name: &str, kind: Kind, started: SystemTime) -> ReceiptBuilder {
        ReceiptBuilder {
            receipt: Self {
                component: String::new(),
                plugin: clip(plugin, MAX_NAME),
                name: clip(name, MAX_NAME),
                kind,
                generation: 0,
                principal: None,
                outcome: Outcome::Ok,
                cached: false,
                started,
                cpu_ms: 0,
                wall_us: 0,
                host_us: 0,
                queue_us: 0,
                instantiate_us: 0,
                peak_memory: 0,
                bytes_in: 0,
                bytes_out: 0,
                files: Vec::new(),
                files_more: 0,
                hosts: Vec::new(),
                hosts_more: 0,
                refusals: Vec::new(),
                refusals_more: 0,
                secrets: Vec::new(),
                trace_id: None,
                span_id: None,
            },
        }
    }

    /// Compact JSON, one line.
    ///
    /// # Errors
    ///
    /// None that a receipt can cause; serialisation says so by its type.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// When the call ended.
    pub fn ended(&self) -> SystemTime {
        self.started.checked_add(Duration::from_micros(self.wall_us)).unwrap_or(self.started)
    }
}

/// Fills a [`Receipt`]. Every method may be called in any order and keeps the bounds; lists allocate only when used.
#[derive(Debug, Clone)]
#[must_use]
pub struct ReceiptBuilder {
    receipt: Receipt,
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $($(#[$doc])* pub fn $name(mut self, value: u64) -> Self {
            self.receipt.$name = value;
            self
        })*
    };
}

impl ReceiptBuilder {
    numbers! {
        /// Which load of the plugin served it.
        generation
        /// Processor time in milliseconds.
        cpu_ms
        /// The largest the guest's memories were together, in bytes.
        peak_memory
        /// Arguments, in bytes.
        bytes_in
        /// Result, in bytes.
        bytes_out
    }

    /// The component's digest.
    pub fn component(mut self, digest: &str) -> Self {
        self.receipt.component = clip(digest, MAX_NAME);
        self
    }

    /// Who called.
    pub fn principal(mut self, principal: Option<&str>) -> Self {
        self.receipt.principal = principal.map(|name| clip(name, MAX_NAME));
        self
    }

    /// The trace's id.
    pub fn trace_id(mut self, id: Option<&str>) -> Self {
        self.receipt.trace_id = id.map(|id| clip(id, MAX_NAME));
        self
    }

    /// How it ended.
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.receipt.outcome = match outcome {
            Outcome::Refused { rule } => Outcome::Refused { rule: clip(rule, MAX_NAME) },
            Outcome::Failed { kind } => Outcome::Failed { kind: clip(kind, MAX_NAME) },
            other => other,
        };
        self
    }

    /// It got what an earlier call had left.
    pub fn cached(mut self, cached: bool) -> Self {
        self.receipt.cached = cached;
        self
    }

    /// Times: in all, waiting for a place, making the instance, and in host calls.
    pub fn times(mut self, wall: Duration, queue: Duration, instantiate: Duration, host: Duration) -> Self {
        self.receipt.wall_us = micros(wall);
        self.receipt.queue_us = micros(queue);
        self.receipt.instantiate_us = micros(instantiate);
        self.receipt.host_us = micros(host);
        self
    }

    /// A path was touched.
    pub fn file(mut self, path: &str) -> Self {
        let receipt = &mut self.receipt;
        let path = clip(path, MAX_TEXT);
        if receipt.files.contains(&path) {
            return self;
        }
        if receipt.files.len() < MAX_FILES {
            receipt.files.push(path);
        } else {
            receipt.files_more = receipt.files_more.saturating_add(1);
        }
        self
    }

    /// Paths that were touched and not given, because the caller has a bound of its own.
    pub fn files_more(mut self, count: u64) -> Self {
        self.receipt.files_more = self.receipt.files_more.saturating_add(count);
        self
    }

    /// Requests went to a host, or were not let out.
    pub fn host(mut self, used: HostUse) -> Self {
        let receipt = &mut self.receipt;
        let used = HostUse { host: clip(used.host, MAX_TEXT), ..used };
        if let Some(known) = receipt.hosts.iter_mut().find(|known| known.host == used.host) {
            known.count = known.count.saturating_add(used.count);
            known.sent = known.sent.saturating_add(used.sent);
            known.received = known.received.saturating_add(used.received);
            known.refused = known.refused.saturating_add(used.refused);
        } else if receipt.hosts.len() < MAX_HOSTS {
            receipt.hosts.push(used);
        } else {
            receipt.hosts_more = receipt.hosts_more.saturating_add(used.count);
        }
        self
    }

    /// Requests to hosts that were not given, because the caller has a bound of its own.
    pub fn hosts_more(mut self, count: u64) -> Self {
        self.receipt.hosts_more = self.receipt.hosts_more.saturating_add(count);
        self
    }

    /// Refusals that were not given, likewise.
    pub fn refusals_more(mut self, count: u64) -> Self {
        self.receipt.refusals_more = self.receipt.refusals_more.saturating_add(count);
        self
    }

    /// Something was refused to the cell.
    pub fn refusal(mut self, code: &str, text: &str) -> Self {
        let receipt = &mut self.receipt;
        if receipt.refusals.len() < MAX_REFUSALS {
            receipt.refusals.push(Refusal { code: clip(code, MAX_NAME), text: clip(text, MAX_TEXT) });
        } else {
            receipt.refusals_more = receipt.refusals_more.saturating_add(1);
        }
        self
    }

    /// A secret was used, by its name.
    pub fn secret(mut self, name: &str) -> Self {
        let name = clip(name, MAX_NAME);
        if self.receipt.secrets.len() < MAX_SECRETS && !self.receipt.secrets.contains(&name) {
            self.receipt.secrets.push(name);
        }
        self
    }

    /// The receipt.
    pub fn build(self) -> Receipt {
        self.receipt
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

fn time<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Stamp(*time))
}
