//! Files for a model: reading, writing, editing, listing and searching in the directories the operator mounted.
mod diff;
mod edit;
mod error;
mod info;
mod limits;
mod list;
mod media;
mod mounts;
mod read;
#[cfg(test)]
mod testing;
mod walk;
mod write;
