//! The list as it is kept: an item under each key `item/NUMBER`, and the next number under `next`.

use toolcell_sdk::key_value::{self, StoreError};
use toolcell_sdk::prelude::*;

const ITEMS: &str = "item/";
const NEXT: &str = "next";

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// Its number.
    pub id: u64,
    /// What is to be done.
    pub title: String,
    /// Whether it is done.
    pub done: bool,
}

impl Item {
    pub fn line(&self) -> String {
        format!("[{}] {}: {}", if self.done { 'x' } else { ' ' }, self.id, self.title)
    }
}

/// With leading zeros, so that keys are in the order of the numbers.
fn key(id: u64) -> String {
    format!("{ITEMS}{id:010}")
}

/// Keeps a new item, under a number no other call gets.
pub fn add(title: &str) -> Result<Item, StoreError> {
    let next = key_value::update_json(NEXT, |next: Option<u64>| next.unwrap_or(1) + 1)?;
    let item = Item { id: next - 1, title: title.to_owned(), done: false };
    key_value::set_json(&key(item.id), &item)?;
    Ok(item)
}

/// All items, oldest first.
pub fn all() -> Result<Vec<Item>, StoreError> {
    let mut items = Vec::new();
    for key in key_value::list(ITEMS)? {
        // It may have been removed since.
        items.extend(key_value::get_json(&key)?);
    }
    Ok(items)
}

/// The item, done now; none if there is none.
pub fn complete(id: u64) -> Result<Option<Item>, StoreError> {
    let key = key(id);
    loop {
        let Some(current) = key_value::get(&key)? else { return Ok(None) };
        let Some(item) = key_value::get_json::<Item>(&key)? else { return Ok(None) };
        let item = Item { done: true, ..item };
        let value = serde_json::to_vec(&item).unwrap_or_default();
        match key_value::compare_and_set(&key, Some(&current), Some(&value)) {
            Ok(()) => return Ok(Some(item)),
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
}

pub fn remove(id: u64) -> Result<(), StoreError> {
    key_value::delete(&key(id))
}
