//! What the operator gave, what the plugin asked for, and what both agree on.

use std::collections::BTreeMap;
use std::fmt;

use ipnet::IpNet;

use super::decision::DenyReason;
use super::fs::{DirGrant, DirRequest, requested_access};
use super::narrow::CallerGrant;
use super::pattern::HostPattern;
use super::peers::{ToolPattern, ToolRequest};
use super::secret::SecretGrant;
use super::store::{StoreGrant, StoreRequest};

/// What an operator gave one plugin. The default gives nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Grant {
    /// Directories the plugin sees.
    pub dirs: Vec<DirGrant>,
    /// Requests the plugin may send.
    pub hosts: Vec<HostPattern>,
    /// Addresses that are not public and may be connected to all the same, for any granted host. A cloud's metadata
    /// address is only opened by an entry for that one address, never by a network around it.
    pub addresses: Vec<IpNet>,
    /// Environment variables the plugin sees, with their values.
    pub env: BTreeMap<String, String>,
    /// The plugin's own store, if it has one.
    pub key_value: Option<StoreGrant>,
    /// Other tools of this host that the plugin may call, by the names clients see.
    pub tools: Vec<ToolPattern>,
    /// Secrets the host puts into the plugin's requests.
    pub secrets: Vec<SecretGrant>,
    /// What of all this it may do for whom; without any entry it is the same for everyone.
    pub callers: Vec<CallerGrant>,
}

/// What a plugin's manifest asks for. The default asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requested {
    /// Directories.
    pub dirs: Vec<DirRequest>,
    /// Requests it wants to send.
    pub hosts: Vec<HostRequest>,
    /// Environment variables.
    pub env: Vec<EnvRequest>,
    /// A store of its own.
    pub key_value: Option<StoreRequest>,
    /// Other tools it wants to call.
    pub tools: Vec<ToolRequest>,
}

impl Requested {
    /// What is asked for here that was not asked for before, in words for the operator.
    pub fn beyond(&self, before: &Self) -> Vec<String> {
        let dirs = self
            .dirs
            .iter()
            .filter(|asked| !before.dirs.iter().any(|known| known.access >= asked.access && known.covers(&asked.path)));
        let hosts =
            self.hosts.iter().map(|asked| &asked.pattern).filter(|asked| {
                !before.hosts.iter().any(|known| known.pattern.intersect(asked).as_ref() == Some(*asked))
            });
        let env = self.env.iter().map(|asked| &asked.name);
        let env = env.filter(|name| !before.env.iter().any(|known| known.name == **name));
        let store = self.key_value.is_some() && before.key_value.is_none();
        let tools =
            self.tools.iter().map(|asked| &asked.pattern).filter(|asked| {
                !before.tools.iter().any(|known| known.pattern.intersect(asked).as_ref() == Some(*asked))
            });
        let dirs = dirs.map(|asked| format!("to {} {:?}", asked.access.verb(), asked.path));
        let hosts = hosts.map(|pattern| format!("to send requests to {pattern}"));
        let env = env.map(|name| format!("for the variable {name:?}"));
        let store = store.then(|| "for a store of its own".to_owned());
        let tools = tools.map(|pattern| format!("to call the tool {pattern}"));
        dirs.chain(hosts).chain(env).chain(store).chain(tools).collect()
    }
}

/// Requests a plugin wants to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRequest {
    /// Which ones.
    pub pattern: HostPattern,
    /// What for, in the author's words.
    pub why: String,
}

/// A variable a plugin wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvRequest {
    /// Its name.
    pub name: String,
    /// What for, in the author's words.
    pub why: String,
}

impl Grant {
    /// What the plugin gets: the part of this grant that it asks for. A plugin without a manifest (`None`) is not known
    /// to ask for less than it is given, so the grant alone decides.
    ///
    /// Granting more than is asked for gives nothing more, and neither does asking for more than is granted.
    #[must_use]
    pub fn effective(&self, requested: Option<&Requested>) -> Grant {
        let Some(requested) = requested else {
            return self.clone();
        };
        let dirs = self.dirs.iter().filter_map(|dir| {
            let asked = requested_access(&requested.dirs, &dir.guest)?;
            Some(DirGrant { access: dir.access.min(asked), ..dir.clone() })
        });
        let env = self.env.iter().filter(|(name, _)| requested.env.iter().any(|asked| asked.name == **name));
        Grant {
            dirs: dirs.collect(),
            hosts: self.effective_hosts(requested),
            addresses: self.addresses.clone(),
            env: env.map(|(name, value)| (name.clone(), value.clone())).collect(),
            key_value: self.key_value.filter(|_| requested.key_value.is_some()),
            tools: self.effective_tools(requested),
            secrets: self.secrets.clone(),
            callers: self.callers.clone(),
        }
    }

    fn effective_hosts(&self, requested: &Requested) -> Vec<HostPattern> {
        self.overlap(requested.hosts.iter().map(|asked| &asked.pattern))
    }

    /// The granted requests that are also among others.
    pub(super) fn overlap<'a>(&self, others: impl IntoIterator<Item = &'a HostPattern> + Clone) -> Vec<HostPattern> {
        let mut hosts = Vec::new();
        for granted in &self.hosts {
            for other in others.clone() {
                let Some(both) = granted.intersect(other) else {
                    continue;
                };
                // A pattern that names an address grants that address. The operator's `http://*` does not, so a
                // manifest that asks for `http://127.0.0.1` must not turn the one into the other.
                let address_is_the_plugins = granted.address().is_none();
                if address_is_the_plugins && both.address().is_some_and(|address| !self.opens(address)) {
                    continue;
                }
                if !hosts.contains(&both) {
                    hosts.push(both);
                }
            }
        }
        hosts
    }

    /// Where grant and manifest differ: what the plugin asks for and does not get, and what it is given and does not ask
    /// for. Each entry says what to add; none of them is an error.
    pub fn gaps(&self, plugin: &str, requested: &Requested) -> Vec<DenyReason> {
        let mut gaps = self.dir_gaps(plugin, requested);
        for asked in &requested.hosts {
            if !self.hosts.iter().any(|granted| granted.intersect(&asked.pattern).is_some()) {
                gaps.push(DenyReason::HostNotGranted {
                    plugin: plugin.to_owned(),
                    request: asked.pattern.to_string(),
                    pattern: asked.pattern.to_string(),
                });
            }
        }
        for granted in &self.hosts {
            if !requested.hosts.iter().any(|asked| asked.pattern.intersect(granted).is_some()) {
                gaps.push(DenyReason::HostNotRequested {
                    plugin: plugin.to_owned(),
                    request: granted.to_string(),
                    pattern: granted.to_string(),
                });
            }
        }
        for asked in requested.env.iter().filter(|asked| !self.env.contains_key(&asked.name)) {
            gaps.push(DenyReason::EnvNotGranted { plugin: plugin.to_owned(), name: asked.name.clone() });
        }
        for name in self.env.keys().filter(|name| !requested.env.iter().any(|asked| asked.name == **name)) {
            gaps.push(DenyReason::EnvNotRequested { plugin: plugin.to_owned(), name: name.clone() });
        }
        match (&self.key_value, &requested.key_value) {
            (None, Some(_)) => gaps.push(DenyReason::StoreNotGranted { plugin: plugin.to_owned() }),
            (Some(_), None) => gaps.push(DenyReason::StoreNotRequested { plugin: plugin.to_owned() }),
            _ => {}
        }
        gaps.append(&mut self.tool_gaps(plugin, requested));
        gaps
    }

    fn tool_gaps(&self, plugin: &str, requested: &Requested) -> Vec<DenyReason> {
        let asked = || requested.tools.iter().map(|request| &request.pattern);
        let not_granted = asked()
            .filter(|asked| !self.tools.iter().any(|granted| granted.intersect(asked).is_some()))
            .map(|asked| DenyReason::ToolNotGranted { plugin: plugin.to_owned(), tool: asked.to_string() });
        let not_requested = self
            .tools
            .iter()
            .filter(|granted| !asked().any(|asked| asked.intersect(granted).is_some()))
            .map(|granted| DenyReason::ToolNotRequested { plugin: plugin.to_owned(), tool: granted.to_string() });
        not_granted.chain(not_requested).collect()
    }

    fn dir_gaps(&self, plugin: &str, requested: &Requested) -> Vec<DenyReason> {
        let mut gaps = Vec::new();
        for asked in &requested.dirs {
            let mut met = self.dirs.iter().filter(|dir| asked.covers(&dir.guest)).peekable();
            if met.peek().is_none() {
                gaps.push(DenyReason::DirNotGranted {
                    plugin: plugin.to_owned(),
                    path: asked.example().to_owned(),
                    access: asked.access,
                });
            }
        }
        for dir in self.dirs.iter().filter(|dir| requested_access(&requested.dirs, &dir.guest).is_none()) {
            gaps.push(DenyReason::DirNotRequested {
                plugin: plugin.to_owned(),
                path: dir.guest.clone(),
                access: dir.access,
            });
        }
        gaps
    }
}

/// Values of variables may be secrets, so only their names are shown.
impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dirs, hosts, addresses, env, key_value, tools, secrets, callers } = self;
        f.debug_struct("Grant")
            .field("dirs", dirs)
            .field("hosts", hosts)
            .field("addresses", addresses)
            .field("env", &env.keys().collect::<Vec<_>>())
            .field("key_value", key_value)
            .field("tools", tools)
            .field("secrets", secrets)
            .field("callers", callers)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fs::Access;
    use super::*;

    fn patterns(list: &[&str]) -> Vec<HostPattern> {
        list.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn asks(hosts: &[&str]) -> Requested {
        let hosts = patterns(hosts).into_iter();
        Requested {
            hosts: hosts.map(|pattern| HostRequest { pattern, why: String::new() }).collect(),
            ..Requested::default()
        }
    }

    #[test]
    fn effective_hosts_are_the_overlap() {
        // granted, addresses, asked for, effective
        #[rustfmt::skip] // a table: one row, one line
        let table: &[[&[&str]; 4]] = &[
            [&[], &[], &["https://*"], &[]],
            [&["https://*"], &[], &[], &[]],
            [&["https://*"], &[], &["https://a.example"], &["https://a.example"]],
            [&["https://a.example"], &[], &["https://*"], &["https://a.example"]],
            [&["https://*.a.example"], &[], &["https://x.a.example:*"], &["https://x.a.example"]],
            [&["GET https://a.example"], &[], &["https://a.example/v1/*"], &["GET https://a.example/v1/*"]],
            [&["http://*"], &[], &["https://*"], &[]],
            [&["http://127.0.0.1:80"], &[], &["http://*"], &["http://127.0.0.1"]],
            // The manifest cannot turn a wildcard into the grant of an address.
            [&["http://*"], &[], &["http://127.0.0.1"], &[]],
            [&["http://*"], &["127.0.0.0/8"], &["http://127.0.0.1"], &["http://127.0.0.1"]],
            [&["http://*"], &["169.254.0.0/16"], &["http://169.254.169.254"], &[]],
            [&["http://*"], &[], &["http://8.8.8.8"], &["http://8.8.8.8"]],
            [&["https://*", "https://a.example"], &[], &["https://a.example"], &["https://a.example"]],
        ];
        for [granted, addresses, asked, effective] in table {
            let grant = Grant {
                hosts: patterns(granted),
                addresses: addresses.iter().map(|net| net.parse().unwrap()).collect(),
                ..Grant::default()
            };
            let got = grant.effective(Some(&asks(asked)));
            assert_eq!(got.hosts, patterns(effective), "{granted:?} and {asked:?}");
            assert_eq!(got.addresses, grant.addresses);
            assert_eq!(grant.effective(None), grant);
        }
    }

    #[test]
    fn effective_dirs_have_the_lesser_access() {
        use Access::{ReadOnly, ReadWrite};
        let table: &[(&str, Access, &str, Access, Option<Access>)] = &[
            ("/docs", ReadWrite, "/*", ReadWrite, Some(ReadWrite)),
            ("/docs", ReadWrite, "/*", ReadOnly, Some(ReadOnly)),
            ("/docs", ReadOnly, "/*", ReadWrite, Some(ReadOnly)),
            ("/docs", ReadWrite, "/docs", ReadWrite, Some(ReadWrite)),
            ("/docs/sub", ReadWrite, "/docs", ReadWrite, Some(ReadWrite)),
            ("/docs", ReadWrite, "/docs/sub", ReadWrite, None),
            ("/docs", ReadWrite, "/doc", ReadWrite, None),
            ("/docs", ReadWrite, "/other", ReadWrite, None),
        ];
        for (guest, granted, path, asked, effective) in table {
            let dir = DirGrant { host: "/srv".into(), guest: (*guest).into(), access: *granted };
            let grant = Grant { dirs: vec![dir], ..Grant::default() };
            let request = DirRequest { path: (*path).into(), access: *asked, why: String::new() };
            let requested = Requested { dirs: vec![request], ..Requested::default() };
            let got = grant.effective(Some(&requested)).dirs.first().map(|dir| dir.access);
            assert_eq!(got, *effective, "{guest} {path}");
        }
    }

    #[test]
    fn only_requested_variables_are_seen_and_none_is_shown() {
        let env = [("TZ", "UTC"), ("TOKEN", "s3cret")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let grant = Grant { env: env.into(), ..Grant::default() };
        let request = EnvRequest { name: "TZ".into(), why: String::new() };
        let requested = Requested { env: vec![request], ..Requested::default() };
        let names: Vec<_> = grant.effective(Some(&requested)).env.into_keys().collect();
        assert_eq!(names, ["TZ"]);
        let debug = format!("{grant:?}");
        assert!(debug.contains("TOKEN") && !debug.contains("s3cret"), "{debug}");
    }

    #[test]
    fn what_is_asked_for_beyond_what_was_asked_for() {
        let dir = |path: &str, access| DirRequest { path: path.into(), access, why: String::new() };
        let before = Requested {
            dirs: vec![dir("/docs", Access::ReadWrite), dir("/logs", Access::ReadOnly)],
            tools: vec![ToolRequest { pattern: "time*".parse().unwrap(), why: "before".into() }],
            ..asks(&["https://*.a.example", "GET https://b.example"])
        };
        let mut after = Requested {
            dirs: vec![dir("/docs/x", Access::ReadOnly), dir("/logs", Access::ReadWrite), dir("/*", Access::ReadOnly)],
            tools: vec![
                ToolRequest { pattern: "time_now".parse().unwrap(), why: "after".into() },
                ToolRequest { pattern: "t*".parse().unwrap(), why: String::new() },
            ],
            ..asks(&["https://c.a.example", "https://b.example"])
        };
        after.env.push(EnvRequest { name: "TZ".into(), why: String::new() });
        after.key_value = Some(StoreRequest { why: String::new() });
        let expected = [
            "to write to \"/logs\"",
            "to read \"/*\"",
            "to send requests to https://b.example",
            "for the variable \"TZ\"",
            "for a store of its own",
            "to call the tool t*",
        ];
        assert_eq!(after.beyond(&before), expected);
        assert_eq!(after.beyond(&after), [""; 0]);
        assert_eq!(Requested::default().beyond(&before), [""; 0]);
    }

    #[test]
    fn gaps_name_both_sides() {
        let mut grant = Grant { hosts: patterns(&["https://b.example"]), ..Grant::default() };
        grant.dirs.push(DirGrant { host: "/srv".into(), guest: "/srv".into(), access: Access::ReadOnly });
        grant.env.insert("A".into(), String::new());
        grant.tools.push("time".parse().unwrap());
        let mut requested = asks(&["https://a.example"]);
        requested.key_value = Some(StoreRequest { why: String::new() });
        requested.tools.push(ToolRequest { pattern: "weather*".parse().unwrap(), why: String::new() });
        requested.env.push(EnvRequest { name: "B".into(), why: String::new() });
        requested.dirs.push(DirRequest { path: "/docs".into(), access: Access::ReadOnly, why: String::new() });
        let codes: Vec<_> = grant.gaps("p", &requested).iter().map(DenyReason::code).collect();
        assert_eq!(
            codes,
            [
                "dir-not-granted",
                "dir-not-requested",
                "host-not-granted",
                "host-not-requested",
                "env-not-granted",
                "env-not-requested",
                "store-not-granted",
                "tool-not-granted",
                "tool-not-requested"
            ]
        );
        assert_eq!(grant.gaps("p", &Requested::default()).len(), 4);
        assert_eq!(Grant::default().gaps("p", &Requested::default()), []);
    }
}
