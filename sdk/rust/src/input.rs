//! Building an [`InputRequired`]: what a tool, a resource or a prompt still needs from the client.

use crate::types::{FormRequest, InputKind, InputRequest, InputRequired, UrlRequest};
use schemars::JsonSchema;

impl InputRequired {
    /// No questions yet. A result without questions has to have a state.
    #[must_use]
    pub fn new() -> Self {
        Self { requests: Vec::new(), state: None }
    }

    /// Asks under `key`.
    #[must_use]
    pub fn ask(mut self, key: impl Into<String>, kind: InputKind) -> Self {
        self.requests.push(InputRequest { key: key.into(), kind });
        self
    }

    /// Asks the person to fill in the fields of `T`: a struct of text, numbers, booleans and simple enums.
    #[must_use]
    pub fn form<T: JsonSchema>(self, key: impl Into<String>, message: impl Into<String>) -> Self {
        let schema = crate::schema::form::<T>();
        self.ask(key, InputKind::Form(FormRequest { message: message.into(), schema, meta: None }))
    }

    /// Asks the person to visit an `https:` page.
    #[must_use]
    pub fn url(self, key: impl Into<String>, message: impl Into<String>, url: impl Into<String>) -> Self {
        self.ask(key, InputKind::Url(UrlRequest { message: message.into(), url: url.into(), meta: None }))
    }

    /// Asks the client's model. `params` is the text of a JSON object, as `sampling/createMessage` takes it.
    #[must_use]
    pub fn sample(self, key: impl Into<String>, params: impl Into<String>) -> Self {
        self.ask(key, InputKind::Sample(params.into()))
    }

    /// Asks for the client's roots.
    #[must_use]
    pub fn roots(self, key: impl Into<String>) -> Self {
        self.ask(key, InputKind::Roots)
    }

    /// What the method wants to find in [`Call::state`](crate::Call::state) when the answers come. Nobody else can read or
    /// change it.
    #[must_use]
    pub fn state(mut self, state: impl Into<Vec<u8>>) -> Self {
        self.state = Some(state.into());
        self
    }
}

impl Default for InputRequired {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is used")]
    struct Login {
        /// The account.
        name: String,
    }

    #[test]
    fn questions_keep_their_keys_and_order() {
        let questions = InputRequired::new()
            .form::<Login>("login", "Who are you?")
            .url("page", "Please sign", "https://example.com")
            .sample("model", "{}")
            .roots("roots")
            .state(*b"s");
        let keys: Vec<_> = questions.requests.iter().map(|request| &*request.key).collect();
        assert_eq!(keys, ["login", "page", "model", "roots"]);
        assert_eq!(questions.state.as_deref(), Some(&b"s"[..]));
        let InputKind::Form(form) = &questions.requests[0].kind else { panic!("{questions:?}") };
        assert_eq!(
            form.schema,
            r#"{"type":"object","properties":{"name":{"type":"string","description":"The account."}},"required":["name"]}"#
        );
    }
}
