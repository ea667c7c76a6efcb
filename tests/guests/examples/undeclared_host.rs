//! Asks for hosts nobody granted.

use toolcell_guests::{Args, Report, http, tool};

tool!(undeclared_host, "Gets each of `urls` (default https://undeclared.example/) and says what came of it.");

fn undeclared_host(args: &Args) -> Report {
    let mut urls = args.list("urls");
    if urls.is_empty() {
        urls.push("https://undeclared.example/".to_owned());
    }
    let mut report = Report::new();
    for url in urls {
        report.add("get", &url, http::get(&url));
    }
    report
}
