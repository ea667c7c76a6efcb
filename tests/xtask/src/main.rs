//! The project's chores, one command each. `cargo xtask --help` lists them.
//!
//! It has no dependencies, so that a fresh clone can build it in seconds, and it installs whatever it can install
//! by itself: the guests' compile target by rustup, the clients' packages into `target/clients`.

mod bench;
mod clients;
mod conformance;
mod foreign;
mod lint;
mod plugins;
mod projects;
mod run;
mod sdk;
mod serve;
mod suite;
mod workspace;

use std::process::ExitCode;

use run::Outcome;
use workspace::Workspace;

/// One chore.
struct Chore {
    name: &'static str,
    /// One line for the list.
    summary: &'static str,
    /// What `--help` prints after the usage line.
    help: &'static str,
    /// What may follow the name, for the usage line.
    arguments: &'static str,
    run: fn(&Workspace, &[String]) -> Outcome,
}

const CHORES: &[Chore] = &[
    Chore {
        name: "serve",
        summary: "build the plugins and the host, then serve the plugins over HTTP on loopback",
        help: serve::HELP,
        arguments: "[TOOLCELL SERVE OPTIONS]",
        run: serve::serve,
    },
    Chore {
        name: "test",
        summary: "everything that must pass: unit tests, end-to-end tests, real clients, conformance",
        help: suite::TEST_HELP,
        arguments: "",
        run: suite::test,
    },
    Chore {
        name: "lint",
        summary: "formatting and clippy, warnings refused",
        help: lint::HELP,
        arguments: "",
        run: lint::lint,
    },
    Chore {
        name: "plugins",
        summary: "build every guest and copy the components to target/plugins and target/guests",
        help: plugins::HELP,
        arguments: "",
        run: |workspace, _| plugins::build(workspace),
    },
    Chore {
        name: "sdk",
        summary: "build the SDKs' examples in every language",
        help: sdk::HELP,
        arguments: "[LANGUAGE…]",
        run: sdk::build,
    },
    Chore {
        name: "foreign",
        summary: "build the components that know nothing of Toolcell",
        help: foreign::HELP,
        arguments: "",
        run: |workspace, _| foreign::build(workspace),
    },
    Chore {
        name: "e2e",
        summary: "only the end-to-end tests, and what they need",
        help: suite::E2E_HELP,
        arguments: "[TEST NAMES AND OPTIONS OF THE TEST BINARY]",
        run: suite::e2e,
    },
    Chore {
        name: "clients",
        summary: "install the official clients that the end-to-end tests drive",
        help: clients::HELP,
        arguments: "",
        run: |workspace, _| clients::install(workspace).map(|_| ()),
    },
    Chore {
        name: "conformance",
        summary: "the official conformance suite against the built host",
        help: conformance::HELP,
        arguments: "[REVISION…]",
        run: conformance::conformance,
    },
    Chore {
        name: "bench",
        summary: "calls per second beside a native server and a bare HTTP server",
        help: bench::HELP,
        arguments: "[BENCHMARK OPTIONS]",
        run: bench::bench,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Outcome {
    let Some((name, rest)) = arguments.split_first() else {
        print_list();
        return Err("say which chore to do".into());
    };
    if matches!(name.as_str(), "--help" | "-h" | "help") {
        print_list();
        return Ok(());
    }
    let chore = CHORES
        .iter()
        .find(|chore| chore.name == name)
        .ok_or_else(|| format!("there is no chore `{name}`; `cargo xtask --help` lists them"))?;
    if rest.first().is_some_and(|first| first == "--help" || first == "-h") {
        println!("Usage: cargo xtask {} {}\n\n{}", chore.name, chore.arguments, chore.help);
        return Ok(());
    }
    if chore.arguments.is_empty() && !rest.is_empty() {
        return Err(format!("`cargo xtask {name}` takes no arguments").into());
    }
    (chore.run)(&Workspace::find()?, rest)
}

fn print_list() {
    println!("Usage: cargo xtask CHORE [ARGUMENTS]\n\nChores (each has --help):");
    for chore in CHORES {
        println!("  {:<12} {}", chore.name, chore.summary);
    }
}
