use toolcell_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct GreetArgs {
    /// Whom to greet.
    name: String,
}

#[derive(Default)]
struct {{type}};

/// Greets people.
#[plugin]
impl {{type}} {
    /// Greets someone by name.
    #[tool(title = "Greet", read_only, idempotent, open_world = false)]
    fn greet(&self, args: GreetArgs) -> String {
        format!("Hello, {}!", args.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use toolcell_sdk::testing;

    #[test]
    fn it_greets_by_name() {
        let outcome = testing::call::<{{type}}>("greet", json!({ "name": "Ada" })).unwrap();
        assert!(testing::text(&outcome).ends_with(", Ada!"));
    }
}
