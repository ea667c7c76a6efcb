//! A listener of one's own: HTTP/1.1 and HTTP/2, with TLS or without; which one a client speaks shows in its first bytes.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::uri::Scheme;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::crowd::{Crowd, client};
use super::doorkeeper::unclear;
use super::pace::{Bodies, Paced, STEP};
use super::proxies::Link;
use super::{Body, Service, Tls};
use crate::transport::Limits;

/// The path under which [`serve`] answers.
pub const ENDPOINT: &str = "/mcp";

/// Time for the first request of a connection that was taken just before the server stops: its client could not know, and
/// should not find it closed.
const FIRST_REQUEST: Duration = Duration::from_secs(1);
/// Pause after a connection could not be taken, which usually means that files have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Streams of HTTP/2 that a client may open and reset before they have been looked at.
const RESETS_UNSEEN: usize = 20;
/// Streams of HTTP/2 that may break the rules before the connection ends.
const RESETS_FOR_ERRORS: usize = 64;
/// Requests of one connection that may be left before they are answered. Beyond that no more than half may be: leaving is
/// how clients cancel, but one that mostly leaves wants us to work for nothing.
const LEFT: u64 = 128;

/// Serves the endpoint at [`ENDPOINT`] until `shutdown` is cancelled; requests that are open then get
/// [`Limits::drain`] to end. `shutdown` should be the token the service was made with, or its streams will not end.
///
/// Each request comes to the service with a [`Peer`](super::Peer) in an [`Arc`] among its extensions.
///
/// # Errors
/// If the listener itself is of no use. A connection that fails is no error.
pub async fn serve(listener: TcpListener, service: Service, shutdown: CancellationToken) -> io::Result<()> {
    listener.local_addr()?;
    let service = service.at(ENDPOINT);
    let shared = Arc::clone(&service.shared);
    let limits = shared.limits;
    let places = Arc::new(Semaphore::new(limits.connections));
    let crowd = Crowd::new(limits.connections_per_address);
    let builder = Arc::new(builder(&limits));
    let _renewal =
        shared.tls.clone().map(|tls| AbortOnDropHandle::new(tokio::spawn(async move { tls.keep_current().await })));
    let mut connections = JoinSet::new();
    loop {
        let place = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let (stream, address) = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = accept(&listener) => accepted,
        };
        let seat = match shared.proxies.trusts(address.ip()) {
            true => None,
            false => match crowd.enter(client(address.ip())) {
                None => {
                    tracing::debug!(%address, limit = limits.connections_per_address, "a connection was refused, its address has too many");
                    continue;
                }
                seat => seat,
            },
        };
        let (service, builder) = (service.clone(), Arc::clone(&builder));
        let (tls, closing) = (shared.tls.clone(), shutdown.clone());
        connections.spawn(async move {
            let _place = (place, seat);
            let link = Link { address, scheme: Scheme::HTTP, certificate: None, chain: Arc::default() };
            let builder = &builder;
            // Answers are small and each one is waited for.
            let _ = stream.set_nodelay(true);
            let stream = Paced::new(stream, limits.write_time);
            match tls {
                None => connection(stream, link, service, builder, &closing, pending()).await,
                Some(tls) => {
                    let shaken = tokio::select! {
                        shaken = shake_hands(stream, &tls, link, limits.handshake_time) => shaken,
                        () = late(&closing) => None,
                    };
                    if let Some((stream, link)) = shaken {
                        let chain = Arc::clone(&link.chain);
                        connection(stream, link, service, builder, &closing, tls.distrusts(&chain)).await;
                    }
                }
            }
        });
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain, ended).await.is_err() {
        tracing::warn!("connections did not end in time and were dropped");
    }
    Ok(())
}

/// Ends when a connection without a request has no time left, because the server stops.
async fn late(closing: &CancellationToken) {
    closing.cancelled().await;
    tokio::time::sleep(FIRST_REQUEST).await;
}

/// The next connection. Cancel safe.
pub(super) async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

type Secure = tokio_rustls::server::TlsStream<Paced<TcpStream>>;

/// None if there is no agreement in time.
async fn shake_hands(stream: Paced<TcpStream>, tls: &Tls, link: Link, time: Duration) -> Option<(Secure, Link)> {
    match tokio::time::timeout(time, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => {
            let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let chain: Arc<[_]> = shown.iter().map(|certificate| certificate.clone().into_owned()).collect();
            let certificate = chain.first().cloned().map(Arc::new);
            Some((stream, Link { scheme: Scheme::HTTPS, certificate, chain, ..link }))
        }
        Ok(Err(error)) => {
            tracing::debug!(address = %link.address, %error, "a client and TLS did not agree");
            None
        }
        Err(_) => {
            tracing::debug!(address = %link.address, "a client took too long over TLS and was dropped");
            None
        }
    }
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
        .max_pending_accept_reset_streams(RESETS_UNSEEN)
        .max_local_error_reset_streams(RESETS_FOR_ERRORS)
        .max_send_buf_size(STEP)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.header_time);
    builder
}

async fn connection<T>(
    stream: T,
    link: Link,
    service: Service,
    builder: &Builder<TokioExecutor>,
    closing: &CancellationToken,
    distrusted: impl Future<Output = ()>,
) where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = service.shared.limits;
    let spoken = CancellationToken::new();
    let (bodies, fickle) = (Arc::new(Bodies::default()), Arc::new(Fickle::default()));
    let (heard, watched, counted) = (spoken.clone(), Arc::clone(&bodies), Arc::clone(&fickle));
    let service = service_fn(move |request| {
        heard.cancel();
        let (answer, watched, request_open) = (call(&service, &link, request), Arc::clone(&watched), counted.begin());
        async move {
            let response = answer.await;
            request_open.answered();
            response.map(|response: Response<Body>| response.map(|body| watched.watch(body)))
        }
    });
    let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // The builder waits for the first bytes without a limit of its own.
    let silent = async {
        if tokio::time::timeout(limits.header_time, spoken.cancelled()).await.is_ok() {
            pending::<()>().await;
        }
    };
    let ending = async {
        closing.cancelled().await;
        let _ = tokio::time::timeout(FIRST_REQUEST, spoken.cancelled()).await;
    };
    // A stream that has nothing to say is asked at least as often as it says so.
    let stuck = bodies.stuck(limits.keep_alive.saturating_add(limits.write_time));
    let lost = async {
        tokio::select! {
            () = silent => tracing::debug!("a connection said nothing and was dropped"),
            () = stuck => tracing::debug!("a client did not read its answer and was dropped"),
            () = fickle.too_much() => tracing::debug!("a client left too many of its requests and was dropped"),
            () = distrusted => tracing::info!("a client's certificate is no longer good, its connection was dropped"),
        }
    };
    let (mut lost, mut ending) = (pin!(lost), pin!(ending));
    let mut told = false;
    loop {
        tokio::select! {
            served = serving.as_mut() => {
                if let Err(error) = served {
                    tracing::debug!(error, "a connection ended early");
                }
                return;
            }
            () = lost.as_mut() => return,
            () = ending.as_mut(), if !told => {
                // What is open is answered, and the client told to send no more here.
                told = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Passes a request on, with what is known of its sender.
fn call(service: &Service, link: &Link, mut request: Request<Incoming>) -> super::ResponseFuture {
    let (head, body) = request.into_parts();
    match service.shared.proxies.peer(link, &head) {
        Ok(peer) => {
            request = Request::from_parts(head, body);
            request.extensions_mut().insert(Arc::new(peer));
            service.call(request)
        }
        Err(why) => {
            tracing::warn!(proxy = %link.address, %why, "request refused");
            Box::pin(async move { Ok(unclear(&why)) })
        }
    }
}

/// The requests of one connection, and how many of them its client left.
#[derive(Debug, Default)]
struct Fickle {
    begun: AtomicU64,
    left: AtomicU64,
    tired: Notify,
}

/// A request that is not answered yet.
struct Unanswered {
    of: Arc<Fickle>,
    answered: bool,
}

impl Fickle {
    fn begin(self: &Arc<Self>) -> Unanswered {
        self.begun.fetch_add(1, Ordering::Relaxed);
        Unanswered { of: Arc::clone(self), answered: false }
    }

    /// Ends when too many were left.
    async fn too_much(&self) {
        self.tired.notified().await;
    }
}

impl Unanswered {
    fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        let left = self.of.left.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if left > LEFT && left > self.of.begun.load(Ordering::Relaxed) / 2 {
            self.of.tired.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, Fickle, LEFT};

    async fn is_tired(fickle: &Fickle) -> bool {
        tokio::select! {
            biased;
            () = fickle.too_much() => true,
            () = std::future::ready(()) => false,
        }
    }

    #[tokio::test]
    async fn leaving_is_free_unless_it_is_all_a_client_does() {
        let fickle = Arc::new(Fickle::default());
        (0..LEFT).for_each(|_| drop(fickle.begin()));
        assert!(!is_tired(&fickle).await);
        drop(fickle.begin());
        assert!(is_tired(&fickle).await);

        let steady = Arc::new(Fickle::default());
        for _ in 0..3 * LEFT {
            steady.begin().answered();
            steady.begin().answered();
            drop(steady.begin());
        }
        assert!(!is_tired(&steady).await);
    }
}
