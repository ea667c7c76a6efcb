use toolcell_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct HelloArgs {
    /// Whom to greet.
    name: String,
}

#[derive(Default)]
struct Hello;

/// Greets people.
#[plugin]
impl Hello {
    /// Says hello to someone.
    #[tool]
    fn hello(&self, args: HelloArgs) -> String {
        format!("Hello, {}!", args.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toolcell_sdk::testing;

    #[test]
    fn it_greets_by_name() {
        let arguments = std::collections::BTreeMap::from([("name", "Ada")]);
        let outcome = testing::call::<Hello>("hello", arguments).unwrap();
        assert_eq!(testing::text(&outcome), "Hello, Ada!");
    }
}
