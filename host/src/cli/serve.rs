//! `toolcell serve`.

use super::source::Sources;
use super::{Serve, connect, tell};
use crate::Host;
use anyhow::Context;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long requests in flight may go on after a signal, before the process ends all the same.
const DRAIN: Duration = Duration::from_secs(10);

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
    let tasks = Sources::tasks(&settings, state).await?;
    let host = sources.host(&settings, listener.as_ref())?.tasks(tasks).watch(!no_watch).build().await?;
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

async fn stop_signal() -> &'static str {
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
