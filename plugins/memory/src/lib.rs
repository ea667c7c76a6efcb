//! A memory for a model: a knowledge graph that outlives the conversation.
//!
//! This file is the list of tools, and of the one resource. [`args`] is what they take and give, [`graph`] what they do, [`lines`] how it is written down, [`store`] where, with
//! [`lock`] so that calls at the same time do not lose each other's changes, and [`error`] has the words for what went
//! wrong.

mod args;
mod error;
mod graph;
mod lines;
mod lock;
mod store;

use toolcell_sdk::prelude::*;

use args::{
    AddObservationsArgs, DeleteEntitiesArgs, DeleteObservationsArgs, DoneOutput, EntitiesArgs, EntitiesOutput,
    ObservationsOutput, OpenArgs, RelationsArgs, RelationsOutput, SearchArgs,
};
use error::MemoryError;
use graph::Graph;
use store::Store;

/// Bytes of text one answer may have. It is there twice, as text and as structured content, and the host takes 8 MiB.
const ANSWER_BYTES: usize = 3 << 20;

/// The whole graph as a resource.
const GRAPH: &str = "memory://knowledge-graph";

#[derive(Default)]
struct Memory;

/// Remembers entities, what is known about them and how they relate, in a knowledge graph kept in one file.
#[plugin(
    request(dir = "/memory", access = "read-write", why = "the graph is kept there, in the file memory.jsonl"),
    request(env = "MEMORY_FILE_PATH", why = "another name for that file")
)]
impl Memory {
    /// Creates entities in the knowledge graph. Those whose names are taken are left out.
    #[tool(
        title = "Create Entities",
        read_only = false,
        destructive = false,
        idempotent = false,
        open_world = false,
        output = EntitiesOutput
    )]
    fn create_entities(&self, args: EntitiesArgs) -> Result<ToolResult, ToolError> {
        Store::granted()?.update(|graph| {
            let output = EntitiesOutput { entities: graph.create_entities(&args.entities) };
            answer(&output.entities, &output)
        })
    }

    /// Creates relations between entities of the knowledge graph; say them in active voice. Those that exist are left
    /// out.
    #[tool(
        title = "Create Relations",
        read_only = false,
        destructive = false,
        idempotent = false,
        open_world = false,
        output = RelationsOutput
    )]
    fn create_relations(&self, args: RelationsArgs) -> Result<ToolResult, ToolError> {
        Store::granted()?.update(|graph| {
            let output = RelationsOutput { relations: graph.create_relations(&args.relations) };
            answer(&output.relations, &output)
        })
    }

    /// Adds observations to entities that exist in the knowledge graph. Those that are known are left out; if one of the
    /// entities does not exist, nothing is added.
    #[tool(
        title = "Add Observations",
        read_only = false,
        destructive = false,
        idempotent = false,
        open_world = false,
        output = ObservationsOutput
    )]
    fn add_observations(&self, args: AddObservationsArgs) -> Result<ToolResult, ToolError> {
        Store::granted()?.update(|graph| {
            let output = ObservationsOutput { results: graph.add_observations(&args.observations)? };
            answer(&output.results, &output)
        })
    }

    /// Deletes entities from the knowledge graph, with the relations from and to them.
    #[tool(
        title = "Delete Entities",
        read_only = false,
        destructive,
        idempotent,
        open_world = false,
        output = DoneOutput
    )]
    fn delete_entities(&self, args: DeleteEntitiesArgs) -> Result<ToolResult, ToolError> {
        Store::granted()?.update(|graph| {
            graph.delete_entities(&args.entity_names);
            done("Entities deleted successfully")
        })
    }

    /// Deletes observations from entities of the knowledge graph.
    #[tool(
        title = "Delete Observations",
        read_only = false,
        destructive,
        idempotent,
        open_world = false,
        output = DoneOutput
    )]
    fn delete_observations(&self, args: DeleteObservationsArgs) -> Result<ToolResult, ToolError> {
        Store::granted()?.update(|graph| {
            graph.delete_observations(&args.deletions);
            done("Observations deleted successfully")
        })
    }

    /// Deletes relations from the knowledge graph.
    #[tool(
        title = "Delete Relations",
        read_only = false,
        destructive,
        idempotent,
        open_world = false,
        output = DoneOutput
    )]
    fn delete_relations(&self, args: RelationsArgs) -> Result<ToolResult, ToolError> {
        Store::granted()?.update(|graph| {
            graph.delete_relations(&args.relations);
            done("Relations deleted successfully")
        })
    }

    /// Returns the whole knowledge graph.
    #[tool(
        title = "Read Graph",
        read_only,
        destructive = false,
        idempotent,
        open_world = false,
        output = Graph
    )]
    fn read_graph(&self) -> Result<ToolResult, ToolError> {
        let graph = Store::granted()?.load()?;
        answer(&graph, &graph)
    }

    /// Finds entities of the knowledge graph by a text in their names, types or observations, and returns them with all
    /// relations from or to them.
    #[tool(
        title = "Search Nodes",
        read_only,
        destructive = false,
        idempotent,
        open_world = false,
        output = Graph
    )]
    fn search_nodes(&self, args: SearchArgs) -> Result<ToolResult, ToolError> {
        let graph = Store::granted()?.load()?.search(&args.query);
        answer(&graph, &graph)
    }

    /// Returns entities of the knowledge graph by their names, with all relations from or to them. Names that nothing has
    /// are passed over.
    #[tool(
        title = "Open Nodes",
        read_only,
        destructive = false,
        idempotent,
        open_world = false,
        output = Graph
    )]
    fn open_nodes(&self, args: OpenArgs) -> Result<ToolResult, ToolError> {
        let graph = Store::granted()?.load()?.open(&args.names);
        answer(&graph, &graph)
    }

    /// The full knowledge graph with all entities and relations.
    #[resource(
        "memory://knowledge-graph",
        name = "knowledge-graph",
        title = "Knowledge Graph",
        mime_type = "application/json"
    )]
    fn graph(&self) -> Result<String, ToolError> {
        pretty(&Store::granted()?.load()?)
    }
}

/// A result with `shown` as text for the model and `structured` for programs.
fn answer(shown: &impl Serialize, structured: &impl Serialize) -> Result<ToolResult, ToolError> {
    ToolResult::text(pretty(shown)?).with_structured(structured)
}

/// Indented JSON, if it is not too long.
fn pretty(shown: &impl Serialize) -> Result<String, ToolError> {
    let mut text = Bounded(Vec::new());
    serde_json::to_writer_pretty(&mut text, shown).map_err(|e| {
        if e.is_io() { MemoryError::TooLong { limit: ANSWER_BYTES }.into() } else { ToolError::from(e) }
    })?;
    Ok(String::from_utf8(text.0)?)
}

/// Text that does not grow beyond what can be answered: a large graph would not fit into memory twice.
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > ANSWER_BYTES {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn done(message: &'static str) -> Result<ToolResult, ToolError> {
    ToolResult::text(message).with_structured(&DoneOutput { success: true, message })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use toolcell_sdk::testing;
    use toolcell_sdk::types::CallError;

    use super::*;

    /// What a client sees of each tool: name, its one argument, the top of its structured result, hints.
    const TOOLS: [(&str, &str, &str, &str); 9] = [
        ("create_entities", "entities", "entities", ""),
        ("create_relations", "relations", "relations", ""),
        ("add_observations", "observations", "results", ""),
        ("delete_entities", "entityNames", "success message", "destructive idempotent"),
        ("delete_observations", "deletions", "success message", "destructive idempotent"),
        ("delete_relations", "relations", "success message", "destructive idempotent"),
        ("read_graph", "", "entities relations", "read-only idempotent"),
        ("search_nodes", "query", "entities relations", "read-only idempotent"),
        ("open_nodes", "names", "entities relations", "read-only idempotent"),
    ];

    #[test]
    fn the_tools_are_those_of_the_reference_server() {
        let tools = testing::tools::<Memory>().unwrap();
        assert_eq!(tools.len(), TOOLS.len());
        for (tool, (name, arguments, results, hints)) in tools.iter().zip(TOOLS) {
            let required = |schema: &str| {
                let schema: Value = serde_json::from_str(schema).unwrap();
                let names = schema["required"].as_array().cloned().unwrap_or_default();
                names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
            };
            let hinted = tool.annotations.as_ref().unwrap();
            let said = [
                (hinted.read_only, "read-only"),
                (hinted.destructive, "destructive"),
                (hinted.idempotent, "idempotent"),
                (hinted.open_world, "open-world"),
            ];
            assert!(said.iter().all(|(hint, _)| hint.is_some()), "{name}");
            let said: Vec<_> = said.iter().filter(|(hint, _)| *hint == Some(true)).map(|(_, name)| *name).collect();
            assert_eq!(tool.name, name);
            assert_eq!(required(&tool.input_schema), arguments, "{name}");
            assert_eq!(required(tool.output_schema.as_deref().unwrap()), results, "{name}");
            assert_eq!(said.join(" "), hints, "{name}");
        }
    }

    #[test]
    fn the_resource_is_that_of_the_reference_server() {
        let resources = testing::resources::<Memory>().unwrap();
        let [resource] = &resources[..] else { panic!("{resources:?}") };
        assert_eq!((&*resource.uri, &*resource.name), (GRAPH, "knowledge-graph"));
        assert_eq!(resource.title.as_deref(), Some("Knowledge Graph"));
        assert_eq!(resource.mime_type.as_deref(), Some("application/json"));
        let refused = testing::read::<Memory>(GRAPH).unwrap_err();
        assert!(matches!(refused, CallError::Other(text) if text.starts_with("no directory is granted")));
    }

    #[test]
    fn every_tool_says_that_no_directory_is_granted() {
        for (name, arguments) in [
            ("create_entities", json!({"entities": []})),
            ("delete_entities", json!({"entityNames": []})),
            ("read_graph", json!({})),
            ("search_nodes", json!({"query": ""})),
        ] {
            let outcome = testing::call::<Memory>(name, arguments).unwrap();
            assert!(matches!(&outcome, Outcome::Complete(result) if result.is_error), "{name}");
            assert!(testing::text(&outcome).starts_with("no directory is granted"), "{name}");
        }
    }

    #[test]
    fn the_text_is_what_the_model_asked_for_and_the_structure_has_a_name() {
        let output = EntitiesOutput { entities: Vec::new() };
        let result = answer(&output.entities, &output).unwrap();
        assert_eq!(result.structured.as_deref(), Some(r#"{"entities":[]}"#));
        assert_eq!(testing::text(&Outcome::Complete(result)), "[]");
    }

    #[test]
    fn an_answer_too_large_is_refused() {
        let text = answer(&"x".repeat(ANSWER_BYTES), &()).unwrap_err().to_string();
        assert!(text.starts_with("the answer is longer than") && text.contains("use search_nodes"), "{text}");
    }
}
