//! Returns blocks that the contract can carry and the protocol cannot, or should not.

use toolcell_guests::{
    Args, CallResult, Content, EmbeddedResource, MediaContent, ResourceBody, ResourceContents, ResourceInfo,
    TextContent, ToolCall, ToolOutcome, ToolResult, completed, raw, text,
};

raw!(
    bad_content,
    "Returns odd content. `kind`: `nul` (default), `no-mime`, `bad-uri`, `bad-link`, `meta-not-json`, \
     `meta-not-object`, `result-meta`, `reserved-meta`, `bidi`."
);

fn bad_content(call: &ToolCall) -> CallResult {
    let args = Args::parse(&call.arguments);
    Ok(match args.text("kind", "nul") {
        "no-mime" => completed(vec![Content::Image(MediaContent {
            data: vec![0, 1, 2],
            mime_type: "\r\n".to_owned(),
            annotations: None,
            meta: None,
        })]),
        "bad-uri" => completed(vec![Content::Resource(EmbeddedResource {
            contents: ResourceContents {
                uri: "not a uri\u{0}".to_owned(),
                mime_type: Some(String::new()),
                body: ResourceBody::Text("text".to_owned()),
                meta: None,
            },
            annotations: None,
            meta: None,
        })]),
        "bad-link" => completed(vec![Content::ResourceLink(link())]),
        "meta-not-json" => with_block_meta("{"),
        "meta-not-object" => with_block_meta("[1]"),
        "result-meta" => with_result_meta("nonsense"),
        "reserved-meta" => with_result_meta(r#"{"io.modelcontextprotocol/serverInfo":{"name":"forged"}}"#),
        "bidi" => text("safe\u{202e}txt.exe\u{200b}\u{feff}\u{e0041}"),
        _ => text("a\u{0}b\u{1b}[2Jc\u{7f}"),
    })
}

fn link() -> ResourceInfo {
    ResourceInfo {
        uri: "javascript:alert(1)".to_owned(),
        name: String::new(),
        title: None,
        description: None,
        mime_type: None,
        size: Some(u64::MAX),
        annotations: None,
        icons: Vec::new(),
        meta: None,
    }
}

fn with_block_meta(meta: &str) -> ToolOutcome {
    completed(vec![Content::Text(TextContent {
        text: "text".to_owned(),
        annotations: None,
        meta: Some(meta.to_owned()),
    })])
}

fn with_result_meta(meta: &str) -> ToolOutcome {
    ToolOutcome::Complete(ToolResult {
        content: Vec::new(),
        structured: None,
        is_error: false,
        meta: Some(meta.to_owned()),
    })
}
