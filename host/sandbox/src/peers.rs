//! `toolcell:plugin/peers`: other tools of the host, as far as the plugin is granted them.

use super::bindings::v0_1::toolcell::plugin::peers::{Host, PeerError};
use super::ctx::{CallCtx, Via};
use super::doors::PeerCall;
use super::error::CallFailure;
use super::imports::Voice;
use super::ledger::Ledger;
use super::places::MAX_PEER_DEPTH;
use super::types::{ClientAbilities, ToolOutcome, ToolResult};
use std::sync::Arc;
use std::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

impl Host for Voice {
    async fn call(&mut self, tool: String, arguments: String) -> wasmtime::Result<Result<ToolResult, PeerError>> {
        Ok(self.call_peer(tool, arguments).await)
    }
}

impl Voice {
    async fn call_peer(&self, tool: String, arguments: String) -> Result<ToolResult, PeerError> {
        let rules = &self.rules;
        let granted = rules.grant.check_tool(&rules.plugin, rules.requested.as_ref(), &tool);
        granted.map_err(|reason| PeerError::Denied(self.refused(&reason)))?;
        let Some(peers) = rules.doors.peers.clone() else {
            let text = format!("plugin `{}` may call no tool while it is asked for its lists", rules.plugin);
            return Err(PeerError::Denied(text));
        };
        let depth = self.ctx.depth() + 1;
        if depth > MAX_PEER_DEPTH {
            let text = format!("calls between tools go {MAX_PEER_DEPTH} deep and no deeper; {tool} was not called");
            return Err(PeerError::Limit(text));
        }
        let call = PeerCall { tool: tool.clone(), arguments, ctx: self.ctx_of_peer(depth) };
        // In a task of its own: polled from here it would run on what is left of this guest's stack. Should this call end
        // meanwhile, the other one ends with it.
        let running = AbortOnDropHandle::new(tokio::spawn(async move { peers.call(call).await }.in_current_span()));
        let outcome = match Ledger::told(self.ctx.ledger.as_deref(), "tools.call", running).await {
            Ok(outcome) => outcome,
            Err(error) => Err(CallFailure::Internal(format!("a call between tools: {error}"))),
        };
        match outcome {
            Ok(ToolOutcome::Complete(result)) => Ok(result),
            Ok(ToolOutcome::InputRequired(_)) => Err(PeerError::Other(format!(
                "{tool} asks its client for input, and a plugin that calls it cannot answer; let the client call it"
            ))),
            Err(failure) => Err(self.peer_error(failure)),
        }
    }

    /// The same caller, in the time that is left; but nobody who could be asked or told anything.
    fn ctx_of_peer(&self, depth: usize) -> CallCtx {
        let CallCtx { request_id, caller, client, trace, cancel, is_task, .. } = &self.ctx;
        CallCtx {
            request_id: request_id.clone(),
            caller: caller.clone(),
            client: client.clone(),
            abilities: ClientAbilities::empty(),
            trace: trace.clone(),
            cancel: cancel.child_token(),
            is_task: *is_task,
            via: Some(Via { plugin: Arc::clone(&self.rules.plugin), depth, deadline: self.deadline }),
            ..CallCtx::default()
        }
    }

    fn peer_error(&self, failure: CallFailure) -> PeerError {
        if Instant::now() >= self.deadline {
            return PeerError::Limit("the time of this call is up".to_owned());
        }
        match failure {
            CallFailure::NotFound(text) => PeerError::NotFound(text),
            CallFailure::InvalidArguments(text) => PeerError::InvalidArguments(text),
            CallFailure::Failed(text) | CallFailure::Limited { why: text, .. } => PeerError::Other(text),
            failure @ CallFailure::NeedsScopes(_) => PeerError::Denied(failure.to_string()),
            CallFailure::Cancelled => PeerError::Other("the call was cancelled".to_owned()),
            CallFailure::Internal(detail) => {
                tracing::error!(plugin = %self.rules.plugin, "a call between tools failed: {detail}");
                PeerError::Other("the host failed; its log says why".to_owned())
            }
        }
    }
}
