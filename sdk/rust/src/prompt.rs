//! Prompts: what `#[prompt]` describes, and what its method may return.

use crate::call::Arguments;
use crate::describe::{self, IconDefinition};
use crate::types::{
    CallError, Content, InputRequired, Prompt, PromptArgument, PromptMessage, PromptOutcome, PromptResult, Role,
};
use crate::{ToolError, schema};

/// Anything the method of a prompt may return: text, which is one message of the person's; [`PromptResult`] for more of
/// them; [`InputRequired`], [`PromptOutcome`]; an `Option` of one of them, where none means that there is no such prompt; or
/// a `Result` whose error converts into [`ToolError`].
#[diagnostic::on_unimplemented(
    message = "a prompt cannot be `{Self}`",
    label = "not something a client understands",
    note = "return `String`, `PromptResult`, `PromptOutcome`, or an `Option` or `Result<_, ToolError>` of one of them"
)]
pub trait IntoPrompt {
    /// How it ended; `name` is the prompt's.
    ///
    /// # Errors
    /// There is no such prompt, or the method returned an error.
    fn into_prompt(self, name: &str) -> Result<PromptOutcome, CallError>;
}

impl IntoPrompt for PromptOutcome {
    fn into_prompt(self, _: &str) -> Result<PromptOutcome, CallError> {
        Ok(self)
    }
}

impl IntoPrompt for PromptResult {
    fn into_prompt(self, _: &str) -> Result<PromptOutcome, CallError> {
        Ok(PromptOutcome::Complete(self))
    }
}

impl IntoPrompt for InputRequired {
    fn into_prompt(self, _: &str) -> Result<PromptOutcome, CallError> {
        Ok(PromptOutcome::InputRequired(self))
    }
}

impl IntoPrompt for String {
    fn into_prompt(self, name: &str) -> Result<PromptOutcome, CallError> {
        PromptResult::user(self).into_prompt(name)
    }
}

impl IntoPrompt for &str {
    fn into_prompt(self, name: &str) -> Result<PromptOutcome, CallError> {
        PromptResult::user(self).into_prompt(name)
    }
}

impl<T: IntoPrompt> IntoPrompt for Option<T> {
    fn into_prompt(self, name: &str) -> Result<PromptOutcome, CallError> {
        self.ok_or_else(|| unknown_prompt(name))?.into_prompt(name)
    }
}

impl<T: IntoPrompt, E: Into<ToolError>> IntoPrompt for Result<T, E> {
    fn into_prompt(self, name: &str) -> Result<PromptOutcome, CallError> {
        self.map_err(|error| CallError::from(error.into()))?.into_prompt(name)
    }
}

impl PromptResult {
    /// No messages yet.
    #[must_use]
    pub fn empty() -> Self {
        Self { description: None, messages: Vec::new(), meta: None }
    }

    /// One message of the person's: a text, or a [`Content`] of any other kind.
    #[must_use]
    pub fn user(content: impl Into<Content>) -> Self {
        Self::empty().and_user(content)
    }

    /// One message of the model's.
    #[must_use]
    pub fn assistant(content: impl Into<Content>) -> Self {
        Self::empty().and_assistant(content)
    }

    /// Adds a message of the person's.
    #[must_use]
    pub fn and_user(self, content: impl Into<Content>) -> Self {
        self.and(Role::User, content.into())
    }

    /// Adds a message of the model's.
    #[must_use]
    pub fn and_assistant(self, content: impl Into<Content>) -> Self {
        self.and(Role::Assistant, content.into())
    }

    fn and(mut self, role: Role, content: Content) -> Self {
        self.messages.push(PromptMessage { role, content });
        self
    }

    /// Says what the filled-in prompt is for.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets `_meta`, the text of a JSON object.
    #[must_use]
    pub fn meta(mut self, json: impl Into<String>) -> Self {
        self.meta = Some(json.into());
        self
    }
}

impl From<PromptResult> for PromptOutcome {
    fn from(result: PromptResult) -> Self {
        Self::Complete(result)
    }
}

impl From<InputRequired> for PromptOutcome {
    fn from(questions: InputRequired) -> Self {
        Self::InputRequired(questions)
    }
}

/// A prompt as the attributes describe it.
#[doc(hidden)]
pub struct PromptDefinition {
    pub name: &'static str,
    pub title: Option<&'static str>,
    pub description: Option<&'static str>,
    pub arguments: PromptArguments,
    pub icons: &'static [IconDefinition],
    pub meta: Option<&'static str>,
}

/// Where the arguments of a prompt are described.
#[doc(hidden)]
pub enum PromptArguments {
    /// At the parameters: name, doc comment, whether it must be given.
    Parameters(&'static [(&'static str, Option<&'static str>, bool)]),
    /// In the schema of a struct.
    Struct(fn() -> schema::Schema),
}

impl PromptDefinition {
    /// The prompt as the contract describes it.
    ///
    /// # Errors
    /// The arguments are no struct with named fields.
    pub fn describe(&self) -> Result<Prompt, CallError> {
        let Self { name, title, description, arguments, icons, meta } = self;
        let arguments = match arguments {
            PromptArguments::Parameters(parameters) => parameters.iter().map(parameter).collect(),
            PromptArguments::Struct(schema) => fields(&schema()).ok_or_else(|| {
                CallError::Other(format!("the arguments of the prompt `{name}` are not a struct with named fields"))
            })?,
        };
        Ok(Prompt {
            name: (*name).to_owned(),
            title: title.map(str::to_owned),
            description: description.map(str::to_owned),
            arguments,
            icons: describe::icons(icons),
            meta: meta.map(str::to_owned),
        })
    }
}

fn parameter(&(name, description, required): &(&str, Option<&str>, bool)) -> PromptArgument {
    PromptArgument { name: name.to_owned(), title: None, description: description.map(str::to_owned), required }
}

fn fields(schema: &schema::Schema) -> Option<Vec<PromptArgument>> {
    let required = schema.get("required").and_then(|names| names.as_array());
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|other| other == name));
    let properties = schema.get("properties")?.as_object()?;
    let arguments = properties.iter().map(|(name, property)| {
        let said = |key| property.get(key).and_then(|text| text.as_str()).map(str::to_owned);
        PromptArgument {
            name: name.clone(),
            title: said("title"),
            description: said("description"),
            required: is_required(name),
        }
    });
    Some(arguments.collect())
}

/// The schema of an argument struct.
#[doc(hidden)]
#[must_use]
pub fn arguments_of<T: Arguments>() -> schema::Schema {
    schema::input_schema::<T>()
}

/// The answer to a name that is none of the plugin's prompts.
#[doc(hidden)]
#[must_use]
pub fn unknown_prompt(name: &str) -> CallError {
    CallError::NotFound(format!("this plugin has no prompt `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(value: impl IntoPrompt) -> Vec<PromptMessage> {
        match value.into_prompt("p") {
            Ok(PromptOutcome::Complete(result)) => result.messages,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_text_is_one_message_of_the_persons() {
        let expected = [PromptMessage { role: Role::User, content: Content::text("Hi.") }];
        assert_eq!(messages("Hi."), expected);
        assert_eq!(messages(Ok::<_, ToolError>("Hi.".to_owned())), expected);
    }

    #[test]
    fn messages_stay_in_order_with_their_roles() {
        let prompt = PromptResult::user(Content::image([1], "image/png")).and_assistant("A dot.").and_user("Sure?");
        let roles: Vec<_> = messages(prompt).iter().map(|message| message.role).collect();
        assert_eq!(roles, [Role::User, Role::Assistant, Role::User]);
    }

    #[test]
    fn nothing_is_not_found() {
        let error = None::<String>.into_prompt("p").unwrap_err();
        assert_eq!(error, CallError::NotFound("this plugin has no prompt `p`".into()));
        assert!(matches!(InputRequired::new().into_prompt("p"), Ok(PromptOutcome::InputRequired(_))));
    }
}
