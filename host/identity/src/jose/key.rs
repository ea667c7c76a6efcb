//! Public keys as JSON (RFC 7517), and their thumbprints (RFC 7638).

use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::{Map, Value};

use super::{Algorithm, decode, encode, sha256};

/// A public key that can verify.
#[derive(Clone)]
pub(crate) struct PublicKey {
    material: Material,
    /// The only algorithm, where the key's own description names one.
    only: Option<Algorithm>,
}

#[derive(Clone)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256([u8; 65]),
    P384([u8; 97]),
    Ed25519([u8; 32]),
}

impl PublicKey {
    /// Reads a key that is meant for signatures.
    ///
    /// `None`, if it is of another kind, meant for something else, or not well-formed: a key set may hold keys that are
    /// not for us.
    pub(crate) fn read(jwk: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if jwk.get("use").is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        if let Some(operations) = jwk.get("key_ops") {
            operations.as_array()?.iter().find(|operation| **operation == "verify")?;
        }
        let bytes = |name: &str| text(name).and_then(decode);
        let material = match (text("kty")?, text("crv")) {
            // Some servers write the sign byte of the number.
            ("RSA", _) => {
                let number = |name: &str| bytes(name).map(|n| n.into_iter().skip_while(|byte| *byte == 0).collect());
                Material::Rsa { n: number("n")?, e: number("e")? }
            }
            ("EC", Some("P-256")) => Material::P256(point(&bytes("x")?, &bytes("y")?)?),
            ("EC", Some("P-384")) => Material::P384(point(&bytes("x")?, &bytes("y")?)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes("x")?.try_into().ok()?),
            _ => return None,
        };
        let only = match jwk.get("alg") {
            None => None,
            Some(name) => Some(name.as_str()?.parse().ok()?),
        };
        Some(Self { material, only })
    }

    /// Whether a signature by `algorithm` could be of this key.
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        let kind = match self.material {
            Material::Rsa { .. } => algorithm.rsa().is_some(),
            Material::P256(_) => algorithm == Algorithm::ES256,
            Material::P384(_) => algorithm == Algorithm::ES384,
            Material::Ed25519(_) => algorithm == Algorithm::EdDSA,
        };
        kind && self.only.is_none_or(|only| only == algorithm)
    }

    /// Whether this key made `signature` over `message` with `algorithm`.
    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.fits(algorithm) {
            return false;
        }
        let with = |kind: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(kind, key).verify(message, signature).is_ok()
        };
        match &self.material {
            Material::Rsa { n, e } => algorithm
                .rsa()
                .is_some_and(|kind| RsaPublicKeyComponents { n, e }.verify(kind, message, signature).is_ok()),
            Material::P256(point) => with(&signature::ECDSA_P256_SHA256_FIXED, point),
            Material::P384(point) => with(&signature::ECDSA_P384_SHA384_FIXED, point),
            Material::Ed25519(key) => with(&signature::ED25519, key),
        }
    }

    /// The SHA-256 thumbprint, base64url (RFC 7638; RFC 8037 for Ed25519).
    pub(crate) fn thumbprint(&self) -> String {
        let curve = |name: &str, point: &[u8]| {
            let coordinates = point.get(1..).unwrap_or_default();
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            format!(r#"{{"crv":"{name}","kty":"EC","x":"{}","y":"{}"}}"#, encode(x), encode(y))
        };
        let canonical = match &self.material {
            Material::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n)),
            Material::P256(point) => curve("P-256", point),
            Material::P384(point) => curve("P-384", point),
            Material::Ed25519(key) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(key)),
        };
        encode(&sha256(canonical.as_bytes()))
    }
}

/// The uncompressed form of a point: `4`, then both coordinates in their full length.
fn point<const N: usize>(x: &[u8], y: &[u8]) -> Option<[u8; N]> {
    (x.len() == N / 2 && y.len() == N / 2).then_some(())?;
    [&[4], x, y].concat().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::Compact;

    fn key(jwk: Value) -> Option<PublicKey> {
        PublicKey::read(jwk.as_object().unwrap())
    }

    /// RFC 7638, 3.1: the thumbprint the standard gives for its key.
    #[test]
    fn the_thumbprint_of_rfc_7638() {
        let key = key(serde_json::json!({
            "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        }))
        .unwrap();
        assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert!(key.fits(Algorithm::RS256) && !key.fits(Algorithm::PS256));
    }

    /// RFC 8037, A.3 and A.4: key, thumbprint and signature that the standard gives.
    #[test]
    fn the_signature_of_rfc_8037() {
        let key =
            key(serde_json::json!({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}))
                .unwrap();
        assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let signature =
            decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg").unwrap();
        let signed = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        assert!(key.verifies(Algorithm::EdDSA, signed, &signature));
        assert!(!key.verifies(Algorithm::EdDSA, b"other", &signature));
    }

    /// RFC 7515, A.3: a token signed with ES256.
    #[test]
    fn the_token_of_rfc_7515() {
        let key = key(serde_json::json!({"kty":"EC","crv":"P-256",
            "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}))
        .unwrap();
        let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let token = Compact::parse(token).unwrap();
        assert!(token.verified_by(&key));
        assert_eq!(token.payload.get("iss").unwrap(), "joe");
    }

    #[test]
    fn a_key_for_something_else_is_left_out() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert!(key(serde_json::json!({"kty":"OKP","crv":"Ed25519","x":x,"use":"sig","key_ops":["verify"]})).is_some());
        for jwk in [
            serde_json::json!({"kty":"OKP","crv":"Ed25519","x":x,"use":"enc"}),
            serde_json::json!({"kty":"OKP","crv":"Ed25519","x":x,"key_ops":["sign"]}),
            serde_json::json!({"kty":"OKP","crv":"Ed25519","x":x,"alg":"HS256"}),
            serde_json::json!({"kty":"OKP","crv":"X25519","x":x}),
            serde_json::json!({"kty":"OKP","crv":"Ed25519","x":"AA"}),
            serde_json::json!({"kty":"EC","crv":"P-256","x":x,"y":"AA"}),
            serde_json::json!({"kty":"oct","k":x}),
            serde_json::json!({"kty":"RSA","n":"AQAB"}),
            serde_json::json!({}),
        ] {
            assert!(key(jwk.clone()).is_none(), "{jwk}");
        }
    }
}
