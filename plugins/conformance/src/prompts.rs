//! What the prompts say.

use crate::fixture::PIXEL;
use crate::questions::{field, form, one_field};
use toolcell_sdk::prelude::*;

/// A resource put into a message, and what to do with it.
pub fn with_resource(uri: &str) -> PromptResult {
    PromptResult::user(Content::embedded_text(uri, "text/plain", "Embedded resource content for testing."))
        .and_user("Please process the embedded resource above.")
}

/// A picture, and what to do with it.
pub fn with_image() -> PromptResult {
    PromptResult::user(Content::image(PIXEL, "image/png")).and_user("Please analyze the image above.")
}

/// Asks the person for the context first (SEP-2322: input can be required of any request).
pub fn with_context(call: &Call) -> PromptOutcome {
    match field(call, "user_context", "context") {
        Some(context) => PromptResult::user(format!("Use this context: {context}")).into(),
        None => {
            let schema = one_field("context", "string");
            form(InputRequired::new(), "user_context", "What context should the prompt use?", &schema).into()
        }
    }
}

/// What a reviewer is asked.
pub fn review(language: &str, style: Option<&str>) -> String {
    let style = style.unwrap_or("default");
    format!("Please review this {language} code (style {style}).")
}
