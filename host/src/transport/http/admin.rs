//! What operators' machines ask, on a listener of its own: whether it lives, whether it is ready, and how much of what.
//! Clients never see it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::origin::Gate;
use super::pace::Paced;
use super::serve::accept;
use super::{Body, answers, cors};

/// Connections at once: a few machines ask, each now and then.
const CONNECTIONS: usize = 64;
/// Time for the head of a request, and for its asker to read the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of the head of a request.
const HEADER: usize = 16 * 1024;
/// The text format of OpenMetrics, which Prometheus reads.
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether this process should be sent requests. Cheap to clone; all clones are the same. The default is that it should.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<Reasons>>);

#[derive(Debug, Default)]
struct Reasons {
    last: u64,
    open: BTreeMap<u64, String>,
}

/// A reason why this process should not be sent requests, for as long as it is kept.
#[derive(Debug)]
#[must_use = "the reason is gone when this is dropped"]
pub struct Hold {
    health: Health,
    number: u64,
}

impl Health {
    /// Says that this process is not ready until the hold is dropped, and why, in words for operators.
    pub fn hold(&self, reason: impl Into<String>) -> Hold {
        let mut reasons = self.lock();
        reasons.last += 1;
        let number = reasons.last;
        reasons.open.insert(number, reason.into());
        Hold { health: self.clone(), number }
    }

    /// Why it is not ready, oldest first; nothing if it is.
    pub fn reasons(&self) -> Vec<String> {
        self.lock().open.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Reasons> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.health.lock().open.remove(&self.number);
    }
}

/// Writes all metrics in Prometheus' text format.
pub type Metrics = Arc<dyn Fn() -> String + Send + Sync>;

/// What is told on the listener for operators.
#[derive(Clone)]
pub struct Admin {
    /// What `/readyz` says.
    pub health: Health,
    /// What `/metrics` says; none leaves it out.
    pub metrics: Option<Metrics>,
    /// Which `Host` headers it answers to besides those of loopback, and besides addresses where it listens on more.
    pub allowed_hosts: Vec<String>,
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").field("health", &self.health).finish_non_exhaustive()
    }
}

/// Serves `/livez`, `/readyz` and `/metrics` for as long as it is polled. There is no authentication: who reaches the
/// listener reads all of it.
///
/// # Errors
/// If the listener itself is of no use.
pub async fn serve_admin(listener: TcpListener, admin: Admin) -> io::Result<()> {
    let loopback = listener.local_addr()?.ip().is_loopback();
    // No page of any site has business here, those of this machine neither.
    let gate = Arc::new(Gate::new(loopback, &admin.allowed_hosts, &[]).without_local_pages());
    let (admin, places) = (Arc::new(admin), Arc::new(Semaphore::new(CONNECTIONS)));
    let mut connections = JoinSet::new();
    loop {
        let place = tokio::select! {
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let (stream, _) = accept(&listener).await;
        let (admin, gate) = (Arc::clone(&admin), Arc::clone(&gate));
        connections.spawn(async move {
            let _place = place;
            let service = service_fn(|request| {
                let answer = answer(&admin, &gate, request);
                async move { Ok::<_, Infallible>(answer) }
            });
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(HEADER);
            let _ = builder.serve_connection(TokioIo::new(Paced::new(stream, PATIENCE)), service).await;
        });
    }
}

fn answer(admin: &Admin, gate: &Gate, request: Request<Incoming>) -> Response<Body> {
    let (head, _) = request.into_parts();
    if let Err(refusal) = cors::let_in(gate, &head, None) {
        return answers::text(StatusCode::FORBIDDEN, format!("{refusal}\n"));
    }
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return answers::not_allowed("GET, HEAD");
    }
    match (head.uri.path(), &admin.metrics) {
        ("/livez", _) => answers::text(StatusCode::OK, "alive\n".to_owned()),
        ("/readyz", _) => readiness(&admin.health.reasons()),
        ("/metrics", Some(metrics)) => {
            let mut response = answers::text(StatusCode::OK, metrics());
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(METRICS));
            response
        }
        _ => answers::text(StatusCode::NOT_FOUND, "here are /livez, /readyz and /metrics if it is on\n".to_owned()),
    }
}

/// 503 takes a server out of a load balancer, and the reasons are for the person who wonders.
fn readiness(reasons: &[String]) -> Response<Body> {
    let ready = reasons.is_empty();
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({ "ready": ready, "reasons": reasons }).to_string();
    answers::json(code, body.into())
}
