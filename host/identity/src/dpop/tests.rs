//! Each line of RFC 9449, 4.3, with a proof that breaks it.

use serde_json::{Value, json};

use super::*;
use crate::testing::{NOW, Signer, URL, at, proof_claims};

const TOKEN: &str = "the-access-token";

fn request(key: &str) -> Proven<'_> {
    Proven { method: "POST", url: URL, token: TOKEN, key }
}

fn judge() -> Dpop {
    Dpop::new(&DpopConfig::default()).unwrap()
}

#[test]
fn a_good_proof_is_taken_once() {
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256] {
        let (dpop, signer) = (judge(), Signer::new("k", algorithm));
        let (proof, key) = (signer.proof(TOKEN, &json!({})), signer.thumbprint());
        assert_eq!(dpop.check(&proof, &request(&key), at(0)), Ok(()));
        for seconds in [0, 1, 30, 60] {
            let again = dpop.check(&proof, &request(&key), at(seconds));
            assert_eq!(again, Err(Refusal::Proof("it was used before")), "{seconds}");
        }
        assert_eq!(dpop.check(&proof, &request(&key), at(61)), Err(Refusal::Proof("it is too old")));
        let next = signer.proof(TOKEN, &json!({"jti": "proof-2"}));
        assert_eq!(dpop.check(&next, &request(&key), at(0)), Ok(()));
    }
}

#[test]
fn claims_that_break_a_rule_are_refused() {
    let (dpop, signer) = (judge(), Signer::new("k", Algorithm::ES256));
    let key = signer.thumbprint();
    let table = [
        (json!({"htm": "GET"}), "it was made for another method"),
        (json!({"htm": "post"}), "it was made for another method"),
        (json!({"htm": null}), "it was made for another method"),
        (json!({"htu": "https://mcp.example.com/other"}), "it was made for another URL"),
        (json!({"htu": "http://mcp.example.com/mcp"}), "it was made for another URL"),
        (json!({"htu": "https://mcp.example.com.evil/mcp"}), "it was made for another URL"),
        (json!({"htu": "https://mcp.example.com:8443/mcp"}), "it was made for another URL"),
        (json!({"htu": "/mcp"}), "it names no URL"),
        (json!({"htu": null}), "it names no URL"),
        (json!({"iat": NOW - 61}), "it is too old"),
        (json!({"iat": NOW + 6}), "it was made in the future"),
        (json!({"iat": null}), "it has no time"),
        (json!({"iat": "now"}), "one of its times is not a time"),
        (json!({"jti": null}), "it has no short id"),
        (json!({"jti": ""}), "it has no short id"),
        (json!({"jti": "x".repeat(257)}), "it has no short id"),
        (json!({"ath": null}), "it was made for another token"),
        (json!({"ath": encode(&sha256(b"another token"))}), "it was made for another token"),
    ];
    for (change, problem) in table {
        let proof = signer.proof(TOKEN, &change);
        assert_eq!(dpop.check(&proof, &request(&key), at(0)), Err(Refusal::Proof(problem)), "{change}");
    }
    for (id, good) in [
        json!({"htu": "https://MCP.example.com:443/mcp?query=1#fragment"}),
        json!({"iat": NOW - 60}),
        json!({"iat": NOW + 5}),
    ]
    .iter()
    .enumerate()
    {
        let mut change = good.clone();
        change["jti"] = json!(id.to_string());
        assert_eq!(dpop.check(&signer.proof(TOKEN, &change), &request(&key), at(0)), Ok(()), "{good}");
    }
}

#[test]
fn headers_and_keys_that_break_a_rule_are_refused() {
    let (dpop, signer, other) = (judge(), Signer::new("k", Algorithm::ES256), Signer::new("k", Algorithm::ES256));
    let key = signer.thumbprint();
    let body = proof_claims(TOKEN, &json!({})).to_string();
    let mut private = signer.jwk();
    private["d"] = json!("AAAA");
    let table = [
        (json!({"typ": "JWT", "alg": "ES256", "jwk": signer.jwk()}), "it is not of type dpop+jwt"),
        (json!({"alg": "ES256", "jwk": signer.jwk()}), "it is not of type dpop+jwt"),
        (json!({"typ": "dpop+jwt", "alg": "none", "jwk": signer.jwk()}), "its algorithm is not allowed"),
        (json!({"typ": "dpop+jwt", "alg": "HS256", "jwk": signer.jwk()}), "its algorithm is not allowed"),
        (json!({"typ": "dpop+jwt", "alg": "ES384", "jwk": signer.jwk()}), "its algorithm is not allowed"),
        (json!({"typ": "dpop+jwt", "alg": "ES256"}), "it holds no key"),
        (json!({"typ": "dpop+jwt", "alg": "ES256", "kid": "k"}), "it holds no key"),
        (json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": private}), "it holds a private key"),
        (json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": {"kty": "oct", "k": "AA"}}), "it holds a private key"),
        (json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": {"kty": "EC"}}), "its key cannot be used"),
        (json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": signer.jwk()}), "its signature is wrong"),
        (
            json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": other.jwk()}),
            "its key is not the one the token is bound to",
        ),
    ];
    for (header, problem) in table {
        let proof = signer.signed(&header.to_string(), &body);
        assert_eq!(dpop.check(&proof, &request(&key), at(0)), Err(Refusal::Proof(problem)), "{header}");
    }
    // The right key named, by one who has another.
    let forged = other.signed(&json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": signer.jwk()}).to_string(), &body);
    assert_eq!(dpop.check(&forged, &request(&key), at(0)), Err(Refusal::Proof("its signature is wrong")));
    assert_eq!(
        dpop.check(&"x".repeat(MAX_PROOF_BYTES + 1), &request(&key), at(0)),
        Err(Refusal::Proof("it is too long"))
    );
    // None of all these was remembered as used.
    assert_eq!(dpop.check(&signer.proof(TOKEN, &json!({})), &request(&key), at(0)), Ok(()));
}

#[test]
fn a_nonce_is_asked_for_and_ends() {
    let secret = Some(Secret::from("0123456789abcdef0123456789abcdef"));
    let config = DpopConfig { require_nonce: true, nonce_secret: secret, ..DpopConfig::default() };
    let (dpop, replica) = (Dpop::new(&config).unwrap(), Dpop::new(&config).unwrap());
    let stranger = Dpop::new(&DpopConfig { nonce_secret: None, ..config }).unwrap();
    let signer = Signer::new("k", Algorithm::EdDSA);
    let key = signer.thumbprint();
    let check = |dpop: &Dpop, nonce: &Value, seconds: u64| {
        let changes = json!({"nonce": nonce, "jti": format!("{seconds}"), "iat": NOW + seconds});
        dpop.check(&signer.proof(TOKEN, &changes), &request(&key), at(seconds))
    };
    let Err(Refusal::Nonce { nonce }) = check(&dpop, &Value::Null, 0) else { panic!("no nonce was asked for") };
    let nonce = json!(nonce);
    assert_eq!(check(&dpop, &nonce, 0), Ok(()));
    assert_eq!(check(&replica, &nonce, 0), Ok(()), "another host with the same secret");
    assert!(matches!(check(&stranger, &nonce, 0), Err(Refusal::Nonce { .. })));
    assert_eq!(check(&dpop, &nonce, 119), Ok(()));
    assert!(matches!(check(&dpop, &nonce, 240), Err(Refusal::Nonce { nonce: next }) if json!(next) != nonce));
    assert!(matches!(check(&dpop, &json!("x"), 1), Err(Refusal::Nonce { .. })));
    assert!(matches!(check(&dpop, &json!(""), 1), Err(Refusal::Nonce { .. })));
}

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let with = |change: fn(&mut DpopConfig)| {
        let mut config = DpopConfig::default();
        change(&mut config);
        Dpop::new(&config).err()
    };
    assert!(matches!(with(|config| config.algorithms.clear()), Some(ConfigError::NoProofAlgorithm)));
    assert!(matches!(with(|config| config.max_age = Duration::from_secs(601)), Some(ConfigError::ProofAge)));
    let short = with(|config| {
        config.require_nonce = true;
        config.nonce_secret = Some(Secret::from("short"));
    });
    assert!(matches!(short, Some(ConfigError::NonceSecret)));
}
