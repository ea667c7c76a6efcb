use toolcell_sdk::prelude::*;
use toolcell_sdk::types::{FormAnswer, InputAnswer};

const BOOKS: [(&str, &str); 2] =
    [("emma", "Emma Woodhouse, handsome, clever, and rich."), ("moby", "Call me Ishmael.")];

#[derive(Deserialize, JsonSchema)]
struct LendArgs {
    /// Which book, by its short name.
    book: String,
}

#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Reader {
    /// The name on your card.
    name: String,
}

#[derive(Default)]
struct Library;

/// A small library.
#[plugin]
impl Library {
    /// How a book begins.
    #[resource("book://{book}")]
    fn beginning(&self, book: String) -> Option<&'static str> {
        BOOKS.iter().find(|(name, _)| *name == book).map(|(_, text)| *text)
    }

    #[complete(resource = "book://{book}", argument = "book")]
    fn books(&self) -> [&'static str; 2] {
        BOOKS.map(|(name, _)| name)
    }

    /// Asks to go on with a book.
    #[prompt]
    fn go_on(
        &self,
        /// Which book, by its short name.
        book: String,
        /// How many sentences; three if not said.
        sentences: Option<u8>,
    ) -> Result<PromptResult, ToolError> {
        let text = self.beginning(book.clone()).with_context(|| format!("there is no book `{book}`"))?;
        Ok(PromptResult::user(Content::embedded_text(format!("book://{book}"), "text/plain", text))
            .and_user(format!("Go on with this for {} sentences.", sentences.unwrap_or(3))))
    }

    #[complete(prompt = "go_on", argument = "book")]
    fn books_to_go_on_with(&self) -> [&'static str; 2] {
        self.books()
    }

    /// Lends a book to whoever has a card.
    #[tool]
    fn lend(&self, args: LendArgs, call: &Call) -> Outcome {
        match call.answer("reader") {
            Some(InputAnswer::Form(FormAnswer::Accept(Some(card)))) => {
                ToolResult::text(format!("Lent {} to {card}.", args.book)).into()
            }
            Some(_) => ToolResult::text("Nobody took the book.").into(),
            None => InputRequired::new().form::<Reader>("reader", "Who are you?").into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toolcell_sdk::testing;

    #[test]
    fn books_can_be_read_and_gone_on_with() {
        assert_eq!(testing::read_text(&testing::read::<Library>("book://moby").unwrap()), "Call me Ishmael.");
        assert!(testing::read::<Library>("book://dune").is_err());
        let prompt = testing::prompt::<Library>("go_on", &[("book", "emma"), ("sentences", "2")]).unwrap();
        assert_eq!(testing::prompt_text(&prompt), "Go on with this for 2 sentences.");
        let books = testing::complete_prompt::<Library>("go_on", "book", "m", &[]).unwrap();
        assert_eq!(books.values, ["moby"]);
    }
}
