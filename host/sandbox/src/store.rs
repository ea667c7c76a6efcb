//! `toolcell:plugin/key-value`: a plugin's own store, as far as it is granted one.

use super::bindings::v0_1::toolcell::plugin::key_value::{Host, KeyPage, StoreError};
use super::doors::{ValueChange, Values, ValuesError};
use super::imports::Voice;
use super::ledger::Ledger;
use std::borrow::Cow;
use std::sync::Arc;
use toolcell_policy::{StoreGrant, plugin_table};

impl Voice {
    /// The plugin's store, if it has one.
    pub(super) fn store(&self) -> Result<(Arc<dyn Values>, StoreGrant), StoreError> {
        let rules = &self.rules;
        let granted = rules.grant.check_store(&rules.plugin, rules.requested.as_ref());
        let granted = granted.map_err(|reason| StoreError::Denied(self.refused(&reason)))?;
        match &rules.doors.values {
            Some(values) => Ok((Arc::clone(values), granted)),
            None => Err(StoreError::Denied(format!(
                "plugin `{}` has no store while it is asked for its lists; use it when a tool is called",
                rules.plugin
            ))),
        }
    }

    /// Whose values they are: the plugin's, or of one caller's in the plugin. No plugin's name holds a `:`.
    fn store_of(&self, granted: StoreGrant) -> Cow<'_, str> {
        let plugin = &*self.rules.plugin;
        if !granted.per_caller {
            return Cow::Borrowed(plugin);
        }
        let caller = self.ctx.caller.as_deref().map_or("", |caller| &caller.id);
        Cow::Owned(format!("{plugin}:{caller}"))
    }

    /// The value of a key.
    pub(super) async fn stored(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let (values, granted) = self.store()?;
        let store = self.store_of(granted);
        let stored = Ledger::told(self.ctx.ledger.as_deref(), "store.get", values.get(&store, key)).await;
        stored.map_err(|error| self.store_error(error, granted))
    }

    /// Some keys.
    pub(super) async fn stored_keys(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<(Vec<String>, bool), StoreError> {
        let (values, granted) = self.store()?;
        let store = self.store_of(granted);
        let keys = values.keys(&store, prefix, after);
        let keys = Ledger::told(self.ctx.ledger.as_deref(), "store.keys", keys).await;
        keys.map_err(|error| self.store_error(error, granted))
    }

    /// Changes a key, within the limits on what is written and how often.
    pub(super) async fn change(
        &mut self,
        key: String,
        value: Option<Vec<u8>>,
        expected: Option<Option<Vec<u8>>>,
    ) -> Result<(), StoreError> {
        let (values, granted) = self.store()?;
        let limits = &self.rules.limits;
        let limit = |what: &str, most: usize, setting: &str| {
            Err(StoreError::Limit(format!(
                "{what}; at most {most} are allowed, the operator can raise `limits.{setting}`"
            )))
        };
        if let Some(value) = &value {
            if key.len() > limits.store_key_bytes {
                let what = format!("the key is {} bytes long", key.len());
                return limit(&what, limits.store_key_bytes, "store-key-bytes");
            }
            if value.len() > limits.store_value_bytes {
                let what = format!("the value is {} bytes long", value.len());
                return limit(&what, limits.store_value_bytes, "store-value-bytes");
            }
        }
        if self.store_writes >= limits.store_writes {
            return limit("this call has changed its store too often", limits.store_writes, "store-writes");
        }
        let change = ValueChange { key, value, expected, max_keys: limits.store_keys, max_bytes: granted.max_bytes };
        self.store_writes += 1;
        let store = self.store_of(granted);
        let put = values.put(&store, change);
        let put = Ledger::told(self.ctx.ledger.as_deref(), "store.put", put).await;
        put.map_err(|error| self.store_error(error, granted))
    }

    fn store_error(&self, error: ValuesError, granted: StoreGrant) -> StoreError {
        let plugin = &self.rules.plugin;
        match error {
            ValuesError::Conflict(current) => StoreError::Conflict(current),
            ValuesError::TooManyKeys => StoreError::Limit(format!(
                "the store of plugin `{plugin}` has its {} keys; remove some, or the operator can raise `limits.store-keys`",
                self.rules.limits.store_keys
            )),
            ValuesError::TooManyBytes => StoreError::Limit(format!(
                "the store of plugin `{plugin}` would hold more than its {} bytes; remove something, or the operator can \
                 change in toolcell.toml: {} key-value = {{ max-bytes = {} }}",
                granted.max_bytes,
                plugin_table(plugin),
                granted.max_bytes.saturating_mul(2).min(StoreGrant::MAX_BYTES)
            )),
            ValuesError::Failed => {
                StoreError::Other("the host's store failed; its log says why, and trying again may help".to_owned())
            }
        }
    }
}

impl Host for Voice {
    async fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<Vec<u8>>, StoreError>> {
        Ok(self.stored(&key).await)
    }

    async fn set(&mut self, key: String, value: Vec<u8>) -> wasmtime::Result<Result<(), StoreError>> {
        Ok(self.change(key, Some(value), None).await)
    }

    async fn delete(&mut self, key: String) -> wasmtime::Result<Result<(), StoreError>> {
        Ok(self.change(key, None, None).await)
    }

    async fn compare_and_set(
        &mut self,
        key: String,
        expected: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
    ) -> wasmtime::Result<Result<(), StoreError>> {
        Ok(self.change(key, value, Some(expected)).await)
    }

    async fn list_keys(
        &mut self,
        prefix: String,
        cursor: Option<String>,
    ) -> wasmtime::Result<Result<KeyPage, StoreError>> {
        Ok(self.stored_keys(&prefix, cursor.as_deref()).await.map(|(keys, more)| {
            let next = keys.last().filter(|_| more).cloned();
            KeyPage { keys, next }
        }))
    }
}
