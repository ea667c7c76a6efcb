//! The knowledge graph: entities with observations about them, and relations between them.

use std::collections::{HashMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::MemoryError;

// What is documented with three slashes here is read by models: it is part of the schemas.

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entity {
    /// A name that nothing else has.
    pub name: String,
    /// What kind of thing it is, such as `person`.
    pub entity_type: String,
    /// What is known about it, one fact each.
    pub observations: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Relation {
    /// The name of the entity it begins at.
    pub from: String,
    /// The name of the entity it leads to.
    pub to: String,
    /// What it says, in active voice, such as `works_at`.
    pub relation_type: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Graph {
    /// All entities, in the order they were created.
    pub entities: Vec<Entity>,
    /// All relations, in the order they were created.
    pub relations: Vec<Relation>,
    // Lines of the file that are neither, kept as they are for whoever wrote them.
    #[serde(skip)]
    pub other: Vec<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewObservations {
    /// The name of the entity they are about.
    pub entity_name: String,
    /// What is now known about it, one fact each.
    pub contents: Vec<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddedObservations {
    /// The name of the entity.
    pub entity_name: String,
    /// Those that were not known before.
    pub added_observations: Vec<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OldObservations {
    /// The name of the entity they are about.
    pub entity_name: String,
    /// The observations to forget, word for word.
    pub observations: Vec<String>,
}

impl Graph {
    /// Adds the entities whose names are not taken, and returns them.
    pub fn create_entities(&mut self, entities: &[Entity]) -> Vec<Entity> {
        let mut taken: HashSet<&str> = self.entities.iter().map(|e| e.name.as_str()).collect();
        let new = entities.iter().filter(|entity| taken.insert(&entity.name));
        let created: Vec<Entity> = new.cloned().collect();
        self.entities.extend(created.iter().cloned());
        created
    }

    /// Adds the relations that are not there yet, and returns them. The entities need not exist.
    pub fn create_relations(&mut self, relations: &[Relation]) -> Vec<Relation> {
        let mut known: HashSet<&Relation> = self.relations.iter().collect();
        let new = relations.iter().filter(|relation| known.insert(relation));
        let created: Vec<Relation> = new.cloned().collect();
        self.relations.extend(created.iter().cloned());
        created
    }

    /// Adds what is not known yet about each entity, and returns that.
    ///
    /// # Errors
    ///
    /// `UnknownEntity`; then the graph must not be kept.
    pub fn add_observations(
        &mut self,
        observations: &[NewObservations],
    ) -> Result<Vec<AddedObservations>, MemoryError> {
        let mut by_name: HashMap<&str, usize> = HashMap::new();
        let asked: HashSet<&str> = observations.iter().map(|o| o.entity_name.as_str()).collect();
        for (index, entity) in self.entities.iter().enumerate() {
            if let Some(name) = asked.get(entity.name.as_str()) {
                by_name.entry(name).or_insert(index);
            }
        }
        let mut results = Vec::with_capacity(observations.len());
        for NewObservations { entity_name, contents } in observations {
            let index = by_name.get(entity_name.as_str());
            let entity = index.and_then(|&index| self.entities.get_mut(index));
            let entity = entity.ok_or_else(|| MemoryError::UnknownEntity { name: entity_name.clone() })?;
            let mut known: HashSet<&str> = entity.observations.iter().map(String::as_str).collect();
            let new = contents.iter().filter(|content| known.insert(content));
            let added_observations: Vec<String> = new.cloned().collect();
            entity.observations.extend(added_observations.iter().cloned());
            results.push(AddedObservations { entity_name: entity_name.clone(), added_observations });
        }
        Ok(results)
    }

    /// Deletes entities, and the relations from and to them. Names that nothing has are passed over.
    pub fn delete_entities(&mut self, names: &[String]) {
        let names: HashSet<&str> = names.iter().map(String::as_str).collect();
        self.entities.retain(|entity| !names.contains(entity.name.as_str()));
        self.relations.retain(|r| !names.contains(r.from.as_str()) && !names.contains(r.to.as_str()));
    }

    /// Deletes observations. What is not there is passed over.
    pub fn delete_observations(&mut self, deletions: &[OldObservations]) {
        for deletion in deletions {
            if let Some(entity) = self.entities.iter_mut().find(|e| e.name == deletion.entity_name) {
                entity.observations.retain(|known| !deletion.observations.contains(known));
            }
        }
    }

    /// Deletes relations. What is not there is passed over.
    pub fn delete_relations(&mut self, relations: &[Relation]) {
        let relations: HashSet<&Relation> = relations.iter().collect();
        self.relations.retain(|relation| !relations.contains(relation));
    }

    /// Only the entities that have the text somewhere in name, type or observations, whatever its case, with all
    /// relations from or to one of them.
    pub fn search(self, query: &str) -> Self {
        let query = query.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&query);
        self.around(|e| has(&e.name) || has(&e.entity_type) || e.observations.iter().any(|o| has(o)))
    }

    /// Only the entities of these names, with all relations from or to one of them.
    pub fn open(self, names: &[String]) -> Self {
        let names: HashSet<&str> = names.iter().map(String::as_str).collect();
        self.around(|entity| names.contains(entity.name.as_str()))
    }

    fn around(mut self, wanted: impl Fn(&Entity) -> bool) -> Self {
        self.entities.retain(wanted);
        let names: HashSet<&str> = self.entities.iter().map(|entity| entity.name.as_str()).collect();
        self.relations.retain(|r| names.contains(r.from.as_str()) || names.contains(r.to.as_str()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(name: &str, entity_type: &str, observations: &[&str]) -> Entity {
        Entity {
            name: name.to_owned(),
            entity_type: entity_type.to_owned(),
            observations: observations.iter().map(|&o| o.to_owned()).collect(),
        }
    }

    fn relation(from: &str, relation_type: &str, to: &str) -> Relation {
        Relation { from: from.to_owned(), to: to.to_owned(), relation_type: relation_type.to_owned() }
    }

    fn strings(words: &str) -> Vec<String> {
        words.split_whitespace().map(str::to_owned).collect()
    }

    /// Ada knows Bob, Bob knows Eve, and Ada works at Acme, which is no entity.
    fn graph() -> Graph {
        let mut graph = Graph::default();
        graph.create_entities(&[
            entity("Ada", "person", &["likes Tea", "speaks French"]),
            entity("Bob", "person", &[]),
            entity("Eve", "robot", &["likes oil"]),
        ]);
        graph.create_relations(&[
            relation("Ada", "knows", "Bob"),
            relation("Bob", "knows", "Eve"),
            relation("Ada", "works_at", "Acme"),
        ]);
        graph
    }

    fn names(graph: &Graph) -> (String, String) {
        let entities: Vec<_> = graph.entities.iter().map(|e| e.name.as_str()).collect();
        let relations: Vec<_> = graph.relations.iter().map(|r| format!("{}-{}", r.from, r.to)).collect();
        (entities.join(" "), relations.join(" "))
    }

    #[test]
    fn what_is_there_is_not_created_again() {
        let mut graph = graph();
        let created = graph.create_entities(&[
            entity("Ada", "city", &[]),
            entity("Dan", "person", &[]),
            entity("Dan", "city", &[]),
        ]);
        assert_eq!(created, [entity("Dan", "person", &[])]);
        let dan = relation("Dan", "knows", "Ada");
        let created = graph.create_relations(&[relation("Ada", "knows", "Bob"), dan.clone(), dan.clone()]);
        assert_eq!(created, [dan]);
        assert_eq!((graph.entities.len(), graph.relations.len()), (4, 4));
    }

    #[test]
    fn observations_are_added_once() {
        let mut graph = graph();
        let add = |name: &str, contents: &[&str]| NewObservations {
            entity_name: name.to_owned(),
            contents: contents.iter().map(|&c| c.to_owned()).collect(),
        };
        let added = graph.add_observations(&[add("Ada", &["likes Tea", "sings", "sings"]), add("Ada", &["sings"])]);
        let added: Vec<_> = added.unwrap().into_iter().map(|a| a.added_observations).collect();
        assert_eq!(added, [vec!["sings".to_owned()], vec![]]);
        assert_eq!(graph.entities[0].observations, ["likes Tea", "speaks French", "sings"]);
        let text = graph.add_observations(&[add("Zoe", &["x"])]).unwrap_err().to_string();
        assert!(text.contains("entity with name Zoe not found"), "{text}");
    }

    #[test]
    fn deleting() {
        let mut graph = graph();
        graph.delete_entities(&strings("Bob nobody"));
        assert_eq!(names(&graph), ("Ada Eve".into(), "Ada-Acme".into()));
        graph.delete_relations(&[relation("Ada", "knows", "Acme"), relation("x", "y", "z")]);
        assert_eq!(graph.relations.len(), 1);
        graph.delete_relations(&[relation("Ada", "works_at", "Acme")]);
        assert_eq!(graph.relations.len(), 0);
        let forget = |name: &str| OldObservations {
            entity_name: name.to_owned(),
            observations: vec!["likes Tea".to_owned(), "likes oil".to_owned()],
        };
        graph.delete_observations(&[forget("Ada"), forget("nobody")]);
        assert_eq!(graph.entities[0].observations, ["speaks French"]);
        assert_eq!(graph.entities[1].observations, ["likes oil"]);
    }

    #[test]
    fn looking() {
        let graph = graph();
        for (query, entities, relations) in [
            ("TEA", "Ada", "Ada-Bob Ada-Acme"),
            ("likes", "Ada Eve", "Ada-Bob Bob-Eve Ada-Acme"),
            ("robot", "Eve", "Bob-Eve"),
            ("Acme", "", ""),
            ("", "Ada Bob Eve", "Ada-Bob Bob-Eve Ada-Acme"),
        ] {
            assert_eq!(names(&graph.clone().search(query)), (entities.into(), relations.into()), "{query}");
        }
        assert_eq!(names(&graph.open(&strings("Eve Zoe"))), ("Eve".into(), "Bob-Eve".into()));
    }
}
