//! One client: a connection with TLS, a session where its revision has one, and a check of every answer.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::call::{REVISION, read_text};
use crate::http::{Connection, show};

/// A call or a connection that is not there by then has failed.
const PATIENCE: Duration = Duration::from_secs(15);
/// The revision of clients that shake hands.
const HANDSHAKE: &str = "2025-11-25";

/// Which era a client speaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Era {
    Handshake,
    Modern,
}

/// Where the host is, and whom its clients trust.
#[derive(Clone)]
pub struct Target {
    address: SocketAddr,
    connector: TlsConnector,
}

/// How the host answered.
#[derive(Debug, PartialEq)]
pub enum Answer {
    Text(String),
    /// Its status: the caller is nobody it knows.
    Unauthorized,
}

/// A client with its connection.
pub struct Client {
    target: Target,
    connection: Connection<TlsStream<TcpStream>>,
    certificate: Vec<u8>,
    era: Era,
    session: Option<String>,
    next_id: u64,
}

impl Target {
    /// Trusts this authority and no other.
    ///
    /// # Errors
    /// When the file holds no certificate.
    pub fn new(address: SocketAddr, authority: &Path) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        let cert =
            CertificateDer::from_pem_file(authority).map_err(|error| anyhow!("{}: {error}", authority.display()))?;
        roots.add(cert)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        // A session that goes on would show the certificate of the one before.
        config.resumption = Resumption::disabled();
        Ok(Self { address, connector: TlsConnector::from(Arc::new(config)) })
    }

    /// Connects.
    ///
    /// # Errors
    /// When there is no connection, or no agreement on it, in time.
    pub async fn connect(&self, era: Era) -> Result<Client> {
        let stream = timeout(PATIENCE, async {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            self.connector.connect(ServerName::try_from("localhost").map_err(std::io::Error::other)?, stream).await
        });
        let stream = stream.await.context("no connection in time")?.context("cannot connect")?;
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let certificate = chain.first().map(|cert| cert.to_vec()).unwrap_or_default();
        let connection = Connection::over(stream);
        Ok(Client { target: self.clone(), connection, certificate, era, session: None, next_id: 1 })
    }
}

impl Client {
    /// The certificate that the host showed.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Calls a tool with this credential, after the handshake where there is one.
    ///
    /// # Errors
    /// For every answer but the tool's text and the refusal of the credential.
    pub async fn call(&mut self, credential: &str, tool: &str, arguments: &str) -> Result<Answer> {
        if self.era == Era::Handshake && self.session.is_none() && !self.shake_hands(credential).await? {
            return Ok(Answer::Unauthorized);
        }
        let id = self.id();
        let meta = match self.era {
            Era::Handshake => String::new(),
            Era::Modern => format!(
                r#","_meta":{{"io.modelcontextprotocol/protocolVersion":"{REVISION}","io.modelcontextprotocol/clientInfo":{{"name":"soak","version":"1"}},"io.modelcontextprotocol/clientCapabilities":{{}}}}"#
            ),
        };
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}{meta}}}}}"#
        );
        let more = match self.era {
            Era::Modern => format!("Mcp-Method: tools/call\r\nMcp-Name: {tool}\r\n"),
            Era::Handshake => String::new(),
        };
        let request = self.request("POST", credential, &more, &body);
        let exchange = self.connection.exchange(request.as_bytes(), |response| match response.status {
            401 => Ok(Answer::Unauthorized),
            _ => {
                let response = response.message();
                Ok(Answer::Text(read_text(&response, id)?.into_owned()))
            }
        });
        timeout(PATIENCE, exchange).await.with_context(|| format!("call {id} had no answer in time"))?
    }

    /// Ends the session, as a client does that leaves.
    ///
    /// # Errors
    /// When the host does not take leave.
    pub async fn leave(mut self, credential: &str) -> Result<()> {
        if self.session.is_none() {
            return Ok(());
        }
        let request = self.request("DELETE", credential, "", "");
        let exchange = self.connection.exchange(request.as_bytes(), |response| Ok(response.status));
        match timeout(PATIENCE, exchange).await.context("the session did not end in time")?? {
            // The key of what it showed may have been forgotten this moment; one that holds and is refused shows in calls.
            200 | 204 | 401 => Ok(()),
            status => bail!("the end of a session was answered with {status}"),
        }
    }

    /// Whether the credential was taken.
    async fn shake_hands(&mut self, credential: &str) -> Result<bool> {
        let id = self.id();
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"initialize","params":{{"protocolVersion":"{HANDSHAKE}","capabilities":{{}},"clientInfo":{{"name":"soak","version":"1"}}}}}}"#
        );
        let request = self.request("POST", credential, "", &body);
        let exchange =
            self.connection.exchange(request.as_bytes(), |response| match (response.status, response.session) {
                (401, _) => Ok(None),
                (200, Some(session)) => Ok(Some(String::from_utf8_lossy(session).into_owned())),
                (status, _) => bail!("the handshake was answered with {status}: {}", show(&response.body)),
            });
        let session = timeout(PATIENCE, exchange).await.context("no handshake in time")??;
        let Some(session) = session else { return Ok(false) };
        self.session = Some(session);
        let request = self.request("POST", credential, "", r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        let exchange = self.connection.exchange(request.as_bytes(), |response| Ok(response.status));
        match timeout(PATIENCE, exchange).await.context("no end of the handshake in time")?? {
            202 => Ok(true),
            // Its key was forgotten between the two.
            401 => {
                self.session = None;
                Ok(false)
            }
            status => bail!("the end of the handshake was answered with {status}"),
        }
    }

    fn request(&self, method: &str, credential: &str, more: &str, body: &str) -> String {
        let session = self.session.as_ref().map(|name| format!("Mcp-Session-Id: {name}\r\n")).unwrap_or_default();
        let version = match self.era {
            Era::Handshake => HANDSHAKE,
            Era::Modern => REVISION,
        };
        format!(
            "{method} /mcp HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {credential}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {version}\r\n{session}{more}\
             Content-Length: {}\r\n\r\n{body}",
            self.target.address,
            body.len()
        )
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}
