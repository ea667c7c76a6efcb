//! Dies in all the ways a program can die by itself.

use toolcell_guests::{Args, tool};

// Not named after the macro: the tool is called `panic` all the same.
use self::die as panic;

tool!(panic, "Dies. `how`: `panic` (default), `abort`, `exit` (with `code`, 0 unless given).");

fn die(args: &Args) -> String {
    match args.text("how", "panic") {
        "abort" => std::process::abort(),
        "exit" => std::process::exit(i32::try_from(args.number("code", 0)).unwrap_or(1)),
        _ => panic!("this guest panics on purpose"),
    }
}
