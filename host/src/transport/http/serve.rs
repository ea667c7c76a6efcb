//! A listener of one's own: HTTP/1.1 and HTTP/2 without TLS, told apart by their first bytes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::Response;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::pace::{Bodies, Paced, STEP};
use super::{Body, Service};
use crate::transport::Limits;

/// The path under which [`serve`] answers.
pub const ENDPOINT: &str = "/mcp";

/// Pause after a connection could not be taken, which usually means that files have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves the endpoint at [`ENDPOINT`] until `shutdown` is cancelled; requests that are open then get
/// [`Limits::drain`] to end. `shutdown` should be the token the service was made with, or its streams will not end.
///
/// # Errors
/// If the listener itself is of no use. A connection that fails is no error.
pub async fn serve(listener: TcpListener, service: Service, shutdown: CancellationToken) -> io::Result<()> {
    listener.local_addr()?;
    let service = service.at(ENDPOINT);
    let limits = service.shared.limits;
    let places = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let builder = Arc::new(builder(&limits));
    let mut connections = JoinSet::new();
    loop {
        let place = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let stream = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        let (service, builder, watcher) = (service.clone(), Arc::clone(&builder), graceful.watcher());
        connections.spawn(async move {
            let _place = place;
            connection(stream, service, &builder, watcher, &limits).await;
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections did not end in time and were dropped");
    }
    Ok(())
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // The smallest buffer HTTP/1 works with.
    let buffer = limits.header_bytes.max(8 * 1024);
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.header_time).max_buf_size(buffer);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(u32::try_from(limits.in_flight).unwrap_or(u32::MAX))
        .max_send_buf_size(STEP)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.header_time);
    builder
}

async fn connection(
    stream: TcpStream,
    service: Service,
    builder: &Builder<TokioExecutor>,
    watcher: hyper_util::server::graceful::Watcher,
    limits: &Limits,
) {
    // Answers are small and each one is waited for.
    let _ = stream.set_nodelay(true);
    let spoken = Arc::new(AtomicBool::new(false));
    let bodies = Arc::new(Bodies::default());
    let (heard, watched) = (Arc::clone(&spoken), Arc::clone(&bodies));
    let service = service_fn(move |request| {
        heard.store(true, Ordering::Relaxed);
        let (answer, watched) = (service.call(request), Arc::clone(&watched));
        async move { answer.await.map(|response: Response<Body>| response.map(|body| watched.watch(body))) }
    });
    let stream = TokioIo::new(Paced::new(stream, limits.write_time));
    let serving = watcher.watch(builder.serve_connection(stream, service).into_owned());
    // The builder waits for the first bytes without a limit of its own.
    let silent = async {
        tokio::time::sleep(limits.header_time).await;
        if spoken.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    // A stream that has nothing to say is asked at least as often as it says so.
    let stuck = bodies.stuck(limits.keep_alive.saturating_add(limits.write_time));
    tokio::select! {
        served = serving => {
            if let Err(error) = served {
                tracing::debug!(error, "a connection ended early");
            }
        }
        () = silent => tracing::debug!("a connection said nothing and was dropped"),
        () = stuck => tracing::debug!("a client did not read its answer and was dropped"),
    }
}
