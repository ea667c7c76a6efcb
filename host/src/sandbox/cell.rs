//! One plugin's component, ready to run: every call gets a fresh instance, its limits and its grant, and takes them
//! with it when it ends.

use super::bindings::v0_1::exports::toolcell::plugin::tools::GuestIndices as ToolsIndices;
use super::ctx::CallCtx;
use super::deadline;
use super::engine::{Engine, Linked};
use super::error::{CallFailure, LimitHit, LoadError};
use super::inspect::Inspection;
use super::net::Rules;
use super::size;
use super::state::CellState;
use super::types::{CallError, ToolCall, ToolList, ToolOutcome};
use crate::policy::{Grant, Limits, Requested};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use wasmtime::component::Instance;
use wasmtime::{Store, Trap};

/// A compiled component with its exports found. Cheap to clone; holds no authority.
#[derive(Clone)]
pub struct Compiled {
    engine: Arc<Engine>,
    linked: Arc<Linked>,
    tools: Option<ToolsIndices>,
}

impl Compiled {
    /// Compiles a component within the limits on its size and compile time.
    ///
    /// # Errors
    /// Any [`LoadError`] but [`LoadError::Metadata`].
    pub async fn new(engine: &Arc<Engine>, bytes: Vec<u8>, limits: &Limits) -> Result<Self, LoadError> {
        if bytes.len() > limits.component_bytes {
            let text = format!(
                "{} bytes long, at most {} are loaded; build with optimisation and without debug information, or raise `limits.component-bytes`",
                bytes.len(),
                limits.component_bytes
            );
            return Err(LoadError::TooLarge(text));
        }
        let linked = engine.prepare(bytes, Duration::from_millis(limits.compile_ms)).await?;
        let tools = ToolsIndices::new(&linked.pre).ok();
        if tools.is_none() {
            let exports = &linked.inspection.exports;
            let names = if exports.is_empty() { "nothing".to_owned() } else { exports.join(", ") };
            return Err(LoadError::NoExports(names));
        }
        Ok(Self { engine: Arc::clone(engine), linked: Arc::new(linked), tools })
    }

    /// What stands on the outside of the component.
    pub fn inspection(&self) -> &Inspection {
        &self.linked.inspection
    }

    /// The memory, in bytes, and the number of table elements the component has the moment it starts.
    pub fn footprint(&self) -> Option<(u64, u64)> {
        let needs = self.linked.pre.component().resources_required()?;
        let page = 64 * 1024;
        Some((needs.max_initial_memory_size.unwrap_or(0) * page, needs.max_initial_table_size.unwrap_or(0)))
    }
}

/// A compiled component under one plugin's name, with its grant and limits.
pub struct Cell {
    compiled: Compiled,
    rules: Arc<Rules>,
    places: Semaphore,
}

impl Cell {
    /// Puts a component into a cell. `requested` is what its manifest asks for, none if it has no manifest.
    pub fn new(compiled: Compiled, plugin: &str, grant: &Grant, requested: Option<Requested>, limits: Limits) -> Self {
        let places = limits.concurrency;
        let grant = grant.effective(requested.as_ref());
        let tls = Arc::clone(&compiled.engine.tls);
        let rules = Arc::new(Rules { plugin: plugin.into(), grant, requested, limits, tls });
        Self { compiled, rules, places: Semaphore::new(places.min(Semaphore::MAX_PERMITS)) }
    }

    /// What limits hold for its calls.
    pub fn limits(&self) -> &Limits {
        &self.rules.limits
    }

    /// Asks the plugin for its tools. It sees its variables, which configure it, but no files and no network: nobody has
    /// called it yet.
    ///
    /// # Errors
    /// [`LoadError::Metadata`] if it does not answer, answers with an error, or with more than the limits allow.
    pub async fn list_tools(&self) -> Result<ToolList, LoadError> {
        let Some(tools) = self.compiled.tools.clone() else {
            return Ok(ToolList { tools: Vec::new(), cache: None });
        };
        let wall = Duration::from_millis(self.rules.limits.list_wall_ms);
        let Rules { plugin, grant, requested, limits, tls } = &*self.rules;
        let rules = Arc::new(Rules {
            plugin: Arc::clone(plugin),
            grant: Grant { env: grant.env.clone(), ..Grant::default() },
            requested: requested.clone(),
            limits: limits.clone(),
            tls: Arc::clone(tls),
        });
        let answer = self
            .run(&rules, "list-tools", CallCtx::default(), wall, size::tool_list, async move |store, instance| {
                tools.load(&mut *store, &instance)?.call_list_tools(&mut *store).await
            })
            .await;
        answer.map_err(|failure| LoadError::Metadata(format!("listing its tools failed: {failure}")))
    }

    /// Runs one tool in a fresh instance.
    ///
    /// `name` is the tool's own name; `arguments` is passed on as it is. Dropping the future ends the guest.
    ///
    /// # Errors
    /// See [`CallFailure`].
    pub async fn call_tool(&self, name: &str, arguments: String, mut ctx: CallCtx) -> Result<ToolOutcome, CallFailure> {
        let Some(tools) = self.compiled.tools.clone() else {
            return Err(CallFailure::NotFound(format!("plugin {} offers no tools", self.rules.plugin)));
        };
        let continuation = ctx.continuation.take();
        let call = ToolCall { name: name.to_owned(), arguments, continuation };
        let wall = Duration::from_millis(self.rules.limits.wall_ms);
        self.run(&self.rules, name, ctx, wall, size::tool_outcome, async move |store, instance| {
            tools.load(&mut *store, &instance)?.call_call_tool(&mut *store, &call).await
        })
        .await
    }

    /// The frame around every entry into the guest: places, time, cancellation, size of the answer, and what its end
    /// means. Waiting for a place counts as time of the call.
    async fn run<R>(
        &self,
        rules: &Arc<Rules>,
        what: &str,
        ctx: CallCtx,
        wall: Duration,
        size_of: fn(&R) -> usize,
        enter: impl AsyncFnOnce(&mut Store<CellState>, Instance) -> wasmtime::Result<Result<R, CallError>>,
    ) -> Result<R, CallFailure> {
        let cancel = ctx.cancel.clone();
        let timed = tokio::time::timeout(wall, self.run_unlimited(rules, what, ctx, wall, size_of, enter));
        let outcome = tokio::select! {
            biased;
            outcome = timed => outcome,
            () = cancel.cancelled() => return Err(CallFailure::Cancelled),
        };
        outcome.unwrap_or_else(|_| {
            let hit = LimitHit::Wall { ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX) };
            Err(self.limited(what, &hit))
        })
    }

    async fn run_unlimited<R>(
        &self,
        rules: &Arc<Rules>,
        what: &str,
        ctx: CallCtx,
        wall: Duration,
        size_of: fn(&R) -> usize,
        enter: impl AsyncFnOnce(&mut Store<CellState>, Instance) -> wasmtime::Result<Result<R, CallError>>,
    ) -> Result<R, CallFailure> {
        let engine = &self.compiled.engine;
        let deadline = Instant::now() + wall;
        let closed = |_| CallFailure::Internal("the engine is shut down".to_owned());
        let _own_place = self.places.acquire().await.map_err(closed)?;
        let _place = engine.places.acquire().await.map_err(closed)?;

        let state = CellState::new(rules, what, ctx, deadline).map_err(|error| self.guest_error(what, error))?;
        let mut store = Store::new(&engine.wasm, state);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(self.rules.limits.output_bytes.max(MIN_HOSTCALL_FUEL));
        deadline::limit_cpu(&mut store, self.rules.limits.cpu_ms);
        let _running = engine.ticker.running();

        let answer = match self.compiled.linked.pre.instantiate_async(&mut store).await {
            Ok(instance) => enter(&mut store, instance).await,
            Err(error) => Err(error),
        };
        store.data().voice.log.finish();
        match answer {
            Ok(Ok(answer)) => self.sized(what, answer, size_of),
            Ok(Err(error)) => Err(self.guest_error(what, error)),
            Err(error) => Err(self.trapped(what, &store, &error)),
        }
    }

    fn sized<R>(&self, what: &str, answer: R, size_of: fn(&R) -> usize) -> Result<R, CallFailure> {
        let limit = self.rules.limits.output_bytes;
        if size_of(&answer) > limit {
            return Err(self.limited(what, &LimitHit::Output { limit }));
        }
        Ok(answer)
    }

    /// The plugin said itself that it cannot answer.
    fn guest_error(&self, what: &str, error: CallError) -> CallFailure {
        let plugin = &self.rules.plugin;
        match error {
            CallError::NotFound(text) => CallFailure::NotFound(format!("plugin {plugin} does not know it: {text}")),
            CallError::InvalidArguments(text) => CallFailure::InvalidArguments(text),
            CallError::Denied(text) => CallFailure::Failed(format!("refused: {text}")),
            CallError::Unavailable(text) => CallFailure::Failed(format!("not available now: {text}")),
            CallError::Cancelled => CallFailure::Cancelled,
            CallError::Other(text) => CallFailure::Failed(format!("{what} failed: {text}")),
        }
    }

    fn limited(&self, what: &str, hit: &LimitHit) -> CallFailure {
        tracing::warn!(plugin = %self.rules.plugin, tool = what, "call ended: {hit}");
        CallFailure::Failed(format!("{what} of plugin {} {hit}", self.rules.plugin))
    }

    /// The guest did not come back. A limit explains most of it; otherwise it crashed, and its last words may tell why.
    fn trapped(&self, what: &str, store: &Store<CellState>, error: &wasmtime::Error) -> CallFailure {
        if let Some(hit) = error.downcast_ref::<LimitHit>().or(store.data().limiter.refused()) {
            return self.limited(what, hit);
        }
        let plugin = &self.rules.plugin;
        let detail = format!("{error:#}");
        if error.downcast_ref::<wasmtime::PoolConcurrencyLimitError>().is_some() {
            tracing::error!(%plugin, tool = what, "the pool is too small for this component: {detail}");
            return CallFailure::Failed(format!("{what} of plugin {plugin} found the host full; try again"));
        }
        if detail.contains("fuel allocated for hostcalls") {
            let limit = self.rules.limits.output_bytes;
            return self.limited(what, &LimitHit::Output { limit });
        }
        if error.downcast_ref::<wasmtime::component::ResourceTableError>().is_some() {
            let handles = self.rules.limits.open_handles;
            return self.limited(what, &LimitHit::Handles { handles });
        }
        let cause = match error.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow) => "its stack overflowed (recursion too deep)".to_owned(),
            Some(trap) => trap.to_string(),
            None => error.root_cause().to_string(),
        };
        let words = store.data().voice.log.tail();
        tracing::warn!(%plugin, tool = what, "call crashed: {detail}");
        let words = if words.is_empty() { String::new() } else { format!("; it said: {words}") };
        CallFailure::Failed(format!("{what} of plugin {plugin} crashed: {cause}{words}"))
    }
}

/// The least a guest may hand to one host function, in bytes: chunks of files and HTTP bodies are up to 1 MiB.
const MIN_HOSTCALL_FUEL: usize = 4 << 20;
