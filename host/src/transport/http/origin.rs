//! Who may reach the endpoint through a browser: the defence against DNS rebinding.
//!
//! A page of some other site can make its own name resolve to this machine, and its visitor's browser will then talk to
//! us. It cannot forge `Host` and `Origin`: both carry the name of that site. So a host must be one we answer to, and
//! an origin, where there is one, must be one we trust. Source: 2026-07-28, Streamable HTTP, "Security & Endpoint".

use std::net::IpAddr;

/// Which hosts and origins are let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    loopback: bool,
    /// Whether pages from loopback are trusted.
    local_pages: bool,
    hosts: Vec<String>,
    origins: Vec<String>,
}

/// Why a request is not let in; the text says what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No `Host`, which only a broken client sends.
    #[error("the request names no host; send a `Host` header")]
    NoHost,
    /// A host that is not ours.
    #[error("host `{0}` is not served here; add it to `allowed-hosts` under [server] if it should be")]
    Host(String),
    /// A page of a site we do not trust.
    #[error("origin `{0}` is not trusted here; add it to `allowed-origins` under [server] if it should be")]
    Origin(String),
}

impl Gate {
    /// A gate for a server that listens on a loopback address only, or not, and also answers to `hosts`
    /// (`name` for any port, `name:port` for one) and trusts pages from `origins` (`https://app.example.com`).
    pub fn new(loopback: bool, hosts: &[String], origins: &[String]) -> Self {
        let normal =
            |list: &[String]| list.iter().map(|entry| entry.trim_end_matches('/').to_ascii_lowercase()).collect();
        Self { loopback, local_pages: loopback, hosts: normal(hosts), origins: normal(origins) }
    }

    /// The same for clients on other machines, that come through a proxy: a page from their loopback is not ours.
    #[must_use]
    pub fn without_local_pages(self) -> Self {
        Self { local_pages: false, ..self }
    }

    /// Lets a request through that was sent to `host`, the value of `Host` or the authority of the URL.
    ///
    /// 1. A listed host passes.
    /// 2. A loopback name passes: no other site can have it.
    /// 3. An address passes where the server listens on more than loopback, for an address cannot be rebound.
    /// 4. Nothing else passes.
    ///
    /// # Errors
    /// [`Refusal::NoHost`], [`Refusal::Host`].
    pub fn check_host(&self, host: Option<&str>) -> Result<(), Refusal> {
        let host = host.ok_or(Refusal::NoHost)?;
        let whole = host.to_ascii_lowercase();
        let name = without_port(&whole);
        let listed = self.hosts.iter().any(|entry| *entry == whole || *entry == name);
        let address = address(name);
        if listed || is_loopback(name) || (!self.loopback && address.is_some()) {
            return Ok(());
        }
        Err(Refusal::Host(shown(host)))
    }

    /// Lets a request through that carries this `Origin`; most clients are no browsers and carry none.
    ///
    /// 1. No origin passes.
    /// 2. A listed origin passes.
    /// 3. A page from a loopback name passes where the server itself is reachable from there only, and not through a
    ///    proxy.
    /// 4. Nothing else passes, `null` least of all.
    ///
    /// # Errors
    /// [`Refusal::Origin`].
    pub fn check_origin(&self, origin: Option<&str>) -> Result<(), Refusal> {
        let Some(origin) = origin else { return Ok(()) };
        let whole = origin.to_ascii_lowercase();
        let local = whole
            .strip_prefix("http://")
            .or_else(|| whole.strip_prefix("https://"))
            .is_some_and(|host| is_loopback(without_port(host)));
        if self.origins.contains(&whole) || (self.local_pages && local) {
            return Ok(());
        }
        Err(Refusal::Origin(shown(origin)))
    }
}

/// The host of `host[:port]`, without the dot that may end a name.
fn without_port(host: &str) -> &str {
    let name = match host.rfind(']') {
        Some(bracket) => host.get(..=bracket),
        None => host.split(':').next(),
    };
    name.unwrap_or(host).trim_end_matches('.')
}

fn address(name: &str) -> Option<IpAddr> {
    name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name).parse().ok()
}

fn is_loopback(name: &str) -> bool {
    name == "localhost" || address(name).is_some_and(|address| address.is_loopback())
}

/// What a stranger sent, short enough for a message.
fn shown(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::{Gate, Refusal};

    fn gate(loopback: bool) -> Gate {
        Gate::new(
            loopback,
            &["Tools.Example.com".into(), "one.example.com:8443".into()],
            &["https://app.example.com/".into(), "http://dev.example.com:3000".into()],
        )
    }

    #[test]
    fn hosts() {
        for (host, on_loopback, elsewhere) in [
            ("localhost", true, true),
            ("LOCALHOST:8080", true, true),
            ("localhost.:8080", true, true),
            ("127.0.0.1:8080", true, true),
            ("127.9.9.9", true, true),
            ("[::1]:8080", true, true),
            ("[::1]", true, true),
            ("tools.example.com", true, true),
            ("tools.example.com:443", true, true),
            ("tools.example.com.", true, true),
            ("one.example.com:8443", true, true),
            ("one.example.com", false, false),
            ("one.example.com:9000", false, false),
            ("192.168.1.7:8080", false, true),
            ("[2001:db8::1]:8080", false, true),
            ("evil.example.com", false, false),
            ("evil.example.com:8080", false, false),
            ("localhost.evil.example.com", false, false),
            ("127.0.0.1.evil.example.com", false, false),
            ("sub.tools.example.com", false, false),
            ("foo.localhost", false, false),
            ("0x7f000001", false, false),
            ("", false, false),
            ("]", false, false),
        ] {
            let refused = || Err(Refusal::Host(host.to_owned()));
            assert_eq!(gate(true).check_host(Some(host)), if on_loopback { Ok(()) } else { refused() }, "{host}");
            assert_eq!(gate(false).check_host(Some(host)), if elsewhere { Ok(()) } else { refused() }, "{host}");
        }
        assert_eq!(gate(true).check_host(None), Err(Refusal::NoHost));
    }

    #[test]
    fn origins() {
        for (origin, on_loopback, elsewhere) in [
            ("http://localhost:3000", true, false),
            ("http://127.0.0.1", true, false),
            ("https://[::1]:8080", true, false),
            ("https://app.example.com", true, true),
            ("https://APP.example.com", true, true),
            ("http://dev.example.com:3000", true, true),
            ("http://app.example.com", false, false),
            ("https://app.example.com:8443", false, false),
            ("http://dev.example.com", false, false),
            ("http://evil.example.com", false, false),
            ("http://localhost.evil.example.com", false, false),
            ("file://localhost", false, false),
            ("null", false, false),
            ("", false, false),
        ] {
            let refused = || Err(Refusal::Origin(origin.to_owned()));
            assert_eq!(gate(true).check_origin(Some(origin)), if on_loopback { Ok(()) } else { refused() }, "{origin}");
            assert_eq!(gate(false).check_origin(Some(origin)), if elsewhere { Ok(()) } else { refused() }, "{origin}");
        }
        assert_eq!(gate(true).check_origin(None), Ok(()));
        let proxied = gate(true).without_local_pages();
        assert!(proxied.check_origin(Some("http://localhost:3000")).is_err());
        assert_eq!(proxied.check_origin(Some("https://app.example.com")), Ok(()));
    }

    #[test]
    fn a_refusal_says_what_to_change() {
        let refusal = gate(true).check_host(Some("evil.example.com")).unwrap_err();
        assert!(refusal.to_string().contains("`allowed-hosts`"));
        let refusal = gate(true).check_origin(Some("null")).unwrap_err();
        assert!(refusal.to_string().contains("`allowed-origins`"));
    }
}
