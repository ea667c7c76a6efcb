//! What a site allows programs to fetch (RFC 9309).

/// The rules of one `robots.txt`.
#[derive(Debug, Default)]
pub struct Robots {
    groups: Vec<Group>,
}

/// Lines that belong together: whom they concern, and what they say.
#[derive(Debug, Default)]
struct Group {
    /// In lower case.
    agents: Vec<String>,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    allow: bool,
    /// Normalized; may hold `*`, and `$` at its end.
    pattern: String,
}

impl Robots {
    /// Reads the text. What is not a rule is skipped, as the RFC wants: an error page has no rules.
    pub fn parse(text: &str) -> Self {
        let mut robots = Self::default();
        // Several agents in a row share the rules after them.
        let mut naming = false;
        for line in text.trim_start_matches('\u{feff}').lines() {
            let line = line.split_once('#').map_or(line, |(line, _)| line);
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            let allow = match key.trim().to_ascii_lowercase().as_str() {
                "user-agent" => {
                    if !naming {
                        robots.groups.push(Group::default());
                    }
                    naming = true;
                    if let Some(group) = robots.groups.last_mut() {
                        let name = value.split_once('/').map_or(value, |(name, _)| name);
                        group.agents.push(name.to_ascii_lowercase());
                    }
                    continue;
                }
                "allow" => true,
                "disallow" => false,
                _ => continue,
            };
            naming = false;
            // An empty `Disallow` forbids nothing.
            if let (Some(group), false) = (robots.groups.last_mut(), value.is_empty()) {
                let pattern = normalize(value);
                group.rules.push(Rule { allow, pattern });
            }
        }
        robots
    }

    /// Whether `agent`, the whole header, may fetch `path`, which begins with a slash and includes the query.
    ///
    /// Of the products in `agent` the longest that is named counts; of the rules that match the longest, and the friendlier one if
    /// two are equally long.
    pub fn allows(&self, agent: &str, path: &str) -> bool {
        let path = normalize(path);
        let Some(name) = self.name_for(agent) else {
            return true;
        };
        let concerned = |group: &&Group| group.agents.iter().any(|known| known == name);
        let rules = self
            .groups
            .iter()
            .filter(concerned)
            .flat_map(|group| &group.rules);
        let strongest = rules
            .filter(|rule| matches(&rule.pattern, &path))
            .max_by_key(|rule| (rule.pattern.len(), rule.allow));
        strongest.is_none_or(|rule| rule.allow) || path == "/robots.txt"
    }

    /// The name under which `agent` is meant: the longest of its products that is named, or `*`.
    fn name_for(&self, agent: &str) -> Option<&str> {
        let products = products(agent);
        let names = self.groups.iter().flat_map(|group| &group.agents);
        names
            .filter(|name| *name == "*" || products.contains(name))
            .max_by_key(|name| if *name == "*" { 0 } else { name.len() })
            .map(String::as_str)
    }
}

/// The products of a `User-Agent` header in lower case: its first word, and every word with a version, also in comments.
fn products(agent: &str) -> Vec<String> {
    let words = agent.split(|c: char| c.is_whitespace() || "(),;".contains(c));
    let named = words
        .enumerate()
        .filter_map(|(place, word)| match word.split_once('/') {
            Some((name, version)) => (!version.starts_with('/')).then_some(name),
            None => (place == 0).then_some(word),
        });
    named.map(str::to_ascii_lowercase).collect()
}

/// Two spellings of the same path become one: what must be percent-encoded is, and what need not be is not.
fn normalize(path: &str) -> String {
    let mut bytes = path.as_bytes();
    let mut normal = String::with_capacity(path.len());
    while let [first, rest @ ..] = bytes {
        let decoded = match bytes {
            [b'%', high, low, ..] => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        let byte = decoded.unwrap_or(*first);
        bytes = match decoded {
            Some(_) => rest.get(2..).unwrap_or_default(),
            None => rest,
        };
        let encoded = decoded.is_some() || !byte.is_ascii_graphic();
        if !encoded || byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            normal.push(char::from(byte));
        } else {
            normal.push_str(&format!("%{byte:02X}"));
        }
    }
    normal
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Whether `pattern` matches a beginning of `path`, or all of it where it ends in `$`. `*` stands for anything.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, whole) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else {
        return false;
    };
    // The first place of each part is the best: it leaves most for those after it. Only the last of a pattern that ends in
    // `$` has to be at the end.
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return !whole || rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if whole && parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: &str = "ModelContextProtocol/1.0 (Autonomous; +https://example.com)";

    #[test]
    fn the_strongest_rule_decides() {
        let text = "User-agent: *\nDisallow: /private\nAllow: /private/open\nDisallow: /*.pdf$\nDisallow: /a%3cd.html\nDisallow: /q?*x=1\nDisallow: /tie\nAllow: /tie\nDisallow: /caf\u{e9}";
        let robots = Robots::parse(text);
        let cases = [
            ("/", true),
            ("/private", false),
            ("/private/deep", false),
            ("/privateer", false),
            ("/Private", true),
            ("/private/open", true),
            ("/private/open/door", true),
            ("/doc.pdf", false),
            ("/doc.pdf?x", true),
            ("/a%3Cd.html", false),
            ("/a<d.html", true),
            ("/q?y=2&x=1", false),
            ("/q?y=2", true),
            ("/tie", true),
            ("/caf%C3%A9", false),
            ("/%70rivate", false),
            ("/robots.txt", true),
        ];
        for (path, allowed) in cases {
            assert_eq!(robots.allows(AGENT, path), allowed, "{path}");
        }
    }

    #[test]
    fn the_group_that_names_the_agent_goes_before_the_star() {
        let text = "User-agent: *\nDisallow: /\n\nUser-agent: other\nUser-agent: modelcontextprotocol/2\nCrawl-delay: 1\nDisallow: /no # not here\n\nUSER-AGENT : ModelContextProtocol\nDisallow : /neither\n";
        let robots = Robots::parse(text);
        let cases = [
            (AGENT, "/", true),
            (AGENT, "/no", false),
            (AGENT, "/neither", false),
            ("other", "/neither", true),
            ("other", "/no", false),
            ("anyone", "/x", false),
        ];
        for (agent, path, allowed) in cases {
            assert_eq!(robots.allows(agent, path), allowed, "{agent} {path}");
        }
    }

    #[test]
    fn what_forbids_nothing_allows_everything() {
        for text in [
            "",
            "User-agent: *\nDisallow:",
            "Disallow: /",
            "<html>no: rules</html>",
            "\u{feff}User-agent: x\nDisallow: /",
        ] {
            assert!(Robots::parse(text).allows(AGENT, "/page"), "{text}");
        }
        assert!(!Robots::parse("\u{feff}User-agent: *\r\nDisallow: /\r\n").allows(AGENT, "/page"));
    }

    #[test]
    fn an_agent_is_known_by_its_products() {
        let cases = [
            (AGENT, vec!["modelcontextprotocol"]),
            (
                "Mozilla/5.0 (compatible; MyBot/1.0; +https://bot.example/about)",
                vec!["mozilla", "mybot"],
            ),
            ("Bot", vec!["bot"]),
        ];
        for (agent, expected) in cases {
            assert_eq!(products(agent), expected, "{agent}");
        }
    }

    #[test]
    fn a_star_stands_for_anything() {
        let cases = [
            ("/a*b", "/ab", true),
            ("/a*b", "/axxbxx", true),
            ("/a*b$", "/axxb", true),
            ("/a*b$", "/axxbx", false),
            ("/a*b*c", "/a1c2b3c", true),
            ("/a*b*c", "/a1c2b3", false),
            ("*", "/anything", true),
            ("/$", "/", true),
            ("/$", "/x", false),
            ("/*a$", "/ba", true),
            ("/ab*ab$", "/ab", false),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }
}
