//! What a plugin still needs from the client: asking for it, and taking the answers back.
//!
//! A plugin says "not yet" in one way. A client whose requests stand alone gets that as the result and calls again; a
//! client of the handshake era is asked on its session while its request stays open. Either way only what the client
//! declared is asked for. Source: 2026-07-28, patterns, "Multi Round-Trip Requests"; 2025-11-25, client.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::Error;
use super::jsonrpc::{Fields, Request, text};
use super::lifecycle::Terms;
use super::reply::{self, Reply};
use super::session::Session;
use super::types::{Meta, OneLine, Raw};
use super::{Revision, Scope, Server};
use crate::registry::types::{
    ClientAbilities, Continuation, FormAnswer, InputAnswer, InputKind, InputRequest, InputRequired, InputResponse, Root,
};

/// How long sealed state may be away. A person has to read and answer in that time; a thief has it too.
const STATE_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// How long a client of the handshake era may take for an answer, for the same reason.
const ANSWER_TIME: Duration = Duration::from_secs(10 * 60);

/// What a continuation belongs to. State that comes back with another call is refused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bond<'a> {
    pub(super) method: &'a str,
    pub(super) principal: Option<&'a str>,
    /// What is called: the name of a tool or a prompt, or a URI.
    pub(super) subject: &'a str,
    /// The text of a JSON object.
    pub(super) arguments: &'a str,
}

/// What is inside the seal.
#[derive(Serialize, Deserialize)]
struct Sealed {
    method: String,
    principal: Option<String>,
    subject: String,
    arguments: String,
    /// Seconds since 1970.
    until: u64,
    /// The plugin's part, in base64.
    state: Option<String>,
}

/// How asking on the stream ended.
pub(super) enum Asked {
    /// Call the plugin again with this.
    Answered(Continuation),
    /// The client wants no answer any more.
    Cancelled,
    /// The client cannot be asked; the text is for the model.
    Impossible(String),
}

/// What a call brings along from an earlier round; none on a first call.
///
/// # Errors
/// [`Error::InvalidParams`] for state that was not sealed here for this very call, or too long ago, and for answers
/// that are none.
pub(super) fn resume(server: &Server, request: &Request<'_>, bond: Bond<'_>) -> Result<Option<Continuation>, Error> {
    let state = request.params.text("requestState")?;
    let responses = request.params.object("inputResponses")?;
    if state.is_none() && responses.is_none() {
        return Ok(None);
    }
    let state = match state {
        None => None,
        Some(text) => unseal(server, &text, bond)?,
    };
    let mut answers = Vec::new();
    for (key, raw) in responses.unwrap_or_default().iter() {
        let answer = read_answer(raw)
            .ok_or_else(|| Error::InvalidParams(format!("`inputResponses.{key}` is not an answer to any request")))?;
        answers.push(InputResponse { key: key.to_owned(), answer });
    }
    Ok(Some(Continuation { responses: answers, state }))
}

/// "Not yet", as a result.
///
/// # Errors
/// [`Error::MissingCapability`] if the tool needs what the client did not declare, [`Error::Internal`].
pub(super) fn ask_in_result(
    server: &Server,
    request: &Request<'_>,
    terms: &Terms,
    bond: Bond<'_>,
    needed: &InputRequired,
) -> Result<Reply, Error> {
    let missing = needed_abilities(needed) & !terms.abilities;
    if missing != ClientAbilities::empty() {
        return Err(Error::MissingCapability(missing));
    }
    let state = seal(server, bond, needed.state.as_deref()).ok_or(Error::Internal)?;
    let meta = Meta { plugin: None, server: server.identity.in_results(terms.revision) };
    let result = InputRequiredResult { requests: &needed.requests, state: &state, meta, revision: terms.revision };
    Reply::success(&request.id, result).map_err(|error| {
        tracing::warn!(subject = bond.subject, %error, "a request for input is not JSON where it must be");
        Error::Internal
    })
}

/// Asks a client of the handshake era for everything at once, and waits.
pub(super) async fn ask_on_stream(session: &Session, scope: &Scope, needed: InputRequired) -> Asked {
    let missing = needed_abilities(&needed) & !session.abilities();
    if missing != ClientAbilities::empty() || (needed.requests.is_empty() && needed.state.is_none()) {
        return Asked::Impossible("it needs input that this client cannot be asked for".to_owned());
    }
    let mut open = Vec::with_capacity(needed.requests.len());
    for request in needed.requests {
        let question = session.asked().open();
        let ask = Ask { kind: &request.kind, id: question.id(), revision: session.revision() };
        let message = reply::request(question.id(), ask.method(), ask.params());
        let Some(message) = message else {
            return Asked::Impossible("it asked for input in text that is not JSON".to_owned());
        };
        tokio::select! {
            biased;
            () = scope.cancel.cancelled() => return Asked::Cancelled,
            () = scope.notes.send(Some(message)) => {}
        }
        open.push((request.key, question));
    }
    let mut responses = Vec::with_capacity(open.len());
    let deadline = tokio::time::Instant::now() + ANSWER_TIME;
    for (key, mut question) in open {
        let outcome = tokio::select! {
            biased;
            () = scope.cancel.cancelled() => return Asked::Cancelled,
            () = scope.closing.cancelled() => Some(Err("the server is about to stop".to_owned())),
            outcome = question.answer() => outcome,
            () = tokio::time::sleep_until(deadline) => Some(Err("no answer in time".to_owned())),
        };
        responses.push(InputResponse { key, answer: read_outcome(outcome) });
    }
    Asked::Answered(Continuation { responses, state: needed.state })
}

fn read_outcome(outcome: Option<Result<String, String>>) -> InputAnswer {
    match outcome {
        Some(Ok(result)) => serde_json::from_str(&result)
            .ok()
            .and_then(read_answer)
            .unwrap_or_else(|| InputAnswer::Failed("the client's answer has no known shape".to_owned())),
        Some(Err(error)) => {
            let fields: Option<Fields<'_>> = serde_json::from_str(&error).ok();
            let message = fields.and_then(|fields| fields.get("message").and_then(text).map(|text| text.into_owned()));
            InputAnswer::Failed(message.unwrap_or(error))
        }
        None => InputAnswer::Failed("no answer came".to_owned()),
    }
}

/// An answer, told by its shape: the results of the three requests share no member.
pub(super) fn read_answer(raw: &RawValue) -> Option<InputAnswer> {
    let fields = Fields::read(raw)?;
    if let Some(action) = fields.get("action") {
        let content = fields.get("content").map(RawValue::get);
        if content.is_some_and(|content| !content.starts_with('{')) {
            return None;
        }
        return Some(InputAnswer::Form(match text(action)?.as_ref() {
            "accept" => FormAnswer::Accept(content.map(str::to_owned)),
            "decline" => FormAnswer::Decline,
            "cancel" => FormAnswer::Cancel,
            _ => return None,
        }));
    }
    if let Some(roots) = fields.get("roots") {
        let roots: Vec<Fields<'_>> = serde_json::from_str(roots.get()).ok()?;
        let root = |fields: &Fields<'_>| {
            let member = |name| fields.text(name).ok().flatten().map(|text| text.into_owned());
            Some(Root { uri: member("uri")?, name: member("name") })
        };
        return roots.iter().map(root).collect::<Option<_>>().map(InputAnswer::Roots);
    }
    fields.get("content").map(|_| InputAnswer::Sample(raw.get().to_owned()))
}

pub(super) fn needed_abilities(needed: &InputRequired) -> ClientAbilities {
    needed.requests.iter().fold(ClientAbilities::empty(), |needed, request| {
        needed
            | match &request.kind {
                InputKind::Form(_) => ClientAbilities::FORM,
                InputKind::Url(_) => ClientAbilities::URL,
                InputKind::Roots => ClientAbilities::ROOTS,
                InputKind::Sample(params) => {
                    let fields: Option<Fields<'_>> = serde_json::from_str(params).ok();
                    match fields.is_some_and(|fields| fields.get("tools").is_some()) {
                        true => ClientAbilities::SAMPLE | ClientAbilities::SAMPLE_TOOLS,
                        false => ClientAbilities::SAMPLE,
                    }
                }
            }
    })
}

fn seal(server: &Server, bond: Bond<'_>, state: Option<&[u8]>) -> Option<String> {
    let sealed = Sealed {
        method: bond.method.to_owned(),
        principal: bond.principal.map(str::to_owned),
        subject: bond.subject.to_owned(),
        arguments: digest(bond.arguments),
        until: now() + STATE_LIFETIME.as_secs(),
        state: state.map(|state| STANDARD_NO_PAD.encode(state)),
    };
    server.seal.close(&serde_json::to_vec(&sealed).ok()?)
}

fn unseal(server: &Server, text: &str, bond: Bond<'_>) -> Result<Option<Vec<u8>>, Error> {
    let refused = |why: &str| Error::InvalidParams(format!("`requestState` {why}; call again without it"));
    let plain = server.seal.open(text).ok_or_else(|| refused("was not given by this server, or was changed"))?;
    let sealed: Sealed = serde_json::from_slice(&plain).map_err(|_| refused("is of another version"))?;
    if sealed.until < now() {
        return Err(refused("has expired"));
    }
    let same = sealed.method == bond.method
        && sealed.principal.as_deref() == bond.principal
        && sealed.subject == bond.subject
        && sealed.arguments == digest(bond.arguments);
    if !same {
        return Err(refused("belongs to another call"));
    }
    match sealed.state {
        None => Ok(None),
        Some(state) => STANDARD_NO_PAD.decode(state).map(Some).map_err(|_| refused("is of another version")),
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// What the arguments are known by; their spelling does not matter.
fn digest(arguments: &str) -> String {
    STANDARD_NO_PAD.encode(crate::registry::digest(arguments))
}

/// One request for input as it goes to a client whose requests stand alone; none if it is not JSON where it must be.
pub(super) fn wire_request(kind: &InputKind) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(&Ask { kind, id: "", revision: Revision::V2026_07_28 }).ok()
}

struct InputRequiredResult<'a> {
    requests: &'a [InputRequest],
    state: &'a str,
    meta: Meta<'a>,
    revision: Revision,
}

impl Serialize for InputRequiredResult<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("resultType", "input_required")?;
        if !self.requests.is_empty() {
            map.serialize_entry("inputRequests", &Requests(self.requests, self.revision))?;
        }
        map.serialize_entry("requestState", self.state)?;
        map.serialize_entry("_meta", &self.meta)?;
        map.end()
    }
}

struct Requests<'a>(&'a [InputRequest], Revision);

impl Serialize for Requests<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.0
                .iter()
                .map(|request| (&request.key, Ask { kind: &request.kind, id: &request.key, revision: self.1 })),
        )
    }
}

/// One request for input.
struct Ask<'a> {
    kind: &'a InputKind,
    id: &'a str,
    revision: Revision,
}

impl<'a> Ask<'a> {
    fn method(&self) -> &'static str {
        match self.kind {
            InputKind::Form(_) | InputKind::Url(_) => "elicitation/create",
            InputKind::Sample(_) => "sampling/createMessage",
            InputKind::Roots => "roots/list",
        }
    }

    fn params(&self) -> Option<AskParams<'_, 'a>> {
        (!matches!(self.kind, InputKind::Roots)).then_some(AskParams(self))
    }
}

impl Serialize for Ask<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("method", self.method())?;
        if let Some(params) = self.params() {
            map.serialize_entry("params", &params)?;
        }
        map.end()
    }
}

struct AskParams<'b, 'a>(&'b Ask<'a>);

impl Serialize for AskParams<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ask = self.0;
        let has_modes = ask.revision >= Revision::V2025_11_25;
        let mut map = serializer.serialize_map(None)?;
        let meta = match ask.kind {
            InputKind::Form(form) => {
                if has_modes {
                    map.serialize_entry("mode", "form")?;
                }
                map.serialize_entry("message", &form.message)?;
                map.serialize_entry("requestedSchema", &Raw(&form.schema))?;
                &form.meta
            }
            InputKind::Url(page) => {
                map.serialize_entry("mode", "url")?;
                map.serialize_entry("message", &page.message)?;
                map.serialize_entry("url", &page.url)?;
                if !ask.revision.is_per_request() {
                    map.serialize_entry("elicitationId", ask.id)?;
                }
                &page.meta
            }
            InputKind::Sample(params) => {
                let fields: Fields<'_> = serde_json::from_str(params).map_err(serde::ser::Error::custom)?;
                for (name, value) in fields.iter() {
                    map.serialize_entry(name, &OneLine(value))?;
                }
                &None
            }
            InputKind::Roots => &None,
        };
        if meta.is_some() {
            map.serialize_entry("_meta", &Meta::plugin(meta))?;
        }
        map.end()
    }
}
