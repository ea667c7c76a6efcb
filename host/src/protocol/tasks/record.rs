//! What this layer keeps with a task as text: where the call came from, and what it waits for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use toolcell_state::TaskRecord;

use crate::protocol::input;
use crate::registry::types::{Client, ClientAbilities, Continuation, InputRequired, InputResponse, TraceContext};
use crate::registry::{CallCtx, Principal};

/// Where a call came from: what every later entry into its guest is told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::protocol) struct Origin {
    /// Principal, claims, groups and scopes.
    caller: Option<(String, String, BTreeSet<String>, BTreeSet<String>)>,
    /// Name and version.
    client: Option<(String, String)>,
    abilities: Vec<String>,
    /// `traceparent`, `tracestate`, `baggage`.
    trace: Option<(String, Option<String>, Option<String>)>,
    meta: Option<String>,
}

const ABILITIES: [(ClientAbilities, &str); 6] = [
    (ClientAbilities::FORM, "form"),
    (ClientAbilities::URL, "url"),
    (ClientAbilities::SAMPLE, "sample"),
    (ClientAbilities::SAMPLE_TOOLS, "sample-tools"),
    (ClientAbilities::ROOTS, "roots"),
    (ClientAbilities::APPS, "apps"),
];

impl Origin {
    pub(in crate::protocol) fn of(ctx: &CallCtx) -> Self {
        let abilities = ABILITIES.iter().filter(|(ability, _)| ctx.abilities.contains(*ability));
        Self {
            caller: ctx
                .caller
                .as_ref()
                .map(|it| (it.id.clone(), it.claims.clone(), it.groups.clone(), it.scopes.clone())),
            client: ctx.client.as_ref().map(|it| (it.name.clone(), it.version.clone())),
            abilities: abilities.map(|(_, name)| (*name).to_owned()).collect(),
            trace: ctx.trace.clone().map(|it| (it.traceparent, it.tracestate, it.baggage)),
            meta: Some(ctx.meta.clone()),
        }
    }

    pub(super) fn ctx(self) -> CallCtx {
        CallCtx {
            abilities: self.abilities(),
            caller: self.caller.map(|(id, claims, groups, scopes)| {
                // What the caller showed is not written down, so it is gone.
                Arc::new(Principal { claims, groups, scopes, ..Principal::new(id) })
            }),
            client: self.client.map(|(name, version)| Client { name, version }),
            trace: self.trace.map(|(traceparent, tracestate, baggage)| TraceContext {
                traceparent,
                tracestate,
                baggage,
            }),
            meta: self.meta.unwrap_or_else(|| "{}".to_owned()),
            ..CallCtx::default()
        }
    }

    pub(super) fn principal(&self) -> Option<&str> {
        self.caller.as_ref().map(|(principal, ..)| principal.as_str())
    }

    fn abilities(&self) -> ClientAbilities {
        let has = |name: &&str| self.abilities.iter().any(|ability| ability == name);
        let declared = ABILITIES.iter().filter(|(_, name)| has(name));
        declared.fold(ClientAbilities::empty(), |all, (ability, _)| all | *ability)
    }

    /// What a guest needs and the client did not declare; none if that is nothing.
    pub(super) fn missing(&self, needed: &InputRequired) -> Option<ClientAbilities> {
        let missing = input::needed_abilities(needed) & !self.abilities();
        (missing != ClientAbilities::empty()).then_some(missing)
    }

    pub(super) fn write(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// What a task waits for, or has been given and not yet passed on.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::protocol) struct Pending {
    /// Questions without an answer, by the key the client sees.
    asked: BTreeMap<String, Question>,
    /// Answers by the guest's own keys.
    answers: BTreeMap<String, Box<RawValue>>,
    /// The guest's part, in base64.
    state: Option<String>,
    /// Keys the client has seen so far: none may mean two things in one task.
    used: BTreeSet<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Question {
    /// The key the guest gave it.
    key: String,
    /// As it goes to the client.
    request: Box<RawValue>,
}

impl Pending {
    /// What a call brought along before it became a task.
    pub(super) fn given(answers: BTreeMap<String, Box<RawValue>>, state: Option<&[u8]>) -> Self {
        let used = answers.keys().cloned().collect();
        let state = state.map(|state| STANDARD_NO_PAD.encode(state));
        Self { asked: BTreeMap::new(), answers, state, used }
    }

    pub(super) fn read(record: &TaskRecord) -> Option<Self> {
        serde_json::from_str(record.input.as_deref()?).ok()
    }

    pub(super) fn write(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// What a guest asks next; none if that is more than `most` in all, or not JSON.
    pub(super) fn next(&self, needed: &InputRequired, most: usize) -> Option<Self> {
        let mut used = self.used.clone();
        let mut asked = BTreeMap::new();
        for request in &needed.requests {
            let numbered = (2..).map(|round| format!("{}-{round}", request.key));
            let key = std::iter::once(request.key.clone()).chain(numbered).find(|key| !used.contains(key))?;
            used.insert(key.clone());
            let question = Question { key: request.key.clone(), request: input::wire_request(&request.kind)? };
            asked.insert(key, question);
        }
        let state = needed.state.as_deref().map(|state| STANDARD_NO_PAD.encode(state));
        (used.len() <= most).then_some(Self { asked, answers: BTreeMap::new(), state, used })
    }

    pub(super) fn asks(&self, key: &str) -> bool {
        self.asked.contains_key(key)
    }

    /// Takes an answer; false if nobody asked for it.
    pub(super) fn take(&mut self, key: &str, answer: &RawValue) -> bool {
        let question = self.asked.remove(key);
        let taken = question.is_some();
        self.answers.extend(question.map(|question| (question.key, answer.to_owned())));
        taken
    }

    pub(super) fn is_answered(&self) -> bool {
        self.asked.is_empty()
    }

    /// The questions that are open, by key.
    pub(super) fn open(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.asked.iter().map(|(key, question)| (key.as_str(), &*question.request))
    }

    /// What the guest is called again with.
    pub(super) fn continuation(&self) -> Option<Continuation> {
        if self.answers.is_empty() && self.state.is_none() {
            return None;
        }
        let state = self.state.as_deref().and_then(|state| STANDARD_NO_PAD.decode(state).ok());
        let answers = self.answers.iter();
        let responses =
            answers.filter_map(|(key, raw)| Some(InputResponse { key: key.clone(), answer: input::read_answer(raw)? }));
        Some(Continuation { responses: responses.collect(), state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::types::{FormAnswer, InputAnswer, InputKind, InputRequest};

    fn asks(keys: &[&str], state: &[u8]) -> InputRequired {
        let request = |key: &&str| InputRequest { key: (*key).to_owned(), kind: InputKind::Roots };
        InputRequired { requests: keys.iter().map(request).collect(), state: Some(state.to_vec()) }
    }

    fn keys(pending: &Pending) -> Vec<&str> {
        pending.open().map(|(key, _)| key).collect()
    }

    #[test]
    fn a_key_means_one_thing_in_a_task() {
        let first = Pending::default().next(&asks(&["a", "b"], b"1"), 10).unwrap();
        assert_eq!(keys(&first), ["a", "b"]);
        let second = first.next(&asks(&["a"], b"2"), 10).unwrap();
        assert_eq!(keys(&second), ["a-2"]);
        let third = second.next(&asks(&["a", "a-2"], b"3"), 10).unwrap();
        assert_eq!(keys(&third), ["a-2-2", "a-3"]);
        assert!(third.next(&asks(&["x"], b"4"), 5).is_none(), "it asked for enough");
    }

    #[test]
    fn answers_come_back_under_the_keys_of_the_guest() {
        let first = Pending::default().next(&asks(&["a"], b"1"), 10).unwrap();
        let mut pending = first.next(&asks(&["a", "b"], b"state"), 10).unwrap();
        let answer = RawValue::from_string(r#"{"action":"decline"}"#.to_owned()).unwrap();
        pending.take("a", &answer);
        assert_eq!(keys(&pending), ["a-2", "b"], "that key was answered in an earlier round");
        pending.take("a-2", &answer);
        assert!(!pending.is_answered());
        let written = pending.write().unwrap();
        let mut pending: Pending = serde_json::from_str(&written).unwrap();
        pending.take("b", &answer);
        assert!(pending.is_answered());
        let continuation = pending.continuation().unwrap();
        assert_eq!(continuation.state.as_deref(), Some(&b"state"[..]));
        let got: Vec<_> = continuation.responses.iter().map(|it| (it.key.as_str(), it.answer.clone())).collect();
        let declined = InputAnswer::Form(FormAnswer::Decline);
        assert_eq!(got, [("a", declined.clone()), ("b", declined)]);
    }

    #[test]
    fn the_origin_survives_its_text() {
        let ctx = CallCtx {
            caller: Some(Arc::new(Principal { groups: ["g".to_owned()].into(), ..Principal::new("p") })),
            client: Some(Client { name: "c".to_owned(), version: "1".to_owned() }),
            abilities: ClientAbilities::FORM | ClientAbilities::ROOTS,
            meta: r#"{"a":1}"#.to_owned(),
            ..CallCtx::default()
        };
        let origin = Origin::of(&ctx);
        let again = Origin::read(&origin.write().unwrap()).unwrap();
        assert_eq!(again, origin);
        let back = again.ctx();
        assert_eq!(
            (back.caller, back.client, back.abilities, back.meta),
            (ctx.caller, ctx.client, ctx.abilities, ctx.meta)
        );
    }
}
