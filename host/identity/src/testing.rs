//! What the tests are made of: keys that sign, and an authorization server on this machine.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use serde_json::{Value, json};

use crate::jose::{Algorithm, encode, sha256};
use crate::presented::Presented;

/// The time of the tests, in seconds since 1970.
pub(crate) const NOW: u64 = 1_800_000_000;

/// `seconds` after the time of the tests.
pub(crate) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW + seconds)
}

pub(crate) enum Material {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
}

/// A key that signs.
pub(crate) struct Signer {
    pub(crate) kid: &'static str,
    pub(crate) material: Material,
}

impl Signer {
    pub(crate) fn new(kid: &'static str, algorithm: Algorithm) -> Self {
        let random = SystemRandom::new();
        let material = match algorithm {
            Algorithm::ES256 => {
                let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let made = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
                Material::P256(EcdsaKeyPair::from_pkcs8(kind, made.as_ref(), &random).unwrap())
            }
            Algorithm::EdDSA => {
                let made = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
                Material::Ed25519(Ed25519KeyPair::from_pkcs8(made.as_ref()).unwrap())
            }
            // Made for these tests and used nowhere else: `ring` makes no RSA keys.
            _ => Material::Rsa(Box::new(RsaKeyPair::from_der(include_bytes!("testdata/rsa.pkcs1.der")).unwrap())),
        };
        Self { kid, material }
    }

    /// The public key, for sets and proofs.
    pub(crate) fn jwk(&self) -> Value {
        match &self.material {
            Material::P256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "kid": self.kid})
            }
            Material::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()), "kid": self.kid})
            }
            Material::Rsa(pair) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "n": encode(&public.n), "e": encode(&public.e), "kid": self.kid, "use": "sig"})
            }
        }
    }

    pub(crate) fn thumbprint(&self) -> String {
        crate::jose::PublicKey::read(self.jwk().as_object().unwrap()).unwrap().thumbprint()
    }

    fn name(&self) -> &'static str {
        match self.material {
            Material::P256(_) => "ES256",
            Material::Ed25519(_) => "EdDSA",
            Material::Rsa(_) => "RS256",
        }
    }

    /// A token of `claims` with the header everybody writes.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.signed(&json!({"alg": self.name(), "kid": self.kid, "typ": "at+jwt"}).to_string(), &claims.to_string())
    }

    /// A token of exactly these texts, rightly signed (by PS256 if the header says so).
    pub(crate) fn signed(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
        let random = SystemRandom::new();
        let signature = match &self.material {
            Material::P256(pair) => pair.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec(),
            Material::Ed25519(pair) => pair.sign(signed.as_bytes()).as_ref().to_vec(),
            Material::Rsa(pair) => {
                let kind: &dyn ring::signature::RsaEncoding =
                    if header.contains("PS256") { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(kind, &random, signed.as_bytes(), &mut signature).unwrap();
                signature
            }
        };
        format!("{signed}.{}", encode(&signature))
    }

    /// A proof for `token`, with `changes` to its claims.
    pub(crate) fn proof(&self, token: &str, changes: &Value) -> String {
        let header = json!({"typ": "dpop+jwt", "alg": self.name(), "jwk": self.jwk()});
        self.signed(&header.to_string(), &proof_claims(token, changes).to_string())
    }
}

/// The claims of a proof for `token`, with `changes`; null takes one away.
pub(crate) fn proof_claims(token: &str, changes: &Value) -> Value {
    let mut claims = json!({
        "jti": "proof-1", "htm": "POST", "htu": URL, "iat": NOW, "ath": encode(&sha256(token.as_bytes())),
    });
    merge(&mut claims, changes);
    claims
}

/// The URL of the tests' requests.
pub(crate) const URL: &str = "https://mcp.example.com/mcp";

/// Puts the members of `changes` into `value`; null takes one away.
pub(crate) fn merge(value: &mut Value, changes: &Value) {
    let members = value.as_object_mut().unwrap();
    for (name, change) in changes.as_object().unwrap() {
        members.remove(name);
        if !change.is_null() {
            members.insert(name.clone(), change.clone());
        }
    }
}

/// Headers as they were sent.
pub(crate) fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in list {
        headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

/// A request of the tests with these headers.
pub(crate) fn presented(headers: &HeaderMap, now: SystemTime) -> Presented<'_> {
    Presented { method: "POST", url: URL, headers, peer_certificate: None, now }
}

/// An authorization server on this machine.
pub(crate) struct Server {
    pub(crate) url: String,
    hits: Arc<AtomicUsize>,
}

/// What was asked: path, headers, body.
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Server {
    /// Starts it; it ends with the test's runtime.
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Response<String> + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let hits = Arc::new(AtomicUsize::new(0));
        let (answer, counted) = (Arc::new(answer), Arc::clone(&hits));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, counted) = (Arc::clone(&answer), Arc::clone(&counted));
                let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                    let (answer, counted) = (Arc::clone(&answer), Arc::clone(&counted));
                    async move {
                        counted.fetch_add(1, Ordering::SeqCst);
                        let (parts, body) = request.into_parts();
                        let body = body.collect().await.unwrap().to_bytes();
                        let body = String::from_utf8(body.to_vec()).unwrap();
                        let asked = Asked { path: parts.uri.path().to_owned(), headers: parts.headers, body };
                        Ok::<_, Infallible>(answer(&asked).map(|text| Full::new(Bytes::from(text))))
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { url, hits }
    }

    /// How often it was asked.
    pub(crate) fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }
}

/// An answer with this status and text.
pub(crate) fn respond(status: u16, text: impl ToString) -> Response<String> {
    Response::builder().status(status).body(text.to_string()).unwrap()
}
