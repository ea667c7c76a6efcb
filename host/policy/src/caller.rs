//! Who is calling, and which callers a rule of the operator's speaks of.

use std::any::Any;
use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 1_024;
/// The longest name of a principal's folder, in bytes: file systems take 255.
const MAX_FOLDER: usize = 240;

/// The person or program behind a call, as whoever authenticated it says. The default is nobody with no rights.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Principal {
    /// A stable identifier, unique on this host.
    pub id: String,
    /// What plugins may know of it: the text of a JSON object.
    pub claims: String,
    /// The groups it belongs to.
    pub groups: BTreeSet<String>,
    /// The scopes it was given, with all that they imply.
    pub scopes: BTreeSet<String>,
    /// What it showed to be let in.
    pub shown: Shown,
}

/// What a caller showed to be let in, for those who act in its name or must know when that ends. Only who knows its type
/// can look at it; as text it says nothing, and a caller is the same whatever it showed.
#[derive(Clone, Default)]
pub struct Shown(Option<Arc<dyn Any + Send + Sync>>);

impl Shown {
    /// This.
    pub fn new<T: Any + Send + Sync>(what: T) -> Self {
        Self(Some(Arc::new(what)))
    }

    /// The same as what it is; none if it is something else, or nothing.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.as_ref()?.downcast_ref()
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown(…)")
    }
}

impl PartialEq for Shown {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Shown {}

impl Hash for Shown {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Principal {
    /// A principal without groups and scopes, of whom plugins know no more than the identifier.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), claims: "{}".to_owned(), ..Self::default() }
    }

    /// The name of a folder that is this principal's alone: two principals never share one, and it is one plain part of a
    /// path whatever the identifier holds. None if the identifier is empty or too long for that.
    pub fn folder(&self) -> Option<String> {
        let mut name = String::new();
        for (at, byte) in self.id.bytes().enumerate() {
            match byte {
                b'.' if at == 0 => name.push_str("%2E"),
                // Upper case is written out, because some file systems do not tell it from lower case.
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'@' => name.push(char::from(byte)),
                // Writing to a string cannot fail.
                _ => drop(write!(name, "%{byte:02X}")),
            }
        }
        (1..=MAX_FOLDER).contains(&name.len()).then_some(name)
    }
}

/// A name, or with a `*` at the end every name that begins so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    name: String,
    is_prefix: bool,
}

impl NamePattern {
    /// Whether that name is meant.
    pub fn matches(&self, name: &str) -> bool {
        if self.is_prefix { name.starts_with(&self.name) } else { name == self.name }
    }

    /// Whether that plugin is meant: by its whole name, such as `weather@1`, or by the name of all its versions, `weather`.
    pub fn matches_plugin(&self, plugin: &str) -> bool {
        self.matches(plugin) || plugin.split_once('@').is_some_and(|(name, _)| self.matches(name))
    }
}

impl FromStr for NamePattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.strip_suffix('*').unwrap_or(text);
        let shown: String = text.chars().take(80).collect();
        if name.contains('*') {
            return Err(format!("{shown:?} has a `*` that is not at its end, write it like \"weather*\""));
        }
        if text.is_empty() || text.len() > MAX_PATTERN || text.chars().any(char::is_control) {
            return Err(format!("{shown:?} is no name, write 1 to {MAX_PATTERN} printable characters"));
        }
        Ok(Self { name: name.to_owned(), is_prefix: name.len() < text.len() })
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.is_prefix { f.write_str("*") } else { Ok(()) }
    }
}

/// Some callers: those that are named or belong to a named group, and have all the scopes. The default is everyone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Callers {
    /// By identifier. With no identifier and no group, all are meant.
    pub principals: Vec<NamePattern>,
    /// By group.
    pub groups: Vec<String>,
    /// Scopes they must have besides, all of them.
    pub scopes: BTreeSet<String>,
}

impl Callers {
    /// Whether the caller is one of them. Nobody in particular is only meant where everyone is.
    pub fn include(&self, caller: Option<&Principal>) -> bool {
        self.name(caller) && self.scopes.iter().all(|scope| caller.is_some_and(|it| it.scopes.contains(scope)))
    }

    /// Whether the caller would be one of them with all the scopes.
    pub fn name(&self, caller: Option<&Principal>) -> bool {
        if self.principals.is_empty() && self.groups.is_empty() {
            return true;
        }
        caller.is_some_and(|caller| {
            self.principals.iter().any(|pattern| pattern.matches(&caller.id))
                || self.groups.iter().any(|group| caller.groups.contains(group))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_plugin_means_all_its_versions() {
        for (pattern, plugin, meant) in [
            ("weather", "weather", true),
            ("weather", "weather@1", true),
            ("weather@1", "weather@1", true),
            ("weather@1", "weather@2", false),
            ("weather@1", "weather", false),
            ("wea*", "weather@1", true),
            ("weather", "weather2@1", false),
        ] {
            assert_eq!(pattern.parse::<NamePattern>().unwrap().matches_plugin(plugin), meant, "{pattern} {plugin}");
        }
    }

    #[test]
    fn what_was_shown_tells_nobody_apart_and_is_not_told() {
        let alice = Principal { shown: Shown::new("a token".to_owned()), ..Principal::new("alice") };
        assert_eq!(alice, Principal::new("alice"));
        assert!(!format!("{alice:?}").contains("token"));
        assert_eq!(alice.shown.get::<String>().map(String::as_str), Some("a token"));
        assert!(alice.shown.get::<u8>().is_none() && Shown::default().get::<String>().is_none());
    }

    #[test]
    fn folders_are_plain_and_nobody_shares_one() {
        let ids = [
            "alice",
            "Alice",
            "%41lice",
            "a/b",
            "a%2Fb",
            "..",
            ".",
            "../alice",
            "a\0b",
            "ü",
            "a b",
            "a.b",
            "alice@x.org",
            "~",
            "a\\b",
            "C:",
            "-rf",
            "a%2fb",
            "%2E%2E",
        ];
        let mut seen = BTreeSet::new();
        for id in ids {
            let folder = Principal::new(id).folder().unwrap();
            assert!(!folder.contains(['/', '\\', '\0', ':']) && !folder.starts_with('.'), "{id:?} is {folder}");
            assert!(seen.insert(folder.clone()), "{id:?} shares {folder}");
        }
        assert_eq!(Principal::new("").folder(), None);
        assert_eq!(Principal::new("a".repeat(MAX_FOLDER + 1)).folder(), None);
        assert!(Principal::new("a".repeat(MAX_FOLDER)).folder().is_some());
    }

    #[test]
    fn callers_are_who_is_named_with_all_the_scopes() {
        let set = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<BTreeSet<_>>();
        let callers = |principals: &[&str], groups: &[&str], scopes: &[&str]| Callers {
            principals: principals.iter().map(|text| text.parse().unwrap()).collect(),
            groups: groups.iter().map(|text| (*text).to_owned()).collect(),
            scopes: set(scopes),
        };
        let alice = Principal { groups: set(&["dev"]), scopes: set(&["read"]), ..Principal::new("idp:alice") };
        let table = [
            (callers(&[], &[], &[]), true, true),
            (callers(&["idp:alice"], &[], &[]), true, false),
            (callers(&["idp:*"], &[], &[]), true, false),
            (callers(&["idp:bob"], &[], &[]), false, false),
            (callers(&["idp:bob"], &["dev"], &[]), true, false),
            (callers(&[], &["ops"], &[]), false, false),
            (callers(&[], &[], &["read"]), true, false),
            (callers(&[], &["dev"], &["read", "write"]), false, false),
        ];
        for (callers, named, anyone) in table {
            assert_eq!(callers.include(Some(&alice)), named, "{callers:?}");
            assert_eq!(callers.include(None), anyone, "{callers:?}");
        }
        assert!(callers(&[], &["dev"], &["write"]).name(Some(&alice)), "but for the scope");
    }

    #[test]
    fn patterns() {
        for bad in ["", "a*b", "**", "a\nb"] {
            assert!(bad.parse::<NamePattern>().is_err(), "{bad:?}");
        }
        for good in ["*", "a", "file:///srv/*", "käse*"] {
            assert_eq!(good.parse::<NamePattern>().unwrap().to_string(), good);
        }
    }
}
