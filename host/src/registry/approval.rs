//! Calls that wait until the person at the client has approved them: asked by elicitation, in whatever way the client's
//! revision has, and not entered into the guest before.
//!
//! What the client brings back is sealed by the layer above, so that nobody but this file writes the marks it looks for;
//! and what a plugin leaves with its client during an approved call is marked as such, so that answers without a mark
//! never pass for an approval.

use super::oversight::{CallRecord, Oversight};
use super::types::{
    ClientAbilities, Content, Continuation, FormAnswer, FormRequest, InputAnswer, InputKind, InputRequest,
    InputRequired, TextContent, ToolOutcome, ToolResult,
};
use super::{CallCtx, CallFailure};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Marks the state of a call that waits for approval; a nonce follows.
const ASKED: &[u8] = b"toolcell asks\0";
/// Marks the state of an approved call; the component that was approved, a zero, whether the plugin has a state of its own, and
/// that state follow.
const APPROVED: &[u8] = b"toolcell approved\0";
/// The name of the question.
const KEY: &str = "toolcell-approval";
const NONCE: usize = 16;
/// Questions that may be open at once, and for how long: as long as sealed state may be away.
const MAX_OPEN: u64 = 100_000;
const OPEN_FOR: Duration = Duration::from_secs(3_600);
/// The same of one caller. Beyond that its oldest is asked again: a flood of questions pushes out its own.
const MAX_OPEN_OF_ONE: usize = 1_000;
/// Callers whose questions are counted.
const MAX_CALLERS: u64 = 10_000;
/// The longest text of arguments a person is shown, in characters.
const MAX_SHOWN: usize = 4_000;

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// A person is asked.
    Asked,
    /// The person agreed.
    Approved,
    /// The person did not.
    Declined,
    /// The client has no way to ask.
    CannotAsk,
}

/// Nonces of questions.
type Questions = VecDeque<Vec<u8>>;

/// The questions that are open, each good for one answer.
pub(super) struct Asked {
    /// With the component each is about: what a person agreed to does not hold for whatever has taken its place since.
    open: Cache<Vec<u8>, Arc<str>>,
    /// What each caller was asked last, the oldest first.
    last: Cache<Option<String>, Arc<Mutex<Questions>>>,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            // The newest question counts, however often others were asked.
            open: Cache::builder()
                .max_capacity(MAX_OPEN)
                .time_to_live(OPEN_FOR)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
            last: Cache::builder()
                .max_capacity(MAX_CALLERS)
                .time_to_idle(OPEN_FOR)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
        }
    }
}

impl Asked {
    fn ask(&self, call: &CallRecord, nonce: Vec<u8>) {
        let last = self.last.get_with(call.caller.as_ref().map(|caller| caller.id.clone()), Arc::default);
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        last.push_back(nonce.clone());
        if last.len() > MAX_OPEN_OF_ONE
            && let Some(oldest) = last.pop_front()
        {
            self.open.invalidate(&oldest);
        }
        self.open.insert(nonce, Arc::clone(&call.digest));
    }

    /// Whether it is open and about this call's component; it is not open afterwards.
    fn take(&self, call: &CallRecord, nonce: &[u8]) -> bool {
        if let Some(last) = self.last.get(&call.caller.as_ref().map(|caller| caller.id.clone())) {
            last.lock().unwrap_or_else(PoisonError::into_inner).retain(|asked| asked != nonce);
        }
        self.open.remove(nonce).is_some_and(|about| about == call.digest)
    }
}

/// How a call goes on.
pub(super) enum Next {
    /// Into the guest, with this continuation; what it asks of its client then must be [`marked`].
    Enter(Box<CallCtx>),
    /// Back to the client.
    Answer(Result<ToolOutcome, CallFailure>),
}

impl Oversight {
    /// Looks whether a call that must be approved has been.
    pub(super) fn approval(&self, call: &CallRecord, effect: &str, mut ctx: CallCtx) -> Next {
        let state = ctx.continuation.as_ref().and_then(|given| given.state.as_deref());
        let approved = state.and_then(|state| state.strip_prefix(APPROVED)?.strip_prefix(call.digest.as_bytes()));
        if let Some(own) = approved.and_then(|own| own.strip_prefix(b"\0")) {
            let own = own.split_first().and_then(|(has, state)| (*has == 1).then(|| state.to_vec()));
            if let Some(given) = &mut ctx.continuation {
                given.state = own;
            }
            return Next::Enter(Box::new(ctx));
        }
        if let Some(nonce) = state.and_then(|state| state.strip_prefix(ASKED)) {
            // One that was answered before, that another process asked or that was about another component counts for
            // nothing: ask again.
            if self.asked.take(call, nonce) {
                let agreed = ctx.continuation.as_ref().is_some_and(agrees);
                self.tell_approval(call, if agreed { Approval::Approved } else { Approval::Declined });
                if !agreed {
                    return Next::Answer(Ok(declined(call)));
                }
                ctx.continuation = None;
                return Next::Enter(Box::new(ctx));
            }
        }
        if !ctx.abilities.contains(ClientAbilities::FORM) {
            self.tell_approval(call, Approval::CannotAsk);
            return Next::Answer(Err(CallFailure::Failed(format!(
                "{} runs only after a person has approved the call, and this client cannot ask one; use a client that \
                 supports elicitation",
                call.name
            ))));
        }
        let mut state = ASKED.to_vec();
        let mut nonce = [0; NONCE];
        if SystemRandom::new().fill(&mut nonce).is_err() {
            return Next::Answer(Err(CallFailure::Internal("the system has no randomness".to_owned())));
        }
        self.asked.ask(call, nonce.to_vec());
        state.extend_from_slice(&nonce);
        self.tell_approval(call, Approval::Asked);
        Next::Answer(Ok(ToolOutcome::InputRequired(question(call, effect, state))))
    }
}

/// What a plugin asks during an approved call, marked as asked in one. `digest` is its component's.
pub(super) fn marked(outcome: ToolOutcome, digest: &str) -> ToolOutcome {
    match outcome {
        ToolOutcome::InputRequired(needed) => {
            let mut state = APPROVED.to_vec();
            state.extend_from_slice(digest.as_bytes());
            state.push(0);
            state.push(u8::from(needed.state.is_some()));
            state.extend(needed.state.unwrap_or_default());
            ToolOutcome::InputRequired(InputRequired { requests: needed.requests, state: Some(state) })
        }
        done => done,
    }
}

fn agrees(given: &Continuation) -> bool {
    given.responses.iter().filter(|response| response.key == KEY).any(|response| match &response.answer {
        InputAnswer::Form(FormAnswer::Accept(Some(values))) => {
            let values: Option<Value> = serde_json::from_str(values).ok();
            values.and_then(|values| values.get("approve").cloned()) == Some(Value::Bool(true))
        }
        _ => false,
    })
}

fn question(call: &CallRecord, effect: &str, state: Vec<u8>) -> InputRequired {
    let by = call.via.as_ref().map(|via| format!(" for the plugin {via}")).unwrap_or_default();
    let message = format!(
        "Run the tool {} of the plugin {}{by}?\n{effect}\nArguments: {}",
        call.name,
        call.plugin,
        shown(&call.arguments)
    );
    let schema = serde_json::json!({
        "type": "object",
        "properties": { "approve": { "type": "boolean", "title": "Approve this call", "default": false } },
        "required": ["approve"],
    });
    let form = FormRequest { message, schema: schema.to_string(), meta: None };
    let requests = vec![InputRequest { key: KEY.to_owned(), kind: InputKind::Form(form) }];
    InputRequired { requests, state: Some(state) }
}

/// Arguments as a person can read them: nothing in them can hide what follows, and what is cut off is said.
fn shown(arguments: &str) -> String {
    let hides = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let pretty = serde_json::from_str::<Value>(arguments).and_then(|value| serde_json::to_string_pretty(&value));
    let text = pretty.unwrap_or_else(|_| arguments.to_owned());
    let mut shown: String =
        text.chars().take(MAX_SHOWN).map(|c| if hides(c) { char::REPLACEMENT_CHARACTER } else { c }).collect();
    let rest = text.chars().count().saturating_sub(MAX_SHOWN);
    if rest > 0 {
        shown.push_str(&format!("\n… and {rest} more characters that are not shown"));
    }
    shown
}

fn declined(call: &CallRecord) -> ToolOutcome {
    let text =
        format!("the person did not approve this call of {}; do not repeat it, ask what to do instead", call.name);
    let text = Content::Text(TextContent { text, annotations: None, meta: None });
    ToolOutcome::Complete(ToolResult { content: vec![text], structured: None, is_error: true, meta: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Principal;
    use crate::policy::{AllowAll, CallKind};
    use crate::registry::Route;
    use crate::registry::types::InputResponse;
    use std::time::{Instant, SystemTime};

    fn call() -> CallRecord {
        CallRecord {
            kind: CallKind::Tool,
            plugin: "p".into(),
            digest: "aa".into(),
            generation: 1,
            name: "delete".into(),
            caller: None,
            via: None,
            arguments: r#"{"path":"/a\u202e/b"}"#.into(),
            wants_receipt: false,
            request_id: String::new(),
            trace: None,
            route: Route::default(),
            time: SystemTime::now(),
            started: Instant::now(),
        }
    }

    fn other_build() -> CallRecord {
        CallRecord { digest: "bb".into(), ..call() }
    }

    fn with(state: Option<Vec<u8>>, answer: Option<&str>) -> CallCtx {
        let answer = answer.map(|values| InputAnswer::Form(FormAnswer::Accept(Some(values.to_owned()))));
        let responses = answer.map(|answer| InputResponse { key: KEY.to_owned(), answer }).into_iter().collect();
        let abilities = ClientAbilities::FORM;
        CallCtx { abilities, continuation: Some(Continuation { responses, state }), ..CallCtx::default() }
    }

    fn asked(next: Next) -> Vec<u8> {
        match next {
            Next::Answer(Ok(ToolOutcome::InputRequired(needed))) => needed.state.unwrap(),
            _ => panic!("it asks"),
        }
    }

    #[test]
    fn an_approval_is_good_once_and_nothing_else_passes_for_one() {
        let oversight = Oversight::new(Arc::new(AllowAll), None);
        let next = |ctx| oversight.approval(&call(), "It may destroy something.", ctx);
        let fresh = || CallCtx { abilities: ClientAbilities::FORM, ..CallCtx::default() };
        let state = asked(next(fresh()));
        assert!(matches!(next(with(Some(state.clone()), Some(r#"{"approve":true}"#))), Next::Enter(_)));
        let again = asked(next(with(Some(state), Some(r#"{"approve":true}"#))));
        for answer in [None, Some("{}"), Some(r#"{"approve":false}"#), Some(r#"{"approve":"true"}"#), Some("nonsense")]
        {
            let state = asked(next(fresh()));
            match next(with(Some(state), answer)) {
                Next::Answer(Ok(ToolOutcome::Complete(result))) => assert!(result.is_error, "{answer:?}"),
                _ => panic!("{answer:?} approves nothing"),
            }
        }
        // Answers without a state, and states that a plugin might think of.
        let mut forged = ASKED.to_vec();
        forged.extend_from_slice(&[0; NONCE]);
        for state in [None, Some(Vec::new()), Some(b"own".to_vec()), Some(forged)] {
            asked(next(with(state, Some(r#"{"approve":true}"#))));
        }
        drop(again);
        match next(CallCtx::default()) {
            Next::Answer(Err(CallFailure::Failed(text))) => assert!(text.ends_with("supports elicitation"), "{text}"),
            _ => panic!("a client that cannot ask is told so"),
        }
    }

    #[test]
    fn a_flood_of_questions_pushes_out_its_own() {
        let oversight = Oversight::new(Arc::new(AllowAll), None);
        let of = |who: &str| CallRecord { caller: Some(Arc::new(Principal::new(who))), ..call() };
        let ask = |who: &str| {
            let ctx = CallCtx { abilities: ClientAbilities::FORM, ..CallCtx::default() };
            asked(oversight.approval(&of(who), "", ctx))
        };
        let approved = |who: &str, state: Vec<u8>| {
            let ctx = with(Some(state), Some(r#"{"approve":true}"#));
            matches!(oversight.approval(&of(who), "", ctx), Next::Enter(_))
        };
        let (of_alice, first, second) = (ask("alice"), ask("mallory"), ask("mallory"));
        for _ in 1..MAX_OPEN_OF_ONE {
            ask("mallory");
        }
        assert!(!approved("mallory", first), "it is asked again");
        // That was one question more.
        assert!(!approved("mallory", second));
        assert!(approved("alice", of_alice));
    }

    #[test]
    fn a_plugin_gets_its_own_state_back() {
        let oversight = Oversight::new(Arc::new(AllowAll), None);
        for own in [None, Some(Vec::new()), Some(b"mine".to_vec())] {
            let needed = InputRequired { requests: Vec::new(), state: own.clone() };
            let ToolOutcome::InputRequired(marked) = marked(ToolOutcome::InputRequired(needed), &call().digest) else {
                panic!("it asks")
            };
            match oversight.approval(&call(), "", with(marked.state.clone(), None)) {
                Next::Enter(ctx) => assert_eq!(ctx.continuation.unwrap().state, own),
                Next::Answer(_) => panic!("it was approved before"),
            }
            asked(oversight.approval(&other_build(), "", with(marked.state, Some(r#"{"approve":true}"#))));
        }
    }

    #[test]
    fn an_approval_is_for_the_component_that_was_there() {
        let oversight = Oversight::new(Arc::new(AllowAll), None);
        let fresh = CallCtx { abilities: ClientAbilities::FORM, ..CallCtx::default() };
        let state = asked(oversight.approval(&call(), "", fresh));
        let again = asked(oversight.approval(&other_build(), "", with(Some(state), Some(r#"{"approve":true}"#))));
        let next = oversight.approval(&other_build(), "", with(Some(again), Some(r#"{"approve":true}"#)));
        assert!(matches!(next, Next::Enter(_)));
    }

    #[test]
    fn a_person_sees_what_would_be_hidden() {
        let text = shown(&call().arguments);
        assert!(text.contains('\u{fffd}') && !text.contains('\u{202e}'), "{text}");
        let long = shown(&format!(r#"{{"a":"{}"}}"#, "x".repeat(MAX_SHOWN)));
        assert!(long.ends_with("more characters that are not shown"), "{long}");
    }
}
