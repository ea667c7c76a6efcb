//! Every message the host sends is judged by the published schema of its revision. The raw clients keep a [`Ledger`]
//! of what they sent, so that a response is held to the result of the method it answers, and a message that breaks
//! the schema fails the test that received it.

mod schema;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use schema::{REVISIONS, Revision, revision};

/// The revisions that know batches.
const BATCHES: [&str; 2] = ["2024-11-05", "2025-03-26"];
/// What a server takes a request for whose revision nobody said.
const UNSAID: &str = "2025-03-26";
/// The oldest revision in which an error may come without an id, as where none could be read.
const NO_ID: &str = "2025-11-25";

/// What one client has said so far, as far as it decides what the host may answer.
#[derive(Default)]
pub struct Ledger {
    /// By id as JSON text.
    asked: BTreeMap<String, Asked>,
    /// Revisions spoken here.
    spoken: BTreeSet<&'static str>,
    /// What the last handshake agreed on.
    agreed: Option<&'static str>,
}

#[derive(Clone)]
struct Asked {
    method: String,
    version: &'static str,
}

fn known(version: &str) -> Option<&'static str> {
    revision(version).map(|revision| revision.version)
}

impl Ledger {
    /// Says which revision is spoken here, where the messages do not say it.
    pub fn speaks(&mut self, version: &str) {
        if let Some(version) = known(version) {
            self.spoken.insert(version);
            self.agreed = Some(version);
        }
    }

    /// Remembers what was sent; `header` is the revision that the transport named beside it.
    pub fn sent(&mut self, message: &Value, header: Option<&str>) {
        if let Some(batch) = message.as_array() {
            batch.iter().for_each(|message| self.sent(message, header));
            return;
        }
        let Some(method) = message["method"].as_str() else { return };
        let params = &message["params"];
        let version = match params["_meta"]["io.modelcontextprotocol/protocolVersion"].as_str() {
            Some(claimed) => known(claimed).unwrap_or(crate::mcp::MODERN),
            None if method == "initialize" => {
                params["protocolVersion"].as_str().and_then(known).unwrap_or(crate::mcp::HANDSHAKE)
            }
            None => header.and_then(known).or(self.agreed).unwrap_or(UNSAID),
        };
        self.spoken.insert(version);
        if let Some(id) = message.get("id") {
            self.asked.insert(id.to_string(), Asked { method: method.to_owned(), version });
        }
    }

    /// Judges what was received.
    ///
    /// # Panics
    ///
    /// If it breaks the schema; the text says how.
    pub fn received(&mut self, message: &Value) {
        if let Err(why) = self.judge(message) {
            panic!("the host sent a message that its revision does not allow: {why}\n{message}");
        }
    }

    /// Judges what was received.
    ///
    /// # Errors
    ///
    /// A text that names the definition and what of the message breaks it.
    pub fn judge(&mut self, message: &Value) -> Result<(), String> {
        if let Some(batch) = message.as_array() {
            if batch.is_empty() || !BATCHES.iter().any(|version| self.spoken.contains(version)) {
                return Err("a batch, or an empty one".to_owned());
            }
            return batch.iter().try_for_each(|message| self.judge(message));
        }
        if !message["method"].is_null() {
            return self.judge_call(message);
        }
        let asked = message.get("id").and_then(|id| self.asked.get(&id.to_string())).cloned();
        let Some(Asked { method, version }) = asked else {
            // The only answer to what has no id, or one that cannot be read, is an error.
            let version = if message.get("id").is_some() { self.fallback() } else { NO_ID.max(self.fallback()) };
            return rules(version).check(message, None);
        };
        if method != "initialize" {
            return rules(version).check(message, Some(&method));
        }
        // A handshake ends in the revision that the server answers with.
        let agreed = message["result"]["protocolVersion"].as_str().and_then(known);
        if let Some(agreed) = agreed {
            self.agreed = Some(agreed);
            self.spoken.insert(agreed);
        }
        rules(agreed.unwrap_or(version)).check(message, Some(&method))
    }

    /// A request or notification names no revision, so it has to be right in one of those spoken here.
    fn judge_call(&self, message: &Value) -> Result<(), String> {
        let mut why = Vec::new();
        for version in self.spoken.iter().copied().chain(self.spoken.is_empty().then(|| self.fallback())) {
            match rules(version).check(message, None) {
                Ok(()) => return Ok(()),
                Err(reason) => why.push(format!("{version}: {reason}")),
            }
        }
        Err(why.join("\n"))
    }

    fn fallback(&self) -> &'static str {
        self.agreed.or(self.spoken.last().copied()).unwrap_or(UNSAID)
    }
}

fn rules(version: &str) -> &'static Revision {
    revision(version).unwrap_or_else(|| panic!("{version} has a schema"))
}
