//! Looks around: environment, arguments, directories, time zone, randomness.

use toolcell_guests::{Args, Report, tool};
use wasip2::cli::environment::{get_arguments, get_environment, initial_cwd};
use wasip2::filesystem::preopens::get_directories;

tool!(env_peek, "Lists every environment variable, argument and directory it was given.");

fn env_peek(_: &Args) -> Report {
    let mut report = Report::new();
    let ok = |text: String| Ok::<_, &str>(text);
    for (name, value) in get_environment() {
        report.add("env", &name, ok(value));
    }
    for argument in get_arguments() {
        report.add("arg", &argument, ok(String::new()));
    }
    for (_, name) in get_directories() {
        report.add("dir", &name, ok(String::new()));
    }
    report.add("cwd", "", initial_cwd().ok_or("none"));
    report.add("env-count", "", ok(get_environment().len().to_string()));
    report.add("arg-count", "", ok(get_arguments().len().to_string()));
    report.add("dir-count", "", ok(get_directories().len().to_string()));
    report
}
