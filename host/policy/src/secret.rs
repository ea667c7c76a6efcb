//! Secrets a plugin may use without ever seeing them: the host puts them into its requests.

use std::fmt;

use super::pattern::HostPattern;
use super::target::Target;

/// What a guest finds where a secret would stand, before its name. It is no secret.
const PLACEHOLDER: &str = "toolcell-secret:";

/// A secret, for requests to some hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretGrant {
    /// Its name in the operator's `[secrets]`.
    pub name: String,
    /// The requests it goes with. None of them means it is never used.
    pub hosts: Vec<HostPattern>,
    /// How it goes with them.
    pub attach: Attach,
    /// A variable in which the guest finds the placeholder, for guests that want to write the header themselves.
    pub env: Option<String>,
}

/// How a secret goes with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attach {
    /// `Authorization: Bearer …`.
    Bearer,
    /// `Authorization: Basic …`, as the password of this user.
    Basic {
        /// The user.
        user: String,
    },
    /// A header of this name, in lower case.
    Header(String),
    /// A parameter of this name in the query.
    Query(String),
    /// Where the guest has put the placeholder into a header, and nowhere else.
    Placeholder,
}

impl SecretGrant {
    /// What the guest sees instead of the secret.
    pub fn placeholder(&self) -> String {
        placeholder(&self.name)
    }

    /// Whether it goes with a request.
    pub fn goes_with(&self, target: &Target) -> bool {
        self.hosts.iter().any(|pattern| pattern.matches(target))
    }
}

/// What a guest sees instead of the secret of that name.
pub fn placeholder(name: &str) -> String {
    format!("{PLACEHOLDER}{name}")
}

/// Checks the name of a secret: `a-z 0-9 - _`, at most 64 characters.
///
/// # Errors
/// Says what to write instead, after the last comma.
pub fn check_secret_name(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if (1..=64).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    let shown: String = name.chars().take(80).collect();
    Err(format!("{shown:?} is no name of a secret, write 1 to 64 of `a-z 0-9 - _`"))
}

impl fmt::Display for Attach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bearer => f.write_str("bearer"),
            Self::Basic { .. } => f.write_str("basic"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Query(name) => write!(f, "query {name}"),
            Self::Placeholder => f.write_str("placeholder"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_only_where_it_was_granted_for() {
        let grant = SecretGrant {
            name: "github".into(),
            hosts: vec!["GET,POST https://api.github.com".parse().unwrap()],
            attach: Attach::Bearer,
            env: None,
        };
        let target = |method, url: &str| {
            let (scheme, rest) = url.split_once("://").unwrap();
            let (authority, path) = rest.split_at(rest.find('/').unwrap());
            Target::from_authority(method, scheme, authority, path).unwrap()
        };
        assert!(grant.goes_with(&target("GET", "https://api.github.com/user")));
        for (method, url) in [
            ("DELETE", "https://api.github.com/user"),
            ("GET", "http://api.github.com/user"),
            ("GET", "https://api.github.com.evil.example/"),
            ("GET", "https://evil.example/?https://api.github.com"),
            ("GET", "https://api.github.com:8443/"),
        ] {
            assert!(!grant.goes_with(&target(method, url)), "{method} {url}");
        }
        assert_eq!(grant.placeholder(), "toolcell-secret:github");
        for bad in ["", "A", "a b", "a:b", &"a".repeat(65)] {
            assert!(check_secret_name(bad).is_err(), "{bad}");
        }
    }
}
