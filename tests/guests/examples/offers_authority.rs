//! Reaches for files, variables and hosts in each of its four lists. What came of it is the description of the item.

use std::fs;

use toolcell_guests::offers::{Answer, Offers, Prompt, ResourceInfo, ResourceTemplate, prompt, resource, template};
use toolcell_guests::{Report, Tool, http, offering, tool};
use wasip2::cli::environment::get_environment;
use wasip2::filesystem::preopens::get_directories;

/// The plugin.
pub struct Plugin;
offering!(Plugin);

fn report() -> String {
    let mut report = Report::new();
    report.add("dir-count", "", Ok::<_, &str>(get_directories().len()));
    report.add("env-count", "", Ok::<_, &str>(get_environment().len()));
    report.add("read", "/data/inside.txt", fs::read_to_string("/data/inside.txt"));
    report.add("write", "/data/new.txt", fs::write("/data/new.txt", "new").map(|()| ""));
    report.add("remove", "/data/inside.txt", fs::remove_file("/data/inside.txt").map(|()| ""));
    let url = std::env::var("URL").unwrap_or_default();
    report.add("get", &url, http::get(&url));
    report.to_string()
}

impl Offers for Plugin {
    fn list_tools() -> Answer<Vec<Tool>> {
        Ok(vec![tool("offers_authority", report())])
    }

    fn list_resources() -> Answer<Vec<ResourceInfo>> {
        Ok(vec![ResourceInfo { description: Some(report()), ..resource("x:1") }])
    }

    fn list_templates() -> Answer<Vec<ResourceTemplate>> {
        Ok(vec![ResourceTemplate { description: Some(report()), ..template("x:{a}") }])
    }

    fn list_prompts() -> Answer<Vec<Prompt>> {
        Ok(vec![Prompt { description: Some(report()), ..prompt("p", &[]) }])
    }
}
