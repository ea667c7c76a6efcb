//! Connections of a client, with TLS or without.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::DEADLINE;
use crate::http::Http;
use crate::pki::Pair;

/// One connection.
pub enum Stream {
    /// As it is.
    Plain(TcpStream),
    /// Inside TLS.
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// Gives clients a provider that bring none of their own. The host takes no such default; it is for this process alone.
pub fn install_provider() {
    // One that is there already will do.
    let _ = default_provider().install_default();
}

impl Stream {
    /// Ends it at once, without a word.
    pub fn hang_up(&self) {
        let stream = match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        };
        // It may be closed already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// A client of TLS: whom it trusts, and what it shows.
#[derive(Clone)]
pub struct Trust(Arc<ClientConfig>);

impl Trust {
    /// Trusts that authority and shows a certificate, if there is one.
    ///
    /// # Panics
    ///
    /// If the files are no certificates.
    #[must_use]
    pub fn new(authority: &Path, shown: Option<&Pair>) -> Self {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(authority).expect("the authority is a certificate"))
            .expect("it is fit");
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider knows them")
            .with_root_certificates(roots);
        let config = match shown {
            None => builder.with_no_client_auth(),
            Some(pair) => {
                let cert = CertificateDer::from_pem_file(&pair.cert).expect("a certificate");
                let key = PrivateKeyDer::from_pem_file(&pair.key).expect("a key");
                builder.with_client_auth_cert(vec![cert], key).expect("they go together")
            }
        };
        Self(Arc::new(config))
    }

    /// The same client, that offers these protocols inside, best first.
    #[must_use]
    pub fn offering(&self, protocols: &[&str]) -> Self {
        let mut config = ClientConfig::clone(&self.0);
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self(Arc::new(config))
    }

    /// The protocol that the server chose of those offered.
    ///
    /// # Errors
    ///
    /// If there is no agreement.
    pub fn chosen(&self, address: SocketAddr) -> io::Result<Option<String>> {
        let stream = self.open(address)?;
        Ok(stream.conn.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()))
    }

    /// Connects and agrees with the server, as `localhost`.
    ///
    /// # Errors
    ///
    /// If there is no agreement. With TLS 1.3 a server's refusal may only show when something is read.
    pub fn connect(&self, address: SocketAddr) -> io::Result<Http> {
        Ok(Http::over(Stream::Tls(Box::new(self.open(address)?)), address))
    }

    /// The certificate that the server shows.
    ///
    /// # Errors
    ///
    /// If there is no agreement.
    pub fn shown(&self, address: SocketAddr) -> io::Result<Vec<u8>> {
        let stream = self.open(address)?;
        let chain = stream.conn.peer_certificates().unwrap_or_default();
        Ok(chain.first().map(|cert| cert.to_vec()).unwrap_or_default())
    }

    fn open(&self, address: SocketAddr) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let mut socket = TcpStream::connect_timeout(&address, DEADLINE)?;
        socket.set_read_timeout(Some(DEADLINE))?;
        socket.set_nodelay(true)?;
        let name = ServerName::try_from("localhost").expect("a name");
        let mut session = ClientConnection::new(Arc::clone(&self.0), name).map_err(io::Error::other)?;
        while session.is_handshaking() {
            session.complete_io(&mut socket)?;
        }
        Ok(StreamOwned::new(session, socket))
    }
}

/// The first certificate of a file, as it goes over the wire.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn der(file: &Path) -> Vec<u8> {
    CertificateDer::from_pem_file(file).expect("a certificate").to_vec()
}
