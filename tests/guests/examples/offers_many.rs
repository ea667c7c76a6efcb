//! Lists more than anyone will page through, in the list that the variable `LIST` names.

use toolcell_guests::offering;
use toolcell_guests::offers::{
    Answer, Offers, Prompt, ResourceInfo, ResourceTemplate, prompt, resource, template, variable,
};

/// The plugin.
pub struct Plugin;
offering!(Plugin);

/// `COUNT` items (default 100000).
fn many<T>(list: &str, item: impl Fn(usize) -> T) -> Answer<Vec<T>> {
    let count = if variable("LIST") == list { variable("COUNT").parse().unwrap_or(100_000) } else { 0 };
    Ok((0..count).map(item).collect())
}

impl Offers for Plugin {
    fn list_resources() -> Answer<Vec<ResourceInfo>> {
        many("resources", |n| resource(format!("x:{n}")))
    }

    fn list_templates() -> Answer<Vec<ResourceTemplate>> {
        many("templates", |n| template(format!("x:{n}{{a}}")))
    }

    fn list_prompts() -> Answer<Vec<Prompt>> {
        many("prompts", |n| prompt(n.to_string(), &[]))
    }
}
