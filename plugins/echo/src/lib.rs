//! The smallest plugin: one tool that says back what it is told.

use toolcell_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct EchoArgs {
    /// What to say back.
    message: String,
}

#[derive(Default)]
struct Echo;

/// Says back what it is told.
#[plugin]
impl Echo {
    /// Says back the message, unchanged.
    #[tool(title = "Echo", read_only, idempotent, open_world = false)]
    fn echo(&self, args: EchoArgs) -> String {
        args.message
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toolcell_sdk::testing;

    #[test]
    fn the_message_comes_back_unchanged() {
        for message in ["hello", "", " spaced \n\t", "🦀 \"quoted\" \\ \u{0}"] {
            let result = testing::call::<Echo>("echo", Arguments { message }).unwrap();
            assert_eq!(testing::text(&result), message);
        }
    }

    #[test]
    fn the_tool_is_described() {
        let tools = testing::tools::<Echo>().unwrap();
        let [tool] = &tools[..] else { panic!("{tools:?}") };
        assert_eq!(tool.name, "echo");
        assert_eq!(
            tool.input_schema,
            r#"{"type":"object","properties":{"message":{"type":"string","description":"What to say back."}},"required":["message"]}"#
        );
    }

    #[derive(Serialize)]
    struct Arguments<'a> {
        message: &'a str,
    }
}
