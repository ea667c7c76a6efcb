//! Carries a manifest that asks for one host, one directory to read and one variable, and then tries for more: what
//! it may do is what it asked for and what the operator granted, never one of the two alone.

use std::fs;

use toolcell_guests::{Args, Report, http, tool};

#[unsafe(link_section = "toolcell:manifest")]
#[used]
static MANIFEST: [u8; 343] = *br#"{"wit":"0.1.0","sdk":"none","name":"asks_for_little","version":"0.1.0","description":"Asks for little.","requests":{"dirs":[{"path":"/data","access":"read-only","why":"to read"}],"hosts":[{"pattern":"https://declared.example","why":"to ask"},{"pattern":"http://127.0.0.1:*","why":"for the tests"}],"env":[{"name":"DECLARED","why":"to know"}]}}"#;

tool!(asks_for_little, "Gets `urls`, reads and writes `files`, reads the variables `names`.");

fn asks_for_little(args: &Args) -> Report {
    let mut report = Report::new();
    for url in args.list("urls") {
        report.add("get", &url, http::get(&url));
    }
    for path in args.list("files") {
        report.add("read", &path, fs::read(&path).map(|bytes| format!("{} bytes", bytes.len())));
        report.add("write", &path, fs::write(&path, "written").map(|()| "7 bytes"));
    }
    for name in args.list("names") {
        report.add("env", &name, std::env::var(&name));
    }
    report
}
