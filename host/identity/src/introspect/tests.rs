//! Introspection against a real server.

use std::sync::Mutex;

use serde_json::json;

use super::*;
use crate::outgoing::HttpConfig;
use crate::testing::{NOW, Server, at, merge, respond};

const AUDIENCE: &str = "https://mcp.example.com/mcp";

struct World {
    server: Server,
    introspection: Arc<Introspection>,
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

/// A server for which `good` is active, with `changes` to what it says of it.
async fn world(changes: Value, configure: impl FnOnce(&mut IntrospectionConfig)) -> World {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let server = Server::start(move |request| {
        std::thread::sleep(Duration::from_millis(20));
        let basic = request.headers["authorization"].to_str().unwrap().to_owned();
        heard.lock().unwrap().push((basic, request.body.clone()));
        if request.body.contains("token=broken") {
            return respond(500, "");
        }
        if request.body.contains("token=structured") {
            return respond(400, json!({"error": "unsupported_token_type"}));
        }
        if !request.body.contains("token=good") {
            return respond(200, json!({"active": false}));
        }
        let mut answer = json!({
            "active": true, "sub": "alice", "aud": AUDIENCE, "exp": NOW + 20, "scope": "tools", "roles": ["dev"],
        });
        merge(&mut answer, &changes);
        respond(200, answer)
    })
    .await;
    let client = ClientSecret { id: "tool cell".to_owned(), secret: Secret::from("s3:cret") };
    let mut config = IntrospectionConfig::new("opaque", &format!("{}/introspect", server.url), client, AUDIENCE);
    config.groups_claim = Some("roles".to_owned());
    configure(&mut config);
    let introspection = Introspection::new(&config, &Http::new(&HttpConfig::default()).unwrap()).unwrap();
    World { server, introspection: Arc::new(introspection), asked }
}

use crate::secret::Secret;

impl World {
    async fn verify(&self, token: &str, seconds: u64) -> Result<Verified, Refusal> {
        self.introspection.verify(token, &Scopes::default(), at(seconds)).await
    }
}

#[tokio::test]
async fn an_active_token_is_taken_and_its_answer_kept_for_a_while() {
    let world = world(json!({"exp": NOW + 1000}), |_| {}).await;
    let identity = world.verify("good", 0).await.unwrap().identity;
    assert_eq!(identity.principal, "opaque:alice");
    assert_eq!(identity.via, Method::Introspection);
    assert_eq!((identity.groups.len(), identity.scopes.len()), (1, 1));
    assert_eq!(identity.expires, Some(at(1000)));
    assert!(world.verify("good", 29).await.is_ok());
    assert_eq!(world.server.hits(), 1);
    assert!(world.verify("good", 30).await.is_ok());
    assert_eq!(world.server.hits(), 2, "the answer is as old as the operator allows");
    let (basic, body) = world.asked.lock().unwrap()[0].clone();
    // RFC 6749, 2.3.1: form encoding, then Basic.
    assert_eq!(basic, "Basic dG9vbCtjZWxsOnMzJTNBY3JldA==");
    assert_eq!(body, "token=good&token_type_hint=access_token");
}

#[tokio::test]
async fn an_answer_is_not_kept_longer_than_the_token_lives() {
    let world = world(json!({}), |config| config.leeway = Duration::ZERO).await;
    assert!(world.verify("good", 0).await.is_ok());
    assert!(world.verify("good", 19).await.is_ok());
    assert_eq!(world.server.hits(), 1);
    assert_eq!(world.verify("good", 20).await.unwrap_err(), Refusal::Token("it has expired"));
}

#[tokio::test]
async fn an_inactive_token_is_refused_and_asked_about_once_in_a_while() {
    let world = world(json!({}), |_| {}).await;
    let inactive = Refusal::Token("it is not active");
    for seconds in [0, 1, 4] {
        assert_eq!(world.verify("bad", seconds).await.unwrap_err(), inactive);
    }
    assert_eq!(world.server.hits(), 1);
    assert_eq!(world.verify("bad", 5).await.unwrap_err(), inactive);
    assert_eq!(world.server.hits(), 2);
    let refused = Refusal::Token("its server does not take it");
    for _ in 0..2 {
        assert_eq!(world.verify("structured", 5).await.unwrap_err(), refused);
    }
    assert_eq!(world.server.hits(), 3, "that is an answer and is kept");
    let broken = world.verify("broken", 0).await.unwrap_err();
    assert_eq!(broken, Refusal::Unavailable("the authorization server does not answer"));
    assert_eq!(world.verify("broken", 0).await.unwrap_err(), broken);
    assert_eq!(world.server.hits(), 5, "a failure is not kept");
}

#[tokio::test]
async fn answers_that_break_a_rule_are_refused() {
    for (changes, problem) in [
        (json!({"active": "true"}), "it is not active"),
        (json!({"active": 1}), "it is not active"),
        (json!({"active": null}), "it is not active"),
        (json!({"aud": "https://other.example"}), "it was not made for this server"),
        (json!({"aud": null}), "it was not made for this server"),
        (json!({"exp": NOW - 60}), "it has expired"),
        (json!({"nbf": NOW + 100}), "it is not valid yet"),
        (json!({"sub": null}), "it does not name the caller"),
        (json!({"iss": "https://other.example"}), "it is of another issuer"),
        (json!({"cnf": {"x": "y"}}), "it is bound in a way that is not supported"),
    ] {
        let issuer = |config: &mut IntrospectionConfig| config.issuer = Some("https://auth.example".to_owned());
        let world = world(changes.clone(), issuer).await;
        assert_eq!(world.verify("good", 0).await.unwrap_err(), Refusal::Token(problem), "{changes}");
    }
    let world = world(json!({"aud": null, "exp": null}), |config| config.allow_no_audience = true).await;
    assert!(world.verify("good", 0).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_with_one_token_are_one_question() {
    let world = Arc::new(world(json!({}), |_| {}).await);
    let calls: Vec<_> = (0..1000)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.verify("good", 0).await.is_ok() })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap());
    }
    assert_eq!(world.server.hits(), 1);
}
