//! Scopes that contain others: `admin` implies `tools`, `tools` implies `tools:read`.
//!
//! Cycles are allowed and mean that their scopes are one: the closure is a set, so it ends either way.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::ConfigError;
use crate::limits::{MAX_NAME_BYTES, MAX_SCOPES};

/// The configured implications, closed when they are made.
#[derive(Clone, Debug, Default)]
pub struct Scopes {
    /// For each scope that implies any: all it implies, itself included.
    closed: BTreeMap<String, BTreeSet<String>>,
}

impl Scopes {
    /// `implications` says for a scope what it directly implies.
    ///
    /// # Errors
    /// [`ConfigError::Scope`] for a scope that cannot be one (RFC 6749, 3.3), [`ConfigError::TooManyScopes`].
    pub fn new(implications: &BTreeMap<String, BTreeSet<String>>) -> Result<Self, ConfigError> {
        let named: BTreeSet<&String> = implications.iter().flat_map(|(from, to)| to.iter().chain([from])).collect();
        if named.len() > MAX_SCOPES {
            return Err(ConfigError::TooManyScopes);
        }
        if let Some(bad) = named.iter().find(|scope| !is_scope(scope)) {
            return Err(ConfigError::Scope(bad.escape_default().to_string()));
        }
        let closure = |from: &String| {
            let mut reached = BTreeSet::new();
            let mut ahead = vec![from];
            while let Some(scope) = ahead.pop() {
                if reached.insert(scope.clone()) {
                    ahead.extend(implications.get(scope).into_iter().flatten());
                }
            }
            reached
        };
        Ok(Self { closed: implications.keys().map(|from| (from.clone(), closure(from))).collect() })
    }

    /// `held` and all it implies.
    pub fn close(&self, held: &BTreeSet<String>) -> BTreeSet<String> {
        let mut all = held.clone();
        for scope in held {
            all.extend(self.closed.get(scope).into_iter().flatten().cloned());
        }
        all
    }

    /// What of `required` is not in `held`, in order, each once. `held` may be closed already or not.
    pub fn missing<'a>(&self, required: impl IntoIterator<Item = &'a str>, held: &BTreeSet<String>) -> Vec<String> {
        let closed = self.close(held);
        let required: BTreeSet<&str> = required.into_iter().collect();
        required.into_iter().filter(|scope| !closed.contains(*scope)).map(str::to_owned).collect()
    }
}

/// Whether `text` can be a scope: printable ASCII without space, `"` and `\` (RFC 6749, 3.3).
pub fn is_scope(text: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(scopes: &[&str]) -> BTreeSet<String> {
        scopes.iter().map(|scope| (*scope).to_owned()).collect()
    }

    fn scopes(lines: &[(&str, &[&str])]) -> Result<Scopes, ConfigError> {
        Scopes::new(&lines.iter().map(|(from, to)| ((*from).to_owned(), set(to))).collect())
    }

    #[test]
    fn a_broad_scope_holds_the_narrow_ones() {
        let tree = scopes(&[("admin", &["tools", "audit"]), ("tools", &["tools:read"])]).unwrap();
        assert_eq!(tree.close(&set(&["admin", "x"])), set(&["admin", "audit", "tools", "tools:read", "x"]));
        assert_eq!(tree.missing(["tools:read", "audit"], &set(&["admin"])), Vec::<String>::new());
        assert_eq!(tree.missing(["tools:read", "audit", "b", "b"], &set(&["tools"])), ["audit", "b"]);
        assert_eq!(tree.missing(["tools"], &set(&["tools:read"])), ["tools"], "never upwards");
        assert_eq!(tree.missing(["tools:read"], &set(&["tool"])), ["tools:read"], "names are whole");
    }

    #[test]
    fn scopes_that_imply_each_other_are_one() {
        let tree = scopes(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"]), ("d", &["d"])]).unwrap();
        for scope in ["a", "b", "c"] {
            assert_eq!(tree.close(&set(&[scope])), set(&["a", "b", "c"]));
        }
        assert_eq!(tree.close(&set(&["d"])), set(&["d"]));
    }

    #[test]
    fn what_cannot_be_a_scope_is_refused() {
        for bad in ["", "a b", "a\"b", "a\\b", "a\nb", "ä", &"x".repeat(MAX_NAME_BYTES + 1)] {
            assert!(matches!(scopes(&[("a", &[bad])]), Err(ConfigError::Scope(_))), "{bad:?}");
            assert!(matches!(scopes(&[(bad, &["a"])]), Err(ConfigError::Scope(_))), "{bad:?}");
        }
        let many: Vec<String> = (0..MAX_SCOPES).map(|n| format!("s{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(matches!(scopes(&[("a", &many)]), Err(ConfigError::TooManyScopes)));
    }
}
