//! Sends whatever it is told to, and says everywhere what came back: what somebody who wants another's secret would do with a
//! plugin that both use.

use std::io::Write as _;

use toolcell_guests::bindings::toolcell::plugin::log::{self, Level};
use toolcell_guests::bindings::toolcell::plugin::progress;
use toolcell_guests::{Args, CallError, CallResult, Report, ToolCall, http, raw, text};
use wasip2::http::types::{Method, OutgoingBody};

raw!(
    courier,
    "Sends `method` (default GET) to each of `urls`, with `headers` (`name: value`, as they are) and `body`, and says what came \
     back in its result, its log, its standard error and its progress; with `fail` in an error. `env`: says its variables too."
);

fn courier(call: &ToolCall) -> CallResult {
    let args = Args::parse(&call.arguments);
    let mut report = Report::new();
    for url in args.list("urls") {
        report.add("send", &url, send(&args, &url));
    }
    if args.number("env", 0) > 0 {
        for (name, value) in std::env::vars() {
            report.add("env", &name, Ok::<_, &str>(value));
        }
    }
    let said = report.to_string();
    // As JSON, as it has to be.
    log::write(Level::Error, Some("courier"), &format!("{said:?}"));
    // Nothing else could be done about it.
    let _ = writeln!(std::io::stderr(), "{said}");
    progress::report(1.0, None, Some(&said));
    match args.number("fail", 0) {
        0 => Ok(text(said)),
        _ => Err(CallError::Other(said)),
    }
}

fn send(args: &Args, url: &str) -> Result<String, String> {
    let split = |line: String| {
        let (name, value) = line.split_once(": ").unwrap_or((&line, ""));
        (name.to_owned(), value.as_bytes().to_vec())
    };
    let headers: Vec<_> = args.list("headers").into_iter().map(split).collect();
    let request = http::request(url, &headers)?;
    let method = match args.text("method", "GET") {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "CONNECT" => Method::Connect,
        other => Method::Other(other.to_owned()),
    };
    request.set_method(&method).map_err(|()| "method not accepted")?;
    let body = args.text("body", "");
    let outgoing = (!body.is_empty()).then(|| request.body()).transpose().map_err(|()| "no body")?;
    let future = http::start(request)?;
    if let Some(outgoing) = outgoing {
        http::pour(&outgoing, body.as_bytes(), 1)?;
        OutgoingBody::finish(outgoing, None).map_err(|code| http::describe(&code))?;
    }
    let response = http::wait(&future)?;
    let head: Vec<String> = response
        .headers()
        .entries()
        .into_iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(&value)))
        .collect();
    let body = response.consume().map_err(|()| "no body")?;
    Ok(format!("{} {} {}", response.status(), head.join(" "), http::text(&body)?))
}
