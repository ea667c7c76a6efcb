//! Doc comments of WIT, as toolchains keep them: the `package-docs` section, a version byte and then JSON.
//!
//! Components carry no comments of their own. `toolcell build` puts the section in, and so do tools of others. Like the
//! component's code it is written by a stranger, but it can say nothing that a description could not say.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The custom section's name.
pub(in super::super) const SECTION: &str = "package-docs";
/// A larger section is not read, in bytes.
pub(in super::super) const MAX_BYTES: usize = 256 * 1024;

/// What the section says, as far as tools need it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Docs {
    worlds: BTreeMap<String, World>,
    interfaces: BTreeMap<String, Interface>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct World {
    /// Functions that are exported, or imported where no export has the name.
    funcs: BTreeMap<String, Function>,
    func_exports: BTreeMap<String, Function>,
    /// Interfaces written inside the world.
    interfaces: BTreeMap<String, Interface>,
    interface_exports: BTreeMap<String, Interface>,
    types: BTreeMap<String, Named>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Interface {
    funcs: BTreeMap<String, Function>,
    types: BTreeMap<String, Named>,
}

/// The first version of the format had the text alone.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Function {
    Text(Option<String>),
    Table {
        #[serde(default)]
        docs: Option<String>,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    items: BTreeMap<String, String>,
}

/// The documented types that functions of one interface can see.
#[derive(Debug, Default)]
pub(super) struct TypeDocs(Vec<BTreeMap<String, String>>);

impl TypeDocs {
    /// What is documented of the type that has fields or cases of these names. Types have no names in a compiled
    /// component, so the type is known by its parts.
    pub(super) fn of(&self, names: &[&str]) -> Option<&BTreeMap<String, String>> {
        let knows_all = |items: &&BTreeMap<String, String>| items.keys().all(|key| names.contains(&key.as_str()));
        self.0.iter().filter(knows_all).max_by_key(|items| items.len())
    }
}

impl Docs {
    /// Reads the section; one that does not read documents nothing.
    pub(super) fn parse(section: Option<&[u8]>) -> Self {
        section.and_then(|bytes| serde_json::from_slice(bytes.get(1..)?).ok()).unwrap_or_default()
    }

    /// The comment of an exported function. `interface` is its interface's own name, none for one of the world itself.
    pub(super) fn function<'a>(&'a self, interface: Option<&'a str>, name: &str) -> Option<&'a str> {
        let function = match interface {
            None => self.worlds.values().find_map(|world| world.func_exports.get(name).or(world.funcs.get(name))),
            Some(interface) => self.interfaces(interface).find_map(|interface| interface.funcs.get(name)),
        };
        let text = match function? {
            Function::Text(text) => text.as_deref(),
            Function::Table { docs } => docs.as_deref(),
        };
        text.map(str::trim).filter(|text| !text.is_empty())
    }

    /// The types a function of this interface can see: those of the interface itself, or all for one of the world.
    pub(super) fn types(&self, interface: Option<&str>) -> TypeDocs {
        let named: Vec<&Named> = match interface {
            Some(interface) => self.interfaces(interface).flat_map(|interface| interface.types.values()).collect(),
            None => {
                let own = self.worlds.values().flat_map(|world| world.types.values());
                own.chain(self.interfaces.values().flat_map(|interface| interface.types.values())).collect()
            }
        };
        TypeDocs(named.into_iter().filter(|named| !named.items.is_empty()).map(|named| named.items.clone()).collect())
    }

    fn interfaces<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Interface> {
        let inside = self
            .worlds
            .values()
            .filter_map(move |world| world.interface_exports.get(name).or_else(|| world.interfaces.get(name)));
        self.interfaces.get(name).into_iter().chain(inside)
    }
}

/// The part of a function's comment that speaks of one parameter: a line `- name: …`, with or without backticks, or
/// `@param name …`.
pub(super) fn parameter<'a>(comment: &'a str, name: &str) -> Option<&'a str> {
    comment.lines().find_map(|line| {
        let line = line.trim();
        let item =
            line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")).or_else(|| line.strip_prefix("@param "))?;
        let item = item.trim_start();
        let rest = match item.strip_prefix('`') {
            Some(quoted) => quoted.strip_prefix(name)?.strip_prefix('`')?,
            None => item.strip_prefix(name)?,
        };
        let text = rest.strip_prefix([':', ' '])?.trim_start_matches([':', ' ', '-']).trim();
        (!text.is_empty()).then_some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_the_format_read_and_nonsense_documents_nothing() {
        for (version, function) in [(0_u8, r#""Adds.""#), (1, r#"{"docs":"Adds.","stability":{"unstable":1}}"#)] {
            let json = format!(r#"{{"docs":"d","interfaces":{{"math":{{"funcs":{{"add":{function}}}}}}}}}"#);
            let section = [&[version], json.as_bytes()].concat();
            let docs = Docs::parse(Some(&section));
            assert_eq!(docs.function(Some("math"), "add"), Some("Adds."), "{version}");
            assert_eq!(docs.function(None, "add"), None);
        }
        for section in [&b""[..], b"\x01", b"\x01{", b"\x01[]", b"\x01{\"worlds\":3}"] {
            assert_eq!(Docs::parse(Some(section)).function(None, "add"), None);
        }
    }

    #[test]
    fn a_type_is_known_by_its_parts() {
        let json =
            r#" {"interfaces":{"a":{"types":{"p":{"items":{"x":"one"}},"q":{"items":{"x":"two","y":"three"}}}}}}"#;
        let types = Docs::parse(Some(json.as_bytes())).types(Some("a"));
        assert_eq!(types.of(&["x", "y"]).unwrap()["x"], "two");
        assert_eq!(types.of(&["x"]).unwrap()["x"], "one");
        assert!(types.of(&["y"]).is_none());
    }

    #[test]
    fn a_comment_speaks_of_its_parameters() {
        let comment = "Fetches.\n\n- `url`: where from\n* times - how often\n@param name-x who\n- url-x: other";
        for (name, text) in
            [("url", Some("where from")), ("times", Some("how often")), ("name-x", Some("who")), ("no", None)]
        {
            assert_eq!(parameter(comment, name), text, "{name}");
        }
    }
}
