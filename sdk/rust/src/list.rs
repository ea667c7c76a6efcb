//! Lists that are known only at run time.

use crate::ToolError;
use crate::types::CallError;

/// What a method under `#[list(…)]` may return: a `Vec` of descriptions, or a `Result` of one.
#[diagnostic::on_unimplemented(
    message = "a list of `{T}` cannot be `{Self}`",
    note = "return `Vec<{T}>` or `Result<Vec<{T}>, ToolError>`"
)]
pub trait IntoList<T> {
    /// The descriptions, in the order they should be shown.
    ///
    /// # Errors
    /// The method returned one.
    fn into_list(self) -> Result<Vec<T>, CallError>;
}

impl<T> IntoList<T> for Vec<T> {
    fn into_list(self) -> Result<Vec<T>, CallError> {
        Ok(self)
    }
}

impl<T, L: IntoList<T>, E: Into<ToolError>> IntoList<T> for Result<L, E> {
    fn into_list(self) -> Result<Vec<T>, CallError> {
        self.map_err(|error| CallError::from(error.into()))?.into_list()
    }
}
