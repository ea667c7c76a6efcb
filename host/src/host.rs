//! The composition root: puts the layers together and owns what runs between calls.

pub mod door;
mod leases;
pub mod overseer;
mod steps;
pub(crate) mod values;

use crate::policy::{AllowAll, Policy, Principal};
use crate::protocol::{Server, ServerInfo};
use crate::registry::oversight::{Overseer, Oversight, Rulebook};
use crate::registry::watch::Watch;
use crate::registry::{
    CallCtx, CallFailure, Load, LoadError, PluginSpec, Registry, Snapshot, Source, types::ToolOutcome,
};
use crate::sandbox::doors::Secrets;
use crate::sandbox::{Engine, EngineConfig};
use crate::transport::http::HttpConfig;
use crate::transport::{self, Channel};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use toolcell_state::{MemoryStore, TaskStore, ValueStore};

/// What a [`PluginList`] wants in service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// The plugins, in the order in which they get the names of their tools.
    pub plugins: Vec<PluginSpec>,
    /// Names of plugins that are meant to be there but whose entry makes no sense now: the version in service stays.
    pub unclear: Vec<String>,
    /// What is wrong with the list without making it useless; it is logged.
    pub problems: Vec<String>,
    /// What holds for callers from now on.
    pub rules: Rulebook,
    /// Files and folders besides the plugins' own whose change means the list must be asked again.
    pub depends_on: Vec<PathBuf>,
}

/// Says which plugins are wanted; asked at the start and again whenever something it depends on has changed. A closure of
/// this shape is a list.
pub trait PluginList: Send + Sync {
    /// # Errors
    /// Why there is no list now, in words for the operator. What is in service stays.
    fn wanted(&self) -> Result<Wanted, String>;
}

impl<F: Fn() -> Result<Wanted, String> + Send + Sync> PluginList for F {
    fn wanted(&self) -> Result<Wanted, String> {
        self()
    }
}

/// Why a host cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The engine cannot be set up.
    #[error("cannot set up the engine: {0}")]
    Engine(#[from] LoadError),
    /// The first list of plugins cannot be had.
    #[error("{0}")]
    List(String),
    /// Changes cannot be watched for.
    #[error("cannot watch for changes: {0}; raise the limit on inotify instances, or build the host without `watch`")]
    Watch(String),
}

/// Builds a [`Host`]. Every setting has a default that is safe: no plugins, no grants, the default limits, no watching.
pub struct HostBuilder {
    plugins: Vec<PluginSpec>,
    list: Option<Arc<dyn PluginList>>,
    policy: Arc<dyn Policy>,
    rules: Rulebook,
    secrets: Option<Arc<dyn Secrets>>,
    overseer: Option<Arc<dyn Overseer>>,
    engine: EngineConfig,
    server: ServerInfo,
    http: HttpConfig,
    local_user: Option<Arc<Principal>>,
    tasks: Arc<dyn TaskStore>,
    values: Arc<dyn ValueStore>,
    watch: bool,
}

impl HostBuilder {
    /// Adds a plugin.
    #[must_use]
    pub fn plugin(mut self, plugin: PluginSpec) -> Self {
        self.plugins.push(plugin);
        self
    }

    /// Adds the plugins of a list that may change while the host runs.
    #[must_use]
    pub fn plugins_from(mut self, list: impl PluginList + 'static) -> Self {
        self.list = Some(Arc::new(list));
        self
    }

    /// Asks `policy` before each call, beside the grants. Default is [`AllowAll`].
    #[must_use]
    pub fn policy(mut self, policy: impl Policy + 'static) -> Self {
        self.policy = Arc::new(policy);
        self
    }

    /// Which callers may use what, and what a person must approve. A [`PluginList`] brings rules of its own, which then
    /// hold instead. Default is none: every caller may use everything.
    #[must_use]
    pub fn rules(mut self, rules: Rulebook) -> Self {
        self.rules = rules;
        self
    }

    /// Knows the values of secrets that plugins are granted. Default is none.
    #[must_use]
    pub fn secrets(mut self, secrets: Arc<dyn Secrets>) -> Self {
        self.secrets = Some(secrets);
        self
    }

    /// Counts calls and writes them down. Default is nobody.
    #[must_use]
    pub fn overseer(mut self, overseer: Arc<dyn Overseer>) -> Self {
        self.overseer = Some(overseer);
        self
    }

    /// Sizes the engine.
    #[must_use]
    pub fn engine(mut self, engine: EngineConfig) -> Self {
        self.engine = engine;
        self
    }

    /// What the server says of itself.
    #[must_use]
    pub fn server(mut self, server: ServerInfo) -> Self {
        self.server = server;
        self
    }

    /// How HTTP is served.
    #[must_use]
    pub fn http(mut self, http: HttpConfig) -> Self {
        self.http = http;
        self
    }

    /// Who is at the other end of standard input and output. Default is nobody in particular.
    #[must_use]
    pub fn local_user(mut self, user: Option<Arc<Principal>>) -> Self {
        self.local_user = user;
        self
    }

    /// Keeps tasks in this store. Default is memory: they end with the process.
    #[must_use]
    pub fn tasks(mut self, store: Arc<dyn TaskStore>) -> Self {
        self.tasks = store;
        self
    }

    /// Keeps the values of plugins in this store, which may be the same as the one of [`tasks`](Self::tasks). Default is
    /// memory: they end with the process.
    #[must_use]
    pub fn values(mut self, store: Arc<dyn ValueStore>) -> Self {
        self.values = store;
        self
    }

    /// Reloads plugins when their files change. Takes one thread for the operating system's events. Default is not to.
    #[must_use]
    pub fn watch(mut self, watch: bool) -> Self {
        self.watch = watch;
        self
    }

    /// Loads all plugins and returns the host that serves them. A plugin that does not load is no error: see
    /// [`Host::snapshot`] for its [`Problem`](crate::registry::Problem).
    ///
    /// Must run inside a tokio runtime. Besides its tasks the host owns one thread for the engine's clock.
    ///
    /// # Errors
    /// See [`HostError`].
    pub async fn build(self) -> Result<Host, HostError> {
        let Self { plugins, list, policy, rules, secrets, overseer, engine, server, http, .. } = self;
        let Self { local_user, tasks: store, values, watch, .. } = self;
        let oversight = Oversight::new(policy, overseer);
        let registry = Registry::new(Engine::new(&engine)?, oversight, Arc::new(values::Door(values)), secrets);
        let plan = Plan { fixed: plugins, list, rules };
        let wanted = plan.wanted().map_err(HostError::List)?;
        // Before the first plugin is there, so that none is ever open to those it is not for.
        registry.set_rules(wanted.rules.clone()).await;
        wanted.report();
        // The watch begins before the first look, so that no change falls between the two.
        let mut watch =
            if watch { Some(Watch::new().map_err(|error| HostError::Watch(error.to_string()))?) } else { None };
        if let Some(watch) = &mut watch {
            watch.follow(&wanted.paths());
        }
        registry.load(&wanted.plugins, &[], "start").await;

        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let asked = Arc::new(Notify::new());
        tasks.spawn(stop.clone().run_until_cancelled_owned(reload(registry.clone(), plan, watch, Arc::clone(&asked))));
        let lists = registry.clone();
        tasks.spawn(stop.clone().run_until_cancelled_owned(async move { lists.keep_lists_current().await }));
        let server = Server::with_state(registry.clone(), server, store, None);
        let tended = Arc::clone(&server);
        tasks.spawn(stop.clone().run_until_cancelled_owned(async move { tended.tend_tasks().await }));
        let guard = stop.clone().drop_guard();
        Ok(Host(Arc::new(Inner { registry, server, http, local_user, stop, tasks, asked, _guard: guard })))
    }
}

/// A running host. Cheap to clone; when the last clone is dropped its tasks end.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    registry: Registry,
    server: Arc<Server>,
    http: HttpConfig,
    local_user: Option<Arc<Principal>>,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// Someone wants a reload.
    asked: Arc<Notify>,
    _guard: DropGuard,
}

impl Host {
    /// Starts building a host.
    pub fn builder() -> HostBuilder {
        let state = Arc::new(MemoryStore::new(toolcell_state::Limits::default()));
        HostBuilder {
            plugins: Vec::new(),
            list: None,
            policy: Arc::new(AllowAll),
            rules: Rulebook::default(),
            secrets: None,
            overseer: None,
            engine: EngineConfig::default(),
            server: ServerInfo::default(),
            http: HttpConfig::default(),
            local_user: None,
            tasks: Arc::clone(&state) as _,
            values: state,
            watch: false,
        }
    }

    /// The plugins and tools in service now, and what is not and why.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.0.registry.snapshot()
    }

    /// Which callers may use what now, and what a person must approve.
    pub fn rules(&self) -> Arc<Rulebook> {
        self.0.registry.rules()
    }

    /// Tells when plugins have been loaded anew, whether or not that changed anything: the generation of the snapshot that
    /// is in service from then on.
    pub fn reloads(&self) -> watch::Receiver<u64> {
        self.0.registry.generations()
    }

    /// Tells of each load from now on, with what it left in service; [`reloads`](Self::reloads) tells of the last only.
    /// Whoever is 64 loads behind misses the oldest, and is told how many.
    pub fn loads(&self) -> broadcast::Receiver<Load> {
        self.0.registry.loads()
    }

    /// Calls a tool in this process, through validation, policy and cell like any client. `arguments` is the text of a
    /// JSON object.
    ///
    /// Cancel safe: dropping the future ends the tool.
    ///
    /// # Errors
    /// See [`CallFailure`]; [`CallFailure::NotFound`] if there is no such tool.
    pub async fn call_tool(&self, name: &str, arguments: &str, ctx: CallCtx) -> Result<ToolOutcome, CallFailure> {
        let snapshot = self.snapshot();
        let tool =
            snapshot.tool(name).ok_or_else(|| CallFailure::NotFound(format!("there is no tool named {name}")))?;
        tool.call(arguments, ctx).await
    }

    /// Replaces the plugins in service by these, as a reload does: beside the old ones, then in one swap.
    pub async fn load(&self, plugins: &[PluginSpec]) -> Arc<Snapshot> {
        self.0.registry.load(plugins, &[], "embedder").await
    }

    /// Asks for a reload, as if all files had changed: the list is asked again, and what it names is loaded beside what is
    /// in service, then swapped. Returns at once; [`reloads`](Self::reloads) tells of the end.
    pub fn reload(&self) {
        self.0.asked.notify_one();
    }

    /// The MCP endpoint as a service, for mounting into a hyper or tower server such as axum's. It answers on whatever
    /// path it is mounted at; [`with_sse`](transport::http::Service::with_sse) adds the HTTP+SSE transport of the oldest
    /// clients. How slowly clients may take a single large answer is for that server to limit.
    pub fn http_service(&self) -> transport::http::Service {
        transport::http::Service::new(Arc::clone(&self.0.server), self.0.http.clone(), self.0.stop.clone())
    }

    /// Serves HTTP on a listener until the host is shut down, then lets open requests finish.
    ///
    /// # Errors
    /// If the listener fails.
    pub async fn serve_http(&self, listener: TcpListener) -> std::io::Result<()> {
        let serving = transport::http::serve(listener, self.http_service(), self.0.stop.clone());
        self.0.tasks.track_future(serving).await
    }

    /// Serves one client on standard input and output, until either ends or the host is shut down.
    ///
    /// # Errors
    /// If a stream fails.
    pub async fn serve_stdio(&self) -> std::io::Result<()> {
        let serving =
            transport::stdio::serve_as(Arc::clone(&self.0.server), self.0.local_user.clone(), self.0.stop.clone());
        self.0.tasks.track_future(serving).await
    }

    /// Serves one client over a transport of the embedder's own: two channels of messages, one JSON-RPC message each.
    pub async fn serve_channel(&self, channel: Channel) {
        let serving = transport::serve_channel(Arc::clone(&self.0.server), channel, self.0.stop.clone());
        self.0.tasks.track_future(serving).await;
    }

    /// Ends what runs: streams are closed, requests in flight may finish for as long as `patience`.
    ///
    /// Returns whether all of them did.
    pub async fn shutdown(&self, patience: Duration) -> bool {
        self.0.stop.cancel();
        self.0.server.stop_tasks();
        self.0.tasks.close();
        tokio::time::timeout(patience, self.0.tasks.wait()).await.is_ok()
    }
}

/// The plugins given once and those of a list.
struct Plan {
    fixed: Vec<PluginSpec>,
    list: Option<Arc<dyn PluginList>>,
    rules: Rulebook,
}

impl Plan {
    fn wanted(&self) -> Result<Wanted, String> {
        let mut wanted = match &self.list {
            Some(list) => list.wanted()?,
            None => Wanted { rules: self.rules.clone(), ..Wanted::default() },
        };
        wanted.plugins.splice(..0, self.fixed.iter().cloned());
        Ok(wanted)
    }
}

impl Wanted {
    fn report(&self) {
        for problem in &self.problems {
            tracing::error!("{problem}");
        }
    }

    fn paths(&self) -> Vec<PathBuf> {
        let of_plugins = self.plugins.iter().filter_map(|plugin| match &plugin.source {
            Source::File(path) | Source::Folder(path) => Some(path.clone()),
            Source::Bytes(_) => None,
        });
        self.depends_on.iter().cloned().chain(of_plugins).collect()
    }
}

/// Loads again after each change, and whenever someone asks, one load at a time: what changes meanwhile is one more round.
async fn reload(registry: Registry, plan: Plan, mut watch: Option<Watch>, asked: Arc<Notify>) {
    let mut last_error = None;
    loop {
        let changed = async {
            match &mut watch {
                Some(watch) => watch.changed().await,
                None => std::future::pending().await,
            }
        };
        let cause = tokio::select! {
            path = changed => {
                let Some(path) = path else { return };
                path.file_name().map_or_else(|| "files changed".into(), |name| name.to_string_lossy().into_owned())
            }
            () = asked.notified() => {
                last_error = None;
                "asked to".to_owned()
            }
        };
        let mut follow = |wanted: &Wanted| {
            if let Some(watch) = &mut watch {
                watch.follow(&wanted.paths());
            }
        };
        match plan.wanted() {
            Ok(wanted) => {
                last_error = None;
                wanted.report();
                follow(&wanted);
                registry.set_rules(wanted.rules.clone()).await;
                registry.load(&wanted.plugins, &wanted.unclear, &cause).await;
                // A link may lead elsewhere now; what it leads to is only known after the change.
                follow(&wanted);
            }
            Err(error) if last_error.as_ref() != Some(&error) => {
                tracing::error!(cause, "configuration not applied, what was in service stays: {error}");
                last_error = Some(error);
            }
            Err(_) => {}
        }
    }
}
