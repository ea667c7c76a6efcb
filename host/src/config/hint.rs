//! What the writer of an unknown key may have meant.

use crate::policy::{Limits, plugin_table, toml_key};

/// Other words for a key, from neighbouring tools and earlier drafts. They count only where the key is known.
const OTHER_WORDS: &[(&str, &str)] = &[
    ("address", "http"),
    ("bind", "http"),
    ("listen", "http"),
    ("port", "http"),
    ("origins", "allowed-origins"),
    ("cors", "allowed-origins"),
    ("component", "path"),
    ("file", "path"),
    ("source", "path"),
    ("url", "path"),
    ("wasm", "path"),
    ("disabled", "enabled"),
    ("directories", "dirs"),
    ("files", "dirs"),
    ("filesystem", "dirs"),
    ("mounts", "dirs"),
    ("paths", "dirs"),
    ("preopens", "dirs"),
    ("allowed-hosts", "hosts"),
    ("allowed-outbound-hosts", "hosts"),
    ("network", "hosts"),
    ("urls", "hosts"),
    ("networks", "addresses"),
    ("environment", "env"),
    ("variables", "env"),
    ("kv", "key-value"),
    ("keyvalue", "key-value"),
    ("storage", "key-value"),
    ("store", "key-value"),
    ("peers", "tools"),
    ("from", "host"),
    ("source", "host"),
    ("path", "guest"),
    ("target", "guest"),
    ("to", "guest"),
    ("env", "from-env"),
    ("from", "from-env"),
    ("mode", "access"),
    ("permissions", "access"),
    ("readonly", "access"),
    ("read-only", "access"),
    ("memory", "memory-mib"),
    ("memory-bytes", "memory-mib"),
    ("max-memory", "memory-mib"),
    ("timeout", "wall-ms"),
    ("timeout-ms", "wall-ms"),
    ("fuel", "cpu-ms"),
    ("tools", "plugins"),
    ("servers", "plugins"),
    ("mcp-servers", "plugins"),
];

/// What to write for the unknown key `key` in the table at `table`, in which `known` keys can stand.
pub(super) fn for_unknown_key(table: &[&str], key: &str, is_table: bool, known: &[&str]) -> String {
    if table.is_empty() && is_table && nearest(key, known).is_none() {
        return format!("write {} if it is a plugin", plugin_table(key));
    }
    if let Some(instead) = nearest(key, known) {
        return format!("write `{instead}`");
    }
    let is_limit = Limits::ALL.iter().any(|limit| limit.key().0 == key);
    match table {
        ["plugins", plugin] if is_limit => format!("write [plugins.{}.limits] above it", toml_key(plugin)),
        ["server"] | [] if is_limit => "move it to [limits]".to_owned(),
        [] if SERVER_KEYS.contains(&key) => "move it to [server]".to_owned(),
        ["server"] | [] if PLUGIN_KEYS.contains(&key) => "move it to the plugin's own table, [plugins.NAME]".to_owned(),
        _ if known.is_empty() => "leave it out".to_owned(),
        _ if known.len() == 1 => format!("write `{}`", known.concat()),
        _ => format!("leave it out or write one of {}", known.join(", ")),
    }
}

const SERVER_KEYS: &[&str] = &[
    "http",
    "allowed-hosts",
    "allowed-origins",
    "page-size",
    "list-ttl-ms",
    "instructions",
    "tls",
    "trusted-proxies",
    "admin",
    "drain-ms",
];
const PLUGIN_KEYS: &[&str] = &["path", "prefix", "enabled", "dirs", "hosts", "addresses", "env", "key-value"];

/// The known key that `key` is another word for, or a misspelling of.
fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = key.to_ascii_lowercase().replace('_', "-");
    let another_word = OTHER_WORDS.iter().filter(|(word, _)| *word == plain);
    for (_, meant) in another_word {
        if let Some(found) = known.iter().find(|known| *known == meant) {
            return Some(found);
        }
    }
    let close = known.iter().map(|known| (distance(&plain, known), *known));
    let close = close.filter(|(distance, known)| *distance <= known.len().div_ceil(4));
    close.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// Letters to insert, delete or replace to get from one word to the other (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (done, from) in from.chars().enumerate() {
        let mut next = vec![done + 1];
        for ((to, diagonal), above) in to.iter().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or_default();
            next.push((diagonal + usize::from(*to != from)).min(left + 1).min(above + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (from, to, expected) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("hosts", "host", 1)]
        {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn other_words_point_at_keys_that_exist() {
        let limits: Vec<String> = Limits::ALL.iter().map(|limit| limit.key().0).collect();
        let exists = |key: &str| {
            let tables = [SERVER_KEYS, PLUGIN_KEYS, &["host", "guest", "access", "from-env", "plugins"]];
            tables.concat().contains(&key) || limits.iter().any(|limit| limit == key)
        };
        for (word, meant) in OTHER_WORDS {
            assert!(exists(meant), "{word} {meant}");
        }
    }

    #[test]
    fn hints() {
        let plugin = &["path", "prefix", "enabled", "dirs", "hosts", "addresses", "env", "limits"];
        let top = &["server", "limits", "plugins"];
        type Row<'a> = (&'a [&'a str], &'a str, bool, &'a [&'a str], &'a str);
        #[rustfmt::skip] // a table: one row, one line
        let table: &[Row] = &[
            (&["plugins", "p"], "host", false, plugin, "write `hosts`"),
            (&["plugins", "p"], "Path", false, plugin, "write `path`"),
            (&["plugins", "p"], "wasm", false, plugin, "write `path`"),
            (&["plugins", "p"], "wall-ms", false, plugin, "write [plugins.p.limits] above it"),
            (&["plugins", "p"], "xyzzy", false, plugin, "leave it out or write one of path, prefix,"),
            (&["server"], "page_size", false, SERVER_KEYS, "write `page-size`"),
            (&["server"], "port", false, SERVER_KEYS, "write `http`"),
            (&["server"], "wall-ms", false, SERVER_KEYS, "move it to [limits]"),
            (&["server"], "dirs", false, SERVER_KEYS, "move it to the plugin's own table"),
            (&[], "plugin", true, top, "write `plugins`"),
            (&[], "mcp-servers", true, top, "write `plugins`"),
            (&[], "filesystem", true, top, "write [plugins.filesystem] if it is a plugin"),
            (&[], "http", false, top, "move it to [server]"),
            (&[], "memory-mib", false, top, "move it to [limits]"),
        ];
        for (path, key, is_table, known, expected) in table {
            let hint = for_unknown_key(path, key, *is_table, known);
            assert!(hint.starts_with(expected), "{key}: {hint}");
        }
    }
}
