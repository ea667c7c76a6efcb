//! Asks the host to allocate on its behalf: sizes that cost the guest nothing.

use toolcell_guests::{Args, Report, tool};
use wasip2::cli::stderr::get_stderr;
use wasip2::cli::stdin::get_stdin;
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use wasip2::http::types::Fields;
use wasip2::random::insecure::get_insecure_random_bytes;
use wasip2::random::random::get_random_bytes;

tool!(
    host_alloc,
    "Asks the host for `bytes` (default 8 GiB) at once. `kind`: `random` (default), `insecure-random`, `stdin`, \
     `zeroes`, `file` (the file `file` in the first directory), `fields`."
);

fn host_alloc(args: &Args) -> Report {
    let bytes = args.number("bytes", 8 << 30);
    let kind = args.text("kind", "random");
    let got: Result<u64, String> = match kind {
        "insecure-random" => Ok(get_insecure_random_bytes(bytes).len() as u64),
        "stdin" => get_stdin().blocking_read(bytes).map(|read| read.len() as u64).map_err(|error| format!("{error:?}")),
        "zeroes" => {
            get_stderr().blocking_write_zeroes_and_flush(bytes).map(|()| bytes).map_err(|error| format!("{error:?}"))
        }
        "file" => file(args.text("file", "file"), bytes),
        "fields" => fields(bytes),
        _ => Ok(get_random_bytes(bytes).len() as u64),
    };
    let mut report = Report::new();
    report.add("ask", kind, got.map(|got| format!("{got} bytes")));
    report
}

/// Reads so many bytes of a file at once: a host that makes the buffer first has lost.
fn file(name: &str, bytes: u64) -> Result<u64, String> {
    let (dir, _) = get_directories().into_iter().next().ok_or("no directory")?;
    let file =
        dir.open_at(PathFlags::empty(), name, OpenFlags::empty(), DescriptorFlags::READ).map_err(|code| code.name())?;
    let (read, _) = file.read(bytes, 0).map_err(|code| code.name())?;
    Ok(read.len() as u64)
}

/// Header fields live in the host's memory; the guest keeps one small copy.
fn fields(bytes: u64) -> Result<u64, String> {
    let fields = Fields::new();
    let value = [b'x'; 1024];
    for n in 0..bytes / 1024 {
        fields.append("x", &value).map_err(|error| format!("after {} bytes: {error:?}", n * 1024))?;
    }
    Ok(bytes)
}
