//! What the layers above lend to cells. The sandbox asks `policy` whether a plugin may use it, and enforces how much; what is
//! behind a door it does not know.

use super::ctx::CallCtx;
use super::error::CallFailure;
use super::secrets::SecretText;
use super::types::ToolOutcome;
use std::pin::Pin;
use std::sync::Arc;
use toolcell_policy::Principal;

/// An answer that is waited for.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// All doors. The default has none open.
#[derive(Clone, Default)]
pub struct Doors {
    /// Where plugins keep values.
    pub values: Option<Arc<dyn Values>>,
    /// The tools of the host.
    pub peers: Option<Arc<dyn Peers>>,
    /// The operator's secrets.
    pub secrets: Option<Arc<dyn Secrets>>,
}

/// Knows the values of secrets. It is asked in each call that may use one, so it answers from memory.
pub trait Secrets: Send + Sync {
    /// The value that holds for a caller; none if there is none.
    fn value(&self, name: &str, principal: Option<&str>) -> Option<Arc<SecretText>>;

    /// Whether a value of it is made for each caller, when a request needs one. Default is that none is.
    fn makes(&self, name: &str) -> bool {
        let _ = name;
        false
    }

    /// Makes a value for this caller, or finds one that was made before. It must come to an end by itself.
    ///
    /// # Errors
    /// Why this caller can have none now; the text is for the model and the operator.
    fn make<'a>(&'a self, name: &'a str, caller: Option<&'a Principal>) -> Answer<'a, Result<Arc<SecretText>, String>> {
        let _ = caller;
        Box::pin(async move { Err(format!("the secret `{name}` is not made for callers, give it a value")) })
    }
}

/// Keeps plugins' values, each plugin's apart from all others'.
///
/// Dropping a future of [`put`](Self::put) leaves open whether it happens.
pub trait Values: Send + Sync {
    /// The value of a plugin's key.
    fn get<'a>(&'a self, plugin: &'a str, key: &'a str) -> Answer<'a, Result<Option<Vec<u8>>, ValuesError>>;

    /// Changes one key, in one step with looking at what it must have. It is durable when this returns.
    fn put<'a>(&'a self, plugin: &'a str, change: ValueChange) -> Answer<'a, Result<(), ValuesError>>;

    /// Some of the plugin's keys that begin with `prefix` and come after `after`, in byte order, and whether there are more.
    fn keys<'a>(
        &'a self,
        plugin: &'a str,
        prefix: &'a str,
        after: Option<&'a str>,
    ) -> Answer<'a, Result<(Vec<String>, bool), ValuesError>>;
}

/// A change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueChange {
    /// The key.
    pub key: String,
    /// What it is to have; none removes it.
    pub value: Option<Vec<u8>>,
    /// What it must have now, a value or none; where this itself is none, whatever it has.
    pub expected: Option<Option<Vec<u8>>>,
    /// Keys the plugin may have in all.
    pub max_keys: u64,
    /// Bytes of all its keys and values.
    pub max_bytes: u64,
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValuesError {
    /// The key has something else than expected: this.
    Conflict(Option<Vec<u8>>),
    /// The plugin would have more keys than it may.
    TooManyKeys,
    /// The plugin would keep more bytes than it may.
    TooManyBytes,
    /// The place itself failed; what is wrong is in the operator's log.
    Failed,
}

/// Runs tools for other tools.
pub trait Peers: Send + Sync {
    /// Runs a tool as a client's call would run it. Dropping the future ends it.
    fn call(&self, call: PeerCall) -> Answer<'_, Result<ToolOutcome, CallFailure>>;
}

/// A call of another tool.
#[derive(Clone, Debug)]
pub struct PeerCall {
    /// Its name, as clients see it.
    pub tool: String,
    /// The text of a JSON object; not checked.
    pub arguments: String,
    /// Its circumstances: those of the call that makes it.
    pub ctx: CallCtx,
}
