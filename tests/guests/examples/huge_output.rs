//! Answers with more than anyone wants to read.

use toolcell_guests::{
    Args, CallError, CallResult, Content, EmbeddedResource, MediaContent, ResourceBody,
    ResourceContents, TextContent, ToolCall, ToolOutcome, ToolResult, completed, raw, text,
};

raw!(
    huge_output,
    "Answers with about `bytes` bytes (default 32 MiB). `kind`: `text` (default), `blocks`, `image`, `resource`, \
     `structured`, `meta`, `error`."
);

fn huge_output(call: &ToolCall) -> CallResult {
    let args = Args::parse(&call.arguments);
    let bytes = usize::try_from(args.number("bytes", 32 << 20)).unwrap_or(usize::MAX);
    let empty = || ToolResult {
        content: Vec::new(),
        structured: None,
        is_error: false,
        meta: None,
    };
    // A JSON string as long as asked, with quotes.
    let json = |bytes: usize| format!("\"{}\"", "x".repeat(bytes));
    Ok(match args.text("kind", "text") {
        // Each block also costs what a block costs: 8 bytes of text keep that part small.
        "blocks" => completed((0..bytes / 8).map(|_| block("8 bytes.")).collect()),
        "image" => completed(vec![Content::Image(MediaContent {
            data: vec![0; bytes],
            mime_type: "image/png".to_owned(),
            annotations: None,
            meta: None,
        })]),
        "resource" => completed(vec![Content::Resource(EmbeddedResource {
            contents: ResourceContents {
                uri: "test://huge".to_owned(),
                mime_type: None,
                body: ResourceBody::Blob(vec![0; bytes]),
                meta: None,
            },
            annotations: None,
            meta: None,
        })]),
        "structured" => ToolOutcome::Complete(ToolResult {
            structured: Some(json(bytes)),
            ..empty()
        }),
        "meta" => ToolOutcome::Complete(ToolResult {
            meta: Some(format!("{{\"x\":{}}}", json(bytes))),
            ..empty()
        }),
        "error" => return Err(CallError::Other("x".repeat(bytes))),
        _ => text(&"x".repeat(bytes)),
    })
}

fn block(text: &str) -> Content {
    Content::Text(TextContent {
        text: text.to_owned(),
        annotations: None,
        meta: None,
    })
}
