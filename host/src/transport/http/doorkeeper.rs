//! Who is let in, and who asks: the seam where callers are authenticated. What is a good key or token is not this
//! layer's business; it asks a [`Doorkeeper`] before it reads any body, and carries the answer on.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::header::{CONTENT_TYPE, HOST};
use http::request::Parts;
use http::uri::Scheme;
use http::{Method, Response, StatusCode};
use rustls_pki_types::CertificateDer;
use tokio_util::sync::CancellationToken;

use super::body::Body;
use super::{Shared, answers};
use crate::protocol::Principal;

/// The other end of a request, as far as the transport can tell. [`serve`](super::serve()) puts one in an [`Arc`] among
/// the extensions of every request; whoever mounts the [`Service`](super::Service) may do so too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Where the client is, after the proxies that are trusted. None if it is not known; the port is 0 if a proxy did not
    /// say it.
    pub address: Option<SocketAddr>,
    /// `https` or `http`, as the client speaks it.
    pub scheme: Scheme,
    /// `host` or `host:port`, as the client sees it.
    pub host: Option<String>,
    /// The certificate that the client proved to own, whose chain of trust has been checked. None where the connection
    /// is a trusted proxy's: its certificate is not the client's.
    pub certificate: Option<Arc<CertificateDer<'static>>>,
    /// Whether the request came through a trusted proxy, which may have changed its path.
    pub proxied: bool,
}

impl Peer {
    /// What the head of a request alone says of it.
    pub fn of(head: &Parts) -> Self {
        let scheme = head.uri.scheme().cloned().unwrap_or(Scheme::HTTP);
        Self { address: None, scheme, host: host(head), certificate: None, proxied: false }
    }
}

/// The host of a request, which HTTP/2 and the absolute form of HTTP/1.1 name in the URL.
pub(super) fn host(head: &Parts) -> Option<String> {
    let authority = head.uri.authority().map(|authority| authority.as_str());
    authority.or_else(|| head.headers.get(HOST)?.to_str().ok()).map(str::to_owned)
}

/// Finds out who asks.
pub trait Doorkeeper: Send + Sync {
    /// Whoever sent this request, or the answer that refuses it. It is asked for each request to the MCP endpoint and to
    /// the HTTP+SSE pair, but for a browser's preflight, after `Host` and `Origin` have been checked and before any of
    /// the body is read. The principal takes the place of one among the request's extensions; none is an anonymous
    /// caller that is let in.
    ///
    /// It must come to an end by itself. Dropping the future is the client's leaving.
    fn admit<'a>(
        &'a self,
        head: &'a Parts,
        peer: &'a Peer,
    ) -> BoxFuture<'a, Result<Option<Arc<Principal>>, Response<Body>>>;

    /// How long what this caller showed is good, for what stays open: streams, sessions, and requests that take long. It is
    /// asked with a principal that [`admit`](Self::admit) has returned. Default is that nobody knows, and nothing ends.
    fn lease(&self, principal: &Principal) -> Option<Arc<Lease>> {
        let _ = principal;
        None
    }

    /// The head of the answer to a caller that lacks scopes, all of which are named. Default is a bare 403.
    fn lacking(&self, scopes: &[String]) -> Option<Response<Body>> {
        let _ = scopes;
        None
    }

    /// What lies at a path for everybody, such as `/.well-known/oauth-protected-resource`; it is asked for paths that
    /// lead nowhere else. Default is nothing.
    fn page(&self, path: &str, peer: &Peer) -> Option<Response<Body>> {
        let _ = (path, peer);
        None
    }
}

/// How long something is good. It is watched for as long as somebody holds it.
#[derive(Debug, Default)]
pub struct Lease {
    /// Cancelled when it is over: its time has come, or it was taken back.
    pub ended: CancellationToken,
    /// Cancelled when it was taken back.
    pub revoked: CancellationToken,
}

impl fmt::Debug for dyn Doorkeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Doorkeeper")
    }
}

/// Tells a caller that lacks scopes how to get them.
pub(super) fn challenge(shared: &Shared, scopes: &[String], mut response: Response<Body>) -> Response<Body> {
    let Some(keeper) = shared.doorkeeper.as_ref().filter(|_| !scopes.is_empty()) else { return response };
    if let Some(challenge) = keeper.lacking(scopes) {
        for (name, value) in challenge.headers().iter().filter(|(name, _)| **name != CONTENT_TYPE) {
            response.headers_mut().append(name, value.clone());
        }
    }
    response
}

/// The peer of a request.
pub(super) fn peer(head: &Parts) -> Arc<Peer> {
    head.extensions.get::<Arc<Peer>>().cloned().unwrap_or_else(|| Arc::new(Peer::of(head)))
}

/// Asks the doorkeeper, if there is one, and leaves the principal among the extensions of the head.
pub(super) async fn admit(shared: &Shared, head: &mut Parts, peer: &Peer) -> Result<(), Box<Response<Body>>> {
    let Some(doorkeeper) = &shared.doorkeeper else { return Ok(()) };
    // Whatever stood there, it is the doorkeeper who knows.
    head.extensions.remove::<Arc<Principal>>();
    if let Some(principal) = doorkeeper.admit(head, peer).await.map_err(Box::new)? {
        head.extensions.insert(principal);
    }
    Ok(())
}

/// What lies for everybody where nothing else does.
pub(super) fn page(shared: &Shared, head: &Parts, peer: &Peer) -> Option<Response<Body>> {
    let page = shared.doorkeeper.as_ref()?.page(head.uri.path(), peer)?;
    Some(match head.method {
        Method::GET | Method::HEAD => page,
        _ => answers::not_allowed("GET, HEAD, OPTIONS"),
    })
}

/// A request whose header contradicts itself about the client.
pub(super) fn unclear(why: &dyn fmt::Display) -> Response<Body> {
    answers::text(StatusCode::BAD_REQUEST, format!("{why}\n"))
}
