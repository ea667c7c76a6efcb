//! The store of values, behind the door that cells know.

use crate::sandbox::doors::{Answer, ValueChange, Values, ValuesError};
use crate::state::{Expected, Full, Quota, StateError, ValueStore, ValueWrite};
use std::sync::Arc;

/// A [`ValueStore`] as cells see it.
pub(crate) struct Door(pub(crate) Arc<dyn ValueStore>);

impl Values for Door {
    fn get<'a>(&'a self, plugin: &'a str, key: &'a str) -> Answer<'a, Result<Option<Vec<u8>>, ValuesError>> {
        Box::pin(async move { self.0.value(plugin, key).await.map_err(|error| told(plugin, error)) })
    }

    fn put<'a>(&'a self, plugin: &'a str, change: ValueChange) -> Answer<'a, Result<(), ValuesError>> {
        let ValueChange { key, value, expected, max_keys, max_bytes } = change;
        let write = ValueWrite {
            plugin: plugin.to_owned(),
            key,
            value,
            expected: expected.map_or(Expected::Anything, Expected::Exactly),
            quota: Quota { keys: max_keys, bytes: max_bytes },
        };
        Box::pin(async move { self.0.put(write).await.map_err(|error| told(plugin, error)) })
    }

    fn keys<'a>(
        &'a self,
        plugin: &'a str,
        prefix: &'a str,
        after: Option<&'a str>,
    ) -> Answer<'a, Result<(Vec<String>, bool), ValuesError>> {
        Box::pin(async move {
            let page = self.0.keys(plugin, prefix, after).await.map_err(|error| told(plugin, error))?;
            Ok((page.keys, page.more))
        })
    }
}

/// What a guest may know of an error. The rest, such as where the file is, is for the operator.
fn told(plugin: &str, error: StateError) -> ValuesError {
    match error {
        StateError::Differs { current } => ValuesError::Conflict(current),
        StateError::Full { what: Full::Keys, .. } => ValuesError::TooManyKeys,
        StateError::Full { what: Full::Bytes, .. } => ValuesError::TooManyBytes,
        error => {
            tracing::error!(plugin, "a plugin's store failed: {error}");
            ValuesError::Failed
        }
    }
}
