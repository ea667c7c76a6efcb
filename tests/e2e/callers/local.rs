//! On standard input and output the user who runs the server is the caller.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use toolcell_tests::mcp::{HANDSHAKE, names_of, text_of};
use toolcell_tests::plan::finish;
use toolcell_tests::site::Site;
use toolcell_tests::stdio::Pipe;

use super::toolcell;

/// `local:` and the name that the system has for whoever runs this test.
fn local() -> String {
    let (done, said, why) = finish({
        let mut id = Command::new("id");
        id.arg("-un");
        id
    });
    assert!(done, "{why}");
    format!("local:{}", said.trim())
}

fn call(client: &mut Pipe, id: u64, tool: &str, arguments: Value) -> Value {
    client.ask(id, "tools/call", &json!({ "name": tool, "arguments": arguments }))
}

#[test]
fn the_local_user_is_a_caller_like_any_other() {
    let (site, local) = (Site::new(), local());
    site.folder("homes");
    let files = "prefix = 'fs_'\ndirs = [{ host = 'homes/{principal}', guest = '/home', access = 'read-write' }]";
    let rules = format!(
        "[[allow]]\nprincipals = ['{local}']\ntools = ['context_peek', 'fs_*']\n[[allow]]\nprincipals = ['local:nobody-else']\n\
         tools = ['echo']\n[[quotas.rates]]\nat-most = 3\nevery = 'hour'\nonly = {{ principals = ['{local}'], tools = ['context_peek'] }}\n\
         [audit]\ndir = 'audit'\n"
    );
    let plugins =
        format!("{}{}{}", Site::plugin("filesystem", files), Site::guest("context_peek", ""), Site::plugin("echo", ""));
    let config = site.config(&format!("{rules}{plugins}"));
    let mut client = Pipe::start(["--config".as_ref(), config.as_os_str()]);
    let tools = names_of(&client.ask(1, "tools/list", &json!({}))["result"]);
    assert!(tools.contains(&"fs_read_file".to_owned()) && !tools.contains(&"echo".to_owned()), "{tools:?}");
    let hidden = call(&mut client, 2, "echo", json!({ "message": "x" }));
    assert!(hidden["error"].is_object(), "{hidden}");
    call(&mut client, 3, "fs_write_file", json!({ "path": "/home/a.txt", "content": "mine" }));
    let folder = local.replace(':', "%3A");
    assert_eq!(fs::read_to_string(site.path(format!("homes/{folder}/a.txt"))).expect("a folder of its own"), "mine");
    for id in 4..7 {
        let seen = text_of(&call(&mut client, id, "context_peek", json!({}))["result"]);
        assert!(seen.contains(&local), "{seen}");
    }
    let limited = call(&mut client, 7, "context_peek", json!({}));
    assert!(limited["error"].is_object(), "the fourth of three: {limited}");
    client.close();
    let audit = fs::read_to_string(site.path("audit/audit.jsonl")).expect("the log reads");
    let of = |line: &&str| line.contains("\"invocation\"") && line.contains(&format!("\"{local}\""));
    assert_eq!(audit.lines().filter(of).count(), 4, "{audit}");

    // The same in the handshake era, and on the command line.
    let config = site
        .config(&plugins.replace("[plugins.echo]", &format!("[[allow]]\nprincipals = ['{local}']\n[plugins.echo]")));
    let mut client = Pipe::start(["--config".as_ref(), config.as_os_str()]);
    client.shake_hands(HANDSHAKE);
    let seen = client.ask_in_session(2, "tools/call", &json!({ "name": "context_peek", "arguments": {} }));
    assert!(seen.to_string().contains(&local), "{seen}");
    client.close();
    let (code, said) = toolcell(&site.path(""), &["call", "context_peek"]);
    assert!(code == 0 && said.contains(&local), "{said}");
}

#[test]
fn where_nothing_depends_on_callers_nobody_is_one() {
    let site = Site::new();
    let config = site.config(&Site::guest("context_peek", ""));
    let mut client = Pipe::start(["--config".as_ref(), config.as_os_str()]);
    let seen = text_of(&call(&mut client, 1, "context_peek", json!({}))["result"]);
    assert!(!seen.contains("local:"), "{seen}");
    client.close();
}
