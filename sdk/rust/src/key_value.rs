//! Small values that outlive a call, private to this plugin.
//!
//! The plugin asks for them with `#[plugin(request(key_value, why = "…"))]`, the operator grants them with `key-value = true`.
//! A value is bytes; the functions that end in `_json` read and write anything serializable.
//!
//! ```
//! use toolcell_sdk::{ToolError, key_value};
//!
//! fn visit(name: &str) -> Result<u32, ToolError> {
//!     let visits = key_value::update_json(&format!("visits/{name}"), |visits: Option<u32>| visits.unwrap_or(0) + 1)?;
//!     Ok(visits)
//! }
//! # assert_eq!(visit("ada").unwrap(), 1);
//! # assert_eq!(visit("ada").unwrap(), 2);
//! ```
//!
//! Calls run beside each other, so what is read may be another by the time it is written: [`compare_and_set`] and
//! [`update_json`] notice. On the machine itself the values are kept for the test's thread.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::{self, Display, Formatter};

/// Why the store did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// The operator granted no store; the text is the line that would.
    Denied(String),
    /// Key, value or store would be larger than allowed; the text says which limit.
    Limit(String),
    /// [`compare_and_set`] met another value: what is there now.
    Conflict(Option<Vec<u8>>),
    /// Anything else.
    Other(String),
    /// The value of this key is not the JSON that was expected, or what was to be written is not JSON.
    Json {
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
    },
}

impl Display for StoreError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(text) | Self::Limit(text) | Self::Other(text) => f.write_str(text),
            Self::Conflict(_) => f.write_str("the value was changed meanwhile; try again"),
            Self::Json { key, problem } => write!(f, "the value of {key:?} cannot be used as JSON: {problem}"),
        }
    }
}

impl std::error::Error for StoreError {}

/// The keys of one page, and where to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPage {
    /// In byte order.
    pub keys: Vec<String>,
    /// Pass it to [`list_page`] for what follows; none at the end.
    pub next: Option<String>,
}

/// The value of a key, or none.
///
/// # Errors
/// See [`StoreError`].
pub fn get(key: &str) -> Result<Option<Vec<u8>>, StoreError> {
    #[cfg(target_family = "wasm")]
    return Ok(host::get(key)?);
    #[cfg(not(target_family = "wasm"))]
    fake::with(|values| Ok(values.get(key).cloned()))
}

/// Sets a key. It is durable when this returns.
///
/// # Errors
/// See [`StoreError`].
pub fn set(key: &str, value: impl AsRef<[u8]>) -> Result<(), StoreError> {
    let value = value.as_ref();
    #[cfg(target_family = "wasm")]
    return Ok(host::set(key, value)?);
    #[cfg(not(target_family = "wasm"))]
    fake::with(|values| {
        values.insert(key.to_owned(), value.to_vec());
        Ok(())
    })
}

/// Removes a key; one that is not there is no error.
///
/// # Errors
/// See [`StoreError`].
pub fn delete(key: &str) -> Result<(), StoreError> {
    #[cfg(target_family = "wasm")]
    return Ok(host::delete(key)?);
    #[cfg(not(target_family = "wasm"))]
    fake::with(|values| {
        values.remove(key);
        Ok(())
    })
}

/// Sets a key (or removes it, with none) if its value is still `expected`, in one step.
///
/// # Errors
/// [`StoreError::Conflict`] with the value that is there, if it is another; see [`StoreError`].
pub fn compare_and_set(key: &str, expected: Option<&[u8]>, value: Option<&[u8]>) -> Result<(), StoreError> {
    #[cfg(target_family = "wasm")]
    return Ok(host::compare_and_set(key, expected, value)?);
    #[cfg(not(target_family = "wasm"))]
    fake::with(|values| {
        let current = values.get(key);
        if current.map(Vec::as_slice) != expected {
            return Err(StoreError::Conflict(current.cloned()));
        }
        match value {
            Some(value) => values.insert(key.to_owned(), value.to_vec()),
            None => values.remove(key),
        };
        Ok(())
    })
}

/// All keys that begin with `prefix`, in byte order.
///
/// # Errors
/// See [`StoreError`].
pub fn list(prefix: &str) -> Result<Vec<String>, StoreError> {
    let mut page = list_page(prefix, None)?;
    let mut keys = page.keys;
    while let Some(next) = page.next {
        page = list_page(prefix, Some(&next))?;
        keys.append(&mut page.keys);
    }
    Ok(keys)
}

/// Some of the keys that begin with `prefix`, from the beginning or from where another page ended.
///
/// # Errors
/// See [`StoreError`].
pub fn list_page(prefix: &str, from: Option<&str>) -> Result<KeyPage, StoreError> {
    #[cfg(target_family = "wasm")]
    {
        let host::KeyPage { keys, next } = host::list_keys(prefix, from)?;
        Ok(KeyPage { keys, next })
    }
    #[cfg(not(target_family = "wasm"))]
    fake::with(|values| Ok(fake::page(values, prefix, from)))
}

/// The value of a key, read as JSON; none if there is none.
///
/// # Errors
/// [`StoreError::Json`] if it is no `T`; see [`StoreError`].
pub fn get_json<T: DeserializeOwned>(key: &str) -> Result<Option<T>, StoreError> {
    get(key)?.map(|value| read(key, &value)).transpose()
}

/// Sets a key to a value written as JSON. It is durable when this returns.
///
/// # Errors
/// [`StoreError::Json`] if it cannot be written; see [`StoreError`].
pub fn set_json(key: &str, value: &impl Serialize) -> Result<(), StoreError> {
    set(key, written(key, value)?)
}

/// Replaces the value of a key by what `change` makes of it, and returns that. If another call changes it meanwhile,
/// `change` is asked again with the new value.
///
/// # Errors
/// [`StoreError::Json`] if the value is no `T`; see [`StoreError`].
pub fn update_json<T: DeserializeOwned + Serialize>(
    key: &str,
    mut change: impl FnMut(Option<T>) -> T,
) -> Result<T, StoreError> {
    let mut current = get(key)?;
    loop {
        let value = change(current.as_deref().map(|value| read(key, value)).transpose()?);
        match compare_and_set(key, current.as_deref(), Some(&written(key, &value)?)) {
            Ok(()) => return Ok(value),
            Err(StoreError::Conflict(other)) => current = other,
            Err(error) => return Err(error),
        }
    }
}

fn read<T: DeserializeOwned>(key: &str, value: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(value).map_err(|error| not_json(key, &error))
}

fn written(key: &str, value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| not_json(key, &error))
}

fn not_json(key: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Json { key: key.to_owned(), problem: error.to_string() }
}

#[cfg(target_family = "wasm")]
use crate::bindings::tools::toolcell::plugin::key_value as host;

#[cfg(target_family = "wasm")]
impl From<host::StoreError> for StoreError {
    fn from(error: host::StoreError) -> Self {
        match error {
            host::StoreError::Denied(text) => Self::Denied(text),
            host::StoreError::Limit(text) => Self::Limit(text),
            host::StoreError::Conflict(current) => Self::Conflict(current),
            host::StoreError::Other(text) => Self::Other(text),
        }
    }
}

/// The store of a test.
#[cfg(not(target_family = "wasm"))]
pub(crate) mod fake {
    use super::{KeyPage, StoreError};
    use std::cell::RefCell;
    use std::collections::BTreeMap;
    use std::ops::Bound;

    /// Short, so that a plugin that forgets to go on after a page is found out.
    const PAGE: usize = 10;

    type Values = BTreeMap<String, Vec<u8>>;

    thread_local! {
        // One per thread, because each test has a thread of its own.
        static VALUES: RefCell<Values> = const { RefCell::new(BTreeMap::new()) };
        static FAILURE: RefCell<Option<StoreError>> = const { RefCell::new(None) };
    }

    pub(super) fn with<T>(work: impl FnOnce(&mut Values) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match FAILURE.with_borrow(Clone::clone) {
            Some(failure) => Err(failure),
            None => VALUES.with_borrow_mut(work),
        }
    }

    pub(super) fn page(values: &Values, prefix: &str, from: Option<&str>) -> KeyPage {
        let from = match from {
            Some(from) if from >= prefix => Bound::Excluded(from),
            _ => Bound::Included(prefix),
        };
        let found = values.range::<str, _>((from, Bound::Unbounded)).map(|(key, _)| key);
        let mut keys: Vec<String> = found.take_while(|key| key.starts_with(prefix)).take(PAGE + 1).cloned().collect();
        let more = keys.len() > PAGE;
        keys.truncate(PAGE);
        let next = keys.last().filter(|_| more).cloned();
        KeyPage { keys, next }
    }

    pub(crate) fn fail_with(failure: Option<StoreError>) {
        FAILURE.set(failure);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn values_are_kept_compared_and_listed() {
        assert_eq!(get("k"), Ok(None));
        set("k", b"1").unwrap();
        assert_eq!(get("k"), Ok(Some(b"1".to_vec())));
        assert_eq!(compare_and_set("k", None, None), Err(StoreError::Conflict(Some(b"1".to_vec()))));
        compare_and_set("k", Some(b"1"), None).unwrap();
        assert_eq!(get("k"), Ok(None));
        delete("k").unwrap();

        for n in 0..25 {
            set(&format!("item/{n:02}"), "x").unwrap();
        }
        set("itemx", "x").unwrap();
        assert_eq!(list("item/").unwrap().len(), 25);
        assert!(list("item/").unwrap().is_sorted());
        assert_eq!(list_page("item/", Some("item/23")).unwrap(), KeyPage { keys: vec!["item/24".into()], next: None });
        assert_eq!(list("none").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn json_is_read_and_written() {
        set_json("point", &(1, 2)).unwrap();
        assert_eq!(get("point").unwrap().unwrap(), b"[1,2]");
        assert_eq!(get_json("point"), Ok(Some((1, 2))));
        assert_eq!(get_json::<u8>("nothing"), Ok(None));
        let error = get_json::<String>("point").unwrap_err().to_string();
        assert!(error.starts_with("the value of \"point\" cannot be used as JSON"), "{error}");
        assert_eq!(update_json("n", |n: Option<u32>| n.unwrap_or(7) + 1), Ok(8));
        assert_eq!(update_json("n", |n: Option<u32>| n.unwrap_or(7) + 1), Ok(9));
    }

    #[test]
    fn a_change_in_between_is_met() {
        set_json("n", &1).unwrap();
        let mut seen = Vec::new();
        let result = update_json("n", |n: Option<u32>| {
            seen.push(n);
            if seen.len() == 1 {
                set_json("n", &5).unwrap();
            }
            n.unwrap_or(0) + 1
        });
        assert_eq!((result, seen), (Ok(6), vec![Some(1), Some(5)]));
    }

    #[test]
    fn a_test_can_take_the_store_away() {
        testing::store_fails(Some(StoreError::Denied("add key-value = true".into())));
        assert_eq!(set("k", "v").unwrap_err().to_string(), "add key-value = true");
        testing::store_fails(None);
        assert_eq!(get("k"), Ok(None));
    }
}
