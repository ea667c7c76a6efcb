//! Which URLs are asked, and whose word is taken for a server being the one it says.

use hyper_util::rt::TokioIo;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use super::*;

#[test]
fn only_plain_and_safe_urls_are_asked() {
    let ok = |url| checked("x", url, false).is_ok();
    for url in ["https://a.example/x", "http://127.0.0.1:8080/", "http://[::1]/", "http://localhost/x"] {
        assert!(ok(url), "{url}");
    }
    let long = format!("https://a/{}", "x".repeat(MAX_URL_BYTES));
    for url in
        ["http://a.example/", "http://127.0.0.1.example/", "file:///x", "https://u@a/", "https://a/#f", "a", &long]
    {
        assert!(!ok(url), "{url}");
    }
    assert!(checked("x", "http://a.example/", true).is_ok());
}

#[test]
fn a_discovery_document_cannot_point_back_at_this_machine() {
    let http = Http::new(&HttpConfig::default()).unwrap();
    let remote = Url::parse("https://auth.example/").unwrap();
    let local = Url::parse("http://127.0.0.1:1/").unwrap();
    assert!(http.discovered(&remote, "https://keys.example/jwks").is_ok());
    assert!(http.discovered(&remote, "http://127.0.0.1/jwks").is_err());
    assert!(http.discovered(&remote, "http://keys.example/jwks").is_err());
    assert!(http.discovered(&local, "http://127.0.0.1:2/jwks").is_ok());
    assert!(http.discovered(&local, "http://keys.example/jwks").is_err());
}

#[test]
fn the_age_of_an_answer_is_read() {
    let read = |value: &'static str| max_age(&HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static(value))]));
    assert_eq!(read("public, Max-Age=300"), Some(Duration::from_secs(300)));
    assert_eq!(read("max-age=300, no-store"), Some(Duration::ZERO));
    assert_eq!(read("max-age=-1"), None);
    assert_eq!(read("s-maxage=5"), None);
}

#[tokio::test]
async fn a_server_is_believed_by_the_authority_the_operator_names_and_no_other() {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let tls = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("https://{}/x", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let service = hyper::service::service_fn(|_| async {
                Ok::<_, std::convert::Infallible>(http::Response::new(Full::new(Bytes::from_static(b"yes"))))
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authority.pem");
    std::fs::write(&path, made.cert.pem()).unwrap();
    let trusting = Http::new(&HttpConfig { authority: Some(path.clone()), ..HttpConfig::default() }).unwrap();
    assert_eq!(trusting.get(&url).await.unwrap().body, "yes");
    let refused = Http::new(&HttpConfig::default()).unwrap().get(&url).await;
    assert!(matches!(refused, Err(HttpError::Connect(problem)) if problem.contains("certificate")));
    std::fs::write(&path, "no PEM").unwrap();
    let empty = Http::new(&HttpConfig { authority: Some(path), ..HttpConfig::default() });
    assert!(matches!(empty, Err(ConfigError::Authority { .. })));
}
