//! A registry of closures, for the tests of the layers above: they need tools, not components.

use super::guest::{Answer, Guest, Owner};
use super::oversight::Oversight;
use super::tool::Listing;
use super::{CallCtx, CallFailure, Offers, Registry, Serving, Snapshot, ToolEntry, types};
use crate::policy::{AllowAll, Limits, Policy};
use crate::sandbox::doors::{self, ValueChange, Values, ValuesError};
use crate::sandbox::{Engine, EngineConfig};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

type Outcome = Result<types::ToolOutcome, CallFailure>;

/// What a tool does.
type Run = Box<dyn Fn(String, CallCtx) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync>;

/// A plugin of one tool, which is a closure. Prompts and resources answer with what they were asked.
struct Closure {
    limits: Limits,
    run: Run,
}

impl Guest for Closure {
    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn completes(&self) -> bool {
        false
    }

    fn call_tool<'a>(&'a self, _: &'a str, arguments: String, ctx: CallCtx) -> Answer<'a, types::ToolOutcome> {
        (self.run)(arguments, ctx)
    }

    fn read_resource<'a>(&'a self, uri: &'a str, _: CallCtx) -> Answer<'a, types::ReadOutcome> {
        Box::pin(async move { Err(CallFailure::NotFound(uri.to_owned())) })
    }

    fn get_prompt<'a>(
        &'a self,
        name: &'a str,
        _: Vec<(String, String)>,
        _: CallCtx,
    ) -> Answer<'a, types::PromptOutcome> {
        Box::pin(async move { Err(CallFailure::NotFound(name.to_owned())) })
    }

    fn complete<'a>(&'a self, _: types::CompletionRequest, _: CallCtx) -> Answer<'a, types::Completion> {
        Box::pin(async { Err(CallFailure::NotFound("nothing".to_owned())) })
    }
}

/// Nothing here keeps values.
struct NoValues;

impl Values for NoValues {
    fn get<'a>(&'a self, _: &'a str, _: &'a str) -> doors::Answer<'a, Result<Option<Vec<u8>>, ValuesError>> {
        Box::pin(async { Err(ValuesError::Failed) })
    }

    fn put<'a>(&'a self, _: &'a str, _: ValueChange) -> doors::Answer<'a, Result<(), ValuesError>> {
        Box::pin(async { Err(ValuesError::Failed) })
    }

    fn keys<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: Option<&'a str>,
    ) -> doors::Answer<'a, Result<(Vec<String>, bool), ValuesError>> {
        Box::pin(async { Err(ValuesError::Failed) })
    }
}

impl ToolEntry {
    /// A tool that does what `run` does, with any arguments that fit its schema.
    pub(crate) fn fake<F, Fut>(tool: types::Tool, run: F) -> Arc<Self>
    where
        F: Fn(String, CallCtx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        Self::fake_under(AllowAll, tool, run)
    }

    /// The same under a policy of the embedder's.
    pub(crate) fn fake_under<F, Fut>(policy: impl Policy + 'static, tool: types::Tool, run: F) -> Arc<Self>
    where
        F: Fn(String, CallCtx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        let run: Run = Box::new(move |arguments, ctx| Box::pin(run(arguments, ctx)));
        let guest = Arc::new(Closure { limits: Limits::default(), run });
        let oversight = Oversight::new(Arc::new(policy), None);
        let (shared_name, digest) = ("test".into(), "".into());
        let owner =
            Owner { plugin: "test".to_owned(), shared_name, digest, generation: 0, guest, oversight, results: None };
        let owner = Arc::new(owner);
        let (serving, deprecated) = (Serving::default(), BTreeMap::new());
        let listing = Listing { prefix: "", suffix: "", serving: &serving, deprecated: &deprecated };
        Arc::new(Self::new(&owner, &listing, tool).expect("a tool that can be listed"))
    }
}

impl Registry {
    /// A registry of these tools.
    pub(crate) fn fake(tools: Vec<Arc<ToolEntry>>) -> Self {
        let engine = EngineConfig { concurrent_calls: 8, ..EngineConfig::default() };
        let registry = Self::new(
            Engine::new(&engine).expect("an engine"),
            Oversight::new(Arc::new(AllowAll), None),
            Arc::new(NoValues),
            None,
        );
        registry.replace(tools);
        registry
    }

    /// Puts other tools into service, as a reload does.
    pub(crate) fn replace(&self, tools: Vec<Arc<ToolEntry>>) {
        let offers = Offers { tools, ..Offers::default() };
        let next = Arc::new(Snapshot::of_offers(&self.snapshot(), &offers));
        let versions = next.versions();
        self.0.current.store(next);
        self.0.versions.send_replace(versions);
    }
}
