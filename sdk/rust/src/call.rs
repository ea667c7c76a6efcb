//! The call being served.

use crate::bindings::tools::exports::toolcell::plugin::tools::ToolCall;
use crate::types::{CallError, Continuation, InputAnswer};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// The struct of a tool's arguments: anything with `#[derive(Deserialize, JsonSchema)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the arguments of a tool",
    label = "needs `#[derive(Deserialize, JsonSchema)]`",
    note = "the arguments come as a JSON object, and their schema tells the model what to send"
)]
pub trait Arguments: DeserializeOwned + JsonSchema {}

impl<T: DeserializeOwned + JsonSchema> Arguments for T {}

/// One call of a tool. A method that wants it takes `call: &Call` beside its arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    name: String,
    arguments: String,
    continuation: Option<Continuation>,
}

impl Call {
    /// A call as the host would make it; `arguments` is the text of a JSON object.
    #[must_use]
    pub fn new(name: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self { name: name.into(), arguments: arguments.into(), continuation: None }
    }

    /// The same call, as the host repeats it with the client's answers.
    #[must_use]
    pub fn continued(self, continuation: Continuation) -> Self {
        Self { continuation: Some(continuation), ..self }
    }

    /// The tool's name, as this plugin knows it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The arguments as they came: the text of a JSON object.
    #[must_use]
    pub fn raw_arguments(&self) -> &str {
        &self.arguments
    }

    /// The arguments, read.
    ///
    /// # Errors
    /// [`CallError::InvalidArguments`] if they do not fit `T`. The host has checked them against the schema, so this
    /// happens where `T` is stricter than its schema can say.
    pub fn arguments<T: Arguments>(&self) -> Result<T, CallError> {
        serde_json::from_str(&self.arguments).map_err(|error| {
            CallError::InvalidArguments(format!("arguments of `{}`: {}", self.name, without_position(&error)))
        })
    }

    /// What the tool gets back after it asked for input; none on the first call.
    #[must_use]
    pub fn continuation(&self) -> Option<&Continuation> {
        self.continuation.as_ref()
    }

    /// The client's answer to the request of this key, if it is there.
    #[must_use]
    pub fn answer(&self, key: &str) -> Option<&InputAnswer> {
        let responses = &self.continuation.as_ref()?.responses;
        responses.iter().find(|response| response.key == key).map(|response| &response.answer)
    }

    /// What the tool wanted to remember when it asked for input.
    #[must_use]
    pub fn state(&self) -> Option<&[u8]> {
        self.continuation.as_ref()?.state.as_deref()
    }
}

impl From<ToolCall> for Call {
    fn from(ToolCall { name, arguments, continuation }: ToolCall) -> Self {
        Self { name, arguments, continuation }
    }
}

/// The error without line and column: a model sees values, not the text they travelled in.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((message, _)) => message.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::InputResponse;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    struct Args {
        count: u8,
    }

    #[test]
    fn arguments_are_read_and_a_misfit_names_the_field() {
        assert_eq!(Call::new("f", r#"{"count":3}"#).arguments(), Ok(Args { count: 3 }));
        let error = Call::new("f", "{}").arguments::<Args>().unwrap_err();
        assert_eq!(error, CallError::InvalidArguments("arguments of `f`: missing field `count`".into()));
    }

    #[test]
    fn a_continued_call_has_answers_and_state() {
        let first = Call::new("f", "{}");
        assert!(first.continuation().is_none() && first.answer("a").is_none() && first.state().is_none());
        let response = InputResponse { key: "a".into(), answer: InputAnswer::Failed("no".into()) };
        let call = first.continued(Continuation { responses: vec![response], state: Some(vec![1, 2]) });
        assert_eq!(call.answer("a"), Some(&InputAnswer::Failed("no".into())));
        assert_eq!(call.answer("b"), None);
        assert_eq!(call.state(), Some(&[1, 2][..]));
    }
}
