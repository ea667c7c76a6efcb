//! Does not come back with the list that the variable `LIST` names, in the way that `HOW` says.

use toolcell_guests::offers::{
    Answer, CallError, Offers, Prompt, ResourceInfo, ResourceTemplate, prompt, resource, template, variable,
};
use toolcell_guests::{offering, time};

/// The plugin.
pub struct Plugin;
offering!(Plugin);

/// A line of a log, if it stood on a line of its own.
const FORGED: &str = "2026-01-01T00:00:00.000000Z ERROR forged\u{1b}[2J";

fn misbehave<T>(list: &str, item: T, describe: impl Fn(&mut T, String)) -> Answer<Vec<T>> {
    let mut item = item;
    if variable("LIST") == list {
        match variable("HOW").as_str() {
            "hangs" => loop {
                std::hint::spin_loop();
            },
            "sleeps" => time::wait_ns(u64::MAX),
            "panics" => panic!("this guest panics on purpose"),
            "fails" => return Err(CallError::Other("this guest fails on purpose".to_owned())),
            "forges" => {
                eprintln!("{FORGED}");
                return Err(CallError::Other(format!("this guest fails on purpose\n{FORGED}")));
            }
            "forges-and-panics" => panic!("this guest panics on purpose\n{FORGED}"),
            "talks" => describe(&mut item, "x".repeat(50_000_000)),
            _ => {}
        }
    }
    Ok(vec![item])
}

impl Offers for Plugin {
    fn list_resources() -> Answer<Vec<ResourceInfo>> {
        misbehave("list-resources", resource("x:1"), |it, text| it.description = Some(text))
    }

    fn list_templates() -> Answer<Vec<ResourceTemplate>> {
        misbehave("list-templates", template("x:{a}"), |it, text| it.description = Some(text))
    }

    fn list_prompts() -> Answer<Vec<Prompt>> {
        misbehave("list-prompts", prompt("p", &[]), |it, text| it.description = Some(text))
    }
}
