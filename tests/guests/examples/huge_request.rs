//! Sends more than a server should have to take, and takes more than it should.

use toolcell_guests::{Args, Report, http, tool};
use wasip2::http::types::{Method, OutgoingBody};

tool!(
    huge_request,
    "Sends to `url` a body of `body` bytes (default 0) with `headers` bytes of headers (default 0), then reads the answer to its end."
);

fn huge_request(args: &Args) -> Report {
    let url = args.text("url", "http://127.0.0.1/");
    let mut report = Report::new();
    if let Err(error) = exchange(&mut report, url, args.number("headers", 0), args.number("body", 0)) {
        report.add("request", url, Err::<&str, _>(error));
    }
    report
}

fn exchange(report: &mut Report, url: &str, headers: u64, body: u64) -> Result<(), String> {
    let value = vec![b'x'; 1000];
    let headers: Vec<_> = (0..headers.div_ceil(1000)).map(|n| (format!("x-{n}"), value.clone())).collect();
    let request = http::request(url, &headers)?;
    request.set_method(&Method::Post).map_err(|()| "method not accepted")?;
    let outgoing = request.body().map_err(|()| "no body")?;
    let future = http::start(request)?;
    report.add("send", "body", http::pour(&outgoing, &[b'x'; 4096], body));
    let finished = OutgoingBody::finish(outgoing, None).map_err(|code| http::describe(&code));
    report.add("send", "end", finished.map(|()| "finished"));
    let response = http::wait(&future)?;
    report.add("answer", url, Ok::<_, &str>(response.status()));
    let incoming = response.consume().map_err(|()| "no body")?;
    report.add("read", "body", http::drain(&incoming).map(|bytes| format!("{bytes} bytes")));
    Ok(())
}
