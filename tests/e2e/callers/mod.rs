//! Who is calling decides: what is seen, what the cell can touch, what waits for a person, how much there is of it, and
//! what is written down.

mod approvals;
mod certificates;
mod collector;
mod events;
mod exchange;
mod hostile;
mod hostile_collector;
mod identity;
mod local;
mod metrics;
mod oauth;
mod quotas;
mod records;
mod revoked;
mod secrets;
mod tenants;

use std::path::Path;
use std::process::Command;

use toolcell_tests::artifacts;
use toolcell_tests::host::Host;
use toolcell_tests::mcp::Modern;
use toolcell_tests::site::Site;

/// Makes a key as an operator does.
fn new_key(site: &Site, principal: &str, more: &[&str]) -> String {
    let made = Command::new(artifacts::toolcell())
        .current_dir(site.path(""))
        .args(["key", "--file", "keys.json", "new", principal])
        .args(more)
        .output()
        .expect("the command runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).expect("a key is text").trim().to_owned()
}

/// A client with a key.
fn with_key(host: &Host, key: &str) -> Modern {
    host.modern().with_header("Authorization", &format!("Bearer {key}"))
}

/// Runs `toolcell` in the site.
fn toolcell(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let ran = Command::new(artifacts::toolcell()).current_dir(folder).args(arguments).output().expect("it runs");
    let text = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    (ran.status.code().unwrap_or(-1), text)
}
