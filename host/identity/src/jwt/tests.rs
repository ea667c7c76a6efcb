//! Every rule for a JWT, with tokens that break one each, against a real server of keys.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http::Response;
use ring::hmac;
use serde_json::{Value, json};

use super::*;
use crate::jose::encode;
use crate::limits::{JWKS_STALE, JWKS_TTL};
use crate::outgoing::HttpConfig;
use crate::testing::{NOW, Server, Signer, at, merge, respond};

const AUDIENCE: &str = "https://mcp.example.com/mcp";

struct World {
    server: Server,
    issuer: Arc<Issuer>,
    keys: Arc<Mutex<Vec<Value>>>,
    broken: Arc<AtomicBool>,
}

/// An issuer with the keys of `signers`, which answers slowly enough that many come while it does.
async fn world(signers: &[&Signer], configure: impl FnOnce(&mut JwtIssuer)) -> World {
    let keys = Arc::new(Mutex::new(signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>()));
    let broken = Arc::new(AtomicBool::new(false));
    let (served, fails) = (Arc::clone(&keys), Arc::clone(&broken));
    let server = Server::start(move |_| {
        std::thread::sleep(Duration::from_millis(20));
        if fails.load(Ordering::SeqCst) {
            respond(500, "")
        } else {
            respond(200, json!({"keys": *served.lock().unwrap()}))
        }
    })
    .await;
    let mut config = JwtIssuer::new("corp", "https://auth.example.com", AUDIENCE);
    config.jwks_uri = Some(format!("{}/jwks", server.url));
    configure(&mut config);
    let http = Http::new(&HttpConfig::default()).unwrap();
    let issuer = Arc::new(Issuer::new(&config, &http, Arc::from(["cert".to_owned(), "corp".to_owned()])).unwrap());
    World { server, issuer, keys, broken }
}

fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": "https://auth.example.com", "sub": "alice", "aud": AUDIENCE, "exp": NOW + 300, "iat": NOW,
        "scope": "tools:read x", "scp": ["y"], "realm_access": {"roles": ["dev", "ops"]},
    });
    merge(&mut claims, &changes);
    claims
}

impl World {
    async fn verify_at(&self, token: &str, now: SystemTime) -> Result<Arc<Identity>, Refusal> {
        let token = Compact::parse(token).map_err(Refusal::Token)?;
        assert!(self.issuer.is_of(&token) || token.payload.get("iss") != Some(&json!("https://auth.example.com")));
        self.issuer.verify(&token, &Scopes::default(), now).await.map(|(verified, _)| verified.identity)
    }

    async fn verify(&self, token: &str) -> Result<Arc<Identity>, Refusal> {
        self.verify_at(token, at(0)).await
    }
}

#[tokio::test]
async fn a_good_token_of_each_algorithm_is_taken() {
    let (es, ed, rsa) =
        (Signer::new("es", Algorithm::ES256), Signer::new("ed", Algorithm::EdDSA), Signer::new("rs", Algorithm::RS256));
    let world = world(&[&es, &ed, &rsa], |config| config.groups_claim = Some("realm_access.roles".to_owned())).await;
    for signer in [&es, &ed, &rsa] {
        let identity = world.verify(&signer.token(&claims(json!({})))).await.unwrap();
        assert_eq!(identity.principal, "corp:alice");
        assert_eq!(identity.via, Method::Jwt);
        assert_eq!(identity.groups, ["dev", "ops"].map(str::to_owned).into());
        assert_eq!(identity.scopes, ["tools:read", "x", "y"].map(str::to_owned).into());
        assert_eq!(identity.expires, Some(at(300)));
        let kept: Value = serde_json::from_str(&identity.claims).unwrap();
        assert_eq!(kept, claims(json!({})));
    }
    let pss = rsa.signed(r#"{"alg":"PS256","kid":"rs"}"#, &claims(json!({})).to_string());
    assert!(world.verify(&pss).await.is_ok());
    let nameless = ed.signed(r#"{"alg":"EdDSA"}"#, &claims(json!({})).to_string());
    assert!(world.verify(&nameless).await.is_ok(), "without a kid, the keys that fit are tried");
    assert_eq!(world.server.hits(), 1);
}

#[tokio::test]
async fn claims_that_break_a_rule_are_refused() {
    let signer = Signer::new("k", Algorithm::EdDSA);
    let world = world(&[&signer], |config| config.groups_claim = Some("groups".to_owned())).await;
    let table = [
        (json!({"aud": "https://other.example.com/mcp"}), "it was not made for this server"),
        (json!({"aud": ["https://other.example.com", 1]}), "it was not made for this server"),
        (json!({"aud": null}), "it was not made for this server"),
        (json!({"aud": format!("{AUDIENCE}/")}), "it was not made for this server"),
        (json!({"aud": {"x": AUDIENCE}}), "it was not made for this server"),
        (json!({"exp": NOW - 60}), "it has expired"),
        (json!({"exp": null}), "it has no expiry"),
        (json!({"exp": (NOW + 300).to_string()}), "one of its times is not a time"),
        (json!({"exp": -1}), "one of its times is not a time"),
        (json!({"exp": 1e300}), "one of its times is not a time"),
        (json!({"nbf": NOW + 61}), "it is not valid yet"),
        (json!({"nbf": "soon"}), "one of its times is not a time"),
        (json!({"iat": NOW + 61}), "it was issued in the future"),
        (json!({"sub": null}), "it does not name the caller"),
        (json!({"sub": ""}), "the claim that names the caller is not a short text"),
        (json!({"sub": 7}), "the claim that names the caller is not a short text"),
        (json!({"sub": "a\nb"}), "the claim that names the caller is not a short text"),
        (json!({"sub": "x".repeat(257)}), "the claim that names the caller is not a short text"),
        (json!({"groups": vec!["g"; 513]}), "it names too many groups"),
        (json!({"groups": ["g", 1]}), "one of its groups is not a short text"),
        (json!({"scope": 1}), "its scopes are not a text"),
        (json!({"cnf": {"jku": "https://x"}}), "it is bound in a way that is not supported"),
        (json!({"cnf": {}}), "it is bound in a way that is not supported"),
        (json!({"cnf": "x"}), "it is bound in a way that is not supported"),
    ];
    for (change, problem) in table {
        let token = signer.token(&claims(change.clone()));
        assert_eq!(world.verify(&token).await, Err(Refusal::Token(problem)), "{change}");
    }
    for good in [
        json!({"aud": ["x", AUDIENCE]}),
        json!({"aud": "HTTPS://MCP.example.com:443/mcp"}),
        json!({"exp": NOW - 59}),
        json!({"exp": 1_800_000_000.5}),
        json!({"nbf": NOW + 60, "iat": NOW + 60}),
        json!({"groups": "one"}),
    ] {
        assert!(world.verify(&signer.token(&claims(good.clone()))).await.is_ok(), "{good}");
    }
}

#[tokio::test]
async fn headers_that_break_a_rule_are_refused() {
    let (signer, other) = (Signer::new("k", Algorithm::RS256), Signer::new("k", Algorithm::EdDSA));
    let world = world(&[&signer], |_| {}).await;
    let body = claims(json!({})).to_string();
    let table = [
        (r#"{"alg":"none","kid":"k"}"#, "its algorithm is not allowed"),
        (r#"{"alg":"None","kid":"k"}"#, "its algorithm is not allowed"),
        (r#"{"alg":"HS256","kid":"k"}"#, "its algorithm is not allowed"),
        (r#"{"alg":"RS384","kid":"k"}"#, "its algorithm is not allowed"),
        (r#"{"kid":"k"}"#, "its header names no algorithm"),
        (r#"{"alg":"RS256","alg":"RS256","kid":"k"}"#, "its header is not plain JSON"),
        (r#"{"alg":"RS256","kid":"k","crit":["exp"]}"#, "its header asks for an extension that is not supported"),
        (r#"{"alg":"RS256","kid":"k","b64":false}"#, "its header asks for an extension that is not supported"),
        (r#"{"alg":"RS256","kid":"k","zip":"DEF"}"#, "its header asks for an extension that is not supported"),
        (r#"{"alg":"RS256","kid":"k","typ":"logout+jwt"}"#, "it is not an access token"),
        (r#"{"alg":"RS256","kid":"k","typ":"dpop+jwt"}"#, "it is not an access token"),
        (r#"{"alg":"RS256","kid":"k","typ":1}"#, "its type is not a text"),
        (r#"{"alg":"RS256","kid":["k"]}"#, "its key id is not a short text"),
        (r#"{"alg":"RS256","kid":"../../../dev/null"}"#, "its issuer has no such key"),
        (r#"{"alg":"RS256","kid":"k' OR '1'='1"}"#, "its issuer has no such key"),
        (r#"{"alg":"RS256","kid":""}"#, "its issuer has no such key"),
        (r#"{"alg":"ES256","kid":"k"}"#, "its issuer has no such key"),
    ];
    for (header, problem) in table {
        assert_eq!(world.verify(&signer.signed(header, &body)).await, Err(Refusal::Token(problem)), "{header}");
    }
    let long = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(257));
    assert_eq!(world.verify(&signer.signed(&long, &body)).await, Err(Refusal::Token("its key id is not a short text")));
    // A key that came with the token, or from where the token says, is none.
    let own = json!({"alg": "EdDSA", "kid": "k", "jwk": other.jwk(), "jku": format!("{}/x", world.server.url)});
    assert!(world.verify(&other.signed(&own.to_string(), &body)).await.is_err());
    assert_eq!(world.verify(&other.signed(r#"{"alg":"RS256","kid":"k"}"#, &body)).await, wrong());
    for good in [r#"{"alg":"RS256","kid":"k"}"#, r#"{"alg":"RS256","kid":"k","typ":"application/AT+JWT"}"#] {
        assert!(world.verify(&signer.signed(good, &body)).await.is_ok(), "{good}");
    }
}

fn wrong() -> Result<Arc<Identity>, Refusal> {
    Err(Refusal::Token("its signature is wrong"))
}

#[tokio::test]
async fn a_mac_by_the_public_key_is_refused() {
    let signer = Signer::new("k", Algorithm::RS256);
    let world = world(&[&signer], |_| {}).await;
    let jwk = signer.jwk().to_string();
    let n = crate::jose::decode(signer.jwk()["n"].as_str().unwrap()).unwrap();
    for secret in [jwk.as_bytes(), &n] {
        for name in ["HS256", "RS256"] {
            let header = json!({"alg": name, "kid": "k"}).to_string();
            let signed = format!("{}.{}", encode(header.as_bytes()), encode(claims(json!({})).to_string().as_bytes()));
            let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
            let token = format!("{signed}.{}", encode(mac.as_ref()));
            assert!(matches!(world.verify(&token).await, Err(Refusal::Token(_))), "{name}");
        }
    }
}

#[tokio::test]
async fn a_token_whose_form_is_wrong_is_refused() {
    let signer = Signer::new("k", Algorithm::EdDSA);
    let world = world(&[&signer], |_| {}).await;
    let good = signer.token(&claims(json!({})));
    let parts: Vec<&str> = good.split('.').collect();
    let header = r#"{"alg":"EdDSA","kid":"k"}"#;
    let twice = format!(r#"{{"aud":"{AUDIENCE}",{}"#, &claims(json!({})).to_string()[1..]);
    let deep = format!(r#"{{"x":{}{},{}"#, "[".repeat(50), "]".repeat(50), &claims(json!({})).to_string()[1..]);
    for bad in [
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{good}.x"),
        format!("{}.{}.{}=", parts[0], parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], encode(claims(json!({"sub": "mallory"})).to_string().as_bytes()), parts[2]),
        signer.signed(header, &twice),
        signer.signed(header, &deep),
        signer.signed(header, "[]"),
        signer.signed(header, "\"x\""),
        String::new(),
        "..".to_owned(),
    ] {
        assert!(matches!(world.verify(&bad).await, Err(Refusal::Token(_))), "{bad}");
    }
    // Every single character of the signature counts.
    let at_signature = good.len() - parts[2].len();
    for index in at_signature..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        assert!(world.verify(&String::from_utf8(bytes).unwrap()).await.is_err(), "{index}");
    }
    assert!(world.verify(&good).await.is_ok());
}

#[tokio::test]
async fn what_the_operator_asks_for_is_asked_for() {
    let signer = Signer::new("k", Algorithm::EdDSA);
    let strict = world(&[&signer], |config| {
        config.require_at_jwt = true;
        config.plain_principal = true;
        config.principal_claim = "email".to_owned();
    })
    .await;
    let body = claims(json!({"email": "a@b.example"}));
    assert_eq!(strict.verify(&signer.token(&body)).await.unwrap().principal, "a@b.example");
    let untyped = signer.signed(r#"{"alg":"EdDSA","kid":"k"}"#, &body.to_string());
    assert_eq!(strict.verify(&untyped).await, Err(Refusal::Token("it is not of type at+jwt")));
    for taken in ["cert:x", "corp:alice"] {
        let refused = strict.verify(&signer.token(&claims(json!({"email": taken})))).await;
        assert_eq!(refused, Err(Refusal::Token("its principal is one of another method")));
    }
    let narrow = world(&[&signer], |config| config.algorithms = vec![Algorithm::ES256]).await;
    assert_eq!(narrow.verify(&signer.token(&body)).await, Err(Refusal::Token("its algorithm is not allowed")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_unknown_keys_at_once_are_one_fetch() {
    let (known, unknown) = (Signer::new("known", Algorithm::EdDSA), Signer::new("unknown", Algorithm::EdDSA));
    let world = Arc::new(world(&[&known], |_| {}).await);
    assert!(world.verify(&known.token(&claims(json!({})))).await.is_ok());
    let token = unknown.token(&claims(json!({})));
    for (seconds, expected) in [(1, 2), (9, 2), (10, 2), (11, 3), (12, 3), (20, 3), (21, 4)] {
        let calls = (0..1000).map(|_| {
            let (world, token) = (Arc::clone(&world), token.clone());
            tokio::spawn(async move { world.verify_at(&token, at(seconds)).await })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap(), Err(Refusal::Token("its issuer has no such key")));
        }
        assert_eq!(world.server.hits(), expected, "{seconds} s");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_first_callers_are_one_fetch() {
    let signer = Signer::new("k", Algorithm::EdDSA);
    let world = Arc::new(world(&[&signer], |_| {}).await);
    let token = signer.token(&claims(json!({})));
    let calls = (0..1000).map(|_| {
        let (world, token) = (Arc::clone(&world), token.clone());
        tokio::spawn(async move { world.verify(&token).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert!(call.await.unwrap().is_ok());
    }
    assert_eq!(world.server.hits(), 1);
}

#[tokio::test]
async fn keys_are_rotated() {
    let (old, new) = (Signer::new("old", Algorithm::EdDSA), Signer::new("new", Algorithm::ES256));
    let world = world(&[&old], |_| {}).await;
    let long = |signer: &Signer| signer.token(&claims(json!({"exp": NOW + 100_000})));
    assert!(world.verify(&long(&old)).await.is_ok());
    let before = world.issuer.generation(at(0));
    *world.keys.lock().unwrap() = vec![old.jwk(), new.jwk()];
    assert!(world.verify_at(&long(&new), at(0)).await.is_ok(), "an unknown key id fetches, however new the set is");
    assert_ne!(world.issuer.generation(at(0)), before, "tokens seen before must be judged again");
    assert!(world.verify_at(&long(&old), at(0)).await.is_ok());
    *world.keys.lock().unwrap() = vec![new.jwk()];
    let ttl = JWKS_TTL.as_secs();
    assert!(world.verify_at(&long(&old), at(ttl - 1)).await.is_ok());
    assert_eq!(world.issuer.generation(at(ttl)), None, "an outdated set vouches for nothing");
    let gone = world.verify_at(&long(&old), at(ttl)).await;
    assert_eq!(gone, Err(Refusal::Token("its issuer has no such key")));
    assert!(world.verify_at(&long(&new), at(ttl)).await.is_ok());
}

#[tokio::test]
async fn an_outdated_set_is_used_while_its_server_fails_but_not_for_ever() {
    let signer = Signer::new("k", Algorithm::EdDSA);
    let world = world(&[&signer], |_| {}).await;
    let token = signer.token(&claims(json!({"exp": NOW + 100_000})));
    world.broken.store(true, Ordering::SeqCst);
    let unavailable = Err(Refusal::Unavailable("the issuer's keys cannot be had"));
    assert_eq!(world.verify(&token).await, unavailable);
    assert_eq!(world.verify_at(&token, at(1)).await, unavailable);
    assert_eq!(world.server.hits(), 1, "a server that fails is not asked again at once");
    world.broken.store(false, Ordering::SeqCst);
    assert!(world.verify_at(&token, at(2)).await.is_ok());
    world.broken.store(true, Ordering::SeqCst);
    let (ttl, stale) = (JWKS_TTL.as_secs(), JWKS_STALE.as_secs());
    assert!(world.verify_at(&token, at(2 + ttl)).await.is_ok());
    assert!(world.verify_at(&token, at(2 + ttl + stale - 1)).await.is_ok());
    assert_eq!(world.verify_at(&token, at(2 + ttl + stale + 5)).await, unavailable);
}

#[tokio::test]
async fn keys_are_discovered_and_bounds_hold() {
    let signer = Signer::new("k", Algorithm::EdDSA);
    let jwks = json!({"keys": [signer.jwk()]}).to_string();
    let address = Arc::new(Mutex::new(String::new()));
    let (own, mode) = (Arc::clone(&address), Arc::new(AtomicUsize::new(0)));
    let modes = Arc::clone(&mode);
    let server = Server::start(move |asked| {
        let url = own.lock().unwrap().clone();
        let issuer = format!("{url}/tenant");
        match (asked.path.as_str(), modes.load(Ordering::SeqCst)) {
            ("/keys", _) => {
                let mut answer = respond(200, &jwks);
                answer.headers_mut().insert("cache-control", "max-age=1".parse().unwrap());
                answer
            }
            ("/tenant/.well-known/openid-configuration", 0) => {
                respond(200, json!({"issuer": issuer, "jwks_uri": format!("{url}/keys")}))
            }
            ("/.well-known/oauth-authorization-server/tenant", 1) => {
                respond(200, json!({"issuer": "https://honest.example", "jwks_uri": format!("{url}/keys")}))
            }
            ("/.well-known/oauth-authorization-server/tenant", 2) => {
                respond(200, json!({"issuer": issuer, "jwks_uri": "http://169.254.169.254/latest"}))
            }
            ("/.well-known/oauth-authorization-server/tenant", 3) => respond(200, "x".repeat(1024 * 1024)),
            (_, 4) => {
                Response::builder().status(302).header("location", format!("{url}/keys")).body(String::new()).unwrap()
            }
            _ => respond(404, ""),
        }
    })
    .await;
    address.lock().unwrap().clone_from(&server.url);
    let issuer = format!("{}/tenant", server.url);
    for (number, good) in [(0, true), (1, false), (2, false), (3, false), (4, false), (5, false)] {
        mode.store(number, Ordering::SeqCst);
        let config = JwtIssuer::new("corp", &issuer, AUDIENCE);
        let http = Http::new(&HttpConfig::default()).unwrap();
        let made = Issuer::new(&config, &http, Arc::from([])).unwrap();
        let token = signer.token(&claims(json!({"iss": issuer})));
        let parsed = Compact::parse(&token).unwrap();
        let before = server.hits();
        let verified = made.verify(&parsed, &Scopes::default(), at(0)).await;
        assert_eq!(verified.is_ok(), good, "{number}");
        assert_eq!(server.hits() - before, if good { 4 } else { 3 }, "{number}: each document is asked once");
        if good {
            assert!(made.generation(at(59)).is_some() && made.generation(at(60)).is_none(), "at least a minute");
        }
    }
}
