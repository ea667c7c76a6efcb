//! Serving one peer over two channels of messages: stdio, memory, or whatever an embedder has.
//!
//! Both eras share such a connection. `initialize` opens the one session it can have; requests that stand alone are
//! served beside it.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::limits::Limits;
use crate::protocol::{
    self, Error, InFlight, Incoming, Message, Notes, Principal, Rejected, Reply, Request, Route, Rules, Scope, Server,
    Session, Ticket,
};

/// A connection: finished messages in either direction, each without a line break.
#[derive(Debug)]
pub struct Channel {
    /// What the peer sends. Its end is the end of the connection.
    pub incoming: mpsc::Receiver<Bytes>,
    /// What the peer is sent.
    pub outgoing: mpsc::Sender<Bytes>,
}

/// Serves one peer until it leaves or `shutdown` is cancelled, within the default [`Limits`]. Requests that are open
/// then get [`Limits::drain`] to end, and subscriptions end with their answer.
///
/// Cancel safe: dropping the future ends every request of the peer.
pub async fn serve_channel(server: Arc<Server>, channel: Channel, shutdown: CancellationToken) {
    serve_channel_within(server, channel, Limits::default(), shutdown).await;
}

/// [`serve_channel`] within limits of one's own.
pub async fn serve_channel_within(server: Arc<Server>, channel: Channel, limits: Limits, shutdown: CancellationToken) {
    serve_channel_as(server, channel, None, limits, shutdown).await;
}

/// The same for a peer that is known to be this principal.
pub async fn serve_channel_as(
    server: Arc<Server>,
    channel: Channel,
    principal: Option<Arc<Principal>>,
    limits: Limits,
    shutdown: CancellationToken,
) {
    let peer = Peer { principal, may_stand_alone: true, route: Route::default() };
    serve_peer(server, channel, peer, limits, shutdown).await;
}

/// Who is at the other end, and what it may send.
pub(super) struct Peer {
    /// Who it is, if whoever let it in has found out.
    pub(super) principal: Option<Arc<Principal>>,
    /// Whether its requests may do without a session.
    pub(super) may_stand_alone: bool,
    /// How its messages come.
    pub(super) route: Route,
}

pub(super) async fn serve_peer(
    server: Arc<Server>,
    channel: Channel,
    peer: Peer,
    limits: Limits,
    shutdown: CancellationToken,
) {
    let Channel { mut incoming, outgoing } = channel;
    let mut connection = Connection {
        server,
        peer,
        session: None,
        in_flight: InFlight::new(limits.in_flight),
        outgoing,
        open: JoinSet::new(),
        closing: shutdown.child_token(),
        limits,
    };
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            Some(_) = connection.open.join_next(), if !connection.open.is_empty() => {}
            message = news(&connection.server, connection.session.as_deref()) => connection.send(message).await,
            message = incoming.recv() => match message {
                None => break,
                Some(bytes) => connection.receive(bytes).await,
            },
            () = connection.outgoing.closed() => break,
        }
    }
    connection.drain().await;
}

struct Connection {
    server: Arc<Server>,
    peer: Peer,
    session: Option<Arc<Session>>,
    in_flight: Arc<InFlight>,
    outgoing: mpsc::Sender<Bytes>,
    open: JoinSet<()>,
    closing: CancellationToken,
    limits: Limits,
}

/// What the session is to be told without having asked; never, where there is none.
async fn news(server: &Server, session: Option<&Session>) -> Bytes {
    match session {
        Some(session) => session.news(server).await,
        None => std::future::pending().await,
    }
}

impl Connection {
    /// Sends what the loop itself has to say. A peer that reads no more is noticed by the loop, and one that is slow
    /// must not keep the server from stopping.
    async fn send(&self, message: Bytes) {
        tokio::select! {
            biased;
            _ = self.outgoing.send(message) => {}
            () = self.closing.cancelled() => {}
        }
    }

    async fn receive(&mut self, bytes: Bytes) {
        let answer = match protocol::read(&bytes) {
            Ok(Incoming::One(message)) => self.take(message, &bytes).map(|reply| reply.bytes),
            Ok(Incoming::Batch(members)) => match self.admit_batch(members.len()) {
                Ok(()) => {
                    let members = members.iter().map(|member| bytes.slice_ref(member.get().as_bytes())).collect();
                    return self.batch(members);
                }
                Err(error) => Some(Reply::failure(None, &error).bytes),
            },
            Err(Rejected { id, error }) => Some(Reply::failure(id.as_ref(), &error).bytes),
        };
        if let Some(answer) = answer {
            self.send(answer).await;
        }
    }

    /// Deals with one message; what takes time goes on beside the connection.
    fn take(&mut self, message: Message<'_>, bytes: &Bytes) -> Option<Reply> {
        match message {
            Message::Request(request) => match self.begin(&request) {
                Begun::Answered(reply) => Some(reply),
                Begun::Open(ticket, scope) => {
                    let answer = answer(Arc::clone(&self.server), bytes.clone(), scope);
                    let outgoing = self.outgoing.clone();
                    self.open.spawn(async move {
                        let reply = answer.await;
                        // Free before the answer is out, for the client may use the identifier again at once.
                        drop(ticket);
                        if let Some(reply) = reply {
                            let _ = outgoing.send(reply.bytes).await;
                        }
                    });
                    None
                }
            },
            Message::Notification(notification) => {
                match &self.session {
                    Some(session) => session.notified(&notification),
                    None => self.in_flight.notified(&notification),
                }
                None
            }
            Message::Response(response) => {
                if let Some(session) = &self.session {
                    session.answered(&response);
                }
                None
            }
        }
    }

    fn begin(&mut self, request: &Request<'_>) -> Begun {
        let rules = match &self.session {
            _ if request.stands_alone() && !self.peer.may_stand_alone => {
                let error = Error::InvalidRequest("a request that stands alone goes to the MCP endpoint".to_owned());
                return Begun::Answered(Reply::failure(Some(&request.id), &error));
            }
            _ if request.stands_alone() => Rules::PerRequest,
            Some(session) => Rules::Session(Arc::clone(session)),
            None if request.method == "initialize" => return Begun::Answered(self.initialize(request)),
            None => Rules::Unopened,
        };
        match self.in_flight.begin(&request.id) {
            Err(error) => Begun::Answered(Reply::failure(Some(&request.id), &error)),
            Ok(ticket) => {
                let scope = Scope {
                    rules,
                    principal: self.peer.principal.clone(),
                    cancel: ticket.cancel().clone(),
                    closing: self.closing.clone(),
                    notes: Notes::to(self.outgoing.clone()),
                    route: self.peer.route.clone(),
                };
                Begun::Open(ticket, scope)
            }
        }
    }

    fn initialize(&mut self, request: &Request<'_>) -> Reply {
        match self.server.initialize(request, self.peer.principal.clone(), Arc::clone(&self.in_flight)) {
            Ok((session, reply)) => {
                self.session = Some(session);
                reply
            }
            Err(error) => Reply::failure(Some(&request.id), &error),
        }
    }

    fn admit_batch(&self, members: usize) -> Result<(), Error> {
        let revision = self.session.as_ref().map(|session| session.revision());
        if !revision.is_some_and(protocol::Revision::has_batches) {
            return Err(Error::InvalidRequest("batches are not part of this protocol revision".to_owned()));
        }
        if members > self.limits.batch {
            return Err(Error::InvalidRequest(format!("a batch holds at most {} messages", self.limits.batch)));
        }
        Ok(())
    }

    /// Answers the requests of a batch together, as JSON-RPC has it.
    fn batch(&mut self, members: Vec<Bytes>) {
        let mut done = Vec::new();
        let mut pending = JoinSet::new();
        for bytes in members {
            let text = std::str::from_utf8(&bytes).unwrap_or_default();
            match protocol::read_one(text) {
                Ok(Message::Request(request)) if request.method == "initialize" => {
                    let error = Error::InvalidRequest("`initialize` must not be part of a batch".to_owned());
                    done.push(Reply::failure(Some(&request.id), &error));
                }
                Ok(Message::Request(request)) => match self.begin(&request) {
                    Begun::Answered(reply) => done.push(reply),
                    Begun::Open(ticket, scope) => {
                        let answer = answer(Arc::clone(&self.server), bytes.clone(), scope);
                        pending.spawn(async move {
                            let _ticket = ticket;
                            answer.await
                        });
                    }
                },
                Ok(message) => drop(self.take(message, &bytes)),
                Err(Rejected { id, error }) => done.push(Reply::failure(id.as_ref(), &error)),
            }
        }
        let outgoing = self.outgoing.clone();
        self.open.spawn(async move {
            while let Some(reply) = pending.join_next().await {
                done.extend(reply.ok().flatten());
            }
            if !done.is_empty() {
                let _ = outgoing.send(protocol::reply::batch(&done)).await;
            }
        });
    }

    /// Lets what is open come to its end.
    async fn drain(&mut self) {
        self.closing.cancel();
        let all = async { while self.open.join_next().await.is_some() {} };
        tokio::select! {
            biased;
            () = all => {}
            // Nobody is left to read an answer.
            () = self.outgoing.closed() => {}
            () = tokio::time::sleep(self.limits.drain) => {
                tracing::warn!(open = self.in_flight.len(), "requests did not end in time and were dropped");
            }
        }
    }
}

enum Begun {
    Answered(Reply),
    Open(Ticket, Scope),
}

/// Answers the request that `bytes` hold. The future owns all it needs, so it can outlive the connection.
pub(super) async fn answer(server: Arc<Server>, bytes: Bytes, scope: Scope) -> Option<Reply> {
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    match protocol::read_one(text) {
        Ok(Message::Request(request)) => server.answer(&request, &scope).await,
        Ok(_) => None,
        Err(Rejected { id, error }) => Some(Reply::failure(id.as_ref(), &error)),
    }
}
