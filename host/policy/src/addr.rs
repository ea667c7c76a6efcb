//! Which addresses are not public, and why.
//!
//! The tables follow the IANA special-purpose registries (RFC 6890 and its updates) and add the addresses at which
//! clouds serve credentials to whoever can reach them. IPv6 is judged the other way round too: what is not in
//! `2000::/3` is not public, whatever it is.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of address it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddrClass {
    /// Reachable by everyone; the only class that needs no grant.
    Public,
    /// `0.0.0.0/8` and `::`, which many systems take for themselves.
    Unspecified,
    /// This machine.
    Loopback,
    /// RFC 1918.
    Private,
    /// RFC 6598, between a provider and its customers.
    CarrierNat,
    /// This link (RFC 3927, RFC 4291).
    LinkLocal,
    /// A cloud's metadata service, which hands out credentials.
    Metadata,
    /// RFC 4193.
    UniqueLocal,
    /// `fec0::/10`, deprecated and still routed in places.
    SiteLocal,
    /// One to many.
    Multicast,
    /// Everyone on the link.
    Broadcast,
    /// RFC 5737, RFC 3849, RFC 9637.
    Documentation,
    /// RFC 2544, RFC 5180.
    Benchmarking,
    /// Anything else that is set aside.
    Reserved,
    /// `::ffff:0:0/96`: an IPv4 address.
    Ipv4Mapped,
    /// `::/96`: an IPv4 address, deprecated.
    Ipv4Compatible,
    /// `::ffff:0:0:0/96`: an IPv4 address (RFC 2765).
    Ipv4Translated,
    /// `2002::/16`: a tunnel to an IPv4 address.
    SixToFour,
    /// `2001::/32`: a tunnel to an IPv4 address.
    Teredo,
    /// `…:0:5efe:a.b.c.d`: a tunnel to an IPv4 address (RFC 5214).
    Isatap,
    /// `64:ff9b::/96`: translated to an IPv4 address (RFC 6052).
    Nat64,
    /// `64:ff9b:1::/48`: translated to an IPv4 address, within one network (RFC 8215).
    Nat64Local,
}

impl AddrClass {
    /// What a message calls it, with its article.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Unspecified => "an unspecified address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::CarrierNat => "a carrier-grade NAT address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "a cloud metadata address",
            Self::UniqueLocal => "a unique local address",
            Self::SiteLocal => "a site-local address",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "a broadcast address",
            Self::Documentation => "a documentation address",
            Self::Benchmarking => "a benchmarking address",
            Self::Reserved => "a reserved address",
            Self::Ipv4Mapped => "an IPv4-mapped address",
            Self::Ipv4Compatible => "an IPv4-compatible address",
            Self::Ipv4Translated => "an IPv4-translated address",
            Self::SixToFour => "a 6to4 address",
            Self::Teredo => "a Teredo address",
            Self::Isatap => "an ISATAP address",
            Self::Nat64 => "a NAT64 address",
            Self::Nat64Local => "a local NAT64 address",
        }
    }
}

impl fmt::Display for AddrClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// First match wins, so single addresses come before the networks around them.
const V4: &[([u8; 4], u32, AddrClass)] = &[
    ([169, 254, 169, 254], 32, AddrClass::Metadata), // AWS, Azure, Google Cloud and most others
    ([169, 254, 170, 2], 32, AddrClass::Metadata),   // AWS, credentials of containers
    ([169, 254, 170, 23], 32, AddrClass::Metadata),  // AWS, credentials of pods
    ([169, 254, 42, 42], 32, AddrClass::Metadata),   // Scaleway
    ([169, 254, 0, 23], 32, AddrClass::Metadata),    // Tencent Cloud
    ([100, 100, 100, 200], 32, AddrClass::Metadata), // Alibaba Cloud
    ([168, 63, 129, 16], 32, AddrClass::Metadata),   // Azure's wire server, within a public network
    ([192, 0, 0, 192], 32, AddrClass::Metadata),     // Oracle Cloud
    ([0, 0, 0, 0], 8, AddrClass::Unspecified),
    ([10, 0, 0, 0], 8, AddrClass::Private),
    ([100, 64, 0, 0], 10, AddrClass::CarrierNat),
    ([127, 0, 0, 0], 8, AddrClass::Loopback),
    ([169, 254, 0, 0], 16, AddrClass::LinkLocal),
    ([172, 16, 0, 0], 12, AddrClass::Private),
    ([192, 0, 0, 0], 24, AddrClass::Reserved),
    ([192, 0, 2, 0], 24, AddrClass::Documentation),
    ([192, 88, 99, 0], 24, AddrClass::Reserved), // 6to4 relays, deprecated
    ([192, 168, 0, 0], 16, AddrClass::Private),
    ([198, 18, 0, 0], 15, AddrClass::Benchmarking),
    ([198, 51, 100, 0], 24, AddrClass::Documentation),
    ([203, 0, 113, 0], 24, AddrClass::Documentation),
    ([224, 0, 0, 0], 4, AddrClass::Multicast),
    ([255, 255, 255, 255], 32, AddrClass::Broadcast),
    ([240, 0, 0, 0], 4, AddrClass::Reserved),
];

/// First match wins; the last lines say that nothing outside `2000::/3` is public.
const V6: &[([u16; 8], u32, AddrClass)] = &[
    ([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128, AddrClass::Metadata), // AWS
    ([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23], 128, AddrClass::Metadata),  // AWS, credentials of pods
    ([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128, AddrClass::Metadata),  // Google Cloud
    ([0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42], 128, AddrClass::Metadata),   // Scaleway
    ([0xfd00, 0xc1, 0, 0, 0xa9fe, 0xa9fe, 0, 0], 96, AddrClass::Metadata), // Oracle Cloud
    ([0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe], 128, AddrClass::Metadata), // Akamai, OpenStack
    ([0, 0, 0, 0, 0, 0, 0, 0], 128, AddrClass::Unspecified),
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, AddrClass::Loopback),
    ([0, 0, 0, 0, 0, 0, 0, 0], 96, AddrClass::Ipv4Compatible),
    ([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, AddrClass::Ipv4Mapped),
    ([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, AddrClass::Ipv4Translated),
    ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, AddrClass::Nat64),
    ([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, AddrClass::Nat64Local),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, AddrClass::Teredo),
    ([0x2001, 2, 0, 0, 0, 0, 0, 0], 48, AddrClass::Benchmarking),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, AddrClass::Reserved), // IETF protocol assignments, ORCHID among them
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, AddrClass::Documentation),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, AddrClass::SixToFour),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, AddrClass::Documentation),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, AddrClass::UniqueLocal),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, AddrClass::LinkLocal),
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, AddrClass::SiteLocal),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, AddrClass::Multicast),
];

const GLOBAL_UNICAST: ([u16; 8], u32) = ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// The class of `address` itself; what may be embedded in it is a second question, see [`embedded`].
pub fn classify(address: IpAddr) -> AddrClass {
    match address {
        IpAddr::V4(address) => classify_v4(address),
        IpAddr::V6(address) => classify_v6(address),
    }
}

fn classify_v4(address: Ipv4Addr) -> AddrClass {
    let bits = u32::from(address);
    let within = |net: [u8; 4], len: u32| (bits ^ u32::from_be_bytes(net)).leading_zeros() >= len;
    V4.iter().find(|(net, len, _)| within(*net, *len)).map_or(AddrClass::Public, |(_, _, class)| *class)
}

fn classify_v6(address: Ipv6Addr) -> AddrClass {
    let within =
        |net: [u16; 8], len: u32| (u128::from(address) ^ u128::from(Ipv6Addr::from(net))).leading_zeros() >= len;
    if let Some((_, _, class)) = V6.iter().find(|(net, len, _)| within(*net, *len)) {
        return *class;
    }
    // The `u` bit of the interface identifier says whether the IPv4 address is unique, so both forms are in use.
    if matches!(address.segments(), [_, _, _, _, 0 | 0x200, 0x5efe, _, _]) {
        return AddrClass::Isatap;
    }
    if within(GLOBAL_UNICAST.0, GLOBAL_UNICAST.1) { AddrClass::Public } else { AddrClass::Reserved }
}

/// The IPv4 address that packets to `address` end up at, for the classes in which one is written at a known place.
///
/// [`AddrClass::Nat64Local`] has none: where it is written depends on the network (RFC 6052, 2.2).
pub fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else {
        return None;
    };
    let [_, high, low, .., before_last, last] = address.segments();
    let join = |high: u16, low: u16| Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match classify_v6(address) {
        AddrClass::Ipv4Mapped
        | AddrClass::Ipv4Compatible
        | AddrClass::Ipv4Translated
        | AddrClass::Nat64
        | AddrClass::Isatap => join(before_last, last),
        AddrClass::SixToFour => join(high, low),
        // Teredo writes the client's address inverted (RFC 4380, 4).
        AddrClass::Teredo => join(!before_last, !last),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::AddrClass::*;
    use super::*;

    #[test]
    fn every_class_at_its_borders() {
        #[rustfmt::skip] // a table: one row, one line
        let table: &[(AddrClass, &[&str])] = &[
            (Unspecified, &["0.0.0.0", "0.0.0.1", "0.255.255.255", "::"]),
            (Loopback, &["127.0.0.0", "127.0.0.1", "127.255.255.255", "::1"]),
            (Private, &["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0",
                "192.168.255.255"]),
            (CarrierNat, &["100.64.0.0", "100.127.255.255"]),
            (LinkLocal, &["169.254.0.0", "169.254.169.253", "169.254.255.255", "fe80::", "fe80::1", "febf:ffff::1"]),
            (Metadata, &["169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.42.42", "169.254.0.23",
                "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
                "fd00:42::42", "fd00:c1::a9fe:a9fe:0:0", "fd00:c1::a9fe:a9fe:a9fe:a9fe", "fe80::a9fe:a9fe"]),
            (UniqueLocal, &["fc00::", "fc00::1", "fd00::1", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]),
            (SiteLocal, &["fec0::", "fec0::1", "feff:ffff::1"]),
            (Multicast, &["224.0.0.0", "224.0.0.251", "239.255.255.255", "ff00::", "ff02::1", "ffff::1"]),
            (Broadcast, &["255.255.255.255"]),
            (Documentation, &["192.0.2.0", "192.0.2.255", "198.51.100.0", "198.51.100.255", "203.0.113.0",
                "203.0.113.255", "2001:db8::", "2001:db8:ffff::1", "3fff::", "3fff:fff:ffff::1"]),
            (Benchmarking, &["198.18.0.0", "198.19.255.255", "2001:2::", "2001:2:0:ffff::1"]),
            (Reserved, &["192.0.0.0", "192.0.0.10", "192.0.0.255", "192.88.99.0", "192.88.99.255", "240.0.0.0",
                "255.255.255.254", "2001:1::1", "2001:10::1", "2001:20::1", "2001:1ff:ffff::1", "100::1",
                "100:0:0:1::1", "0:1::", "1fff::1", "4000::1", "5f00::1", "8000::", "e000::1", "fbff::1", "fe00::1",
                "64:ff9a::1", "64:ff9b:2::1", "64:ff9b::1:0:0"]),
            (Ipv4Mapped, &["::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:169.254.169.254"]),
            (Ipv4Compatible, &["::2", "::127.0.0.1", "::8.8.8.8", "::ffff:ffff"]),
            (Ipv4Translated, &["::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8"]),
            (SixToFour, &["2002::", "2002:7f00:1::1", "2002:808:808::1", "2002:ffff:ffff::1"]),
            (Teredo, &["2001::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:0:ffff::1"]),
            (Isatap, &["2a00:1450::5efe:10.0.0.1", "2a00:1450::200:5efe:8.8.8.8"]),
            (Nat64, &["64:ff9b::", "64:ff9b::127.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b::ffff:ffff"]),
            (Nat64Local, &["64:ff9b:1::", "64:ff9b:1::10.0.0.1", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"]),
            (Public, &["1.0.0.0", "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
                "126.255.255.255", "128.0.0.0", "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0",
                "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.31.196.1",
                "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
                "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255", "2000::1",
                "2001:200::1", "2001:db7::1", "2001:db9::1", "2001:4860:4860::8888", "2003::1", "2606:4700::1111",
                "3ffe::1", "3fff:1000::1"]),
        ];
        for (class, addresses) in table {
            for address in *addresses {
                assert_eq!(classify(address.parse().unwrap()), *class, "{address}");
            }
        }
    }

    #[test]
    fn embedded_addresses_are_found() {
        let table = [
            ("::ffff:10.0.0.1", Some("10.0.0.1")),
            ("::10.0.0.1", Some("10.0.0.1")),
            ("::ffff:0:10.0.0.1", Some("10.0.0.1")),
            ("64:ff9b::10.0.0.1", Some("10.0.0.1")),
            ("2a00:1450::5efe:10.0.0.1", Some("10.0.0.1")),
            ("2002:a00:1::1", Some("10.0.0.1")),
            ("2002:808:808::a00:1", Some("8.8.8.8")),
            ("2001:0:4136:e378:8000:63bf:f5ff:fffe", Some("10.0.0.1")),
            ("64:ff9b:1::10.0.0.1", None),
            ("2606:4700::1111", None),
            ("::1", None),
            ("::", None),
            ("10.0.0.1", None),
        ];
        for (address, inner) in table {
            let inner = inner.map(|inner: &str| inner.parse().unwrap());
            assert_eq!(embedded(address.parse().unwrap()), inner, "{address}");
        }
    }

    #[test]
    fn every_class_has_its_own_name() {
        let classes = [
            Public,
            Unspecified,
            Loopback,
            Private,
            CarrierNat,
            LinkLocal,
            Metadata,
            UniqueLocal,
            SiteLocal,
            Multicast,
            Broadcast,
            Documentation,
            Benchmarking,
            Reserved,
            Ipv4Mapped,
            Ipv4Compatible,
            Ipv4Translated,
            SixToFour,
            Teredo,
            Isatap,
            Nat64,
            Nat64Local,
        ];
        let names: std::collections::BTreeSet<_> = classes.iter().map(ToString::to_string).collect();
        assert_eq!(names.len(), classes.len());
    }
}
