//! The deprecated pair of 2024-11-05: a stream for what the server says, and a place to post to for what the client says.
//!
//! Together they are a connection like any other, so [`channel`](crate::transport::channel) serves it; the stream's end
//! is the connection's. Source: 2024-11-05, transports, "HTTP with SSE".

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};
use futures_util::stream::{self, StreamExt as _};
use http::request::Parts;
use http::{Response, StatusCode};
use tokio::sync::mpsc;

use super::body::Body;
use super::endpoint::{bad_request, not_json, principal, refuse, route, take_body};
use super::session::new_name;
use super::standing::{Standing, lease, over, seat};
use super::{Shared, answers, headers, sse};
use crate::protocol::{Error, Principal, Route};
use crate::transport::channel::{Channel, Peer, serve_peer};

/// Who listens, and where what they post goes.
#[derive(Debug, Default)]
pub(super) struct Pairs(Mutex<HashMap<String, Pair>>);

#[derive(Debug)]
struct Pair {
    incoming: mpsc::Sender<Bytes>,
    principal: Option<Arc<Principal>>,
    /// What its caller showed last.
    standing: Arc<Standing>,
}

/// The place of one stream; dropping it ends the connection.
struct Seat {
    shared: Arc<Shared>,
    name: String,
}

impl Pairs {
    /// Where messages of that connection go, if it is there and belongs to `principal`. They run as its opener's, so
    /// whoever shows less or more than the opener did finds nothing.
    fn find(&self, name: &str, principal: Option<&Principal>) -> Option<(mpsc::Sender<Bytes>, Arc<Standing>)> {
        let pairs = self.lock();
        let pair = pairs.get(name)?;
        let is_owner = is_same(pair.principal.as_deref(), principal);
        is_owner.then(|| (pair.incoming.clone(), Arc::clone(&pair.standing)))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Pair>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }
}

impl Seat {
    /// None if there are too many, or no randomness to name it with.
    fn take(shared: &Arc<Shared>, pair: Pair) -> Option<Self> {
        let name = new_name()?;
        let mut pairs = shared.pairs.lock();
        if pairs.len() >= shared.limits.sessions {
            return None;
        }
        pairs.insert(name.clone(), pair);
        drop(pairs);
        Some(Self { shared: Arc::clone(shared), name })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shared.pairs.lock().remove(&self.name);
    }
}

/// Whether both may do the same in the same name.
fn is_same(one: Option<&Principal>, other: Option<&Principal>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => one.id == other.id && one.groups == other.groups && one.scopes == other.scopes,
        _ => false,
    }
}

/// Opens the stream. Its first event says where to post.
pub(super) fn open(shared: &Arc<Shared>, head: &Parts, messages: &str) -> Response<Body> {
    if !headers::accepts(&head.headers, answers::EVENTS) {
        return answers::text(StatusCode::NOT_ACCEPTABLE, "`Accept` must list text/event-stream\n".to_owned());
    }
    let limits = shared.limits;
    // Whoever posts waits until the message before is taken, so one that waits is enough.
    let (incoming, taken) = mpsc::channel(1);
    let (outgoing, told) = mpsc::channel(limits.outbox);
    let principal = principal(head);
    let one_of_many = match seat(shared, head) {
        Ok(seat) => seat,
        Err(error) => return refuse(StatusCode::TOO_MANY_REQUESTS, &error),
    };
    let lease = lease(shared, head);
    let standing = Standing::new(lease.clone());
    let pair = Pair { incoming, principal: principal.clone(), standing: Arc::clone(&standing) };
    let Some(seat) = Seat::take(shared, pair) else {
        tracing::warn!(limit = limits.sessions, "a session was refused, there are too many");
        return refuse(StatusCode::TOO_MANY_REQUESTS, &Error::Busy(limits.sessions));
    };
    let channel = Channel { incoming: taken, outgoing };
    // Requests that stand alone repeat themselves in headers, which nobody would check here.
    let peer = Peer { principal, may_stand_alone: false, route: Route { trace: None, ..route(head) } };
    tokio::spawn(serve_peer(Arc::clone(&shared.server), channel, peer, limits, shared.shutdown.clone()));

    let post_to = format!("{messages}?session={}", seat.name);
    let messages = stream::unfold((told, seat, one_of_many), |(mut told, seat, one_of_many)| async move {
        let message = told.recv().await?;
        Some((message, (told, seat, one_of_many)))
    });
    let messages = messages.take_until(Box::pin(over(lease, standing)));
    answers::events(sse::beside(sse::of_pair(&post_to, messages, limits.keep_alive), limits.write_time))
}

/// Takes a message; what there is to answer goes over the stream.
pub(super) async fn post<B>(shared: &Arc<Shared>, head: &Parts, body: B) -> Response<Body>
where
    B: http_body::Body<Data: Buf + Send> + Send,
{
    let mut query = head.uri.query().unwrap_or_default().split('&');
    let Some(name) = query.find_map(|parameter| parameter.strip_prefix("session=")) else {
        return bad_request("`session` is missing; post to where the stream's first event says");
    };
    let gone = || {
        let error = Error::InvalidRequest("there is no such session; open the stream again".to_owned());
        refuse(StatusCode::NOT_FOUND, &error)
    };
    let Some((incoming, standing)) = shared.pairs.find(name, principal(head).as_deref()) else { return gone() };
    standing.renew(lease(shared, head));
    if !headers::is_json(&head.headers) {
        return not_json();
    }
    let message = match take_body(shared, body).await {
        Ok(message) => message,
        Err(refusal) => return *refusal,
    };
    match tokio::time::timeout(shared.limits.body_time, incoming.send(message)).await {
        Ok(Ok(())) => answers::accepted(),
        Ok(Err(_)) => gone(),
        // The connection takes nothing more while its client does not read what it was told.
        Err(_) => refuse(StatusCode::TOO_MANY_REQUESTS, &Error::Busy(shared.limits.outbox)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Arc, Pair, Pairs, Principal, Standing, mpsc};

    #[test]
    fn a_connection_is_for_what_opened_it() {
        let set = |text: &str| BTreeSet::from([text.to_owned()]);
        let opener = Principal { groups: set("dev"), scopes: set("write"), ..Principal::new("alice") };
        let pairs = Pairs::default();
        let (incoming, _taken) = mpsc::channel(1);
        let pair = Pair { incoming, principal: Some(Arc::new(opener.clone())), standing: Standing::new(None) };
        pairs.lock().insert("one".to_owned(), pair);
        assert!(pairs.find("one", Some(&opener)).is_some());
        assert!(pairs.find("one", None).is_none() && pairs.find("two", Some(&opener)).is_none());
        for other in [
            Principal { id: "bob".to_owned(), ..opener.clone() },
            Principal { groups: set("ops"), ..opener.clone() },
            Principal { scopes: set("read"), ..opener.clone() },
            Principal::new("alice"),
        ] {
            assert!(pairs.find("one", Some(&other)).is_none(), "{other:?}");
        }
    }
}
