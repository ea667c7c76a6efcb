//! The call being served.

use crate::bindings::prompts::exports::toolcell::plugin::prompts::PromptGet;
use crate::bindings::resources::exports::toolcell::plugin::resources::ResourceRead;
use crate::bindings::tools::exports::toolcell::plugin::tools::ToolCall;
use crate::text;
use crate::types::{CallError, Continuation, InputAnswer};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// The struct of the arguments of a tool or a prompt: anything with `#[derive(Deserialize, JsonSchema)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the arguments of a tool or a prompt",
    label = "needs `#[derive(Deserialize, JsonSchema)]`",
    note = "the arguments come as a JSON object, and their schema tells the client what to send"
)]
pub trait Arguments: DeserializeOwned + JsonSchema {}

impl<T: DeserializeOwned + JsonSchema> Arguments for T {}

/// One call of a tool, one read of a resource or one use of a prompt. A method that wants it takes `call: &Call` beside its
/// arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    name: String,
    arguments: String,
    /// The arguments of a prompt or the variables of a URI, which are texts; none in the call of a tool.
    texts: Option<Vec<(String, String)>>,
    continuation: Option<Continuation>,
}

impl Call {
    /// A call of a tool as the host would make it; `arguments` is the text of a JSON object.
    #[must_use]
    pub fn new(name: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self { name: name.into(), arguments: arguments.into(), texts: None, continuation: None }
    }

    /// A use of a prompt as the host would make it.
    #[must_use]
    pub fn prompt(name: impl Into<String>, arguments: impl IntoIterator<Item = (String, String)>) -> Self {
        Self::new(name, "{}").with_texts(arguments.into_iter().collect())
    }

    /// A read of a resource as the host would make it.
    #[must_use]
    pub fn read(uri: impl Into<String>) -> Self {
        Self::prompt(uri, [])
    }

    /// The same call, as the host repeats it with the client's answers.
    #[must_use]
    pub fn continued(self, continuation: Continuation) -> Self {
        Self { continuation: Some(continuation), ..self }
    }

    /// The same call with texts for arguments.
    pub(crate) fn with_texts(self, texts: Vec<(String, String)>) -> Self {
        let object = texts.iter().map(|(name, text)| (name.clone(), text.clone().into()));
        let arguments = serde_json::Value::Object(object.collect()).to_string();
        Self { arguments, texts: Some(texts), ..self }
    }

    /// The name of the tool or the prompt, as this plugin knows it; of a read, the URI.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URI that is read.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.name
    }

    /// The arguments as they came, or the variables of the URI: the text of a JSON object.
    #[must_use]
    pub fn raw_arguments(&self) -> &str {
        &self.arguments
    }

    /// The arguments, read. Those of a prompt and the variables of a URI are texts, and become numbers, booleans and simple
    /// enums where `T` wants them.
    ///
    /// # Errors
    /// [`CallError::InvalidArguments`] if they do not fit `T`. The host has checked those of a tool against the schema, so
    /// there it happens where `T` is stricter than its schema can say.
    pub fn arguments<T: Arguments>(&self) -> Result<T, CallError> {
        match &self.texts {
            Some(texts) => text::fields(texts).map_err(|error| self.invalid(&error.to_string())),
            None => serde_json::from_str(&self.arguments).map_err(|error| self.invalid(&without_position(&error))),
        }
    }

    /// One argument of a prompt, or one variable of a URI.
    ///
    /// # Errors
    /// It is missing, or no `T`.
    pub(crate) fn text<T: DeserializeOwned>(&self, name: &str) -> Result<T, CallError> {
        let texts = self.texts.as_deref().unwrap_or_default();
        text::field(texts, name).map_err(|error| self.invalid(&error.to_string()))
    }

    fn invalid(&self, what: &str) -> CallError {
        CallError::InvalidArguments(format!("arguments of `{}`: {what}", self.name))
    }

    /// What comes back after input was asked for; none on the first call.
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

    /// What was to be remembered when input was asked for.
    #[must_use]
    pub fn state(&self) -> Option<&[u8]> {
        self.continuation.as_ref()?.state.as_deref()
    }
}

impl From<ToolCall> for Call {
    fn from(ToolCall { name, arguments, continuation }: ToolCall) -> Self {
        Self { name, arguments, texts: None, continuation }
    }
}

impl From<ResourceRead> for Call {
    fn from(ResourceRead { uri, continuation }: ResourceRead) -> Self {
        Self { continuation, ..Self::read(uri) }
    }
}

impl From<PromptGet> for Call {
    fn from(PromptGet { name, arguments, continuation }: PromptGet) -> Self {
        Self { continuation, ..Self::prompt(name, arguments) }
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
    fn texts_are_read_as_what_the_struct_wants() {
        let call = Call::prompt("p", [("count".to_owned(), "3".to_owned())]);
        assert_eq!((call.arguments(), call.text::<u16>("count")), (Ok(Args { count: 3 }), Ok(3)));
        assert_eq!(call.raw_arguments(), r#"{"count":"3"}"#);
        let error = Call::prompt("p", []).text::<String>("name").unwrap_err();
        assert_eq!(error, CallError::InvalidArguments("arguments of `p`: `name` is missing".into()));
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
