//! The door of a host: callers are identified, or told how to prove who they are.

use super::leases::Leases;
use crate::policy::Shown;
use crate::protocol::Principal;
use crate::transport::http::{Body, Doorkeeper, ENDPOINT, Lease, Peer};
use futures_util::future::BoxFuture;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};
use std::sync::Arc;
use std::time::SystemTime;
use toolcell_identity::{Answer, Authenticator, Identity, Method, Presented, Refusal, Secret, access_token};
use toolcell_telemetry::Telemetry;
use toolcell_telemetry::audit::{Event, EventKind};

/// Lets in whoever [`Authenticator`] knows, and nobody else. Says what it did to metrics and to the audit log.
pub struct Door {
    authenticator: Arc<Authenticator>,
    leases: Arc<Leases>,
    telemetry: Telemetry,
    /// The URL of the endpoint as clients write it, where the operator has said so.
    public: Option<String>,
}

/// What a caller showed at the door: [`Principal::shown`].
pub struct Pass {
    pub(super) identity: Arc<Identity>,
    /// The access token it came with.
    pub(super) token: Option<Secret>,
}

impl Pass {
    /// The access token, if it is one of that issuer, and when it ends.
    pub fn token_of(&self, issuer: &str) -> Option<(&Secret, Option<SystemTime>)> {
        let token = self.token.as_ref().filter(|_| self.identity.issuer.as_deref() == Some(issuer))?;
        Some((token, self.identity.expires))
    }
}

impl Door {
    /// A door that knows whom `authenticator` knows.
    pub fn new(authenticator: Authenticator, telemetry: Telemetry) -> Self {
        let authenticator = Arc::new(authenticator);
        Self { leases: Leases::new(Arc::clone(&authenticator)), authenticator, telemetry, public: None }
    }

    /// The same where clients write the endpoint's URL like this: what comes through a trusted proxy, which may have taken
    /// something off the path, was sent to it or beside it.
    #[must_use]
    pub fn known_as(self, public: Option<&str>) -> Self {
        Self { public: public.map(|url| url.trim_end_matches('/').to_owned()), ..self }
    }

    /// The URL as the client wrote it, which a proof of possession names.
    fn url(&self, path: &str, peer: &Peer) -> String {
        match self.public.as_deref().filter(|_| peer.proxied) {
            Some(public) if path.trim_end_matches('/') == ENDPOINT => public.to_owned(),
            Some(public) => format!("{}{path}", public.rsplit_once('/').map_or(public, |(folder, _)| folder)),
            None => format!("{}://{}{path}", peer.scheme, peer.host.as_deref().unwrap_or_default()),
        }
    }

    async fn identify(&self, head: &Parts, peer: &Peer) -> Result<Arc<Identity>, Refusal> {
        // Only a proof of possession names it.
        let proven = head.headers.contains_key("dpop");
        let url = if proven { self.url(head.uri.path(), peer) } else { String::new() };
        let presented = Presented {
            method: head.method.as_str(),
            url: &url,
            headers: &head.headers,
            peer_certificate: peer.certificate.as_deref().map(AsRef::as_ref),
            now: SystemTime::now(),
        };
        self.authenticator.identify(&presented).await
    }

    fn tell(&self, peer: &Peer, refused: &Refusal) {
        if let Some(metrics) = self.telemetry.metrics() {
            metrics.auth("http", refused.kind());
        }
        // A client that has not yet heard what it needs is no event.
        if matches!(refused, Refusal::Missing | Refusal::Nonce { .. }) {
            return;
        }
        let address = peer.address.map(|address| address.ip().to_string());
        tracing::info!(rule = refused.kind(), address, "a caller was not let in: {refused}");
        if self.telemetry.audit().is_some() {
            let payload =
                serde_json::json!({ "rule": refused.kind(), "text": refused.to_string(), "address": address });
            let (telemetry, event) =
                (self.telemetry.clone(), Event::new(EventKind::Refusal, SystemTime::now(), payload));
            tokio::spawn(async move {
                if let Err(error) = telemetry.record(event).await {
                    tracing::error!("an event is missing in the audit log: {error}");
                }
            });
        }
    }
}

impl Doorkeeper for Door {
    fn admit<'a>(
        &'a self,
        head: &'a Parts,
        peer: &'a Peer,
    ) -> BoxFuture<'a, Result<Option<Arc<Principal>>, Response<Body>>> {
        Box::pin(async move {
            match self.identify(head, peer).await {
                Ok(identity) => {
                    if let Some(metrics) = self.telemetry.metrics() {
                        metrics.let_in(word(identity.via));
                    }
                    Ok(Some(Arc::new(principal(identity, head))))
                }
                Err(refused) => {
                    self.tell(peer, &refused);
                    Err(said(self.authenticator.answer(&refused, None)))
                }
            }
        })
    }

    fn page(&self, path: &str, _: &Peer) -> Option<Response<Body>> {
        let metadata = self.authenticator.metadata().filter(|metadata| metadata.serves(path))?;
        let mut page = Response::new(Body::full(metadata.document().to_owned()));
        page.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        page.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        Some(page)
    }

    fn lease(&self, principal: &Principal) -> Option<Arc<Lease>> {
        Some(self.leases.of(principal.shown.get::<Pass>()?))
    }

    fn lacking(&self, scopes: &[String]) -> Option<Response<Body>> {
        let refused = Refusal::Scope { required: scopes.to_vec() };
        Some(said(self.authenticator.answer(&refused, Some(scopes))))
    }
}

fn word(via: Method) -> &'static str {
    match via {
        Method::Key => "key",
        Method::Jwt => "jwt",
        Method::Introspection => "introspection",
        Method::Certificate => "certificate",
        _ => "local",
    }
}

fn principal(identity: Arc<Identity>, head: &Parts) -> Principal {
    Principal {
        id: identity.principal.clone(),
        claims: identity.claims.clone(),
        groups: identity.groups.clone(),
        scopes: identity.scopes.clone(),
        shown: Shown::new(Pass { token: identity.issuer.as_ref().and_then(|_| access_token(&head.headers)), identity }),
    }
}

/// A refusal as a response, with all its challenges.
fn said(answer: Answer) -> Response<Body> {
    let mut response = Response::new(Body::full(answer.message));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::UNAUTHORIZED);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    response
}
