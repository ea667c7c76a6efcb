//! Other tools a plugin may call, by the names clients see.

use std::fmt;
use std::str::FromStr;

use super::decision::DenyReason;
use super::grant::{Grant, Requested};

/// The longest name of a tool, in characters (2026-07-28, server/tools, "Tool Names").
const MAX_NAME: usize = 128;

/// One tool's name, or with a `*` at the end every name that begins so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolPattern {
    name: String,
    is_prefix: bool,
}

/// Tools a plugin wants to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolRequest {
    /// Which ones.
    pub pattern: ToolPattern,
    /// What for, in the author's words.
    pub why: String,
}

impl ToolPattern {
    /// Whether the tool of that name is meant.
    pub fn matches(&self, tool: &str) -> bool {
        if self.is_prefix { tool.starts_with(&self.name) } else { tool == self.name }
    }

    /// What both mean; none if there is no such tool.
    pub(super) fn intersect(&self, other: &Self) -> Option<Self> {
        let (wide, narrow) = match (self.is_prefix, other.is_prefix) {
            (true, true) if self.name.len() <= other.name.len() => (self, other),
            (true, false) => (self, other),
            _ => (other, self),
        };
        wide.matches(&narrow.name).then(|| narrow.clone())
    }
}

impl FromStr for ToolPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.strip_suffix('*').unwrap_or(text);
        let err = |problem: &str| Err(format!("tool {text:?} {problem}"));
        if name.contains('*') {
            return err("has a `*` that is not at its end, write it like \"weather*\"");
        }
        if text.is_empty() {
            return err("is no name, write one like \"weather\", or \"*\" for all");
        }
        if name.len() > MAX_NAME || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')) {
            return err("is no name, write at most 128 of `A-Z a-z 0-9 _ - .`");
        }
        Ok(Self { name: name.to_owned(), is_prefix: name.len() < text.len() })
    }
}

impl fmt::Display for ToolPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.is_prefix { f.write_str("*") } else { Ok(()) }
    }
}

impl Grant {
    /// Whether `plugin` may call the tool of that name.
    ///
    /// # Errors
    ///
    /// The manifest does not ask for it, or the operator has not granted it.
    pub fn check_tool(&self, plugin: &str, requested: Option<&Requested>, tool: &str) -> Result<(), DenyReason> {
        // What a guest calls a tool may be of any length; no tool has a longer name.
        let named = || tool.chars().take(MAX_NAME).collect();
        if requested.is_some_and(|requested| !requested.tools.iter().any(|asked| asked.pattern.matches(tool))) {
            return Err(DenyReason::ToolNotRequested { plugin: plugin.to_owned(), tool: named() });
        }
        if !self.tools.iter().any(|pattern| pattern.matches(tool)) {
            return Err(DenyReason::ToolNotGranted { plugin: plugin.to_owned(), tool: named() });
        }
        Ok(())
    }

    pub(super) fn effective_tools(&self, requested: &Requested) -> Vec<ToolPattern> {
        let mut tools = Vec::new();
        for granted in &self.tools {
            for both in requested.tools.iter().filter_map(|asked| granted.intersect(&asked.pattern)) {
                if !tools.contains(&both) {
                    tools.push(both);
                }
            }
        }
        tools
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(list: &[&str]) -> Vec<ToolPattern> {
        list.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn patterns_have_one_form_and_match_what_they_say() {
        let table = [
            ("weather", "weather", true),
            ("weather", "weather_now", false),
            ("weather*", "weather_now", true),
            ("weather*", "weather", true),
            ("weather*", "Weather", false),
            ("*", "anything", true),
            ("a.b-c_D", "a.b-c_D", true),
        ];
        for (text, tool, matches) in table {
            let pattern: ToolPattern = text.parse().unwrap();
            assert_eq!(pattern.matches(tool), matches, "{text} and {tool}");
            assert_eq!(pattern.to_string(), text);
        }
        for bad in ["", "a*b", "**", "a b", "ü", &"x".repeat(129)] {
            assert!(bad.parse::<ToolPattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_tool_needs_both_sides() {
        // granted, asked for, effective, tool, answer
        type Row<'a> = (&'a [&'a str], Option<&'a [&'a str]>, &'a [&'a str], &'a str, Result<(), &'a str>);
        let table: &[Row<'_>] = &[
            (&["weather*"], None, &["weather*"], "weather", Ok(())),
            (&["weather*"], Some(&["weather"]), &["weather"], "weather", Ok(())),
            (&["weather"], Some(&["*"]), &["weather"], "weather", Ok(())),
            (&["we*"], Some(&["weather*"]), &["weather*"], "weather_now", Ok(())),
            (&["weather*"], Some(&["weather"]), &["weather"], "weather_now", Err("tool-not-requested")),
            (&["time"], Some(&["weather", "time"]), &["time"], "weather", Err("tool-not-granted")),
            (&["a*"], Some(&["b*"]), &[], "a", Err("tool-not-requested")),
            (&[], None, &[], "weather", Err("tool-not-granted")),
            (&["*"], Some(&[]), &[], "weather", Err("tool-not-requested")),
        ];
        for (granted, asked, effective, tool, expected) in table {
            let grant = Grant { tools: patterns(granted), ..Grant::default() };
            let requested = asked.map(|asked| Requested {
                tools: patterns(asked).into_iter().map(|pattern| ToolRequest { pattern, why: String::new() }).collect(),
                ..Requested::default()
            });
            let grant = grant.effective(requested.as_ref());
            assert_eq!(grant.tools, patterns(effective), "{granted:?} and {asked:?}");
            let got = grant.check_tool("p", requested.as_ref(), tool).map_err(|reason| reason.code());
            assert_eq!(got, *expected, "{granted:?} and {asked:?}: {tool}");
        }
    }

    #[test]
    fn a_refusal_does_not_repeat_a_long_name() {
        let reason = Grant::default().check_tool("p", None, &"x".repeat(100_000)).unwrap_err();
        assert!(reason.to_string().len() < 1_000);
    }
}
