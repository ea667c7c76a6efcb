//! One plugin's component, ready to run: every call gets a fresh instance (unless the operator wants them kept), its limits
//! and its grant, and takes them with it when it ends.

use super::backtrace;
use super::bindings::v0_1::exports::toolcell::plugin::{completions, prompts, resources, tools};
use super::ctx::{CallCtx, OnChange};
use super::deadline;
use super::doors::Doors;
use super::engine::{Engine, Linked};
use super::error::{CallFailure, LimitHit, LoadError};
use super::inspect::Inspection;
use super::ledger::{Lengthy, Metered};
use super::log::one_line;
use super::net::Rules;
use super::places::Places;
use super::plain::Door;
use super::secrets::Held;
use super::size;
use super::state::CellState;
use super::texts::{Change, Texts};
use super::times::Times;
use super::types::{
    CallError, Completion, CompletionRequest, Lists, PromptGet, PromptOutcome, ReadOutcome, ResourceRead, ToolCall,
    ToolList, ToolOutcome,
};
use super::warm::{Live, Warm};
use std::collections::HashMap;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use toolcell_policy::{Access, Grant, Limits, Principal, Requested};
use wasmtime::component::Instance;
use wasmtime::{Store, Trap};

/// A future that is compiled here and not in every crate that awaits it: what wasmtime generates for our store is large.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A compiled component with its exports found. Cheap to clone; holds no authority.
#[derive(Clone)]
pub struct Compiled {
    engine: Arc<Engine>,
    linked: Arc<Linked>,
    exports: Exports,
}

/// Which of the contract's interfaces the component exports.
#[derive(Clone)]
struct Exports {
    tools: Option<tools::GuestIndices>,
    resources: Option<resources::GuestIndices>,
    prompts: Option<prompts::GuestIndices>,
    completions: Option<completions::GuestIndices>,
    /// Its plain functions, where it has no `tools`.
    plain: Option<Arc<Door>>,
}

impl Compiled {
    /// Compiles a component within the limits on its size and compile time.
    ///
    /// # Errors
    /// Any [`LoadError`] but [`LoadError::Metadata`].
    pub fn new<'a>(engine: &'a Arc<Engine>, bytes: Vec<u8>, limits: &'a Limits) -> Boxed<'a, Result<Self, LoadError>> {
        Box::pin(Self::compile(engine, bytes, limits))
    }

    async fn compile(engine: &Arc<Engine>, bytes: Vec<u8>, limits: &Limits) -> Result<Self, LoadError> {
        if bytes.len() > limits.component_bytes {
            let text = format!(
                "{} bytes long, at most {} are loaded; build with optimisation and without debug information, or raise `limits.component-bytes`",
                bytes.len(),
                limits.component_bytes
            );
            return Err(LoadError::TooLarge(text));
        }
        let linked = engine.prepare(bytes, Duration::from_millis(limits.compile_ms)).await?;
        let mut exports = Exports {
            tools: tools::GuestIndices::new(&linked.pre).ok(),
            resources: resources::GuestIndices::new(&linked.pre).ok(),
            prompts: prompts::GuestIndices::new(&linked.pre).ok(),
            completions: completions::GuestIndices::new(&linked.pre).ok(),
            plain: None,
        };
        if exports.tools.is_none() {
            let door = Door::new(&engine.wasm, linked.pre.component(), linked.inspection.docs.as_deref());
            if door.is_empty() && exports.resources.is_none() && exports.prompts.is_none() {
                let names = match (door.refused(), &linked.inspection.exports[..]) {
                    ([], []) => "nothing".to_owned(),
                    ([], names) => names.join(", "),
                    (refused, _) => refused.join("; "),
                };
                return Err(LoadError::NoExports(names));
            }
            exports.plain = Some(Arc::new(door)).filter(|door| !door.is_empty() || !door.refused().is_empty());
        }
        Ok(Self { engine: Arc::clone(engine), linked: Arc::new(linked), exports })
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
    /// The rules for each caller, where they differ; none where they are the same for all.
    of_callers: Option<Mutex<HashMap<Arc<Principal>, Arc<Rules>>>>,
    places: Places,
    /// Instances kept for the next call; none where each call has a fresh one.
    warm: Option<Warm>,
    lengthy: Lengthy,
}

impl Cell {
    /// Puts a component into a cell. `requested` is what its manifest asks for, none if it has no manifest; `on_change`
    /// hears what its calls say has changed; `doors` is what it may use if the grant says so.
    pub fn new(
        compiled: Compiled,
        plugin: &str,
        grant: &Grant,
        requested: Option<Requested>,
        limits: Limits,
        on_change: OnChange,
        doors: Doors,
    ) -> Self {
        let places = limits.concurrency;
        let grant = grant.effective(requested.as_ref());
        let tls = Arc::clone(&compiled.engine.tls);
        let rules =
            Arc::new(Rules { plugin: plugin.into(), grant, requested, limits, tls, on_change: Some(on_change), doors });
        let of_callers = rules.grant.depends_on_caller().then(Mutex::default);
        Self { compiled, rules, of_callers, places: Places::of_plugin(places), warm: None, lengthy: Lengthy::default() }
    }

    /// Keeps instances for the next call of the same caller instead of making one for each: faster, but what one call
    /// leaves behind the next one finds.
    #[must_use]
    pub fn kept_warm(self, warm: bool) -> Self {
        Self { warm: warm.then(Warm::default), ..self }
    }

    /// What limits hold for its calls.
    pub fn limits(&self) -> &Limits {
        &self.rules.limits
    }

    /// Whether it can suggest values for arguments.
    pub fn completes(&self) -> bool {
        self.compiled.exports.completions.is_some()
    }

    /// What holds for a call of this caller: no more than the plugin may do at all.
    fn rules_for(&self, caller: Option<&Arc<Principal>>) -> Arc<Rules> {
        let Some(known) = &self.of_callers else { return Arc::clone(&self.rules) };
        let made = || Arc::new(self.rules.with_grant(self.rules.grant.for_caller(caller.map(|caller| &**caller))));
        let Some(caller) = caller else { return made() };
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rules) = known.get(caller) {
            return Arc::clone(rules);
        }
        if known.len() >= MAX_CALLERS {
            known.clear();
        }
        let rules = made();
        self.make_own_dirs(&rules);
        known.insert(Arc::clone(caller), Arc::clone(&rules));
        rules
    }

    /// Makes the directories that are a caller's own and not there yet. One that cannot be made is found out, and told,
    /// when it is opened.
    fn make_own_dirs(&self, rules: &Rules) {
        let is_own = |guest: &str| self.rules.grant.dirs.iter().any(|dir| dir.guest == guest && dir.is_per_caller());
        for dir in rules.grant.dirs.iter().filter(|dir| is_own(&dir.guest)) {
            if let Err(error) = create_private(&dir.host) {
                tracing::error!(plugin = %rules.plugin, dir = %dir.host.display(), "a caller's own directory cannot be made: {error}");
            }
        }
    }

    /// Asks the plugin for all it offers. It sees its variables, which configure it, and where it lists resources or prompts
    /// its directories, read-only, so that it can list what is in them; but no network: nobody has called it yet.
    ///
    /// # Errors
    /// [`LoadError::Metadata`] if it does not answer, answers with an error, or with more than the limits allow.
    pub fn lists(&self) -> Boxed<'_, Result<Lists, LoadError>> {
        self.lists_at(Duration::ZERO)
    }

    /// The same on a day to come: the guest's calendar is so far ahead. For tests of plugins.
    ///
    /// # Errors
    /// As for [`Cell::lists`].
    pub fn lists_at(&self, ahead: Duration) -> Boxed<'_, Result<Lists, LoadError>> {
        Box::pin(self.list_all(ahead))
    }

    async fn list_all(&self, ahead: Duration) -> Result<Lists, LoadError> {
        let exports = &self.compiled.exports;
        let mut lists = Lists::default();
        if let Some(tools) = &exports.tools {
            let rules = &Arc::new(self.rules_for_lists(false));
            let listed = self.list(rules, ahead, "list-tools", size::tool_list, async |store, instance| {
                tools.load(&mut *store, &instance)?.call_list_tools(&mut *store).await
            });
            let listed = listed.await?;
            (lists.tools, lists.tools_cache) = (listed.tools, listed.cache);
        }
        if let Some(door) = &exports.plain {
            let tools = ToolList { tools: door.tools(), cache: None };
            lists.tools = self.sized("list-tools", tools, size::tool_list).map_err(unlistable("list-tools"))?.tools;
            lists.refused = door.refused().to_vec();
        }
        let rules = &Arc::new(self.rules_for_lists(true));
        if let Some(resources) = &exports.resources {
            let listed = self.list(rules, ahead, "list-resources", size::resource_list, async |store, instance| {
                resources.load(&mut *store, &instance)?.call_list_resources(&mut *store).await
            });
            let listed = listed.await?;
            (lists.resources, lists.resources_cache) = (listed.resources, listed.cache);
            let listed = self.list(rules, ahead, "list-templates", size::template_list, async |store, instance| {
                resources.load(&mut *store, &instance)?.call_list_templates(&mut *store).await
            });
            let listed = listed.await?;
            (lists.templates, lists.templates_cache) = (listed.templates, listed.cache);
        }
        if let Some(prompts) = &exports.prompts {
            let listed = self.list(rules, ahead, "list-prompts", size::prompt_list, async |store, instance| {
                prompts.load(&mut *store, &instance)?.call_list_prompts(&mut *store).await
            });
            let listed = listed.await?;
            (lists.prompts, lists.prompts_cache) = (listed.prompts, listed.cache);
        }
        Ok(lists)
    }

    fn rules_for_lists(&self, with_dirs: bool) -> Rules {
        let everyone = self.rules.grant.for_nobody();
        let Rules { plugin, grant: _, requested, limits, tls, on_change: _, doors: _ } = &*self.rules;
        let grant = &everyone;
        let mut dirs = if with_dirs { grant.dirs.clone() } else { Vec::new() };
        dirs.iter_mut().for_each(|dir| dir.access = Access::ReadOnly);
        Rules {
            plugin: Arc::clone(plugin),
            grant: Grant {
                env: grant.env.clone(),
                dirs,
                key_value: grant.key_value,
                tools: grant.tools.clone(),
                ..Grant::default()
            },
            requested: requested.clone(),
            limits: limits.clone(),
            tls: Arc::clone(tls),
            // Listing because of a change must not be the cause of the next listing.
            on_change: None,
            doors: Doors::default(),
        }
    }

    async fn list<R: Texts>(
        &self,
        rules: &Arc<Rules>,
        clock_ahead: Duration,
        what: &str,
        size_of: fn(&R) -> usize,
        enter: impl AsyncFnOnce(&mut Store<CellState>, Instance) -> wasmtime::Result<Result<R, CallError>>,
    ) -> Result<R, LoadError> {
        let wall = Wall::of_lists(&self.rules.limits);
        let ctx = CallCtx { clock_ahead, ..CallCtx::default() };
        let answer = self.run(rules, what, ctx, wall, size_of, enter).await;
        answer.map_err(unlistable(what))
    }

    /// Runs one tool in a fresh instance.
    ///
    /// `name` is the tool's own name; `arguments` is passed on as it is. Dropping the future ends the guest.
    ///
    /// # Errors
    /// See [`CallFailure`].
    pub fn call_tool<'a>(
        &'a self,
        name: &'a str,
        arguments: String,
        mut ctx: CallCtx,
    ) -> Boxed<'a, Result<ToolOutcome, CallFailure>> {
        let continuation = ctx.continuation.take();
        if let Some(door) = &self.compiled.exports.plain {
            return Box::pin(async move {
                let limit = self.rules.limits.output_bytes;
                self.enter(name, ctx, size::tool_outcome, async |store, instance| {
                    door.call(name, &arguments, store, instance, limit).await
                })
                .await
            });
        }
        let call = ToolCall { name: name.to_owned(), arguments, continuation };
        Box::pin(async move {
            let tools = self.offered(&self.compiled.exports.tools, "tools")?;
            self.enter(name, ctx, size::tool_outcome, async |store, instance| {
                let entry = match store.data_mut().tools.take() {
                    Some(known) => known,
                    None => tools.load(&mut *store, &instance)?,
                };
                let answer = entry.call_call_tool(&mut *store, &call).await;
                store.data_mut().tools = Some(entry);
                answer
            })
            .await
        })
    }

    /// Reads one resource in a fresh instance.
    ///
    /// # Errors
    /// See [`CallFailure`].
    pub fn read_resource<'a>(&'a self, uri: &'a str, mut ctx: CallCtx) -> Boxed<'a, Result<ReadOutcome, CallFailure>> {
        let read = ResourceRead { uri: uri.to_owned(), continuation: ctx.continuation.take() };
        Box::pin(async move {
            let resources = self.offered(&self.compiled.exports.resources, "resources")?;
            self.enter("read-resource", ctx, size::read_outcome, async |store, instance| {
                resources.load(&mut *store, &instance)?.call_read_resource(&mut *store, &read).await
            })
            .await
        })
    }

    /// Fills in one prompt in a fresh instance. `name` is the prompt's own name.
    ///
    /// # Errors
    /// See [`CallFailure`].
    pub fn get_prompt<'a>(
        &'a self,
        name: &'a str,
        arguments: Vec<(String, String)>,
        mut ctx: CallCtx,
    ) -> Boxed<'a, Result<PromptOutcome, CallFailure>> {
        let get = PromptGet { name: name.to_owned(), arguments, continuation: ctx.continuation.take() };
        Box::pin(async move {
            let prompts = self.offered(&self.compiled.exports.prompts, "prompts")?;
            self.enter(name, ctx, size::prompt_outcome, async |store, instance| {
                prompts.load(&mut *store, &instance)?.call_get_prompt(&mut *store, &get).await
            })
            .await
        })
    }

    /// Asks for suggestions in a fresh instance, within the time a list may take: somebody is typing.
    ///
    /// # Errors
    /// See [`CallFailure`].
    pub fn complete<'a>(
        &'a self,
        request: CompletionRequest,
        ctx: CallCtx,
    ) -> Boxed<'a, Result<Completion, CallFailure>> {
        Box::pin(async move {
            let completions = self.offered(&self.compiled.exports.completions, "completions")?;
            let wall = Wall::of_lists(&self.rules.limits);
            let rules = self.rules_for(ctx.caller.as_ref());
            self.run(&rules, "complete", ctx, wall, size::completion, async |store, instance| {
                completions.load(&mut *store, &instance)?.call_complete(&mut *store, &request).await
            })
            .await
        })
    }

    fn offered<'a, T>(&self, export: &'a Option<T>, what: &str) -> Result<&'a T, CallFailure> {
        let none = || CallFailure::NotFound(format!("plugin {} offers no {what}", self.rules.plugin));
        export.as_ref().ok_or_else(none)
    }

    /// One call with all that is granted.
    async fn enter<R: Texts>(
        &self,
        what: &str,
        ctx: CallCtx,
        size_of: fn(&R) -> usize,
        enter: impl AsyncFnOnce(&mut Store<CellState>, Instance) -> wasmtime::Result<Result<R, CallError>>,
    ) -> Result<R, CallFailure> {
        let limits = &self.rules.limits;
        let wall = match ctx.is_task {
            true => Wall { ms: limits.task_wall_ms, setting: "task-wall-ms" },
            false => Wall { ms: limits.wall_ms, setting: "wall-ms" },
        };
        let wall = wall.until(ctx.via.as_ref().map(|via| via.deadline));
        let rules = self.rules_for(ctx.caller.as_ref());
        self.run(&rules, what, ctx, wall, size_of, enter).await
    }

    /// The frame around every entry into the guest: places, time, cancellation, size of the answer, and what its end
    /// means. Waiting for a place counts as time of the call.
    async fn run<R: Texts>(
        &self,
        rules: &Arc<Rules>,
        what: &str,
        ctx: CallCtx,
        wall: Wall,
        size_of: fn(&R) -> usize,
        enter: impl AsyncFnOnce(&mut Store<CellState>, Instance) -> wasmtime::Result<Result<R, CallError>>,
    ) -> Result<R, CallFailure> {
        let (cancel, ledger) = (ctx.cancel.clone(), ctx.ledger.clone());
        // Pinned here, so that nothing moves it: it is large.
        let running = pin!(self.run_unlimited(rules, what, ctx, wall, size_of, enter));
        let running = async {
            match &ledger {
                None => running.await,
                Some(ledger) => Metered::new(running, ledger, &self.lengthy).await,
            }
        };
        let timed = tokio::time::timeout(wall.time(), running);
        let outcome = tokio::select! {
            biased;
            outcome = timed => outcome,
            () = cancel.cancelled() => return Err(CallFailure::Cancelled),
        };
        let outcome = outcome.unwrap_or_else(|_| {
            let hit = LimitHit::Wall { ms: wall.ms, setting: wall.setting };
            Err(self.limited(what, &hit))
        });
        match outcome {
            // Whoever cancels expects no answer. Everybody else would wait for one for ever.
            Err(CallFailure::Cancelled) if !cancel.is_cancelled() => Err(CallFailure::Failed(format!(
                "{what} of plugin {} says that it was cancelled, but nobody cancelled it",
                self.rules.plugin
            ))),
            outcome => outcome,
        }
    }

    async fn run_unlimited<R: Texts>(
        &self,
        rules: &Arc<Rules>,
        what: &str,
        ctx: CallCtx,
        wall: Wall,
        size_of: fn(&R) -> usize,
        enter: impl AsyncFnOnce(&mut Store<CellState>, Instance) -> wasmtime::Result<Result<R, CallError>>,
    ) -> Result<R, CallFailure> {
        let engine = &self.compiled.engine;
        let ledger = ctx.ledger.clone();
        let mut times = Times::start(ledger.as_deref());
        let deadline = Instant::now() + wall.time();
        let _own_place = self.places.take(ctx.depth()).await?;
        let _place = engine.places.take(ctx.depth()).await?;

        times.placed();
        let _running = engine.ticker.running();
        // While it is only listed its grant is another, so such an instance serves no call.
        let warm = self.warm.as_ref().filter(|_| rules.on_change.is_some());
        let mut live = match warm.and_then(|warm| warm.take(ctx.caller.as_deref(), rules)) {
            Some(mut live) => {
                live.store.data_mut().renew(rules, what, ctx, deadline);
                live
            }
            None => {
                let caller = ctx.caller.clone();
                let state =
                    CellState::new(rules, what, ctx, deadline).map_err(|error| self.guest_error(what, error))?;
                let mut store = Store::new(&engine.wasm, state);
                store.limiter(|state| &mut state.limiter);
                store.set_hostcall_fuel(self.rules.limits.output_bytes.max(MIN_HOSTCALL_FUEL));
                Live::new(store, caller, Arc::clone(rules))
            }
        };
        deadline::limit_cpu(&mut live.store, self.rules.limits.cpu_ms);

        let instance = match live.instance {
            Some(instance) => Ok(instance),
            None => self.compiled.linked.pre.instantiate_async(&mut live.store).await,
        };
        let answer = match instance {
            Ok(instance) => {
                times.instantiated();
                live.instance = Some(instance);
                enter(&mut live.store, instance).await
            }
            Err(error) => Err(error),
        };
        let data = live.store.data();
        data.voice.log.finish();
        let held = data.voice.held.clone();
        let (request_id, memory) = (data.voice.request_id(), data.limiter.memory_in_use());
        times.report(&rules.plugin, what, request_id, memory, ledger.as_deref());
        let answer = answer.map_err(|error| self.trapped(what, &live.store, &error))?;
        if let Some(warm) = warm {
            warm.keep(live, || Arc::clone(&engine.warm_rooms).try_acquire_owned().ok());
        }
        match answer {
            Ok(mut answer) => {
                mask(held.as_deref(), &mut answer);
                ledger.iter().for_each(|ledger| ledger.note(|spent| spent.answer_bytes += size_of(&answer)));
                self.sized(what, answer, size_of)
            }
            Err(error) => Err(match self.sized(what, masked(held.as_deref(), error), size::call_error) {
                Ok(error) => self.guest_error(what, error),
                Err(too_large) => too_large,
            }),
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
        tracing::warn!(plugin = %self.rules.plugin, tool = what, error.type = "limit", "call ended: {hit}");
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
        if let Some(wasmtime::component::ResourceTableError::Full) = error.downcast_ref() {
            let handles = self.rules.limits.open_handles;
            return self.limited(what, &LimitHit::Handles { handles });
        }
        let cause = match error.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow) => "its stack overflowed (recursion too deep)".to_owned(),
            Some(trap) => trap.to_string(),
            None => error.root_cause().to_string(),
        };
        let words = store.data().voice.log.tail();
        let backtrace = backtrace::frames(error).join(" | ");
        tracing::warn!(%plugin, tool = what, error.type = "crash", backtrace, "call crashed: {}", one_line(&cause));
        let words = if words.is_empty() { String::new() } else { format!("; it said: {words}") };
        CallFailure::Failed(format!("{what} of plugin {plugin} crashed: {cause}{words}"))
    }
}

/// Masks the secrets of a call in what it answers.
fn mask(held: Option<&Held>, answer: &mut dyn Texts) {
    struct Masking<'a>(&'a Held);
    impl Change for Masking<'_> {
        fn text(&mut self, text: &mut String) {
            self.0.mask_text(text);
        }
        fn bytes(&mut self, bytes: &mut Vec<u8>) {
            self.0.mask(bytes);
        }
    }
    if let Some(held) = held {
        answer.each(&mut Masking(held));
    }
}

fn masked<T: Texts>(held: Option<&Held>, mut answer: T) -> T {
    mask(held, &mut answer);
    answer
}

/// Why a list cannot be had.
fn unlistable(what: &str) -> impl FnOnce(CallFailure) -> LoadError {
    move |failure| {
        // It may be in the guest's own words, and where it is going is a log of one line for each event.
        let text = one_line(&format!("{what} failed: {failure}"));
        LoadError::Metadata(text.chars().take(MAX_FINDING).collect())
    }
}

/// How long an entry into the guest may take, and the key that sets it.
#[derive(Clone, Copy)]
struct Wall {
    ms: u64,
    setting: &'static str,
}

impl Wall {
    fn of_lists(limits: &Limits) -> Self {
        Self { ms: limits.list_wall_ms, setting: "list-wall-ms" }
    }

    /// The same, but not beyond the end of the call that makes this one.
    fn until(self, end: Option<Instant>) -> Self {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()).as_millis());
        let left = left.map_or(u64::MAX, |left| u64::try_from(left).unwrap_or(u64::MAX));
        Self { ms: self.ms.min(left), ..self }
    }

    fn time(self) -> Duration {
        Duration::from_millis(self.ms)
    }
}

/// Makes a directory that only the host's user can enter, and those it is in.
fn create_private(path: &std::path::Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Callers whose rules are kept ready. More are worked out anew.
const MAX_CALLERS: usize = 4_096;

/// What a failure to list may be in the log, in characters: a guest's last words, and what stands around them.
const MAX_FINDING: usize = 4_096;

/// The least a guest may hand to one host function, in bytes: chunks of files and HTTP bodies are up to 1 MiB.
const MIN_HOSTCALL_FUEL: usize = 4 << 20;
