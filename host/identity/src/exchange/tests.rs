//! Exchanges against a real server.

use std::sync::{Arc, Mutex};

use serde_json::json;

use super::*;
use crate::testing::{Server, at, merge, respond};

async fn world(changes: Value) -> (Server, TokenExchange, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let server = Server::start(move |request| {
        std::thread::sleep(Duration::from_millis(20));
        heard.lock().unwrap().push(request.body.clone());
        if request.body.contains("subject_token=refused") {
            return respond(400, json!({"error": "invalid_request"}));
        }
        let mut answer = json!({
            "access_token": format!("downstream-{}", heard.lock().unwrap().len()), "token_type": "Bearer",
            "issued_token_type": ACCESS_TOKEN, "expires_in": 100,
        });
        merge(&mut answer, &changes);
        respond(200, answer)
    })
    .await;
    let config = ExchangeConfig {
        endpoint: format!("{}/token", server.url),
        client: ClientSecret { id: "toolcell".to_owned(), secret: Secret::from("s3cret") },
        audience: Some("https://api.example.com".to_owned()),
        resource: None,
        scope: Some("read write".to_owned()),
    };
    let exchange = TokenExchange::new(&config, &HttpConfig::default()).unwrap();
    (server, exchange, asked)
}

async fn ask(exchange: &TokenExchange, principal: &str, token: &str, seconds: u64) -> Result<String, ExchangeError> {
    let token = Secret::from(token);
    let subject = Subject { principal, token: &token, expires: None };
    exchange.exchange(subject, at(seconds)).await.map(|exchanged| exchanged.token.expose().to_owned())
}

#[tokio::test]
async fn a_token_is_exchanged_and_kept_until_near_its_end() {
    let (server, exchange, asked) = world(json!({})).await;
    for seconds in [0, 1, 69] {
        assert_eq!(ask(&exchange, "alice", "a", seconds).await.unwrap(), "downstream-1");
    }
    assert_eq!(ask(&exchange, "alice", "a", 70).await.unwrap(), "downstream-2", "30 s before its end");
    assert_eq!(ask(&exchange, "bob", "a", 70).await.unwrap(), "downstream-3", "another caller");
    assert_eq!(ask(&exchange, "alice", "b", 70).await.unwrap(), "downstream-4", "another token of the same caller");
    assert_eq!(server.hits(), 4);
    assert_eq!(
        asked.lock().unwrap()[0],
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=a\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
         &requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
         &audience=https%3A%2F%2Fapi.example.com&scope=read+write"
    );
    let before = server.hits();
    for seconds in [0, 1, 4] {
        assert_eq!(ask(&exchange, "alice", "refused", seconds).await, Err(ExchangeError::Refused));
    }
    assert_eq!(server.hits(), before + 1, "a refusal is not asked for again at once");
    assert_eq!(ask(&exchange, "alice", "refused", 5).await, Err(ExchangeError::Refused));
    assert_eq!(server.hits(), before + 2);
}

#[tokio::test]
async fn it_is_not_kept_longer_than_the_callers_own() {
    let (server, exchange, _) = world(json!({})).await;
    let token = Secret::from("a");
    let subject = Subject { principal: "alice", token: &token, expires: Some(at(10)) };
    assert!(exchange.exchange(subject, at(0)).await.is_ok());
    assert!(exchange.exchange(subject, at(9)).await.is_ok());
    assert_eq!(server.hits(), 1);
    assert!(exchange.exchange(subject, at(10)).await.is_ok());
    assert_eq!(server.hits(), 2);
}

#[tokio::test]
async fn an_answer_that_breaks_a_rule_is_refused() {
    for changes in [
        json!({"access_token": null}),
        json!({"access_token": ""}),
        json!({"access_token": "a"}),
        json!({"access_token": "a\r\nEvil: 1"}),
        json!({"token_type": "N_A"}),
        json!({"token_type": "DPoP"}),
        json!({"issued_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}),
    ] {
        let (_server, exchange, _) = world(changes.clone()).await;
        let refused = ask(&exchange, "alice", "a", 0).await;
        assert!(matches!(refused, Err(ExchangeError::Unavailable(_))), "{changes}: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_are_one_exchange() {
    let (server, exchange, _) = world(json!({})).await;
    let exchange = Arc::new(exchange);
    let calls: Vec<_> = (0..1000)
        .map(|_| {
            let exchange = Arc::clone(&exchange);
            tokio::spawn(async move { ask(&exchange, "alice", "a", 0).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "downstream-1");
    }
    assert_eq!(server.hits(), 1);
}

#[test]
fn nothing_shows_the_token() {
    let exchanged = Exchanged { token: Secret::from("hush"), expires: at(0) };
    assert!(!format!("{exchanged:?}").contains("hush"));
}
