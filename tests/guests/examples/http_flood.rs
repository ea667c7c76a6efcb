//! Opens requests and reads none of the answers.

use toolcell_guests::{Args, Report, http, tool};

tool!(
    http_flood,
    "Starts `count` requests (default 1000) to `url` before it looks at the first answer, then waits for the heads and never reads a body."
);

fn http_flood(args: &Args) -> Report {
    let count = args.number("count", 1000);
    let url = args.text("url", "http://127.0.0.1/");
    let mut report = Report::new();
    let mut started = Vec::new();
    for n in 0..count {
        match http::request(url, &[]).and_then(http::start) {
            Ok(future) => started.push(future),
            Err(error) => {
                report.add("start", url, Err::<&str, _>(format!("after {n}: {error}")));
                break;
            }
        }
    }
    report.add("started", url, Ok::<_, &str>(started.len()));
    let mut answers = Vec::new();
    let mut refused = Vec::new();
    for future in &started {
        match http::wait(future) {
            Ok(answer) => answers.push(answer),
            Err(error) => refused.push(error),
        }
    }
    report.add("answered", url, Ok::<_, &str>(answers.len()));
    if let Some(last) = refused.last() {
        report.add("answer", url, Err::<&str, _>(format!("{} times, last: {last}", refused.len())));
    }
    report
}
