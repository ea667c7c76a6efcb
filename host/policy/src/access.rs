//! Which callers see and use what. The list a caller gets is the list it may call.

use std::collections::BTreeSet;

use super::caller::{Callers, NamePattern, Principal};
use super::hook::CallKind;

/// One rule: what some callers may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowRule {
    /// Who.
    pub callers: Callers,
    /// Of which plugins; none means of all.
    pub plugins: Vec<NamePattern>,
    /// Tools by the names clients see. A rule that names neither tools nor resources nor prompts is for all of them.
    pub tools: Vec<NamePattern>,
    /// Resources and resource templates by URI.
    pub resources: Vec<NamePattern>,
    /// Prompts by the names clients see.
    pub prompts: Vec<NamePattern>,
}

impl AllowRule {
    fn covers(&self, item: &Item<'_>) -> bool {
        let patterns = match item.kind {
            CallKind::Tool => &self.tools,
            CallKind::Prompt => &self.prompts,
            CallKind::Resource | CallKind::Completion => &self.resources,
        };
        let of_plugin = self.plugins.is_empty() || self.plugins.iter().any(|it| it.matches_plugin(item.plugin));
        let all = self.tools.is_empty() && self.resources.is_empty() && self.prompts.is_empty();
        of_plugin && (all || patterns.iter().any(|pattern| pattern.matches(item.name)))
    }
}

/// Something that is listed and can be called.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// A tool, a prompt, or a resource (which resource templates are too).
    pub kind: CallKind,
    /// Whose it is.
    pub plugin: &'a str,
    /// Its name as clients see it; for a resource its URI, for a template the template.
    pub name: &'a str,
}

/// All rules. Without any, every caller may use everything; with one, only what a rule allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessRules {
    rules: Vec<AllowRule>,
}

/// What one caller may use: the rules that speak of it. Callers with the same view see the same lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct View(Option<Vec<usize>>);

impl View {
    /// Whether nothing is hidden from it.
    pub fn is_whole(&self) -> bool {
        self.0.is_none()
    }
}

impl AccessRules {
    /// These rules.
    pub fn new(rules: Vec<AllowRule>) -> Self {
        Self { rules }
    }

    /// Whether all callers may use the same.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What a caller may use.
    pub fn view(&self, caller: Option<&Principal>) -> View {
        if self.rules.is_empty() {
            return View(None);
        }
        let speaking = self.rules.iter().enumerate().filter(|(_, rule)| rule.callers.include(caller));
        View(Some(speaking.map(|(at, _)| at).collect()))
    }

    /// Whether something is in that view.
    pub fn shows(&self, view: &View, item: &Item<'_>) -> bool {
        match &view.0 {
            None => self.rules.is_empty(),
            Some(rules) => rules.iter().filter_map(|at| self.rules.get(*at)).any(|rule| rule.covers(item)),
        }
    }

    /// Whether a caller may use something.
    ///
    /// # Errors
    /// What it lacks.
    pub fn check(&self, caller: Option<&Principal>, item: &Item<'_>) -> Result<(), Lacking> {
        if self.rules.is_empty() || self.rules.iter().any(|rule| rule.callers.include(caller) && rule.covers(item)) {
            return Ok(());
        }
        let within_reach = self.rules.iter().filter(|rule| rule.callers.name(caller) && rule.covers(item));
        let scopes = within_reach.map(|rule| &rule.callers.scopes).min_by_key(|scopes| scopes.len());
        Err(scopes.map_or(Lacking::Right, |scopes| Lacking::Scopes(scopes.clone())))
    }
}

/// What a caller lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// Nothing it could ask for would help: no rule speaks of it.
    Right,
    /// With all these scopes it could. Source: 2026-07-28, authorization, "Scope Challenge Handling".
    Scopes(BTreeSet<String>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<NamePattern> {
        list.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn item(kind: CallKind, name: &str) -> Item<'_> {
        Item { kind, plugin: "p", name }
    }

    #[test]
    fn without_rules_all_is_open_and_with_one_all_else_is_closed() {
        let anyone = AccessRules::default();
        assert!(anyone.shows(&anyone.view(None), &item(CallKind::Tool, "t")));
        assert_eq!(anyone.check(None, &item(CallKind::Tool, "t")), Ok(()));
        let of_alice = Callers { principals: names(&["alice"]), ..Callers::default() };
        let rules = AccessRules::new(vec![AllowRule {
            callers: of_alice,
            tools: names(&["fs_*", "echo"]),
            resources: names(&["file:///a/*"]),
            ..AllowRule::default()
        }]);
        let (alice, bob) = (Principal::new("alice"), Principal::new("bob"));
        let table = [
            (CallKind::Tool, "fs_read", true),
            (CallKind::Tool, "echo", true),
            (CallKind::Tool, "echo2", false),
            (CallKind::Resource, "file:///a/b", true),
            (CallKind::Resource, "file:///b", false),
            (CallKind::Completion, "file:///a/{x}", true),
            (CallKind::Prompt, "fs_read", false),
        ];
        for (kind, name, allowed) in table {
            let item = item(kind, name);
            assert_eq!(rules.check(Some(&alice), &item).is_ok(), allowed, "{item:?}");
            assert_eq!(rules.shows(&rules.view(Some(&alice)), &item), allowed, "the list is what may be called");
            for other in [None, Some(&bob)] {
                assert_eq!(rules.check(other, &item), Err(Lacking::Right));
                assert!(!rules.shows(&rules.view(other), &item));
            }
        }
        assert_ne!(rules.view(Some(&alice)), rules.view(Some(&bob)));
        assert!(!rules.shows(&View::default(), &item(CallKind::Tool, "echo")), "a view of no rules shows nothing");
    }

    #[test]
    fn what_is_lacking_is_named_at_once() {
        let scopes = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<BTreeSet<_>>();
        let rule = |list: &[&str]| AllowRule {
            callers: Callers { scopes: scopes(list), ..Callers::default() },
            plugins: names(&["p"]),
            ..AllowRule::default()
        };
        let rules = AccessRules::new(vec![rule(&["a", "b", "c"]), rule(&["a", "d"])]);
        let caller = Principal { scopes: scopes(&["a"]), ..Principal::new("x") };
        let tool = item(CallKind::Tool, "t");
        assert_eq!(rules.check(Some(&caller), &tool), Err(Lacking::Scopes(scopes(&["a", "d"]))));
        let elsewhere = Item { plugin: "q", ..tool };
        assert_eq!(rules.check(Some(&caller), &elsewhere), Err(Lacking::Right));
        let full = Principal { scopes: scopes(&["a", "d"]), ..caller };
        assert_eq!(rules.check(Some(&full), &tool), Ok(()));
    }
}
