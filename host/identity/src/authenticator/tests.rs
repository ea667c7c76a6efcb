//! All methods at once, and what strangers make up.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::*;
use crate::dpop::DpopConfig;
use crate::error::ConfigError;
use crate::identity::Method;
use crate::introspect::IntrospectionConfig;
use crate::jose::{Algorithm, encode};
use crate::jwt::JwtIssuer;
use crate::keys::{KeyFile, NewKey};
use crate::metadata::MetadataConfig;
use crate::outgoing::ClientSecret;
use crate::secret::Secret;
use crate::testing::{NOW, Server, Signer, at, headers, merge, presented, respond};

const AUDIENCE: &str = "https://mcp.example.com/mcp";
const ISSUER: &str = "https://auth.example.com";

struct World {
    server: Server,
    folder: tempfile::TempDir,
    signer: Signer,
    key: String,
    certificate: Vec<u8>,
    config: Config,
    /// What the server serves as its key set.
    jwks: Arc<Mutex<Value>>,
}

impl World {
    async fn new() -> Self {
        let signer = Signer::new("k", Algorithm::EdDSA);
        let jwks = Arc::new(Mutex::new(json!({"keys": [signer.jwk()]})));
        let served = Arc::clone(&jwks);
        let server = Server::start(move |asked| {
            if asked.path == "/jwks" {
                return respond(200, served.lock().unwrap().clone());
            }
            respond(200, json!({"active": asked.body.contains("token=opaque&"), "sub": "carol", "aud": AUDIENCE}))
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let new = NewKey { principal: "alice".to_owned(), ..NewKey::default() };
        let (key, _) = KeyFile::open(&path).unwrap().create(new, at(0)).unwrap();
        let mut issuer = JwtIssuer::new("corp", ISSUER, AUDIENCE);
        issuer.jwks_uri = Some(format!("{}/jwks", server.url));
        let client = ClientSecret { id: "c".to_owned(), secret: Secret::from("s") };
        let config = Config {
            keys: Some(path),
            issuers: vec![issuer],
            introspection: Some(IntrospectionConfig::new("opaque", &format!("{}/i", server.url), client, AUDIENCE)),
            certificates: Some(CertificateConfig::default()),
            dpop: Some(DpopConfig::default()),
            metadata: Some(MetadataConfig {
                resource: AUDIENCE.to_owned(),
                authorization_servers: vec![ISSUER.to_owned()],
                ..MetadataConfig::default()
            }),
            implied_scopes: [("admin".to_owned(), ["tools".to_owned()].into())].into(),
            challenge_scopes: vec!["tools".to_owned()],
            ..Config::default()
        };
        let pair = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["robot.example.com".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2030, 1, 1);
        let certificate = params.self_signed(&pair).unwrap().der().to_vec();
        Self { server, folder, signer, key: key.expose().to_owned(), certificate, config, jwks }
    }

    fn token(&self, changes: Value) -> String {
        let mut claims = json!({"iss": ISSUER, "sub": "bob", "aud": AUDIENCE, "exp": NOW + 300, "scope": "admin"});
        merge(&mut claims, &changes);
        self.signer.token(&claims)
    }
}

async fn who(authenticator: &Authenticator, list: &[(&'static str, &str)]) -> Result<Arc<Identity>, Refusal> {
    authenticator.identify(&presented(&headers(list), at(0))).await
}

async fn with(
    authenticator: &Authenticator,
    list: &[(&'static str, &str)],
    certificate: &[u8],
) -> Result<Arc<Identity>, Refusal> {
    let headers = headers(list);
    authenticator.identify(&Presented { peer_certificate: Some(certificate), ..presented(&headers, at(0)) }).await
}

#[tokio::test]
async fn each_method_tells_who_it_is() {
    let world = World::new().await;
    let all = Authenticator::new(world.config.clone()).unwrap();
    let (bearer_key, bearer) = (format!("Bearer {}", world.key), format!("bearer {}", world.token(json!({}))));
    for (list, principal, via) in [
        (("authorization", bearer_key.as_str()), "alice", Method::Key),
        (("x-api-key", world.key.as_str()), "alice", Method::Key),
        (("authorization", bearer.as_str()), "corp:bob", Method::Jwt),
        (("authorization", "Bearer opaque"), "opaque:carol", Method::Introspection),
    ] {
        let identity = who(&all, &[list]).await.unwrap();
        assert_eq!((identity.principal.as_str(), identity.via), (principal, via));
        let beside = with(&all, &[list], &world.certificate).await.unwrap();
        assert_eq!(beside.principal, principal, "a certificate beside it changes nobody");
    }
    let identity = with(&all, &[], &world.certificate).await.unwrap();
    assert_eq!((identity.principal.as_str(), identity.via), ("cert:robot.example.com", Method::Certificate));
    assert_eq!(who(&all, &[]).await, Err(Refusal::Missing));
    assert_eq!(Identity::local("root").principal, "local:root");
}

#[tokio::test]
async fn two_credentials_or_unreadable_ones_are_refused() {
    let world = World::new().await;
    let all = Authenticator::new(world.config.clone()).unwrap();
    let (key, bearer) = (world.key.as_str(), format!("Bearer {}", world.token(json!({}))));
    let bearer = bearer.as_str();
    let long = format!("Bearer {}", "x".repeat(20_000));
    let lists: [&[(&'static str, &str)]; 10] = [
        &[("authorization", bearer), ("authorization", bearer)],
        &[("authorization", bearer), ("authorization", "Basic eDp5")],
        &[("authorization", bearer), ("x-api-key", key)],
        &[("x-api-key", key), ("x-api-key", key)],
        &[("authorization", &long)],
        &[("authorization", "Bearer")],
        &[("authorization", "Bearer ")],
        &[("authorization", "Bearer a b")],
        &[("authorization", "Bearer tökén")],
        &[("authorization", "Bearer ==")],
    ];
    for list in lists {
        let refused = with(&all, list, &world.certificate).await;
        assert!(matches!(refused, Err(Refusal::Malformed(_))), "{list:?}: {refused:?}");
        assert_eq!(all.answer(&refused.unwrap_err(), None).status, 400);
    }
    for other in ["Basic eDp5", "Negotiate abc", bearer.trim_start_matches("Bearer ")] {
        let refused = with(&all, &[("authorization", other)], &world.certificate).await;
        assert_eq!(refused, Err(Refusal::Missing), "another scheme is no way past it to the certificate");
    }
}

#[tokio::test]
async fn a_bound_token_needs_its_proof() {
    let world = World::new().await;
    let all = Authenticator::new(world.config.clone()).unwrap();
    let holder = Signer::new("h", Algorithm::ES256);
    let bound = world.token(json!({"cnf": {"jkt": holder.thumbprint()}}));
    let (as_dpop, as_bearer) = (format!("DPoP {bound}"), format!("Bearer {bound}"));
    let proof = |jti: &str| holder.proof(&bound, &json!({"jti": jti}));
    let (first, second) = (proof("1"), proof("2"));
    let good = [("authorization", as_dpop.as_str()), ("dpop", first.as_str())];
    assert_eq!(who(&all, &good).await.unwrap().principal, "corp:bob");
    assert_eq!(who(&all, &good).await, Err(Refusal::Proof("it was used before")));
    assert_eq!(who(&all, &[good[0]]).await, Err(Refusal::Proof("there is none")));
    let twice = [good[0], ("dpop", second.as_str()), ("dpop", second.as_str())];
    assert_eq!(who(&all, &twice).await, Err(Refusal::Proof("there is more than one")));
    let bound_as_bearer = Err(Refusal::Token("it is bound to a key: use DPoP"));
    assert_eq!(who(&all, &[("authorization", &as_bearer)]).await, bound_as_bearer);
    assert_eq!(who(&all, &[("authorization", &as_bearer), ("dpop", &second)]).await, bound_as_bearer);
    let thief = Signer::new("t", Algorithm::ES256).proof(&bound, &json!({}));
    let refused = who(&all, &[good[0], ("dpop", &thief)]).await;
    assert_eq!(refused, Err(Refusal::Proof("its key is not the one the token is bound to")));
    // An unbound token cannot be made one by a proof.
    let plain = world.token(json!({}));
    let proof = holder.proof(&plain, &json!({}));
    let refused = who(&all, &[("authorization", &format!("DPoP {plain}")), ("dpop", &proof)]).await;
    assert_eq!(refused, Err(Refusal::Token("it is not bound to a key: use Bearer")));

    let mut strict = world.config.clone();
    strict.dpop = Some(DpopConfig { required: true, ..DpopConfig::default() });
    let strict = Authenticator::new(strict).unwrap();
    let refused = who(&strict, &[("authorization", &format!("Bearer {plain}"))]).await;
    assert_eq!(refused, Err(Refusal::Token("it must be bound to a key by DPoP")));
    let answer = strict.answer(&Refusal::Missing, None);
    assert!(answer.headers.iter().all(|(_, value)| value.starts_with("DPoP ")), "{answer:?}");

    let without = Authenticator::new(Config { dpop: None, ..world.config.clone() }).unwrap();
    assert!(who(&without, &good).await.is_err());
    assert_eq!(who(&without, &[("authorization", &as_bearer)]).await, bound_as_bearer);
}

#[tokio::test]
async fn a_token_bound_to_a_certificate_needs_it() {
    let world = World::new().await;
    // The certificate binds even where certificates name nobody.
    let all = Authenticator::new(Config { certificates: None, ..world.config.clone() }).unwrap();
    let print = encode(&sha256(&world.certificate));
    let bound = format!("Bearer {}", world.token(json!({"cnf": {"x5t#S256": print}})));
    let list = [("authorization", bound.as_str())];
    assert_eq!(with(&all, &list, &world.certificate).await.unwrap().principal, "corp:bob");
    let other = with(&all, &list, b"another").await;
    assert_eq!(other, Err(Refusal::Token("it is bound to another client certificate")));
    let none = who(&all, &list).await;
    assert_eq!(none, Err(Refusal::Token("it is bound to a client certificate, and there is none")));
    assert_eq!(with(&all, &[], &world.certificate).await, Err(Refusal::Missing));
}

#[tokio::test]
async fn a_seen_token_is_not_seen_for_ever() {
    let world = World::new().await;
    let all = Authenticator::new(world.config.clone()).unwrap();
    let text = headers(&[("authorization", &format!("Bearer {}", world.token(json!({}))))]);
    let first = all.identify(&presented(&text, at(0))).await.unwrap();
    let second = all.identify(&presented(&text, at(1))).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second), "the second is the first's answer");
    assert!(all.identify(&presented(&text, at(359))).await.is_ok());
    assert_eq!(all.identify(&presented(&text, at(360))).await, Err(Refusal::Token("it has expired")));
    assert_eq!(world.server.hits(), 1);
}

#[tokio::test]
async fn a_seen_token_goes_with_its_key() {
    let world = World::new().await;
    let all = Authenticator::new(Config { introspection: None, ..world.config.clone() }).unwrap();
    let of = |signer: &Signer| {
        let claims = json!({"iss": ISSUER, "sub": "bob", "aud": AUDIENCE, "exp": NOW + 100_000});
        headers(&[("authorization", &format!("Bearer {}", signer.token(&claims)))])
    };
    let next = Signer::new("next", Algorithm::ES256);
    let (old, new) = (of(&world.signer), of(&next));
    assert!(all.identify(&presented(&old, at(0))).await.is_ok());
    *world.jwks.lock().unwrap() = json!({"keys": [next.jwk()]});
    // Somebody's new token makes the keys be fetched; the old key's tokens end with that, seen before or not.
    assert!(all.identify(&presented(&new, at(10))).await.is_ok());
    let gone = all.identify(&presented(&old, at(10))).await;
    assert_eq!(gone, Err(Refusal::Token("its issuer has no such key")));
    assert!(all.identify(&presented(&new, at(10))).await.is_ok());
    // And without anybody's, with the age of the set.
    *world.jwks.lock().unwrap() = json!({"keys": [world.signer.jwk()]});
    assert!(all.identify(&presented(&new, at(609))).await.is_ok());
    let aged = all.identify(&presented(&new, at(610))).await;
    assert_eq!(aged, Err(Refusal::Token("its issuer has no such key")));
}

#[tokio::test]
async fn scopes_are_closed_and_all_are_asked_for_at_once() {
    let world = World::new().await;
    let all = Authenticator::new(world.config.clone()).unwrap();
    let identity = who(&all, &[("authorization", &format!("Bearer {}", world.token(json!({}))))]).await.unwrap();
    assert!(all.require(&identity, &["tools".to_owned()]).is_ok(), "admin holds tools");
    let required = ["files:write", "tools", "files:read"].map(str::to_owned);
    let refusal = all.require(&identity, &required).unwrap_err();
    let answer = all.answer(&refusal, None);
    assert_eq!(answer.status, 403);
    for (_, value) in &answer.headers {
        assert!(value.contains("scope=\"files:read files:write tools\""), "{value}");
        assert!(value.contains("error=\"insufficient_scope\""), "{value}");
    }
    assert!(all.metadata().unwrap().document().contains("dpop_signing_alg_values_supported"));
    let answer = all.answer(&Refusal::Missing, None);
    assert_eq!(
        answer.headers[0].1,
        "Bearer scope=\"tools\", resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\""
    );
}

#[tokio::test]
async fn tokens_of_strangers_are_asked_about_or_refused() {
    let world = World::new().await;
    let alone = Authenticator::new(Config { introspection: None, ..world.config.clone() }).unwrap();
    let stranger = format!("Bearer {}", world.token(json!({"iss": "https://evil.example"})));
    let unknown = Err(Refusal::Token("its issuer is not known here"));
    assert_eq!(who(&alone, &[("authorization", &stranger)]).await, unknown);
    assert_eq!(who(&alone, &[("authorization", "Bearer opaque")]).await, Err(Refusal::Token("it is not a JWT")));
    assert_eq!(world.server.hits(), 0);
    let all = Authenticator::new(world.config.clone()).unwrap();
    let inactive = Err(Refusal::Token("it is not active"));
    assert_eq!(who(&all, &[("authorization", &stranger)]).await, inactive);
    // A token that names a known issuer is judged by its keys alone.
    let mut forged = world.token(json!({}));
    forged.truncate(forged.rfind('.').unwrap() + 1);
    forged.push_str(&encode(&[0; 64]));
    let before = world.server.hits();
    let wrong = Err(Refusal::Token("its signature is wrong"));
    assert_eq!(who(&all, &[("authorization", &format!("Bearer {forged}"))]).await, wrong);
    assert_eq!(world.server.hits(), before + 1, "only the keys were fetched");
    let keys = Config { keys: world.config.keys.clone(), ..Config::default() };
    let keys = Authenticator::new(keys).unwrap();
    let refused = who(&keys, &[("authorization", "Bearer opaque")]).await;
    assert_eq!(refused, Err(Refusal::Token("access tokens are not taken here")));
    let no_keys = Authenticator::new(Config { keys: None, ..world.config.clone() }).unwrap();
    assert_eq!(who(&no_keys, &[("x-api-key", &world.key)]).await, Err(Refusal::Key));
    assert!(world.folder.path().join("keys.json").exists());
}

#[tokio::test]
async fn a_configuration_that_would_mix_people_up_is_refused() {
    let world = World::new().await;
    let refused = |change: &dyn Fn(&mut Config)| {
        let mut config = world.config.clone();
        change(&mut config);
        Authenticator::new(config).err().unwrap()
    };
    assert!(matches!(Authenticator::new(Config::default()), Err(ConfigError::NoMethod)));
    for name in ["", "cert", "local", "opaque", "Corp", "a:b"] {
        let error = refused(&|config| config.issuers[0].name = name.to_owned());
        assert!(matches!(error, ConfigError::IssuerName(_)), "{name}");
    }
    let twice = refused(&|config| {
        let mut again = config.issuers[0].clone();
        again.name = "corp2".to_owned();
        config.issuers.push(again);
    });
    assert!(matches!(twice, ConfigError::IssuerTwice(_)));
    assert!(matches!(refused(&|config| config.issuers[0].audiences.clear()), ConfigError::NoAudience(_)));
    assert!(matches!(refused(&|config| config.issuers[0].algorithms.clear()), ConfigError::NoAlgorithm(_)));
    let plain_http = refused(&|config| config.issuers[0].jwks_uri = Some("http://keys.example/".to_owned()));
    assert!(matches!(plain_http, ConfigError::Url { .. }));
    let missing = refused(&|config| config.http.authority = Some("/nonexistent.pem".into()));
    assert!(matches!(missing, ConfigError::Authority { .. }));
}

/// A small generator (splitmix64): the same attempts in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(below).unwrap()).unwrap()
    }
}

#[tokio::test]
async fn ten_thousand_made_up_credentials_let_nobody_in() {
    let world = World::new().await;
    let all = Authenticator::new(Config { introspection: None, certificates: None, ..world.config.clone() }).unwrap();
    let holder = Signer::new("h", Algorithm::ES256);
    let bound = world.token(json!({"cnf": {"jkt": holder.thumbprint()}}));
    let good = [
        format!("Bearer {}", world.key),
        format!("Bearer {}", world.token(json!({}))),
        format!("DPoP {bound}"),
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJib2IifQ.".to_owned(),
    ];
    let proof = holder.proof(&bound, &json!({}));
    let mut dice = Dice(7);
    let mut tried = 0;
    while tried < 10_000 {
        let seed = &good[dice.roll(good.len())];
        let mut bytes = seed.clone().into_bytes();
        for _ in 0..=dice.roll(3) {
            let place = dice.roll(bytes.len());
            match dice.roll(5) {
                0 => bytes[place] = u8::try_from(dice.roll(256)).unwrap(),
                1 => bytes.truncate(place.max(1)),
                2 => bytes.insert(place, b".=_-A "[dice.roll(6)]),
                3 => drop(bytes.remove(place)),
                _ => bytes.extend_from_within(place..),
            }
            if bytes.is_empty() {
                bytes.push(b'B');
            }
        }
        let Ok(value) = http::HeaderValue::from_bytes(&bytes) else { continue };
        // The scheme's case and spaces around the token mean nothing: such a text is the good one.
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        let (scheme, token) = text.split_once(' ').unwrap_or((&text, ""));
        let same = |good: &String| {
            good.split_once(' ').is_some_and(|(s, t)| s.eq_ignore_ascii_case(scheme) && t == token.trim())
        };
        if good.iter().any(same) {
            continue;
        }
        tried += 1;
        let mut map = headers(&[("dpop", &proof)]);
        map.insert("authorization", value);
        let refused = all.identify(&presented(&map, at(0))).await;
        assert!(refused.is_err(), "{text}");
        let answer = all.answer(&refused.unwrap_err(), None);
        assert!(matches!(answer.status, 400 | 401), "{text}: {answer:?}");
        for (_, value) in answer.headers {
            assert!(http::HeaderValue::from_str(&value).is_ok() && !value.contains(&world.key), "{value}");
        }
    }
    // What they were made from is good still.
    for credential in &good[..3] {
        assert!(who(&all, &[("authorization", credential), ("dpop", &proof)]).await.is_ok(), "{credential}");
    }
}
