//! What a rule counts by, and whom it is for.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::facts::CallFacts;
use crate::print::{Print, Printer};

/// What a rule counts by: calls that agree in it are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Per {
    /// Each caller for itself, whatever it calls.
    Principal,
    /// Each tool of each plugin, whoever calls it.
    Tool,
    /// Each plugin, whoever calls it.
    Plugin,
    /// Each caller for itself, and each tool for itself.
    PrincipalAndTool,
}

impl Per {
    const ALL: [Self; 4] = [Self::Principal, Self::Tool, Self::Plugin, Self::PrincipalAndTool];

    /// As the configuration writes it: `principal`, `tool`, `plugin`, `principal+tool`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Principal => "principal",
            Self::Tool => "tool",
            Self::Plugin => "plugin",
            Self::PrincipalAndTool => "principal+tool",
        }
    }

    pub(crate) fn print(self, printer: &Printer, call: &CallFacts<'_>) -> Print {
        match self {
            Self::Principal => printer.of(call.principal),
            Self::Tool => printer.of((call.plugin, call.tool)),
            Self::Plugin => printer.of(call.plugin),
            Self::PrincipalAndTool => printer.of((call.principal, call.plugin, call.tool)),
        }
    }

    /// Whose calls are counted, for the model.
    pub(crate) fn whose(self) -> &'static str {
        match self {
            Self::Principal => "this caller's calls",
            Self::Tool => "all calls of this tool together",
            Self::Plugin => "all calls of this plugin together",
            Self::PrincipalAndTool => "this caller's calls of this tool",
        }
    }
}

impl fmt::Display for Per {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Per {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        find(&Self::ALL, |it| it.as_str(), text)
    }
}

/// The time a rate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Every {
    /// 1 s.
    Second,
    /// 60 s.
    Minute,
    /// 3,600 s.
    Hour,
    /// 86,400 s, from any moment on.
    Day,
}

impl Every {
    const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::Hour, Self::Day];

    /// As the configuration writes it: `second`, `minute`, `hour`, `day`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// How long it is.
    pub fn duration(self) -> Duration {
        Duration::from_secs(match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        })
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Every {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        find(&Self::ALL, |it| it.as_str(), text)
    }
}

fn find<T: Copy>(all: &[T], name: fn(T) -> &'static str, text: &str) -> Result<T, String> {
    all.iter().copied().find(|it| name(*it) == text).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|it| name(*it)).collect();
        format!("`{text}` is none of {}; write one of these", names.join(", "))
    })
}

/// Whom and what a rule is for. An empty list says nothing; one with names holds for calls that match one of them. All
/// lists must hold. The default is everybody and everything.
///
/// Names are compared exactly, each in O(1) per name of the rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Only {
    /// Callers. Those without a name are in no such list.
    pub principals: Vec<String>,
    /// Groups, of which the caller is in one.
    pub groups: Vec<String>,
    /// Groups that the rule is not for, although all else holds: so that one rule is for `staff`, and another for the rest.
    pub except_groups: Vec<String>,
    /// Plugins; the name of one means all its versions.
    pub plugins: Vec<String>,
    /// Tools, by the names their plugins gave them.
    pub tools: Vec<String>,
}

impl Only {
    /// Whether the rule is for this call.
    pub fn fits(&self, call: &CallFacts<'_>) -> bool {
        let Self { principals, groups, except_groups, plugins, tools } = self;
        let in_one = |groups: &[String]| groups.iter().any(|it| call.is_in(it));
        // `weather@1` is one version of the plugin `weather`.
        let of_versions = call.plugin.split_once('@').map(|(name, _)| name);
        (principals.is_empty() || principals.iter().any(|it| Some(it.as_str()) == call.principal))
            && (groups.is_empty() || in_one(groups))
            && !in_one(except_groups)
            && (plugins.is_empty() || plugins.iter().any(|it| it == call.plugin || Some(it.as_str()) == of_versions))
            && (tools.is_empty() || tools.iter().any(|it| it == call.tool))
    }
}

/// As the configuration writes it, after the rule's other keys: nothing for everybody, or `, principals = ["ada"]`.
impl fmt::Display for Only {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { principals, groups, except_groups, plugins, tools } = self;
        let lists = [
            ("principals", principals),
            ("groups", groups),
            ("except-groups", except_groups),
            ("plugins", plugins),
            ("tools", tools),
        ];
        for (key, names) in lists.into_iter().filter(|(_, names)| !names.is_empty()) {
            write!(f, ", {key} = {names:?}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::time::SystemTime;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|it| (*it).to_owned()).collect()
    }

    #[test]
    fn a_rule_is_for_calls_that_all_its_lists_hold_for() {
        let staff = BTreeSet::from(["staff".to_owned()]);
        let ada = CallFacts::new(Some("ada"), "files", "read", SystemTime::UNIX_EPOCH).with_groups(&staff);
        let nobody = CallFacts::new(None, "files", "read", SystemTime::UNIX_EPOCH);
        let cases: [(Only, bool, bool); 7] = [
            (Only::default(), true, true),
            (Only { principals: names(&["bob", "ada"]), ..Only::default() }, true, false),
            (Only { groups: names(&["staff"]), ..Only::default() }, true, false),
            (Only { except_groups: names(&["staff"]), ..Only::default() }, false, true),
            (Only { plugins: names(&["files"]), tools: names(&["read"]), ..Only::default() }, true, true),
            (Only { plugins: names(&["files"]), tools: names(&["write"]), ..Only::default() }, false, false),
            (Only { principals: names(&[""]), ..Only::default() }, false, false),
        ];
        for (only, for_ada, for_nobody) in cases {
            assert_eq!((only.fits(&ada), only.fits(&nobody)), (for_ada, for_nobody), "{only:?}");
        }
    }

    #[test]
    fn names_read_as_they_are_written() {
        for per in Per::ALL {
            assert_eq!(per.as_str().parse(), Ok(per));
        }
        for every in Every::ALL {
            assert_eq!(every.as_str().parse(), Ok(every));
        }
        let error = "week".parse::<Every>().unwrap_err();
        assert_eq!(error, "`week` is none of second, minute, hour, day; write one of these");
    }

    #[test]
    fn calls_are_counted_together_by_what_they_agree_in() {
        let printer = Printer::default();
        let call = |principal, plugin, tool| CallFacts::new(principal, plugin, tool, SystemTime::UNIX_EPOCH);
        let one = call(Some("ada"), "p", "t");
        for (per, other, same) in [
            (Per::Principal, call(Some("ada"), "q", "u"), true),
            (Per::Principal, call(None, "p", "t"), false),
            (Per::Tool, call(Some("bob"), "p", "t"), true),
            (Per::Tool, call(Some("ada"), "q", "t"), false),
            (Per::Plugin, call(Some("bob"), "p", "u"), true),
            (Per::PrincipalAndTool, call(Some("ada"), "p", "u"), false),
        ] {
            assert_eq!(per.print(&printer, &one) == per.print(&printer, &other), same, "{per} {other:?}");
        }
    }
}
