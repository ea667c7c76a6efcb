//! Where `serve` listens: on addresses of its own, or on sockets that a service manager has opened for it; and whether it
//! may.

use crate::config::ListenConfig;
use anyhow::{Context, bail};
use listenfd::ListenFd;
use std::net::{SocketAddr, TcpListener as StdListener};
use tokio::net::TcpListener;

/// What a service manager calls the socket for operators; any other is the one for clients.
const ADMIN: &str = "admin";

/// Sockets that were opened before this process began, by the protocol of systemd.
///
/// They are what makes a restart lose nothing: while no process takes connections from them, the system keeps those that
/// come, for the next process.
#[derive(Default)]
pub(super) struct Inherited {
    pub(super) http: Option<StdListener>,
    pub(super) admin: Option<StdListener>,
}

impl Inherited {
    /// Takes them from the environment, which then names them no more.
    ///
    /// # Errors
    /// If there are too many of them, or one is no TCP socket that listens.
    pub(super) fn take() -> anyhow::Result<Self> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut sockets = ListenFd::from_env();
        let mut names = names.split(':');
        let mut inherited = Self::default();
        for at in 0..sockets.len() {
            let name = names.next().unwrap_or_default();
            let socket = sockets.take_tcp_listener(at).with_context(|| {
                format!(
                    "socket {at} ({name:?}) of the service manager is of no use; give it as ListenStream=ADDRESS:PORT"
                )
            })?;
            let Some(socket) = socket else { continue };
            let place = if name == ADMIN { &mut inherited.admin } else { &mut inherited.http };
            if place.replace(socket).is_some() {
                bail!(
                    "the service manager gives more sockets than one for clients and one for operators; name that one with FileDescriptorName={ADMIN} and leave the others out"
                );
            }
        }
        Ok(inherited)
    }
}

/// Listens on an address, unless there is a socket already.
///
/// # Errors
/// If the address cannot be had.
pub(super) async fn listener(
    inherited: Option<StdListener>,
    address: Option<SocketAddr>,
    instead: &str,
) -> anyhow::Result<Option<TcpListener>> {
    if let Some(socket) = inherited {
        socket.set_nonblocking(true)?;
        return Ok(Some(TcpListener::from_std(socket)?));
    }
    let Some(address) = address else { return Ok(None) };
    let bound = TcpListener::bind(address).await;
    bound
        .map(Some)
        .with_context(|| format!("cannot listen on {address}; another server may be using it, try {instead}"))
}

/// Whether clients may be served there. Fails closed: who can reach it can run the tools.
///
/// # Errors
/// If everyone there would be let in and nobody has said so.
pub(super) fn judge(address: SocketAddr, settings: &ListenConfig, authenticated: bool) -> anyhow::Result<()> {
    if address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    if !authenticated && !settings.unauthenticated {
        bail!(
            "{address} can be reached from other machines and nobody who calls is authenticated; set up authentication, listen on 127.0.0.1:{}, or say `unauthenticated = \"anyone\"` under [server] (or --unauthenticated) if everyone may call",
            address.port()
        );
    }
    if authenticated && settings.tls.is_none() && settings.trusted_proxies.is_empty() {
        tracing::warn!(
            "{address} is served without TLS, so keys and tokens travel in clear; set `tls` under [server], or `trusted-proxies` if a proxy in front of it speaks TLS"
        );
    }
    Ok(())
}

/// Whether operators' machines may be served there.
///
/// # Errors
/// If it is not loopback and nobody has said that this is meant.
pub(super) fn judge_admin(address: SocketAddr, settings: &ListenConfig) -> anyhow::Result<()> {
    if address.ip().to_canonical().is_loopback() || settings.admin_unauthenticated {
        return Ok(());
    }
    bail!(
        "`admin` on {address} can be reached from other machines and asks for no authentication; use 127.0.0.1:{}, or say `admin-unauthenticated = \"anyone\"` under [server]",
        address.port()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use std::path::Path;

    fn settings(text: &str) -> ListenConfig {
        let text = format!("[server]\n{text}");
        config::parse(&text, Path::new("toolcell.toml"), &|_| None).unwrap().server.listen
    }

    #[test]
    fn everyone_is_served_on_loopback_only_unless_it_is_said() {
        let (closed, open) = (settings(""), settings("unauthenticated = 'anyone'\nadmin-unauthenticated = 'anyone'"));
        for (address, local) in [
            ("127.0.0.1:80", true),
            ("127.9.9.9:80", true),
            ("[::1]:80", true),
            ("[::ffff:127.0.0.1]:80", true),
            ("0.0.0.0:80", false),
            ("[::]:80", false),
            ("192.168.1.7:80", false),
            ("[::ffff:192.168.1.7]:80", false),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(judge(address, &closed, false).is_ok(), local, "{address}");
            assert_eq!(judge_admin(address, &closed).is_ok(), local, "{address}");
            assert!(judge(address, &closed, true).is_ok() && judge(address, &open, false).is_ok());
            assert!(judge_admin(address, &open).is_ok());
        }
        let refusal = judge("0.0.0.0:80".parse().unwrap(), &closed, false).unwrap_err().to_string();
        assert!(refusal.ends_with("(or --unauthenticated) if everyone may call"), "{refusal}");
    }
}
