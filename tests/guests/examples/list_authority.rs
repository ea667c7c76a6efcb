//! Uses the time of listing, when no caller waits and no grant may apply yet, to reach for files and hosts. What came
//! of it is the description of its tool.

use toolcell_guests::{ListResult, Report, http, listed, listing, tool};
use wasip2::cli::environment::get_environment;
use wasip2::filesystem::preopens::get_directories;

listing!(list_authority);

fn list_authority() -> ListResult {
    let mut report = Report::new();
    report.add("dir-count", "", Ok::<_, &str>(get_directories().len()));
    report.add("env-count", "", Ok::<_, &str>(get_environment().len()));
    report.add("get", "127.0.0.1", http::get("http://127.0.0.1/"));
    Ok(listed(vec![tool("list_authority", report.to_string())]))
}
