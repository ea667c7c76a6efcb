//! What a tool's method may return.

use crate::ToolError;
use crate::schema::{self, Schema};
use crate::types::{CallError, InputRequired, Outcome, ToolResult};
use schemars::JsonSchema;
use serde::Serialize;

/// Anything a tool's method may return: `()`, text, [`Json`], [`ToolResult`], [`InputRequired`], [`Outcome`], or a `Result`
/// of one of them whose error converts into [`ToolError`].
#[diagnostic::on_unimplemented(
    message = "a tool cannot return `{Self}`",
    label = "not something a client understands",
    note = "return `String`, `Json<T>`, `ToolResult`, `Outcome`, `()`, or `Result<one of them, ToolError>`",
    note = "for `Json<T>`, derive `Serialize` and `JsonSchema` on `T`"
)]
pub trait IntoOutcome {
    /// How the call ended.
    ///
    /// # Errors
    /// The result cannot be written as JSON, or the method returned an error of the call.
    fn into_outcome(self) -> Result<Outcome, CallError>;

    /// The schema of the structured content, where the type tells.
    #[must_use]
    fn output_schema() -> Option<Schema> {
        None
    }
}

/// Structured content: `T` for programs, with the schema of `T` in the description of the tool; and the same JSON as text
/// for models that read only text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Serialize + JsonSchema> IntoOutcome for Json<T> {
    fn into_outcome(self) -> Result<Outcome, CallError> {
        let json = serde_json::to_string(&self.0)
            .map_err(|error| CallError::Other(format!("the result cannot be written as JSON: {error}")))?;
        let mut result = ToolResult::text(json.clone());
        result.structured = Some(json);
        Ok(Outcome::Complete(result))
    }

    fn output_schema() -> Option<Schema> {
        schema::output_schema::<T>()
    }
}

impl IntoOutcome for Outcome {
    fn into_outcome(self) -> Result<Outcome, CallError> {
        Ok(self)
    }
}

impl IntoOutcome for ToolResult {
    fn into_outcome(self) -> Result<Outcome, CallError> {
        Ok(Outcome::Complete(self))
    }
}

impl IntoOutcome for InputRequired {
    fn into_outcome(self) -> Result<Outcome, CallError> {
        Ok(Outcome::InputRequired(self))
    }
}

impl IntoOutcome for String {
    fn into_outcome(self) -> Result<Outcome, CallError> {
        ToolResult::text(self).into_outcome()
    }
}

impl IntoOutcome for &str {
    fn into_outcome(self) -> Result<Outcome, CallError> {
        ToolResult::text(self).into_outcome()
    }
}

impl IntoOutcome for () {
    fn into_outcome(self) -> Result<Outcome, CallError> {
        ToolResult::empty().into_outcome()
    }
}

impl<T: IntoOutcome, E: Into<ToolError>> IntoOutcome for Result<T, E> {
    fn into_outcome(self) -> Result<Outcome, CallError> {
        match self {
            Ok(value) => value.into_outcome(),
            Err(error) => error.into().into_result()?.into_outcome(),
        }
    }

    fn output_schema() -> Option<Schema> {
        T::output_schema()
    }
}

impl From<ToolResult> for Outcome {
    fn from(result: ToolResult) -> Self {
        Self::Complete(result)
    }
}

impl From<InputRequired> for Outcome {
    fn from(questions: InputRequired) -> Self {
        Self::InputRequired(questions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serializer;

    fn complete(value: impl IntoOutcome) -> ToolResult {
        match value.into_outcome() {
            Ok(Outcome::Complete(result)) => result,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn text_and_nothing() {
        assert_eq!(complete("a"), ToolResult::text("a"));
        assert_eq!(complete("a".to_owned()), ToolResult::text("a"));
        assert_eq!(complete(()), ToolResult::empty());
        assert_eq!(<&str>::output_schema(), None);
    }

    #[test]
    fn json_is_structured_and_text() {
        let result = complete(Json(vec![1, 2]));
        assert_eq!(result, ToolResult::text("[1,2]").with_structured(&[1, 2]).unwrap());
        assert!(<Result<Json<Vec<u8>>, ToolError>>::output_schema().is_some());
    }

    #[test]
    fn an_error_is_a_result_the_model_can_read() {
        let failed: Result<String, ToolError> = Err(ToolError::new("no such city"));
        assert_eq!(complete(failed), ToolResult::text("no such city").error());
        let failed: Result<(), std::num::ParseIntError> = "x".parse::<u8>().map(|_| ());
        assert_eq!(complete(failed), ToolResult::text("invalid digit found in string").error());
    }

    #[test]
    fn what_cannot_be_written_as_json_is_the_plugins_fault() {
        struct Never;
        impl Serialize for Never {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("never"))
            }
        }
        impl JsonSchema for Never {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                "Never".into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
                schemars::json_schema!({})
            }
        }
        let error = Json(Never).into_outcome().unwrap_err();
        assert_eq!(error, CallError::Other("the result cannot be written as JSON: never".into()));
    }
}
