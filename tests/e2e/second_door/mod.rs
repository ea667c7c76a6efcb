//! Components that know nothing of Toolcell: their exports are tools, their types are schemas, their errors are tool
//! errors, and what they may do is what they were granted.

mod foreign;
mod hostile;
mod types;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use toolcell_tests::host::Host;
use toolcell_tests::mcp::{Modern, text_of};

/// A client that holds every call to the schemas of the tool.
struct Door {
    client: Modern,
    tools: BTreeMap<String, Value>,
}

impl Door {
    fn of(host: &Host) -> Self {
        let mut client = host.modern();
        let listed = client.list("tools/list", "tools");
        let tools = listed.into_iter().map(|tool| (tool["name"].as_str().unwrap_or_default().to_owned(), tool));
        Self { client, tools: tools.collect() }
    }

    fn names(&self) -> Vec<&str> {
        self.tools.keys().map(String::as_str).collect()
    }

    fn schema(&self, tool: &str, which: &str) -> &Value {
        &self.tools.get(tool).unwrap_or_else(|| panic!("there is no {tool}; there are {:?}", self.names()))[which]
    }

    fn property(&self, tool: &str, name: &str) -> &Value {
        &self.schema(tool, "inputSchema")["properties"][name]
    }

    /// Calls a tool that must succeed with arguments that fit its schema; returns the value in its structured result.
    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        judge(self.schema(tool, "inputSchema"), arguments, tool);
        let result = self.client.call(tool, arguments);
        assert_ne!(result["isError"], true, "{tool} {arguments}: {result}");
        let structured = &result["structuredContent"];
        let schema = self.schema(tool, "outputSchema");
        if schema.is_null() {
            assert!(structured.is_null(), "{tool} has no output schema: {result}");
            return Value::Null;
        }
        judge(schema, structured, tool);
        let value = structured["result"].clone();
        let text = text_of(&result);
        match &value {
            // A string is no JSON in the text: that is for people and models to read.
            Value::String(string) if *string == text => {}
            value => assert_eq!(serde_json::from_str::<Value>(&text).ok().as_ref(), Some(value), "{tool}: {result}"),
        }
        value
    }

    /// Calls a tool that must fail; returns what it says.
    fn refusal(&mut self, tool: &str, arguments: &Value) -> String {
        let result = self.client.call(tool, arguments);
        assert_eq!(result["isError"], true, "{tool} {arguments}: {result}");
        assert!(result["structuredContent"].is_null(), "{tool} {arguments}: {result}");
        text_of(&result)
    }
}

/// Holds a value to a schema.
fn judge(schema: &Value, value: &Value, tool: &str) {
    let validator = jsonschema::validator_for(schema).unwrap_or_else(|why| panic!("{tool}: {why}: {schema}"));
    if let Err(why) = validator.validate(value) {
        panic!("{tool}: {why}\nthe value was {value}\nthe schema was {schema}");
    }
}

fn nothing() -> Value {
    json!({})
}
