//! The arguments of a hostile tool. Lenient: a test says what matters to it and leaves out the rest.

use serde_json::Value;

/// The JSON object a tool was called with.
pub struct Args(Value);

impl Args {
    /// Reads the text of a JSON object; anything else counts as no arguments.
    #[must_use]
    pub fn parse(json: &str) -> Self {
        Self(serde_json::from_str(json).unwrap_or(Value::Null))
    }

    /// A number, or `default` where it is missing.
    #[must_use]
    pub fn number(&self, name: &str, default: u64) -> u64 {
        self.0.get(name).and_then(Value::as_u64).unwrap_or(default)
    }

    /// A string, or `default` where it is missing.
    #[must_use]
    pub fn text<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        self.0.get(name).and_then(Value::as_str).unwrap_or(default)
    }

    /// A list of strings, empty where it is missing.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let items = self.0.get(name).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Args;

    #[test]
    fn what_is_missing_has_a_default() {
        let args = Args::parse(r#"{"n":3,"s":"x","l":["a",1,"b"]}"#);
        assert_eq!((args.number("n", 0), args.number("m", 7)), (3, 7));
        assert_eq!((args.text("s", ""), args.text("t", "d")), ("x", "d"));
        assert_eq!(args.list("l"), ["a", "b"]);
        assert_eq!(Args::parse("not json").number("n", 1), 1);
    }
}
