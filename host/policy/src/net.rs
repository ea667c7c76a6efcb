//! The two questions of every request: is this name allowed, and then, for each address it resolved to, is this one.
//!
//! 1. The target is read ([`Target`]); what is not plain is refused.
//! 2. A pattern of the manifest must match it, if there is a manifest.
//! 3. A pattern of the operator must match it. The answer is a [`NamePermit`].
//! 4. The address must be public, or named by the operator: as the host of a matching pattern, or in `addresses`.
//!    An IPv4 address embedded in it must pass as well. The answer is an [`AddrPermit`].

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::addr::{AddrClass, classify, embedded};
use super::decision::{AddrPermit, DenyReason, NamePermit};
use super::grant::{Grant, Requested};
use super::pattern::HostPattern;
use super::target::{Target, TargetHost, is_plain_path};

impl Grant {
    /// Whether `plugin` may send this request, by its name. `host` comes without a port; without `port` the scheme's own
    /// is meant; `path` may have a query, which is not looked at. Where host and port come as one text, read them with
    /// [`Target::from_authority`] and ask [`Grant::check_target`].
    ///
    /// # Errors
    ///
    /// The target is not plain, the manifest does not ask for it, or the operator has not granted it.
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one request, which have no name together before they are read"
    )]
    pub fn check_request(
        &self,
        plugin: &str,
        requested: Option<&Requested>,
        method: &str,
        scheme: &str,
        host: &str,
        port: Option<u16>,
        path: &str,
    ) -> Result<NamePermit, DenyReason> {
        match Target::new(method, scheme, host, port, path) {
            Ok(target) => self.check_target(plugin, requested, &target),
            Err(error) => Err(DenyReason::BadTarget { plugin: plugin.to_owned(), problem: error.to_string() }),
        }
    }

    /// As [`Grant::check_request`], for a target that has been read.
    ///
    /// # Errors
    ///
    /// The manifest does not ask for it, or the operator has not granted it.
    pub fn check_target(
        &self,
        plugin: &str,
        requested: Option<&Requested>,
        target: &Target,
    ) -> Result<NamePermit, DenyReason> {
        if let Some(requested) = requested {
            let asked = || requested.hosts.iter().map(|request| &request.pattern);
            if !asked().any(|pattern| pattern.matches(target)) {
                let (plugin, request, pattern) = describe(plugin, target, asked())?;
                return Err(DenyReason::HostNotRequested { plugin, request, pattern });
            }
        }
        let mut matching = self.hosts.iter().filter(|pattern| pattern.matches(target)).peekable();
        if matching.peek().is_none() {
            let (plugin, request, pattern) = describe(plugin, target, self.hosts.iter())?;
            return Err(DenyReason::HostNotGranted { plugin, request, pattern });
        }
        Ok(NamePermit {
            plugin: plugin.to_owned(),
            scheme: target.scheme(),
            host: target.host().clone(),
            port: target.port(),
            address_granted: matching.any(|pattern| pattern.address().is_some()),
        })
    }

    /// Whether the permitted request may go to `address`, one of those its host resolved to (or the host itself, if that
    /// is an address).
    ///
    /// # Errors
    ///
    /// The address, or the IPv4 address embedded in it, is not public and not granted.
    pub fn check_addr(&self, permit: &NamePermit, address: IpAddr) -> Result<AddrPermit, DenyReason> {
        let allowed = AddrPermit { socket_addr: SocketAddr::new(address, permit.port) };
        let is_the_host = permit.host == TargetHost::Address(address);
        if is_the_host && permit.address_granted {
            return Ok(allowed);
        }
        let closed: Vec<IpAddr> = faces(address).filter(|face| !self.opens_one(*face)).collect();
        let Some(first) = closed.first() else {
            return Ok(allowed);
        };
        let line = if is_the_host {
            let authority = permit.authority();
            format!("hosts = [\"{}://{authority}\"]", permit.scheme)
        } else {
            let nets: Vec<String> = closed.iter().map(|address| format!("\"{}\"", IpNet::from(*address))).collect();
            format!("addresses = [{}]", nets.join(", "))
        };
        Err(DenyReason::AddressNotGranted {
            plugin: permit.plugin.clone(),
            host: permit.host.to_string(),
            address,
            class: classify(*first),
            line,
        })
    }

    /// Whether `address` and what is embedded in it are public or in `addresses`.
    pub(super) fn opens(&self, address: IpAddr) -> bool {
        faces(address).all(|face| self.opens_one(face))
    }

    fn opens_one(&self, address: IpAddr) -> bool {
        match classify(address) {
            AddrClass::Public => true,
            // A network that happens to hold it was not meant to give credentials away.
            AddrClass::Metadata => self.addresses.contains(&IpNet::from(address)),
            _ => self.addresses.iter().any(|net| net.contains(&address)),
        }
    }
}

/// The address and the IPv4 address inside it.
fn faces(address: IpAddr) -> impl Iterator<Item = IpAddr> {
    std::iter::once(address).chain(embedded(address).map(IpAddr::V4))
}

/// The fields of a refusal by name, with the pattern that would allow the request: the whole origin where none of
/// `patterns` speaks of it; where one does and only method or path are amiss, just this method and path.
///
/// # Errors
///
/// Only the path is amiss, because a server could see `..` in it: then no line would help, the path must change.
fn describe<'a>(
    plugin: &str,
    target: &Target,
    patterns: impl Iterator<Item = &'a HostPattern>,
) -> Result<(String, String, String), DenyReason> {
    let mut origin_known = false;
    for pattern in patterns {
        origin_known |= pattern.matches_origin(target);
    }
    let origin = target.origin();
    if origin_known && !is_plain_path(target.path()) {
        let problem =
            format!("{target} hides a `.` or `..` part and the grant speaks of paths, write the path without");
        return Err(DenyReason::BadTarget { plugin: plugin.to_owned(), problem });
    }
    let narrow = format!("{} {origin}{}", target.method(), target.path());
    let narrow = origin_known.then_some(narrow).filter(|text| text.parse::<HostPattern>().is_ok());
    Ok((plugin.to_owned(), target.to_string(), narrow.unwrap_or(origin)))
}

#[cfg(test)]
mod tests {
    use super::super::grant::HostRequest;
    use super::*;

    fn grant(hosts: &[&str], addresses: &[&str]) -> Grant {
        Grant {
            hosts: hosts.iter().map(|text| text.parse().unwrap()).collect(),
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            ..Grant::default()
        }
    }

    fn asks(hosts: &[&str]) -> Requested {
        let request = |text: &&str| HostRequest { pattern: text.parse().unwrap(), why: String::new() };
        Requested { hosts: hosts.iter().map(request).collect(), ..Requested::default() }
    }

    #[test]
    fn names_are_refused_with_reason_and_line() {
        // granted, asked for (none: no manifest), method and scheme and host, port, path, code, part of the text
        type Row<'a> = (&'a [&'a str], Option<&'a [&'a str]>, [&'a str; 3], Option<u16>, &'a str, &'a str, &'a str);
        let a = ["GET", "https", "a.example"];
        #[rustfmt::skip] // a table: one row, one line
        let table: &[Row] = &[
            (&[], None, a, None, "/x", "host-not-granted", r#"[plugins.p] hosts = ["https://a.example"]"#),
            (&["https://a.example"], None, ["GET", "http", "a.example"], None, "/", "host-not-granted", r#"["http://a.example"]"#),
            (&["https://a.example"], None, a, Some(8443), "/", "host-not-granted", r#"["https://a.example:8443"]"#),
            (&["https://a.example"], None, ["GET", "https", "B.example."], None, "/", "host-not-granted", r#"["https://b.example"]"#),
            // The host is granted for other methods or paths: the line adds no more than this one.
            (&["GET https://a.example/v1/*"], None, ["POST", "https", "a.example"], None, "/v1/x?t=1", "host-not-granted",
                r#"hosts = ["POST https://a.example/v1/x"]"#),
            (&["https://a.example/v1/*"], None, a, None, "/v2/\"", "host-not-granted", r#"hosts = ["https://a.example"]"#),
            (&["https://a.example/v1/*"], None, a, None, "/v1/../v2", "bad-target", "write the path without"),
            // The author comes first, then the operator.
            (&["https://*"], Some(&[]), a, None, "/", "host-not-requested", r#"[{"pattern": "https://a.example", "why": "…"}]"#),
            (&[], Some(&[]), a, None, "/", "host-not-requested", "its author must add to its requests"),
            (&[], Some(&["https://*"]), a, None, "/", "host-not-granted", r#"hosts = ["https://a.example"]"#),
            // What cannot be judged.
            (&["https://*:*"], None, a, Some(0), "/", "bad-target", "port 0"),
            (&["https://*"], None, ["GET", "https", ""], None, "/", "bad-target", "host is empty"),
            (&["https://*"], None, ["GET", "https", "a.example@evil.example"], None, "/", "bad-target", "user information"),
            (&["https://*"], None, ["GET", "https", "fe80::1%eth0"], None, "/", "bad-target", "zone"),
            (&["https://*"], None, ["CONNECT", "https", "a.example"], None, "/", "bad-target", "tunnel"),
            (&["https://*"], None, ["GET", "ftp", "a.example"], None, "/", "bad-target", "scheme"),
        ];
        for (granted, asked, [method, scheme, host], port, path, code, part) in table {
            let requested = asked.map(asks);
            let got = grant(granted, &[]).check_request("p", requested.as_ref(), method, scheme, host, *port, path);
            let reason = got.unwrap_err();
            assert_eq!(reason.code(), *code, "{reason}");
            assert!(reason.to_string().contains(part), "{reason}");
        }
    }

    #[test]
    fn a_permit_holds_the_plain_form() {
        let grant = grant(&["https://*.example:*"], &[]);
        let requested = asks(&["https://*:*"]);
        let permit = grant.check_request("p", Some(&requested), "GET", "HTTPS", "A.Example.", Some(8443), "/").unwrap();
        assert_eq!(permit.authority(), "a.example:8443");
        assert_eq!(permit.host(), &TargetHost::Name("a.example".into()));
        assert_eq!((permit.plugin(), permit.scheme().as_str(), permit.port()), ("p", "https", 8443));
        let address = grant.check_addr(&permit, [8, 8, 8, 8].into()).unwrap();
        assert_eq!(address.socket_addr(), "8.8.8.8:8443".parse().unwrap());
    }

    #[test]
    fn addresses_are_refused_unless_granted() {
        type Row<'a> = (&'a [&'a str], &'a [&'a str], &'a str, &'a str, Option<&'a str>);
        // hosts, addresses, host asked for, resolved address, the line to add (none: permitted); all over http
        #[rustfmt::skip] // a table: one row, one line
        let table: &[Row] = &[
            (&["http://*"], &[], "a.example", "8.8.8.8", None),
            (&["http://*"], &[], "a.example", "2606:4700::1111", None),
            (&["http://*"], &[], "8.8.8.8", "8.8.8.8", None),
            // A name that turns out to be private.
            (&["http://*"], &[], "a.example", "10.0.0.1", Some(r#"addresses = ["10.0.0.1/32"]"#)),
            (&["http://a.example"], &[], "a.example", "127.0.0.1", Some(r#"addresses = ["127.0.0.1/32"]"#)),
            (&["http://localhost"], &[], "localhost", "::1", Some(r#"addresses = ["::1/128"]"#)),
            (&["http://*"], &["10.0.0.0/8"], "a.example", "10.0.0.1", None),
            (&["http://*"], &["10.0.0.0/8"], "a.example", "11.0.0.1", None),
            (&["http://*"], &["10.0.0.0/8"], "a.example", "172.16.0.1", Some(r#"addresses = ["172.16.0.1/32"]"#)),
            (&["http://*"], &["::1/128"], "a.example", "::1", None),
            // An address as host, with and without being named.
            (&["http://*"], &[], "127.0.0.1", "127.0.0.1", Some(r#"hosts = ["http://127.0.0.1"]"#)),
            (&["http://*"], &[], "[::1]", "::1", Some(r#"hosts = ["http://[::1]"]"#)),
            (&["http://*", "http://127.0.0.1"], &[], "127.0.0.1", "127.0.0.1", None),
            (&["http://[::1]"], &[], "::1", "::1", None),
            (&["http://127.0.0.1"], &[], "0x7f.1", "127.0.0.1", None),
            // It grants that address and no other.
            (&["http://127.0.0.1"], &[], "127.0.0.1", "127.0.0.2", Some(r#"addresses = ["127.0.0.2/32"]"#)),
            (&["http://127.0.0.1", "http://*"], &[], "a.example", "127.0.0.1", Some(r#"addresses = ["127.0.0.1/32"]"#)),
            // Metadata services: by their own address only.
            (&["http://*"], &["0.0.0.0/0"], "a.example", "169.254.169.254", Some(r#"addresses = ["169.254.169.254/32"]"#)),
            (&["http://*"], &["169.254.169.254/32"], "a.example", "169.254.169.254", None),
            (&["http://169.254.169.254"], &[], "169.254.169.254", "169.254.169.254", None),
            // IPv4 inside IPv6: both have to be open.
            (&["http://*"], &[], "a.example", "::ffff:8.8.8.8", Some(r#"addresses = ["::ffff:8.8.8.8/128"]"#)),
            (&["http://*"], &[], "a.example", "::ffff:10.0.0.1", Some(r#"addresses = ["::ffff:10.0.0.1/128", "10.0.0.1/32"]"#)),
            (&["http://*"], &["10.0.0.0/8"], "a.example", "::ffff:10.0.0.1", Some(r#"addresses = ["::ffff:10.0.0.1/128"]"#)),
            (&["http://*"], &["64:ff9b::/96"], "a.example", "64:ff9b::8.8.8.8", None),
            (&["http://*"], &["64:ff9b::/96"], "a.example", "64:ff9b::10.0.0.1", Some(r#"addresses = ["10.0.0.1/32"]"#)),
            (&["http://*"], &["64:ff9b::/96", "::/0", "0.0.0.0/0"], "a.example", "64:ff9b::169.254.169.254",
                Some(r#"addresses = ["169.254.169.254/32"]"#)),
            (&["http://*"], &["2002::/16"], "a.example", "2002:7f00:1::1", Some(r#"addresses = ["127.0.0.1/32"]"#)),
            (&["http://*"], &["2001::/32"], "a.example", "2001:0:4136:e378:8000:63bf:f5ff:fffe", Some(r#"addresses = ["10.0.0.1/32"]"#)),
            (&["http://*"], &[], "a.example", "64:ff9b:1::8.8.8.8", Some(r#"addresses = ["64:ff9b:1::808:808/128"]"#)),
            (&["http://[::ffff:127.0.0.1]"], &[], "[::ffff:127.0.0.1]", "::ffff:127.0.0.1", None),
        ];
        for (hosts, addresses, host, address, line) in table {
            let grant = grant(hosts, addresses);
            let permit = grant.check_request("p", None, "GET", "http", host, None, "/").unwrap();
            let address: IpAddr = address.parse().unwrap();
            match (grant.check_addr(&permit, address), line) {
                (Ok(permit), None) => {
                    assert_eq!(permit.socket_addr(), SocketAddr::new(address, 80))
                }
                (Err(reason), Some(line)) => {
                    assert_eq!(reason.code(), "address-not-granted");
                    assert!(reason.to_string().ends_with(line), "{reason}");
                }
                (got, _) => panic!("{hosts:?} {addresses:?} {host} {address}: {got:?}"),
            }
        }
    }

    #[test]
    fn no_class_but_public_is_open_without_a_grant() {
        let grant = grant(&["http://*"], &[]);
        let permit = grant.check_request("p", None, "GET", "http", "a.example", None, "/").unwrap();
        #[rustfmt::skip] // a table: one row, one line
        let closed = [
            "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.1.1", "169.254.169.254", "172.16.0.1",
            "192.0.0.1", "192.0.2.1", "192.168.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::",
            "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::1", "64:ff9b:1::1", "100::1",
            "2001::1", "2001:db8::1", "2002::1", "fc00::1", "fe80::1", "fec0::1", "ff02::1",
        ];
        for address in closed {
            let reason = grant.check_addr(&permit, address.parse().unwrap()).unwrap_err();
            assert_eq!(reason.code(), "address-not-granted", "{address}");
        }
    }

    #[test]
    fn nothing_is_open_by_default() {
        let reason = Grant::default().check_request("p", None, "GET", "https", "a.example", None, "/").unwrap_err();
        assert_eq!(reason.code(), "host-not-granted");
    }
}
