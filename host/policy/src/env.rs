//! Environment variables: which names and values can be passed at all.

/// Checks the name of a variable.
///
/// # Errors
///
/// Says what is wrong: it is empty, or holds `=` or a NUL, which no environment can carry.
pub fn check_env_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("a variable has an empty name, give it one".to_owned());
    }
    if name.contains(['=', '\0']) {
        return Err(format!("variable name {name:?} holds `=` or a NUL, leave it out"));
    }
    Ok(())
}

/// Checks the value of a variable. The message does not repeat the value, which may be a secret.
///
/// # Errors
///
/// It holds a NUL, which no environment can carry.
pub fn check_env_value(name: &str, value: &str) -> Result<(), String> {
    if value.contains('\0') {
        return Err(format!("the value of {name} holds a NUL, leave it out"));
    }
    Ok(())
}

/// `name` as a key in TOML, such as that of a variable or a plugin.
pub fn toml_key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { format!("{name:?}") }
}

/// The head of a plugin's table in `toolcell.toml`, as an operator writes it: with quotes where a version belongs to the name.
pub fn plugin_table(plugin: &str) -> String {
    format!("[plugins.{}]", toml_key(plugin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values() {
        for good in ["TZ", "my.var", "ünï", "A B"] {
            assert_eq!(check_env_name(good), Ok(()), "{good}");
        }
        for bad in ["", "A=B", "A\0"] {
            assert!(check_env_name(bad).is_err(), "{bad:?}");
        }
        assert_eq!(check_env_value("A", "x=y\n"), Ok(()));
        let message = check_env_value("A", "s3cret\0").unwrap_err();
        assert!(message.contains('A') && !message.contains("s3cret"));
    }

    #[test]
    fn keys_are_quoted_where_they_must() {
        for (name, key) in [("TZ", "TZ"), ("A-b_1", "A-b_1"), ("my.var", "\"my.var\""), ("a\"b", "\"a\\\"b\"")] {
            assert_eq!(toml_key(name), key);
        }
        assert_eq!(plugin_table("weather"), "[plugins.weather]");
        assert_eq!(plugin_table("weather@1"), "[plugins.\"weather@1\"]");
    }
}
