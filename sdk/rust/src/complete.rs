//! Completions: suggestions while a person types an argument of a prompt or a variable of a URI.

use crate::types::{CallError, Completion, CompletionRequest, CompletionTarget};
use crate::uri::UriTemplate;
use crate::{Plugin, ToolError};

/// How many values one answer may have.
const MOST: usize = 100;

/// One question of a client: which values fit what the person has typed. A method that wants it takes
/// `typed: &Completing`.
#[derive(Clone, Debug, PartialEq)]
pub struct Completing {
    request: CompletionRequest,
}

impl Completing {
    /// A question as the host would ask it.
    #[must_use]
    pub fn new(request: CompletionRequest) -> Self {
        Self { request }
    }

    /// What was typed so far.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.request.value
    }

    /// The name of the argument that is typed.
    #[must_use]
    pub fn argument(&self) -> &str {
        &self.request.argument
    }

    /// The value of another argument, if it is settled already.
    #[must_use]
    pub fn settled(&self, name: &str) -> Option<&str> {
        self.request.context.iter().find(|(other, _)| other == name).map(|(_, value)| &**value)
    }

    /// Whether this argument of this prompt is asked for.
    #[doc(hidden)]
    #[must_use]
    pub fn is_of_prompt(&self, name: &str, argument: &str) -> bool {
        self.argument() == argument && matches!(&self.request.target, CompletionTarget::Prompt(other) if other == name)
    }

    /// Whether this variable of this template is asked for. The target is the template, or a URI that it leads to.
    #[doc(hidden)]
    #[must_use]
    pub fn is_of_template(&self, template: &UriTemplate, variable: &str) -> bool {
        match &self.request.target {
            CompletionTarget::ResourceTemplate(uri) if self.argument() == variable => {
                uri == template.text || template.variables(uri).is_some()
            }
            _ => false,
        }
    }
}

impl From<CompletionRequest> for Completing {
    fn from(request: CompletionRequest) -> Self {
        Self::new(request)
    }
}

/// Anything the method of a completion may return: a `Vec` or an array of texts, of which those are suggested that begin
/// with what was typed (capitals or not); a [`Completion`], which is passed on as it is; or a `Result` of one of them whose
/// error converts into [`ToolError`].
#[diagnostic::on_unimplemented(
    message = "a completion cannot be `{Self}`",
    note = "return `Vec<String>`, `[&str; N]`, `Completion`, or `Result<one of them, ToolError>`"
)]
pub trait IntoCompletion {
    /// The suggestions.
    ///
    /// # Errors
    /// The method returned one.
    fn into_completion(self, typed: &Completing) -> Result<Completion, CallError>;
}

impl<T: Into<String>> IntoCompletion for Vec<T> {
    fn into_completion(self, typed: &Completing) -> Result<Completion, CallError> {
        Ok(Completion::beginning_with(typed.value(), self))
    }
}

impl<T: Into<String>, const N: usize> IntoCompletion for [T; N] {
    fn into_completion(self, typed: &Completing) -> Result<Completion, CallError> {
        Ok(Completion::beginning_with(typed.value(), self))
    }
}

impl IntoCompletion for Completion {
    fn into_completion(self, _: &Completing) -> Result<Completion, CallError> {
        Ok(self)
    }
}

impl<T: IntoCompletion, E: Into<ToolError>> IntoCompletion for Result<T, E> {
    fn into_completion(self, typed: &Completing) -> Result<Completion, CallError> {
        self.map_err(|error| CallError::from(error.into()))?.into_completion(typed)
    }
}

impl Completion {
    /// No suggestions.
    #[must_use]
    pub fn none() -> Self {
        Self { values: Vec::new(), total: Some(0), has_more: false }
    }

    /// The values that begin with `typed`, capitals or not, in their order; the first 100 of them, and how many there are.
    #[must_use]
    pub fn beginning_with<T: Into<String>>(typed: &str, values: impl IntoIterator<Item = T>) -> Self {
        let typed = typed.to_lowercase();
        let values = values.into_iter().map(Into::into);
        let mut values: Vec<String> = values.filter(|value| value.to_lowercase().starts_with(&typed)).collect();
        let total = u32::try_from(values.len()).ok();
        let has_more = values.len() > MOST;
        values.truncate(MOST);
        Self { values, total, has_more }
    }
}

/// The answer where no method completes the argument: nothing, if there is such an argument.
#[doc(hidden)]
pub fn uncompleted<P: Plugin>(plugin: &P, typed: &Completing) -> Result<Completion, CallError> {
    let CompletionTarget::Prompt(name) = &typed.request.target else {
        return Ok(Completion::none());
    };
    let prompts = plugin.prompts()?.prompts;
    let prompt =
        prompts.iter().find(|prompt| prompt.name == *name).ok_or_else(|| crate::prompt::unknown_prompt(name))?;
    match prompt.arguments.iter().any(|argument| argument.name == typed.argument()) {
        true => Ok(Completion::none()),
        false => {
            let names: Vec<_> = prompt.arguments.iter().map(|argument| format!("`{}`", argument.name)).collect();
            let has = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let unknown = typed.argument();
            Err(CallError::InvalidArguments(format!("the prompt `{name}` has no argument `{unknown}`; it has {has}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uri::{Operator, Part};

    fn typed(target: CompletionTarget, value: &str) -> Completing {
        let context = vec![("language".to_owned(), "rust".to_owned())];
        Completing::new(CompletionRequest { target, argument: "style".into(), value: value.into(), context })
    }

    #[test]
    fn values_that_fit_are_suggested() {
        let typed = typed(CompletionTarget::Prompt("p".into()), "Ru");
        let completion = ["python", "rust", "Ruby"].into_completion(&typed).unwrap();
        assert_eq!(
            completion,
            Completion { values: vec!["rust".into(), "Ruby".into()], total: Some(2), has_more: false }
        );
        assert_eq!((typed.settled("language"), typed.settled("style")), (Some("rust"), None));
    }

    #[test]
    fn an_answer_has_a_hundred_values_at_most() {
        let completion = Completion::beginning_with("", (0..250).map(|n| n.to_string()));
        assert_eq!((completion.values.len(), completion.total, completion.has_more), (100, Some(250), true));
    }

    #[test]
    fn a_template_is_meant_by_its_text_or_by_a_uri() {
        const NOTE: UriTemplate = UriTemplate {
            text: "note://{style}",
            parts: &[Part::Literal("note://"), Part::Variables(Operator::Simple, &["style"])],
        };
        for (uri, expected) in [("note://{style}", true), ("note://a", true), ("other://a", false)] {
            let typed = typed(CompletionTarget::ResourceTemplate(uri.into()), "");
            assert_eq!(typed.is_of_template(&NOTE, "style"), expected, "{uri}");
            assert!(!typed.is_of_template(&NOTE, "id") && !typed.is_of_prompt(uri, "style"));
        }
    }
}
