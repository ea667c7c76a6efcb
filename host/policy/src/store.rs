//! The store of a plugin: small values that outlive its calls.

use super::decision::DenyReason;
use super::grant::{Grant, Requested};

/// A store for one plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreGrant {
    /// Bytes of all its keys and values together. Default is [`StoreGrant::DEFAULT_BYTES`].
    pub max_bytes: u64,
    /// Whether each caller has a store of its own, so that none finds what another left.
    pub per_caller: bool,
}

impl StoreGrant {
    /// 16 MiB: lists, settings and notes for years, and a thousand plugins that fill theirs still fit on a small disk.
    pub const DEFAULT_BYTES: u64 = 16 << 20;
    /// 1 GiB. What is larger is files' work.
    pub const MAX_BYTES: u64 = 1 << 30;
}

impl Default for StoreGrant {
    fn default() -> Self {
        Self { max_bytes: Self::DEFAULT_BYTES, per_caller: false }
    }
}

/// What a plugin wants to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreRequest {
    /// What for, in the author's words.
    pub why: String,
}

impl Grant {
    /// Whether `plugin` has a store, and how large it may be.
    ///
    /// # Errors
    ///
    /// The manifest does not ask for one, or the operator has not granted one.
    pub fn check_store(&self, plugin: &str, requested: Option<&Requested>) -> Result<StoreGrant, DenyReason> {
        if requested.is_some_and(|requested| requested.key_value.is_none()) {
            return Err(DenyReason::StoreNotRequested { plugin: plugin.to_owned() });
        }
        self.key_value.ok_or_else(|| DenyReason::StoreNotGranted { plugin: plugin.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_needs_both_sides() {
        let asks = Requested { key_value: Some(StoreRequest { why: "notes".into() }), ..Requested::default() };
        let gives = Grant { key_value: Some(StoreGrant { max_bytes: 7, per_caller: false }), ..Grant::default() };
        let table: &[(&Grant, Option<&Requested>, Result<u64, &str>)] = &[
            (&gives, Some(&asks), Ok(7)),
            (&gives, None, Ok(7)),
            (&gives, Some(&Requested::default()), Err("store-not-requested")),
            (&Grant::default(), Some(&asks), Err("store-not-granted")),
            (&Grant::default(), None, Err("store-not-granted")),
        ];
        for (grant, requested, expected) in table {
            let got = grant.check_store("p", *requested);
            assert_eq!(got.map(|store| store.max_bytes).map_err(|reason| reason.code()), *expected);
            let effective = grant.effective(*requested).key_value.map(|store| store.max_bytes);
            assert_eq!(effective, expected.ok(), "the effective grant says the same");
        }
    }
}
