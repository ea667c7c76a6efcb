//! What one grant has that another has not, in words for whoever reads a record of it later.

use super::grant::Grant;
use super::secret::SecretGrant;

/// What was given and what was taken away, a line each. Values of variables are never shown: one that changed stands in
/// both lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantChanges {
    /// What is there now and was not.
    pub added: Vec<String>,
    /// What was there and is not any more.
    pub removed: Vec<String>,
}

impl GrantChanges {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

impl Grant {
    /// What is different from the grant before.
    pub fn changes_since(&self, before: &Self) -> GrantChanges {
        let (now, then) = (self.lines(), before.lines());
        let without = |these: &[Line], those: &[Line]| {
            these.iter().filter(|line| !those.contains(line)).map(|line| line.shown.clone()).collect()
        };
        GrantChanges { added: without(&now, &then), removed: without(&then, &now) }
    }

    fn lines(&self) -> Vec<Line> {
        let Self { dirs, hosts, addresses, env, key_value, tools, secrets, callers } = self;
        let dirs = dirs
            .iter()
            .map(|dir| Line::new(format!("directory {} from {} ({})", dir.guest, dir.host.display(), dir.access)));
        let hosts = hosts.iter().map(|pattern| Line::new(format!("requests to {pattern}")));
        let addresses = addresses.iter().map(|network| Line::new(format!("addresses in {network}")));
        let env = env.iter().map(|(name, value)| Line { shown: format!("variable {name}"), hidden: value.clone() });
        let store = key_value.iter().map(|store| {
            let whose = if store.per_caller { " for each caller" } else { "" };
            Line::new(format!("a store of {} bytes{whose}", store.max_bytes))
        });
        let tools = tools.iter().map(|pattern| Line::new(format!("calls of {pattern}")));
        let secrets = secrets.iter().map(|secret| Line::new(secret_line(secret)));
        let callers = callers.iter().map(|narrow| Line::new(format!("narrower for some callers: {narrow:?}")));
        dirs.chain(hosts).chain(addresses).chain(env).chain(store).chain(tools).chain(secrets).chain(callers).collect()
    }
}

/// A line, and what it is compared by besides and never shown.
#[derive(PartialEq)]
struct Line {
    shown: String,
    hidden: String,
}

impl Line {
    fn new(shown: String) -> Self {
        Self { shown, hidden: String::new() }
    }
}

fn secret_line(secret: &SecretGrant) -> String {
    let SecretGrant { name, hosts, attach, env } = secret;
    let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let env = env.iter().map(|name| format!(", its placeholder in {name}")).collect::<String>();
    format!("secret {name} as {attach} for {}{env}", hosts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Access, DirGrant, StoreGrant};

    #[test]
    fn what_was_given_and_taken_away_is_told_without_values() {
        let dir = |access| DirGrant { host: "/srv".into(), guest: "/data".into(), access };
        let env = |value: &str| [("TOKEN".to_owned(), value.to_owned())].into();
        let before = Grant {
            dirs: vec![dir(Access::ReadOnly)],
            hosts: vec!["https://a.example".parse().unwrap(), "https://b.example".parse().unwrap()],
            env: env("s3cret"),
            ..Grant::default()
        };
        let after = Grant {
            dirs: vec![dir(Access::ReadWrite)],
            hosts: vec!["https://b.example".parse().unwrap()],
            env: env("other-s3cret"),
            key_value: Some(StoreGrant { max_bytes: 9, per_caller: true }),
            ..Grant::default()
        };
        let changes = after.changes_since(&before);
        let expected =
            ["directory /data from /srv (read-write)", "variable TOKEN", "a store of 9 bytes for each caller"];
        assert_eq!(changes.added, expected);
        let expected = ["directory /data from /srv (read-only)", "requests to https://a.example", "variable TOKEN"];
        assert_eq!(changes.removed, expected);
        assert!(!format!("{changes:?}").contains("s3cret"));
        assert!(after.changes_since(&after).is_empty());
        assert_eq!(after.changes_since(&Grant::default()).added.len(), 4);
    }
}
