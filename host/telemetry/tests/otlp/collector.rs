//! A collector: takes what comes, decodes it, keeps it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use prost::Message;
use tokio::net::TcpListener;

#[derive(Default)]
pub struct Got {
    pub traces: Vec<ExportTraceServiceRequest>,
    pub metrics: Vec<ExportMetricsServiceRequest>,
    pub logs: Vec<ExportLogsServiceRequest>,
    pub keys: Vec<Option<String>>,
}

pub async fn collector() -> (SocketAddr, Arc<Mutex<Got>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let got = Arc::new(Mutex::new(Got::default()));
    let store = Arc::clone(&got);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let service = service_fn(move |request| receive(request, Arc::clone(&store)));
                let _ =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (address, got)
}

async fn receive(request: Request<Incoming>, got: Arc<Mutex<Got>>) -> Result<Response<Full<Bytes>>, Infallible> {
    assert_eq!(request.headers()["content-type"], "application/x-protobuf");
    let path = request.uri().path().to_owned();
    let key = request.headers().get("x-key").map(|key| key.to_str().unwrap().to_owned());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let mut got = got.lock().unwrap();
    got.keys.push(key);
    match path.as_str() {
        "/v1/traces" => got.traces.push(ExportTraceServiceRequest::decode(body).unwrap()),
        "/v1/metrics" => got.metrics.push(ExportMetricsServiceRequest::decode(body).unwrap()),
        "/v1/logs" => got.logs.push(ExportLogsServiceRequest::decode(body).unwrap()),
        other => panic!("{other}"),
    }
    Ok(Response::new(Full::default()))
}

pub fn shown(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    }
}

pub fn attributes(list: &[KeyValue]) -> HashMap<String, String> {
    list.iter().map(|pair| (pair.key.clone(), shown(pair.value.as_ref()))).collect()
}

pub fn assert_all(found: &HashMap<String, String>, expected: &[(&str, &str)]) {
    for (key, value) in expected {
        assert_eq!(found.get(*key).map(String::as_str), Some(*value), "{key} in {found:#?}");
    }
}
