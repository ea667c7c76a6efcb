//! `key-value` and `tools` of one plugin: its own store, and the other tools it may call.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};

use super::diagnostic::Faults;
use super::written::{At, Size};
use crate::policy::{StoreGrant, ToolPattern};

/// A store of its own.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub(super) enum KeyValueValue {
    /// Whether it has one.
    Word(bool),
    /// One of another size.
    Sized(StoreTable),
}

/// The store of a plugin.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct StoreTable {
    /// Size of all its keys and values. Default is 16 MiB, at most 1 GiB.
    pub(super) max_bytes: Option<At<Size>>,
    /// Whether each caller has a store of its own, so that none finds what another left. Default is false.
    pub(super) per_caller: bool,
}

/// By hand, because serde's `untagged` would forget where a mistake stands.
impl<'de> Deserialize<'de> for KeyValueValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyValueVisitor;

        impl<'de> Visitor<'de> for KeyValueVisitor {
            type Value = KeyValueValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or { max-bytes = \"16 MiB\", per-caller = true }")
            }

            fn visit_bool<E: de::Error>(self, word: bool) -> Result<KeyValueValue, E> {
                Ok(KeyValueValue::Word(word))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<KeyValueValue, A::Error> {
                StoreTable::deserialize(MapAccessDeserializer::new(map)).map(KeyValueValue::Sized)
            }
        }

        deserializer.deserialize_any(KeyValueVisitor)
    }
}

pub(super) fn resolve(written: Option<&KeyValueValue>, faults: &mut Faults) -> Option<StoreGrant> {
    let (size, per_caller) = match written? {
        KeyValueValue::Word(true) => return Some(StoreGrant::default()),
        KeyValueValue::Word(false) => return None,
        KeyValueValue::Sized(StoreTable { max_bytes: None, per_caller }) => {
            return Some(StoreGrant { per_caller: *per_caller, ..StoreGrant::default() });
        }
        KeyValueValue::Sized(StoreTable { max_bytes: Some(size), per_caller }) => (size, *per_caller),
    };
    match size.get().0 {
        max_bytes @ 1..=StoreGrant::MAX_BYTES => Some(StoreGrant { max_bytes, per_caller }),
        bytes => {
            let fix = format!("write 1 to {} or \"1 GiB\"", StoreGrant::MAX_BYTES);
            faults.push(size.span(), format!("`max-bytes` is {bytes}"), fix);
            None
        }
    }
}

pub(super) fn resolve_tools(texts: &[At<String>], faults: &mut Faults) -> Vec<ToolPattern> {
    let mut tools = Vec::new();
    for text in texts {
        match text.get().parse::<ToolPattern>() {
            Ok(pattern) => tools.push(pattern),
            Err(message) => faults.push_whole(text.span(), &message),
        }
    }
    tools
}
