//! Uses its store for what it is not meant for: fills it, writes what is too large, writes for ever, races with itself, looks
//! for other plugins' keys, pages with cursors of its own. While it is listed it tries to keep something as well; what came
//! of that is the description of its tool.

use toolcell_guests::bindings::toolcell::plugin::key_value::{self, StoreError};
use toolcell_guests::{Args, CallResult, Report, ToolCall, text, tool, tools};

tools!(list, call);

fn list() -> Vec<toolcell_guests::Tool> {
    let mut report = Report::new();
    report.add("set", "while-listed", key_value::set("listed", b"x").map(|()| "set").map_err(words));
    report.add("get", "while-listed", key_value::get("listed").map(|value| format!("{value:?}")).map_err(words));
    report.add("list", "while-listed", key_value::list_keys("", None).map(|page| page.keys.len()).map_err(words));
    vec![tool("store_abuse", report.to_string())]
}

fn call(call: &ToolCall) -> CallResult {
    let args = Args::parse(&call.arguments);
    let mut report = Report::new();
    let (count, bytes) = (args.number("count", 1_000), args.number("bytes", 1_000) as usize);
    match args.text("kind", "fill") {
        "fill" => report.add("fill", "store", fill(count, bytes)),
        "huge-key" => report.add("set", "huge-key", set(&"k".repeat(bytes), 1)),
        "huge-value" => report.add("set", "huge-value", set("huge", bytes)),
        "storm" => report.add("storm", "n", storm(count)),
        "peek" => peek(&mut report, args.text("plugin", "other")),
        "pages" => pages(&mut report),
        "clear" => report.add("clear", "store", clear()),
        // Written at once and read at once, so that a test sees who sees what.
        _ => {
            let (key, value) = (args.text("key", "k"), args.text("value", ""));
            if !value.is_empty() {
                report.add("set", key, key_value::set(key, value.as_bytes()).map(|()| "set").map_err(words));
            }
            let got = key_value::get(key)
                .map(|got| got.map_or("nothing".into(), |got| String::from_utf8_lossy(&got).into_owned()));
            report.add("get", key, got.map_err(words));
        }
    }
    Ok(text(report.to_string()))
}

fn words(error: StoreError) -> String {
    match error {
        StoreError::Denied(text) => format!("denied: {text}"),
        StoreError::Limit(text) => format!("limit: {text}"),
        StoreError::Conflict(current) => format!("conflict: {current:?}"),
        StoreError::Other(text) => format!("other: {text}"),
    }
}

fn set(key: &str, bytes: usize) -> Result<String, String> {
    key_value::set(key, &vec![b'v'; bytes]).map(|()| format!("{} and {bytes} bytes", key.len())).map_err(words)
}

/// Writes until it may not; says how far it came.
fn fill(count: u64, bytes: usize) -> Result<String, String> {
    for n in 0..count {
        set(&format!("fill/{n:06}"), bytes).map_err(|error| format!("after {n}: {error}"))?;
    }
    Ok(format!("{count} values"))
}

/// Counts up by comparing, as many calls at once do; the sum tells a test whether one was lost.
fn storm(times: u64) -> Result<String, String> {
    let (mut conflicts, mut current) = (0_u64, key_value::get("n").map_err(words)?);
    for _ in 0..times {
        loop {
            let n: u64 = current.as_deref().map_or(Ok(0), |n| String::from_utf8_lossy(n).parse()).unwrap_or(0);
            let next = (n + 1).to_string().into_bytes();
            match key_value::compare_and_set("n", current.as_deref(), Some(&next)) {
                Ok(()) => {
                    current = Some(next);
                    break;
                }
                Err(StoreError::Conflict(other)) => {
                    conflicts += 1;
                    current = other;
                }
                Err(error) => return Err(words(error)),
            }
        }
    }
    Ok(format!("{times} times with {conflicts} conflicts"))
}

/// Spellings under which another plugin's key might be found.
fn peek(report: &mut Report, plugin: &str) {
    let spellings = [
        format!("{plugin}/k"),
        format!("../{plugin}/k"),
        format!("{plugin}\0k"),
        format!("/{plugin}:k"),
        "k".to_owned(),
    ];
    for key in spellings {
        let found = match key_value::get(&key) {
            Ok(None) => Err("nothing there".to_owned()),
            Ok(Some(value)) => Ok(String::from_utf8_lossy(&value).into_owned()),
            Err(error) => Err(words(error)),
        };
        report.add("peek", &key.replace('\0', "NUL"), found);
    }
    let all = key_value::list_keys("", None).map(|page| page.keys.join(",")).map_err(words);
    report.add("list", "all", all);
}

/// Prefixes and cursors no host has given.
fn pages(report: &mut Report) {
    let long = "x".repeat(1_000_000);
    for (prefix, cursor) in [
        ("", Some("")),
        ("", Some("\u{10ffff}")),
        ("p/", Some("a")),
        ("p/", Some("z")),
        (&long, None),
        ("p/", Some(&long)),
    ] {
        let page = key_value::list_keys(prefix, cursor.map(ToString::to_string).as_deref());
        let name = |text: &str| if text.len() > 100 { "long".to_owned() } else { text.escape_default().to_string() };
        let object = format!("{},{}", name(prefix), name(cursor.unwrap_or("none")));
        report.add("page", &object, page.map(|page| page.keys.join(" ")).map_err(words));
    }
    let (mut keys, mut pages, mut cursor) = (0, 0, None);
    loop {
        match key_value::list_keys("fill/", cursor.as_deref()) {
            Ok(page) => {
                keys += page.keys.len();
                pages += 1;
                cursor = page.next;
            }
            Err(error) => return report.add("walk", "fill/", Err::<String, _>(words(error))),
        }
        if cursor.is_none() {
            return report.add("walk", "fill/", Ok::<_, String>(format!("{keys} keys on {pages} pages")));
        }
    }
}

fn clear() -> Result<String, String> {
    let mut removed = 0;
    loop {
        let page = key_value::list_keys("", None).map_err(words)?;
        for key in &page.keys {
            key_value::delete(key).map_err(words)?;
            removed += 1;
        }
        if page.next.is_none() {
            return Ok(format!("{removed} keys"));
        }
    }
}
