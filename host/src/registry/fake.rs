//! A registry of closures, for the tests of the layers above: they need tools, not components.

use super::{CallCtx, CallFailure, Registry, Snapshot, ToolEntry, types};
use crate::policy::AllowAll;
use crate::sandbox::{Engine, EngineConfig};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

type Outcome = Result<types::ToolOutcome, CallFailure>;

/// What a tool does.
pub(super) type Run = Box<dyn Fn(String, CallCtx) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync>;

impl ToolEntry {
    /// A tool that does what `run` does, with any arguments.
    pub(crate) fn fake<F, Fut>(tool: types::Tool, run: F) -> Arc<Self>
    where
        F: Fn(String, CallCtx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        Arc::new(Self::of_closure(tool, Box::new(move |arguments, ctx| Box::pin(run(arguments, ctx)))))
    }
}

impl Registry {
    /// A registry of these tools.
    pub(crate) fn fake(tools: Vec<Arc<ToolEntry>>) -> Self {
        let engine = EngineConfig { concurrent_calls: 1, ..EngineConfig::default() };
        let registry = Self::new(Engine::new(&engine).expect("an engine"), Arc::new(AllowAll));
        registry.replace(tools);
        registry
    }

    /// Puts other tools into service, as a reload does.
    pub(crate) fn replace(&self, tools: Vec<Arc<ToolEntry>>) {
        let next = Arc::new(Snapshot::of_tools(&self.snapshot(), tools));
        let versions = next.versions();
        self.0.current.store(next);
        self.0.versions.send_replace(versions);
    }
}
