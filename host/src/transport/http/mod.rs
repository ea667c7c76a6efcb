//! The MCP endpoint over HTTP: Streamable HTTP of both eras at one place.
//!
//! A request that stands alone is answered on the spot: with JSON if the answer comes first, with a stream of events if
//! a notification does; when its client goes, it ends. A request of the handshake era belongs to a session, runs to its
//! end whoever is left to hear of it, and what it streams can be fetched again.
//! Source: 2026-07-28, transports, "Streamable HTTP"; 2025-11-25, transports.
//!
//! In reading order:
//!
//! - [`origin`], `cors`: who may come in through a browser
//! - [`doorkeeper`](Doorkeeper): who asks, and may come in at all
//! - `endpoint`: one request, from its head to its answer
//! - `headers`: what headers must say, and not say differently from the body
//! - `handshake`, `session`: the handshake era, and what it keeps between requests
//! - `kept`, `budget`: streams to come back to, and how much of them
//! - `standing`: what ends sessions and streams whose caller is no longer let in
//! - `pair`: the deprecated HTTP+SSE transport, beside the endpoint
//! - `exchange`, `sse`, `body`: one request while it runs, and how its messages leave
//! - [`serve()`]: a listener of one's own
//! - `pace`, `crowd`: how slowly its clients may read, and how many of each there may be
//! - `tls`, `proxies`: what lies between it and its clients
//! - `traffic`: how much it has to do
//! - [`admin`]: what operators' machines ask

pub mod admin;
mod answers;
mod body;
mod budget;
mod cors;
mod crowd;
mod doorkeeper;
mod endpoint;
mod exchange;
mod handshake;
mod headers;
mod kept;
pub mod origin;
mod pace;
mod pair;
mod proxies;
mod serve;
mod session;
mod sse;
mod standing;
#[cfg(test)]
mod tests;
mod tls;
mod traffic;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Buf;
use tokio_util::sync::CancellationToken;

pub use self::body::Body;
use self::crowd::Crowd;
pub use self::doorkeeper::{Doorkeeper, Lease, Peer};
use self::origin::Gate;
use self::pair::Pairs;
pub use self::proxies::Proxies;
pub use self::serve::{ENDPOINT, serve};
use self::session::Sessions;
pub use self::tls::{ClientAuth, Tls, TlsConfig, TlsError};
pub use self::traffic::Traffic;
use super::limits::Limits;
use crate::protocol::Server;

/// How HTTP is served.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Whether only this machine can reach the server. Then its loopback names are the only ones it answers to besides
    /// [`HttpConfig::allowed_hosts`], and pages from loopback origins are trusted. Default is true.
    pub loopback: bool,
    /// Names under which clients reach the server: `tools.example.com` for any port, `tools.example.com:8443` for one.
    /// Default is none; loopback names need not be listed, nor addresses where the server listens on more than loopback.
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may use the server from a browser, as `https://app.example.com`. Default is none.
    pub allowed_origins: Vec<String>,
    /// Whether [`Service::at`] also serves the deprecated HTTP+SSE transport of `2024-11-05` beside the endpoint. Default is
    /// true: clients of that age have nothing else.
    pub sse: bool,
    /// How much one client may have.
    pub limits: Limits,
    /// Who says who asks. Default is nobody: everyone is let in, and anonymous unless whoever mounts the service has put
    /// a principal among a request's extensions.
    pub doorkeeper: Option<Arc<dyn Doorkeeper>>,
    /// Whose word about clients [`serve()`] takes. Default is nobody's.
    pub proxies: Proxies,
    /// What [`serve()`] speaks TLS with. Default is not to.
    pub tls: Option<Arc<Tls>>,
    /// What counts requests, sessions and streams. Default is counts of its own.
    pub traffic: Traffic,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            loopback: true,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            sse: true,
            limits: Limits::default(),
            doorkeeper: None,
            proxies: Proxies::default(),
            tls: None,
            traffic: Traffic::default(),
        }
    }
}

impl HttpConfig {
    /// The default for a server that listens there; an address that is not known counts as loopback, which lets fewer in.
    pub fn bound_to(address: Option<SocketAddr>) -> Self {
        Self { loopback: address.is_none_or(|address| address.ip().is_loopback()), ..Self::default() }
    }
}

/// The MCP endpoint as a service, for hyper and for tower, over any body. Cheap to clone; clones share their sessions.
///
/// A [`Principal`](crate::protocol::Principal) in an [`Arc`] among the extensions of a request says who is asking:
/// whoever mounts the service and authenticates its callers puts it there, or a [`Doorkeeper`] does.
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
    path: Option<Arc<str>>,
    pair: Option<Arc<PairPaths>>,
}

/// Where the HTTP+SSE pair lies.
struct PairPaths {
    events: String,
    messages: String,
}

/// What lies at a path.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// The MCP endpoint.
    Endpoint,
    /// The stream of the pair; its client posts to that path.
    Events(&'a str),
    /// Where clients of the pair post to.
    Messages,
    /// Nothing; the endpoint is at that path.
    Nowhere(&'a str),
}

/// What all requests of one endpoint share.
struct Shared {
    server: Arc<Server>,
    gate: Gate,
    limits: Limits,
    sessions: Sessions,
    pairs: Pairs,
    /// The streams of each caller that have no end of their own.
    streams: Arc<Crowd<String>>,
    sse: bool,
    doorkeeper: Option<Arc<dyn Doorkeeper>>,
    proxies: Proxies,
    tls: Option<Arc<Tls>>,
    traffic: Traffic,
    shutdown: CancellationToken,
}

/// A response on its way. Dropping it is the client's leaving.
pub type ResponseFuture = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

impl Service {
    /// An endpoint for `server`, on whatever path it is mounted at. Cancelling `shutdown` ends every stream that has no
    /// end of its own.
    pub fn new(server: Arc<Server>, config: HttpConfig, shutdown: CancellationToken) -> Self {
        let HttpConfig { loopback, allowed_hosts, allowed_origins, sse, limits, doorkeeper, proxies, tls, traffic } =
            config;
        let gate = Gate::new(loopback, &allowed_hosts, &allowed_origins);
        let gate = if proxies.is_empty() { gate } else { gate.without_local_pages() };
        let (sessions, pairs) = (Sessions::new(limits, traffic.clone()), Pairs::default());
        let streams = Crowd::new(limits.streams_per_caller);
        let shared =
            Shared { server, gate, limits, sessions, pairs, streams, sse, doorkeeper, proxies, tls, traffic, shutdown };
        Self { shared: Arc::new(shared), path: None, pair: None }
    }

    /// The same endpoint on one path only; any other is not found. Unless [`HttpConfig::sse`] says no, or
    /// [`Service::with_sse`] said where, the deprecated HTTP+SSE pair lies beside it: at `/sse` and `/messages` if `path`
    /// is `/mcp`.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        if self.shared.sse && self.pair.is_none() {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            self = self.with_sse(&format!("{folder}/sse"), &format!("{folder}/messages"));
        }
        self.path = Some(path.into());
        self
    }

    /// The same endpoint with the deprecated HTTP+SSE pair on two paths of their own: clients open `events` and are told
    /// to post to `messages`. Both must reach this service, and under these paths, so whoever mounts it routes all three
    /// to it and strips no prefix.
    #[must_use]
    pub fn with_sse(mut self, events: &str, messages: &str) -> Self {
        self.pair = Some(Arc::new(PairPaths { events: events.to_owned(), messages: messages.to_owned() }));
        self
    }

    fn place(&self, path: &str) -> Place<'_> {
        let path = path.trim_end_matches('/');
        match (self.path.as_deref(), self.pair.as_deref()) {
            (Some(endpoint), _) if endpoint == path => Place::Endpoint,
            (_, Some(pair)) if pair.events == path => Place::Events(&pair.messages),
            (_, Some(pair)) if pair.messages == path => Place::Messages,
            (Some(endpoint), _) => Place::Nowhere(endpoint),
            (None, _) => Place::Endpoint,
        }
    }

    /// Answers one request. It must run inside a tokio runtime: requests of the handshake era outlive their clients.
    pub async fn respond<B>(&self, request: http::Request<B>) -> http::Response<Body>
    where
        B: http_body::Body<Data: Buf + Send> + Send,
    {
        endpoint::respond(self, request).await
    }

    fn start<B>(&self, request: http::Request<B>) -> ResponseFuture
    where
        B: http_body::Body<Data: Buf + Send, Error: Send> + Send + 'static,
    {
        let service = self.clone();
        Box::pin(async move { Ok(endpoint::respond(&service, request).await) })
    }
}

impl<B> hyper::service::Service<http::Request<B>> for Service
where
    B: http_body::Body<Data: Buf + Send, Error: Send> + Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn call(&self, request: http::Request<B>) -> Self::Future {
        self.start(request)
    }
}

impl<B> tower_service::Service<http::Request<B>> for Service
where
    B: http_body::Body<Data: Buf + Send, Error: Send> + Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        self.start(request)
    }
}
