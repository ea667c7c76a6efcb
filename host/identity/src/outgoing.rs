//! Questions to authorization servers: bounded in time and size, redirects not followed, TLS unless it stays on this
//! machine or the operator said otherwise.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};

use crate::error::ConfigError;
use crate::limits::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, MAX_ANSWER_BYTES, MAX_URL_BYTES};
use crate::secret::Secret;

/// How authorization servers are reached.
#[derive(Clone, Debug, Default)]
pub struct HttpConfig {
    /// A PEM file of certificates that are trusted beside the system's.
    pub authority: Option<PathBuf>,
    /// Whether `http:` is allowed beyond this machine. Whoever is on the way can then forge every token.
    pub allow_http: bool,
}

/// What a client shows a server it is registered with.
#[derive(Clone, Debug)]
pub struct ClientSecret {
    /// The client's id.
    pub id: String,
    /// Its secret.
    pub secret: Secret,
}

/// An answer with status 200.
pub(crate) struct Fetched {
    pub(crate) body: Bytes,
    /// The `max-age` of its `Cache-Control`; zero for `no-store` and `no-cache`.
    pub(crate) max_age: Option<Duration>,
}

/// Why there is no answer, in words for the log: without the URL's secrets, which have none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("it cannot be reached: {0}")]
    Connect(String),
    #[error("it took longer than {} s", ANSWER_TIMEOUT.as_secs())]
    Timeout,
    #[error("it answered with status {0}")]
    Status(u16),
    #[error("its answer broke off or is longer than {MAX_ANSWER_BYTES} bytes")]
    Body,
    #[error("its answer is not what the standard says: {0}")]
    Answer(&'static str),
    #[error("the URL cannot be asked: {0}")]
    Url(&'static str),
}

/// The client all questions go through.
#[derive(Clone)]
pub(crate) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    allow_http: bool,
}

impl Http {
    pub(crate) fn new(config: &HttpConfig) -> Result<Self, ConfigError> {
        let mut roots = RootCertStore::empty();
        let (usable, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if usable == 0 {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        if let Some(path) = &config.authority {
            let bad = |problem: String| ConfigError::Authority { path: path.clone(), problem };
            let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let found = found.map_err(|error| bad(format!("{error}; write the path of a PEM file")))?;
            if found.is_empty() {
                return Err(bad("no certificate in it; write the path of a PEM file with at least one".to_owned()));
            }
            for certificate in found {
                roots.add(certificate).map_err(|error| bad(format!("{error}; replace the certificate")))?;
            }
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| ConfigError::Tls(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(4)
            .build(connector);
        Ok(Self { client, allow_http: config.allow_http })
    }

    /// The URL an operator wrote, if it may be asked.
    pub(crate) fn url(&self, what: &'static str, url: &str) -> Result<Url, ConfigError> {
        checked(what, url, self.allow_http)
    }

    /// The URL that a document of `origin` names. It must be asked by TLS, unless its origin itself was not.
    pub(crate) fn discovered(&self, origin: &Url, url: &str) -> Result<Url, HttpError> {
        let found = plain(url).map_err(HttpError::Url)?;
        if found.scheme() == "https" || (origin.scheme() == "http" && is_loopback(origin) == is_loopback(&found)) {
            return Ok(found);
        }
        Err(HttpError::Url("a discovery document names it without TLS"))
    }

    pub(crate) async fn get(&self, url: &Url) -> Result<Fetched, HttpError> {
        let request = Request::get(url.as_str()).header(ACCEPT, "application/json").body(Full::default());
        self.send(request.map_err(|_| HttpError::Url("it is not one of HTTP"))?).await
    }

    /// Sends a form as `client` (RFC 6749, 2.3.1).
    pub(crate) async fn post(
        &self,
        url: &Url,
        client: &ClientSecret,
        form: &[(&str, &str)],
    ) -> Result<Fetched, HttpError> {
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let basic = STANDARD.encode(format!("{}:{}", encode(&client.id), encode(client.secret.expose())));
        let mut basic = HeaderValue::try_from(format!("Basic {basic}")).map_err(|_| HttpError::Url("no header"))?;
        basic.set_sensitive(true);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(url.as_str())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(AUTHORIZATION, basic)
            .body(Full::from(body));
        self.send(request.map_err(|_| HttpError::Url("it is not one of HTTP"))?).await
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Fetched, HttpError> {
        let exchange = async {
            let answer = self.client.request(request).await.map_err(|error| HttpError::Connect(causes(&error)))?;
            if answer.status() != http::StatusCode::OK {
                return Err(HttpError::Status(answer.status().as_u16()));
            }
            let max_age = max_age(answer.headers());
            let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await;
            Ok(Fetched { body: body.map_err(|_| HttpError::Body)?.to_bytes(), max_age })
        };
        tokio::time::timeout(ANSWER_TIMEOUT, exchange).await.unwrap_or(Err(HttpError::Timeout))
    }
}

/// The error with what caused it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut found = None;
    for directive in values.flat_map(|value| value.split(',')).map(|part| part.trim().to_ascii_lowercase()) {
        if directive == "no-store" || directive == "no-cache" {
            return Some(Duration::ZERO);
        }
        if let Some(age) = directive.strip_prefix("max-age=").and_then(|age| age.trim_matches('"').parse().ok()) {
            found = Some(Duration::from_secs(age));
        }
    }
    found
}

/// `url` as the operator wrote it under the name `what`, if it is plain and safe to ask.
pub(crate) fn checked(what: &'static str, url: &str, allow_http: bool) -> Result<Url, ConfigError> {
    let bad = |problem| ConfigError::Url { what, url: url.escape_default().to_string(), problem };
    let parsed = plain(url).map_err(bad)?;
    if parsed.scheme() == "http" && !allow_http && !is_loopback(&parsed) {
        return Err(bad("write `https:`, or allow `http:` beyond this machine"));
    }
    Ok(parsed)
}

fn plain(url: &str) -> Result<Url, &'static str> {
    if url.len() > MAX_URL_BYTES {
        return Err("it is too long");
    }
    let url = Url::parse(url).map_err(|_| "write an absolute URL")?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err("write an `https:` URL");
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("write it without user, password and fragment");
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests;
