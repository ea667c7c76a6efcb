//! Results the host may give again without asking the guest, where the operator says so: of tools that are marked
//! read-only and idempotent, never of a failed call, and never of one that asked its client for something.

use super::resource::CacheRules;
use crate::policy::Principal;
use crate::sandbox::types::{ToolOutcome, ToolResult};
use crate::sandbox::{CallCtx, CallFailure};
use moka::future::Cache;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// What the results of one plugin may take, in bytes, give or take what they are wrapped in.
const CAPACITY: u64 = 32 << 20;
/// What one result costs beside its text, in bytes.
const OVERHEAD: usize = 512;

/// The results of one plugin. They leave with it: another build has its own.
pub(super) struct Results {
    cache: Cache<Key, Arc<ToolResult>>,
    /// Whether one caller may be given what another one asked for.
    shared: bool,
}

type Key = [u8; 32];

impl Results {
    /// None unless the operator wants results kept.
    pub(super) fn new(rules: &CacheRules) -> Option<Self> {
        let time = Duration::from_millis(rules.results_ms?);
        let weigh = |_: &Key, result: &Arc<ToolResult>| u32::try_from(size(result)).unwrap_or(u32::MAX);
        let cache = Cache::builder().max_capacity(CAPACITY).weigher(weigh).time_to_live(time).build();
        Some(Self { cache, shared: rules.private == Some(false) })
    }

    /// The kept result of such a call, or what `call` makes of it. Calls that are the same and come while it runs wait for
    /// its result instead of running too; if it leaves none, each runs for itself.
    pub(super) async fn get_or_call<F>(
        &self,
        tool: &str,
        arguments: &str,
        ctx: CallCtx,
        call: impl Fn(CallCtx) -> F,
    ) -> Result<ToolOutcome, CallFailure>
    where
        F: Future<Output = Result<ToolOutcome, CallFailure>>,
    {
        // A tool that calls itself must not wait for its own result.
        if ctx.continuation.is_some() || ctx.via.is_some() {
            return call(ctx).await;
        }
        let key = key(tool, ctx.caller.as_deref().filter(|_| !self.shared), arguments);
        let (mut unkept, mut ran) = (None, false);
        let run = async {
            ran = true;
            match call(ctx.clone()).await {
                Ok(ToolOutcome::Complete(result)) if !result.is_error => Ok(Arc::new(result)),
                other => {
                    unkept = Some(other);
                    Err(())
                }
            }
        };
        let kept = self.cache.try_get_with(key, run).await;
        match (kept, unkept) {
            (Ok(result), _) => {
                ctx.ledger.iter().filter(|_| !ran).for_each(|ledger| ledger.was_cached());
                Ok(ToolOutcome::Complete(ToolResult::clone(&result)))
            }
            (Err(_), Some(unkept)) => unkept,
            // Another call's outcome is not this one's.
            (Err(_), None) => call(ctx).await,
        }
    }
}

/// What a caller may be given depends on its groups and scopes too: one person's lesser key gets nothing that a greater one
/// left behind.
fn key(tool: &str, caller: Option<&Principal>, arguments: &str) -> Key {
    let mut hash = Sha256::new();
    let mut feed = |part: &str| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    feed(tool);
    if let Some(Principal { id, groups, scopes, .. }) = caller {
        feed("principal");
        feed(id);
        // How many there are, so that a group is never taken for a scope.
        feed(&groups.len().to_string());
        groups.iter().for_each(|group| feed(group));
        scopes.iter().for_each(|scope| feed(scope));
    }
    hash.update(digest(arguments));
    hash.finalize().into()
}

/// A digest of a JSON text that white space and the order of members do not change: a client may write the same arguments
/// anew.
pub fn digest(json: &str) -> [u8; 32] {
    fn feed(value: &Value, hash: &mut Sha256) {
        match value {
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_unstable_by_key(|(name, _)| *name);
                hash.update(b"{");
                for (name, value) in members {
                    feed(&Value::String(name.clone()), hash);
                    feed(value, hash);
                }
                hash.update(b"}");
            }
            Value::Array(items) => {
                hash.update(b"[");
                items.iter().for_each(|item| feed(item, hash));
                hash.update(b"]");
            }
            // The quotes, or the comma, keep neighbours apart.
            leaf => {
                hash.update(leaf.to_string());
                hash.update(b",");
            }
        }
    }
    let mut hash = Sha256::new();
    match serde_json::from_str(json) {
        Ok(value) => feed(&value, &mut hash),
        Err(_) => hash.update(json),
    }
    hash.finalize().into()
}

fn size(result: &ToolResult) -> usize {
    OVERHEAD + crate::sandbox::size_of(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Via;
    use crate::sandbox::types::{Content, Continuation, TextContent};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;
    use tokio::sync::Barrier;

    fn rules(private: Option<bool>) -> CacheRules {
        CacheRules { results_ms: Some(60_000), private, ..CacheRules::default() }
    }

    fn result(text: &str, is_error: bool) -> ToolOutcome {
        let text = TextContent { text: text.to_owned(), annotations: None, meta: None };
        let content = vec![Content::Text(text)];
        ToolOutcome::Complete(ToolResult { content, structured: None, is_error, meta: None })
    }

    fn by(principal: &str) -> CallCtx {
        CallCtx { caller: Some(Arc::new(Principal::new(principal))), ..CallCtx::default() }
    }

    /// How many of these calls, one after the other, reach the guest.
    async fn runs(results: &Results, calls: &[(&str, CallCtx)], outcome: ToolOutcome) -> usize {
        let count = AtomicUsize::new(0);
        for (arguments, ctx) in calls {
            let call = |_| {
                count.fetch_add(1, Ordering::Relaxed);
                std::future::ready(Ok(outcome.clone()))
            };
            let got = results.get_or_call("tool", arguments, ctx.clone(), call).await;
            assert_eq!(got, Ok(outcome.clone()));
        }
        count.into_inner()
    }

    #[tokio::test]
    async fn the_same_call_of_the_same_caller_runs_once() {
        let anyone = CallCtx::default;
        let good = || result("good", false);
        let again = Continuation { responses: Vec::new(), state: None };
        let retried = CallCtx { continuation: Some(again), ..CallCtx::default() };
        let same = [(r#"{"a":1,"b":[2]}"#, anyone()), (r#"{ "b": [2], "a": 1 }"#, anyone())];
        let as_member = |groups: &[&str], scopes: &[&str]| {
            let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let caller = Principal { groups: set(groups), scopes: set(scopes), ..Principal::new("alice") };
            CallCtx { caller: Some(Arc::new(caller)), ..CallCtx::default() }
        };
        let keys = [("{}", as_member(&["a"], &[])), ("{}", by("alice")), ("{}", as_member(&[], &["a"]))];
        let other = [(r#"{"a":1}"#, anyone()), (r#"{"a":2}"#, anyone())];
        let people = [("{}", by("alice")), ("{}", by("bob")), ("{}", by("alice"))];
        let retries = [("{}", retried.clone()), ("{}", retried)];
        let via = Via { plugin: "p".into(), depth: 1, deadline: Instant::now() };
        let peers = CallCtx { via: Some(via), ..CallCtx::default() };
        let peers = [("{}", peers.clone()), ("{}", peers)];
        let own = || Results::new(&rules(None)).unwrap();
        assert_eq!(runs(&own(), &same, good()).await, 1);
        assert_eq!(runs(&own(), &other, good()).await, 2);
        assert_eq!(runs(&own(), &people, good()).await, 2);
        assert_eq!(runs(&own(), &keys, good()).await, 3, "keys of one caller that may do different things");
        assert_eq!(runs(&Results::new(&rules(Some(false))).unwrap(), &people, good()).await, 1, "shared");
        assert_eq!(runs(&own(), &same, result("bad", true)).await, 2, "failures are not kept");
        assert_eq!(runs(&own(), &retries, good()).await, 2, "nor is what came of answers");
        assert_eq!(runs(&own(), &peers, good()).await, 2, "nor what another tool asked for");
        assert!(Results::new(&CacheRules::default()).is_none(), "nothing is kept unless the operator says so");
    }

    #[tokio::test]
    async fn calls_at_the_same_time_run_once() {
        let results = Arc::new(Results::new(&rules(None)).unwrap());
        let (count, inside) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(2)));
        let spawn = || {
            let (results, count, inside) = (Arc::clone(&results), Arc::clone(&count), Arc::clone(&inside));
            tokio::spawn(async move {
                let call = |_| {
                    let (count, inside) = (Arc::clone(&count), Arc::clone(&inside));
                    async move {
                        count.fetch_add(1, Ordering::Relaxed);
                        inside.wait().await;
                        Ok(result("good", false))
                    }
                };
                results.get_or_call("tool", "{}", CallCtx::default(), call).await
            })
        };
        let callers: Vec<_> = (0..8).map(|_| spawn()).collect();
        // One is inside; the others wait for it, however long that takes.
        inside.wait().await;
        for caller in callers {
            assert_eq!(caller.await.unwrap(), Ok(result("good", false)));
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }
}
