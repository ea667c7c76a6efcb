//! What HTTP alone costs: hyper, the JSON-RPC envelope parsed, the answer written. No protocol, no checks, no tools.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Answers every POST as the `echo` tool would.
pub fn service()
-> impl Service<Request<Incoming>, Response = Response<Full<Bytes>>, Error = Infallible, Future: Send> + Clone {
    service_fn(|request: Request<Incoming>| async move {
        let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        Ok(match answer(&body) {
            Some(answer) => json(StatusCode::OK, answer),
            None => json(StatusCode::BAD_REQUEST, String::from("{}")),
        })
    })
}

fn json(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    params: Params<'a>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow)]
    arguments: Arguments<'a>,
}

#[derive(Deserialize)]
struct Arguments<'a> {
    #[serde(borrow)]
    message: &'a RawValue,
}

fn answer(body: &[u8]) -> Option<String> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).ok()?;
    Some(format!(
        r#"{{"jsonrpc":"2.0","id":{},"result":{{"resultType":"complete","content":[{{"type":"text","text":{}}}]}}}}"#,
        envelope.id, envelope.params.arguments.message
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_comes_back_as_it_was_written() {
        let body = br#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"echo","arguments":{"message":"x\ny"}}}"#;
        let expected = r#"{"jsonrpc":"2.0","id":"a","result":{"resultType":"complete","content":[{"type":"text","text":"x\ny"}]}}"#;
        assert_eq!(answer(body).as_deref(), Some(expected));
        assert_eq!(answer(b"[]"), None);
    }
}
