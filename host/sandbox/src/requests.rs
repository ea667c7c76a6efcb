//! What is told of a guest's outgoing requests: to whoever follows the log, and to the ledger of its call.

use super::ledger::{Exchange, ExchangeEnd, Flow, Ledger};
use super::log::one_line;
use http::{Method, Request, StatusCode, Uri};
use std::sync::Arc;
use std::time::Instant;
use wasmtime_wasi_http::{Error, WasiBody};

/// The longest name of a host that is noted, in characters.
const MAX_HOST: usize = 260;
/// The longest URL and the longest method that are noted, in characters.
const MAX_URL: usize = 500;
const MAX_METHOD: usize = 32;

/// A request as it is told to whoever traces the call or counts its cost; nothing if nobody does. Dropped without a report
/// it was given up, or refused if it was that already.
pub(super) struct Told {
    traced: Option<(Method, String)>,
    flow: Option<Flow>,
    started: Instant,
    refused: Option<&'static str>,
    reported: bool,
}

impl Told {
    pub(super) fn of(request: &Request<WasiBody>, ledger: Option<&Arc<Ledger>>) -> Self {
        let heard = tracing::enabled!(target: "toolcell::http", tracing::Level::DEBUG);
        let uri = request.uri();
        let flow = ledger.map(|ledger| {
            Flow::begin(ledger, authority(uri).chars().take(MAX_HOST).collect(), || Exchange {
                method: request.method().as_str().chars().take(MAX_METHOD).collect(),
                url: place(uri, MAX_URL),
                end: ExchangeEnd::Open,
                sent: 0,
                received: 0,
            })
        });
        Self {
            traced: heard.then(|| (request.method().clone(), place(uri, usize::MAX))),
            flow,
            started: Instant::now(),
            refused: None,
            reported: false,
        }
    }

    /// What counts the bytes of its bodies.
    pub(super) fn flow(&self) -> Option<Flow> {
        self.flow.clone()
    }

    /// The book of its call.
    pub(super) fn ledger(&self) -> Option<&Ledger> {
        self.flow.as_ref().map(Flow::ledger)
    }

    /// A rule does not let it out.
    pub(super) fn refused(&mut self, rule: &'static str, text: &str) {
        self.refused = Some(rule);
        self.flow.iter().for_each(|flow| flow.ledger().refused(rule, text));
    }

    /// It has an answer, or will have none.
    pub(super) fn report(mut self, plugin: &str, status: Result<StatusCode, &Error>) {
        self.reported = true;
        if let Some(flow) = &self.flow {
            flow.end(match (self.refused, status) {
                (Some(rule), _) => ExchangeEnd::Refused(rule),
                (None, Ok(status)) => ExchangeEnd::Status(status.as_u16()),
                (None, Err(error)) => ExchangeEnd::Failed(word(error)),
            });
        }
        let Some((method, url)) = &self.traced else { return };
        let elapsed_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let answer = match status {
            Ok(status) => status.to_string(),
            Err(error) => one_line(&error.to_string()),
        };
        tracing::debug!(target: "toolcell::http", plugin, %method, url, answer, elapsed_us, "request");
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if let Some(flow) = self.flow.as_ref().filter(|_| !self.reported) {
            flow.end(self.refused.map_or(ExchangeEnd::Open, ExchangeEnd::Refused));
        }
    }
}

/// `host:port`, without a name and password of a user's before it.
fn authority(uri: &Uri) -> &str {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    authority.rsplit('@').next().unwrap_or_default()
}

/// A URL as it may be told: a query may hold a secret, so only its names stay, and so may what stands before the host.
fn place(uri: &Uri, most: usize) -> String {
    let mut told = format!("{}://{}{}", uri.scheme_str().unwrap_or_default(), authority(uri), uri.path());
    for (at, pair) in uri.query().into_iter().flat_map(|query| query.split('&')).enumerate() {
        if told.len() > most {
            break;
        }
        told.push(if at == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            Some((name, _)) => {
                told.push_str(name);
                told.push_str("=REDACTED");
            }
            // It may be a value without a name.
            None => told.push_str("REDACTED"),
        }
    }
    match told.char_indices().nth(most) {
        Some((end, _)) => told.get(..end).unwrap_or_default().to_owned(),
        None => told,
    }
}

/// Why there was no answer, as a word of a short list: the names of `wasi:http`'s errors.
fn word(error: &Error) -> &'static str {
    match error {
        Error::Hyper(_) | Error::HttpProtocolError => "http-protocol-error",
        Error::Connect(_) | Error::ConnectionRefused => "connection-refused",
        Error::Tls(_) | Error::TlsProtocolError | Error::TlsCertificateError | Error::TlsAlertReceived { .. } => {
            "tls-protocol-error"
        }
        Error::DnsTimeout => "dns-timeout",
        Error::DnsError { .. } => "dns-error",
        Error::DestinationNotFound => "destination-not-found",
        Error::ConnectionTimeout => "connection-timeout",
        Error::ConnectionReadTimeout => "connection-read-timeout",
        Error::ConnectionTerminated => "connection-terminated",
        Error::ConnectionLimitReached => "connection-limit-reached",
        Error::HttpRequestMethodInvalid => "http-request-method-invalid",
        Error::HttpRequestUriInvalid => "http-request-uri-invalid",
        Error::HttpRequestBodySize(_) => "http-request-body-size",
        _ => "_OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_told_without_what_may_be_secret() {
        for (url, told) in [
            ("https://api.example/v1/list", "https://api.example/v1/list"),
            ("https://user:hunter2@api.example:8443/", "https://api.example:8443/"),
            ("https://h/p?key=hunter2&q=a=b", "https://h/p?key=REDACTED&q=REDACTED"),
            ("https://h/p?hunter2&&x=", "https://h/p?REDACTED&REDACTED&x=REDACTED"),
        ] {
            assert_eq!(place(&url.parse().unwrap(), MAX_URL), told);
        }
        let long = format!("https://h/{}?{}", "p".repeat(400), "k=v&".repeat(2_000));
        assert_eq!(place(&long.parse().unwrap(), MAX_URL).len(), MAX_URL);
    }

    #[test]
    fn a_request_that_is_given_up_is_told() {
        let ledger = Ledger::following(true);
        let request = Request::builder().uri("http://h:1/").body(WasiBody::default()).unwrap();
        drop(Told::of(&request, Some(&ledger)));
        let spent = ledger.take();
        assert_eq!((spent.hosts["h:1"].requests, spent.hosts["h:1"].failed, spent.steps.len()), (1, 1, 1));
    }

    #[test]
    fn a_refused_request_that_is_given_up_is_a_refused_one() {
        let ledger = Ledger::following(true);
        let request = Request::builder().uri("http://h:1/").body(WasiBody::default()).unwrap();
        let mut told = Told::of(&request, Some(&ledger));
        told.refused("host-not-granted", "h is not granted");
        drop(told);
        let spent = ledger.take();
        let used = &spent.hosts["h:1"];
        assert_eq!((used.requests, used.failed, used.refused, spent.refusals.len()), (0, 0, 1, 1));
    }
}
