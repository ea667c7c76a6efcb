//! Offers what its variables say, so that two plugins can be made to want the same names: `RESOURCES`, `TEMPLATES` and
//! `PROMPTS` are separated by blanks, and each answer begins with `NAME`.

use toolcell_guests::offering;
use toolcell_guests::offers::{
    Answer, Completion, CompletionRequest, Offers, Prompt, PromptGet, PromptOutcome, ReadOutcome, ResourceBody,
    ResourceInfo, ResourceRead, ResourceTemplate, block, contents, filled, prompt, read, resource, suggested, template,
    variable,
};

/// The plugin.
pub struct Plugin;
offering!(Plugin);

fn words<T>(name: &str, item: impl Fn(String) -> T) -> Answer<Vec<T>> {
    Ok(variable(name).split_whitespace().map(|word| item(word.to_owned())).collect())
}

impl Offers for Plugin {
    fn list_resources() -> Answer<Vec<ResourceInfo>> {
        words("RESOURCES", resource)
    }

    fn list_templates() -> Answer<Vec<ResourceTemplate>> {
        words("TEMPLATES", template)
    }

    fn read_resource(asked: &ResourceRead) -> Answer<ReadOutcome> {
        let name = variable("NAME");
        eprintln!("{name} was asked for {}", asked.uri);
        let body = ResourceBody::Text(format!("{name} read {}", asked.uri));
        Ok(read(vec![contents(&asked.uri, body)]))
    }

    fn list_prompts() -> Answer<Vec<Prompt>> {
        words("PROMPTS", |name| prompt(name, &["a"]))
    }

    fn get_prompt(get: &PromptGet) -> Answer<PromptOutcome> {
        Ok(filled(vec![block(format!("{} filled {}", variable("NAME"), get.name))]))
    }

    fn complete(request: &CompletionRequest) -> Answer<Completion> {
        Ok(suggested(vec![format!("{} completes {}", variable("NAME"), request.argument)]))
    }
}
