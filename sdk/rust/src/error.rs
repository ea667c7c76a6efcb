//! How a tool fails.

use crate::types::ToolResult;
use std::fmt::{self, Debug, Display, Formatter};

/// Why a tool did not do what was asked, as text for the model: say what is wrong and what would be right.
///
/// Every `std::error::Error` converts into it with `?`, together with its sources. It is no `Error` itself, which is what
/// makes that conversion possible.
#[derive(Clone, PartialEq, Eq)]
pub struct ToolError {
    text: String,
}

impl ToolError {
    /// An error with this text.
    #[must_use]
    pub fn new(text: impl Display) -> Self {
        Self { text: text.to_string() }
    }

    /// The same error, with what was being done before it: `reading the list: file not found`.
    #[must_use]
    pub fn context(self, doing: impl Display) -> Self {
        Self { text: format!("{doing}: {}", self.text) }
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
        Self { text }
    }
}

impl From<ToolError> for ToolResult {
    fn from(error: ToolError) -> Self {
        ToolResult::text(error.text).error()
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
    fn bail_formats() {
        fn fail(name: &str) -> Result<(), ToolError> {
            tool_bail!("no city is called {name}")
        }
        assert_eq!(fail("Atlantis").unwrap_err(), ToolError::new("no city is called Atlantis"));
    }
}
