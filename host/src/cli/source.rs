//! Where plugins come from: paths on the command line, or a configuration file.

use super::local;
use super::production::Production;
use super::secrets::{self, Vault};
use super::spent::Kept;
use crate::config::{self, Config};
use crate::host::overseer::Keeper;
use crate::host::{HostBuilder, Wanted};
use crate::policy::Principal;
use crate::protocol::ServerInfo;
use crate::registry::{PluginSpec, Source, plugin_name};
use crate::sandbox::EngineConfig;
use crate::state::{self, BoxFuture, FileStore, KeyPage, MemoryStore, StateError, TaskStore, ValueStore, ValueWrite};
use crate::transport::http::{Doorkeeper, HttpConfig, Proxies, Tls};
use anyhow::{Context, bail};
use clap::Args;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;
use toolcell_quota::Quotas;

/// The configuration read when nothing is said.
const DEFAULT_CONFIG: &str = "toolcell.toml";

#[derive(Args)]
pub(super) struct Sources {
    /// Components, or folders of them; they get no grants
    #[arg(value_name = "PATH", conflicts_with = "config")]
    paths: Vec<PathBuf>,

    /// The configuration to use instead of ./toolcell.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What a configuration says besides its plugins.
pub(super) struct Settings {
    pub(super) http: Option<SocketAddr>,
    server: ServerInfo,
    pub(super) allowed_hosts: Vec<String>,
    allowed_origins: Vec<String>,
    /// The file in which tasks and values are kept.
    state: Option<PathBuf>,
    /// Tasks one caller may have at once.
    max_tasks: u64,
    /// The values of the secrets, which each load of the configuration reads.
    vault: Vault,
    /// How it is reached, besides its address.
    pub(super) listen: config::ListenConfig,
    /// Its certificates, once they are loaded.
    pub(super) tls: Option<Arc<Tls>>,
    /// Who is let in, how much they may use, and what is written down.
    pub(super) production: Production,
    /// Who calls without proving anything, where it matters who calls.
    pub(super) local_user: Option<Arc<Principal>>,
}

/// What outlives a request, through both its doors.
pub(super) struct State {
    tasks: Arc<dyn TaskStore>,
    values: Arc<dyn ValueStore>,
}

impl State {
    fn of(store: impl TaskStore + ValueStore) -> Self {
        let store = Arc::new(store);
        Self { tasks: Arc::clone(&store) as _, values: store }
    }

    /// The same file, which another process has open: whoever needs it is told so, everything else works.
    fn busy(error: StateError) -> Self {
        Self { tasks: Arc::new(MemoryStore::new(state::Limits::default())), values: Arc::new(Busy(error)) }
    }

    pub(super) fn keep_for(self, host: HostBuilder) -> HostBuilder {
        host.tasks(self.tasks).values(self.values)
    }
}

/// A store that cannot be had now.
struct Busy(StateError);

impl ValueStore for Busy {
    fn value<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, StateError>> {
        Box::pin(async { Err(self.0.clone()) })
    }

    fn put(&self, _: ValueWrite) -> BoxFuture<'_, Result<(), StateError>> {
        Box::pin(async { Err(self.0.clone()) })
    }

    fn keys<'a>(&'a self, _: &'a str, _: &'a str, _: Option<&'a str>) -> BoxFuture<'a, Result<KeyPage, StateError>> {
        Box::pin(async { Err(self.0.clone()) })
    }
}

/// All that is wrong before anything is loaded, and what could be loaded.
pub(super) struct Found {
    pub(super) problems: Vec<String>,
    pub(super) plugins: Option<Vec<PluginSpec>>,
}

impl Sources {
    /// What was typed in another form.
    pub(super) fn of(paths: Vec<PathBuf>, config: Option<PathBuf>) -> Self {
        Self { paths, config }
    }

    /// # Errors
    /// If the configuration cannot be used at all, or a path is not there.
    pub(super) fn settings(&self) -> anyhow::Result<Settings> {
        for path in &self.paths {
            if !path.exists() {
                bail!("{} does not exist; give a .wasm file or a folder of them", path.display());
            }
        }
        if !self.paths.is_empty() {
            return Ok(Settings {
                http: None,
                server: ServerInfo::default(),
                allowed_hosts: Vec::new(),
                allowed_origins: Vec::new(),
                state: None,
                max_tasks: config::ServerConfig::default().max_tasks,
                vault: Vault::default(),
                listen: config::ListenConfig::default(),
                tls: None,
                production: Production::none(),
                local_user: None,
            });
        }
        let config = self.read().map_err(anyhow::Error::msg)?;
        let local_user = config.tells_callers_apart().then(local::user).flatten();
        let config::ServerConfig {
            http,
            allowed_hosts,
            allowed_origins,
            page_size,
            list_ttl_ms,
            state,
            max_tasks,
            instructions,
            listen,
            ..
        } = config.server;
        let server = ServerInfo { page_size, list_ttl_ms, instructions, ..ServerInfo::default() };
        let (tls, vault) = (None, Vault::default());
        let production = Production::none();
        Ok(Settings {
            http,
            server,
            allowed_hosts,
            allowed_origins,
            state,
            max_tasks,
            vault,
            listen,
            tls,
            production,
            local_user,
        })
    }

    /// The same with all that only a server needs: who is let in, how much they may use, what is written down.
    ///
    /// # Errors
    /// As for [`Sources::settings`], or if any of that cannot be set up.
    pub(super) fn settings_of_server(&self) -> anyhow::Result<Settings> {
        let mut settings = self.settings()?;
        if self.paths.is_empty() {
            let config = self.read().map_err(anyhow::Error::msg)?;
            settings.production = Production::of(&config, settings.listen.admin.is_some())?;
        }
        Ok(settings)
    }

    /// The budgets of callers, that go on from where an earlier process left them, if there is a file to keep them beside.
    ///
    /// # Errors
    /// What was kept cannot be used.
    pub(super) fn budgets(settings: &Settings, file: Option<&Path>) -> anyhow::Result<Option<Kept>> {
        let (Some(keeper), Some(state)) = (&settings.production.keeper, file.or(settings.state.as_deref())) else {
            return Ok(None);
        };
        Kept::open(state, keeper.clone()).map(Some)
    }

    /// Where tasks and values are kept: in `file`, or in what the settings name, or in memory.
    ///
    /// # Errors
    /// If the file cannot be opened; the text says what to do.
    pub(super) async fn state(settings: &Settings, file: Option<PathBuf>) -> anyhow::Result<State> {
        let default = state::Limits::default();
        let limits = state::Limits {
            max_records_per_owner: settings.max_tasks,
            max_records: default.max_records.max(settings.max_tasks),
            ..default
        };
        Ok(match file.or_else(|| settings.state.clone()) {
            Some(file) => State::of(FileStore::open(file, limits).await?),
            None => State::of(MemoryStore::new(limits)),
        })
    }

    /// The same beside a server that may have the file open: then only plugins that keep values notice.
    ///
    /// # Errors
    /// If the file cannot be opened for another reason.
    pub(super) async fn state_beside(settings: &Settings, file: Option<PathBuf>) -> anyhow::Result<State> {
        match Self::state(settings, file).await {
            Err(error) => match error.downcast_ref::<StateError>() {
                Some(in_use @ StateError::InUse { .. }) => Ok(State::busy(in_use.clone())),
                _ => Err(error),
            },
            opened => opened,
        }
    }

    /// A host for these plugins.
    ///
    /// # Errors
    /// If the current folder cannot be found out.
    pub(super) fn host(&self, settings: &Settings, listener: Option<&TcpListener>) -> anyhow::Result<HostBuilder> {
        let builder = builder(settings, listener)?;
        if self.paths.is_empty() {
            let file = std::path::absolute(self.config_file()).context("the current folder")?;
            let (vault, keeper) = (settings.vault.clone(), settings.production.keeper.clone());
            return Ok(builder
                .secrets(Arc::new(vault.clone()))
                .plugins_from(move || wanted(&file, &vault, keeper.as_ref())));
        }
        Ok(self.specs()?.into_iter().fold(builder, HostBuilder::plugin))
    }

    /// Everything that is wrong, not only the first.
    pub(super) fn diagnose(&self) -> Found {
        if !self.paths.is_empty() {
            return match self.settings().and_then(|_| self.specs()) {
                Ok(plugins) => Found { problems: Vec::new(), plugins: Some(plugins) },
                Err(error) => Found { problems: vec![format!("{error:#}")], plugins: None },
            };
        }
        match self.read() {
            Ok(config) => {
                let problems = config.problems.iter().map(ToString::to_string).collect();
                Found { problems, plugins: Some(specs(&config)) }
            }
            Err(problems) => Found { problems: problems.lines().map(str::to_owned).collect(), plugins: None },
        }
    }

    fn config_file(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new(DEFAULT_CONFIG))
    }

    /// A text of one line for each problem, if there is no configuration.
    fn read(&self) -> Result<Config, String> {
        let file = self.config_file();
        if self.config.is_none() && !file.exists() {
            return Err(format!(
                "there is no {DEFAULT_CONFIG} in this folder; give a component or a folder of them (`toolcell serve PATH`), or write one"
            ));
        }
        load(file)
    }

    fn specs(&self) -> anyhow::Result<Vec<PluginSpec>> {
        let spec = |path: &PathBuf| {
            let path = std::path::absolute(path)?;
            let name = plugin_name(&path);
            Ok(PluginSpec::new(name, source(path)))
        };
        self.paths.iter().map(spec).collect()
    }
}

/// A host without plugins.
///
/// # Errors
/// If the listener has no address.
pub(super) fn builder(settings: &Settings, listener: Option<&TcpListener>) -> anyhow::Result<HostBuilder> {
    let bound = listener.map(TcpListener::local_addr).transpose()?;
    let http = HttpConfig {
        allowed_hosts: settings.allowed_hosts.clone(),
        allowed_origins: settings.allowed_origins.clone(),
        limits: settings.listen.limits,
        doorkeeper: settings.production.door.clone().map(|door| door as Arc<dyn Doorkeeper>),
        proxies: Proxies::new(settings.listen.trusted_proxies.clone()),
        tls: settings.tls.clone(),
        traffic: settings.production.traffic.clone(),
        ..HttpConfig::bound_to(bound)
    };
    let builder = crate::Host::builder().server(settings.server.clone()).http(http).engine(engine());
    let builder = builder.local_user(settings.local_user.clone());
    Ok(match &settings.production.keeper {
        Some(keeper) => builder.overseer(Arc::new(keeper.clone())),
        None => builder,
    })
}

fn source(path: PathBuf) -> Source {
    if path.is_dir() { Source::Folder(path) } else { Source::File(path) }
}

fn load(file: &Path) -> Result<Config, String> {
    config::load(file, &|name| std::env::var(name).ok()).map_err(|error| error.to_string())
}

/// Reads the configuration again, for a reload. A plugin with a problem keeps what it has.
pub(super) fn wanted(file: &Path, vault: &Vault, keeper: Option<&Keeper>) -> Result<Wanted, String> {
    let config = load(file)?;
    let unread = vault.fill(&config);
    if let Some(keeper) = keeper {
        let quotas = config.quotas.clone().map(Quotas::new).transpose();
        keeper.set_quotas(quotas.map_err(|error| format!("[quotas] cannot hold: {error}"))?);
    }
    let plugins = specs(&config);
    let unclear = config.problems.iter().filter_map(|problem| problem.plugin.clone()).collect();
    let problems = config.problems.iter().map(ToString::to_string).chain(unread).collect();
    let files = std::iter::once(file.to_owned()).chain(secrets::files(&config));
    let depends_on = files.chain(config.absent.iter().cloned()).collect();
    Ok(Wanted { plugins, unclear, problems, depends_on, rules: config.rules })
}

pub(super) fn specs(config: &Config) -> Vec<PluginSpec> {
    let spec = |plugin: &config::PluginConfig| {
        let config::PluginConfig { name, path, prefix, grant, limits, serving, .. } = plugin.clone();
        PluginSpec {
            name,
            source: source(path),
            prefix: Some(prefix).filter(|prefix| !prefix.is_empty()),
            grant,
            limits,
            serving,
        }
    };
    config.plugins.iter().map(spec).collect()
}

/// The engine of a command: what it compiles is kept for the next.
pub(super) fn engine() -> EngineConfig {
    EngineConfig { cache_dir: cache_dir(), ..EngineConfig::default() }
}

/// Where compiled components are kept between runs: the user's own cache, if there is one.
fn cache_dir() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(base.join("toolcell"))
}
