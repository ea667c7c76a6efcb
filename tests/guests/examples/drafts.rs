//! A guest for other hosts: reads its settings with `wasi:config`, writes with `wasi:logging`, keeps values with
//! `wasi:keyvalue`, each in the version that is common there.

use toolcell_guests::bindings::toolcell::plugin::key_value;
use toolcell_guests::{Args, Report, tool};

#[allow(missing_docs, unsafe_code, clippy::all, reason = "generated")]
mod wasi_drafts {
    wit_bindgen::generate!({
        inline: r#"
            package toolcell:drafts;
            world drafts {
                import wasi:config/store@0.2.0-draft;
                import wasi:logging/logging@0.1.0-draft;
                import wasi:keyvalue/store@0.2.0-draft2;
            }
            package wasi:config@0.2.0-draft {
                interface store {
                    variant config-error { upstream(string), io(string) }
                    get: func(key: string) -> result<option<string>, config-error>;
                    get-all: func() -> result<list<tuple<string, string>>, config-error>;
                }
            }
            package wasi:logging@0.1.0-draft {
                interface logging {
                    enum level { trace, debug, info, warn, error, critical }
                    log: func(level: level, context: string, message: string);
                }
            }
            package wasi:keyvalue@0.2.0-draft2 {
                interface store {
                    variant error { no-such-store, access-denied, other(string) }
                    record key-response { keys: list<string>, cursor: option<string> }
                    open: func(identifier: string) -> result<bucket, error>;
                    resource bucket {
                        get: func(key: string) -> result<option<list<u8>>, error>;
                        set: func(key: string, value: list<u8>) -> result<_, error>;
                        delete: func(key: string) -> result<_, error>;
                        exists: func(key: string) -> result<bool, error>;
                        list-keys: func(cursor: option<string>) -> result<key-response, error>;
                    }
                }
            }
        "#,
        world: "drafts",
        generate_all,
        type_section_suffix: "drafts",
    });
}

use wasi_drafts::wasi::{config::store as config, keyvalue::store, logging::logging};

tool!(drafts, "Reads settings, logs and keeps values as a guest for other hosts does.");

fn drafts(args: &Args) -> Report {
    let mut report = Report::new();
    let words = |error: store::Error| format!("{error:?}");
    report.add(
        "config",
        "TZ",
        config::get("TZ").map(|value| format!("{value:?}")).map_err(|error| format!("{error:?}")),
    );
    report.add("config", "all", config::get_all().map(|all| format!("{all:?}")).map_err(|error| format!("{error:?}")));
    logging::log(logging::Level::Warn, "drafts", "a \"message\" \x1b[31m");
    report.add("open", "other", store::open("other").map(|_| "opened").map_err(words));
    let bucket = match store::open(args.text("bucket", "")) {
        Ok(bucket) => bucket,
        Err(error) => {
            report.add("open", "", Err::<&str, _>(words(error)));
            return report;
        }
    };
    report.add("set", "a", bucket.set("a", b"1").map(|()| "set").map_err(words));
    report.add("set", "huge", bucket.set("huge", &vec![0; 2_000_000]).map(|()| "set").map_err(words));
    report.add("get", "a", bucket.get("a").map(|value| format!("{value:?}")).map_err(words));
    report.add("exists", "b", bucket.exists("b").map_err(words));
    report.add("delete", "b", bucket.delete("b").map(|()| "deleted").map_err(words));
    report.add(
        "list",
        "",
        bucket.list_keys(None).map(|page| format!("{:?} {:?}", page.keys, page.cursor)).map_err(words),
    );
    report.add("list", "past", bucket.list_keys(Some("z")).map(|page| format!("{:?}", page.keys)).map_err(words));
    // The plugin's own keys and those of the bucket do not meet.
    report.add("own", "a", key_value::get("a").map(|value| format!("{value:?}")).map_err(|error| format!("{error:?}")));
    report
}
