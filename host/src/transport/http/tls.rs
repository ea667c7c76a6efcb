//! TLS: certificates from files, and new ones when the files change.
//!
//! Files are looked at twice a second rather than watched: secrets are often mounted in ways that tell no events, and a
//! certificate has time. A change is taken up once it has held still for one look, so that a certificate and its key may
//! be written one after the other. New files that make no sense leave the old in service.
//!
//! A client's certificate is judged when its connection begins, and again whenever the files are new: a connection whose
//! certificate has been revoked since, or is of an authority that is no longer trusted, ends.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// Time between two looks at the files.
const LOOK: Duration = Duration::from_millis(500);
/// Bytes of one file: a certificate has some thousand, a bundle of all public authorities some hundred thousand.
const MAX_FILE: u64 = 4 * 1024 * 1024;
/// What is spoken inside, best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Where certificates lie, all in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The server's certificate, then those between it and an authority that clients know.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities for certificates of clients; none asks clients for none.
    pub client_ca: Option<PathBuf>,
    /// Whether a client must have a certificate, where there are authorities for it.
    pub client_auth: ClientAuth,
    /// What these authorities have revoked. With it, each of them needs a list that is not out of date: a certificate of
    /// which nobody can tell whether it is revoked is refused.
    pub client_crl: Option<PathBuf>,
}

/// Whether a client must have a certificate. One that shows a bad one is refused in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// No client without one. The default.
    #[default]
    Required,
    /// Clients without one may prove otherwise who they are.
    Optional,
}

/// Why certificates cannot be used; the text says what to change.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}; check `{key}` in `tls` under [server]", path.display())]
    Read {
        /// The key that names the file.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{} holds no {what} in PEM; check `{key}` in `tls` under [server]", path.display())]
    Content {
        /// The key that names the file.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// The files do not go together.
    #[error("{} and {} cannot be served: {why}; `cert` and `key` in `tls` under [server] must be of one pair", cert.display(), key.display())]
    Pair {
        /// The certificate.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
        /// What the TLS library says.
        why: String,
    },
    /// The authorities for clients cannot be used.
    #[error("{} cannot judge clients: {why}; `client-ca` in `tls` under [server] must hold certificates of authorities", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What the TLS library says.
        why: String,
    },
}

/// Certificates in service.
pub struct Tls {
    files: TlsConfig,
    current: ArcSwap<Loaded>,
    /// That `current` is new.
    renewed: watch::Sender<()>,
    /// What the files looked like before they were read first.
    first: Stamps,
}

/// What the files hold.
struct Loaded {
    config: Arc<ServerConfig>,
    /// Judges clients, where they are asked for certificates.
    clients: Option<Arc<dyn ClientCertVerifier>>,
}

/// What the files look like from outside; what is not there has no stamp.
type Stamps = [Option<(Option<SystemTime>, u64, u64)>; 4];

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files. Blocks while it does.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn load(files: TlsConfig) -> Result<Self, TlsError> {
        let first = stamps(&files);
        let current = ArcSwap::from_pointee(read(&files)?);
        Ok(Self { files, current, renewed: watch::Sender::default(), first })
    }

    /// For one connection, with what is in service now.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.current.load().config))
    }

    /// Ends when a client's certificate, with what it showed between that and an authority, is no longer good by the
    /// files in service.
    pub(super) async fn distrusts(&self, chain: &[CertificateDer<'static>]) {
        let mut renewed = self.renewed.subscribe();
        // It may have been judged by files that are not in service any more by now.
        while self.trusts(chain) {
            if renewed.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    fn trusts(&self, chain: &[CertificateDer<'static>]) -> bool {
        match (&self.current.load().clients, chain) {
            (Some(judge), [own, between @ ..]) => judge.verify_client_cert(own, between, UnixTime::now()).is_ok(),
            _ => true,
        }
    }

    /// Takes up new files as long as it is polled.
    pub(super) async fn keep_current(&self) {
        let (mut known, mut moving) = (self.first, None);
        loop {
            tokio::time::sleep(LOOK).await;
            let files = self.files.clone();
            let Ok(seen) = tokio::task::spawn_blocking(move || stamps(&files)).await else { return };
            if seen == known {
                moving = None;
                continue;
            }
            if moving != Some(seen) {
                moving = Some(seen);
                continue;
            }
            let files = self.files.clone();
            match tokio::task::spawn_blocking(move || read(&files)).await {
                Ok(Ok(loaded)) => {
                    self.current.store(Arc::new(loaded));
                    self.renewed.send_replace(());
                    tracing::info!(cert = %self.files.cert.display(), "new certificates in service");
                }
                Ok(Err(error)) => tracing::error!("new certificates not applied, the old stay: {error}"),
                Err(_) => return,
            }
            known = seen;
        }
    }
}

fn stamps(files: &TlsConfig) -> Stamps {
    let stamp = |path: &Path| {
        let data = fs::metadata(path).ok()?;
        Some((data.modified().ok(), data.len(), inode(&data)))
    };
    let optional = |path: &Option<PathBuf>| path.as_deref().and_then(stamp);
    [stamp(&files.cert), stamp(&files.key), optional(&files.client_ca), optional(&files.client_crl)]
}

#[cfg(unix)]
fn inode(data: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(data)
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> u64 {
    0
}

fn read(files: &TlsConfig) -> Result<Loaded, TlsError> {
    let TlsConfig { cert, key, client_ca, client_auth, client_crl } = files;
    let chain = certificates("cert", cert)?;
    let provider = Arc::new(default_provider());
    let pair = |why: String| TlsError::Pair { cert: cert.clone(), key: key.clone(), why };
    // What is wrong with it is not said: the text would quote from the file.
    let private = PrivateKeyDer::from_pem_slice(&content("key", key)?).map_err(|_| TlsError::Content {
        key: "key",
        path: key.clone(),
        what: "private key",
    })?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| pair(error.to_string()))?;
    let clients: Option<Arc<dyn ClientCertVerifier>> = match client_ca {
        None => None,
        Some(path) => {
            let refused = |why: String| TlsError::Authorities { path: path.clone(), why };
            let mut roots = RootCertStore::empty();
            for authority in certificates("client-ca", path)? {
                roots.add(authority).map_err(|error| refused(error.to_string()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = match client_auth {
                ClientAuth::Required => verifier,
                ClientAuth::Optional => verifier.allow_unauthenticated(),
            };
            let verifier = match client_crl {
                None => verifier,
                Some(path) => {
                    verifier.with_crls(lists(path)?).only_check_end_entity_revocation().enforce_revocation_expiration()
                }
            };
            Some(verifier.build().map_err(|error| match (error, client_crl) {
                (VerifierBuilderError::InvalidCrl(_), Some(path)) => TlsError::Content {
                    key: "client-crl",
                    path: path.clone(),
                    what: "list of revoked certificates (version 2)",
                },
                (error, _) => refused(error.to_string()),
            })?)
        }
    };
    let builder = match &clients {
        None => builder.with_no_client_auth(),
        Some(clients) => builder.with_client_cert_verifier(Arc::clone(clients)),
    };
    let mut config = builder.with_single_cert(chain, private).map_err(|error| pair(error.to_string()))?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(Loaded { config: Arc::new(config), clients })
}

/// At least one.
fn lists(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let pem = content("client-crl", path)?;
    let read: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&pem).collect();
    let found = read.ok().filter(|found| !found.is_empty());
    found.ok_or_else(|| TlsError::Content {
        key: "client-crl",
        path: path.to_owned(),
        what: "list of revoked certificates",
    })
}

/// At least one.
fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = content(key, path)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let found = read.ok().filter(|found| !found.is_empty());
    found.ok_or_else(|| TlsError::Content { key, path: path.to_owned(), what: "certificate" })
}

fn content(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |source| TlsError::Read { key, path: path.to_owned(), source };
    let mut text = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_FILE + 1).read_to_end(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_FILE {
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {MAX_FILE} bytes"))));
    }
    Ok(text)
}
