//! Which calls wait until the person at the client has approved them.

use super::caller::{Callers, NamePattern, Principal};

/// Calls that must be approved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApprovalRule {
    /// By whom they are made.
    pub callers: Callers,
    /// Tools by the names clients see; none means all.
    pub tools: Vec<NamePattern>,
    /// Of which plugins; none means of all.
    pub plugins: Vec<NamePattern>,
    /// Whether only tools that may destroy something: those that do not say that they only read, or that what they change
    /// they only add. Source: 2026-07-28, schema, `ToolAnnotations`.
    pub only_destructive: bool,
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug)]
pub struct Approvable<'a> {
    /// The plugin.
    pub plugin: &'a str,
    /// The tool's name as clients see it.
    pub tool: &'a str,
    /// The same without what tells versions of a plugin apart: who names a tool means all of them.
    pub plain_tool: &'a str,
    /// Whether it may destroy something, as far as it says.
    pub destructive: bool,
}

/// All rules; a call that any of them speaks of must be approved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approvals(pub Vec<ApprovalRule>);

impl Approvals {
    /// Whether the call must be approved.
    pub fn must_be(&self, caller: Option<&Principal>, call: &Approvable<'_>) -> bool {
        let names_it = |it: &NamePattern| it.matches(call.tool) || it.matches(call.plain_tool);
        self.0.iter().any(|rule| {
            rule.callers.include(caller)
                && (rule.tools.is_empty() || rule.tools.iter().any(names_it))
                && (rule.plugins.is_empty() || rule.plugins.iter().any(|it| it.matches_plugin(call.plugin)))
                && (call.destructive || !rule.only_destructive)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_held_if_any_rule_speaks_of_it() {
        let rules = Approvals(vec![
            ApprovalRule { only_destructive: true, ..ApprovalRule::default() },
            ApprovalRule { tools: vec!["pay*".parse().unwrap()], ..ApprovalRule::default() },
            ApprovalRule {
                callers: Callers { principals: vec!["intern".parse().unwrap()], ..Callers::default() },
                ..ApprovalRule::default()
            },
        ]);
        let call = |tool, destructive| Approvable { plugin: "p", tool, plain_tool: tool, destructive };
        let intern = Principal::new("intern");
        for (caller, call, held) in [
            (None, call("read", false), false),
            (None, call("delete", true), true),
            (None, call("pay_now", false), true),
            (Some(&intern), call("read", false), true),
        ] {
            assert_eq!(rules.must_be(caller, &call), held, "{call:?}");
        }
        let kept = Approvable { plain_tool: "pay", ..call("old_1", false) };
        assert!(rules.must_be(None, &kept), "under another name it is the same tool");
        assert!(!Approvals::default().must_be(None, &call("delete", true)));
    }
}
