//! The same in other versions: `wasi:config` as its release candidate, `wasi:keyvalue` with numbers for cursors.

use toolcell_guests::{Args, Report, tool};

#[allow(missing_docs, unsafe_code, clippy::all, reason = "generated")]
mod wasi_drafts {
    wit_bindgen::generate!({
        inline: r#"
            package toolcell:drafts;
            world drafts {
                import wasi:config/store@0.2.0-rc.1;
                import wasi:keyvalue/store@0.2.0-draft;
            }
            package wasi:config@0.2.0-rc.1 {
                interface store {
                    variant error { upstream(string), io(string) }
                    get: func(key: string) -> result<option<string>, error>;
                    get-all: func() -> result<list<tuple<string, string>>, error>;
                }
            }
            package wasi:keyvalue@0.2.0-draft {
                interface store {
                    variant error { no-such-store, access-denied, other(string) }
                    record key-response { keys: list<string>, cursor: option<u64> }
                    open: func(identifier: string) -> result<bucket, error>;
                    resource bucket {
                        get: func(key: string) -> result<option<list<u8>>, error>;
                        set: func(key: string, value: list<u8>) -> result<_, error>;
                        delete: func(key: string) -> result<_, error>;
                        exists: func(key: string) -> result<bool, error>;
                        list-keys: func(cursor: option<u64>) -> result<key-response, error>;
                    }
                }
            }
        "#,
        world: "drafts",
        generate_all,
        type_section_suffix: "drafts",
    });
}

use wasi_drafts::wasi::{config::store as config, keyvalue::store};

tool!(drafts_older, "Fills a bucket with `count` keys and lists them page by page.");

fn drafts_older(args: &Args) -> Report {
    let mut report = Report::new();
    let words = |error: store::Error| format!("{error:?}");
    report.add(
        "config",
        "TZ",
        config::get("TZ").map(|value| format!("{value:?}")).map_err(|error| format!("{error:?}")),
    );
    report.add("walk", "bucket", walk(args.number("count", 3)).map_err(words));
    report
}

fn walk(count: u64) -> Result<String, store::Error> {
    let bucket = store::open("default")?;
    for n in 0..count {
        bucket.set(&format!("{n:05}"), b"x")?;
    }
    let (mut keys, mut pages, mut cursor) = (Vec::new(), 0, None);
    loop {
        let page = bucket.list_keys(cursor)?;
        keys.extend(page.keys);
        pages += 1;
        cursor = page.cursor;
        if cursor.is_none() {
            let beyond = bucket.list_keys(Some(u64::MAX))?.keys.len();
            return Ok(format!("{} keys on {pages} pages, sorted {}, {beyond} beyond", keys.len(), keys.is_sorted()));
        }
    }
}
