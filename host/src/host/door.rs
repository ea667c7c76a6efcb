//! The door of a host: callers are identified, or told how to prove who they are.

use crate::protocol::Principal;
use crate::transport::http::{Body, Doorkeeper, Peer};
use futures_util::future::BoxFuture;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};
use std::sync::Arc;
use std::time::SystemTime;
use toolcell_identity::{Answer, Authenticator, Identity, Method, Presented, Refusal};
use toolcell_telemetry::Telemetry;
use toolcell_telemetry::audit::{Event, EventKind};

/// Lets in whoever [`Authenticator`] knows, and nobody else. Says what it did to metrics and to the audit log.
pub struct Door {
    authenticator: Authenticator,
    telemetry: Telemetry,
}

impl Door {
    /// A door that knows whom `authenticator` knows.
    pub fn new(authenticator: Authenticator, telemetry: Telemetry) -> Self {
        Self { authenticator, telemetry }
    }

    async fn identify(&self, head: &Parts, peer: &Peer) -> Result<Arc<Identity>, Refusal> {
        // As the client wrote it: a proof of possession names this URL.
        let host = peer.host.as_deref().unwrap_or_default();
        let url = format!("{}://{host}{}", peer.scheme, head.uri.path());
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
                        metrics.auth(word(identity.via), "ok");
                    }
                    Ok(Some(Arc::new(principal(&identity))))
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

fn principal(identity: &Identity) -> Principal {
    Principal {
        id: identity.principal.clone(),
        claims: identity.claims.clone(),
        groups: identity.groups.clone(),
        scopes: identity.scopes.clone(),
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
