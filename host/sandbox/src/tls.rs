//! TLS for outgoing requests: the certificates the system trusts, or Mozilla's where the system has none.

use std::sync::Arc;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};
use toolcell_policy::TargetHost;

/// The connector all guests of an engine share, made at the first request that needs it. It holds no client certificate
/// and no state of any guest.
#[derive(Default)]
pub(super) struct Tls(OnceCell<TlsConnector>);

impl Tls {
    /// # Errors
    /// A text, if the cryptography refuses its own defaults.
    pub(super) async fn connector(&self) -> Result<TlsConnector, String> {
        let load = || async {
            let built = tokio::task::spawn_blocking(build).await;
            built.unwrap_or_else(|error| Err(format!("loading certificates: {error}")))
        };
        self.0.get_or_try_init(load).await.cloned()
    }
}

/// The name a server must prove.
pub(super) fn server_name(host: &TargetHost) -> Option<ServerName<'static>> {
    match host {
        TargetHost::Address(address) => Some(ServerName::from(*address)),
        TargetHost::Name(name) => ServerName::try_from(name.clone()).ok(),
    }
}

fn build() -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if usable == 0 {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("no usable TLS version: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_told_apart() {
        let name = |host| server_name(&host);
        assert!(matches!(name(TargetHost::Address([192, 0, 2, 1].into())), Some(ServerName::IpAddress(_))));
        assert!(matches!(name(TargetHost::Name("example.com".to_owned())), Some(ServerName::DnsName(_))));
        assert!(name(TargetHost::Name("not a name".to_owned())).is_none());
    }
}
