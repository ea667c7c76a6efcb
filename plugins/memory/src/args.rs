//! The arguments and the structured results of the tools. What is documented here with three slashes is read by models.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::graph::{AddedObservations, Entity, NewObservations, OldObservations, Relation};

#[derive(Deserialize, JsonSchema)]
pub struct EntitiesArgs {
    /// The entities to create.
    pub entities: Vec<Entity>,
}

#[derive(Deserialize, JsonSchema)]
pub struct RelationsArgs {
    /// The relations.
    pub relations: Vec<Relation>,
}

#[derive(Deserialize, JsonSchema)]
pub struct AddObservationsArgs {
    /// What is new, entity by entity.
    pub observations: Vec<NewObservations>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeleteEntitiesArgs {
    /// The names of the entities to delete.
    pub entity_names: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
pub struct DeleteObservationsArgs {
    /// What to forget, entity by entity.
    pub deletions: Vec<OldObservations>,
}

#[derive(Deserialize, JsonSchema)]
pub struct SearchArgs {
    /// The text to look for in names, types and observations; upper and lower case are the same.
    pub query: String,
}

#[derive(Deserialize, JsonSchema)]
pub struct OpenArgs {
    /// The names of the entities to return.
    pub names: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct EntitiesOutput {
    /// Those that were created.
    pub entities: Vec<Entity>,
}

#[derive(Serialize, JsonSchema)]
pub struct RelationsOutput {
    /// Those that were created.
    pub relations: Vec<Relation>,
}

#[derive(Serialize, JsonSchema)]
pub struct ObservationsOutput {
    /// What was new, entity by entity.
    pub results: Vec<AddedObservations>,
}

#[derive(Serialize, JsonSchema)]
pub struct DoneOutput {
    /// True.
    pub success: bool,
    /// What was done.
    pub message: &'static str,
}
