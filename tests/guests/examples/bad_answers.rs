//! Reads, prompts and completions that go wrong: the last part of the URI `bad://KIND`, the prompt's argument `kind` and
//! the value to complete say how.

use toolcell_guests::offers::{
    Answer, CallError, Completion, CompletionRequest, Content, MediaContent, Offers, Prompt, PromptGet, PromptOutcome,
    PromptResult, ReadOutcome, ReadResult, ResourceBody, ResourceContents, ResourceRead, ResourceTemplate, TextContent,
    argument, asks, block, contents, filled, prompt, read, suggested, template,
};
use toolcell_guests::{offering, time};

const HUGE: usize = 32 << 20;

/// The plugin.
pub struct Plugin;
offering!(Plugin);

/// What goes wrong whatever was asked for.
fn misbehave(kind: &str) -> Answer<()> {
    match kind {
        "spin" => loop {
            std::hint::spin_loop();
        },
        "sleep" => time::wait_ns(u64::MAX),
        "panic" => panic!("this guest panics on purpose"),
        "exit" => std::process::exit(3),
        "error" => return Err(CallError::Other("words of the guest".to_owned())),
        "invalid" => return Err(CallError::InvalidArguments("words of the guest".to_owned())),
        "denied" => return Err(CallError::Denied("words of the guest".to_owned())),
        "cancelled" => return Err(CallError::Cancelled),
        "not-found" => return Err(CallError::NotFound("words of the guest".to_owned())),
        "huge-error" => return Err(CallError::Other("x".repeat(HUGE))),
        _ => {}
    }
    Ok(())
}

impl Offers for Plugin {
    fn list_templates() -> Answer<Vec<ResourceTemplate>> {
        Ok(vec![template("bad://{kind}")])
    }

    fn read_resource(asked: &ResourceRead) -> Answer<ReadOutcome> {
        let kind = asked.uri.trim_start_matches("bad://");
        misbehave(kind)?;
        let own = |body| contents(&asked.uri, body);
        let text = |text: &str| own(ResourceBody::Text(text.to_owned()));
        Ok(match kind {
            "text" => read(vec![own(ResourceBody::Text("x".repeat(HUGE)))]),
            "blob" => read(vec![own(ResourceBody::Blob(vec![0; HUGE]))]),
            "many" => read((0..40_000).map(|_| contents("bad:x", ResourceBody::Text("8 bytes.".to_owned()))).collect()),
            "meta-huge" => ReadOutcome::Complete(ReadResult {
                contents: vec![text("")],
                cache: None,
                meta: Some(format!("{{\"x\":\"{}\"}}", "x".repeat(HUGE / 4))),
            }),
            "nothing" => read(Vec::new()),
            "other" => read(vec![contents("other://theirs", ResourceBody::Text("forged".to_owned()))]),
            "parts" => read(vec![contents("bad://parts/1", ResourceBody::Text("one".to_owned())), text("two")]),
            "meta" => read(vec![ResourceContents { meta: Some("[".to_owned()), ..text("") }]),
            "own-meta" => {
                ReadOutcome::Complete(ReadResult { contents: vec![text("")], cache: None, meta: Some("1".to_owned()) })
            }
            "ask" => ReadOutcome::InputRequired(asks("again")),
            _ => read(vec![text("fine")]),
        })
    }

    fn list_prompts() -> Answer<Vec<Prompt>> {
        Ok(vec![prompt("bad", &["kind"])])
    }

    fn get_prompt(get: &PromptGet) -> Answer<PromptOutcome> {
        let kind = argument(get, "kind");
        misbehave(kind)?;
        let with_meta = |own: Option<String>, of_block: Option<String>| {
            let text = Content::Text(TextContent { text: String::new(), annotations: None, meta: of_block });
            match filled(vec![text]) {
                PromptOutcome::Complete(result) => PromptOutcome::Complete(PromptResult { meta: own, ..result }),
                other => other,
            }
        };
        Ok(match kind {
            "text" => filled(vec![block("x".repeat(HUGE))]),
            "blob" => filled(vec![Content::Image(MediaContent {
                data: vec![0; HUGE],
                mime_type: "image/png".to_owned(),
                annotations: None,
                meta: None,
            })]),
            "many" => filled((0..40_000).map(|_| block("8 bytes.")).collect()),
            "meta-huge" => with_meta(Some(format!("{{\"x\":\"{}\"}}", "x".repeat(HUGE / 4))), None),
            "nothing" => filled(Vec::new()),
            "meta" => with_meta(None, Some("[".to_owned())),
            "own-meta" => with_meta(Some("1".to_owned()), None),
            "ask" => PromptOutcome::InputRequired(asks("again")),
            _ => filled(vec![block("fine")]),
        })
    }

    fn complete(request: &CompletionRequest) -> Answer<Completion> {
        misbehave(&request.value)?;
        Ok(match request.value.as_str() {
            "text" => suggested(vec!["x".repeat(HUGE)]),
            "many" => suggested((0..10_000).map(|n| n.to_string()).collect()),
            "total" => Completion { values: Vec::new(), total: Some(u32::MAX), has_more: true },
            _ => suggested(vec!["fine".to_owned()]),
        })
    }
}
