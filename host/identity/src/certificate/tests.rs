//! Certificates that `rcgen` makes.

use rcgen::{CertificateParams, DnType, KeyPair, SanType, date_time_ymd};

use super::*;
use crate::testing::at;

/// A certificate for 2026 to 2030; the time of the tests is January 2027.
fn certificate(common: Option<&str>, alternatives: Vec<SanType>) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(common) = common {
        params.distinguished_name.push(DnType::CommonName, common);
    }
    params.subject_alt_names = alternatives;
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2030, 1, 1);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

fn all() -> Vec<SanType> {
    vec![
        dns("robot.example.com"),
        SanType::URI("spiffe://example.com/robot".try_into().unwrap()),
        SanType::Rfc822Name("robot@example.com".try_into().unwrap()),
    ]
}

fn who(config: &CertificateConfig, der: &[u8]) -> Result<String, Refusal> {
    identify(config, der, &Scopes::default(), at(0)).map(|identity| identity.principal)
}

#[test]
fn the_name_is_taken_from_where_the_operator_says() {
    use CertificateName::{SanDns, SanEmail, SanUri, SubjectCn};
    let der = certificate(Some("Robot"), all());
    for (sources, expected) in [
        (vec![SanUri, SanDns], "cert:spiffe://example.com/robot"),
        (vec![SanDns, SanUri], "cert:robot.example.com"),
        (vec![SanEmail], "cert:robot@example.com"),
        (vec![SubjectCn, SanUri], "cert:Robot"),
    ] {
        let config = CertificateConfig { sources, ..CertificateConfig::default() };
        assert_eq!(who(&config, &der).unwrap(), expected);
    }
    let plain = certificate(Some("Robot"), Vec::new());
    assert_eq!(who(&CertificateConfig::default(), &plain).unwrap(), "cert:Robot", "the first place that has one");
    let config = CertificateConfig { prefix: "mesh".to_owned(), ..CertificateConfig::default() };
    assert_eq!(who(&config, &plain).unwrap(), "mesh:Robot");
}

#[test]
fn names_and_fingerprints_are_mapped() {
    let (der, stranger) = (certificate(Some("Robot"), Vec::new()), certificate(Some("Stranger"), Vec::new()));
    let mapped = |principal: &str| Mapped {
        principal: principal.to_owned(),
        groups: ["bots".to_owned()].into(),
        scopes: ["admin".to_owned()].into(),
    };
    let mut config = CertificateConfig {
        names: [("Robot".to_owned(), mapped("robot-by-name"))].into(),
        any_name: false,
        ..CertificateConfig::default()
    };
    assert_eq!(who(&config, &der).unwrap(), "robot-by-name");
    assert_eq!(who(&config, &stranger), Err(Refusal::Certificate("it is nobody's")));
    config.fingerprints.insert(sha256(&der), mapped("robot-by-print"));
    let scopes = Scopes::new(&[("admin".to_owned(), ["tools".to_owned()].into())].into()).unwrap();
    let identity = identify(&config, &der, &scopes, at(0)).unwrap();
    assert_eq!(identity.principal, "robot-by-print");
    assert_eq!(identity.via, Method::Certificate);
    assert_eq!(identity.groups, ["bots".to_owned()].into());
    assert_eq!(identity.scopes, ["admin".to_owned(), "tools".to_owned()].into());
    assert_eq!(identity.expires, Some(UNIX_EPOCH + Duration::from_secs(1_893_456_000)));
}

#[test]
fn what_is_unclear_or_out_of_its_time_is_refused() {
    let config = CertificateConfig::default();
    let refused = |der: &[u8]| match who(&config, der) {
        Err(Refusal::Certificate(problem)) => problem,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        refused(&certificate(None, vec![dns("a.example"), dns("b.example")])),
        "it has more than one name: list its fingerprint"
    );
    assert_eq!(refused(&certificate(None, Vec::new())), "it has no name");
    assert_eq!(refused(&certificate(Some("a\nb"), Vec::new())), "its name is not a short text");
    assert_eq!(refused(&certificate(Some(&"x".repeat(300)), Vec::new())), "its name is not a short text");
    let good = certificate(Some("Robot"), Vec::new());
    assert_eq!(refused(&[good.as_slice(), b"x"].concat()), "it cannot be read");
    assert_eq!(refused(&good[..good.len() - 1]), "it cannot be read");
    assert_eq!(refused(b""), "it cannot be read");
    assert_eq!(refused(&vec![0x30; MAX_CERTIFICATE_BYTES + 1]), "it is too long");
    for seconds in [1_767_225_599, 1_893_456_001] {
        let now = UNIX_EPOCH + Duration::from_secs(seconds);
        let early_or_late = identify(&config, &good, &Scopes::default(), now);
        assert_eq!(early_or_late, Err(Refusal::Certificate("it is not valid at this time")));
    }
}

#[test]
fn names_that_are_a_pattern_or_can_look_like_others_must_be_listed() {
    let owner = |principal: &str| Mapped { principal: principal.to_owned(), ..Mapped::default() };
    for name in ["*", "*.example.com", "\u{430}lice", "alice\u{200b}", "\u{202e}ecila"] {
        let der = certificate(Some(name), Vec::new());
        let mut config = CertificateConfig::default();
        assert!(matches!(who(&config, &der), Err(Refusal::Certificate(why)) if why.ends_with("list it")), "{name:?}");
        config.names.insert(name.to_owned(), owner("meant"));
        assert_eq!(who(&config, &der).unwrap(), "meant");
    }
    for name in ["alice\0", "alice\0.evil.example", "alice\n", "\u{1b}[2J", "\u{85}"] {
        let mut config = CertificateConfig::default();
        config.names.insert(name.to_owned(), owner("never"));
        let der = certificate(Some(name), Vec::new());
        assert_eq!(who(&config, &der), Err(Refusal::Certificate("its name is not a short text")), "{name:?}");
    }
}
