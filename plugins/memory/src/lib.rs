//! A memory for a model: a knowledge graph that outlives the conversation.
//!
//! This file is the list of tools. [`graph`] is what they do, [`lines`] how it is written down, [`store`] where, with
//! [`lock`] so that calls at the same time do not lose each other's changes, and [`error`] has the words for what went
//! wrong.

mod error;
mod graph;
mod lines;
mod lock;
mod store;

use toolcell_sdk::prelude::*;

use error::MemoryError;
use graph::{AddedObservations, Entity, Graph, NewObservations, OldObservations, Relation};
use store::Store;

/// Bytes of text one answer may have. It is there twice, as text and as structured content, and the host takes 8 MiB.
const ANSWER_BYTES: usize = 3 << 20;

#[derive(Deserialize, JsonSchema)]
struct EntitiesArgs {
    /// The entities to create.
    entities: Vec<Entity>,
}

#[derive(Deserialize, JsonSchema)]
struct RelationsArgs {
    /// The relations.
    relations: Vec<Relation>,
}

#[derive(Deserialize, JsonSchema)]
struct AddObservationsArgs {
    /// What is new, entity by entity.
    observations: Vec<NewObservations>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DeleteEntitiesArgs {
    /// The names of the entities to delete.
    entity_names: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
struct DeleteObservationsArgs {
    /// What to forget, entity by entity.
    deletions: Vec<OldObservations>,
}

#[derive(Deserialize, JsonSchema)]
struct SearchArgs {
    /// The text to look for in names, types and observations; upper and lower case are the same.
    query: String,
}

#[derive(Deserialize, JsonSchema)]
struct OpenArgs {
    /// The names of the entities to return.
    names: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct EntitiesOutput {
    /// Those that were created.
    entities: Vec<Entity>,
}

#[derive(Serialize, JsonSchema)]
struct RelationsOutput {
    /// Those that were created.
    relations: Vec<Relation>,
}

#[derive(Serialize, JsonSchema)]
struct ObservationsOutput {
    /// What was new, entity by entity.
    results: Vec<AddedObservations>,
}

#[derive(Serialize, JsonSchema)]
struct DoneOutput {
    /// True.
    success: bool,
    /// What was done.
    message: &'static str,
}

#[derive(Default)]
struct Memory;

/// Remembers entities, what is known about them and how they relate, in a knowledge graph kept in one file.
#[plugin(
    request(
        dir = "/memory",
        access = "read-write",
        why = "the graph is kept there, in the file memory.jsonl"
    ),
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
            let output = EntitiesOutput {
                entities: graph.create_entities(&args.entities),
            };
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
            let output = RelationsOutput {
                relations: graph.create_relations(&args.relations),
            };
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
            let output = ObservationsOutput {
                results: graph.add_observations(&args.observations)?,
            };
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
}

/// A result with `shown` as text for the model and `structured` for programs.
fn answer(shown: &impl Serialize, structured: &impl Serialize) -> Result<ToolResult, ToolError> {
    let text = serde_json::to_string_pretty(shown)?;
    if text.len() > ANSWER_BYTES {
        return Err(MemoryError::TooLarge {
            what: "the answer".to_owned(),
            size: text.len(),
            limit: ANSWER_BYTES,
            hint: "nothing was changed; use search_nodes or open_nodes, or pass less at once",
        }
        .into());
    }
    ToolResult::text(text).with_structured(structured)
}

fn done(message: &'static str) -> Result<ToolResult, ToolError> {
    ToolResult::text(message).with_structured(&DoneOutput {
        success: true,
        message,
    })
}
