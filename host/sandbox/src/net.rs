//! The only way out of a cell. Every `wasi:http` request, of WASI 0.2 and 0.3 alike, comes through [`Outgoing`]: first the
//! policy judges the name, then every address the name stands for, and the address that was judged is the one connected
//! to. Raw sockets and name look-ups are refused elsewhere, by never being allowed in the WASI context.

use super::ctx::OnChange;
use super::doors::Doors;
use super::ledger::{Flow, Ledger};
use super::log::GuestLog;
use super::requests::Told;
use super::secrets::{Attached, Held, Masked};
use super::tls::{self, Tls};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use toolcell_policy::{AddrPermit, DenyReason, Grant, Limits, NamePermit, Requested, Scheme, Target, TargetHost};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// The least hyper can work with, in bytes.
const MIN_HEADER_BYTES: usize = 8_192;

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(Response<WasiBody>, Io), Error>;

/// What one plugin may do and whom it tells: the same for all its calls.
pub(super) struct Rules {
    pub(super) plugin: Arc<str>,
    pub(super) grant: Grant,
    pub(super) requested: Option<Requested>,
    pub(super) limits: Limits,
    pub(super) tls: Arc<Tls>,
    /// Hears what the guest says has changed; none while it is only asked for its lists.
    pub(super) on_change: Option<OnChange>,
    /// What the layers above lend it; nothing while it is only asked for its lists.
    pub(super) doors: Doors,
}

impl Rules {
    /// The same with another grant.
    pub(super) fn with_grant(&self, grant: Grant) -> Self {
        let Self { plugin, grant: _, requested, limits, tls, on_change, doors } = self;
        Self {
            plugin: Arc::clone(plugin),
            grant,
            requested: requested.clone(),
            limits: limits.clone(),
            tls: Arc::clone(tls),
            on_change: on_change.clone(),
            doors: doors.clone(),
        }
    }
}

/// The outgoing door of one call.
pub(super) struct Outgoing {
    rules: Arc<Rules>,
    slots: Arc<Semaphore>,
    log: GuestLog,
    held: Option<Arc<Held>>,
    ledger: Option<Arc<Ledger>>,
}

impl Outgoing {
    pub(super) fn new(rules: Arc<Rules>, log: GuestLog, held: Option<Arc<Held>>, ledger: Option<Arc<Ledger>>) -> Self {
        let slots = Arc::new(Semaphore::new(rules.limits.http_requests_in_flight));
        Self { rules, slots, log, held, ledger }
    }

    /// First layer: may this plugin ask for this URL with this method?
    fn check_name(&self, request: &Request<WasiBody>, told: &mut Told) -> Result<(NamePermit, Target), Error> {
        let uri = request.uri();
        let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
        if request.method() == Method::CONNECT || request.method() == Method::TRACE {
            return Err(Error::HttpRequestMethodInvalid);
        }
        let scheme = uri.scheme_str().unwrap_or_default();
        let target = Target::from_authority(request.method().as_str(), scheme, authority.as_str(), uri.path())
            .map_err(|error| Error::InternalError(Some(error.to_string())))?;
        let Rules { plugin, grant, requested, .. } = &*self.rules;
        let permit = grant.check_target(plugin, requested.as_ref(), &target);
        let permit = permit.map_err(|reason| refused(plugin, &self.log, told, &reason))?;
        Ok((permit, target))
    }

    /// Then the secrets that go with it; one that should and has no value for this caller stops it.
    fn attach(&self, request: &mut Request<WasiBody>, target: &Target, told: &mut Told) -> Result<Attached, Error> {
        let Some(held) = &self.held else { return Ok(Attached::default()) };
        let attached = held.attach(request, target);
        let attached = attached.map_err(|text| without_secret(&self.rules.plugin, &self.log, told, text))?;
        used(self.ledger.as_deref(), &attached.used);
        Ok(attached)
    }
}

/// The secrets that are made for a caller, once it is sure where the request goes.
async fn attach_made(
    rules: &Rules,
    log: &GuestLog,
    told: &mut Told,
    held: &Held,
    request: &mut Request<WasiBody>,
    to_make: &[usize],
) -> Result<(), Error> {
    let made = held.attach_made(request, to_make).await;
    let made = made.map_err(|text| without_secret(&rules.plugin, log, told, text))?;
    used(told.ledger(), &made);
    Ok(())
}

fn used(ledger: Option<&Ledger>, names: &[String]) {
    ledger.iter().for_each(|ledger| names.iter().for_each(|name| ledger.used_secret(name)));
}

fn without_secret(plugin: &str, log: &GuestLog, told: &mut Told, text: String) -> Error {
    if log.charge(text.len()) {
        tracing::warn!(%plugin, error.type = "refused", rule = NO_SECRET, "outgoing request refused: {text}");
    }
    told.refused(NO_SECRET, &text);
    Error::InternalError(Some(text))
}

/// The stable name of that refusal.
const NO_SECRET: &str = "secret-without-value";

fn refused(plugin: &str, log: &GuestLog, told: &mut Told, reason: &DenyReason) -> Error {
    let text = reason.to_string();
    told.refused(reason.code(), &text);
    // A guest that retries in a loop must not fill the log: its refusals count as its own words.
    if log.charge(text.len()) {
        tracing::warn!(%plugin, error.type = "refused", rule = reason.code(), "outgoing request refused: {text}");
    }
    Error::InternalError(Some(text))
}

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _transmitted: Io,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let mut told = Told::of(&request, self.ledger.as_ref());
        let checked = self.check_name(&request, &mut told).and_then(|(permit, target)| {
            let attached = self.attach(&mut request, &target, &mut told)?;
            Ok((permit, attached.to_make))
        });
        let held = self.held.clone();
        let slot = Arc::clone(&self.slots).try_acquire_owned();
        let (rules, log) = (Arc::clone(&self.rules), self.log.clone());
        Box::new(async move {
            let sent = async {
                let (permit, to_make) = checked?;
                let slot = slot.map_err(|_| Error::ConnectionLimitReached)?;
                let timeouts = Timeouts::new(&rules.limits, options);
                let address = resolve(&rules, &log, &mut told, &permit, timeouts.connect).await?;
                if let Some(held) = held.as_deref().filter(|_| !to_make.is_empty()) {
                    attach_made(&rules, &log, &mut told, held, &mut request, &to_make).await?;
                }
                send(&rules, request, &permit, &address, timeouts, Kept { slot, flow: told.flow(), held: held.clone() })
                    .await
            };
            let sent = sent.await;
            told.report(&rules.plugin, sent.as_ref().map(|(response, _)| response.status()));
            sent
        })
    }
}

/// What goes along with a request and its answer for as long as either is read.
struct Kept {
    slot: OwnedSemaphorePermit,
    flow: Option<Flow>,
    held: Option<Arc<Held>>,
}

/// Second layer: every address the name stands for must be allowed; the first of them is the one to use.
async fn resolve(
    rules: &Rules,
    log: &GuestLog,
    told: &mut Told,
    permit: &NamePermit,
    patience: Duration,
) -> Result<AddrPermit, Error> {
    let addresses: Vec<IpAddr> = match permit.host() {
        TargetHost::Address(address) => vec![*address],
        TargetHost::Name(name) => {
            tokio::time::timeout(patience, tokio::net::lookup_host((name.as_str(), permit.port())))
                .await
                .map_err(|_| Error::DnsTimeout)?
                .map_err(|error| Error::DnsError { rcode: Some(error.to_string()), info_code: None })?
                .map(|address| address.ip())
                .collect()
        }
    };
    let mut first = None;
    for address in addresses {
        let allowed = rules.grant.check_addr(permit, address);
        let allowed = allowed.map_err(|reason| refused(&rules.plugin, log, told, &reason))?;
        first.get_or_insert(allowed);
    }
    first.ok_or(Error::DestinationNotFound)
}

#[derive(Clone, Copy)]
struct Timeouts {
    connect: Duration,
    first_byte: Duration,
    between_bytes: Duration,
}

impl Timeouts {
    /// What the guest asks for, but never more than its limit.
    fn new(limits: &Limits, asked: Option<RequestOptions>) -> Self {
        let most = Duration::from_millis(limits.http_timeout_ms);
        let asked = asked.unwrap_or_default();
        let bounded = |wish: Option<Duration>| wish.map_or(most, |wish| wish.clamp(Duration::from_millis(1), most));
        Self {
            connect: bounded(asked.connect_timeout),
            first_byte: bounded(asked.first_byte_timeout),
            between_bytes: bounded(asked.between_bytes_timeout),
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn connect(tls: &Tls, permit: &NamePermit, address: &AddrPermit) -> Result<Box<dyn Stream>, Error> {
    let stream = TcpStream::connect(address.socket_addr()).await.map_err(Error::Connect)?;
    stream.set_nodelay(true).map_err(Error::Connect)?;
    if permit.scheme() == Scheme::Http {
        return Ok(Box::new(stream));
    }
    let connector = tls.connector().await.map_err(|error| Error::InternalError(Some(error)))?;
    let name = tls::server_name(permit.host()).ok_or(Error::HttpRequestUriInvalid)?;
    Ok(Box::new(connector.connect(name, stream).await.map_err(Error::Tls)?))
}

async fn send(
    rules: &Rules,
    mut request: Request<WasiBody>,
    permit: &NamePermit,
    address: &AddrPermit,
    timeouts: Timeouts,
    Kept { slot, flow, held }: Kept,
) -> Sent {
    let stream = tokio::time::timeout(timeouts.connect, connect(&rules.tls, permit, address))
        .await
        .map_err(|_| Error::ConnectionTimeout)??;
    let limits = &rules.limits;
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_headers(limits.http_headers)
        .max_buf_size(limits.http_header_bytes.max(MIN_HEADER_BYTES))
        .handshake(TokioIo::new(stream))
        .await?;
    // On the wire a request names only the path, and the host in the form that was judged.
    let authority = permit.authority().parse().map_err(|_| Error::HttpRequestUriInvalid)?;
    request.headers_mut().insert(http::header::HOST, authority);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse().map_err(|_| Error::HttpRequestUriInvalid)?;
    let body_limit = limits.http_request_body_bytes;
    let sent = flow.clone().map(|flow| (flow, Flow::sent as fn(&Flow, u64)));
    let request = request.map(|body| Bounded::new(body, body_limit, sent, |n| Error::HttpRequestBodySize(Some(n))));

    let mut connection = Box::pin(connection);
    let response = {
        let send = tokio::time::timeout(timeouts.first_byte, sender.send_request(request));
        tokio::pin!(send);
        tokio::select! {
            biased;
            response = &mut send => response.map_err(|_| Error::ConnectionReadTimeout)??,
            ended = &mut connection => {
                ended?;
                send.await.map_err(|_| Error::ConnectionReadTimeout)??
            }
        }
    };
    let limit = limits.http_response_body_bytes;
    let received = flow.map(|flow| (flow, Flow::received as fn(&Flow, u64)));
    let response = response.map(|body| {
        let body = Paced::new(body.map_err(Error::from), timeouts.between_bytes, slot);
        let body = Bounded::new(body, limit, received, |n| Error::HttpResponseBodySize(Some(n)));
        // A service that says back what it was sent must not tell the guest what the guest must not know.
        match held.clone() {
            None => body.boxed_unsync(),
            Some(held) => Masked::new(body, held).boxed_unsync(),
        }
    });
    let mut response = response;
    held.iter().for_each(|held| held.mask_headers(response.headers_mut()));
    let io = async move {
        // Holding the sender keeps the connection open while the body is read.
        let _sender = sender;
        connection.await.map_err(Error::from)
    };
    Ok((response, Box::new(io)))
}

/// Where the bytes of a body are counted.
type Counted = Option<(Flow, fn(&Flow, u64))>;

/// A body that ends with an error once it has passed its limit, and whose bytes are counted.
struct Bounded<B> {
    body: Pin<Box<B>>,
    left: u64,
    limit: u64,
    counted: Counted,
    error: fn(u64) -> Error,
}

impl<B> Bounded<B> {
    fn new(body: B, limit: u64, counted: Counted, error: fn(u64) -> Error) -> Self {
        Self { body: Box::pin(body), left: limit, limit, counted, error }
    }
}

impl<B: Body<Data = Bytes, Error = Error>> Body for Bounded<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = std::task::ready!(self.body.as_mut().poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            match self.left.checked_sub(data.len() as u64) {
                Some(left) => {
                    if let Some((flow, count)) = &self.counted {
                        count(flow, data.len() as u64);
                    }
                    self.left = left;
                }
                None => return Poll::Ready(Some(Err((self.error)(self.limit)))),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response body that must keep coming; it holds its place among the call's requests until it is dropped.
struct Paced<B> {
    body: Pin<Box<B>>,
    patience: Duration,
    timer: Pin<Box<tokio::time::Sleep>>,
    _slot: OwnedSemaphorePermit,
}

impl<B> Paced<B> {
    fn new(body: B, patience: Duration, slot: OwnedSemaphorePermit) -> Self {
        Self { body: Box::pin(body), patience, timer: Box::pin(tokio::time::sleep(patience)), _slot: slot }
    }
}

impl<B: Body<Data = Bytes, Error = Error>> Body for Paced<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.body.as_mut().poll_frame(cx) {
            Poll::Ready(frame) => {
                let deadline = tokio::time::Instant::now() + self.patience;
                self.timer.as_mut().reset(deadline);
                Poll::Ready(frame)
            }
            Poll::Pending => {
                std::task::ready!(self.timer.as_mut().poll(cx));
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
