//! The door by which one plugin calls another's tools: the way of any call, through schema, policy and cell.

use super::{CallFailure, Inner};
use crate::sandbox::doors::{Answer, PeerCall, Peers};
use crate::sandbox::types::ToolOutcome;
use std::sync::Weak;

/// The tools in service at the time of the call. Weak, because the plugins that hold it belong to the registry.
pub(super) struct Tools(pub(super) Weak<Inner>);

impl Peers for Tools {
    fn call(&self, call: PeerCall) -> Answer<'_, Result<ToolOutcome, CallFailure>> {
        let PeerCall { tool: name, arguments, ctx } = call;
        Box::pin(async move {
            let registry = self.0.upgrade().ok_or_else(|| CallFailure::Internal("the host is gone".to_owned()))?;
            let snapshot = registry.current.load_full();
            // What it was called may be of any length; no tool has a longer name than this.
            let shown: String = name.chars().take(128).collect();
            let tool =
                snapshot.tool(&name).ok_or_else(|| CallFailure::NotFound(format!("there is no tool named {shown}")))?;
            tool.call(&arguments, ctx).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::CallFacts;
    use crate::registry::{CallCtx, Registry, ToolEntry, types};
    use crate::sandbox::Via;
    use std::sync::Arc;
    use std::time::Instant;

    fn tool(name: &str) -> types::Tool {
        types::Tool {
            name: name.to_owned(),
            title: None,
            description: None,
            input_schema: r#"{"type":"object","properties":{"n":{"type":"integer"}}}"#.to_owned(),
            output_schema: None,
            annotations: None,
            icons: Vec::new(),
            meta: None,
        }
    }

    async fn done(arguments: String, _: CallCtx) -> Result<ToolOutcome, CallFailure> {
        let meta = Some(arguments);
        let result = types::ToolResult { content: Vec::new(), structured: None, is_error: false, meta };
        Ok(ToolOutcome::Complete(result))
    }

    #[tokio::test]
    async fn a_peer_takes_the_way_of_a_client() {
        let only_clients = |call: &CallFacts<'_>| match call.via {
            None => Ok(()),
            Some(plugin) => Err(format!("not for {plugin}")),
        };
        let tools =
            vec![ToolEntry::fake(tool("open"), done), ToolEntry::fake_under(only_clients, tool("closed"), done)];
        let registry = Registry::fake(tools);
        let door = Tools(Arc::downgrade(&registry.0));
        let call = async |tool: &str, arguments: &str| {
            let via = Via { plugin: "caller".into(), depth: 1, deadline: Instant::now() };
            let ctx = CallCtx { via: Some(via), ..CallCtx::default() };
            door.call(PeerCall { tool: tool.to_owned(), arguments: arguments.to_owned(), ctx }).await
        };
        assert!(matches!(call("open", r#"{"n":1}"#).await, Ok(ToolOutcome::Complete(_))));
        for arguments in [r#"{"n":"x"}"#, "[]", "{"] {
            assert!(matches!(call("open", arguments).await, Err(CallFailure::InvalidArguments(_))), "{arguments}");
        }
        assert!(matches!(call("none", "{}").await, Err(CallFailure::NotFound(text)) if text.ends_with("none")));
        assert!(
            matches!(call("closed", "{}").await, Err(CallFailure::Failed(text)) if text.ends_with("not for caller"))
        );
        let closed = registry.snapshot().tool("closed").cloned().unwrap();
        assert!(closed.call("{}", CallCtx::default()).await.is_ok(), "a client may");
        drop(registry);
        assert!(matches!(call("open", "{}").await, Err(CallFailure::Internal(_))));
    }
}
