//! What a plugin may do for one caller: never more than for the operator, and never what belongs to another caller.

use std::path::{Component, Path, PathBuf};

use super::caller::{Callers, Principal};
use super::fs::{Access, DirGrant};
use super::grant::Grant;
use super::pattern::HostPattern;
use super::peers::ToolPattern;

/// Stands for the caller's own folder in the host path of a directory.
const PRINCIPAL: &str = "{principal}";

/// What a plugin may do for some callers, of what it may do at all. A part that is none is not narrowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallerGrant {
    /// For whom.
    pub callers: Callers,
    /// Directories by their guest paths, and the most that may be done in each.
    pub dirs: Option<Vec<(String, Access)>>,
    /// Requests.
    pub hosts: Option<Vec<HostPattern>>,
    /// Names of variables.
    pub env: Option<Vec<String>>,
    /// Names of secrets.
    pub secrets: Option<Vec<String>>,
    /// Other tools.
    pub tools: Option<Vec<ToolPattern>>,
    /// Whether it has its store.
    pub key_value: Option<bool>,
}

impl DirGrant {
    /// Whether each caller has a directory of its own there.
    pub fn is_per_caller(&self) -> bool {
        self.host
            .components()
            .any(|part| matches!(part, Component::Normal(name) if name.to_string_lossy().contains(PRINCIPAL)))
    }

    /// The directory of one caller; none where there should be one and the caller can have none.
    fn of_caller(&self, caller: Option<&Principal>) -> Option<DirGrant> {
        if !self.is_per_caller() {
            return Some(self.clone());
        }
        let folder = caller?.folder()?;
        Some(DirGrant { host: with_folder(&self.host, &folder), ..self.clone() })
    }

    /// The last directory that is the same for all callers, which the operator has to make; none if all of them are.
    pub fn shared_parent(&self) -> Option<PathBuf> {
        let mut parent = PathBuf::new();
        for part in self.host.components() {
            if part.as_os_str().to_string_lossy().contains(PRINCIPAL) {
                return Some(parent);
            }
            parent.push(part);
        }
        None
    }
}

fn with_folder(path: &Path, folder: &str) -> PathBuf {
    let part = |part: Component<'_>| match part {
        Component::Normal(name) if name.to_string_lossy().contains(PRINCIPAL) => {
            PathBuf::from(name.to_string_lossy().replace(PRINCIPAL, folder))
        }
        other => PathBuf::from(other.as_os_str()),
    };
    path.components().map(part).collect()
}

impl Grant {
    /// Whether what the plugin may do depends on who calls.
    pub fn depends_on_caller(&self) -> bool {
        !self.callers.is_empty() || self.dirs.iter().any(DirGrant::is_per_caller)
    }

    /// What the plugin may do for this caller: this grant, narrowed by the first entry that speaks of the caller. Where
    /// there are entries and none does, nothing.
    #[must_use]
    pub fn for_caller(&self, caller: Option<&Principal>) -> Grant {
        let mut grant = match self.callers.iter().find(|entry| entry.callers.include(caller)) {
            Some(entry) => self.narrowed(entry),
            None if self.callers.is_empty() => self.clone(),
            None => Grant::default(),
        };
        grant.callers = Vec::new();
        grant.dirs = grant.dirs.iter().filter_map(|dir| dir.of_caller(caller)).collect();
        grant
    }

    /// What of it is the same for everyone: nobody has called yet when a plugin is asked for its lists.
    #[must_use]
    pub fn for_nobody(&self) -> Grant {
        let mut grant = self.clone();
        grant.callers = Vec::new();
        grant.dirs.retain(|dir| !dir.is_per_caller());
        grant
    }

    fn narrowed(&self, entry: &CallerGrant) -> Grant {
        let mut grant = self.clone();
        if let Some(dirs) = &entry.dirs {
            grant.dirs = self
                .dirs
                .iter()
                .filter_map(|dir| {
                    let (_, most) = dirs.iter().find(|(guest, _)| *guest == dir.guest)?;
                    Some(DirGrant { access: dir.access.min(*most), ..dir.clone() })
                })
                .collect();
        }
        if let Some(hosts) = &entry.hosts {
            grant.hosts = self.overlap(hosts);
        }
        if let Some(names) = &entry.env {
            grant.env.retain(|name, _| names.contains(name));
        }
        if let Some(names) = &entry.secrets {
            grant.secrets.retain(|secret| names.contains(&secret.name));
        }
        if let Some(tools) = &entry.tools {
            grant.tools =
                self.tools.iter().flat_map(|own| tools.iter().filter_map(|other| own.intersect(other))).collect();
        }
        if entry.key_value == Some(false) {
            grant.key_value = None;
        }
        grant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir(host: &str, guest: &str, access: Access) -> DirGrant {
        DirGrant { host: host.into(), guest: guest.into(), access }
    }

    fn only(principal: &str) -> Callers {
        Callers { principals: vec![principal.parse().unwrap()], ..Callers::default() }
    }

    #[test]
    fn each_caller_has_its_own_directory() {
        let grant = Grant {
            dirs: vec![
                dir("/srv/{principal}/data", "/data", Access::ReadWrite),
                dir("/srv/x-{principal}", "/x", Access::ReadOnly),
                dir("/srv/common", "/common", Access::ReadOnly),
            ],
            ..Grant::default()
        };
        assert!(grant.depends_on_caller());
        let hosts = |caller: Option<&Principal>| -> Vec<String> {
            grant.for_caller(caller).dirs.iter().map(|dir| dir.host.display().to_string()).collect()
        };
        assert_eq!(hosts(Some(&Principal::new("alice"))), ["/srv/alice/data", "/srv/x-alice", "/srv/common"]);
        assert_eq!(
            hosts(Some(&Principal::new("../bob"))),
            ["/srv/%2E.%2Fbob/data", "/srv/x-%2E.%2Fbob", "/srv/common"]
        );
        assert_eq!(hosts(None), ["/srv/common"], "nobody has no directory of his own");
        assert_eq!(hosts(Some(&Principal::new(""))), ["/srv/common"]);
        let parents: Vec<_> = grant.dirs.iter().map(DirGrant::shared_parent).collect();
        assert_eq!(parents, [Some("/srv".into()), Some("/srv".into()), None]);
    }

    #[test]
    fn a_caller_gets_no_more_than_the_operator_gave() {
        let mut grant = Grant {
            dirs: vec![dir("/a", "/a", Access::ReadOnly), dir("/b", "/b", Access::ReadWrite)],
            hosts: vec!["https://*.example.com".parse().unwrap()],
            env: [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "2".to_owned())].into(),
            tools: vec!["weather*".parse().unwrap()],
            ..Grant::default()
        };
        grant.callers = vec![
            CallerGrant {
                callers: only("alice"),
                dirs: Some(vec![("/a".into(), Access::ReadWrite), ("/c".into(), Access::ReadWrite)]),
                hosts: Some(vec!["https://*".parse().unwrap(), "http://a.example.com".parse().unwrap()]),
                env: Some(vec!["B".into(), "C".into()]),
                tools: Some(vec!["*".parse().unwrap()]),
                key_value: Some(true),
                ..CallerGrant::default()
            },
            CallerGrant { callers: only("root"), ..CallerGrant::default() },
        ];
        let alice = grant.for_caller(Some(&Principal::new("alice")));
        assert_eq!(alice.dirs, [dir("/a", "/a", Access::ReadOnly)]);
        assert_eq!(alice.hosts, ["https://*.example.com".parse().unwrap()]);
        assert_eq!(alice.env.keys().collect::<Vec<_>>(), ["B"]);
        assert_eq!(alice.tools, ["weather*".parse().unwrap()]);
        assert_eq!(alice.key_value, None, "what the operator did not give nobody has");
        let root = grant.for_caller(Some(&Principal::new("root")));
        assert_eq!(root, Grant { callers: Vec::new(), ..grant.clone() });
        for nobody in [None, Some(&Principal::new("bob"))] {
            assert_eq!(grant.for_caller(nobody), Grant::default(), "who is not spoken of can have the plugin compute");
        }
    }
}
