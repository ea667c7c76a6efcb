//! `toolcell dev`: a plugin's project is built, served and shown while it is written.
//!
//! The host serves the component that was built last and reloads it by itself; this only builds it whenever a source
//! changes, one build at a time, and shows what happens. In reading order: `sources` (what changed), `view` (what is
//! shown).

mod sources;
mod view;

use super::heard::Listening;
use super::secrets::Vault;
use super::serve::stop_signal;
use super::source::{self, Sources};
use super::{connect, project};
use crate::Host;
use crate::host::Wanted;
use crate::registry::watch::Watch;
use anyhow::{Context, anyhow};
use clap::Args;
use sources::Fingerprint;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use toolcell_author::{Built, Error, Language, Options, Project, Report};
use view::View;

/// Where it is served unless something else is said; if that is taken, on a free port.
const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
/// How long requests in flight may go on after Ctrl-C.
const DRAIN: Duration = Duration::from_secs(2);

#[derive(Args)]
#[command(
    after_help = "It builds the project, serves it over HTTP, and builds and reloads it whenever a source changes. A build that fails
leaves the version before in service. Grants come from the project's toolcell.toml, which is read again when it changes.
What clients call, what the plugin logs and what it is refused is shown as it happens, one line each.

Examples:
  toolcell dev                                  The project in this folder, on 127.0.0.1:8080 or a free port
  toolcell dev todo --http 127.0.0.1:9000
  toolcell dev --get                            Get toolchains that are missing into .toolcell/tools
  toolcell dev --json | jq -r 'select(.event == \"call\").tool'

With --json each line is an object with `event`: serving, building, step, output, built, build-failed, in-service, call,
log, refused, limit, crash, stopped.

Exit codes: 0 it was asked to end (Ctrl-C), 2 it could not be started."
)]
pub(super) struct Dev {
    /// The project's folder
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,

    /// Serve on this address, MCP at /mcp. Default is 127.0.0.1:8080, or a free port if that is taken
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,

    /// The language, where plugin.toml and the files do not tell it
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<Language>,

    /// Show one JSON object a line
    #[arg(long)]
    json: bool,

    /// Get toolchains that are missing into the project's .toolcell/tools
    #[arg(long)]
    get: bool,

    /// Build for debugging: names and lines in stack traces, larger and slower
    #[arg(long)]
    debug: bool,
}

pub(super) async fn run(dev: Dev, listening: Option<Listening>) -> anyhow::Result<ExitCode> {
    let Dev { dir, http, lang, json, get, debug } = dev;
    let listening = listening.context("the log cannot be heard")?;
    let folder = Folder { dir: std::path::absolute(&dir)?, lang, vault: Vault::default() };
    let project = folder.open()?;
    let listener = bind(http).await?;
    let url = format!("http://{}/mcp", listener.local_addr()?);
    let sources = Sources::of(
        if project::config_of(&project).is_some() { Vec::new() } else { vec![dir] },
        project::config_of(&project),
    );
    let settings = sources.settings()?;
    let list = folder.clone();
    let state = Sources::state_beside(&settings, None).await?;
    let host = state.keep_for(source::builder(&settings, Some(&listener))?);
    let host = host.secrets(Arc::new(folder.vault.clone()));
    let host = host.plugins_from(move || list.wanted()).watch(true).build().await?;

    let view = View::new(json);
    view.serving(&project, &url, &connect::snippets(&url))?;
    let serving = tokio::spawn({
        let host = host.clone();
        async move { host.serve_http(listener).await }
    });
    let work =
        Work { folder, options: Options { get_tools: get, debug, ..Options::default() }, host: host.clone(), view };
    let worked = tokio::select! {
        worked = work.go(project, listening) => worked,
        served = serving => Err(served.map_or_else(|error| anyhow!(error), |served| match served {
            Ok(()) => anyhow!("the server ended"),
            Err(error) => error.into(),
        })),
        _ = stop_signal() => Ok(()),
    };
    host.shutdown(DRAIN).await;
    // Whoever read the lines may be gone as well.
    let _ = View::new(json).stopped();
    worked.map(|()| ExitCode::SUCCESS)
}

/// The address that was asked for, or the usual one, or a free one in its place.
async fn bind(asked: Option<SocketAddr>) -> anyhow::Result<TcpListener> {
    let cannot = |address: SocketAddr| {
        format!("cannot listen on {address}; another server may be using it, try --http 127.0.0.1:0")
    };
    match asked {
        Some(address) => TcpListener::bind(address).await.with_context(|| cannot(address)),
        None => match TcpListener::bind(ADDRESS).await {
            Ok(listener) => Ok(listener),
            Err(_) => {
                let free = SocketAddr::new(ADDRESS.ip(), 0);
                TcpListener::bind(free).await.with_context(|| cannot(free))
            }
        },
    }
}

/// A project's folder. What is in it is read anew for each build.
#[derive(Clone)]
struct Folder {
    dir: PathBuf,
    lang: Option<Language>,
    vault: Vault,
}

impl Folder {
    fn open(&self) -> Result<Project, Error> {
        let project = Project::open(&self.dir)?;
        Ok(Project { language: self.lang.unwrap_or(project.language), ..project })
    }

    /// What the host is to serve: what toolcell.toml says, or the component with nothing granted.
    fn wanted(&self) -> Result<Wanted, String> {
        let project = self.open().map_err(|error| error.to_string())?;
        let mut wanted = match project::config_of(&project) {
            Some(file) => source::wanted(&file, &self.vault, None)?,
            None => Wanted {
                plugins: vec![project::spec(&project).map_err(|error| format!("{error:#}"))?],
                ..Wanted::default()
            },
        };
        wanted.depends_on.extend(["toolcell.toml", "plugin.toml"].map(|name| self.dir.join(name)));
        Ok(wanted)
    }
}

/// What a build says.
enum Told {
    Report(Report),
    Done(Result<Built, String>),
}

struct Work {
    folder: Folder,
    options: Options,
    host: Host,
    view: View,
}

impl Work {
    /// Builds, and builds again, until something goes wrong that no edit can mend.
    async fn go(self, project: Project, mut listening: Listening) -> anyhow::Result<()> {
        let mut watch = watch(&project)?;
        let mut reloads = self.host.reloads();
        let (tell, mut told) = mpsc::unbounded_channel();
        // What was built the last time is in service until the first build is done.
        self.view.in_service(&self.host.snapshot(), true)?;
        let mut seen = self.build(project, &tell)?;
        let mut building = true;
        loop {
            tokio::select! {
                Some(told) = told.recv() => match told {
                    Told::Report(report) => self.view.report(&report)?,
                    Told::Done(done) => {
                        building = false;
                        let in_service = !self.host.snapshot().plugins().is_empty();
                        self.view.built(&self.folder.dir, done, in_service)?;
                        // What changed meanwhile, however often, is one more build.
                        if let Some(next) = self.changed(seen, &mut watch)? {
                            (seen, building) = (self.build(next, &tell)?, true);
                        }
                    }
                },
                changed = watch.changed() => {
                    changed.context("the folder is no longer watched; start again")?;
                    if !building && let Some(next) = self.changed(seen, &mut watch)? {
                        (seen, building) = (self.build(next, &tell)?, true);
                    }
                }
                Ok(()) = reloads.changed() => {
                    let snapshot = self.host.snapshot();
                    self.view.in_service(&snapshot, building)?;
                }
                Some(heard) = listening.recv() => self.view.heard(&heard)?,
            }
        }
    }

    /// Starts a build of the sources as they are.
    fn build(&self, project: Project, tell: &mpsc::UnboundedSender<Told>) -> anyhow::Result<Fingerprint> {
        let seen = Fingerprint::of(&project);
        self.view.building()?;
        let (tell, options) = (tell.clone(), self.options.clone());
        tokio::spawn(async move {
            let report = |report| drop(tell.send(Told::Report(report)));
            let built = project::build(&project, &options, report).await;
            let done = match built {
                Ok(built) => built.map_err(|error| error.to_string()),
                Err(error) => Err(format!("{error:#}")),
            };
            // Nobody listens once it was asked to end.
            let _ = tell.send(Told::Done(done));
        });
        Ok(seen)
    }

    /// The project as it is now, if its sources are not those that were built last.
    fn changed(&self, seen: Fingerprint, watch: &mut Watch) -> anyhow::Result<Option<Project>> {
        match self.folder.open() {
            Ok(project) => {
                watch.follow_folders(sources::folders(&project));
                Ok((Fingerprint::of(&project) != seen).then_some(project))
            }
            Err(error) => {
                self.view.built(
                    &self.folder.dir,
                    Err(error.to_string()),
                    !self.host.snapshot().plugins().is_empty(),
                )?;
                Ok(None)
            }
        }
    }
}

fn watch(project: &Project) -> anyhow::Result<Watch> {
    let of = project.clone();
    let mut watch = Watch::of(move |path: &Path| of.is_source(path))
        .context("cannot watch for changes; raise the limit on inotify instances")?;
    watch.follow_folders(sources::folders(project));
    Ok(watch)
}
