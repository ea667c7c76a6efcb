//! Versions of plugins: what stands after the `@` of a plugin's name, and which of several versions has the plain names.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Numbers longer than this are no version, in digits.
const MAX_DIGITS: usize = 9;

/// Some versions of a plugin: `1`, `1.2` or `1.2.3`. `1.2` stands for every version that begins so; the default for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector(Vec<u64>);

impl Selector {
    /// Whether a version is one of them. `1.2.0-rc.1` is one of `1.2`.
    pub fn takes(&self, version: &str) -> bool {
        let plain = version.split(['-', '+']).next().unwrap_or_default();
        let Ok(numbers) = plain.parse::<Self>() else { return false };
        // What is not said is 0: `1.2` is the version 1.2.0.
        let said = numbers.0.into_iter().chain(std::iter::repeat(0));
        self.0.iter().zip(said).all(|(wanted, said)| *wanted == said)
    }
}

impl FromStr for Selector {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |part: &str| {
            let is_plain = part.bytes().all(|b| b.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
            if is_plain && part.len() <= MAX_DIGITS { part.parse().map_err(drop) } else { Err(()) }
        };
        let numbers: Vec<u64> = text.split('.').map(number).collect::<Result<_, ()>>()?;
        if numbers.len() <= 3 { Ok(Self(numbers)) } else { Err(()) }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u64::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

/// By the newest version that each stands for: `1` comes after `1.2`, which it may be as well as 1.3.
impl Ord for Selector {
    fn cmp(&self, other: &Self) -> Ordering {
        let newest = |of: &Self| [0, 1, 2].map(|at| of.0.get(at).copied().unwrap_or(u64::MAX));
        newest(self).cmp(&newest(other))
    }
}

impl PartialOrd for Selector {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The name before the `@`, and the versions after it.
pub(super) fn split(name: &str) -> (&str, Option<Selector>) {
    match name.split_once('@') {
        Some((plain, versions)) => (plain, versions.parse().ok()),
        None => (name, None),
    }
}

/// What stands after the names of the tools of one of several versions, where it must: `_v1_2`.
///
/// `entries` are names of plugins and their prefixes. Of those that are one plugin and have one prefix, the newest has the
/// plain names. That is decided by what is wanted and not by what loads, so that no name changes its meaning because another
/// version fails.
pub(super) fn suffix<'a>(
    (name, prefix): (&str, Option<&str>),
    mut entries: impl Iterator<Item = (&'a str, Option<&'a str>)>,
) -> String {
    let (plain, Some(versions)) = split(name) else { return String::new() };
    let newer = |(other, its_prefix): (&str, Option<&str>)| {
        let (other, its_versions) = split(other);
        other == plain && its_prefix == prefix && its_versions.unwrap_or_default() > versions
    };
    if entries.any(newer) { format!("_v{}", versions.to_string().replace('.', "_")) } else { String::new() }
}

/// What stands after the names of tools that are kept of a version: `_v1_2_0`. A component that says no version is known by
/// the beginning of its digest, which is written as `sha256:…`.
pub(super) fn label(version: Option<&str>, digest: &str) -> String {
    let digits = || digest.rsplit(':').next().unwrap_or_default().chars().take(8).collect();
    let version: String = version.map_or_else(digits, |version| version.chars().take(32).collect());
    let plain: String = version.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("_v{plain}")
}

/// What an operator must know if a component is not of the versions its entry is for; nothing if it is.
pub(super) fn mismatch(name: &str, version: Option<&str>) -> Option<String> {
    let (plain, versions) = split(name);
    let versions = versions?;
    let table = |name: &str| crate::policy::plugin_table(name);
    match version {
        Some(version) if versions.takes(version) => None,
        Some(version) => {
            let major: String = version.chars().take_while(char::is_ascii_digit).take(MAX_DIGITS).collect();
            let other = if major.is_empty() || versions.0.len() > 1 { String::new() } else { format!("@{major}") };
            Some(format!(
                "it is version {:?}, and `{name}` is for {versions} only; give the path of a component of that version, \
                 or change in toolcell.toml: {} to {}",
                version.chars().take(64).collect::<String>(),
                table(name),
                table(&format!("{plain}{other}"))
            ))
        }
        None => Some(format!(
            "it says no version in its manifest, and `{name}` is for {versions} only; build it with an SDK, or change in \
             toolcell.toml: {} to {}",
            table(name),
            table(plain)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(text: &str) -> Selector {
        text.parse().unwrap()
    }

    #[test]
    fn a_selector_takes_what_begins_like_it() {
        for (text, version, takes) in [
            ("1", "1.2.3", true),
            ("1", "1", true),
            ("1", "10.0.0", false),
            ("1", "2.0.0", false),
            ("0", "0.1.0", true),
            ("1.2", "1.2.9", true),
            ("1.2", "1.20.0", false),
            ("1.2.3", "1.2.3", true),
            ("1.2.3", "1.2.3-rc.1+build", true),
            ("1.2.0", "1.2", true),
            ("1", "v1", false),
            ("1", "one", false),
            ("1", "", false),
        ] {
            assert_eq!(selector(text).takes(version), takes, "{text} {version}");
        }
        for bad in ["", "1.", ".1", "1.2.3.4", "01", "1.x", "-1", "1234567890", "1@2", "\u{663}"] {
            assert!(bad.parse::<Selector>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_newest_has_the_plain_names() {
        let all = ["w", "w@1", "w@1.2", "w@2", "w@10", "other@3"];
        let suffix_among = |names: &[&str], name: &str| {
            suffix((name, None), names.iter().map(|name| (*name, None)).chain([("w@99", Some("p_"))]))
        };
        for (name, expected) in
            [("w", ""), ("w@1", "_v1"), ("w@1.2", "_v1_2"), ("w@2", "_v2"), ("w@10", "_v10"), ("other@3", "")]
        {
            assert_eq!(suffix_among(&all, name), expected, "{name}");
        }
        for (name, expected) in [("w@1", "_v1"), ("w@1.2", "_v1_2"), ("w@2", "")] {
            assert_eq!(suffix_among(&["w@2", "w@1", "w@1.2"], name), expected, "{name}");
        }
        assert_eq!(suffix_among(&["w@1"], "w@1"), "");
    }

    #[test]
    fn a_label_can_stand_in_a_name() {
        for (version, expected) in
            [(Some("1.2.0"), "_v1_2_0"), (Some("1.0.0-rc.1+b"), "_v1_0_0_rc_1_b"), (None, "_v01234567")]
        {
            assert_eq!(label(version, "sha256:0123456789"), expected);
        }
    }

    #[test]
    fn a_mismatch_ends_with_what_to_change() {
        for (name, version, end) in [
            ("w", None, None),
            ("w", Some("x"), None),
            ("w@1", Some("1.9.0"), None),
            ("w@1", Some("2.1.0"), Some("[plugins.\"w@1\"] to [plugins.\"w@2\"]")),
            ("w@1.2", Some("1.3.0"), Some("[plugins.\"w@1.2\"] to [plugins.w]")),
            ("w@1", Some("new"), Some("[plugins.\"w@1\"] to [plugins.w]")),
            ("w@1", None, Some("[plugins.\"w@1\"] to [plugins.w]")),
        ] {
            let found = mismatch(name, version);
            match end {
                None => assert_eq!(found, None),
                Some(end) => assert!(found.as_ref().is_some_and(|found| found.ends_with(end)), "{found:?}"),
            }
        }
    }
}
