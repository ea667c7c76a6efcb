//! `toolcell serve`.

use super::source::Sources;
use super::{connect, tell};
use crate::Host;
use anyhow::Context;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long requests in flight may go on after a signal, before the process ends all the same.
const DRAIN: Duration = Duration::from_secs(10);

#[derive(Args)]
#[command(after_help = "Without PATH and --config, toolcell.toml in the current folder says what to serve.
Plugins given as PATH get no grants: no files, no network, no variables.

Examples:
  toolcell serve echo.wasm                       One plugin over stdio
  toolcell serve plugins/ --http 127.0.0.1:0     A folder over HTTP, on a free port
  toolcell serve --http 127.0.0.1:8080 --stdio   toolcell.toml, over both

Exit codes: 0 it was asked to end, or its client left; 2 it could not be started.")]
pub(super) struct Serve {
    #[command(flatten)]
    sources: Sources,

    /// Serve HTTP on this address, MCP at /mcp; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,

    /// Serve standard input and output; the default unless HTTP is asked for
    #[arg(long)]
    stdio: bool,

    /// Keep tasks and plugins' values in this file, so that they outlive the server; instead of `[server] state`
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Do not reload when files change
    #[arg(long)]
    no_watch: bool,
}

pub(super) async fn run(serve: Serve) -> anyhow::Result<ExitCode> {
    let Serve { sources, http, stdio, state, no_watch } = serve;
    let settings = sources.settings()?;
    let address = http.or(settings.http);
    let stdio = stdio || address.is_none();
    // Bound before plugins are compiled: an address in use should not take seconds to show.
    let listener = match address {
        Some(address) => Some(TcpListener::bind(address).await.with_context(|| {
            format!("cannot listen on {address}; another server may be using it, try --http 127.0.0.1:0")
        })?),
        None => None,
    };
    let state = Sources::state(&settings, state).await?;
    let host = state.keep_for(sources.host(&settings, listener.as_ref())?).watch(!no_watch).build().await?;
    let serving = async {
        tokio::try_join!(serve_http(&host, listener), async {
            if stdio {
                host.serve_stdio().await?;
                // The client is gone. With HTTP asked for as well, the server stays for the others.
                if address.is_none() {
                    host.shutdown(DRAIN).await;
                }
            }
            Ok(())
        })
    };
    tokio::pin!(serving);
    let signal = tokio::select! {
        served = &mut serving => return served.map(|_| ExitCode::SUCCESS),
        signal = stop_signal() => signal,
    };
    tracing::info!("{signal}, finishing what is in flight");
    // What is served must go on being polled to come to its end.
    let (finished, _) = tokio::join!(host.shutdown(DRAIN), tokio::time::timeout(DRAIN, serving));
    if !finished {
        tracing::warn!("some requests did not finish in {} s", DRAIN.as_secs());
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve_http(host: &Host, listener: Option<TcpListener>) -> anyhow::Result<()> {
    let Some(listener) = listener else { return Ok(()) };
    let url = format!("http://{}/mcp", listener.local_addr()?);
    tell(&format!("listening on {url}"));
    tell(&connect::summary(&url, &host.snapshot()));
    Ok(host.serve_http(listener).await?)
}

pub(super) async fn stop_signal() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => "interrupted",
        _ = terminate => "asked to stop",
    }
}
