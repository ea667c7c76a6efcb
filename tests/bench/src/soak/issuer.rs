//! Who signs the callers' tokens: an authorization server's key set, over HTTP, with real signatures. What the host exports to
//! OpenTelemetry ends here too.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::place::RESOURCE;

/// How long a token is good, in seconds: longer than a run, so that only its key can end it.
const TOKEN_SECONDS: u64 = 48 * 3600;

/// A running issuer.
pub struct Issuer {
    url: String,
    signer: Mutex<Signer>,
    exports: AtomicUsize,
}

struct Signer {
    number: usize,
    pair: EcdsaKeyPair,
}

impl Signer {
    fn new(number: usize) -> Result<Self> {
        let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let made = EcdsaKeyPair::generate_pkcs8(kind, &random).map_err(|_| anyhow!("no key can be made"))?;
        let pair = EcdsaKeyPair::from_pkcs8(kind, made.as_ref(), &random).map_err(|_| anyhow!("no key can be read"))?;
        Ok(Self { number, pair })
    }

    fn kid(&self) -> String {
        format!("key-{}", self.number)
    }

    /// RFC 7518, section 6.2: the point without the byte that says it is not compressed.
    fn key_set(&self) -> Value {
        let point = self.pair.public_key().as_ref().get(1..).unwrap_or_default();
        let (x, y) = point.split_at(point.len() / 2);
        let key = json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid(), "x": encode(x), "y": encode(y),
        });
        json!({ "keys": [key] })
    }

    fn sign(&self, claims: &Value) -> Result<String> {
        let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": self.kid() });
        let text = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        let signature =
            self.pair.sign(&SystemRandom::new(), text.as_bytes()).map_err(|_| anyhow!("nothing is signed"))?;
        Ok(format!("{text}.{}", encode(signature.as_ref())))
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Issuer {
    /// Starts it; it ends with the runtime.
    ///
    /// # Errors
    /// When there is no port, or no randomness.
    pub async fn start() -> Result<Arc<Self>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let issuer = Arc::new(Self { url, signer: Mutex::new(Signer::new(0)?), exports: AtomicUsize::new(0) });
        tokio::spawn(serve(listener, Arc::clone(&issuer)));
        Ok(issuer)
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// A token for this caller, signed with the key of the hour.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn token(&self, subject: &str) -> Result<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let claims = json!({
            "iss": self.url, "aud": RESOURCE, "sub": subject, "client_id": "bench", "groups": ["soak"],
            "iat": now, "exp": now + TOKEN_SECONDS, "jti": format!("{subject}-{now}"),
        });
        self.locked().sign(&claims)
    }

    /// Signs with a new key from now on, and knows the old one no longer.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn rotate(&self) -> Result<()> {
        let mut signer = self.locked();
        *signer = Signer::new(signer.number + 1)?;
        Ok(())
    }

    /// Which key it is. Tokens made before it changed are of another.
    pub fn key(&self) -> usize {
        self.locked().number
    }

    /// How often the host exported telemetry.
    pub fn exports(&self) -> usize {
        self.exports.load(Ordering::Relaxed)
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Signer> {
        self.signer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, path: &str) -> Response<Full<Bytes>> {
        let mut response = match path {
            "/jwks" => Response::new(Full::from(self.locked().key_set().to_string())),
            _ => {
                self.exports.fetch_add(1, Ordering::Relaxed);
                Response::new(Full::from("{}"))
            }
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, hyper::header::HeaderValue::from_static("max-age=60"));
        response
    }
}

async fn serve(listener: TcpListener, issuer: Arc<Issuer>) {
    while let Ok((stream, _)) = listener.accept().await {
        let issuer = Arc::clone(&issuer);
        let service = service_fn(move |request: Request<Incoming>| {
            let issuer = Arc::clone(&issuer);
            async move {
                let path = request.uri().path().to_owned();
                // Read to its end, so that the connection can be used again.
                let _ = request.into_body().collect().await;
                Ok::<_, Infallible>(issuer.answer(&path))
            }
        });
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_new_key_has_a_new_name_and_signs_from_then_on() {
        let issuer = Issuer::start().await.unwrap();
        let header = |token: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
            serde_json::from_slice::<Value>(&bytes).unwrap()["kid"].clone()
        };
        let before = issuer.token("a").unwrap();
        issuer.rotate().unwrap();
        let after = issuer.token("a").unwrap();
        assert_eq!((header(&before), header(&after)), (json!("key-0"), json!("key-1")));
        let keys = issuer.answer("/jwks").into_body().collect().await.unwrap().to_bytes();
        let keys: Value = serde_json::from_slice(&keys).unwrap();
        assert_eq!((keys["keys"].as_array().unwrap().len(), &keys["keys"][0]["kid"]), (1, &json!("key-1")));
    }
}
