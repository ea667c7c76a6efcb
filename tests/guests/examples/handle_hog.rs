//! Opens things and never closes them.

use std::any::Any;
use std::fs::File;

use toolcell_guests::{Args, Report, tool};
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::filesystem::preopens::get_directories;
use wasip2::http::types::Fields;
use wasip2::sockets::network::IpAddressFamily;
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

tool!(
    handle_hog,
    "Opens up to `count` (default 100000) of `kind`: `files` (default; of `file`, default /data/file), `clocks`, \
     `fields`, `sockets`, `streams`."
);

fn handle_hog(args: &Args) -> Report {
    let count = args.number("count", 100_000);
    let kind = args.text("kind", "files");
    let file = args.text("file", "/data/file");
    let mut held: Vec<Box<dyn Any>> = Vec::new();
    let mut report = Report::new();
    for n in 0..count {
        match open(kind, file) {
            Ok(handle) => held.push(handle),
            Err(error) => {
                report.add("open", kind, Err::<&str, _>(format!("after {n}: {error}")));
                return report;
            }
        }
    }
    report.add("open", kind, Ok::<_, &str>(count));
    report
}

fn open(kind: &str, file: &str) -> Result<Box<dyn Any>, String> {
    Ok(match kind {
        "clocks" => Box::new(subscribe_duration(u64::MAX)),
        "fields" => Box::new(Fields::new()),
        "sockets" => Box::new(create_tcp_socket(IpAddressFamily::Ipv4).map_err(|code| code.name())?),
        "streams" => {
            let (dir, _) = get_directories().into_iter().next().ok_or("no directory")?;
            Box::new(dir.read_directory().map_err(|code| code.name())?)
        }
        _ => Box::new(File::open(file).map_err(|error| error.to_string())?),
    })
}
