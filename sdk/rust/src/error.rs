//! How a tool fails.

use crate::types::{CallError, ToolResult};
use std::fmt::{self, Debug, Display, Formatter};

/// Why a tool did not do what was asked, as text for the model: say what is wrong and what would be right. Resources and
/// prompts fail with it too; there its text is the message of the error that the client gets.
///
/// Every `std::error::Error` converts into it with `?`, together with its sources. It is no `Error` itself, which is what
/// makes that conversion possible.
#[derive(Clone, PartialEq, Eq)]
pub struct ToolError {
    text: String,
    /// Which error of the contract it is, if it fails the call itself; none makes it a result where a tool returns it.
    kind: Option<Kind>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    NotFound,
    InvalidArguments,
    Unavailable,
    Cancelled,
    Other,
}

impl ToolError {
    /// An error with this text.
    #[must_use]
    pub fn new(text: impl Display) -> Self {
        Self { text: text.to_string(), kind: None }
    }

    /// There is nothing of that name or URI. Fails the call itself: the client gets an error, not the model a result.
    #[must_use]
    pub fn not_found(what: impl Display) -> Self {
        Self { text: what.to_string(), kind: Some(Kind::NotFound) }
    }

    /// An argument is wrong; the text names it and says what would be right. Fails the call itself.
    #[must_use]
    pub fn invalid_arguments(what: impl Display) -> Self {
        Self { text: what.to_string(), kind: Some(Kind::InvalidArguments) }
    }

    /// Something the plugin depends on does not answer; a later try may work. Fails the call itself.
    #[must_use]
    pub fn unavailable(what: impl Display) -> Self {
        Self { text: what.to_string(), kind: Some(Kind::Unavailable) }
    }

    /// The caller's interest ended and the plugin noticed. Fails the call itself.
    #[must_use]
    pub fn cancelled() -> Self {
        Self { text: "cancelled".to_owned(), kind: Some(Kind::Cancelled) }
    }

    /// Anything else that fails the call itself, so that a task it runs as is a failed one.
    #[must_use]
    pub fn failed(what: impl Display) -> Self {
        Self { text: what.to_string(), kind: Some(Kind::Other) }
    }

    /// The result the model reads, or the error that fails the call.
    pub(crate) fn into_result(self) -> Result<ToolResult, CallError> {
        match self.kind {
            Some(_) => Err(self.into()),
            None => Ok(ToolResult::text(self.text).error()),
        }
    }

    /// The same error, with what was being done before it: `reading the list: file not found`.
    #[must_use]
    pub fn context(self, doing: impl Display) -> Self {
        Self { text: format!("{doing}: {}", self.text), ..self }
    }
}

impl Display for ToolError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Debug for ToolError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<E: std::error::Error> From<E> for ToolError {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            let next = error.to_string();
            // Some errors repeat their source in their own text.
            if !text.contains(&next) {
                text.push_str(": ");
                text.push_str(&next);
            }
            source = error.source();
        }
        Self { text, kind: None }
    }
}

impl From<ToolError> for ToolResult {
    fn from(error: ToolError) -> Self {
        ToolResult::text(error.text).error()
    }
}

impl From<ToolError> for CallError {
    fn from(error: ToolError) -> Self {
        match error.kind {
            Some(Kind::NotFound) => Self::NotFound(error.text),
            Some(Kind::InvalidArguments) => Self::InvalidArguments(error.text),
            Some(Kind::Unavailable) => Self::Unavailable(error.text),
            Some(Kind::Cancelled) => Self::Cancelled,
            Some(Kind::Other) | None => Self::Other(error.text),
        }
    }
}

/// Says what was being done when an error came up, or what is missing.
pub trait Context<T> {
    /// The value, or the error after `doing` and a colon.
    ///
    /// # Errors
    /// There is no value.
    fn context(self, doing: impl Display) -> Result<T, ToolError>;

    /// The same, with a text that is made only if it is needed.
    ///
    /// # Errors
    /// There is no value.
    fn with_context<D: Display>(self, doing: impl FnOnce() -> D) -> Result<T, ToolError>;
}

impl<T, E: Into<ToolError>> Context<T> for Result<T, E> {
    fn context(self, doing: impl Display) -> Result<T, ToolError> {
        self.map_err(|error| error.into().context(doing))
    }

    fn with_context<D: Display>(self, doing: impl FnOnce() -> D) -> Result<T, ToolError> {
        self.map_err(|error| error.into().context(doing()))
    }
}

impl<T> Context<T> for Option<T> {
    fn context(self, missing: impl Display) -> Result<T, ToolError> {
        self.ok_or_else(|| ToolError::new(missing))
    }

    fn with_context<D: Display>(self, missing: impl FnOnce() -> D) -> Result<T, ToolError> {
        self.ok_or_else(|| ToolError::new(missing()))
    }
}

/// Returns from the tool with a [`ToolError`] of this text: `tool_bail!("no city is called {name}")`.
#[macro_export]
macro_rules! tool_bail {
    ($($text:tt)+) => {
        return ::std::result::Result::Err(::std::convert::From::from($crate::ToolError::new(::std::format_args!($($text)+))))
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl Display for Layer {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|source| source as _)
        }
    }

    #[test]
    fn the_text_holds_every_source_once() {
        let cause = |text| Some(Box::new(Layer(text, None)));
        let cases = [
            (Layer("reading", cause("no such file")), "reading: no such file"),
            (Layer("reading: no such file", cause("no such file")), "reading: no such file"),
            (Layer("alone", None), "alone"),
        ];
        for (error, expected) in cases {
            assert_eq!(ToolError::from(error).to_string(), expected);
        }
    }

    #[test]
    fn context_goes_before_the_error() {
        let failed: Result<(), _> = Err(Layer("no such file", None));
        assert_eq!(failed.context("reading the list").unwrap_err().to_string(), "reading the list: no such file");
        let failed: Result<(), _> = Err(ToolError::new("no"));
        assert_eq!(failed.with_context(|| "asking").unwrap_err().to_string(), "asking: no");
        assert_eq!(None::<()>.context("no such city").unwrap_err().to_string(), "no such city");
    }

    #[test]
    fn an_error_of_the_call_stays_one_with_more_context() {
        let error = ToolError::not_found("no note `x`").context("reading");
        assert_eq!(error.clone().into_result(), Err(CallError::NotFound("reading: no note `x`".into())));
        assert_eq!(CallError::from(error), CallError::NotFound("reading: no note `x`".into()));
        assert_eq!(ToolError::cancelled().into_result(), Err(CallError::Cancelled));
        assert_eq!(ToolError::new("no").into_result(), Ok(ToolResult::text("no").error()));
        assert_eq!(CallError::from(ToolError::new("no")), CallError::Other("no".into()));
    }

    #[test]
    fn bail_formats() {
        fn fail(name: &str) -> Result<(), ToolError> {
            tool_bail!("no city is called {name}")
        }
        assert_eq!(fail("Atlantis").unwrap_err(), ToolError::new("no city is called Atlantis"));
    }
}
