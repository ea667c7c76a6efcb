//! `toolcell serve`.

use super::listen::{self, Inherited};
use super::source::{Settings, Sources};
use super::spent::Kept;
use super::{connect, reloads, tell, trouble};
use crate::Host;
use crate::transport::http::Tls;
use crate::transport::http::admin::{Admin, Health, serve_admin};
use clap::Args;
use sd_notify::NotifyState;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::task::AbortOnDropHandle;

/// Time for what is left to end, once connections have been given up.
const AFTER_DRAIN: Duration = Duration::from_secs(1);

#[derive(Args)]
#[command(after_help = "Without PATH and --config, toolcell.toml in the current folder says what to serve.
Plugins given as PATH get no grants: no files, no network, no variables.

Examples:
  toolcell serve echo.wasm                       One plugin over stdio
  toolcell serve plugins/ --http 127.0.0.1:0     A folder over HTTP, on a free port
  toolcell serve --http 127.0.0.1:8080 --stdio   toolcell.toml, over both

Signals: SIGTERM and SIGINT finish what is in flight, for as long as `drain-ms` under [server] says, then end it; a second
one ends it at once. SIGHUP reads toolcell.toml and loads the plugins again, which also happens whenever files change.

A socket that a service manager has opened (LISTEN_FDS) is served instead of an address, so that a restart refuses nobody;
one named `admin` takes the place of `admin` under [server].

Exit codes: 0 it was asked to end, or its client left; 1 it was told to end at once; 2 it could not be started.")]
pub(super) struct Serve {
    #[command(flatten)]
    sources: Sources,

    /// Serve HTTP on this address, MCP at /mcp; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,

    /// Serve standard input and output; the default unless HTTP is asked for
    #[arg(long)]
    stdio: bool,

    /// Serve everyone who reaches the address, even other machines, although nobody is authenticated
    #[arg(long)]
    unauthenticated: bool,

    /// Keep tasks and plugins' values in this file, so that they outlive the server; instead of `[server] state`
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Do not reload when files change
    #[arg(long)]
    no_watch: bool,
}

pub(super) async fn run(serve: Serve) -> anyhow::Result<ExitCode> {
    let Serve { sources, http, stdio, unauthenticated, state, no_watch } = serve;
    // First of all: what a service manager has opened is taken from the environment, which others read later.
    let inherited = Inherited::take()?;
    let mut signals = Signals::listen()?;
    let mut settings = sources.settings_of_server()?;
    settings.listen.unauthenticated |= unauthenticated;
    // Bound before plugins are compiled: an address in use should not take seconds to show.
    let listener = listen::listener(inherited.http, http.or(settings.http), "--http 127.0.0.1:0").await?;
    let admin = listen::listener(inherited.admin, settings.listen.admin, "another port in `admin`").await?;
    let stdio = stdio || listener.is_none();
    if let Some(listener) = &listener {
        listen::judge(listener.local_addr()?, &settings.listen, settings.production.door.is_some())?;
    }
    settings.tls = settings.listen.tls.clone().map(Tls::load).transpose()?.map(Arc::new);

    let health = Health::default();
    let loading = health.hold("plugins are being loaded");
    let watching = trouble::watch(settings.production.telemetry.clone(), health.clone());
    let _watching = AbortOnDropHandle::new(tokio::spawn(watching));
    let _admin = admin.map(|listener| start_admin(listener, &settings, &health)).transpose()?;
    let budgets = Sources::budgets(&settings, state.as_deref())?;
    let kept = Sources::state(&settings, state).await?;
    let building = kept.keep_for(sources.host(&settings, listener.as_ref())?).watch(!no_watch).build();
    let host = tokio::select! {
        built = building => built?,
        signal = signals.stop() => {
            tracing::info!("{signal} before it had begun to serve");
            return Ok(ExitCode::SUCCESS);
        }
    };
    let _saving = budgets.clone().map(|kept| AbortOnDropHandle::new(tokio::spawn(kept.keep())));
    if settings.production.keeper.is_some() {
        tokio::spawn(reloads::tell(host.clone(), settings.production.telemetry.clone()));
    }
    let only_stdio = listener.is_none();
    let serving = async {
        tokio::try_join!(serve_http(&host, listener, settings.tls.is_some()), async {
            drop(loading);
            tell_manager(&[NotifyState::Ready]);
            if stdio {
                host.serve_stdio().await?;
                // The client is gone. With HTTP asked for as well, the server stays for the others.
                if only_stdio {
                    host.shutdown(settings.listen.limits.drain).await;
                }
            }
            Ok(())
        })
    };
    tokio::pin!(serving);
    let signal = loop {
        tokio::select! {
            served = &mut serving => {
                close_records(&settings, budgets).await;
                return served.map(|_| ExitCode::SUCCESS);
            }
            told = signals.next() => match told {
                Told::Stop(signal) => break signal,
                Told::Reload => {
                    tracing::info!("hung up on, loading again");
                    host.reload();
                }
            },
        }
    };
    let drain = settings.listen.limits.drain;
    let _draining = health.hold("requests in flight are being finished, the server ends");
    tell_manager(&[NotifyState::Stopping]);
    tracing::info!("{signal}, finishing what is in flight");
    // What is served must go on being polled to come to its end.
    let patience = drain.saturating_add(AFTER_DRAIN);
    let ending = async { tokio::join!(host.shutdown(patience), tokio::time::timeout(patience, serving)) };
    let (finished, _) = tokio::select! {
        ended = ending => ended,
        signal = signals.stop() => {
            tracing::warn!("{signal} again, ending at once");
            return Ok(ExitCode::FAILURE);
        }
    };
    close_records(&settings, budgets).await;
    if !finished {
        tracing::warn!("some requests did not finish in {} ms", patience.as_millis());
    }
    Ok(ExitCode::SUCCESS)
}

/// Brings what was measured and written down to where it belongs.
async fn close_records(settings: &Settings, budgets: Option<Kept>) {
    if let Some(kept) = budgets
        && let Ok(Err(error)) = tokio::task::spawn_blocking(move || kept.save("")).await
    {
        tracing::error!("what callers have spent is not kept: {error:#}");
    }
    if let Err(error) = settings.production.telemetry.shutdown(AFTER_DRAIN * 3).await {
        tracing::warn!("not all that was measured or written down has got where it belongs: {error}");
    }
}

async fn serve_http(host: &Host, listener: Option<TcpListener>, tls: bool) -> anyhow::Result<()> {
    let Some(listener) = listener else { return Ok(()) };
    let scheme = if tls { "https" } else { "http" };
    let url = format!("{scheme}://{}/mcp", listener.local_addr()?);
    tell(&format!("listening on {url}"));
    tell(&connect::summary(&url, &host.snapshot()));
    Ok(host.serve_http(listener).await?)
}

/// Serves operators' machines until the handle is dropped.
fn start_admin(
    listener: TcpListener,
    settings: &Settings,
    health: &Health,
) -> anyhow::Result<AbortOnDropHandle<std::io::Result<()>>> {
    let address = listener.local_addr()?;
    listen::judge_admin(address, &settings.listen)?;
    tell(&format!("health and metrics on http://{address}"));
    let allowed_hosts = settings.allowed_hosts.clone();
    let telemetry = settings.production.telemetry.clone();
    let metrics = telemetry.metrics().is_some().then(|| {
        let traffic = settings.production.traffic.clone();
        let render: Arc<dyn Fn() -> String + Send + Sync> = Arc::new(move || {
            if let Some(metrics) = telemetry.metrics() {
                metrics.set_traffic(traffic.answered(), traffic.sessions(), traffic.streams());
            }
            telemetry.render().unwrap_or_default()
        });
        render
    });
    let admin = Admin { health: health.clone(), metrics, allowed_hosts };
    Ok(AbortOnDropHandle::new(tokio::spawn(serve_admin(listener, admin))))
}

/// Tells the service manager, if there is one.
fn tell_manager(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}

/// What this process is told by signals. Heard from the start, so that none ends it unheard.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// Whether a terminal shows what is logged. Then hanging up is closing it, and means the end.
    attended: bool,
}

enum Told {
    Stop(&'static str),
    Reload,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            attended: std::io::stderr().is_terminal(),
        })
    }

    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Stop("asked to stop"),
            _ = self.interrupt.recv() => Told::Stop("interrupted"),
            _ = self.hangup.recv() => if self.attended { Told::Stop("hung up on") } else { Told::Reload },
        }
    }

    /// The next signal that asks to end.
    async fn stop(&mut self) -> &'static str {
        loop {
            if let Told::Stop(signal) = self.next().await {
                return signal;
            }
        }
    }
}

pub(super) async fn stop_signal() -> &'static str {
    match Signals::listen() {
        Ok(mut signals) => signals.stop().await,
        Err(_) => std::future::pending().await,
    }
}
