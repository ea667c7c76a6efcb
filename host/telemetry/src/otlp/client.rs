//! The exporters' HTTP client: blocking, on their threads; TLS as everywhere in the host.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::blocking::Client;
use reqwest::header::{HeaderName, HeaderValue};
use rustls::{ClientConfig, RootCertStore};

use super::OtlpError;

/// Refuses what the exporter would leave out without a word.
pub(crate) fn check_headers(headers: &HashMap<String, String>) -> Result<(), OtlpError> {
    match headers
        .iter()
        .find(|(name, value)| HeaderName::from_bytes(name.as_bytes()).is_err() || HeaderValue::from_str(value).is_err())
    {
        Some((name, _)) => Err(OtlpError::Header(name.clone())),
        None => Ok(()),
    }
}

/// A client that follows no redirect and asks no proxy: telemetry goes where the operator said and nowhere else.
pub(crate) fn build(timeout: Duration) -> Result<Client, OtlpError> {
    let failed = |error: String| OtlpError::Client(error);
    let mut roots = RootCertStore::empty();
    // Without any, only plain HTTP works, and a request to anything else says so.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // A blocking client must not be made on a runtime's thread.
    std::thread::Builder::new()
        .name("toolcell-otlp".into())
        .spawn(move || {
            Client::builder()
                .tls_backend_preconfigured(tls)
                .timeout(timeout)
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .user_agent(concat!("toolcell/", env!("CARGO_PKG_VERSION")))
                .build()
        })
        .map_err(|error| failed(error.to_string()))?
        .join()
        .map_err(|_| failed("its thread ended".to_owned()))?
        .map_err(|error| failed(error.to_string()))
}
