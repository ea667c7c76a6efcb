//! The benchmark's two runs about many callers, short: `toolcell-bench soak` and `toolcell-bench flood`. Both judge themselves and
//! say what was wrong; `tests/bench/README.md` has what they do and how the long run went.

use std::process::Command;

use toolcell_tests::artifacts;

fn bench(arguments: &[&str]) {
    let ran =
        Command::new(artifacts::bench()).args(arguments).env("NO_COLOR", "1").output().expect("it can be started");
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stderr), String::from_utf8_lossy(&ran.stdout));
    assert!(ran.status.success(), "{said}");
    eprintln!("{said}");
}

#[test]
fn nothing_is_answered_wrongly_under_load_while_everything_changes() {
    // Long enough for every kind of change; a machine that tests is slower than one that serves.
    bench(&["soak", "--minutes", "0.6", "--rate", "200", "--patience", "2"]);
}

#[test]
fn a_flood_under_load_leaves_another_caller_its_share() {
    bench(&["flood", "--rounds", "5", "--seconds", "4", "--assert-ratio", "2"]);
}
