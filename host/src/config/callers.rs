//! Who may use what, with what, and after whose word: `[[allow]]`, `[[approve]]`, and what of it stands in a plugin's own
//! table.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::diagnostic::Faults;
use super::needed::SecretConfig;
use super::plugin::resolve_hosts;
use super::store::resolve_tools;
use super::written::{AccessWord, At, Expected, Table};
use crate::policy::{
    Access, AccessRules, AllowRule, ApprovalRule, Approvals, Attach, CallerGrant, Callers, NamePattern, SecretGrant,
    check_env_name,
};

/// What some callers may use. With one such table, callers may use only what one allows; without any, everything.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct AllowTable {
    /// Callers by their identifiers; a `*` at the end stands for the rest. With neither these nor groups, everyone.
    pub(super) principals: Vec<At<String>>,
    /// Callers by their groups.
    pub(super) groups: Vec<At<String>>,
    /// Scopes they need besides, all of them.
    pub(super) scopes: Vec<At<String>>,
    /// Plugins whose tools, resources and prompts this is about. Default is all.
    pub(super) plugins: Vec<At<String>>,
    /// Tools by the names clients see; a `*` at the end stands for the rest. With neither tools nor resources nor prompts,
    /// all of them.
    pub(super) tools: Vec<At<String>>,
    /// Resources by URI, in the same form.
    pub(super) resources: Vec<At<String>>,
    /// Prompts by the names clients see, in the same form.
    pub(super) prompts: Vec<At<String>>,
}

/// Calls that run only after the person at the client has approved them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ApproveTable {
    /// Callers by their identifiers; a `*` at the end stands for the rest. With neither these nor groups, everyone.
    pub(super) principals: Vec<At<String>>,
    /// Callers by their groups.
    pub(super) groups: Vec<At<String>>,
    /// Plugins. Default is all.
    pub(super) plugins: Vec<At<String>>,
    /// Tools by the names clients see. Default is all.
    pub(super) tools: Vec<At<String>>,
    /// Only tools that may change or delete something, as far as their plugins say. Default is false.
    pub(super) only_destructive: bool,
}

/// A secret of `[secrets]` that goes with a plugin's requests, as `Authorization: Bearer …` unless something else is said.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("required" = ["name", "hosts"]))]
pub(super) struct UseTable {
    /// Its name in `[secrets]`.
    pub(super) name: Option<At<String>>,
    /// The requests it goes with, in the form of the plugin's `hosts`.
    pub(super) hosts: Vec<At<String>>,
    /// The header it is put into.
    pub(super) header: Option<At<String>>,
    /// The user whose password it is.
    pub(super) basic: Option<At<String>>,
    /// The parameter of the query it is put into.
    pub(super) query: Option<At<String>>,
    /// Only where the plugin itself wrote the placeholder into a header.
    pub(super) placeholder: bool,
    /// The variable in which the plugin finds the placeholder, which is no secret.
    pub(super) env: Option<At<String>>,
}

/// What the plugin may do when some callers call it, of what it may do at all. The first table that speaks of a caller
/// holds; where there are tables and none does, the plugin can only compute for that caller.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct CallerTable {
    /// Callers by their identifiers; a `*` at the end stands for the rest. With neither these nor groups, everyone.
    pub(super) principals: Vec<At<String>>,
    /// Callers by their groups.
    pub(super) groups: Vec<At<String>>,
    /// Scopes they need besides, all of them.
    pub(super) scopes: Vec<At<String>>,
    /// Directories by guest path, and the most that may be done there. Default is all.
    pub(super) dirs: Option<Vec<Table<CallerDirTable>>>,
    /// Requests. Default is all.
    pub(super) hosts: Option<Vec<At<String>>>,
    /// Variables by name. Default is all.
    pub(super) env: Option<Vec<At<String>>>,
    /// Secrets by name. Default is all.
    pub(super) secrets: Option<Vec<At<String>>>,
    /// Other tools. Default is all.
    pub(super) tools: Option<Vec<At<String>>>,
    /// Whether it has its store. Default is that it has.
    pub(super) key_value: Option<bool>,
}

/// A directory of the plugin.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("required" = ["guest"]))]
pub(super) struct CallerDirTable {
    /// Where the plugin sees it.
    pub(super) guest: Option<At<String>>,
    /// The most that may be done there. Default is what the plugin may do.
    pub(super) access: Option<AccessWord>,
}

impl Expected for AllowTable {
    const EXPECTED: &'static str = "a table, [[allow]] with groups = [\"…\"] and tools = [\"…\"]";
}

impl Expected for ApproveTable {
    const EXPECTED: &'static str = "a table, [[approve]] with tools = [\"…\"]";
}

impl Expected for UseTable {
    const EXPECTED: &'static str = "a table like { name = \"github\", hosts = [\"https://api.github.com\"] }";
}

impl Expected for CallerTable {
    const EXPECTED: &'static str = "a table, [[plugins.NAME.callers]] with groups = [\"…\"]";
}

impl Expected for CallerDirTable {
    const EXPECTED: &'static str = "a table like { guest = \"/docs\", access = \"read-only\" }";
}

/// The rules of access. They are about the whole server, so a mistake in one leaves nothing loaded: a rule that is left
/// out could open what it was to close.
pub(super) fn resolve_allow(tables: &[Table<AllowTable>], faults: &mut Faults) -> AccessRules {
    let mut rules = Vec::new();
    for Table(AllowTable { principals, groups, scopes, plugins, tools, resources, prompts }) in tables {
        rules.push(AllowRule {
            callers: callers(principals, groups, scopes, faults),
            plugins: names(plugins, faults),
            tools: names(tools, faults),
            resources: names(resources, faults),
            prompts: names(prompts, faults),
        });
    }
    AccessRules::new(rules)
}

/// The rules of approval.
pub(super) fn resolve_approve(tables: &[Table<ApproveTable>], faults: &mut Faults) -> Approvals {
    let rule = |Table(ApproveTable { principals, groups, plugins, tools, only_destructive }): &Table<ApproveTable>,
                faults: &mut Faults| ApprovalRule {
        callers: callers(principals, groups, &[], faults),
        plugins: names(plugins, faults),
        tools: names(tools, faults),
        only_destructive: *only_destructive,
    };
    Approvals(tables.iter().map(|table| rule(table, faults)).collect())
}

fn callers(principals: &[At<String>], groups: &[At<String>], scopes: &[At<String>], faults: &mut Faults) -> Callers {
    let plain = |list: &[At<String>], faults: &mut Faults| -> Vec<String> {
        for text in list.iter().filter(|text| text.get().is_empty() || text.get().contains('*')) {
            let problem = format!("{:?} is no group and no scope", text.get());
            faults.push(text.span(), problem, "write the name as it is, without `*`");
        }
        list.iter().map(|text| text.get().clone()).collect()
    };
    Callers {
        principals: names(principals, faults),
        groups: plain(groups, faults),
        scopes: plain(scopes, faults).into_iter().collect::<BTreeSet<_>>(),
    }
}

fn names(texts: &[At<String>], faults: &mut Faults) -> Vec<NamePattern> {
    let mut patterns = Vec::new();
    for text in texts {
        match NamePattern::from_str(text.get()) {
            Ok(pattern) => patterns.push(pattern),
            Err(message) => faults.push_whole(text.span(), &message),
        }
    }
    patterns
}

/// The secrets of a plugin. `known` are the names in `[secrets]`.
pub(super) fn resolve_uses(
    tables: &[At<Table<UseTable>>],
    known: &BTreeMap<String, SecretConfig>,
    faults: &mut Faults,
) -> Vec<SecretGrant> {
    let mut grants = Vec::new();
    for table in tables {
        let Table(UseTable { name, hosts, header, basic, query, placeholder, env }) = table.get();
        let Some(name) = name else {
            faults.push_missing(table.span(), "the secret has no `name`", "add name = \"…\", its name in [secrets]");
            continue;
        };
        if !known.contains_key(name.get()) {
            let fix = format!("add [secrets.{}] with env = \"…\" or file = \"…\"", name.get());
            faults.push(name.span(), format!("there is no secret {:?}", name.get()), fix);
        }
        let patterns = resolve_hosts(hosts, faults);
        if hosts.is_empty() {
            let fix = "add hosts = [\"https://api.example.com\"], the requests it goes with";
            faults.push_missing(table.span(), "the secret has no `hosts`", fix);
        }
        let attach = match (header, basic, query, placeholder) {
            (None, None, None, false) => Attach::Bearer,
            (Some(header), None, None, false) => Attach::Header(header_name(header, faults)),
            (None, Some(user), None, false) => Attach::Basic { user: user.get().clone() },
            (None, None, Some(name), false) => Attach::Query(name.get().clone()),
            (None, None, None, true) => Attach::Placeholder,
            _ => {
                let fix = "keep one of `header`, `basic`, `query` and `placeholder`";
                faults.push(table.span(), "the secret goes into two places", fix);
                continue;
            }
        };
        if let Some(env) = env
            && let Err(message) = check_env_name(env.get())
        {
            faults.push_whole(env.span(), &message);
        }
        grants.push(SecretGrant {
            name: name.get().clone(),
            hosts: patterns,
            attach,
            env: env.as_ref().map(|env| env.get().clone()),
        });
    }
    grants
}

fn header_name(written: &At<String>, faults: &mut Faults) -> String {
    let name = written.get().to_ascii_lowercase();
    let is_token =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
    let framing = ["host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade"];
    if !is_token || framing.contains(&name.as_str()) {
        faults.push(
            written.span(),
            format!("{name:?} is no header a secret can go into"),
            "write one like \"x-api-key\"",
        );
    }
    name
}

/// What a plugin may do for whom. `dirs` are the guest paths it has.
pub(super) fn resolve_callers(
    tables: &[Table<CallerTable>],
    dirs: &[crate::policy::DirGrant],
    faults: &mut Faults,
) -> Vec<CallerGrant> {
    let texts = |list: &Option<Vec<At<String>>>| {
        list.as_ref().map(|list| list.iter().map(|text| text.get().clone()).collect::<Vec<_>>())
    };
    let mut grants = Vec::new();
    for Table(table) in tables {
        let CallerTable { principals, groups, scopes, dirs: own, hosts, env, secrets, tools, key_value } = table;
        grants.push(CallerGrant {
            callers: callers(principals, groups, scopes, faults),
            dirs: own.as_ref().map(|own| own.iter().filter_map(|Table(dir)| caller_dir(dir, dirs, faults)).collect()),
            hosts: hosts.as_ref().map(|hosts| resolve_hosts(hosts, faults)),
            env: texts(env),
            secrets: texts(secrets),
            tools: tools.as_ref().map(|tools| resolve_tools(tools, faults)),
            key_value: *key_value,
        });
    }
    grants
}

fn caller_dir(
    table: &CallerDirTable,
    dirs: &[crate::policy::DirGrant],
    faults: &mut Faults,
) -> Option<(String, Access)> {
    let guest = table.guest.as_ref()?;
    let Some(dir) = dirs.iter().find(|dir| dir.guest == *guest.get()) else {
        let fix = "name one of the plugin's own `dirs` by its `guest` path";
        faults.push(guest.span(), format!("the plugin has no directory at {:?}", guest.get()), fix);
        return None;
    };
    let access = match table.access {
        None => dir.access,
        Some(AccessWord::ReadOnly) => Access::ReadOnly,
        Some(AccessWord::ReadWrite) => Access::ReadWrite,
    };
    Some((guest.get().clone(), access))
}
